package doctext

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	utf16 "golang.org/x/text/encoding/unicode"
	"golang.org/x/text/encoding/unicode/utf32"
)

// Bounds.
const (
	MaxInput    = 64 << 20 // bytes of a file that is looked at
	MaxText     = 1 << 20  // bytes of text that come out
	maxUnpacked = 64 << 20 // bytes unpacked from one archive
	maxDepth    = 200      // of XML elements

	maxDirectory = 4 << 20 // bytes of an archive read to list its entries
)

// ErrNoText says that a file is no document whose words can be read.
var ErrNoText = errors.New("not a document with text")

// Result is the text of a document.
type Result struct {
	Text string // valid UTF-8; paragraphs, cells and slides on lines of their own
	Cut  bool   // there was more than the bounds allow
}

// Readable reports whether a file of this name and media type may have text:
// Read need not be tried on others.
func Readable(name, mediaType string) bool {
	ext := strings.ToLower(path.Ext(name))
	switch ext {
	case ".docx", ".docm", ".xlsx", ".xlsm", ".pptx", ".pptm", ".odt", ".ods", ".odp":
		return true
	}
	return strings.HasPrefix(mediaType, "text/") || len(ext) > 1 && slices.Contains(strings.Fields(textNames), ext)
}

// Form tells apart files that Read reads differently though their content is
// the same: 0 for what Readable refuses, 'h' for HTML by its name, 'd' for all
// others.
func Form(name, mediaType string) byte {
	switch ext := strings.ToLower(path.Ext(name)); {
	case !Readable(name, mediaType):
		return 0
	case ext == ".html" || ext == ".htm":
		return 'h'
	}
	return 'd'
}

// textNames are the extensions of plain text that browsers upload without a
// media type.
const textNames = ` .txt .md .markdown .csv .tsv .log .json .jsonl .xml .html .htm .ini .conf .cfg .toml .yaml .yml .sql .sh .bat .ps1
 .py .go .js .ts .java .c .h .cpp .cs .rs .rb .php .lua .tex .srt .st .scl `

// Read reads the text of a file of size bytes. Errors: ErrNoText, those of r,
// and ctx's.
func Read(ctx context.Context, r io.ReaderAt, size int64, name string) (Result, error) {
	head := make([]byte, min(size, 4))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return Result{}, fmt.Errorf("read document: %w", err)
	}
	if bytes.HasPrefix(head, []byte("PK\x03\x04")) {
		if size > MaxInput {
			return Result{}, fmt.Errorf("%w: an archive of more than %d bytes", ErrNoText, MaxInput)
		}
		return readArchive(ctx, r, size)
	}
	return readPlain(r, size, name)
}

func readPlain(r io.ReaderAt, size int64, name string) (Result, error) {
	// A character of GB 18030 or UTF-16 has at most 4 bytes.
	want := min(size, 4*MaxText)
	raw := make([]byte, want)
	n, err := r.ReadAt(raw, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return Result{}, fmt.Errorf("read document: %w", err)
	}
	text, err := decode(raw[:n], int64(n) < size)
	if err != nil {
		return Result{}, err
	}
	out := collector{max: MaxText}
	if Form(name, "") == 'h' {
		readHTML(text, &out)
	} else {
		out.add(text)
	}
	return Result{Text: out.b.String(), Cut: out.cut || int64(n) < size}, nil
}

// decode finds out the encoding of text. cut: the last character may be torn.
func decode(raw []byte, cut bool) (string, error) {
	switch {
	case bytes.HasPrefix(raw, []byte{0xef, 0xbb, 0xbf}):
		raw = raw[3:]
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe, 0, 0}), bytes.HasPrefix(raw, []byte{0, 0, 0xfe, 0xff}):
		return with(utf32.UTF32(utf32.LittleEndian, utf32.UseBOM), raw[:len(raw)-len(raw)%4])
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}), bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		return with(utf16.UTF16(utf16.LittleEndian, utf16.UseBOM), raw[:len(raw)-len(raw)%2])
	}
	whole := raw
	if cut {
		for i := 1; i < utf8.UTFMax && len(whole) > 0 && !utf8.Valid(whole); i++ {
			whole = whole[:len(whole)-1]
		}
	}
	if utf8.Valid(whole) {
		return checked(string(whole))
	}
	if cut {
		raw = raw[:bytes.LastIndexByte(raw, '\n')+1]
	}
	return with(simplifiedchinese.GB18030, raw)
}

func with(e encoding.Encoding, raw []byte) (string, error) {
	b, err := e.NewDecoder().Bytes(raw)
	if err != nil || bytes.ContainsRune(b, utf8.RuneError) {
		return "", ErrNoText
	}
	return checked(string(b))
}

func checked(s string) (string, error) {
	for _, c := range s {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != '\v' && c != 0x1b || c == unicode.MaxRune {
			return "", ErrNoText
		}
	}
	return s, nil
}

// collector gathers text up to a bound, one part a line.
type collector struct {
	b   strings.Builder
	max int
	cut bool
}

func (c *collector) add(s string) {
	if s == "" || c.cut {
		return
	}
	if room := c.max - c.b.Len(); len(s) > room {
		for room > 0 && !utf8.RuneStart(s[room]) {
			room--
		}
		s, c.cut = s[:max(room, 0)], true
	}
	c.b.WriteString(s)
}

func (c *collector) line() {
	if s := c.b.String(); s != "" && !strings.HasSuffix(s, "\n") {
		c.add("\n")
	}
}

// metered refuses to read more than is left. A list of entries takes many times
// its bytes in memory, and what an archive says of its length need not be true.
type metered struct {
	r    io.ReaderAt
	left int64
}

// ReadAt implements io.ReaderAt.
func (m *metered) ReadAt(p []byte, off int64) (int, error) {
	if m.left -= int64(len(p)); m.left < 0 {
		return 0, errors.New("too many entries")
	}
	return m.r.ReadAt(p, off)
}

func readArchive(ctx context.Context, r io.ReaderAt, size int64) (Result, error) {
	m := &metered{r: r, left: maxDirectory}
	z, err := zip.NewReader(m, size)
	if err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrNoText, err)
	}
	m.left = math.MaxInt64
	parts := documentParts(z)
	if len(parts) == 0 {
		return Result{}, ErrNoText
	}
	out := collector{max: MaxText}
	left := int64(maxUnpacked)
	for _, p := range parts {
		if err := ctx.Err(); err != nil {
			return Result{}, err
		}
		f, err := p.file.Open()
		if err != nil {
			return Result{}, fmt.Errorf("%w: %s: %w", ErrNoText, p.file.Name, err)
		}
		lim := &io.LimitedReader{R: f, N: left}
		err = readXML(ctx, lim, p.kind, &out)
		_ = f.Close()
		if left = lim.N; left <= 0 {
			out.cut = true
		}
		if ctx.Err() != nil {
			return Result{}, ctx.Err()
		}
		if err != nil && !out.cut {
			return Result{}, fmt.Errorf("%w: %s: %w", ErrNoText, p.file.Name, err)
		}
		if out.cut {
			break
		}
		out.line()
	}
	return Result{Text: out.b.String(), Cut: out.cut}, nil
}
