package bench

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/journal"
	"posthouse/appliance/search"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
)

const (
	searchMessages = 1_000_000 // most that are written
	searchQueries  = 3000
	searchFile     = "search.db"
)

// searching measures the index of messages: how fast it is made from state, how
// large it gets, and how long answers take. It runs in this process.
func searching(ctx context.Context, s *Setup, r *Report) error {
	const name = "search"
	server, _, err := s.startServer(ctx, serverOptions{dir: name})
	if err != nil {
		return err
	}
	people, err := server.people(ctx, fillPeople, 1)
	if err := firstOf(err, server.stop()); err != nil {
		return err
	}
	dir := filepath.Join(s.Dir, name)
	if err := os.Remove(filepath.Join(dir, searchFile)); err != nil {
		return err
	}
	w := newWriter()
	f, err := s.fillWith(ctx, dir, people, min(s.Messages, searchMessages), w.text)
	if err != nil {
		return err
	}
	st, err := state.Open(filepath.Join(dir, stateFile), state.Options{})
	if err != nil {
		return err
	}
	j, err := journal.Open(filepath.Join(dir, journalDir), journal.Options{Witness: st.Flushed()})
	if err != nil {
		st.Abandon()
		return err
	}
	q, err := sequencer.Start(j, st, sequencer.Options{})
	if err != nil {
		st.Abandon()
		return errors.Join(err, j.Close())
	}
	err = s.searchIn(ctx, filepath.Join(dir, searchFile), q, st, &f.filled, people, w, r)
	return errors.Join(err, q.Close(context.Background()), st.Close(), j.Close())
}

// ownMemory is the resident memory of this process once unused memory was
// returned.
func ownMemory() (int64, error) {
	debug.FreeOSMemory()
	u, err := usageOf(os.Getpid())
	return u.rss, err
}

func (s *Setup) searchIn(ctx context.Context, path string, q *sequencer.Sequencer, st *state.State, f *filled, people []person, w *writerOf, r *Report) error {
	before, err := ownMemory()
	if err != nil {
		return err
	}
	s.say("search: making the index", "搜索：建立索引")
	spent, err := usageOf(os.Getpid())
	if err != nil {
		return err
	}
	began := time.Now()
	x, err := search.Open(path, q, st, search.Options{})
	if err != nil {
		return err
	}
	peak := before
	for q.Position() > x.Status().Position {
		if err := errors.Join(pause(ctx, 100*time.Millisecond), x.Status().Failed); err != nil {
			return errors.Join(err, x.Close(context.Background()))
		}
		if u, err := usageOf(os.Getpid()); err == nil {
			peak = max(peak, u.rss)
		}
	}
	rate := float64(f.messages) / time.Since(began).Seconds()
	if err := x.Close(ctx); err != nil {
		return err
	}
	made, err := usageOf(os.Getpid())
	if err != nil {
		return err
	}
	if x, err = search.Open(path, q, st, search.Options{}); err != nil {
		return err
	}
	err = s.searchWith(ctx, x, people, w, r)
	open, oerr := ownMemory()
	size, serr := sizeOf(path)
	segments := x.Status().Segments
	cerr := x.Close(context.Background())
	x = nil
	closed, merr := ownMemory()
	if err := firstOf(err, oerr, serr, cerr, merr); err != nil {
		return err
	}
	r.add("messages", float64(f.messages), "", "messages, mixed Chinese and English", "消息数，中英混合")
	r.add("text_bytes", float64(w.bytes)/float64(max(w.texts, 1)), "B", "text, bytes a message", "文本，每条字节数")
	r.add("index_rate", rate, "1/s", "indexed from state, a second", "从状态建立索引，每秒")
	r.add("index_cpu", float64((made.cpu-spent.cpu).Microseconds())/float64(f.messages), "µs", "  CPU a message", "  每条消息 CPU").atMost(20)
	r.add("index_bytes", float64(size)/float64(f.messages), "B", "index file, bytes a message", "索引文件，每条消息占用")
	r.add("segments", float64(segments), "", "segments", "分段数")
	r.add("index_peak", mega(peak-before), "MB", "memory more while it is made", "建立时增加的内存")
	r.add("index_memory", mega(max(0, open-closed)), "MB", "memory of an open index", "打开的索引占用的内存")
	return nil
}

// searchWith asks queries of every kind, one at a time.
func (s *Setup) searchWith(ctx context.Context, x *search.Index, people []person, w *writerOf, r *Report) error {
	s.say("search: searching", "搜索：查询")
	kinds := []struct {
		name, en, zh string
		text         func() string
	}{
		{"part", "any part of a message", "消息的任意部分", w.part},
		{"two", "two characters", "两个字符", w.two},
		{"word", "a common word", "常用词", w.common},
		{"none", "what nobody wrote", "不存在的内容", w.none},
	}
	var all Histogram
	whole, asked := 0, 0
	for _, kind := range kinds {
		for who, user := range []id.ID{people[0].user, people[7].user} {
			var h Histogram
			for range searchQueries / 8 {
				if err := ctx.Err(); err != nil {
					return err
				}
				from := time.Now()
				a, err := x.Search(ctx, search.Query{User: user, Text: kind.text(), Limit: 20})
				if err != nil {
					return err
				}
				h.Add(time.Since(from))
				if asked++; len(a.Hits) == 20 || a.Next == 0 {
					whole++
				}
			}
			all.Merge(&h)
			en, zh := ", by a member of every room", "，所有房间的成员"
			if who > 0 {
				en, zh = ", by a member of a few rooms", "，少数房间的成员"
			}
			r.add(fmt.Sprintf("%s_p99_%d", kind.name, who), milli(h.Quantile(.99)), "ms", kind.en+en+", p99", kind.zh+zh+"，p99")
		}
	}
	r.add("p50", milli(all.Quantile(.5)), "ms", "all of these, p50", "以上全部，p50")
	r.add("p99", milli(all.Quantile(.99)), "ms", "  p99", "  p99").atMost(50)
	r.add("whole", 100*float64(whole)/float64(asked), "%", "of them with a full page or to the end at once", "一次即得整页或查到末尾的比例")
	return nil
}

// writerOf makes up messages whose words are as frequent as those of people:
// the n-th word comes about 1/n as often as the first.
type writerOf struct {
	dice             *rand.Rand
	chinese, english []string
	zipfC, zipfE     *rand.Zipf
	kept             []string
	texts, bytes     int
}

func newWriter() *writerOf {
	w := &writerOf{dice: rand.New(rand.NewPCG(3, 4))}
	han := make([]rune, 3500)
	for i := range han {
		han[i] = rune(0x4E00 + w.dice.IntN(0x5000))
	}
	char := rand.NewZipf(w.dice, 1.05, 20, uint64(len(han)-1))
	for range 40_000 {
		word := []rune{han[char.Uint64()], han[char.Uint64()]}
		if w.dice.IntN(4) == 0 {
			word = append(word, han[char.Uint64()])
		}
		w.chinese = append(w.chinese, string(word))
	}
	syllables := strings.Fields("re in con ter al tion ing er ment pro com per an es st the is on ed de en le ly ti ma to or ra si ne ver no so lo mi")
	for range 20_000 {
		var b strings.Builder
		for range 1 + w.dice.IntN(3) {
			b.WriteString(syllables[w.dice.IntN(len(syllables))])
		}
		if w.dice.IntN(3) > 0 {
			b.WriteByte(byte('a' + w.dice.IntN(26)))
		}
		w.english = append(w.english, b.String())
	}
	w.zipfC = rand.NewZipf(w.dice, 1.07, 10, uint64(len(w.chinese)-1))
	w.zipfE = rand.NewZipf(w.dice, 1.07, 10, uint64(len(w.english)-1))
	return w
}

func (w *writerOf) text() string {
	var b strings.Builder
	english := w.dice.IntN(10) < 4
	for i := range 3 + w.dice.IntN(24) {
		if english {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(w.english[w.zipfE.Uint64()])
			continue
		}
		if i > 0 && w.dice.IntN(6) == 0 {
			b.WriteString("，")
		}
		if w.dice.IntN(15) == 0 {
			b.WriteString(w.english[w.zipfE.Uint64()])
		}
		b.WriteString(w.chinese[w.zipfC.Uint64()])
	}
	w.texts, w.bytes = w.texts+1, w.bytes+b.Len()
	if w.texts%97 == 0 {
		w.kept = append(w.kept, b.String())
	}
	return b.String()
}

func (w *writerOf) cut(least, most int) string {
	for {
		runes := []rune(w.kept[w.dice.IntN(len(w.kept))])
		n := least + w.dice.IntN(most-least+1)
		if len(runes) < n {
			continue
		}
		at := w.dice.IntN(len(runes) - n + 1)
		if part := strings.TrimSpace(string(runes[at : at+n])); len([]rune(part)) >= 2 {
			return part
		}
	}
}

func (w *writerOf) part() string { return w.cut(2, 14) }
func (w *writerOf) two() string  { return w.cut(2, 2) }
func (w *writerOf) common() string {
	return []string{w.english[w.dice.IntN(30)] + "e", w.chinese[w.dice.IntN(30)]}[w.dice.IntN(2)]
}

// none joins parts of two messages, which hardly any message holds.
func (w *writerOf) none() string { return w.cut(3, 5) + w.cut(3, 5) }
