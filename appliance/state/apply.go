package state

import (
	"fmt"
	"slices"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
)

// Apply makes records true, in order. A record at or below Applied changes
// nothing; one that leaves a gap is an error. Errors are final.
func (s *State) Apply(records []record.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	tx := &lookup{db: s.db}
	defer tx.end()
	for i := range records {
		r := &records[i]
		if r.Pos <= s.applied {
			continue
		}
		if r.Pos != s.applied+1 {
			return fmt.Errorf("apply record %d after %d: records are missing between them", r.Pos, s.applied)
		}
		if err := s.apply(tx, r); err != nil {
			return fmt.Errorf("apply record %d (kind %d): %w", r.Pos, r.Body.Kind(), err)
		}
		s.applied = r.Pos
	}
	return nil
}

// sound refuses lengths that a record never has: Apply takes what the journal
// vouches for, and a wrong length would be a panic.
func sound(body record.Body) error {
	ok := true
	switch b := body.(type) {
	case *record.MessageSent:
		ok = len(b.Key) == 16 && (b.Imported == nil || b.Sender != 0)
	case *record.NoticePut:
		ok = len(b.Notice.Key) == 16
	case *record.ScheduledPut:
		ok = len(b.Scheduled.Key) == 16
	case *record.DevicePut:
		ok = len(b.Device.Token) == 32
	case *record.AccountOpened:
		ok = b.Device == nil || len(b.Device.Token) == 32
	case *record.InvitePut:
		ok = len(b.Invite.Code) == 32
	case *record.FileStored:
		ok = len(b.File.SHA256) == 32
	}
	if !ok {
		return record.ErrUnknown
	}
	return nil
}

func (s *State) apply(tx *lookup, r *record.Record) error {
	if err := sound(r.Body); err != nil {
		return err
	}
	switch body := r.Body.(type) {
	case *record.Organisation:
		s.organisation = body.Name
	case *record.UserPut:
		s.applyUser(r, &body.User)
	case *record.PasswordSet:
		s.setPassword(body.User, body.PHC)
		s.removeDevices(body.Devices)
	case *record.DevicePut:
		if body.Replaces != 0 {
			s.removeDevices([]id.ID{body.Replaces})
		}
		s.addDevice(&body.Device)
	case *record.DeviceRemoved:
		s.removeDevices([]id.ID{body.Device})
	case *record.DevicesRemoved:
		s.removeDevices(body.Devices)
	case *record.DepartmentPut:
		s.depts[body.Department.ID] = &body.Department
		s.put(bDepts, uint64(body.Department.ID), 0, &body.Department)
	case *record.DepartmentRemoved:
		delete(s.depts, body.Department)
		s.del(bDepts, uint64(body.Department), 0)
	case *record.InvitePut:
		s.putInvite(&body.Invite)
	case *record.InviteRemoved:
		s.removeInvite(body.Invite)
	case *record.AccountOpened:
		return s.applyAccount(r, body)
	case *record.RoomPut:
		return s.applyRoom(r, body)
	case *record.MembersChanged:
		return s.applyMembers(r, body)
	case *record.MessageSent:
		return s.applyMessage(tx, r, body)
	case *record.MessageEdited:
		return s.applyEdit(tx, r, body)
	case *record.MessageRecalled:
		return s.applyRecall(tx, r, body)
	case *record.ReactionSet:
		return s.applyReaction(tx, r, body)
	case *record.PinSet:
		return s.applyPin(tx, r, body)
	case *record.ReadMarked:
		s.moveRead(roomUser{body.Room, r.User}, body.Seq, body.Count, r.Time)
	case *record.DeviceMarks:
		s.applyMarks(body)
	case *record.FileStored:
		s.applyFile(r, &body.File)
	case *record.FileRemoved:
		s.removeFiles(body.Files)
	case *record.KVSet:
		s.applyKV(r, body)
	case *record.HookMade:
		return s.applyHook(r, body)
	case *record.HookPut:
		s.putHook(r, &body.Hook)
	case *record.HookRemoved:
		return s.removeHook(r, body)
	default:
		return s.applyLater(r)
	}
	return nil
}

// applyLater is apply for notices, scheduled messages and the audit.
func (s *State) applyLater(r *record.Record) error {
	switch body := r.Body.(type) {
	case *record.NoticePut:
		s.applyNotice(r, &body.Notice)
	case *record.NoticeConfirmed:
		return s.applyConfirmed(r, body.Notice)
	case *record.NoticeReminded:
		return s.applyReminded(r, body)
	case *record.NoticeClosed:
		return s.applyClosed(r, body.Notice)
	case *record.ScheduledPut:
		s.applyScheduled(r, &body.Scheduled)
	case *record.ScheduledRemoved:
		return s.dropScheduled(r, body.Scheduled)
	case *record.ScheduledFailed:
		return s.applyScheduledFailed(r, body)
	case *record.Audited:
		s.applyAudited(r, body)
	default:
		return record.ErrUnknown
	}
	return nil
}

func (s *State) applyUser(r *record.Record, u *record.User) {
	old := s.users[u.ID]
	s.users[u.ID] = u
	s.countProbe(old, u)
	s.logins[u.Login] = u.ID
	s.put(bUsers, uint64(u.ID), 0, u)
	var was id.ID
	if old != nil {
		was = old.Avatar
	}
	if was != u.Avatar {
		s.countAvatar(was, -1, r.Time)
		s.countAvatar(u.Avatar, +1, r.Time)
	}
	if u.Disabled {
		s.removeDevices(slices.Clone(s.userDevices[u.ID]))
	}
}

func (s *State) countProbe(old, u *record.User) {
	if old != nil && old.Probe {
		delete(s.probes, old.ID)
	}
	if u.Probe {
		s.probes[u.ID] = struct{}{}
	}
}

func (s *State) setPassword(user id.ID, phc string) {
	if phc == "" {
		return
	}
	s.passwords[user] = phc
	s.put(bPasswords, uint64(user), 0, &secret{phc})
}

func (s *State) addDevice(d *record.Device) {
	s.indexDevice(d)
	s.put(bDevices, uint64(d.ID), 0, d)
}

func (s *State) removeDevices(list []id.ID) {
	for _, did := range list {
		d := s.devices[did]
		if d == nil {
			continue
		}
		delete(s.devices, did)
		delete(s.tokens, [32]byte(d.Token))
		delete(s.marks, did)
		left := slices.DeleteFunc(slices.Clone(s.userDevices[d.User]), func(x id.ID) bool { return x == did })
		if s.userDevices[d.User] = left; len(left) == 0 {
			delete(s.userDevices, d.User)
		}
		s.del(bDevices, uint64(did), 0)
		s.del(bMarks, uint64(did), 0)
		for key := range s.kv[did] {
			s.removeKV(did, key)
		}
	}
}

func (s *State) putInvite(v *record.Invite) {
	s.invites[v.ID] = v
	s.codes[[32]byte(v.Code)] = v.ID
	s.put(bInvites, uint64(v.ID), 0, v)
}

func (s *State) removeInvite(iid id.ID) {
	if v := s.invites[iid]; v != nil {
		delete(s.invites, iid)
		delete(s.codes, [32]byte(v.Code))
		s.del(bInvites, uint64(iid), 0)
	}
}

func (s *State) applyAccount(r *record.Record, body *record.AccountOpened) error {
	s.applyUser(r, &body.User)
	s.setPassword(body.User.ID, body.PHC)
	if body.Device != nil {
		s.addDevice(body.Device)
	}
	if body.Organisation != "" {
		s.organisation = body.Organisation
	}
	if old := s.invites[body.Invite]; old != nil {
		v := *old
		v.Used++
		if v.Uses--; v.Uses <= 0 {
			s.removeInvite(v.ID)
		} else {
			s.putInvite(&v)
		}
	}
	for _, j := range body.Joins {
		ch := &record.Change{What: "joined", Users: []id.ID{body.User.ID}}
		member := record.Member{User: body.User.ID, Role: "member", Since: r.Time}
		if j.Role != "" {
			member.Role = j.Role
		}
		if err := s.changeMembers(r, j.Room, []record.Member{member}, nil); err != nil {
			return err
		}
		if err := s.line(r, body.User.ID, j.Room, j.Seq, j.Count, ch); err != nil {
			return err
		}
	}
	return nil
}

func (s *State) applyMarks(body *record.DeviceMarks) {
	for _, m := range body.Marks {
		d := s.devices[m.Device]
		if d == nil {
			continue
		}
		var n markLog
		if old := s.marks[m.Device]; old != nil {
			n = *old
		}
		n.User = d.User
		n.Pushed = appendPassed(n.Pushed, m.Pushed, m.PushedAt, markTimes)
		n.Acked = appendPassed(n.Acked, m.Acked, m.AckedAt, markTimes)
		n.Seen = max(n.Seen, m.Seen)
		s.marks[m.Device] = &n
		s.put(bMarks, uint64(m.Device), 0, &n)
	}
}

func (s *State) applyKV(r *record.Record, body *record.KVSet) {
	if len(body.Value) == 0 {
		s.removeKV(body.Subject, body.Key)
		return
	}
	e := &kvEntry{body.Value, r.Pos}
	s.keepKV(body.Subject, body.Key, e)
	s.tail.puts[slot{bucket: bKV, a: uint64(body.Subject), text: body.Key}] = e
}

func (s *State) keepKV(subject id.ID, key string, e *kvEntry) {
	of := s.kv[subject]
	if of == nil {
		of = map[string]*kvEntry{}
		s.kv[subject] = of
	}
	of[key] = e
}

func (s *State) removeKV(subject id.ID, key string) {
	of := s.kv[subject]
	if of[key] == nil {
		return
	}
	if delete(of, key); len(of) == 0 {
		delete(s.kv, subject)
	}
	s.tail.puts[slot{bucket: bKV, a: uint64(subject), text: key}] = nil
}
