package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
	"posthouse/sysmon/alert"
	"posthouse/sysmon/checklist"
	"posthouse/sysmon/notify"
	"posthouse/sysmon/runbook"
	texts "posthouse/sysmon/words"
	"posthouse/webui/console"
)

// mind is a running server that watches itself.
type mind struct {
	*desk
	ann   id.ID // owner
	books *runbook.Books
	room  *operators
	lists *checklist.Lists
}

func newMind(t *testing.T) *mind {
	t.Helper()
	m := &mind{desk: newDesk(t)}
	m.serve()
	r, err := m.server.seq.Submit(context.Background(), state.Actor{Operator: true}, &state.OpenAccount{User: record.User{Login: "ann", Name: "Ann", Role: string(wire.Owner)}})
	if err != nil {
		t.Fatal(err)
	}
	m.ann = r.Body.(*record.AccountOpened).User.ID
	m.books, m.room, m.lists = m.server.watch.Books, m.server.room, m.server.watch.Lists
	return m
}

func (m *mind) open(name string) runbook.Case {
	m.t.Helper()
	c, err := m.books.Open(context.Background(), runbook.Alert{ID: "00112233aabbccdd", Name: name, Starts: time.Now(), Summary: texts.Of(name, name)})
	if err != nil {
		m.t.Fatal(err)
	}
	return c
}

func (m *mind) owner() runbook.Person {
	return runbook.Person{ID: m.ann.String(), Name: "Ann", Role: "owner", Address: "192.0.2.1"}
}

func (m *mind) says(room id.ID) []wire.Message {
	m.t.Helper()
	page, err := m.server.state.History(wire.HistoryParams{Room: room, Limit: 50})
	if err != nil {
		m.t.Fatal(err)
	}
	var out []wire.Message
	for _, msg := range page.Messages {
		if msg.Text != "" {
			out = append(out, msg)
		}
	}
	return out
}

func TestEveryActionOfTheCatalogueIsReal(t *testing.T) {
	m := newMind(t)
	can := map[string]bool{}
	for _, a := range m.books.Can() {
		can[a.ID] = true
	}
	for _, a := range runbook.Actions() {
		// This server has no https.
		if !can[a.ID] && a.ID != "renew_certificate" && a.ID != "restart_listener" {
			t.Errorf("%s cannot be done", a.ID)
		}
	}
}

func TestEvidenceIsThereWhenTheAlertOpens(t *testing.T) {
	m := newMind(t)
	m.server.log.Error("the disk said no", "file", "x")
	c := m.open("HighMemoryUsage")
	found := map[string]runbook.Finding{}
	for _, f := range c.Findings {
		if f.Error != "" {
			t.Errorf("%s: %s", f.ID, f.Error)
		}
		found[f.ID] = f
	}
	if len(found["top"].Rows) == 0 || len(found["heap"].Rows) == 0 || !strings.Contains(found["log"].Text, "the disk said no") {
		t.Errorf("%+v", found)
	}
	name := strings.TrimPrefix(found["heap"].Link, "/admin/profiles/")
	if raw, err := m.server.profiles.read(name); err != nil || len(raw) < 100 {
		t.Errorf("%q: %d bytes, %v", name, len(raw), err)
	}
	for _, bad := range []string{"../state.db", ".", "heap", "..", "a-/../../x"} {
		if _, err := m.server.profiles.read(bad); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%q was read: %v", bad, err)
		}
	}
	if raw, err := os.ReadFile(filepath.Join(m.data, watchDir, "runbooks", "cases", c.ID+".json")); err != nil || !strings.Contains(string(raw), "HighMemoryUsage") {
		t.Errorf("the case is not kept: %v", err)
	}
}

func TestAStepIsTriedRunAuditedAndTold(t *testing.T) {
	m := newMind(t)
	ctx := context.Background()
	c := m.open("HighDiskUsage")
	do := func(who runbook.Person, step, confirm string, dry bool) (runbook.Act, error) {
		return m.books.Do(ctx, runbook.Request{Case: c.ID, Step: step, Who: who, Confirm: confirm, Dry: dry})
	}
	auditor := runbook.Person{Name: "Eve", Role: "auditor"}
	if _, err := do(auditor, "trim_thumbnails", "", true); err == nil {
		t.Error("an auditor tried a step")
	}
	thumb := filepath.Join(m.data, thumbsDir, strings.Repeat("a", 64)+".64.jpg")
	if err := os.WriteFile(thumb, make([]byte, 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	act, err := do(m.owner(), "trim_thumbnails", "", true)
	if err != nil || !strings.HasPrefix(act.Result.EN, "1 files of 1000 B would") {
		t.Fatalf("%+v, %v", act, err)
	}
	if _, err := os.Stat(thumb); err != nil {
		t.Error("the dry run did it")
	}
	if act, err = do(m.owner(), "trim_thumbnails", "", false); err != nil || act.Failed || !strings.HasPrefix(act.Result.EN, "1 files") {
		t.Fatalf("%+v, %v", act, err)
	}
	if _, err := os.Stat(thumb); err == nil {
		t.Error("the run did not do it")
	}
	if _, err = do(m.owner(), "trim_thumbnails", "", false); err == nil || !strings.Contains(err.Error(), "wait") {
		t.Errorf("no cool-down: %v", err)
	}
	if _, err = do(m.owner(), "read_only_on", "yes", false); err == nil {
		t.Error("a wrong word confirmed")
	}
	if act, err = do(m.owner(), "read_only_on", "read-only", false); err != nil || act.Failed {
		t.Fatalf("%+v, %v", act, err)
	}
	m.server.watchDisk()
	if m.server.seq.ReadOnly() == nil {
		t.Error("the server takes messages")
	}
	if c := m.server.checkStore(); c.Level != console.Critical || c.Detail.ZH != "只读：管理员已暂停接收消息：可以阅读，不能发送" || strings.Contains(c.Detail.EN, "unavailable") {
		t.Errorf("the overview says %+v", c)
	}
	m.server.hold(false)
	list, err := m.server.state.Audits(wire.AuditListParams{Action: "runbook"})
	if err != nil {
		t.Fatal(err)
	}
	var outcomes []string
	for _, e := range list.Entries {
		outcomes = append(outcomes, strings.TrimPrefix(e.Action, "runbook.")+" "+e.Outcome)
	}
	want := "read_only_on done, read_only_on refused, trim_thumbnails refused, trim_thumbnails done, trim_thumbnails tried, trim_thumbnails refused"
	if got := strings.Join(outcomes, ", "); got != want || list.Entries[0].Actor != m.ann || list.Entries[0].Address != "192.0.2.1" {
		t.Errorf("audit: %s", got)
	}
	told := m.says(m.room.room)
	if len(told) != 1 || !strings.Contains(told[0].Text, "trim") && !strings.Contains(told[0].Text, "thumbnails") {
		t.Errorf("the room says %+v", told)
	}
}

func TestAnAlertIsAcknowledgedFromTheRoom(t *testing.T) {
	m := newMind(t)
	ctx := context.Background()
	submit := func(who id.ID, c state.Command) {
		t.Helper()
		if _, err := m.server.seq.Submit(ctx, state.Actor{User: who}, c); err != nil {
			t.Fatal(err)
		}
	}
	fire := func(name string) string {
		t.Helper()
		if err := m.server.watch.Alerts.Receive(ctx, []alert.Incoming{{Labels: map[string]string{"alertname": name, "severity": "warning"}, Start: time.Now()}}); err != nil {
			t.Fatal(err)
		}
		for _, a := range m.server.watch.Alerts.Active(ctx) {
			if a.Labels["alertname"] == name {
				return a.Fingerprint
			}
		}
		t.Fatalf("%s does not fire", name)
		return ""
	}
	post := func(fp string) id.Message {
		t.Helper()
		if err := m.room.PostIn(ctx, notify.OperatorsRoom, "alert https://chat.lan"+alert.AlertPath(fp)); err != nil {
			t.Fatal(err)
		}
		for _, msg := range m.says(m.room.room) {
			if strings.Contains(msg.Text, fp) {
				return id.Message{Room: m.room.room, Seq: msg.Seq}
			}
		}
		t.Fatalf("%s is not in the room", fp)
		return id.Message{}
	}
	acked := func(fp string) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); ; {
			if a, ok, err := m.server.watch.Alerts.One(ctx, fp); err != nil || !ok {
				t.Fatal(ok, err)
			} else if a.AckBy == "ann" {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s was not acknowledged", fp)
			}
		}
	}
	first, second := fire("First"), fire("Second")
	at := post(first)
	if !m.server.state.IsMember(m.room.room, m.ann) {
		t.Fatal("the owner is not in the operators' room")
	}
	submit(m.ann, &state.React{Message: at, Emoji: "✅", On: true})
	acked(first)
	at = post(second)
	key := uuid.New()
	submit(m.ann, &state.SendMessage{Room: at.Room, Key: key[:], Text: "收到。", ReplyTo: at.Seq})
	acked(second)
	// The same room after a restart; who is no manager any more has left it.
	r, err := m.server.seq.Submit(ctx, state.Actor{Operator: true}, &state.OpenAccount{User: record.User{Login: "bo", Name: "Bo", Role: string(wire.Admin)}})
	if err != nil {
		t.Fatal(err)
	}
	bo, plain := r.Body.(*record.AccountOpened).User.ID, string(wire.Member)
	again := newOperators(m.server.box, nil)
	if err := again.Post(ctx, texts.Of("a", "b")); err != nil || again.room != m.room.room || !m.server.state.IsMember(again.room, bo) {
		t.Fatalf("room %s and %s, %v", again.room, m.room.room, err)
	}
	submit(m.ann, &state.UpdateUser{User: bo, Role: &plain})
	if err := newOperators(m.server.box, nil).Post(ctx, texts.Of("a", "b")); err != nil || m.server.state.IsMember(again.room, bo) {
		t.Errorf("a plain member is in the operators' room: %v", err)
	}
}

func TestChecklistsEndAsACardInTheRoom(t *testing.T) {
	m := newMind(t)
	for _, p := range checklist.Periods() {
		r, err := m.lists.Now(context.Background(), p)
		if err != nil || r.Posted.IsZero() || !m.lists.Verify(r) {
			t.Fatalf("%+v, %v", r, err)
		}
		for _, i := range r.Items {
			if strings.Contains(i.Text.EN, "could not be checked") {
				t.Errorf("%s: %s", i.ID, i.Text.EN)
			}
		}
	}
	if got := m.says(m.room.room); len(got) != 3 {
		t.Errorf("%d cards", len(got))
	}
}
