package filename

import (
	"bytes"
	"mime"
	"path"
	"strings"
	"unicode/utf8"
)

// HeadBytes is how much of a file's beginning SafeType wants to see.
const HeadBytes = 512

// Unknown is the media type of everything that is not shown in the browser.
const Unknown = "application/octet-stream"

// SafeType decides how a file may be served. declared is the media type the
// client gave, name the file's name (its extension counts when declared is
// empty or says nothing), head the first HeadBytes bytes, or all of them.
//
// inline is true, and contentType one of a short list of image, audio, video
// and plain text types, only when the head agrees with what was declared.
// Everything else, HTML, SVG, XML and PDF above all, is Unknown and an
// attachment. Either way the answer needs "X-Content-Type-Options: nosniff".
func SafeType(declared, name string, head []byte) (contentType string, inline bool) {
	t := canonical(declared, name)
	if !agrees(t, head) {
		return Unknown, false
	}
	if t == "text/plain" {
		return "text/plain; charset=utf-8", true
	}
	return t, true
}

// canonical is the claimed type in the spelling of the allowlist, or "".
func canonical(declared, name string) string {
	t, params, err := mime.ParseMediaType(declared)
	if err != nil {
		t = strings.ToLower(strings.TrimSpace(strings.SplitN(declared, ";", 2)[0]))
	}
	if t == "" || t == Unknown {
		t = byExtension(name)
	}
	switch t {
	case "image/jpg", "image/pjpeg":
		return "image/jpeg"
	case "audio/mp3":
		return "audio/mpeg"
	case "audio/x-wav", "audio/wave", "audio/vnd.wave":
		return "audio/wav"
	case "audio/x-m4a", "audio/m4a":
		return "audio/mp4"
	case "text/plain":
		if cs := strings.ToLower(params["charset"]); cs != "" && cs != "utf-8" && cs != "us-ascii" {
			return ""
		}
	}
	return t
}

func byExtension(name string) string {
	switch strings.ToLower(path.Ext(name)) {
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".gif":
		return "image/gif"
	case ".webp":
		return "image/webp"
	case ".mp3":
		return "audio/mpeg"
	case ".ogg", ".oga", ".opus":
		return "audio/ogg"
	case ".weba":
		return "audio/webm"
	case ".wav":
		return "audio/wav"
	case ".m4a":
		return "audio/mp4"
	case ".mp4", ".m4v":
		return "video/mp4"
	case ".webm":
		return "video/webm"
	case ".txt", ".log":
		return "text/plain"
	}
	return ""
}

// agrees says whether a file that begins with head can be of type t. Types
// that are not on the allowlist never agree.
func agrees(t string, head []byte) bool {
	switch t {
	case "image/png":
		return bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n"))
	case "image/jpeg":
		return bytes.HasPrefix(head, []byte("\xff\xd8\xff"))
	case "image/gif":
		return bytes.HasPrefix(head, []byte("GIF87a")) || bytes.HasPrefix(head, []byte("GIF89a"))
	case "image/webp":
		return riff(head, "WEBP")
	case "audio/wav":
		return riff(head, "WAVE")
	case "audio/mpeg":
		return bytes.HasPrefix(head, []byte("ID3")) || mpegFrame(head)
	case "audio/ogg":
		return bytes.HasPrefix(head, []byte("OggS\x00"))
	case "audio/webm", "video/webm":
		return bytes.HasPrefix(head, []byte("\x1a\x45\xdf\xa3")) && bytes.Contains(head[:min(len(head), 64)], []byte("webm"))
	case "audio/mp4", "video/mp4":
		return mp4(head)
	case "text/plain":
		return plainText(head)
	}
	return false
}

func riff(head []byte, form string) bool {
	return len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == form
}

// mpegFrame sees the header of an MPEG audio frame of layer III: sync, a
// version, a bit rate and a sample rate that exist.
func mpegFrame(head []byte) bool {
	if len(head) < 4 || head[0] != 0xff || head[1]&0xe0 != 0xe0 {
		return false
	}
	version, layer := head[1]>>3&3, head[1]>>1&3
	rate, freq := head[2]>>4, head[2]>>2&3
	return version != 1 && layer == 1 && rate != 0 && rate != 15 && freq != 3
}

// mp4 sees an ISO base media file whose brand is one browsers play.
func mp4(head []byte) bool {
	if len(head) < 12 || string(head[4:8]) != "ftyp" {
		return false
	}
	switch string(head[8:12]) {
	case "isom", "iso2", "iso3", "iso4", "iso5", "iso6", "mp41", "mp42", "avc1", "dash",
		"M4A ", "M4B ", "M4V ", "MSNV", "f4v ", "mmp4":
		return true
	}
	return false
}

// plainText sees UTF-8 without control characters that does not begin like
// markup. The last character may be cut off by the end of head.
func plainText(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	if trimmed := bytes.TrimLeft(head, " \t\r\n\f"); len(trimmed) > 0 && trimmed[0] == '<' ||
		bytes.HasPrefix(head, []byte("%PDF-")) || bytes.HasPrefix(head, []byte("%!PS")) {
		return false
	}
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && n <= 1 {
			return len(head) < utf8.UTFMax && !utf8.FullRune(head)
		}
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' && r != '\x1b' || r == 0x7f {
			return false
		}
		head = head[n:]
	}
	return true
}
