package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/google/renameio/v2"
	"github.com/prometheus/prometheus/storage"
)

// Bounds of what is read, sent and waited for.
const (
	overlap     = 2 * time.Minute // read again for samples that were stored late
	stride      = time.Minute     // read at once
	setBack     = time.Minute     // a clock that goes back by more moves the position
	saveEvery   = time.Minute
	batch       = 10_000 // samples in a request
	patience    = 30 * time.Second
	firstWait   = time.Second
	longestWait = 30 * time.Second
	longestPlea = 5 * time.Minute // of Retry-After
	positionAt  = "remote.json"
)

// Options are what a Writer is made of. Zero durations get the value named
// beside them.
type Options struct {
	Dir       string // for the position
	URL       string // of the receiver
	TokenFile string // empty: no token is sent
	Queryable storage.Queryable
	Interval  time.Duration // 15 s
	Backlog   time.Duration // a day; less than raw samples are kept
	Log       *slog.Logger  // none: silent
	Now       func() time.Time
}

// Writer sends samples on. Run is called once; the other methods may be called
// from any goroutine.
type Writer struct {
	o      Options
	to     string // for people: the address without its query
	client *http.Client
	meters meters

	until atomic.Int64 // the position, Unix ms
	known bool         // the position is of a run before
	saved int64
	since time.Time        // of the last save
	floor int64            // of series that seen does not have
	seen  map[uint64]int64 // newest time sent, by the hash of the labels
	probe int              // refusals that may still be looked into by series
	asked time.Time        // when probe was filled
	told  string           // the trouble that was logged last
}

// New makes a Writer. The error is that of the address, or of a position that
// cannot be read.
func New(o Options) (*Writer, error) {
	if o.Interval <= 0 {
		o.Interval = 15 * time.Second
	}
	if o.Backlog <= 0 {
		o.Backlog = 24 * time.Hour
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" {
		return nil, errors.New("send metrics on: the address of the receiver is none")
	}
	w := &Writer{o: o, to: (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String(), seen: map[uint64]int64{}}
	w.client = &http.Client{Timeout: patience, Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, IdleConnTimeout: 5 * time.Minute, MaxIdleConnsPerHost: 1, TLSHandshakeTimeout: 10 * time.Second},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return w, w.load()
}

// position is the file.
type position struct {
	Format int    `json:"format"`
	To     string `json:"to"`
	Until  int64  `json:"until"`
}

func (w *Writer) load() error {
	now := w.o.Now().UnixMilli()
	w.until.Store(now)
	w.floor = now
	raw, err := os.ReadFile(filepath.Join(w.o.Dir, positionAt))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read how far metrics were sent on: %w", err)
	}
	var p position
	if err := json.Unmarshal(raw, &p); err != nil || p.Format != 1 {
		w.o.Log.Warn("the position of remote write cannot be read; it begins now", "error", err)
		return nil
	}
	if p.To == w.to && p.Until > 0 {
		w.until.Store(p.Until)
		w.floor, w.saved, w.known = p.Until, p.Until, true
	}
	return nil
}

// save writes the position if it moved.
func (w *Writer) save() {
	until := w.until.Load()
	if until == w.saved {
		return
	}
	raw, err := json.Marshal(position{1, w.to, until})
	if err == nil {
		err = renameio.WriteFile(filepath.Join(w.o.Dir, positionAt), append(raw, '\n'), 0o600)
	}
	if err != nil {
		w.o.Log.Warn("the position of remote write is not kept", "error", err)
		return
	}
	w.saved, w.since = until, time.Now()
}

// Run sends until ctx ends.
func (w *Writer) Run(ctx context.Context) {
	defer w.client.CloseIdleConnections()
	defer w.save()
	if !w.known {
		w.save()
	}
	wait := firstWait
	for {
		pause := w.o.Interval
		err := w.Once(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			w.tell(err)
			pause = max(wait, min(pleaOf(err), longestPlea))
			wait = min(2*wait, longestWait)
		default:
			w.tell(nil)
			wait = firstWait
		}
		if time.Since(w.since) >= saveEvery {
			w.save()
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
	}
}

// tell logs a trouble once, and its end.
func (w *Writer) tell(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	switch {
	case text == w.told:
	case text == "":
		w.o.Log.Info("metrics are sent on again", "to", w.to)
	default:
		w.o.Log.Warn("metrics are not sent on; they wait here", "to", w.to, "behind", (time.Duration(w.behind()) * time.Millisecond).Round(time.Second).String(), "error", text)
	}
	w.told = text
}

// behind is how old the position is, in ms.
func (w *Writer) behind() int64 { return max(0, w.o.Now().UnixMilli()-w.until.Load()) }

// Once sends everything that is stored and was not sent. The error says why the
// receiver does not take it; the position stays there.
func (w *Writer) Once(ctx context.Context) error {
	now := w.o.Now().UnixMilli()
	from := w.until.Load()
	switch oldest := now - w.o.Backlog.Milliseconds(); {
	case from > now+setBack.Milliseconds():
		w.o.Log.Warn("the clock was set back; metrics are sent on from now", "by", (time.Duration(from-now) * time.Millisecond).String())
		w.restart(now - overlap.Milliseconds()) // samples since then are few and of the new time
	case from < oldest:
		w.o.Log.Warn("the receiver was away for too long; the oldest metrics are not sent on", "seconds", (oldest-from)/1000)
		w.meters.givenUp.Add(uint64(oldest - from))
		w.restart(oldest)
	}
	for ctx.Err() == nil {
		from := w.until.Load()
		until := min(now, from+stride.Milliseconds())
		if until > now-overlap.Milliseconds() { // late samples are of the last minutes
			from = min(from, now-overlap.Milliseconds())
		}
		list, err := w.read(ctx, from+1, until)
		if err != nil {
			return fmt.Errorf("read metrics to send on: %w", err)
		}
		if err := w.sendAll(ctx, list); err != nil {
			return err
		}
		w.until.Store(max(until, w.until.Load()))
		if until >= now {
			w.forget(now - 2*overlap.Milliseconds())
			return nil
		}
	}
	return ctx.Err()
}

// restart sets the position.
func (w *Writer) restart(at int64) {
	w.until.Store(at)
	w.floor = at
	clear(w.seen)
}

// forget drops series without samples since a time.
func (w *Writer) forget(before int64) {
	for hash, t := range w.seen {
		if t < before {
			delete(w.seen, hash)
		}
	}
}
