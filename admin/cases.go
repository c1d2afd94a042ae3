package admin

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/valyala/fasthttp"

	"posthouse/sysmon/runbook"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// person is the visitor as runbooks know people.
func (r *Request) person() runbook.Person {
	p := runbook.Person{Name: r.Name, Role: string(r.Role), Address: r.Address.String()}
	if r.Operator {
		p.Name, p.Role = "operator", "owner"
		return p
	}
	p.ID = r.User.String()
	return p
}

// casesShown is how many cases the list has.
const casesShown = 100

func (a *Admin) casesPage(r *Request) {
	if a.o.Minding.Books == nil {
		r.without()
		return
	}
	l := r.List("")
	cases := Pick(&l, a.o.Minding.Books.Cases(casesShown), func(c runbook.Case, search string) bool {
		return Holds(search, c.Alert.Name, c.Alert.Summary.EN, c.Alert.Summary.ZH)
	}, map[string]func(x, y runbook.Case) int{
		"alert":  func(x, y runbook.Case) int { return strings.Compare(x.Alert.Name, y.Alert.Name) },
		"opened": func(x, y runbook.Case) int { return x.Alert.Starts.Compare(y.Alert.Starts) },
	})
	if r.WantsCSV() {
		r.casesCSV(cases)
		return
	}
	r.Page(func(v console.View) templ.Component {
		var out []console.Case
		for _, c := range cases {
			one := console.Case{ID: c.ID, Alert: c.Alert.Name, Summary: v.In(c.Alert.Summary), Starts: c.Alert.Starts, Resolved: c.Resolved}
			for _, act := range c.Acts {
				if !act.Dry {
					one.Acts = append(one.Acts, console.Act{})
				}
			}
			out = append(out, one)
		}
		return console.CasesPage(v, l, out)
	})
}

// nameOfAlert bounds the name of a runbook in an address, in bytes.
const nameOfAlert = 200

// bookPage is the runbook of an alert that need not have opened.
func (a *Admin) bookPage(r *Request) {
	books := a.o.Minding.Books
	if books == nil {
		r.without()
		return
	}
	name := r.Arg("name")
	if len(name) > nameOfAlert {
		r.noCase()
		return
	}
	b := books.Of(name)
	can := map[string]runbook.Action{}
	for _, action := range books.Can() {
		can[action.ID] = action
	}
	r.PageOf(words.Of(name, name), func(v console.View) templ.Component {
		out := console.Book{Means: v.In(b.Means)}
		for _, e := range b.Evidence {
			out.Evidence = append(out.Evidence, v.In(e.Title))
		}
		for _, s := range b.Steps {
			step := console.Step{ID: s.ID, Why: v.In(s.Why), Href: s.Link, Action: s.Action != ""}
			if step.Action {
				action, ok := can[s.Action]
				if !ok {
					continue
				}
				step.Title, step.Does = v.In(action.Title), v.In(action.Does)
			}
			out.Steps = append(out.Steps, step)
		}
		for _, c := range books.Cases(casesShown) {
			if c.Alert.Name == name {
				out.Cases = append(out.Cases, console.Case{ID: c.ID, Starts: c.Alert.Starts})
			}
		}
		return console.BookPage(v, out)
	})
}

func (r *Request) casesCSV(cases []runbook.Case) {
	v := r.View(r.Route.Title)
	var rows [][]string
	for _, c := range cases {
		ended := ""
		if !c.Resolved.IsZero() {
			ended = c.Resolved.UTC().Format(time.RFC3339)
		}
		rows = append(rows, []string{c.Alert.Name, v.In(c.Alert.Summary), c.Alert.Starts.UTC().Format(time.RFC3339), ended, fmt.Sprint(len(c.Acts))})
	}
	r.CSV("runbooks", []string{v.Say("Alert", "告警"), v.Say("Summary", "摘要"), v.Say("Opened", "触发"), v.Say("Over", "恢复"), v.Say("Steps run", "已执行步骤")}, rows)
}

func (r *Request) noCase() {
	r.Trouble(fasthttp.StatusNotFound, words.Of("There is no such case: it is too old, or the alert has not opened yet.", "没有这条记录，可能已过期或告警尚未触发。"))
}

func (a *Admin) casePage(r *Request) {
	if a.o.Minding.Books == nil {
		r.without()
		return
	}
	c, err := a.o.Minding.Books.Case(r.Arg("id"))
	if err != nil {
		r.noCase()
		return
	}
	if r.Query("format") == "txt" {
		r.ctx.SetContentType("text/plain; charset=utf-8")
		r.ctx.SetBodyString(c.Printed(r.Tongue()))
		return
	}
	r.PageOf(words.Of(c.Alert.Name, c.Alert.Name), func(v console.View) templ.Component { return console.CasePage(v, a.caseView(r, v, c)) })
}

// RunbookPart is what the page of an alert shows of its runbook, by the alert's
// fingerprint. Nil when there is none.
func (a *Admin) RunbookPart(r *Request, v console.View, fingerprint string) templ.Component {
	if a.o.Minding.Books == nil {
		return nil
	}
	c, err := a.o.Minding.Books.CaseOf(fingerprint)
	if err != nil {
		return nil
	}
	return console.CasePart(v, a.caseView(r, v, c))
}

func (a *Admin) caseView(r *Request, v console.View, c runbook.Case) console.Case {
	books := a.o.Minding.Books
	out := console.Case{ID: c.ID, Alert: c.Alert.Name, Means: v.In(books.For(c.Alert).Means), Summary: v.In(c.Alert.Summary), Starts: c.Alert.Starts, Resolved: c.Resolved}
	for _, f := range c.Findings {
		one := console.Finding{ID: f.ID, Title: v.In(f.Title), Text: f.Text, Error: f.Error, Href: f.Link, At: f.At, Rows: f.Rows}
		for _, h := range f.Head {
			one.Head = append(one.Head, v.In(h))
		}
		out.Findings = append(out.Findings, one)
	}
	offers, err := books.Offers(c.ID, r.person())
	if err != nil {
		return out // it was forgotten meanwhile
	}
	titles := map[string]string{}
	for _, o := range offers {
		s := console.Step{ID: o.ID, Why: v.In(o.Why), Href: o.Link, Action: o.Step.Action != ""}
		if s.Action {
			s.Title, s.Does, s.Confirm, s.Refused = v.In(o.Action.Title), v.In(o.Action.Does), o.Action.Confirm, v.In(o.Refused)
			titles[o.ID] = s.Title
			if o.Rests > 0 {
				left := o.Rests.Round(time.Second).String()
				s.Rests = v.Say("can be run again in "+left, left+" 后可再次执行")
			}
			for _, name := range o.Action.Asks {
				s.Asks = append(s.Asks, console.Input{Name: name, Label: asked(v, name), Required: true, Autocomplete: "off"})
			}
		}
		out.Steps = append(out.Steps, s)
	}
	for i := len(c.Acts) - 1; i >= 0; i-- {
		out.Acts = append(out.Acts, actView(v, c.Acts[i], titles))
	}
	return out
}

func asked(v console.View, name string) string {
	switch name {
	case "device":
		return v.Say("Device, from the list of connections", "设备编号（见连接列表）")
	case "operation":
		return v.Say("Number of the operation, from the list", "操作编号（见操作列表）")
	case "login":
		return v.Say("Login of the account", "账号的登录名")
	}
	return name
}

func actView(v console.View, a runbook.Act, titles map[string]string) console.Act {
	out := console.Act{At: a.At, Who: a.Who.Name, Title: titles[a.Step], Result: v.In(a.Result), Level: console.Good, Mark: v.Say("done", "完成")}
	if out.Title == "" {
		out.Title = a.Action
	}
	switch {
	case a.Failed:
		out.Level, out.Mark = console.Critical, v.Say("failed", "失败")
	case a.Dry:
		out.Level, out.Mark = console.Info, v.Say("dry run", "预演")
	case a.Auto:
		out.Mark = v.Say("by itself", "自动")
	}
	return out
}

// saidOf bounds what is said once on the next page, in bytes.
const saidOf = 300

// doStep tries or runs a step, and goes back to the page it was asked from.
func (a *Admin) doStep(r *Request) {
	if a.o.Minding.Books == nil {
		r.without()
		return
	}
	args := map[string]string{}
	for _, name := range []string{"device", "operation", "login"} {
		if v := r.Form(name); v != "" {
			args[name] = v
		}
	}
	dry := r.Form("do") != "run"
	act, err := a.o.Minding.Books.Do(r.ctx, runbook.Request{Case: r.Arg("id"), Step: r.Form("step"), Args: args, Confirm: strings.TrimSpace(r.Form("typed")), Dry: dry, Who: r.person()})
	var refused *runbook.Refusal
	switch {
	case errors.Is(err, runbook.ErrNoCase):
		r.noCase()
	case errors.As(err, &refused):
		r.Trouble(fasthttp.StatusConflict, refused.Text)
	case err != nil:
		r.Fault(err)
	default:
		said := act.Result
		if dry && !act.Failed {
			said = words.Of("Dry run, nothing was changed: "+said.EN, "预演，未作更改："+said.ZH)
		}
		r.Done("/admin/cases/"+r.Arg("id")+"#step-"+r.Form("step"), words.Of(bounded(said.EN), bounded(said.ZH)))
	}
}

func bounded(t string) string {
	if len(t) > saidOf {
		return strings.ToValidUTF8(t[:saidOf], "") + "…"
	}
	return t
}

func (a *Admin) collectAgain(r *Request) {
	if a.o.Minding.Books == nil {
		r.without()
		return
	}
	c, err := a.o.Minding.Books.Again(r.ctx, r.Arg("id"))
	if err != nil {
		r.noCase()
		return
	}
	a.note(r, "runbook.collect", c.Alert.Name, c.ID, "done")
	n := len(c.Findings)
	r.Done("/admin/cases/"+c.ID+"#evidence", words.Of(fmt.Sprintf("%d answers were collected.", n), fmt.Sprintf("已收集 %d 项证据。", n)))
}
