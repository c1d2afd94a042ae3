package state

import (
	"slices"
	"unicode/utf8"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// wireMessage makes an entry as it travels; the caller holds the lock.
func (s *State) wireMessage(rid id.ID, seq uint64, m *Message) wire.Message {
	w := wire.Message{ID: id.Message{Room: rid, Seq: seq}, Room: rid, Seq: seq, Count: m.Count, Position: m.Pos, Time: m.Time,
		Sender: m.Sender, Key: uuidText(m.Key), Text: m.Text, ReplyTo: m.ReplyTo, Thread: m.Thread, Mentions: m.Mentions,
		MentionAll: m.All, Edits: m.Edits, EditedAt: m.EditedAt, PinnedAt: m.PinnedAt, PinnedBy: m.PinnedBy, Replies: m.Replies, Notice: m.Notice, Imported: m.Imported}
	if m.RecalledAt != 0 {
		w.Recalled = &wire.Recalled{By: m.RecalledBy, At: m.RecalledAt}
	}
	w.As = m.As
	for _, fid := range m.Files {
		if f := s.files[fid]; f != nil {
			w.Files = append(w.Files, wireFile(&f.File))
		}
	}
	if m.Foreign != nil {
		w.Foreign = &wire.Foreign{Type: m.Foreign.Type, Payload: m.Foreign.Payload}
	}
	if m.Forward != nil {
		// The room it came from stays unknown to those who are not in it.
		w.Forwarded = &wire.Forwarded{Sender: m.Forward.Sender, Time: m.Forward.Time}
	}
	if m.Change != nil {
		w.Change = &wire.Change{What: m.Change.What, Users: m.Change.Users, Role: wire.MemberRole(m.Change.Role), Text: m.Change.Text}
	}
	for _, x := range m.Reactions {
		w.Reactions = append(w.Reactions, wire.Reaction{Emoji: x.Emoji, Users: x.Users})
	}
	return w
}

func uuidText(b []byte) string {
	if len(b) != 16 {
		return ""
	}
	const hex = "0123456789abcdef"
	var out [36]byte
	at := 0
	for i, v := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out[at] = '-'
			at++
		}
		out[at], out[at+1] = hex[v>>4], hex[v&15]
		at += 2
	}
	return string(out[:])
}

// quoted is wireMessage with what other messages tell: the beginning of the one
// it answers, and when the newest of its thread came.
func (s *State) quoted(tx *lookup, rid id.ID, seq uint64, m *Message) (wire.Message, error) {
	w := s.wireMessage(rid, seq, m)
	if m.ThreadLast != 0 {
		reply, err := s.mustMessage(tx, rid, m.ThreadLast)
		if err != nil {
			return w, err
		}
		w.LastReply = reply.Time
	}
	if m.ReplyTo == 0 || m.RecalledAt != 0 {
		return w, nil
	}
	q, err := s.message(tx, rid, m.ReplyTo)
	if err != nil || q == nil {
		return w, err
	}
	w.Preview = &wire.ReplyQuote{Sender: q.Sender, Text: beginning(q.Text, 120)}
	return w, nil
}

func beginning(s string, runes int) string {
	if utf8.RuneCountInString(s) <= runes {
		return s
	}
	return string([]rune(s)[:runes]) + "…"
}

// Fresh is Message for the record that made one, without a lookup. ok is false
// when that must be asked: something may have happened to a message since, or
// it tells of files or of another message.
func (s *State) Fresh(r *record.Record, body *record.MessageSent) (w wire.Message, ok bool) {
	if r.Pos <= s.changed.Load() || body.ReplyTo != 0 || len(body.Files) > 0 {
		return w, false
	}
	return s.wireMessage(body.Room, body.Seq, sent(r, body)), true
}

// Message is one entry of a room; ok is false when there is none.
func (s *State) Message(ref id.Message) (w wire.Message, ok bool, err error) {
	err = s.reading(func(tx *lookup) error {
		m, err := s.message(tx, ref.Room, ref.Seq)
		if err != nil || m == nil {
			return err
		}
		ok = true
		w, err = s.quoted(tx, ref.Room, ref.Seq, m)
		return err
	})
	return w, ok, err
}

// History reads a page of a room's timeline. Limit must be set.
func (s *State) History(p wire.HistoryParams) (page wire.History, err error) {
	page.Messages = []wire.Message{}
	err = s.reading(func(tx *lookup) error {
		r := s.rooms[p.Room]
		if r == nil {
			return nil
		}
		page.Head, page.Position = r.head.Seq, s.applied
		if p.Thread != 0 {
			return s.thread(tx, p, &page)
		}
		if p.At > 0 {
			if p.After, err = s.before(tx, r, p.At); err != nil {
				return err
			}
			p.FromStart = p.After == 0
			if p.After >= r.head.Seq { // nothing is that late: the newest page
				p.After, p.FromStart = 0, false
			}
		}
		from, to := uint64(1), r.head.Seq // inclusive
		if forward := p.After > 0 || p.FromStart; forward {
			from = min(p.After, to) + 1
			if to = min(to, from+uint64(p.Limit)-1); to < r.head.Seq {
				page.More = true
			}
		} else {
			if p.Before > 0 {
				to = min(to, p.Before-1)
			}
			if to >= uint64(p.Limit) {
				from = to - uint64(p.Limit) + 1
			}
			page.More = from > 1
		}
		for seq := from; seq <= to; seq++ {
			if err := s.show(tx, p.Room, seq, &page); err != nil {
				return err
			}
		}
		return nil
	})
	return page, err
}

// show puts a message, with what it answers, at the end of a page.
func (s *State) show(tx *lookup, rid id.ID, seq uint64, page *wire.History) error {
	m, err := s.mustMessage(tx, rid, seq)
	if err != nil {
		return err
	}
	w, err := s.quoted(tx, rid, seq, m)
	if err != nil {
		return err
	}
	page.Messages = append(page.Messages, w)
	return nil
}

// before gives the number of the last entry of a room that is older than a time;
// 0 when none is. Times of a room grow with the numbers, except where a clock was
// set back or a history was brought in from elsewhere: there the answer is one
// place where the time is passed, perhaps not the first.
func (s *State) before(tx *lookup, r *room, at int64) (uint64, error) {
	low, high := uint64(0), r.head.Seq
	for low < high {
		middle := high - (high-low)/2
		m, err := s.mustMessage(tx, r.rec.ID, middle)
		if err != nil {
			return 0, err
		}
		if m.Time < at {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low, nil
}

// threadSteps bounds how far back one page of a thread looks.
const threadSteps = 4000

// thread reads backwards along the links of a thread; with After it takes the
// oldest of the newer ones.
func (s *State) thread(tx *lookup, p wire.HistoryParams, page *wire.History) error {
	root, err := s.message(tx, p.Room, p.Thread)
	if err != nil || root == nil {
		return err
	}
	forward := p.After > 0 || p.FromStart
	var seqs []uint64 // newest first
	at := root.ThreadLast
	for step := 0; at != 0 && step < threadSteps; step++ {
		if forward && at <= p.After {
			break
		}
		if p.Before == 0 || at < p.Before {
			if !forward && len(seqs) == p.Limit {
				page.More = true
				break
			}
			seqs = append(seqs, at)
		}
		m, err := s.mustMessage(tx, p.Room, at)
		if err != nil {
			return err
		}
		at = m.ThreadPrev
	}
	page.More = page.More || at != 0 && !forward
	slices.Reverse(seqs)
	if forward && len(seqs) > p.Limit {
		seqs, page.More = seqs[:p.Limit], true
	}
	for _, seq := range seqs {
		if err := s.show(tx, p.Room, seq, page); err != nil {
			return err
		}
	}
	return nil
}

// Pins lists pinned messages, last pinned first.
func (s *State) Pins(rid id.ID) (list []wire.Message, err error) {
	list = []wire.Message{}
	err = s.reading(func(tx *lookup) error {
		r := s.rooms[rid]
		if r == nil {
			return nil
		}
		for _, seq := range slices.Backward(r.extra.Pins) {
			m, err := s.mustMessage(tx, rid, seq)
			if err != nil {
				return err
			}
			w, err := s.quoted(tx, rid, seq, m)
			if err != nil {
				return err
			}
			list = append(list, w)
		}
		return nil
	})
	return list, err
}

// Revisions lists the earlier texts of a message, oldest first.
func (s *State) Revisions(ref id.Message) (list []wire.Revision, err error) {
	list = []wire.Revision{}
	err = s.reading(func(tx *lookup) error {
		m, err := s.message(tx, ref.Room, ref.Seq)
		if err != nil || m == nil {
			return err
		}
		for v := 1; v <= m.Edits; v++ {
			rev, err := s.revision(tx, revisionSlot(ref.Room, ref.Seq, v))
			if err != nil {
				return err
			}
			if rev != nil {
				list = append(list, wire.Revision{Text: rev.Text, At: rev.At})
			}
		}
		return nil
	})
	return list, err
}

func (s *State) revision(tx *lookup, at slot) (*Revision, error) {
	for _, g := range []*generation{s.tail, s.flushing} {
		if g == nil {
			continue
		}
		if v, ok := g.puts[at]; ok {
			rev, _ := v.(*Revision)
			return rev, nil
		}
	}
	raw, err := tx.get(bRevisions, at.key())
	if raw == nil {
		return nil, err
	}
	rev := new(Revision)
	return rev, s.unseal(bRevisions, at.key(), raw, rev)
}

// Readers tells who of a room has read an entry. The author has.
func (s *State) Readers(ref id.Message) wire.Readers {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := wire.Readers{Read: []wire.Reader{}, Unread: []id.ID{}}
	r := s.rooms[ref.Room]
	if r == nil {
		return out
	}
	for uid := range r.members {
		if k := s.reads[roomUser{ref.Room, uid}]; k != nil && k.Seq >= ref.Seq {
			out.Read = append(out.Read, wire.Reader{User: uid, At: passedAt(k.Times, ref.Seq, readTimes)})
		} else {
			out.Unread = append(out.Unread, uid)
		}
	}
	slices.SortFunc(out.Read, func(a, b wire.Reader) int { return cmpID(a.User, b.User) })
	slices.Sort(out.Unread)
	return out
}

// JourneyMembers is how many members one journey lists.
const JourneyMembers = 200

// Journey tells how far each device of each other member is with a message.
func (s *State) Journey(ref id.Message) (j wire.Journey, ok bool, err error) {
	err = s.reading(func(tx *lookup) error {
		m, err := s.message(tx, ref.Room, ref.Seq)
		if err != nil || m == nil {
			return err
		}
		ok = true
		j = wire.Journey{Message: ref, Stored: m.Time, Steps: []wire.Step{}}
		r := s.rooms[ref.Room]
		var users []id.ID
		for uid := range r.members {
			if uid != m.Sender {
				users = append(users, uid)
			}
		}
		slices.Sort(users)
		if len(users) > JourneyMembers {
			users, j.More = users[:JourneyMembers], true
		}
		for _, uid := range users {
			s.steps(&j, m, ref, uid)
		}
		return nil
	})
	return j, ok, err
}

func (s *State) steps(j *wire.Journey, m *Message, ref id.Message, uid id.ID) {
	base := wire.Step{User: uid, State: "stored"}
	k := s.reads[roomUser{ref.Room, uid}]
	read := k != nil && k.Seq >= ref.Seq
	if read {
		base.State, base.ReadAt = "read", passedAt(k.Times, ref.Seq, readTimes)
	}
	devices := slices.Clone(s.userDevices[uid])
	if len(devices) == 0 {
		j.Steps = append(j.Steps, base)
		return
	}
	slices.Sort(devices)
	for _, did := range devices {
		step := base
		step.Device, step.Name, step.LastSeen = did, s.devices[did].Name, s.seen(did)
		if log := s.marks[did]; log != nil {
			if last(log.Pushed) >= m.Pos {
				step.PushedAt = passedAt(log.Pushed, m.Pos, markTimes)
				if !read {
					step.State = "pushed"
				}
			}
			if last(log.Acked) >= m.Pos {
				step.AckedAt = passedAt(log.Acked, m.Pos, markTimes)
				if !read {
					step.State = "acknowledged"
				}
			}
		}
		j.Steps = append(j.Steps, step)
	}
}
