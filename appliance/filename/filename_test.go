package filename

import (
	"mime"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestSanitize(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := Sanitize(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	f("report.pdf", "report.pdf")
	f("отчёт за май.docx", "отчёт за май.docx")
	f("报告.txt", "报告.txt")
	f("👨‍👩‍👧.png", "👨‍👩‍👧.png")
	f("../../etc/cron.d/x", "x")
	f(`a\..\b`, "b")
	f(`C:\Users\ann\cat.jpg`, "cat.jpg")
	f("/", "file")
	f("..", "file")
	f(".", "file")
	f("", "file")
	f(" . . ", "file")
	f("dir/", "file")
	f(".bashrc", ".bashrc")
	f("a\nb\r\n\x00c\x7f.txt", "abc.txt")
	f("ann\u202egpj.exe", "anngpj.exe")
	f("a\u2066b\u2069\u200f\u061c\ufeff.txt", "ab.txt")
	f(`say "hi".txt`, "say _hi_.txt")
	f("a.txt:stream", "a.txt_stream")
	f("a<b>|?*.txt", "a_b____.txt")
	f("name.txt. . .", "name.txt")
	f("  name.txt", "name.txt")
	f("bad\xff\xfeutf8", "bad_utf8")
	f("con", "_con")
	f("CON.txt", "_CON.txt")
	f("nul .tar.gz", "_nul .tar.gz")
	f("Com1", "_Com1")
	f("com¹.x", "_com¹.x")
	f("lpt9.log", "_lpt9.log")
	f("conin$", "_conin$")
	f("com10", "com10")
	f("console", "console")
	f("co\u202en", "_con")
	f("con.", "_con")
	f(strings.Repeat("a", 300)+".jpeg", strings.Repeat("a", 250)+".jpeg")
	f(strings.Repeat("字", 200)+".jpeg", strings.Repeat("字", 83)+".jpeg")
	f(strings.Repeat("a", 4096), strings.Repeat("a", 255))
	f("a."+strings.Repeat("b", 300), "a."+strings.Repeat("b", 253))
	f("con"+strings.Repeat(" ", 300)+"x", "_con")
}

func TestContentDisposition(t *testing.T) {
	f := func(in string, inline bool, want string) {
		t.Helper()
		if got := ContentDisposition(in, inline); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	f("a b.txt", true, `inline; filename="a b.txt"`)
	f("€ rates", false, `attachment; filename="_ rates"; filename*=UTF-8''%E2%82%AC%20rates`)
	f("x\r\nSet-Cookie: a=b", false, `attachment; filename="xSet-Cookie_ a=b"`)
	f(`a"; filename="evil.exe`, false, `attachment; filename="a_; filename=_evil.exe"`)
	f("100%41.txt", false, `attachment; filename="100_41.txt"; filename*=UTF-8''100%2541.txt`)
	f("it's.txt", false, `attachment; filename="it's.txt"`)
}

func TestSafeType(t *testing.T) {
	png, jpeg := "\x89PNG\r\n\x1a\n\x00\x00", "\xff\xd8\xff\xe0\x00\x10JFIF"
	webm := "\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm"
	mkv := strings.Replace(webm, "webm", "matroska", 1)
	f := func(declared, name, head, want string) {
		t.Helper()
		got, inline := SafeType(declared, name, []byte(head))
		if want == "" {
			want = Unknown
		}
		if got != want || inline != (want != Unknown) {
			t.Errorf("%q %q %.20q: got %q, %v", declared, name, head, got, inline)
		}
	}
	f("image/png", "a.png", png, "image/png")
	f("IMAGE/PNG; x=y", "", png, "image/png")
	f("", "A.PNG", png, "image/png")
	f("application/octet-stream", "a.jpg", jpeg, "image/jpeg")
	f("image/jpg", "", jpeg, "image/jpeg")
	f("image/gif", "", "GIF89a\x01", "image/gif")
	f("image/webp", "", "RIFF\x1a\x00\x00\x00WEBPVP8L", "image/webp")
	f("audio/mpeg", "", "ID3\x04\x00", "audio/mpeg")
	f("audio/mp3", "", "\xff\xfb\x90\x64", "audio/mpeg")
	f("audio/ogg", "", "OggS\x00\x02", "audio/ogg")
	f("audio/webm;codecs=opus", "", webm, "audio/webm")
	f("video/webm", "", webm, "video/webm")
	f("audio/x-wav", "", "RIFF\x24\x00\x00\x00WAVEfmt ", "audio/wav")
	f("audio/x-m4a", "", "\x00\x00\x00\x20ftypM4A \x00", "audio/mp4")
	f("video/mp4", "", "\x00\x00\x00\x20ftypisom\x00", "video/mp4")
	f("text/plain", "", "hello, мир\n\ttext", "text/plain; charset=utf-8")
	f("text/plain; charset=UTF-8", "", "caf\xc3", "text/plain; charset=utf-8")
	f("", "a.log", "", "text/plain; charset=utf-8")

	f("image/png", "", jpeg, "")
	f("image/png", "", "\x7fELF\x02\x01\x01", "")
	f("image/png", "", "<html>", "")
	f("image/png", "", "", "")
	f("image/svg+xml", "a.svg", "<svg/>", "")
	f("image/svg+xml", "a.png", png, "")
	f("", "a.svg", "<svg/>", "")
	f("text/html", "a.html", "<html>", "")
	f("text/html", "a.png", png, "")
	f("text/plain", "a.html", "  \n<!doctype html>", "")
	f("text/plain", "", "\xef\xbb\xbf<?xml version", "")
	f("text/plain", "", "%PDF-1.7", "")
	f("text/plain", "", "a\x00b", "")
	f("text/plain", "", "caf\xe9 au lait", "")
	f("text/plain; charset=utf-7", "", "+ADw-script", "")
	f("text/xml", "", "<x/>", "")
	f("application/pdf", "a.pdf", "%PDF-1.7", "")
	f("application/javascript", "a.js", "alert(1)", "")
	f("video/webm", "", mkv, "")
	f("video/mp4", "", "\x00\x00\x00\x20ftypevil\x00", "")
	f("audio/mpeg", "", "\xff\xff\xff\xff", "")
	f("text/plain\r\nX: y", "", "hello", "")
	f("nonsense", "a", "hello", "")
	f("", "", "", "")
}

// FuzzSanitize: whatever goes in, what comes out is a name and nothing else,
// and stays what it is.
func FuzzSanitize(f *testing.F) {
	for _, s := range []string{"", "a/b", "con", "x\u202ey", strings.Repeat("é", 200), "a. ", "con" + strings.Repeat(" ", 300) + "x", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Sanitize(s)
		if got == "" || len(got) > MaxBytes || !utf8.ValidString(got) || got == "." || got == ".." ||
			strings.ContainsAny(got, "/\\\"<>:|?*") || strings.ContainsFunc(got, unicode.IsControl) ||
			strings.ContainsFunc(got, func(r rune) bool { return unicode.Is(unicode.Bidi_Control, r) }) ||
			strings.HasSuffix(got, ".") || strings.HasSuffix(got, " ") || device(got) {
			t.Fatalf("%q -> %q", s, got)
		}
		if again := Sanitize(got); again != got {
			t.Fatalf("%q -> %q -> %q", s, got, again)
		}
		cd := ContentDisposition(s, false)
		if strings.ContainsFunc(cd, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Fatalf("not a header field: %q", cd)
		}
		SafeType(s, s, []byte(s))
		kind, params, err := mime.ParseMediaType(cd)
		if err != nil || kind != "attachment" || params["filename"] != got {
			t.Fatalf("%q -> %q -> %q, %v", got, cd, params, err)
		}
	})
}
