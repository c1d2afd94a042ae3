package search

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// Query is a search of one account.
type Query struct {
	User   id.ID
	Text   string
	Room   id.ID // zero: all rooms of the user
	Sender id.ID // zero: anybody
	Files  bool  // only messages with files
	After  int64 // only those sent at or after this time, ms; 0: from the beginning
	Before int64 // only those sent before this time, ms; 0: to the end
	Page   uint64
	Limit  int
}

// Hit is a message that was found.
type Hit struct {
	Message wire.Message
	Snippet wire.Snippet
	File    id.ID // whose text the snippet is from; zero: the message itself
}

// Answer is what a search came to. With Next set it is not at its end: ask
// again with that as Page; Hits may then be fewer than asked for, even none.
type Answer struct {
	Hits     []Hit
	Next     uint64
	Position uint64 // the answer is true at this journal position
	Building int    // as in Status
}

// Search finds messages, newest first. It ends with the context or when its
// budget is spent, with what was found so far. Refusals are *wire.Error.
func (x *Index) Search(ctx context.Context, q Query) (a Answer, err error) {
	want, err := parse(x.fold, q.Text)
	if err != nil {
		return a, err
	}
	s := &scan{x: x, ctx: ctx, q: q, want: want, limit: q.Limit, until: time.Now().Add(x.opt.Budget), upTo: math.MaxUint64}
	if q.Page != 0 {
		s.upTo = q.Page - 1
	}
	if s.rooms = x.state.RoomsOf(q.User); q.Room != 0 {
		_, member := s.rooms[q.Room]
		if s.rooms = nil; member {
			s.rooms = map[id.ID]struct{}{q.Room: {}}
		}
	}
	err = s.whole()
	a = Answer{Hits: s.hits, Position: s.position, Building: s.building}
	if errors.Is(err, errEnough) {
		a.Next, err = s.last, nil
	}
	if errors.Is(err, errDamaged) {
		x.opt.Log.Error("search", "error", err)
		x.Rebuild()
		err = wire.Refuse(wire.Unavailable, "the index of messages was damaged and is made anew: try again in a moment", "消息索引损坏，正在重建，请稍后重试")
	}
	return a, err
}

// errEnough ends a scan that could go on.
var errEnough = errors.New("enough was found")

// scan is one search under way.
type scan struct {
	x     *Index
	ctx   context.Context
	q     Query
	want  *query
	rooms map[id.ID]struct{}
	limit int
	until time.Time
	each  func(entry) // of the index itself: gets every document of every room that may be an answer

	tx       *bolt.Tx
	runs     []run    // newest first
	changed  []change // edits that the file does not know of, newest first
	docs     table
	texts    shelf
	position uint64
	building int

	upTo   uint64 // documents after this were looked at
	last   uint64 // the document looked at last
	steps  int    // documents looked at since the last look at the clock
	opened int    // segments
	hits   []Hit
}

// run is a range of documents with lists of their own: a generation or a
// segment.
type run struct {
	base    uint64 // of the lists
	first   uint64
	last    uint64
	entries []entry // of a generation
	lists   []source
	segment *segment
}

// begin takes everything that the scan looks at, as it is at one moment.
func (s *scan) begin() error {
	x := s.x
	x.mu.RLock()
	defer x.mu.RUnlock()
	switch {
	case x.failed != nil:
		return wire.Refuse(wire.Unavailable, "search has stopped; the server's log tells why", "搜索已停止，原因见服务器日志")
	case x.db == nil:
		e := wire.Refuse(wire.Unavailable, "the index of messages is being made anew: try again in a moment", "消息索引正在重建，请稍后重试")
		e.RetryAfter = 100
		return e
	}
	tx, err := x.db.Begin(false)
	if err != nil {
		return err
	}
	s.tx = tx
	m, err := x.readManifest(tx)
	if err != nil {
		return err
	}
	s.position, s.building = x.tail.pos, x.building()
	s.texts = shelf{x: x, in: []*generation{x.tail}, bucket: tx.Bucket([]byte(bTexts))}
	s.fromMemory(x.tail)
	if g := x.flushing; g != nil && m.position < g.pos {
		s.fromMemory(g)
		s.texts.in = append(s.texts.in, g)
	}
	slices.SortFunc(s.changed, func(a, b change) int { return int(int64(b.entry.pos) - int64(a.entry.pos)) })
	for i := range slices.Backward(m.segments) {
		g := &m.segments[i]
		s.runs = append(s.runs, run{base: g.first, first: g.first, last: g.last, segment: g})
	}
	s.docs = table{bucket: tx.Bucket([]byte(bDocs)), codec: x.codec}
	return nil
}

// whole carries the scan out.
func (s *scan) whole() (err error) {
	defer func() {
		if s.tx != nil {
			_ = s.tx.Rollback()
		}
	}()
	defer caught(&err)
	if err := s.begin(); err != nil {
		return err
	}
	return s.run()
}

// fromMemory copies what a generation has for the query; the caller holds the
// lock.
func (s *scan) fromMemory(g *generation) {
	for _, c := range g.changes {
		if !c.gone && (len(c.keys) > 0 || len(lacking(s.want.terms, c.words)) == 0) {
			s.changed = append(s.changed, c)
		}
	}
	if len(g.entries) == 0 {
		return
	}
	r := run{base: g.base, first: g.entries[0].pos, last: g.entries[len(g.entries)-1].pos, entries: g.entries}
	if s.want.open != 0 {
		m := make(bitmap, (r.last-r.base)/64+1)
		for class := range gram(1 << classBits) {
			m.add(g.list(s.want.open&^(1<<classBits-1) | class))
		}
		r.lists = []source{m}
	}
	for _, k := range s.want.grams {
		list := g.list(k)
		if len(list) == 0 {
			return
		}
		r.lists = append(r.lists, inMemory(slices.Clone(list)))
	}
	s.runs = append(s.runs, r)
}

// run looks at every run. Changed documents are looked at in their order,
// whatever the lists say of them.
func (s *scan) run() error {
	if len(s.rooms) == 0 && s.each == nil {
		return nil
	}
	for i := range s.runs {
		r := &s.runs[i]
		if r.first > s.upTo {
			continue
		}
		if r.segment != nil {
			// One segment at least, so that page after page comes to an end.
			if s.opened++; s.opened > 1 && s.late() {
				s.last = min(s.upTo, r.last) + 1
				return errEnough
			}
			if err := s.openLists(r); err != nil {
				return err
			}
		}
		if err := s.through(r); err != nil {
			return err
		}
	}
	return s.changedAfter(0)
}

// openLists finds the lists of a segment, the shortest first.
func (s *scan) openLists(r *run) error {
	b := s.tx.Bucket([]byte(bSegments)).Bucket(r.segment.key())
	if b == nil {
		return damaged("segment %d is missing", r.segment.id)
	}
	span := uint32(r.last - r.first)
	if s.want.open != 0 {
		m, err := openPair(b, s.x.codec, s.want.open&^(1<<classBits-1), span)
		r.lists = []source{m}
		return err
	}
	files := make([]*inFile, 0, len(s.want.grams))
	for _, k := range s.want.grams {
		f := &inFile{cursor: b.Cursor(), codec: s.x.codec, gram: k}
		if err := f.load(span); err != nil {
			return err
		}
		if f.none {
			r.lists = nil
			return nil
		}
		files = append(files, f)
	}
	slices.SortFunc(files, func(a, b *inFile) int {
		switch d := a.density(span) - b.density(span); {
		case d < 0:
			return -1
		case d > 0:
			return 1
		}
		return 0
	})
	for _, f := range files[:min(len(files), maxGrams)] {
		r.lists = append(r.lists, f)
	}
	return nil
}

// through looks at the documents of one run that may be answers.
func (s *scan) through(r *run) error {
	at := uint32(min(r.last, s.upTo) - r.base)
	for len(r.lists) > 0 {
		got, ok, err := meet(r.lists, at)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		pos := r.base + uint64(got)
		if err := s.changedAfter(pos); err != nil {
			return err
		}
		if pos <= s.upTo {
			e, known, err := s.entry(r, pos)
			if err != nil {
				return err
			}
			if known {
				if err := s.consider(e); err != nil {
					return err
				}
			}
		}
		if got == 0 {
			break
		}
		at = got - 1
	}
	return s.changedAfter(r.first)
}

func (s *scan) entry(r *run, pos uint64) (entry, bool, error) {
	if r.segment != nil {
		return s.docs.find(pos)
	}
	g := generation{entries: r.entries}
	e, ok := g.own(pos)
	return e, ok, nil
}

// changedAfter considers the changed documents from a position on.
func (s *scan) changedAfter(pos uint64) error {
	for len(s.changed) > 0 && s.changed[0].entry.pos >= pos {
		e := s.changed[0].entry
		s.changed = s.changed[1:]
		if e.pos <= s.upTo {
			if err := s.consider(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *scan) late() bool { return s.ctx.Err() != nil || time.Now().After(s.until) }

// considerSteps is how many documents are looked at between two looks at the
// clock.
const considerSteps = 32

// consider looks at one document: cheap reasons against it first.
func (s *scan) consider(e entry) error {
	s.upTo, s.last = e.pos-1, e.pos
	if s.steps >= considerSteps {
		if s.steps = 0; s.late() {
			s.last = e.pos + 1 // it was not looked at
			return errEnough
		}
	}
	s.steps++
	if s.each != nil {
		s.each(e)
		return nil
	}
	if _, mine := s.rooms[e.room]; !mine || s.q.Files && !e.files || s.q.Sender != 0 && e.sender != uint32(s.q.Sender) ||
		e.time < s.q.After || s.q.Before != 0 && e.time >= s.q.Before {
		return nil
	}
	w, err := s.x.state.Words(e.ref())
	if err != nil {
		return err
	}
	if w == nil || w.Gone || s.q.Sender != 0 && w.Sender != s.q.Sender {
		return nil
	}
	lack := lacking(s.want.terms, s.x.words(w.Text, w.Files))
	if len(lack) > 0 {
		lack, err = s.inDocuments(lack, w.Files)
	}
	if err != nil || len(lack) > 0 {
		return err
	}
	return s.hit(e)
}

// inDocuments are the terms that are not in the documents either.
func (s *scan) inDocuments(terms []string, files []record.File) ([]string, error) {
	for _, k := range s.x.keysOf(files) {
		s.steps = considerSteps // it takes long enough to look at the clock
		text, err := s.texts.folded(k)
		if err != nil {
			return nil, err
		}
		if terms = lacking(terms, text); len(terms) == 0 {
			break
		}
	}
	return terms, nil
}

// hit takes a message as it is now, if the caller may see it now.
func (s *scan) hit(e entry) error {
	m, ok, err := s.x.state.For(s.q.User, e.ref())
	if err != nil || !ok || m.Recalled != nil {
		return err
	}
	ids := make([]id.ID, len(m.Files))
	for i, f := range m.Files {
		ids[i] = f.ID
	}
	files := s.x.state.FilesOf(ids)
	lack := lacking(s.want.terms, s.x.words(m.Text, files))
	if len(lack) > 0 {
		lack, err = s.inDocuments(lack, files)
	}
	if err != nil || len(lack) > 0 {
		return err
	}
	if len(s.hits) == s.limit {
		s.last = e.pos + 1
		return errEnough
	}
	h := Hit{Message: m}
	if h.Snippet, h.File, err = s.snippet(m.Text, files); err != nil {
		return err
	}
	s.hits = append(s.hits, h)
	return nil
}
