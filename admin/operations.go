package admin

import (
	"strconv"

	"github.com/a-h/templ"

	"posthouse/appliance/meter"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// shownSlow is how many slow operations the page shows.
const shownSlow = 100

func (a *Admin) operationsPage(r *Request) {
	m := a.o.Inside
	view := func(list []meter.Operation) []console.Operation {
		out := make([]console.Operation, 0, len(list))
		for _, o := range list {
			who := o.User
			if m.Who != nil {
				who = m.Who(o.User)
			}
			out = append(out, console.Operation{ID: strconv.FormatUint(o.ID, 10), Kind: o.Kind, Name: o.Name, User: who, Trace: o.Trace,
				Began: o.Began, Took: o.Took, Cancelable: o.Cancelable, Cancelled: o.Cancelled})
		}
		return out
	}
	var running, slow []meter.Operation
	var faults []console.Fault
	if m.UnderWay != nil {
		running = m.UnderWay()
	}
	if m.Slow != nil {
		slow = m.Slow()
		slow = slow[:min(len(slow), shownSlow)]
	}
	if m.Faults != nil {
		for _, f := range m.Faults() {
			faults = append(faults, console.Fault{Where: f.Where, Text: f.Text, Trace: f.Trace, Stack: f.Stack, Count: f.Count, First: f.First, Last: f.Last, Panic: f.Panic})
		}
	}
	r.Page(func(v console.View) templ.Component {
		return console.OperationsPage(v, view(running), view(slow), faults)
	})
}

// cancelOperation stops an operation under way.
func (a *Admin) cancelOperation(r *Request) {
	over := words.Of("That operation has ended already.", "该操作已结束。")
	op, err := strconv.ParseUint(r.Form("id"), 10, 64)
	if err != nil || a.o.Inside.Cancel == nil {
		r.Done("/admin/operations", over)
		return
	}
	switch what, found, cancelled := a.o.Inside.Cancel(op); {
	case !found:
		r.Done("/admin/operations", over)
	case !cancelled:
		r.Done("/admin/operations", words.Of("That operation cannot be cancelled: it ends by itself.", "该操作无法取消，会自行结束。"))
	default:
		a.note(r, "operation.cancel", what.Name, "", "done")
		r.Done("/admin/operations", words.Of("The operation was told to stop.", "已要求该操作停止。"))
	}
}
