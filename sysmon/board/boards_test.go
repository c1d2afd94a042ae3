package board

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"posthouse/sysmon/rule"
	"posthouse/sysmon/words"
)

func both(t *testing.T, what string, text words.Text) {
	t.Helper()
	if text.EN == "" || text.ZH == "" {
		t.Errorf("%s is not in both languages: %+v", what, text)
	}
}

func TestBoardsAreComplete(t *testing.T) {
	units := map[string]bool{"": true, "/s": true, "bytes": true, "bytes/s": true, "bits/s": true, "ratio": true, "percent": true, "seconds": true, "days": true, "celsius": true}
	kinds := map[Kind]bool{Line: true, Area: true, Stacked: true, Bars: true, Stat: true}
	alerts := shippedAlerts(t)
	ids := map[string]bool{}
	for _, b := range Boards() {
		if ids[b.ID] || !regexp.MustCompile(`^[a-z]+$`).MatchString(b.ID) {
			t.Errorf("board id %q", b.ID)
		}
		ids[b.ID] = true
		both(t, b.ID, b.Title)
		both(t, b.ID, b.About)
		if len(b.Panels) == 0 || len(b.Panels) > 14 {
			t.Errorf("%s has %d panels", b.ID, len(b.Panels))
		}
		panels := map[string]bool{}
		for _, p := range b.Panels {
			name := b.ID + "/" + p.ID
			if panels[p.ID] {
				t.Errorf("%s is there twice", name)
			}
			panels[p.ID] = true
			both(t, name, p.Title)
			both(t, name, p.Help)
			if !units[p.Unit] || !kinds[p.Kind] || len(p.Queries) == 0 {
				t.Errorf("%s: unit %q, kind %q, %d queries", name, p.Unit, p.Kind, len(p.Queries))
			}
			for _, q := range p.Queries {
				both(t, name, q.Legend)
				if _, err := parser.NewParser(parser.Options{}).ParseExpr(q.Fill(time.Minute, 15*time.Second)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			for _, x := range p.Thresholds {
				if !alerts[x.Alert] {
					t.Errorf("%s: threshold of alert %q", name, x.Alert)
				}
			}
			for _, a := range p.Alerts {
				if !alerts[a] {
					t.Errorf("%s: alert %q", name, a)
				}
			}
		}
	}
	for _, id := range strings.Fields("im host api messages business storage program probes") {
		if _, ok := Find(id); !ok {
			t.Errorf("no board %s", id)
		}
	}
}

func shippedAlerts(t *testing.T) map[string]bool {
	t.Helper()
	m, err := rule.Open(t.TempDir(), rule.Options{})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]bool{}
	for _, r := range m.Rules() {
		out[r.Spec.Alert] = true
	}
	return out
}

// TestGrafanaDashboardsAreCurrent compares what is packaged with the boards;
// UPDATE_GOLDEN=1 writes it anew.
func TestGrafanaDashboardsAreCurrent(t *testing.T) {
	dir := filepath.Join("..", "..", "packaging", "grafana")
	packaged := map[string]bool{}
	for _, b := range Boards() {
		for _, lang := range []string{"en", "zh"} {
			name := "posthouse-" + b.ID + "." + lang + ".json"
			packaged[name] = true
			want, err := Grafana(b, lang)
			if err != nil {
				t.Fatal(err)
			}
			if os.Getenv("UPDATE_GOLDEN") != "" {
				if err := os.WriteFile(filepath.Join(dir, name), want, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("packaging/grafana/%s is not current (%v): UPDATE_GOLDEN=1 go test ./sysmon/board", name, err)
			}
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !packaged[e.Name()] {
			t.Errorf("packaging/grafana/%s belongs to no board", e.Name())
		}
	}
}
