package state

import (
	"slices"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// PutDepartment makes (ID zero) or changes a department.
type PutDepartment struct{ Department record.Department }

func (c *PutDepartment) scopes(_ *Batch, sc *scopes) { sc.write(scDirectory, 0, 0) }

func (c *PutDepartment) decide(b *Batch) (Outcome, error) {
	if _, err := b.manager(); err != nil {
		return Outcome{}, err
	}
	d := c.Department
	var err error
	if d.Name, err = line("name", d.Name, 1, wire.MaxName); err != nil {
		return Outcome{}, err
	}
	if d.ID != 0 && b.s.depts[d.ID] == nil || d.Parent != 0 && b.s.depts[d.Parent] == nil {
		return Outcome{}, wire.Refuse(wire.NotFound, "there is no such department", "没有这个部门")
	}
	depth := b.departmentsBelow(d.ID)
	for at := d.Parent; at != 0; at = b.s.depts[at].Parent {
		if depth++; at == d.ID || depth > maxDepth {
			return Outcome{}, wire.BadParam("parent", "a department cannot stand below itself, nor anything of it deeper than 20", "部门不能位于自身之下，其下各级也不能超过 20 层")
		}
	}
	for _, o := range b.s.depts {
		if o.ID != d.ID && o.Parent == d.Parent && o.Name == d.Name {
			return Outcome{}, wire.Refusef(wire.Conflict, "there is a department %q at this place already", "此处已有部门 %q", d.Name)
		}
	}
	if d.ID == 0 {
		d.ID = b.newID()
	}
	return Outcome{Body: &record.DepartmentPut{Department: d}}, nil
}

// maxDepth is how many departments may stand above one.
const maxDepth = 20

// departmentsBelow is the length of the longest line of departments below one.
func (b *Batch) departmentsBelow(top id.ID) int {
	longest := 0
	if top == 0 {
		return 0
	}
	for _, d := range b.s.depts {
		steps := 0
		for at := d; at != nil && at.ID != top; at = b.s.depts[at.Parent] {
			if steps++; at.Parent == top {
				longest = max(longest, steps)
			}
		}
	}
	return longest
}

// RenameOrganisation gives the organisation another name.
type RenameOrganisation struct{ Name string }

func (c *RenameOrganisation) scopes(_ *Batch, sc *scopes) { sc.write(scDirectory, 0, 0) }

func (c *RenameOrganisation) decide(b *Batch) (Outcome, error) {
	if _, err := b.manager(); err != nil {
		return Outcome{}, err
	}
	name, err := line("name", c.Name, 1, wire.MaxName)
	if err != nil || name == b.s.organisation {
		return Outcome{}, err
	}
	return Outcome{Body: &record.Organisation{Name: name}}, nil
}

// RemoveDepartment removes a department that is empty.
type RemoveDepartment struct{ Department id.ID }

func (c *RemoveDepartment) scopes(_ *Batch, sc *scopes) { sc.write(scDirectory, 0, 0) }

func (c *RemoveDepartment) decide(b *Batch) (Outcome, error) {
	if _, err := b.manager(); err != nil {
		return Outcome{}, err
	}
	if b.s.depts[c.Department] == nil {
		return Outcome{}, wire.Refuse(wire.NotFound, "there is no such department", "没有这个部门")
	}
	for _, d := range b.s.depts {
		if d.Parent == c.Department {
			return Outcome{}, wire.Refuse(wire.Conflict, "departments stand below it: move them first", "其下还有部门，请先移走")
		}
	}
	for _, u := range b.s.users {
		if u.Department == c.Department {
			return Outcome{}, wire.Refuse(wire.Conflict, "people are in it: move them first", "部门中还有人员，请先移走")
		}
	}
	return Outcome{Body: &record.DepartmentRemoved{Department: c.Department}}, nil
}

// CreateInvite makes an invitation. Its secret is known to the caller alone.
type CreateInvite struct{ Invite record.Invite }

func (c *CreateInvite) scopes(_ *Batch, sc *scopes) { sc.write(scDirectory, 0, 0) }

func (c *CreateInvite) decide(b *Batch) (Outcome, error) {
	if _, err := b.manager(); err != nil {
		return Outcome{}, err
	}
	v := c.Invite
	var err error
	if v.Note, err = line("note", v.Note, 0, 200); err != nil {
		return Outcome{}, err
	}
	if v.Department != 0 && b.s.depts[v.Department] == nil {
		return Outcome{}, wire.Refuse(wire.NotFound, "there is no such department", "没有这个部门")
	}
	v.Rooms = slices.Compact(slices.Sorted(slices.Values(v.Rooms)))
	for _, rid := range v.Rooms {
		r := b.s.rooms[rid]
		if r == nil || r.rec.Form == string(wire.Direct) || r.rec.Form == string(wire.Notes) {
			return Outcome{}, wire.Refuse(wire.NotFound, "there is no such room to join", "没有可加入的房间")
		}
		if !b.actor.Operator && r.rec.Form == string(wire.Group) && r.members[b.actor.User] == nil {
			return Outcome{}, wire.Refuse(wire.NotFound, "there is no such room to join", "没有可加入的房间")
		}
	}
	v.ID, v.Created, v.CreatedBy = b.newID(), b.now, b.actor.User
	v.Expires += b.now // was a duration
	return Outcome{Body: &record.InvitePut{Invite: v}}, nil
}

// RevokeInvite makes an invitation worthless.
type RevokeInvite struct{ Invite id.ID }

func (c *RevokeInvite) scopes(_ *Batch, sc *scopes) { sc.write(scDirectory, 0, 0) }

func (c *RevokeInvite) decide(b *Batch) (Outcome, error) {
	if _, err := b.manager(); err != nil {
		return Outcome{}, err
	}
	if b.s.invites[c.Invite] == nil {
		return Outcome{}, wire.Refuse(wire.NotFound, "there is no such invitation", "没有这个邀请")
	}
	return Outcome{Body: &record.InviteRemoved{Invite: c.Invite}}, nil
}
