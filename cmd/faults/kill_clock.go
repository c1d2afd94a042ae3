package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// What the box does by itself, under the kill harness: scheduled messages come
// once, and every notice has its one message in its room.

// killLater is a text that the box itself is to put into a room.
type killLater struct {
	room id.ID
	text string
	sure bool // it was acknowledged; otherwise it may have happened or not
}

const (
	killScheduled = 300 // at most, of a client
	killNotices   = 50
)

// clock schedules a message, or sends a notice to a group.
func (u *killUser) clock(ctx context.Context, i int) {
	room := u.k.rooms[u.rng.IntN(killGroups)].id
	if u.n == 0 {
		room = u.rooms[u.rng.IntN(len(u.rooms))]
	}
	if u.rng.IntN(4) == 0 && len(u.notices) < killNotices {
		l := killLater{room: room, text: fmt.Sprintf("notice %d of client %d", i, u.n)}
		l.sure = u.once(ctx, "notice.send", wire.NoticeSend{Key: client.NewKey(), Title: l.text, Rooms: []id.ID{room}, Users: []id.ID{u.k.owner}}) // the others are bots
		u.notices = append(u.notices, l)
		return
	}
	if len(u.later) == killScheduled {
		return
	}
	l := killLater{room: room, text: fmt.Sprintf("later %d of client %d", i, u.n)}
	at := time.Now().Add(time.Duration(u.rng.Int64N(int64(2*time.Second)) + int64(100*time.Millisecond)))
	p := wire.ScheduledCreate{Room: room, Key: client.NewKey(), Text: l.text, At: at.UnixMilli()}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err := u.c.Call(ctx, "scheduled.create", p, nil)
	l.sure = err == nil
	u.later = append(u.later, l)
	// Nothing is sent while the disk is full: then they gather up to the bound.
	// A call that waited for a restart may come after its own time.
	var e *wire.Error
	if errors.As(err, &e) && e.Kind != wire.Unavailable && e.Kind != wire.RateLimited && e.Kind != wire.QuotaExceeded && (e.Kind != wire.InvalidParams || time.Now().Before(at)) {
		u.k.violation("client %d: scheduled.create: %v", u.n, err)
	}
}

// settle waits until every scheduled message has had its time.
func (k *killer) settle() {
	until := time.Now().Add(time.Minute)
	for _, u := range k.uses {
		for ; ; time.Sleep(20 * time.Millisecond) {
			var left wire.ScheduledList
			err := u.c.HTTP.Call(k.ctx, "scheduled.list", wire.ScheduledListParams{}, &left)
			if err == nil && len(left.Scheduled) == 0 {
				break
			}
			if time.Now().After(until) {
				k.violation("client %d: %d scheduled messages still wait (%v): %+v", u.n, len(left.Scheduled), err, left.Scheduled)
				break
			}
		}
	}
}

// checkClock wants each text once where it was acknowledged, and once at most
// where it was not.
func (k *killer) checkClock(u *killUser, histories map[id.ID][]wire.Message) {
	times := map[string]int{}
	for room, list := range histories {
		for _, m := range list {
			if m.Sender == k.people[u.n].id {
				times[room.String()+m.Text]++
			}
		}
	}
	want := func(what string, l killLater, text string) {
		if n := times[l.room.String()+text]; n > 1 || n == 0 && l.sure {
			k.violation("client %d: %s %q is in room %s %d times, acknowledged %v", u.n, what, l.text, l.room, n, l.sure)
		}
	}
	for _, l := range u.later {
		want("the scheduled message", l, l.text)
	}
	for _, l := range u.notices {
		want("the notice", l, "**"+l.text+"**")
	}
	var list wire.NoticeList
	if err := u.c.HTTP.Call(k.ctx, "notice.list", wire.NoticeListParams{Box: "sent", Limit: 100}, &list); err != nil {
		k.violation("client %d: list notices: %v", u.n, err)
	}
	for _, n := range list.Notices {
		if len(n.Messages) != 1 {
			k.violation("client %d: the notice %q stands in %d rooms, want 1", u.n, n.Title, len(n.Messages))
		}
	}
}
