package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/timeinterval"

	"posthouse/sysmon/notify"
	"posthouse/sysmon/words"
)

// Severities are the three levels, the gravest first.
func Severities() []string { return []string{"critical", "serious", "warning"} }

// Plan says who is told what and when. It is what an admin edits.
type Plan struct {
	// Routes lists the channels (ids) for each severity.
	Routes map[string][]string `json:"routes"`
	// Second are the channels for when the chat itself is ill.
	Second []string `json:"second"`

	GroupBy []string `json:"group_by"`        // labels whose equality makes a group
	Wait    Span     `json:"group_wait"`      // before the first notice of a group
	Between Span     `json:"group_interval"`  // before a notice of what is new in a group
	Repeat  Span     `json:"repeat_interval"` // before the same is said again

	Escalation []Step      `json:"escalation"`
	Quiet      []Quiet     `json:"quiet"`
	Inhibit    []Inhibit   `json:"inhibit"`
	Heartbeat  HeartbeatTo `json:"heartbeat"`
}

// MaxSteps bounds an escalation.
const MaxSteps = 10

// Step is whom to tell when nobody has acknowledged.
type Step struct {
	After      Span     `json:"after"` // since the first notice, or since it fired when none got out
	Channels   []string `json:"channels"`
	Severities []string `json:"severities"` // empty: critical and serious
}

// Quiet are hours that come again, in which alerts of some severities are not
// told. A digest follows.
type Quiet struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Days       []int    `json:"days"` // on which it begins: 0 Sunday … 6 Saturday
	From       string   `json:"from"` // 22:00
	To         string   `json:"to"`   // 07:00; not after From: on the next day
	Zone       string   `json:"zone"` // IANA; empty: the server's
	Severities []string `json:"severities"`
}

// Inhibit mutes targets while a source fires.
type Inhibit struct {
	Source []string `json:"source"` // matchers, as severity="critical"
	Target []string `json:"target"`
	Equal  []string `json:"equal"` // labels both must share
}

// HeartbeatTo is who must hear from this box: when it falls silent, somebody
// else raises the alarm.
type HeartbeatTo struct {
	Channel string `json:"channel"` // of the kind webhook; empty: nobody
	Every   Span   `json:"every"`
}

// Span is a duration that JSON writes as "5m0s".
type Span time.Duration

// MarshalText writes it.
func (s Span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

// UnmarshalText reads it.
func (s *Span) UnmarshalText(b []byte) error {
	d, err := time.ParseDuration(string(b))
	*s = Span(d)
	return err
}

// DefaultPlan is what holds before anybody edited it: no channel, and pairs of
// shipped alerts of which the graver speaks for both.
func DefaultPlan() Plan {
	return Plan{Routes: map[string][]string{}, GroupBy: []string{"alertname"}, Wait: Span(15 * time.Second), Between: Span(2 * time.Minute), Repeat: Span(4 * time.Hour),
		Inhibit: []Inhibit{
			{Source: []string{`severity="critical"`}, Target: []string{`severity=~"serious|warning"`}, Equal: []string{"alertname", "instance"}},
			{Source: []string{`severity="serious"`}, Target: []string{`severity="warning"`}, Equal: []string{"alertname", "instance"}},
			{Source: []string{`alertname="CriticalCPUUsage"`}, Target: []string{`alertname=~"HighCPUUsage|HighLoad"`}, Equal: []string{"instance"}},
			{Source: []string{`alertname="StorageReadOnly"`}, Target: []string{`alertname=~"DatabaseInsertFailed|StorageWriterSaturated|StorageSlowOperations|ChatProbeFailed"`}, Equal: []string{"instance"}},
			{Source: []string{`alertname=~"ServiceDown|InstanceDown"`}, Target: []string{`subject=~"chat|storage|api"`, `alertname!~"ServiceDown|InstanceDown"`}, Equal: []string{"instance"}},
		},
		Heartbeat: HeartbeatTo{Every: Span(time.Minute)}}
}

func invalid(field, en, zh string, args ...any) error {
	return &notify.Invalid{Field: field, Text: words.Of(fmt.Sprintf(en, args...), fmt.Sprintf(zh, args...))}
}

// Check refuses a plan that cannot work; its error is a *notify.Invalid.
func (p *Plan) Check(channels []notify.Channel) error {
	known := map[string]string{}
	for _, c := range channels {
		known[c.ID] = c.Kind
	}
	lists := [][]string{p.Second}
	for sev, list := range p.Routes {
		if !isSeverity(sev) {
			return invalid("routes", "there is no severity %q", "没有 %q 这个级别", sev)
		}
		lists = append(lists, list)
	}
	for i, s := range p.Escalation {
		if time.Duration(s.After) < time.Second || time.Duration(s.After) > 7*24*time.Hour || len(s.Channels) == 0 || len(p.Escalation) > MaxSteps {
			return invalid("escalation", "step %d of the escalation needs channels and a time between 1 s and 7 days; at most 10 steps", "第 %d 级升级需要渠道，时间为 1 秒到 7 天；最多 10 级", i+1)
		}
		for _, sev := range s.Severities {
			if !isSeverity(sev) {
				return invalid("escalation", "there is no severity %q", "没有 %q 这个级别", sev)
			}
		}
		lists = append(lists, s.Channels)
	}
	for _, list := range lists {
		for _, id := range list {
			if known[id] == "" {
				return invalid("channels", "the channel %s is gone", "渠道 %s 已不存在", id)
			}
		}
	}
	if h := p.Heartbeat; h.Channel != "" && (known[h.Channel] != "webhook" || time.Duration(h.Every) < time.Second || time.Duration(h.Every) > 24*time.Hour) {
		return invalid("heartbeat", "the heartbeat needs a channel of the kind webhook and 1 s to 24 h", "心跳需要一个 webhook 渠道，间隔为 1 秒到 24 小时")
	}
	if time.Duration(p.Wait) < 0 || time.Duration(p.Between) < time.Millisecond || time.Duration(p.Repeat) < time.Millisecond || time.Duration(p.Repeat) > maxRepeat || p.Wait > Span(time.Hour) || p.Between > Span(24*time.Hour) {
		return invalid("grouping", "a group waits at most 1 h, then 24 h at most, and repeats after 5 days at most", "首次等待最长 1 小时，组间隔最长 24 小时，重复间隔最长 5 天")
	}
	return p.checkTimes()
}

func (p *Plan) checkTimes() error {
	if len(p.Quiet) > 50 || len(p.Inhibit) > 100 || len(p.GroupBy) > 20 {
		return invalid("", "at most 50 quiet hours, 100 inhibitions, 20 labels to group by", "最多 50 个静默时段、100 条抑制规则、20 个分组标签")
	}
	seen := map[string]bool{}
	for _, q := range p.Quiet {
		if q.ID == "" || seen[q.ID] {
			return invalid("quiet", "quiet hours need an id of their own", "静默时段需要各自的标识")
		}
		seen[q.ID] = true
		if _, err := q.intervals(); err != nil {
			return err
		}
	}
	_, err := p.inhibitRules()
	return err
}

func isSeverity(s string) bool {
	for _, v := range Severities() {
		if v == s {
			return true
		}
	}
	return false
}

// clock reads hh:mm as minutes of the day; 24:00 is the end of it.
func clock(s string) (int, bool) {
	h, m, ok := strings.Cut(s, ":")
	hh, err1 := strconv.Atoi(h)
	mm, err2 := strconv.Atoi(m)
	if !ok || err1 != nil || err2 != nil || len(m) != 2 || hh < 0 || mm < 0 || mm > 59 || hh*60+mm > 1440 {
		return 0, false
	}
	return hh*60 + mm, true
}

// intervals is the quiet hours in Alertmanager's terms: hours over midnight
// are two intervals.
func (q *Quiet) intervals() ([]timeinterval.TimeInterval, error) {
	from, ok1 := clock(q.From)
	to, ok2 := clock(q.To)
	if strings.TrimSpace(q.Name) == "" || len(q.Name) > 100 {
		return nil, invalid("name", "give the quiet hours a name of at most 100 bytes", "请给静默时段起一个不超过 100 字节的名称")
	}
	if !ok1 || !ok2 || from == 1440 {
		return nil, invalid("from", "times look like 22:00", "时间应写作 22:00")
	}
	if len(q.Days) == 0 || len(q.Severities) == 0 {
		return nil, invalid("days", "choose at least one day and one severity", "请至少选择一天和一个级别")
	}
	for _, s := range q.Severities {
		if !isSeverity(s) {
			return nil, invalid("severities", "there is no severity %q", "没有 %q 这个级别", s)
		}
	}
	zone, err := q.location()
	if err != nil {
		return nil, err
	}
	var out []timeinterval.TimeInterval
	add := func(day, a, b int) {
		out = append(out, timeinterval.TimeInterval{Location: &timeinterval.Location{Location: zone}, Times: []timeinterval.TimeRange{{StartMinute: a, EndMinute: b}},
			Weekdays: []timeinterval.WeekdayRange{{InclusiveRange: timeinterval.InclusiveRange{Begin: day, End: day}}}})
	}
	for _, d := range q.Days {
		if d < 0 || d > 6 {
			return nil, invalid("days", "days are 0 (Sunday) to 6", "星期为 0（周日）到 6")
		}
		if to > from {
			add(d, from, to)
			continue
		}
		add(d, from, 1440)
		if to > 0 {
			add((d+1)%7, 0, to)
		}
	}
	return out, nil
}

func (q *Quiet) location() (*time.Location, error) {
	if q.Zone == "" {
		return time.Local, nil
	}
	zone, err := time.LoadLocation(q.Zone)
	if err != nil {
		return nil, invalid("zone", "there is no time zone %q: write it like Asia/Shanghai", "没有时区 %q：请写作 Asia/Shanghai", q.Zone)
	}
	return zone, nil
}

// Lasts says whether the hours last at a time.
func (q *Quiet) Lasts(at time.Time) bool {
	list, err := q.intervals()
	if err != nil {
		return false
	}
	for _, i := range list {
		if i.ContainsTime(at) {
			return true
		}
	}
	return false
}

func (q *Quiet) covers(severity string) bool {
	for _, s := range q.Severities {
		if s == severity {
			return true
		}
	}
	return false
}

type planFile struct {
	Version int `json:"version"`
	Plan
}

func readPlan(dir string) (Plan, error) {
	path := filepath.Join(dir, "alerting.json")
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return DefaultPlan(), nil
	}
	if err != nil {
		return Plan{}, fmt.Errorf("read the plan of alerting: %w", err)
	}
	var f planFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return Plan{}, fmt.Errorf("read the plan of alerting: %s: %w: mend it, or move it away to begin anew", path, err)
	}
	if f.Version != 1 {
		return Plan{}, fmt.Errorf("read the plan of alerting: %s has version %d, this program knows 1", path, f.Version)
	}
	if f.Routes == nil {
		f.Routes = map[string][]string{}
	}
	return f.Plan, nil
}

// planned says that a plan was kept.
func planned(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "alerting.json"))
	return err == nil
}

func writePlan(dir string, p Plan) error {
	raw, err := json.MarshalIndent(planFile{1, p}, "", " ")
	if err == nil {
		err = notify.Replace(filepath.Join(dir, "alerting.json"), raw)
	}
	if err != nil {
		return fmt.Errorf("save the plan of alerting: %w", err)
	}
	return nil
}
