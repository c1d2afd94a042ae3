package state

import (
	"encoding/binary"
	"fmt"
	"slices"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
)

// sent is the message that a record made, before anything happened to it.
func sent(r *record.Record, body *record.MessageSent) *Message {
	m := &Message{Pos: r.Pos, Time: r.Time, Sender: r.User, Count: body.Count, Key: body.Key, Text: body.Text,
		ReplyTo: body.ReplyTo, Thread: body.Thread, Mentions: body.Mentions, All: body.All, Files: body.Files,
		Foreign: body.Foreign, Forward: body.Forward, Notice: body.Notice, As: body.As}
	if body.Sender != 0 {
		importedAs(m, body)
	}
	return m
}

// change puts another message into the place of an earlier one.
func (s *State) change(r *record.Record, k msgKey, m *Message) {
	s.tail.messages[k] = m
	s.changed.Store(r.Pos)
}

func (s *State) applyMessage(tx *lookup, r *record.Record, body *record.MessageSent) error {
	m := sent(r, body)
	if body.Thread != 0 {
		root, err := s.mustMessage(tx, body.Room, body.Thread)
		if err != nil {
			return err
		}
		n := *root
		m.ThreadPrev, n.ThreadLast = n.ThreadLast, body.Seq
		n.Replies++
		s.change(r, msgKey{body.Room, body.Thread}, &n)
	}
	if err := s.append(r, body.Room, body.Seq, m); err != nil {
		return err
	}
	rm := s.rooms[body.Room]
	s.messages++
	if m.Imported {
		s.applyImported(r, rm, m, body)
		return nil
	}
	s.tail.keys[clientKey{[16]byte(body.Key), r.User}] = keyRef{Room: body.Room, Seq: body.Seq}
	if rm.members[r.User] != nil {
		s.moveRead(roomUser{body.Room, r.User}, body.Seq, body.Count, r.Time)
	}
	for _, uid := range body.Mentions {
		if uid != r.User && rm.members[uid] != nil {
			s.mention(roomUser{body.Room, uid}, body.Seq)
		}
	}
	if body.All {
		s.setExtra(rm, &extra{Pins: rm.extra.Pins, Alls: lastOf(append(slices.Clone(rm.extra.Alls), body.Seq), maxMention)})
	}
	for _, fid := range body.Files {
		s.countFile(fid, rm, +1, r.Time)
	}
	if body.Scheduled != 0 {
		if err := s.dropScheduled(r, body.Scheduled); err != nil {
			return err
		}
	}
	if body.Notice != 0 {
		return s.showNotice(body)
	}
	return nil
}

func lastOf(list []uint64, n int) []uint64 {
	if len(list) > n {
		return list[len(list)-n:]
	}
	return list
}

func (s *State) mustMessage(tx *lookup, rid id.ID, seq uint64) (*Message, error) {
	m, err := s.message(tx, rid, seq)
	if err == nil && m == nil {
		err = fmt.Errorf("room %s has no entry %d", rid, seq)
	}
	return m, err
}

func revisionSlot(rid id.ID, seq uint64, version int) slot {
	return slot{bucket: bRevisions, a: uint64(rid), b: seq, text: string(binary.BigEndian.AppendUint32(nil, uint32(version)))}
}

func (s *State) applyEdit(tx *lookup, r *record.Record, body *record.MessageEdited) error {
	old, err := s.mustMessage(tx, body.Room, body.Seq)
	if err != nil {
		return err
	}
	at := old.EditedAt
	if at == 0 {
		at = old.Time
	}
	s.tail.puts[revisionSlot(body.Room, body.Seq, body.Version)] = &Revision{Text: old.Text, At: at}
	n := *old
	n.Text, n.Edits, n.EditedAt, n.Mentions, n.All = body.Text, body.Version, r.Time, body.Mentions, body.All
	s.change(r, msgKey{body.Room, body.Seq}, &n)
	rm := s.rooms[body.Room]
	for _, uid := range old.Mentions {
		if !slices.Contains(n.Mentions, uid) {
			s.unmention(roomUser{body.Room, uid}, body.Seq)
		}
	}
	for _, uid := range n.Mentions {
		if uid != r.User && rm.members[uid] != nil && !slices.Contains(old.Mentions, uid) {
			s.mention(roomUser{body.Room, uid}, body.Seq)
		}
	}
	if old.All != n.All {
		s.setAll(rm, body.Seq, n.All)
	}
	return nil
}

func (s *State) setAll(rm *room, seq uint64, on bool) {
	x := extra{Pins: rm.extra.Pins, Alls: slices.DeleteFunc(slices.Clone(rm.extra.Alls), func(v uint64) bool { return v == seq })}
	if on {
		x.Alls = append(x.Alls, seq)
		slices.Sort(x.Alls)
		x.Alls = lastOf(x.Alls, maxMention)
	}
	s.setExtra(rm, &x)
}

func (s *State) applyRecall(tx *lookup, r *record.Record, body *record.MessageRecalled) error {
	old, err := s.mustMessage(tx, body.Room, body.Seq)
	if err != nil {
		return err
	}
	rm := s.rooms[body.Room]
	for v := 1; v <= old.Edits; v++ {
		s.tail.puts[revisionSlot(body.Room, body.Seq, v)] = nil
	}
	for _, uid := range old.Mentions {
		s.unmention(roomUser{body.Room, uid}, body.Seq)
	}
	if old.All {
		s.setAll(rm, body.Seq, false)
	}
	if old.PinnedAt != 0 {
		s.setPin(rm, body.Seq, false)
	}
	for _, fid := range old.Files {
		s.countFile(fid, rm, -1, r.Time)
	}
	n := &Message{Pos: old.Pos, Time: old.Time, Sender: old.Sender, Count: old.Count, Key: old.Key, ReplyTo: old.ReplyTo,
		Thread: old.Thread, Replies: old.Replies, ThreadLast: old.ThreadLast, ThreadPrev: old.ThreadPrev,
		RecalledBy: r.User, RecalledAt: r.Time, Imported: old.Imported}
	s.change(r, msgKey{body.Room, body.Seq}, n)
	return nil
}

func (s *State) applyReaction(tx *lookup, r *record.Record, body *record.ReactionSet) error {
	old, err := s.mustMessage(tx, body.Room, body.Seq)
	if err != nil {
		return err
	}
	n := *old
	n.Reactions = nil
	found := false
	for _, x := range old.Reactions {
		if x.Emoji == body.Emoji {
			found = true
			x.Users = slices.DeleteFunc(slices.Clone(x.Users), func(u id.ID) bool { return u == r.User })
			if body.On {
				x.Users = append(x.Users, r.User)
			}
		}
		if len(x.Users) > 0 {
			n.Reactions = append(n.Reactions, x)
		}
	}
	if !found && body.On {
		n.Reactions = append(n.Reactions, Reaction{Emoji: body.Emoji, Users: []id.ID{r.User}})
	}
	s.change(r, msgKey{body.Room, body.Seq}, &n)
	return nil
}

func (s *State) applyPin(tx *lookup, r *record.Record, body *record.PinSet) error {
	old, err := s.mustMessage(tx, body.Room, body.Seq)
	if err != nil {
		return err
	}
	n := *old
	n.PinnedAt, n.PinnedBy = 0, 0
	if body.On {
		n.PinnedAt, n.PinnedBy = r.Time, r.User
	}
	s.change(r, msgKey{body.Room, body.Seq}, &n)
	s.setPin(s.rooms[body.Room], body.Seq, body.On)
	return nil
}

func (s *State) setPin(rm *room, seq uint64, on bool) {
	x := extra{Alls: rm.extra.Alls, Pins: slices.DeleteFunc(slices.Clone(rm.extra.Pins), func(v uint64) bool { return v == seq })}
	if on {
		x.Pins = append(x.Pins, seq)
	}
	s.setExtra(rm, &x)
}

// ---- files -------------------------------------------------------------------

func (s *State) applyFile(r *record.Record, f *record.File) {
	fs := &fileState{File: *f, BinSince: r.Time}
	s.files[f.ID] = fs
	if f.Upload != "" {
		s.uploads[f.Upload] = f.ID
	}
	s.userBytes[f.Owner] += f.Size
	s.userFiles[f.Owner]++
	s.put(bFiles, uint64(f.ID), 0, fs)
}

// countFile counts a message that carries a file, up or down.
func (s *State) countFile(fid id.ID, rm *room, by int, now int64) {
	old := s.files[fid]
	if old == nil {
		return
	}
	n := *old
	n.Rooms = slices.Clone(old.Rooms)
	i := slices.IndexFunc(n.Rooms, func(x roomRef) bool { return x.Room == rm.rec.ID })
	if i < 0 {
		n.Rooms = append(n.Rooms, roomRef{Room: rm.rec.ID})
		i = len(n.Rooms) - 1
		rm.bytes += n.File.Size
		rm.files++
	}
	if n.Rooms[i].N += by; n.Rooms[i].N <= 0 {
		n.Rooms = slices.Delete(n.Rooms, i, i+1)
		rm.bytes -= n.File.Size
		rm.files--
	}
	s.putFile(&n, now)
}

func (s *State) countAvatar(fid id.ID, by int, now int64) {
	old := s.files[fid]
	if old == nil {
		return
	}
	n := *old
	n.Avatars = max(0, n.Avatars+by)
	s.putFile(&n, now)
}

func (s *State) putFile(n *fileState, now int64) {
	if n.refs() > 0 {
		n.Used, n.BinSince = true, 0
	} else if n.BinSince == 0 {
		n.BinSince = now
	}
	s.files[n.File.ID] = n
	s.put(bFiles, uint64(n.File.ID), 0, n)
}

func (s *State) removeFiles(list []id.ID) {
	for _, fid := range list {
		f := s.files[fid]
		if f == nil {
			continue
		}
		delete(s.files, fid)
		delete(s.uploads, f.File.Upload)
		s.userBytes[f.File.Owner] -= f.File.Size
		if s.userFiles[f.File.Owner]--; s.userFiles[f.File.Owner] == 0 {
			delete(s.userFiles, f.File.Owner)
			delete(s.userBytes, f.File.Owner)
		}
		s.del(bFiles, uint64(fid), 0)
	}
}
