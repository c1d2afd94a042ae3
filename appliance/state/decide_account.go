package state

import (
	"crypto/sha256"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// CanonicalLogin is the one form of a login: lower case a-z, 0-9, dot, hyphen
// and underscore, 1 to 64 of them, with a letter or digit at both ends. Other
// scripts are refused, so that no two logins look alike. "all" and "here" are
// taken by mentions.
func CanonicalLogin(s string) (string, error) {
	s = strings.ToLower(strings.TrimSpace(s))
	ok := len(s) >= 1 && len(s) <= 64 && s != "all" && s != "here"
	for i, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || i == len(s)-1 || c != '.' && c != '-' && c != '_') {
			ok = false
		}
	}
	if !ok {
		return "", wire.BadParam("login", "1 to 64 of a-z, 0-9, dot, hyphen and underscore, with a letter or digit at both ends; not \"all\" or \"here\"",
			"1 到 64 个 a-z、0-9、点、连字符或下划线，首尾须为字母或数字，且不能是 all 或 here")
	}
	return s, nil
}

// line checks a text that people read on one line: valid, no control
// characters, 1 (or least) to most characters. It returns it trimmed.
func line(field, s string, least, most int) (string, error) {
	s = strings.TrimSpace(s)
	n := utf8.RuneCountInString(s)
	bad := !utf8.ValidString(s) || n < least || n > most
	for _, r := range s {
		if unicode.IsControl(r) || r == '\u202e' || r == '\u202d' || r == '\u2066' || r == '\u2067' || r == '\u2068' {
			bad = true
		}
	}
	if bad {
		return "", &wire.Error{Kind: wire.InvalidParams, Field: field, Text: wire.Refusef(wire.InvalidParams,
			"%s: %d to %d characters, without control characters", "%s：%d 到 %d 个字符，不含控制字符", field, least, most).Text}
	}
	return s, nil
}

// OpenAccount makes an account: the first owner (Setup), from an invitation
// (Code), or by an admin.
type OpenAccount struct {
	Setup        bool
	Organisation string
	Code         string // secret of an invitation
	User         record.User
	PHC          string
	Device       *record.Device // its first session; ID and User are decided here
}

func (c *OpenAccount) scopes(_ *Batch, sc *scopes) {
	sc.write(scDirectory, 0, 0)
}

func (c *OpenAccount) decide(b *Batch) (Outcome, error) {
	u, err := b.newUser(c.User)
	if err != nil {
		return Outcome{}, err
	}
	body := &record.AccountOpened{PHC: c.PHC}
	switch {
	case c.Setup:
		if len(b.s.users) > 0 {
			return Outcome{}, wire.Refuse(wire.NotFound, "setup is done already: log in", "初始化已完成，请登录")
		}
		if body.Organisation, err = line("organisation", c.Organisation, 1, wire.MaxName); err != nil {
			return Outcome{}, err
		}
		u.Role = string(wire.Owner)
	case c.Code != "":
		inv := b.s.invite(c.Code)
		if inv == nil || inv.Uses < 1 || inv.Expires <= b.now || !b.mayInvite(inv.CreatedBy) {
			return Outcome{}, wire.Refuse(wire.Expired, "this invitation is over or was used: ask for a new one", "邀请已失效或已被使用，请索取新的邀请")
		}
		u.Role, u.Department, body.Invite = string(wire.Member), inv.Department, inv.ID
		if b.s.depts[u.Department] == nil {
			u.Department = 0
		}
		if body.Joins, err = b.joins(inv.Rooms); err != nil {
			return Outcome{}, err
		}
	default:
		if err := b.mayGive(u.Role); err != nil {
			return Outcome{}, err
		}
		if u.Probe && !b.actor.Operator {
			return Outcome{}, wire.Refuse(wire.Forbidden, "virtual users are made on the box itself only", "虚拟用户只能在服务器本机新建")
		}
		if err := plainProbe(u); err != nil {
			return Outcome{}, err
		}
		if len(b.s.users) == 0 && u.Role != string(wire.Owner) {
			return Outcome{}, wire.Refuse(wire.Conflict, "the first account must be an owner: open the link of posthouse setup, or give the role owner",
				"第一个账号必须是所有者：请打开 posthouse setup 的链接，或指定角色 owner")
		}
	}
	u.ID, u.Created = b.newID(), b.now
	body.User = *u
	if c.Device != nil {
		d := *c.Device
		d.ID, d.User, d.Created = b.newID(), u.ID, b.now
		if d.Name, err = line("device_name", d.Name, 0, wire.MaxName); err != nil {
			return Outcome{}, err
		}
		body.Device = &d
	}
	return Outcome{Body: body}, nil
}

func (b *Batch) joins(rooms []id.ID) ([]record.Join, error) {
	for _, rid := range rooms {
		if _, busy := b.written[scope{scRoom, uint64(rid), 0}]; busy {
			return nil, ErrNextBatch
		}
	}
	var out []record.Join
	for _, rid := range rooms {
		if r := b.s.rooms[rid]; r != nil && !r.rec.Archived && len(r.members) < b.s.opt.Limits.MembersPerRoom {
			seq, count := b.next(r, false)
			b.sc.write(scRoom, uint64(rid), 0)
			j := record.Join{Room: rid, Seq: seq, Count: count}
			if len(r.members) == 0 {
				j.Role = string(wire.RoomOwner)
			}
			out = append(out, j)
		}
	}
	return out, nil
}

// mayInvite reports whether the maker of an invitation could make it today;
// zero is the operator.
func (b *Batch) mayInvite(maker id.ID) bool {
	if maker == 0 {
		return true
	}
	u := b.s.users[maker]
	return u != nil && !u.Disabled && rank(u.Role) >= rank(string(wire.Admin))
}

// newUser checks the fields of a new account.
func (b *Batch) newUser(u record.User) (*record.User, error) {
	var err error
	if u.Login, err = CanonicalLogin(u.Login); err != nil {
		return nil, err
	}
	if _, taken := b.s.logins[u.Login]; taken {
		return nil, wire.Refusef(wire.Conflict, "the login %q is taken", "登录名 %q 已被占用", u.Login)
	}
	if u.Role == "" {
		u.Role = string(wire.Member)
	}
	if err := b.profile(&u); err != nil {
		return nil, err
	}
	return &u, nil
}

// profile checks and trims the fields a person may have.
func (b *Batch) profile(u *record.User) error {
	var err error
	if u.Name, err = line("name", u.Name, 1, wire.MaxName); err != nil {
		return err
	}
	if u.Title, err = line("title", u.Title, 0, wire.MaxName); err != nil {
		return err
	}
	if u.Email, err = line("email", u.Email, 0, 254); err != nil {
		return err
	}
	if u.Phone, err = line("phone", u.Phone, 0, 40); err != nil {
		return err
	}
	if u.Department != 0 && b.s.depts[u.Department] == nil {
		return wire.Refuse(wire.NotFound, "there is no such department", "没有这个部门")
	}
	if rank(u.Role) == 0 {
		return wire.BadParam("role", "one of owner, admin, auditor, member", "须为 owner、admin、auditor 或 member")
	}
	return nil
}

// plainProbe refuses a virtual user with a role: its password lies on the box.
func plainProbe(u *record.User) error {
	if u.Probe && u.Role != string(wire.Member) {
		return wire.BadParam("role", "a virtual user is a member", "虚拟用户的角色须为 member")
	}
	return nil
}

// mayGive refuses giving a role above the caller's own.
func (b *Batch) mayGive(role string) error {
	mine, err := b.manager()
	if err != nil {
		return err
	}
	if rank(role) > mine {
		return wire.Refuse(wire.Forbidden, "nobody may give a role above their own", "不能授予高于自己的角色")
	}
	return nil
}

// UpdateUser changes a profile: one's own (Self) or, for admins, any.
type UpdateUser struct {
	User       id.ID
	Self       bool
	Name       *string
	Title      *string
	Email      *string
	Phone      *string
	Avatar     *id.ID
	Role       *string
	Department *id.ID
	Disabled   *bool
}

func (c *UpdateUser) scopes(_ *Batch, sc *scopes) {
	sc.write(scDirectory, 0, 0)
	sc.write(scUser, uint64(c.User), 0)
	if c.Avatar != nil && *c.Avatar != 0 {
		sc.write(scFile, uint64(*c.Avatar), 0)
	}
}

// mayChange refuses a change of an account: nil is none, one's own is free, and
// that of an owner is not for an admin, who is told so in two languages.
func (b *Batch) mayChange(u *record.User, self bool, en, zh string) error {
	if self {
		if _, err := b.caller(); err != nil {
			return err
		}
	} else {
		mine, err := b.manager()
		if err != nil {
			return err
		}
		if u != nil && rank(u.Role) > mine {
			return wire.Refuse(wire.Forbidden, en, zh)
		}
	}
	if u == nil {
		return wire.Refuse(wire.NotFound, "there is no such account", "没有这个账号")
	}
	return nil
}

func (c *UpdateUser) decide(b *Batch) (Outcome, error) {
	old := b.s.users[c.User]
	if err := b.mayChange(old, c.Self, "an admin cannot change an owner", "管理员不能更改所有者"); err != nil {
		return Outcome{}, err
	}
	u := *old
	set(&u.Name, c.Name)
	set(&u.Title, c.Title)
	set(&u.Email, c.Email)
	set(&u.Phone, c.Phone)
	set(&u.Avatar, c.Avatar)
	set(&u.Department, c.Department)
	set(&u.Disabled, c.Disabled)
	if c.Role != nil && *c.Role != old.Role {
		if err := b.mayGive(*c.Role); err != nil {
			return Outcome{}, err
		}
		u.Role = *c.Role
	}
	if err := plainProbe(&u); err != nil {
		return Outcome{}, err
	}
	if err := b.profile(&u); err != nil {
		return Outcome{}, err
	}
	if c.Avatar != nil && u.Avatar != 0 {
		f := b.s.files[u.Avatar]
		if f == nil || f.File.Owner != c.User || f.File.Width == 0 {
			return Outcome{}, wire.BadParam("avatar", "a picture that this account uploaded", "须为本账号上传的图片")
		}
	}
	lost := old.Role == string(wire.Owner) && (u.Role != old.Role || u.Disabled) && !old.Disabled
	if lost && !b.otherOwner(old.ID) {
		return Outcome{}, wire.Refuse(wire.Conflict, "this is the last owner: make another one first", "这是最后一位所有者，请先指定另一位")
	}
	if u == *old {
		return Outcome{}, nil
	}
	return Outcome{Body: &record.UserPut{User: u}}, nil
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func (b *Batch) otherOwner(not id.ID) bool {
	for _, u := range b.s.users {
		if u.ID != not && u.Role == string(wire.Owner) && !u.Disabled {
			return true
		}
	}
	return false
}

// SetPassword replaces a password and ends the account's sessions, but for
// Keep.
type SetPassword struct {
	User id.ID
	Self bool
	PHC  string
	Keep id.ID
}

func (c *SetPassword) scopes(_ *Batch, sc *scopes) { sc.write(scUser, uint64(c.User), 0) }

func (c *SetPassword) decide(b *Batch) (Outcome, error) {
	u := b.s.users[c.User]
	if err := b.mayChange(u, c.Self, "an admin cannot change an owner's password", "管理员不能更改所有者的密码"); err != nil {
		return Outcome{}, err
	}
	body := &record.PasswordSet{User: c.User, PHC: c.PHC}
	for _, d := range b.s.userDevices[c.User] {
		if d != c.Keep {
			body.Devices = append(body.Devices, d)
		}
	}
	slices.Sort(body.Devices)
	return Outcome{Body: body}, nil
}

// AddDevice begins a session. When the account has as many as it may, the one
// unused the longest ends, so that forgotten browsers never lock a person out. Its password was checked by the caller, against
// PHC: if that has changed meanwhile, the login is refused. With Manage an
// admin makes a token for another account.
type AddDevice struct {
	Device record.Device // ID and Created are decided here
	PHC    string
	Manage bool
}

func (c *AddDevice) scopes(_ *Batch, sc *scopes) { sc.write(scUser, uint64(c.Device.User), 0) }

func (c *AddDevice) decide(b *Batch) (Outcome, error) {
	u := b.s.users[c.Device.User]
	if c.Manage {
		mine, err := b.manager()
		if err != nil {
			return Outcome{}, err
		}
		if u == nil {
			return Outcome{}, wire.Refuse(wire.NotFound, "there is no such account", "没有这个账号")
		}
		if !u.Bot && !b.actor.Operator {
			return Outcome{}, wire.Refuse(wire.Forbidden, "tokens are made for bots; people log in themselves", "只能为机器人创建令牌，个人须自行登录")
		}
		if b.s.speaksFor(u.ID) {
			return Outcome{}, wire.Refuse(wire.Forbidden, "the bot of a hook does not log in: make an account for the program", "钩子的机器人不能登录，请为程序新建机器人账号")
		}
		if rank(u.Role) > mine {
			return Outcome{}, wire.Refuse(wire.Forbidden, "nobody may act for a role above their own", "不能代替高于自己的角色")
		}
	} else if u == nil || u.Disabled || b.s.passwords[u.ID] != c.PHC || b.s.speaksFor(u.ID) {
		return Outcome{}, WrongPassword()
	}
	if u.Disabled {
		return Outcome{}, wire.Refuse(wire.Conflict, "this account is disabled", "账号已停用")
	}
	d := c.Device
	d.ID, d.Created = b.newID(), b.now
	var err error
	if d.Name, err = line("device_name", d.Name, 0, wire.MaxName); err != nil {
		return Outcome{}, err
	}
	body := &record.DevicePut{Device: d}
	if devices := b.s.userDevices[u.ID]; len(devices) >= b.s.opt.Limits.Devices {
		body.Replaces = slices.MinFunc(devices, func(x, y id.ID) int { return int(b.s.seen(x) - b.s.seen(y)) })
	}
	return Outcome{Body: body}, nil
}

// WrongPassword is the one answer to every failed login, so that it does not
// tell which accounts exist.
func WrongPassword() *wire.Error {
	return wire.Refuse(wire.Unauthenticated, "wrong login or password", "登录名或密码错误")
}

// RemoveDevice ends a session: one's own, or any for admins.
type RemoveDevice struct{ Device id.ID }

func (c *RemoveDevice) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	b.s.mu.RLock()
	if d := b.s.devices[c.Device]; d != nil {
		sc.write(scUser, uint64(d.User), 0)
	}
	b.s.mu.RUnlock()
}

func (c *RemoveDevice) decide(b *Batch) (Outcome, error) {
	u, err := b.caller()
	if err != nil {
		return Outcome{}, err
	}
	d := b.s.devices[c.Device]
	mine := u != nil && d != nil && d.User == u.ID
	if !mine {
		r, err := b.manager()
		if err != nil || d == nil {
			return Outcome{}, wire.Refuse(wire.NotFound, "there is no such device", "没有这台设备")
		}
		if rank(b.s.users[d.User].Role) > r {
			return Outcome{}, wire.Refuse(wire.Forbidden, "an admin cannot log out an owner", "管理员不能让所有者退出")
		}
	}
	return Outcome{Body: &record.DeviceRemoved{Device: d.ID, User: d.User}}, nil
}

// SweepDevices ends sessions unused for longer than they may be. The box runs
// it.
type SweepDevices struct{}

func (c *SweepDevices) scopes(_ *Batch, sc *scopes) { sc.write(scDirectory, 0, 0) }

func (c *SweepDevices) decide(b *Batch) (Outcome, error) {
	var dead []id.ID
	for _, d := range b.s.devices {
		if b.s.idle(d, b.now) {
			if _, busy := b.written[scope{scUser, uint64(d.User), 0}]; busy {
				return Outcome{}, ErrNextBatch
			}
			dead = append(dead, d.ID)
			b.sc.write(scUser, uint64(d.User), 0)
		}
	}
	if len(dead) == 0 {
		return Outcome{}, nil
	}
	slices.Sort(dead)
	return Outcome{Body: &record.DevicesRemoved{Devices: dead}}, nil
}

// idle reports whether a device was unused for too long at a time.
func (s *State) idle(d *record.Device, now int64) bool {
	if d.Idle == 0 {
		return false
	}
	return now-s.seen(d.ID) > d.Idle
}

// seen is the last sign of life of a device, as far as it is recorded.
func (s *State) seen(device id.ID) int64 {
	at := s.devices[device].Created
	if m := s.marks[device]; m != nil {
		at = max(at, m.Seen)
	}
	return at
}

func (s *State) invite(code string) *record.Invite {
	return s.invites[s.codes[sha256.Sum256([]byte(code))]]
}
