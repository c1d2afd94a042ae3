package rule

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"go.yaml.in/yaml/v3"

	"posthouse/sysmon/query"
	"posthouse/sysmon/words"
)

// Limits on what an operator may put into the directory.
const (
	maxFileBytes = 1 << 20
	maxFiles     = 200
	maxRules     = 2000 // of one file
)

// Problem is why a rule file, or a change to one, was refused.
type Problem struct {
	File   string // name in the directory, or of the shipped set
	Line   int    // from 1; 0: the file as a whole
	Reason words.Text
}

// Error says it in English.
func (p *Problem) Error() string { return p.In("en") }

// In says it with file and line in a language: zh, or else English.
func (p *Problem) In(lang string) string {
	if p.Line == 0 {
		return p.File + ": " + p.Reason.In(lang)
	}
	if lang == "zh" {
		return fmt.Sprintf("%s 第 %d 行：%s", p.File, p.Line, p.Reason.ZH)
	}
	return fmt.Sprintf("%s, line %d: %s", p.File, p.Line, p.Reason.EN)
}

// newParser is PromQL as Prometheus has it without experimental functions, and
// without expressions that cost too much to be read.
func newParser() parser.Parser { return careful{parser.NewParser(parser.Options{})} }

type careful struct{ parser.Parser }

func (c careful) ParseExpr(input string) (parser.Expr, error) {
	if err := query.Affordable(input); err != nil {
		return nil, err
	}
	return c.Parser.ParseExpr(input)
}

// parse reads a rule file as Prometheus would, every problem with its line.
func parse(name string, text []byte) (*rulefmt.RuleGroups, []Problem) {
	if len(text) > maxFileBytes {
		return nil, []Problem{{File: name, Reason: words.Of(
			fmt.Sprintf("the file has %d bytes, %d are allowed: split it", len(text), maxFileBytes),
			fmt.Sprintf("文件有 %d 字节，最多允许 %d 字节，请拆分", len(text), maxFileBytes))}}
	}
	groups, errs := rulefmt.Parse(text, false, model.UTF8Validation, newParser(), slog.New(slog.NewTextHandler(io.Discard, nil)))
	var problems []Problem
	for _, err := range errs {
		var about *rulefmt.Error
		errors.As(err, &about)
		p := problemOf(name, text, err)
		if !slices.ContainsFunc(problems, func(q Problem) bool { return about == nil && q.Line == p.Line }) { // YAML is read twice
			problems = append(problems, p)
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	count := 0
	for _, g := range groups.Groups {
		count += len(g.Rules)
	}
	if count > maxRules {
		return nil, []Problem{{File: name, Reason: words.Of(
			fmt.Sprintf("the file has %d rules, %d are allowed", count, maxRules),
			fmt.Sprintf("文件有 %d 条规则，最多允许 %d 条", count, maxRules))}}
	}
	return groups, nil
}

// problemOf finds the line of an error of rulefmt or of YAML.
func problemOf(name string, text []byte, err error) Problem {
	said := err.Error()
	var about *rulefmt.Error
	if errors.As(err, &about) {
		inner := strings.TrimPrefix(said[strings.Index(said, "group \""):], "")
		line := leadingLine(said)
		if line == 0 {
			line = lineOfRule(text, about.Group, about.Rule)
		}
		reason := strings.TrimPrefix(inner, fmt.Sprintf("group %q, rule %d, %q: ", about.Group, about.Rule, about.RuleName))
		zh := fmt.Sprintf("组“%s”的第 %d 条规则“%s”：%s", about.Group, about.Rule, about.RuleName, inChinese(reason))
		return Problem{File: name, Line: line, Reason: words.Of(inner, zh)}
	}
	if m := regexp.MustCompile(`line (\d+): `).FindStringSubmatchIndex(said); m != nil {
		line, _ := strconv.Atoi(said[m[2]:m[3]]) // digits
		rest := strings.TrimSpace(said[m[1]:])
		return Problem{File: name, Line: line, Reason: words.Of("not a rule file: "+rest, "不是有效的规则文件："+inChinese(rest))}
	}
	line := leadingLine(said)
	if line > 0 {
		said = said[strings.Index(said, " ")+1:]
	}
	return Problem{File: name, Line: line, Reason: words.Of(said, inChinese(said))}
}

// leadingLine reads "12:3: …".
func leadingLine(said string) int {
	m := regexp.MustCompile(`^(\d+):\d+: `).FindStringSubmatch(said)
	if m == nil {
		return 0
	}
	line, _ := strconv.Atoi(m[1]) // digits
	return line
}

// inChinese says what is known of Prometheus's messages in Chinese; the
// particulars, which name things in the file, stay as they are.
func inChinese(said string) string {
	table := []struct{ en, zh string }{
		{"could not parse expression: ", "表达式无法解析："},
		{"field 'expr' must be set in rule", "缺少 expr 字段"},
		{"one of 'record' or 'alert' must be set", "必须设置 record 或 alert 之一"},
		{"only one of 'record' and 'alert' must be set", "record 与 alert 只能设置一个"},
		{"invalid field 'annotations' in recording rule", "记录规则不能有 annotations"},
		{"invalid field 'for' in recording rule", "记录规则不能有 for"},
		{"invalid field 'keep_firing_for' in recording rule", "记录规则不能有 keep_firing_for"},
		{"invalid recording rule name: ", "记录规则名称无效："},
		{"braces present in the recording rule name; should it be in expr?: ", "记录规则名称含花括号，是否应写在 expr 中："},
		{"invalid label name: ", "标签名称无效："},
		{"invalid label value: ", "标签值无效："},
		{"invalid annotation name: ", "注解名称无效："},
		{"Groupname must not be empty", "组名不能为空"},
		{"is repeated in the same file", "在同一文件中重复"},
		{"groupname: ", "组名："},
		{"unexpected end of input", "表达式意外结束"},
		{"parse error: ", "语法错误："},
		{"unclosed left parenthesis", "左括号未闭合"},
		{"unknown function with name ", "未知函数 "},
		{"not found in type", "是未知字段，类型"},
		{"cannot unmarshal ", "类型不符，无法读取 "},
		{"did not find expected ", "缺少预期的内容："},
		{"not a valid duration string: ", "时长无效："},
		{"field ", "字段 "},
	}
	for _, row := range table {
		said = strings.ReplaceAll(said, row.en, row.zh)
	}
	return said
}

// lineOfRule is the line at which a rule begins, 0 when it cannot be found.
func lineOfRule(text []byte, group string, rule int) int {
	node := ruleNode(text, group, rule-1)
	if node == nil {
		return 0
	}
	return node.Line
}

// ruleNode finds rule number i, from 0, of a group in the tree of the text.
func ruleNode(text []byte, group string, i int) *yaml.Node {
	var doc yaml.Node
	if yaml.Unmarshal(text, &doc) != nil || len(doc.Content) == 0 {
		return nil
	}
	return ruleIn(&doc, group, i)
}

func ruleIn(doc *yaml.Node, group string, i int) *yaml.Node {
	groups := field(doc.Content[0], "groups")
	if groups == nil {
		return nil
	}
	for _, g := range groups.Content {
		name, rules := field(g, "name"), field(g, "rules")
		if name != nil && name.Value == group && rules != nil && i >= 0 && i < len(rules.Content) {
			return rules.Content[i]
		}
	}
	return nil
}

func field(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}
