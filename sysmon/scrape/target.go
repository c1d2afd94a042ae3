package scrape

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime/debug"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/metadata"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"

	"posthouse/sysmon/expo"
)

// What is wrong with a source.
var (
	errSlow = errors.New("the source does not answer in time")
	errLong = errors.New("the source writes too much")
	errTwin = errors.New("the source writes a series twice")
)

// forgotten is how many rounds a series may be missing before it is no longer
// remembered.
const forgotten = 10

// target is a source and what is remembered of its series.
type target struct {
	job     string
	source  expo.Source
	max     int
	labels  []labels.Label     // added to every series
	series  map[string]*series // by their text
	own     map[string]*series // up and the like
	read    []sample           // of the round, before any is stored
	running chan said          // of a source that was asked; nil: none
	late    bool               // it still answers a round before
	began   time.Time
}

type series struct {
	ref    storage.SeriesRef
	labels labels.Labels
	round  uint64 // in which it was seen last
	stale  bool   // the marker is written
}

type sample struct {
	s *series
	v float64
}

// said is what a source wrote.
type said struct {
	text []byte
	err  error
}

func newTarget(t Target, o Options) *target {
	return &target{job: t.Job, source: t.Source, max: o.MaxBytes,
		labels: []labels.Label{{Name: "instance", Value: o.Instance}, {Name: model.JobLabel, Value: t.Job}},
		series: map[string]*series{}, own: map[string]*series{}}
}

// begin asks the source, unless it still answers the round before.
func (t *target) begin() {
	if t.late = t.running != nil; t.late {
		select {
		case <-t.running:
			t.late = false
		default:
			return
		}
	}
	answer := make(chan said, 1)
	t.running, t.began = answer, time.Now()
	go func() {
		w := &bounded{most: t.max}
		defer func() {
			err := w.err
			if p := recover(); p != nil {
				err = fmt.Errorf("the source panicked: %v\n%s", p, debug.Stack())
			}
			answer <- said{w.text.Bytes(), err}
		}()
		t.source(w)
	}()
}

// wait gives what the source wrote, or why there is nothing.
func (t *target) wait(ctx context.Context) ([]byte, time.Duration, error) {
	select {
	case s := <-t.running:
		t.running = nil
		if t.late { // what it says is of a round before
			return nil, time.Since(t.began), errSlow
		}
		return s.text, time.Since(t.began), s.err
	case <-ctx.Done():
		return nil, time.Since(t.began), errSlow
	}
}

// bounded is a buffer that takes no more than most bytes.
type bounded struct {
	text bytes.Buffer
	most int
	err  error
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if b.text.Len()+len(p) > b.most {
		b.err = errLong
		return 0, errLong
	}
	return b.text.Write(p)
}

// append stores the samples of a text, or, when anything in it is wrong, none.
func (t *target) append(app storage.Appender, store Store, text []byte, at int64, round uint64) (samples int, err error) {
	p, err := textparse.New(text, "text/plain", nil, textparse.ParserOptions{FallbackContentType: "text/plain"})
	if p == nil {
		return 0, err
	}
	t.read = t.read[:0]
	var help string
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, fmt.Errorf("read what the source wrote: %w", err)
		}
		switch entry {
		case textparse.EntryHelp:
			_, text := p.Help()
			help = string(text)
		case textparse.EntryType:
			name, kind := p.Type()
			store.Describe(string(name), metadata.Metadata{Type: kind, Help: help})
			help = ""
		case textparse.EntrySeries:
			text, _, v := p.Series()
			s, known := t.series[string(text)]
			if !known {
				var l labels.Labels
				p.Labels(&l)
				s = &series{labels: t.whole(l)}
				t.series[string(text)] = s
			}
			if s.round == round {
				return 0, fmt.Errorf("%w: %s", errTwin, text)
			}
			s.round = round
			t.read = append(t.read, sample{s, v})
		}
	}
	for _, r := range t.read {
		r.s.stale = false
		r.s.put(app, at, r.v)
	}
	return len(t.read), nil
}

// whole adds the target's labels. What the source says of itself in their
// place is kept as exported_job and exported_instance.
func (t *target) whole(l labels.Labels) labels.Labels {
	b := labels.NewBuilder(l)
	for _, add := range t.labels {
		if was := l.Get(add.Name); was != "" {
			b.Set("exported_"+add.Name, was)
		}
		b.Set(add.Name, add.Value)
	}
	return b.Labels()
}

// put stores a sample. What the store refuses it counts itself.
func (s *series) put(app storage.Appender, at int64, v float64) {
	ref, err := app.Append(s.ref, s.labels, at, v)
	if err == nil {
		s.ref = ref
	} else {
		s.ref = 0
	}
}

// close ends a round of the target: markers for what is missing, and the
// figures about the round itself.
func (t *target) close(app storage.Appender, at int64, round uint64, took time.Duration, samples int, err error) {
	up := 1.0
	if err != nil {
		up = 0
	}
	for text, s := range t.series {
		switch {
		case err != nil || s.round < round:
			if !s.stale && s.ref != 0 {
				s.put(app, at, math.Float64frombits(value.StaleNaN))
			}
			s.stale = true
			if s.round+forgotten < round {
				delete(t.series, text)
			}
		}
	}
	t.figure(app, "up", at, round, up)
	t.figure(app, "scrape_duration_seconds", at, round, took.Seconds())
	t.figure(app, "scrape_samples_scraped", at, round, float64(samples))
}

func (t *target) figure(app storage.Appender, name string, at int64, round uint64, v float64) {
	s, known := t.own[name]
	if !known {
		s = &series{labels: t.whole(labels.FromStrings(model.MetricNameLabel, name))}
		t.own[name] = s
	}
	s.round = round
	s.put(app, at, v)
}

// stale marks everything.
func (t *target) stale(app storage.Appender, at int64, round uint64) {
	for _, list := range []map[string]*series{t.series, t.own} {
		for _, s := range list {
			if !s.stale && s.ref != 0 {
				s.put(app, at, math.Float64frombits(value.StaleNaN))
			}
			s.stale, s.round = true, round
		}
	}
}
