package id

import (
	"testing"

	"pgregory.net/rapid"
)

func TestTextFormsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := ID(rapid.Uint64Min(1).Draw(t, "id"))
		got, err := Parse(want.String())
		if err != nil || got != want {
			t.Fatalf("Parse(%q) = %v, %v; want %v", want.String(), got, err, want)
		}
		m := Message{Room: want, Seq: rapid.Uint64Range(1, 1<<59).Draw(t, "seq")}
		var back Message
		if err := back.UnmarshalText([]byte(m.String())); err != nil || back != m {
			t.Fatalf("message %q came back as %v, %v", m, back, err)
		}
	})
}

func TestWhatIsNotAnIdentifier(t *testing.T) {
	for _, s := range []string{"", "0000000000000", "abc", "zzzzzzzzzzzzz", "000000000000u", "../../etc/pas", "0000000000001x"} {
		if v, err := Parse(s); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", s, v)
		}
	}
	for _, s := range []string{"-", "0000000000001-", "0000000000001-0", "0000000000001", "x-1", "0000000000001-zzzzzzzzzzzzz"} {
		var m Message
		if err := m.UnmarshalText([]byte(s)); err == nil {
			t.Errorf("message %q parsed as %v, want an error", s, m)
		}
	}
}
