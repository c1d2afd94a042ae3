package journal

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"posthouse/appliance/disk/disktest"
)

// lostAfter repairs a hurt journal in a real directory and checks that it
// opens afterwards.
func lostAfter(t *testing.T, dir string, opt Options) RepairReport {
	t.Helper()
	_, err := Check(context.Background(), dir, opt, nil)
	damageOf(t, err)
	plan := must(Plan(dir, opt))(t)
	rep := must(Repair(dir, opt))(t)
	slices.Sort(rep.Moved)
	slices.Sort(plan.Moved)
	plan.Aside = rep.Aside
	if !reflect.DeepEqual(plan, rep) {
		t.Errorf("planned %+v, did %+v", plan, rep)
	}
	for _, name := range slices.Concat(rep.Moved, rep.Copied, []string{"report.txt"}) {
		must(os.Stat(filepath.Join(rep.Aside, name)))(t)
	}
	j := must(Open(dir, opt))(t)
	if j.First() != rep.First {
		t.Errorf("first is %d, report says %d", j.First(), rep.First)
	}
	wantAll(t, j, rep.Head)
	must(j.Append(batchFrom(j.Head()+1, 4)))(t)
	check(t, j.Close())
	must(Check(context.Background(), dir, opt, nil))(t)
	return rep
}

func TestRepair(t *testing.T) {
	opt := Options{SegmentBytes: 300}
	type result struct {
		first, head uint64
		lost        []Range
	}
	for name, c := range map[string]struct {
		hurt func(t *testing.T, segs []string)
		want func(segs []uint64) result
	}{
		"record in the middle": {
			func(t *testing.T, s []string) { flip(t, s[1], headerSize+recordHead) },
			func(f []uint64) result { return result{1, f[1] - 1, []Range{{f[1], 15}}} },
		},
		"footer in the middle": {
			func(t *testing.T, s []string) { check(t, os.Truncate(s[1], must(os.Stat(s[1]))(t).Size()-9)) },
			func([]uint64) result { return result{1, 15, nil} },
		},
		"one bit of a header": {
			func(t *testing.T, s []string) { flip(t, s[1], 30) },
			func([]uint64) result { return result{1, 15, nil} },
		},
		"header gone": {
			func(t *testing.T, s []string) { flip(t, s[2], 30, 31, 40, 77) },
			func(f []uint64) result { return result{1, f[2] - 1, []Range{{f[2], 15}}} },
		},
		"first header gone": {
			func(t *testing.T, s []string) { flip(t, s[0], 30, 31, 40, 77) },
			func([]uint64) result { return result{1, 0, []Range{{1, 15}}} },
		},
		"segment missing": {
			func(t *testing.T, s []string) { check(t, os.Remove(s[1])) },
			func(f []uint64) result { return result{1, f[1] - 1, []Range{{f[1], 15}}} },
		},
		"oldest segment missing": {
			func(t *testing.T, s []string) { check(t, os.Remove(s[0])) },
			func(f []uint64) result { return result{f[1], 15, []Range{{1, f[1] - 1}}} },
		},
		"last segment missing": {
			func(t *testing.T, s []string) { check(t, os.Remove(s[len(s)-1])) },
			func(f []uint64) result { return result{1, f[len(f)-1] - 1, []Range{{f[len(f)-1], 15}}} },
		},
		"all segments missing": {
			func(t *testing.T, s []string) {
				for _, name := range s {
					check(t, os.Remove(name))
				}
			},
			func([]uint64) result { return result{1, 0, []Range{{1, 15}}} },
		},
		"hwm": {
			func(t *testing.T, s []string) { flip(t, filepath.Join(filepath.Dir(s[0]), hwmName), 9) },
			func([]uint64) result { return result{1, 15, nil} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, _, _ := lay(t, opt, 3, 3, 3, 3, 3)
			segs := must(filepath.Glob(filepath.Join(dir, "*.seg")))(t)
			var firsts []uint64
			for _, s := range segs {
				first, _ := parseSegmentName(filepath.Base(s))
				firsts = append(firsts, first)
			}
			c.hurt(t, segs)
			rep := lostAfter(t, dir, opt)
			want := c.want(firsts)
			if got := (result{rep.First, rep.Head, rep.Lost}); got.first != want.first || got.head != want.head || !slices.Equal(got.lost, want.lost) {
				t.Errorf("got %+v, want %+v; damage %v", got, want, rep.Damage)
			}
		})
	}
}

// flip damages bytes of a file.
func flip(t testing.TB, path string, offs ...int) {
	t.Helper()
	b := must(os.ReadFile(path))(t)
	for _, o := range offs {
		b[o] ^= 0x10
	}
	check(t, os.WriteFile(path, b, 0o600))
}

func TestRepairLeavesAHealthyJournalAlone(t *testing.T) {
	s := smallJournal(t, 4, 3, 5)
	sim := s.restore(t)
	before := sim.Ops()
	rep := must(Repair(simDir, simOptions(sim)))(t)
	if len(rep.Damage) != 0 || rep.Head != 12 || sim.Ops() != before {
		t.Errorf("%+v, %d mutations", rep, sim.Ops()-before)
	}
}

// TestRepairInterrupted cuts a repair off after every mutation: a second run
// finishes it, with the same head, and no byte of a good record is gone.
func TestRepairInterrupted(t *testing.T) {
	s := smallJournal(t, 4, 3, 5, 2, 4, 6)
	var segs []string
	for name := range s {
		if _, ok := parseSegmentName(name); ok {
			segs = append(segs, name)
		}
	}
	slices.Sort(segs)
	s[segs[1]][headerSize+recordHead+1] ^= 1
	good, _ := parseSegmentName(segs[1])
	sim := s.restore(t)
	check(t, sim.SyncDir(simDir))
	durable := durably(t, sim)
	want := must(Repair(simDir, simOptions(durable)))(t)
	if want.Head != good-1 || len(want.Moved) == 0 {
		t.Fatalf("%d segments, %+v", len(segs), want)
	}
	for r, n := durable.Replay(), 0; n <= r.Len(); n++ {
		r.To(n)
		for keep := range disktest.Keeps {
			after := r.Crash(keep, random(uint64(n)))
			opt := simOptions(after)
			if _, err := Repair(simDir, opt); err != nil {
				t.Fatalf("after %d, keep %d: %v", n, keep, err)
			}
			j, err := Open(simDir, opt)
			if err != nil {
				t.Fatalf("after %d, keep %d: %v", n, keep, err)
			}
			wantAll(t, j, want.Head)
			check(t, j.Close())
		}
	}
}
