package doctext

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
	utf16 "golang.org/x/text/encoding/unicode"
)

func read(t *testing.T, name string, content []byte) (Result, error) {
	t.Helper()
	return Read(context.Background(), bytes.NewReader(content), int64(len(content)), name)
}

// The documents were written by docx 9, PptxGenJS 3, openpyxl 3 and odfpy 1.
func TestOffice(t *testing.T) {
	for name, want := range map[string]string{
		"manual.docx": "设备维护手册\nReplace the cooling pump (model P-3310).\n泵\n42 bar\n",
		"stock.xlsx":  "品名\n数量\n冷却泵\n17\n轴承 6204\n",
		"safety.pptx": "安全生产第一\n",
		"minutes.odt": "会议纪要\n参加：张三、李四\n",
	} {
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			got, err := read(t, name, raw)
			if err != nil || got.Cut || !strings.Contains(got.Text, want) {
				t.Errorf("%q cut %v, %v; want %q in it", got.Text, got.Cut, err, want)
			}
			for _, more := range map[string][]string{"manual.docx": {"脚注：见图纸 D-77", "机密 Confidential"}, "stock.xlsx": {"1250.5"}, "safety.pptx": {"第二页 second page", "讲解三分钟"}}[name] {
				if !strings.Contains(got.Text, more) {
					t.Errorf("%q is not in %q", more, got.Text)
				}
			}
			if cut, err := read(t, name, raw[:len(raw)*2/3]); !errors.Is(err, ErrNoText) {
				t.Errorf("two thirds of it: %q %v", cut.Text, err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if _, err := Read(ctx, bytes.NewReader(raw), int64(len(raw)), name); !errors.Is(err, context.Canceled) {
				t.Errorf("cancelled: %v", err)
			}
		})
	}
}

func TestPlain(t *testing.T) {
	const text = "设备维护手册，第三章\r\nReplace the pump\t42 €\r\n"
	gbk, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(strings.ReplaceAll(text, "€", "¤")))
	if err != nil {
		t.Fatal(err)
	}
	wide, err := utf16.UTF16(utf16.LittleEndian, utf16.UseBOM).NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		raw  []byte
		want string
	}{
		"utf8.txt":  {[]byte(text), text},
		"bom.txt":   {append([]byte("\xef\xbb\xbf"), text...), text},
		"gbk.txt":   {gbk, strings.ReplaceAll(text, "€", "¤")},
		"utf16.csv": {wide, text},
		"page.html": {[]byte("<html><head><title>手册</title><script>var x = 'hidden'</script></head><p>泵 &amp; 阀</p><p>next"), "手册\n泵 & 阀\nnext"},
		"empty.txt": {nil, ""},
	} {
		if got, err := read(t, name, c.raw); err != nil || got.Text != c.want || got.Cut {
			t.Errorf("%s: %q cut %v, %v; want %q", name, got.Text, got.Cut, err, c.want)
		}
	}
	for name, raw := range map[string]string{"binary.txt": "\x00\x01\x02", "noise.txt": "\x80\xff\xfe\x81 x", "picture.txt": "\x89PNG\r\n\x1a\n"} {
		if got, err := read(t, name, []byte(raw)); !errors.Is(err, ErrNoText) {
			t.Errorf("%s: %q, %v", name, got.Text, err)
		}
	}
	long := strings.Repeat("泵", 2*MaxText)
	if got, err := read(t, "long.txt", []byte(long)); err != nil || !got.Cut || len(got.Text) > MaxText || strings.Trim(got.Text, "泵") != "" || len(got.Text) < MaxText-3 {
		t.Errorf("a long text: %d bytes, cut %v, %v", len(got.Text), got.Cut, err)
	}
}

// archive makes a zip of parts.
func archive(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range parts {
		f, err := w.Create(name)
		if err == nil {
			_, err = f.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What is made to hurt costs no more than the bounds.
func TestHostile(t *testing.T) {
	bomb := archive(t, map[string]string{"word/document.xml": `<w:document xmlns:w="w"><w:p>` + strings.Repeat(" ", 70<<20) + `</w:p></w:document>`})
	if got, err := read(t, "bomb.docx", bomb); err != nil || !got.Cut {
		t.Errorf("a bomb of %d bytes: %d bytes of text, cut %v, %v", len(bomb), len(got.Text), got.Cut, err)
	}
	words := archive(t, map[string]string{"word/document.xml": `<w:document xmlns:w="w"><w:t>` + strings.Repeat("泵", 4<<20) + `</w:t></w:document>`})
	if got, err := read(t, "words.docx", words); err != nil || !got.Cut || len(got.Text) > MaxText {
		t.Errorf("a long document: %d bytes of text, cut %v, %v", len(got.Text), got.Cut, err)
	}
	for name, part := range map[string]string{
		"deep":     strings.Repeat("<a>", 100_000),
		"entities": `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><w:t>&b;</w:t>`,
		"charset":  `<?xml version="1.0" encoding="EBCDIC"?><w:t>x</w:t>`,
		"broken":   `<w:t>x</w:p>`,
	} {
		if got, err := read(t, name+".docx", archive(t, map[string]string{"word/document.xml": part})); !errors.Is(err, ErrNoText) {
			t.Errorf("%s: %q, %v", name, got.Text, err)
		}
	}
	many := map[string]string{"word/document.xml": "<w:t>x</w:t>"}
	for i := range 100_000 {
		many[strconv.Itoa(i)] = ""
	}
	if got, err := read(t, "many.docx", archive(t, many)); !errors.Is(err, ErrNoText) {
		t.Errorf("an archive of %d entries: %q, %v", len(many), got.Text, err)
	}
	if got, err := read(t, "a.zip", archive(t, map[string]string{"readme.txt": "hello"})); !errors.Is(err, ErrNoText) {
		t.Errorf("an archive that is no document: %q, %v", got.Text, err)
	}
}

func TestReadable(t *testing.T) {
	for name, want := range map[string]bool{"a.docx": true, "b.TXT": true, "c.png": false, "noextension": false, "d.": false} {
		if got := Readable(name, "application/octet-stream"); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if !Readable("x", "text/plain; charset=utf-8") {
		t.Error("text/plain")
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"manual.docx", "stock.xlsx", "minutes.odt"} {
		raw, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, name)
	}
	f.Add([]byte("设备"), "a.txt")
	f.Add([]byte("<p>x<script>"), "a.html")
	f.Fuzz(func(t *testing.T, raw []byte, name string) {
		got, err := Read(context.Background(), bytes.NewReader(raw), int64(len(raw)), name)
		if err != nil && !errors.Is(err, ErrNoText) {
			t.Fatal(err)
		}
		if len(got.Text) > MaxText || !strings.EqualFold(strings.ToValidUTF8(got.Text, ""), got.Text) {
			t.Fatalf("%d bytes of text", len(got.Text))
		}
	})
}
