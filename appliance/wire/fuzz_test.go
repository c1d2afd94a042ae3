package wire

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// What Decode takes is one request that says the same when it is written again;
// what it refuses can be answered.
func FuzzDecode(f *testing.F) {
	for _, m := range Table() {
		f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"` + m.Name + `","params":{}}`))
	}
	f.Add([]byte(`{"jsonrpc":"2.0","id":"\u00e9","method":"x","params":{"a":[{"b":"\ud83d\ude00\\\""}]}}`))
	f.Add([]byte(`{"jsonrpc":"2.0","method":"x"}`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":1E700,"method":"x"}`))
	f.Add([]byte("[]"))
	f.Add([]byte(deep(MaxDepth + 1)))
	f.Fuzz(func(t *testing.T, frame []byte) {
		before := bytes.Clone(frame)
		r, refusal := Decode(frame)
		if !bytes.Equal(before, frame) {
			t.Fatal("the frame was changed")
		}
		if refusal != nil {
			answer := AppendError(nil, r.ID, refusal, "zh", "t")
			if err := json.Unmarshal(answer, new(map[string]jsontext.Value)); err != nil {
				t.Fatalf("the refusal %s is not JSON: %v", answer, err)
			}
			return
		}
		again, err := json.Marshal(requestFrame{"2.0", r.ID, r.Method, r.Params})
		if err != nil {
			t.Fatalf("%+v cannot be written: %v", r, err)
		}
		r2, refusal := Decode(again)
		if refusal != nil || r2.Method != r.Method || !same(r2.ID, r.ID) || !same(r.Params, r2.Params) {
			t.Fatalf("%s became %s: %v", frame, again, refusal)
		}
		if answer, err := AppendResult(nil, r.ID, Empty{}); err != nil || (r.ID != nil && json.Unmarshal(answer, new(map[string]jsontext.Value)) != nil) {
			t.Fatalf("the answer %s is not JSON: %v", answer, err)
		}
	})
}

func same(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 {
		return len(a) == len(b)
	}
	// Compared as text: numbers such as 1E700 are JSON and fit no float64.
	x, y := jsontext.Value(bytes.Clone(a)), jsontext.Value(bytes.Clone(b))
	return x.Canonicalize() == nil && y.Canonicalize() == nil && bytes.Equal(x, y) || bytes.Equal(a, b)
}

// What DecodeParams takes for any method can be written and read again as the
// same value, so nothing of it is lost on its way.
func FuzzDecodeParams(f *testing.F) {
	table := Table()
	for i := range table {
		f.Add(uint16(i), []byte(`{}`))
	}
	f.Add(uint16(0), []byte(`{"a":{"$ne":null}}`))
	f.Add(uint16(7), []byte(`{"room":"4ktx3w0qz8v5h","key":"k","files":["4ktx3w0qz8v5h"],"foreign":{"type":"a","payload":[1]}}`))
	f.Fuzz(func(t *testing.T, method uint16, params []byte) {
		spec := table[int(method)%len(table)]
		v := reflect.New(spec.Params)
		if refusal := DecodeParams(params, v.Interface()); refusal != nil {
			switch refusal.Kind {
			case ParseError, InvalidRequest, InvalidParams:
			default:
				t.Fatalf("%s refused %q with %s", spec.Name, params, refusal.Kind)
			}
			return
		}
		written, err := json.Marshal(v.Interface())
		if err != nil {
			t.Fatalf("%s took %q and cannot write it: %v", spec.Name, params, err)
		}
		again := reflect.New(spec.Params)
		if refusal := DecodeParams(written, again.Interface()); refusal != nil {
			t.Fatalf("%s took %q, wrote %s and refuses that: %v", spec.Name, params, written, refusal)
		}
		twice, err := json.Marshal(again.Interface())
		if err != nil || !same(written, twice) {
			t.Fatalf("%s: %s became %s, %v", spec.Name, written, twice, err)
		}
	})
}
