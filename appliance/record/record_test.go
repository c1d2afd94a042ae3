package record

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "add new kinds to testdata/records.golden; old lines are never changed")

const golden = "testdata/records.golden"

// filled gives every field of a body a value that tells fields apart.
func filled(k Kind) Body {
	b := blank(k)
	n := uint64(100 * uint64(k))
	fill(reflect.ValueOf(b).Elem(), &n)
	return b
}

func fill(v reflect.Value, n *uint64) {
	*n++
	switch v.Kind() {
	case reflect.Uint64:
		v.SetUint(*n)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.String:
		v.SetString(fmt.Sprintf("文 %d", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte{byte(*n), byte(*n >> 8), 0xff})
			return
		}
		for i := range 2 {
			fill(v.Index(i), n)
		}
	default:
		panic("a record holds a " + v.Kind().String())
	}
}

func encode(c *Codec, r Record) ([]byte, error) {
	var b bytes.Buffer
	err := c.Append(&b, r)
	return b.Bytes(), err
}

func kinds() []Kind {
	var out []Kind
	for k := Kind(1); k < 1000; k++ {
		if blank(k) != nil {
			out = append(out, k)
		}
	}
	return out
}

// Every payload ever written stays readable. A line, once in the file, is never
// changed: a kind that gains fields gets a further line.
func TestGoldenRecordsStayReadable(t *testing.T) {
	c := NewCodec()
	have := map[string]bool{}
	f, err := os.Open(golden)
	if err != nil && !*update {
		t.Fatal(err)
	}
	if err == nil {
		for sc := bufio.NewScanner(f); sc.Scan(); {
			var kind uint16
			var text string
			if _, err := fmt.Sscanf(sc.Text(), "%d %s", &kind, &text); err != nil {
				t.Fatalf("%q: %v", sc.Text(), err)
			}
			payload, err := hex.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			r, err := c.Decode(7, kind, payload)
			if err != nil {
				t.Errorf("kind %d is no longer readable: %v", kind, err)
				continue
			}
			back, err := encode(c, r)
			if err != nil || hex.EncodeToString(back) != text {
				t.Errorf("kind %d is written otherwise now:\n%x\n%s", kind, back, text)
			}
			have[fmt.Sprintf("%d %s", kind, text)] = true
		}
		f.Close()
	}
	var lines []string
	for _, k := range kinds() {
		payload, err := encode(c, Record{Time: 1234567890123, User: 5, Device: 6, Body: filled(k)})
		if err != nil {
			t.Fatal(err)
		}
		line := fmt.Sprintf("%d %x", k, payload)
		if !have[line] {
			lines = append(lines, line)
			if !*update {
				t.Errorf("kind %d has no golden line of its present form: run with -update", k)
			}
		}
	}
	if *update && len(lines) > 0 {
		out, err := os.OpenFile(golden, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := out.WriteString(strings.Join(lines, "\n") + "\n"); err != nil {
			t.Fatal(err)
		}
		out.Close()
	}
}

func TestRecordsComeBack(t *testing.T) {
	c := NewCodec()
	for _, k := range kinds() {
		want := Record{Pos: 9, Time: 1, User: 2, Device: 3, Body: filled(k)}
		payload, err := encode(c, want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Decode(9, uint16(k), payload)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("kind %d came back as %+v, %v", k, got, err)
		}
		if got.Body.Kind() != k {
			t.Errorf("kind %d calls itself %d", k, got.Body.Kind())
		}
	}
}

func TestWhatIsNotKnownIsRefused(t *testing.T) {
	c := NewCodec()
	good, err := encode(c, Record{Body: &Organisation{Name: "x"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Decode(1, 9999, good); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown kind: %v", err)
	}
	newer := append(append([]byte{}, good[:header]...), 0xa2, 1, 0x61, 'x', 0x18, 99, 1) // {1: "x", 99: 1}
	if _, err := c.Decode(1, uint16(KindOrganisation), newer); !errors.Is(err, ErrUnknown) {
		t.Errorf("unknown field: %v", err)
	}
	for n := range len(good) {
		if _, err := c.Decode(1, uint16(KindOrganisation), good[:n]); err == nil {
			t.Errorf("the first %d of %d bytes were taken", n, len(good))
		}
	}
}

// No two fields of a struct share a number, and none is zero.
func TestFieldsAreNumberedOnce(t *testing.T) {
	for _, k := range kinds() {
		checkNumbers(t, reflect.TypeOf(blank(k)).Elem())
	}
}

func checkNumbers(t *testing.T, typ reflect.Type) {
	t.Helper()
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct {
		return
	}
	seen := map[string]string{}
	for i := range typ.NumField() {
		f := typ.Field(i)
		number, _, ok := strings.Cut(f.Tag.Get("cbor"), ",keyasint")
		if !ok || number == "" || number == "0" || seen[number] != "" {
			t.Errorf("%s.%s: number %q (also %s)", typ.Name(), f.Name, number, seen[number])
		}
		seen[number] = f.Name
		checkNumbers(t, f.Type)
	}
}

func FuzzDecode(f *testing.F) {
	c := NewCodec()
	for _, k := range kinds() {
		payload, err := encode(c, Record{Time: 1, Body: filled(k)})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint16(k), payload)
	}
	f.Fuzz(func(t *testing.T, kind uint16, payload []byte) {
		r, err := c.Decode(1, kind, payload)
		if err != nil {
			return
		}
		back, err := encode(c, r)
		if err != nil {
			t.Fatalf("what was decoded does not encode: %v", err)
		}
		again, err := c.Decode(1, kind, back)
		if err != nil || !reflect.DeepEqual(again.Body, r.Body) && len(back) == len(payload) {
			t.Fatalf("decoded %+v, then %+v, %v", r.Body, again.Body, err)
		}
	})
}
