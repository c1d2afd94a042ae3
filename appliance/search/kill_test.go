package search_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/search"
	"posthouse/appliance/state"
)

// childDir names the directory that a child of the test works in.
const childDir = "SEARCH_CHILD_DIR"

// openKilled opens an office in a directory that a killed process may have left.
func openKilled(t *testing.T, dir string) *office {
	t.Helper()
	o := &office{t: t, dir: dir, contents: map[[32]byte][]byte{}, read: map[[32]byte]int{},
		opt: search.Options{FlushDocs: 7, ChangeAge: time.Millisecond, Check: true, NoSync: true, Budget: time.Minute}}
	o.opt.Content = o.open32
	for n := range papers {
		o.keep(paper(n))
	}
	o.open()
	return o
}

const papers = 12

func paper(n int) []byte { return fmt.Appendf(nil, "paper%d about 设备 %d", n, n*n) }

// TestKilled ends a process that writes the index with kill -9, again and
// again: every time the next one finds all that there is, and nothing else.
func TestKilled(t *testing.T) {
	if dir := os.Getenv(childDir); dir != "" {
		writeUntilKilled(t, dir)
		return
	}
	dir := t.TempDir()
	dice := rand.New(rand.NewPCG(3, 4))
	for range 6 {
		child := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		child.Env = append(os.Environ(), childDir+"="+dir)
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for n := 40 + dice.IntN(200); n > 0 && lines.Scan(); n-- {
		}
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for lines.Scan() {
		}
		if err := child.Wait(); err == nil || child.ProcessState.Exited() {
			t.Fatalf("the child ended by itself: %v", err)
		}
		o := openKilled(t, dir)
		checkAll(t, o)
		o.close() // which compares the index with state
	}
}

// checkAll searches for everything, as everybody.
func checkAll(t *testing.T, o *office) {
	t.Helper()
	o.reached()
	if at := o.x.Status(); at.Building != 0 {
		t.Errorf("the index is being made anew: %+v", at)
	}
	if err := o.s.Flush(); err != nil {
		t.Fatal(err)
	}
	want := map[id.ID]int{}
	if err := o.s.EachEntry(0, o.q.Position(), func(_ uint64, ref id.Message) bool {
		w, err := o.s.Words(ref)
		if err != nil {
			t.Fatal(err)
		}
		if w != nil && !w.Gone {
			want[w.Sender]++
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	for user, n := range want {
		if got := len(o.ask(search.Query{User: user, Text: "条目"})); got != n {
			t.Errorf("%d of %d messages are found", got, n)
		}
	}
	if len(want) == 0 {
		t.Error("there is no message")
	}
}

// writeUntilKilled sends, edits and recalls messages with documents.
func writeUntilKilled(t *testing.T, dir string) {
	o := openKilled(t, dir)
	me := o.person(fmt.Sprint("p", o.s.Counts().Users), "Somebody")
	room := o.room(me, "r")
	var files []id.ID
	for n := range papers {
		files = append(files, o.document(me, fmt.Sprint(n, ".txt"), paper(n)))
	}
	dice := rand.New(rand.NewPCG(1, uint64(me)))
	var refs []id.Message
	for i := 0; ; i++ {
		var with []id.ID
		if dice.IntN(2) == 0 {
			with = append(with, files[dice.IntN(papers)])
		}
		refs = append(refs, o.send(me, room, fmt.Sprint("条目 entry ", i), with...))
		n := dice.IntN(len(refs))
		switch dice.IntN(4) {
		case 0:
			o.do(me, &state.RecallMessage{Message: refs[n]})
			refs = append(refs[:n], refs[n+1:]...)
		case 1:
			o.do(me, &state.EditMessage{Message: refs[n], Text: fmt.Sprint("条目 edited ", i)})
		}
		fmt.Println(i)
		if len(refs) == 0 {
			refs = append(refs, o.send(me, room, "条目"))
		}
	}
}
