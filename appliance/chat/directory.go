package chat

import (
	"crypto/sha256"
	"encoding/base64"
	"time"

	"rsc.io/qr"

	"posthouse/appliance/record"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

func (s *Service) ownProfile(c *Call, p *wire.ProfileParams) (wire.UserResult, error) {
	r, err := s.submit(c, &state.UpdateUser{User: c.Actor.User, Self: true, Name: p.Name, Title: p.Title, Email: p.Email, Phone: p.Phone, Avatar: p.Avatar})
	if err != nil {
		return wire.UserResult{}, err
	}
	u, _ := s.s.User(c.Actor.User)
	return wire.UserResult{User: u, Position: r.Position()}, nil
}

func (s *Service) directory(_ *Call, p *wire.DirectoryParams) (wire.UserList, error) {
	p.Limit = limit(p.Limit, 100, 500)
	return s.s.Directory(*p, false), nil
}

func (s *Service) userList(_ *Call, p *wire.DirectoryParams) (wire.UserList, error) {
	p.Limit = limit(p.Limit, 100, 500)
	return s.s.Directory(*p, true), nil
}

func (s *Service) directoryGet(_ *Call, p *wire.UsersParam) (wire.UserList, error) {
	if len(p.Users) > 500 {
		return wire.UserList{}, wire.BadParam("users", "at most 500", "最多 500 个")
	}
	out := wire.UserList{Users: []wire.User{}}
	for _, uid := range p.Users {
		if u, ok := s.s.User(uid); ok {
			out.Users = append(out.Users, u)
		}
	}
	return out, nil
}

func (s *Service) departments(_ *Call, _ *wire.Empty) (wire.DepartmentList, error) {
	return wire.DepartmentList{Departments: s.s.Departments()}, nil
}

func (s *Service) departmentPut(c *Call, p *wire.DepartmentPut) (wire.DepartmentResult, error) {
	r, err := s.submit(c, &state.PutDepartment{Department: record.Department{ID: p.ID, Parent: p.Parent, Name: p.Name, Order: p.Order}})
	if err != nil {
		return wire.DepartmentResult{}, err
	}
	d := r.Body.(*record.DepartmentPut).Department
	return wire.DepartmentResult{Department: wire.Department{ID: d.ID, Parent: d.Parent, Name: d.Name, Order: d.Order}, Position: r.Position()}, nil
}

func (s *Service) departmentRemove(c *Call, p *wire.DepartmentParam) (wire.Done, error) {
	return s.done(c, &state.RemoveDepartment{Department: p.Department})
}

func (s *Service) userCreate(c *Call, p *wire.UserCreate) (wire.UserResult, error) {
	cmd := &state.OpenAccount{User: record.User{Login: p.Login, Name: p.Name, Role: string(p.Role), Department: p.Department,
		Title: p.Title, Email: p.Email, Phone: p.Phone, Bot: p.Bot, Probe: p.Probe}}
	if p.Password != "" {
		if err := s.checkPassword("password", p.Password, p.Login); err != nil {
			return wire.UserResult{}, err
		}
		var err error
		if cmd.PHC, err = s.hasher.hash(p.Password); err != nil {
			return wire.UserResult{}, err
		}
	}
	r, err := s.submit(c, cmd)
	if err != nil {
		return wire.UserResult{}, err
	}
	u, _ := s.s.User(r.Body.(*record.AccountOpened).User.ID)
	return wire.UserResult{User: u, Position: r.Position()}, nil
}

func (s *Service) userUpdate(c *Call, p *wire.UserUpdate) (wire.UserResult, error) {
	r, err := s.submit(c, &state.UpdateUser{User: p.User, Name: p.Name, Role: (*string)(p.Role), Department: p.Department,
		Title: p.Title, Email: p.Email, Phone: p.Phone, Disabled: p.Disabled})
	if err != nil {
		return wire.UserResult{}, err
	}
	u, _ := s.s.User(p.User)
	return wire.UserResult{User: u, Position: r.Position()}, nil
}

func (s *Service) userPassword(c *Call, p *wire.UserPassword) (wire.Done, error) {
	u, ok := s.s.User(p.User)
	if !ok {
		return wire.Done{}, wire.Refuse(wire.NotFound, "there is no such account", "没有这个账号")
	}
	if err := s.checkPassword("password", p.Password, u.Login); err != nil {
		return wire.Done{}, err
	}
	phc, err := s.hasher.hash(p.Password)
	if err != nil {
		return wire.Done{}, err
	}
	return s.done(c, &state.SetPassword{User: p.User, PHC: phc})
}

func (s *Service) userToken(c *Call, p *wire.TokenCreate) (wire.Session, error) {
	d, token, err := s.device(c, p.Name, "bot", false)
	if err != nil {
		return wire.Session{}, err
	}
	d.User = p.User
	r, err := s.submit(c, &state.AddDevice{Device: d, Manage: true})
	if err != nil {
		return wire.Session{}, err
	}
	in, err := s.loggedIn(p.User, r.Body.(*record.DevicePut).Device.ID, token, d.Idle, c.Now, false)
	if err != nil {
		return wire.Session{}, err
	}
	return in.Session, nil
}

func (s *Service) organisationRename(c *Call, p *wire.OrganisationName) (wire.Done, error) {
	return s.done(c, &state.RenameOrganisation{Name: p.Name})
}

// ---- invitations -----------------------------------------------------------------

func (s *Service) inviteCreate(c *Call, p *wire.InviteCreate) (wire.InviteResult, error) {
	hours, uses := limit(p.Hours, 72, 720), limit(p.Uses, 1, 1000)
	if p.Hours > 720 || p.Hours < 0 || p.Uses > 1000 || p.Uses < 0 || len(p.Rooms) > 50 {
		return wire.InviteResult{}, wire.Refuse(wire.InvalidParams, "an invitation lasts 1 to 720 hours, for 1 to 1000 people and at most 50 rooms", "邀请有效 1 到 720 小时，供 1 到 1000 人使用，至多 50 个房间")
	}
	code := newSecret()
	sum := sha256.Sum256([]byte(code))
	r, err := s.submit(c, &state.CreateInvite{Invite: record.Invite{Code: sum[:], Expires: (time.Duration(hours) * time.Hour).Milliseconds(),
		Uses: uses, Department: p.Department, Rooms: p.Rooms, Note: p.Note}})
	if err != nil {
		return wire.InviteResult{}, err
	}
	v := r.Body.(*record.InvitePut).Invite
	out := wire.Invite{ID: v.ID, Code: code, URL: s.opt.BaseURL() + "/#/invite/" + code, CreatedBy: v.CreatedBy, Created: v.Created,
		Expires: v.Expires, Uses: v.Uses, Department: v.Department, Rooms: v.Rooms, Note: v.Note}
	if img, err := qr.Encode(out.URL, qr.M); err == nil {
		out.QR = "data:image/png;base64," + base64.StdEncoding.EncodeToString(img.PNG())
	}
	return wire.InviteResult{Invite: out, Position: r.Position()}, nil
}

func (s *Service) inviteList(c *Call, _ *wire.Empty) (wire.InviteList, error) {
	return wire.InviteList{Invites: s.s.Invites(c.Now)}, nil
}

func (s *Service) inviteRevoke(c *Call, p *wire.InviteParam) (wire.Done, error) {
	return s.done(c, &state.RevokeInvite{Invite: p.Invite})
}

func (s *Service) inviteShow(c *Call, p *wire.InviteCode) (wire.InviteInfo, error) {
	if err := s.spend(s.addrs, c.Address, c.Now); err != nil {
		return wire.InviteInfo{}, err
	}
	info, ok := s.s.InviteInfo(p.Code, c.Now)
	if !ok {
		return info, wire.Refuse(wire.Expired, "this invitation is over or was used: ask for a new one", "邀请已失效或已被使用，请索取新的邀请")
	}
	s.addrs.give(c.Address, c.Now)
	return info, nil
}

func (s *Service) inviteAccept(c *Call, p *wire.InviteAccept) (*LoggedIn, error) {
	if _, err := s.inviteShow(c, &wire.InviteCode{Code: p.Code}); err != nil {
		return nil, err
	}
	return s.open(c, &state.OpenAccount{Code: p.Code, User: record.User{Login: p.Login, Name: p.Name}}, p.Password, p.DeviceName, p.Cookie)
}
