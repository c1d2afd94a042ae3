package state

import (
	"encoding/binary"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
)

func (s *State) load() error {
	return s.db.view("load", func(tx *bolt.Tx) error {
		for _, name := range buckets() {
			if tx.Bucket([]byte(name)) == nil && !later(name) {
				return fmt.Errorf("bucket %s is missing: %w", name, ErrDamaged)
			}
		}
		if err := s.loadMeta(tx); err != nil {
			return err
		}
		for _, step := range []func(*bolt.Tx) error{s.loadDirectory, s.loadDevices, s.loadRooms, s.loadMembers, s.loadFiles, s.loadHeads, s.loadNotices, s.loadScheduled, s.loadHooks} {
			if err := step(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *State) loadMeta(tx *bolt.Tx) error {
	v := tx.Bucket([]byte(bMeta)).Get([]byte("state"))
	if v == nil {
		return nil
	}
	var m meta
	if err := s.unseal(bMeta, []byte("state"), v, &m); err != nil {
		return err
	}
	if m.Format > Format {
		return fmt.Errorf("state file of format %d, this program knows %d: %w", m.Format, Format, record.ErrUnknown)
	}
	s.applied, s.organisation, s.messages = m.Applied, m.Organisation, m.Messages
	s.flushed.Store(m.Applied)
	s.changed.Store(m.Applied)
	return nil
}

// each decodes every value of a bucket into a fresh T.
func each[T any](s *State, tx *bolt.Tx, bucket string, f func(key []byte, v *T)) error {
	b := tx.Bucket([]byte(bucket))
	if b == nil && later(bucket) {
		return nil
	}
	return b.ForEach(func(k, raw []byte) error {
		v := new(T)
		if err := s.unseal(bucket, k, raw, v); err != nil {
			return err
		}
		f(k, v)
		return nil
	})
}

func idAt(key []byte, n int) id.ID { return id.ID(binary.BigEndian.Uint64(key[8*n:])) }

func (s *State) loadDirectory(tx *bolt.Tx) error {
	if err := each(s, tx, bUsers, func(_ []byte, u *record.User) {
		s.users[u.ID] = u
		s.countProbe(nil, u)
		s.logins[u.Login] = u.ID
	}); err != nil {
		return err
	}
	if err := each(s, tx, bPasswords, func(k []byte, v *secret) { s.passwords[idAt(k, 0)] = v.PHC }); err != nil {
		return err
	}
	if err := each(s, tx, bDepts, func(_ []byte, d *record.Department) { s.depts[d.ID] = d }); err != nil {
		return err
	}
	return each(s, tx, bInvites, func(_ []byte, v *record.Invite) {
		s.invites[v.ID] = v
		s.codes[[32]byte(v.Code)] = v.ID
	})
}

func (s *State) loadDevices(tx *bolt.Tx) error {
	if err := each(s, tx, bDevices, func(_ []byte, d *record.Device) { s.indexDevice(d) }); err != nil {
		return err
	}
	if err := each(s, tx, bMarks, func(k []byte, m *markLog) { s.marks[idAt(k, 0)] = m }); err != nil {
		return err
	}
	return each(s, tx, bKV, func(k []byte, v *kvEntry) {
		s.keepKV(idAt(k, 0), string(k[8:]), v)
	})
}

func (s *State) loadRooms(tx *bolt.Tx) error {
	if err := each(s, tx, bRooms, func(_ []byte, r *record.Room) { s.indexRoom(r) }); err != nil {
		return err
	}
	return each(s, tx, bExtras, func(k []byte, x *extra) {
		if r := s.rooms[idAt(k, 0)]; r != nil {
			r.extra = x
		}
	})
}

func (s *State) loadMembers(tx *bolt.Tx) error {
	var orphan error
	if err := each(s, tx, bMembers, func(k []byte, m *record.Member) {
		r := s.rooms[idAt(k, 0)]
		if r == nil {
			orphan = fmt.Errorf("members %x: no such room: %w", k, ErrDamaged)
			return
		}
		s.indexMember(r, m)
	}); err != nil {
		return err
	}
	if orphan != nil {
		return orphan
	}
	return each(s, tx, bReads, func(k []byte, m *readMark) { s.reads[roomUser{idAt(k, 0), idAt(k, 1)}] = m })
}

func (s *State) loadFiles(tx *bolt.Tx) error {
	return each(s, tx, bFiles, func(_ []byte, f *fileState) {
		s.files[f.File.ID] = f
		if f.File.Upload != "" {
			s.uploads[f.File.Upload] = f.File.ID
		}
		s.userBytes[f.File.Owner] += f.File.Size
		s.userFiles[f.File.Owner]++
		for _, ref := range f.Rooms {
			if r := s.rooms[ref.Room]; r != nil {
				r.bytes += f.File.Size
				r.files++
			}
		}
	})
}

func (s *State) loadNotices(tx *bolt.Tx) error {
	var orphan []byte
	if err := each(s, tx, bNotices, func(_ []byte, n *record.Notice) { s.indexNotice(n) }); err != nil {
		return err
	}
	if err := each(s, tx, bNoticeMarks, func(k []byte, m *noticeMark) {
		if n := s.notices[idAt(k, 0)]; n != nil {
			n.mark = m
		}
	}); err != nil {
		return err
	}
	if err := each(s, tx, bConfirms, func(k []byte, c *confirmation) {
		if n := s.notices[idAt(k, 0)]; n == nil || !n.confirm(idAt(k, 1), c.At) {
			orphan = k
		}
	}); err != nil {
		return err
	}
	if orphan != nil {
		return fmt.Errorf("confirmation %x: of nobody who was asked: %w", orphan, ErrDamaged)
	}
	slices.SortFunc(s.noticeOrder, s.sentBefore)
	return nil
}

func (s *State) loadScheduled(tx *bolt.Tx) error {
	return each(s, tx, bScheduled, func(_ []byte, sc *scheduled) { s.indexScheduled(sc) })
}

// loadHeads finds the end of every timeline: one seek a room.
func (s *State) loadHeads(tx *bolt.Tx) error {
	c := tx.Bucket([]byte(bMessages)).Cursor()
	for rid, r := range s.rooms {
		k, _ := c.Seek(messageKey(rid, ^uint64(0)))
		var v []byte
		if k == nil {
			k, v = c.Last()
		} else {
			k, v = c.Prev()
		}
		if k == nil || idAt(k, 0) != rid {
			continue
		}
		var m Message
		if err := s.unseal(bMessages, k, v, &m); err != nil {
			return err
		}
		r.head = Head{Seq: binary.BigEndian.Uint64(k[8:]), Count: m.Count, Pos: m.Pos, Time: m.Time}
	}
	return nil
}

func (s *State) loadHooks(tx *bolt.Tx) error {
	return each(s, tx, bHooks, func(_ []byte, h *record.Hook) { s.indexHook(h) })
}

func (s *State) indexDevice(d *record.Device) {
	s.devices[d.ID] = d
	s.tokens[[32]byte(d.Token)] = d.ID
	s.userDevices[d.User] = append(s.userDevices[d.User], d.ID)
}

func (s *State) indexRoom(rec *record.Room) *room {
	r := s.rooms[rec.ID]
	if r == nil {
		r = &room{extra: &extra{}, members: map[id.ID]*record.Member{}}
		s.rooms[rec.ID] = r
	}
	r.rec = rec
	if _, ok := s.probes[rec.CreatedBy]; ok {
		s.probeRooms[rec.ID] = struct{}{}
	}
	if rec.Low != 0 {
		s.directs[pair{rec.Low, rec.High}] = rec.ID
	}
	return r
}

func (s *State) indexMember(r *room, m *record.Member) {
	r.members[m.User] = m
	of := s.userRooms[m.User]
	if of == nil {
		of = map[id.ID]struct{}{}
		s.userRooms[m.User] = of
	}
	of[r.rec.ID] = struct{}{}
}
