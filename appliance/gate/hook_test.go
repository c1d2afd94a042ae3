package gate

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"posthouse/appliance/chat"
	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/journal"
	"posthouse/appliance/markup"
	"posthouse/appliance/netguard"
	"posthouse/appliance/outhook"
	"posthouse/appliance/record"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// office is a whole server with people in it, whom foreign programs post to.
type office struct {
	t     *testing.T
	at    string // http://127.0.0.1:port
	boss  *client.HTTP
	chat  *chat.Service
	state *state.State
	hooks *outhook.Engine
	room  wire.Room
	mu    sync.Mutex
	log   strings.Builder
	skew  time.Duration
	heard map[id.ID]uint64 // last seq read, by room
}

func (o *office) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.Write(b)
}

func (o *office) logged() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.String()
}

func (o *office) now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Now().Add(o.skew)
}

func openOffice(t *testing.T, limits Limits) *office {
	t.Helper()
	o := &office{t: t, heard: map[id.ID]uint64{}}
	dir := t.TempDir()
	s, err := state.Open(filepath.Join(dir, "state.db"), state.Options{Check: true})
	must(t, err)
	o.state = s
	j, err := journal.Open(filepath.Join(dir, "journal"), journal.Options{})
	must(t, err)
	q, err := sequencer.Start(j, s, sequencer.Options{})
	must(t, err)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	o.at = "http://" + ln.Addr().String()
	log := slog.New(slog.NewTextHandler(o, nil))
	guard, err := netguard.New(netguard.Options{Allowed: []string{"127.0.0.1"}, OwnPorts: func() []int { return []int{ln.Addr().(*net.TCPAddr).Port} }})
	must(t, err)
	o.hooks, err = outhook.Open(filepath.Join(dir, "hooks.db"), outhook.Options{Journal: q, State: s, Client: guard.Client(5 * time.Second), Log: log, Backoff: []time.Duration{},
		Post: func(ctx context.Context, h *record.Hook, room id.ID, text string, key [16]byte) error {
			return chat.PostByHook(ctx, q, h, room, text, key)
		}})
	must(t, err)
	o.hooks.Start()
	o.chat = chat.New(q, s, chat.Options{Hash: chat.HashCost{KiB: 8, Passes: 1}, BaseURL: func() string { return o.at }, Log: log, CheckURL: guard.CheckURL, Hooks: o.hooks})
	g, err := New(Options{Service: o.chat, Limits: limits, Logger: log, Now: o.now})
	must(t, err)
	go func() { _ = g.Serve(ln, LocalHTTP) }()
	t.Cleanup(func() {
		must(t, errors.Join(g.Close(), o.hooks.Close(), q.Close(context.Background()), s.Close(), j.Close()))
	})
	link, err := url.Parse(strings.Replace(o.chat.SetupURL(), "/#/", "/", 1))
	must(t, err)
	o.boss = o.person("")
	var in wire.Session
	o.do(o.boss, "setup.complete", wire.SetupParams{Token: filepath.Base(link.Path), Organisation: "Acme", Login: "boss", Name: "Boss", Password: "long enough 1"}, &in)
	o.boss = o.person(in.Token)
	o.room, err = o.boss.CreateRoom(context.Background(), wire.RoomCreate{Kind: wire.Channel, Name: "ops"})
	must(t, err)
	return o
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (o *office) person(token string) *client.HTTP {
	o.t.Helper()
	h, err := client.NewHTTP(client.Options{URL: o.at, Token: token})
	must(o.t, err)
	o.t.Cleanup(func() { h.Close() })
	return h
}

func (o *office) do(who *client.HTTP, method string, params, result any) {
	o.t.Helper()
	if err := who.Call(context.Background(), method, params, result); err != nil {
		o.t.Fatalf("%s: %v", method, err)
	}
}

// refused is the kind of error that a call meets.
func (o *office) refused(who *client.HTTP, method string, params any) wire.Kind {
	o.t.Helper()
	var e *wire.Error
	if err := who.Call(context.Background(), method, params, nil); !errors.As(err, &e) {
		o.t.Fatalf("%s: %v, want a refusal", method, err)
	}
	return e.Kind
}

// colleague is another account, logged in.
func (o *office) colleague(login string, role wire.Role) (*client.HTTP, wire.User) {
	o.t.Helper()
	u, err := o.boss.CreateUser(context.Background(), wire.UserCreate{Login: login, Name: strings.ToUpper(login), Password: "long enough 1", Role: role, Phone: "+86 180-1234-5678"})
	must(o.t, err)
	var in wire.Session
	o.do(o.person(""), "session.login", wire.LoginParams{Login: login, Password: "long enough 1"}, &in)
	return o.person(in.Token), u
}

func (o *office) hook(p wire.HookCreate) wire.HookResult {
	o.t.Helper()
	p.Kind, p.Name, p.Language = "incoming", "Ding", "en"
	if p.Room == 0 {
		p.Room = o.room.ID
	}
	var r wire.HookResult
	o.do(o.boss, "hook.create", p, &r)
	return r
}

// posts sends a body to an address of a hook.
func (o *office) posts(to, media, body string, headers ...string) (status int, answer string) {
	o.t.Helper()
	req, err := http.NewRequest("POST", to, strings.NewReader(body))
	must(o.t, err)
	req.Header.Set("Content-Type", media)
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	must(o.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	must(o.t, err)
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	return res.StatusCode, string(raw)
}

// news are the messages of a room that news has not told before, without lines
// of the room itself.
func (o *office) news(room id.ID) []wire.Message {
	o.t.Helper()
	h, err := o.boss.History(context.Background(), wire.HistoryParams{Room: room, After: o.heard[room], FromStart: o.heard[room] == 0, Limit: 200})
	must(o.t, err)
	var out []wire.Message
	for _, m := range h.Messages {
		o.heard[room] = m.Seq
		if m.Change == nil {
			out = append(out, m)
		}
	}
	return out
}

func (o *office) sees(parts ...string) wire.Message {
	o.t.Helper()
	list := o.news(o.room.ID)
	if len(list) != 1 {
		o.t.Fatalf("%d messages, want 1: %+v", len(list), list)
	}
	for _, p := range parts {
		if !strings.Contains(list[0].Text, p) {
			o.t.Fatalf("the message lacks %q:\n%s", p, list[0].Text)
		}
	}
	return list[0]
}

func (o *office) seesNothing() {
	o.t.Helper()
	if list := o.news(o.room.ID); len(list) > 0 {
		o.t.Fatalf("something arrived: %+v", list)
	}
}

const plainJSON = "application/json"

func TestWhatRealProgramsPostArrives(t *testing.T) {
	o := openOffice(t, Limits{Hook: Rate{1000, 1000}, HooksFrom: Rate{1000, 1000}})
	_, wang := o.colleague("wang", wire.Member)
	_, err := o.boss.Members(context.Background(), wire.MembersParams{Room: o.room.ID})
	must(t, err)
	must(t, o.boss.AddMembers(context.Background(), o.room.ID, wang.ID))
	h := o.hook(wire.HookCreate{})
	if !strings.HasPrefix(h.URL, o.at+"/hooks/") || !strings.HasPrefix(h.DingTalk, o.at+"/robot/send?access_token=") || h.Secret != "" {
		t.Fatalf("%+v", h)
	}
	o.news(o.room.ID)
	for file, parts := range map[string][]string{
		"dingtalk-text.json":               {"磁盘告警", "@wang"},
		"dingtalk-markdown.json":           {"**杭州天气", "@all"},
		"dingtalk-link.json":               {"[时代的火车向前开](https://www.example.com/s?"},
		"dingtalk-actioncard.json":         {"[阅读全文](https://www.example.com/read?id=1)"},
		"dingtalk-actioncard-buttons.json": {"[同意](https://deploy.example.com/approve/17)"},
		"dingtalk-feedcard.json":           {"- [时代的火车向前开1](https://www.example.com/1)"},
		"slack-text.json":                  {"**payment**", "[build 17](https://ci.example.com/job/17)", "@all"},
		"slack-attachments.json":           {"**Priority**: High"},
		"slack-blocks.json":                {"**New request**"},
		"grafana.json":                     {"1 firing", "zone=us-1"},
		"alertmanager.json":                {"🔴 Firing · ProbeFailure"},
		"gitlab-push.json":                 {"John Smith pushed 4 commits"},
		"gitlab-merge-request.json":        {"merged merge request"},
		"gitlab-pipeline.json":             {"🔴 failed"},
		"jenkins-failure.json":             {"failed [asgard #18]"},
	} {
		raw, err := os.ReadFile(filepath.Join("../hook/testdata", file))
		must(t, err)
		to, want := h.URL, "ok"
		if strings.HasPrefix(file, "dingtalk") {
			to, want = h.DingTalk, `{"errcode":0,"errmsg":"ok"}`
		}
		if status, answer := o.posts(to, plainJSON, string(raw)); status != 200 || answer != want {
			t.Fatalf("%s: %d %s", file, status, answer)
		}
		m := o.sees(parts...)
		if m.Sender != h.Hook.Bot {
			t.Errorf("%s: sent by %s, not by the hook's bot", file, m.Sender)
		}
		if file == "dingtalk-text.json" && (len(m.Mentions) != 1 || m.Mentions[0] != wang.ID) {
			t.Errorf("%s: mentions %v", file, m.Mentions)
		}
		if wantAll := file == "dingtalk-markdown.json" || file == "slack-text.json"; m.MentionAll != wantAll {
			t.Errorf("%s: @all is %v", file, m.MentionAll)
		}
	}
	raw, err := os.ReadFile("../hook/testdata/slack-form.form")
	must(t, err)
	if status, answer := o.posts(h.URL, "application/x-www-form-urlencoded", string(raw)); status != 200 || answer != "ok" {
		t.Fatalf("form: %d %s", status, answer)
	}
	o.sees("[open](https://example.com/x?a=1&b=2)")
	var list wire.HookList
	o.do(o.boss, "hook.list", wire.HookListParams{Room: o.room.ID}, &list)
	if n := list.Hooks[0]; n.Delivered != 16 || n.Refused != 0 || n.LastUsed == 0 {
		t.Errorf("counted: %+v", n)
	}
	if token := strings.TrimPrefix(h.URL, o.at+"/hooks/"); strings.Contains(o.logged(), token) {
		t.Error("the log holds the token")
	}
}

func dingSign(secret string, at time.Time) string {
	stamp := fmt.Sprint(at.UnixMilli())
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "\n" + secret))
	return "&timestamp=" + stamp + "&sign=" + url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

func TestOnlyWhoKnowsTheSecretPosts(t *testing.T) {
	o := openOffice(t, Limits{Hook: Rate{1000, 1000}, HooksFrom: Rate{1000, 1000}})
	h := o.hook(wire.HookCreate{Sign: true})
	o.news(o.room.ID)
	const text = `{"msgtype":"text","text":{"content":"hello"}}`
	now := time.Now()
	for _, c := range []struct{ what, query, code string }{
		{"no signature", "", `"errcode":310000`},
		{"another secret", dingSign("SECother", now), `"errcode":310000`},
		{"an old one", dingSign(h.Secret, now.Add(-61*time.Minute)), `"errcode":310000`},
		{"one of tomorrow", dingSign(h.Secret, now.Add(61*time.Minute)), `"errcode":310000`},
		{"a good one of a moment ago", dingSign(h.Secret, now.Add(-59*time.Minute)), `"errcode":0`},
		{"a good one", dingSign(h.Secret, now), `"errcode":0`},
	} {
		if status, answer := o.posts(h.DingTalk+c.query, plainJSON, text); status != 200 || !strings.Contains(answer, c.code) {
			t.Errorf("%s: %d %s", c.what, status, answer)
		}
		if strings.HasSuffix(c.code, ":0") {
			o.sees("hello")
		} else {
			o.seesNothing()
		}
	}
	push, err := os.ReadFile("../hook/testdata/gitlab-push.json")
	must(t, err)
	if status, _ := o.posts(h.URL, plainJSON, string(push), "X-Gitlab-Event", "Push Hook", "X-Gitlab-Token", "wrong"); status != 403 {
		t.Errorf("a wrong token of GitLab's: %d", status)
	}
	o.seesNothing()
	if status, _ := o.posts(h.URL, plainJSON, string(push), "X-Gitlab-Event", "Push Hook", "X-Gitlab-Token", h.Secret); status != 200 {
		t.Errorf("GitLab's token: %d", status)
	}
	o.sees("pushed 4 commits")
	var list wire.HookList
	o.do(o.boss, "hook.list", wire.HookListParams{}, &list)
	if n := list.Hooks[0]; n.Refused != 5 || n.Delivered != 3 || n.LastError == "" || !n.Signed {
		t.Errorf("%+v", n)
	}
	if strings.Contains(o.logged(), h.Secret) || strings.Contains(fmt.Sprintf("%+v", list), h.Secret) {
		t.Error("the secret is shown again")
	}
	if !strings.Contains(o.logged(), "hook refused") {
		t.Error("refusals are not logged")
	}
}

func TestWhatAHookRefuses(t *testing.T) {
	o := openOffice(t, Limits{Hook: Rate{1000, 1000}, HooksFrom: Rate{1000, 1000}})
	h := o.hook(wire.HookCreate{Keywords: []string{"alarm", "告警"}})
	o.news(o.room.ID)
	text := func(s string) string { return `{"text":"` + s + `"}` }
	for _, c := range []struct {
		what, to, media, body string
		status                int
		answer                string
	}{
		{"unknown token", o.at + "/hooks/nope", plainJSON, text("alarm"), 404, "not_found"},
		{"unknown token of a robot", o.at + "/robot/send?access_token=nope", plainJSON, text("alarm"), 200, `"errcode":300001`},
		{"no token", o.at + "/robot/send", plainJSON, text("alarm"), 200, `"errcode":300001`},
		{"no JSON", h.URL, plainJSON, "{alarm", 400, "invalid_params"},
		{"unknown shape", h.URL, plainJSON, `{"alarm":1}`, 400, "invalid_params"},
		{"empty text", h.URL, plainJSON, text(""), 400, "invalid_params"},
		{"without a keyword", h.URL, plainJSON, text("hello"), 400, "keywords"},
		{"too long", h.URL, plainJSON, text(strings.Repeat("alarm", 300_000)), 413, "too_large"},
	} {
		if status, answer := o.posts(c.to, c.media, c.body); status != c.status || !strings.Contains(answer, c.answer) {
			t.Errorf("%s: %d %s", c.what, status, answer)
		}
	}
	o.seesNothing()
	if status, _ := o.posts(h.URL, plainJSON, text("alarm 1")); status != 200 {
		t.Errorf("%d", status)
	}
	o.sees("alarm 1")

	yes := true
	o.do(o.boss, "hook.update", wire.HookUpdate{Hook: h.Hook.ID, Disabled: &yes}, nil)
	if status, answer := o.posts(h.URL, plainJSON, text("alarm")); status != 403 {
		t.Errorf("disabled: %d %s", status, answer)
	}
	no := false
	o.do(o.boss, "hook.update", wire.HookUpdate{Hook: h.Hook.ID, Disabled: &no}, nil)
	o.do(o.boss, "room.update", wire.RoomUpdate{Room: o.room.ID, Archived: &yes}, nil)
	if status, answer := o.posts(h.DingTalk, plainJSON, text("alarm")); status != 200 || !strings.Contains(answer, "400013") {
		t.Errorf("archived: %d %s", status, answer)
	}
	o.do(o.boss, "room.update", wire.RoomUpdate{Room: o.room.ID, Archived: &no}, nil)

	var fresh wire.HookResult
	o.do(o.boss, "hook.rotate", wire.HookRotate{Hook: h.Hook.ID}, &fresh)
	if status, _ := o.posts(h.URL, plainJSON, text("alarm")); status != 404 {
		t.Errorf("old token: %d", status)
	}
	if status, _ := o.posts(fresh.URL, plainJSON, text("alarm 2")); status != 200 {
		t.Errorf("new token: %d", status)
	}
	o.sees("alarm 2")
	o.do(o.boss, "hook.remove", wire.HookParam{Hook: h.Hook.ID}, nil)
	if status, _ := o.posts(fresh.URL, plainJSON, text("alarm")); status != 404 {
		t.Errorf("removed: %d", status)
	}
	o.seesNothing()
}

func TestHostilePayloadsAreText(t *testing.T) {
	o := openOffice(t, Limits{Hook: Rate{1000, 1000}, HooksFrom: Rate{1000, 1000}})
	plain := o.hook(wire.HookCreate{Format: "plain"})
	any := o.hook(wire.HookCreate{Usernames: true})
	o.news(o.room.ID)
	const evil = `@all @boss [x](https://evil.example) <https://evil.example|y> **b** <img src=x onerror=alert(1)> javascript:alert(1) \u202egnp.exe \ue000all\ue001`
	for to, body := range map[string]string{
		plain.URL: `{"text":"` + evil + `"}`,
		any.URL + "?": `{"object_kind":"note","user":{"name":"` + evil + `"},"project":{"path_with_namespace":"` + evil + `","web_url":"javascript:alert(1)"},"object_attributes":{"note":"` + evil +
			`","noteable_type":"Issue","url":"javascript:alert(1)"},"issue":{"iid":1,"title":"` + evil + `"}}`,
		any.URL: `{"alerts":[{"status":"firing","labels":{"alertname":"` + evil + `","x":"` + evil + `"},"annotations":{"summary":"` + evil + `","description":"` + evil + `"},"generatorURL":"data:text/html,x"}],"version":"4"}`,
	} {
		if status, answer := o.posts(to, plainJSON, body); status != 200 {
			t.Fatalf("%d %s", status, answer)
		}
		m := o.sees("evil.example")
		if m.MentionAll || len(m.Mentions) > 0 || strings.Contains(m.Text, "\u202e") {
			t.Errorf("it calls somebody: %+v", m)
		}
		if html := markup.HTML(m.Text); strings.Contains(html, "<img") || strings.Contains(html, `href="javascript`) || strings.Contains(html, `href="data`) || strings.Contains(html, `>x</a>`) || strings.Contains(html, `>y</a>`) {
			t.Errorf("it renders as %s", html)
		}
	}
	if status, _ := o.posts(any.URL, plainJSON, `{"text":"named","username":"Boss\n@all"}`); status != 200 {
		t.Error(status)
	}
	if m := o.sees("named"); m.As != "Boss @all" {
		t.Errorf("shown as %q", m.As)
	}
	if status, _ := o.posts(plain.URL, plainJSON, `{"text":"unnamed","username":"Boss"}`); status != 200 {
		t.Error(status)
	}
	if m := o.sees("unnamed"); m.As != "" {
		t.Errorf("shown as %q", m.As)
	}
	long := strings.Repeat("长", 20000)
	if status, _ := o.posts(plain.URL, "text/plain", long); status != 200 {
		t.Error(status)
	}
	if m := o.sees("cut: the message was longer"); len(m.Text) > 32<<10 {
		t.Errorf("%d bytes", len(m.Text))
	}
}

func TestTheSameIdempotencyKeyPostsOnce(t *testing.T) {
	o := openOffice(t, Limits{})
	h := o.hook(wire.HookCreate{})
	o.news(o.room.ID)
	for range 2 {
		if status, _ := o.posts(h.URL, plainJSON, `{"text":"once"}`, "Idempotency-Key", "f5e5f430"); status != 200 {
			t.Fatal(status)
		}
	}
	o.sees("once")
	for range 2 {
		o.posts(h.URL, plainJSON, `{"text":"twice"}`)
	}
	if n := len(o.news(o.room.ID)); n != 2 {
		t.Errorf("%d messages without a key, want 2", n)
	}
}

func TestHooksAreLimited(t *testing.T) {
	o := openOffice(t, Limits{Hook: Rate{0.001, 3}, HooksFrom: Rate{0.001, 8}, Public: Rate{5, 60}})
	h, other := o.hook(wire.HookCreate{}), o.hook(wire.HookCreate{})
	for i := range 3 {
		if status, answer := o.posts(h.URL, plainJSON, `{"text":"x"}`); status != 200 {
			t.Fatalf("%d: %d %s", i, status, answer)
		}
	}
	if status, _ := o.posts(h.URL, plainJSON, `{"text":"x"}`); status != 429 {
		t.Errorf("fourth of one hook: %d", status)
	}
	if _, answer := o.posts(h.DingTalk, plainJSON, `{"text":"x"}`); !strings.Contains(answer, `"errcode":130101`) {
		t.Errorf("fifth: %s", answer)
	}
	for range 3 {
		if status, _ := o.posts(other.URL, plainJSON, `{"text":"x"}`); status != 200 {
			t.Errorf("another hook: %d", status)
		}
	}
	if status, _ := o.posts(other.URL, plainJSON, `{"text":"x"}`); status != 429 {
		t.Errorf("ninth of one address: %d", status)
	}
	res, err := http.Get(h.URL)
	must(t, err)
	res.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if res.StatusCode != 405 {
		t.Errorf("GET: %d", res.StatusCode)
	}
}

func TestWhoMayMakeHooks(t *testing.T) {
	o := openOffice(t, Limits{})
	ann, annUser := o.colleague("ann", wire.Member)
	eve, _ := o.colleague("eve", wire.Member)
	must(t, o.boss.AddMembers(context.Background(), o.room.ID, annUser.ID))
	p := wire.HookCreate{Kind: "incoming", Room: o.room.ID, Name: "h"}
	if k := o.refused(eve, "hook.create", p); k != wire.NotFound {
		t.Errorf("a stranger: %s", k)
	}
	if k := o.refused(ann, "hook.create", p); k != wire.Forbidden {
		t.Errorf("a member: %s", k)
	}
	o.do(o.boss, "room.role", wire.MemberRoleParams{Room: o.room.ID, User: annUser.ID, Role: wire.RoomModerator}, nil)
	var r wire.HookResult
	o.do(ann, "hook.create", p, &r)
	if k := o.refused(eve, "hook.remove", wire.HookParam{Hook: r.Hook.ID}); k != wire.NotFound {
		t.Errorf("a stranger removes: %s", k)
	}
	o.do(o.boss, "room.role", wire.MemberRoleParams{Room: o.room.ID, User: annUser.ID, Role: wire.RoomPlain}, nil)
	var list wire.HookList
	o.do(ann, "hook.list", wire.HookListParams{Room: o.room.ID}, &list)
	if len(list.Hooks) != 1 || list.Manage || list.Hooks[0].Language != "" || list.Hooks[0].Name != "h" {
		t.Errorf("a member sees %+v", list)
	}
	o.do(o.boss, "hook.list", wire.HookListParams{}, &list)
	if len(list.Hooks) != 1 || !list.Manage || list.Hooks[0].CreatedBy != annUser.ID {
		t.Errorf("the owner sees %+v", list)
	}
	if k := o.refused(o.boss, "hook.create", wire.HookCreate{Kind: "incoming", Name: "no room"}); k != wire.InvalidParams {
		t.Errorf("without a room: %s", k)
	}
	var direct wire.RoomResult
	o.do(ann, "room.direct", wire.UserParam{User: o.user(o.boss)}, &direct)
	if k := o.refused(o.boss, "hook.create", wire.HookCreate{Kind: "incoming", Room: direct.Room.ID, Name: "x"}); k != wire.Forbidden {
		t.Errorf("in a direct room: %s", k)
	}
}

func TestNoHookOpensARoomToSomebodyElse(t *testing.T) {
	o := openOffice(t, Limits{})
	adm, _ := o.colleague("adm", wire.Admin)
	out := wire.HookCreate{Kind: "outgoing", Room: o.room.ID, Name: "out", URL: "http://127.0.0.1:1/"}
	if k := o.refused(adm, "hook.create", out); k != wire.Forbidden {
		t.Errorf("an admin who is not in the room is told what is said in it: %s", k)
	}
	var theirs, in wire.HookResult
	o.do(o.boss, "hook.create", out, &theirs)
	elsewhere := "http://127.0.0.1:2/"
	if k := o.refused(adm, "hook.update", wire.HookUpdate{Hook: theirs.Hook.ID, URL: &elsewhere}); k != wire.Forbidden {
		t.Errorf("an admin who is not in the room turns a hook to another address: %s", k)
	}
	o.do(adm, "hook.remove", wire.HookParam{Hook: theirs.Hook.ID}, nil)

	o.do(adm, "hook.create", wire.HookCreate{Kind: "incoming", Room: o.room.ID, Name: "in"}, &in)
	if k := o.refused(adm, "user.token", wire.TokenCreate{User: in.Hook.Bot, Name: "x"}); k != wire.Forbidden {
		t.Errorf("a token for the bot of a hook, which is in the room: %s", k)
	}
}

func (o *office) user(who *client.HTTP) id.ID {
	o.t.Helper()
	me, err := who.Me(context.Background())
	must(o.t, err)
	return me.User.ID
}

// Only admins choose what this server calls, unless the configuration lets
// moderators of rooms: whoever makes a room is one.
func TestWhoChoosesAddresses(t *testing.T) {
	o := openOffice(t, Limits{})
	ann, _ := o.colleague("ann", wire.Member)
	var room wire.RoomResult
	o.do(ann, "room.create", wire.RoomCreate{Kind: wire.Group, Name: "ann's"}, &room)
	for _, p := range []wire.HookCreate{
		{Kind: "outgoing", Room: room.Room.ID, Name: "scanner", URL: "http://127.0.0.1:1/"},
		{Kind: "command", Room: room.Room.ID, Name: "scanner", Command: "scan", URL: "http://127.0.0.1:1/"},
	} {
		if k := o.refused(ann, "hook.create", p); k != wire.Forbidden {
			t.Errorf("a member has a room's %s hook call an address: %s", p.Kind, k)
		}
	}
	o.do(ann, "hook.create", wire.HookCreate{Kind: "incoming", Room: room.Room.ID, Name: "in"}, nil)

	o.state.Retune(state.Limits{ModeratorsCall: true})
	var h wire.HookResult
	o.do(ann, "hook.create", wire.HookCreate{Kind: "outgoing", Room: room.Room.ID, Name: "out", URL: "http://127.0.0.1:1/"}, &h)
	o.state.Retune(state.Limits{})
	elsewhere, name := "http://127.0.0.1:2/", "renamed"
	if k := o.refused(ann, "hook.update", wire.HookUpdate{Hook: h.Hook.ID, URL: &elsewhere}); k != wire.Forbidden {
		t.Errorf("a member turns a hook to another address: %s", k)
	}
	o.do(ann, "hook.update", wire.HookUpdate{Hook: h.Hook.ID, Name: &name}, nil)
}
