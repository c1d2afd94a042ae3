package state

import (
	"slices"
	"strings"

	"posthouse/appliance/id"
	"posthouse/appliance/pinyin"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// EachMember calls yield with the members of a room, in no order, until it
// returns false. yield must not call the state.
func (s *State) EachMember(rid id.ID, yield func(id.ID) bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.rooms[rid]; r != nil {
		for uid := range r.members {
			if !yield(uid) {
				return
			}
		}
	}
}

// IsMember reports whether an account is a member of a room.
func (s *State) IsMember(rid, uid id.ID) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.rooms[rid]
	return r != nil && r.members[uid] != nil
}

// Written is how many messages are in a room.
func (s *State) Written(rid id.ID) uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.rooms[rid]; r != nil {
		return r.head.Count
	}
	return 0
}

// MemberCount is the number of members; 0 when there is no such room.
func (s *State) MemberCount(rid id.ID) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.rooms[rid]; r != nil {
		return len(r.members)
	}
	return 0
}

// view makes the room as an account sees it; the caller holds the lock.
func (s *State) view(tx *lookup, r *room, uid id.ID) (wire.Room, error) {
	rec := r.rec
	w := wire.Room{ID: rec.ID, Kind: wire.RoomKind(rec.Form), Name: rec.Name, Topic: rec.Topic, Created: rec.Created,
		CreatedBy: rec.CreatedBy, Archived: rec.Archived, Members: len(r.members), Head: r.head.Seq, Position: r.head.Pos}
	m := r.members[uid]
	if m == nil {
		return w, nil
	}
	w.MyRole = wire.MemberRole(m.Role)
	if rec.Form == string(wire.Direct) {
		if w.Peer = rec.Low; uid == rec.Low {
			w.Peer = rec.High
		}
	}
	var read readMark
	if k := s.reads[roomUser{rec.ID, uid}]; k != nil {
		read = *k
	}
	w.MyRead = read.Seq
	w.Unread = r.head.Count - min(read.Count, r.head.Count)
	w.MentionsNew = len(read.Mentions)
	for _, seq := range r.extra.Alls {
		if seq > read.Seq && !slices.Contains(read.Mentions, seq) {
			w.MentionsNew++
		}
	}
	if r.head.Seq > 0 {
		last, err := s.message(tx, rec.ID, r.head.Seq)
		if err != nil {
			return w, err
		}
		if last != nil {
			v := s.wireMessage(rec.ID, r.head.Seq, last)
			w.Last = &v
		}
	}
	return w, nil
}

// Room is a room as a member sees it, or as anyone may if it can be joined.
// With any, also for those who may not see it.
func (s *State) Room(rid, uid id.ID, any bool) (w wire.Room, ok bool, err error) {
	err = s.reading(func(tx *lookup) error {
		r := s.rooms[rid]
		if r == nil || r.members[uid] == nil && !any && !joinable(r) {
			return nil
		}
		ok = true
		w, err = s.view(tx, r, uid)
		return err
	})
	return w, ok, err
}

func joinable(r *room) bool {
	return (r.rec.Form == string(wire.Channel) || r.rec.Form == string(wire.Announcement)) && !r.rec.Archived
}

// Rooms lists an account's rooms, newest entry first, and the position at
// which the list is true.
func (s *State) Rooms(uid id.ID) (list []wire.Room, position uint64, err error) {
	list = []wire.Room{}
	err = s.reading(func(tx *lookup) error {
		position = s.applied
		for rid := range s.userRooms[uid] {
			w, err := s.view(tx, s.rooms[rid], uid)
			if err != nil {
				return err
			}
			list = append(list, w)
		}
		return nil
	})
	slices.SortFunc(list, func(a, b wire.Room) int {
		if a.Position != b.Position {
			if a.Position > b.Position {
				return -1
			}
			return 1
		}
		return cmpID(a.ID, b.ID)
	})
	return list, position, err
}

// Discover lists rooms by name that an account is not in and may join; with
// all, every room.
func (s *State) Discover(p wire.DiscoverParams, uid id.ID, all bool) (list []wire.Room, err error) {
	list = []wire.Room{}
	q := s.names.reader.Query(p.Query)
	err = s.reading(func(tx *lookup) error {
		var found []*room
		for _, r := range s.rooms {
			if (all || joinable(r) && r.members[uid] == nil) && s.names.rank(r.rec.Name, "", q) < pinyin.None {
				found = append(found, r)
			}
		}
		slices.SortFunc(found, func(a, b *room) int {
			if c := strings.Compare(strings.ToLower(a.rec.Name), strings.ToLower(b.rec.Name)); c != 0 {
				return c
			}
			return cmpID(a.rec.ID, b.rec.ID)
		})
		for _, r := range found[:min(len(found), p.Limit)] {
			w, err := s.view(tx, r, uid)
			if err != nil {
				return err
			}
			list = append(list, w)
		}
		return nil
	})
	return list, err
}

// Members lists members by ID after one of them.
func (s *State) Members(p wire.MembersParams) wire.MemberList {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := wire.MemberList{Members: []wire.RoomMember{}}
	r := s.rooms[p.Room]
	if r == nil {
		return out
	}
	q := s.names.reader.Query(p.Query)
	ids := make([]id.ID, 0, len(r.members))
	for uid, m := range r.members {
		if uid > p.After && (p.Role == "" || m.Role == string(p.Role)) && s.called(s.users[uid], q) {
			ids = append(ids, uid)
		}
	}
	slices.Sort(ids)
	out.More = len(ids) > p.Limit
	for _, uid := range ids[:min(len(ids), p.Limit)] {
		m := r.members[uid]
		w := wire.RoomMember{User: uid, Role: wire.MemberRole(m.Role), Since: m.Since}
		if k := s.reads[roomUser{p.Room, uid}]; k != nil {
			w.Read, w.ReadAt = k.Seq, k.at()
		}
		out.Members = append(out.Members, w)
	}
	return out
}

// ReadMark is an account's read mark in a room and what is unread after it.
func (s *State) ReadMark(rid, uid id.ID) (seq, unread uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.rooms[rid]
	if r == nil {
		return 0, 0
	}
	var count uint64
	if k := s.reads[roomUser{rid, uid}]; k != nil {
		seq, count = k.Seq, k.Count
	}
	return seq, r.head.Count - min(count, r.head.Count)
}

// ---- files --------------------------------------------------------------------

func wireFile(f *record.File) wire.File {
	const hex = "0123456789abcdef"
	sum := make([]byte, 0, 64)
	for _, b := range f.SHA256 {
		sum = append(sum, hex[b>>4], hex[b&15])
	}
	return wire.File{ID: f.ID, Name: f.Name, Size: f.Size, Type: f.Type, SHA256: string(sum), Width: f.Width, Height: f.Height,
		Duration: f.Duration, Voice: f.Voice, Owner: f.Owner, Created: f.Created}
}

// mayRead: the uploader, members of a room where it stands, and everybody
// when it is somebody's picture.
func (s *State) mayRead(uid id.ID, f *fileState) bool {
	if f.File.Owner == uid || f.Avatars > 0 {
		return true
	}
	for _, ref := range f.Rooms {
		if r := s.rooms[ref.Room]; r != nil && r.members[uid] != nil {
			return true
		}
	}
	return false
}

// File is a file that an account may read.
func (s *State) File(fid, uid id.ID) (record.File, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	f := s.files[fid]
	if f == nil || !s.mayRead(uid, f) {
		return record.File{}, false
	}
	return f.File, true
}

// WireFile is a file as it travels.
func WireFile(f record.File) wire.File { return wireFile(&f) }

// AllowUpload checks size and quota before an upload.
func (s *State) AllowUpload(uid id.ID, size int64) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.allowUpload(uid, size)
}

// Usage is the storage used by an account or room that the caller may ask
// about.
func (s *State) Usage(subject, caller id.ID, any bool) (wire.Usage, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.rooms[subject]; r != nil && (any || r.members[caller] != nil) {
		return wire.Usage{Subject: subject, Files: r.files, Bytes: r.bytes, Quota: s.opt.Limits.RoomQuota}, true
	}
	if s.users[subject] != nil && (any || subject == caller) {
		return wire.Usage{Subject: subject, Files: s.userFiles[subject], Bytes: s.userBytes[subject], Quota: s.opt.Limits.UserQuota}, true
	}
	return wire.Usage{}, false
}

// Content reports whether any file has this SHA-256.
func (s *State) Content() map[[32]byte]struct{} {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make(map[[32]byte]struct{}, len(s.files))
	for _, f := range s.files {
		out[[32]byte(f.File.SHA256)] = struct{}{}
	}
	return out
}
