package console

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// The gallery shows every component that pages are made of.
func TestGalleryShowsEveryComponent(t *testing.T) {
	shown, err := os.ReadFile("gallery.templ")
	if err != nil {
		t.Fatal(err)
	}
	// Whole pages, what frames one, what cannot be seen, and what a live update replaces.
	frames := []string{"Layout", "Body", "Fragment", "Door", "Proof", "Banners", "OverviewLive", "ChecklistReport", "AutomaticOne"}
	files, err := filepath.Glob("*.templ")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^templ ([A-Z]\w*)\(`).FindAllStringSubmatch(string(text), -1) {
			if strings.HasSuffix(m[1], "Page") || slices.Contains(frames, m[1]) {
				continue
			}
			if !strings.Contains(string(shown), "@"+m[1]+"(") {
				t.Errorf("%s: the gallery has no %s", name, m[1])
			}
		}
	}
}

// Every icon has a drawing of its own; what is unknown is a circle.
func TestIconsAreDifferent(t *testing.T) {
	drawn := map[string]string{iconPath("no such icon"): "no such icon"}
	for _, name := range Icons() {
		if was, ok := drawn[iconPath(name)]; ok {
			t.Errorf("%s is drawn like %s", name, was)
		}
		drawn[iconPath(name)] = name
	}
}

// Working hours are those of the clock on the wall, whichever zone it shows.
func TestWorkingHours(t *testing.T) {
	for hours, want := range map[float64]string{0: "hour()", 8: "(hour() + 8) % 24", -5: "(hour() + 19) % 24", 5.5: "(hour() + 6) % 24", 13: "(hour() + 13) % 24"} {
		now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.FixedZone("", int(hours*3600)))
		if got := WorkingHours(now); got != "and on () ("+want+" >= 8 < 18)" {
			t.Errorf("%v hours east: %s", hours, got)
		}
	}
}
