package words

import "testing"

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 1536: "1.5 KiB", -3 << 20: "-3.0 MiB", 5 << 40: "5.0 TiB", 1 << 62: "4096.0 PiB"} {
		if got := Bytes(n); got != want {
			t.Errorf("%d is written %q, want %q", n, got, want)
		}
	}
	if got := Bytes(0.4); got != "0 B" {
		t.Errorf("0.4 is written %q", got)
	}
}
