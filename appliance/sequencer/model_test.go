package sequencer_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"posthouse/appliance/id"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// model is what a room must show, kept the simplest way there is.
type model struct {
	members map[id.ID]bool
	entries []entry
	read    map[id.ID]int
}

type entry struct {
	sender    id.ID
	text      string
	line      bool // written by the room itself
	recalled  bool
	revisions []string
	likes     map[id.ID]bool
	mentions  []id.ID
	notice    bool // shows a notice
}

func (m *model) unread(u id.ID) (n uint64, mentions int) {
	for i, e := range m.entries {
		if i >= m.read[u] && !e.line {
			n++
			if slices.Contains(e.mentions, u) && e.sender != u {
				mentions++
			}
		}
	}
	return n, mentions
}

type world struct {
	*office
	rt     *rapid.T
	people []id.ID
	names  []string
	rooms  []id.ID
	m      map[id.ID]*model
	keys   map[string][]byte // "person room text" → client key
	asks   map[id.ID]*asking
	later  map[id.ID]waiting
}

// Random commands against a map: after any of them, over flushes, restarts and
// a state file that is rebuilt from nothing, the box shows what the map says.
func TestRandomCommandsAgainstAMap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "office")
		if err != nil {
			rt.Fatal(err)
		}
		w := &world{office: &office{t: t, dir: dir}, rt: rt, m: map[id.ID]*model{}, keys: map[string][]byte{}, asks: map[id.ID]*asking{}, later: map[id.ID]waiting{}}
		w.open(state.Limits{})
		defer w.close()
		for i := range 4 {
			w.names = append(w.names, fmt.Sprint("p", i))
			w.people = append(w.people, w.person(w.names[i]))
		}
		for i := range 2 {
			r := w.room(w.people[0], wire.Group, fmt.Sprint("r", i), w.people[1])
			w.rooms = append(w.rooms, r)
			w.m[r] = &model{members: map[id.ID]bool{w.people[0]: true, w.people[1]: true}, read: map[id.ID]int{w.people[0]: 0, w.people[1]: 0},
				entries: []entry{{sender: w.people[0], text: "created", line: true}}}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"send": w.opSend, "edit": w.opEdit, "recall": w.opRecall, "react": w.opReact, "read": w.opRead,
			"notice": w.opNotice, "confirm": w.opConfirm, "close": w.opClose, "schedule": w.opSchedule, "fire": w.opFire,
			"add": w.opAdd, "remove": w.opRemove, "restart": w.opRestart, "": func(*rapid.T) { w.compare() },
		})
	})
}

func (w *world) pick(rt *rapid.T) (who id.ID, room id.ID, m *model) {
	who = rapid.SampledFrom(w.people).Draw(rt, "who")
	room = rapid.SampledFrom(w.rooms).Draw(rt, "room")
	return who, room, w.m[room]
}

// want checks whether a command was refused as the model expects.
func (w *world) want(rt *rapid.T, ok bool, err error) bool {
	var refusal *wire.Error
	if err != nil && !errors.As(err, &refusal) {
		rt.Fatalf("a fault: %v", err)
	}
	if (err == nil) != ok {
		rt.Fatalf("allowed: %v, but the answer was %v", ok, err)
	}
	return ok
}

func (w *world) opSend(rt *rapid.T) {
	who, room, m := w.pick(rt)
	text := rapid.SampledFrom([]string{"a", "b", "你好", "c"}).Draw(rt, "text")
	tag := fmt.Sprint(who, room, text)
	if w.keys[tag] == nil || rapid.Bool().Draw(rt, "new key") {
		w.keys[tag] = newKey()
	}
	mention := rapid.IntRange(-1, 3).Draw(rt, "mention")
	c := &state.SendMessage{Room: room, Key: w.keys[tag], Text: text}
	e := entry{sender: who, text: text, likes: map[id.ID]bool{}}
	if mention >= 0 {
		c.Logins = []string{w.names[mention]}
		if m.members[w.people[mention]] {
			e.mentions = []id.ID{w.people[mention]}
		}
	}
	r, err := w.try(who, c)
	if err == nil && r.Again {
		if old := m.entries[r.Ref.Seq-1]; old.sender != who || old.text != text && !old.recalled && len(old.revisions) == 0 {
			rt.Fatalf("a used key answered with entry %d, %+v", r.Ref.Seq, old)
		}
		return
	}
	if !w.want(rt, m.members[who], err) {
		return
	}
	m.entries = append(m.entries, e)
	m.read[who] = len(m.entries)
	if int(r.Ref.Seq) != len(m.entries) {
		rt.Fatalf("number %d, want %d", r.Ref.Seq, len(m.entries))
	}
}

func (w *world) target(rt *rapid.T) (who id.ID, m *model, ref id.Message, e *entry) {
	who, room, m := w.pick(rt)
	n := rapid.IntRange(1, len(m.entries)).Draw(rt, "entry")
	return who, m, id.Message{Room: room, Seq: uint64(n)}, &m.entries[n-1]
}

func (w *world) opEdit(rt *rapid.T) {
	who, m, ref, e := w.target(rt)
	text := rapid.SampledFrom([]string{"e1", "e2"}).Draw(rt, "text")
	_, err := w.try(who, &state.EditMessage{Message: ref, Text: text})
	if w.want(rt, m.members[who] && !e.line && e.sender == who && !e.recalled && !e.notice, err) && e.text != text {
		e.revisions = append(e.revisions, e.text)
		e.text, e.mentions = text, nil
	}
}

func (w *world) opRecall(rt *rapid.T) {
	who, m, ref, e := w.target(rt)
	_, err := w.try(who, &state.RecallMessage{Message: ref})
	owner := who == w.people[0]
	if w.want(rt, m.members[who] && !e.line && (e.sender == who || owner || e.recalled), err) {
		e.recalled, e.text, e.revisions, e.likes, e.mentions = true, "", nil, nil, nil
	}
}

func (w *world) opReact(rt *rapid.T) {
	who, m, ref, e := w.target(rt)
	on := rapid.Bool().Draw(rt, "on")
	_, err := w.try(who, &state.React{Message: ref, Emoji: "👍", On: on})
	if w.want(rt, m.members[who] && !e.line && !e.recalled, err) {
		if delete(e.likes, who); on {
			e.likes[who] = true
		}
	}
}

func (w *world) opRead(rt *rapid.T) {
	who, room, m := w.pick(rt)
	seq := rapid.IntRange(0, len(m.entries)+1).Draw(rt, "seq")
	_, err := w.try(who, &state.MarkRead{Room: room, Seq: uint64(seq)})
	if w.want(rt, m.members[who] && seq <= len(m.entries), err) {
		m.read[who] = max(m.read[who], seq)
	}
}

func (w *world) opAdd(rt *rapid.T) {
	who, room, m := w.pick(rt)
	whom := rapid.SampledFrom(w.people).Draw(rt, "whom")
	_, err := w.try(who, &state.AddMembers{Room: room, Users: []id.ID{whom}})
	if w.want(rt, m.members[who], err) && !m.members[whom] {
		m.members[whom], m.read[whom] = true, len(m.entries)
		m.entries = append(m.entries, entry{sender: who, line: true})
	}
}

func (w *world) opRemove(rt *rapid.T) {
	who, room, m := w.pick(rt)
	whom := rapid.SampledFrom(w.people[1:]).Draw(rt, "whom")
	_, err := w.try(who, &state.RemoveMembers{Room: room, Users: []id.ID{whom}})
	if w.want(rt, who == w.people[0], err) && m.members[whom] {
		delete(m.members, whom)
		delete(m.read, whom)
		m.entries = append(m.entries, entry{sender: who, line: true})
	}
}

func (w *world) opRestart(rt *rapid.T) {
	switch rapid.SampledFrom([]string{"reopen", "rebuild"}).Draw(rt, "how") {
	case "reopen":
		w.reopen()
	case "rebuild":
		w.close()
		if err := os.Remove(filepath.Join(w.dir, "state.db")); err != nil {
			rt.Fatal(err)
		}
		w.open(state.Limits{})
	}
}

func (w *world) compare() {
	w.compareNotices()
	for room, m := range w.m {
		page, err := w.s.History(wire.HistoryParams{Room: room, FromStart: true, Limit: 1000})
		if err != nil || len(page.Messages) != len(m.entries) {
			w.rt.Fatalf("%d entries (%v), want %d", len(page.Messages), err, len(m.entries))
		}
		for i, got := range page.Messages {
			e := m.entries[i]
			likes := 0
			for _, r := range got.Reactions {
				likes += len(r.Users)
			}
			if got.Sender != e.sender || (got.Change != nil) != e.line || (got.Recalled != nil) != e.recalled ||
				!e.line && got.Text != e.text || likes != len(e.likes) || got.Edits != len(e.revisions) && !e.recalled {
				w.rt.Fatalf("entry %d shows %+v, want %+v", i+1, got, e)
			}
		}
		for _, p := range w.people {
			r, ok, err := w.s.Room(room, p, false)
			if err != nil || ok != m.members[p] {
				w.rt.Fatalf("member %v (%v), want %v", ok, err, m.members[p])
			}
			if n, mentions := m.unread(p); ok && (r.Unread != n || r.MentionsNew != mentions) {
				w.rt.Fatalf("unread %d with %d mentions, want %d with %d", r.Unread, r.MentionsNew, n, mentions)
			}
		}
	}
}
