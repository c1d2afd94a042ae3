package thumbnail

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// tinyWebP is a lossless WebP of one pixel.
const tinyWebP = "UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA=="

func child(t *testing.T, in []byte, edge int) ([]byte, error) {
	t.Helper()
	var out bytes.Buffer
	err := Child(bytes.NewReader(in), &out, edge)
	return out.Bytes(), err
}

func decoded(t *testing.T, b []byte) (image.Image, string) {
	t.Helper()
	img, format, err := image.Decode(bytes.NewReader(b))
	must(t, err)
	return img, format
}

func TestChildScalesEveryFormat(t *testing.T) {
	pal := image.NewPaletted(image.Rect(0, 0, 800, 400), color.Palette{color.White, color.Black})
	webp, err := base64.StdEncoding.DecodeString(tinyWebP)
	must(t, err)
	f := func(name string, in []byte, w, h int, format string) {
		t.Helper()
		out, err := child(t, in, 160)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		img, got := decoded(t, out)
		if s := img.Bounds().Size(); s != image.Pt(w, h) || got != format {
			t.Errorf("%s: got %v %s, want %dx%d %s", name, s, got, w, h, format)
		}
	}
	f("png", pngOf(t, scene(800, 400)), 160, 80, "jpeg")
	f("jpeg", jpegOf(t, scene(400, 801)), 80, 160, "jpeg")
	f("gif", gifOf(t, image.Pt(800, 400), pal), 160, 80, "jpeg")
	f("webp", webp, 1, 1, "png")
	f("small stays small", pngOf(t, scene(10, 20)), 10, 20, "jpeg")
	f("thin", pngOf(t, scene(3000, 1)), 160, 1, "jpeg")
	f("thin and long", pngOf(t, image.NewGray(image.Rect(0, 0, 1, 2_000_000))), 1, 160, "jpeg")
	f("transparent", pngOf(t, image.NewNRGBA(image.Rect(0, 0, 400, 400))), 160, 160, "png")
	f("part of a gif", gifOf(t, image.Pt(800, 800), pal), 160, 160, "png")
	f("16 bit", pngOf(t, image.NewGray16(image.Rect(0, 0, 640, 640))), 160, 160, "jpeg")
}

func TestChildTurnsByExif(t *testing.T) {
	// Where the stored red, green, blue and white corners are displayed:
	// upper left, upper right, lower left, lower right.
	want := map[uint16]string{1: "rgbw", 2: "grwb", 3: "wbgr", 4: "bwrg", 5: "rbgw", 6: "brwg", 7: "wgbr", 8: "gwrb", 9: "rgbw", 0: "rgbw"}
	plain := jpegOf(t, scene(320, 160))
	for o, corners := range want {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			in := withExif(plain, order, o)
			out, err := child(t, in, 160)
			must(t, err)
			img, _ := decoded(t, out)
			b := img.Bounds()
			x0, x1, y0, y1 := b.Dx()/4, b.Dx()*3/4, b.Dy()/4, b.Dy()*3/4
			got := nearest(img.At(x0, y0)) + nearest(img.At(x1, y0)) + nearest(img.At(x0, y1)) + nearest(img.At(x1, y1))
			if got != corners {
				t.Errorf("orientation %d: got %s, want %s", o, got, corners)
			}
			if (o >= 5 && o <= 8) != (b.Dy() > b.Dx()) {
				t.Errorf("orientation %d: size %v", o, b)
			}
			if bytes.Contains(out, []byte("SECRET")) || bytes.Contains(out, []byte("Exif")) {
				t.Errorf("orientation %d: metadata passed", o)
			}
			w, h, _, err := Probe(bytes.NewReader(in))
			must(t, err)
			if (h > w) != (b.Dy() > b.Dx()) {
				t.Errorf("orientation %d: probed %dx%d", o, w, h)
			}
		}
	}
}

func nearest(c color.Color) string {
	r, g, b, _ := c.RGBA()
	switch {
	case r > 0x8000 && g > 0x8000:
		return "w"
	case r > 0x8000:
		return "r"
	case g > 0x8000:
		return "g"
	case b > 0x8000:
		return "b"
	}
	return "?"
}

func TestChildRefuses(t *testing.T) {
	png, jpg := pngOf(t, scene(300, 300)), jpegOf(t, scene(300, 300))
	f := func(name string, in []byte, want error) {
		t.Helper()
		out, err := child(t, in, 160)
		if !errors.Is(err, want) || len(out) > 0 {
			t.Errorf("%s: got %d bytes and %v, want %v", name, len(out), err, want)
		}
	}
	f("empty", nil, ErrUnsupported)
	f("text", []byte("hello, this is not a picture"), ErrUnsupported)
	f("bmp", append([]byte("BM"), make([]byte, 100)...), ErrUnsupported)
	f("tiff", []byte("II*\x00\xff\xff\xff\xff0000000000"), ErrUnsupported)
	f("svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), ErrUnsupported)
	f("elf", append([]byte("\x7fELF"), make([]byte, 100)...), ErrUnsupported)
	f("bomb", hollowPNG(50000, 50000, 8, 2), ErrTooLarge)
	f("bomb of bits", hollowPNG(1<<31-1, 1, 1, 0), ErrTooLarge)
	f("40 megapixel of 16 bit", hollowPNG(6000, 6000, 16, 6), ErrTooLarge)
	f("no pixels", hollowPNG(0, 0, 8, 2), ErrDamaged)
	f("hollow", hollowPNG(100, 100, 8, 2), ErrDamaged)
	f("png cut", png[:len(png)/2], ErrDamaged)
	f("png cut in the header", png[:20], ErrDamaged)
	f("jpeg cut", jpg[:len(jpg)/2], ErrDamaged)
	f("jpeg cut in the header", jpg[:20], ErrDamaged)
	f("gif cut", []byte("GIF89a\x10\x00\x10\x00\x00\x00\x00"), ErrDamaged)
	f("endless jpeg header", append([]byte("\xff\xd8\xff"), bytes.Repeat([]byte("\xe0\xff\xfe\x00\x02\xff"), 1<<20)...), ErrDamaged)
	for _, edge := range []int{0, -1, MaxEdge + 1} {
		if _, err := child(t, png, edge); err == nil {
			t.Errorf("edge %d: no error", edge)
		}
	}
}

func TestChildTellsReadErrorFromDamage(t *testing.T) {
	b := pngOf(t, scene(300, 300))
	for _, n := range []int{0, 4, 20, len(b) / 2} {
		r := io.MultiReader(bytes.NewReader(b[:n]), iotest.ErrReader(io.ErrClosedPipe))
		err := Child(r, io.Discard, 160)
		if !errors.Is(err, io.ErrClosedPipe) || errors.Is(err, ErrDamaged) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

func TestMakeRunsAChild(t *testing.T) {
	in := jpegOf(t, scene(4000, 3000))
	for _, arg := range []string{"thumbnail-child", "env-child"} {
		out, w, h, err := makeLimited(t.Context(), self(t), []string{arg}, bytes.NewReader(in), 320, testLimits())
		must(t, err)
		if _, format := decoded(t, out); w != 320 || h != 240 || format != "jpeg" {
			t.Errorf("%s: %dx%d %s", arg, w, h, format)
		}
	}
}

func TestMakeSaysWhyNot(t *testing.T) {
	small := pngOf(t, scene(10, 10))
	short := testLimits()
	short.cpu, short.timeout = 1, 30*time.Second
	brief := testLimits()
	brief.timeout = 300 * time.Millisecond
	f := func(arg string, in []byte, lim limits, want error) {
		t.Helper()
		out, _, _, err := makeLimited(t.Context(), self(t), []string{arg}, bytes.NewReader(in), 64, lim)
		if !errors.Is(err, want) || out != nil {
			t.Errorf("%s: got %d bytes and %v, want %v", arg, len(out), err, want)
		}
	}
	f("thumbnail-child", []byte("text"), testLimits(), ErrUnsupported)
	f("thumbnail-child", hollowPNG(50000, 50000, 8, 2), testLimits(), ErrTooLarge)
	f("thumbnail-child", small[:len(small)-20], testLimits(), ErrDamaged)
	f("flood-child", small, testLimits(), ErrLimits)
	f("spin-child", small, short, ErrLimits)
	f("hang-child", small, brief, ErrLimits)
	f("liar-child", small, testLimits(), ErrLimits)
	if !raceEnabled {
		f("greedy-child", small, testLimits(), ErrLimits)
	}
	if _, _, _, err := Make(t.Context(), "/nonexistent", nil, bytes.NewReader(small), 64); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no executable: %v", err)
	}
	_, _, _, err := makeLimited(t.Context(), self(t), []string{"thumbnail-child"}, iotest.ErrReader(io.ErrNoProgress), 64, testLimits())
	if !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("broken reader: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, _, err = Make(ctx, self(t), []string{"hang-child"}, bytes.NewReader(small), 64); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// The largest pictures that the header check lets pass fit into the limits.
func TestMakeSurvivesTheLargest(t *testing.T) {
	if raceEnabled || testing.Short() {
		t.Skip("needs real limits")
	}
	ycc := image.NewYCbCr(image.Rect(0, 0, 7300, 5470), image.YCbCrSubsampleRatio444)
	f := func(name string, in []byte) {
		t.Helper()
		start := time.Now()
		out, w, h, err := Make(t.Context(), self(t), []string{"thumbnail-child"}, bytes.NewReader(in), 1024)
		t.Logf("%s: %d bytes in, %d out, %dx%d, %v, %v", name, len(in), len(out), w, h, time.Since(start).Round(time.Millisecond), err)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	f("png rgba", pngOf(t, image.NewNRGBA(image.Rect(0, 0, 7300, 5470))))
	f("png gray", pngOf(t, image.NewGray(image.Rect(0, 0, 7300, 5470))))
	f("jpeg", jpegOf(t, ycc))
	f("gif", gifOf(t, image.Pt(7300, 5470), image.NewPaletted(image.Rect(0, 0, 7300, 5470), color.Palette{color.White, color.Black})))
}

func TestProbe(t *testing.T) {
	f := func(in []byte, w, h int, format string, want error) {
		t.Helper()
		gw, gh, gf, err := Probe(bytes.NewReader(in))
		if gw != w || gh != h || gf != format || !errors.Is(err, want) {
			t.Errorf("got %dx%d %s %v, want %dx%d %s %v", gw, gh, gf, err, w, h, format, want)
		}
	}
	f(pngOf(t, scene(30, 20)), 30, 20, "png", nil)
	f(jpegOf(t, scene(30, 20))[:400], 0, 0, "", ErrDamaged)
	f(jpegOf(t, scene(30, 20)), 30, 20, "jpeg", nil)
	f(hollowPNG(50000, 50000, 8, 2), 50000, 50000, "png", ErrTooLarge)
	f([]byte(strings.Repeat("x", 100)), 0, 0, "", ErrUnsupported)
}

func FuzzProbe(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(pngOf(f, scene(8, 8)))
	f.Add(withExif(jpegOf(f, scene(8, 8)), binary.LittleEndian, 6))
	f.Add(hollowPNG(50000, 50000, 8, 2))
	webp, _ := base64.StdEncoding.DecodeString(tinyWebP)
	f.Add(webp)
	f.Add(gifOf(f, image.Pt(8, 8), image.NewPaletted(image.Rect(0, 0, 8, 8), color.Palette{color.White, color.Black})))
	f.Fuzz(func(t *testing.T, b []byte) {
		w, h, format, err := Probe(bytes.NewReader(b))
		if err == nil && (w <= 0 || h <= 0 || int64(w)*int64(h) > maxPixels || format == "") {
			t.Fatalf("%dx%d %q without an error", w, h, format)
		}
		if err == nil && w*h <= 1<<16 {
			_ = Child(bytes.NewReader(b), io.Discard, 16)
		}
		orientation(b)
	})
}
