package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// figure is a metric of the running server; -1 when it is not there.
func (d *desk) figure(addr, name string) float64 {
	d.t.Helper()
	for line := range strings.Lines(d.figuresOf(addr)) {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				d.t.Fatal(line)
			}
			return v
		}
	}
	return -1
}

func (d *desk) figuresOf(addr string) string { d.t.Helper(); return d.text(addr, "/metrics") }

func (d *desk) text(addr, path string) string {
	d.t.Helper()
	res, err := http.Get("http://" + addr + path)
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		d.t.Fatal(res.Status, err)
	}
	return string(body)
}

// office opens a room of two people, both connected.
func (d *desk) office(ctx context.Context, addr string) (ann, bo *client.Client, room id.ID) {
	d.t.Helper()
	d.run("correct horse ann\n", "user", "add", "ann", "--role", "owner", "--password-file", "-").exits(0)
	d.run("correct horse bo\n", "user", "add", "bo", "--password-file", "-").exits(0)
	join := func(login string) *client.Client {
		c, err := client.Dial(ctx, client.Options{URL: "http://" + addr})
		if err == nil {
			_, err = c.Login(ctx, login, "correct horse "+login)
		}
		if err == nil {
			err = c.Connect(ctx)
		}
		if err == nil {
			err = c.WaitConnected(ctx)
		}
		if err != nil {
			d.t.Fatal(err)
		}
		d.t.Cleanup(func() { _ = c.Close() })
		return c
	}
	ann, bo = join("ann"), join("bo")
	var made wire.RoomResult
	if err := ann.Call(ctx, "room.direct", wire.UserParam{User: bo.User()}, &made); err != nil {
		d.t.Fatal(err)
	}
	return ann, bo, made.Room.ID
}

// What the whole server tells is what happened, passes Prometheus' linter, and
// is described in the dictionary.
func TestFiguresOfTheServer(t *testing.T) {
	d := newDesk(t)
	addr := d.serve()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ann, bo, room := d.office(ctx, addr)
	var last wire.Sent
	for i := range 50 {
		var err error
		if last, err = ann.Send(ctx, room, fmt.Sprint("message ", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := bo.WaitPosition(ctx, last.Position); err != nil {
		t.Fatal(err)
	}
	for d.figure(addr, "im_delivery_acks_total") != 50 {
		if ctx.Err() != nil {
			t.Fatalf("%v acknowledged", d.figure(addr, "im_delivery_acks_total"))
		}
	}
	for name, want := range map[string]float64{"im_messages_sent_total": 50, "im_messages_stored": 50, "im_deliveries_total": 50, "connections_active": 2,
		"im_active_users_total": 2, "im_accounts": 2, "im_registrations_total": 2, "im_message_process_duration_seconds_count": 50, "im_deliveries_left_total": 0, "im_storage_read_only": 0} {
		if got := d.figure(addr, name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if n := d.figure(addr, "im_storage_write_wait_seconds_count"); n < 54 {
		t.Errorf("%v commands waited for the writer", n)
	}
	if n := d.figure(addr, "im_journal_fsync_duration_seconds_count"); n < 1 {
		t.Errorf("%v fsyncs", n)
	}
	d.server.figures.takeStock(ctx, d.server.log)
	if n := d.figure(addr, `im_bbolt_bucket_keys{file="state.db",bucket="users"}`); n < 0 {
		t.Error("nothing known of the state file's buckets")
	}
	cmd := exec.Command("promtool", "check", "metrics")
	cmd.Stdin = strings.NewReader(d.figuresOf(addr))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool: %v\n%s", err, out)
	}
	all := d.text(addr, metricsAll)
	lint := exec.Command("promtool", "check", "metrics")
	lint.Stdin = strings.NewReader(all)
	if out, err := lint.CombinedOutput(); strings.Contains(string(out), "error") {
		t.Errorf("promtool cannot read %s: %v\n%s", metricsAll, err, out)
	} else {
		for line := range strings.Lines(string(out)) { // each name it objects to is one that /metrics leaves out
			if name, _, _ := strings.Cut(line, " "); strings.ToLower(name) == name && name != "session_duration_sec" {
				t.Errorf("promtool on %s: %s", metricsAll, line)
			}
		}
	}
	for _, name := range []string{"node_cpu_seconds_total", "node_filesystem_avail_bytes", "posthouse_store_series", "process_resident_memory_bytes"} {
		if !strings.Contains(d.figuresOf(addr), "\n# TYPE "+name+" ") {
			t.Errorf("/metrics lacks %s", name)
		}
	}
	if !strings.Contains(all, "\nnode_memory_MemTotal_bytes ") || !strings.Contains(all, "\nsession_duration_sec_count ") {
		t.Errorf("%s lacks names", metricsAll)
	}
	for _, m := range d.server.dictionary() {
		if m.Help.EN == "" || m.Help.ZH == "" || m.Normal.EN == "" || m.Normal.ZH == "" || m.Action.EN == "" || m.Action.ZH == "" || m.Source == "" {
			t.Errorf("%s is not told about in both languages", m.Name)
		}
	}
	for _, s := range d.server.liveSessions() {
		if s.Login == "bo" && (s.Unacked != 0 || s.Kind != "app" || s.Address != "127.0.0.1") {
			t.Errorf("bo's session: %+v", s)
		}
	}
}

// The state file is compacted while people write: it gets smaller, and nothing
// is lost.
func TestCompactionWhilePeopleWrite(t *testing.T) {
	d := newDesk(t)
	addr := d.serveWith("--set", "limits.messages_burst=1000", "--set", "limits.requests_burst=1000")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	ann, _, room := d.office(ctx, addr)
	text := strings.Repeat("a longer message ", 100)
	send := func(n int) {
		t.Helper()
		for range n {
			if _, err := ann.Send(ctx, room, text); err != nil {
				t.Fatal(err)
			}
		}
	}
	send(200)
	for i := range 20 { // what is edited again and again leaves free pages
		if err := ann.Call(ctx, "message.edit", wire.EditParams{Message: id.Message{Room: room, Seq: 1}, Text: text + fmt.Sprint(i)}, nil); err != nil {
			t.Fatal(err)
		}
		if err := d.server.state.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	before := d.server.state.FileBytes()
	d.server.compactState()
	send(50)
	d.server.figures.chores.work.Wait()
	if err := d.server.figures.chores.err; err != nil {
		t.Fatal(err)
	}
	packed := d.server.figures.chores.packed
	if packed.Before != before || packed.After >= packed.Before {
		t.Errorf("%d bytes before, %d after; the file had %d", packed.Before, packed.After, before)
	}
	send(10)
	if code := d.stop(); code != 0 {
		t.Fatalf("the server ended with %d", code)
	}
	d.do("verify")
	addr = d.serve()
	if n := d.figure(addr, "im_messages_stored"); n != 260 {
		t.Errorf("%v messages after it", n)
	}
}
