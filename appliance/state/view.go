package state

import (
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// reading runs a view under the lock with a transaction that began under it:
// what is not in a generation is then certainly in the transaction. f must be
// quick and must not call the state again.
func (s *State) reading(f func(tx *lookup) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	tx := &lookup{db: s.db}
	defer tx.end()
	return f(tx)
}

// Account is what a login is checked against.
type Account struct {
	User id.ID
	PHC  string // empty: no password, nobody can log in
}

// Login finds an account that may log in.
func (s *State) Login(login string) (Account, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u := s.users[s.logins[login]]
	if u == nil || u.Disabled {
		return Account{}, false
	}
	return Account{u.ID, s.passwords[u.ID]}, true
}

// Password is the PHC string of an account; empty when it has none.
func (s *State) Password(user id.ID) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.passwords[user]
}

// Token finds the device of a token that may be used at a time.
func (s *State) Token(token string, now time.Time) (record.Device, wire.Role, bool) {
	sum := sha256.Sum256([]byte(token))
	s.mu.RLock()
	defer s.mu.RUnlock()
	d := s.devices[s.tokens[sum]]
	if d == nil {
		return record.Device{}, "", false
	}
	u := s.users[d.User]
	if u == nil || u.Disabled || s.idle(d, now.UnixMilli()) {
		return record.Device{}, "", false
	}
	return *d, wire.Role(u.Role), true
}

// Alive reports whether an account (and device, if not zero) may still be
// used, and the account's role.
func (s *State) Alive(user, device id.ID) (wire.Role, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u := s.users[user]
	if u == nil || u.Disabled {
		return "", false
	}
	if d := s.devices[device]; device != 0 && (d == nil || d.User != user) {
		return "", false
	}
	return wire.Role(u.Role), true
}

func wireUser(u *record.User) wire.User {
	return wire.User{ID: u.ID, Login: u.Login, Name: u.Name, Role: wire.Role(u.Role), Department: u.Department, Title: u.Title,
		Email: u.Email, Phone: u.Phone, Avatar: u.Avatar, Bot: u.Bot, Disabled: u.Disabled, Created: u.Created, Probe: u.Probe}
}

// User is one account.
func (s *State) User(user id.ID) (wire.User, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u := s.users[user]
	if u == nil {
		return wire.User{}, false
	}
	return wireUser(u), true
}

// UserByLogin is the account of a canonical login.
func (s *State) UserByLogin(login string) (wire.User, bool) {
	s.mu.RLock()
	uid := s.logins[login]
	s.mu.RUnlock()
	return s.User(uid)
}

// IsProbe reports whether an account is a virtual user, which no figure about
// people counts.
func (s *State) IsProbe(user id.ID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	u := s.users[user]
	return u != nil && u.Probe
}

// Directory lists accounts by name, then ID. Disabled and virtual ones only
// with all.
func (s *State) Directory(p wire.DirectoryParams, all bool) wire.UserList {
	s.mu.RLock()
	defer s.mu.RUnlock()
	q := s.names.reader.Query(p.Query)
	var found []*record.User
	for _, u := range s.users {
		if (u.Disabled || u.Probe) && !all || p.Department != 0 && !s.below(u.Department, p.Department) {
			continue
		}
		if s.called(u, q) {
			found = append(found, u)
		}
	}
	slices.SortFunc(found, func(a, b *record.User) int {
		if c := strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)); c != 0 {
			return c
		}
		return cmpID(a.ID, b.ID)
	})
	if p.After != 0 {
		if i := slices.IndexFunc(found, func(u *record.User) bool { return u.ID == p.After }); i >= 0 {
			found = found[i+1:]
		}
	}
	out := wire.UserList{Users: []wire.User{}, More: len(found) > p.Limit}
	for _, u := range found[:min(len(found), p.Limit)] {
		out.Users = append(out.Users, wireUser(u))
	}
	return out
}

// below reports whether a department is another or stands below it.
func (s *State) below(d, top id.ID) bool {
	for range maxDepth + 1 {
		if d == top {
			return true
		}
		rec := s.depts[d]
		if rec == nil {
			return false
		}
		d = rec.Parent
	}
	return false
}

// Departments lists the tree, parents before children's names: by order, name.
func (s *State) Departments() []wire.Department {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]wire.Department, 0, len(s.depts))
	people := s.headcount()
	for _, d := range s.depts {
		out = append(out, wire.Department{ID: d.ID, Parent: d.Parent, Name: d.Name, Order: d.Order, People: people[d.ID]})
	}
	slices.SortFunc(out, func(a, b wire.Department) int {
		if a.Order != b.Order {
			return a.Order - b.Order
		}
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return cmpID(a.ID, b.ID)
	})
	return out
}

// headcount is how many accounts stand in each department and below it,
// without disabled and virtual ones.
func (s *State) headcount() map[id.ID]int {
	people := make(map[id.ID]int, len(s.depts))
	for _, u := range s.users {
		if u.Disabled || u.Probe {
			continue
		}
		d := s.depts[u.Department]
		for range maxDepth + 1 {
			if d == nil {
				break
			}
			people[d.ID]++
			d = s.depts[d.Parent]
		}
	}
	return people
}

// Devices lists an account's devices, newest first.
func (s *State) Devices(user id.ID) []wire.Device {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := []wire.Device{}
	for _, did := range s.userDevices[user] {
		d := s.devices[did]
		out = append(out, wire.Device{ID: d.ID, User: d.User, Name: d.Name, Kind: d.Form, Address: d.Address, Created: d.Created, LastSeen: s.seen(did)})
	}
	slices.SortFunc(out, func(a, b wire.Device) int {
		if a.Created != b.Created {
			return int(b.Created - a.Created)
		}
		return cmpID(a.ID, b.ID)
	})
	return out
}

// Device is one device and whose it is, without when it was last seen.
func (s *State) Device(device id.ID) (user id.ID, d wire.Device, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.devices[device]
	if r == nil {
		return 0, wire.Device{}, false
	}
	return r.User, wire.Device{ID: r.ID, User: r.User, Name: r.Name, Kind: r.Form, Address: r.Address, Created: r.Created}, true
}

// Seen is the last sign of life of a device that is recorded, ms.
func (s *State) Seen(device id.ID) (int64, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.devices[device] == nil {
		return 0, false
	}
	return s.seen(device), true
}

// Footing is how an account stands: the rooms it is a member of, its devices,
// when the last of them was seen (ms; 0: none is there), and whether it has a
// password.
func (s *State) Footing(user id.ID) (rooms, devices int, seen int64, password bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, d := range s.userDevices[user] {
		seen = max(seen, s.seen(d))
	}
	return len(s.userRooms[user]), len(s.userDevices[user]), seen, s.passwords[user] != ""
}

// Idle is how long a device may be unused, ms; 0 = for ever.
func (s *State) Idle(device id.ID) (int64, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	d := s.devices[device]
	if d == nil {
		return 0, false
	}
	return d.Idle, true
}

// Invites lists invitations that can be used at a time, newest first.
func (s *State) Invites(now time.Time) []wire.Invite {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := []wire.Invite{}
	for _, v := range s.invites {
		if v.Expires > now.UnixMilli() {
			out = append(out, wireInvite(v))
		}
	}
	slices.SortFunc(out, func(a, b wire.Invite) int {
		if a.Created != b.Created {
			return int(b.Created - a.Created)
		}
		return cmpID(a.ID, b.ID)
	})
	return out
}

func wireInvite(v *record.Invite) wire.Invite {
	return wire.Invite{ID: v.ID, CreatedBy: v.CreatedBy, Created: v.Created, Expires: v.Expires, Uses: v.Uses, Used: v.Used,
		Department: v.Department, Rooms: v.Rooms, Note: v.Note}
}

// InviteInfo tells about an invitation that can be used at a time.
func (s *State) InviteInfo(code string, now time.Time) (wire.InviteInfo, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	v := s.invite(code)
	if v == nil || v.Uses < 1 || v.Expires <= now.UnixMilli() {
		return wire.InviteInfo{}, false
	}
	info := wire.InviteInfo{Organisation: s.organisation, Expires: v.Expires}
	if u := s.users[v.CreatedBy]; u != nil {
		info.Inviter = u.Name
	}
	return info, true
}

// Limits gives the limits that commands are held to.
func (s *State) Limits() Limits {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.opt.Limits
}

// Organisation is the name people see.
func (s *State) Organisation() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.organisation
}

// Counts are the figures of a status, without virtual users, their files, the
// rooms that they made and what is written there.
type Counts struct {
	Users, Rooms, Files int
	Messages            uint64
	FileBytes           int64
}

// Counts counts.
func (s *State) Counts() Counts {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := Counts{Users: len(s.users) - len(s.probes), Rooms: len(s.rooms) - len(s.probeRooms), Files: len(s.files), Messages: s.messages}
	for _, n := range s.userBytes {
		c.FileBytes += n
	}
	for user := range s.probes {
		c.Files -= s.userFiles[user]
		c.FileBytes -= s.userBytes[user]
	}
	for room := range s.probeRooms {
		c.Messages -= s.rooms[room].head.Count
	}
	return c
}

// KV is one entry of a store.
func (s *State) KV(subject id.ID, key string) (wire.KV, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.kv[subject][key]
	if e == nil {
		return wire.KV{}, false
	}
	return wire.KV{Key: key, Value: e.Value, Version: e.Version}, true
}

// KVs lists the entries of a store whose keys begin with a prefix.
func (s *State) KVs(subject id.ID, prefix string) []wire.KV {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := []wire.KV{}
	for key, e := range s.kv[subject] {
		if strings.HasPrefix(key, prefix) {
			out = append(out, wire.KV{Key: key, Value: e.Value, Version: e.Version})
		}
	}
	slices.SortFunc(out, func(a, b wire.KV) int { return strings.Compare(a.Key, b.Key) })
	return out
}
