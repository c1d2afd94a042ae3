package hook

import (
	"fmt"
	"strings"
)

type jenkinsPayload struct {
	Name    str `json:"name"`
	Display str `json:"display_name"`
	Build   struct {
		URL    str `json:"full_url"`
		Number str `json:"number"`
		Phase  str `json:"phase"`
		Status str `json:"status"`
		Log    str `json:"log"`
		Notes  str `json:"notes"`
		SCM    struct {
			Branch   str   `json:"branch"`
			Commit   str   `json:"commit"`
			Culprits []str `json:"culprits"`
		} `json:"scm"`
		Tests struct {
			Total  int `json:"total"`
			Failed int `json:"failed"`
		} `json:"test_summary"`
	} `json:"build"`
}

// jenkins reads what the notification plugin sends.
func (t *translator) jenkins() (Message, error) {
	var p jenkinsPayload
	if err := t.decode(&p); err != nil {
		return Message{}, err
	}
	b := &p.Build
	if p.Name == "" || b.Phase == "" && b.Status == "" {
		return Message{}, errShape
	}
	m := Message{Raw: string(p.Name + " " + b.Phase + " " + b.Status)}
	if b.Phase == "QUEUED" {
		return m, nil
	}
	head := join(" ", t.jenkinsState(string(b.Phase), string(b.Status)),
		link(string(p.Name)+" #"+string(b.Number), string(b.URL)))
	var lines []string
	if b.SCM.Branch != "" || b.SCM.Commit != "" {
		lines = append(lines, join(" ", code(string(b.SCM.Branch)), code(sha(string(b.SCM.Commit)))))
	}
	if b.Tests.Total > 0 {
		lines = append(lines, fmt.Sprintf(t.say("%d tests, %d failed", "测试 %d 项，失败 %d 项"), b.Tests.Total, b.Tests.Failed))
	}
	if len(b.SCM.Culprits) > 0 && b.Status != "SUCCESS" {
		var who []string
		for _, c := range firstOf(b.SCM.Culprits, mostItems) {
			who = append(who, field(string(c)))
		}
		lines = append(lines, t.say("by ", "相关提交者 ")+strings.Join(who, ", "))
	}
	lines = append(lines, escape(short(string(b.Notes), 500)))
	m.Text = join("\n", bold(head), join("\n", lines...))
	if log := strings.TrimSpace(string(b.Log)); log != "" && b.Status != "SUCCESS" {
		m.Text = join("\n", m.Text, fence(tail(log, 2000)))
	}
	return m, nil
}

func (t *translator) jenkinsState(phase, status string) string {
	switch {
	case phase == "STARTED":
		return "🔵 " + t.say("started", "开始构建")
	case status == "SUCCESS":
		return "🟢 " + t.say("succeeded", "构建成功")
	case status == "FAILURE":
		return "🔴 " + t.say("failed", "构建失败")
	case status == "UNSTABLE":
		return "🟡 " + t.say("unstable", "构建不稳定")
	case status == "ABORTED":
		return "⚪ " + t.say("aborted", "构建中止")
	}
	return "🔵 " + field(strings.ToLower(join(" ", phase, status)))
}

// tail is the end of a text, from the beginning of a line.
func tail(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = strings.ToValidUTF8(s[len(s)-n:], "")
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		s = s[i+1:]
	}
	return "…\n" + s
}

// sha is the beginning of the name of a commit.
func sha(s string) string {
	s = oneLine(s)
	if r := []rune(s); len(r) > 8 {
		s = string(r[:8])
	}
	return s
}
