package thumbnail

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

const (
	maxPixels = 40_000_000
	// maxHeader is how much of a file may come before its dimensions. A JPEG
	// may have several metadata segments of 64 KiB before them.
	maxHeader = 1 << 20
	// maxDecoded is how many bytes of pixels are left room for in the child.
	maxDecoded = 176 << 20
)

// header is what is known of a picture before it is decoded.
type header struct {
	format      string
	width       int // as stored
	height      int
	orientation int // EXIF, 1 to 8; 1 when there is none
	model       color.Model
}

// upright is the size as displayed.
func (h header) upright() (w, h2 int) {
	if h.orientation >= 5 {
		return h.height, h.width
	}
	return h.width, h.height
}

// Probe reads only the header of a picture, at most 1 MiB, and gives its width
// and height in pixels as displayed (EXIF orientation applied), and its format:
// "png", "jpeg", "gif" or "webp". It says nothing about whether the picture can
// be decoded, and it allocates no pixels. Errors: ErrUnsupported, ErrDamaged,
// ErrTooLarge (over 40 megapixel; width, height and format are given
// nevertheless), or head's.
func Probe(head io.Reader) (w, h int, format string, err error) {
	hd, _, err := readHeader(head)
	w, h = hd.upright()
	if err != nil {
		return w, h, hd.format, fmt.Errorf("probe picture: %w", err)
	}
	if tooManyPixels(hd.width, hd.height) {
		return w, h, hd.format, fmt.Errorf("probe picture: %w: %d by %d", ErrTooLarge, w, h)
	}
	return w, h, hd.format, nil
}

// readHeader reads as far as the dimensions and returns what it has read.
func readHeader(r io.Reader) (header, *bytes.Buffer, error) {
	var seen bytes.Buffer
	src := &sourceReader{r: r}
	tee := io.TeeReader(io.LimitReader(src, maxHeader), &seen)
	magic := make([]byte, 12)
	n, err := io.ReadFull(tee, magic)
	if src.err != nil {
		return header{}, &seen, fmt.Errorf("read picture: %w", src.err)
	}
	if err != nil && n < 6 {
		return header{}, &seen, ErrUnsupported
	}
	h := header{format: sniff(magic[:n]), orientation: 1}
	all := io.MultiReader(bytes.NewReader(magic[:n]), tee)
	var cfg image.Config
	switch h.format {
	case "png":
		cfg, err = png.DecodeConfig(all)
	case "jpeg":
		cfg, err = jpeg.DecodeConfig(all)
	case "gif":
		cfg, err = gif.DecodeConfig(all)
	case "webp":
		cfg, err = webp.DecodeConfig(all)
	default:
		return header{}, &seen, ErrUnsupported
	}
	switch {
	case src.err != nil:
		return header{}, &seen, fmt.Errorf("read picture: %w", src.err)
	case err != nil:
		return header{}, &seen, fmt.Errorf("%w: %w", ErrDamaged, err)
	case cfg.Width <= 0 || cfg.Height <= 0:
		return header{}, &seen, fmt.Errorf("%w: no pixels", ErrDamaged)
	}
	h.width, h.height, h.model = cfg.Width, cfg.Height, cfg.ColorModel
	if h.format == "jpeg" {
		h.orientation = orientation(seen.Bytes())
	}
	return h, &seen, nil
}

// sourceReader keeps apart that reading failed from that the picture is short.
type sourceReader struct {
	r   io.Reader
	err error
}

func (s *sourceReader) Read(b []byte) (int, error) {
	n, err := s.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) && s.err == nil {
		s.err = err
	}
	return n, err
}

func sniff(magic []byte) string {
	switch {
	case bytes.HasPrefix(magic, []byte("\x89PNG\r\n\x1a\n")):
		return "png"
	case bytes.HasPrefix(magic, []byte("\xff\xd8\xff")):
		return "jpeg"
	case bytes.HasPrefix(magic, []byte("GIF87a")), bytes.HasPrefix(magic, []byte("GIF89a")):
		return "gif"
	case len(magic) >= 12 && string(magic[:4]) == "RIFF" && string(magic[8:12]) == "WEBP":
		return "webp"
	}
	return ""
}

func tooManyPixels(w, h int) bool {
	return int64(w)*int64(h) > maxPixels
}

// checkDecodable refuses a picture that the child would not survive.
func checkDecodable(h header) error {
	if tooManyPixels(h.width, h.height) {
		return fmt.Errorf("%w: %d by %d", ErrTooLarge, h.width, h.height)
	}
	per := int64(4)
	switch h.model {
	case color.NRGBA64Model, color.RGBA64Model:
		per = 8
	case color.Gray16Model:
		per = 2
	case color.GrayModel:
		per = 1
	case color.YCbCrModel:
		per = 3
	default:
		if _, ok := h.model.(color.Palette); ok {
			per = 1
		}
	}
	if need := per * int64(h.width) * int64(h.height); need > maxDecoded {
		return fmt.Errorf("%w: %d bytes of pixels", ErrTooLarge, need)
	}
	return nil
}
