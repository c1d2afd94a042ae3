package main

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// pack writes a zip with these files, in the order of their names.
func pack(t testing.TB, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	var names []string
	for n := range files {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		w, err := z.Create(n)
		if err == nil {
			_, err = io.WriteString(w, files[n])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "export.zip")
	if err := os.WriteFile(name, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// slackOffice is a Slack export as a workspace's owner gets it, with the files
// that a tool has put into it.
func slackOffice() map[string]string {
	return map[string]string{
		"users.json": `[
 {"id":"U01ANN","team_id":"T01","name":"ann.lee","deleted":false,"real_name":"Ann Lee","is_admin":true,"is_owner":true,"is_bot":false,"profile":{"title":"Foreman","phone":"","real_name":"Ann Lee","display_name":"ann","email":"ann@works.example"}},
 {"id":"U02BO","team_id":"T01","name":"bo","deleted":false,"real_name":"博","is_bot":false,"profile":{"real_name":"博","display_name":"","email":"bo@works.example"}},
 {"id":"U03CY","team_id":"T01","name":"cy","deleted":true,"profile":{"real_name":"Cy Gone","email":"cy@works.example"}},
 {"id":"U04CI","team_id":"T01","name":"ci","deleted":false,"is_bot":true,"profile":{"real_name":"CI","bot_id":"B04CI","api_app_id":"A1"}},
 {"id":"USLACKBOT","team_id":"T01","name":"slackbot","deleted":false,"real_name":"Slackbot","is_bot":false,"profile":{"real_name":"Slackbot"}}
]`,
		"channels.json": `[
 {"id":"C01GEN","name":"general","created":1577836800,"creator":"U01ANN","is_archived":false,"is_general":true,"members":["U01ANN","U02BO","U03CY"],
  "topic":{"value":"Office &amp; works","creator":"U01ANN","last_set":1577836900},"purpose":{"value":"","creator":"","last_set":0},
  "pins":[{"id":"1577880000.000100","type":"C","created":1577880500,"user":"U02BO","owner":"U01ANN"}]},
 {"id":"C02OLD","name":"old","created":1546300800,"creator":"U03CY","is_archived":true,"members":[],"topic":{"value":""},"purpose":{"value":"gone"}}
]`,
		"groups.json": `[{"id":"G01","name":"secret","created":1577836801,"creator":"U02BO","is_archived":false,"members":["U02BO","U01ANN"],"topic":{"value":""},"purpose":{"value":""}}]`,
		"dms.json":    `[{"id":"D01","created":1577836802,"members":["U01ANN","U02BO"]},{"id":"D02","created":1577836803,"members":["U01ANN"]}]`,
		"mpims.json":  `[{"id":"G02","name":"mpdm-ann.lee--bo--cy-1","created":1577836804,"creator":"U01ANN","is_archived":false,"members":["U01ANN","U02BO","U03CY"],"topic":{"value":""},"purpose":{"value":"Group messaging"}}]`,
		"general/2020-01-01.json": `[
 {"type":"message","subtype":"channel_join","ts":"1577837000.000100","user":"U02BO","text":"<@U02BO> has joined the channel"},
 {"client_msg_id":"a-1","type":"message","text":"Hello <@U02BO>, see <https://intra.example/plan|the *plan*> &amp; be *quick* :tada: :works:","user":"U01ANN","ts":"1577880000.000100","team":"T01",
  "user_team":"T01","source_team":"T01","user_profile":{"real_name":"Ann Lee","name":"ann.lee"},
  "blocks":[{"type":"rich_text","block_id":"x","elements":[{"type":"rich_text_section","elements":[{"type":"text","text":"Hello"}]}]}],
  "edited":{"user":"U01ANN","ts":"1577880060.000000"},"thread_ts":"1577880000.000100","reply_count":2,"reply_users_count":1,"latest_reply":"1577966400.000300","reply_users":["U02BO"],
  "reactions":[{"name":"+1::skin-tone-3","users":["U02BO"],"count":1},{"name":"works","users":["U02BO","U01ANN"],"count":2}]},
 {"type":"message","text":"reading it","user":"U02BO","ts":"1577880100.000200","thread_ts":"1577880000.000100","parent_user_id":"U01ANN"},
 {"type":"message","text":"the drawing","files":[{"id":"F01","name":"drawing.txt","title":"drawing","mimetype":"text/plain","filetype":"text","mode":"hosted","size":11,"url_private":"https://files.slack.com/x"},
  {"id":"F02","name":"lost.pdf","mimetype":"application/pdf","mode":"hosted","size":2048}],"upload":false,"user":"U02BO","ts":"1577880200.000300"},
 {"type":"message","subtype":"bot_message","text":"","bot_id":"B04CI","username":"CI","ts":"1577880300.000400","attachments":[{"fallback":"build 7 failed","title":"Build 7","title_link":"https://ci.example/7","text":"*failed*"}]}
]`,
		"general/2020-01-02.json": `[
 {"type":"message","text":"read it","user":"U02BO","ts":"1577966400.000300","thread_ts":"1577880000.000100","parent_user_id":"U01ANN"},
 {"type":"message","text":"who am I?","user":"UGHOST","ts":"1577966500.000400","user_profile":{"real_name":"A Guest"}},
 {"type":"message","subtype":"huddle_thread","text":"","user":"U01ANN","ts":"1577966600.000400"}
]`,
		"old/2019-02-01.json":                    `[{"type":"message","text":"the last word","user":"U03CY","ts":"1548979200.000000"}]`,
		"secret/2020-01-03.json":                 `[{"type":"message","text":"a raise for <@U03CY>","user":"U02BO","ts":"1578009600.000000"}]`,
		"D01/2020-01-03.json":                    `[{"type":"message","text":"lunch?","user":"U01ANN","ts":"1578009601.000000"},{"type":"message","text":"_yes_ ~no~","user":"U02BO","ts":"1578009660.000000"}]`,
		"D02/2020-01-03.json":                    `[{"type":"message","text":"note to self","user":"U01ANN","ts":"1578009602.000000"}]`,
		"mpdm-ann.lee--bo--cy-1/2020-01-03.json": `[{"type":"message","text":"three of us","user":"U03CY","ts":"1578009603.000000"}]`,
		"integration_logs.json":                  `[]`,
		"__uploads/F01/drawing.txt":              "hello world",
	}
}

// position is the head of the journal.
func (d *desk) position() uint64 {
	d.t.Helper()
	return uint64(d.run("", "status", "--json").json()["position"].(float64))
}

// person is an account that is logged in.
func (d *desk) person(addr, login string) *client.HTTP {
	d.t.Helper()
	d.run("correct horse battery", "user", "passwd", login).exits(0)
	h, err := client.NewHTTP(client.Options{URL: "http://" + addr})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { h.Close() })
	if _, err := h.Login(context.Background(), login, "correct horse battery"); err != nil {
		d.t.Fatal(err)
	}
	return h
}

// show is a room's history as lines: time, author, text and what hangs on it.
func show(t testing.TB, h *client.HTTP, room id.ID) (lines []string, list []wire.Message) {
	t.Helper()
	page, err := h.History(context.Background(), wire.HistoryParams{Room: room, FromStart: true, Limit: 200})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range page.Messages {
		var people wire.UserList
		who := "-"
		if err := h.Call(context.Background(), "directory.get", wire.UsersParam{Users: []id.ID{m.Sender}}, &people); err == nil && len(people.Users) == 1 {
			who = people.Users[0].Login
		}
		line := fmt.Sprint(m.Time, " ", who, " ", m.Text)
		if m.Thread != 0 {
			line += fmt.Sprint(" thread ", m.Thread)
		}
		for _, x := range m.Reactions {
			line += fmt.Sprint(" ", x.Emoji, len(x.Users))
		}
		for _, f := range m.Files {
			line += " file " + f.Name
		}
		if m.Edits > 0 {
			line += fmt.Sprint(" edited ", m.EditedAt)
		}
		if m.PinnedAt != 0 {
			line += fmt.Sprint(" pinned ", m.PinnedAt)
		}
		lines = append(lines, line)
		if !m.Imported || m.Change != nil {
			t.Errorf("%q does not say that it was imported", line)
		}
	}
	return lines, page.Messages
}

func roomsByName(t testing.TB, h *client.HTTP) map[string]wire.Room {
	t.Helper()
	list, err := h.Rooms(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]wire.Room{}
	for _, r := range list.Rooms {
		name := r.Name
		if name == "" {
			name = string(r.Kind)
		}
		out[name] = r
	}
	return out
}

func wantLines(t testing.TB, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant:\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestImportSlack(t *testing.T) {
	for _, where := range []string{"offline", "online"} {
		t.Run(where, func(t *testing.T) {
			d := newDesk(t)
			file := pack(t, slackOffice())
			d.run("correct horse battery", "user", "add", "ann", "--role", "owner", "--email", "Ann@works.example").exits(0)
			d.do("user", "add", "bo", "--email", "another.bo@works.example", "--no-password")
			addr := ""
			if where == "online" {
				addr = d.serve()
			}
			before := d.position()
			d.do("import", "slack", file, "--dry-run").prints("new 5 (disabled 2, bots 2), have an account 1", "lost.pdf", ":works:", "login  bo → bo2", "ann      ann.lee      Ann Lee     ann@works.example").tells("nothing was changed")
			if after := d.position(); after != before {
				t.Fatalf("the dry run moved the journal from %d to %d", before, after)
			}
			d.do("import", "slack", file).tells("5 accounts", "6 rooms", "12 messages", "1 files (11 B)", "posthouse user passwd bo2 --generate")
			if where == "offline" {
				d.do("verify")
				addr = d.serve()
			}
			d.readSlackOffice(addr)
			d.do("import", "slack", file).tells("0 accounts", "0 rooms", "0 messages", "0 files", "there already: 12 messages")
			d.readSlackOffice(addr)
			d.stop()
			d.do("verify")
		})
	}
}

// readSlackOffice reads as ann what was imported.
func (d *desk) readSlackOffice(addr string) {
	t := d.t
	t.Helper()
	ann := d.person(addr, "ann")
	rooms := roomsByName(t, ann)
	if len(rooms) != 5 {
		t.Fatalf("ann is in %d rooms: %v", len(rooms), rooms)
	}
	for name, r := range rooms {
		if r.Unread != 0 || r.MentionsNew != 0 || r.Archived {
			t.Errorf("room %s: unread %d, mentions %d, archived %v", name, r.Unread, r.MentionsNew, r.Archived)
		}
	}
	order, err := ann.Rooms(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, r := range order.Rooms {
		kinds = append(kinds, string(r.Kind)+" "+r.Name)
	}
	wantLines(t, "the list of rooms, by their newest message", kinds, "direct ", "group Ann Lee, 博, Cy Gone", "notes ", "group secret", "channel general")
	general := rooms["general"]
	if general.Kind != wire.Channel || general.Topic != "Office & works" || general.Members != 3 || general.MyRole != wire.RoomOwner || general.Created != 1577836800000 {
		t.Errorf("general is %+v", general)
	}
	lines, list := show(t, ann, general.ID)
	wantLines(t, "general", lines,
		"1577880000000 ann Hello @bo2, see [the *plan*](https://intra.example/plan) & be **quick** 🎉 :works: 👍🏼1 :works:2 edited 1577880060000 pinned 1577880500000",
		"1577880100000 bo2 reading it thread 1",
		"1577880200000 bo2 the drawing\n`lost.pdf` (2.0 KiB, not in the export) file drawing.txt",
		"1577880300000 ci [Build 7](https://ci.example/7)\n**failed**",
		"1577966400000 bo2 read it thread 1",
		"1577966500000 a-guest who am I?")
	if len(list) == 6 && (list[0].Replies != 2 || len(list[0].Mentions) != 1) {
		t.Errorf("first message: %+v", list[0])
	}
	var content bytes.Buffer
	if _, err := ann.Download(context.Background(), list[2].Files[0], &content, 0); err != nil || content.String() != "hello world" {
		t.Errorf("the file holds %q, %v", content.String(), err)
	}
	lines, _ = show(t, ann, rooms["direct"].ID)
	wantLines(t, "direct", lines, "1578009601000 ann lunch?", "1578009660000 bo2 _yes_ ~~no~~")
	lines, _ = show(t, ann, rooms["notes"].ID)
	wantLines(t, "notes", lines, "1578009602000 ann note to self")
	lines, _ = show(t, ann, rooms["Ann Lee, 博, Cy Gone"].ID)
	wantLines(t, "group", lines, "1578009603000 cy three of us")
	if r := rooms["secret"]; r.Kind != wire.Group {
		t.Errorf("secret is %+v", r)
	}
	d.do("user", "list").prints("Cy Gone", "disabled")
	d.do("room", "show", "old").prints("archived")
}
