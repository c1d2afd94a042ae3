package wire

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"posthouse/appliance/id"
)

func deep(n int) string {
	return strings.Repeat(`{"a":`, n) + "1" + strings.Repeat("}", n)
}

func TestDecodeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		frame string
		want  Kind
	}{
		"nothing":                  {``, ParseError},
		"blank":                    {"  \n", ParseError},
		"not JSON":                 {`hello`, ParseError},
		"cut off":                  {`{"jsonrpc":"2.0","id":1,"method":"x"`, ParseError},
		"something after":          {`{"jsonrpc":"2.0","id":1,"method":"x"} {}`, ParseError},
		"bad UTF-8":                {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", ParseError},
		"lone surrogate":           {`{"jsonrpc":"2.0","id":1,"method":"\ud800"}`, ParseError},
		"lone surrogate in params": {`{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"\udc00"}}`, ParseError},
		"NUL":                      {"\x00", ParseError},
		"BOM":                      {"\ufeff{}", ParseError},
		"comment":                  {`{"jsonrpc":"2.0",/**/"id":1,"method":"x"}`, ParseError},
		"NaN":                      {`{"jsonrpc":"2.0","id":NaN,"method":"x"}`, ParseError},
		"duplicate member":         {`{"jsonrpc":"2.0","id":1,"method":"x","method":"y"}`, ParseError},
		"duplicate in params":      {`{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":1,"a":2}}`, ParseError},
		"batch":                    {`[{"jsonrpc":"2.0","id":1,"method":"x"}]`, InvalidRequest},
		"batch after a blank":      {" \t[]", InvalidRequest},
		"empty batch":              {`[]`, InvalidRequest},
		"a number":                 {`1`, InvalidRequest},
		"null":                     {`null`, InvalidRequest},
		"empty object":             {`{}`, InvalidRequest},
		"no version":               {`{"id":1,"method":"x"}`, InvalidRequest},
		"version as a number":      {`{"jsonrpc":2.0,"id":1,"method":"x"}`, InvalidRequest},
		"another version":          {`{"jsonrpc":"1.0","id":1,"method":"x"}`, InvalidRequest},
		"no method":                {`{"jsonrpc":"2.0","id":1}`, InvalidRequest},
		"method as an object":      {`{"jsonrpc":"2.0","id":1,"method":{"$ne":null}}`, InvalidRequest},
		"unknown member":           {`{"jsonrpc":"2.0","id":1,"method":"x","extra":1}`, InvalidRequest},
		"member in other case":     {`{"jsonrpc":"2.0","id":1,"METHOD":"x"}`, InvalidRequest},
		"id true":                  {`{"jsonrpc":"2.0","id":true,"method":"x"}`, InvalidRequest},
		"id an object":             {`{"jsonrpc":"2.0","id":{"a":1},"method":"x"}`, InvalidRequest},
		"id an array":              {`{"jsonrpc":"2.0","id":[1],"method":"x"}`, InvalidRequest},
		"huge id":                  {`{"jsonrpc":"2.0","id":"` + strings.Repeat("x", MaxRequestID-1) + `","method":"x"}`, InvalidRequest},
		"huge number as id":        {`{"jsonrpc":"2.0","id":1` + strings.Repeat("0", MaxRequestID) + `,"method":"x"}`, InvalidRequest},
		"params an array":          {`{"jsonrpc":"2.0","id":1,"method":"x","params":[1]}`, InvalidParams},
		"params null":              {`{"jsonrpc":"2.0","id":1,"method":"x","params":null}`, InvalidParams},
		"params a text":            {`{"jsonrpc":"2.0","id":1,"method":"x","params":"a"}`, InvalidParams},
		"too deep":                 {`{"jsonrpc":"2.0","id":1,"method":"x","params":` + deep(MaxDepth) + `}`, InvalidRequest},
		"very deep":                {strings.Repeat(`[`, 1_000_000), InvalidRequest},
	} {
		r, err := Decode([]byte(c.frame))
		if err == nil || err.Kind != c.want {
			t.Errorf("%s: %+v, %v; want %s", name, r, err, c.want)
			continue
		}
		if err.Text.En == "" || err.Text.Zh == "" || len(err.Text.En) > 600 {
			t.Errorf("%s: text %q / %q", name, err.Text.En, err.Text.Zh)
		}
	}
}

func TestDecodeTakes(t *testing.T) {
	for frame, want := range map[string]Request{
		`{"jsonrpc":"2.0","id":1,"method":"x"}`:                                   {ID: jsontext.Value(`1`), Method: "x"},
		` {"method":"x","params":{},"id":"a","jsonrpc":"2.0"} `:                   {ID: jsontext.Value(`"a"`), Method: "x", Params: jsontext.Value(`{}`)},
		`{"jsonrpc":"2.0","method":"x","params":{"a":1}}`:                         {Method: "x", Params: jsontext.Value(`{"a":1}`)},
		`{"jsonrpc":"2.0","id":-1.5e3,"method":"驿站"}`:                             {ID: jsontext.Value(`-1.5e3`), Method: "驿站"},
		`{"jsonrpc":"2.0","id":"` + strings.Repeat("x", 62) + `","method":"x"}`:   {ID: jsontext.Value(`"` + strings.Repeat("x", 62) + `"`), Method: "x"},
		`{"jsonrpc":"2.0","id":1,"method":"x","params":` + deep(MaxDepth-1) + `}`: {ID: jsontext.Value(`1`), Method: "x", Params: jsontext.Value(deep(MaxDepth - 1))},
		`{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"[[[[[[[[[[[[[[[[[[[[[[[{\"{{"}}`: {ID: jsontext.Value(`1`), Method: "x",
			Params: jsontext.Value(`{"a":"[[[[[[[[[[[[[[[[[[[[[[[{\"{{"}`)},
		`{"jsonrpc":"2.0","id":1,"method":"x","params":{"a":"\ud83d\ude00"}}`: {ID: jsontext.Value(`1`), Method: "x", Params: jsontext.Value(`{"a":"\ud83d\ude00"}`)},
	} {
		r, err := Decode([]byte(frame))
		if err != nil || r.Method != want.Method || string(r.ID) != string(want.ID) || string(r.Params) != string(want.Params) {
			t.Errorf("%s: %+v, %v", frame, r, err)
		}
	}
}

// A refusal names the request wherever its id could be read.
func TestARefusalKeepsTheID(t *testing.T) {
	for _, frame := range []string{
		`{"jsonrpc":"1.0","id":7,"method":"x"}`,
		`{"jsonrpc":"2.0","id":7}`,
		`{"jsonrpc":"2.0","id":7,"method":"x","params":[]}`,
	} {
		if r, err := Decode([]byte(frame)); err == nil || string(r.ID) != "7" {
			t.Errorf("%s: id %s, %v", frame, r.ID, err)
		}
	}
}

// JSON-RPC 2.0 allows an id of null and discourages it. Here it is none.
func TestAnIDOfNullIsNone(t *testing.T) {
	r, err := Decode([]byte(`{"jsonrpc":"2.0","id":null,"method":"x"}`))
	if err != nil || r.ID != nil || r.Params != nil {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestDecodeParamsRefuses(t *testing.T) {
	for params, want := range map[string]struct {
		kind  Kind
		field string
	}{
		`{"room":{"$ne":null},"key":"k"}`:                              {InvalidParams, "room"},
		`{"room":"4ktx3w0qz8v5h","key":{"$gt":""}}`:                    {InvalidParams, "key"},
		`{"room":"4ktx3w0qz8v5h","key":["a"]}`:                         {InvalidParams, "key"},
		`{"room":"4ktx3w0qz8v5h","text":null,"key":1}`:                 {InvalidParams, "key"},
		`{"room":"not an id","key":"k"}`:                               {InvalidParams, "room"},
		`{"room":"4ktx3w0qz8v5h","reply_to":-1}`:                       {InvalidParams, "reply_to"},
		`{"room":"4ktx3w0qz8v5h","reply_to":1.5}`:                      {InvalidParams, "reply_to"},
		`{"room":"4ktx3w0qz8v5h","reply_to":1e400}`:                    {InvalidParams, "reply_to"},
		`{"room":"4ktx3w0qz8v5h","reply_to":18446744073709551616}`:     {InvalidParams, "reply_to"},
		`{"room":"4ktx3w0qz8v5h","reply_to":"5"}`:                      {InvalidParams, "reply_to"},
		`{"room":"4ktx3w0qz8v5h","files":["x"]}`:                       {InvalidParams, "files/0"},
		`{"room":"4ktx3w0qz8v5h","files":{"0":"4ktx3w0qz8v5h"}}`:       {InvalidParams, "files"},
		`{"room":"4ktx3w0qz8v5h","foreign":{"type":1,"payload":null}}`: {InvalidParams, "foreign/type"},
		`{"room":"4ktx3w0qz8v5h","unknown":1}`:                         {InvalidParams, "unknown"},
		`{"room":"4ktx3w0qz8v5h","Text":"case"}`:                       {InvalidParams, "Text"},
		`{"__proto__":{}}`:                                             {InvalidParams, "__proto__"},
		`[]`:                                                           {InvalidParams, ""},
		`"x"`:                                                          {InvalidParams, ""},
		`1`:                                                            {InvalidParams, ""},
		`null`:                                                         {InvalidParams, ""},
		`{"text":"a","text":"b"}`:                                      {ParseError, ""},
		`{"text":"` + "\xff" + `"}`:                                    {ParseError, ""},
		`{"text":"\ud800"}`:                                            {ParseError, ""},
		`{"text":"a"`:                                                  {ParseError, ""},
		`{} {}`:                                                        {ParseError, ""},
		`{"foreign":` + deep(MaxDepth) + `}`:                           {InvalidRequest, ""},
	} {
		err := DecodeParams([]byte(params), &SendParams{})
		if err == nil || err.Kind != want.kind || err.Field != want.field {
			t.Errorf("%.80s: %+v, want %s of %q", params, err, want.kind, want.field)
			continue
		}
		if err.Text.En == "" || err.Text.Zh == "" {
			t.Errorf("%.80s: text %+v", params, err.Text)
		}
	}
}

func TestDecodeParamsTakes(t *testing.T) {
	var p SendParams
	if err := DecodeParams(nil, &p); err != nil {
		t.Error(err)
	}
	const text = `{"room":"4KTX3W0QZ8V5H","key":"k","text":"\u0000 😀 \ud83d\ude00","files":[],"foreign":{"type":"a.b","payload":{"x":[1,null]}}}`
	if err := DecodeParams([]byte(text), &p); err != nil {
		t.Fatal(err)
	}
	room, err := id.Parse("4ktx3w0qz8v5h")
	if err != nil || p.Room != room || p.Text != "\x00 😀 😀" || string(p.Foreign.Payload) != `{"x":[1,null]}` {
		t.Errorf("%+v, %v", p, err)
	}
}

func TestAnswersByteByByte(t *testing.T) {
	sent := Sent{ID: id.Message{Room: 1 << 40, Seq: 88}, Seq: 88, Position: 4714, Time: 1764000000000}
	e := BadParam("text", "too long", "过长")
	e.RetryAfter = 5
	for want, made := range map[string]func() ([]byte, error){
		`{"jsonrpc":"2.0","id":7,"result":{"id":"0000100000000-2r","seq":88,"position":4714,"time":1764000000000}}`: func() ([]byte, error) {
			return AppendResult(nil, jsontext.Value(`7`), sent)
		},
		`{"jsonrpc":"2.0","id":"a","result":{}}`: func() ([]byte, error) { return AppendResult(nil, jsontext.Value(`"a"`), Empty{}) },
		`{"jsonrpc":"2.0","id":"a","error":{"code":-32602,"message":"text：过长","data":{"kind":"invalid_params","trace":"t","field":"text","retry_after_ms":5}}}`: func() ([]byte, error) {
			return AppendError(nil, jsontext.Value(`"a"`), e, "zh-CN", "t"), nil
		},
		`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"no","data":{"kind":"parse_error"}}}`: func() ([]byte, error) {
			return AppendError(nil, nil, Refuse(ParseError, "no", "否"), "fr", ""), nil
		},
		`{"jsonrpc":"2.0","method":"event","params":{"position":9,"type":"joined","data":{"room":"0000100000000"}}}`: func() ([]byte, error) {
			return AppendEvent(nil, 9, EventJoined, RoomRef{Room: 1 << 40})
		},
		`{"jsonrpc":"2.0","method":"event","params":{"type":"drain","data":{"reconnect_after_ms":1}}}`: func() ([]byte, error) {
			return AppendEvent(nil, 0, EventDrain, Drain{1})
		},
	} {
		if b, err := made(); err != nil || string(b) != want {
			t.Errorf("made %s, %v\nwant %s", b, err, want)
		}
	}
	if b, err := AppendEvent([]byte("kept "), 1, EventLeft, RoomRef{}); err != nil || !bytes.HasPrefix(b, []byte(`kept {"jsonrpc"`)) {
		t.Errorf("%s, %v", b, err)
	}
}

// A value that cannot be JSON must become an error, not half a frame.
func TestWhatCannotBeEncodedIsAnError(t *testing.T) {
	if b, err := AppendResult(nil, jsontext.Value(`1`), KV{Value: jsontext.Value(`{`)}); err == nil {
		t.Errorf("%s", b)
	}
	if b, err := AppendEvent(nil, 1, EventKV, User{Name: "\xff"}); err == nil {
		t.Errorf("%s", b)
	}
}

func BenchmarkDecodeSend(b *testing.B) {
	frame := []byte(`{"jsonrpc":"2.0","id":7,"method":"message.send","params":{"room":"4ktx3w0qz8v5h","key":"019a3c5e-7b10-7c3e-9d55-2f6a4be1a001","text":"` + strings.Repeat("x", 200) + `"}}`)
	b.ReportAllocs()
	for b.Loop() {
		r, err := Decode(frame)
		if err != nil {
			b.Fatal(err)
		}
		var p SendParams
		if err := DecodeParams(r.Params, &p); err != nil {
			b.Fatal(err)
		}
	}
}
