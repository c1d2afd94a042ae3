package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// The hash harness: one journal, applied in processes that differ in time
// zone, language, processors and collector, gives one state.

func surroundings() [][]string {
	return [][]string{
		{"TZ=UTC", "LANG=C", "GOMAXPROCS=1", "GOGC=100"},
		{"TZ=Asia/Shanghai", "LANG=zh_CN.UTF-8", "LC_ALL=zh_CN.UTF-8", "GOMAXPROCS=2", "GOGC=5"},
		{"TZ=America/St_Johns", "LANG=tr_TR.UTF-8", "LC_ALL=tr_TR.UTF-8", "GOMAXPROCS=4", "GOGC=off"},
		{"TZ=Pacific/Kiritimati", "LANG=de_DE.UTF-8", "GOMAXPROCS=8", "GOGC=50", "GODEBUG=gcstoptheworld=1"},
		{"TZ=:/nonexistent", "LANG=", "GOMAXPROCS=3", "GOMEMLIMIT=64MiB", "GOGC=20"},
	}
}

func runHash(r *run) (string, error) {
	records := uint64(r.count(600, 10000, 1000000))
	mem, remove, err := r.memory()
	if err != nil {
		return "", err
	}
	defer remove()
	dir := filepath.Join(mem, "life")
	live, head, err := officeLife(dir, records, r.rng(1))
	if err != nil {
		return "", err
	}
	for i, env := range surroundings() {
		w, err := startWorker(r.ctx, env, "hash")
		if err != nil {
			return "", err
		}
		var a hashAnswer
		err = w.do(hashOrder{filepath.Join(dir, "journal"), filepath.Join(mem, fmt.Sprintf("%d.db", i))}, &a)
		if err != nil {
			return "", err
		}
		w.stop()
		if a.Err != "" || a.Hash != live {
			r.violation("with %v the state is %.16s, it was %.16s when it was lived: %s", env, a.Hash, live, a.Err)
		}
	}
	return fmt.Sprintf("%d records, one life and %d replays, state %.16s", head, len(surroundings()), live), nil
}

// officeLife lives until the journal has so many records, and gives the hash
// of the state and the head of the journal.
func officeLife(dir string, records uint64, rng *rand.Rand) (hash string, head uint64, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", 0, err
	}
	o, err := openOffice(dir, officeOptions{segment: 1 << 20, flush: 100 * time.Millisecond})
	if err != nil {
		return "", 0, err
	}
	defer o.abandon()
	l := &life{o: o, rng: rng, acked: func(ack) {}}
	if err := l.found(12, 15); err != nil {
		return "", 0, err
	}
	for n := 0; o.q.Position() < records; n++ {
		if err := l.step(); err != nil {
			return "", 0, err
		}
		if n%100 == 7 {
			if err := l.upload(1 + rng.IntN(2000)); err != nil {
				return "", 0, err
			}
		}
	}
	if err := o.q.Close(context.Background()); err != nil {
		return "", 0, err
	}
	if err := o.s.Flush(); err != nil {
		return "", 0, err
	}
	sum, err := o.s.Hash()
	return fmt.Sprintf("%x", sum[:]), o.j.Head(), err
}

type hashOrder struct{ Journal, State string }

type hashAnswer struct{ Hash, Err string }

// hashTask applies a journal to an empty state.
func hashTask(_ context.Context, t hashOrder) (a hashAnswer) {
	s, err := rebuilt(t.Journal, t.State)
	if err != nil {
		return hashAnswer{Err: err.Error()}
	}
	defer s.Abandon()
	sum, err := s.Hash()
	if err != nil {
		a.Err = err.Error()
	}
	a.Hash = fmt.Sprintf("%x", sum[:])
	return a
}
