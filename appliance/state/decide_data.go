package state

import (
	"slices"
	"unicode/utf8"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// StoreFile makes a finished upload a file. The same upload again is the same
// file. The operator, who has no files, names the owner: an import does.
type StoreFile struct{ File record.File }

func (c *StoreFile) owner(b *Batch) id.ID {
	if b.actor.Operator {
		return c.File.Owner
	}
	return b.actor.User
}

func (c *StoreFile) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(c.owner(b)), 0)
	sc.write(scUpload, uint64(c.owner(b)), 0)
}

func (c *StoreFile) decide(b *Batch) (Outcome, error) {
	u, err := b.caller()
	if err != nil {
		return Outcome{}, err
	}
	if u == nil {
		u = b.s.users[c.File.Owner]
	}
	if u == nil {
		return Outcome{}, wire.Refuse(wire.Forbidden, "the operator has no files: log in as a person", "操作员没有文件，请以个人身份登录")
	}
	if fid, ok := b.s.uploads[c.File.Upload]; ok && c.File.Upload != "" {
		if b.s.files[fid].File.Owner != u.ID {
			return Outcome{}, wire.Refuse(wire.NotFound, "there is no such upload", "没有这个上传")
		}
		return Outcome{File: fid}, nil
	}
	if err := b.s.allowUpload(u.ID, c.File.Size); err != nil {
		return Outcome{}, err
	}
	f := c.File
	f.ID, f.Owner, f.Created = b.newID(), u.ID, b.now
	if len(f.SHA256) != 32 || f.Size < 0 || f.Name == "" || len(f.Name) > 255 || !utf8.ValidString(f.Name) {
		return Outcome{}, wire.BadParam("file", "name, size and SHA-256", "须有文件名、大小与 SHA-256")
	}
	return Outcome{File: f.ID, Body: &record.FileStored{File: f}}, nil
}

func (s *State) allowUpload(user id.ID, size int64) error {
	if size > s.opt.Limits.UploadBytes {
		return wire.Refusef(wire.TooLarge, "a file has at most %d bytes", "文件最多 %d 字节", s.opt.Limits.UploadBytes)
	}
	if s.userBytes[user]+max(size, 0) > s.opt.Limits.UserQuota {
		return wire.Refusef(wire.QuotaExceeded, "your files would pass your quota of %d bytes: recall messages with files you no longer need", "你的文件将超过 %d 字节的配额，请撤回不再需要的文件消息", s.opt.Limits.UserQuota)
	}
	return nil
}

// DiscardFile throws away a file of the caller that nothing refers to.
type DiscardFile struct{ File id.ID }

func (c *DiscardFile) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.write(scFile, uint64(c.File), 0)
}

func (c *DiscardFile) decide(b *Batch) (Outcome, error) {
	u, err := b.caller()
	if err != nil {
		return Outcome{}, err
	}
	f := b.s.files[c.File]
	if f == nil || u != nil && f.File.Owner != u.ID {
		return Outcome{}, wire.Refuse(wire.NotFound, "there is no such file", "没有这个文件")
	}
	if f.refs() > 0 {
		return Outcome{}, wire.Refuse(wire.Conflict, "messages carry this file: recall them first", "有消息引用此文件，请先撤回")
	}
	return Outcome{Body: &record.FileRemoved{Files: []id.ID{c.File}}}, nil
}

// SweepFiles forgets files that nothing has referred to for long enough: a
// grace bin for those that were in use, and a wait for those that never were.
// The box runs it.
type SweepFiles struct{}

func (c *SweepFiles) scopes(_ *Batch, _ *scopes) {}

func (c *SweepFiles) decide(b *Batch) (Outcome, error) {
	var gone []id.ID
	for _, f := range b.s.files {
		if f.refs() > 0 {
			continue
		}
		wait := b.s.opt.Limits.Bin
		if !f.Used {
			wait = b.s.opt.Limits.Unsent
		}
		if b.now-f.BinSince < wait.Milliseconds() {
			continue
		}
		sc := scope{scFile, uint64(f.File.ID), 0}
		if _, busy := b.written[sc]; busy {
			return Outcome{}, ErrNextBatch
		}
		b.sc.writes = append(b.sc.writes, sc)
		if gone = append(gone, f.File.ID); len(gone) == 10000 {
			break
		}
	}
	if len(gone) == 0 {
		return Outcome{}, nil
	}
	slices.Sort(gone)
	return Outcome{Body: &record.FileRemoved{Files: gone}}, nil
}

// SetKV sets or (empty Value) removes an entry of the caller's store.
type SetKV struct {
	Device bool // of the device, not of the account
	Key    string
	Value  []byte
}

func (c *SetKV) scopes(b *Batch, sc *scopes) {
	sc.read(scUser, uint64(b.actor.User), 0)
	sc.write(scKV, uint64(b.actor.User), 0)
}

func (c *SetKV) decide(b *Batch) (Outcome, error) {
	u, err := b.caller()
	if err != nil {
		return Outcome{}, err
	}
	subject := b.actor.User
	if c.Device {
		subject = b.actor.Device
	}
	if u == nil || subject == 0 {
		return Outcome{}, wire.Refuse(wire.Forbidden, "only people on a device have a key-value store", "只有在设备上登录的人才有键值存储")
	}
	if n := len(c.Key); n == 0 || n > wire.MaxKVKey || !utf8.ValidString(c.Key) {
		return Outcome{}, wire.BadParam("key", "1 to 128 bytes of UTF-8", "1 到 128 字节 UTF-8")
	}
	if len(c.Value) > wire.MaxKVValue {
		return Outcome{}, wire.Refusef(wire.TooLarge, "a value has at most %d bytes", "值最多 %d 字节", wire.MaxKVValue)
	}
	old := b.s.kv[subject][c.Key]
	if old == nil && len(c.Value) == 0 || old != nil && string(old.Value) == string(c.Value) {
		return Outcome{}, nil
	}
	if old == nil && len(b.s.kv[subject]) >= wire.MaxKVEntries {
		return Outcome{}, wire.Refusef(wire.QuotaExceeded, "at most %d entries", "最多 %d 个条目", wire.MaxKVEntries)
	}
	return Outcome{Body: &record.KVSet{Subject: subject, Device: c.Device, Key: c.Key, Value: c.Value}}, nil
}

// MarkDevices records how far devices have got. The door runs it.
type MarkDevices struct{ Marks []record.DeviceMark }

func (c *MarkDevices) scopes(b *Batch, sc *scopes) {
	b.s.mu.RLock()
	defer b.s.mu.RUnlock()
	for _, m := range c.Marks {
		if d := b.s.devices[m.Device]; d != nil {
			sc.read(scUser, uint64(d.User), 0)
		}
	}
}

func (c *MarkDevices) decide(b *Batch) (Outcome, error) {
	body := new(record.DeviceMarks)
	for _, m := range c.Marks {
		if b.s.devices[m.Device] == nil {
			continue
		}
		m.Acked = min(m.Acked, b.s.applied)
		m.Pushed = min(m.Pushed, b.s.applied)
		body.Marks = append(body.Marks, m)
	}
	if len(body.Marks) == 0 {
		return Outcome{}, nil
	}
	slices.SortFunc(body.Marks, func(x, y record.DeviceMark) int { return cmpID(x.Device, y.Device) })
	return Outcome{Body: body}, nil
}
