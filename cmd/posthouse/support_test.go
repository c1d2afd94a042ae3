package main

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/meter"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
	"posthouse/sysmon/alert"
	"posthouse/sysmon/notify"
	check "posthouse/sysmon/probe"
)

// canary is in every text that somebody could have written on the box.
const canary = "kanarienvogel"

// plant writes the canary wherever a person or a program can write, and gives
// the secrets that the server made.
func (d *desk) plant(addr string) (secrets []string) {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(d.t.Context(), time.Minute)
	defer cancel()
	ann, _, direct := d.office(ctx, addr)
	call := func(method string, p, r any) {
		d.t.Helper()
		if err := ann.Call(ctx, method, p, r); err != nil {
			d.t.Fatal(method, err)
		}
	}
	var room wire.RoomResult
	call("room.create", wire.RoomCreate{Kind: "group", Name: canary + " room", Topic: canary}, &room)
	for _, r := range []id.ID{direct, room.Room.ID} {
		if _, err := ann.Send(ctx, r, canary+" text"); err != nil {
			d.t.Fatal(err)
		}
	}
	d.upload(addr, "ann", "correct horse ann", canary)
	d.run("correct "+canary+"\n", "user", "add", canary, "--name", canary+" name", "--password-file", "-").exits(0)
	hook := d.do("hook", "add", canary, "--room", canary+" room", "--sign", "--json").json()
	for _, name := range []string{"url", "dingtalk_url", "secret"} {
		text, _ := hook[name].(string)
		secrets = append(secrets, text[strings.LastIndexAny(text, "/=")+1:])
	}
	secrets = append(secrets, strings.TrimSpace(d.do("metrics", "token").out), "correct horse ann")
	d.plantWatch()
	s := d.server
	s.log.Warn("something was refused", "name", canary, "error", errors.New(canary))
	s.log.Error("something failed", "error", canary+" with = and \" in it")
	s.figures.faults.Error("test", "0123456789abcdef", errors.New(canary))
	s.figures.ops.Note(meter.Operation{Kind: meter.KindCall, Name: "message.send", User: canary, Trace: "0123456789abcdef", Began: time.Now()}, 3*time.Second)
	if err := s.chat.Audit(ctx, wire.AuditEntry{Name: canary, Role: "admin", Address: "192.0.2.77", Action: "user.update", Object: canary, Detail: canary, Outcome: "done"}); err != nil {
		d.t.Fatal(err)
	}
	return secrets
}

func (d *desk) plantWatch() {
	d.t.Helper()
	w := d.server.watch
	plan := w.Alerts.Plan()
	plan.Wait = alert.Span(time.Hour) // a card would make the operators' room, and the rooms are counted
	if err := w.Alerts.SetPlan(plan); err != nil {
		d.t.Fatal(err)
	}
	for _, c := range []notify.Channel{
		{Name: canary + " mail", Kind: "email", Lang: "en", Settings: map[string]string{"host": canary + ".example", "port": "25", "from": "a@" + canary + ".example", "to": "b@" + canary + ".example", "user": canary, "password": "smtp-" + canary}},
		{Name: canary + " hook", Kind: "webhook", Lang: "en", Settings: map[string]string{"url": "https://" + canary + ".example/token-" + canary}},
	} {
		if _, err := w.Alerts.SaveChannel(c); err != nil {
			d.t.Fatal(err)
		}
	}
	d.rings(canary, canary)
	d.rings("HighDiskUsage", canary)
	fp, _ := d.timeline("HighDiskUsage")
	if err := errors.Join(w.Alerts.Comment(fp, canary, canary), w.Alerts.Assign(fp, canary, canary)); err != nil {
		d.t.Fatal(err)
	}
	if err := w.Rules.PutFile(canary+".yml", "groups:\n- name: "+canary+"\n  rules:\n  - alert: "+canary+"\n    expr: vector(1)\n    labels: {severity: "+canary+"}\n", canary); err != nil {
		d.t.Fatal(err)
	}
	if _, err := w.Probes.Put(check.Definition{Name: canary, Kind: check.HTTP, Target: "http://127.0.0.1:1/" + canary, Every: 60, Patience: 5}); err != nil {
		d.t.Fatal(err)
	}
}

// unpacked are the files of a bundle, which must be readable by its owner alone.
func (d *desk) unpacked(path string) map[string]string {
	d.t.Helper()
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		d.t.Fatal(info, err)
	}
	body, err := os.ReadFile(path)
	if err != nil {
		d.t.Fatal(err)
	}
	return unzipped(d.t, body)
}

func unzipped(t testing.TB, body []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = string(text)
	}
	return out
}

func silent(t *testing.T, files map[string]string, secrets ...string) {
	t.Helper()
	for name, text := range files {
		for _, s := range append(secrets, canary) {
			if s == "" {
				t.Fatal("an empty secret proves nothing")
			}
			if i := strings.Index(strings.ToLower(name+"\n"+text), strings.ToLower(s)); i >= 0 {
				t.Errorf("%s holds %q: %.200q", name, s, (name + "\n" + text)[max(0, i-80):])
			}
		}
	}
}

func telling(t *testing.T, files map[string]string, want map[string][]string) {
	t.Helper()
	for name, parts := range want {
		for _, p := range parts {
			if !strings.Contains(files[name], p) {
				t.Errorf("%s lacks %q:\n%.2000s", name, p, files[name])
			}
		}
		if name != "README.txt" && !strings.Contains(files["README.txt"], name) {
			t.Errorf("the README does not list %s", name)
		}
	}
}

// A support bundle tells how the box is, and nothing that anybody wrote: of a
// running server, of a stopped one, and where the data cannot be opened.
func TestSupportBundle(t *testing.T) {
	d := newDesk(t)
	token := filepath.Join(d.data, "..", canary+".token")
	if err := os.WriteFile(token, []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	named := []string{"--set", "server.organisation=" + canary, "--set", "server.host_name=" + canary + ".lan", "--set", "tls.extra_names=" + canary + ".lan",
		"--set", "watch.remote_write_url=http://127.0.0.1:1/" + canary, "--set", "watch.remote_write_token_file=" + token}
	addr := d.serveWith(named...)
	secrets := append(d.plant(addr), d.data, "192.0.2.77")
	d.holdsCanary("watch/channels.json", "watch/alerts.db", "state.db")

	file := filepath.Join(d.data, "..", "online.zip")
	d.do("support", file).prints(file)
	files := d.unpacked(file)
	silent(t, files, secrets...)
	telling(t, files, map[string][]string{
		"README.txt":     {"Posthouse support bundle", "驿站支持包", "At most", "至多"},
		"version.txt":    {version(), "go1."},
		"config.txt":     {"limits.message_bytes = \"32KiB\"\n", "server.organisation (not told)   # not the default", "watch.remote_write_url (not told)"},
		"machine.txt":    {"kernel ", "cores "},
		"runtime.txt":    {"goroutines "},
		"status.txt":     {"rooms 2\n", "messages 2\n"},
		"files.csv":      {stateFile + ",", "journal/0"},
		"storage.csv":    {stateFile},
		"audit.csv":      {",user.create,done", ",user.update,done"},
		"operations.csv": {"slow,call,message.send"},
		"faults.txt":     {"where test", "goroutine"},
		"log.txt":        {"WARN something was refused\n", "ERROR something failed\n"},
		"health.txt":     {"score ", "term cpu ", "check "},
		"rules.csv":      {"HighDiskUsage", "the operator's own,,,,1,"},
		"alerts.csv":     {"HighDiskUsage,serious,", "other,serious,", "comment@"},
		"checklists.csv": {"daily"},
		"metrics.csv":    {"at,health_score,", "goroutines"},
		"goroutines.txt": {"goroutine profile: total"},
		"heap.txt":       {"heap profile:"},
	})
	d.run("", "support", file).exits(1).tells("already")
	d.run("", "support", filepath.Join(d.data, "nowhere", "x.zip")).exits(1).tells("there is no directory")

	if code := d.stop(); code != 0 {
		t.Fatal(code)
	}
	file = filepath.Join(d.data, "..", "offline.zip")
	d.do(append([]string{"support", file}, named...)...)
	files = d.unpacked(file)
	silent(t, files, secrets...)
	telling(t, files, map[string][]string{"status.txt": {"rooms 2\n"}, "audit.csv": {",user.update,done"}, "metrics.csv": {"at,health_score,"}, "checklists.csv": {"daily"}, "goroutines.txt": nil})

	d.flip()
	file = filepath.Join(d.data, "..", "damaged.zip")
	d.do(append([]string{"support", file}, named...)...).tells("cannot be opened")
	files = d.unpacked(file)
	silent(t, files, secrets...)
	telling(t, files, map[string][]string{"trouble.txt": {"journal damaged", ".seg offset"}, "files.csv": {"journal/0"}, "config.txt": {"log.level"}})

	if err := os.WriteFile(filepath.Join(d.data, stateFile), []byte(strings.Repeat(canary, 10000)), 0o600); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(d.data, "..", "spoilt.zip")
	d.do(append([]string{"support", file}, named...)...).tells("cannot be opened")
	files = d.unpacked(file)
	silent(t, files, secrets...)
	telling(t, files, map[string][]string{"trouble.txt": {state.ErrDamaged.Error()}})
}

// Why a data directory cannot be opened is told without names.
func TestSupportTrouble(t *testing.T) {
	text := string(supportTrouble(errors.Join(fmt.Errorf("open "+canary+": %w", &fs.PathError{Op: "open", Path: canary, Err: syscall.EROFS}))))
	if want := "read-only file system\n*errors.joinError *fmt.wrapError *fs.PathError syscall.Errno\n"; text != want {
		t.Errorf("%q, want %q", text, want)
	}
}

// holdsCanary makes sure that the canary is where a careless bundle would find
// it.
func (d *desk) holdsCanary(names ...string) {
	d.t.Helper()
	for _, name := range names {
		body, err := os.ReadFile(filepath.Join(d.data, name))
		if errors.Is(err, fs.ErrNotExist) || !bytes.Contains(body, []byte(canary)) && name != stateFile {
			d.t.Errorf("%s does not hold the canary: %v", name, err)
		}
	}
}
