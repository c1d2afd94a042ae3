package admin

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/a-h/templ"
	"github.com/valyala/fasthttp"

	"posthouse/sysmon/probe"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// Probing is what the pages of checks work with. Nil fields leave their part
// out.
type Probing struct {
	Prober *probe.Prober
	// AddAgent lets a probe on another machine report and gives its token,
	// which is shown once; RemoveAgent ends that.
	AddAgent    func(ctx context.Context, name, subnet string, every int) (token string, err error)
	RemoveAgent func(ctx context.Context, name string) error
}

func probeRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/admin/probes", Title: words.Of("Probes", "探测"), Group: Checking, Icon: "probe", Need: Sees, Handle: (*Admin).probesPage},
		{Method: "GET", Path: "/admin/probes/new", Title: words.Of("New probe", "新建探测"), Under: "/admin/probes", Need: Manages, Handle: (*Admin).newProbe},
		{Method: "POST", Path: "/admin/probes/save", Title: words.Of("Probe", "探测"), Need: Manages, Handle: (*Admin).saveProbe},
		{Method: "POST", Path: "/admin/probes/run", Need: Manages, Handle: (*Admin).runProbe},
		{Method: "POST", Path: "/admin/probes/remove", Title: words.Of("Probe", "探测"), Need: Manages, Handle: (*Admin).removeProbe},
		{Method: "GET", Path: "/admin/probes/at/{id}", Title: words.Of("Probe", "探测"), Under: "/admin/probes", Need: Sees, Handle: (*Admin).probePage},
		{Method: "POST", Path: "/admin/probes/agents", Title: words.Of("Let a probe report", "允许探测端上报"), Need: Manages, Sudo: true, Handle: (*Admin).addAgent},
		{Method: "POST", Path: "/admin/probes/agents/remove", Title: words.Of("Probes", "探测"), Need: Manages, Handle: (*Admin).removeAgent},
	}
}

// prober is the prober, or nil after a page that says that there is none.
func (a *Admin) prober(r *Request) *probe.Prober {
	if a.o.Probing.Prober == nil {
		r.PageOf(words.Of("Probes", "探测"), func(v console.View) templ.Component {
			return console.Empty(v, v.Say("This server does not watch itself: watch.enabled is false.", "本服务未开启监控：watch.enabled 为 false。"), "", "")
		})
	}
	return a.o.Probing.Prober
}

func (a *Admin) probesPage(r *Request) {
	if p := a.prober(r); p != nil {
		r.Page(func(v console.View) templ.Component { return console.ProbesPage(v, a.probesView(v, p)) })
	}
}

func (a *Admin) probesView(v console.View, p *probe.Prober) console.Probes {
	out := console.Probes{MayAdd: a.o.Probing.AddAgent != nil}
	for _, s := range p.List() {
		out.List = append(out.List, probeView(v, s))
	}
	for i, s := range p.Subnets() {
		one := subnetView(v, s)
		one.ID = fmt.Sprint(i)
		out.Map = append(out.Map, one)
	}
	return out
}

func probeView(v console.View, s probe.Status) console.Probe {
	out := console.Probe{ID: s.ID, Name: s.Name, Kind: s.Kind, Target: s.Target, Shipped: s.Shipped, At: s.Last.At, Took: v.Span(s.Last.Took), LastError: s.LastError, ErrorAt: s.ErrorAt,
		Every: v.Span(time.Duration(s.Every) * time.Second), Day: uptime(v, s.Day), Week: uptime(v, s.Week), Month: uptime(v, s.Month), Mean: v.Span(s.Day.Mean), Expires: s.Last.Expires}
	switch {
	case s.Disabled:
		out.Level, out.State = console.Neutral, v.Say("off", "已停用")
	case s.Last.At.IsZero():
		out.Level, out.State = console.Neutral, v.Say("not run yet", "尚未运行")
	case s.Last.OK():
		out.Level, out.State = console.Good, v.Say("well", "正常")
	default:
		out.Level, out.State = console.Critical, v.Say("fails", "失败")
	}
	for _, b := range s.Bars {
		level := console.Good
		switch {
		case b.Good+b.Bad == 0:
			level = console.Neutral
		case b.Good == 0:
			level = console.Critical
		case b.Bad > 0:
			level = console.Warning
		}
		out.Bars = append(out.Bars, level)
	}
	out.Steps = steps(v, s.Last)
	for i := len(s.Changes) - 1; i >= 0; i-- {
		c := s.Changes[i]
		out.Changes = append(out.Changes, console.ProbeChange{At: c.At, OK: c.OK, Err: c.Err})
	}
	return out
}

func steps(v console.View, o probe.Outcome) []console.ProbeStep {
	var out []console.ProbeStep
	for _, s := range o.Steps {
		out = append(out, console.ProbeStep{Name: s.Name, Took: v.Span(s.Took), Err: s.Err})
	}
	return out
}

func uptime(v console.View, u probe.Uptime) string {
	if u.Known == 0 {
		return "–"
	}
	return v.Percent(u.Share)
}

// subnetView says what is the matter in a place, in words.
func subnetView(v console.View, s probe.Subnet) console.Subnet {
	out := console.Subnet{Agent: s.Agent, Name: s.Name, At: s.At, Address: s.Address, Host: s.Host, Err: s.Err}
	if s.Rounds > 0 {
		out.Arrived, out.Median, out.Worst = v.Percent(s.Arrived), v.Span(s.Median), v.Span(s.Worst)
	}
	switch s.State {
	case probe.Well:
		out.Level, out.State = console.Good, v.Say("well", "正常")
	case probe.Slow:
		out.Level, out.State = console.Warning, v.Say("slow", "缓慢")
	case probe.Server:
		out.Level, out.State = console.Serious, v.Say("the server is sick, not this network", "服务器故障，并非此处网络故障")
	case probe.Network:
		out.Level, out.State = console.Critical, v.Say("the network there is sick: the server is well, and the step “"+s.Failed+"” fails from there", "此处网络故障：服务器正常，但从此处“"+s.Failed+"”失败")
	case probe.Silent:
		out.Level, out.State = console.Critical, v.Say("nothing is heard from there: no way from there to here, or the probe is off", "此处没有上报：网络不通，或探测未运行")
	default:
		out.Level, out.State = console.Neutral, v.Say("waits for the first report", "等待首次上报")
	}
	for _, c := range s.Cells {
		out.Cells = append(out.Cells, map[string]console.Level{probe.Well: console.Good, probe.Slow: console.Warning, probe.Network: console.Critical, "": console.Neutral}[c.State])
	}
	return out
}

func (a *Admin) probePage(r *Request) {
	p := a.prober(r)
	if p == nil {
		return
	}
	a.showProbe(r, p, r.Arg("id"), "")
}

// showProbe is the page of a probe; refused says why it was not removed.
func (a *Admin) showProbe(r *Request, p *probe.Prober, id, refused string) {
	s, ok := p.Get(id)
	if !ok {
		r.Trouble(fasthttp.StatusNotFound, words.Of("There is no such probe.", "没有这个探测。"))
		return
	}
	r.PageOf(words.Of(s.Name, s.Name), func(v console.View) templ.Component {
		one := probeView(v, s)
		one.Refused = refused
		return console.ProbePage(v, one, probeForm(s.Definition, s.HasSecret))
	})
}

func probeForm(d probe.Definition, secret bool) console.ProbeForm {
	box := map[bool]string{true: "on"}
	return console.ProbeForm{Kinds: probe.Kinds(), Shipped: d.Shipped, Known: d.ID != "", HasSecret: secret, Form: console.Form{Values: map[string]string{
		"id": d.ID, "name": d.Name, "kind": d.Kind, "target": d.Target, "every": strconv.Itoa(d.Every), "patience": strconv.Itoa(d.Patience), "off": box[d.Disabled],
		"status": counted(d.Status), "expect": d.Expect, "server": d.Server, "days": counted(d.Days), "starttls": box[d.StartTLS], "insecure": box[d.Insecure],
		"ca": d.CA, "user": d.User, "base": d.Base}}}
}

func (a *Admin) newProbe(r *Request) {
	if a.prober(r) != nil {
		r.Page(func(v console.View) templ.Component {
			return console.ProbeNewPage(v, probeForm(probe.Definition{Kind: probe.HTTP, Every: 60, Patience: 10}, false))
		})
	}
}

// definition reads the form. A number that is none becomes -1, which is
// refused with its field.
func definition(r *Request) probe.Definition {
	n := func(name string) int {
		if r.Form(name) == "" {
			return 0
		}
		v, err := strconv.Atoi(r.Form(name))
		if err != nil {
			return -1
		}
		return v
	}
	on := func(name string) bool { return r.Form(name) == "on" }
	return probe.Definition{ID: r.Form("id"), Name: r.Form("name"), Kind: r.Form("kind"), Target: r.Form("target"), Every: n("every"), Patience: n("patience"), Disabled: on("off"),
		Status: n("status"), Expect: r.Form("expect"), Server: r.Form("server"), Days: n("days"), StartTLS: on("starttls"), Insecure: on("insecure"), CA: r.Form("ca"),
		User: r.Form("user"), Secret: r.Form("secret"), Base: r.Form("base")}
}

// saveProbe keeps what the form says, or tries it without keeping it.
func (a *Admin) saveProbe(r *Request) {
	p := a.prober(r)
	if p == nil {
		return
	}
	d := definition(r)
	f := probeForm(d, false)
	if s, ok := p.Get(d.ID); ok {
		f.Shipped, f.HasSecret = s.Shipped, s.HasSecret
	}
	f.Form = r.Filled()
	delete(f.Form.Values, "secret")
	var err error
	if r.Form("do") == "try" {
		var out probe.Outcome
		if out, err = p.Try(r.Context(), d); err == nil {
			r.Page(func(v console.View) templ.Component {
				f.Tried, f.TriedErr, f.TriedSteps = true, out.Err, steps(v, out)
				return console.ProbeNewPage(v, f)
			})
			return
		}
	} else if d, err = p.Put(d); err == nil {
		r.Done("/admin/probes/at/"+d.ID, words.Of("The probe is kept and runs now.", "探测已保存并开始运行。"))
		return
	}
	var w *probe.Wrong
	if !errors.As(err, &w) {
		r.Fault(err)
		return
	}
	f.Form.Errors[w.Field] = w.Text.In(r.Tongue())
	r.Invalid(func(v console.View) templ.Component { return console.ProbeNewPage(v, f) })
}

func (a *Admin) runProbe(r *Request) {
	p := a.prober(r)
	if p == nil {
		return
	}
	out, err := p.RunNow(r.Context(), r.Form("id"))
	said := words.Of("It went well.", "探测成功。")
	var w *probe.Wrong
	switch {
	case errors.As(err, &w):
		said = w.Text
	case err != nil:
		r.Fault(err)
		return
	case !out.OK():
		said = words.Of("It failed: "+out.Err, "探测失败："+out.Err)
	}
	r.Done("/admin/probes/at/"+r.Form("id"), said)
}

func (a *Admin) removeProbe(r *Request) {
	p := a.prober(r)
	if p == nil {
		return
	}
	s, ok := p.Get(r.Form("id"))
	if ok && !r.Typed(s.Name) {
		a.showProbe(r, p, s.ID, words.Of("That is not its name: nothing was removed.", "名称不符，未作任何更改。").In(r.Tongue()))
		r.ctx.SetStatusCode(fasthttp.StatusUnprocessableEntity)
		return
	}
	if err := p.Remove(r.Form("id")); err != nil {
		var w *probe.Wrong
		if !errors.As(err, &w) {
			r.Fault(err)
			return
		}
		r.Trouble(fasthttp.StatusConflict, w.Text)
		return
	}
	r.Done("/admin/probes", words.Of("The probe is removed.", "探测已删除。"))
}

func (a *Admin) addAgent(r *Request) {
	p := a.prober(r)
	if p == nil || a.o.Probing.AddAgent == nil {
		return
	}
	every, err := strconv.Atoi(r.Form("every"))
	if err != nil {
		every = 60
	}
	token, err := a.o.Probing.AddAgent(r.Context(), r.Form("agent"), r.Form("subnet"), every)
	var w *probe.Wrong
	if err != nil && !errors.As(err, &w) {
		r.Error(err)
		return
	}
	page := func(v console.View) templ.Component {
		view := a.probesView(v, p)
		view.Token, view.Agent = token, r.Filled()
		if w != nil {
			field := w.Field
			if field == "name" {
				field = "agent"
			}
			view.Agent.Errors[field] = v.In(w.Text)
		}
		return console.ProbesPage(v, view)
	}
	r.PageOf(words.Of("Probes", "探测"), page)
	if w != nil {
		r.ctx.SetStatusCode(fasthttp.StatusUnprocessableEntity)
	}
}

func (a *Admin) removeAgent(r *Request) {
	p := a.prober(r)
	if p == nil || a.o.Probing.RemoveAgent == nil {
		return
	}
	name := r.Form("agent")
	if !r.Typed(name) {
		r.Trouble(fasthttp.StatusUnprocessableEntity, words.Of("That is not its name: nothing was removed.", "名称不符，未作任何更改。"))
		return
	}
	if err := a.o.Probing.RemoveAgent(r.Context(), name); err != nil {
		var w *probe.Wrong
		if errors.As(err, &w) {
			r.Trouble(fasthttp.StatusNotFound, w.Text)
			return
		}
		r.Error(err)
		return
	}
	r.Done("/admin/probes", words.Of(fmt.Sprintf("%s may not report any more.", name), fmt.Sprintf("%s 不能再上报。", name)))
}
