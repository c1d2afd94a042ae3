package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"posthouse/appliance/id"
	"posthouse/appliance/migrate"
	"posthouse/appliance/wire"
	texts "posthouse/sysmon/words"
)

// run carries the plan out. It may end at any point: what is there is found
// again by its key.
func (im *archiveImport) run(ctx context.Context) error {
	if im.empty {
		return errorText(im.say, "make the first owner before you import: posthouse setup, or posthouse user add LOGIN --role owner",
			"导入前请先创建首位所有者：posthouse setup，或 posthouse user add 登录名 --role owner")
	}
	if err := im.makePeople(ctx); err != nil {
		return err
	}
	if err := im.askRooms(im.plan.Rooms, false); err != nil {
		return err
	}
	show := im.progress(im.say.of("importing", "导入中"))
	defer show.end()
	var done int64
	for _, r := range im.plan.Rooms {
		if err := ctx.Err(); err != nil {
			return err
		}
		t := im.rooms[r]
		if t.room == 0 {
			continue // refused, and told
		}
		b := &importBatch{im: im, room: r, t: t, ctx: ctx}
		if err := im.plan.Each(r, func(e *migrate.Entry) error {
			if done++; done%64 == 0 {
				show.at(done, int64(im.plan.Totals.Messages), count)
			}
			return b.add(e)
		}); err != nil {
			return err
		}
		if err := b.send(); err != nil {
			return err
		}
		if err := im.openRoom(r, t); err != nil {
			return err
		}
	}
	return nil
}

func (im *archiveImport) makePeople(ctx context.Context) error {
	var list []*migrate.Person
	for i := range im.plan.People {
		if p := &im.plan.People[i]; im.people[p.ID].Account == "" {
			list = append(list, p)
		}
	}
	for len(list) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(perCall, len(list))
		var p wire.ImportPeople
		for _, who := range list[:n] {
			p.People = append(p.People, wire.ImportPerson{Login: im.people[who.ID].Login, Name: who.Name, Title: who.Title, Email: who.Email,
				Phone: who.Phone, Bot: who.Bot, Disabled: who.Disabled, Created: who.Created})
		}
		var rows wire.ImportRows
		if err := im.c.call("import.people", p, &rows); err != nil {
			return err
		}
		if len(rows.Rows) != n {
			return fmt.Errorf("import.people answered %d of %d people", len(rows.Rows), n)
		}
		for i, row := range rows.Rows {
			if row.Reason != "" { // and then the messages of this author
				im.report.refuse(0, p.People[i].Login+": "+row.Reason)
				continue
			}
			im.users[list[i].ID] = row.ID
			im.report.Result.People++
			if !p.People[i].Bot && !p.People[i].Disabled {
				im.report.Result.Logins = append(im.report.Result.Logins, p.People[i].Login)
			}
		}
		list = list[n:]
	}
	return nil
}

// openRoom gives a room its members. One that nobody is in any more goes to
// those who wrote there.
func (im *archiveImport) openRoom(r *migrate.Room, t *target) error {
	if r.Kind == migrate.Direct || r.Kind == migrate.Notes {
		return nil
	}
	members := r.Members
	if len(members) == 0 {
		members = r.Authors()
	}
	p := wire.ImportOpen{Room: t.room, Owners: []id.ID{}, Users: []id.ID{}, Archived: r.Archived}
	people := im.known
	for _, m := range r.Owners {
		if who := people[m]; who != nil && !who.Disabled {
			p.Owners = append(p.Owners, im.users[m])
		}
	}
	for _, m := range members {
		if len(p.Owners) == 0 && people[m] != nil && !people[m].Disabled && !people[m].Bot {
			p.Owners = append(p.Owners, im.users[m])
		}
		if uid := im.users[m]; uid != 0 {
			p.Users = append(p.Users, uid)
		}
	}
	var ok wire.Done
	err := im.c.call("import.open", p, &ok)
	var refused *wire.Error
	if errors.As(err, &refused) && refused.Kind != wire.Unavailable && refused.Kind != wire.Internal {
		im.report.refuse(0, t.name+": "+refused.Text.In(im.say.lang()))
		return nil
	}
	return err
}

const (
	batchMessages = wire.MaxImport
	batchBytes    = 512 << 10 // of a call's JSON, about
)

// importBatch collects messages of one room for one call.
type importBatch struct {
	im   *archiveImport
	ctx  context.Context
	room *migrate.Room
	t    *target
	list []wire.ImportMessage
	size int
	file map[migrate.Key]id.ID
}

func (b *importBatch) add(e *migrate.Entry) error {
	if len(e.Files) > 0 && b.ctx.Err() != nil {
		return b.ctx.Err()
	}
	if b.t.busy {
		b.im.report.Result.Busy++
		return nil
	}
	parts, err := b.parts(e)
	if err != nil {
		return err
	}
	for _, m := range parts {
		size := quoted(m.Text) + 200
		for _, x := range m.Reactions {
			size += 40 + 16*len(x.Users)
		}
		if len(b.list) >= batchMessages || b.size+size > batchBytes {
			if err := b.send(); err != nil {
				return err
			}
		}
		b.list = append(b.list, m)
		b.size += size
	}
	return nil
}

// quoted is how many bytes a text takes in JSON.
func quoted(s string) int {
	n := len(s)
	for _, c := range []byte(s) {
		switch {
		case c < 0x20:
			n += 5
		case c == '"' || c == '\\':
			n++
		}
	}
	return n
}

// maxPart bounds a part of a long text, so that a call can carry it.
const maxPart = 64 << 10

// parts makes messages of an entry: one, or more when its text or its list of
// files is longer than a message may be.
func (b *importBatch) parts(e *migrate.Entry) ([]wire.ImportMessage, error) {
	im := b.im
	author := im.users[e.Author]
	text := e.Render(func(p string) string { return im.people[p].Login })
	var files []id.ID
	for i := range e.Files {
		fid, why, err := b.attach(&e.Files[i], author)
		if err != nil {
			return nil, err
		}
		if fid == 0 {
			text = strings.TrimLeft(text+"\n"+im.lostFile(&e.Files[i], why), "\n")
		} else if !slices.Contains(files, fid) {
			files = append(files, fid)
		}
	}
	m := wire.ImportMessage{Key: e.Key.String(), Sender: author, At: e.At, EditedAt: e.EditedAt}
	if e.Thread != nil {
		m.Thread = e.Thread.String()
	}
	if e.PinnedAt != 0 && b.t.pins < wire.MaxPinned {
		m.PinnedAt = e.PinnedAt
		b.t.pins++
	} else if e.PinnedAt != 0 {
		im.report.lose(migrate.NotPins, b.room.Name)
	}
	for _, x := range e.Reactions {
		r := wire.ImportReaction{Emoji: x.Emoji}
		for _, p := range x.People {
			if uid := im.users[p]; uid != 0 && !slices.Contains(r.Users, uid) {
				r.Users = append(r.Users, uid)
			}
		}
		m.Reactions = append(m.Reactions, r)
	}
	texts := migrate.Split(text, min(im.limits.TextBytes, maxPart))
	var out []wire.ImportMessage
	for n := 0; n < len(texts) || len(files) > 0; n++ {
		if n > 0 {
			m = wire.ImportMessage{Key: e.Key.Part(n).String(), Sender: author, At: e.At, Thread: m.Thread}
		}
		if n < len(texts) {
			m.Text = texts[n]
		}
		m.Files = files[:min(len(files), wire.MaxFiles)]
		files = files[len(m.Files):]
		out = append(out, m)
	}
	return out, nil
}

// lostFile is the line that stands for a file that did not come over.
func (im *archiveImport) lostFile(f *migrate.File, why string) string {
	name := strings.ReplaceAll(f.Name, "`", "'")
	if why == "" {
		why = im.say.of("not in the export", "不在导出文件中")
	}
	if f.Size <= 0 {
		return fmt.Sprintf("`%s` (%s)", name, why)
	}
	return fmt.Sprintf("`%s` (%s, %s)", name, texts.Bytes(f.Size), why)
}

// attach finds or uploads an attachment; zero and a reason when it cannot be
// taken.
func (b *importBatch) attach(f *migrate.File, owner id.ID) (id.ID, string, error) {
	if f.Path == "" {
		return 0, "", nil
	}
	if fid, ok := b.file[f.Key]; ok {
		return fid, "", nil
	}
	im := b.im
	var there wire.ImportRows
	if err := im.c.call("import.files", wire.ImportFiles{Names: []string{f.Key.String()}}, &there); err != nil {
		return 0, "", err
	}
	if b.file == nil {
		b.file = map[migrate.Key]id.ID{}
	}
	if len(there.Rows) == 1 && there.Rows[0].ID != 0 {
		b.file[f.Key] = there.Rows[0].ID
		return there.Rows[0].ID, "", nil
	}
	if f.Size > im.limits.FileBytes {
		im.report.Result.FilesRefused++
		return 0, im.say.of("larger than a file may be", "超过单个文件上限"), nil
	}
	fid, err := b.upload(f, owner)
	var refused *wire.Error
	switch {
	case errors.As(err, &refused) && (refused.Kind == wire.QuotaExceeded || refused.Kind == wire.TooLarge):
		im.report.Result.FilesRefused++
		return 0, im.say.of("the quota is used up", "配额已用尽"), nil
	case errors.Is(err, errDamaged):
		im.report.Result.FilesRefused++
		return 0, im.say.of("damaged in the export", "导出文件中已损坏"), nil
	case err != nil:
		return 0, "", err
	}
	im.report.Result.Files++
	im.report.Result.Bytes += f.Size
	b.file[f.Key] = fid
	return fid, "", nil
}

// errDamaged says that an attachment of the archive cannot be read.
var errDamaged = errors.New("the archive is damaged there")

// upload takes an attachment out of the archive, into a file without a name,
// and brings it to the server.
func (b *importBatch) upload(f *migrate.File, owner id.ID) (id.ID, error) {
	tmp, err := os.CreateTemp("", "posthouse-import-")
	if err != nil {
		return 0, fmt.Errorf("make a temporary file: %w", err)
	}
	defer tmp.Close()
	if err := os.Remove(tmp.Name()); err != nil {
		return 0, fmt.Errorf("hide the temporary file: %w", err)
	}
	r, err := b.im.plan.Open(*f)
	if err != nil {
		return 0, errDamaged
	}
	defer r.Close()
	w := &writeError{w: tmp}
	if _, err := io.Copy(w, io.LimitReader(r, b.im.limits.FileBytes+1)); err != nil {
		if w.err != nil {
			return 0, fmt.Errorf("take %s out of the archive: %w", clean(f.Name), w.err)
		}
		return 0, errDamaged
	}
	return b.im.c.bring(tmp, fileUpload(f, owner))
}

// writeError tells an error of writing from one of reading.
type writeError struct {
	w   io.Writer
	err error
}

func (w *writeError) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	w.err = err
	return n, err
}

// send sends what was collected. Files that the room has no quota for become
// lines.
func (b *importBatch) send() error {
	if len(b.list) == 0 {
		return nil
	}
	if err := b.ctx.Err(); err != nil {
		return err
	}
	list := b.list
	b.list, b.size = nil, 0
	var r wire.ImportDone
	if err := b.im.c.call("import.messages", wire.ImportMessages{Room: b.t.room, Messages: list}, &r); err != nil {
		return err
	}
	res := &b.im.report.Result
	res.Messages += r.Added
	res.Again += r.Again
	for _, bad := range r.Refused {
		if bad.Index < 0 || bad.Index >= len(list) {
			continue
		}
		if bad.Kind == wire.Conflict {
			b.t.busy = true
			res.Busy++
			continue
		}
		if m := list[bad.Index]; bad.Kind == wire.QuotaExceeded && len(m.Files) > 0 {
			m.Text = strings.TrimLeft(m.Text+"\n"+b.im.say.ofN("(%d files: the quota of the room is used up)", "（%d 个文件：房间配额已用尽）", len(m.Files)), "\n")
			res.FilesRefused += len(m.Files)
			m.Files = nil
			b.list, b.size = append(b.list, m), b.size+len(m.Text)
			continue
		}
		b.im.report.refuse(1, b.room.Name+": "+bad.Reason)
	}
	if len(b.list) > 0 {
		return b.send()
	}
	return nil
}
