package migrate

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
)

// file is one entry of an archive.
type file struct{ name, text string }

func pack(t testing.TB, files ...file) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f.name)
		if err == nil {
			_, err = io.WriteString(w, f.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return write(t, "export.zip", b.Bytes())
}

func write(t testing.TB, name string, b []byte) string {
	t.Helper()
	at := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(at, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return at
}

const (
	slackPeople   = `[{"id":"U1","team_id":"T1","name":"ann","profile":{"real_name":"Ann","email":"ann@x.example"}},{"id":"U2","team_id":"T1","name":"bo","profile":{"real_name":"Bo"}}]`
	slackChannels = `[{"id":"C1","name":"general","created":1500000000,"creator":"U1","members":["U1","U2"]}]`
)

func slackPlan(t testing.TB, files ...file) *Plan {
	t.Helper()
	p, err := ReadSlack(context.Background(), pack(t, append([]file{{"users.json", slackPeople}, {"channels.json", slackChannels}}, files...)...), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func mmPlan(t testing.TB, lines ...string) *Plan {
	t.Helper()
	p, err := ReadMattermost(context.Background(), write(t, "export.jsonl", []byte(strings.Join(lines, "\n"))), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// entries are all messages of a plan, room by room.
func entries(t testing.TB, p *Plan) (out []Entry) {
	t.Helper()
	for _, r := range p.Rooms {
		if err := p.Each(r, func(e *Entry) error { out = append(out, *e); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func lost(p *Plan, what string) int {
	for _, l := range p.Losses {
		if l.What == what {
			return l.Count
		}
	}
	return 0
}

func TestMrkdwn(t *testing.T) {
	var own []string
	m := mrkdwn{emoji: newEmoji(), own: func(n string) { own = append(own, n) }, channel: func(id string) string { return map[string]string{"C1": "general"}[id] }}
	for in, want := range map[string]string{
		"*bold* _it_ ~gone~ `*code*`":                   "**bold** _it_ ~~gone~~ `*code*`",
		"2*3*4 and *a* b*":                              "2*3*4 and **a** b*",
		"a &lt;b&gt; &amp;amp;":                         "a <b> &amp;",
		"<https://x.example|x> <https://y.example>":     "[x](https://x.example) https://y.example",
		"*<https://x.example|x>*":                       "**[x](https://x.example)**",
		"<https://x.example/a(b)|odd>":                  "odd https://x.example/a(b)",
		"<mailto:a@x.example|a@x.example>":              "a@x.example",
		"<@U1> <@U2|bo> <!here> <!subteam^S1|@ops>":     "\x00U1\x00 \x00U2\x00 @all @ops",
		"<#C1> <#C2|other> <!date^1|{date}|noon>":       "#general #other {date}|noon",
		"x ```a &lt; b\n*c*``` y":                       "x \n```\na < b\n*c*\n```\n y",
		"```open":                                       "```open",
		"&gt; one\ntwo\n&gt;&gt;&gt; three\nfour":       "> one\ntwo\n> three\n> four",
		"• one\n  ◦ two":                                "- one\n  - two",
		":tada: :wave::skin-tone-3: :own_one: 10:30:45": "🎉 👋🏼 :own_one: 10:30:45",
		"a\x00U1\x00b\x01":                              "aU1b",
		"<":                                             "<",
		"<>":                                            "<>",
	} {
		if got := m.convert(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
	if !slices.Equal(own, []string{"own_one"}) {
		t.Errorf("own emoji: %v", own)
	}
}

func TestMattermostMarkdown(t *testing.T) {
	r, err := newReader(Mattermost, nil, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer r.plan.spool.close()
	m := &mattermost{reader: r}
	for in, want := range map[string]string{
		"## Head **x** ##":                      "**Head x**",
		"#channel":                              "#channel",
		"__bold__ snake__case__x":               "**bold** snake__case__x",
		"+ item\n>quote\n![p](u)":               "- item\n> quote\n[p](u)",
		"~~~go\n# @ann :tada:\n~~~":             "```go\n# @ann :tada:\n```",
		"`@ann` @ann. mail@ann.x":               "`@ann` \x00ann\x00. mail@ann.x",
		"@Channel @here @all @bo-1-":            "@all @all @all \x00bo-1\x00-",
		":+1: :thumbsup_dark_skin_tone: :zzzz:": "👍 👍🏿 :zzzz:",
	} {
		if got := m.markdown(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestRenderKeepsMentionsApart(t *testing.T) {
	e := Entry{Text: "a\x00U1\x00b \x00U1\x00,\x00U9\x00 \x00U1\x00さん"}
	got := e.Render(func(p string) string { return map[string]string{"U1": "ann"}[p] })
	if got != "a @ann b @ann,@U9 @annさん" {
		t.Errorf("%q", got)
	}
}

func TestSplitLosesNothing(t *testing.T) {
	text := strings.Repeat("行一二三\n", 50)
	parts := Split(text, 64)
	for _, p := range parts {
		if len(p) > 64 || !utf8.ValidString(p) {
			t.Fatalf("part %q of %d bytes", p, len(p))
		}
	}
	if got := strings.ReplaceAll(strings.Join(parts, ""), "\n", ""); got != strings.ReplaceAll(text, "\n", "") {
		t.Error("text is missing")
	}
}

func TestMatching(t *testing.T) {
	people := []Person{
		{ID: "1", Login: "ann", Email: "ann@x.example"}, // has an account under another login
		{ID: "2", Login: "bo", Email: "bo@x.example"},   // an account of that login has another e-mail
		{ID: "3", Login: "cy"},                          // an account of that login without e-mail
		{ID: "4", Login: "cy"},                          // a second one
		{ID: "5", Login: "dee", Bot: true},              // a person has that login
	}
	accounts := []Account{{"a", "ann.lee", "Ann@X.example", false}, {"b", "bo", "else@x.example", false}, {"c", "cy", "", false}, {"d", "dee", "", false}}
	got := Matching(people, accounts)
	want := map[string]Match{"1": {"a", "ann.lee"}, "2": {"", "bo2"}, "3": {"c", "cy"}, "4": {"", "cy2"}, "5": {"", "dee2"}}
	for id, m := range want {
		if got[id] != m {
			t.Errorf("person %s: %+v, want %+v", id, got[id], m)
		}
	}
	two := append(slices.Clone(accounts), Account{"e", "eve", "ann@x.example", false})
	if m := Matching(people, two)["1"]; m != (Match{"", "ann"}) {
		t.Errorf("an e-mail of two accounts finds %+v", m)
	}
	// Against the accounts that were made, the same again makes none.
	for _, p := range people {
		if m := got[p.ID]; m.Account == "" {
			accounts = append(accounts, Account{"new" + p.ID, m.Login, p.Email, p.Bot})
		}
	}
	for id, m := range Matching(people, accounts) {
		if m.Account == "" || m.Login != want[id].Login {
			t.Errorf("again, person %s: %+v", id, m)
		}
	}
}

func TestSlackOrderThreadsAndKeys(t *testing.T) {
	day := file{"general/2020-01-02.json", `[{"type":"message","user":"U2","text":"reply","ts":"1577966400.000002","thread_ts":"1577880000.000001"},
	 {"type":"message","user":"U2","text":"lost reply","ts":"1577966401.000002","thread_ts":"1500000000.000001"}]`}
	first := file{"general/2020-01-01.json", `[{"type":"message","user":"U1","text":"later","ts":"1577880001.000001"},{"type":"message","user":"U1","text":"root","ts":"1577880000.000001","thread_ts":"1577880000.000001"}]`}
	p := slackPlan(t, day, first)
	list := entries(t, p)
	var texts []string
	for _, e := range list {
		texts = append(texts, e.Text)
	}
	if !slices.Equal(texts, []string{"root", "later", "reply", "lost reply"}) || *list[2].Thread != list[0].Key {
		t.Errorf("%+v", list)
	}
	if lost(p, NotThreads) != 1 || p.Totals.Threads != 1 || p.Totals.Replies != 2 {
		t.Errorf("%+v %+v", p.Totals, p.Losses)
	}
	again := entries(t, slackPlan(t, first, day))
	for i := range again {
		if again[i].Key != list[i].Key {
			t.Error("the keys of a second reading differ")
		}
	}
}

func TestMattermostInAnyOrder(t *testing.T) {
	p := mmPlan(t,
		`{"type":"version","version":1}`,
		`{"type":"post","post":{"team":"t","channel":"c","user":"ann","message":"second","create_at":2000,"props":{}}}`,
		`{"type":"post","post":{"team":"t","channel":"c","user":"ann","message":"first","create_at":1000,"edit_at":1500,"replies":[{"user":"bo","message":"in thread","create_at":3000,"reactions":[{"user":"ann","create_at":1,"emoji_name":"tada"}]}],"is_pinned":true}}`,
		`{"type":"post","post":{"team":"t","channel":"c","user":"ann","message":"same moment","create_at":1000}}`,
		`{"type":"post","post":{"team":"t","channel":"c","user":"ann","message":"joined","type":"system_join_channel","create_at":900}}`,
		`{"type":"user","user":{"username":"ann","email":"ann@x.example","teams":[{"name":"t","channels":[{"name":"c","roles":"channel_user channel_admin"}]}]}}`,
		`{"type":"channel","channel":{"team":"t","name":"c","display_name":"Chat","type":"O","header":"h","purpose":"p","deleted_at":5}}`,
	)
	r := p.Rooms[0]
	if r.Kind != Channel || r.Name != "Chat" || r.Topic != "h · p" || !r.Archived || !slices.Equal(r.Owners, []string{"ann"}) {
		t.Errorf("%+v", r)
	}
	list := entries(t, p)
	if len(list) != 4 || list[0].Text != "first" || list[0].EditedAt != 1500 || list[0].PinnedAt != 1000 || list[1].Text != "same moment" || list[1].Key == list[0].Key ||
		list[3].Text != "in thread" || *list[3].Thread != list[0].Key || list[3].Reactions[0].Emoji != "🎉" {
		t.Errorf("%+v", list)
	}
	if lost(p, NotJoins) != 1 || lost(p, NotAuthors) != 1 {
		t.Errorf("%+v", p.Losses)
	}
}

// What is hostile or broken costs that piece and is counted; the rest comes.
func TestHostileSlack(t *testing.T) {
	ok := `{"type":"message","user":"U1","text":"fine","ts":"1577880000.000001"}`
	deep := strings.Repeat(`[`, 200_000) + strings.Repeat(`]`, 200_000)
	p := slackPlan(t,
		file{"general/2020-01-01.json", "[" + ok + `,{"type":"message","user":5,"ts":"1577880001.0"},{"type":"message","user":"U1","text":"no time"},{"type":"message","user":"U1","text":"` + "\xff\xfe" + ` bad","ts":"1577880002.000001"}]`},
		file{"general/2020-01-01.json", "[" + ok + "]"},
		file{"general/2020-01-02.json", `[{"type":"message","user":"U1","text":"cut`},
		file{"general/2020-01-03.json", `[{"type":"message","user":"U1","text":"deep","ts":"1577880003.000001","blocks":` + deep + `},{"type":"message","user":"U1","text":"after deep","ts":"1577880004.000001"}]`},
		file{"general/2020-01-04.json", `{"not":"a list"}`},
		file{"../general/2020-01-05.json", "[" + ok + "]"},
		file{"/etc/passwd", "root"},
		file{`general\..\x.json`, "[]"},
		file{"C:/x.json", "[]"},
		file{"nowhere/2020-01-01.json", "[" + ok + "]"},
	)
	var texts []string
	for _, e := range entries(t, p) {
		texts = append(texts, e.Text)
	}
	if !slices.Equal(texts, []string{"fine", "\uFFFD\uFFFD bad", "after deep"}) {
		t.Errorf("%q", texts)
	}
	if lost(p, NotTwice) != 1 || lost(p, NotRooms) != 1 || lost(p, NotDamaged) < 8 {
		t.Errorf("%+v", p.Losses)
	}
}

func TestWhatIsNoExportIsRefused(t *testing.T) {
	ctx := context.Background()
	for name, at := range map[string]string{
		"empty zip": pack(t), "other zip": pack(t, file{"a.txt", "x"}), "no zip": write(t, "x.zip", []byte("hello")),
		"no channels": pack(t, file{"users.json", slackPeople}),
	} {
		if p, err := ReadSlack(ctx, at, t.TempDir(), nil); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v, %v", name, p, err)
		}
		if p, err := ReadMattermost(ctx, at, t.TempDir(), nil); !errors.Is(err, ErrFormat) {
			t.Errorf("%s for Mattermost: %v, %v", name, p, err)
		}
	}
	if _, err := ReadMattermost(ctx, write(t, "x.jsonl", []byte(`{"type":"version","version":2}`)), t.TempDir(), nil); !errors.Is(err, ErrFormat) {
		t.Errorf("a version to come: %v", err)
	}
	if _, err := ReadSlack(ctx, filepath.Join(t.TempDir(), "gone.zip"), "", nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// A bomb ends at the bound of a file, and takes no memory on the way.
func TestBomb(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range []file{{"users.json", slackPeople}, {"channels.json", slackChannels}} {
		w, err := z.Create(f.name)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, f.text)
	}
	w, err := z.Create("general/2020-01-01.json")
	if err != nil {
		t.Fatal(err)
	}
	blank := strings.Repeat(" ", 1<<20)
	for range maxJSON >> 20 {
		if _, err := io.WriteString(w, blank); err != nil {
			t.Fatal(err)
		}
	}
	io.WriteString(w, "[]")
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p, err := ReadSlack(context.Background(), write(t, "bomb.zip", b.Bytes()), t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
		t.Errorf("%d bytes of memory", took)
	}
	if lost(p, NotDamaged) != 1 {
		t.Errorf("%+v", p.Losses)
	}
}

func TestLongLine(t *testing.T) {
	p := mmPlan(t, `{"type":"version","version":1}`, `{"type":"post","post":{"message":"`+strings.Repeat("x", maxValue)+`"}}`,
		`{"type":"post","post":{"team":"t","channel":"c","user":"ann","message":"after","create_at":2000}}`)
	if list := entries(t, p); len(list) != 1 || list[0].Text != "after" || lost(p, NotDamaged) != 1 {
		t.Errorf("%+v %+v", list, p.Losses)
	}
}

func TestEmojiTable(t *testing.T) {
	e := newEmoji()
	if len(e) < 1900 {
		t.Fatalf("%d names", len(e))
	}
	for name, want := range map[string]string{"+1": "👍", "heart": "❤️", "flag-cn": "🇨🇳", "cn": "🇨🇳", "point_up::skin-tone-2": "☝🏻", "man-woman-boy": "👨‍👩‍👦", "point_up": "☝️"} {
		if got, ok := e.find(name); !ok || got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

func FuzzSlackMessages(f *testing.F) {
	f.Add(`[{"type":"message","user":"U1","text":"*a* <@U2> ` + "```x```" + ` :+1:","ts":"1577880000.000001","reactions":[{"name":"tada","users":["U1"],"count":3}],"files":[{"id":"F1","name":"a"}],"blocks":[{"type":"section","text":{"type":"mrkdwn","text":"t"}}],"attachments":[{"title":"t","fields":[{"title":"a","value":"b"}]}]}]`)
	f.Add(`[{"ts":"9.9","subtype":"me_message","text":"<|>"},{"ts":"1.1","username":"x","text":"&gt;&gt;&gt;","bot_id":"B"}]`)
	sp, names := fuzzed(f)
	f.Fuzz(func(t *testing.T, day string) {
		r := &reader{plan: &Plan{System: Slack, spool: sp}, emoji: names, known: map[string]bool{}, called: map[string]string{}}
		room := &Room{Kind: Channel, Name: "general", source: "C1", authors: map[string]struct{}{}}
		s := &slack{reader: r, bots: map[string]string{}, uploads: map[string]string{}, roots: map[string]struct{}{}, wanted: map[string]int{}}
		s.text = mrkdwn{emoji: names, own: func(string) {}}
		r.person(Person{ID: "U1", Login: "ann", Name: "Ann"})
		r.plan.Rooms = []*Room{room}
		l := &lister{in: bufio.NewReader(strings.NewReader(day))}
		for {
			raw, err := l.next()
			if err != nil {
				break
			}
			var m slackMessage
			if json.Unmarshal(raw, &m, tolerant()) == nil {
				if err := s.message(room, &m); err != nil {
					t.Fatal(err)
				}
			}
		}
		check(t, r)
	})
}

// fuzzed is what the runs of a fuzzer share: making it anew would take longer
// than what is tried.
func fuzzed(f *testing.F) (*spool, emoji) {
	sp, err := newSpool(f.TempDir())
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { sp.close() })
	return sp, newEmoji()
}

func FuzzMattermost(f *testing.F) {
	f.Add(`{"type":"post","post":{"team":"t","channel":"c","user":"ann","message":"__a__ @bo :tada: ` + "`x`" + `","create_at":1000,"replies":[{"user":"bo","message":"r","create_at":1001}],"attachments":[{"path":"../x"}],"props":{"attachments":[{"text":"x"}]}}}`)
	f.Add(`{"type":"direct_post","direct_post":{"channel_members":["a","a"],"user":"a","message":"~~~\n>x","create_at":5}}`)
	sp, names := fuzzed(f)
	f.Fuzz(func(t *testing.T, lines string) {
		r := &reader{plan: &Plan{System: Mattermost, spool: sp}, emoji: names, known: map[string]bool{}, called: map[string]string{}}
		m := &mattermost{reader: r, ar: &archive{}, rooms: map[string]*Room{}, teams: map[string]string{}, listed: map[string]bool{}, reactors: map[string]struct{}{}, members: map[string]map[string]bool{}}
		for n, line := range strings.Split(lines, "\n") {
			if err := m.line(n, []byte(line)); err != nil && !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
		}
		m.complete()
		check(t, r)
	})
}

// check holds for every plan.
func check(t *testing.T, r *reader) {
	p, err := r.done()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, who := range p.People {
		if known[who.ID] || who.Name == "" || Login(who.Login, "") != who.Login {
			t.Errorf("person %+v", who)
		}
		known[who.ID] = true
	}
	for _, r := range p.Rooms {
		if r.Name != oneLine(r.Name, maxRunes) || r.Topic != oneLine(r.Topic, maxTopic) || (r.Kind == Direct) && len(r.Members) != 2 {
			t.Errorf("room %+v", r)
		}
		last := int64(0)
		if err := p.Each(r, func(e *Entry) error {
			if e.At < last || e.At <= 0 || !known[e.Author] || !utf8.ValidString(e.Text) || strings.TrimSpace(e.Text) == "" && len(e.Files) == 0 {
				t.Errorf("entry %+v", e)
			}
			if text := e.Render(func(string) string { return "ann" }); strings.Contains(text, "\x00") {
				t.Errorf("text %q", text)
			}
			last = e.At
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
}

func BenchmarkReadSlack(b *testing.B) {
	const days, each = 50, 1000
	files := []file{{"users.json", slackPeople}, {"channels.json", slackChannels}}
	for d := range days {
		var day strings.Builder
		for i := range each {
			fmt.Fprintf(&day, `%s{"client_msg_id":"x","type":"message","user":"U%d","text":"*message* number %d of <@U1> with :tada: and some words after it","ts":"%d.000%03d","blocks":[{"type":"rich_text","elements":[]}]}`,
				map[bool]string{true: "[", false: ","}[i == 0], 1+i%2, i, 1577880000+d*86400+i, i%1000)
		}
		files = append(files, file{fmt.Sprintf("general/2020-01-%02d.json", d), day.String() + "]"})
	}
	at := pack(b, files...)
	for b.Loop() {
		p, err := ReadSlack(context.Background(), at, b.TempDir(), nil)
		if err != nil || p.Totals.Messages != days*each {
			b.Fatal(err, p.Totals)
		}
		p.Close()
	}
	b.ReportMetric(float64(days*each*b.N)/b.Elapsed().Seconds(), "msg/s")
}
