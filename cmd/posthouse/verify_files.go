package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"posthouse/appliance/blob"
	"posthouse/appliance/journal"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
	texts "posthouse/sysmon/words"
)

// filesReport tells of the contents of uploaded files.
type filesReport struct {
	Files    int           `json:"files"`
	Bytes    int64         `json:"bytes"`
	Deep     bool          `json:"deep"` // every content was read
	Problems []fileProblem `json:"problems"`
}

// fileProblem is a file whose content is not there as it should be.
type fileProblem struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
	What   string `json:"what"` // missing, size or damaged
}

// files looks for the content of every file of the state.
func (v *verifier) files() error {
	s := v.subject()
	if s == nil {
		return nil
	}
	problems, err := v.lookAt(s)
	if err != nil {
		return err
	}
	if len(problems) > 0 && v.rep.Running {
		if problems, err = v.lookAgain(problems); err != nil {
			return err
		}
	}
	v.rep.Files.Problems = problems
	if len(problems) > 0 {
		v.advise("files", "fetch the files named from a backup into "+filepath.Join(v.dir, filesDir)+"; messages are not affected",
			"从备份中取回所列文件放入 "+filepath.Join(v.dir, filesDir)+"；消息不受影响")
	}
	return nil
}

func (v *verifier) lookAt(s *state.State) ([]fileProblem, error) {
	var list []record.File
	var total, done int64
	s.EachFile(func(f record.File) bool {
		list = append(list, f)
		total += f.Size
		return true
	})
	v.rep.Files = filesReport{Files: len(list), Bytes: total, Deep: v.flags.deep}
	store := blob.Look(filepath.Join(v.dir, filesDir))
	show := v.progress(v.say.of("4/4 looking at files", "4/4 核对文件"))
	defer show.end()
	bad := []fileProblem{}
	seen := map[blob.Digest]string{} // several files may have one content
	for _, f := range list {
		if err := v.ctx.Err(); err != nil {
			return nil, err
		}
		d := blob.Digest(f.SHA256)
		what, known := seen[d]
		if !known {
			var err error
			if what, err = v.content(store, d, f.Size); err != nil {
				return nil, err
			}
			seen[d] = what
		}
		if what != "" {
			bad = append(bad, fileProblem{f.ID.String(), d.String(), f.Size, what})
		}
		done += f.Size
		show.at(done, total, texts.Bytes[int64])
	}
	return bad, nil
}

// content says what is wrong with one content; empty = nothing.
func (v *verifier) content(store *blob.Store, d blob.Digest, size int64) (string, error) {
	b, err := store.OpenBlob(d)
	if errors.Is(err, blob.ErrNotFound) {
		return "missing", nil
	}
	if err != nil {
		return "", err
	}
	have := b.Size()
	_ = b.Close() // opened for reading
	if have != size {
		return "size", nil
	}
	if v.flags.deep {
		switch err := store.Verify(d); {
		case errors.Is(err, blob.ErrNotFound):
			return "missing", nil
		case err != nil:
			return "damaged", nil // other bytes, or none that the disk can read
		}
	}
	return "", nil
}

// lookAgain is for a running server, which may have thrown files away since
// the journal was read: only those that the journal still knows are missing.
func (v *verifier) lookAgain(bad []fileProblem) ([]fileProblem, error) {
	j, err := journal.Open(filepath.Join(v.dir, journalDir), journal.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	_ = v.journal.Close() // read only
	v.journal = j
	if err := v.replayTo(j.Head(), j.Head()); err != nil || v.made == nil {
		return bad, err
	}
	still := map[string]bool{}
	v.made.EachFile(func(f record.File) bool {
		still[f.ID.String()] = true
		return true
	})
	kept := []fileProblem{}
	for _, p := range bad {
		if still[p.File] {
			kept = append(kept, p)
		}
	}
	return kept, nil
}

// copyFile copies a file that nobody writes to.
func copyFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}

// advise adds what to do about one part.
func (v *verifier) advise(part, en, zh string) {
	v.rep.Advice = append(v.rep.Advice, part+": "+v.say.of(en, zh))
}

// judge puts the parts together.
func (v *verifier) judge() {
	r := &v.rep
	r.Whole = r.Journal.Whole && !v.stateBad && r.Replay.Problem == "" && len(r.Invariants) == 0 && len(r.Files.Problems) == 0
}

// problem is the first thing that keeps the journal from being replayed.
func (v *verifier) problem() string {
	if len(v.rep.Journal.Damage) > 0 {
		d := v.rep.Journal.Damage[0]
		return fmt.Sprintf("%s %d: %s", d.File, d.Offset, d.Reason)
	}
	return v.rep.Replay.Problem
}

// write prints the report for people: a line for each step.
func (v *verifier) write() {
	r := v.rep
	t := table{head: []string{v.say.of("STEP", "步骤"), v.say.of("RESULT", "结果"), v.say.of("DETAILS", "详情")}}
	bad := 0
	add := func(name string, ok, done bool, details string) {
		switch {
		case !done && ok:
			t.add(name, v.say.of("not done", "未进行"), details)
		case ok:
			t.add(name, v.say.of("whole", "完好"), details)
		default:
			t.add(name, v.say.of("DAMAGED", "已损坏"), details)
			bad++
		}
	}
	j := r.Journal
	text := v.say.ofN("%d segments, %d records to position %d, %s", "%d 个分段，%d 条记录，至位置 %d，%s", j.Segments, j.Records, j.Head, texts.Bytes(j.Bytes))
	for _, d := range j.Damage {
		text += "; " + v.say.ofN("position %d: %s offset %d: %s", "位置 %d：%s 偏移 %d：%s", d.Position, filepath.Base(d.File), d.Offset, d.Reason)
	}
	if j.Torn > 0 {
		text += "; " + v.say.ofN("torn tail of %d bytes (no damage)", "残尾 %d 字节（非损坏）", j.Torn)
	}
	add(v.say.of("journal", "日志账本"), j.Whole, true, text)
	text = v.say.ofN("at position %d, equal to the replay", "位于位置 %d，与重放结果一致", r.State.Position)
	switch {
	case r.Running:
		text = v.say.of("not compared, because a server is using it; stop it to compare", "服务器正在使用，未比较；停止服务器后可比较")
	case r.State.Problem != "":
		text = r.State.Problem
	case !r.State.Compared:
		text = v.say.of("not compared", "未比较")
	}
	add(v.say.of("state file", "状态文件"), !v.stateBad, r.State.Compared, text)
	text = r.Replay.Problem
	if text == "" {
		text = v.say.ofN("to position %d, hash %.16s…", "至位置 %d，哈希 %.16s…", r.Replay.Head, r.Replay.Hash)
	}
	add(v.say.of("replay", "重放"), r.Replay.Problem == "" || !j.Whole, r.Replay.Problem == "", text)
	text = v.say.of("all hold", "全部成立")
	if len(r.Invariants) > 0 {
		text = r.Invariants[0]
	}
	add(v.say.of("invariants", "不变式"), len(r.Invariants) == 0, v.subject() != nil, text)
	text = v.say.ofN("%d files, %s", "%d 个文件，%s", r.Files.Files, texts.Bytes(r.Files.Bytes))
	if r.Files.Deep {
		text += v.say.of(", every byte read", "，已逐字节读取")
	}
	for _, p := range r.Files.Problems[:min(len(r.Files.Problems), 5)] {
		text += "; " + p.What + " " + p.SHA256
	}
	add(v.say.of("files", "文件"), len(r.Files.Problems) == 0, v.subject() != nil, text)
	_ = t.write(v.out) // the exit code tells, whoever reads
	verdict := v.paint(v.out, "32", v.say.of("whole", "完好"))
	if !r.Whole {
		verdict = v.paint(v.out, "31", v.say.of("DAMAGED", "已损坏"))
	}
	fmt.Fprintf(v.out, "%s: %s\n", clean(v.dir), verdict)
	for _, s := range r.Advice {
		fmt.Fprintln(v.out, v.say.of("what to do, ", "处理办法，")+clean(s))
	}
}
