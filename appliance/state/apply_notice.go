package state

import (
	"cmp"
	"fmt"
	"slices"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
)

func (s *State) indexNotice(rec *record.Notice) *notice {
	n := &notice{rec: rec, mark: &noticeMark{}, at: make([]int64, len(rec.Audience))}
	s.notices[rec.ID] = n
	s.noticeOrder = append(s.noticeOrder, rec.ID)
	return n
}

// sentBefore orders notices by the time of sending, oldest first.
func (s *State) sentBefore(a, b id.ID) int {
	if c := cmp.Compare(s.notices[a].rec.Created, s.notices[b].rec.Created); c != 0 {
		return c
	}
	return cmpID(a, b)
}

// asked is where in the audience an account stands; -1 when it is not in it.
func (n *notice) asked(user id.ID) int {
	if i, ok := slices.BinarySearch(n.rec.Audience, user); ok {
		return i
	}
	return -1
}

// confirm notes a confirmation; it is false when there was one.
func (n *notice) confirm(user id.ID, at int64) bool {
	i := n.asked(user)
	if i < 0 || n.at[i] != 0 {
		return false
	}
	n.at[i] = max(at, 1)
	n.confirmed++
	return true
}

func (s *State) applyNotice(r *record.Record, rec *record.Notice) {
	n := s.indexNotice(rec)
	for i := len(s.noticeOrder) - 1; i > 0 && s.sentBefore(s.noticeOrder[i-1], rec.ID) > 0; i-- {
		s.noticeOrder[i-1], s.noticeOrder[i] = s.noticeOrder[i], s.noticeOrder[i-1]
	}
	s.tail.keys[clientKey{[16]byte(rec.Key), r.User}] = keyRef{Other: rec.ID}
	s.put(bNotices, uint64(rec.ID), 0, rec)
	s.markNotice(n, noticeMark{})
}

func (s *State) markNotice(n *notice, m noticeMark) {
	n.mark = &m
	s.put(bNoticeMarks, uint64(n.rec.ID), 0, n.mark)
}

func (s *State) applyConfirmed(r *record.Record, nid id.ID) error {
	n := s.notices[nid]
	if n == nil {
		return noEntity("notice", nid)
	}
	if n.confirm(r.User, r.Time) {
		s.put(bConfirms, uint64(nid), uint64(r.User), &confirmation{At: max(r.Time, 1)})
	}
	return nil
}

func (s *State) applyReminded(r *record.Record, body *record.NoticeReminded) error {
	n := s.notices[body.Notice]
	if n == nil {
		return noEntity("notice", body.Notice)
	}
	m := *n.mark
	if m.Reminded = r.Time; body.Auto {
		m.Reminders++
	}
	s.markNotice(n, m)
	return nil
}

func (s *State) applyClosed(r *record.Record, nid id.ID) error {
	n := s.notices[nid]
	if n == nil {
		return noEntity("notice", nid)
	}
	m := *n.mark
	m.Closed = max(r.Time, 1)
	s.markNotice(n, m)
	return nil
}

// showNotice notes where a message shows a notice.
func (s *State) showNotice(body *record.MessageSent) error {
	n := s.notices[body.Notice]
	if n == nil {
		return noEntity("notice", body.Notice)
	}
	m := *n.mark
	m.Posts = append(slices.Clone(m.Posts), noticePost{Room: body.Room, Seq: body.Seq})
	s.markNotice(n, m)
	return nil
}

// ---- scheduled messages ---------------------------------------------------------

func (s *State) indexScheduled(sc *scheduled) {
	s.scheduled[sc.Scheduled.ID] = sc
	of := s.userScheduled[sc.Scheduled.User]
	if of == nil {
		of = map[id.ID]struct{}{}
		s.userScheduled[sc.Scheduled.User] = of
	}
	of[sc.Scheduled.ID] = struct{}{}
}

func (s *State) applyScheduled(r *record.Record, rec *record.Scheduled) {
	old := s.scheduled[rec.ID]
	sc := &scheduled{Scheduled: *rec}
	s.indexScheduled(sc)
	s.put(bScheduled, uint64(rec.ID), 0, sc)
	s.tail.keys[clientKey{[16]byte(rec.Key), rec.User}] = keyRef{Other: rec.ID}
	if old == nil {
		s.holdFiles(rec.Files, +1, r.Time)
	}
}

// dropScheduled forgets a scheduled message, sent or removed.
func (s *State) dropScheduled(r *record.Record, sid id.ID) error {
	sc := s.scheduled[sid]
	if sc == nil {
		return noEntity("scheduled message", sid)
	}
	user := sc.Scheduled.User
	delete(s.scheduled, sid)
	if delete(s.userScheduled[user], sid); len(s.userScheduled[user]) == 0 {
		delete(s.userScheduled, user)
	}
	s.del(bScheduled, uint64(sid), 0)
	s.holdFiles(sc.Scheduled.Files, -1, r.Time)
	return nil
}

func (s *State) applyScheduledFailed(r *record.Record, body *record.ScheduledFailed) error {
	old := s.scheduled[body.Scheduled]
	if old == nil {
		return noEntity("scheduled message", body.Scheduled)
	}
	sc := &scheduled{Scheduled: old.Scheduled, FailedAt: max(r.Time, 1), En: body.En, Zh: body.Zh}
	s.scheduled[body.Scheduled] = sc
	s.put(bScheduled, uint64(body.Scheduled), 0, sc)
	return nil
}

// holdFiles counts a scheduled message that carries files, up or down.
func (s *State) holdFiles(list []id.ID, by int, now int64) {
	for _, fid := range list {
		if old := s.files[fid]; old != nil {
			n := *old
			n.Scheduled = max(0, n.Scheduled+by)
			s.putFile(&n, now)
		}
	}
}

func noEntity(what string, eid id.ID) error { return fmt.Errorf("%s %s does not exist", what, eid) }
