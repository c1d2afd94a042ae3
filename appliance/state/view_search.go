package state

import (
	"encoding/binary"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// RoomsOf is a copy of the set of rooms an account is a member of.
func (s *State) RoomsOf(uid id.ID) map[id.ID]struct{} {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make(map[id.ID]struct{}, len(s.userRooms[uid]))
	for rid := range s.userRooms[uid] {
		out[rid] = struct{}{}
	}
	return out
}

// Words is what a search looks at of one message.
type Words struct {
	Position uint64
	Time     int64 // ms
	Sender   id.ID
	Text     string
	Files    []record.File
	Gone     bool // taken back
}

// words is nil for a line of the room itself.
func (s *State) words(m *Message) *Words {
	if m.Change != nil {
		return nil
	}
	w := &Words{Position: m.Pos, Time: m.Time, Sender: m.Sender, Text: m.Text, Gone: m.RecalledAt != 0}
	for _, fid := range m.Files {
		if f := s.files[fid]; f != nil {
			w.Files = append(w.Files, f.File)
		}
	}
	return w
}

// Words tells the words of a message as it is now; nil when there is none.
func (s *State) Words(ref id.Message) (w *Words, err error) {
	err = s.reading(func(tx *lookup) error {
		m, err := s.message(tx, ref.Room, ref.Seq)
		if err == nil && m != nil {
			w = s.words(m)
		}
		return err
	})
	return w, err
}

// Sent tells who wrote a message that a record makes, and when.
func Sent(r *record.Record, body *record.MessageSent) (sender id.ID, at int64) {
	m := sent(r, body)
	return m.Sender, m.Time
}

// FilesOf are those of some files that there are.
func (s *State) FilesOf(files []id.ID) (out []record.File) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, fid := range files {
		if f := s.files[fid]; f != nil {
			out = append(out, f.File)
		}
	}
	return out
}

// For is a message that a member of its room asks for; ok is false for
// everybody else.
func (s *State) For(uid id.ID, ref id.Message) (w wire.Message, ok bool, err error) {
	err = s.reading(func(tx *lookup) error {
		r := s.rooms[ref.Room]
		if r == nil || r.members[uid] == nil {
			return nil
		}
		m, err := s.message(tx, ref.Room, ref.Seq)
		if err != nil || m == nil {
			return err
		}
		ok = true
		w, err = s.quoted(tx, ref.Room, ref.Seq, m)
		return err
	})
	return w, ok, err
}

// eachChunk is how many entries EachEntry reads in one transaction.
const eachChunk = 4096

// EachEntry visits the flushed entries of all timelines with a position above
// after and not above to, in the order of rooms, until visit returns false. It
// takes a few microseconds an entry, and no lock: entries flushed meanwhile may
// be visited or not.
func (s *State) EachEntry(after, to uint64, visit func(pos uint64, ref id.Message) bool) error {
	key := []byte{}
	for key != nil {
		tx, err := s.db.begin("scan")
		if err != nil {
			return err
		}
		c := tx.Bucket([]byte(bMessages)).Cursor()
		k, v := c.Seek(key)
		n := 0
		for ; k != nil && n < eachChunk; k, v = c.Next() {
			n++
			var m Message
			if err = s.unseal(bMessages, k, v, &m); err != nil {
				break
			}
			if m.Pos > after && m.Pos <= to && !visit(m.Pos, id.Message{Room: idAt(k, 0), Seq: binary.BigEndian.Uint64(k[8:])}) {
				k = nil
				break
			}
		}
		key = append([]byte(nil), k...)
		if k == nil {
			key = nil
		}
		_ = tx.Rollback()
		if err != nil {
			return err
		}
	}
	return nil
}

// NameOf is the name that a mention of a canonical login shows; empty when
// nobody has it.
func (s *State) NameOf(login string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if u := s.users[s.logins[login]]; u != nil {
		return u.Name
	}
	return ""
}
