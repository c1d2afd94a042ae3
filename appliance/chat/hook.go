package chat

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"

	"posthouse/appliance/hook"
	"posthouse/appliance/netguard"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// newSignSecret is a secret for signatures, in the form of DingTalk's.
func newSignSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return "SEC" + hex.EncodeToString(b[:])
}

// newToken is a token of an address and what is kept of it.
func newToken() (token string, sum []byte) {
	token = newSecret()
	s := sha256.Sum256([]byte(token))
	return token, s[:]
}

func checkFormat(f string) error {
	if f != "" && !slices.Contains(hook.Formats(), hook.Format(f)) {
		return wire.BadParam("format", "dingtalk, slack, mattermost, grafana, alertmanager, gitlab, jenkins, github, plain, or nothing",
			"须为 dingtalk、slack、mattermost、grafana、alertmanager、gitlab、jenkins、github、plain 或留空")
	}
	return nil
}

func checkLanguage(lang string) error {
	if lang != "zh" && lang != "en" {
		return wire.BadParam("language", "zh or en", "须为 zh 或 en")
	}
	return nil
}

// checkTarget refuses addresses that no request could go to. Where they lead
// is judged when it is known, at each request.
func (s *Service) checkTarget(url string) error {
	if err := s.opt.CheckURL(url); err != nil {
		text := wire.Text{En: err.Error(), Zh: err.Error()}
		if refused := (*netguard.Error)(nil); errors.As(err, &refused) {
			text.Zh = refused.Zh
		}
		return wire.BadParam("url", text.En, text.Zh)
	}
	return nil
}

func (s *Service) hookCreate(c *Call, p *wire.HookCreate) (wire.HookResult, error) {
	h := record.Hook{Form: p.Kind, Room: p.Room, Name: p.Name, Text: p.Description, Lang: p.Language}
	if h.Lang == "" {
		h.Lang = wire.Text{En: "en", Zh: "zh"}.In(c.Lang)
	}
	if err := checkLanguage(h.Lang); err != nil {
		return wire.HookResult{}, err
	}
	var out wire.HookResult
	switch p.Kind {
	case "incoming":
		if err := checkFormat(p.Format); err != nil {
			return out, err
		}
		h.Format, h.Keywords, h.Names, h.Secret = p.Format, p.Keywords, p.Usernames, p.Secret
		if p.Sign && h.Secret == "" {
			h.Secret = newSignSecret()
		}
		var token string
		token, h.Token = newToken()
		out.URL, out.DingTalk = s.hookURLs(token)
	case "outgoing", "command":
		if err := s.checkTarget(p.URL); err != nil {
			return out, err
		}
		h.URL, h.Secret = p.URL, newSignSecret()
		if p.Kind == "outgoing" {
			h.Events, h.Words = p.Events, p.Words
		} else {
			h.Word, h.Hint = p.Command, p.Hint
		}
	}
	r, err := s.submit(c, &state.MakeHook{Hook: h})
	if err != nil {
		return wire.HookResult{}, err
	}
	made := r.Body.(*record.HookMade).Hook
	out.Hook, out.Secret, out.Position = s.wireHook(&made, true), made.Secret, r.Position()
	return out, nil
}

// hookURLs are the addresses of an incoming hook.
func (s *Service) hookURLs(token string) (plain, dingtalk string) {
	base := s.opt.BaseURL()
	return base + "/hooks/" + token, base + "/robot/send?access_token=" + token
}

// wireHook is a hook as it travels. Who does not look after it sees neither
// addresses nor counters; nobody sees the secret.
func (s *Service) wireHook(h *record.Hook, keeper bool) wire.Hook {
	w := wire.Hook{ID: h.ID, Kind: h.Form, Room: h.Room, Bot: h.Bot, Name: h.Name, Description: h.Text, Command: h.Word, Hint: h.Hint,
		Disabled: h.Disabled, CreatedBy: h.Creator, Created: h.Created}
	if !keeper {
		return w
	}
	w.Format, w.Keywords, w.Usernames, w.Signed, w.Language = h.Format, h.Keywords, h.Names, h.Form == "incoming" && h.Secret != "", h.Lang
	w.URL, w.Events, w.Words = h.URL, h.Events, h.Words
	n := s.counts.Of(h.ID)
	w.LastUsed, w.Delivered, w.Refused, w.LastError, w.LastErrorAt = n.Used, n.Delivered, n.Refused, n.Why, n.Failed
	if s.opt.Hooks != nil {
		w.Pending, w.Dead = s.opt.Hooks.Queue(h.ID)
	}
	return w
}

func (s *Service) hookList(c *Call, p *wire.HookListParams) (wire.HookList, error) {
	all := s.allHooks(c)
	if p.Room != 0 && !all {
		if err := s.within(c, p.Room); err != nil {
			return wire.HookList{}, err
		}
	}
	keeper := func(h *record.Hook) bool { return all || h.Room != 0 && s.s.KeepsDoors(h.Room, c.Actor.User) }
	list := s.s.Hooks(func(h *record.Hook) bool { return p.Room == 0 || h.Room == p.Room })
	out := wire.HookList{Hooks: []wire.Hook{}, Manage: all || p.Room != 0 && s.s.KeepsDoors(p.Room, c.Actor.User)}
	for i := range list {
		mine := keeper(&list[i])
		if p.Room != 0 || mine {
			out.Hooks = append(out.Hooks, s.wireHook(&list[i], mine))
		}
	}
	return out, nil
}

func (s *Service) hookUpdate(c *Call, p *wire.HookUpdate) (wire.HookResult, error) {
	if p.Format != nil {
		if err := checkFormat(*p.Format); err != nil {
			return wire.HookResult{}, err
		}
	}
	if p.Language != nil {
		if err := checkLanguage(*p.Language); err != nil {
			return wire.HookResult{}, err
		}
	}
	if p.URL != nil {
		if err := s.checkTarget(*p.URL); err != nil {
			return wire.HookResult{}, err
		}
	}
	return s.changeHook(c, &state.UpdateHook{Hook: p.Hook, Change: func(h *record.Hook) {
		set(&h.Name, p.Name)
		set(&h.Text, p.Description)
		set(&h.Lang, p.Language)
		set(&h.Disabled, p.Disabled)
		switch h.Form {
		case "incoming":
			set(&h.Format, p.Format)
			set(&h.Keywords, p.Keywords)
			set(&h.Names, p.Usernames)
			set(&h.Secret, p.Secret)
		case "outgoing":
			set(&h.URL, p.URL)
			set(&h.Events, p.Events)
			set(&h.Words, p.Words)
		case "command":
			set(&h.URL, p.URL)
			set(&h.Word, p.Command)
			set(&h.Hint, p.Hint)
		}
	}})
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (s *Service) changeHook(c *Call, cmd *state.UpdateHook) (wire.HookResult, error) {
	r, err := s.submit(c, cmd)
	if err != nil {
		return wire.HookResult{}, err
	}
	h := r.Body.(*record.HookPut).Hook
	return wire.HookResult{Hook: s.wireHook(&h, true), Position: r.Position()}, nil
}

func (s *Service) hookRemove(c *Call, p *wire.HookParam) (wire.Done, error) {
	return s.done(c, &state.RemoveHook{Hook: p.Hook})
}

func (s *Service) hookRotate(c *Call, p *wire.HookRotate) (wire.HookResult, error) {
	h, ok := s.s.Hook(p.Hook)
	if !ok {
		return wire.HookResult{}, noHook()
	}
	what := p.What
	if what == "" {
		what = map[bool]string{true: "token", false: "secret"}[h.Form == "incoming"]
	}
	var out wire.HookResult
	var err error
	switch {
	case what == "token" && h.Form == "incoming":
		token, sum := newToken()
		if out, err = s.changeHook(c, &state.UpdateHook{Hook: p.Hook, Change: func(h *record.Hook) { h.Token = sum }}); err == nil {
			out.URL, out.DingTalk = s.hookURLs(token)
		}
	case what == "secret":
		secret := newSignSecret()
		if out, err = s.changeHook(c, &state.UpdateHook{Hook: p.Hook, Change: func(h *record.Hook) { h.Secret = secret }}); err == nil {
			out.Secret = secret
		}
	default:
		err = wire.BadParam("what", "token (incoming hooks) or secret", "须为 token（仅接收钩子）或 secret")
	}
	return out, err
}

func noHook() error { return wire.Refuse(wire.NotFound, "there is no such hook", "没有这个钩子") }

// person finds the login that a payload means.
func (s *Service) person(kind, value string) (string, bool) {
	value = strings.TrimSpace(value)
	if kind == "mobile" {
		u, ok := s.s.UserByPhone(value)
		return u.Login, ok
	}
	u, ok := s.s.UserByLogin(strings.ToLower(value))
	return u.Login, ok && !u.Disabled
}
