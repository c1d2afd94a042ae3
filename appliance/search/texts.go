package search

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/zstd"
	bolt "go.etcd.io/bbolt"

	"posthouse/appliance/doctext"
	"posthouse/appliance/record"
)

const (
	textBytes   = 128 << 10       // of one document that are searched, as it is written and as it is folded
	readTime    = 5 * time.Second // for reading one document
	shelfBytes  = 4 << 20         // of folded texts that one search keeps
	unpackBytes = 1 << 20         // no text is larger
)

// Content is the content of a file.
type Content interface {
	io.ReaderAt
	io.Closer
	Size() int64 // bytes
}

// textKey names a text: SHA-256 of the content and doctext.Form.
type textKey [sha256.Size + 1]byte

// keyOf is the key of a file's text; ok is false when it is not read.
func (x *Index) keyOf(f *record.File) (k textKey, ok bool) {
	form := doctext.Form(f.Name, f.Type)
	if x.opt.Content == nil || form == 0 || len(f.SHA256) != sha256.Size {
		return k, false
	}
	copy(k[:], f.SHA256)
	k[sha256.Size] = form
	return k, true
}

// keysOf are the keys of a message's documents, each once.
func (x *Index) keysOf(files []record.File) (keys []textKey) {
	for i := range files {
		if k, ok := x.keyOf(&files[i]); ok && !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	return keys
}

// packer makes texts small.
type packer struct {
	in  *zstd.Encoder
	out *zstd.Decoder
}

func newPacker() (packer, error) {
	in, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(textBytes))
	if err != nil {
		return packer{}, fmt.Errorf("make packer: %w", err)
	}
	out, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(unpackBytes))
	if err != nil {
		return packer{}, fmt.Errorf("make packer: %w", err)
	}
	return packer{in, out}, nil
}

// pack is empty for an empty text.
func (p packer) pack(text string) []byte {
	if text == "" {
		return []byte{}
	}
	return p.in.EncodeAll([]byte(text), nil)
}

func (p packer) unpack(packed []byte) (string, error) {
	if len(packed) == 0 {
		return "", nil
	}
	text, err := p.out.DecodeAll(packed, nil)
	if err != nil {
		return "", damaged("text: %v", err)
	}
	return string(text), nil
}

// cutText cuts a text to a number of bytes, between two characters.
func cutText(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// foldText folds the text of a document.
func (x *Index) foldText(text string) string {
	return strings.TrimSuffix(cutText(x.fold.Text(text), textBytes), " ")
}

// shelf reads texts as they are at one moment, in generations and in a
// transaction.
type shelf struct {
	x      *Index
	in     []*generation
	bucket *bolt.Bucket
	folds  map[textKey]string
	size   int
}

// packed finds a text; nil when there is none.
func (s *shelf) packed(k textKey) ([]byte, error) {
	s.x.mu.RLock()
	for _, g := range s.in {
		if v, ok := g.texts[k]; ok {
			s.x.mu.RUnlock()
			return v, nil
		}
	}
	s.x.mu.RUnlock()
	var value []byte
	if s.bucket != nil {
		value = s.bucket.Get(k[:])
	}
	if value == nil {
		return nil, nil
	}
	body, ok := s.x.codec.open(k[:], value)
	if !ok {
		return nil, damaged("text %x", k)
	}
	return body, nil
}

// text is a text as it is shown.
func (s *shelf) text(k textKey) (string, error) {
	v, err := s.packed(k)
	if err != nil {
		return "", err
	}
	return s.x.packer.unpack(v)
}

// folded is a text as it is searched.
func (s *shelf) folded(k textKey) (string, error) {
	if text, ok := s.folds[k]; ok {
		return text, nil
	}
	text, err := s.text(k)
	if err != nil {
		return "", err
	}
	text = s.x.foldText(text)
	if s.size += len(text); s.size > shelfBytes || s.folds == nil {
		s.folds, s.size = map[textKey]string{}, len(text)
	}
	s.folds[k] = text
	return text, nil
}

// grams are those of a message with some folded words and documents, in order,
// each once.
func (s *shelf) grams(words string, keys []textKey) ([]gram, error) {
	list := make([]gram, 0, len(words))
	add := func(g gram) { list = append(list, g) }
	eachGram(words, add)
	for _, k := range keys {
		text, err := s.folded(k)
		if err != nil {
			return nil, err
		}
		eachGram(text, add)
	}
	slices.Sort(list)
	return slices.Compact(list), nil
}

// texts gives the packed texts of a message's documents: those that are there
// already, and those of contents that are new. A content that cannot be read
// has an empty text.
func (x *Index) texts(ctx context.Context, files []record.File) (out map[textKey][]byte, err error) {
	defer caught(&err)
	for i := range files {
		k, ok := x.keyOf(&files[i])
		if !ok || out[k] != nil {
			continue
		}
		packed, err := x.known(k)
		if err != nil {
			return nil, err
		}
		if packed == nil {
			text, err := x.read(ctx, &files[i])
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err != nil {
				x.opt.Log.Debug("a document is not searched", "file", files[i].ID, "error", err)
			}
			packed = x.packer.pack(text)
		}
		if out == nil {
			out = map[textKey][]byte{}
		}
		out[k] = packed
	}
	return out, nil
}

// known finds a text that is in memory or in the file. A generation holds the
// texts of all its documents, because one that only the file holds may go with
// the generation that is being written.
func (x *Index) known(k textKey) (packed []byte, err error) {
	err = x.db.View(func(tx *bolt.Tx) error {
		s := shelf{x: x, in: []*generation{x.tail}, bucket: tx.Bucket([]byte(bTexts))}
		if x.flushing != nil {
			s.in = append(s.in, x.flushing)
		}
		v, err := s.packed(k)
		if v != nil {
			packed = append([]byte{}, v...)
		}
		return err
	})
	return packed, err
}

// read reads the text of a document. Whatever is wrong with it is an error, a
// panic of a reader too.
func (x *Index) read(ctx context.Context, f *record.File) (text string, err error) {
	defer func() {
		if p := recover(); p != nil {
			text, err = "", fmt.Errorf("read document: %v", p)
		}
	}()
	c, err := x.opt.Content([sha256.Size]byte(f.SHA256))
	if err != nil {
		return "", err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, readTime)
	defer cancel()
	r, err := doctext.Read(ctx, c, c.Size(), f.Name)
	if err != nil {
		return "", err
	}
	return cutText(strings.Join(strings.Fields(r.Text), " "), textBytes), nil
}
