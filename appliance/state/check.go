package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	bolt "go.etcd.io/bbolt"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// Hash is the SHA-256 of everything in the file, in the order of buckets and
// keys: two states that stand for the same position have the same hash. Flush
// first.
func (s *State) Hash() ([32]byte, error) {
	h := sha256.New()
	err := s.db.view("check", func(tx *bolt.Tx) error {
		for _, name := range buckets() {
			fmt.Fprintf(h, "%s\n", name)
			if tx.Bucket([]byte(name)) == nil {
				continue
			}
			if err := tx.Bucket([]byte(name)).ForEach(func(k, v []byte) error {
				var n [8]byte
				binary.BigEndian.PutUint32(n[:4], uint32(len(k)))
				binary.BigEndian.PutUint32(n[4:], uint32(len(v)))
				h.Write(n[:])
				h.Write(k)
				h.Write(v)
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
	return [32]byte(h.Sum(nil)), err
}

// Differ finds the first entry in which two flushed states differ; empty when
// they are equal.
func (s *State) Differ(o *State) (where string, err error) {
	err = s.db.view("check", func(a *bolt.Tx) error {
		return o.db.view("check", func(b *bolt.Tx) error {
			for _, name := range buckets() {
				if a.Bucket([]byte(name)) == nil || b.Bucket([]byte(name)) == nil {
					if empty(a, name) != empty(b, name) {
						where = fmt.Sprintf("bucket %s is empty on one side", name)
						return nil
					}
					continue
				}
				ca, cb := a.Bucket([]byte(name)).Cursor(), b.Bucket([]byte(name)).Cursor()
				ka, va := ca.First()
				kb, vb := cb.First()
				for ka != nil || kb != nil {
					if !bytes.Equal(ka, kb) || !bytes.Equal(va, vb) {
						where = fmt.Sprintf("bucket %s: key %x beside key %x", name, ka, kb)
						return nil
					}
					ka, va = ca.Next()
					kb, vb = cb.Next()
				}
			}
			return nil
		})
	})
	return where, err
}

// Check runs the invariants over everything and returns all that do not hold,
// joined. It reads every message: seconds for millions. Flush first.
func (s *State) Check() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	c := &checker{s: s, files: map[id.ID]map[id.ID]int{}, held: map[id.ID]int{}, posts: map[id.Message]id.ID{}}
	c.people()
	c.roomsAndMembers()
	c.notices()
	c.scheduled()
	c.hooks()
	err := errors.Join(s.db.view("check", c.timelines), s.db.view("check", c.audit))
	c.fileCounts()
	return errors.Join(append(c.found, err)...)
}

type checker struct {
	s        *State
	found    []error
	files    map[id.ID]map[id.ID]int // file, room, messages that carry it
	held     map[id.ID]int           // file, scheduled messages that carry it
	posts    map[id.Message]id.ID    // messages that show a notice
	messages uint64
}

func (c *checker) bad(format string, args ...any) {
	if len(c.found) < 50 {
		c.found = append(c.found, fmt.Errorf("invariant: "+format, args...))
	}
}

func (c *checker) people() {
	s := c.s
	owners := 0
	for uid, u := range s.users {
		if s.logins[u.Login] != uid {
			c.bad("login %q does not lead to account %s", u.Login, uid)
		}
		if u.Role == string(wire.Owner) && !u.Disabled {
			owners++
		}
		if u.Department != 0 && s.depts[u.Department] == nil {
			c.bad("account %s is in no department %s", uid, u.Department)
		}
		if u.Avatar != 0 && s.files[u.Avatar] == nil {
			c.bad("account %s shows a picture %s that does not exist", uid, u.Avatar)
		}
		if u.Disabled && len(s.userDevices[uid]) > 0 {
			c.bad("disabled account %s has devices", uid)
		}
	}
	if len(s.users) > 0 && owners == 0 {
		c.bad("no owner")
	}
	if len(s.logins) != len(s.users) {
		c.bad("%d logins for %d accounts", len(s.logins), len(s.users))
	}
	for did, d := range s.devices {
		if s.users[d.User] == nil || s.tokens[[32]byte(d.Token)] != did || !slices.Contains(s.userDevices[d.User], did) {
			c.bad("device %s is not indexed", did)
		}
	}
	for did := range s.marks {
		if s.devices[did] == nil {
			c.bad("marks of no device %s", did)
		}
	}
	for _, d := range s.depts {
		if d.Parent != 0 && s.depts[d.Parent] == nil {
			c.bad("department %s stands below nothing", d.ID)
		}
	}
}

func (c *checker) roomsAndMembers() {
	s := c.s
	for rid, r := range s.rooms {
		switch {
		case r.rec == nil:
			c.bad("room %s has no properties", rid)
			continue
		case r.rec.Form == string(wire.Direct) && len(r.members) != 2:
			c.bad("direct room %s has %d members", rid, len(r.members))
		case fixed(r) && s.directs[pair{r.rec.Low, r.rec.High}] != rid:
			c.bad("direct room %s is not the one of its people", rid)
		case !fixed(r) && len(r.members) > 0 && !hasOwner(r, nil):
			c.bad("room %s has members and no owner", rid)
		}
		for uid := range r.members {
			if _, ok := s.userRooms[uid][rid]; !ok || s.users[uid] == nil {
				c.bad("member %s of room %s is not indexed", uid, rid)
			}
		}
	}
	for k, m := range s.reads {
		r := s.rooms[k.room]
		if r == nil || r.members[k.user] == nil {
			c.bad("read mark of %s in %s, who is no member", k.user, k.room)
			continue
		}
		if m.Seq > r.head.Seq || m.Count > r.head.Count {
			c.bad("read mark of %s in %s stands at %d, past %d", k.user, k.room, m.Seq, r.head.Seq)
		}
	}
	for uid, list := range s.userRooms {
		for rid := range list {
			if r := s.rooms[rid]; r == nil || r.members[uid] == nil {
				c.bad("room %s of %s is not his", rid, uid)
			}
		}
	}
}

// timelines walks every entry in the file: numbers without gaps, counts that
// grow by one a message, keys that lead back.
func (c *checker) timelines(tx *bolt.Tx) error {
	s := c.s
	var rid id.ID
	var head Head
	seen := map[id.ID]Head{}
	keys := tx.Bucket([]byte(bKeys))
	err := tx.Bucket([]byte(bMessages)).ForEach(func(k, v []byte) error {
		var m Message
		if err := s.unseal(bMessages, k, v, &m); err != nil {
			return err
		}
		if at := idAt(k, 0); at != rid {
			rid, head = at, Head{}
		}
		seq := binary.BigEndian.Uint64(k[8:])
		count := head.Count
		if m.Change == nil {
			count++
			c.messages++
		}
		if seq != head.Seq+1 || m.Count != count || m.Pos <= head.Pos || m.Pos > s.flushed.Load() {
			c.bad("room %s: entry %d (count %d, position %d) after %d (count %d, position %d)", rid, seq, m.Count, m.Pos, head.Seq, head.Count, head.Pos)
		}
		head = Head{Seq: seq, Count: count, Pos: m.Pos, Time: m.Time}
		seen[rid] = head
		if len(m.Key) == 16 {
			var ref keyRef
			owner := m.Sender
			if m.Imported {
				owner = 0
			}
			ck := clientKey{[16]byte(m.Key), owner}.bytes()
			if raw := keys.Get(ck); raw == nil || s.unseal(bKeys, ck, raw, &ref) != nil || ref != (keyRef{Room: rid, Seq: seq}) {
				c.bad("room %s: key of entry %d does not lead back", rid, seq)
			}
		}
		if m.RecalledAt != 0 && (m.Text != "" || len(m.Files) > 0) {
			c.bad("room %s: recalled entry %d still has content", rid, seq)
		}
		if ref := (id.Message{Room: rid, Seq: seq}); m.Notice != 0 && c.posts[ref] != m.Notice {
			c.bad("room %s: entry %d shows notice %s, which does not know it", rid, seq, m.Notice)
		}
		for _, fid := range m.Files {
			if c.files[fid] == nil {
				c.files[fid] = map[id.ID]int{}
			}
			c.files[fid][rid]++
		}
		return nil
	})
	for rid, r := range s.rooms {
		if len(s.tail.messages) == 0 && seen[rid] != r.head {
			c.bad("room %s ends at %+v in memory and at %+v in the file", rid, r.head, seen[rid])
		}
	}
	if len(s.tail.messages) == 0 && c.messages != s.messages {
		c.bad("%d messages in the file, %d counted", c.messages, s.messages)
	}
	return err
}

func (c *checker) fileCounts() {
	s := c.s
	bytesOf := map[id.ID]int64{}
	avatars := map[id.ID]int{}
	for _, u := range s.users {
		if u.Avatar != 0 {
			avatars[u.Avatar]++
		}
	}
	for fid, f := range s.files {
		bytesOf[f.File.Owner] += f.File.Size
		have := map[id.ID]int{}
		for _, ref := range f.Rooms {
			have[ref.Room] = ref.N
		}
		if !maps.Equal(have, c.files[fid]) && (len(have) > 0 || len(c.files[fid]) > 0) || avatars[fid] != f.Avatars || c.held[fid] != f.Scheduled {
			c.bad("file %s: counted in %v and %d pictures, carried in %v and %d", fid, have, f.Avatars, c.files[fid], avatars[fid])
		}
		if (f.refs() == 0) != (f.BinSince != 0) {
			c.bad("file %s: %d references, in the bin since %d", fid, f.refs(), f.BinSince)
		}
	}
	for uid, n := range s.userBytes {
		if bytesOf[uid] != n {
			c.bad("account %s: %d bytes counted, %d stored", uid, n, bytesOf[uid])
		}
	}
	for fid := range c.files {
		if s.files[fid] == nil {
			c.bad("messages carry file %s, which does not exist", fid)
		}
	}
}
