package bundle

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
)

// iconSizes are the pictures that systems want of an app; a maskable one fills
// its square, so that a system may cut its own shape out of it.
var iconSizes = []struct {
	name     string
	edge     int
	maskable bool
}{
	{"icon-192.png", 192, false}, {"icon-512.png", 512, false},
	{"icon-maskable-192.png", 192, true}, {"icon-maskable-512.png", 512, true},
}

// IconNames are the files that Icons makes.
func IconNames() []string {
	var out []string
	for _, s := range iconSizes {
		out = append(out, s.name)
	}
	return out
}

// Icons draws static/icon.svg as PNG files, by name.
func Icons() (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, s := range iconSizes {
		var b bytes.Buffer
		enc := png.Encoder{CompressionLevel: png.BestCompression}
		if err := enc.Encode(&b, drawIcon(s.edge, s.maskable)); err != nil {
			return nil, fmt.Errorf("encode %s: %w", s.name, err)
		}
		out[s.name] = b.Bytes()
	}
	return out, nil
}

// fine is how many samples a pixel has in each direction.
const fine = 4

// drawIcon samples the drawing, which is 48 units wide.
func drawIcon(edge int, maskable bool) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, edge, edge))
	scale, shift := 48/float64(edge), 0.0
	if maskable { // what matters stays within the inner 80 %
		scale, shift = scale*1.25, -6
	}
	green := color.NRGBA{0x0b, 0x6b, 0x5d, 255}
	for py := range edge {
		for px := range edge {
			var inside, white int
			for i := range fine * fine {
				x := (float64(px)+(float64(i%fine)+.5)/fine)*scale + shift
				y := (float64(py)+(float64(i/fine)+.5)/fine)*scale + shift
				if maskable || rounded(x, y, 0, 0, 48, 48, 11) {
					inside++
					if onHouse(x, y) {
						white++
					}
				}
			}
			if inside == 0 {
				continue
			}
			mix := func(c uint8) uint8 { return uint8((255*white + int(c)*(inside-white)) / inside) }
			img.SetNRGBA(px, py, color.NRGBA{mix(green.R), mix(green.G), mix(green.B), uint8(255 * inside / (fine * fine))})
		}
	}
	return img
}

// onHouse reports whether a point is on the white house with its speech bubble:
// roof, wall, the bubble's tip, less the three dots.
func onHouse(x, y float64) bool {
	for _, dot := range []float64{19, 24, 29} {
		if math.Hypot(x-dot, y-32) <= 1.5 {
			return false
		}
	}
	roof := y >= 11 && y <= 25 && (y >= 22 && x >= 10 && x <= 38 || y < 22 && math.Abs(x-24) <= (y-11)*14/11)
	wall := y >= 27 && y <= 37 && x >= 14 && x <= 34 && (y <= 34 || rounded(x, y, 14, 20, 34, 37, 3))
	tip := y >= 37 && y <= 41 && x >= 17 && x <= 17+5*(41-y)/4
	return roof || wall || tip
}

// rounded reports whether a point is in a rectangle with round corners.
func rounded(x, y, left, top, right, bottom, r float64) bool {
	if x < left || x > right || y < top || y > bottom {
		return false
	}
	dx := max(left+r-x, x-(right-r), 0)
	dy := max(top+r-y, y-(bottom-r), 0)
	return dx*dx+dy*dy <= r*r
}
