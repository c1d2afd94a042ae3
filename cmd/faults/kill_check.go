package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"sync"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// follower only listens. Its stream must have every message once, in order.
type follower struct {
	r *run
	c *client.Client

	mu    sync.Mutex
	heads map[id.ID]uint64
	seen  map[id.Message]string // text when it arrived
}

func newFollower(r *run) *follower {
	return &follower{r: r, heads: map[id.ID]uint64{}, seen: map[id.Message]string{}}
}

func (f *follower) event(e client.Event) {
	m, ok := e.Data.(*wire.Message)
	if !ok || e.Type != wire.EventMessage {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if had, known := f.heads[m.Room]; known && m.Seq != had+1 {
		f.r.violation("follower: message %d of room %s came after %d", m.Seq, m.Room, had)
	}
	f.heads[m.Room] = m.Seq
	f.seen[id.Message{Room: m.Room, Seq: m.Seq}] = m.Text
}

// uploads carries files for the first client, each until it is answered.
func (u *killUser) uploads(ctx context.Context) {
	rng := u.k.rng(2000)
	for i := 0; ctx.Err() == nil; i++ {
		content := make([]byte, 1+rng.IntN(200<<10))
		for j := range content {
			content[j] = byte(rng.Uint32())
		}
		location := ""
		for ctx.Err() == nil {
			f, err := u.c.HTTP.UploadFile(ctx, bytes.NewReader(content), client.Upload{Name: fmt.Sprintf("file %d.bin", i), Chunk: 32 << 10,
				Location: location, Started: func(at string) { location = at }})
			if err == nil {
				u.mu.Lock()
				u.files = append(u.files, killFile{f, sha256.Sum256(content)})
				u.mu.Unlock()
				break
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(30 * time.Millisecond):
		}
	}
}

// check reads everything back and compares it with what was answered.
func (k *killer) check() error {
	k.settle()
	histories := map[id.ID][]wire.Message{}
	for _, room := range k.rooms {
		list, err := k.history(room)
		if err != nil {
			return err
		}
		histories[room.id] = list
	}
	for _, u := range k.uses {
		k.checkUser(u, histories)
		k.checkClock(u, histories)
	}
	k.checkFiles()
	k.checkFollower(histories)
	return nil
}

// history reads a room from its start; its numbers must be 1, 2, 3 … head.
func (k *killer) history(room killRoom) (all []wire.Message, err error) {
	h, err := k.srv.http(k.people[room.members[0]].token)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	for after := uint64(0); ; {
		var page wire.History
		if err := h.Call(k.ctx, "room.history", wire.HistoryParams{Room: room.id, After: after, FromStart: after == 0, Limit: 200}, &page); err != nil {
			return nil, fmt.Errorf("read history: %w", err)
		}
		for _, m := range page.Messages {
			if m.Seq != after+1 {
				k.violation("room %s: entry %d stands after %d", room.id, m.Seq, after)
			}
			after = m.Seq
			all = append(all, m)
		}
		if len(page.Messages) == 0 || !page.More {
			if after != page.Head {
				k.violation("room %s ends at %d, its head is %d", room.id, after, page.Head)
			}
			return all, nil
		}
	}
}

func (k *killer) checkUser(u *killUser, histories map[id.ID][]wire.Message) {
	times := map[string]int{}
	for _, list := range histories {
		for _, m := range list {
			if m.Sender == k.people[u.n].id {
				times[m.Key]++
			}
		}
	}
	last := map[id.ID]uint64{}
	for i, m := range u.sent {
		n := times[m.key]
		if m.seq == 0 {
			if n > 1 {
				k.violation("client %d: message %d, never answered, is there %d times", u.n, i, n)
			}
			continue
		}
		list := histories[m.room]
		switch {
		case n != 1:
			k.violation("client %d: acknowledged message %d (room %s, number %d) is there %d times", u.n, i, m.room, m.seq, n)
			continue
		case m.seq > uint64(len(list)) || list[m.seq-1].Key != m.key:
			k.violation("client %d: acknowledged message %d is not at number %d of room %s", u.n, i, m.seq, m.room)
			continue
		case m.seq <= last[m.room]:
			k.violation("client %d: message %d has number %d, after %d", u.n, i, m.seq, last[m.room])
		}
		last[m.room] = m.seq
		k.checkMessage(u, m, &list[m.seq-1])
	}
	for room, seq := range u.read {
		var got wire.RoomResult
		if err := u.c.HTTP.Call(k.ctx, "room.get", wire.RoomParam{Room: room}, &got); err != nil || got.Room.MyRead < seq {
			k.violation("client %d: read up to %d of room %s was acknowledged, it is at %d (%v)", u.n, seq, room, got.Room.MyRead, err)
		}
	}
}

func (k *killer) checkMessage(u *killUser, m *killMessage, got *wire.Message) {
	if got.Position != m.position {
		k.violation("message %d of room %s: position %d was acknowledged, it is %d", m.seq, m.room, m.position, got.Position)
	}
	allowed := map[string]bool{m.text: true}
	for _, e := range m.edits {
		if e.sure {
			clear(allowed)
		}
		allowed[e.what] = true
	}
	if !allowed[got.Text] {
		k.violation("message %d of room %s says %q", m.seq, m.room, got.Text)
	}
	if m.file != 0 && (len(got.Files) != 1 || got.Files[0].ID != m.file) {
		k.violation("message %d of room %s has lost its file", m.seq, m.room)
	}
	has := map[string]bool{}
	for _, r := range got.Reactions {
		has[r.Emoji] = true
	}
	for _, l := range m.likes {
		if l.sure && !has[l.what] {
			k.violation("message %d of room %s: an acknowledged reaction is gone", m.seq, m.room)
		}
	}
}

func (k *killer) checkFiles() {
	u := k.uses[0]
	for _, f := range u.files {
		var b bytes.Buffer
		if _, err := u.c.HTTP.Download(k.ctx, f.f, &b, 0); err != nil || sha256.Sum256(b.Bytes()) != f.sum {
			k.violation("file %s, whose upload was acknowledged: %d bytes of %d, %v", f.f.ID, b.Len(), f.f.Size, err)
		}
	}
}

// checkFollower waits until the follower has seen everything, and compares.
func (k *killer) checkFollower(histories map[id.ID][]wire.Message) {
	f := k.follow
	for _, room := range k.rooms[:killGroups] {
		head := uint64(len(histories[room.id]))
		for until := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
			f.mu.Lock()
			at := f.heads[room.id]
			f.mu.Unlock()
			if at >= head {
				break
			}
			if time.Now().After(until) {
				k.violation("follower: stands at %d of %d in room %s", at, head, room.id)
				break
			}
		}
	}
	f.mu.Lock()
	seen := maps.Clone(f.seen)
	f.mu.Unlock()
	// Read again: what was on its way when the clients were stopped may have
	// arrived after the first reading.
	now := map[id.ID][]wire.Message{}
	for _, room := range k.rooms[:killGroups] {
		list, err := k.history(room)
		if err != nil {
			k.violation("%v", err)
			return
		}
		now[room.id] = list
	}
	for ref, text := range seen {
		list := now[ref.Room]
		if ref.Seq > uint64(len(list)) {
			k.violation("follower: was shown message %d of room %s, which does not exist", ref.Seq, ref.Room)
		} else if m := &list[ref.Seq-1]; m.Text != text && m.Edits == 0 {
			k.violation("follower: was shown %q as message %d of room %s, which says %q", text, ref.Seq, ref.Room, m.Text)
		}
	}
	if st := f.c.Stats(); st.Gaps > 0 {
		k.violation("follower: the server left %d holes in its stream (%+v)", st.Gaps, st)
	}
}
