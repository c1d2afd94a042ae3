package rule

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"go.yaml.in/yaml/v3"

	"posthouse/sysmon/words"
)

// Spec is one rule as it stands in a file.
type Spec struct {
	Alert         string // empty for a recording rule
	Record        string // empty for an alerting rule
	Expr          string
	For           time.Duration
	KeepFiringFor time.Duration
	Labels        map[string]string
	Annotations   map[string]string
}

// Name is the name of the alert or of the recorded series.
func (s Spec) Name() string {
	if s.Alert != "" {
		return s.Alert
	}
	return s.Record
}

// YAML is the rule as it would stand in a rule file, without indentation.
func (s Spec) YAML() string {
	text, err := yaml.Marshal(s.rulefmt())
	if err != nil { // strings, durations and maps of strings
		return err.Error()
	}
	return string(text)
}

func (s Spec) rulefmt() rulefmt.Rule {
	return rulefmt.Rule{Alert: s.Alert, Record: s.Record, Expr: s.Expr, For: model.Duration(s.For),
		KeepFiringFor: model.Duration(s.KeepFiringFor), Labels: s.Labels, Annotations: s.Annotations}
}

func specOf(r rulefmt.Rule) Spec {
	return Spec{Alert: r.Alert, Record: r.Record, Expr: r.Expr, For: time.Duration(r.For),
		KeepFiringFor: time.Duration(r.KeepFiringFor), Labels: r.Labels, Annotations: r.Annotations}
}

// change is what a file of the directory changed/ says about one rule.
type change struct {
	ID       string        `yaml:"id"`
	Disabled bool          `yaml:"disabled,omitempty"`
	Rule     *rulefmt.Rule `yaml:"rule,omitempty"`
	Form     *Form         `yaml:"form,omitempty"`
}

// entry is one rule of the set.
type entry struct {
	id       string
	file     string // identifier: shipped/host.yml or mine.yml
	group    string
	interval time.Duration // 0: the default
	place    int           // within the group as written
	original Spec
	spec     Spec
	form     *Form
	changed  bool
	disabled bool
	need     need
}

func (e *entry) shipped() bool { return strings.HasPrefix(e.file, shippedPrefix) }

// file is one rule file of the set, changes applied.
type file struct {
	name    string
	text    []byte
	groups  *rulefmt.RuleGroups
	entries []*entry
}

// set is everything that was read at once. It is not altered afterwards.
type set struct {
	files    []*file
	byID     map[string]*entry
	problems []Problem
	sign     string // of the directory, to notice that it changed
}

const (
	shippedPrefix = "shipped/"
	changedDir    = "changed"
	historyDir    = "history"
)

// load reads the shipped files and the directory. A file that cannot be used
// is told among the problems; what of it was in use before goes on.
func load(dir string, before *set) (*set, error) {
	s := &set{byID: map[string]*entry{}, sign: signature(dir)}
	changes := s.readChanges(dir)
	shipped, err := Shipped()
	if err != nil {
		return nil, err
	}
	for _, f := range shipped {
		s.add(shippedPrefix+f.Name, f.Text, changes, nil)
	}
	names, err := ownFiles(dir)
	if err != nil {
		return nil, err
	}
	if len(names) > maxFiles {
		s.problems = append(s.problems, Problem{File: names[maxFiles], Reason: words.Of(
			fmt.Sprintf("there are %d rule files, %d are allowed: this one and those after it are left out", len(names), maxFiles),
			fmt.Sprintf("共有 %d 个规则文件，最多允许 %d 个：此文件及其后的文件未被使用", len(names), maxFiles))})
		names = names[:maxFiles]
	}
	for _, name := range names {
		text, err := readBounded(filepath.Join(dir, name))
		if err != nil {
			s.problems = append(s.problems, Problem{File: name, Reason: words.Of(err.Error(), "无法读取："+err.Error())})
		}
		s.add(name, text, changes, before.file(name))
	}
	for id, c := range changes {
		if s.byID[id] == nil {
			s.problems = append(s.problems, Problem{File: changedDir + "/" + changeFile(c.ID), Reason: words.Of(
				"it changes a rule that is not there (any more): "+id, "它所修改的规则不存在（或已被移除）："+id)})
		}
	}
	sort.Slice(s.problems, func(i, j int) bool { return s.problems[i].File < s.problems[j].File })
	return s, nil
}

// add parses one file and applies the changes to it. When it is bad, last
// stands in for it, which may be nil.
func (s *set) add(name string, text []byte, changes map[string]change, last *file) {
	f := &file{name: name, text: text}
	groups, problems := parse(name, text)
	if problems != nil {
		s.problems = append(s.problems, problems...)
		if last == nil {
			return
		}
		f.text = last.text
		if groups, problems = parse(name, last.text); problems != nil {
			return
		}
	}
	f.groups = &rulefmt.RuleGroups{}
	for _, g := range groups.Groups {
		kept := g
		kept.Rules = nil
		seen := map[string]int{}
		for i, r := range g.Rules {
			e := &entry{file: name, group: g.Name, interval: time.Duration(g.Interval), place: i, original: specOf(r), spec: specOf(r)}
			e.form = formComment(text)
			seen[e.original.Name()]++
			e.id = name + "/" + g.Name + "/" + e.original.Name()
			if n := seen[e.original.Name()]; n > 1 {
				e.id += fmt.Sprintf("~%d", n)
			}
			s.apply(e, changes)
			f.entries = append(f.entries, e)
			s.byID[e.id] = e
			if !e.disabled {
				kept.Rules = append(kept.Rules, e.spec.rulefmt())
			}
		}
		if len(kept.Rules) > 0 {
			f.groups.Groups = append(f.groups.Groups, kept)
		}
	}
	s.files = append(s.files, f)
}

// apply puts the operator's change onto a rule.
func (s *set) apply(e *entry, changes map[string]change) {
	if c, ok := changes[e.id]; ok {
		e.disabled = c.Disabled
		if c.Rule != nil {
			e.spec, e.changed, e.form = specOf(*c.Rule), true, c.Form
		}
	}
	expr, err := newParser().ParseExpr(e.spec.Expr)
	if err == nil { // parse and readChanges have refused what does not parse
		e.need = needOf(expr)
	}
}

// file finds a file by name; a nil set has none.
func (s *set) file(name string) *file {
	if s == nil {
		return nil
	}
	for _, f := range s.files {
		if f.name == name {
			return f
		}
	}
	return nil
}

// readChanges reads changed/. A bad one is a problem, and its rule stays as it
// was shipped.
func (s *set) readChanges(dir string) map[string]change {
	out := map[string]change{}
	names, err := filepath.Glob(filepath.Join(dir, changedDir, "*.yml"))
	if err != nil { // the pattern is sound
		return out
	}
	for _, path := range names {
		name := changedDir + "/" + filepath.Base(path)
		text, err := readBounded(path)
		if err != nil {
			s.problems = append(s.problems, Problem{File: name, Reason: words.Of(err.Error(), "无法读取："+err.Error())})
			continue
		}
		c, problem := parseChange(name, text)
		if problem != nil {
			s.problems = append(s.problems, *problem)
			continue
		}
		out[c.ID] = c
	}
	return out
}

// parseChange reads one file of changed/.
func parseChange(name string, text []byte) (change, *Problem) {
	var c change
	if err := yaml.Unmarshal(text, &c); err != nil {
		p := problemOf(name, text, err)
		return change{}, &p
	}
	if changedDir+"/"+changeFile(c.ID) != name {
		return change{}, &Problem{File: name, Line: 1, Reason: words.Of("its id does not belong to the name of the file", "其 id 与文件名不符")}
	}
	if c.Rule == nil {
		return c, nil
	}
	if problems := checkRule(name, specOf(*c.Rule)); problems != nil {
		return change{}, &problems[0]
	}
	return c, nil
}

// checkRule checks one rule as if it stood in a file of its own. Lines are
// those of the rule's YAML.
func checkRule(name string, s Spec) []Problem {
	const above = 4
	text := "groups:\n  - name: check\n    rules:\n    -\n" + indent(s.YAML(), "      ")
	_, problems := parse(name, []byte(text))
	for i := range problems {
		problems[i].Line = max(problems[i].Line-above, 0)
	}
	return problems
}

func indent(text, by string) string {
	return by + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n"+by) + "\n"
}

// changeFile is the name in changed/ of what changes a rule.
func changeFile(id string) string { return url.PathEscape(id) + ".yml" }

// ownFiles lists the operator's rule files by name.
func ownFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list rule files: %w", err)
	}
	var names []string
	for _, e := range entries {
		if ext := filepath.Ext(e.Name()); !e.IsDir() && (ext == ".yml" || ext == ".yaml") && !strings.HasPrefix(e.Name(), ".") {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// signature tells whether files came, went or changed.
func signature(dir string) string {
	var b strings.Builder
	for _, pattern := range []string{"*.yml", "*.yaml", changedDir + "/*.yml"} {
		names, _ := filepath.Glob(filepath.Join(dir, pattern)) // sound patterns
		for _, n := range names {
			if info, err := os.Stat(n); err == nil {
				fmt.Fprintf(&b, "%s %d %d\n", n, info.Size(), info.ModTime().UnixNano())
			}
		}
	}
	return b.String()
}

// readBounded reads a file of no more than the allowed size (and one byte, so
// that parse refuses it).
func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read rule file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("read rule file: %s is not a regular file", filepath.Base(path))
	}
	if info.Size() > maxFileBytes {
		return make([]byte, maxFileBytes+1), nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read rule file: %w", err)
	}
	return text, nil
}
