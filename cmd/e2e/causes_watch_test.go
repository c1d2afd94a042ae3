package e2e

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"posthouse/sysmon/alert"
	"posthouse/sysmon/notify"
)

// watchStage is a server that watches with difficulty: what it sends is refused
// by the other side, a part of the building is cut off, and its machine has
// more network cards than it keeps series for.
func watchStage() stage {
	other, far := &refuser{}, &receiver{}
	var wing *line
	return stage{name: "watch", factor: 60, settings: []string{"watch.max_series=4000"},
		prepare: func(b *box) {
			b.kernel.showsNetwork()
			must(b.t, b.kernel.showsCards(containers(1)))
			other.opens(b)
			far.lives(b)
			b.settings = append(b.settings, "watch.remote_write_url=http://"+far.at+"/api/v1/write")
		},
		lines: []caused{
			{alert: "SubnetUnreachable", where: map[string]string{"subnet": "South wing"},
				cause: func(b *box) {
					wing = cable(b.t, b.localAddr)
					b.reportsFrom("South wing", wing)
					wing.stopAfter(0)
				},
				mend: func(*box) { wing.mend() }, shows: []string{"sick South wing", "subnet_silent South wing"}},
			{alert: "NotificationsFailing", where: map[string]string{"channel": "duty"}, cause: func(*box) { other.refuses.Store(true) },
				mend: func(*box) { other.refuses.Store(false) }, shows: []string{"channels duty", "sent result=error"}},
			{alert: "RemoteWriteFailing", cause: func(b *box) {
				b.await("samples at the receiver", b.alertsSaid, func() bool { return far.took.Load() > 0 })
				far.dies()
			}, mend: far.lives, shows: []string{"sent_behind", "sent_requests result=failed"}},
			{alert: "CardinalityCapReached", cause: func(b *box) { must(b.t, b.kernel.showsCards(containers(400))) },
				mend: keepMore, shows: []string{"series node_network"}},
		}}
}

// containers are the network cards of so many containers.
func containers(n int) string {
	var out strings.Builder
	out.WriteString(cardsHead)
	for i := range n {
		fmt.Fprintf(&out, "  veth%d: 1000 10 0 0 0 0 0 0 1000 10 0 0 0 0 0 0\n", i)
	}
	return out.String()
}

// keepMore lets the server keep more series: those of cards that are gone stay
// for hours, and there is no room beside them.
func keepMore(b *box) {
	b.t.Helper()
	b.stop()
	b.settings = append(b.settings, "watch.max_series=20000")
	b.starts()
}

// refuser is the machine of those on duty, which hears every second that the
// server is alive, and at times does not want to.
type refuser struct{ refuses atomic.Bool }

func (r *refuser) opens(b *box) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if r.refuses.Load() {
			http.Error(w, "down for maintenance", http.StatusServiceUnavailable)
		}
	}))
	b.t.Cleanup(s.Close)
	plan := alert.DefaultPlan()
	plan.Heartbeat = alert.HeartbeatTo{Channel: "duty", Every: alert.Span(time.Second)}
	b.appoints([]notify.Channel{{ID: "duty", Name: "duty", Kind: "webhook", Lang: "en", Settings: map[string]string{"url": s.URL}}}, plan)
}

// receiver is a machine elsewhere that takes samples while it lives.
type receiver struct {
	at   string
	took atomic.Uint64 // requests
	dies func()
}

// lives starts it, again at the same address.
func (r *receiver) lives(b *box) {
	b.t.Helper()
	if r.at == "" {
		r.at = freePort(b.t)
	}
	ln, err := net.Listen("tcp", r.at)
	must(b.t, err)
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		_, _ = io.Copy(io.Discard, q.Body)
		r.took.Add(1)
		w.WriteHeader(http.StatusNoContent)
	})}
	go func() { _ = s.Serve(ln) }() // ends with dies
	r.dies = func() { _ = s.Close() }
	b.t.Cleanup(r.dies)
}

// reportsFrom starts a probe whose way here is a cable, and waits until it has
// talked over it.
func (b *box) reportsFrom(subnet string, way *line) {
	b.t.Helper()
	token := runs(b.t, []string{"LC_ALL=C"}, binary, "probe", "token", "south", "--subnet", subnet, "--every", "10", "--data", b.dir)
	file := filepath.Join(b.t.TempDir(), "token")
	must(b.t, os.WriteFile(file, []byte(token), 0o600))
	var said log
	cmd := exec.Command(binary, "probe", "--report-to", "http://"+way.addr(), "--token-file", file)
	cmd.Env, cmd.Stderr = append(os.Environ(), "LC_ALL=C"), &said
	must(b.t, cmd.Start())
	b.t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() }) // what it did is on the map
	b.await("a report of "+subnet, said.tail, func() bool {
		var out struct{ Result []any }
		return b.asks(`/api/v1/query?query=posthouse_subnet_arrival_ratio==1`, &out) == nil && len(out.Result) > 0
	})
}
