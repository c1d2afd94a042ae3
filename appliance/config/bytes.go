package config

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// Bytes is a size in bytes, never negative in a valid Config.
type Bytes int64

type sizeUnit struct {
	name string
	size int64
}

// sizeUnits is ordered so that String finds the largest exact binary unit
// first.
func sizeUnits() []sizeUnit {
	return []sizeUnit{
		{"PiB", 1 << 50}, {"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
		{"PB", 1e15}, {"TB", 1e12}, {"GB", 1e9}, {"MB", 1e6}, {"kB", 1e3}, {"B", 1},
	}
}

// ParseBytes reads "1048576", "20GiB", "1.5 GiB" or "500MB". Binary units
// (KiB) are powers of 1024, decimal ones (kB) of 1000; a bare letter (20G) is
// an error because people disagree about it.
func ParseBytes(s string) (Bytes, error) {
	s = strings.TrimSpace(s)
	for _, u := range sizeUnits() {
		if len(s) <= len(u.name) || !strings.EqualFold(s[len(s)-len(u.name):], u.name) {
			continue
		}
		number := strings.TrimSpace(s[:len(s)-len(u.name)])
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			if n < 0 || n > math.MaxInt64/u.size {
				return 0, errors.New("size out of range")
			}
			return Bytes(n * u.size), nil
		}
		f, err := strconv.ParseFloat(number, 64)
		if err != nil || strings.ContainsAny(number, "eExXpP_iInN") {
			return 0, errors.New("not a size")
		}
		if f *= float64(u.size); f < 0 || f >= math.MaxInt64 {
			return 0, errors.New("size out of range")
		}
		return Bytes(f), nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, errors.New("not a size")
	}
	if n < 0 {
		return 0, errors.New("size out of range")
	}
	return Bytes(n), nil
}

// String writes the largest binary unit that is exact, so that ParseBytes
// reads the same value back.
func (b Bytes) String() string {
	for _, u := range sizeUnits()[:5] {
		if b != 0 && int64(b)%u.size == 0 {
			return strconv.FormatInt(int64(b)/u.size, 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// MarshalText writes String.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads what ParseBytes reads.
func (b *Bytes) UnmarshalText(text []byte) error {
	v, err := ParseBytes(string(text))
	if err == nil {
		*b = v
	}
	return err
}
