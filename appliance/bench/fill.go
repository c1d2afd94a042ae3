package bench

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/journal"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// Names of the parts of a data directory.
const (
	journalDir = "journal"
	stateFile  = "state.db"
	olderFile  = "older.db" // state as it was when the tail began
)

const (
	fillRooms  = 10_000
	fillLong   = 100_000 // messages of the longest room
	fillTail   = 500_000
	fillChunk  = 16_384
	fillPeople = 50
)

// filled is a data directory with a long history.
type filled struct {
	rooms    []id.ID // the first is the longest
	heads    []int   // messages of each
	messages int
	tail     uint64 // records after what olderFile stands for
	took     time.Duration
}

// filler writes messages through the sequencer: the records are those of a
// server, only the batches are larger.
type filler struct {
	seq    *sequencer.Sequencer
	state  *state.State
	people []person
	dice   *rand.Rand
	words  []string
	text   func() string // nil: textBytes of words
	filled
}

// fill writes n messages into a data directory whose server is down, over
// rooms of which people[0] is a member of all.
func (s *Setup) fill(ctx context.Context, dir string, people []person, n int) (f *filler, err error) {
	return s.fillWith(ctx, dir, people, n, nil)
}

// fillWith is fill with texts of one's own.
func (s *Setup) fillWith(ctx context.Context, dir string, people []person, n int, text func() string) (f *filler, err error) {
	st, err := state.Open(filepath.Join(dir, stateFile), state.Options{Limits: state.Limits{RoomsPerUser: 1 << 30}})
	if err != nil {
		return nil, err
	}
	j, err := journal.Open(filepath.Join(dir, journalDir), journal.Options{Witness: st.Flushed()})
	if err != nil {
		st.Abandon()
		return nil, err
	}
	failed := make(chan error, 1)
	q, err := sequencer.Start(j, st, sequencer.Options{MaxBatch: fillChunk, FlushAt: 200_000, Fatal: func(err error) { failed <- err }})
	if err != nil {
		st.Abandon()
		return nil, errors.Join(err, j.Close())
	}
	f = &filler{seq: q, state: st, people: people, text: text, dice: rand.New(rand.NewPCG(1, 2)), words: strings.Fields(
		"好的 收到 明天 会议 the report is ready and please check it before noon 三号 车间 today with all of you 谢谢 again")}
	began := time.Now()
	err = f.write(ctx, s, n, filepath.Join(dir, olderFile))
	f.took = time.Since(began)
	err = errors.Join(err, q.Close(context.Background()))
	select {
	case lost := <-failed:
		st.Abandon()
		return nil, errors.Join(lost, j.Close())
	default:
	}
	return f, errors.Join(err, st.Close(), j.Close())
}

func (f *filler) write(ctx context.Context, s *Setup, n int, older string) error {
	rooms := max(2, min(fillRooms, n/20))
	long := min(fillLong, n/2)
	for at := 0; at < rooms; at += 1000 {
		if err := f.makeRooms(ctx, min(1000, rooms-at)); err != nil {
			return err
		}
	}
	tailAt := n - min(fillTail, n/2)
	var before *sync.WaitGroup
	var failed syncError
	chunks := 0
	for f.messages < n {
		if f.messages == tailAt {
			before.Wait()
			before = nil
			at, err := f.snapshot(ctx, older)
			if err != nil {
				return err
			}
			f.tail = at
		}
		if err := errors.Join(ctx.Err(), failed.get()); err != nil {
			return err
		}
		chunk := new(sync.WaitGroup)
		end := n
		if f.tail == 0 {
			end = tailAt
		}
		for range min(fillChunk, end-f.messages) {
			room := 0
			if f.heads[0] >= long || f.dice.IntN(n) >= 2*long {
				room = 1 + f.dice.IntN(rooms-1)
			}
			f.send(ctx, room, chunk, &failed)
		}
		if before != nil {
			before.Wait()
		}
		before = chunk
		if chunks++; chunks%16 == 0 {
			s.say(fmt.Sprintf("start: %d messages written", f.messages), fmt.Sprintf("启动：已写入 %d 条", f.messages))
		}
	}
	before.Wait()
	f.tail = f.seq.Position() - f.tail
	return failed.get()
}

// snapshot copies the state file once everything before is in it.
func (f *filler) snapshot(ctx context.Context, path string) (uint64, error) {
	for f.state.Pending() > 0 {
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return 0, err
		}
	}
	return f.state.Snapshot(path)
}

func (f *filler) makeRooms(ctx context.Context, n int) error {
	var work sync.WaitGroup
	made := make([]id.ID, n)
	var failed syncError
	for i := range n {
		work.Add(1)
		members := []id.ID{f.people[1+i%(len(f.people)-1)].user, f.people[1+(i+7)%(len(f.people)-1)].user}
		f.seq.Go(ctx, state.Actor{User: f.people[0].user}, &state.CreateRoom{Form: wire.Group, Name: fmt.Sprintf("room %d", len(f.rooms)+i), Members: members},
			func(r sequencer.Result, err error) {
				made[i] = r.Room
				failed.set(err)
				work.Done()
			})
	}
	work.Wait()
	f.rooms, f.heads = append(f.rooms, made...), append(f.heads, make([]int, n)...)
	return failed.get()
}

func (f *filler) send(ctx context.Context, room int, work *sync.WaitGroup, failed *syncError) {
	var key [16]byte
	binary.BigEndian.PutUint64(key[:], uint64(time.Now().UnixMilli())<<16|0x7000|uint64(f.messages&0xfff))
	binary.BigEndian.PutUint64(key[8:], f.dice.Uint64()>>2|1<<63)
	var text string
	if f.text != nil {
		text = f.text()
	} else {
		text = f.filling()
	}
	work.Add(1)
	f.heads[room]++
	f.messages++
	f.seq.Go(ctx, state.Actor{User: f.people[0].user}, &state.SendMessage{Room: f.rooms[room], Key: key[:], Text: text},
		func(_ sequencer.Result, err error) {
			failed.set(err)
			work.Done()
		})
}

// filling is textBytes of words.
func (f *filler) filling() string {
	var text strings.Builder
	for text.Len() < textBytes-10 {
		text.WriteString(f.words[f.dice.IntN(len(f.words))])
		text.WriteByte(' ')
	}
	return text.String()
}

// syncError keeps the first error of several goroutines.
type syncError struct {
	mu  sync.Mutex
	err error
}

func (e *syncError) set(err error) {
	if err == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err == nil {
		e.err = err
	}
}

func (e *syncError) get() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// sizeOf is the bytes of all files at and below a path.
func sizeOf(path string) (sum int64, err error) {
	err = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}

// swapState puts the older state into the place of the present one.
func swapState(dir string) error {
	return os.Rename(filepath.Join(dir, olderFile), filepath.Join(dir, stateFile))
}
