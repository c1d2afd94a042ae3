package sequencer_test

import (
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// asking is what a notice must show.
type asking struct {
	author    id.ID
	asked     []id.ID
	confirmed map[id.ID]bool
	closed    bool
}

// waiting is a scheduled message.
type waiting struct {
	author, room id.ID
	text         string
}

func (w *world) opNotice(rt *rapid.T) {
	who, room, m := w.pick(rt)
	r, err := w.try(who, &state.SendNotice{Notice: record.Notice{Key: newKey(), Title: "n", Rooms: []id.ID{room}}})
	a := &asking{author: who, confirmed: map[id.ID]bool{}}
	for p := range m.members {
		if p != who {
			a.asked = append(a.asked, p)
		}
	}
	if !w.want(rt, m.members[who] && len(a.asked) > 0, err) {
		return
	}
	w.asks[r.Entity] = a
	if rapid.Bool().Draw(rt, "crash before its message") {
		w.reopen()
	}
	w.post()
	m.entries = append(m.entries, entry{sender: who, text: "**n**", notice: true, likes: map[id.ID]bool{}})
	m.read[who] = len(m.entries)
}

func (w *world) aNotice(rt *rapid.T) (who, nid id.ID, a *asking) {
	if len(w.asks) == 0 {
		rt.Skip("no notices")
	}
	who = rapid.SampledFrom(w.people).Draw(rt, "who")
	nid = rapid.SampledFrom(slices.Sorted(maps.Keys(w.asks))).Draw(rt, "notice")
	return who, nid, w.asks[nid]
}

func (w *world) opConfirm(rt *rapid.T) {
	who, nid, a := w.aNotice(rt)
	_, err := w.try(who, &state.ConfirmNotice{Notice: nid})
	if w.want(rt, slices.Contains(a.asked, who) && (!a.closed || a.confirmed[who]), err) {
		a.confirmed[who] = true
	}
}

func (w *world) opClose(rt *rapid.T) {
	who, nid, a := w.aNotice(rt)
	_, err := w.try(who, &state.CloseNotice{Notice: nid})
	if w.want(rt, who == a.author || who == w.people[0], err) {
		a.closed = true
	}
}

func (w *world) opSchedule(rt *rapid.T) {
	who, room, m := w.pick(rt)
	text := rapid.SampledFrom([]string{"s1", "s2"}).Draw(rt, "text")
	r, err := w.try(who, &state.CreateScheduled{Scheduled: record.Scheduled{Key: newKey(), Room: room, Text: text, At: time.Now().Add(time.Hour).UnixMilli()}})
	if w.want(rt, m.members[who], err) {
		w.later[r.Entity] = waiting{who, room, text}
	}
}

func (w *world) opFire(rt *rapid.T) {
	if len(w.later) == 0 {
		rt.Skip("nothing scheduled")
	}
	sid := rapid.SampledFrom(slices.Sorted(maps.Keys(w.later))).Draw(rt, "scheduled")
	s := w.later[sid]
	m := w.m[s.room]
	plain := func(string) ([]string, bool) { return nil, false }
	_, err := w.try(s.author, &state.SendScheduled{Scheduled: sid, Now: true, Mentions: plain})
	if w.want(rt, m.members[s.author], err) {
		delete(w.later, sid)
		m.entries = append(m.entries, entry{sender: s.author, text: s.text, likes: map[id.ID]bool{}})
		m.read[s.author] = len(m.entries)
	}
}

func (w *world) compareNotices() {
	for nid, a := range w.asks {
		n, _, ok := w.s.Notice(a.author, wire.NoticeGetParams{Notice: nid, People: true, Limit: 100})
		if !ok || n.Notice.Audience != len(a.asked) || n.Notice.Confirmed != len(a.confirmed) || (n.Notice.ClosedAt != 0) != a.closed {
			w.rt.Fatalf("notice %+v, want %+v", n.Notice, a)
		}
		for _, p := range n.People {
			if (p.State == "confirmed") != a.confirmed[p.User] || !slices.Contains(a.asked, p.User) {
				w.rt.Fatalf("%s is %s, want %+v", p.User, p.State, a)
			}
		}
	}
	n := 0
	for _, p := range w.people {
		for _, m := range w.s.ScheduledOf(p, 0) {
			if want := w.later[m.ID]; want != (waiting{p, m.Room, m.Text}) {
				w.rt.Fatalf("scheduled %+v, want %+v", m, want)
			}
			n++
		}
	}
	if n != len(w.later) {
		w.rt.Fatalf("%d scheduled messages, want %d", n, len(w.later))
	}
}
