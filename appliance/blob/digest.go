package blob

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Digest is the SHA-256 of a content, which is also its address.
type Digest [sha256.Size]byte

// String is the digest in 64 lower case hex digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// ParseDigest reads what String writes. Upper case digits are refused, so that
// a digest has one spelling.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	if len(s) != hex.EncodedLen(len(d)) || !lowerHex(s) {
		return Digest{}, fmt.Errorf("parse digest: want 64 lower case hex digits")
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil {
		return Digest{}, fmt.Errorf("parse digest: %w", err)
	}
	return d, nil
}

func lowerHex(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// validID says whether s is an upload's id: 32 lower case hex digits.
func validID(s string) bool { return len(s) == 32 && lowerHex(s) }
