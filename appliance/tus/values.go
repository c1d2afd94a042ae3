package tus

import (
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of Upload-Metadata.
const (
	MaxMetadata     = 4 << 10 // bytes of the field's value
	MaxMetadataKeys = 32
)

// Checksum is what a client says of one chunk.
type Checksum struct {
	Algo string // "sha256", "sha1" or "md5"
	Sum  []byte // of the length the algorithm has
}

// ParseChecksum reads Upload-Checksum: an algorithm, a space, the sum in
// base64. Algorithms are compared without regard to case. Errors: ErrAlgorithm,
// ErrChecksum.
func ParseChecksum(value string) (Checksum, error) {
	algo, text, ok := strings.Cut(value, " ")
	if !ok || algo == "" {
		return Checksum{}, ErrChecksum
	}
	algo = strings.ToLower(algo)
	want := 0
	switch algo {
	case "sha256":
		want = 32
	case "sha1":
		want = 20
	case "md5":
		want = 16
	default:
		return Checksum{}, ErrAlgorithm
	}
	sum, err := decodeBase64(text)
	if err != nil || len(sum) != want {
		return Checksum{}, ErrChecksum
	}
	return Checksum{Algo: algo, Sum: sum}, nil
}

// FormatChecksum writes what ParseChecksum reads.
func FormatChecksum(c Checksum) string {
	return c.Algo + " " + base64.StdEncoding.EncodeToString(c.Sum)
}

// ParseMetadata reads Upload-Metadata: pairs of a key, a space and a value in
// base64, with commas between them; an empty value may leave out the space.
// Spaces after a comma are let pass. An empty field is an empty map. Keys are
// visible ASCII, values UTF-8; a value may be anything else that is UTF-8, a
// path for instance, and is not safe to use as a name. Errors: ErrMetadata,
// ErrMetadataBig.
func ParseMetadata(value string) (map[string]string, error) {
	if len(value) > MaxMetadata {
		return nil, fmt.Errorf("%w: %d bytes, limit is %d", ErrMetadataBig, len(value), MaxMetadata)
	}
	meta := make(map[string]string)
	if value == "" {
		return meta, nil
	}
	for pair := range strings.SplitSeq(value, ",") {
		key, text, _ := strings.Cut(strings.TrimLeft(pair, " "), " ")
		if !validKey(key) {
			return nil, fmt.Errorf("%w: key %q", ErrMetadata, key)
		}
		if _, ok := meta[key]; ok {
			return nil, fmt.Errorf("%w: key %q occurs twice", ErrMetadata, key)
		}
		if len(meta) == MaxMetadataKeys {
			return nil, fmt.Errorf("%w: more than %d keys", ErrMetadataBig, MaxMetadataKeys)
		}
		b, err := decodeBase64(text)
		if err != nil || !utf8.Valid(b) {
			return nil, fmt.Errorf("%w: value of %q is not UTF-8 in base64", ErrMetadata, key)
		}
		meta[key] = string(b)
	}
	return meta, nil
}

// FormatMetadata writes what ParseMetadata reads, keys in order. Keys that the
// protocol does not allow are left out.
func FormatMetadata(meta map[string]string) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		if !validKey(key) {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(key)
		if v := meta[key]; v != "" {
			b.WriteByte(' ')
			b.WriteString(base64.StdEncoding.EncodeToString([]byte(v)))
		}
	}
	return b.String()
}

func validKey(key string) bool {
	for i := range len(key) {
		if c := key[i]; c <= ' ' || c >= 0x7f || c == ',' {
			return false
		}
	}
	return key != ""
}

// decodeBase64 refuses the line breaks that encoding/base64 skips.
func decodeBase64(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") {
		return nil, base64.CorruptInputError(0)
	}
	return base64.StdEncoding.Strict().DecodeString(s)
}
