package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"posthouse/appliance/blob"
	"posthouse/appliance/journal"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// The flip harness: one bit of one file is turned over, then the directory is
// opened and verified. Either somebody reports damage, or everything that can
// be read is exactly what it was.

// image is a data directory to be damaged.
type image struct {
	name  string
	dir   string
	files []string // relative
	sizes []int64
}

// parts of a data directory, and how often of a hundred flips they are chosen.
func flipParts() map[string]int {
	return map[string]int{"journal/": 45, "state.db": 30, "files/sha256/": 10, "files/staging/": 12, "journal/hwm": 3}
}

func runFlip(r *run) (string, error) {
	flips := r.count(120, 5000, 1000000)
	mem, remove, err := r.memory()
	if err != nil {
		return "", err
	}
	defer remove()
	images, err := flipImages(r, mem)
	if err != nil {
		return "", err
	}
	tasks := make(chan flipOrder, 4)
	go func() {
		defer close(tasks)
		rng := r.rng(1)
		for i := range flips {
			im := images[i%len(images)]
			t := flipOrder{Image: im.dir, Name: im.name, Scratch: filepath.Join(mem, fmt.Sprintf("flip%d", i%64))}
			t.File, t.Bit = im.choose(rng)
			if i < len(images) {
				t.Bit = -1 // without damage nothing may be reported
			}
			select {
			case tasks <- t:
			case <-r.ctx.Done():
				return
			}
			if r.broken() {
				return
			}
		}
	}()
	var mu sync.Mutex
	tally := map[string]int{}
	spread(r, 2, "flip", tasks, func(t flipOrder, a flipAnswer, err error) {
		if err != nil {
			a.Verdict = "died"
		}
		mu.Lock()
		defer mu.Unlock()
		tally[a.Verdict]++
		if t.Bit < 0 && a.Verdict != "equal" {
			r.violation("%s is not sound before any bit is flipped: %s", t.Name, a.Why)
		} else if a.Verdict == "SILENT" {
			r.violation("%s: bit %d of %s: %s", t.Name, t.Bit, t.File, a.Why)
		}
		_ = os.RemoveAll(t.Scratch)
	})
	return fmt.Sprintf("%d flips: %d refused at the start, %d found by verify, %d by a process that died, %d without any effect, %d cut the last batch above every witness; %d silent",
		flips, tally["open"], tally["verify"], tally["died"], tally["equal"], tally["cut"], tally["SILENT"]), nil
}

// flipImages makes a directory that was closed, one that was left by a crash,
// and the journal and files of the first without the state file, as after a
// restore.
func flipImages(r *run, mem string) ([]image, error) {
	var images []image
	for _, name := range []string{"stopped", "crashed", "restored"} {
		im := image{name: name, dir: filepath.Join(mem, name)}
		steps := 240
		if r.size == tiny {
			steps = 60
		}
		w := work{dir: im.dir, steps: steps, seed: r.seed, acked: func(ack) {}}
		if err := w.life(name != "crashed"); err != nil {
			return nil, err
		}
		if name == "restored" {
			if err := os.Remove(filepath.Join(im.dir, "state.db")); err != nil {
				return nil, err
			}
		}
		err := fs.WalkDir(os.DirFS(im.dir), ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "LOCK") {
				return err
			}
			info, err := d.Info()
			im.files, im.sizes = append(im.files, path), append(im.sizes, info.Size())
			return err
		})
		if err != nil {
			return nil, err
		}
		images = append(images, im)
	}
	return images, nil
}

// life is some traffic, with one upload that stays unfinished, and an end that
// is in order or not.
func (w *work) life(orderly bool) error {
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return err
	}
	flush := 60 * time.Millisecond
	if !orderly {
		flush = time.Hour // nobody vouches for the last segment
	}
	o, err := openOffice(w.dir, officeOptions{segment: workSegment, flush: flush})
	if err != nil {
		return err
	}
	base := &life{o: o, rng: rand.New(rand.NewPCG(w.seed, 0)), acked: w.acked}
	err = base.found(4, 4)
	if err == nil {
		err = w.traffic(o, base, w.steps, 1)
	}
	if err == nil {
		_, err = o.b.Create(uint64(base.people[0]), 100, map[string]string{"filename": "unfinished"}, time.Now().Add(24*time.Hour))
	}
	switch {
	case err != nil:
		o.abandon()
		return err
	case orderly:
		return o.close()
	}
	cut := w.dir + ".cut" // closing it would tell the high-water file
	err = copyImage(w.dir, cut)
	o.abandon()
	return errors.Join(err, os.RemoveAll(w.dir), os.Rename(cut, w.dir))
}

// choose is a file and a bit of it. Holes of the state file are passed over.
func (im *image) choose(rng *rand.Rand) (file string, bit int64) {
	for {
		at := rng.IntN(100)
		for _, part := range slices.Sorted(maps.Keys(flipParts())) {
			share := flipParts()[part]
			if at >= share {
				at -= share
				continue
			}
			var list []int
			for i, f := range im.files {
				if strings.HasPrefix(f, part) && im.sizes[i] > 0 {
					list = append(list, i)
				}
			}
			if len(list) == 0 {
				break
			}
			i := list[rng.IntN(len(list))]
			size := im.sizes[i]
			if part == "state.db" {
				size = min(size, 512<<10)
			}
			return im.files[i], rng.Int64N(size * 8)
		}
	}
}

type flipOrder struct {
	Image, Name, Scratch, File string
	Bit                        int64 // -1 = none
}

// flipAnswer has a verdict: equal, open, verify, cut, or SILENT with the why.
type flipAnswer struct{ Verdict, Why string }

// flipTask copies an image, turns one bit over and looks at the result.
func flipTask(ctx context.Context, t flipOrder) flipAnswer {
	was, err := soundness(ctx, t)
	if err != nil {
		return flipAnswer{"SILENT", "the sound image: " + err.Error()}
	}
	if err := copyImage(t.Image, t.Scratch); err != nil {
		return flipAnswer{"SILENT", "copy: " + err.Error()}
	}
	if t.Bit >= 0 {
		if err := flipBit(filepath.Join(t.Scratch, t.File), t.Bit); err != nil {
			return flipAnswer{"SILENT", "flip: " + err.Error()}
		}
	}
	return examine(ctx, t.Scratch, was)
}

// soundness is what is read from the image without damage; it is computed once
// and kept in a file beside it.
func soundness(ctx context.Context, t flipOrder) (was reading, err error) {
	path := t.Image + ".sound"
	if b, err := os.ReadFile(path); err == nil && json.Unmarshal(b, &was) == nil {
		return was, nil
	}
	dir := t.Scratch + ".sound"
	defer os.RemoveAll(dir)
	if err := copyImage(t.Image, dir); err != nil {
		return was, err
	}
	if a := examine(ctx, dir, reading{}); a.Verdict != "SILENT" {
		return was, errors.New(a.Why)
	}
	o, err := openOffice(dir, officeOptions{segment: workSegment})
	if err != nil {
		return was, err
	}
	if was, err = readAll(o); err != nil {
		return was, err
	}
	if was.Witness, err = vouched(t.Image); err != nil {
		return was, err
	}
	b, err := json.Marshal(was)
	if err == nil {
		err = errors.Join(os.WriteFile(path+filepath.Base(dir), b, 0o600), os.Rename(path+filepath.Base(dir), path))
	}
	return was, errors.Join(err, o.close())
}

// vouched is the highest position that the high-water file or the state file
// of a directory knows to be durable.
func vouched(dir string) (uint64, error) {
	j, err := journal.Open(filepath.Join(dir, "journal"), journal.Options{ReadOnly: true})
	if err != nil {
		return 0, err
	}
	defer j.Close()
	at, _ := j.HighWater() // nothing was written, so nothing failed
	s, err := state.Open(filepath.Join(dir, "state.db"), state.Options{ReadOnly: true})
	if errors.Is(err, fs.ErrNotExist) {
		return at, nil
	}
	if err != nil {
		return 0, err
	}
	defer s.Abandon()
	return max(at, s.Flushed()), nil
}

func flipBit(path string, bit int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	var b [1]byte
	_, err = f.ReadAt(b[:], bit/8)
	if err == nil {
		b[0] ^= 1 << (bit % 8)
		_, err = f.WriteAt(b[:], bit/8)
	}
	return errors.Join(err, f.Close())
}

// copyImage copies a directory with the holes in its files.
func copyImage(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	t := tree{seed: maphash.MakeSeed(), files: map[string][]byte{}}
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == from {
			return err
		}
		name := strings.TrimPrefix(path, from)
		if d.IsDir() {
			t.names = append(t.names, name+"/")
			return nil
		}
		t.names = append(t.names, name)
		t.files[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		return err
	}
	return t.write(to)
}

// reading is everything that can be read.
type reading struct {
	Sums    []string // of records, in order
	Witness uint64
	State   string
	Uploads string
	Content string
}

func readAll(o *office) (r reading, err error) {
	sums, err := recordSums(o)
	if err != nil {
		return r, err
	}
	for pos := uint64(1); pos <= o.j.Head(); pos++ {
		r.Sums = append(r.Sums, sums[pos])
	}
	if err := o.s.Flush(); err != nil {
		return r, err
	}
	sum, err := o.s.Hash()
	if err != nil {
		return r, err
	}
	r.State = fmt.Sprintf("%x", sum[:8])
	var uploads []string
	for _, u := range o.s.Directory(wire.DirectoryParams{Limit: 500}, true).Users {
		for _, up := range o.b.Uploads(uint64(u.ID)) {
			uploads = append(uploads, fmt.Sprintf("%+v", up))
		}
	}
	slices.Sort(uploads)
	r.Uploads = strings.Join(uploads, "\n")
	h := sha256.New()
	err = o.b.List(context.Background(), func(d blob.Digest, size int64, _ time.Time) error {
		fmt.Fprintf(h, "%x %d\n", d[:], size)
		return nil
	})
	r.Content = fmt.Sprintf("%x", h.Sum(nil)[:8])
	return r, err
}

// mostTogether is how many people work at once in an image, and so how many
// records a batch can have.
const mostTogether = 3

// examine opens, reads and verifies a directory that may be damaged.
func examine(ctx context.Context, dir string, was reading) flipAnswer {
	o, err := openOffice(dir, officeOptions{segment: workSegment})
	if err != nil {
		return flipAnswer{"open", err.Error()}
	}
	torn := o.j.Recovery().TornBytes > 0
	now, err := readAll(o)
	if err == nil {
		err = o.s.Check()
	}
	if err == nil && len(o.b.Damaged()) > 0 {
		err = fmt.Errorf("damaged uploads: %v", o.b.Damaged())
	}
	if err == nil {
		err = contents(ctx, o)
	}
	if err != nil {
		o.abandon()
		return flipAnswer{"verify", err.Error()}
	}
	if err := o.close(); err != nil {
		return flipAnswer{"verify", err.Error()}
	}
	if err := proofread(ctx, dir, now); err != nil {
		return flipAnswer{"verify", err.Error()}
	}
	switch {
	case slices.Equal(now.Sums, was.Sums) && now.State == was.State && now.Uploads == was.Uploads && now.Content == was.Content:
		return flipAnswer{"equal", ""}
	case torn && uint64(len(now.Sums)) >= was.Witness && len(now.Sums) < len(was.Sums) && len(now.Sums)+mostTogether >= len(was.Sums) && slices.Equal(now.Sums, was.Sums[:len(now.Sums)]):
		return flipAnswer{"cut", ""} // a copy is kept and the log says so
	}
	return flipAnswer{"SILENT", fmt.Sprintf("%d records for %d, state %s for %s, content %s for %s, uploads equal: %v",
		len(now.Sums), len(was.Sums), now.State, was.State, now.Content, was.Content, now.Uploads == was.Uploads)}
}

// contents compares attachments with their addresses.
func contents(ctx context.Context, o *office) error {
	for d := range o.s.Content() {
		if err := o.b.Verify(blob.Digest(d)); err != nil {
			return err
		}
	}
	return o.b.List(ctx, func(d blob.Digest, _ int64, _ time.Time) error { return o.b.Verify(d) })
}

// proofread reads every byte of the journal and makes the state again.
func proofread(ctx context.Context, dir string, now reading) error {
	if _, err := journal.Check(ctx, filepath.Join(dir, "journal"), journal.Options{Witness: uint64(len(now.Sums))}, nil); err != nil {
		return err
	}
	fresh, err := rebuilt(filepath.Join(dir, "journal"), filepath.Join(dir, "rebuilt.db"))
	if err != nil {
		return err
	}
	defer fresh.Abandon()
	live, err := state.Open(filepath.Join(dir, "state.db"), state.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer live.Abandon()
	where, err := live.Differ(fresh)
	if err == nil && where != "" {
		err = errors.New("state is not what the journal says: " + where)
	}
	return err
}
