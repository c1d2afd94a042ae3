package admin

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/prometheus/common/model"
	"github.com/valyala/fasthttp"

	"posthouse/sysmon/rule"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

func escape(s string) string { return url.QueryEscape(s) }

// texts are the annotations that the form holds.
func ruleTexts() []string {
	return []string{"summary", "summary_zh", "description", "description_zh"}
}

// ruleForm shows the form: empty, or as the rule is.
func (a *Admin) ruleForm(r *Request) {
	m := a.rules(r)
	if m == nil {
		return
	}
	e := console.RuleEdit{ID: r.Query("id"), Form: console.Form{Values: map[string]string{"kind": "static", "op": ">", "for": "5m", "keep": "0s", "severity": "warning", "sensitivity": "5", "window": "1h",
		"expr": r.Query("expr")}}}
	if e.ID != "" {
		one, ok := m.Rule(e.ID)
		if !ok || one.Spec.Alert == "" {
			r.Trouble(fasthttp.StatusNotFound, words.Of("There is no such rule to edit.", "没有可编辑的规则。"))
			return
		}
		e.Name, e.Form.Values = one.Spec.Name(), formValues(one)
	}
	r.PageOf(editTitle(e), func(v console.View) templ.Component { return console.RuleEditPage(v, e) })
}

func editTitle(e console.RuleEdit) words.Text {
	if e.ID == "" {
		return words.Of("New rule", "新建规则")
	}
	return words.Of("Edit "+e.Name, "编辑 "+e.Name)
}

// formValues fills the form from a rule.
func formValues(one rule.Rule) map[string]string {
	out := map[string]string{"for": long(one.Spec.For), "keep": long(one.Spec.KeepFiringFor), "severity": one.Severity(), "kind": "raw", "expr": one.Spec.Expr, "op": ">", "sensitivity": "5", "window": "1h"}
	for _, k := range ruleTexts() {
		out[k] = one.Spec.Annotations[k]
	}
	f := one.Form
	if f == nil {
		read, ok := rule.FormOf(one.Spec)
		if !ok {
			return out
		}
		f = &read
	}
	out["expr"], out["kind"], out["op"], out["guard"] = f.Expr, f.Bound.Kind, f.Op, f.Guard
	out["threshold"] = strconv.FormatFloat(f.Threshold, 'f', -1, 64)
	if f.Recovery != nil {
		out["recovery"] = strconv.FormatFloat(*f.Recovery, 'f', -1, 64)
	}
	if f.Bound.Kind != rule.Static {
		out["direction"], out["season"], out["window"], out["sensitivity"] = f.Bound.Direction, f.Bound.Season, long(f.Bound.Window), strconv.Itoa(f.Bound.Sensitivity)
		delete(out, "threshold")
	}
	return out
}

// entered is what a form of a rule says.
type entered struct {
	form   *rule.Form // nil: the expression says it all
	spec   rule.Spec
	errors map[string]words.Text // by field
}

// readRule reads the form's values over a rule as it was.
func readRule(values url.Values, base rule.Spec) entered {
	out := entered{errors: map[string]words.Text{}}
	duration := func(field string) time.Duration {
		text := strings.TrimSpace(values.Get(field))
		if text == "" || text == "0" {
			return 0
		}
		d, err := model.ParseDuration(text)
		if err != nil {
			out.errors[field] = words.Of("Write it as 30s, 5m or 1h.", "请写成 30s、5m 或 1h。")
		}
		return time.Duration(d)
	}
	figure := func(field string) float64 {
		f, err := strconv.ParseFloat(strings.TrimSpace(values.Get(field)), 64)
		if err != nil {
			out.errors[field] = words.Of("This has to be a number.", "必须是数字。")
		}
		return f
	}
	base.Annotations = maps.Clone(base.Annotations)
	if base.Annotations == nil {
		base.Annotations = map[string]string{}
	}
	for _, k := range ruleTexts() {
		if text := strings.TrimSpace(values.Get(k)); text != "" {
			base.Annotations[k] = text
		} else {
			delete(base.Annotations, k)
		}
	}
	f := rule.Form{Name: base.Alert, Expr: values.Get("expr"), Severity: values.Get("severity"), For: duration("for"), KeepFiringFor: duration("keep"), Guard: values.Get("guard"), Bound: rule.Bound{Kind: values.Get("kind")}}
	switch f.Bound.Kind {
	case "raw":
		out.raw(f, base)
		return out
	case rule.Static:
		f.Op, f.Threshold = values.Get("op"), figure("threshold")
		if strings.TrimSpace(values.Get("recovery")) != "" {
			recovery := figure("recovery")
			f.Recovery = &recovery
		}
	default:
		f.Bound.Direction, f.Bound.Season, f.Bound.Window = values.Get("direction"), values.Get("season"), duration("window")
		f.Bound.Sensitivity = int(figure("sensitivity"))
	}
	if len(out.errors) > 0 {
		return out
	}
	spec, bad := f.Spec(base)
	if bad != nil {
		out.errors[""] = *bad
		return out
	}
	out.form, out.spec = &f, spec
	return out
}

// raw takes the expression as the whole condition.
func (e *entered) raw(f rule.Form, base rule.Spec) {
	e.spec = base
	e.spec.Expr, e.spec.For, e.spec.KeepFiringFor = strings.TrimSpace(f.Expr), f.For, f.KeepFiringFor
	e.spec.Labels = maps.Clone(base.Labels)
	if e.spec.Labels == nil {
		e.spec.Labels = map[string]string{}
	}
	e.spec.Labels["severity"] = f.Severity
	if problems := rule.Check(e.spec); len(problems) > 0 {
		e.errors["expr"] = problems[0].Reason
	}
}

// ruleSave tries a rule on the past, or saves it.
func (a *Admin) ruleSave(r *Request) {
	m := a.rules(r)
	if m == nil {
		return
	}
	e := console.RuleEdit{ID: r.Form("id"), Form: r.Filled()}
	base := rule.Spec{Alert: strings.TrimSpace(r.Form("name"))}
	before := ""
	if e.ID != "" {
		one, ok := m.Rule(e.ID)
		if !ok {
			r.Trouble(fasthttp.StatusNotFound, words.Of("There is no such rule (any more).", "没有这条规则（可能已删除）。"))
			return
		}
		base, before, e.Name = one.Spec, one.Spec.YAML(), one.Spec.Name()
	}
	in := readRule(r.Forms(), base)
	if len(in.errors) > 0 {
		for field, text := range in.errors {
			e.Form.Errors[field] = text.In(r.Tongue())
		}
		r.Invalid(func(v console.View) templ.Component { return console.RuleEditPage(v, e) })
		return
	}
	if r.Form("do") == "save" {
		a.ruleStore(r, m, e, in)
		return
	}
	e.Unsaved = diffLines(rule.Diff(before, in.spec.YAML()))
	p := a.tryRule(r, m, in)
	e.Preview = &p
	r.PageOf(editTitle(e), func(v console.View) templ.Component { return console.RuleEditPage(v, e) })
}

func (a *Admin) ruleStore(r *Request, m *rule.Manager, e console.RuleEdit, in entered) {
	var err error
	action, id := "saved", e.ID
	if id == "" {
		action = "created"
		id, err = m.Create(in.spec, in.form, r.who())
	} else {
		err = m.Save(id, in.spec, in.form, r.who(), strings.TrimSpace(r.Form("note")))
	}
	var refusal *rule.Refused
	if errors.As(err, &refusal) {
		e.Form.Errors[""] = refusal.In(r.Tongue())
		r.Invalid(func(v console.View) templ.Component { return console.RuleEditPage(v, e) })
		return
	}
	a.ruleDid(r, m, action, id, err, words.Of("Saved; it runs.", "已保存并生效。"))
}

const previewSpan = 7 * 24 * time.Hour

// tryRule says what a rule would have done.
func (a *Admin) tryRule(r *Request, m *rule.Manager, in entered) console.RulePreview {
	v := r.View(words.Text{})
	ctx, cancel := context.WithTimeout(r.Context(), boardTime)
	defer cancel()
	p, err := a.previewOf(ctx, m, in)
	if err != nil {
		text := trouble(err, v.Lang)
		return console.RulePreview{Level: console.Serious, Sentence: v.Say("It could not be tried: ", "无法试运行：") + text}
	}
	out := console.RulePreview{Level: console.Info, Data: "/admin/data/rules/preview?" + r.previewQuery(in),
		Sentence: v.Say(fmt.Sprintf("It would have fired %d times in the last 7 days.", p.Times), fmt.Sprintf("最近 7 天内会触发 %d 次。", p.Times)),
		Exact:    v.Say("Exact to ", "精度 ") + v.Span(p.Step)}
	if p.Times == 1 {
		out.Sentence = v.Say("It would have fired once in the last 7 days.", "最近 7 天内会触发 1 次。")
	}
	if p.Times > 50 {
		out.Level = console.Warning
	}
	for i, one := range slices.Backward(p.Periods) {
		if len(out.Periods) == 20 {
			out.More = i + 1
			break
		}
		out.Periods = append(out.Periods, console.RulePeriod{From: one.From, To: one.To, Open: one.Open, Labels: labelText(one.Labels), Value: v.Number(one.Value)})
	}
	return out
}

func (a *Admin) previewOf(ctx context.Context, m *rule.Manager, in entered) (rule.Preview, error) {
	spec, hold := in.spec, ""
	if in.form != nil && in.form.Hold() != "" {
		hold = in.form.Hold()
		plain := *in.form
		plain.Recovery = nil
		if s, bad := plain.Spec(in.spec); bad == nil {
			spec = s
		}
	}
	now := a.o.Now()
	return m.Preview(ctx, spec, hold, now.Add(-previewSpan), now)
}

// previewQuery carries what was entered to the chart's data.
func (r *Request) previewQuery(in entered) string {
	q := url.Values{"name": {in.spec.Alert}, "subject": {in.spec.Labels["subject"]}}
	for name, value := range r.Forms() {
		if name != "csrf" && name != "do" && name != "note" && !slices.Contains(ruleTexts(), name) {
			q[name] = value
		}
	}
	return q.Encode()
}

// ruleFile shows the rule files and one of them.
func (a *Admin) ruleFile(r *Request) {
	m := a.rules(r)
	if m == nil {
		return
	}
	a.showRuleFile(r, m, r.Query("name"), "")
}

// fileChanges is how many changes of files are shown.
const fileChanges = 20

// showRuleFile is the page of a rule file; refused is why it was not removed.
func (a *Admin) showRuleFile(r *Request, m *rule.Manager, name, refused string) {
	f := console.RuleFile{Name: name, Others: m.Files()}
	f.Form.Values = map[string]string{}
	v := r.View(r.Route.Title)
	if f.Name != "" {
		text, ok := m.File(f.Name)
		if !ok {
			r.Trouble(fasthttp.StatusNotFound, words.Of("There is no such rule file.", "没有这个规则文件。"))
			return
		}
		f.Text = text
		f.Form.Values = map[string]string{"file": f.Name, "text": text}
		if strings.Contains(f.Name, "/") {
			f.Form.Values = nil // a shipped file is only shown
		} else if !v.ReadOnly {
			f.Remove = removalOfFile(v, m, f.Name, refused)
		}
	}
	history, err := m.History("")
	if err != nil {
		r.Fault(err)
		return
	}
	history = slices.DeleteFunc(history, func(one rule.Version) bool { return one.Rule != "" })
	f.History = ruleHistory(v, history[:min(len(history), fileChanges)])
	for i := range f.History {
		f.History[i].Note = strings.TrimSpace(history[i].File + " " + f.History[i].Note)
	}
	if refused != "" {
		r.Invalid(func(v console.View) templ.Component { return console.RuleFilePage(v, f) })
		return
	}
	r.Page(func(v console.View) templ.Component { return console.RuleFilePage(v, f) })
}

// removalOfFile names the rules that end with a file.
func removalOfFile(v console.View, m *rule.Manager, name, refused string) *console.Confirmation {
	var rules []string
	for _, one := range m.Rules() {
		if one.File == name {
			rules = append(rules, one.Spec.Name())
		}
	}
	const shown = 10
	list := strings.Join(rules[:min(len(rules), shown)], v.Say(", ", "、"))
	if len(rules) > shown {
		list += " …"
	}
	return &console.Confirmation{ID: "confirm-remove", Action: "/admin/rules/file/remove", Title: v.Say("Remove this file?", "移除此文件？"), Button: v.Say("Remove the file", "移除文件"), Object: name, Refused: refused,
		Fields: map[string]string{"file": name},
		Lost:   v.Say(fmt.Sprintf("%d rules end, and nobody is told of what they watch: %s. What they recorded stays.", len(rules), list), fmt.Sprintf("%d 条规则将停止，相应问题不再通知：%s。已记录的数据保留。", len(rules), list)),
		Undo:   v.Say("Its text stays in the changes of files below, from where it can be brought back.", "其内容保留在下方的文件修改记录中，可从中恢复。")}
}

func (a *Admin) ruleFileRemove(r *Request) {
	m, name := a.rules(r), r.Form("file")
	if m == nil {
		return
	}
	if !r.Typed(name) {
		a.showRuleFile(r, m, name, r.View(words.Text{}).Say("The name that was typed is not that of the file. Nothing was changed.", "输入的名称与文件不符，未做任何更改。"))
		return
	}
	err := m.RemoveFile(name, r.who())
	var refusal *rule.Refused
	switch {
	case errors.As(err, &refusal):
		r.Trouble(fasthttp.StatusConflict, words.Of(refusal.In("en"), refusal.In("zh")))
	case err != nil:
		r.Fault(err)
	default:
		if a.o.Rules.Changed != nil {
			a.o.Rules.Changed(r.Context(), r.Visitor, "rule.file_removed", name)
		}
		r.Done("/admin/rules/file", words.Of("Removed; its rules have ended.", "已移除，其规则已停止。"))
	}
}

func (a *Admin) ruleFileSave(r *Request) {
	m := a.rules(r)
	if m == nil {
		return
	}
	name := strings.TrimSpace(r.Form("file"))
	err := m.PutFile(name, r.Form("text"), r.who())
	var refusal *rule.Refused
	if errors.As(err, &refusal) {
		f := console.RuleFile{Name: name, Others: m.Files(), Form: r.Filled()}
		f.Form.Errors[""] = refusal.In(r.Tongue())
		r.Invalid(func(v console.View) templ.Component { return console.RuleFilePage(v, f) })
		return
	}
	if err != nil {
		r.Fault(err)
		return
	}
	if a.o.Rules.Changed != nil {
		a.o.Rules.Changed(r.Context(), r.Visitor, "rule.file", name)
	}
	r.Done("/admin/rules/file?name="+escape(name), words.Of("Saved; its rules run.", "已保存，规则已生效。"))
}
