package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/sysmon/probe"
)

// box is a server on a stage.
type box struct {
	*office
	t     *testing.T
	tab   *tab
	begun time.Time
	// kernel are the files that stand in for those of the machine's kernel.
	kernel *kernel
	// bin are things of causes, by name, that mend takes away.
	bin map[string]func()
}

// later keeps what takes a cause away, for mend; the end of the test does it in
// any case.
func (b *box) later(name string, end func()) {
	done := false
	b.bin[name] = func() {
		if !done {
			done = true
			end()
		}
	}
	b.t.Cleanup(b.bin[name])
}

// undo does what was kept for later.
func (b *box) undo(name string) {
	b.t.Helper()
	end := b.bin[name]
	if end == nil {
		b.t.Fatalf("nothing was caused under the name %s", name)
	}
	end()
}

// beats does something several times a second until it is undone.
func (b *box) beats(name string, do func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			do()
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	b.later(name, func() { close(stop); <-done })
}

// several do something several times a second each, until they are undone.
func (b *box) several(name string, n int, do func(i int)) {
	var stops []func()
	for i := range n {
		each := fmt.Sprint(name, " ", i)
		b.beats(each, func() { do(i) })
		stops = append(stops, b.bin[each])
	}
	b.later(name, func() {
		for _, stop := range stops {
			stop()
		}
	})
}

// writes has the owner write to a room of hers, so many messages several times
// a second, until it is undone.
func (b *box) writes(name string, room id.ID, together int) {
	n := 0
	b.beats(name, func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for range together {
			n++
			if _, err := b.owner.Send(ctx, room, fmt.Sprintf("message %d", n)); err != nil {
				b.t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// connects opens so many more connections of a device.
func (b *box) connects(token string, n int) (open []*client.Client, err error) {
	for range n {
		c, err := client.Dial(context.Background(), client.Options{URL: b.url(), Token: token})
		if err != nil {
			return open, err
		}
		open = append(open, c)
		if err := c.Connect(context.Background()); err != nil {
			return open, err
		}
	}
	return open, nil
}

// drop closes connections.
func drop(open []*client.Client) {
	for _, c := range open {
		_ = c.Close() // it is to be gone
	}
}

// await waits twice as long as others do: figures have to be taken, rules to
// hold for their time.
func (b *box) await(what string, but func() string, is func() bool) {
	b.t.Helper()
	for end := time.Now().Add(2 * patience); !is(); {
		if time.Now().After(end) {
			b.t.Fatalf("waited %s for %s; %s", 2*patience, what, but())
		}
		<-time.After(5 * look)
	}
}

// starts starts the server again, with the page open meanwhile.
func (b *box) starts() {
	b.t.Helper()
	b.tab.expects(refusedConnections + `|net::ERR_INCOMPLETE_CHUNKED_ENCODING`)
	b.start()
}

// inside is a path as the server sees it.
func (b *box) inside(path string) string {
	return filepath.Join(fmt.Sprintf("/proc/%d/root", b.cmd.Process.Pid), path)
}

// straced lets strace meddle with the calls of the server until it is undone.
func (b *box) straced(name string, args ...string) {
	b.t.Helper()
	cmd := exec.Command(need(b.t, "strace"), append([]string{"-f", "-qq", "-o", "/dev/null", "-p", strconv.Itoa(b.cmd.Process.Pid)}, args...)...)
	must(b.t, cmd.Start())
	b.later(name, func() { _ = cmd.Process.Signal(syscall.SIGINT); _ = cmd.Wait() }) // it lets go, and ends by the signal
}

// probes makes the box try these every ten seconds, which is as often as it can.
func (b *box) probes(list ...probe.Definition) {
	b.t.Helper()
	raw, err := json.Marshal(map[string]any{"version": 1, "probes": list})
	must(b.t, err)
	must(b.t, os.WriteFile(filepath.Join(b.dir, "watch", "probes.json"), raw, 0o600))
}

// fired is an alert as the API tells it.
type fired struct {
	Labels map[string]string `json:"labels"`
	State  string            `json:"state"`
}

func (b *box) asks(path string, into any) error {
	res, err := http.Get(b.url() + path)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	var answer struct{ Data json.RawMessage }
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("%s: %w", body, err)
	}
	return json.Unmarshal(answer.Data, into)
}

func (b *box) alerts() []fired {
	var list struct{ Alerts []fired }
	if b.asks("/api/v1/alerts", &list) != nil { // it is being started
		return nil
	}
	return list.Alerts
}

// alertsSaid are the alerts of now, for who waited in vain.
func (b *box) alertsSaid() string {
	var out []string
	for _, a := range b.alerts() {
		out = append(out, fmt.Sprint(a.State, a.Labels))
	}
	return "alerts now:\n" + strings.Join(out, "\n")
}

// alert is the alert of a line while it fires, else nil.
func (b *box) alert(l caused) *fired {
	for _, a := range b.alerts() {
		fits := a.State == "firing" && a.Labels["alertname"] == l.alert
		for k, v := range l.where {
			fits = fits && strings.HasSuffix(a.Labels[k], v)
		}
		if fits {
			return &a
		}
	}
	return nil
}

// reads opens a page and says whether something holds on it.
func (b *box) reads(page, js string) bool {
	b.t.Helper()
	b.tab.open(page)
	holds, err := evaluate[bool](b.tab, `new Promise((done) => document.readyState === "loading" ? addEventListener("DOMContentLoaded", done) : done()).then(() => `+js+`)`)
	return err == nil && holds
}
