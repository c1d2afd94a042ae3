package state

import (
	"cmp"
	"slices"
	"strings"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// How one person stands with a notice.
const (
	standWaiting   = "waiting"
	standConfirmed = "confirmed"
	standGone      = "gone"
)

// reaches reports whether a notice still concerns somebody of its audience.
func (s *State) reaches(n *notice, uid id.ID) bool {
	u := s.users[uid]
	switch {
	case u == nil || u.Disabled:
		return false
	case n.rec.Everyone || slices.Contains(n.rec.Users, uid):
		return true
	}
	return slices.ContainsFunc(n.rec.Rooms, func(rid id.ID) bool { return s.rooms[rid] != nil && s.rooms[rid].members[uid] != nil }) ||
		slices.ContainsFunc(n.rec.Departments, func(d id.ID) bool { return s.below(u.Department, d) })
}

// stand is how the i-th of the audience stands.
func (s *State) stand(n *notice, i int) string {
	switch {
	case n.at[i] != 0:
		return standConfirmed
	case s.reaches(n, n.rec.Audience[i]):
		return standWaiting
	}
	return standGone
}

// waits reports whether a notice waits for anybody.
func (s *State) waits(n *notice) bool {
	for i := range n.rec.Audience {
		if s.stand(n, i) == standWaiting {
			return true
		}
	}
	return false
}

// seesNotice reports whether an account may know of a notice.
func (s *State) seesNotice(u *record.User, n *notice) bool {
	return s.followsNotice(u, n) || n.asked(u.ID) >= 0 ||
		slices.ContainsFunc(n.rec.Rooms, func(rid id.ID) bool { return s.rooms[rid] != nil && s.rooms[rid].members[u.ID] != nil })
}

// followsNotice reports whether an account may know who has confirmed.
func (s *State) followsNotice(u *record.User, n *notice) bool {
	return n.rec.Author == u.ID || rank(u.Role) >= rank(string(wire.Auditor))
}

// plainNotice is a notice as all it concerns are told; the caller holds the
// lock.
func (s *State) plainNotice(n *notice) wire.Notice {
	return wire.Notice{ID: n.rec.ID, Author: n.rec.Author, Title: n.rec.Title, Text: n.rec.Text, Created: n.rec.Created, Deadline: n.rec.Deadline,
		RemindEvery: n.rec.Every, RemindMost: n.rec.Reminders, Reminders: n.mark.Reminders, RemindedAt: n.mark.Reminded, ClosedAt: n.mark.Closed,
		Audience: len(n.rec.Audience), Confirmed: n.confirmed}
}

// wireNotice is a notice as one account sees it; the caller holds the lock.
func (s *State) wireNotice(n *notice, u *record.User) wire.Notice {
	w := s.plainNotice(n)
	if i := n.asked(u.ID); i >= 0 {
		w.Mine, w.ConfirmedAt = s.stand(n, i), n.at[i]
	}
	for _, p := range n.mark.Posts {
		if r := s.rooms[p.Room]; r != nil && r.members[u.ID] != nil {
			w.Messages = append(w.Messages, id.Message{Room: p.Room, Seq: p.Seq})
		}
	}
	if s.followsNotice(u, n) {
		w.Rooms, w.Departments, w.Users, w.Everyone = n.rec.Rooms, n.rec.Departments, n.rec.Users, n.rec.Everyone
		waiting := 0
		for i := range n.rec.Audience {
			if s.stand(n, i) == standWaiting {
				waiting++
			}
		}
		w.Waiting = &waiting
	}
	return w
}

// NoticeTold is a notice with those whom an event about it concerns.
type NoticeTold struct {
	Notice  wire.Notice // without what only its author is told
	Asked   []id.ID     // its audience, ascending
	Waiting []id.ID     // those of it who have not confirmed and could, when asked for
}

// NoticeTold is a notice as events tell it, with those whom it waits for if the
// event is for them; ok is false when there is none.
func (s *State) NoticeTold(nid id.ID, waiting bool) (t NoticeTold, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := s.notices[nid]
	if n == nil {
		return t, false
	}
	t = NoticeTold{Notice: s.plainNotice(n), Asked: n.rec.Audience}
	for i, uid := range n.rec.Audience {
		if waiting && s.stand(n, i) == standWaiting {
			t.Waiting = append(t.Waiting, uid)
		}
	}
	return t, true
}

// Notices lists notices, newest first, as one account sees them. Limit must be
// set; the caller checks who may see all.
func (s *State) Notices(user id.ID, p wire.NoticeListParams) wire.NoticeList {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := wire.NoticeList{Notices: []wire.Notice{}}
	u := s.users[user]
	if u == nil {
		return out
	}
	passed := p.After == 0
	for _, nid := range slices.Backward(s.noticeOrder) {
		n := s.notices[nid]
		i := n.asked(user)
		waiting := i >= 0 && n.mark.Closed == 0 && n.at[i] == 0 && s.reaches(n, user)
		if waiting {
			out.Waiting++
		}
		mine := false
		switch p.Box {
		case "received":
			mine = i >= 0
		case "sent":
			mine = n.rec.Author == user
		case "all":
			mine = true
		default:
			mine = waiting
		}
		if mine && passed {
			if len(out.Notices) < p.Limit {
				out.Notices = append(out.Notices, s.wireNotice(n, u))
			} else {
				out.More = true
			}
		}
		passed = passed || nid == p.After
	}
	return out
}

// Notice is one notice as an account sees it, with the page of people asked
// for. Limit must be set. Follows tells whether the account may see people.
func (s *State) Notice(user id.ID, p wire.NoticeGetParams) (out wire.NoticeState, follows, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n, u := s.notices[p.Notice], s.users[user]
	if n == nil || u == nil || !s.seesNotice(u, n) {
		return out, false, false
	}
	out.Notice = s.wireNotice(n, u)
	if follows = s.followsNotice(u, n); follows && p.People {
		s.noticePeople(n, p, &out)
	}
	return out, follows, true
}

func (s *State) noticePeople(n *notice, p wire.NoticeGetParams, out *wire.NoticeState) {
	type row struct {
		wire.NoticePerson
		dept, name string
	}
	paths := map[id.ID]string{}
	counts := map[id.ID]*wire.NoticeDepartment{}
	query := strings.ToLower(strings.TrimSpace(p.Query))
	var rows []row
	for i, uid := range n.rec.Audience {
		u := s.users[uid]
		path, seen := paths[u.Department]
		if !seen {
			path = s.departmentPath(u.Department)
			paths[u.Department] = path
			counts[u.Department] = &wire.NoticeDepartment{Department: u.Department}
		}
		person := wire.NoticePerson{User: uid, State: s.stand(n, i), ConfirmedAt: n.at[i]}
		count := counts[u.Department]
		count.Audience++
		switch person.State {
		case standConfirmed:
			count.Confirmed++
		case standWaiting:
			count.Waiting++
		}
		name := strings.ToLower(u.Name)
		if (p.State == "" || p.State == person.State) && (query == "" || strings.Contains(u.Login, query) || strings.Contains(name, query)) {
			rows = append(rows, row{person, path, name})
		}
	}
	slices.SortFunc(rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.dept, b.dept), cmp.Compare(a.name, b.name), cmpID(a.User, b.User))
	})
	if p.After != 0 {
		if i := slices.IndexFunc(rows, func(r row) bool { return r.User == p.After }); i >= 0 {
			rows = rows[i+1:]
		}
	}
	out.More = len(rows) > p.Limit
	out.People = []wire.NoticePerson{}
	for _, r := range rows[:min(len(rows), p.Limit)] {
		out.People = append(out.People, r.NoticePerson)
	}
	for _, c := range counts {
		out.Departments = append(out.Departments, *c)
	}
	slices.SortFunc(out.Departments, func(a, b wire.NoticeDepartment) int {
		return cmp.Or(cmp.Compare(paths[a.Department], paths[b.Department]), cmpID(a.Department, b.Department))
	})
}

// departmentPath is the names from the top of the tree; the empty text, after
// all others, for no department.
func (s *State) departmentPath(d id.ID) string {
	path := ""
	for range 32 {
		rec := s.depts[d]
		if rec == nil {
			break
		}
		path = rec.Name + "\x00" + path
		d = rec.Parent
	}
	if path == "" {
		return "\U0010ffff"
	}
	return path
}

func (s *State) wireScheduled(m *scheduled) wire.ScheduledMessage {
	w := wire.ScheduledMessage{ID: m.Scheduled.ID, Room: m.Scheduled.Room, Text: m.Scheduled.Text, ReplyTo: m.Scheduled.ReplyTo, Thread: m.Scheduled.Thread,
		At: m.Scheduled.At, Created: m.Scheduled.Created, FailedAt: m.FailedAt, ReasonEn: m.En, ReasonZh: m.Zh}
	for _, fid := range m.Scheduled.Files {
		if f := s.files[fid]; f != nil {
			w.Files = append(w.Files, wireFile(&f.File))
		}
	}
	return w
}

// Scheduled is one scheduled message with its author; ok is false when it was
// sent or removed.
func (s *State) Scheduled(sid id.ID) (w wire.ScheduledMessage, user id.ID, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	m := s.scheduled[sid]
	if m == nil {
		return w, 0, false
	}
	return s.wireScheduled(m), m.Scheduled.User, true
}

// ScheduledOf lists the scheduled messages of an account, the next first; of
// one room, when it is given.
func (s *State) ScheduledOf(user, room id.ID) []wire.ScheduledMessage {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := []wire.ScheduledMessage{}
	for sid := range s.userScheduled[user] {
		if m := s.scheduled[sid]; room == 0 || m.Scheduled.Room == room {
			out = append(out, s.wireScheduled(m))
		}
	}
	slices.SortFunc(out, func(a, b wire.ScheduledMessage) int { return cmp.Or(cmp.Compare(a.At, b.At), cmpID(a.ID, b.ID)) })
	return out
}

// Due is what the clock asks the box to do.
type Due struct {
	Posts     []DuePost // messages of notices that are not there yet
	Reminders []id.ID   // notices to remind of
	Scheduled []DueMessage
}

// DuePost is a message that shows a notice in a room.
type DuePost struct{ Author, Notice, Room id.ID }

// DueMessage is a scheduled message whose time has come.
type DueMessage struct{ Author, Scheduled id.ID }

// Due finds what is due at a time, Unix ms. It looks at every open notice and
// every scheduled message: some hundred microseconds for thousands.
func (s *State) Due(now int64) (d Due) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, nid := range s.noticeOrder {
		n := s.notices[nid]
		if len(n.mark.Posts) < len(n.rec.Rooms) {
			for _, rid := range n.rec.Rooms {
				if !slices.ContainsFunc(n.mark.Posts, func(p noticePost) bool { return p.Room == rid }) {
					d.Posts = append(d.Posts, DuePost{n.rec.Author, nid, rid})
				}
			}
		}
		if n.due(now) && s.waits(n) {
			d.Reminders = append(d.Reminders, nid)
		}
	}
	var next []*scheduled
	for _, m := range s.scheduled {
		if m.FailedAt == 0 && m.Scheduled.At <= now {
			next = append(next, m)
		}
	}
	slices.SortFunc(next, func(a, b *scheduled) int {
		return cmp.Or(cmp.Compare(a.Scheduled.At, b.Scheduled.At), cmp.Compare(a.Scheduled.Created, b.Scheduled.Created), cmpID(a.Scheduled.ID, b.Scheduled.ID))
	})
	for _, m := range next {
		d.Scheduled = append(d.Scheduled, DueMessage{m.Scheduled.User, m.Scheduled.ID})
	}
	return d
}
