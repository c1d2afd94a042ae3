package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"posthouse/admin"
	"posthouse/sysmon/alert"
)

func (a *app) showAlertCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show ID|NAME",
		Short: a.say.of("Show an alert: what it means, what was found, what was done", "查看告警：含义、证据与处理过程"),
		Args:  a.takes("ID|NAME"),
	}
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		fp, err := a.alertFired(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		var x admin.OneAlertJSON
		raw, err := a.fromConsole(cmd.Context(), "/admin/alerts/one/json?fp="+url.QueryEscape(fp), &x)
		if err != nil {
			return err
		}
		if *asJSON {
			return a.printRaw(raw)
		}
		return a.writeAlert(x)
	}
	return cmd
}

// alertFired is the fingerprint of the alert that an id or a name means: of
// what fires, or else of what fired last.
func (a *app) alertFired(ctx context.Context, which string) (string, error) {
	list, _, err := a.firing(ctx)
	if err != nil {
		return "", err
	}
	x, found, err := a.oneOf(list, which)
	if err != nil {
		return "", err
	}
	if !found {
		var past alertList
		if _, err := a.fromConsole(ctx, "/admin/alerts/history/json?limit=10000", &past); err != nil {
			return "", err
		}
		if i := slices.IndexFunc(past.Alerts, func(x admin.AlertJSON) bool { return means(which, x) }); i >= 0 { // the newest come first
			x, found = past.Alerts[i], true
		}
	}
	if !found {
		return "", errorText(a.say, "no alert like "+clean(which)+" fires or fired", "没有触发过的告警 "+clean(which))
	}
	return x.Fingerprint, nil
}

func (a *app) writeAlert(x admin.OneAlertJSON) error {
	state := a.stateWord(x.State)
	if x.AckBy != "" && x.State != "acknowledged" {
		state += ", " + a.stateWord("acknowledged")
	}
	if x.AckBy != "" {
		state += " (" + x.AckBy + ", " + when(x.AckAt.UnixMilli()) + ")"
	}
	ended := ""
	if !x.Ended.IsZero() {
		ended = when(x.Ended.UnixMilli())
	}
	var labels []string
	for name, value := range x.Labels {
		labels = append(labels, name+"="+strconv.Quote(value))
	}
	slices.Sort(labels)
	a.facts([][2]string{{a.say.of("alert", "告警"), x.Name}, {a.say.of("id", "ID"), x.Fingerprint}, {a.say.of("severity", "级别"), a.severityWord(x.Severity)}, {a.say.of("state", "状态"), state},
		{a.say.of("assigned to", "负责人"), x.Assignee}, {a.say.of("summary", "摘要"), x.Summary}, {a.say.of("details", "详情"), x.Details}, {a.say.of("host", "主机"), x.Host},
		{a.say.of("value", "当前值"), x.Value}, {a.say.of("threshold", "阈值"), x.Threshold}, {a.say.of("since", "开始"), when(x.Since.UnixMilli())}, {a.say.of("over", "恢复"), ended},
		{a.say.of("times in 7 days", "7 天内次数"), fmt.Sprint(x.Times)}, {a.say.of("labels", "标签"), strings.Join(labels, ", ")}, {a.say.of("from", "来源"), x.Source},
		{a.say.of("runbook", "处理手册"), x.Runbook}, {a.say.of("what it means", "含义"), x.Means}})
	for _, e := range x.Evidence {
		if err := a.writeEvidence(e); err != nil {
			return err
		}
	}
	fmt.Fprintf(a.out, "\n== %s\n", a.say.of("what happened", "时间线"))
	for _, e := range x.Timeline {
		line := e.At.Local().Format("2006-01-02 15:04:05") + "  " + a.eventWord(e)
		if e.Who != "" {
			line += " (" + e.Who + ")"
		}
		text := e.Text
		if e.ZH != "" {
			text = a.say.of(e.Text, e.ZH)
		}
		if text != "" {
			line += ": " + text
		}
		fmt.Fprintln(a.out, clean(line))
	}
	return nil
}

// eventWord says an event of the timeline.
func (a *app) eventWord(e alert.Event) string {
	switch e.Kind {
	case alert.Fired:
		return a.say.of("began", "开始触发")
	case alert.Ended:
		return a.say.of("over", "已恢复")
	case alert.Told:
		return a.say.of("told "+e.Object, "已通知 "+e.Object)
	case alert.NotTold:
		return a.say.of("could not tell "+e.Object, "通知 "+e.Object+" 失败")
	case alert.Withheld:
		return a.say.of("withheld from "+e.Object+" by its rate limit", e.Object+" 超出频率限制，暂缓通知")
	case alert.Acknowledged:
		return a.say.of("acknowledged", "已确认")
	case alert.Unacked:
		return a.say.of("acknowledgement taken back", "撤回确认")
	case alert.Assigned:
		if e.Object == "" {
			return a.say.of("assigned to nobody", "取消指派")
		}
		return a.say.of("assigned to "+e.Object, "指派给 "+e.Object)
	case alert.Commented:
		return a.say.of("comment", "评论")
	case alert.Raised:
		return a.say.of("escalated to "+e.Object, "升级通知 "+e.Object)
	case alert.Silenced:
		return a.say.of("silenced", "已静默")
	case alert.Action:
		return a.say.of("step", "执行步骤")
	}
	return e.Kind
}

// writeEvidence prints a finding; what is text in it keeps its lines.
func (a *app) writeEvidence(e admin.EvidenceJSON) error {
	fmt.Fprintf(a.out, "\n== %s (%s)\n", clean(e.Title), when(e.At.UnixMilli()))
	if e.Error != "" {
		fmt.Fprintln(a.out, clean(e.Error))
	}
	if len(e.Rows) > 0 {
		t := &table{head: slices.Clone(e.Head)}
		for _, row := range e.Rows {
			for len(t.head) < len(row) {
				t.head = append(t.head, "")
			}
			t.add(row...)
		}
		if err := t.write(a.out); err != nil {
			return err
		}
	}
	for line := range strings.Lines(e.Text) {
		fmt.Fprintln(a.out, clean(strings.TrimRight(line, "\r\n")))
	}
	return nil
}

func (a *app) alertHistoryCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "history [TEXT]",
		Short: a.say.of("List what fired, the newest first, with TEXT in it", "列出告警历史，最新的在前；可按 TEXT 搜索"),
		Args:  a.takes("[TEXT]"),
	}
	f := cmd.Flags()
	name := f.String("name", "", a.say.of("only alerts of this `NAME`", "仅此名称 `NAME` 的告警"))
	severity := f.String("severity", "", a.say.of("only this `LEVEL`: warning, serious or critical", "仅此级别 `LEVEL`：warning、serious 或 critical"))
	state := f.String("state", "", a.say.of("only those in this `STATE`: firing or ended", "仅此状态 `STATE` 的：firing（触发中）或 ended（已恢复）"))
	limit := f.Int("limit", 50, a.say.of("`N` at most, up to 10000", "至多 `N` 条，不超过 10000"))
	completes(cmd, "severity", alert.Severities()...)
	completes(cmd, "state", "firing", "ended")
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *severity != "" && !slices.Contains(alert.Severities(), *severity) {
			return a.wrongUse("--severity is warning, serious or critical", "--severity 为 warning、serious 或 critical")
		}
		if *state != "" && *state != "firing" && *state != "ended" {
			return a.wrongUse("--state is firing or ended", "--state 为 firing 或 ended")
		}
		var out alertList
		raw, err := a.fromConsole(cmd.Context(), "/admin/alerts/history/json?"+url.Values{"q": args, "name": {*name}, "severity": {*severity}, "state": {*state}, "limit": {fmt.Sprint(*limit)}}.Encode(), &out)
		if err != nil {
			return err
		}
		if *asJSON {
			return a.printRaw(raw)
		}
		return a.writeHistory(out)
	}
	return cmd
}

// whoHas is who takes care: whom it was given to, or who acknowledged it.
func whoHas(x admin.AlertJSON) string { return cmp.Or(x.Assignee, x.AckBy) }

func (a *app) writeHistory(list alertList) error {
	if len(list.Alerts) == 0 {
		_, err := fmt.Fprintln(a.out, a.say.of("nothing like this fired", "没有符合条件的告警"))
		return err
	}
	t := &table{head: []string{"ID", a.say.of("SEVERITY", "级别"), a.say.of("ALERT", "告警"), a.say.of("HOST", "主机"), a.say.of("SINCE", "开始"), a.say.of("LASTED", "持续"), a.say.of("WHO", "负责人"), a.say.of("SUMMARY", "摘要")}}
	for _, x := range list.Alerts {
		lasted := a.say.of("still firing", "仍在触发")
		if !x.Ended.IsZero() {
			lasted = x.Ended.Sub(x.Since).Round(time.Second).String()
		}
		t.add(x.Fingerprint[:min(alertID, len(x.Fingerprint))], a.severityWord(x.Severity), x.Name, x.Host, when(x.Since.UnixMilli()), lasted, whoHas(x), x.Summary)
	}
	if err := t.write(a.out); err != nil {
		return err
	}
	if list.More {
		fmt.Fprintln(a.errOut, a.say.of("there are more: raise --limit or search", "还有更多：请增大 --limit 或搜索"))
	}
	return nil
}
