package rule

import (
	"encoding/json"
	"fmt"
	"regexp"
	"sort"
	"strings"

	"github.com/prometheus/prometheus/model/rulefmt"
	"go.yaml.in/yaml/v3"

	"posthouse/sysmon/words"
)

// Refused is a change that was not made: what is wrong with it, and where.
type Refused struct {
	Text     words.Text
	Problems []Problem // with lines, when the text of a rule is wrong
}

// Error says it in English.
func (r *Refused) Error() string { return r.In("en") }

// In says it in a language: zh, or else English.
func (r *Refused) In(lang string) string {
	out := []string{}
	if r.Text.EN != "" {
		out = append(out, r.Text.In(lang))
	}
	for _, p := range r.Problems {
		out = append(out, p.In(lang))
	}
	return strings.Join(out, "\n")
}

func refused(en, zh string) error { return &Refused{Text: words.Of(en, zh)} }

// consolePrefix begins the names of files with one rule that the console made.
const consolePrefix = "console."

// Create adds a rule in a file of its own. The form may be nil. Errors of what
// was entered are *Refused.
func (m *Manager) Create(s Spec, f *Form, who string) (id string, err error) {
	m.edit.Lock()
	defer m.edit.Unlock()
	name := consolePrefix + s.Name() + ".yml"
	if s.Alert == "" || !regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,99}$`).MatchString(s.Alert) {
		return "", refused("the name has 1 to 100 letters, digits and _ and begins with a letter", "名称为 1 到 100 个字母、数字或下划线，且以字母开头")
	}
	for _, r := range m.Rules() {
		if r.Spec.Alert == s.Alert {
			return "", refused("there is a rule of that name: "+r.ID, "已有同名规则："+r.ID)
		}
	}
	text, problems := consoleFile(name, s, f)
	if problems != nil {
		return "", &Refused{Problems: problems}
	}
	id = name + "/console/" + s.Alert
	return id, m.commit(Version{Who: who, Action: "create", File: name, Rule: id, After: &text})
}

// consoleFile is the text of a file with one rule, checked.
func consoleFile(name string, s Spec, f *Form) (string, []Problem) {
	text := "# Made in the console.\n"
	if f != nil {
		form, err := json.Marshal(f)
		if err != nil { // numbers that are not finite are refused by the form
			return "", []Problem{{File: name, Reason: words.Of(err.Error(), err.Error())}}
		}
		text += formMark + string(form) + "\n"
	}
	body, err := yaml.Marshal(rulefmt.RuleGroups{Groups: []rulefmt.RuleGroup{{Name: "console", Rules: []rulefmt.Rule{s.rulefmt()}}}})
	if err != nil {
		return "", []Problem{{File: name, Reason: words.Of(err.Error(), err.Error())}}
	}
	text += string(body)
	_, problems := parse(name, []byte(text))
	return text, problems
}

// formMark begins the line of a console file that keeps the form.
const formMark = "# form: "

// formComment reads it back; nil when there is none.
func formComment(text []byte) *Form {
	for _, line := range strings.SplitN(string(text), "\n", 4) {
		if raw, ok := strings.CutPrefix(line, formMark); ok {
			var f Form
			if json.Unmarshal([]byte(raw), &f) == nil {
				return &f
			}
		}
	}
	return nil
}

// Save replaces a rule. A shipped rule, and one in a file written by hand, stay
// as they are: what is different is kept beside them. The name cannot change.
func (m *Manager) Save(id string, s Spec, f *Form, who, note string) error {
	m.edit.Lock()
	defer m.edit.Unlock()
	e, err := m.entry(id)
	if err != nil {
		return err
	}
	if s.Alert != e.original.Alert || s.Record != e.original.Record {
		return refused("the name of a rule stays: make a new rule instead", "规则名称不能修改，请新建规则")
	}
	if problems := checkRule(e.file, s); problems != nil {
		return &Refused{Problems: problems}
	}
	v := Version{Who: who, Action: "save", Rule: id, Note: note}
	if strings.HasPrefix(e.file, consolePrefix) {
		text, problems := consoleFile(e.file, s, f)
		if problems != nil {
			return &Refused{Problems: problems}
		}
		v.File, v.After = e.file, &text
		return m.commit(v)
	}
	r := s.rulefmt()
	return m.commitChange(v, change{ID: id, Disabled: e.disabled, Rule: &r, Form: f})
}

// SetDisabled stops a rule or lets it run again. Alerts that fire are resolved
// by who was told of them when nothing more is heard, after 4 minutes.
func (m *Manager) SetDisabled(id string, disabled bool, who string) error {
	m.edit.Lock()
	defer m.edit.Unlock()
	e, err := m.entry(id)
	if err != nil {
		return err
	}
	c := change{ID: id, Disabled: disabled}
	if e.changed {
		r := e.spec.rulefmt()
		c.Rule, c.Form = &r, e.form
	}
	action := "enable"
	if disabled {
		action = "disable"
	}
	return m.commitChange(Version{Who: who, Action: action, Rule: id}, c)
}

// Restore takes back every change to a rule: it is as its file has it.
func (m *Manager) Restore(id, who string) error {
	m.edit.Lock()
	defer m.edit.Unlock()
	if _, err := m.entry(id); err != nil {
		return err
	}
	return m.commit(Version{Who: who, Action: "restore", File: changedDir + "/" + changeFile(id), Rule: id})
}

// Delete removes a rule that the console made. Others are disabled instead.
func (m *Manager) Delete(id, who string) error {
	m.edit.Lock()
	defer m.edit.Unlock()
	e, err := m.entry(id)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(e.file, consolePrefix) {
		return refused("only rules made here can be deleted: disable it", "只能删除在此新建的规则，请改为停用")
	}
	return m.commit(Version{Who: who, Action: "delete", File: e.file, Rule: id})
}

// PutFile replaces one of the operator's rule files, or adds it.
func (m *Manager) PutFile(name, text, who string) error {
	m.edit.Lock()
	defer m.edit.Unlock()
	if !regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,100}\.ya?ml$`).MatchString(name) {
		return refused("the name of the file has letters, digits, . _ - and ends in .yml", "文件名只能包含字母、数字与 . _ -，并以 .yml 结尾")
	}
	if problems := checkFile(name, []byte(text)); problems != nil {
		return &Refused{Problems: problems}
	}
	return m.commit(Version{Who: who, Action: "save", File: name, After: &text})
}

// File is the text of one of the operator's rule files, or of a shipped one.
func (m *Manager) File(name string) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.set.file(name)
	if f == nil {
		return "", false
	}
	return string(f.text), true
}

// RemoveFile removes one of the operator's rule files.
func (m *Manager) RemoveFile(name, who string) error {
	m.edit.Lock()
	defer m.edit.Unlock()
	m.mu.Lock()
	f := m.set.file(name)
	m.mu.Unlock()
	if f == nil || strings.HasPrefix(name, shippedPrefix) {
		return refused("no file of yours has that name: "+name, "没有这个自定义文件："+name)
	}
	return m.commit(Version{Who: who, Action: "delete", File: name})
}

func (m *Manager) entry(id string) (*entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.set.byID[id]
	if e == nil {
		return nil, refused("there is no rule "+id, "没有规则 "+id)
	}
	return e, nil
}

// commitChange writes a file of changed/, or removes one that says nothing.
func (m *Manager) commitChange(v Version, c change) error {
	v.File = changedDir + "/" + changeFile(c.ID)
	if len(v.File) > 250 {
		return refused("the names of file, group and rule are too long together to change it here", "文件、组与规则的名称合起来过长，无法在此修改")
	}
	if c.Disabled || c.Rule != nil {
		raw, err := yaml.Marshal(c)
		if err != nil {
			return fmt.Errorf("write rule: %w", err)
		}
		text := string(raw)
		v.After = &text
	}
	return m.commit(v)
}

func sorted(labels map[string]string) []string {
	keys := make([]string, 0, len(labels))
	for k := range labels {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// Check reads a rule as if it stood in a file of its own, and lists what is
// wrong with it; lines are those of its YAML.
func Check(s Spec) []Problem { return checkRule("rule", s) }

// Files lists the rule files by name, shipped ones first.
func (m *Manager) Files() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []string
	for _, f := range m.set.files {
		out = append(out, f.name)
	}
	return out
}
