package outhook

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"posthouse/appliance/hook"
	"posthouse/appliance/id"
	"posthouse/appliance/netguard"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

const (
	mostAnswer = 64 << 10 // bytes of an answer that are read
	userAgent  = "posthouse"
)

type roomBody struct {
	ID   id.ID         `json:"id"`
	Kind wire.RoomKind `json:"kind"`
	Name string        `json:"name"`
}

type senderBody struct {
	ID    id.ID  `json:"id"`
	Login string `json:"login"`
	Name  string `json:"name"`
}

// requestBody is what a target is sent.
type requestBody struct {
	Event    string        `json:"event"`
	Delivery string        `json:"delivery"`
	Hook     id.ID         `json:"hook"`
	Time     int64         `json:"time"`
	Room     roomBody      `json:"room"`
	Sender   senderBody    `json:"sender"`
	Message  *wire.Message `json:"message,omitzero"`
	Command  string        `json:"command,omitzero"`
	Text     string        `json:"text,omitzero"`
}

func (e *Engine) about(h *record.Hook, room, user id.ID) (requestBody, bool, error) {
	w, ok, err := e.o.State.Room(room, user, true)
	if err != nil || !ok {
		return requestBody{}, false, err
	}
	u, _ := e.o.State.User(user)
	return requestBody{Hook: h.ID, Room: roomBody{w.ID, w.Kind, w.Name}, Sender: senderBody{user, u.Login, u.Name}}, true, nil
}

// body is the request of a delivery, made from what is true now.
func (e *Engine) body(h *record.Hook, r ref, x *entry) (raw []byte, ok bool, err error) {
	b, ok, err := e.about(h, x.Room, x.User)
	if err != nil || !ok {
		return nil, false, err
	}
	m, ok, err := e.o.State.Message(id.Message{Room: x.Room, Seq: x.Seq})
	if err != nil || !ok {
		return nil, false, err
	}
	b.Event, b.Delivery, b.Time, b.Message = x.Event, r.String(), x.Time, &m
	raw, err = json.Marshal(b)
	return raw, true, err
}

// post makes one request of a delivery and returns the answer's text.
func (e *Engine) post(h *record.Hook, r ref, x *entry, body []byte) (answer []byte, why error) {
	return e.request(e.ctx, h, body, http.Header{
		"X-Posthouse-Event":    {x.Event},
		"X-Posthouse-Delivery": {r.String()},
		"X-Posthouse-Attempt":  {strconv.Itoa(x.Attempts + 1)},
	})
}

// errStatus is an answer that is not 2xx.
type errStatus int

// Error names the status.
func (s errStatus) Error() string {
	if s >= 300 && s < 400 {
		return fmt.Sprintf("it answered %d: redirects are not followed", int(s))
	}
	return fmt.Sprintf("it answered %d %s", int(s), http.StatusText(int(s)))
}

// request signs and sends a body. The answer is empty when it is not JSON.
func (e *Engine) request(ctx context.Context, h *record.Hook, body []byte, header http.Header) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	stamp := strconv.FormatInt(e.o.Now().Unix(), 10)
	req.Header = header
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("X-Posthouse-Signature", "t="+stamp+",v1="+hook.Sign(h.Secret, stamp, body))
	res, err := e.o.Client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer+1))
	switch media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); {
	case res.StatusCode < 200 || res.StatusCode > 299:
		return nil, errStatus(res.StatusCode)
	case err != nil:
		return nil, fmt.Errorf("read its answer: %w", err)
	case len(answer) > mostAnswer || media != "application/json":
		return nil, nil
	}
	return answer, nil
}

// told is the reason of a failure as people read it, without the address of the
// request, which may hold a secret.
func told(err error, lang string) string {
	var refused *netguard.Error
	var timeout interface{ Timeout() bool }
	var status errStatus
	var unnamed *net.DNSError
	switch {
	case errors.As(err, &refused):
		return wire.Text{En: "not allowed: " + refused.En, Zh: "不允许：" + refused.Zh}.In(lang)
	case errors.As(err, &timeout) && timeout.Timeout() || errors.Is(err, context.DeadlineExceeded):
		return wire.Text{En: "it did not answer in time", Zh: "未及时应答"}.In(lang)
	case errors.As(err, &unnamed):
		return wire.Text{En: "there is no address for " + unnamed.Name, Zh: "找不到 " + unnamed.Name + " 的地址"}.In(lang)
	case errors.As(err, &status):
		return wire.Text{En: status.Error(), Zh: fmt.Sprintf("应答状态 %d", int(status))}.In(lang)
	}
	text := err.Error()
	var of interface{ Unwrap() error }
	if strings.HasPrefix(text, "Post ") && errors.As(err, &of) && of.Unwrap() != nil {
		text = of.Unwrap().Error()
	}
	return wire.Text{En: "no answer: " + text, Zh: "没有应答：" + text}.In(lang)
}

func beginning(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}

// answerBody is what a target may answer.
type answerBody struct {
	Text       string `json:"text"`
	Visibility string `json:"visibility"`
	Response   string `json:"response_type"` // Mattermost, Slack
}

// text is an answer's text, made safe; empty when there is none.
func (e *Engine) text(raw []byte, lang string) (text string, a answerBody, err error) {
	if len(bytes.TrimSpace(raw)) == 0 {
		return "", a, nil
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return "", a, fmt.Errorf("its answer is not {\"text\": …}: %w", err)
	}
	return hook.Markdown(a.Text, min(16<<10, e.o.State.MessageBytes()), lang), a, nil
}

// reply posts the answer of a delivery. The key makes it once, however often
// the delivery is made.
func (e *Engine) reply(h *record.Hook, r ref, x *entry, raw []byte) {
	text, _, err := e.text(raw, h.Lang)
	if err == nil && text != "" {
		ctx, cancel := context.WithTimeout(e.ctx, 10*time.Second)
		defer cancel()
		err = e.o.Post(ctx, h, x.Room, text, Key("answer "+r.String()))
	}
	if err != nil && e.ctx.Err() == nil {
		e.counts.Refuse(h.ID, told(err, h.Lang), e.o.Now())
		e.o.Log.Info("hook's answer is not posted", "hook", h.ID.String(), "delivery", r.String(), "error", err)
	}
}

// Key is a client key made of a text: the same text gives the same key.
func Key(text string) [16]byte {
	sum := sha256.Sum256([]byte(text))
	key := [16]byte(sum[:16])
	key[6], key[8] = key[6]&0x0f|0x80, key[8]&0x3f|0x80
	return key
}

// Answer is what a command answered.
type Answer struct {
	Text string // safe Markdown; may be empty
	Room bool   // to be posted to the room; else the caller alone sees it
}

// beginCall takes a place for a command; endCall gives it back.
func (e *Engine) beginCall(hook, user id.ID) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return wire.Refuse(wire.Unavailable, "the server is stopping", "服务器正在停止")
	}
	if e.calls >= mostCalls || e.running[hook] >= callsOfHook || e.running[user] >= callsOfOne {
		return wire.Refuse(wire.Unavailable, "too many commands are running: try again", "正在运行的命令过多，请稍后重试")
	}
	e.work.Add(1)
	e.calls++
	e.running[hook]++
	e.running[user]++
	return nil
}

func (e *Engine) endCall(hook, user id.ID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.calls--
	for _, of := range []id.ID{hook, user} {
		if e.running[of]--; e.running[of] == 0 {
			delete(e.running, of)
		}
	}
	e.work.Done()
}

// Run calls a command: word with its arguments, used by somebody in a room. It
// waits for the answer, Options.CommandTimeout at most. The error is a
// *wire.Error.
func (e *Engine) Run(ctx context.Context, h *record.Hook, room, user id.ID, args, key string) (Answer, error) {
	if err := e.beginCall(h.ID, user); err != nil {
		return Answer{}, err
	}
	defer e.endCall(h.ID, user)
	b, ok, err := e.about(h, room, user)
	if err != nil || !ok {
		return Answer{}, errors.Join(err, errors.New("room of a command"))
	}
	b.Event, b.Delivery, b.Time, b.Command, b.Text = "command", key, e.o.Now().UnixMilli(), h.Word, args
	raw, err := json.Marshal(b)
	if err != nil {
		return Answer{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, e.o.CommandTimeout)
	defer cancel()
	defer context.AfterFunc(e.ctx, cancel)()
	answer, err := e.request(ctx, h, raw, http.Header{"X-Posthouse-Event": {"command"}, "X-Posthouse-Delivery": {key}, "X-Posthouse-Attempt": {"1"}})
	var text string
	var a answerBody
	if err == nil {
		text, a, err = e.text(answer, h.Lang)
	}
	if err != nil {
		e.counts.Refuse(h.ID, told(err, h.Lang), e.o.Now())
		return Answer{}, wire.Refuse(wire.Unavailable, "/"+h.Word+" failed: "+told(err, "en"), "/"+h.Word+" 失败："+told(err, "zh"))
	}
	e.counts.Pass(h.ID, e.o.Now())
	public := a.Visibility == "room" || a.Visibility == "" && a.Response == "in_channel"
	return Answer{Text: text, Room: public && text != ""}, nil
}
