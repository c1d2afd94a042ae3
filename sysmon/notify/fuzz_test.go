package notify

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// Any text comes out of a telephone as it went in, as far as its parts go, and
// any number is the one that was meant.
func FuzzShortMessage(f *testing.F) {
	for _, s := range []string{"", "x", "磁盘满了", strings.Repeat("字", 71), strings.Repeat("😀", 70), "a" + strings.Repeat("😀", 200)} {
		f.Add(s, byte(7), uint64(8613800000000))
	}
	f.Fuzz(func(t *testing.T, text string, ref byte, number uint64) {
		if !utf8.ValidString(text) {
			return
		}
		to := "+" + strconv.FormatUint(number, 10)
		list := pdus(to, text, ref)
		got := ""
		for i, p := range list {
			phone, part, parts, piece := decode(t, p.hex)
			if phone != to || len(list) > 1 && (part != i+1 || parts != len(list)) || p.octets*2+2 != len(p.hex) {
				t.Errorf("part %d of %d says %s, %d of %d", i+1, len(list), phone, part, parts)
			}
			got += piece
		}
		if len(list) > maxParts || got != text && (len(list) < maxParts || !strings.HasPrefix(text, got)) {
			t.Errorf("%q came out as %q", text, got)
		}
	})
}
