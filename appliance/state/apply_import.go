package state

import (
	"posthouse/appliance/id"
	"posthouse/appliance/record"
)

// importedAs gives an imported message the author, the time and the past that
// it had elsewhere.
func importedAs(m *Message, body *record.MessageSent) {
	m.Imported, m.Sender, m.Time = true, body.Sender, body.At
	past := body.Imported
	if past == nil {
		return
	}
	if past.EditedAt != 0 {
		m.Edits, m.EditedAt = 1, past.EditedAt
	}
	if past.PinnedAt != 0 {
		m.PinnedAt = past.PinnedAt
	}
	for _, x := range past.Reactions {
		m.Reactions = append(m.Reactions, Reaction{Emoji: x.Emoji, Users: x.Users})
	}
}

// applyImported is the rest of applyMessage for an imported message. Its key
// belongs to the operator; members, if there are any yet, have read it; it
// mentions nobody anew.
func (s *State) applyImported(r *record.Record, rm *room, m *Message, body *record.MessageSent) {
	s.tail.keys[clientKey{[16]byte(body.Key), 0}] = keyRef{Room: body.Room, Seq: body.Seq}
	for uid := range rm.members {
		s.moveRead(roomUser{body.Room, uid}, body.Seq, body.Count, r.Time)
	}
	if m.PinnedAt != 0 {
		s.setPin(rm, body.Seq, true)
	}
	for _, fid := range body.Files {
		s.countFile(fid, rm, +1, r.Time)
	}
}

// ImportedRoom is the room that the import key made; zero when there is none.
func (s *State) ImportedRoom(key []byte) (room id.ID, err error) {
	err = s.reading(func(tx *lookup) error {
		ref, err := s.clientKey(tx, clientKey{[16]byte(key), 0})
		if ref.Seq == 0 {
			room = ref.Room
		}
		return err
	})
	return room, err
}

// ImportedFiles finds files by the names that an import gave their uploads;
// zero for those that are not there.
func (s *State) ImportedFiles(uploads []string) []id.ID {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]id.ID, len(uploads))
	for i, u := range uploads {
		out[i] = s.uploads[u]
	}
	return out
}

// Receiving reports whether a room takes imported messages: nobody has written
// in it yet, so that all of its messages are imported ones.
func (s *State) Receiving(rid id.ID) (ok bool, err error) {
	err = s.reading(func(tx *lookup) error {
		r := s.rooms[rid]
		if r == nil {
			return nil
		}
		ok, err = s.receiving(tx, r)
		return err
	})
	return ok, err
}

// lineSteps bounds how many lines of the room itself are passed on the way to
// its newest message.
const lineSteps = 1000

func (s *State) receiving(tx *lookup, r *room) (bool, error) {
	if r.head.Count == 0 {
		return true, nil
	}
	for seq, steps := r.head.Seq, 0; seq > 0 && steps < lineSteps; seq, steps = seq-1, steps+1 {
		m, err := s.mustMessage(tx, r.rec.ID, seq)
		if err != nil {
			return false, err
		}
		if m.Change == nil {
			return m.Imported, nil
		}
	}
	return false, nil
}

// Pair is the direct room of two accounts, or the notes of one; zero when
// there is none.
func (s *State) Pair(a, b id.ID) id.ID {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.directs[pair{min(a, b), max(a, b)}]
}
