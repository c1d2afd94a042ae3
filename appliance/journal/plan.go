package journal

import (
	"fmt"
	"slices"
)

// Plan says what Repair would do, without lock or write, so that an operator
// can decide. Aside is empty: its name is made by Repair.
func Plan(dir string, opt Options) (RepairReport, error) {
	opt, err := opt.withDefaults()
	if err != nil {
		return RepairReport{}, fmt.Errorf("plan repair of journal: %w", err)
	}
	r := &repairer{loaded: &loaded{dir: dir, fs: opt.FS}, opt: opt, highest: opt.Witness}
	if err := r.examine(); err != nil {
		return RepairReport{}, fmt.Errorf("plan repair of journal: %w", err)
	}
	for _, w := range r.writes {
		if !slices.Contains(r.rep.Copied, w.name) {
			r.rep.Copied = append(r.rep.Copied, w.name)
		}
		if w.off > 0 {
			r.rep.Rebuilt = append(r.rep.Rebuilt, w.name)
		}
	}
	r.rep.Moved = slices.Clone(r.moved)
	return r.rep, nil
}
