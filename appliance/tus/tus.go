package tus

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Version is the only version of the protocol that is spoken.
const Version = "1.0.0"

// Extensions is the value of Tus-Extension.
const Extensions = "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination"

// ChecksumAlgorithms is the value of Tus-Checksum-Algorithm, best first.
const ChecksumAlgorithms = "sha256,sha1,md5"

// ContentType is the media type of a PATCH, and of a POST that carries bytes.
const ContentType = "application/offset+octet-stream"

// Names of header fields.
const (
	HeaderResumable   = "Tus-Resumable"
	HeaderVersion     = "Tus-Version"
	HeaderExtension   = "Tus-Extension"
	HeaderMaxSize     = "Tus-Max-Size"
	HeaderAlgorithm   = "Tus-Checksum-Algorithm"
	HeaderOffset      = "Upload-Offset"
	HeaderLength      = "Upload-Length"
	HeaderDeferLength = "Upload-Defer-Length"
	HeaderMetadata    = "Upload-Metadata"
	HeaderExpires     = "Upload-Expires"
	HeaderChecksum    = "Upload-Checksum"
	HeaderOverride    = "X-HTTP-Method-Override"
	HeaderLocation    = "Location"
)

// Status codes, by what the protocol uses them for.
const (
	StatusCreated          = http.StatusCreated               // POST
	StatusNoContent        = http.StatusNoContent             // PATCH, DELETE, OPTIONS
	StatusOK               = http.StatusOK                    // HEAD
	StatusBadRequest       = http.StatusBadRequest            // a field that cannot be read, an unknown checksum algorithm
	StatusForbidden        = http.StatusForbidden             // not this owner's, or a PATCH to a finished upload
	StatusNotFound         = http.StatusNotFound              // never there, or gone without trace
	StatusConflict         = http.StatusConflict              // Upload-Offset is not the current one
	StatusGone             = http.StatusGone                  // expired or terminated, and remembered
	StatusVersion          = http.StatusPreconditionFailed    // Tus-Resumable is not supported
	StatusTooLarge         = http.StatusRequestEntityTooLarge // above Tus-Max-Size or Upload-Length
	StatusContentType      = http.StatusUnsupportedMediaType  // not ContentType
	StatusLocked           = http.StatusLocked                // another request writes to this upload
	StatusChecksumMismatch = 460                              // the chunk was dropped
	StatusNoSpace          = http.StatusInsufficientStorage   // the volume is full; resumable
)

// Errors, to be tested with errors.Is; Status turns them into a status code.
var (
	ErrVersion     = errors.New("tus: version is not supported")
	ErrContentType = errors.New("tus: content type is not " + ContentType)
	ErrNumber      = errors.New("tus: not a length or offset in bytes")
	ErrNoLength    = errors.New("tus: want either Upload-Length or Upload-Defer-Length: 1")
	ErrChecksum    = errors.New("tus: checksum field cannot be read")
	ErrAlgorithm   = errors.New("tus: checksum algorithm is not supported")
	ErrMetadata    = errors.New("tus: metadata field cannot be read")
	ErrMetadataBig = errors.New("tus: metadata field is too large")
)

// Status is the status code for an error of this package, 0 for nil and 400
// for an error it does not know.
func Status(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrVersion):
		return StatusVersion
	case errors.Is(err, ErrContentType):
		return StatusContentType
	case errors.Is(err, ErrMetadataBig):
		return StatusTooLarge
	}
	return StatusBadRequest
}

// Field is one header field.
type Field struct{ Name, Value string }

// Capabilities are the fields of the answer to OPTIONS. maxSize is the largest
// upload in bytes; 0 is no limit and leaves Tus-Max-Size out.
func Capabilities(maxSize int64) []Field {
	fields := []Field{
		{HeaderResumable, Version},
		{HeaderVersion, Version},
		{HeaderExtension, Extensions},
		{HeaderAlgorithm, ChecksumAlgorithms},
	}
	if maxSize > 0 {
		fields = append(fields, Field{HeaderMaxSize, FormatNumber(maxSize)})
	}
	return fields
}

// CheckVersion reads Tus-Resumable, which every request but OPTIONS carries.
// On ErrVersion the answer carries Tus-Version, and nothing is done.
func CheckVersion(value string) error {
	if value != Version {
		return ErrVersion
	}
	return nil
}

// CheckContentType reads the Content-Type of a PATCH. Parameters are refused,
// as the protocol names none.
func CheckContentType(value string) error {
	if !strings.EqualFold(strings.TrimSpace(value), ContentType) {
		return ErrContentType
	}
	return nil
}

// Method is the method to act on: that of X-HTTP-Method-Override, if it is one
// of PATCH, DELETE and HEAD on a POST, otherwise the request's own. (The protocol
// lets the override replace any method; a GET that deletes would be a gift to
// whoever can place a link.)
func Method(method, override string) string {
	if method != http.MethodPost {
		return method
	}
	switch override {
	case http.MethodPatch, http.MethodDelete, http.MethodHead:
		return override
	}
	return method
}

// ParseOffset reads Upload-Offset, in bytes. Errors: ErrNumber.
func ParseOffset(value string) (int64, error) { return parseNumber(value) }

// ParseLength reads Upload-Length, in bytes. Errors: ErrNumber.
func ParseLength(value string) (int64, error) { return parseNumber(value) }

// ParseCreation reads Upload-Length and Upload-Defer-Length of a POST, each
// empty when it is absent, into a size in bytes, -1 when it is deferred.
// Errors: ErrNoLength when both or neither are there, ErrNumber.
func ParseCreation(length, deferLength string) (int64, error) {
	switch {
	case length != "" && deferLength == "":
		return ParseLength(length)
	case length == "" && deferLength == "1":
		return -1, nil
	}
	return 0, ErrNoLength
}

// FormatNumber writes a length or offset in bytes.
func FormatNumber(n int64) string { return strconv.FormatInt(n, 10) }

// FormatExpires writes Upload-Expires, in the date format of HTTP.
func FormatExpires(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

// parseNumber takes 1 to 19 digits. strconv alone would also take a sign and
// underscores.
func parseNumber(value string) (int64, error) {
	if value == "" || len(value) > 19 {
		return 0, ErrNumber
	}
	for i := range len(value) {
		if value[i] < '0' || value[i] > '9' {
			return 0, ErrNumber
		}
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil {
		return 0, ErrNumber
	}
	return n, nil
}
