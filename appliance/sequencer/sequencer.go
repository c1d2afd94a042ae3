// Package sequencer is the only writer: it decides commands one batch at a
// time, appends what was decided with one fsync, applies it, answers, and
// wakes the followers.
//
// Promises: an answered command is durable; nothing that is not durable is
// answered, applied or shown to a follower; commands of one caller that wait
// in the queue are decided in the order they were submitted. An error of the
// journal or the state file is final: it is never retried. The sequencer then
// answers everything with "unavailable" and calls Options.Fatal, and the
// process exits and recovers by replay.
//
// A batch is what waited while the last fsync ran. A command that depends on
// an earlier one of the same batch ends it and opens the next.
//
// Followers have positions of their own. They are woken, not pushed to, and
// read on with Records: from the recent ring in memory or from the journal.
//
// Goroutines: run (decides and commits) and flushing (writes state to its
// file). Both are born in Start and end in Close.
package sequencer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"posthouse/appliance/journal"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// Options say how to run. Zero values mean the defaults.
type Options struct {
	Wait       time.Duration // group-commit window after the first command; default none
	MaxBatch   int           // commands in one batch; default 4096
	Ring       int           // records kept in memory for followers; default 16384
	FlushEvery time.Duration // state goes to its file at least this often; default 1 s
	FlushAt    int           // and when this many entities wait; default 20,000
	MaxPending int           // entities that may wait before commands do; default 400,000
	Now        func() time.Time
	Log        *slog.Logger
	Fatal      func(error)                 // called once, from a goroutine of the sequencer
	Progress   func(position, head uint64) // during replay
}

func (o Options) withDefaults() Options {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.MaxBatch, 4096)
	def(&o.Ring, 16384)
	def(&o.FlushAt, 20000)
	def(&o.MaxPending, 400000)
	if o.FlushEvery == 0 {
		o.FlushEvery = time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Fatal == nil {
		o.Fatal = func(error) {}
	}
	return o
}

// Result is what a command came to.
type Result struct {
	state.Outcome
	Record record.Record // zero when nothing had to change
}

// Position is where the change became durable; of the earlier one when the
// client key had been used, 0 when nothing had to change.
func (r Result) Position() uint64 {
	if r.Again {
		return r.Pos
	}
	return r.Record.Pos
}

type request struct {
	ctx   context.Context
	actor state.Actor
	cmd   state.Command
	done  func(Result, error)
	at    time.Time // of its coming
}

// Sequencer orders everything that happens.
type Sequencer struct {
	opt     Options
	journal *journal.Journal
	state   *state.State
	codec   *record.Codec

	mu     sync.Mutex
	queue  []request
	closed bool
	failed error

	wake     chan struct{}
	flush    chan struct{}
	flushed  chan struct{}
	stop     chan struct{}
	finished sync.WaitGroup
	fatal    sync.Once

	position atomic.Uint64
	readOnly atomic.Pointer[error]

	ringMu sync.RWMutex
	ring   []record.Record // ring[pos % len]
	oldest uint64          // first position in the ring

	paceMu   sync.Mutex
	pacer    func() uint64 // position of the follower that may not be left far behind
	caughtUp chan struct{}

	watchMu  sync.Mutex
	watchers map[chan struct{}]struct{}

	meters  *meters
	entries []journal.Entry
	payload bytes.Buffer
}

// Start replays the journal past what the state's file stands for and begins
// to take commands. It owns neither: close them after Close.
func Start(j *journal.Journal, s *state.State, opt Options) (*Sequencer, error) {
	opt = opt.withDefaults()
	q := &Sequencer{opt: opt, meters: newMeters(), journal: j, state: s, codec: record.NewCodec(),
		wake: make(chan struct{}, 1), flush: make(chan struct{}, 1), flushed: make(chan struct{}, 1), caughtUp: make(chan struct{}, 1), stop: make(chan struct{}),
		ring: make([]record.Record, opt.Ring), watchers: map[chan struct{}]struct{}{}}
	if err := q.replay(); err != nil {
		return nil, err
	}
	q.finished.Add(2)
	go q.run()
	go q.flushing()
	return q, nil
}

// ErrAhead says that the state file knows of records that the journal does not
// hold: the journal was replaced or has lost its end.
var ErrAhead = errors.New("the state file is ahead of the journal: records are missing from the journal; restore it from a backup, or run posthouse verify")

func (q *Sequencer) replay() error {
	at, head := q.state.Flushed(), q.journal.Head()
	if at > head {
		return fmt.Errorf("state stands at %d, the journal ends at %d: %w", at, head, ErrAhead)
	}
	q.oldest = at + 1
	if err := Replay(q.journal, q.codec, q.state, head, func(r []record.Record) {
		for i := range r {
			q.remember(r[i])
		}
		if q.opt.Progress != nil {
			q.opt.Progress(r[len(r)-1].Pos, head)
		}
	}); err != nil {
		return err
	}
	q.position.Store(head)
	return nil
}

// Replay applies the journal to a state from where it stands to a position,
// flushing on the way so that memory stays bounded. each sees every chunk
// after it was applied.
func Replay(j *journal.Journal, codec *record.Codec, s *state.State, to uint64, each func([]record.Record)) error {
	from := s.Applied() + 1
	if from > to {
		return nil
	}
	rd, err := j.ReadFrom(from)
	if err != nil {
		return fmt.Errorf("replay from %d: %w", from, err)
	}
	defer rd.Close()
	const chunk = 4096
	batch := make([]record.Record, 0, chunk)
	for pos := from; pos <= to; pos++ {
		raw, err := rd.Next()
		if err != nil {
			return fmt.Errorf("replay record %d: %w", pos, err)
		}
		r, err := codec.Decode(raw.Pos, raw.Kind, raw.Payload)
		if err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		if batch = append(batch, r); len(batch) < chunk && pos < to {
			continue
		}
		if err := s.Apply(batch); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		if each != nil {
			each(batch)
		}
		batch = batch[:0]
		if s.Pending() > 100000 {
			if err := s.Flush(); err != nil {
				return fmt.Errorf("replay: %w", err)
			}
		}
	}
	return nil
}

// Submit queues a command and waits for its answer. Refusals are *wire.Error.
// A context that ends before the command is decided takes it back; after that
// the answer is on its way and Submit waits for it.
func (q *Sequencer) Submit(ctx context.Context, a state.Actor, c state.Command) (Result, error) {
	type answer struct {
		r   Result
		err error
	}
	ch := make(chan answer, 1)
	q.Go(ctx, a, c, func(r Result, err error) { ch <- answer{r, err} })
	got := <-ch
	return got.r, got.err
}

// Go queues a command; done is called once, on a goroutine of the sequencer:
// it must be quick and must not submit.
func (q *Sequencer) Go(ctx context.Context, a state.Actor, c state.Command, done func(Result, error)) {
	if why := q.ReadOnly(); why != nil && !state.Essential(c) {
		done(Result{}, unavailable(why))
		return
	}
	at := time.Now()
	q.mu.Lock()
	if q.closed || q.failed != nil {
		q.mu.Unlock()
		done(Result{}, unavailable(nil))
		return
	}
	q.queue = append(q.queue, request{ctx, a, c, done, at})
	q.mu.Unlock()
	signal(q.wake)
}

func unavailable(why error) error {
	var e *wire.Error
	if errors.As(why, &e) {
		return e
	}
	return wire.Refuse(wire.Unavailable, "the server cannot store anything at the moment; nothing was changed, try again", "服务器暂时无法存储，未作任何更改，请稍后重试")
}

// ReadOnly says why nothing can be stored now; nil = it can.
func (q *Sequencer) ReadOnly() error {
	if p := q.readOnly.Load(); p != nil {
		return *p
	}
	return nil
}

// FlushSoon asks for a flush now, without waiting for it.
func (q *Sequencer) FlushSoon() { signal(q.flush) }

// SetReadOnly begins or (nil) ends a time in which only essential commands are
// taken and state is not flushed. why should be a *wire.Error that says what
// to do.
func (q *Sequencer) SetReadOnly(why error) {
	if why == nil {
		q.readOnly.Store(nil)
		return
	}
	q.readOnly.Store(&why)
	signal(q.flushed) // whoever waits for a flush that will not come
}

// Position is the head of what is durable and applied.
func (q *Sequencer) Position() uint64 { return q.position.Load() }

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

func (q *Sequencer) take() []request {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := min(len(q.queue), q.opt.MaxBatch)
	out := q.queue[:n:n]
	if q.queue = q.queue[n:]; len(q.queue) == 0 {
		q.queue = nil
	}
	return out
}

// turn notes that the writer turns to what it has taken.
func (q *Sequencer) turn(list []request, now time.Time) {
	for i := range list {
		q.meters.waited.Took(now.Sub(list[i].at))
	}
}

func (q *Sequencer) run() {
	defer q.finished.Done()
	var left []request
	for {
		fresh := len(left) == 0
		if fresh {
			if left = q.take(); len(left) == 0 {
				select {
				case <-q.wake:
					if q.opt.Wait > 0 {
						time.Sleep(q.opt.Wait)
					}
					continue
				case <-q.stop:
					if left = q.take(); len(left) == 0 {
						return
					}
				}
			}
		}
		q.holdBack()
		q.pace()
		var err error
		began := time.Now()
		if fresh {
			q.turn(left, began)
		}
		left, err = q.commit(left)
		q.meters.worked(began)
		if err != nil {
			q.fail(err)
			// Also what came while the journal failed and left was empty.
			for left = append(left, q.take()...); len(left) > 0; left = q.take() {
				for _, r := range left {
					r.done(Result{}, unavailable(nil))
				}
			}
			return
		}
	}
}

// holdBack waits for a flush when too much waits for it, so that memory stays
// bounded when the disk is slower than the callers.
func (q *Sequencer) holdBack() {
	n := q.state.Pending()
	if n >= q.opt.FlushAt {
		signal(q.flush)
	}
	for n >= q.opt.MaxPending && q.ReadOnly() == nil {
		select {
		case <-q.flushed:
		case <-q.stop:
			return
		}
		n = q.state.Pending()
	}
}

// maxRecord bounds one record, well below the journal's own bound.
const maxRecord = 2 << 20

type decided struct {
	request
	result Result
	from   int // of its payload
}

// commit decides as many requests as one batch takes, makes them durable and
// true, and answers. It returns those that are left for the next batch.
func (q *Sequencer) commit(list []request) ([]request, error) {
	began := time.Now()
	b := q.state.Begin(q.opt.Now())
	batch := make([]decided, 0, len(list))
	q.payload.Reset()
	for len(list) > 0 {
		r := list[0]
		if err := r.ctx.Err(); err != nil {
			r.done(Result{}, err)
			list = list[1:]
			continue
		}
		out, err := b.Decide(r.actor, r.cmd)
		if errors.Is(err, state.ErrNextBatch) {
			break
		}
		list = list[1:]
		if err != nil || out.Body == nil {
			var refusal *wire.Error
			if err != nil && !errors.As(err, &refusal) {
				b.End()
				q.answerAll(batch)
				r.done(Result{}, unavailable(nil))
				return list, fmt.Errorf("decide: %w", err)
			}
			r.done(Result{Outcome: out}, err)
			continue
		}
		d := decided{request: r, from: q.payload.Len(), result: Result{Outcome: out, Record: b.Record(r.actor, out)}}
		if err := q.codec.Append(&q.payload, d.result.Record); err != nil {
			b.End()
			q.answerAll(batch)
			r.done(Result{}, unavailable(nil))
			return list, err
		}
		if n := q.payload.Len() - d.from; n > maxRecord {
			q.payload.Truncate(d.from)
			r.done(Result{}, wire.Refusef(wire.TooLarge, "this would be a record of %d bytes, more than %d: do it in parts", "此操作的记录为 %d 字节，超过 %d，请分批进行", n, maxRecord))
			break // its overlay goes with the batch
		}
		batch = append(batch, d)
	}
	b.End()
	if len(batch) == 0 {
		return list, nil
	}
	if err := q.append(batch); err != nil {
		q.answerAll(batch)
		return list, err
	}
	q.state.Took("append", began)
	q.count(batch)
	for i := range batch {
		batch[i].done(batch[i].result, nil)
	}
	q.wakeAll()
	return list, nil
}

// answerAll answers a batch whose append failed. Its records may be on disk
// and come back with the replay.
func (q *Sequencer) answerAll(batch []decided) {
	for i := range batch {
		batch[i].done(Result{}, wire.Refuse(wire.Unavailable, "the server's disk failed; whether this was stored is not known yet: send it again with the same key",
			"服务器磁盘出错，尚不确定是否已存储：请用同一键重试"))
	}
}

// append makes a batch durable, then true.
func (q *Sequencer) append(batch []decided) error {
	q.entries = q.entries[:0]
	payload := q.payload.Bytes()
	for i := range batch {
		to := q.payload.Len()
		if i+1 < len(batch) {
			to = batch[i+1].from
		}
		q.entries = append(q.entries, journal.Entry{Kind: uint16(batch[i].result.Record.Body.Kind()), Payload: payload[batch[i].from:to]})
	}
	first, err := q.journal.Append(q.entries)
	if err != nil {
		return fmt.Errorf("append to the journal: %w", err)
	}
	records := make([]record.Record, len(batch))
	for i := range batch {
		batch[i].result.Record.Pos = first + uint64(i)
		records[i] = batch[i].result.Record
	}
	if err := q.state.Apply(records); err != nil {
		return err
	}
	for i := range records {
		q.remember(records[i])
	}
	q.position.Store(first + uint64(len(batch)) - 1)
	return nil
}

func (q *Sequencer) fail(err error) {
	q.meters.failures.Inc()
	q.mu.Lock()
	q.failed = err
	q.mu.Unlock()
	q.fatal.Do(func() { q.opt.Fatal(err) })
}

// flushRest is how long a flush rests after each millisecond of work.
const flushRest = 2 * time.Millisecond

// rest leaves the processor to the callers, unless so much waits for the flush
// that they would soon be held back, or the sequencer stops.
func (q *Sequencer) rest() {
	if q.state.Pending() > q.opt.MaxPending/4 {
		return
	}
	select {
	case <-time.After(flushRest):
	case <-q.stop:
	}
}

// flushing writes state to its file, away from the callers.
func (q *Sequencer) flushing() {
	defer q.finished.Done()
	tick := time.NewTicker(q.opt.FlushEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-q.flush:
		case <-q.stop:
			return
		}
		if q.ReadOnly() != nil {
			continue
		}
		entities, was, began := q.state.Pending(), q.state.Flushed(), time.Now()
		if err := q.state.FlushResting(q.rest); err != nil {
			q.fail(err)
			return
		}
		if at := q.state.Flushed(); at != was {
			q.opt.Log.Debug("state flushed", "position", at, "entities", entities, "began", began.UnixNano(), "took", time.Since(began).Nanoseconds())
		}
		signal(q.flushed)
	}
}

// Close answers what is queued, stops, and leaves state unflushed: closing the
// state does that. It waits until ctx ends.
func (q *Sequencer) Close(ctx context.Context) error {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.stop)
	}
	q.mu.Unlock()
	done := make(chan struct{})
	go func() { q.finished.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("close sequencer: %w", ctx.Err())
	}
}

// Failed is the error that stopped the sequencer; nil while it runs.
func (q *Sequencer) Failed() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.failed
}
