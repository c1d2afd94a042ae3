package gate

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// program answers what its handler says; what it was sent waits in got.
type program struct {
	*httptest.Server
	got chan map[string]any
}

func newProgram(t *testing.T, status int, answer string) *program {
	p := &program{got: make(chan map[string]any, 100)}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var v map[string]any
		raw, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(raw, &v) != nil {
			t.Errorf("a request that is none: %s", raw)
		}
		p.got <- v
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(p.Close)
	return p
}

// newMessage waits for the next message of the room that o has not told of.
func (o *office) newMessage() wire.Message {
	o.t.Helper()
	end := time.After(time.Minute)
	for look := time.NewTicker(5 * time.Millisecond); ; {
		if list := o.news(o.room.ID); len(list) > 0 {
			return list[0]
		}
		select {
		case <-end:
			o.t.Fatal("no message came")
		case <-look.C:
		}
	}
}

func TestAnOutgoingHookEndToEnd(t *testing.T) {
	o := openOffice(t, Limits{})
	p := newProgram(t, 200, `{"text":"**deploying** @all"}`)
	var h wire.HookResult
	o.do(o.boss, "hook.create", wire.HookCreate{Kind: "outgoing", Room: o.room.ID, Name: "Deployer", URL: p.URL, Words: []string{"deploy"}}, &h)
	if h.Secret == "" || h.URL != "" || h.Hook.URL != p.URL {
		t.Fatalf("%+v", h)
	}
	o.news(o.room.ID)
	if _, err := o.boss.Send(context.Background(), o.room.ID, "deploy payment"); err != nil {
		t.Fatal(err)
	}
	if got := <-p.got; got["event"] != "message" || got["message"].(map[string]any)["text"] != "deploy payment" {
		t.Errorf("sent %v", got)
	}
	o.newMessage()
	if m := o.newMessage(); m.Sender != h.Hook.Bot || m.Text != "**deploying** @\u200ball" || m.MentionAll {
		t.Errorf("answered %+v", m)
	}
	for what, url := range map[string]string{"metadata": "http://169.254.169.254/", "itself": o.at + "/api/server.info", "a private network that is not listed": "http://10.0.0.1/", "no address": "x"} {
		if k := o.refused(o.boss, "hook.create", wire.HookCreate{Kind: "outgoing", Room: o.room.ID, Name: "x", URL: url}); k != wire.InvalidParams {
			t.Errorf("%s: %s", what, k)
		}
		if k := o.refused(o.boss, "hook.update", wire.HookUpdate{Hook: h.Hook.ID, URL: &url}); k != wire.InvalidParams {
			t.Errorf("%s, later: %s", what, k)
		}
	}
}

func TestDeadLettersEndToEnd(t *testing.T) {
	o := openOffice(t, Limits{})
	p := newProgram(t, 500, "")
	var h wire.HookResult
	o.do(o.boss, "hook.create", wire.HookCreate{Kind: "outgoing", Room: o.room.ID, Name: "Broken", URL: p.URL}, &h)
	if _, err := o.boss.Send(context.Background(), o.room.ID, "hello"); err != nil {
		t.Fatal(err)
	}
	<-p.got
	var dead wire.DeadList
	end := time.After(time.Minute)
	for look := time.NewTicker(5 * time.Millisecond); len(dead.Dead) == 0; {
		o.do(o.boss, "hook.dead", wire.HookParam{Hook: h.Hook.ID}, &dead)
		select {
		case <-end:
			t.Fatal("no dead letter")
		case <-look.C:
		}
	}
	var list wire.HookList
	o.do(o.boss, "hook.list", wire.HookListParams{Room: o.room.ID}, &list)
	if n := list.Hooks[0]; n.Dead != 1 || n.Pending != 0 || n.Refused != 1 || !strings.Contains(n.LastError, "500") {
		t.Errorf("%+v", n)
	}
	var n wire.DeadResult
	o.do(o.boss, "hook.retry", wire.DeadParams{Hook: h.Hook.ID, Deliveries: []string{dead.Dead[0].ID}}, &n)
	if n.Count != 1 {
		t.Errorf("retried %d", n.Count)
	}
	<-p.got
	eve, _ := o.colleague("eve", wire.Member)
	if k := o.refused(eve, "hook.dead", wire.HookParam{Hook: h.Hook.ID}); k != wire.NotFound {
		t.Errorf("a stranger: %s", k)
	}
	o.do(o.boss, "hook.discard", wire.DeadParams{Hook: h.Hook.ID}, nil)
}

func TestSlashCommandsEndToEnd(t *testing.T) {
	o := openOffice(t, Limits{})
	me, room := newProgram(t, 200, `{"text":"only you [x](https://ok.example)"}`), newProgram(t, 200, `{"text":"for all","visibility":"room"}`)
	down := newProgram(t, 502, "")
	make := func(word, url string, in wire.Room) (h wire.HookResult) {
		p := wire.HookCreate{Kind: "command", Room: in.ID, Name: word, URL: url, Command: word, Hint: "<city>", Description: "tells"}
		o.do(o.boss, "hook.create", p, &h)
		return h
	}
	make("weather", me.URL, o.room)
	all := make("请假", room.URL, wire.Room{})
	make("down", down.URL, o.room)
	o.news(o.room.ID)
	run := func(text, key string) (a wire.CommandAnswer) {
		o.do(o.boss, "command.run", wire.CommandRun{Room: o.room.ID, Text: text, Key: key}, &a)
		return a
	}
	if a := run("/weather 杭州  today", uuid.NewString()); a.Visibility != "me" || a.Text != "only you [x](https://ok.example)" {
		t.Errorf("%+v", a)
	}
	if got := <-me.got; got["command"] != "weather" || got["text"] != "杭州  today" {
		t.Errorf("%v", got)
	}
	o.seesNothing()
	key := uuid.NewString()
	first, again := run("/请假 明天", key), run("/请假 明天", key)
	if first.Visibility != "room" || first.Message.IsZero() || first.Message != again.Message {
		t.Errorf("%+v and %+v", first, again)
	}
	if m := o.sees("for all"); m.Sender != all.Hook.Bot {
		t.Errorf("%+v", m)
	}
	eve, eveUser := o.colleague("eve", wire.Member)
	for text, want := range map[string]wire.Kind{"/nope": wire.NotFound, "/help": wire.Conflict, "hello": wire.InvalidParams, "/down": wire.Unavailable} {
		if k := o.refused(o.boss, "command.run", wire.CommandRun{Room: o.room.ID, Text: text, Key: uuid.NewString()}); k != want {
			t.Errorf("%s: %s, want %s", text, k, want)
		}
	}
	if k := o.refused(eve, "command.run", wire.CommandRun{Room: o.room.ID, Text: "/weather", Key: uuid.NewString()}); k != wire.NotFound {
		t.Errorf("a stranger: %s", k)
	}
	must(t, o.boss.AddMembers(context.Background(), o.room.ID, eveUser.ID))
	o.do(o.boss, "room.role", wire.MemberRoleParams{Room: o.room.ID, User: eveUser.ID, Role: wire.RoomReader}, nil)
	if k := o.refused(eve, "command.run", wire.CommandRun{Room: o.room.ID, Text: "/请假", Key: uuid.NewString()}); k != wire.Forbidden {
		t.Errorf("a reader posts: %s", k)
	}
	var list wire.CommandList
	o.do(eve, "command.list", wire.RoomParam{Room: o.room.ID}, &list)
	var words []string
	for _, c := range list.Commands {
		words = append(words, c.Command)
		if c.Command == "weather" && (c.Hint != "<city>" || c.Description != "tells" || c.Builtin) {
			t.Errorf("%+v", c)
		}
	}
	if got := strings.Join(words, " "); !strings.Contains(got, "down help") || !strings.Contains(got, "weather") || !strings.Contains(got, "请假") {
		t.Errorf("lists %s", got)
	}
	if k := o.refused(o.boss, "hook.create", wire.HookCreate{Kind: "command", Room: o.room.ID, Name: "x", URL: me.URL, Command: "请假"}); k != wire.Conflict {
		t.Errorf("a word twice: %s", k)
	}
	if k := o.refused(o.boss, "hook.create", wire.HookCreate{Kind: "command", Room: o.room.ID, Name: "x", URL: me.URL, Command: "help"}); k != wire.Conflict {
		t.Errorf("a word of the client: %s", k)
	}
}

// Bots log in with a token that is shown once, over HTTP and over a WebSocket,
// and no longer once it is revoked or was unused for too long.
func TestABotAndItsToken(t *testing.T) {
	o := openOffice(t, Limits{})
	ctx := context.Background()
	bot, err := o.boss.CreateUser(ctx, wire.UserCreate{Login: "robo", Name: "Robo", Bot: true})
	must(t, err)
	must(t, o.boss.AddMembers(ctx, o.room.ID, bot.ID))
	in, err := o.boss.CreateToken(ctx, bot.ID, "its machine")
	must(t, err)
	o.news(o.room.ID)
	if _, err := o.person(in.Token).Send(ctx, o.room.ID, "over HTTP"); err != nil {
		t.Fatal(err)
	}
	o.sees("over HTTP")
	c, err := client.Dial(ctx, client.Options{URL: o.at, Token: in.Token})
	must(t, err)
	must(t, c.Connect(ctx))
	if _, err := c.Send(ctx, o.room.ID, "over a WebSocket"); err != nil {
		t.Fatal(err)
	}
	o.sees("over a WebSocket")
	must(t, c.Close())
	must(t, o.boss.Revoke(ctx, in.Device))
	if k := o.refused(o.person(in.Token), "session.me", wire.Empty{}); k != wire.Unauthenticated {
		t.Errorf("revoked: %s", k)
	}
	in, err = o.boss.CreateToken(ctx, bot.ID, "another")
	must(t, err)
	o.mu.Lock()
	o.skew = 366 * 24 * time.Hour
	o.mu.Unlock()
	if k := o.refused(o.person(in.Token), "session.me", wire.Empty{}); k != wire.Unauthenticated {
		t.Errorf("unused for a year: %s", k)
	}
}

// Only hooks hold addresses that the server calls: no parameter of any other
// method is one, pictures of accounts are uploads.
func TestNoOtherMethodTakesAnAddress(t *testing.T) {
	for _, spec := range wire.Table() {
		for i := range spec.Params.NumField() {
			f := spec.Params.Field(i)
			name := strings.ToLower(f.Name)
			if (strings.Contains(name, "url") || strings.Contains(name, "uri") || strings.Contains(name, "host") || strings.Contains(name, "href")) && !strings.HasPrefix(spec.Name, "hook.") {
				t.Errorf("%s takes %s", spec.Name, f.Name)
			}
			if name == "avatar" && f.Type != reflect.TypeFor[*id.ID]() {
				t.Errorf("%s takes %s as %s", spec.Name, f.Name, f.Type)
			}
		}
	}
	o := openOffice(t, Limits{})
	p := newProgram(t, 200, "")
	if _, err := o.boss.Send(context.Background(), o.room.ID, "look at ![x]("+p.URL+"/a.png) and "+p.URL); err != nil {
		t.Fatal(err)
	}
	h := o.hook(wire.HookCreate{})
	if status, _ := o.posts(h.URL, plainJSON, `{"text":"see","icon_url":"`+p.URL+`/icon.png","attachments":[{"image_url":"`+p.URL+`/i.png","text":"x"}]}`); status != 200 {
		t.Error(status)
	}
	if n := len(p.got); n != 0 {
		t.Errorf("the server fetched %d addresses of a message", n)
	}
}
