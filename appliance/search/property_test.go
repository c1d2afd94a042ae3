package search_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"posthouse/appliance/fold"
	"posthouse/appliance/id"
	"posthouse/appliance/markup"
	"posthouse/appliance/search"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// world is what the test knows of an office: who is where and what stands there.
type world struct {
	*office
	dice   *rand.Rand
	fold   *fold.Folder
	people []id.ID
	rooms  []id.ID
	in     map[id.ID]map[id.ID]bool // by room
	msgs   []*said
	papers []string
}

// said is a message as it is now.
type said struct {
	ref   id.Message
	by    id.ID
	text  string
	files []string
	texts []string // of documents
	gone  bool

	forwarded bool
}

func (w *world) pick(n int) int { return w.dice.IntN(n) }

var pieces = strings.Fields("今天 下午 三号 车间 開會 请 準時 的 了 是 好 report ready Test make-build x A1 ＯＫ 完成。 「你好」 😀 é CAFÉ 12:30 @all @p1 " +
	"**bold** _it_ `a*b` [手册](https://wiki.example/x) https://b.example/ok?q=1 ~~old~~ - 1. > ``` naïve 한국어 ﬁn")

// saying makes a random text with some structure.
func (w *world) saying() string {
	var b strings.Builder
	for range 1 + w.pick(12) {
		b.WriteString(pieces[w.pick(len(pieces))])
		b.WriteString([]string{"", "", " ", " ", "\n", "，"}[w.pick(6)])
	}
	if strings.TrimSpace(b.String()) == "" {
		return "空"
	}
	return b.String()
}

// visible are the texts of a message of which a reader can select parts.
func (m *said) visible() []string {
	shown, _ := markup.Shown(m.text, nil)
	return slices.Concat([]string{shown, markup.Plain(m.text)}, m.files, m.texts)
}

// paper is the text of a new document or of one that was there before.
func (w *world) paper() string {
	if len(w.papers) == 0 || w.pick(3) > 0 {
		var b strings.Builder
		for range 1 + w.pick(30) {
			b.WriteString(w.saying())
			b.WriteString([]string{"", "\n", "\t\n ", "。"}[w.pick(4)])
		}
		w.papers = append(w.papers, b.String())
	}
	return w.papers[w.pick(len(w.papers))]
}

// forward sends a message to another room.
func (w *world) forward() {
	m := w.msgs[w.pick(len(w.msgs))]
	room := w.rooms[w.pick(len(w.rooms))]
	if by := w.people[w.pick(len(w.people))]; !m.gone && w.in[m.ref.Room][by] && w.in[room][by] {
		ref := w.do(by, &state.SendMessage{Room: room, Key: newKey(), From: m.ref}).Ref
		w.msgs = append(w.msgs, &said{ref: ref, by: by, text: m.text, files: m.files, texts: m.texts, forwarded: true})
	}
}

func (w *world) step() {
	switch n := w.pick(21); {
	case n < 11 || len(w.msgs) == 0:
		w.say()
	case n < 14:
		if m := w.msgs[w.pick(len(w.msgs))]; !m.gone && !m.forwarded && w.in[m.ref.Room][m.by] {
			m.text = w.saying()
			w.do(m.by, &state.EditMessage{Message: m.ref, Text: m.text})
		}
	case n < 16:
		if m := w.msgs[w.pick(len(w.msgs))]; !m.gone && w.in[m.ref.Room][m.by] {
			m.gone = true
			w.do(m.by, &state.RecallMessage{Message: m.ref})
		}
	case n < 17: // somebody leaves
		room := w.rooms[w.pick(len(w.rooms))]
		if u := w.people[1+w.pick(len(w.people)-1)]; w.in[room][u] {
			delete(w.in[room], u)
			w.do(w.people[0], &state.RemoveMembers{Room: room, Users: []id.ID{u}})
		}
	case n < 19: // or joins
		room := w.rooms[w.pick(len(w.rooms))]
		if u := w.people[1+w.pick(len(w.people)-1)]; !w.in[room][u] {
			w.in[room][u] = true
			w.do(w.people[0], &state.AddMembers{Room: room, Users: []id.ID{u}})
		}
	case n < 20:
		w.forward()
	default:
		w.look()
	}
}

func (w *world) say() {
	room := w.rooms[w.pick(len(w.rooms))]
	by := w.people[0]
	if u := w.people[w.pick(len(w.people))]; w.in[room][u] {
		by = u
	}
	m := &said{by: by, text: w.saying()}
	var files []id.ID
	if w.pick(6) == 0 {
		m.files = []string{fmt.Sprintf("计划 %d %s.txt", len(w.msgs), pieces[w.pick(12)])}
		files = append(files, w.file(by, m.files[0]))
	}
	for w.pick(5) == 0 {
		m.files = append(m.files, fmt.Sprintf("文件 %d.md", w.pick(1000)))
		m.texts = append(m.texts, w.paper())
		files = append(files, w.document(by, m.files[len(m.files)-1], []byte(m.texts[len(m.texts)-1])))
	}
	m.ref = w.send(by, room, m.text, files...)
	w.msgs = append(w.msgs, m)
}

// look takes a random part of a random message and searches it for a random
// person: what is found must be exactly what holds it and may be seen.
func (w *world) look() {
	m := w.msgs[w.pick(len(w.msgs))]
	all := m.visible()
	runes := []rune(all[w.pick(len(all))])
	if len(runes) < 2 {
		return
	}
	from := w.pick(len(runes) - 1)
	to := min(len(runes), from+2+w.pick(9))
	part := string(runes[from:to])
	folded := w.fold.Text(part)
	if utf8.RuneCountInString(folded) < search.MinQuery {
		return
	}
	user := w.people[w.pick(len(w.people))]
	got := map[id.Message]bool{}
	for _, hit := range w.ask(search.Query{User: user, Text: part}) {
		if !w.in[hit.Room][user] {
			w.t.Fatalf("%q finds a message of a room the person is not in", part)
		}
		got[hit.ID] = true
	}
	for _, m := range w.msgs {
		holds := false
		for _, text := range m.visible() {
			holds = holds || strings.Contains(w.fold.Text(text), folded)
		}
		switch {
		case m.gone && got[m.ref]:
			w.t.Fatalf("%q finds %q, which was recalled", part, m.text)
		case holds && !m.gone && w.in[m.ref.Room][user] && !got[m.ref]:
			w.t.Fatalf("%q (%q) does not find %q", part, folded, m.text)
		case got[m.ref] && !w.mayMatch(m, folded, part):
			w.t.Fatalf("%q (%q) finds %q", part, folded, m.text)
		}
	}
}

// mayMatch reports whether a message may be an answer though it does not hold
// the part as it is: a part in quotes, of several terms, or of an address.
func (w *world) mayMatch(m *said, folded, part string) bool {
	_, links := markup.Shown(m.text, nil)
	all := w.fold.Text(strings.Join(append(m.visible(), links...), " | "))
	if strings.ContainsAny(part, "\"“「＂") {
		return true
	}
	for term := range strings.SplitSeq(folded, " ") {
		if !strings.Contains(all, term) {
			return false
		}
	}
	return true
}

func TestRandomPartsOfRandomMessages(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			w := &world{office: openOffice(t, search.Options{FlushDocs: 20}), dice: rand.New(rand.NewPCG(seed, 7)), fold: fold.New(), in: map[id.ID]map[id.ID]bool{}}
			for i := range 5 {
				w.people = append(w.people, w.person(fmt.Sprint("p", i), fmt.Sprint("p", i)))
			}
			for i := range 6 {
				room := w.room(w.people[0], fmt.Sprint("room ", i), w.people[1+i%4])
				w.rooms = append(w.rooms, room)
				w.in[room] = map[id.ID]bool{w.people[0]: true, w.people[1+i%4]: true}
			}
			for i := range 600 {
				w.step()
				switch {
				case i%97 == 96:
					w.closeIndex() // which checks every posting
					w.openIndex()
				case i == 300:
					w.close()
					w.open()
				}
			}
			for range 150 {
				w.look()
			}
			// Made anew from state, it finds the same.
			w.closeIndex()
			if err := search.Remove(w.path()); err != nil {
				t.Fatal(err)
			}
			w.openIndex()
			for range 150 {
				w.look()
			}
			w.closeIndex()
			w.openIndex()
			for range 50 {
				w.look()
			}
		})
	}
}

// An index whose last writes never happened reads on from where its file
// stands; one that is damaged or of another journal is made anew.
func TestItReadsOnFromWhereItStood(t *testing.T) {
	o := openOffice(t, search.Options{FlushDocs: 10})
	ann := o.person("ann", "Ann")
	room := o.room(ann, "r")
	var all []id.Message
	for i := range 95 {
		all = append([]id.Message{o.send(ann, room, fmt.Sprint("entry ", i, " 条目"))}, all...)
		if i == 50 {
			o.do(ann, &state.EditMessage{Message: all[3], Text: "changed entry 条目"})
		}
	}
	for name, hurt := range search.Hurts() {
		t.Run(name, func(t *testing.T) {
			o.finds(ann, "条目", all...)
			o.closeIndex()
			hurt(t, o.path())
			o.openIndex()
			o.finds(ann, "条目", all...)
			all = append([]id.Message{o.send(ann, room, "one more entry 条目")}, all...)
			o.finds(ann, "条目", all...)
			o.finds(ann, "changed entry", all[len(all)-48])
		})
	}
}

func TestABudgetEndsASearchThatGoesOn(t *testing.T) {
	o := openOffice(t, search.Options{FlushDocs: 50, Budget: 1})
	ann, bo := o.person("ann", "Ann"), o.person("bo", "Bo")
	mine, theirs := o.room(ann, "mine"), o.room(bo, "theirs")
	var want []id.Message
	for i := range 400 {
		if i%100 == 7 {
			want = append([]id.Message{o.send(ann, mine, "common words")}, want...)
		}
		o.send(bo, theirs, "common words")
	}
	a, err := o.x.Search(context.Background(), search.Query{User: ann, Text: "common words", Limit: 50})
	if err != nil || a.Next == 0 {
		t.Errorf("a search without time says that it is done: %+v, %v", a, err)
	}
	o.finds(ann, "common words", want...)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if a, err := o.x.Search(ctx, search.Query{User: ann, Text: "common words", Limit: 50}); err != nil || a.Next == 0 {
		t.Errorf("a search that was given up says that it is done: %+v, %v", a, err)
	}
}

func TestWhileItIsMade(t *testing.T) {
	o := openOffice(t, search.Options{FlushDocs: 100})
	ann := o.person("ann", "Ann")
	room := o.room(ann, "r")
	var want []id.Message
	for range 300 {
		want = append([]id.Message{o.send(ann, room, "some words")}, want...)
	}
	o.reached()
	o.x.Rebuild()
	o.finds(ann, "some words", want...)
	want = append([]id.Message{o.send(ann, room, "some words more")}, want...)
	o.finds(ann, "some words", want...)
	if st := o.x.Status(); st.Building != 0 || st.Position != o.q.Position() {
		t.Errorf("made anew it stands at %+v", st)
	}
}

// Snippets point at what was found, in UTF-16 units of their own text.
func TestSnippets(t *testing.T) {
	o := openOffice(t, search.Options{})
	ann := o.person("ann", "Ann")
	room := o.room(ann, "r")
	o.send(ann, room, strings.Repeat("前文 😀 ", 40)+"**關鍵** word here "+strings.Repeat("后文 ", 60))
	o.reached()
	a, err := o.x.Search(context.Background(), search.Query{User: ann, Text: "关键 word", Limit: 5})
	if err != nil || len(a.Hits) != 1 {
		t.Fatalf("%+v, %v", a, err)
	}
	s := a.Hits[0].Snippet
	var marked []string
	for _, m := range s.Marks {
		marked = append(marked, cut16(s.Text, m))
	}
	if strings.Join(marked, "|") != "關鍵|word" || utf8.RuneCountInString(s.Text) > 170 || !strings.HasPrefix(s.Text, "…") || !strings.HasSuffix(s.Text, "…") {
		t.Errorf("%q marks %q", s.Text, marked)
	}
}

func cut16(s string, m wire.Mark) string {
	var out strings.Builder
	at := 0
	for _, r := range s {
		if at >= m.From && at < m.To {
			out.WriteRune(r)
		}
		if at++; r > 0xFFFF {
			at++
		}
	}
	return out.String()
}
