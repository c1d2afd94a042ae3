package gate

import (
	"encoding/json"
	"math"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"posthouse/appliance/chat"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// metric is a figure of /metrics; zero when it is not there.
func (h *house) metric(name string) float64 {
	h.t.Helper()
	_, body := h.request("GET", "/metrics", "", nil)
	for line := range strings.Lines(body) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				h.t.Fatal(line)
			}
			return v
		}
	}
	return 0
}

func (h *house) streams(token string) *strict {
	h.t.Helper()
	s := h.connect(token)
	s.must("sync.start", wire.SyncParams{}, nil)
	eventually(h.t, "live", func() bool { return allQuiet(h.g.hub.every()) })
	return s
}

// Sockets are counted as they open, close, and are killed; people once each,
// and virtual users not at all.
func TestConnectionsAreCounted(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	one, two := h.streams(f.device(1, 11)), h.streams(f.device(1, 12))
	three := h.streams(f.device(2, 21))
	probe := h.streams(f.device(firstProbe, 91))
	for name, want := range map[string]float64{"connections_total": 3, "connections_active": 3, "im_sessions_active": 4, "im_active_users_total": 2, "im_active_users": 2} {
		if got := h.metric(name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if n := len(h.g.Sessions()); n != 4 {
		t.Errorf("%d sessions listed", n)
	}
	if err := one.put(opClose, true, nil); err != nil {
		t.Fatal(err)
	}
	_ = two.c.Close()
	_ = probe.c.Close()
	eventually(t, "one socket", func() bool { return h.metric("connections_active") == 1 && h.metric("im_active_users_total") == 1 })
	if h.metric("connections_total") != 3 || h.metric("session_duration_seconds_count") != 2 {
		t.Errorf("%v connections, %v sessions over", h.metric("connections_total"), h.metric("session_duration_seconds_count"))
	}
	at := slices.IndexFunc(h.g.Sessions(), func(s wire.SessionInfo) bool { return s.User == 2 })
	if info, ok := h.g.Disconnect(h.g.Sessions()[at].Connection); !ok || info.User != 2 {
		t.Errorf("disconnected %+v, %v", info, ok)
	}
	if c := three.ends(); c.code != closeRestart {
		t.Errorf("closed with %v", c)
	}
	eventually(t, "no socket", func() bool { return h.metric("connections_active") == 0 })
}

// A session of ten seconds, by the server's clock, lands in the bucket up to
// ten, and not in the one below.
func TestASessionsTimeLandsInItsBucket(t *testing.T) {
	f := newFake()
	var passed atomic.Int64
	began := time.Now()
	h := open4test(t, f, func(o *Options) { o.Now = func() time.Time { return began.Add(time.Duration(passed.Load())) } })
	s := h.streams(f.device(1, 11))
	passed.Store(int64(10 * time.Second))
	_ = s.c.Close()
	eventually(t, "the session is counted", func() bool { return h.metric("session_duration_seconds_count") == 1 })
	if one, ten := h.metric(`session_duration_seconds_bucket{le="1"}`), h.metric(`session_duration_seconds_bucket{le="10"}`); one != 0 || ten != 1 {
		t.Errorf("%v within a second, %v within ten", one, ten)
	}
}

// Deliveries are counted for each device online, acknowledgements as they come.
// A device that lives and never acknowledges shows in their ratio after ten
// seconds; one that says nothing more does not, and what was on its way when its
// connection ended counts apart, as people who are away do. What they get later
// is no delivery.
func TestDeliveriesAndAcknowledgements(t *testing.T) {
	f := newFake()
	var passed atomic.Int64
	h := open4test(t, f, func(o *Options) { o.Now = func() time.Time { return time.Now().Add(time.Duration(passed.Load())) } })
	f.join(1, 1, 2, 3, 4, 5)
	writer, ann, mute, shut := h.streams(f.device(1, 11)), h.streams(f.device(2, 21)), h.streams(f.device(3, 31)), h.streams(f.device(5, 51))
	var sent wire.Sent
	for range 10 {
		writer.must("message.send", wire.SendParams{Room: 1, Text: "hello"}, &sent)
		for _, s := range []*strict{ann, mute, shut} {
			s.event("message")
		}
	}
	ann.must("sync.ack", wire.AckParams{Position: sent.Position}, nil)
	eventually(t, "counted", func() bool { return h.metric("im_delivery_acks_total") == 10 })
	figures := func(want map[string]float64) {
		t.Helper()
		for name, want := range want {
			if got := h.metric(name); got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
	}
	figures(map[string]float64{"im_deliveries_total": 10, "im_deliveries_left_total": 0, "im_deliveries_offline_total": 10, "im_delivery_latency_seconds_count": 10,
		"im_conversations_active": 1, `im_action_total{action="send",result="ok"}`: 10})
	if sum := h.metric("im_delivery_latency_seconds_sum"); sum < 0 || sum > 100 {
		t.Errorf("latencies sum up to %v s", sum)
	}
	passed.Store(int64(11 * time.Second))
	eventually(t, "the mute device is found", func() bool {
		mute.must("sync.ping", struct{}{}, nil)
		return h.metric("im_deliveries_total") > 10
	})
	_ = shut.c.Close()
	eventually(t, "the other one is gone", func() bool { return h.metric("im_deliveries_left_total") > 0 })
	figures(map[string]float64{"im_deliveries_total": 20, "im_delivery_acks_total": 10, "im_deliveries_left_total": 10})
	for _, info := range h.g.Sessions() {
		if info.User == 3 && info.Unacked != 10 {
			t.Errorf("the mute device has %d unacknowledged", info.Unacked)
		}
	}
	mute.must("sync.ack", wire.AckParams{Position: sent.Position}, nil) // late is better than never
	eventually(t, "counted", func() bool { return h.metric("im_delivery_acks_total") == 20 })
	late := h.connect(f.device(4, 41))
	late.must("sync.start", wire.SyncParams{Since: 1}, nil)
	late.event("message")
	late.must("sync.ack", wire.AckParams{Position: sent.Position}, nil)
	eventually(t, "the stream is at its end", func() bool { return allQuiet(h.g.hub.every()) })
	figures(map[string]float64{"im_deliveries_total": 20, "im_delivery_acks_total": 20, "im_deliveries_left_total": 10})
}

// Virtual users' messages are in no figure about people.
func TestVirtualUsersAreLeftOut(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	f.join(5, firstProbe, firstProbe+1)
	a, b := h.streams(f.device(firstProbe, 91)), h.streams(f.device(firstProbe+1, 92))
	var sent wire.Sent
	a.must("message.send", wire.SendParams{Room: 5, Text: "probe"}, &sent)
	b.event("message")
	b.must("sync.ack", wire.AckParams{Position: sent.Position}, nil)
	for _, name := range []string{"im_deliveries_total", "im_delivery_acks_total", "im_deliveries_offline_total", "im_conversations_active", "im_active_users_total",
		"connections_active", "connections_total", `im_action_total{action="send",result="ok"}`, `im_action_total{action="push",result="ok"}`} {
		if got := h.metric(name); got != 0 {
			t.Errorf("%s is %v", name, got)
		}
	}
}

// A fault of the service shows as a 5xx, as an error of its action, and by its
// kind; the time of an endpoint agrees with what the caller measured.
func TestErrorsAndTimes(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	token := f.device(1, 11)
	header := bearerHeader(token)
	header.Set("Content-Type", "application/json")
	fault := true
	var asked atomic.Int64
	var work []time.Duration // of the calls: a tenth to four tenths of a second, evenly
	for i := range 80 {
		work = append(work, 100*time.Millisecond+time.Duration(i*37%80)*300*time.Millisecond/80)
	}
	f.do = func(_ *chat.Call, method string, _ []byte, reply func(any, *wire.Error)) bool {
		if method != "room.list" {
			return false
		}
		if fault {
			reply(nil, &wire.Error{Kind: wire.Internal, Text: wire.Text{En: "a fault", Zh: "故障"}})
			return true
		}
		<-time.After(work[int(asked.Add(1))%len(work)])
		reply(wire.RoomList{}, nil)
		return true
	}
	for range 3 {
		if res, _ := h.post("room.list", "{}", header); res.StatusCode != http.StatusInternalServerError {
			t.Fatal(res.Status)
		}
	}
	if n := h.metric(`http_requests_total{method="POST",endpoint="/api/room.list",status="500"}`); n != 3 {
		t.Errorf("%v of status 500", n)
	}
	if e, a := h.metric(`im_errors_total{kind="internal"}`), h.metric(`im_action_total{action="pull",result="error"}`); e != 3 || a != 3 {
		t.Errorf("%v internal errors, %v failed pulls", e, a)
	}
	fault = false
	var mu sync.Mutex
	var took []float64
	var load sync.WaitGroup
	for range 8 {
		load.Go(func() {
			for range len(work) / 8 {
				began := time.Now()
				h.post("room.list", "{}", header)
				mu.Lock()
				took = append(took, time.Since(began).Seconds())
				mu.Unlock()
			}
		})
	}
	load.Wait()
	slices.Sort(took)
	m := h.g.meters.took.With("/api/room.list")
	for _, q := range []float64{.55, .95} { // the three faults before them were quick
		mine := took[int(q*float64(len(took)+3))-3]
		if p := m.Quantile(q); math.Abs(p/mine-1) > .1 {
			t.Errorf("p%v is %v s by the server and %v s by who called", q*100, p, mine)
		}
	}
}

// A query under way is listed and can be cancelled; one that took long stays in
// the list of slow operations.
func TestQueriesAreListedAndCancelled(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	f.do = func(c *chat.Call, method string, _ []byte, reply func(any, *wire.Error)) bool {
		if method != "search.messages" {
			return false
		}
		go func() {
			<-c.Context.Done()
			reply(nil, wire.Refuse(wire.Unavailable, "given up", "已放弃"))
		}()
		return true
	}
	s := h.streams(f.device(1, 11))
	call := s.ask("search.messages", wire.SearchParams{Query: "hello"})
	var op uint64
	eventually(t, "listed", func() bool {
		for _, o := range h.g.o.Operations.UnderWay(0) {
			if o.Name == "search.messages" && o.User == id.ID(1).String() && o.Cancelable {
				op = o.ID
			}
		}
		return op != 0
	})
	if _, found, done := h.g.o.Operations.Cancel(op); !found || !done {
		t.Fatal("not cancelled")
	}
	for {
		m, err := s.receive()
		if err != nil {
			t.Fatal(err)
		}
		if raw, _ := json.Marshal(m.ID); strings.Contains(string(raw), strings.Trim(call, `"`)) {
			if m.Error == nil || m.Error.Data.Kind != string(wire.Unavailable) {
				t.Errorf("answered %+v", m)
			}
			break
		}
	}
	eventually(t, "gone", func() bool { return len(h.g.o.Operations.UnderWay(0)) == 0 })
}

// What the gate exposes is what Prometheus' own linter takes, and everything is
// described in both languages.
func TestMetricsPassPromtool(t *testing.T) {
	f := newFake()
	h := open4test(t, f, nil)
	f.join(1, 1, 2)
	writer, _ := h.streams(f.device(1, 11)), h.streams(f.device(2, 21))
	writer.must("message.send", wire.SendParams{Room: 1, Text: "hello"}, nil)
	h.request("GET", "/nothing", "", nil)
	_, body := h.request("GET", "/metrics", "", nil)
	cmd := exec.Command("promtool", "check", "metrics")
	cmd.Stdin = strings.NewReader(body)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
	for _, m := range h.g.o.Meter.Describe() {
		if m.Normal.EN == "" || m.Normal.ZH == "" || m.Action.EN == "" || m.Action.ZH == "" || m.Source == "" {
			t.Errorf("%s is not told about", m.Name)
		}
	}
}
