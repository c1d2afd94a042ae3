package chat

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"strconv"
	"strings"
	"time"

	"posthouse/appliance/hook"
	"posthouse/appliance/id"
	"posthouse/appliance/markup"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// Posted is a request to an incoming hook, as the door read it.
type Posted struct {
	Token    string
	DingTalk bool // came by the path of DingTalk's robots, and wants its answers
	Address  string
	Trace    string
	Lang     string
	Now      time.Time
	hook.Request
}

// PostAnswer is what the sender of a Posted is told.
type PostAnswer struct {
	Status  int // HTTP
	Type    string
	Body    string
	Unknown bool // there is no hook of this token: the door counts it against the address
	Hook    id.ID
}

// KnowsHook finds the hook of a token, so that the door can count its requests
// before it reads them.
func (s *Service) KnowsHook(token string) (id.ID, bool) {
	h, ok := s.s.HookByToken(token)
	return h.ID, ok
}

// Post takes what a foreign program posted to a hook: it checks the proof of
// its secret, makes a message of it, and sends that by the hook's bot. The
// answer says so in the words of the sender's own service. The same
// Idempotency-Key again posts nothing new; requests without one are taken
// each, for no payload tells a retry from a repetition.
func (s *Service) Post(ctx context.Context, p *Posted) PostAnswer {
	h, ok := s.s.HookByToken(p.Token)
	if !ok {
		a := p.refuse(wire.Refuse(wire.NotFound, "there is no hook at this address", "此地址没有钩子"), 300001, "token is not exist")
		a.Unknown = true
		return a
	}
	a := s.post1(ctx, p, &h)
	a.Hook = h.ID
	return a
}

func (s *Service) post1(ctx context.Context, p *Posted, h *record.Hook) PostAnswer {
	refused := func(e *wire.Error, code int, msg string) PostAnswer {
		s.counts.Refuse(h.ID, e.Text.In(h.Lang), p.Now)
		level := s.opt.Log.Info
		if e.Kind == wire.Internal {
			level = s.opt.Log.Error
		}
		level("hook refused", "hook", h.ID.String(), "kind", string(e.Kind), "reason", e.Text.En, "trace", p.Trace, "address", p.Address, "error", e.Cause)
		return p.refuse(e, code, msg)
	}
	if h.Disabled {
		return refused(wire.Refuse(wire.Forbidden, "the hook is disabled", "钩子已停用"), 400102, "robot is disabled")
	}
	if e, msg := proof(h, p); e != nil {
		return refused(e, 310000, msg)
	}
	m, e := hook.Translate(p.Request, hook.Options{Format: hook.Format(h.Format), Lang: h.Lang, Max: s.s.MessageBytes(), Person: s.person, Zone: time.Local})
	if e != nil {
		return refused(e, 40035, "bad request: "+e.Text.En)
	}
	if len(h.Keywords) > 0 && !holdsOne(m.Raw, h.Keywords) {
		return refused(wire.Refuse(wire.InvalidParams, "the payload holds none of the hook's keywords", "载荷不含钩子的关键词"), 310000, "keywords not in content, more: [the payload holds none of the hook's keywords]")
	}
	if m.Text == "" { // nothing that people need to be told
		s.counts.Pass(h.ID, p.Now)
		return p.taken()
	}
	cmd := &state.SendMessage{Room: h.Room, Hook: h.ID, Key: postKey(h.ID, p), Text: m.Text}
	if h.Names {
		cmd.As = m.Name
	}
	cmd.Logins, cmd.All = markup.Mentions(m.Text)
	if _, err := s.q.Submit(ctx, state.Actor{User: h.Bot}, cmd); err != nil {
		var e *wire.Error
		if !errors.As(err, &e) {
			e = refusal(&Call{Trace: p.Trace}, err)
		}
		code, msg := -1, "system is busy"
		if e.Kind == wire.Forbidden || e.Kind == wire.NotFound {
			code, msg = 400013, "the group is dismissed or archived"
		}
		return refused(e, code, msg)
	}
	s.counts.Pass(h.ID, p.Now)
	return p.taken()
}

// proof checks that the sender knows the hook's secret, if there is one.
func proof(h *record.Hook, p *Posted) (*wire.Error, string) {
	if h.Secret == "" {
		return nil, ""
	}
	switch hook.Check(h.Secret, p.Request, p.Now) {
	case hook.Proved:
		return nil, ""
	case hook.Stale:
		return wire.Refuse(wire.Forbidden, "the signature is of another time: its timestamp must be within an hour of this server's clock", "签名时间戳与服务器时间相差超过一小时"),
			"invalid timestamp, more: [timestamp must be within one hour of the server's clock]"
	case hook.Missing:
		return wire.Refuse(wire.Forbidden, "the hook wants a signature or its secret, and none came", "钩子要求签名或密钥，请求中没有"), "sign not match, more: [no signature]"
	}
	return wire.Refuse(wire.Forbidden, "the signature or secret does not fit", "签名或密钥不符"), "sign not match, more: [the sign does not fit the secret]"
}

func holdsOne(text string, words []string) bool {
	for _, w := range words {
		if strings.Contains(text, w) {
			return true
		}
	}
	return false
}

// postKey is the client key of a post: of its Idempotency-Key, or a new one.
func postKey(h id.ID, p *Posted) []byte {
	key := make([]byte, 16)
	if k := p.Header("Idempotency-Key"); k != "" {
		sum := sha256.Sum256([]byte("hook " + h.String() + " " + k))
		copy(key, sum[:])
	} else {
		_, _ = rand.Read(key) // never fails
	}
	key[6], key[8] = key[6]&0x0f|0x80, key[8]&0x3f|0x80
	return key
}

// taken is the answer that all is well.
func (p *Posted) taken() PostAnswer {
	if p.DingTalk {
		return PostAnswer{Status: 200, Type: "application/json", Body: `{"errcode":0,"errmsg":"ok"}`}
	}
	return PostAnswer{Status: 200, Type: "text/plain; charset=utf-8", Body: "ok"}
}

// refuse says no: to scripts of DingTalk's with its codes and, as it does,
// status 200; to others with the status of the error's kind.
func (p *Posted) refuse(e *wire.Error, code int, msg string) PostAnswer {
	if p.DingTalk {
		return PostAnswer{Status: 200, Type: "application/json", Body: `{"errcode":` + strconv.Itoa(code) + `,"errmsg":` + strconv.Quote(msg) + `}`}
	}
	return PostAnswer{Status: e.Kind.Info().Status, Type: "text/plain; charset=utf-8", Body: string(e.Kind) + ": " + e.Text.In(p.Lang) + "\n"}
}

// Refused is the answer to a request that the door itself turns away.
func (p *Posted) Refused(e *wire.Error) PostAnswer {
	code, msg := -1, "system is busy"
	switch e.Kind {
	case wire.RateLimited:
		code, msg = 130101, "send too fast"
	case wire.TooLarge, wire.InvalidRequest:
		code, msg = 40035, "bad request: "+e.Text.En
	}
	return p.refuse(e, code, msg)
}
