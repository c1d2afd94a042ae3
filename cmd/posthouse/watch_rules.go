package main

import (
	"context"

	"posthouse/admin"
	"posthouse/appliance/wire"
)

// watchRules gives the console its pages of rules, and notes their changes in
// the audit.
func (s *server) watchRules() admin.Rules {
	return admin.Rules{Manager: s.watch.Rules, Changed: func(ctx context.Context, v admin.Visitor, action, object string) {
		e := wire.AuditEntry{Actor: v.User, Name: v.Name, Role: string(v.Role), Address: v.Address.String(), Action: action, Object: object, Outcome: "done"}
		if v.Operator {
			e.Role = "operator"
		}
		if err := s.chat.Audit(ctx, e); err != nil {
			s.log.Error("a change of a rule is not in the audit", "action", action, "rule", object, "error", err)
		}
	}}
}
