package rule

import (
	"bytes"
	"regexp"
)

// Exported are the shipped rule files for a Prometheus of one's own: the same
// without the links into this console, which that Prometheus could not make.
func Exported() ([]ShippedFile, error) {
	shipped, err := Shipped()
	if err != nil {
		return nil, err
	}
	link := regexp.MustCompile(`(?m)^ *link: .*\n`)
	for i, f := range shipped {
		text := link.ReplaceAll(f.Text, nil)
		shipped[i] = ShippedFile{Name: "posthouse-" + f.Name, Text: append([]byte("# Written from the rules that are part of the program. Scrape every 15 seconds.\n"), bytes.TrimLeft(text, "\n")...)}
	}
	return shipped, nil
}
