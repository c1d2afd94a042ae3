package chat

import (
	"context"
	"errors"
	"slices"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/markup"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

func (s *Service) bindNotices(t map[string]method) {
	bind(t, "notice.send", s.noticeSend)
	bind(t, "notice.list", s.noticeList)
	bind(t, "notice.get", s.noticeGet)
	bind(t, "notice.confirm", s.noticeConfirm)
	bind(t, "notice.remind", s.noticeRemind)
	bind(t, "notice.close", s.noticeClose)
	bind(t, "scheduled.create", s.scheduledCreate)
	bind(t, "scheduled.list", s.scheduledList)
	bind(t, "scheduled.update", s.scheduledUpdate)
	bind(t, "scheduled.remove", s.scheduledRemove)
	bindAsync(t, "scheduled.send", s.scheduledSend)
}

func noNotice() error {
	return wire.Refuse(wire.NotFound, "there is no such notice", "没有这个通知")
}

func (s *Service) noticeSend(c *Call, p *wire.NoticeSend) (wire.NoticeSent, error) {
	k, err := key(p.Key)
	if err != nil {
		return wire.NoticeSent{}, err
	}
	r, err := s.submit(c, &state.SendNotice{Notice: record.Notice{Key: k, Title: p.Title, Text: p.Text, Rooms: p.Rooms, Departments: p.Departments,
		Users: p.Users, Everyone: p.Everyone, Deadline: p.Deadline, Every: p.RemindEvery, Reminders: p.RemindMost}})
	if err != nil {
		return wire.NoticeSent{}, err
	}
	// What is not posted now, because the call was given up or the box stopped,
	// is posted by Due.
	for _, room := range p.Rooms {
		if err := s.postNotice(c.Context, state.DuePost{Author: c.Actor.User, Notice: r.Entity, Room: room}); err != nil {
			s.opt.Log.Warn("post notice", "notice", r.Entity.String(), "room", room.String(), "error", err)
		}
	}
	n, _, ok := s.s.Notice(c.Actor.User, wire.NoticeGetParams{Notice: r.Entity})
	if !ok {
		return wire.NoticeSent{}, noNotice()
	}
	return wire.NoticeSent{Notice: n.Notice, Position: r.Record.Pos, Again: r.Again}, nil
}

func (s *Service) postNotice(ctx context.Context, p state.DuePost) error {
	_, err := s.q.Submit(ctx, state.Actor{User: p.Author}, &state.PostNotice{Notice: p.Notice, Room: p.Room})
	return err
}

func (s *Service) noticeList(c *Call, p *wire.NoticeListParams) (wire.NoticeList, error) {
	switch p.Box {
	case "", "waiting", "received", "sent":
	case "all":
		if !sees(c.Actor) {
			return wire.NoticeList{}, wire.Refuse(wire.Forbidden, "only auditors and above see all notices", "只有审计员及以上可查看全部通知")
		}
	default:
		return wire.NoticeList{}, wire.BadParam("box", "waiting, received, sent or all", "须为 waiting、received、sent 或 all")
	}
	p.Limit = limit(p.Limit, 50, 100)
	return s.s.Notices(c.Actor.User, *p), nil
}

func (s *Service) noticeGet(c *Call, p *wire.NoticeGetParams) (wire.NoticeState, error) {
	switch p.State {
	case "", "waiting", "confirmed", "gone":
	default:
		return wire.NoticeState{}, wire.BadParam("state", "waiting, confirmed or gone", "须为 waiting、confirmed 或 gone")
	}
	p.Limit = limit(p.Limit, 100, 500)
	n, follows, ok := s.s.Notice(c.Actor.User, *p)
	if !ok {
		return wire.NoticeState{}, noNotice()
	}
	if p.People && !follows {
		return wire.NoticeState{}, wire.Refuse(wire.Forbidden, "only the author, auditors and above see who has confirmed", "只有发送者、审计员及以上可查看确认情况")
	}
	return n, nil
}

func (s *Service) noticeConfirm(c *Call, p *wire.NoticeParam) (wire.Done, error) {
	return s.done(c, &state.ConfirmNotice{Notice: p.Notice})
}

func (s *Service) noticeRemind(c *Call, p *wire.NoticeParam) (wire.Done, error) {
	return s.done(c, &state.RemindNotice{Notice: p.Notice})
}

func (s *Service) noticeClose(c *Call, p *wire.NoticeParam) (wire.Done, error) {
	return s.done(c, &state.CloseNotice{Notice: p.Notice})
}

// Due does what the clock asks for: reminders, scheduled messages, and messages
// of notices that are not there yet. Call it every second, from one goroutine.
// What is refused stops nothing else; a fault that may pass ends the call.
func (s *Service) Due(ctx context.Context, now time.Time) error {
	box := state.Actor{Operator: true}
	due := s.s.Due(now.UnixMilli())
	var refused []error
	for _, p := range due.Posts {
		if err := s.postNotice(ctx, p); mayPass(err) {
			return err
		} else if err != nil {
			refused = append(refused, err)
		}
	}
	for _, n := range due.Reminders {
		if _, err := s.q.Submit(ctx, box, &state.RemindNotice{Notice: n, Auto: true}); mayPass(err) {
			return err
		} else if err != nil {
			refused = append(refused, err)
		}
	}
	for _, m := range due.Scheduled {
		if err := s.sendDue(ctx, m); mayPass(err) {
			return err
		} else if err != nil {
			refused = append(refused, err)
		}
	}
	return errors.Join(refused...)
}

// mayPass reports whether an error is of the box and not of the command.
func mayPass(err error) bool {
	var why *wire.Error
	return err != nil && (!errors.As(err, &why) || why.Kind == wire.Unavailable || why.Kind == wire.Internal)
}

// sendDue sends a scheduled message, or keeps it with the reason when it is
// refused. What may work later is an error.
func (s *Service) sendDue(ctx context.Context, m state.DueMessage) error {
	_, err := s.q.Submit(ctx, state.Actor{User: m.Author}, &state.SendScheduled{Scheduled: m.Scheduled, Mentions: markup.Mentions})
	var why *wire.Error
	if mayPass(err) || !errors.As(err, &why) {
		return err
	}
	_, err = s.q.Submit(ctx, state.Actor{Operator: true}, &state.FailScheduled{Scheduled: m.Scheduled, Why: why.Text})
	if errors.As(err, &why) && why.Kind == wire.NotFound {
		return nil // its author removed it meanwhile
	}
	return err
}

// later tells the events of notices and scheduled messages.
func (d *deliverer) later() {
	switch b := d.r.Body.(type) {
	case *record.NoticePut:
		d.notice("new", b.Notice.ID)
	case *record.NoticeConfirmed:
		d.notice("confirmed", b.Notice)
	case *record.NoticeReminded:
		d.notice("reminded", b.Notice)
	case *record.NoticeClosed:
		d.notice("closed", b.Notice)
	case *record.ScheduledPut:
		d.scheduled("put", b.Scheduled.ID, b.Scheduled.User, id.Message{})
	case *record.ScheduledRemoved:
		d.scheduled("removed", b.Scheduled, d.r.User, id.Message{})
	case *record.ScheduledFailed:
		if _, user, ok := d.s.s.Scheduled(b.Scheduled); ok {
			d.scheduled("failed", b.Scheduled, user, id.Message{})
		}
	}
}

// notice tells those whom a step of a notice concerns: a new or closed one all
// who are asked, a reminder those who have not confirmed, a confirmation who
// gave it and, in small audiences, the others; always the author.
func (d *deliverer) notice(what string, nid id.ID) {
	t, ok := d.s.s.NoticeTold(nid, what == "new" || what == "reminded")
	if !ok {
		return
	}
	change := wire.NoticeChange{What: what, Notice: t.Notice, User: d.r.User, At: d.r.Time}
	author := t.Notice.Author
	switch what {
	case "new", "reminded":
		change.Asked = true
		d.add(wire.EventNotice, change, Delivery{Users: t.Waiting})
		change.Asked = false
		if left := without(t.Asked, t.Waiting); what == "new" && len(left) > 0 {
			d.add(wire.EventNotice, change, Delivery{Users: left})
		}
		d.add(wire.EventNotice, change, Delivery{Users: []id.ID{author}})
	case "closed":
		d.add(wire.EventNotice, change, Delivery{Users: append(slices.Clone(t.Asked), author)})
	default:
		users := []id.ID{author, d.r.User}
		if len(t.Asked) <= wire.LiveReceipts {
			users = append(slices.Clone(t.Asked), author)
		}
		d.add(wire.EventNotice, change, Delivery{Users: users})
	}
}

// without is what is in all and not in some; both ascend.
func without(all, some []id.ID) []id.ID {
	return slices.DeleteFunc(slices.Clone(all), func(v id.ID) bool {
		_, in := slices.BinarySearch(some, v)
		return in
	})
}

func (d *deliverer) scheduled(what string, sid, user id.ID, became id.Message) {
	change := wire.ScheduledChange{What: what, ID: sid, Message: became}
	if w, _, ok := d.s.s.Scheduled(sid); ok {
		change.Scheduled = &w
	}
	d.add(wire.EventScheduled, change, Delivery{Users: []id.ID{user}})
}
