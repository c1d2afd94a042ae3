package search

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"unicode/utf8"
)

// gram is two neighbouring characters, see the package comment.
type gram uint64

const (
	classBits = 6
	runeBits  = 21
	gramSize  = 6 // bytes of a gram in a key
)

func isAlnum(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' }

// class is the third part of a gram: what follows two ASCII letters or digits.
func class(r rune) gram {
	switch {
	case r >= 'a' && r <= 'z':
		return gram(r-'a') + 1
	case r >= '0' && r <= '9':
		return gram(r-'0') + 27
	}
	return 0
}

func pairOf(x, y rune) gram { return gram(x)<<(runeBits+classBits) | gram(y)<<classBits }

// eachGram calls f with every gram of a folded text, some of them more than
// once. Lines are apart.
func eachGram(folded string, f func(gram)) {
	for len(folded) > 0 {
		line := folded
		if i := strings.IndexByte(folded, '\n'); i >= 0 {
			line, folded = folded[:i], folded[i+1:]
		} else {
			folded = ""
		}
		grams(line, f)
	}
}

func grams(line string, f func(gram)) {
	x, n := utf8.DecodeRuneInString(line)
	if n == 0 {
		return
	}
	line = line[n:]
	for len(line) > 0 {
		y, n := utf8.DecodeRuneInString(line)
		line = line[n:]
		if y != ' ' {
			g := pairOf(x, y)
			if isAlnum(x) && isAlnum(y) {
				next, _ := utf8.DecodeRuneInString(line)
				g |= class(next)
			}
			f(g)
		}
		x = y
	}
}

// sought are the grams that every message with a folded text in it has. The
// last pair of letters may be followed by anything: open is that pair when there
// is no other gram, and then stands for all its classes.
func sought(folded string) (list []gram, open gram) {
	var last gram
	grams(folded, func(g gram) { list, last = append(list, g), g })
	x, n := utf8.DecodeLastRuneInString(folded)
	y, _ := utf8.DecodeLastRuneInString(folded[:len(folded)-n])
	if isAlnum(x) && isAlnum(y) {
		list, open = list[:len(list)-1], last
	}
	slices.Sort(list)
	list = slices.Compact(list)
	if len(list) > 0 {
		open = 0
	}
	return list, open
}

// key appends the place of a gram's postings that begin at a document, counted
// from the segment's first.
func (g gram) key(b []byte, at uint32) []byte {
	var whole [8]byte
	binary.BigEndian.PutUint64(whole[:], uint64(g))
	return binary.BigEndian.AppendUint32(append(b, whole[8-gramSize:]...), at)
}

func gramOf(key []byte) gram {
	var whole [8]byte
	copy(whole[8-gramSize:], key[:gramSize])
	return gram(binary.BigEndian.Uint64(whole[:]))
}

// codec writes and reads the values of the file.
type codec struct{ table *crc32.Table }

func newCodec() codec { return codec{crc32.MakeTable(crc32.Castagnoli)} }

const crcSize = 4

func (c codec) sum(key, rest []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, c.table), c.table, rest)
}

// seal puts the checksum into the first four bytes of a value, which are free.
func (c codec) seal(key, value []byte) []byte {
	binary.BigEndian.PutUint32(value, c.sum(key, value[crcSize:]))
	return value
}

// open is the value without its checksum; false when that is wrong.
func (c codec) open(key, value []byte) ([]byte, bool) {
	if len(value) < crcSize || binary.BigEndian.Uint32(value) != c.sum(key, value[crcSize:]) {
		return nil, false
	}
	return value[crcSize:], true
}
