package chat

import (
	"posthouse/appliance/markup"
	"posthouse/appliance/record"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// scheduledResult tells a scheduled message as it is; one that was sent or
// removed meanwhile has only its ID.
func (s *Service) scheduledResult(r sequencer.Result) wire.ScheduledResult {
	w, _, ok := s.s.Scheduled(r.Entity)
	if !ok {
		w = wire.ScheduledMessage{ID: r.Entity}
	}
	return wire.ScheduledResult{Scheduled: w, Position: r.Record.Pos, Again: r.Again}
}

func (s *Service) scheduledCreate(c *Call, p *wire.ScheduledCreate) (wire.ScheduledResult, error) {
	k, err := key(p.Key)
	if err != nil {
		return wire.ScheduledResult{}, err
	}
	if len(p.Files) > wire.MaxFiles {
		return wire.ScheduledResult{}, wire.BadParam("files", "at most 20", "最多 20 个")
	}
	r, err := s.submit(c, &state.CreateScheduled{Scheduled: record.Scheduled{Key: k, Room: p.Room, Text: p.Text, ReplyTo: p.ReplyTo,
		Thread: p.Thread, Files: p.Files, At: p.At}})
	if err != nil {
		return wire.ScheduledResult{}, err
	}
	return s.scheduledResult(r), nil
}

func (s *Service) scheduledList(c *Call, p *wire.ScheduledListParams) (wire.ScheduledList, error) {
	return wire.ScheduledList{Scheduled: s.s.ScheduledOf(c.Actor.User, p.Room)}, nil
}

func (s *Service) scheduledUpdate(c *Call, p *wire.ScheduledUpdate) (wire.ScheduledResult, error) {
	r, err := s.submit(c, &state.UpdateScheduled{Scheduled: p.Scheduled, Text: p.Text, At: p.At})
	if err != nil {
		return wire.ScheduledResult{}, err
	}
	return s.scheduledResult(r), nil
}

func (s *Service) scheduledRemove(c *Call, p *wire.ScheduledParam) (wire.Done, error) {
	return s.done(c, &state.RemoveScheduled{Scheduled: p.Scheduled})
}

func (s *Service) scheduledSend(c *Call, p *wire.ScheduledParam, done func(wire.Sent, error)) error {
	s.q.Go(c.Context, c.Actor.state(), &state.SendScheduled{Scheduled: p.Scheduled, Now: true, Mentions: markup.Mentions}, func(r sequencer.Result, err error) {
		if err != nil {
			done(wire.Sent{}, err)
			return
		}
		done(wire.Sent{ID: r.Ref, Seq: r.Ref.Seq, Position: r.Position(), Time: r.Record.Time}, nil)
	})
	return nil
}
