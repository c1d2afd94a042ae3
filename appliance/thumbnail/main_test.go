package thumbnail

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"go.uber.org/goleak"
)

// TestMain is also the child: of a test that makes thumbnails, and of one that
// wants a child that misbehaves.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		switch os.Args[1] {
		case "thumbnail-child":
			os.Exit(ChildMain(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
		case "env-child":
			if len(os.Environ()) > 3 || os.Getenv("HOME") != "" || os.Getenv("PATH") != "" {
				os.Exit(1)
			}
			os.Exit(ChildMain(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
		case "flood-child":
			io.Copy(io.Discard, os.Stdin)
			for {
				os.Stdout.Write(make([]byte, 1<<16))
			}
		case "spin-child":
			io.Copy(io.Discard, os.Stdin)
			for n := 0; ; n++ {
				_ = n
			}
		case "hang-child":
			c := make(chan os.Signal, 1)
			signal.Notify(c, syscall.SIGUSR1)
			<-c
			os.Exit(0)
		case "greedy-child":
			io.Copy(io.Discard, os.Stdin)
			b := make([]byte, 1<<30)
			for i := range b {
				b[i] = 1
			}
			os.Stdout.Write(b[:10])
			os.Exit(0)
		case "liar-child":
			io.Copy(io.Discard, os.Stdin)
			os.Stdout.WriteString("<html>")
			os.Exit(0)
		}
	}
	goleak.VerifyTestMain(m)
}

func testLimits() limits {
	lim := defaultLimits()
	if raceEnabled {
		lim.data = 0
		lim.cpu *= 4
		lim.timeout *= 4
	}
	return lim
}

func self(t testing.TB) string {
	t.Helper()
	exe, err := os.Executable()
	must(t, err)
	return exe
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// scene has a different colour in each corner: red, green / blue, white.
func scene(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{255, 0, 0, 255}
			switch {
			case x >= w/2 && y < h/2:
				c = color.RGBA{0, 255, 0, 255}
			case x < w/2 && y >= h/2:
				c = color.RGBA{0, 0, 255, 255}
			case x >= w/2 && y >= h/2:
				c = color.RGBA{255, 255, 255, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

func pngOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, img))
	return b.Bytes()
}

func jpegOf(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}))
	return b.Bytes()
}

func gifOf(t testing.TB, canvas image.Point, frame *image.Paletted) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, gif.EncodeAll(&b, &gif.GIF{
		Image: []*image.Paletted{frame, frame}, Delay: []int{1, 1},
		Config: image.Config{ColorModel: frame.Palette, Width: canvas.X, Height: canvas.Y},
	}))
	return b.Bytes()
}

// withExif puts an EXIF segment with an orientation, and a GPS-like secret, in
// front of a JPEG.
func withExif(b []byte, order binary.AppendByteOrder, orientation uint16) []byte {
	tiff := []byte("II*\x00")
	if order.String() == "BigEndian" {
		tiff = []byte("MM\x00*")
	}
	tiff = order.AppendUint32(tiff, 8)
	tiff = order.AppendUint16(tiff, 2)
	tiff = order.AppendUint16(tiff, 0x010f)
	tiff = order.AppendUint16(tiff, 2)
	tiff = order.AppendUint32(tiff, 12)
	tiff = order.AppendUint32(tiff, 38)
	tiff = order.AppendUint16(tiff, 0x0112)
	tiff = order.AppendUint16(tiff, 3)
	tiff = order.AppendUint32(tiff, 1)
	tiff = order.AppendUint16(tiff, orientation)
	tiff = order.AppendUint16(tiff, 0)
	tiff = order.AppendUint32(tiff, 0)
	tiff = append(tiff, "SECRETPLACE\x00"...)
	seg := append([]byte("Exif\x00\x00"), tiff...)
	out := append([]byte{}, b[:2]...)
	out = append(out, 0xff, 0xe1)
	out = binary.BigEndian.AppendUint16(out, uint16(len(seg)+2))
	out = append(out, seg...)
	return append(out, b[2:]...)
}

// hollowPNG is a PNG of about 1 KB that says it is w by h.
func hollowPNG(w, h uint32, depth, kind byte) []byte {
	b := []byte("\x89PNG\r\n\x1a\n")
	ihdr := binary.BigEndian.AppendUint32(nil, w)
	ihdr = binary.BigEndian.AppendUint32(ihdr, h)
	ihdr = append(ihdr, depth, kind, 0, 0, 0)
	b = chunk(b, "IHDR", ihdr)
	b = chunk(b, "IDAT", make([]byte, 900))
	return chunk(b, "IEND", nil)
}

func chunk(b []byte, kind string, data []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	body := append([]byte(kind), data...)
	b = append(b, body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(body))
}
