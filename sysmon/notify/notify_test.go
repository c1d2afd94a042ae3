package notify

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"posthouse/sysmon/words"
)

// noon is when the tests' messages are sent.
func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.FixedZone("", 8*3600)) }

func sender(room func(context.Context, string, string) error) *Sender {
	return New(Options{Host: "box1", Link: "https://chat.lan", Timeout: 10 * time.Second, Room: room, Now: noon})
}

// hot is a message about one alert.
func hot() Message {
	return Message{Event: Firing, Severity: "critical", Group: `{}:{alertname="HighCPUUsage"}`, GroupBy: []Pair{{"alertname", "HighCPUUsage"}}, Receiver: "ops",
		Host: "box1", Link: "https://chat.lan/admin/alerts", Title: words.Of("CPU of box1 at 93 %", "box1 的 CPU 使用率为 93%"),
		Items: []Item{{Fingerprint: "00000000deadbeef", Name: "HighCPUUsage", Severity: "critical", Firing: true, Host: "box1", Value: "93.1 %", Threshold: "80 %",
			Since: noon().Add(-7 * time.Minute), Link: "https://chat.lan/admin/alerts/one?id=00000000deadbeef", Runbook: "https://chat.lan/runbook/HighCPUUsage",
			Summary: words.Of("CPU of box1 at 93 %", "box1 的 CPU 使用率为 93%"), Details: words.Of("Over 80 % for 5 minutes.", "连续 5 分钟超过 80%。"),
			Labels: map[string]string{"alertname": "HighCPUUsage", "severity": "critical", "instance": "box1"}, Annotations: map[string]string{"summary": "CPU"}}}}
}

// over is the same when it has ended.
func over() Message {
	m := hot()
	m.Event, m.Items[0].Firing, m.Items[0].Ended = Resolved, false, noon()
	return m
}

// says wants all the facts of hot in a text.
func says(t *testing.T, text string) {
	t.Helper()
	for _, want := range []string{"box1", "93.1 %", "80 %", "2026-11-21 11:53:00", "chat.lan/admin/alerts/one?id=00000000deadbeef", "chat.lan/runbook/HighCPUUsage"} {
		if !strings.Contains(text, want) {
			t.Errorf("the message does not carry %q:\n%s", want, text)
		}
	}
}

// seen is a request as the other side got it.
type seen struct {
	*http.Request
	body []byte
}

// side is another side that answers with judge's words.
func side(t *testing.T, judge func(r seen) (int, string)) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		status, answer := judge(seen{r, body})
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(s.Close)
	return s
}

func channel(kind, lang string, set ...string) Channel {
	c := Channel{ID: "c1", Name: "ops", Kind: kind, Lang: lang, Settings: map[string]string{}}
	for i := 0; i+1 < len(set); i += 2 {
		c.Settings[set[i]] = set[i+1]
	}
	return c
}

func must(t *testing.T, answer string, err error) string {
	t.Helper()
	if err != nil {
		t.Fatalf("not sent: %v (answer %q)", err, answer)
	}
	return answer
}

func failure(t *testing.T, err error) *Failure {
	t.Helper()
	var f *Failure
	if !errors.As(err, &f) {
		t.Fatalf("want a failure, have %v", err)
	}
	return f
}

func TestAnAnswerIsNotFollowedAndTellsNoSecret(t *testing.T) {
	other := side(t, func(seen) (int, string) { t.Error("a redirect was followed"); return 200, "{}" })
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL+"/?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
	}))
	defer s.Close()
	c := channel("wecom", "zh", "url", s.URL, "token", "very-secret-key")
	_, err := sender(nil).Send(t.Context(), c, hot())
	if f := failure(t, err); f.Again || !strings.Contains(f.Error(), "307") {
		t.Errorf("a redirect: %v", f)
	}
	s.Close()
	_, err = sender(nil).Send(t.Context(), c, hot())
	if f := failure(t, err); !f.Again || strings.Contains(f.Error(), "very-secret") {
		t.Errorf("nobody there: again %v, %v", f.Again, f)
	}
	echo := side(t, func(r seen) (int, string) { return 400, "bad key " + r.URL.Query().Get("key") })
	c.Settings["url"] = echo.URL
	answer, err := sender(nil).Send(t.Context(), c, hot())
	if strings.Contains(answer+err.Error(), "very-secret") || !strings.Contains(answer, "bad key ••••") {
		t.Errorf("answer %q, error %v", answer, err)
	}
}

func TestAnEndlessAnswerIsCut(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 1000 {
			if _, err := w.Write(make([]byte, 64<<10)); err != nil {
				return
			}
		}
	}))
	defer s.Close()
	answer, err := sender(nil).Send(t.Context(), channel("webhook", "en", "url", s.URL), hot())
	if must(t, "", err); len(answer) > maxAnswer {
		t.Errorf("%d bytes kept", len(answer))
	}
}

func TestTextsAreCutAtWholeCharactersAndKeepTheLink(t *testing.T) {
	m := hot()
	for range 200 {
		m.Items = append(m.Items, m.Items[0])
	}
	for limit := 500; limit < 540; limit++ {
		s := m.Markdown("zh", limit)
		if len(s) > limit || !strings.HasSuffix(strings.TrimSpace(s), "https://chat.lan/admin/alerts") || strings.ContainsRune(s, '\uFFFD') {
			t.Fatalf("limit %d: %d bytes: %s", limit, len(s), s)
		}
	}
	if s := m.Short("zh", 60); len([]rune(s)) > 60 {
		t.Errorf("%d characters: %s", len([]rune(s)), s)
	}
	m.Items[0].Summary = words.Of("@all <font color=red>**x**", "@all [x](http://evil)")
	if s := m.Markdown("en", 0); strings.Contains(s, "@all") || strings.Contains(s, "<font") {
		t.Error("the text of an alert became markup")
	}
}

func TestARoomGetsTheText(t *testing.T) {
	var where, what string
	s := sender(func(_ context.Context, room, text string) error { where, what = room, text; return nil })
	must(t, "", func() error { _, err := s.Send(t.Context(), channel("room", "zh", "room", "#ops"), hot()); return err }())
	if where != "#ops" || !strings.Contains(what, "［紧急］ box1 的 CPU 使用率为 93%") || !strings.Contains(what, "阈值: 80 %") {
		t.Errorf("%s: %s", where, what)
	}
	says(t, what)
	if !strings.Contains(what, AckMark+")") {
		t.Errorf("the card cannot be acknowledged: %s", what)
	}
	must(t, "", func() error { _, err := s.Send(t.Context(), channel("room", Both, "room", "#ops"), hot()); return err }())
	if !strings.Contains(what, "阈值: 80 %") || !strings.Contains(what, "Threshold: 80 %") {
		t.Errorf("not both languages: %s", what)
	}
	if c := channel("webhook", Both, "url", "http://x"); c.Check() == nil {
		t.Error("a webhook in both languages")
	}
	if _, err := sender(nil).Send(t.Context(), channel("room", "zh", "room", "#ops"), hot()); err == nil {
		t.Error("posted without a chat")
	}
}

func TestChannelsAreKeptInAFileOnlyItsOwnerReads(t *testing.T) {
	dir := t.TempDir()
	b, err := OpenBook(dir)
	must(t, "", err)
	c := channel("dingtalk", "zh", "url", "https://oapi.dingtalk.com/robot/send", "token", "tok-12345", "secret", "SEC-98765")
	c.ID = ""
	c, err = b.Save(c)
	must(t, "", err)
	if info, err := os.Stat(filepath.Join(dir, "channels.json")); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	shown := c.Masked()
	if shown.Settings["token"] != Mask || shown.Settings["secret"] != Mask {
		t.Errorf("a page would show %v", shown.Settings)
	}
	shown.Name = "renamed"
	_, err = b.Save(shown)
	must(t, "", err)
	b, err = OpenBook(dir)
	must(t, "", err)
	if have, _ := b.Find(c.ID); have.Name != "renamed" || have.Settings["token"] != "tok-12345" {
		t.Errorf("kept %+v", have)
	}
	shown.Settings["url"] = "https://elsewhere.example/"
	if _, err := b.Save(shown); err == nil {
		t.Error("the token of one place was taken along to another")
	}
	must(t, "", b.Remove(c.ID))
	if len(b.List()) != 0 {
		t.Error("not removed")
	}
	must(t, "", os.WriteFile(filepath.Join(dir, "channels.json"), []byte("{broken"), 0o600))
	if _, err := OpenBook(dir); err == nil || !strings.Contains(err.Error(), "channels.json") {
		t.Errorf("a broken file: %v", err)
	}
}

func TestWhatCannotWorkIsRefused(t *testing.T) {
	for field, c := range map[string]Channel{
		"kind":     channel("pigeon", "zh"),
		"token":    channel("dingtalk", "zh"),
		"url":      channel("webhook", "zh", "url", "file:///etc/passwd"),
		"to":       channel("email", "zh", "host", "mail", "from", "a@b.c", "to", "nonsense\r\nBcc: x@y.z"),
		"from":     channel("email", "zh", "host", "mail", "from", "a@b.c\r\nBcc: x@y.z", "to", "d@e.f"),
		"security": channel("email", "zh", "host", "mail", "from", "a@b.c", "to", "d@e.f", "security", "none", "user", "u", "password", "p"),
		"phones":   channel("modem", "zh", "phones", "AT+CMGD=1"),
		"baud":     channel("modem", "zh", "phones", "13800138000", "baud", "fast"),
		"extra":    channel("room", "zh", "room", "#ops", "extra", "1"),
	} {
		var bad *Invalid
		if err := c.Check(); !errors.As(err, &bad) || bad.Field != field || bad.Text.ZH == "" {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestEveryKindSpeaksBothLanguages(t *testing.T) {
	for _, k := range Kinds() {
		if k.Title.EN == "" || k.Title.ZH == "" {
			t.Errorf("%s has no name in both languages", k.Name)
		}
		for _, f := range k.Fields {
			if f.Label.EN == "" || f.Label.ZH == "" || (f.Help.EN == "") != (f.Help.ZH == "") || f.Form == "" {
				t.Errorf("%s %s: %+v", k.Name, f.Key, f)
			}
		}
	}
}
