package state

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// Bounds of notices in time.
const (
	remindLeast  = 15 * time.Minute
	remindMost   = 24 * time.Hour
	remindByHand = 5 * time.Minute // between two reminders, when a person asks for one
	aheadMost    = 366 * 24 * time.Hour
	day          = 24 * time.Hour
)

func noNotice() error {
	return wire.Refuse(wire.NotFound, "there is no such notice", "没有这个通知")
}

// derivedKey is the client key of a message that the box itself makes of an
// entity: a UUID of version 8, the same every time.
func derivedKey(label string, ids ...id.ID) []byte {
	h := sha256.New()
	h.Write([]byte(label))
	for _, v := range ids {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(v)))
	}
	k := h.Sum(nil)[:16]
	k[6], k[8] = k[6]&0x0f|0x80, k[8]&0x3f|0x80
	return k
}

// SendNotice sends a notice. Notice holds what the caller chose; the rest is
// decided.
type SendNotice struct{ Notice record.Notice }

func (c *SendNotice) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	for _, rid := range c.Notice.Rooms {
		sc.read(scRoom, uint64(rid), 0)
	}
	sc.write(scNotices, uint64(b.actor.User), 0)
}

func (c *SendNotice) decide(b *Batch) (Outcome, error) {
	u, err := b.caller()
	if err != nil {
		return Outcome{}, err
	}
	if u == nil {
		return Outcome{}, wire.Refuse(wire.Forbidden, "the operator does not send notices: log in as a person", "操作员不能发送通知，请以个人身份登录")
	}
	ref, err := b.used(c.Notice.Key, u.ID)
	if err != nil {
		return Outcome{}, err
	}
	if ref != (keyRef{}) {
		if b.s.notices[ref.Other] == nil {
			return Outcome{}, otherUse()
		}
		return Outcome{Again: true, Entity: ref.Other}, nil
	}
	n := c.Notice
	if err := b.noticeWords(&n); err != nil {
		return Outcome{}, err
	}
	if err := b.noticeTimes(&n); err != nil {
		return Outcome{}, err
	}
	if n.Audience, err = b.audience(u, &n); err != nil {
		return Outcome{}, err
	}
	if err := b.roomForNotice(u, len(n.Audience)); err != nil {
		return Outcome{}, err
	}
	n.ID, n.Author, n.Created = b.newID(), u.ID, b.now
	b.take(n.Key, u.ID)
	return Outcome{Body: &record.NoticePut{Notice: n}, Entity: n.ID}, nil
}

// roomForNotice keeps the notices of one person bounded: those that are open,
// and how many people those of the last day ask, because they stay in memory.
func (b *Batch) roomForNotice(u *record.User, people int) error {
	open, sent := 0, 0
	for _, other := range b.s.notices {
		if other.rec.Author != u.ID {
			continue
		}
		if other.mark.Closed == 0 && other.confirmed < len(other.rec.Audience) {
			open++
		}
		if b.now-other.rec.Created < day.Milliseconds() {
			sent++
			people += len(other.rec.Audience)
		}
	}
	switch {
	case open >= wire.MaxNoticesOpen:
		return wire.Refusef(wire.QuotaExceeded, "at most %d open notices of one person: close old ones", "每人最多 %d 个未关闭的通知，请关闭旧通知", wire.MaxNoticesOpen)
	case sent >= wire.MaxNoticesDay || sent > 0 && people > wire.MaxNoticePeopleDay:
		return wire.Refusef(wire.QuotaExceeded, "at most %d notices of one person in 24 hours, asking %d people together", "每人 24 小时内最多 %d 个通知，合计要求 %d 人次",
			wire.MaxNoticesDay, wire.MaxNoticePeopleDay)
	}
	return nil
}

func otherUse() error {
	return wire.Refuse(wire.Conflict, "this key was used for something else: make a new one", "此键已作他用，请生成新键")
}

func (b *Batch) noticeWords(n *record.Notice) (err error) {
	if n.Title, err = line("title", n.Title, 1, wire.MaxName); err != nil {
		return err
	}
	if len(n.Text) > wire.MaxNoticeText || len(noticeText(n)) > b.s.opt.Limits.MessageBytes {
		return wire.Refusef(wire.TooLarge, "a notice has at most %d bytes of text", "通知正文最多 %d 字节", min(wire.MaxNoticeText, b.s.opt.Limits.MessageBytes))
	}
	if !utf8.ValidString(n.Text) || strings.ContainsRune(n.Text, 0) {
		return wire.BadParam("text", "valid UTF-8 without NUL", "须为有效的 UTF-8 且不含 NUL")
	}
	return nil
}

func (b *Batch) noticeTimes(n *record.Notice) error {
	if n.Deadline != 0 && (n.Deadline <= b.now || n.Deadline > b.now+aheadMost.Milliseconds()) {
		return wire.BadParam("deadline", "in the future, at most a year ahead", "须在将来，至多一年")
	}
	if n.Every == 0 {
		n.Reminders = 0
		return nil
	}
	if n.Every < remindLeast.Milliseconds() || n.Every > remindMost.Milliseconds() {
		return wire.BadParam("remind_every_ms", "15 minutes to 1 day", "15 分钟到 1 天")
	}
	if n.Reminders == 0 {
		n.Reminders = 10
	}
	if n.Reminders < 0 || n.Reminders > wire.MaxReminders {
		return wire.BadParam("remind_most", "1 to 50", "1 到 50")
	}
	return nil
}

// audience decides whom a notice asks, and whether the caller may ask them.
func (b *Batch) audience(u *record.User, n *record.Notice) ([]id.ID, error) {
	manages := rank(u.Role) >= rank(string(wire.Admin))
	if (n.Everyone || len(n.Departments) > 0) && !manages {
		return nil, wire.Refuse(wire.Forbidden, "only an admin or owner sends notices to departments or everyone", "只有管理员或所有者可以向部门或全员发送通知")
	}
	named := wire.MaxNoticeUsersPlain
	if manages {
		named = wire.MaxNoticeUsers
	}
	if len(n.Users) > named || len(n.Rooms) > wire.MaxNoticeRooms || len(n.Departments) > wire.MaxNoticeDepartments {
		return nil, wire.Refusef(wire.InvalidParams, "at most %d people by name, %d rooms and %d departments", "最多点名 %d 人、%d 个房间、%d 个部门", named, wire.MaxNoticeRooms, wire.MaxNoticeDepartments)
	}
	set := map[id.ID]struct{}{}
	for i, rid := range n.Rooms {
		if slices.Contains(n.Rooms[:i], rid) {
			return nil, wire.BadParam("rooms", "each room once", "每个房间只能出现一次")
		}
		if err := b.mayNotify(rid); err != nil {
			return nil, err
		}
		for uid := range b.s.rooms[rid].members {
			set[uid] = struct{}{}
		}
	}
	for _, did := range n.Departments {
		if b.s.depts[did] == nil {
			return nil, wire.Refusef(wire.NotFound, "there is no department %s", "没有部门 %s", did)
		}
	}
	for _, uid := range n.Users {
		if _, err := b.person(uid); err != nil {
			return nil, err
		}
		set[uid] = struct{}{}
	}
	if n.Everyone || len(n.Departments) > 0 {
		for uid, x := range b.s.users {
			if n.Everyone || slices.ContainsFunc(n.Departments, func(d id.ID) bool { return b.s.below(x.Department, d) }) {
				set[uid] = struct{}{}
			}
		}
	}
	maps.DeleteFunc(set, func(uid id.ID, _ struct{}) bool {
		x := b.s.users[uid]
		return uid == u.ID || x.Bot || x.Probe || x.Disabled
	})
	if len(set) == 0 {
		return nil, wire.BadParam("rooms", "nobody but yourself would be asked: choose rooms, departments or people", "除你自己外无人需要确认，请选择房间、部门或人员")
	}
	return slices.Sorted(maps.Keys(set)), nil
}

// mayNotify refuses who may not send notices to a room.
func (b *Batch) mayNotify(rid id.ID) error {
	r, err := b.writable(rid)
	if err != nil {
		return err
	}
	if r.rec.Form == string(wire.Group) || fixed(r) {
		return nil
	}
	_, _, err = b.moderator(rid)
	return err
}

// noticeText is what the message that shows a notice says.
func noticeText(n *record.Notice) string {
	title := n.Title
	if !strings.ContainsAny(title, "*`") {
		title = "**" + title + "**"
	}
	if strings.TrimSpace(n.Text) == "" {
		return title
	}
	return title + "\n\n" + n.Text
}

// PostNotice puts the message that shows a notice into one of its rooms, once.
// The box runs it as the author.
type PostNotice struct{ Notice, Room id.ID }

func (c *PostNotice) scopes(_ *Batch, sc *scopes) {
	sc.read(scRoom, uint64(c.Room), 0)
	sc.write(scNotice, uint64(c.Notice), 0)
}

func (c *PostNotice) decide(b *Batch) (Outcome, error) {
	n, r := b.s.notices[c.Notice], b.s.rooms[c.Room]
	if n == nil || r == nil || n.rec.Author != b.actor.User || !slices.Contains(n.rec.Rooms, c.Room) {
		return Outcome{}, noNotice()
	}
	for _, p := range n.mark.Posts {
		if p.Room == c.Room {
			return Outcome{Ref: id.Message{Room: p.Room, Seq: p.Seq}}, nil
		}
	}
	body := &record.MessageSent{Room: c.Room, Key: derivedKey("notice", c.Notice, c.Room), Text: noticeText(n.rec), Notice: c.Notice}
	ref, err := b.used(body.Key, b.actor.User)
	if err != nil {
		return Outcome{}, err
	}
	if ref != (keyRef{}) { // the author, who can know the key, has sent a message with it
		body.Key = derivedKey("notice", c.Notice, c.Room, b.newID())
	}
	body.Seq, body.Count = b.next(r, true)
	b.take(body.Key, b.actor.User)
	return Outcome{Body: body, Ref: id.Message{Room: c.Room, Seq: body.Seq}, Room: c.Room}, nil
}

// ConfirmNotice confirms a notice.
type ConfirmNotice struct{ Notice id.ID }

func (c *ConfirmNotice) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.read(scNotice, uint64(c.Notice), 0)
	sc.write(scNotice, uint64(c.Notice), uint64(b.actor.User))
}

func (c *ConfirmNotice) decide(b *Batch) (Outcome, error) {
	u, err := b.caller()
	if err != nil {
		return Outcome{}, err
	}
	n := b.s.notices[c.Notice]
	if n == nil || u == nil || !b.s.seesNotice(u, n) {
		return Outcome{}, noNotice()
	}
	i := n.asked(u.ID)
	switch {
	case i < 0:
		return Outcome{}, wire.Refuse(wire.Forbidden, "this notice does not ask you: whom it asks was decided when it was sent", "此通知未要求你确认：确认人在发送时已确定")
	case n.at[i] != 0:
		return Outcome{Entity: c.Notice}, nil
	case n.mark.Closed != 0:
		return Outcome{}, closed()
	}
	return Outcome{Body: &record.NoticeConfirmed{Notice: c.Notice}, Entity: c.Notice}, nil
}

func closed() error {
	return wire.Refuse(wire.Conflict, "this notice was closed", "此通知已关闭")
}

// ownNotice finds a notice that the caller wrote or may manage.
func (b *Batch) ownNotice(nid id.ID) (*notice, error) {
	u, err := b.caller()
	if err != nil {
		return nil, err
	}
	n := b.s.notices[nid]
	if n == nil || u != nil && !b.s.seesNotice(u, n) {
		return nil, noNotice()
	}
	if u != nil && n.rec.Author != u.ID && rank(u.Role) < rank(string(wire.Admin)) {
		return nil, wire.Refuse(wire.Forbidden, "only the author, an admin or owner may do that", "只有发送者、管理员或所有者可以这样做")
	}
	return n, nil
}

// RemindNotice reminds everyone who has not confirmed. With Auto the box asks,
// and nothing happens before its time.
type RemindNotice struct {
	Notice id.ID
	Auto   bool
}

func (c *RemindNotice) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.write(scNotice, uint64(c.Notice), 0)
}

func (c *RemindNotice) decide(b *Batch) (Outcome, error) {
	n, err := b.ownNotice(c.Notice)
	if err != nil {
		return Outcome{}, err
	}
	if c.Auto && (!b.actor.Operator || !n.due(b.now)) {
		return Outcome{}, nil
	}
	if n.mark.Closed != 0 {
		return Outcome{}, closed()
	}
	if passed := b.now - n.mark.Reminded; !c.Auto && passed >= 0 && passed < remindByHand.Milliseconds() {
		e := wire.Refuse(wire.RateLimited, "reminded less than 5 minutes ago: wait a little", "距上次提醒不足 5 分钟，请稍候")
		e.RetryAfter = remindByHand.Milliseconds() - passed
		return Outcome{}, e
	}
	if !b.s.waits(n) {
		return Outcome{Entity: c.Notice}, nil
	}
	return Outcome{Body: &record.NoticeReminded{Notice: c.Notice, Auto: c.Auto}, Entity: c.Notice}, nil
}

// due reports whether the clock has come to the next automatic reminder. A
// last reminder that lies far in the future means that the clock was set back.
func (n *notice) due(now int64) bool {
	if n.rec.Every == 0 || n.mark.Closed != 0 || n.mark.Reminders >= n.rec.Reminders || n.confirmed == len(n.rec.Audience) {
		return false
	}
	last := max(n.mark.Reminded, n.rec.Created)
	return now-last >= n.rec.Every || last-now > n.rec.Every
}

// CloseNotice ends a notice.
type CloseNotice struct{ Notice id.ID }

func (c *CloseNotice) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.write(scNotice, uint64(c.Notice), 0)
}

func (c *CloseNotice) decide(b *Batch) (Outcome, error) {
	n, err := b.ownNotice(c.Notice)
	if err != nil || n.mark.Closed != 0 {
		return Outcome{Entity: c.Notice}, err
	}
	return Outcome{Body: &record.NoticeClosed{Notice: c.Notice}, Entity: c.Notice}, nil
}
