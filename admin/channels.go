package admin

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/valyala/fasthttp"

	"posthouse/sysmon/alert"
	"posthouse/sysmon/notify"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

func channelRoutes() []Route {
	title := words.Of("Channels", "通知渠道")
	one := words.Of("Channel", "编辑渠道")
	return []Route{
		{Method: "GET", Path: "/admin/channels", Title: title, Group: Alerting, Icon: "channel", Need: Sees, Handle: (*Admin).channelsPage},
		{Method: "POST", Path: "/admin/channels/plan", Title: title, Need: Manages, Handle: (*Admin).savePlan},
		{Method: "GET", Path: "/admin/channels/edit", Title: one, Under: "/admin/channels", Need: Manages, Handle: (*Admin).editChannel},
		{Method: "POST", Path: "/admin/channels/edit", Title: one, Under: "/admin/channels", Need: Manages, Handle: (*Admin).saveChannel},
		{Method: "POST", Path: "/admin/channels/remove", Title: title, Need: Manages, Handle: (*Admin).removeChannel},
	}
}

func (a *Admin) channelsPage(r *Request) {
	if m := a.manager(r); m != nil {
		a.showChannels(r, m, planForm(m.Plan()), r.Page)
	}
}

func (a *Admin) showChannels(r *Request, m *alert.Manager, f console.Form, answer func(func(console.View) templ.Component)) {
	answer(func(v console.View) templ.Component {
		p := console.Channels{Plan: f, Heartbeat: heartbeat(v, m), Steps: stepsShown(f)}
		for _, k := range notify.Kinds() {
			p.Kinds = append(p.Kinds, console.Option{Value: k.Name, Title: v.In(k.Title)})
		}
		for _, s := range alert.Severities() {
			p.Levels = append(p.Levels, console.Option{Value: s, Title: v.LevelWord(console.Level(s))})
		}
		p.Rows = channelRows(v, m.Channels())
		return console.ChannelsPage(v, p)
	})
}

func channelRows(v console.View, list []notify.Channel) []console.ChannelRow {
	var out []console.ChannelRow
	for _, c := range list {
		k, _ := notify.KindOf(c.Kind)
		row := console.ChannelRow{ID: c.ID, Name: c.Name, Kind: v.In(k.Title), Where: where(c), Lang: tongue(v, c.Lang), Off: c.Off, Beats: c.Kind == "webhook", PerHour: c.PerHour}
		if row.PerHour == 0 {
			row.PerHour = notify.DefaultPerHour
		}
		out = append(out, row)
	}
	return out
}

// where is where a channel leads, without what could be secret in an address.
func where(c notify.Channel) string {
	if u, err := url.Parse(c.Settings["url"]); err == nil && u.Host != "" {
		return u.Host
	}
	for _, k := range []string{"to", "phones", "room", "host", "device"} {
		if s := c.Settings[k]; s != "" {
			return strings.Join(strings.Fields(s), " ")
		}
	}
	return c.Kind
}

// tongue is the name of a channel's language.
func tongue(v console.View, lang string) string {
	switch lang {
	case "zh":
		return "中文"
	case "en":
		return "English"
	}
	return v.Say("中文 and English", "中文与英文")
}

// planForm is the plan as the fields of its form.
func planForm(p alert.Plan) console.Form {
	f := console.Form{Values: map[string]string{}, Errors: map[string]string{}}
	tick := func(name string, list []string) {
		for _, id := range list {
			f.Values[name+"-"+id] = "on"
		}
	}
	for s, list := range p.Routes {
		tick("route-"+s, list)
	}
	tick("second", p.Second)
	for i, s := range p.Escalation {
		n := strconv.Itoa(i)
		f.Values["after-"+n] = strconv.FormatFloat(time.Duration(s.After).Minutes(), 'f', -1, 64)
		tick("step-"+n, s.Channels)
		tick("sev-"+n, s.Covered())
	}
	if n := len(p.Escalation); n < alert.MaxSteps {
		tick("sev-"+strconv.Itoa(n), new(alert.Step).Covered())
	}
	f.Values["repeat"] = strconv.FormatFloat(time.Duration(p.Repeat).Hours(), 'f', -1, 64)
	f.Values["heartbeat"] = p.Heartbeat.Channel
	f.Values["every"] = strconv.FormatFloat(time.Duration(p.Heartbeat.Every).Seconds(), 'f', -1, 64)
	return f
}

// stepsShown are the steps that a form has fields for: those of the plan, or
// those that came back, and one to fill in.
func stepsShown(f console.Form) int {
	n := 0
	for n < alert.MaxSteps {
		if _, ok := f.Values["after-"+strconv.Itoa(n)]; !ok {
			break
		}
		n++
	}
	return min(n+1, alert.MaxSteps)
}

// postedSteps are the steps of the form that have channels, by their time.
func (r *Request) postedSteps(ticked func(name string) []string) []alert.Step {
	var out []alert.Step
	for i := range alert.MaxSteps {
		n := strconv.Itoa(i)
		s := alert.Step{After: r.amount("after-"+n, time.Minute), Channels: ticked("step-" + n)}
		for _, sev := range alert.Severities() {
			if r.Form("sev-"+n+"-"+sev) == "on" {
				s.Severities = append(s.Severities, sev)
			}
		}
		if len(s.Channels) > 0 {
			out = append(out, s)
		}
	}
	slices.SortStableFunc(out, func(a, b alert.Step) int { return cmp.Compare(a.After, b.After) })
	return out
}

// amount is a number of a form in units of d; what is none is 0, which the
// plan refuses.
func (r *Request) amount(name string, d time.Duration) alert.Span {
	n, err := strconv.ParseFloat(r.Form(name), 64)
	if err != nil || n < 0 || n > 1e6 {
		return 0
	}
	return alert.Span(n * float64(d))
}

func (a *Admin) savePlan(r *Request) {
	m := a.manager(r)
	if m == nil {
		return
	}
	p := m.Plan()
	ticked := func(name string) []string {
		var out []string
		for _, c := range m.Channels() {
			if r.Form(name+"-"+c.ID) == "on" {
				out = append(out, c.ID)
			}
		}
		return out
	}
	for _, s := range alert.Severities() {
		p.Routes[s] = ticked("route-" + s)
	}
	p.Second = ticked("second")
	p.Escalation = r.postedSteps(ticked)
	p.Repeat = r.amount("repeat", time.Hour)
	p.Heartbeat = alert.HeartbeatTo{Channel: r.Form("heartbeat"), Every: r.amount("every", time.Second)}
	if err := m.SetPlan(p); err != nil {
		f := r.Filled()
		if r.mistake(&f, err, map[string]string{"grouping": "repeat", "escalation": "", "heartbeat": "every"}) {
			a.showChannels(r, m, f, r.Invalid)
		}
		return
	}
	a.did(r, "alerts.plan", "", "")
	r.Done("/admin/channels", words.Of("Saved.", "已保存。"))
}

func (a *Admin) editChannel(r *Request) {
	m := a.manager(r)
	if m == nil {
		return
	}
	c := notify.Channel{Kind: r.Query("kind"), Lang: r.Tongue()}
	f := console.Form{}
	if id := r.Query("id"); id != "" {
		found := false
		for _, x := range m.Channels() {
			if x.ID == id {
				c, found = x, true
			}
		}
		if !found {
			r.Trouble(fasthttp.StatusNotFound, words.Of("The channel is gone.", "该渠道已不存在。"))
			return
		}
		f = channelForm(c)
	}
	a.showChannel(r, c, f, nil, r.Page)
}

func channelForm(c notify.Channel) console.Form {
	on := func(b bool) string {
		if b {
			return "on"
		}
		return ""
	}
	f := console.Form{Values: map[string]string{"name": c.Name, "lang": c.Lang, "off": on(c.Off), "no_end": on(c.NoEnd), "per_hour": strconv.Itoa(notify.DefaultPerHour)}, Errors: map[string]string{}}
	if c.PerHour > 0 {
		f.Values["per_hour"] = strconv.Itoa(c.PerHour)
	}
	k, _ := notify.KindOf(c.Kind)
	for _, x := range k.Fields {
		f.Values["set-"+x.Key] = c.Settings[x.Key]
	}
	return f
}

// outcome is what a test brought.
type outcome struct {
	answer string
	err    error
}

// why is why it did not get through; empty: it did.
func (o outcome) why(v console.View) string {
	if o.err == nil {
		return ""
	}
	return v.In(notify.Why(o.err))
}

// testChannel sends a test, and tells the audit.
func (a *Admin) testChannel(r *Request, m *alert.Manager, c notify.Channel) outcome {
	answer, err := m.TestChannel(r.ctx, c)
	came := "done"
	if err != nil {
		came = "failed"
	}
	a.note(r, "channel.test", c.Name, "", came)
	return outcome{answer, err}
}

func (a *Admin) showChannel(r *Request, c notify.Channel, f console.Form, tested *outcome, answer func(func(console.View) templ.Component)) {
	k, ok := notify.KindOf(c.Kind)
	if !ok {
		r.Trouble(fasthttp.StatusNotFound, words.Of("There is no such kind of channel.", "没有这种渠道。"))
		return
	}
	answer(func(v console.View) templ.Component {
		return console.ChannelEditPage(v, channelEdit(v, c, k, f, tested))
	})
}

// channelEdit is the form of a channel of kind k.
func channelEdit(v console.View, c notify.Channel, k notify.Kind, f console.Form, tested *outcome) console.ChannelEdit {
	p := console.ChannelEdit{ID: c.ID, Kind: c.Kind, KindTitle: v.In(k.Title), Form: f, Languages: []console.Option{{Value: "zh", Title: "中文"}, {Value: "en", Title: "English"}}}
	if k.Chat {
		p.Languages = append(p.Languages, console.Option{Value: notify.Both, Title: tongue(v, notify.Both)})
	}
	for _, x := range k.Fields {
		p.Fields = append(p.Fields, channelInput(v, x))
	}
	if tested != nil {
		p.Tested, p.Answer, p.Failed = true, tested.answer, tested.why(v)
	}
	return p
}

// settingNames are the fields of the form for the settings of a kind.
func settingNames(k notify.Kind) map[string]string {
	names := map[string]string{}
	for _, x := range k.Fields {
		names[x.Key] = "set-" + x.Key
	}
	return names
}

// channelInput is a setting as a field. A secret is a field of text with its
// mask in it, so that the form can come back with it.
func channelInput(v console.View, x notify.Field) console.Input {
	i := console.Input{Name: "set-" + x.Key, Label: v.In(x.Label), Hint: v.In(x.Help), Value: x.Default, Required: x.Required, Autocomplete: "off"}
	switch x.Form {
	case "lines":
		i.Type, i.Rows = "textarea", 3
	case "url", "number":
		i.Type = x.Form
	case "choice":
		i.Type = "select"
		for _, s := range x.Choices {
			i.Options = append(i.Options, console.Option{Value: s, Title: s})
		}
	}
	return i
}

// posted is the channel of the form.
func (r *Request) posted() notify.Channel {
	c := notify.Channel{ID: r.Form("id"), Kind: r.Form("kind"), Name: strings.TrimSpace(r.Form("name")), Lang: r.Form("lang"), Off: r.Form("off") == "on", NoEnd: r.Form("no_end") == "on", Settings: map[string]string{}}
	n, err := strconv.Atoi(r.Form("per_hour"))
	if err != nil {
		n = -1
	}
	c.PerHour = n
	k, _ := notify.KindOf(c.Kind)
	for _, x := range k.Fields {
		if s := strings.TrimSpace(r.Form("set-" + x.Key)); s != "" {
			c.Settings[x.Key] = s
		}
	}
	return c
}

func (a *Admin) saveChannel(r *Request) {
	m := a.manager(r)
	if m == nil {
		return
	}
	c := r.posted()
	f := r.Filled()
	k, _ := notify.KindOf(c.Kind)
	if r.Form("test") == "on" {
		o := a.testChannel(r, m, c)
		a.showChannel(r, c, f, &o, r.Page)
		return
	}
	if _, err := m.SaveChannel(c); err != nil {
		if r.mistake(&f, err, settingNames(k)) {
			a.showChannel(r, c, f, nil, r.Invalid)
		}
		return
	}
	a.did(r, "channel.save", c.Name, c.Kind)
	r.Done("/admin/channels", words.Of("Saved.", "已保存。"))
}

func (a *Admin) removeChannel(r *Request) {
	m := a.manager(r)
	if m == nil {
		return
	}
	for _, c := range m.Channels() {
		if c.ID != r.Form("id") {
			continue
		}
		if !r.Typed(c.Name) {
			r.Trouble(fasthttp.StatusUnprocessableEntity, words.Of("The name that was typed is another: nothing was removed.", "输入的名称不一致，没有删除任何内容。"))
			return
		}
		if err := m.RemoveChannel(c.ID); err != nil {
			r.Fault(err)
			return
		}
		a.did(r, "channel.remove", c.Name, c.Kind)
		r.Done("/admin/channels", words.Of("Removed.", "已删除。"))
		return
	}
	r.Trouble(fasthttp.StatusNotFound, words.Of("The channel is gone.", "该渠道已不存在。"))
}
