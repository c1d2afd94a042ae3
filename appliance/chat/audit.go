package chat

import (
	"context"
	"strings"
	"unicode"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// Audit makes an entry of the audit durable: who did what to the server, or
// tried. Position is ignored; At 0 is now; name and role of an account are
// filled in when they are empty. What is too long is cut, control characters
// become spaces. It is taken in read-only times too. Secrets do not belong
// into it.
func (s *Service) Audit(ctx context.Context, e wire.AuditEntry) error {
	if u, ok := s.s.User(e.Actor); ok {
		if e.Name == "" {
			e.Name = u.Name
		}
		if e.Role == "" {
			e.Role = string(u.Role)
		}
	} else if e.Role == "" {
		e.Role = "box"
	}
	word := func(t string) string { return plain(t, wire.MaxAuditWord) }
	text := func(t string) string { return plain(t, wire.MaxAuditText) }
	_, err := s.q.Submit(ctx, state.Actor{Operator: true}, &state.Audit{Entry: record.Audited{At: e.At, Actor: e.Actor, Name: text(e.Name),
		Role: word(e.Role), Address: word(e.Address), Action: word(e.Action), Object: text(e.Object), Detail: text(e.Detail), Outcome: e.Outcome}})
	return err
}

// plain is a text of at most so many bytes, on one line.
func plain(t string, most int) string {
	t = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(t, "?"))
	if len(t) <= most {
		return t
	}
	return strings.ToValidUTF8(t[:most-len("…")], "") + "…"
}

// AuditBy is the beginning of an entry: who calls and from where.
func (c *Call) AuditBy(action, object string) wire.AuditEntry {
	e := wire.AuditEntry{Actor: c.Actor.User, Address: c.Address, Action: action, Object: object}
	if c.Actor.Operator {
		e.Actor, e.Role = id.ID(0), "operator"
	}
	return e
}

func (s *Service) auditList(_ *Call, p *wire.AuditListParams) (wire.AuditList, error) {
	if p.Limit < 0 || p.Limit > wire.AuditPage {
		return wire.AuditList{}, wire.BadParam("limit", "1 to 200", "须为 1 到 200")
	}
	return s.s.Audits(*p)
}
