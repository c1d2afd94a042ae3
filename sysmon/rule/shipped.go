package rule

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed shipped/*.yml
var shippedFiles embed.FS

// ShippedFile is one rule file that comes with the program.
type ShippedFile struct {
	Name string // host.yml, …
	Text []byte
}

// Shipped returns the rule files that come with the program, by name.
func Shipped() ([]ShippedFile, error) {
	entries, err := fs.ReadDir(shippedFiles, "shipped")
	if err != nil {
		return nil, fmt.Errorf("list shipped rules: %w", err)
	}
	out := make([]ShippedFile, 0, len(entries))
	for _, e := range entries {
		text, err := fs.ReadFile(shippedFiles, "shipped/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("read shipped rules: %w", err)
		}
		out = append(out, ShippedFile{Name: e.Name(), Text: text})
	}
	return out, nil
}
