package chat_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/uuid"

	"posthouse/appliance/chat"
	"posthouse/appliance/id"
	"posthouse/appliance/journal"
	"posthouse/appliance/search"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// desk is a service over a real journal and state, with a clock that the test
// moves.
type desk struct {
	t   testing.TB
	s   *chat.Service
	mu  sync.Mutex
	now time.Time
}

func openDesk(t testing.TB) *desk {
	t.Helper()
	dir := t.TempDir()
	s, err := state.Open(filepath.Join(dir, "state.db"), state.Options{Check: true})
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(filepath.Join(dir, "journal"), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{t: t, now: time.Now()}
	q, err := sequencer.Start(j, s, sequencer.Options{Now: d.time})
	if err != nil {
		t.Fatal(err)
	}
	x, err := search.Open(filepath.Join(dir, "search.db"), q, s, search.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(x.Close(context.Background()), q.Close(context.Background()), s.Close(), j.Close()); err != nil {
			t.Error(err)
		}
	})
	d.s = chat.New(q, s, chat.Options{Search: x, Hash: chat.HashCost{KiB: 8, Passes: 1}, Now: d.time, BaseURL: func() string { return "https://chat.lan" }})
	return d
}

func (d *desk) time() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

func (d *desk) pass(by time.Duration) {
	d.mu.Lock()
	d.now = d.now.Add(by)
	d.mu.Unlock()
}

func (d *desk) try(a chat.Actor, address, method string, params any, result any) *wire.Error {
	d.t.Helper()
	body, err := json.Marshal(params)
	if err != nil {
		d.t.Fatal(err)
	}
	type answer struct {
		r any
		e *wire.Error
	}
	ch := make(chan answer, 1)
	d.s.Do(&chat.Call{Context: context.Background(), Actor: a, Lang: "en", Trace: "t", Address: address, Now: d.time()}, method, body,
		func(r any, e *wire.Error) { ch <- answer{r, e} })
	got := <-ch
	if got.e != nil {
		if got.e.Text.Zh == "" || got.e.Text.En == "" {
			d.t.Errorf("%s: a refusal without both languages: %+v", method, got.e)
		}
		return got.e
	}
	if in, ok := got.r.(*chat.LoggedIn); ok {
		got.r = in.Session
	}
	if result != nil {
		raw, err := json.Marshal(got.r)
		if err == nil {
			err = json.Unmarshal(raw, result)
		}
		if err != nil {
			d.t.Fatal(err)
		}
	}
	return nil
}

func (d *desk) must(a chat.Actor, method string, params, result any) {
	d.t.Helper()
	if err := d.try(a, "192.0.2.1", method, params, result); err != nil {
		d.t.Fatalf("%s: %v", method, err)
	}
}

func (d *desk) refused(kind wire.Kind, a chat.Actor, method string, params any) {
	d.t.Helper()
	if err := d.try(a, "192.0.2.1", method, params, nil); err == nil || err.Kind != kind {
		d.t.Errorf("%s: %v, want %s", method, err, kind)
	}
}

func nobody() chat.Actor { return chat.Actor{} }

func (d *desk) owner() chat.Actor {
	d.t.Helper()
	_, token, _ := strings.Cut(d.s.SetupURL(), "/#/setup/")
	var in wire.Session
	d.must(nobody(), "setup.complete", wire.SetupParams{Token: token, Organisation: "Office", Login: "ann", Name: "Ann", Password: "pass of ann"}, &in)
	return d.by(in.Token)
}

func (d *desk) by(token string) chat.Actor {
	d.t.Helper()
	a, err := d.s.Authenticate(token, d.time())
	if err != nil {
		d.t.Fatal(err)
	}
	return a
}

func (d *desk) login(login, password string) chat.Actor {
	d.t.Helper()
	var in wire.Session
	d.must(nobody(), "session.login", wire.LoginParams{Login: login, Password: password}, &in)
	return d.by(in.Token)
}

func (d *desk) person(owner chat.Actor, login string, role wire.Role) chat.Actor {
	d.t.Helper()
	d.must(owner, "user.create", wire.UserCreate{Login: login, Name: login, Role: role, Password: "pass of " + login}, nil)
	return d.login(login, "pass of "+login)
}

func TestSetupWorksOnceAndForAnHour(t *testing.T) {
	d := openDesk(t)
	_, old, _ := strings.Cut(d.s.SetupURL(), "/#/setup/")
	p := wire.SetupParams{Token: old, Organisation: "Office", Login: "ann", Name: "Ann", Password: "pass of ann"}
	d.pass(61 * time.Minute)
	d.refused(wire.Expired, nobody(), "setup.complete", p)
	p.Token = "guess"
	d.refused(wire.Expired, nobody(), "setup.complete", p)
	ann := d.owner()
	if ann.Role != wire.Owner {
		t.Errorf("the first account is %s", ann.Role)
	}
	if url := d.s.SetupURL(); url != "" {
		t.Errorf("a setup link after setup: %s", url)
	}
	d.refused(wire.Expired, nobody(), "setup.complete", p)
}

// Every method of the table that chat answers refuses those whom its access
// level leaves out, before it looks at anything else.
func TestEveryMethodKeepsItsAccessLevel(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	roles := map[string]chat.Actor{"nobody": nobody(), "member": d.person(ann, "mo", wire.Member), "auditor": d.person(ann, "al", wire.Auditor),
		"admin": d.person(ann, "ad", wire.Admin)}
	may := map[wire.Access]string{wire.Public: "nobody member auditor admin", wire.LoggedIn: "member auditor admin", wire.Sees: "auditor admin",
		wire.Manages: "admin", wire.Operator: ""}
	for _, spec := range wire.Table() {
		if spec.Socket || spec.Name == "server.sessions" || spec.Name == "session.logout" || spec.Name == "setup.link" {
			continue
		}
		for name, actor := range roles {
			err := d.try(actor, "192.0.2.77", spec.Name, map[string]any{}, nil)
			out := err != nil && (err.Kind == wire.Unauthenticated || err.Kind == wire.Forbidden && strings.HasPrefix(err.Text.En, "your role"))
			if err != nil && err.Kind == wire.MethodNotFound {
				t.Errorf("%s is not bound", spec.Name)
			}
			if allowed := strings.Contains(may[spec.Access], name); allowed == out && spec.Name != "session.login" {
				t.Errorf("%s by %s: %v, want allowed=%v", spec.Name, name, err, allowed)
			}
		}
	}
}

func TestFailedLoginsAreLimitedAndTellNothing(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	d.person(ann, "bo", wire.Member)
	wrong := func(login, address string) *wire.Error {
		return d.try(nobody(), address, "session.login", wire.LoginParams{Login: login, Password: "wrong password"}, nil)
	}
	known, unknown := wrong("bo", "198.51.100.1"), wrong("nobody-here", "198.51.100.1")
	if known == nil || unknown == nil || known.Error() != unknown.Error() {
		t.Errorf("an account that exists answers %v, one that does not %v", known, unknown)
	}
	limited := 0
	for i := range 10 {
		if e := wrong("bo", fmt.Sprint("198.51.100.", i)); e.Kind == wire.RateLimited {
			limited++
			if e.RetryAfter <= 0 {
				t.Error("no retry_after_ms")
			}
		}
	}
	if limited < 5 {
		t.Errorf("%d of 10 further tries on one account were limited", limited)
	}
	// Bo himself, where he logged in before, is not locked out.
	if err := d.try(nobody(), "192.0.2.1", "session.login", wire.LoginParams{Login: "BO ", Password: "pass of bo"}, nil); err != nil {
		t.Errorf("bo is locked out: %v", err)
	}
	limited = 0
	for i := range 40 {
		if wrong(fmt.Sprint("guess", i), "203.0.113.9").Kind == wire.RateLimited {
			limited++
		}
	}
	if limited < 15 {
		t.Errorf("%d of 40 tries from one address were limited", limited)
	}
	for _, pw := range []string{strings.Repeat("x", 257), strings.Repeat("x", 1<<20)} {
		if e := d.try(nobody(), "192.0.2.50", "session.login", wire.LoginParams{Login: "bo", Password: pw}, nil); e == nil || e.Kind != wire.InvalidParams {
			t.Errorf("a password of %d bytes: %v", len(pw), e)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	bo := d.person(ann, "bo", wire.Member)
	other := d.login("bo", "pass of bo")
	d.must(bo, "account.password", wire.PasswordParams{Old: "pass of bo", New: "another pass of bo"}, nil)
	if _, ok := d.s.StillValid(other); ok {
		t.Error("a session outlives a new password")
	}
	if _, ok := d.s.StillValid(bo); !ok {
		t.Error("the session that set the password ended")
	}
	d.refused(wire.Unauthenticated, other, "room.list", wire.Empty{})
	d.refused(wire.NotFound, bo, "session.revoke", wire.DeviceParam{Device: ann.Device})
	d.must(ann, "session.revoke", wire.DeviceParam{Device: bo.Device}, nil)
	d.refused(wire.Unauthenticated, bo, "room.list", wire.Empty{})
	cy := d.person(ann, "cy", wire.Member)
	yes := true
	d.must(ann, "user.update", wire.UserUpdate{User: cy.User, Disabled: &yes}, nil)
	d.refused(wire.Unauthenticated, cy, "room.list", wire.Empty{})
	var in wire.Session
	d.must(nobody(), "session.login", wire.LoginParams{Login: "ann", Password: "pass of ann", Cookie: true}, &in)
	d.pass(31 * 24 * time.Hour)
	if _, err := d.s.Authenticate(in.Token, d.time()); err == nil {
		t.Error("a browser unused for 31 days is still logged in")
	}
}

func TestInvitations(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	var room wire.RoomResult
	d.must(ann, "room.create", wire.RoomCreate{Kind: wire.Channel, Name: "all hands"}, &room)
	var dept wire.DepartmentResult
	d.must(ann, "department.put", wire.DepartmentPut{Name: "一车间"}, &dept)
	var inv wire.InviteResult
	d.must(ann, "invite.create", wire.InviteCreate{Uses: 2, Rooms: []id.ID{room.Room.ID}, Department: dept.Department.ID}, &inv)
	if !strings.HasPrefix(inv.Invite.QR, "data:image/png;base64,") || !strings.HasSuffix(inv.Invite.URL, "/#/invite/"+inv.Invite.Code) {
		t.Errorf("invitation %+v", inv.Invite)
	}
	var list wire.InviteList
	d.must(ann, "invite.list", wire.Empty{}, &list)
	if len(list.Invites) != 1 || list.Invites[0].Code != "" {
		t.Errorf("the list tells %+v", list.Invites)
	}
	accept := func(login string) wire.InviteAccept {
		return wire.InviteAccept{Code: inv.Invite.Code, Login: login, Name: login, Password: "pass of " + login}
	}
	var in wire.Session
	d.must(nobody(), "invite.accept", accept("bo"), &in)
	if in.User.Department != dept.Department.ID || in.User.Role != wire.Member {
		t.Errorf("bo is %+v", in.User)
	}
	var rooms wire.RoomList
	d.must(d.by(in.Token), "room.list", wire.Empty{}, &rooms)
	if len(rooms.Rooms) != 1 || rooms.Rooms[0].Unread != 0 {
		t.Errorf("bo's rooms: %+v", rooms.Rooms)
	}
	d.refused(wire.Conflict, nobody(), "invite.accept", accept("bo"))
	d.must(nobody(), "invite.accept", accept("cy"), nil)
	d.refused(wire.Expired, nobody(), "invite.accept", accept("eve"))
	d.must(ann, "invite.create", wire.InviteCreate{Hours: 1}, &inv)
	d.pass(61 * time.Minute)
	d.refused(wire.Expired, nobody(), "invite.accept", accept("eve"))
}

func TestImport(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	csv := "\ufefflogin,name,department,title\nzhang,张三,厂部/一车间,组长\nli,李四,厂部/二车间,\nann,Ann Boss,,\nli,twice,,\nbad login,x,,\n\"open,x\n"
	var dry, did wire.ImportResult
	d.must(ann, "user.import", wire.ImportParams{CSV: csv, DryRun: true}, &dry)
	if dry.Created != 2 || dry.Updated != 1 || dry.Errors < 2 || dry.Departments != 3 || !dry.DryRun {
		t.Errorf("dry run: %+v", dry)
	}
	var list wire.UserList
	d.must(ann, "user.list", wire.DirectoryParams{}, &list)
	if len(list.Users) != 1 {
		t.Fatalf("the dry run made %d accounts", len(list.Users)-1)
	}
	d.must(ann, "user.import", wire.ImportParams{CSV: csv}, &did)
	if did.Created != dry.Created || did.Updated != dry.Updated || did.Errors != dry.Errors || did.Departments != dry.Departments {
		t.Errorf("the import did %+v, the dry run said %+v", did, dry)
	}
	d.login("zhang", did.Rows[0].Password)
	d.must(ann, "user.import", wire.ImportParams{CSV: csv}, &did)
	if did.Created != 0 || did.Updated != 0 || did.Departments != 0 {
		t.Errorf("the same import again did %+v", did)
	}
	d.refused(wire.InvalidParams, ann, "user.import", wire.ImportParams{CSV: "login,sallary\n"})
	d.refused(wire.InvalidParams, ann, "user.import", wire.ImportParams{CSV: ""})
}

// What anyone is told never contains what proves who one is.
func TestAnswersHoldNoSecrets(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	d.person(ann, "bo", wire.Member)
	for _, m := range []string{"user.list", "directory.list", "session.devices", "invite.list", "session.me", "server.status"} {
		var raw map[string]any
		d.must(ann, m, map[string]any{}, &raw)
		text := fmt.Sprint(raw)
		for _, bad := range []string{"argon2", "token", "password", "phc"} {
			if strings.Contains(strings.ToLower(text), bad) {
				t.Errorf("%s tells %q: %s", m, bad, text)
			}
		}
	}
}

func TestEventsOfRecords(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	bo := d.person(ann, "bo", wire.Member)
	var room wire.RoomResult
	d.must(ann, "room.create", wire.RoomCreate{Kind: wire.Group, Name: "g", Members: []id.ID{bo.User}}, &room)
	var sent wire.Sent
	d.must(ann, "message.send", wire.SendParams{Room: room.Room.ID, Key: uuid.NewString(), Text: "secret @bo"}, &sent)
	d.must(bo, "message.react", wire.ReactParams{Message: sent.ID, Emoji: "👍", On: true}, nil)
	d.must(ann, "message.recall", wire.MessageParam{Message: sent.ID}, nil)
	d.must(ann, "room.remove", wire.MembersChange{Room: room.Room.ID, Users: []id.ID{bo.User}}, nil)
	d.must(ann, "kv.put", wire.KVPut{Scope: "user", Key: "draft", Value: []byte(`{"a":1}`)}, nil)
	records, err := d.s.Records(0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for _, r := range records {
		for _, e := range d.s.Deliveries(r) {
			types = append(types, string(e.Type))
			if strings.Contains(string(e.Frame), "secret") {
				t.Errorf("an old record brings back a recalled text: %s", e.Frame)
			}
			if e.Type == wire.EventMessage && d.s.Concerns(bo, &e) {
				t.Errorf("a message of a room that bo was removed from concerns him")
			}
			if e.Type == wire.EventLeft && !d.s.Concerns(bo, &e) {
				t.Errorf("bo is not told that he was removed")
			}
			if e.Position != r.Pos {
				t.Errorf("an event of record %d says %d", r.Pos, e.Position)
			}
		}
	}
	want := "user user devices joined message message reaction recalled left members message kv"
	if got := strings.Join(types, " "); got != want {
		t.Errorf("events %s\nwant   %s", got, want)
	}
}

// A message is told from its record when nothing happened since; that must be
// what asking for it gives.
func TestFreshMessagesAreToldAsTheyAre(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	bo := d.person(ann, "bo", wire.Member)
	var room wire.RoomResult
	d.must(ann, "room.create", wire.RoomCreate{Kind: wire.Group, Name: "g", Members: []id.ID{bo.User}}, &room)
	var first wire.Sent
	for i, p := range []wire.SendParams{
		{Text: "plain"}, {Text: "@bo and @all <b> \"quoted\" \u2028 " + strings.Repeat("長", 200)}, {Text: "a reply", ReplyTo: 2},
		{Text: "in a thread", Thread: 2}, {Text: "of a bot", Foreign: &wire.Foreign{Type: "x.y", Payload: []byte(`{"a":1}`)}},
		{Text: "after a change"},
	} {
		p.Room, p.Key = room.Room.ID, uuid.NewString()
		var sent wire.Sent
		d.must(ann, "message.send", p, &sent)
		if i == 0 {
			first = sent
		}
		records, err := d.s.Records(sent.Position-1, 1)
		if err != nil {
			t.Fatal(err)
		}
		var asked wire.MessageResult
		d.must(bo, "message.get", wire.MessageParam{Message: sent.ID}, &asked)
		want, err := wire.AppendEvent(nil, sent.Position, wire.EventMessage, &asked.Message)
		if err != nil {
			t.Fatal(err)
		}
		events := 1
		if p.Thread != 0 {
			events = 2 // and that its thread grew
		}
		if got := d.s.Deliveries(records[0]); len(got) != events || string(got[0].Frame) != string(want) {
			t.Errorf("told %s\nasked for %s", got[0].Frame, want)
		}
	}
	d.must(ann, "message.edit", wire.EditParams{Message: first.ID, Text: "changed"}, nil)
	records, err := d.s.Records(first.Position-1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(d.s.Deliveries(records[0])[0].Frame); !strings.Contains(got, `"changed"`) || strings.Contains(got, `"plain"`) {
		t.Errorf("an edited message is told as it was: %s", got)
	}
}

// BenchmarkDeliveries is what the fan-out does with each message of 200 bytes.
func BenchmarkDeliveries(b *testing.B) {
	d := openDesk(b)
	ann := d.owner()
	var room wire.RoomResult
	d.must(ann, "room.create", wire.RoomCreate{Kind: wire.Group, Name: "g"}, &room)
	var sent wire.Sent
	d.must(ann, "message.send", wire.SendParams{Room: room.Room.ID, Key: uuid.NewString(), Text: strings.Repeat("m", 200)}, &sent)
	records, err := d.s.Records(sent.Position-1, 1)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if len(d.s.Deliveries(records[0])) != 1 {
			b.Fatal("not told")
		}
	}
}

// A client key stands for one message in one room.
func TestKeyOfAnotherRoom(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	var one, two wire.RoomResult
	d.must(ann, "room.create", wire.RoomCreate{Kind: wire.Group, Name: "one"}, &one)
	d.must(ann, "room.create", wire.RoomCreate{Kind: wire.Group, Name: "two"}, &two)
	p := wire.SendParams{Room: one.Room.ID, Key: "01941f29-7c00-7000-8000-000000000001", Text: "once"}
	d.must(ann, "message.send", p, nil)
	var again wire.Sent
	if d.must(ann, "message.send", p, &again); !again.Again {
		t.Error("the same key in the same room made a second message")
	}
	p.Room = two.Room.ID
	d.refused(wire.Conflict, ann, "message.send", p)
}
