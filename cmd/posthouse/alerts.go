package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"posthouse/admin"
	"posthouse/sysmon/notify"
)

// alertsCommand talks to the console on the socket, which needs no part of the
// chat.
func (a *app) alertsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "alerts",
		Short: a.say.of("List what fires; look into it, acknowledge, assign or silence it", "列出正在触发的告警；查看、确认、指派或静默"),
		Example: `  posthouse alerts
  posthouse alerts show HighDiskUsage
  posthouse alerts assign 3f9a21c0 ann
  posthouse alerts silence HighDiskUsage --for 4h --reason "the disk comes at noon"
  posthouse alerts silence 'instance="ups"' 'severity=~"warning|serious"' --for 30m --reason move
  posthouse alerts history disk --state ended`,
		SuggestionsMinimumDistance: 2,
		Args:                       a.unknownVerb,
	}
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		list, raw, err := a.firing(cmd.Context())
		if err != nil {
			return err
		}
		if *asJSON {
			return a.printRaw(raw)
		}
		return a.writeAlerts(list)
	}
	cmd.AddCommand(a.showAlertCommand(), a.ackCommand(), a.unackCommand(), a.assignCommand(), a.commentCommand(), a.silenceCommand(), a.silencesCommand(), a.unsilenceCommand(), a.alertHistoryCommand())
	return cmd
}

func (a *app) ackCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "ack ID|NAME", Short: a.say.of("Say that you take care of an alert", "确认一个告警"), Args: a.takes("ID|NAME")}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.onAlert(cmd.Context(), args[0], "ack", url.Values{})
	}
	return cmd
}

func (a *app) unackCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "unack ID|NAME", Short: a.say.of("Take an acknowledgement back", "撤回对告警的确认"), Args: a.takes("ID|NAME")}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.onAlert(cmd.Context(), args[0], "unack", url.Values{})
	}
	return cmd
}

func (a *app) assignCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "assign ID|NAME [LOGIN]", Short: a.say.of("Say who takes care of an alert; nobody without LOGIN", "指派告警的负责人；不写 LOGIN 则取消指派"), Args: a.takes("ID|NAME", "[LOGIN]")}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.onAlert(cmd.Context(), args[0], "assign", url.Values{"assignee": args[1:]})
	}
	return cmd
}

func (a *app) commentCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "comment ID|NAME TEXT", Short: a.say.of("Write into the timeline of an alert", "在告警的时间线中评论"), Args: a.takes("ID|NAME", "TEXT")}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.onAlert(cmd.Context(), args[0], "comment", url.Values{"text": {args[1]}})
	}
	return cmd
}

// onConsole makes a request to the console of the running server.
func (a *app) onConsole(ctx context.Context, method, path string, form url.Values) ([]byte, error) {
	cfg, _, err := a.config()
	if err != nil {
		return nil, err
	}
	if !running(cfg) {
		return nil, a.nobodyThere(cfg)
	}
	c := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", cfg.Server.Socket)
	}}}
	defer c.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, fmt.Errorf("ask the server: %w", err)
	}
	req.Header.Set("HX-Request", "true") // refusals come as plain text
	req.Header.Set("Accept-Language", a.say.lang())
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := c.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.say.of("ask the server", "请求服务器"), err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.say.of("read the answer", "读取应答"), err)
	}
	if res.StatusCode >= 400 {
		return nil, sentence(clean(strings.TrimSpace(string(body))))
	}
	return body, nil
}

// fromConsole reads what the console says for programs into out, and gives it
// as it came.
func (a *app) fromConsole(ctx context.Context, path string, out any) ([]byte, error) {
	raw, err := a.onConsole(ctx, http.MethodGet, path, nil)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return nil, fmt.Errorf("%s: %w", a.say.of("read the answer", "读取应答"), err)
	}
	return raw, nil
}

// printRaw prints JSON that the console gave.
func (a *app) printRaw(raw []byte) error {
	_, err := io.WriteString(a.out, harmless(string(raw))+"\n")
	return err
}

// alertList is what the console answers about several.
type alertList struct {
	Alerts []admin.AlertJSON `json:"alerts"`
	More   bool              `json:"more"`
}

func (a *app) firing(ctx context.Context) ([]admin.AlertJSON, []byte, error) {
	var out alertList
	raw, err := a.fromConsole(ctx, "/admin/alerts/json", &out)
	return out.Alerts, raw, err
}

// alertID is how much of a fingerprint is shown; as much is enough to name it.
const alertID = 8

// shortest is what an ID must have at least to be one.
const shortest = 4

func (a *app) writeAlerts(list []admin.AlertJSON) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(a.out, a.say.of("nothing fires", "没有正在触发的告警"))
		return err
	}
	t := &table{head: []string{"ID", a.say.of("SEVERITY", "级别"), a.say.of("ALERT", "告警"), a.say.of("HOST", "主机"), a.say.of("VALUE", "当前值"), a.say.of("THRESHOLD", "阈值"), a.say.of("SINCE", "开始"), a.say.of("STATE", "状态"), a.say.of("ASSIGNED TO", "负责人")}}
	for _, x := range list {
		state := a.stateWord(x.State)
		if x.AckBy != "" {
			state += " (" + x.AckBy + ")"
		}
		t.add(x.Fingerprint[:min(alertID, len(x.Fingerprint))], a.severityWord(x.Severity), x.Name, x.Host, x.Value, x.Threshold, when(x.Since.UnixMilli()), state, x.Assignee)
	}
	return t.write(a.out)
}

func (a *app) severityWord(s string) string {
	t := notify.Severity(s)
	return a.say.of(t.EN, t.ZH)
}

// stateWord says the state of an alert.
func (a *app) stateWord(s string) string {
	zh := map[string]string{"active": "触发中", "acknowledged": "已确认", "silenced": "已静默", "inhibited": "被抑制", "quiet": "免打扰", "ended": "已恢复"}[s]
	return a.say.of(s, cmp.Or(zh, s))
}

// means says whether an id or a name means an alert.
func means(which string, x admin.AlertJSON) bool {
	return x.Name == which || len(which) >= shortest && strings.HasPrefix(x.Fingerprint, strings.ToLower(which))
}

// oneOf is the one alert of a list that an id or a name means; found is false
// when none is meant.
func (a *app) oneOf(list []admin.AlertJSON, which string) (one admin.AlertJSON, found bool, err error) {
	for _, x := range list {
		switch {
		case !means(which, x) || found && x.Fingerprint == one.Fingerprint:
		case found:
			return one, false, errorText(a.say, "several alerts are called so: give the ID of one", "有多个同名告警：请指定 ID")
		default:
			one, found = x, true
		}
	}
	return one, found, nil
}

// onAlert does something to the one alert that an id or a name means.
func (a *app) onAlert(ctx context.Context, which, action string, form url.Values) error {
	list, _, err := a.firing(ctx)
	if err != nil {
		return err
	}
	x, found, err := a.oneOf(list, which)
	if err != nil {
		return err
	}
	if !found {
		return errorText(a.say, "no alert like "+clean(which)+" fires", "没有正在触发的告警 "+clean(which))
	}
	form.Set("fp", x.Fingerprint)
	return a.alertDone(ctx, "/admin/alerts/"+action, form, x.Name)
}

// alertDone posts a form and says what it was done to.
func (a *app) alertDone(ctx context.Context, path string, form url.Values, what string) error {
	if _, err := a.onConsole(ctx, http.MethodPost, path, form); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.out, a.say.of("done: ", "已完成：")+clean(what))
	return err
}
