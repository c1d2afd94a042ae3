package admin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/prometheus/common/model"
	"github.com/valyala/fasthttp"

	"posthouse/sysmon/rule"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// Rules are what the pages of rules show and change.
type Rules struct {
	Manager *rule.Manager // nil: the pages say that there are none
	// Changed is told of each change that was made, for the audit; may be nil.
	Changed func(ctx context.Context, v Visitor, action, object string)
}

func ruleRoutes() []Route {
	rules := words.Of("Rules", "告警规则")
	return []Route{
		{Method: "GET", Path: "/admin/rules", Title: rules, Group: Alerting, Icon: "rule", Need: Sees, Handle: (*Admin).rulesPage},
		{Method: "GET", Path: "/admin/rules/rule", Title: words.Of("Rule", "规则"), Under: "/admin/rules", Need: Sees, Handle: (*Admin).rulePage},
		{Method: "GET", Path: "/admin/rules/edit", Title: words.Of("Edit a rule", "编辑规则"), Under: "/admin/rules", Need: Manages, Handle: (*Admin).ruleForm},
		{Method: "POST", Path: "/admin/rules/edit", Title: words.Of("Edit a rule", "编辑规则"), Under: "/admin/rules", Need: Manages, Handle: (*Admin).ruleSave},
		{Method: "POST", Path: "/admin/rules/disable", Need: Manages, Handle: (*Admin).ruleDisable},
		{Method: "POST", Path: "/admin/rules/enable", Need: Manages, Handle: (*Admin).ruleEnable},
		{Method: "POST", Path: "/admin/rules/restore", Need: Manages, Handle: (*Admin).ruleRestore},
		{Method: "POST", Path: "/admin/rules/delete", Need: Manages, Handle: (*Admin).ruleDelete},
		{Method: "POST", Path: "/admin/rules/revert", Need: Manages, Handle: (*Admin).ruleRevert},
		{Method: "GET", Path: "/admin/rules/file", Title: words.Of("Rule files", "规则文件"), Under: "/admin/rules", Need: Sees, Handle: (*Admin).ruleFile},
		{Method: "POST", Path: "/admin/rules/file", Title: words.Of("Rule files", "规则文件"), Under: "/admin/rules", Need: Manages, Handle: (*Admin).ruleFileSave},
		{Method: "POST", Path: "/admin/rules/file/remove", Title: words.Of("Rule files", "规则文件"), Under: "/admin/rules", Need: Manages, Handle: (*Admin).ruleFileRemove},
		{Method: "GET", Path: "/admin/data/rules/rule", Need: Sees, Handle: (*Admin).ruleData},
		{Method: "GET", Path: "/admin/data/rules/preview", Need: Sees, Handle: (*Admin).rulePreviewData},
	}
}

// rules is the manager, or an answer that there is none.
func (a *Admin) rules(r *Request) *rule.Manager {
	if a.o.Rules.Manager == nil {
		r.Trouble(fasthttp.StatusNotFound, words.Of("This server does not watch itself: there are no rules.", "此服务器未启用自我监控，没有规则。"))
	}
	return a.o.Rules.Manager
}

// rank orders states by how much they concern somebody.
func rank(s rule.State) int {
	return slices.Index([]rule.State{rule.Firing, rule.Failed, rule.Pending, rule.NoData, rule.Unknown, rule.Inactive, rule.Disabled}, s)
}

func severityOf(text string) console.Level {
	switch l := console.Level(text); l {
	case console.Warning, console.Serious, console.Critical:
		return l
	}
	return console.Neutral
}

func stateLevel(s rule.State, severity console.Level) console.Level {
	switch s {
	case rule.Firing:
		if severity == console.Neutral {
			return console.Warning
		}
		return severity
	case rule.Pending:
		return console.Info
	case rule.Failed:
		return console.Serious
	case rule.NoData:
		return console.Warning
	case rule.Inactive:
		return console.Good
	}
	return console.Neutral
}

func ruleRow(v console.View, one rule.Rule) console.RuleRow {
	row := console.RuleRow{ID: one.ID, Name: one.Spec.Name(), State: string(one.State), Word: v.In(one.State.Title()), Since: one.Since,
		Severity: severityOf(one.Severity()), Group: one.Group, Expr: one.Spec.Expr, Reason: v.In(one.Reason), Alerts: len(one.Alerts)}
	row.Level = stateLevel(one.State, row.Severity)
	row.Origin = one.File
	if one.Shipped {
		row.Origin = v.Say("shipped", "内置")
		if one.Changed {
			row.Origin = v.Say("shipped, changed here", "内置（已修改）")
		}
	}
	if len(one.Alerts) > 0 {
		row.About = annotation(v, one.Alerts[0].Annotations, "summary")
	}
	return row
}

// annotation is a text of an alert in the reader's language, else in English.
func annotation(v console.View, a map[string]string, name string) string {
	if v.Lang == "zh" && a[name+"_zh"] != "" {
		return a[name+"_zh"]
	}
	return a[name]
}

func (a *Admin) rulesPage(r *Request) {
	m := a.rules(r)
	if m == nil {
		return
	}
	v := r.View(r.Route.Title)
	count := map[rule.State]int{}
	var all []rule.Rule
	for _, one := range m.Rules() {
		count[one.State]++
		if state := r.Query("state"); state != "" && state != string(one.State) {
			continue
		}
		if severity := r.Query("severity"); severity != "" && severity != one.Severity() {
			continue
		}
		all = append(all, one)
	}
	l := r.List("state")
	rows := Pick(&l, all, func(one rule.Rule, q string) bool {
		return Holds(q, one.Spec.Name(), one.Spec.Expr, one.Group, one.File, one.Spec.Annotations["summary"], one.Spec.Annotations["summary_zh"])
	}, map[string]func(x, y rule.Rule) int{
		"state": func(x, y rule.Rule) int {
			return cmp.Or(cmp.Compare(rank(x.State), rank(y.State)), cmp.Compare(x.Spec.Name(), y.Spec.Name()))
		},
		"name":     func(x, y rule.Rule) int { return cmp.Compare(x.Spec.Name(), y.Spec.Name()) },
		"severity": func(x, y rule.Rule) int { return cmp.Compare(grade(x.Severity()), grade(y.Severity())) },
		"since":    func(x, y rule.Rule) int { return x.Since.Compare(y.Since) },
		"group":    func(x, y rule.Rule) int { return cmp.Compare(x.Group, y.Group) },
	})
	var list []console.RuleRow
	for _, one := range rows {
		list = append(list, ruleRow(v, one))
	}
	if r.WantsCSV() {
		r.CSV("rules", []string{v.Say("State", "状态"), v.Say("Rule", "规则"), v.Say("Severity", "级别"), v.Say("Group", "分组"), v.Say("From", "来源"), "PromQL"}, ruleCSV(v, list))
		return
	}
	var problems []console.RuleProblem
	for _, p := range m.Problems() {
		problems = append(problems, console.RuleProblem{Text: p.In(v.Lang)})
	}
	r.Page(func(v console.View) templ.Component {
		return console.RulesPage(v, l, ruleFilters(v), list, problems, ruleSentence(v, count))
	})
}

func grade(severity string) int {
	return slices.Index([]string{"critical", "serious", "warning"}, severity)
}

func ruleCSV(v console.View, list []console.RuleRow) [][]string {
	var out [][]string
	for _, row := range list {
		out = append(out, []string{row.Word, row.Name, v.LevelWord(row.Severity), row.Group, row.Origin, row.Expr})
	}
	return out
}

func ruleFilters(v console.View) []console.Filter {
	states := []console.Option{{Value: "", Title: v.Say("all", "全部")}}
	for _, s := range []rule.State{rule.Firing, rule.Pending, rule.Inactive, rule.NoData, rule.Failed, rule.Disabled} {
		states = append(states, console.Option{Value: string(s), Title: v.In(s.Title())})
	}
	severities := []console.Option{{Value: "", Title: v.Say("all", "全部")}}
	for _, l := range []console.Level{console.Critical, console.Serious, console.Warning} {
		severities = append(severities, console.Option{Value: string(l), Title: v.LevelWord(l)})
	}
	return []console.Filter{{Name: "state", Label: v.Say("State", "状态"), Options: states}, {Name: "severity", Label: v.Say("Severity", "级别"), Options: severities}}
}

func ruleSentence(v console.View, count map[rule.State]int) string {
	all := 0
	var parts []string
	for _, s := range []rule.State{rule.Firing, rule.Pending, rule.Inactive, rule.NoData, rule.Failed, rule.Unknown, rule.Disabled} {
		all += count[s]
		if count[s] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", v.In(s.Title()), count[s]))
		}
	}
	return v.Say(fmt.Sprintf("%d rules: ", all), fmt.Sprintf("共 %d 条规则：", all)) + strings.Join(parts, v.Say(", ", "，"))
}

func (a *Admin) rulePage(r *Request) {
	if m := a.rules(r); m != nil {
		a.showRule(r, m, r.Query("id"), "")
	}
}

// showRule is the page of a rule; refused is why the last action was not done.
func (a *Admin) showRule(r *Request, m *rule.Manager, id, refused string) {
	one, ok := m.Rule(id)
	if !ok {
		r.Trouble(fasthttp.StatusNotFound, words.Of("There is no such rule (any more).", "没有这条规则（可能已删除）。"))
		return
	}
	now := a.o.Now()
	from := now.Add(-7 * 24 * time.Hour)
	spans, err := m.Timeline(r.Context(), id, from, now)
	if err != nil {
		a.o.Log.Warn("timeline of a rule", "rule", id, "error", err)
	}
	history, err := m.History(id)
	if err != nil {
		r.Fault(err)
		return
	}
	body := func(v console.View) templ.Component {
		p := ruleView(v, one)
		p.Refused, p.From, p.To = refused, from, now
		p.Spans, p.History = ruleSpans(v, spans, from, now), ruleHistory(v, history)
		if !v.ReadOnly {
			p.Confirms = ruleConfirms(v, one, p.Own)
		}
		return console.RulePage(v, p)
	}
	title := words.Of(one.Spec.Name(), one.Spec.Name())
	r.PageOf(title, body)
	if refused != "" {
		r.ctx.SetStatusCode(fasthttp.StatusUnprocessableEntity)
	}
}

func ruleView(v console.View, one rule.Rule) console.RuleView {
	p := console.RuleView{Row: ruleRow(v, one), Description: one.Spec.Annotations[v.Say("description", "description_zh")], YAML: one.Spec.YAML(), For: v.Span(one.Spec.For), Every: v.Span(one.Interval),
		At: one.At, Took: v.Span(one.Took), Threshold: one.Spec.Annotations["threshold"], Runbook: one.Spec.Annotations["runbook"],
		Disabled: one.State == rule.Disabled, Own: strings.HasPrefix(one.File, "console."), Alerting: one.Spec.Alert != "", Data: "/admin/data/rules/rule?id=" + escape(one.ID)}
	for _, al := range one.Alerts {
		level := stateLevel(al.State, p.Row.Severity)
		p.Alerts = append(p.Alerts, console.RuleAlert{Word: v.In(al.State.Title()), Level: level, Summary: annotation(v, al.Annotations, "summary"),
			Labels: labelText(al.Labels), Value: v.Number(al.Value), Since: al.ActiveAt})
	}
	if one.Changed {
		p.Changed = diffLines(rule.Diff(one.Original.YAML(), one.Spec.YAML()))
	}
	return p
}

// labelText writes what tells an alert apart.
func labelText(labels map[string]string) string {
	var parts []string
	for k, value := range labels {
		if k != "alertname" && k != "severity" && k != "subject" && k != "__name__" {
			parts = append(parts, k+"="+value)
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, " ")
}

func diffLines(lines []rule.Line) []console.DiffLine {
	var out []console.DiffLine
	for _, l := range lines {
		out = append(out, console.DiffLine{Sign: string(l.Sign), Text: l.Text})
	}
	return out
}

func ruleSpans(v console.View, spans []rule.Span, from, to time.Time) []console.RuleSpan {
	var out []console.RuleSpan
	whole := to.Sub(from).Seconds()
	for _, s := range spans {
		out = append(out, console.RuleSpan{State: string(s.State), Word: v.In(s.State.Title()), Labels: labelText(s.Labels), From: s.From, To: s.To,
			X: 1000 * s.From.Sub(from).Seconds() / whole, Width: 1000 * s.To.Sub(s.From).Seconds() / whole})
	}
	return out
}

func ruleHistory(v console.View, list []rule.Version) []console.RuleChange {
	var out []console.RuleChange
	for _, h := range list {
		before, after := "", ""
		if h.Before != nil {
			before = *h.Before
		}
		if h.After != nil {
			after = *h.After
		}
		out = append(out, console.RuleChange{Number: fmt.Sprint(h.Number), At: h.At, Who: h.Who, Action: actionWord(v, h.Action), Note: h.Note, Diff: diffLines(rule.Diff(before, after))})
	}
	return out
}

func actionWord(v console.View, action string) string {
	switch action {
	case "save":
		return v.Say("Changed", "修改")
	case "create":
		return v.Say("Made", "新建")
	case "disable":
		return v.Say("Disabled", "停用")
	case "enable":
		return v.Say("Enabled", "启用")
	case "restore":
		return v.Say("Back to the shipped rule", "恢复出厂规则")
	case "delete":
		return v.Say("Deleted", "删除")
	}
	return v.Say("Taken back", "撤销")
}

func ruleConfirms(v console.View, one rule.Rule, own bool) []console.Confirmation {
	fields := map[string]string{"id": one.ID}
	var out []console.Confirmation
	if one.State != rule.Disabled {
		out = append(out, console.Confirmation{ID: "confirm-disable", Action: "/admin/rules/disable", Title: v.Say("Disable this rule?", "停用此规则？"), Button: v.Say("Disable", "停用"),
			Object: one.Spec.Name(), Fields: fields, Lost: v.Say("Nobody will be told when this happens.", "发生此类问题时将无人收到通知。"), Undo: v.Say("It can be enabled again at any time.", "可随时重新启用。")})
	}
	if own {
		out = append(out, console.Confirmation{ID: "confirm-delete", Action: "/admin/rules/delete", Title: v.Say("Delete this rule?", "删除此规则？"), Button: v.Say("Delete", "删除"),
			Object: one.Spec.Name(), Fields: fields, Lost: v.Say("The rule; what it recorded stays.", "删除规则；已记录的数据保留。"), Undo: v.Say("The history of rules can bring it back.", "可从规则历史中恢复。")})
	}
	return out
}

// who is the name under which a change is kept.
func (r *Request) who() string {
	if r.Operator {
		return "operator"
	}
	return r.Visitor.Login
}

// ruleDid answers after a change: goes to the rule, or says why not.
func (a *Admin) ruleDid(r *Request, m *rule.Manager, action, id string, err error, said words.Text) {
	var refusal *rule.Refused
	switch {
	case errors.As(err, &refusal):
		if _, there := m.Rule(id); !there { // a change of a file
			r.Trouble(fasthttp.StatusConflict, words.Of(refusal.In("en"), refusal.In("zh")))
			return
		}
		a.showRule(r, m, id, refusal.In(r.Tongue()))
	case err != nil:
		r.Fault(err)
	default:
		if a.o.Rules.Changed != nil {
			a.o.Rules.Changed(r.Context(), r.Visitor, "rule."+action, id)
		}
		to := "/admin/rules"
		if _, there := m.Rule(id); there {
			to = "/admin/rules/rule?id=" + escape(id)
		}
		r.Done(to, said)
	}
}

func (a *Admin) ruleDisable(r *Request) {
	m, id := a.rules(r), r.Form("id")
	if m == nil || !a.typedRule(r, m, id) {
		return
	}
	a.ruleDid(r, m, "disabled", id, m.SetDisabled(id, true, r.who()), words.Of("Disabled.", "已停用。"))
}

// typedRule reports whether the name of the rule was typed, and answers if not.
func (a *Admin) typedRule(r *Request, m *rule.Manager, id string) bool {
	one, ok := m.Rule(id)
	if ok && r.Typed(one.Spec.Name()) {
		return true
	}
	a.showRule(r, m, id, r.View(words.Text{}).Say("The name that was typed is not that of the rule. Nothing was changed.", "输入的名称与规则不符，未做任何更改。"))
	return false
}

func (a *Admin) ruleEnable(r *Request) {
	if m, id := a.rules(r), r.Form("id"); m != nil {
		a.ruleDid(r, m, "enabled", id, m.SetDisabled(id, false, r.who()), words.Of("Enabled.", "已启用。"))
	}
}

func (a *Admin) ruleRestore(r *Request) {
	if m, id := a.rules(r), r.Form("id"); m != nil {
		a.ruleDid(r, m, "restored", id, m.Restore(id, r.who()), words.Of("It is as it was shipped.", "已恢复出厂规则。"))
	}
}

func (a *Admin) ruleDelete(r *Request) {
	m, id := a.rules(r), r.Form("id")
	if m == nil || !a.typedRule(r, m, id) {
		return
	}
	a.ruleDid(r, m, "deleted", id, m.Delete(id, r.who()), words.Of("Deleted.", "已删除。"))
}

func (a *Admin) ruleRevert(r *Request) {
	m := a.rules(r)
	if m == nil {
		return
	}
	var number int
	if _, err := fmt.Sscan(r.Form("number"), &number); err != nil {
		r.Trouble(fasthttp.StatusBadRequest, words.Of("The number of the change is missing.", "缺少修改编号。"))
		return
	}
	a.ruleDid(r, m, "reverted", r.Form("id"), m.Revert(number, r.who()), words.Of("Taken back.", "已撤销。"))
}

func long(d time.Duration) string { return model.Duration(d).String() }
