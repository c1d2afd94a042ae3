package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"posthouse/appliance/journal"
	"posthouse/appliance/state"
)

// repairReport is the JSON of journal repair.
type repairReport struct {
	Dir     string       `json:"dir"`
	Changed bool         `json:"changed"`
	Damage  []damageInfo `json:"damage"`
	Lost    []lostRange  `json:"lost"`
	First   uint64       `json:"first"`
	Head    uint64       `json:"head"`
	Aside   string       `json:"aside,omitempty"` // directory with what was cut or mended
	Copied  []string     `json:"copied,omitempty"`
	Moved   []string     `json:"moved,omitempty"`
	Rebuilt []string     `json:"rebuilt,omitempty"`
	State   string       `json:"state_moved,omitempty"` // state file put aside because it was ahead
}

type lostRange struct {
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
}

func repairOf(dir string, r journal.RepairReport) repairReport {
	out := repairReport{Dir: dir, Changed: r.Aside != "", Damage: damageList(r.Damage), Lost: []lostRange{}, First: r.First, Head: r.Head,
		Aside: r.Aside, Copied: r.Copied, Moved: r.Moved, Rebuilt: r.Rebuilt}
	for _, l := range r.Lost {
		out.Lost = append(out.Lost, lostRange{l.First, l.Last})
	}
	return out
}

func (a *app) journalRepair() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "repair [DIR]",
		Short: a.say.of("Cut a damaged journal at its last good record", "在最后一条完好记录处截断已损坏的日志账本"),
		Long: a.say.of("Cut a damaged journal at its last good record. Everything that is cut is first copied or moved into a directory\nbeside it. A backup is better where there is one. The server must be stopped.",
			"在最后一条完好记录处截断已损坏的日志账本。被截去的内容会先复制或移动到旁边的目录。若有备份，恢复备份更好。须先停止服务器。"),
		Args: a.takes("[DIR]"),
	}
	asJSON, yes := jsonFlag(cmd, a), yesFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		dir, data, err := a.journalOf(args)
		if err != nil {
			return err
		}
		witness, err := witnesses(data)
		if err != nil {
			return err
		}
		plan, err := journal.Plan(dir, journal.Options{Witness: witness.highest()})
		if err != nil {
			return err
		}
		if len(plan.Damage) == 0 {
			return a.tellRepair(repairOf(dir, plan), *asJSON)
		}
		if err := a.confirm(cmd.Context(), *yes, a.planText(plan)); err != nil {
			return err
		}
		done, err := journal.Repair(dir, journal.Options{Witness: witness.highest()})
		if err != nil {
			return err
		}
		out := repairOf(dir, done)
		if out.State, err = witness.putAside(done); err != nil {
			return fmt.Errorf("put the state file aside: %w", err)
		}
		return a.tellRepair(out, *asJSON)
	}
	return cmd
}

// planText says what repair would do and lose.
func (a *app) planText(p journal.RepairReport) string {
	text := ""
	for _, d := range p.Damage {
		text += clean(a.say.ofN("damage at position %d: %s offset %d: %s", "位置 %d 处损坏：%s 偏移 %d：%s", d.Position, d.File, d.Offset, d.Reason)) + "\n"
	}
	for _, l := range p.Lost {
		text += a.say.ofN("positions %d to %d would be LOST (%d records)", "位置 %d 到 %d 将会丢失（%d 条记录）", l.First, l.Last, l.Last-l.First+1) + "\n"
	}
	if len(p.Lost) == 0 {
		text += a.say.of("no record would be lost", "不会丢失任何记录") + "\n"
	}
	return text + a.say.ofN("The journal would begin at %d and end at %d. What is cut is kept in a directory beside it. A backup, if there is one, is the better way.",
		"账本将从 %d 开始，到 %d 结束。被截去的内容会保留在旁边的目录中。若有备份，恢复备份更好。", p.First, p.Head)
}

func (a *app) tellRepair(r repairReport, asJSON bool) error {
	if asJSON {
		return writeJSON(a.out, r)
	}
	if !r.Changed {
		fmt.Fprintln(a.errOut, a.say.ofN("the journal is whole (positions %d to %d); nothing was changed", "日志账本完好（位置 %d 到 %d），未作任何更改", r.First, r.Head))
		return nil
	}
	list := [][2]string{{a.say.of("journal", "日志账本"), a.say.ofN("positions %d to %d", "位置 %d 到 %d", r.First, r.Head)}, {a.say.of("kept in", "保留于"), r.Aside}}
	for _, l := range r.Lost {
		list = append(list, [2]string{a.say.of("lost", "丢失"), a.say.ofN("positions %d to %d", "位置 %d 到 %d", l.First, l.Last)})
	}
	if r.State != "" {
		list = append(list, [2]string{a.say.of("state file", "状态文件"), a.say.ofN("was ahead, moved to %s; the next start makes a new one from the journal", "超前，已移至 %s；下次启动将由账本重建", r.State)})
	}
	a.facts(list)
	fmt.Fprintln(a.errOut, a.say.of("now run: posthouse verify", "接下来请运行：posthouse verify"))
	return nil
}

// witness is what the state files of a data directory know of the journal.
type witness struct {
	data        string
	state, base uint64 // positions; 0 = no such file, or it cannot be read
}

// witnesses reads where the state files stand. A file that another process
// holds is state.ErrLocked; one that is damaged says nothing.
func witnesses(data string) (witness, error) {
	w := witness{data: data}
	if data == "" {
		return w, nil
	}
	for name, at := range map[string]*uint64{stateFile: &w.state, baseFile: &w.base} {
		pos, err := positionOf(filepath.Join(data, name))
		if errors.Is(err, state.ErrLocked) {
			return w, err
		}
		if err == nil {
			*at = pos
		}
	}
	return w, nil
}

func positionOf(path string) (pos uint64, err error) {
	err = guarded(func() error {
		s, err := state.Open(path, state.Options{ReadOnly: true})
		if err != nil {
			return err
		}
		pos = s.Flushed()
		return s.Close()
	})
	return pos, err
}

func (w witness) highest() uint64 { return max(w.state, w.base) }

// putAside moves state files that know of records the journal has lost beside
// what was cut, so that the next start builds state from the journal alone.
func (w witness) putAside(r journal.RepairReport) (moved string, err error) {
	if r.Aside == "" {
		return "", nil
	}
	for name, at := range map[string]uint64{stateFile: w.state, baseFile: w.base} {
		if at <= r.Head {
			continue
		}
		to := filepath.Join(r.Aside, name)
		if err := os.Rename(filepath.Join(w.data, name), to); err != nil {
			return moved, err
		}
		if name == stateFile {
			moved = to
		}
	}
	return moved, nil
}
