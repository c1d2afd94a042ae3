package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// The mutants harness tests the tests: it plants one mistake at a time with
// go build -overlay and runs the harness that must notice. A mistake whose
// place is no longer in the source fails the run too: plant it anew.

type mutant struct {
	name string
	file string
	old  string
	new  string
	args []string // of this program, which must fail
}

func mutants() []mutant {
	return append(storeMutants(), serverMutants()...)
}

// storeMutants are noticed by harnesses that have the store in this program.
func storeMutants() []mutant {
	power := []string{"power", "-tiny", "-n", "700"}
	return []mutant{
		{"journal: answer without fdatasync", "appliance/journal/journal.go",
			"if err = j.active.Sync(); err != nil {", "if err != nil {", power},
		{"journal: a new segment's name is not synced", "appliance/journal/journal.go",
			"err = fsys.SyncDir(filepath.Dir(path))", "err = nil", []string{"power", "-n", "600"}},
		{"journal: the witness is not asked", "appliance/journal/load.go",
			"if witness > l.head() {", "if witness > l.head()+1<<40 {", []string{"flip", "-tiny", "-n", "900"}},
		{"journal: no search behind a bad record", "appliance/journal/tail.go",
			"for o := t.off; o+8 < t.end && (damage == \"\" || t.toEnd); o++ {", "for o := t.off; false; o++ {", []string{"flip", "-tiny", "-n", "2500"}},
		{"state: bbolt without sync", "appliance/state/state.go",
			"NoSync:          opt.NoSync,", "NoSync:          true,", power},
		{"state: bbolt made in place", "appliance/state/state.go",
			"tmp := path + \".new\"", "tmp := path", power},
		{"state: position not in the transaction of what it stands for", "appliance/state/flush.go",
			"m := meta{Format: Format, Applied: s.applied,", "m := meta{Format: Format, Applied: s.applied + 1,", power},
		{"state: applying reads the clock", "appliance/state/apply_message.go",
			"m := &Message{Pos: r.Pos, Time: r.Time,", "m := &Message{Pos: r.Pos, Time: r.Time + int64(os.Getpid()),", []string{"hash", "-tiny"}},
		{"blob: bytes of an upload not synced", "appliance/blob/append.go",
			"if err := a.f.Sync(); err != nil {\n\t\treturn a.s.failUnlessFull(a.e, fmt.Errorf(\"sync upload", "if err := error(nil); err != nil {\n\t\treturn a.s.failUnlessFull(a.e, fmt.Errorf(\"sync upload", power},
		{"sequencer: a failed append is answered as done", "appliance/sequencer/sequencer.go",
			"if err := q.append(batch); err != nil {\n\t\tq.answerAll(batch)", "if err := q.append(batch); err != nil {\n\t\tfor i := range batch {\n\t\t\tbatch[i].done(batch[i].result, nil)\n\t\t}", []string{"nth", "-tiny", "-n", "-1"}},
	}
}

// serverMutants are noticed through the doors of the real server.
func serverMutants() []mutant {
	kill := []string{"kill", "-n", "6"}
	return []mutant{
		{"sequencer: answer before append", "appliance/sequencer/sequencer.go",
			"if err := q.append(batch); err != nil {\n\t\tq.answerAll(batch)\n\t\treturn list, err\n\t}\n\tq.state.Took(\"append\", began)\n\tq.count(batch)\n\tfor i := range batch {\n\t\tbatch[i].done(batch[i].result, nil)\n\t}",
			"for i := range batch {\n\t\tbatch[i].done(batch[i].result, nil)\n\t}\n\tif err := q.append(batch); err != nil {\n\t\treturn list, err\n\t}\n\tq.state.Took(\"append\", began)\n\tq.count(batch)", kill},
		{"state: the client key is not kept", "appliance/state/apply_message.go",
			"s.tail.keys[clientKey{[16]byte(body.Key), r.User}] = keyRef{Room: body.Room, Seq: body.Seq}", "", kill},
		{"state: a scheduled message stays when it is sent", "appliance/state/apply_message.go",
			"if body.Scheduled != 0 {", "if body.Scheduled == 1 {", kill},
		{"gate: one record is not told", "appliance/gate/fanout.go",
			"for _, d := range g.service.Deliveries(r) {", "for _, d := range g.service.Deliveries(r) {\n\t\tif r.Pos%50 == 0 {\n\t\t\tcontinue\n\t\t}", kill},
		{"gate: hijacked connections go back to the pool", "appliance/gate/server.go",
			"KeepHijackedConns:            true,", "KeepHijackedConns:            false,", []string{"steps", "-only", "socket"}},
		{"gate: no limit on frames", "appliance/gate/socket.go",
			"ws.SetReadLimit(int64(g.limit().FrameBytes))", "", []string{"bad", "-only", "frame"}},
	}
}

func runMutants(r *run) (string, error) {
	var list []mutant
	for _, m := range mutants() {
		if m.args != nil && strings.Contains(m.name, r.only) {
			list = append(list, m)
		}
	}
	if r.size == tiny && r.only == "" {
		list = list[:1]
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	caught := 0
	work := make(chan int)
	for range 2 {
		wg.Go(func() {
			for i := range work {
				how, err := r.hunt(list[i], filepath.Join(r.dir, strconv.Itoa(i)))
				if err != nil {
					r.violation("%s: %v", list[i].name, err)
					continue
				}
				r.say("mutants: %s: caught: %s", list[i].name, how)
				mu.Lock()
				caught++
				mu.Unlock()
			}
		})
	}
	for i := range list {
		work <- i
	}
	close(work)
	wg.Wait()
	return fmt.Sprintf("%d of %d planted mistakes caught", caught, len(list)), nil
}

// hunt plants a mistake, and says how it was noticed.
func (r *run) hunt(m mutant, dir string) (how string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	path := filepath.Join(r.root, m.file)
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(b), m.old); n != 1 {
		return "", fmt.Errorf("its place is %d times in %s: plant it anew", n, m.file)
	}
	text := strings.Replace(string(b), m.old, m.new, 1)
	if strings.Contains(m.new, "os.Getpid") && !strings.Contains(text, "\t\"os\"\n") {
		text = strings.Replace(text, "import (\n", "import (\n\t\"os\"\n", 1)
	}
	changed, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	plan, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(changed, []byte(text), 0o600); err != nil {
		return "", err
	}
	if err := os.WriteFile(overlay, plan, 0o600); err != nil {
		return "", err
	}
	faults := filepath.Join(dir, "faults")
	if err := r.build(faults, "./cmd/faults", "-overlay", overlay); err != nil {
		return "", err
	}
	args := m.args
	if args[0] == "kill" || args[0] == "bad" || args[0] == "steps" || args[0] == "slow" {
		bin := filepath.Join(dir, "posthouse")
		if err := r.build(bin, "./cmd/posthouse", "-overlay", overlay); err != nil {
			return "", err
		}
		args = append([]string{"-bin", bin}, args...)
	}
	for try := range uint64(3) {
		cmd := exec.CommandContext(r.ctx, faults, append([]string{"-seed", strconv.FormatUint(r.seed+try, 10)}, args...)...)
		cmd.Dir = r.root
		out, err := cmd.CombinedOutput()
		_, after, found := strings.Cut(string(out), "BROKEN: ")
		if err != nil && found {
			first, _, _ := strings.Cut(after, "\n")
			_ = os.RemoveAll(dir)
			return first[:min(len(first), 160)], nil
		}
		if err != nil {
			return "", fmt.Errorf("%s failed without a violation: %w\n%s", args, err, out)
		}
	}
	return "", fmt.Errorf("NOT CAUGHT by %s", strings.Join(args, " "))
}
