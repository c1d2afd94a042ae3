package admin

import (
	"context"
	"slices"

	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// FirstStep is something a new server needs. The list stands on the overview
// until everything is done, or somebody puts it away; those with a Part are what
// the wizard of the first run leads through. Both ask the same list.
type FirstStep struct {
	ID      string
	Part    string // of the wizard: its id; empty: it is done elsewhere
	Title   words.Text
	Why     words.Text
	Href    string // where it is done; with a Part: there
	Done    bool
	Skipped bool // somebody passed its part over
}

// stepsView are the first steps while one is open.
func (a *Admin) stepsView(ctx context.Context, v console.View) []console.FirstStep {
	f := a.o.Overview.Steps
	if f == nil {
		return nil
	}
	list := f(ctx)
	if !slices.ContainsFunc(list, func(s FirstStep) bool { return !s.Done }) {
		return nil
	}
	out := make([]console.FirstStep, 0, len(list))
	for _, s := range list {
		if s.Part != "" {
			s.Href = setupPath + "/" + s.Part
		}
		out = append(out, console.FirstStep{ID: s.ID, Title: v.In(s.Title), Why: v.In(s.Why), Href: a.linked(s.Href), Done: s.Done, Skipped: s.Skipped})
	}
	return out
}

// skipSteps puts the list away, for everybody.
func (a *Admin) skipSteps(r *Request) {
	if f := a.o.Overview.Skip; f != nil {
		if err := f(); err != nil {
			r.Fault(err)
			return
		}
		a.note(r, "console.steps", "first steps", "", "done")
	}
	r.Done("/admin", words.Of("The list of first steps is put away.", "初始步骤清单已收起。"))
}
