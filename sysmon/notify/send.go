package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"posthouse/sysmon/words"
)

// Bounds of a conversation with the other side.
const (
	maxAnswer = 16 << 10
	maxBody   = 256 << 10
)

// Options make a Sender.
type Options struct {
	Host    string        // how the box calls itself
	Link    string        // address of the console, without a slash at its end
	Timeout time.Duration // of one message through one channel; 0: 15 s
	// Room posts to a room of the chat; nil: there is none. ErrNobody says that
	// nobody could read it yet.
	Room func(ctx context.Context, room, text string) error
	Now  func() time.Time // nil: time.Now
}

// ErrNobody is a room that nobody can read, because nobody has an account yet:
// no fault of the channel, and worth another try.
var ErrNobody = errors.New("nobody has an account yet")

// Sender sends messages. It keeps nothing but which modem is in use.
type Sender struct {
	o      Options
	client *http.Client
	modem  sync.Mutex // one conversation with a modem at a time
}

// New makes a Sender.
func New(o Options) *Sender {
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	t := &http.Transport{Proxy: nil, DisableKeepAlives: true, MaxResponseHeaderBytes: 32 << 10,
		DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext, TLSHandshakeTimeout: 10 * time.Second}
	return &Sender{o: o, client: &http.Client{Transport: t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Send delivers a message and returns the other side's answer in its own
// words. Its error is a *Failure, around ErrNobody where that is why.
func (s *Sender) Send(ctx context.Context, c Channel, m Message) (string, error) {
	if err := c.Check(); err != nil {
		var bad *Invalid
		if errors.As(err, &bad) {
			return "", &Failure{Why: bad.Text}
		}
		return "", refused("", "%v", "%v", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.Timeout)
	defer cancel()
	if m.Host == "" {
		m.Host = s.o.Host
	}
	answer, err := s.send(ctx, &c, &m)
	answer = c.scrub(clip(answer, maxAnswer))
	if err == nil {
		return answer, nil
	}
	f := &Failure{Again: true, Why: cause(err)}
	errors.As(err, &f)
	out := &Failure{Again: f.Again, Answer: c.scrub(clip(f.Answer, 500)), Why: words.Of(c.scrub(f.Why.EN), c.scrub(f.Why.ZH))}
	if errors.Is(err, ErrNobody) {
		out.err = ErrNobody
	}
	return answer, out
}

func (s *Sender) send(ctx context.Context, c *Channel, m *Message) (string, error) {
	switch c.Kind {
	case "email":
		return s.email(ctx, c, m)
	case "dingtalk":
		return s.dingtalk(ctx, c, m)
	case "wecom":
		return s.wecom(ctx, c, m)
	case "feishu":
		return s.feishu(ctx, c, m)
	case "sms-aliyun":
		return s.aliyun(ctx, c, m)
	case "sms":
		return s.sms(ctx, c, m)
	case "modem":
		return s.bySerial(ctx, c, m)
	case "pagerduty":
		return s.pagerduty(ctx, c, m)
	case "webhook":
		return s.webhook(ctx, c, m)
	case "am-webhook":
		return s.amWebhook(ctx, c, m)
	case "alertmanager":
		return s.alertmanager(ctx, c, m)
	case "room":
		return s.room(ctx, c, m)
	}
	return "", refused("", "there is no channel of the kind %q", "没有 %q 这种渠道", c.Kind)
}

// Test sends a message that says it is a test, and returns the real answer.
func (s *Sender) Test(ctx context.Context, c Channel) (string, error) {
	now := s.o.Now()
	link := s.o.Link + "/admin/channels"
	return s.Send(ctx, c, Message{Event: Probe, Severity: "warning", Group: "test/" + now.UTC().Format(time.RFC3339Nano), Host: s.o.Host, Link: link, Receiver: c.Name,
		Title: words.Of("Posthouse can reach you through "+c.Name, "驿站可以通过“"+c.Name+"”联系到您"),
		Items: []Item{{Fingerprint: "0000000000000000", Name: "Test", Severity: "warning", Firing: true, Host: s.o.Host, Value: "1", Threshold: "0", Since: now,
			Link: link, Runbook: link, Summary: words.Of("This is a test. Nothing is wrong.", "这是一条测试消息，一切正常。"),
			Labels: map[string]string{"alertname": "Test", "severity": "warning", "instance": s.o.Host}}}})
}

// call makes a request and reads the answer. Statuses other than 2xx are
// failures; 5xx and 429 may be tried again.
func (s *Sender) call(ctx context.Context, method, to string, body []byte, header http.Header) (string, error) {
	if len(body) > maxBody {
		return "", refused("", "a message of %d bytes is too long", "消息过长（%d 字节）", len(body))
	}
	req, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil {
		return "", refused("", "the address cannot be used", "地址无法使用")
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("User-Agent", "posthouse")
	res, err := s.client.Do(req)
	if err != nil {
		var u *url.Error // its text holds the address, and so the token
		if errors.As(err, &u) {
			err = u.Err
		}
		return "", broken(err, "the other side was not reached", "无法连接对方")
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	answer := fmt.Sprintf("%d %s", res.StatusCode, bytes.TrimSpace(raw))
	if err != nil {
		return answer, broken(err, "its answer did not come", "未收到对方的应答")
	}
	if res.StatusCode/100 != 2 {
		f := refused(answer, "the other side refused with status %d", "对方以状态码 %d 拒绝", res.StatusCode)
		f.Again = res.StatusCode/100 == 5 || res.StatusCode == http.StatusTooManyRequests
		return answer, f
	}
	return answer, nil
}

// payload is an answer of call without its status.
func payload(answer string) []byte {
	_, b, _ := bytes.Cut([]byte(answer), []byte(" "))
	return b
}

func jsonHeader() http.Header {
	return http.Header{"Content-Type": {"application/json; charset=utf-8"}}
}

func bearer(h http.Header, token string) http.Header {
	if token != "" {
		h.Set("Authorization", "Bearer "+token)
	}
	return h
}

func (s *Sender) room(ctx context.Context, c *Channel, m *Message) (string, error) {
	if s.o.Room == nil {
		return "", refused("", "this server has no chat to post in", "本服务器没有可发送的聊天")
	}
	if err := s.o.Room(ctx, c.get("room"), m.card(c.Lang)); err != nil {
		return "", broken(err, "the room did not take it", "无法发送到房间")
	}
	return "posted", nil
}
