package chat

import (
	"posthouse/appliance/id"
	"posthouse/appliance/markup"
	"posthouse/appliance/record"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

func noMessage() error {
	return wire.Refuse(wire.NotFound, "there is no such message", "没有这条消息")
}

func (s *Service) post(c *Call, cmd *state.SendMessage, done func(wire.Sent, error)) error {
	s.q.Go(c.Context, c.Actor.state(), cmd, func(r sequencer.Result, err error) {
		if err != nil {
			done(wire.Sent{}, err)
			return
		}
		at := r.Record.Time
		if r.Again {
			at = r.Time
		}
		done(wire.Sent{ID: r.Ref, Seq: r.Ref.Seq, Position: r.Position(), Time: at, Again: r.Again}, nil)
	})
	return nil
}

func (s *Service) send(c *Call, p *wire.SendParams, done func(wire.Sent, error)) error {
	k, err := key(p.Key)
	if err != nil {
		return err
	}
	if len(p.Files) > wire.MaxFiles {
		return wire.BadParam("files", "at most 20", "最多 20 个")
	}
	cmd := &state.SendMessage{Room: p.Room, Key: k, Text: p.Text, ReplyTo: p.ReplyTo, Thread: p.Thread, Files: p.Files}
	cmd.Logins, cmd.All = markup.Mentions(p.Text)
	if p.Foreign != nil {
		if n := len(p.Foreign.Type); n == 0 || n > 128 || len(p.Foreign.Payload) > wire.MaxForeign || p.Text == "" {
			return wire.BadParam("foreign", "a type of 1 to 128 bytes, a payload of at most 16384 bytes, and a text as fallback", "类型 1 到 128 字节，载荷至多 16384 字节，且须附文本")
		}
		cmd.Foreign = &record.Foreign{Type: p.Foreign.Type, Payload: p.Foreign.Payload}
	}
	return s.post(c, cmd, done)
}

func (s *Service) forward(c *Call, p *wire.ForwardParams, done func(wire.Sent, error)) error {
	k, err := key(p.Key)
	if err != nil {
		return err
	}
	if p.Message.Seq == 0 {
		return noMessage()
	}
	return s.post(c, &state.SendMessage{Room: p.Room, Key: k, From: p.Message}, done)
}

// visible finds a message the caller may see.
func (s *Service) visible(c *Call, ref id.Message) (wire.Message, error) {
	if err := s.within(c, ref.Room); err != nil {
		return wire.Message{}, noMessage()
	}
	m, ok, err := s.s.Message(ref)
	if err == nil && !ok {
		err = noMessage()
	}
	return m, err
}

func (s *Service) message(c *Call, p *wire.MessageParam) (wire.MessageResult, error) {
	m, err := s.visible(c, p.Message)
	return wire.MessageResult{Message: m}, err
}

func (s *Service) edit(c *Call, p *wire.EditParams) (wire.Done, error) {
	cmd := &state.EditMessage{Message: p.Message, Text: p.Text}
	cmd.Logins, cmd.All = markup.Mentions(p.Text)
	return s.done(c, cmd)
}

func (s *Service) revisions(c *Call, p *wire.MessageParam) (wire.Revisions, error) {
	if _, err := s.visible(c, p.Message); err != nil {
		return wire.Revisions{}, err
	}
	list, err := s.s.Revisions(p.Message)
	return wire.Revisions{Revisions: list}, err
}

func (s *Service) recall(c *Call, p *wire.MessageParam) (wire.Done, error) {
	return s.done(c, &state.RecallMessage{Message: p.Message})
}

func (s *Service) react(c *Call, p *wire.ReactParams) (wire.Done, error) {
	return s.done(c, &state.React{Message: p.Message, Emoji: p.Emoji, On: p.On})
}

func (s *Service) pin(c *Call, p *wire.PinParams) (wire.Done, error) {
	return s.done(c, &state.Pin{Message: p.Message, On: p.On})
}

func (s *Service) readers(c *Call, p *wire.MessageParam) (wire.Readers, error) {
	if _, err := s.visible(c, p.Message); err != nil {
		return wire.Readers{}, err
	}
	return s.s.Readers(p.Message), nil
}

func (s *Service) journey(c *Call, p *wire.MessageParam) (wire.Journey, error) {
	m, err := s.visible(c, p.Message)
	if err != nil {
		return wire.Journey{}, err
	}
	if m.Sender != c.Actor.User && !sees(c.Actor) {
		return wire.Journey{}, wire.Refuse(wire.Forbidden, "only the author follows a message's journey", "只有作者可以查看消息去向")
	}
	j, ok, err := s.s.Journey(p.Message)
	if err == nil && !ok {
		err = noMessage()
	}
	return j, err
}
