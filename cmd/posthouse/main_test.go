package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"posthouse/appliance/client"
	"posthouse/appliance/config"
	"posthouse/appliance/wire"
)

// desk is one box in a temporary directory and the command line beside it.
type desk struct {
	t      testing.TB
	data   string
	env    []string
	server *server    // that runs
	stop   func() int // ends the server and gives its exit code; nil = none runs
}

func newDesk(t testing.TB) *desk {
	// A unix socket's path is short; the temporary directory of a test is not.
	dir, err := os.MkdirTemp("", "ph")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &desk{t: t, data: filepath.Join(dir, "data"), env: []string{"LC_ALL=en_GB.UTF-8", "TZ=UTC", "HOME=" + dir, "PATH=" + os.Getenv("PATH")}}
	if err := os.Mkdir(d.data, 0o700); err != nil {
		t.Fatal(err)
	}
	return d
}

// result is what one command line came to.
type result struct {
	t        testing.TB
	args     []string
	code     int
	out, err string
}

// run carries out a command line as main does, with stdin as standard input.
func (d *desk) run(stdin string, args ...string) result {
	d.t.Helper()
	return d.runIn(context.Background(), stdin, args...)
}

func (d *desk) runIn(ctx context.Context, stdin string, args ...string) result {
	d.t.Helper()
	var out, errOut bytes.Buffer
	code := newApp(d.env, strings.NewReader(stdin), &out, &errOut).run(ctx, append([]string{"--data", d.data}, args...))
	return result{d.t, args, code, out.String(), errOut.String()}
}

// do is run for a command line that must succeed.
func (d *desk) do(args ...string) result {
	d.t.Helper()
	return d.run("", args...).exits(0)
}

func (r result) exits(code int) result {
	r.t.Helper()
	if r.code != code {
		r.t.Fatalf("posthouse %s: exit code %d, want %d\nstdout: %s\nstderr: %s", strings.Join(r.args, " "), r.code, code, r.out, r.err)
	}
	return r
}

func (r result) prints(parts ...string) result { r.t.Helper(); return r.has("stdout", r.out, parts) }
func (r result) tells(parts ...string) result  { r.t.Helper(); return r.has("stderr", r.err, parts) }

func (r result) has(what, text string, parts []string) result {
	r.t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			r.t.Fatalf("posthouse %s: no %q in %s:\n%s\nthe other: %s%s", strings.Join(r.args, " "), p, what, text, r.out, r.err)
		}
	}
	return r
}

func (r result) never(parts ...string) result {
	r.t.Helper()
	for _, p := range parts {
		if strings.Contains(r.out+r.err, p) {
			r.t.Fatalf("posthouse %s: %q must not be printed:\n%s%s", strings.Join(r.args, " "), p, r.out, r.err)
		}
	}
	return r
}

// json decodes standard output, which must be one value and nothing else.
func (r result) json() map[string]any {
	r.t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(r.out), &v); err != nil {
		r.t.Fatalf("posthouse %s: %v in %s", strings.Join(r.args, " "), err, r.out)
	}
	return v
}

// keys compares the members of a JSON object with those a program may rely on.
func (r result) keys(want ...string) map[string]any {
	r.t.Helper()
	v := r.json()
	checkKeys(r.t, v, want...)
	return v
}

func checkKeys(t testing.TB, v map[string]any, want ...string) {
	t.Helper()
	var have []string
	for k := range v {
		have = append(have, k)
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Fatalf("JSON has %v, want %v", have, want)
	}
}

// serve starts the server of the box and returns when its doors are open.
func (d *desk) serve() string {
	d.t.Helper()
	return d.serveWith()
}

// serveWith is serve with more flags.
func (d *desk) serveWith(flags ...string) string {
	d.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, done := make(chan string, 1), make(chan int, 1)
	var out, errOut bytes.Buffer
	a := newApp(d.env, strings.NewReader(""), &out, &errOut)
	a.ready = func(s *server) {
		d.server = s
		ready <- s.local.Addr().String()
	}
	go func() {
		done <- a.run(ctx, append(append([]string{"--set", "watch.virtual_users=false"}, flags...), "--data", d.data, "--set", "server.listen=", "--set", "server.listen_local=127.0.0.1:0", "serve"))
	}()
	d.stop = func() int {
		cancel()
		d.stop = nil
		return <-done
	}
	d.t.Cleanup(func() {
		if d.stop != nil {
			d.stop()
		}
	})
	select {
	case addr := <-ready:
		return addr
	case code := <-done:
		d.stop = nil
		cancel()
		d.t.Fatalf("the server ended with %d: %s%s", code, out.String(), errOut.String())
	}
	return ""
}

// bothWays runs a test on the data directory and against a running server.
func bothWays(t *testing.T, f func(t *testing.T, d *desk)) {
	t.Run("offline", func(t *testing.T) { f(t, newDesk(t)) })
	t.Run("online", func(t *testing.T) {
		d := newDesk(t)
		d.serve()
		f(t, d)
		if code := d.stop(); code != 0 {
			t.Fatalf("the server ended with %d", code)
		}
	})
}

// inBox runs f on the box itself, as the offline commands do.
func (d *desk) inBox(cfg config.Config, f func(*box)) {
	d.t.Helper()
	b, err := openBox(cfg, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		d.t.Fatal(err)
	}
	f(b)
	if err := b.close(context.Background()); err != nil {
		d.t.Fatal(err)
	}
}

// config is the configuration of the box without a server.
func (d *desk) config() config.Config {
	d.t.Helper()
	a := newApp(d.env, strings.NewReader(""), io.Discard, io.Discard)
	a.flags.data = d.data
	cfg, _, err := a.config()
	if err != nil {
		d.t.Fatal(err)
	}
	return cfg
}

func (d *desk) inviteIn(b *box) {
	d.t.Helper()
	var r wire.InviteResult
	if err := (offline{context.Background(), b, "en"}).call("invite.create", wire.InviteCreate{}, &r); err != nil {
		d.t.Fatal(err)
	}
}

// upload stores texts as files of an account and gives their hashes.
func (d *desk) upload(addr, login, password string, texts ...string) (sums []string) {
	d.t.Helper()
	h, err := client.NewHTTP(client.Options{URL: "http://" + addr})
	if err != nil {
		d.t.Fatal(err)
	}
	defer h.Close()
	ctx := context.Background()
	if _, err := h.Login(ctx, login, password); err != nil {
		d.t.Fatal(err)
	}
	for _, text := range texts {
		f, err := h.Upload(ctx, strings.NewReader(text), text+".txt", "text/plain")
		if err != nil {
			d.t.Fatal(err)
		}
		sums = append(sums, f.SHA256)
	}
	return sums
}
