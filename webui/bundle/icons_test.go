package bundle

import (
	"bytes"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// TestIcons wants the files that are committed to be what Icons draws.
func TestIcons(t *testing.T) {
	want, err := Icons()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range IconNames() {
		file, err := os.ReadFile(filepath.Join("..", "static", name))
		if err != nil {
			t.Fatal(err)
		}
		got, err := png.Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		drawn, err := png.Decode(bytes.NewReader(want[name]))
		if err != nil {
			t.Fatal(err)
		}
		if got.Bounds() != drawn.Bounds() {
			t.Fatalf("%s is %v, want %v: go run ./webui/build icons", name, got.Bounds(), drawn.Bounds())
		}
		edge := got.Bounds().Dx()
		for y := range edge {
			for x := range edge {
				if got.At(x, y) != drawn.At(x, y) {
					t.Fatalf("%s differs at %d, %d: go run ./webui/build icons", name, x, y)
				}
			}
		}
		_, _, _, corner := got.At(0, 0).RGBA()
		if filled := corner == 0xffff; filled != bytes.Contains([]byte(name), []byte("maskable")) {
			t.Errorf("%s: the corner has an opacity of %d", name, corner)
		}
		if r, g, b, _ := got.At(edge/2, edge*30/100).RGBA(); r != 0xffff || g != 0xffff || b != 0xffff {
			t.Errorf("%s: there is no roof: %d %d %d", name, r, g, b)
		}
	}
}
