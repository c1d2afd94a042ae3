package thumbnail

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strconv"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

// MaxEdge is the largest thumbnail that is made, in pixels.
const MaxEdge = 2048

const jpegQuality = 80

// ChildMain is the body of the hidden subcommand: the last argument is the edge
// in pixels, the picture comes from stdin, the thumbnail goes to stdout, and
// one line about what went wrong to stderr. It returns the exit code.
func ChildMain(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	err := errors.New("want the edge in pixels")
	if len(args) > 0 {
		var edge int
		if edge, err = strconv.Atoi(args[len(args)-1]); err == nil {
			err = Child(stdin, stdout, edge)
		}
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
	}
	return exitCode(err)
}

// Child reads a picture from stdin and writes its thumbnail, at most maxEdge (1
// to MaxEdge) pixels wide and high, to stdout. It belongs into a process with
// limits: a hostile picture may take all the memory there is. Errors:
// ErrUnsupported, ErrTooLarge, ErrDamaged, or those of stdin and stdout.
func Child(stdin io.Reader, stdout io.Writer, maxEdge int) error {
	if maxEdge < 1 || maxEdge > MaxEdge {
		return fmt.Errorf("make thumbnail: edge %d is not in 1 to %d", maxEdge, MaxEdge)
	}
	src := &sourceReader{r: stdin}
	h, seen, err := readHeader(src)
	if err != nil {
		return fmt.Errorf("make thumbnail: %w", err)
	}
	if err := checkDecodable(h); err != nil {
		return fmt.Errorf("make thumbnail: %w", err)
	}
	img, err := decode(h.format, bufio.NewReaderSize(io.MultiReader(seen, src), 64<<10))
	if src.err != nil {
		return fmt.Errorf("read picture: %w", src.err)
	}
	if err != nil {
		return fmt.Errorf("make thumbnail: %w: %w", ErrDamaged, err)
	}
	w, ht := fit(h.width, h.height, maxEdge)
	thumb := turn(shrink(img, image.Pt(h.width, h.height), image.Pt(w, ht)), h.orientation)
	out := bufio.NewWriter(stdout)
	if thumb.Opaque() {
		err = jpeg.Encode(out, thumb, &jpeg.Options{Quality: jpegQuality})
	} else {
		err = png.Encode(out, thumb)
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		return fmt.Errorf("write thumbnail: %w", err)
	}
	return nil
}

func decode(format string, r io.Reader) (image.Image, error) {
	switch format {
	case "png":
		return png.Decode(r)
	case "jpeg":
		return jpeg.Decode(r)
	case "gif":
		return gif.Decode(r)
	}
	return webp.Decode(r)
}

// fit is the size of the thumbnail of a picture of w by h.
func fit(w, h, edge int) (int, int) {
	if w <= edge && h <= edge {
		return w, h
	}
	if w >= h {
		return edge, max(1, (h*edge+w/2)/w)
	}
	return max(1, (w*edge+h/2)/h), edge
}

// shrink scales a picture on a canvas to size. The first frame of a GIF may
// cover only a part of its canvas; the rest stays transparent.
//
// The scaler of x/image would need the width of the thumbnail times the height
// of the picture in floats. A mean over whole blocks first leaves it less than
// twice the thumbnail to work on.
func shrink(img image.Image, canvas, size image.Point) *image.RGBA {
	frame := img.Bounds()
	kx, ky := max(1, canvas.X/size.X), max(1, canvas.Y/size.Y)
	if kx > 1 || ky > 1 {
		img = mean(img, kx, ky)
	}
	dst := image.NewRGBA(image.Rectangle{Max: size})
	to := image.Rect(
		frame.Min.X*size.X/canvas.X, frame.Min.Y*size.Y/canvas.Y,
		(frame.Max.X*size.X+canvas.X-1)/canvas.X, (frame.Max.Y*size.Y+canvas.Y-1)/canvas.Y)
	draw.CatmullRom.Scale(dst, to, img, img.Bounds(), draw.Src, nil)
	return dst
}

// mean makes one pixel of each block of kx by ky; blocks at the right and lower
// edge may be smaller.
func mean(img image.Image, kx, ky int) *image.RGBA {
	src, ok := img.(image.RGBA64Image)
	if !ok {
		rgba := image.NewRGBA(img.Bounds())
		draw.Draw(rgba, rgba.Rect, img, img.Bounds().Min, draw.Src)
		src = rgba
	}
	b := src.Bounds()
	w, h := (b.Dx()+kx-1)/kx, (b.Dy()+ky-1)/ky
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	sums := make([][5]uint64, w) // red, green, blue, alpha, pixels
	for y := range h {
		clear(sums)
		for sy := b.Min.Y + y*ky; sy < min(b.Min.Y+(y+1)*ky, b.Max.Y); sy++ {
			addRow(sums, src, sy, kx)
		}
		for x, s := range sums {
			p := dst.Pix[dst.PixOffset(x, y):][:4]
			for i := range p {
				p[i] = uint8(s[i] / s[4] >> 8)
			}
		}
	}
	return dst
}

func addRow(sums [][5]uint64, src image.RGBA64Image, y, k int) {
	b := src.Bounds()
	for x := range b.Dx() {
		c := src.RGBA64At(b.Min.X+x, y)
		s := &sums[x/k]
		s[0] += uint64(c.R)
		s[1] += uint64(c.G)
		s[2] += uint64(c.B)
		s[3] += uint64(c.A)
		s[4]++
	}
}
