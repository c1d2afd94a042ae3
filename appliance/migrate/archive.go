package migrate

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of an archive; more is refused.
const (
	maxEntries = 2_000_000 // entries of a zip
	maxJSON    = 256 << 20 // bytes of one JSON file
	maxValue   = 16 << 20  // bytes of one message or line
	maxText    = 64 << 30  // bytes of all JSON together
	maxName    = 4096      // bytes of an entry's name
	maxTop     = 64 << 20  // bytes of a list of people or rooms
)

// archive is a zip whose names are safe: relative, without "..", each once.
// Nothing is ever written where a name of it says.
type archive struct {
	zip    *zip.ReadCloser
	plain  *os.File // or a single file that is no zip
	files  map[string]*zip.File
	names  []string // sorted
	unsafe []string // left out
	twice  []string
	left   int64 // JSON bytes that may still be read
}

func openArchive(name string) (*archive, error) {
	z, err := zip.OpenReader(name)
	if errors.Is(err, zip.ErrFormat) {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("open archive: %w", err)
		}
		return &archive{plain: f, left: maxText}, nil
	}
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, fmt.Errorf("open archive: %w", err)
	}
	a := &archive{zip: z, files: map[string]*zip.File{}, left: maxText}
	if len(z.File) > maxEntries {
		z.Close()
		return nil, fmt.Errorf("open archive: %d entries are more than %d: %w", len(z.File), maxEntries, ErrFormat)
	}
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/") {
			continue
		}
		at, ok := safePath(f.Name)
		if !ok || !f.Mode().IsRegular() {
			a.unsafe = append(a.unsafe, f.Name)
			continue
		}
		if a.files[at] != nil {
			a.twice = append(a.twice, f.Name)
			continue
		}
		a.files[at] = f
		a.names = append(a.names, at)
	}
	slices.Sort(a.names)
	return a, nil
}

// safePath is the name of an entry, if it stays inside of the archive.
func safePath(name string) (string, bool) {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsAny(name, "\\\x00") || strings.HasPrefix(name, "/") {
		return "", false
	}
	at := path.Clean(name)
	if at == "." || at == ".." || strings.HasPrefix(at, "../") || len(at) > 1 && at[1] == ':' {
		return "", false
	}
	return at, true
}

func (a *archive) close() error {
	if a == nil {
		return nil
	}
	if a.plain != nil {
		return a.plain.Close()
	}
	return a.zip.Close()
}

// root is the directory in which all of an export lies: the one of a file that
// it must have. Some tools put everything into a folder.
func (a *archive) root(file string) (dir string, ok bool) {
	best := ""
	for _, n := range a.names {
		if path.Base(n) == file && (!ok || strings.Count(n, "/") < strings.Count(best, "/")) {
			best, ok = n, true
		}
	}
	if dir = path.Dir(best); dir == "." {
		dir = ""
	}
	return dir, ok
}

type limited struct {
	io.Reader
	io.Closer
}

// open opens an entry and gives no more bytes than its header promises.
func (a *archive) open(name string) (io.ReadCloser, error) {
	f := a.files[name]
	if f == nil {
		return nil, fmt.Errorf("open %s in the archive: %w", name, os.ErrNotExist)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("open %s in the archive: %w", name, err)
	}
	return limited{io.LimitReader(r, int64(f.UncompressedSize64)), r}, nil
}

func (a *archive) size(name string) int64 { return int64(min(a.files[name].UncompressedSize64, 1<<62)) }

// What is larger than any real export has it.
var (
	errTooLarge  = errors.New("a file is larger than any real one")
	errLongValue = errors.New("an entry is longer than any real one")
)

// bounded fails instead of giving more than it may.
type bounded struct {
	r    io.Reader
	file int64
	all  *int64
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.file -= int64(n)
	*b.all -= int64(n)
	if b.file < 0 || *b.all < 0 {
		return 0, errTooLarge
	}
	return n, err
}

func (a *archive) bounded(name string, most int64) (io.Reader, io.Closer, error) {
	r, err := a.open(name)
	if err != nil {
		return nil, nil, err
	}
	return &bounded{r: r, file: most, all: &a.left}, r, nil
}

func tolerant() json.Options {
	return json.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
}

// array calls yield with each value of a JSON array in a file. What cannot be
// read is told to bad; yield's error ends everything.
func (a *archive) array(ctx context.Context, name string, most int64, bad func(error), yield func(raw jsontext.Value) error) error {
	r, c, err := a.bounded(name, most)
	if err != nil {
		return err
	}
	defer c.Close()
	l := &lister{in: bufio.NewReaderSize(r, 64<<10)}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		raw, err := l.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errLongValue):
			bad(fmt.Errorf("%s: %w", name, err))
			continue
		case err != nil:
			bad(fmt.Errorf("%s: %w", name, err))
			return nil
		}
		if err := yield(raw); err != nil {
			return err
		}
	}
}

// lister cuts a JSON array into its values without reading them: a decoder
// would hold a value, or the blanks between two, in memory however long.
type lister struct {
	in    *bufio.Reader
	begun bool
	ended bool
	value []byte
}

// next gives the next value, which is valid until the following call. io.EOF
// comes after the array's end; errLongValue says that one was passed over.
func (l *lister) next() (jsontext.Value, error) {
	if !l.begun {
		c, err := l.solid()
		if err != nil || c != '[' {
			return nil, errors.New("not a list")
		}
		l.begun = true
	}
	if l.ended {
		return nil, io.EOF
	}
	c, err := l.solid()
	if err != nil {
		return nil, fmt.Errorf("cut off: %w", io.ErrUnexpectedEOF)
	}
	if c == ']' {
		l.ended = true
		return nil, io.EOF
	}
	return l.cut(c)
}

// solid gives the next byte that is not white space.
func (l *lister) solid() (byte, error) {
	for {
		if _, err := l.in.Peek(1); err != nil {
			return 0, err
		}
		b, _ := l.in.Peek(l.in.Buffered())
		rest := bytes.TrimLeft(b, " \n\r\t")
		_, _ = l.in.Discard(len(b) - len(rest)) // they are there
		if len(rest) > 0 {
			return l.in.ReadByte()
		}
	}
}

// cut reads on to the comma or bracket that ends the value beginning with c.
func (l *lister) cut(c byte) (jsontext.Value, error) {
	l.value = l.value[:0]
	size, depth := 0, 0
	text, escaped := false, false
	for {
		switch {
		case escaped:
			escaped = false
		case text:
			escaped = c == '\\'
			text = c != '"'
		case c == '"':
			text = true
		case c == '[' || c == '{':
			depth++
		case depth == 0 && (c == ',' || c == ']'):
			l.ended = c == ']'
			if size > maxValue {
				l.value = nil
				return nil, errLongValue
			}
			return l.value, nil
		case c == ']' || c == '}':
			depth--
		}
		if size++; size <= maxValue {
			l.value = append(l.value, c)
		}
		var err error
		if c, err = l.in.ReadByte(); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, fmt.Errorf("cut off: %w", err)
		}
	}
}
