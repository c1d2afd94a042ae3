// Package healthtest owns stored figures for tests: a real time series database
// in a directory and the real query engine over it. It runs the goroutines of
// the database; they end with the test.
package healthtest

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"

	"posthouse/sysmon/health"
	"posthouse/sysmon/query"
)

// Figures is a health.Source that a test fills.
type Figures struct {
	health.Source
	t  testing.TB
	db *tsdb.DB
}

// New opens an empty one.
func New(t testing.TB) *Figures {
	t.Helper()
	opt := tsdb.DefaultOptions()
	opt.RetentionDuration = (400 * 24 * time.Hour).Milliseconds()
	opt.OutOfOrderTimeWindow = (60 * 24 * time.Hour).Milliseconds()
	db, err := tsdb.Open(t.TempDir(), nil, nil, opt, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Figures{health.Figures(query.New(db, query.Limits{})), t, db}
}

// Put writes one series: f from a time to another, every step. A NaN is a gap.
func (f *Figures) Put(from, to time.Time, step time.Duration, value func(at time.Time) float64, name string, pairs ...string) {
	f.t.Helper()
	a := f.db.Appender(context.Background())
	set := labels.FromStrings(append([]string{"__name__", name}, pairs...)...)
	var ref storage.SeriesRef
	for at := from; !at.After(to); at = at.Add(step) {
		v := value(at)
		if math.IsNaN(v) {
			continue
		}
		var err error
		if ref, err = a.Append(ref, set, at.UnixMilli(), v); err != nil {
			f.t.Fatal(err)
		}
	}
	if err := a.Commit(); err != nil {
		f.t.Fatal(err)
	}
}
