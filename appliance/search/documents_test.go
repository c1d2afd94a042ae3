package search_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/search"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

func sample(t *testing.T, name string) []byte {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("../doctext/testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// one is the only hit of a query.
func (o *office) one(user id.ID, text string) search.Hit {
	o.t.Helper()
	o.reached()
	a, err := o.x.Search(context.Background(), search.Query{User: user, Text: text, Limit: 5})
	if err != nil || len(a.Hits) != 1 {
		o.t.Fatalf("%q finds %+v, %v", text, a.Hits, err)
	}
	return a.Hits[0]
}

func TestDocumentsAreFoundByTheirText(t *testing.T) {
	for name, docs := range map[string]int{"in memory": 1000, "in the file": 1} {
		t.Run(name, func(t *testing.T) {
			o := openOffice(t, search.Options{FlushDocs: docs})
			ann, bo := o.person("ann", "Ann"), o.person("bo", "Bo")
			room, other := o.room(ann, "r"), o.room(ann, "o", bo)
			manual := sample(t, "manual.docx")
			fid := o.document(ann, "手册.docx", manual)
			a := o.send(ann, room, "please read 请看", fid)
			b := o.send(ann, room, "", o.document(ann, "stock.xlsx", sample(t, "stock.xlsx")), o.document(ann, "again.xlsx", sample(t, "stock.xlsx")))
			o.finds(ann, "維護手冊", a)
			o.finds(ann, "cooling pump (model", a)
			o.finds(ann, "请看 P-3310", a)
			o.finds(ann, "冷却泵", b)
			o.finds(bo, "维护手册")
			hit := o.one(ann, `"cooling pump"`)
			if hit.File != fid || !strings.HasPrefix(hit.Snippet.Text, "手册.docx: 设备") || len(hit.Snippet.Marks) != 1 || cut16(hit.Snippet.Text, hit.Snippet.Marks[0]) != "cooling pump" || !strings.Contains(hit.Snippet.Text, "P-3310") {
				t.Errorf("%+v", hit)
			}
			if hit := o.one(ann, "请看"); hit.File != 0 || hit.Snippet.Text != "please read 请看" {
				t.Errorf("%+v", hit)
			}
			c := o.do(ann, &state.SendMessage{Room: other, Key: newKey(), From: a}).Ref
			o.finds(ann, "维护手册", c, a)
			o.finds(bo, "维护手册", c)
			o.do(ann, &state.EditMessage{Message: a, Text: "never mind"})
			o.finds(ann, "维护手册", c, a)
			o.finds(ann, "请看", c)
			if n := o.reads(manual); n != 1 {
				t.Errorf("the manual was read %d times", n)
			}
			o.do(ann, &state.RecallMessage{Message: a})
			o.finds(ann, "维护手册", c)
			o.closeIndex()
			if n := search.CountTexts(t, o.path()); n != 2 {
				t.Errorf("%d texts are kept, want 2", n)
			}
			o.openIndex()
			o.finds(ann, "维护手册", c)
			o.do(ann, &state.RecallMessage{Message: c})
			o.finds(ann, "维护手册")
			o.finds(ann, "冷却泵", b)
			o.closeIndex()
			if n := search.CountTexts(t, o.path()); n != 1 {
				t.Errorf("%d texts are kept, want 1", n)
			}
			if n := search.CountPostings(t, o.path(), "维护手册 confidential", "冷却泵"); n > 0 {
				t.Errorf("%d postings of a recalled document are left", n)
			}
			o.openIndex()
			d := o.send(ann, room, "back again", fid)
			o.finds(ann, "维护手册", d)
		})
	}
}

// What cannot be read is skipped; its message is found by everything else.
func TestDocumentsThatCannotBeRead(t *testing.T) {
	o := openOffice(t, search.Options{FlushDocs: 4})
	ann := o.person("ann", "Ann")
	room := o.room(ann, "r")
	manual := sample(t, "manual.docx")
	deep := strings.Repeat("<p>", 100000) + "words of the deep"
	var want []id.Message
	for i, body := range [][]byte{nil, manual[:len(manual)/2], bytes.Repeat([]byte{0}, 1000), []byte("PK\x03\x04 not an archive"), []byte("\xff\xfe\x00"), []byte(deep)} {
		for _, ext := range []string{"docx", "txt", "html"} {
			fid := o.document(ann, fmt.Sprint("odd", i, ".", ext), body)
			want = append([]id.Message{o.send(ann, room, "odd one", fid)}, want...)
		}
	}
	missing := o.file(ann, "lost.txt")
	want = append([]id.Message{o.send(ann, room, "odd one", missing)}, want...)
	o.finds(ann, "odd one", want...)
	o.finds(ann, "words of the deep", want[1]) // elsewhere they come too late
	o.closeIndex()
	o.openIndex()
	o.finds(ann, "odd one", want...)
}

// Huge documents are cut, and memory is bounded by what is in it.
func TestHugeDocuments(t *testing.T) {
	o := openOffice(t, search.Options{FlushGrams: 50_000})
	ann := o.person("ann", "Ann")
	room := o.room(ann, "r")
	dice := rand.New(rand.NewPCG(1, 2))
	var first id.Message
	for i := range 12 {
		var b strings.Builder
		fmt.Fprintf(&b, "beginning%d ", i)
		for b.Len() < 400_000 {
			b.WriteRune(rune(0x4E00 + dice.IntN(20000)))
		}
		b.WriteString(" at the very end")
		ref := o.send(ann, room, "huge", o.document(ann, fmt.Sprint(i, ".txt"), []byte(b.String())))
		if i == 0 {
			first = ref
		}
	}
	o.finds(ann, "beginning0", first)
	o.finds(ann, "very end")
	if st := o.x.Status(); st.Filed == 0 {
		t.Errorf("nothing was flushed: %+v", st)
	}
	o.finds(ann, "beginning11", o.send(ann, room, "beginning11"), id.Message{Room: room, Seq: first.Seq + 11})
	o.do(ann, &state.RecallMessage{Message: first})
	o.finds(ann, "beginning0")
}

// Searches that read documents go on beside an index that is made anew.
func TestSearchingWhileTheIndexIsMadeAnew(t *testing.T) {
	o := openOffice(t, search.Options{FlushDocs: 2})
	ann := o.person("ann", "Ann")
	room := o.room(ann, "r")
	for i := range 40 {
		o.send(ann, room, "", o.document(ann, fmt.Sprint(i, ".txt"), []byte(fmt.Sprint("words of a document ", i))))
	}
	o.reached()
	stop := make(chan struct{})
	var searching sync.WaitGroup
	for range 4 {
		searching.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				_, err := o.x.Search(context.Background(), search.Query{User: ann, Text: "of a document", Limit: 50})
				var refused *wire.Error
				if err != nil && (!errors.As(err, &refused) || refused.Kind != wire.Unavailable) {
					t.Errorf("search: %v", err)
					return
				}
			}
		})
	}
	for range 20 {
		o.x.Rebuild()
		o.reached()
	}
	close(stop)
	searching.Wait()
	o.finds(ann, "document 39", id.Message{Room: room, Seq: 41})
}

// The same content under names that are read differently.
func TestContentIsReadByItsName(t *testing.T) {
	o := openOffice(t, search.Options{FlushDocs: 2})
	ann := o.person("ann", "Ann")
	room := o.room(ann, "r")
	page := []byte("<p class=fancy>shown words</p><script>hidden()</script>")
	a := o.send(ann, room, "", o.document(ann, "page.html", page))
	b := o.send(ann, room, "", o.document(ann, "page.txt", page))
	o.send(ann, room, "", o.document(ann, "page.png", page))
	o.finds(ann, "shown words", b, a)
	o.finds(ann, "fancy", b)
	o.do(ann, &state.RecallMessage{Message: b})
	o.finds(ann, "shown words", a)
	o.finds(ann, "fancy")
}

// When the journal no longer reaches back to where the index stands, it is made
// anew from state; documents too.
func TestTheJournalBeginsAfterTheIndex(t *testing.T) {
	o := openOffice(t, search.Options{FlushDocs: 8})
	ann := o.person("ann", "Ann")
	room := o.room(ann, "r")
	var want []id.Message
	send := func(files ...id.ID) {
		want = append([]id.Message{o.send(ann, room, "entry 条目 "+strings.Repeat("long ", 1000), files...)}, want...)
	}
	manual := o.document(ann, "手册.docx", sample(t, "manual.docx"))
	for range 10 {
		send(manual)
	}
	o.closeIndex()
	gone := want[0]
	o.do(ann, &state.RecallMessage{Message: gone})
	want = want[1:]
	before := slices.Clone(want)
	for len(o.j.Segments()) < 4 {
		send()
	}
	for o.s.Pending() > 0 {
		if err := o.s.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	released, err := o.j.Release(o.s.Flushed(), time.Now().Add(time.Hour))
	if err != nil || len(released) == 0 {
		t.Fatalf("released %v, %v", released, err)
	}
	o.openIndex()
	o.finds(ann, "条目", want...)
	o.finds(ann, "维护手册", before...)
	if n := o.reads(sample(t, "manual.docx")); n != 2 {
		t.Errorf("the manual was read %d times", n)
	}
	send(manual)
	o.finds(ann, "条目", want...)
}

// An index whose last writes were lost with the process reads on, documents
// that were recalled since too.
func TestDocumentsAfterLostWrites(t *testing.T) {
	o := openOffice(t, search.Options{FlushDocs: 3})
	ann := o.person("ann", "Ann")
	room := o.room(ann, "r")
	manual, stock := o.document(ann, "手册.docx", sample(t, "manual.docx")), o.document(ann, "stock.xlsx", sample(t, "stock.xlsx"))
	a, b := o.send(ann, room, "first", manual), o.send(ann, room, "second", manual, stock)
	o.closeIndex()
	old, err := os.ReadFile(o.path())
	if err != nil {
		t.Fatal(err)
	}
	o.openIndex()
	o.do(ann, &state.RecallMessage{Message: a})
	c := o.send(ann, room, "third", stock)
	o.do(ann, &state.RecallMessage{Message: b})
	d := o.send(ann, room, "fourth", o.document(ann, "safety.pptx", sample(t, "safety.pptx")))
	for range 2 {
		o.finds(ann, "维护手册")
		o.finds(ann, "冷却泵", c)
		o.finds(ann, "安全生产", d)
		o.closeIndex()
		if n := search.CountTexts(t, o.path()); n != 2 {
			t.Errorf("%d texts are kept, want 2", n)
		}
		if err := os.WriteFile(o.path(), old, 0o600); err != nil {
			t.Fatal(err)
		}
		o.openIndex()
	}
}

// While the disk is nearly full nothing is written, and everything is found;
// afterwards it is read again from the journal, or written.
func TestReadOnly(t *testing.T) {
	o := openOffice(t, search.Options{FlushDocs: 5, ChangeAge: time.Millisecond})
	ann := o.person("ann", "Ann")
	room := o.room(ann, "r")
	manual := o.document(ann, "手册.docx", sample(t, "manual.docx"))
	var want []id.Message
	send := func(n int) {
		for range n {
			want = append([]id.Message{o.send(ann, room, "条目", manual)}, want...)
		}
	}
	send(3) // less than a flush
	o.reached()
	o.q.SetReadOnly(errors.New("the disk is full"))
	at := o.x.Status().Filed
	o.do(ann, &state.RecallMessage{Message: want[0]})
	want = want[1:]
	o.finds(ann, "维护手册", want...)
	o.closeIndex()
	o.openIndex()
	o.finds(ann, "维护手册", want...)
	if now := o.x.Status().Filed; now != at {
		t.Errorf("the file went from %d to %d on a full disk", at, now)
	}
	o.q.SetReadOnly(nil)
	send(12)
	o.finds(ann, "维护手册", want...)
}
