package wire

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"posthouse/appliance/id"
)

// sameJSON fails when appendJSON and json.Marshal write a value differently.
func sameJSON(t *testing.T, v any) {
	t.Helper()
	want, werr := json.Marshal(v)
	got, gerr := appendJSON([]byte("x"), v)
	if (werr == nil) != (gerr == nil) || werr == nil && "x"+string(want) != string(got) {
		t.Errorf("%#v:\nmarshalled %s (%v)\nappended   %s (%v)", v, want, werr, got, gerr)
	}
}

// fields calls f with copies of a struct in which one field each is set, and
// with one in which all are.
func fields[T any](base T, f func(v T)) {
	all := base
	kind := reflect.TypeFor[T]()
	for i := range kind.NumField() {
		one := base
		for _, v := range []reflect.Value{reflect.ValueOf(&one).Elem().Field(i), reflect.ValueOf(&all).Elem().Field(i)} {
			if v.Kind() == reflect.Slice {
				v.Set(reflect.MakeSlice(v.Type(), 0, 0)) // written, though empty
			} else {
				fillValue(v)
			}
		}
		f(one)
	}
	f(all)
}

func fillValue(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("a\"b<\u2028\x01 長")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(-7)
	case reflect.Uint64:
		v.SetUint(1<<53 - 1)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Struct:
		for i := range v.NumField() {
			fillValue(v.Field(i))
		}
	}
}

func TestAppendedIsMarshalled(t *testing.T) {
	fields(Message{}, func(m Message) { sameJSON(t, &m) })
	fields(Message{ID: id.Message{Room: 5, Seq: 9}, Room: 5, Seq: 9, Text: "t", Key: "k", Sender: 1<<64 - 1}, func(m Message) { sameJSON(t, &m) })
	fields(Sent{}, func(s Sent) { sameJSON(t, s) })
	sameJSON(t, Empty{})
	sameJSON(t, (*Message)(nil))
	sameJSON(t, map[string]int{"other": 1})
	for _, bad := range []string{"\xff", "a\xc3", "\xed\xa0\x80"} {
		sameJSON(t, &Message{Text: bad})
		sameJSON(t, &Message{Key: bad})
	}
	dice := rand.New(rand.NewPCG(1, 1))
	for range 5000 {
		var b strings.Builder
		for range dice.IntN(20) {
			b.WriteRune(rune(dice.IntN(0x3000)))
		}
		sameJSON(t, &Message{Room: id.ID(dice.Uint64()), Seq: dice.Uint64(), Time: dice.Int64(), Sender: id.ID(dice.Uint64()), Text: b.String(), Thread: dice.Uint64() % 2})
	}
}

func TestTextLength(t *testing.T) {
	slow := func(b []byte) int {
		for i := 0; i < len(b); i++ {
			switch b[i] {
			case '\\':
				i++
			case '"':
				return i
			}
		}
		return len(b)
	}
	dice := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		b := make([]byte, dice.IntN(12))
		for i := range b {
			b[i] = `a"\`[dice.IntN(3)]
		}
		if got, want := textLength(b), slow(b); got != want {
			t.Fatalf("%q: %d, not %d", b, got, want)
		}
	}
}
