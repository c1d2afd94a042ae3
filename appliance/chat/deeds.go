package chat

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// noted wraps a method whose use stands in the audit under the method's name:
// done, refused for want of a right, or failed by a fault. Mistakes in the
// parameters do not: nothing was tried that mattered. tell is asked before the
// method runs, because afterwards what it is about may be gone; it gives no
// secrets, and an object "" where there is nothing to note.
func noted[P, R any](s *Service, action string, tell func(c *Call, p *P) (object, detail string), f func(c *Call, p *P) (R, error)) func(c *Call, p *P) (R, error) {
	return func(c *Call, p *P) (R, error) {
		object, detail := tell(c, p)
		r, err := f(c, p)
		if object != "" {
			s.noteDeed(c, action, object, detail, err)
		}
		return r, err
	}
}

// noteDeed writes what a caller did. The deed stands whether or not that works;
// the log says when it did not.
func (s *Service) noteDeed(c *Call, action, object, detail string, err error) {
	e := c.AuditBy(action, object)
	e.Detail, e.Outcome = detail, "done"
	if err != nil {
		why := refusal(c, err)
		switch why.Kind {
		case wire.Forbidden:
			e.Outcome, e.Detail = "refused", strings.TrimPrefix(detail+": "+why.Text.En, ": ")
		case wire.Internal:
			e.Outcome = "failed"
		default:
			return
		}
	}
	if err := s.Audit(context.WithoutCancel(c.Context), e); err != nil {
		s.opt.Log.Error("an act is not in the audit", "action", action, "object", object, "trace", c.Trace, "error", err)
	}
}

// accountTable and hookTable are the methods that change who may do what, and
// what other programs may.
func (s *Service) accountTable(t map[string]method) {
	bind(t, "department.put", noted(s, "department.put", func(_ *Call, p *wire.DepartmentPut) (string, string) { return p.Name, "" }, s.departmentPut))
	bind(t, "department.remove", noted(s, "department.remove", func(_ *Call, p *wire.DepartmentParam) (string, string) { return s.departmentName(p.Department), "" }, s.departmentRemove))
	bind(t, "organisation.rename", noted(s, "organisation.rename", func(_ *Call, p *wire.OrganisationName) (string, string) {
		return p.Name, "before: " + s.s.Organisation()
	}, s.organisationRename))
	bind(t, "user.create", noted(s, "user.create", tellCreate, s.userCreate))
	bind(t, "user.update", noted(s, "user.update", func(_ *Call, p *wire.UserUpdate) (string, string) { return s.loginOf(p.User), s.tellUpdate(p) }, s.userUpdate))
	bind(t, "user.password", noted(s, "user.password", func(_ *Call, p *wire.UserPassword) (string, string) { return s.loginOf(p.User), "" }, s.userPassword))
	bind(t, "user.token", noted(s, "user.token", func(_ *Call, p *wire.TokenCreate) (string, string) { return s.loginOf(p.User), p.Name }, s.userToken))
	bind(t, "user.import", s.userImportNoted)
	bind(t, "invite.create", noted(s, "invite.create", func(_ *Call, p *wire.InviteCreate) (string, string) {
		return "invitation", strings.TrimSpace(fmt.Sprintf("for %d, %d hours %s", limit(p.Uses, 1, 1000), limit(p.Hours, 72, 720), p.Note))
	}, s.inviteCreate))
	bind(t, "invite.list", s.inviteList)
	bind(t, "invite.revoke", noted(s, "invite.revoke", func(_ *Call, p *wire.InviteParam) (string, string) { return p.Invite.String(), "" }, s.inviteRevoke))
	bind(t, "session.revoke", noted(s, "session.revoke", s.tellRevoke, s.revoke))
	bind(t, "setup.link", noted(s, "setup.link", func(*Call, *wire.Empty) (string, string) { return "setup link", "" }, s.setupLinkNew))
}

func (s *Service) hookTable(t map[string]method) {
	bind(t, "hook.create", noted(s, "hook.create", func(_ *Call, p *wire.HookCreate) (string, string) { return p.Name, s.tellHook(p.Kind, p.Room) }, s.hookCreate))
	bind(t, "hook.list", s.hookList)
	bind(t, "hook.update", noted(s, "hook.update", func(_ *Call, p *wire.HookUpdate) (string, string) { return s.hookOf(p.Hook) }, s.hookUpdate))
	bind(t, "hook.remove", noted(s, "hook.remove", func(_ *Call, p *wire.HookParam) (string, string) { return s.hookOf(p.Hook) }, s.hookRemove))
	bind(t, "hook.rotate", noted(s, "hook.rotate", func(_ *Call, p *wire.HookRotate) (string, string) { return s.hookOf(p.Hook) }, s.hookRotate))
	bind(t, "hook.dead", s.hookDead)
	bind(t, "hook.retry", s.hookRetry)
	bind(t, "hook.discard", s.hookDiscard)
}

func tellCreate(_ *Call, p *wire.UserCreate) (object, detail string) {
	role := p.Role
	if role == "" {
		role = wire.Member
	}
	detail = "role=" + string(role)
	if p.Bot {
		detail += " bot=true"
	}
	if p.Probe {
		detail += " probe=true"
	}
	return p.Login, detail
}

// userImportNoted is one entry for a whole file, however it ends.
func (s *Service) userImportNoted(c *Call, p *wire.ImportParams) (wire.ImportResult, error) {
	r, err := s.userImport(c, p)
	did := map[string]int{}
	for _, row := range r.Rows {
		did[row.Action]++
	}
	if n := did["create"] + did["update"]; !p.DryRun && n > 0 {
		detail := fmt.Sprintf("%d made, %d changed", did["create"], did["update"])
		if err != nil {
			detail += ", then it ended: " + refusal(c, err).Text.En
		}
		s.noteDeed(c, "user.import", "CSV", detail, nil)
	}
	return r, err
}

// tellUpdate names what changes: the role and whether the account may be used
// with their values, of everything personal only that it does.
func (s *Service) tellUpdate(p *wire.UserUpdate) string {
	was, _ := s.s.User(p.User)
	var out []string
	if p.Role != nil && *p.Role != was.Role {
		out = append(out, fmt.Sprintf("role=%s (was %s)", *p.Role, was.Role))
	}
	if p.Disabled != nil && *p.Disabled != was.Disabled {
		out = append(out, fmt.Sprintf("disabled=%t", *p.Disabled))
	}
	for _, f := range []struct {
		name string
		set  bool
	}{{"name", p.Name != nil}, {"department", p.Department != nil}, {"title", p.Title != nil}, {"email", p.Email != nil}, {"phone", p.Phone != nil}} {
		if f.set {
			out = append(out, f.name)
		}
	}
	return strings.Join(out, ", ")
}

// tellRevoke is about other people's logins: one's own is nobody's business.
func (s *Service) tellRevoke(c *Call, p *wire.DeviceParam) (object, detail string) {
	if c.Actor.User != 0 && slices.ContainsFunc(s.s.Devices(c.Actor.User), func(d wire.Device) bool { return d.ID == p.Device }) {
		return "", ""
	}
	if user, d, ok := s.s.Device(p.Device); ok {
		return s.loginOf(user), strings.TrimSpace(d.Name + " " + d.Address)
	}
	return "", ""
}

func (s *Service) tellHook(kind string, room id.ID) string {
	if room == 0 {
		return kind
	}
	if r, ok, err := s.s.Room(room, 0, true); err == nil && ok && r.Name != "" {
		return kind + ", room " + r.Name
	}
	return kind
}

func (s *Service) hookOf(hook id.ID) (object, detail string) {
	h, ok := s.s.Hook(hook)
	if !ok {
		return "", ""
	}
	return h.Name, s.tellHook(h.Form, h.Room)
}

// loginOf names an account; an unknown one by its ID.
func (s *Service) loginOf(user id.ID) string {
	if u, ok := s.s.User(user); ok {
		return u.Login
	}
	return user.String()
}

func (s *Service) departmentName(dept id.ID) string {
	for _, d := range s.s.Departments() {
		if d.ID == dept {
			return d.Name
		}
	}
	return dept.String()
}
