package state

import (
	"fmt"
	"slices"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
)

func (s *State) applyRoom(r *record.Record, body *record.RoomPut) error {
	made := s.rooms[body.Room.ID] == nil
	rm := s.indexRoom(&body.Room)
	s.put(bRooms, uint64(body.Room.ID), 0, &body.Room)
	if made {
		if err := s.changeMembers(r, body.Room.ID, body.Members, nil); err != nil {
			return err
		}
		if len(body.Key) == 16 {
			s.tail.keys[clientKey{[16]byte(body.Key), r.User}] = keyRef{Room: body.Room.ID}
		}
	}
	if body.Seq == 0 {
		return nil
	}
	return s.line(r, r.User, rm.rec.ID, body.Seq, body.Count, body.Change)
}

func (s *State) applyMembers(r *record.Record, body *record.MembersChanged) error {
	if err := s.changeMembers(r, body.Room, body.Put, body.Removed); err != nil {
		return err
	}
	if body.Seq == 0 {
		return nil
	}
	return s.line(r, r.User, body.Room, body.Seq, body.Count, &body.Change)
}

func (s *State) changeMembers(r *record.Record, rid id.ID, put []record.Member, removed []id.ID) error {
	rm := s.rooms[rid]
	if rm == nil {
		return fmt.Errorf("room %s does not exist", rid)
	}
	for i := range put {
		m := &put[i]
		isNew := rm.members[m.User] == nil
		s.indexMember(rm, m)
		s.put(bMembers, uint64(rid), uint64(m.User), m)
		if isNew {
			// What was said before is history, not unread.
			s.moveRead(roomUser{rid, m.User}, rm.head.Seq, rm.head.Count, r.Time)
		}
	}
	for _, uid := range removed {
		delete(rm.members, uid)
		delete(s.userRooms[uid], rid)
		if len(s.userRooms[uid]) == 0 {
			delete(s.userRooms, uid)
		}
		delete(s.reads, roomUser{rid, uid})
		s.del(bMembers, uint64(rid), uint64(uid))
		s.del(bReads, uint64(rid), uint64(uid))
	}
	return nil
}

// line writes a line of the room itself into the timeline.
func (s *State) line(r *record.Record, actor, rid id.ID, seq, count uint64, ch *record.Change) error {
	return s.append(r, rid, seq, &Message{Pos: r.Pos, Time: r.Time, Sender: actor, Count: count, Change: ch})
}

// append puts an entry at the end of a timeline: the only place where a room's
// head moves, and where a gap would be seen.
func (s *State) append(r *record.Record, rid id.ID, seq uint64, m *Message) error {
	rm := s.rooms[rid]
	if rm == nil {
		return fmt.Errorf("room %s does not exist", rid)
	}
	if seq != rm.head.Seq+1 {
		return fmt.Errorf("room %s: entry %d after %d", rid, seq, rm.head.Seq)
	}
	rm.head = Head{Seq: seq, Count: m.Count, Pos: r.Pos, Time: m.Time}
	s.tail.messages[msgKey{rid, seq}] = m
	return nil
}

// moveRead moves a read mark forward, never back.
func (s *State) moveRead(k roomUser, seq, count uint64, at int64) {
	var n readMark
	if old := s.reads[k]; old != nil {
		if seq <= old.Seq {
			return
		}
		n = *old
	}
	n.Seq, n.Count = seq, count
	n.Times = appendPassed(n.Times, seq, at, readTimes)
	if len(n.Mentions) > 0 {
		n.Mentions = slices.DeleteFunc(slices.Clone(n.Mentions), func(x uint64) bool { return x <= seq })
	}
	s.reads[k] = &n
	s.put(bReads, uint64(k.room), uint64(k.user), &n)
}

// mention remembers an unread mention.
func (s *State) mention(k roomUser, seq uint64) {
	var n readMark
	if old := s.reads[k]; old != nil {
		n = *old
	}
	if n.Seq >= seq || slices.Contains(n.Mentions, seq) {
		return
	}
	n.Mentions = append(slices.Clone(n.Mentions), seq)
	if len(n.Mentions) > maxMention {
		n.Mentions = n.Mentions[1:]
	}
	s.reads[k] = &n
	s.put(bReads, uint64(k.room), uint64(k.user), &n)
}

func (s *State) unmention(k roomUser, seq uint64) {
	old := s.reads[k]
	if old == nil || !slices.Contains(old.Mentions, seq) {
		return
	}
	n := *old
	n.Mentions = slices.DeleteFunc(slices.Clone(n.Mentions), func(x uint64) bool { return x == seq })
	s.reads[k] = &n
	s.put(bReads, uint64(k.room), uint64(k.user), &n)
}

func (s *State) setExtra(rm *room, x *extra) {
	rm.extra = x
	s.put(bExtras, uint64(rm.rec.ID), 0, x)
}
