package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
)

// mattermostOffice is a bulk export as mmctl makes it, with attachments.
func mattermostOffice() map[string]string {
	lines := []string{
		`{"type":"version","version":1,"info":{"generator":"mattermost-server","version":"9.5.0","created":"2024-01-05T00:00:00Z"}}`,
		`{"type":"emoji","emoji":{"name":"works","image":"emoji/works.png"}}`,
		`{"type":"team","team":{"name":"works","display_name":"Works","type":"O","description":"","allow_open_invite":false}}`,
		`{"type":"channel","channel":{"team":"works","name":"town-square","display_name":"Town Square","type":"O","header":"Everybody","purpose":""}}`,
		`{"type":"channel","channel":{"team":"works","name":"board","display_name":"Board","type":"P","header":"","purpose":"closed doors"}}`,
		`{"type":"user","user":{"username":"ann","email":"ann@works.example","auth_service":null,"nickname":"","first_name":"Ann","last_name":"Lee","position":"Foreman","roles":"system_user system_admin","locale":"en","delete_at":0,"teams":[{"name":"works","roles":"team_user","channels":[{"name":"town-square","roles":"channel_user channel_admin","notify_props":{"desktop":"default"},"favorite":true},{"name":"board","roles":"channel_user"}]}]}}`,
		`{"type":"user","user":{"username":"bo","email":"bo@works.example","nickname":"博","first_name":"","last_name":"","roles":"system_user","delete_at":0,"teams":[{"name":"works","roles":"team_user","channels":[{"name":"town-square","roles":"channel_user"},{"name":"board","roles":"channel_user channel_admin"}]}]}}`,
		`{"type":"user","user":{"username":"cy","email":"cy@works.example","nickname":"","first_name":"Cy","last_name":"","roles":"system_user","delete_at":1700000000000,"teams":[]}}`,
		`{"type":"post","post":{"team":"works","channel":"town-square","user":"bo","type":"","message":"second","props":{},"create_at":1704100000000,"edit_at":0,"reactions":[],"replies":[],"attachments":[]}}`,
		`{"type":"post","post":{"team":"works","channel":"town-square","user":"ann","type":"","message":"# Plan\n@bo see __this__ :tada:","props":{},"create_at":1704000000000,"edit_at":1704000060000,"flagged_by":["bo"],"is_pinned":true,"reactions":[{"user":"bo","create_at":1704000001000,"emoji_name":"+1"},{"user":"cy","create_at":1704000002000,"emoji_name":"works"}],"replies":[{"user":"bo","type":"","message":"done","create_at":1704200000000,"edit_at":0,"attachments":[{"path":"20240101/teams/noteam/channels/c/users/u/f1/done.txt"}]}],"attachments":[{"path":"20240101/teams/noteam/channels/c/users/u/f2/gone.pdf"}]}}`,
		`{"type":"post","post":{"team":"works","channel":"town-square","user":"cy","type":"system_leave_channel","message":"cy left the channel.","props":{"username":"cy"},"create_at":1704000500000}}`,
		`{"type":"post","post":{"team":"works","channel":"town-square","user":"ann","type":"custom_calls","message":"call started","props":{},"create_at":1704000600000}}`,
		`{"type":"post","post":{"team":"works","channel":"board","user":"bo","type":"slack_attachment","message":"","props":{"from_webhook":"true","override_username":"Jenkins","attachments":[{"title":"Build 7","title_link":"https://ci.example/7","text":"**failed**"}]},"create_at":1704000700000}}`,
		`{"type":"direct_channel","direct_channel":{"members":["ann","bo"],"favorited_by":["ann"],"header":""}}`,
		`{"type":"direct_channel","direct_channel":{"members":["ann","ann"],"header":""}}`,
		`{"type":"direct_post","direct_post":{"channel_members":["ann","bo"],"user":"bo","type":"","message":"lunch?","props":{},"create_at":1704000800000,"edit_at":0,"flagged_by":null,"reactions":null,"replies":null,"attachments":null}}`,
		`{"type":"direct_post","direct_post":{"channel_members":["ann","ann"],"user":"ann","message":"to self","create_at":1704000900000}}`,
		`{"type":"direct_post","direct_post":{"channel_members":["ann","bo","cy"],"user":"cy","message":"three","create_at":1704000950000}}`,
	}
	return map[string]string{
		"mattermost_import.jsonl":                                   strings.Join(lines, "\n") + "\n",
		"data/20240101/teams/noteam/channels/c/users/u/f1/done.txt": "it is done",
	}
}

func TestImportMattermost(t *testing.T) {
	bothWays(t, func(t *testing.T, d *desk) {
		file := pack(t, mattermostOffice())
		d.do("user", "add", "ann", "--role", "owner", "--email", "ann@works.example", "--no-password")
		before := d.position()
		v := d.do("import", "mattermost", file, "--dry-run", "--json").keys("system", "dry_run", "people", "rooms", "archive", "not_imported", "accounts_found", "renamed", "warnings", "bytes_needed", "bytes_free", "result")
		if got := fmt.Sprint(v["people"], v["rooms"]); got != "map[bots:0 disabled:1 matched:1 new:2] map[archived:0 busy:0 channels:1 directs:1 groups:2 notes:1 there:0]" {
			t.Fatal(got)
		}
		lost := fmt.Sprint(v["not_imported"])
		for _, what := range []string{"what:emoji", "what:files", "what:huddles", "what:joins", "what:personal", "what:roles", "what:teams"} {
			if !strings.Contains(lost, what) {
				t.Errorf("no %s in %s", what, lost)
			}
		}
		if after := d.position(); after != before {
			t.Fatalf("the dry run moved the journal from %d to %d", before, after)
		}
		d.do("import", "mattermost", file).tells("2 accounts", "5 rooms", "7 messages", "1 files")
		running := d.stop != nil
		addr := ""
		if running {
			d.stop()
		}
		addr = d.serve()
		d.readMattermostOffice(addr)
		d.do("import", "mattermost", file).tells("0 accounts", "0 rooms", "0 messages", "there already: 7 messages")
		d.readMattermostOffice(addr)
		if !running {
			d.stop()
			d.do("verify")
		}
	})
}

func (d *desk) readMattermostOffice(addr string) {
	t := d.t
	t.Helper()
	ann := d.person(addr, "ann")
	rooms := roomsByName(t, ann)
	lines, list := show(t, ann, rooms["Town Square"].ID)
	wantLines(t, "Town Square", lines,
		"1704000000000 ann **Plan**\n@bo see **this** 🎉\n`gone.pdf` (not in the export) 👍1 :works:1 edited 1704000060000 pinned 1704000000000",
		"1704100000000 bo second",
		"1704200000000 bo done thread 1 file done.txt")
	var content bytes.Buffer
	if len(list) == 3 {
		if _, err := ann.Download(context.Background(), list[2].Files[0], &content, 0); err != nil || content.String() != "it is done" {
			t.Errorf("the file holds %q, %v", content.String(), err)
		}
	}
	lines, _ = show(t, ann, rooms["Board"].ID)
	wantLines(t, "Board", lines, "1704000700000 bo **Jenkins**\n[Build 7](https://ci.example/7)\n**failed**")
	lines, _ = show(t, ann, rooms["direct"].ID)
	wantLines(t, "direct", lines, "1704000800000 bo lunch?")
	lines, _ = show(t, ann, rooms["notes"].ID)
	wantLines(t, "notes", lines, "1704000900000 ann to self")
	lines, _ = show(t, ann, rooms["Ann Lee, 博, Cy"].ID)
	wantLines(t, "group", lines, "1704000950000 cy three")
	for name, r := range rooms {
		if r.Unread != 0 || r.MentionsNew != 0 {
			t.Errorf("room %s: unread %d, mentions %d", name, r.Unread, r.MentionsNew)
		}
	}
}

// long is an export with one channel and so many messages, a thread and files.
func long(n int) map[string]string {
	files := slackOffice()
	var day strings.Builder
	for i := range n {
		thread := ""
		if i%10 == 0 {
			thread = fmt.Sprintf(`,"thread_ts":"%d.000001"`, 1580000000)
		}
		fmt.Fprintf(&day, `%s{"type":"message","user":"U0%s","text":"message %d","ts":"%d.000001"%s}`, map[bool]string{true: "", false: ","}[i == 0], []string{"1ANN", "2BO"}[i%2], i, 1580000000+i, thread)
	}
	files["general/2020-01-26.json"] = "[" + day.String() + "]"
	return files
}

// breaking is a caller that fails after so many calls, as a process that is
// killed there.
type breaking struct {
	caller
	left int
}

var errKilled = errors.New("killed")

func (b *breaking) call(method string, params, result any) error {
	if b.left--; b.left < 0 {
		return errKilled
	}
	return b.caller.call(method, params, result)
}

func TestImportGoesOnWhereItWasKilled(t *testing.T) {
	d := newDesk(t)
	d.do("user", "add", "ann", "--role", "owner", "--email", "ann@works.example", "--no-password")
	file := pack(t, long(1300))
	a := newApp(d.env, strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{})
	killed := 0
	for calls := 1; ; calls += 2 {
		b, err := openBox(d.config(), slog.New(slog.DiscardHandler), nil)
		if err != nil {
			t.Fatal(err)
		}
		a.flags.data = d.data
		plan, err := a.readArchive(context.Background(), "slack", file)
		if err != nil {
			t.Fatal(err)
		}
		err = a.importPlan(context.Background(), &breaking{offline{context.Background(), b, "en"}, calls}, plan, false, false)
		plan.Close()
		if cerr := b.close(context.Background()); cerr != nil {
			t.Fatal(cerr)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		killed++
	}
	if killed < 8 {
		t.Fatalf("killed %d times only", killed)
	}
	d.do("verify")
	addr := d.serve()
	ann := d.person(addr, "ann")
	general := roomsByName(t, ann)["general"]
	if general.Head != 1306 || general.Unread != 0 || general.Members != 3 {
		t.Fatalf("general: %+v", general)
	}
	at := int64(0)
	for seq := uint64(0); seq < general.Head; {
		page, err := ann.History(context.Background(), wire.HistoryParams{Room: general.ID, After: seq, FromStart: seq == 0, Limit: 200})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range page.Messages {
			if m.Time < at || m.Seq != seq+1 {
				t.Fatalf("%d at %d follows %d at %d", m.Seq, m.Time, seq, at)
			}
			at, seq = m.Time, m.Seq
		}
	}
	page, err := ann.History(context.Background(), wire.HistoryParams{Room: general.ID, Thread: 7, Limit: 200})
	if err != nil || len(page.Messages) != 129 {
		t.Fatalf("the thread has %d replies, %v", len(page.Messages), err)
	}
}

func TestImportEndsWhenInterrupted(t *testing.T) {
	d := newDesk(t)
	d.do("user", "add", "ann", "--role", "owner", "--no-password")
	file := pack(t, slackOffice())
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	d.runIn(ctx, "", "import", "slack", file).exits(1).tells("interrupted")
	d.do("user", "list").never("cy")
}

// What people write ends the import into their room: the past does not come
// after it.
func TestImportLeavesLiveRoomsAlone(t *testing.T) {
	d := newDesk(t)
	d.do("user", "add", "ann", "--role", "owner", "--email", "ann@works.example", "--no-password")
	d.do("user", "add", "bo", "--email", "bo@works.example", "--no-password")
	addr := d.serve()
	ann := d.person(addr, "ann")
	bo := d.person(addr, "bo")
	me, err := bo.Me(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	direct, err := ann.Direct(context.Background(), me.User.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ann.Send(context.Background(), direct.ID, "already here"); err != nil {
		t.Fatal(err)
	}
	d.do("import", "slack", pack(t, slackOffice())).tells("2 messages were left out")
	page, err := ann.History(context.Background(), wire.HistoryParams{Room: direct.ID, Limit: 50})
	if err != nil || len(page.Messages) != 1 {
		t.Fatalf("%+v %v", page.Messages, err)
	}
	// A later export brings more into a room that nobody has written in …
	more := slackOffice()
	more["secret/2020-02-01.json"] = `[{"type":"message","text":"and more","user":"U02BO","ts":"1580515200.000000"}]`
	d.do("import", "slack", pack(t, more)).tells("1 messages", "there already: 10 messages")
	secret := roomsByName(t, ann)["secret"]
	if secret.Head != 2 || secret.Unread != 0 {
		t.Fatalf("secret: %+v", secret)
	}
	// … and not after somebody has.
	if _, err := ann.Send(context.Background(), secret.ID, "hi"); err != nil {
		t.Fatal(err)
	}
	more["secret/2020-02-02.json"] = `[{"type":"message","text":"too late","user":"U02BO","ts":"1580601600.000000"}]`
	d.do("import", "slack", pack(t, more)).tells("0 messages, 0 files", "were left out")
	if r := roomsByName(t, ann)["secret"]; r.Head != 3 {
		t.Fatalf("secret: %+v", r)
	}
}

// A connected client sees imported messages as such, unread by nobody.
func TestImportedMessagesSaySoOnTheWire(t *testing.T) {
	d := newDesk(t)
	d.do("user", "add", "ann", "--role", "owner", "--email", "ann@works.example", "--no-password")
	d.do("user", "add", "bo", "--email", "bo@works.example", "--no-password")
	addr := d.serve()
	ann := d.person(addr, "ann")
	stream, err := client.Dial(context.Background(), client.Options{URL: "http://" + addr, Token: ann.Token()})
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if err := stream.WaitConnected(context.Background()); err != nil {
		t.Fatal(err)
	}
	d.do("import", "slack", pack(t, slackOffice()))
	if _, err := ann.PutKV(context.Background(), wire.KVPut{Scope: "user", Key: "end", Value: []byte("1")}); err != nil {
		t.Fatal(err)
	}
	told := 0
	for ev := range stream.Events() {
		if ev.Type == wire.EventKV {
			break
		}
		if m, ok := ev.Data.(*wire.Message); ok {
			if told++; !m.Imported || m.Time > 1600000000000 {
				t.Errorf("told as a message of now: %+v", m)
			}
		}
	}
	if told < 3 { // those of the direct room and the notes, which have members from the beginning
		t.Errorf("%d messages were told, want 3 at least", told)
	}
	for name, r := range roomsByName(t, ann) {
		if r.Unread != 0 {
			t.Errorf("%s: %d unread", name, r.Unread)
		}
	}
}

func TestImportOverQuota(t *testing.T) {
	d := newDesk(t)
	d.do("user", "add", "ann", "--role", "owner", "--email", "ann@works.example", "--no-password")
	office := slackOffice()
	office["__uploads/F01/drawing.txt"] = strings.Repeat("d", 40000)
	office["__uploads/F02/lost.pdf"] = strings.Repeat("l", 40000)
	file := pack(t, office)
	set := []string{"--set", "limits.user_quota_bytes=65536", "--set", "limits.upload_bytes=65536"}
	d.do(append(set, "import", "slack", file, "--dry-run")...).tells("warning: the files of bo (78.1 KiB) pass the quota of 64.0 KiB")
	d.do(append(set, "import", "slack", file)...).tells("1 files were not taken", "1 files (39.1 KiB)")
	addr := d.serve()
	ann := d.person(addr, "ann")
	lines, _ := show(t, ann, roomsByName(t, ann)["general"].ID)
	if len(lines) < 3 || !strings.Contains(lines[2], "`lost.pdf` (39.1 KiB, the quota is used up)") {
		t.Errorf("%q", lines)
	}
}

func TestImportRefusesWhatIsNoExport(t *testing.T) {
	d := newDesk(t)
	d.do("user", "add", "ann", "--role", "owner", "--no-password")
	file := filepath.Join(t.TempDir(), "x.zip")
	if err := os.WriteFile(file, []byte("no zip"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.run("", "import", "slack", file).exits(1).tells("is not an export of slack")
	d.run("", "import", "mattermost", file).exits(1).tells("is not an export of mattermost")
	d.run("", "import", "slack", file+"x").exits(1)
	d.run("", "import", "slack").exits(2)
	d.run("", "import", "zulip", file).exits(2)
	empty := newDesk(t)
	empty.run("", "import", "slack", pack(t, slackOffice())).exits(1).tells("make the first owner")
	empty.env[0] = "LC_ALL=zh_CN.UTF-8"
	empty.do("import", "slack", pack(t, slackOffice()), "--dry-run").prints("人员", "加入或离开的系统行").tells("未作任何更改")
}

// BenchmarkImport reads and imports an export of 20,000 messages into a box
// that no server runs on: everything is on disk at the end.
func BenchmarkImport(b *testing.B) {
	const n = 20_000
	file := pack(b, long(n))
	for b.Loop() {
		b.StopTimer()
		d := newDesk(b)
		d.do("user", "add", "ann", "--role", "owner", "--email", "ann@works.example", "--no-password")
		b.StartTimer()
		d.do("import", "slack", file)
	}
	b.ReportMetric(float64((n+12)*b.N)/b.Elapsed().Seconds(), "msg/s")
}
