package chat

import (
	"sync"

	"posthouse/appliance/id"
	"posthouse/appliance/markup"
	"posthouse/appliance/record"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// importTable binds the methods that bring over another system's archive.
func (s *Service) importTable(t map[string]method) {
	bind(t, "import.limits", s.importLimits)
	bind(t, "import.people", s.importPeople)
	bind(t, "import.rooms", s.importRooms)
	bind(t, "import.files", s.importFiles)
	bind(t, "import.messages", s.importMessages)
	bind(t, "import.open", s.importOpen)
}

func importCount(field string, n int) error {
	if n < 1 || n > wire.MaxImport {
		return wire.BadParam(field, "1 to 500 entries", "1 到 500 项")
	}
	return nil
}

func (s *Service) importLimits(_ *Call, _ *wire.Empty) (wire.ImportLimits, error) {
	l := s.s.Limits()
	return wire.ImportLimits{UserQuota: l.UserQuota, RoomQuota: l.RoomQuota, FileBytes: l.UploadBytes, TextBytes: l.MessageBytes,
		RoomMembers: l.MembersPerRoom, UserRooms: l.RoomsPerUser}, nil
}

func (s *Service) importPeople(c *Call, p *wire.ImportPeople) (wire.ImportRows, error) {
	out := wire.ImportRows{Rows: []wire.ImportFound{}}
	if err := importCount("people", len(p.People)); err != nil {
		return out, err
	}
	for _, who := range p.People {
		r, err := s.submit(c, &state.ImportAccount{User: record.User{Login: who.Login, Name: who.Name, Title: who.Title, Email: who.Email,
			Phone: who.Phone, Bot: who.Bot, Disabled: who.Disabled, Created: who.Created}})
		row := wire.ImportFound{}
		if body, ok := r.Body.(*record.AccountOpened); ok && err == nil {
			row.ID = body.User.ID
		}
		if err != nil {
			e := refusal(c, err)
			if e.Cause != nil || e.Kind == wire.Unavailable {
				return out, err
			}
			row.Reason = e.Text.In(c.Lang)
		}
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}

func (s *Service) importRooms(c *Call, p *wire.ImportRooms) (wire.ImportRoomRows, error) {
	out := wire.ImportRoomRows{Rows: []wire.ImportRoomRow{}}
	if err := importCount("rooms", len(p.Rooms)); err != nil {
		return out, err
	}
	for i := range p.Rooms {
		row, err := s.importRoom(c, &p.Rooms[i], p.DryRun)
		if err != nil {
			e := refusal(c, err)
			if e.Cause != nil || e.Kind == wire.Unavailable {
				return out, err
			}
			row.Reason = e.Text.In(c.Lang)
		}
		out.Rows = append(out.Rows, row)
	}
	return out, nil
}

func (s *Service) importRoom(c *Call, p *wire.ImportedRoom, dry bool) (row wire.ImportRoomRow, err error) {
	cmd := &state.ImportRoom{Form: p.Kind, Name: p.Name, Topic: p.Topic, Created: p.Created, By: p.By}
	if p.Kind == wire.Direct || p.Kind == wire.Notes {
		if len(p.Pair) != 2 || (p.Pair[0] == p.Pair[1]) != (p.Kind == wire.Notes) {
			return row, wire.BadParam("pair", "two people; for notes the same one twice", "两个账号；notes 为同一人两次")
		}
		cmd.Pair = [2]id.ID(p.Pair)
		row.Room = s.s.Pair(cmd.Pair[0], cmd.Pair[1])
	} else {
		if cmd.Key, err = key(p.Key); err != nil {
			return row, err
		}
		if row.Room, err = s.s.ImportedRoom(cmd.Key); err != nil {
			return row, err
		}
	}
	if row.Room == 0 && !dry {
		r, err := s.submit(c, cmd)
		if err != nil {
			return row, err
		}
		row.Room, row.Made = r.Room, !r.Again
	}
	if row.Room != 0 {
		takes, err := s.s.Receiving(row.Room)
		if err != nil {
			return row, err
		}
		row.Busy = !takes
	}
	return row, nil
}

func (s *Service) importFiles(_ *Call, p *wire.ImportFiles) (wire.ImportRows, error) {
	out := wire.ImportRows{Rows: []wire.ImportFound{}}
	if err := importCount("names", len(p.Names)); err != nil {
		return out, err
	}
	uploads := make([]string, len(p.Names))
	for i, name := range p.Names {
		uploads[i] = wire.ImportUpload(name)
	}
	for _, fid := range s.s.ImportedFiles(uploads) {
		out.Rows = append(out.Rows, wire.ImportFound{ID: fid})
	}
	return out, nil
}

func importCommand(room id.ID, m *wire.ImportMessage) (*state.ImportMessage, error) {
	cmd := &state.ImportMessage{Room: room, Sender: m.Sender, At: m.At, Text: m.Text, Files: m.Files}
	var err error
	if cmd.Key, err = key(m.Key); err != nil {
		return nil, err
	}
	if m.Thread != "" {
		if cmd.Thread, err = key(m.Thread); err != nil {
			return nil, err
		}
	}
	if len(m.Files) > wire.MaxFiles {
		return nil, wire.BadParam("files", "at most 20", "最多 20 个")
	}
	cmd.Logins, _ = markup.Mentions(m.Text)
	if m.EditedAt != 0 || m.PinnedAt != 0 || len(m.Reactions) > 0 {
		past := &record.Imported{EditedAt: m.EditedAt, PinnedAt: m.PinnedAt}
		for _, x := range m.Reactions {
			past.Reactions = append(past.Reactions, record.Reaction{Emoji: x.Emoji, Users: x.Users})
		}
		cmd.Imported = past
	}
	return cmd, nil
}

// importMessages hands all of a call to the sequencer at once, which keeps
// their order and makes few batches of them.
func (s *Service) importMessages(c *Call, p *wire.ImportMessages) (wire.ImportDone, error) {
	out := wire.ImportDone{}
	if err := importCount("messages", len(p.Messages)); err != nil {
		return out, err
	}
	errs := make([]error, len(p.Messages))
	results := make([]sequencer.Result, len(p.Messages))
	var all sync.WaitGroup
	for i := range p.Messages {
		cmd, err := importCommand(p.Room, &p.Messages[i])
		if err != nil {
			errs[i] = err
			continue
		}
		all.Add(1)
		s.q.Go(c.Context, c.Actor.state(), cmd, func(r sequencer.Result, err error) {
			results[i], errs[i] = r, err
			all.Done()
		})
	}
	all.Wait()
	for i, err := range errs {
		switch {
		case err != nil:
			e := refusal(c, err)
			if e.Cause != nil || e.Kind == wire.Unavailable {
				return out, err
			}
			out.Refused = append(out.Refused, wire.ImportRefusal{Index: i, Kind: e.Kind, Reason: e.Text.In(c.Lang)})
		case results[i].Again:
			out.Again++
		default:
			out.Added++
		}
		out.Position = max(out.Position, results[i].Position())
	}
	return out, nil
}

func (s *Service) importOpen(c *Call, p *wire.ImportOpen) (wire.Done, error) {
	if !p.Archived {
		if _, err := s.submit(c, &state.UnarchiveImport{Room: p.Room}); err != nil {
			return wire.Done{}, err
		}
	}
	return s.done(c, &state.OpenImport{Room: p.Room, Owners: p.Owners, Users: p.Users})
}
