package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/prompb"

	"posthouse/sysmon/query"
	"posthouse/sysmon/store"
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// box is a store with a clock that the test moves, and what it said to its log.
type box struct {
	t   *testing.T
	s   *store.Store
	dir string
	at  atomic.Int64 // ms

	mu  sync.Mutex
	log bytes.Buffer
}

func (b *box) now() time.Time { return time.UnixMilli(b.at.Load()) }

// Write takes the log.
func (b *box) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(p)
}

func (b *box) logged() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.String()
}

// newBox begins some minutes ago, so that a test can let time pass quickly.
func newBox(t *testing.T) *box {
	t.Helper()
	b := &box{t: t, dir: t.TempDir()}
	b.at.Store(time.Now().Add(-40 * time.Minute).Truncate(time.Second).UnixMilli())
	var err error
	b.s, err = store.Open(filepath.Join(b.dir, "metrics"), store.Options{Now: b.now})
	ok(t, err)
	t.Cleanup(func() { ok(t, b.s.Close()) })
	return b
}

func named(name string, n int) labels.Labels {
	return labels.FromStrings("__name__", name, "instance", "box", "job", "chat", "n", fmt.Sprint(n))
}

// rounds samples as often, 15 s apart: 50 series, and one that ends and comes
// back.
func (b *box) rounds(n int) {
	b.t.Helper()
	for range n {
		at := b.at.Add(15_000)
		app := b.s.Appender(context.Background())
		for i := range 50 {
			_, err := app.Append(0, named("figure", i), at, float64(at/1000%1000)+float64(i)/8)
			ok(b.t, err)
		}
		v := 1.0
		if at/15_000%4 == 0 {
			v = math.Float64frombits(value.StaleNaN)
		}
		_, err := app.Append(0, named("comes_and_goes", 0), at, v)
		ok(b.t, err)
		ok(b.t, app.Commit())
	}
}

func (b *box) writer(url string, change func(*Options)) *Writer {
	b.t.Helper()
	o := Options{Dir: b.dir, URL: url, Queryable: b.s.Queryable(), Interval: 10 * time.Millisecond, Now: b.now, Log: slog.New(slog.NewTextHandler(b, nil))}
	if change != nil {
		change(&o)
	}
	w, err := New(o)
	ok(b.t, err)
	return w
}

// running calls Run until the test or the func that it gives ends it.
func running(t *testing.T, w *Writer) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); w.Run(ctx) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !holds(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// figures are the samples of a metric, as both answer them.
func figures(t *testing.T, body []byte) string {
	var a struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Values [][2]any
			}
		}
	}
	if json.Unmarshal(body, &a) != nil {
		return "none"
	}
	out := map[string]string{}
	for _, r := range a.Data.Result {
		out[fmt.Sprint(r.Metric)] = fmt.Sprint(r.Values)
	}
	return strings.ReplaceAll(fmt.Sprint(out), "] ", "]\n")
}

// debian is Debian's Prometheus as a receiver.
type debian struct {
	t    *testing.T
	dir  string
	addr string
	cmd  *exec.Cmd
}

func newDebian(t *testing.T) *debian {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	ok(t, err)
	d := &debian{t: t, dir: t.TempDir(), addr: ln.Addr().String()}
	ok(t, ln.Close())
	ok(t, os.WriteFile(filepath.Join(d.dir, "prometheus.yml"), []byte("global: {}\n"), 0o600))
	t.Cleanup(func() { d.kill() })
	return d
}

func (d *debian) start() {
	d.t.Helper()
	d.cmd = exec.Command("prometheus", "--web.enable-remote-write-receiver", "--config.file="+filepath.Join(d.dir, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(d.dir, "data"), "--web.listen-address="+d.addr, "--log.level=warn")
	d.cmd.Stderr = d.t.Output()
	if err := d.cmd.Start(); err != nil {
		d.t.Fatalf("%v: install Debian's prometheus (packaging/test-deps.sh)", err)
	}
	eventually(d.t, "Prometheus is ready", func() bool {
		res, err := http.Get("http://" + d.addr + "/-/ready")
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

func (d *debian) kill() {
	if d.cmd != nil {
		_ = d.cmd.Process.Kill()
		_ = d.cmd.Wait()
		d.cmd = nil
	}
}

func (d *debian) has(expr string, at time.Time) string {
	res, err := http.Get("http://" + d.addr + "/api/v1/query?" + url.Values{"query": {expr}, "time": {fmt.Sprint(at.Unix())}}.Encode())
	if err != nil {
		return "nothing"
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	ok(d.t, err)
	return figures(d.t, raw)
}

// What the box has, Debian's Prometheus has: sample for sample, also after it
// was killed and away, and after the box was restarted meanwhile.
func TestDebiansPrometheusHasWhatTheBoxHas(t *testing.T) {
	b, d := newBox(t), newDebian(t)
	b.rounds(3) // before the first start: stays here
	begin := b.now()
	d.start()
	stop := running(t, b.writer("http://"+d.addr+"/api/v1/write", nil))
	api := query.New(b.s.Queryable(), query.Limits{}).API(query.Deps{})
	same := func() bool {
		for _, name := range []string{"figure", "comes_and_goes"} {
			at := b.now().Add(time.Second).Truncate(time.Second)
			expr := fmt.Sprintf("%s[%ds]", name, int(at.Sub(begin).Seconds())-1)
			_, _, body := api.Serve(context.Background(), "/api/v1/query", url.Values{"query": {expr}, "time": {fmt.Sprint(at.Unix())}})
			if here, there := figures(t, body), d.has(expr, at); here != there || len(here) < 100 {
				return false
			}
		}
		return true
	}
	b.rounds(20)
	eventually(t, "it has the first five minutes", same)
	d.kill()
	b.rounds(20)
	eventually(t, "the box says that it waits", func() bool { return strings.Contains(b.logged(), "metrics are not sent on") })
	d.start()
	eventually(t, "it has what it missed", same)
	if !strings.Contains(b.logged(), "sent on again") {
		t.Error("nothing is said about its coming back")
	}
	stop()
	b.rounds(20)
	running(t, b.writer("http://"+d.addr+"/api/v1/write", nil))
	b.rounds(1)
	eventually(t, "it has what was sampled while nothing was sent", same)
	if early := d.has("figure[1h]", begin.Add(-time.Second)); early != "map[]" {
		t.Errorf("it has samples of before the first start: %s", early)
	}
}

// receiver is an end that does what the test wants.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	got  map[string][]float64 // by name and n
	does func(w http.ResponseWriter, r *http.Request, req *prompb.WriteRequest) bool
	asks int
}

func newReceiver(t *testing.T, does func(w http.ResponseWriter, r *http.Request, req *prompb.WriteRequest) bool) *receiver {
	r := &receiver{got: map[string][]float64{}, does: does}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, h *http.Request) {
		raw, err := io.ReadAll(h.Body)
		if err == nil {
			raw, err = snappy.Decode(nil, raw)
		}
		var req prompb.WriteRequest
		if err == nil {
			err = req.Unmarshal(raw)
		}
		if err != nil || h.Method != http.MethodPost || h.Header.Get("X-Prometheus-Remote-Write-Version") != "0.1.0" || h.Header.Get("Content-Type") != "application/x-protobuf" || h.Header.Get("Content-Encoding") != "snappy" {
			t.Errorf("%s %v %v", h.Method, h.Header, err)
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.asks++
		if does != nil && !does(w, h, &req) {
			return
		}
		for _, ts := range req.Timeseries {
			key := ts.Labels[0].Value + ts.Labels[len(ts.Labels)-1].Value
			for _, s := range ts.Samples {
				r.got[key] = append(r.got[key], s.Value)
			}
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) samples(key string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got[key])
}

func TestTheTokenIsSentAndSaidNowhere(t *testing.T) {
	const secret = "s3cret-token-of-the-receiver"
	b := newBox(t)
	file := filepath.Join(t.TempDir(), "token")
	ok(t, os.WriteFile(file, []byte("not-yet\n"), 0o600))
	var wrong atomic.Int32
	r := newReceiver(t, func(w http.ResponseWriter, h *http.Request, _ *prompb.WriteRequest) bool {
		if given := h.Header.Get("Authorization"); given != "Bearer "+secret || wrong.Add(1) == 1 {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, "you sent %s, and that is wrong", given) // as a careless receiver does
			return false
		}
		return true
	})
	w := b.writer(r.URL+"/write?key=also-s3cret", func(o *Options) { o.TokenFile = file })
	running(t, w)
	b.rounds(4)
	eventually(t, "it is refused", func() bool { return strings.Contains(b.logged(), "401") })
	ok(t, os.WriteFile(file, []byte(secret+"\n"), 0o600))
	eventually(t, "everything arrives once the file is right", func() bool { return r.samples("figure7") == 4 })
	var text bytes.Buffer
	w.Write(&text)
	if said := b.logged() + text.String(); strings.Contains(said, "s3cret") || strings.Contains(said, "not-yet") {
		t.Errorf("a secret is in the log:\n%s", said)
	}
	raw, err := os.ReadFile(filepath.Join(b.dir, positionAt))
	if err != nil || strings.Contains(string(raw), "s3cret") {
		t.Errorf("the file has %s, %v", raw, err)
	}
}

// What a receiver will never want costs itself alone.
func TestOneRefusedSeriesCostsItselfAlone(t *testing.T) {
	b := newBox(t)
	r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, req *prompb.WriteRequest) bool {
		for _, ts := range req.Timeseries {
			if ts.Labels[len(ts.Labels)-1].Value == "13" {
				http.Error(w, "thirteen is not wanted", http.StatusBadRequest)
				return false
			}
		}
		return true
	})
	w := b.writer(r.URL, nil)
	b.rounds(4)
	ok(t, w.Once(t.Context()))
	for i := range 50 {
		want := 4
		if i == 13 {
			want = 0
		}
		if n := r.samples(fmt.Sprint("figure", i)); n != want {
			t.Errorf("%d samples of figure %d arrived, want %d", n, i, want)
		}
	}
	if n := w.meters.refused.Load(); n != 4 {
		t.Errorf("%d refused, want 4", n)
	}
	var text bytes.Buffer
	w.Write(&text)
	lint := exec.Command("promtool", "check", "metrics")
	lint.Stdin = &text
	if out, err := lint.CombinedOutput(); err != nil {
		t.Errorf("promtool: %v %s", err, out)
	}
	for _, f := range w.Families() {
		if f.Help.ZH == "" || f.Normal.ZH == "" || f.Action.ZH == "" {
			t.Errorf("%s is not told about in both languages", f.Name)
		}
	}
}

// A receiver that refuses everything must not cost a request for each sample.
func TestARefusalOfEverythingIsCheap(t *testing.T) {
	b := newBox(t)
	r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ *prompb.WriteRequest) bool {
		http.Error(w, "no", http.StatusUnprocessableEntity)
		return false
	})
	w := b.writer(r.URL, nil)
	b.rounds(100)
	ok(t, w.Once(t.Context()))
	if n := w.meters.refused.Load(); n != 5100 {
		t.Errorf("%d refused, want 5100", n)
	}
	if r.asks > 2*100+3*looksPerMinute {
		t.Errorf("%d requests for 100 moments", r.asks)
	}
}

// While a receiver takes a request and never answers, sampling goes on.
func TestAReceiverThatHangsHoldsNothingUp(t *testing.T) {
	b := newBox(t)
	asked, end := make(chan struct{}, 1), make(chan struct{})
	r := newReceiver(t, func(http.ResponseWriter, *http.Request, *prompb.WriteRequest) bool {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-end
		return true
	})
	stop := running(t, b.writer(r.URL, nil))
	b.rounds(1)
	<-asked
	b.rounds(40)
	if b.s.Stats().Samples != 41*51 {
		t.Errorf("%d samples", b.s.Stats().Samples)
	}
	close(end)
	eventually(t, "all arrive", func() bool { return r.samples("figure0") == 41 })
	stop()
}

// The results of rules must not meet those of a receiver with the same rules.
func TestResultsOfRulesAreMarked(t *testing.T) {
	b := newBox(t)
	r := newReceiver(t, func(_ http.ResponseWriter, _ *http.Request, req *prompb.WriteRequest) bool {
		for _, ts := range req.Timeseries {
			marked := false
			for _, l := range ts.Labels {
				marked = marked || l.Name == "evaluated_by" && l.Value == "posthouse"
			}
			if name := ts.Labels[0].Value; marked != (name == "ALERTS" || name == "job:figure:sum") {
				t.Errorf("%v", ts.Labels)
			}
		}
		return true
	})
	w := b.writer(r.URL, nil)
	app := b.s.Appender(t.Context())
	for _, name := range []string{"ALERTS", "figure", "job:figure:sum"} {
		_, err := app.Append(0, named(name, 0), b.at.Add(1), 1)
		ok(t, err)
	}
	ok(t, app.Commit())
	ok(t, w.Once(t.Context()))
	if r.samples("figure0") != 1 {
		t.Error("nothing arrived")
	}
}

// Patience has an end, which is counted; a receiver says how long it wants to
// be left alone.
func TestWhatIsGivenUpIsCounted(t *testing.T) {
	b := newBox(t)
	away := atomic.Bool{}
	r := newReceiver(t, func(w http.ResponseWriter, _ *http.Request, _ *prompb.WriteRequest) bool {
		if away.Load() {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
			return false
		}
		return true
	})
	w := b.writer(r.URL, func(o *Options) { o.Backlog = 10 * time.Minute })
	b.rounds(4)
	ok(t, w.Once(t.Context()))
	away.Store(true)
	b.rounds(60)
	if err := w.Once(t.Context()); pleaOf(err) != 7*time.Second {
		t.Errorf("a busy receiver: %v", err)
	}
	away.Store(false)
	ok(t, w.Once(t.Context()))
	if n := r.samples("figure0"); n != 4+40 {
		t.Errorf("%d samples, want those of ten minutes and the first four", n)
	}
	var text bytes.Buffer
	w.Write(&text)
	for _, line := range []string{"posthouse_remote_write_given_up_seconds_total 300\n", "posthouse_remote_write_behind_seconds 0\n", `posthouse_remote_write_requests_total{result="failed"} 1` + "\n"} {
		if !strings.Contains(text.String(), line) {
			t.Errorf("%q is not in\n%s", line, text.String())
		}
	}
}

// A sample that was stored late, as a rule's may be, and a clock that goes back
// and forth.
func TestLateSamplesAndJumpingClocks(t *testing.T) {
	b := newBox(t)
	r := newReceiver(t, nil)
	w := b.writer(r.URL, nil)
	b.rounds(4)
	ok(t, w.Once(t.Context()))
	late := b.s.Appender(t.Context())
	_, err := late.Append(0, named("late", 0), b.at.Load()-20_000, 7)
	ok(t, err)
	ok(t, late.Commit())
	ok(t, w.Once(t.Context()))
	if r.samples("late0") != 1 || r.samples("figure0") != 4 {
		t.Errorf("late %d, in time %d", r.samples("late0"), r.samples("figure0"))
	}
	b.at.Add(-40_000) // NTP corrects the clock: samples are refused until it has caught up
	ok(t, w.Once(t.Context()))
	b.at.Add(40_000)
	b.rounds(1)
	ok(t, w.Once(t.Context()))
	if n := r.samples("figure0"); n != 5 {
		t.Errorf("%d after a small step, want 5", n)
	}
	b.at.Add(time.Hour.Milliseconds()) // an hour ahead, and back
	b.rounds(2)
	ok(t, w.Once(t.Context()))
	b.at.Add(-time.Hour.Milliseconds() - 5000)
	ok(t, w.Once(t.Context()))
	if w.until.Load() > b.at.Load() {
		t.Errorf("the position stays %d ms in the future", w.until.Load()-b.at.Load())
	}
	if !strings.Contains(b.logged(), "clock was set back") {
		t.Error("nothing is said of the clock")
	}
}
