package hook

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"time"
)

const mostAlerts = 10

type alertsPayload struct {
	Status      str            `json:"status"`
	Receiver    str            `json:"receiver"`
	Title       str            `json:"title"` // Grafana
	Alerts      []alert        `json:"alerts"`
	GroupLabels map[string]str `json:"groupLabels"`
	Common      map[string]str `json:"commonLabels"`
	External    str            `json:"externalURL"`
	Truncated   int            `json:"truncatedAlerts"`
}

type alert struct {
	Status      str            `json:"status"`
	Labels      map[string]str `json:"labels"`
	Annotations map[string]str `json:"annotations"`
	Starts      time.Time      `json:"startsAt"`
	Ends        time.Time      `json:"endsAt"`
	Generator   str            `json:"generatorURL"`
	Silence     str            `json:"silenceURL"`
	Dashboard   str            `json:"dashboardURL"`
	Panel       str            `json:"panelURL"`
	Values      map[string]any `json:"values"`
}

// alerts reads what Alertmanager and Grafana send.
func (t *translator) alerts(grafana bool) (Message, error) {
	var p alertsPayload
	if err := t.decode(&p); err != nil {
		return Message{}, err
	}
	if len(p.Alerts) == 0 {
		return Message{}, errEmpty
	}
	firing := 0
	for _, a := range p.Alerts {
		if a.Status == "firing" {
			firing++
		}
	}
	parts := []string{t.alertsHead(&p, firing)}
	raw := string(p.Title + "\n" + p.Receiver)
	for _, a := range firstOf(p.Alerts, mostAlerts) {
		parts = append(parts, t.alert(&p, a, grafana))
		raw += "\n" + string(a.Labels["alertname"]+"\n"+a.Annotations["summary"]+"\n"+a.Annotations["description"])
	}
	if more := len(p.Alerts) - mostAlerts + p.Truncated; more > 0 && (len(p.Alerts) > mostAlerts || p.Truncated > 0) {
		parts = append(parts, fmt.Sprintf(t.say("… and %d more", "……另有 %d 条"), max(more, p.Truncated)))
	}
	return Message{Text: join("\n\n", parts...), Raw: raw}, nil
}

func (t *translator) light(status str) string {
	if status == "resolved" {
		return "🟢 " + t.say("Resolved", "已恢复")
	}
	return "🔴 " + t.say("Firing", "告警")
}

func (t *translator) alertsHead(p *alertsPayload, firing int) string {
	name := p.Common["alertname"]
	if name == "" {
		name = p.GroupLabels["alertname"]
	}
	if name == "" && len(p.Alerts) == 1 {
		name = p.Alerts[0].Labels["alertname"]
	}
	if name == "" {
		name = p.Receiver
	}
	head := t.light(p.Status)
	if len(p.Alerts) > 1 {
		head += fmt.Sprintf(" ×%d", len(p.Alerts))
		if firing > 0 && firing < len(p.Alerts) {
			head = fmt.Sprintf(t.say("🔴 %d firing, 🟢 %d resolved", "🔴 %d 条告警，🟢 %d 条恢复"), firing, len(p.Alerts)-firing)
		}
	}
	return bold(join(" · ", head, field(string(name))))
}

func (t *translator) alert(p *alertsPayload, a alert, grafana bool) string {
	var lines []string
	summary := firstText(a.Annotations["summary"], a.Annotations["message"], a.Annotations["title"])
	if len(p.Alerts) > 1 {
		lines = append(lines, join(" ", t.light(a.Status), bold(field(firstText(str(summary), a.Labels["alertname"])))))
	} else {
		lines = append(lines, field(summary))
	}
	if d := strings.TrimSpace(string(a.Annotations["description"])); d != "" && d != summary {
		lines = append(lines, escape(short(d, 1500)))
	}
	lines = append(lines, labels(a.Labels), t.values(a.Values), t.times(a))
	var links []string
	add := func(label string, target str) {
		if to, ok := safeURL(string(target)); ok {
			links = append(links, link(label, to))
		}
	}
	add(t.say("Runbook", "处理手册"), a.Annotations["runbook_url"])
	add(t.say("Dashboard", "仪表盘"), a.Dashboard)
	add(t.say("Panel", "面板"), a.Panel)
	add(t.say("Silence", "静默"), a.Silence)
	add(t.say("Source", "来源"), a.Generator)
	if !grafana {
		add("Alertmanager", p.External)
	}
	return join("\n", append(lines, strings.Join(links, " · "))...)
}

func firstText(list ...str) string {
	for _, s := range list {
		if strings.TrimSpace(string(s)) != "" {
			return strings.TrimSpace(string(s))
		}
	}
	return ""
}

// labels are shown by name, without those that the head tells or that only a
// program needs.
func labels(of map[string]str) string {
	var names []string
	for name := range of {
		if name != "alertname" && !strings.HasPrefix(name, "__") && name != "grafana_folder" {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	var out []string
	for _, name := range firstOf(names, mostItems) {
		out = append(out, code(name+"="+short(oneLine(string(of[name])), 120)))
	}
	return strings.Join(out, " ")
}

func (t *translator) values(of map[string]any) string {
	var names []string
	for name := range of {
		names = append(names, name)
	}
	sort.Strings(names)
	var out []string
	for _, name := range firstOf(names, mostItems) {
		v, err := json.Marshal(of[name])
		if err == nil && len(v) <= 60 {
			out = append(out, field(name)+" = "+field(string(v)))
		}
	}
	return strings.Join(out, ", ")
}

func (t *translator) times(a alert) string {
	const form = "2006-01-02 15:04:05"
	var parts []string
	if a.Starts.Year() > 1970 {
		parts = append(parts, t.say("since ", "始于 ")+a.Starts.In(t.o.Zone).Format(form))
	}
	if a.Status == "resolved" && a.Ends.Year() > 1970 {
		parts = append(parts, t.say("until ", "止于 ")+a.Ends.In(t.o.Zone).Format(form))
	}
	return strings.Join(parts, " ")
}
