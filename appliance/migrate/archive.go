package migrate

import (
	"archive/zip"
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

// errTooLarge says that a file of the archive is larger than any real one.
var errTooLarge = errors.New("larger than any real export has it")

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
// read ends the file and is told to bad; yield's error ends everything.
func (a *archive) array(ctx context.Context, name string, most int64, bad func(error), yield func(raw jsontext.Value) error) error {
	r, c, err := a.bounded(name, most)
	if err != nil {
		return err
	}
	defer c.Close()
	dec := jsontext.NewDecoder(r, tolerant())
	t, err := dec.ReadToken()
	if err == nil && t.Kind() != '[' {
		err = fmt.Errorf("not a list but %s", t.Kind())
	}
	if err != nil {
		bad(fmt.Errorf("%s: %w", name, err))
		return nil
	}
	for dec.PeekKind() != ']' {
		if err := ctx.Err(); err != nil {
			return err
		}
		raw, err := dec.ReadValue()
		if err != nil {
			bad(fmt.Errorf("%s: %w", name, err))
			return nil
		}
		if len(raw) > maxValue {
			bad(fmt.Errorf("%s: an entry of %d bytes", name, len(raw)))
			continue
		}
		if err := yield(raw); err != nil {
			return err
		}
	}
	return nil
}
