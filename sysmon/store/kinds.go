package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"strings"
	"sync"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/metadata"
)

// kinds is what was said about metrics, by name.
type kinds struct {
	mu    sync.Mutex
	by    map[string]metadata.Metadata
	dirty bool
}

const (
	mostKinds = 10_000 // names that are kept
	mostHelp  = 1000   // bytes of a help text that are kept
)

// kindsDoc is the file kinds.json.
type kindsDoc struct {
	Format  int                `json:"format"`
	Metrics map[string]kindDoc `json:"metrics"`
}

type kindDoc struct {
	Type string `json:"type"`
	Unit string `json:"unit"`
	Help string `json:"help"`
}

func readKinds(path string, log *slog.Logger) *kinds {
	k := &kinds{by: map[string]metadata.Metadata{}}
	raw, err := os.ReadFile(path) //nolint:gosec // below the data directory
	if errors.Is(err, fs.ErrNotExist) {
		return k
	}
	var doc kindsDoc
	if err == nil {
		err = json.Unmarshal(raw, &doc)
	}
	if err == nil && doc.Format != 1 {
		err = fmt.Errorf("format %d is unknown", doc.Format)
	}
	if err != nil {
		log.Error("read kinds of metrics: they are learnt anew", "err", err)
		return k
	}
	for name, d := range doc.Metrics {
		k.by[name] = metadata.Metadata{Type: model.MetricType(d.Type), Unit: d.Unit, Help: d.Help}
	}
	return k
}

func (k *kinds) save(path string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.dirty {
		return nil
	}
	doc := kindsDoc{Format: 1, Metrics: map[string]kindDoc{}}
	for name, m := range k.by {
		doc.Metrics[name] = kindDoc{Type: string(m.Type), Unit: m.Unit, Help: m.Help}
	}
	raw, err := json.Marshal(doc)
	if err == nil {
		err = os.WriteFile(path+".tmp", raw, 0o600)
	}
	if err == nil {
		err = os.Rename(path+".tmp", path)
	}
	if err != nil {
		return fmt.Errorf("write kinds of metrics: %w", err)
	}
	k.dirty = false
	return nil
}

// Describe says what a metric is: its type decides how it is rolled up. The
// name is that of the family, without _bucket, _sum, _count.
func (s *Store) Describe(name string, m metadata.Metadata) {
	if len(m.Help) > mostHelp {
		m.Help = strings.ToValidUTF8(m.Help[:mostHelp], "")
	}
	k := s.kinds
	k.mu.Lock()
	defer k.mu.Unlock()
	if old, known := k.by[name]; name == "" || known && old == m || !known && len(k.by) >= mostKinds {
		return
	}
	k.by[strings.Clone(name)] = metadata.Metadata{Type: m.Type, Unit: strings.Clone(m.Unit), Help: strings.Clone(m.Help)}
	k.dirty = true
}

// Metadata is what is known of each metric, by the name of its family.
func (s *Store) Metadata() map[string]metadata.Metadata {
	s.kinds.mu.Lock()
	defer s.kinds.mu.Unlock()
	return maps.Clone(s.kinds.by)
}

// counter says whether the series of a name only grow, but for resets: by
// what was said, else by the name as Prometheus writes them.
func (k *kinds) counter(name string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if m, ok := k.by[name]; ok && m.Type != model.MetricTypeUnknown {
		return m.Type == model.MetricTypeCounter
	}
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		family, cut := strings.CutSuffix(name, suffix)
		if !cut {
			continue
		}
		if m, ok := k.by[family]; ok {
			return m.Type == model.MetricTypeHistogram || m.Type == model.MetricTypeSummary
		}
		return true
	}
	return strings.HasSuffix(name, "_total")
}
