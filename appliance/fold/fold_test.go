package fold_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"posthouse/appliance/fold"
)

func TestWhatCountsAsTheSame(t *testing.T) {
	f := fold.New()
	for text, want := range map[string]string{
		"":                           "",
		"  Hello\t\nWORLD  ":         "hello world",
		"ＡＢＣ１２３，你好！":                 "abc123,你好!",
		"後面、乾淨。裡面":                   "后面、干净。里面",
		"café CAFE\u0301":            "cafe cafe",
		"zero\u200bwidth so\u00adft": "zerowidth soft",
		"Ⅷ ﬁn ①":                     "viii fin 1",
		"wait…":                      "wait...",
		"👍🏽 ok❤\ufe0f":               "👍🏽 ok❤",
		"ΣΊΣΥΦΟΣ σίσυφος":            "σισυφοσ σισυφοσ",
		"\u3000全角\u3000空格\u3000":     "全角 空格",
	} {
		if got := f.Text(text); got != want {
			t.Errorf("%q is folded to %q, want %q", text, got, want)
		}
	}
}

func TestSpansPointIntoTheText(t *testing.T) {
	f := fold.New()
	text := "Die Ｃａｆé und  das\n CAFÉ, 後面"
	var got []string
	for _, s := range f.Spans(text, "cafe", 9) {
		got = append(got, text[s[0]:s[1]])
	}
	if strings.Join(got, "|") != "Ｃａｆé|CAFÉ" {
		t.Errorf("%q", got)
	}
	if s := f.Spans(text, "und das cafe", 9); len(s) != 1 || text[s[0][0]:s[0][1]] != "und  das\n CAFÉ" {
		t.Errorf("%v", s)
	}
	if s := f.Spans(text, "后面", 9); len(s) != 1 || text[s[0][0]:] != "後面" {
		t.Errorf("%v", s)
	}
}

// A part of a text, folded, is a part of the folded text, wherever it is cut.
func FuzzPartsAreFound(fz *testing.F) {
	f := fold.New()
	for _, s := range []string{"Hello 世界", "e\u0301a\u0300", "한국어 각", "が カ゛", "ﷺ", "\u0344x", "a\u0f73b", "İi ß", "Ａ　ｂ"} {
		fz.Add(s, 1, 3)
	}
	fz.Fuzz(func(t *testing.T, s string, from, to int) {
		if !utf8.ValidString(s) {
			return
		}
		whole := f.Text(s)
		if again := f.Text(whole); again != whole {
			t.Fatalf("%q becomes %q and then %q", s, whole, again)
		}
		if !utf8.ValidString(whole) || strings.Contains(whole, "  ") || strings.TrimSpace(whole) != whole {
			t.Fatalf("%q becomes %q", s, whole)
		}
		runes := []rune(s)
		if from < 0 || to > len(runes) || from >= to {
			return
		}
		part := string(runes[from:to])
		if got := f.Text(part); !strings.Contains(whole, got) {
			t.Fatalf("%q of %q: %q is not in %q", part, s, got, whole)
		}
		for _, at := range f.Spans(s, f.Text(part), 100) {
			if got := f.Text(s[at[0]:at[1]]); !strings.Contains(got, f.Text(part)) {
				t.Fatalf("span %v of %q holds %q, not %q", at, s, got, f.Text(part))
			}
		}
	})
}

func BenchmarkText(b *testing.B) {
	f := fold.New()
	for name, text := range map[string]string{
		"chinese": strings.Repeat("明天上午九点在三号车间开会，请大家准时参加。", 4),
		"english": strings.Repeat("The report is ready, please check it before noon. ", 4),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			var buf []byte
			for b.Loop() {
				buf = f.Append(buf[:0], text)
			}
		})
	}
}
