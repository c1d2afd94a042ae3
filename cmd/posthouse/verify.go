package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/spf13/cobra"

	"posthouse/appliance/journal"
	"posthouse/appliance/record"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	texts "posthouse/sysmon/words"
)

// verifyReport is the JSON of verify.
type verifyReport struct {
	Dir        string        `json:"dir"`
	Whole      bool          `json:"whole"`
	Running    bool          `json:"running"` // a server holds the state file, which was not compared
	Journal    journalReport `json:"journal"`
	State      stateReport   `json:"state"`
	Replay     replayReport  `json:"replay"`
	Invariants []string      `json:"invariants"` // that do not hold
	Files      filesReport   `json:"files"`
	Advice     []string      `json:"advice,omitempty"` // what to do, in the caller's language
}

// stateReport tells of the state file.
type stateReport struct {
	Position uint64 `json:"position"`
	Compared bool   `json:"compared"`
	Equal    bool   `json:"equal"`
	Hash     string `json:"hash,omitempty"`
	Problem  string `json:"problem,omitempty"`
}

// replayReport tells of the state that the journal alone makes.
type replayReport struct {
	Base    uint64 `json:"base"` // position of base.db that it began with; 0 = from nothing
	Head    uint64 `json:"head"`
	Hash    string `json:"hash,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// verifyFlags say how far verify goes.
type verifyFlags struct {
	deep, hash, json bool
	scratch          string
}

func (a *app) verifyCommand() *cobra.Command {
	var v verifyFlags
	cmd := &cobra.Command{
		Use:   "verify [DIR]",
		Short: a.say.of("Prove that a data directory is whole", "验证数据目录是否完好"),
		Long: a.say.of(`Prove that a data directory is whole: check every byte of the journal, replay it into a scratch state, compare
that with the state file, check the invariants, and look for every file. Nothing in the directory is written.
Beside a running server the state file is not compared. Exit code 1: damaged, with what to do about it.`,
			`验证数据目录是否完好：逐字节校验日志账本，重放到临时状态并与状态文件比较，检查不变式，核对每个文件。
不写入该目录。服务器运行时不比较状态文件。退出码 1 表示已损坏，并给出处理办法。`),
		Args: a.takes("[DIR]"),
	}
	cmd.Flags().BoolVar(&v.deep, "deep", false, a.say.of("read all files and compare their hashes", "读取所有文件并比较哈希"))
	cmd.Flags().BoolVar(&v.hash, "hash", false, a.say.of("print only the hash of the state at the end of the journal", "仅打印账本末尾状态的哈希"))
	cmd.Flags().StringVar(&v.scratch, "scratch", "", a.say.of("make the scratch state in `DIR` (default TMPDIR); it gets as large as state.db", "临时状态所在目录 `DIR`（默认 TMPDIR），大小与 state.db 相当"))
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if v.json = *asJSON; v.json && v.hash {
			return a.wrongUse("--hash and --json exclude each other", "--hash 与 --json 不能同时使用")
		}
		dir, err := a.dataDir(args)
		if err != nil {
			return err
		}
		return a.verify(cmd.Context(), dir, v)
	}
	return cmd
}

// verify runs all steps. The error is that of a step that could not be done,
// or that the directory is damaged.
func (a *app) verify(ctx context.Context, dir string, v verifyFlags) error {
	scratch, err := os.MkdirTemp(v.scratch, "posthouse-verify-")
	if err != nil {
		return fmt.Errorf("make scratch directory: %w", err)
	}
	defer os.RemoveAll(scratch)
	w := &verifier{app: a, ctx: ctx, dir: dir, scratch: filepath.Join(scratch, stateFile), flags: v,
		rep: verifyReport{Dir: dir, Invariants: []string{}, Files: filesReport{Problems: []fileProblem{}}}}
	defer w.close()
	if err := w.steps(); err != nil {
		return err
	}
	if v.hash {
		if w.rep.Replay.Hash == "" {
			return errorText(a.say, "the journal cannot be replayed: "+w.problem(), "日志账本无法重放："+w.problem())
		}
		fmt.Fprintln(a.out, w.rep.Replay.Hash)
		return nil
	}
	w.judge()
	if v.json {
		if err := writeJSON(a.out, w.rep); err != nil {
			return err
		}
	} else {
		w.write()
	}
	if !w.rep.Whole {
		return errorText(a.say, dir+" is damaged", dir+" 已损坏")
	}
	return nil
}

// verifier is one run of verify.
type verifier struct {
	*app
	ctx     context.Context
	dir     string
	scratch string // path of the scratch state file
	flags   verifyFlags
	rep     verifyReport

	stateBad bool // the state file is not what the journal makes

	journal *journal.Journal // read only; nil when it is damaged
	live    *state.State     // the state file, read only; nil when it cannot be read
	made    *state.State     // what the journal makes; nil when it cannot be replayed
}

func (v *verifier) close() {
	for _, s := range []*state.State{v.live, v.made} {
		if s != nil {
			s.Abandon() // one is read only, the other is thrown away
		}
	}
	if v.journal != nil {
		_ = v.journal.Close() // read only
	}
}

func (v *verifier) steps() error {
	for _, step := range []func() error{v.openState, v.checkJournal, v.replay, v.invariants, v.files} {
		if err := errors.Join(step(), v.ctx.Err()); err != nil {
			return err
		}
		if v.flags.hash && v.rep.Replay.Hash != "" {
			return nil
		}
	}
	return nil
}

// guarded turns what bbolt does with a file that is no bbolt file any more
// (panics, and faults when the file is too short) into state.ErrDamaged.
func guarded(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v: %w", r, state.ErrDamaged)
		}
	}()
	return f()
}

// openState opens the state file for reading, which keeps a server from
// starting meanwhile. A file that a server holds is left alone.
func (v *verifier) openState() error {
	path := filepath.Join(v.dir, stateFile)
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		v.rep.State.Problem = v.say.of("there is no state file; the next start makes it from the journal", "没有状态文件；下次启动会由账本生成")
		return nil
	}
	err := guarded(func() (err error) {
		v.live, err = state.Open(path, state.Options{ReadOnly: true})
		return err
	})
	switch {
	case errors.Is(err, state.ErrLocked):
		v.rep.Running = true
	case errors.Is(err, os.ErrPermission), errors.Is(err, record.ErrUnknown):
		return err
	case err != nil:
		v.damagedState(err)
	default:
		v.rep.State.Position = v.live.Flushed()
	}
	return nil
}

func (v *verifier) damagedState(err error) {
	v.stateBad, v.rep.State.Problem = true, err.Error()
	v.advise("state", "stop the server, move state.db out of the data directory and start: the state is built anew from the journal",
		"停止服务器，把 state.db 移出数据目录后启动：状态会由账本重建")
}

// checkJournal reads every byte of the journal and opens it when it is whole.
func (v *verifier) checkJournal() error {
	dir := filepath.Join(v.dir, journalDir)
	opt := journal.Options{Witness: v.rep.State.Position, ReadOnly: true}
	show := v.progress(v.say.of("1/4 checking the journal", "1/4 校验日志账本"))
	rep, err := journal.Check(v.ctx, dir, opt, func(done, total int64) { show.at(done, total, texts.Bytes[int64]) })
	show.end()
	v.rep.Journal = reportOf(dir, rep)
	var damage *journal.DamageError
	if errors.As(err, &damage) {
		v.advise("journal", "restore the newest backup; without one, look at what would be lost with: posthouse journal repair "+v.dir,
			"恢复最近的备份；若没有备份，用以下命令查看将丢失什么：posthouse journal repair "+v.dir)
		return nil
	}
	if err != nil {
		return err
	}
	v.journal, err = journal.Open(dir, opt)
	return err
}

// replay makes the state that the journal stands for, and compares it with the
// state file where that stands.
func (v *verifier) replay() error {
	if v.journal == nil {
		v.rep.Replay.Problem = v.say.of("not done, because the journal is damaged", "因账本已损坏而未进行")
		return nil
	}
	if err := v.begin(); err != nil || v.made == nil {
		return err
	}
	head, at := v.journal.Head(), v.rep.State.Position
	if v.live != nil && at >= v.made.Applied() {
		if err := v.replayTo(at, head); err != nil || v.made == nil {
			return err
		}
		v.compare()
	} else if v.live != nil {
		v.damagedState(fmt.Errorf("it stands at %d, before the journal begins: %w", at, state.ErrDamaged))
	}
	if err := v.replayTo(head, head); err != nil || v.made == nil {
		return err
	}
	v.rep.Replay.Head = head
	sum, err := v.made.Hash()
	v.rep.Replay.Hash = hex.EncodeToString(sum[:])
	return err
}

// begin opens the scratch state: empty, or a copy of the base snapshot when
// the journal's beginning was released.
func (v *verifier) begin() error {
	first := v.journal.First()
	if first > 1 {
		if err := copyFile(filepath.Join(v.dir, baseFile), v.scratch); err != nil {
			v.cannotReplay(fmt.Errorf("the journal begins at %d and %s cannot be read: %w", first, baseFile, err))
			return nil
		}
	}
	err := guarded(func() (err error) {
		v.made, err = state.Open(v.scratch, state.Options{NoSync: true})
		return err
	})
	if err != nil && first > 1 {
		v.cannotReplay(fmt.Errorf("%s: %w", baseFile, err))
		return nil
	}
	if err != nil {
		return err
	}
	v.rep.Replay.Base = v.made.Applied()
	if v.rep.Replay.Base+1 < first || v.rep.Replay.Base > v.journal.Head() {
		v.cannotReplay(fmt.Errorf("%s stands at %d, the journal holds %d to %d", baseFile, v.rep.Replay.Base, first, v.journal.Head()))
	}
	return nil
}

func (v *verifier) cannotReplay(err error) {
	v.rep.Replay.Problem = err.Error()
	v.advise("replay", "keep a copy of the whole directory and restore the newest backup", "请保留整个目录的副本，并恢复最近的备份")
	if v.made != nil {
		v.made.Abandon()
		v.made = nil
	}
}

// replayTo goes in steps, so that Ctrl-C is heard.
func (v *verifier) replayTo(to, head uint64) error {
	const step = 1 << 15
	codec := record.NewCodec()
	show := v.progress(v.say.of("2/4 replaying", "2/4 重放"))
	defer show.end()
	for v.made.Applied() < to {
		if err := v.ctx.Err(); err != nil {
			return err
		}
		if err := sequencer.Replay(v.journal, codec, v.made, min(v.made.Applied()+step, to), nil); err != nil {
			if errors.Is(err, record.ErrUnknown) {
				return err
			}
			v.cannotReplay(err)
			return nil
		}
		show.at(int64(v.made.Applied()), int64(head), count)
	}
	return v.made.Flush()
}

// compare finds out whether the state file is what the journal makes.
func (v *verifier) compare() {
	v.rep.State.Compared = true
	err := guarded(func() error {
		have, err := v.live.Hash()
		if err != nil {
			return err
		}
		want, err := v.made.Hash()
		if err != nil {
			return err
		}
		v.rep.State.Hash, v.rep.State.Equal = hex.EncodeToString(have[:]), have == want
		if v.rep.State.Equal {
			return nil
		}
		where, err := v.live.Differ(v.made)
		if err != nil {
			return err
		}
		return fmt.Errorf("it is not what the journal makes at %d: %s", v.rep.State.Position, where)
	})
	if err != nil {
		v.damagedState(err)
	}
}

// invariants checks what must hold whatever happened: in the state that the
// journal makes, or else in the state file.
func (v *verifier) invariants() error {
	s := v.subject()
	if s == nil {
		return nil
	}
	show := v.progress(v.say.of("3/4 checking invariants", "3/4 检查不变式"))
	show.at(0, 1, count)
	defer show.end()
	err := guarded(s.Check)
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			v.rep.Invariants = append(v.rep.Invariants, e.Error())
		}
	} else if err != nil {
		v.rep.Invariants = append(v.rep.Invariants, err.Error())
	}
	if len(v.rep.Invariants) > 0 {
		v.advise("invariants", "this is a fault of the program: keep a copy of the directory and report it with this output", "这是程序缺陷：请保留目录副本并附上此输出报告")
	}
	return nil
}

// subject is the state to look into: at the end of the journal if possible.
func (v *verifier) subject() *state.State {
	if v.made != nil {
		return v.made
	}
	return v.live
}
