package chat

import (
	"context"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

func noFile() *wire.Error {
	return wire.Refuse(wire.NotFound, "there is no such file", "没有这个文件")
}

// AllowUpload tells before an upload begins whether its size fits; size -1 is
// not known yet.
func (s *Service) AllowUpload(a Actor, size int64) *wire.Error {
	if err := s.allowed(&a, wire.LoggedIn); err != nil {
		return err
	}
	if why := s.ReadOnly(); why != nil {
		return s.fault("upload", a, why)
	}
	if err := s.s.AllowUpload(a.User, size); err != nil {
		return s.fault("upload", a, err)
	}
	return nil
}

// fault is refusal for what is not a call; what is no refusal is logged.
func (s *Service) fault(what string, a Actor, err error) *wire.Error {
	e := refusal(&Call{}, err)
	if e.Cause != nil {
		s.opt.Log.Error("file failed", "step", what, "user", a.User.String(), "error", e.Cause)
	}
	return e
}

// StoreFile makes a finished upload a file of the actor; from the operator, of
// the owner it names. The same upload id
// again answers with the same file.
func (s *Service) StoreFile(ctx context.Context, a Actor, f record.File) (wire.File, *wire.Error) {
	r, err := s.q.Submit(ctx, a.state(), &state.StoreFile{File: f})
	if err != nil {
		return wire.File{}, s.fault("store file", a, err)
	}
	reader := a.User
	if a.Operator {
		reader = f.Owner
	}
	stored, ok := s.s.File(r.File, reader)
	if !ok {
		return wire.File{}, noFile()
	}
	return state.WireFile(stored), nil
}

// OpenFile tells whether an actor may read a file and what it is. NotFound
// also when the actor may not know of it.
func (s *Service) OpenFile(a Actor, file id.ID) (record.File, *wire.Error) {
	if err := s.allowed(&a, wire.LoggedIn); err != nil {
		return record.File{}, err
	}
	f, ok := s.s.File(file, a.User)
	if !ok {
		return record.File{}, noFile()
	}
	return f, nil
}

func (s *Service) fileGet(c *Call, p *wire.FileParam) (wire.FileResult, error) {
	f, err := s.OpenFile(c.Actor, p.File)
	if err != nil {
		return wire.FileResult{}, err
	}
	return wire.FileResult{File: state.WireFile(f)}, nil
}

func (s *Service) fileDiscard(c *Call, p *wire.FileParam) (wire.Done, error) {
	return s.done(c, &state.DiscardFile{File: p.File})
}

func (s *Service) fileUsage(c *Call, p *wire.UsageParams) (wire.Usage, error) {
	subject := p.Subject
	if subject == 0 {
		subject = c.Actor.User
	}
	u, ok := s.s.Usage(subject, c.Actor.User, sees(c.Actor))
	if !ok {
		return u, wire.Refuse(wire.NotFound, "there is no such account or room", "没有这个账号或房间")
	}
	return u, nil
}

func kvSubject(c *Call, scope string) (id.ID, error) {
	switch {
	case scope == "user" && c.Actor.User != 0:
		return c.Actor.User, nil
	case scope == "device" && c.Actor.Device != 0:
		return c.Actor.Device, nil
	}
	return 0, wire.BadParam("scope", "user or device", "须为 user 或 device")
}

func (s *Service) kvGet(c *Call, p *wire.KVGet) (wire.KV, error) {
	subject, err := kvSubject(c, p.Scope)
	if err != nil {
		return wire.KV{}, err
	}
	e, ok := s.s.KV(subject, p.Key)
	if !ok {
		return e, wire.Refuse(wire.NotFound, "there is no such entry", "没有这个条目")
	}
	return e, nil
}

func (s *Service) kvPut(c *Call, p *wire.KVPut) (wire.Done, error) {
	if _, err := kvSubject(c, p.Scope); err != nil {
		return wire.Done{}, err
	}
	value := p.Value
	if value.Kind() == 'n' { // null removes, as its event says
		value = nil
	}
	return s.done(c, &state.SetKV{Device: p.Scope == "device", Key: p.Key, Value: value})
}

func (s *Service) kvList(c *Call, p *wire.KVList) (wire.KVEntries, error) {
	subject, err := kvSubject(c, p.Scope)
	if err != nil {
		return wire.KVEntries{}, err
	}
	return wire.KVEntries{Entries: s.s.KVs(subject, p.Prefix)}, nil
}
