package main

import (
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
)

// alertsCommand talks to the console on the socket, which needs no part of the
// chat.
func (a *app) alertsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "alerts",
		Short: a.say.of("List what fires; acknowledge or silence it", "列出正在触发的告警；确认或静默"),
		Args:  a.takes(),
	}
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		list, raw, err := a.firing(cmd.Context())
		if err != nil {
			return err
		}
		if *asJSON {
			_, err = a.out.Write(append(raw, '\n'))
			return err
		}
		return a.writeAlerts(list)
	}
	cmd.AddCommand(a.ackCommand(), a.silenceCommand(), a.commentCommand())
	return cmd
}

func (a *app) ackCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "ack ID|NAME", Short: a.say.of("Say that you take care of an alert", "确认一个告警"), Args: a.takes("ID|NAME")}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.onAlert(cmd.Context(), args[0], "ack", url.Values{})
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

func (a *app) silenceCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "silence ID|NAME", Short: a.say.of("Keep messages about an alert back for a while", "在一段时间内不再发送某个告警的消息"), Args: a.takes("ID|NAME")}
	span := cmd.Flags().Duration("for", time.Hour, a.say.of("how long, as 30m or 4h", "时长，如 30m 或 4h"))
	reason := cmd.Flags().String("reason", "", a.say.of("why (required)", "原因（必填）"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.onAlert(cmd.Context(), args[0], "silence", url.Values{"for": {span.String()}, "reason": {*reason}})
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
		return nil, errorText(a.say, "no server is running: alerts fire only while one does", "服务器未运行：告警只在服务器运行时产生")
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

func (a *app) firing(ctx context.Context) ([]admin.AlertJSON, []byte, error) {
	raw, err := a.onConsole(ctx, http.MethodGet, "/admin/alerts/json", nil)
	if err != nil {
		return nil, nil, err
	}
	var out struct {
		Alerts []admin.AlertJSON `json:"alerts"`
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", a.say.of("read the alerts", "读取告警"), err)
	}
	return out.Alerts, raw, nil
}

// alertID is how much of a fingerprint is shown; as much is enough to name it.
const alertID = 8

func (a *app) writeAlerts(list []admin.AlertJSON) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(a.out, a.say.of("nothing fires", "没有正在触发的告警"))
		return err
	}
	t := &table{head: []string{a.say.of("ID", "ID"), a.say.of("SEVERITY", "级别"), a.say.of("ALERT", "告警"), a.say.of("HOST", "主机"), a.say.of("VALUE", "当前值"), a.say.of("THRESHOLD", "阈值"), a.say.of("SINCE", "开始"), a.say.of("STATE", "状态")}}
	for _, x := range list {
		state := x.State
		if x.AckBy != "" {
			state += " (" + x.AckBy + ")"
		}
		t.add(x.Fingerprint[:min(alertID, len(x.Fingerprint))], x.Severity, x.Name, x.Host, x.Value, x.Threshold, x.Since.Local().Format("2006-01-02 15:04"), state)
	}
	return t.write(a.out)
}

// onAlert does something to the one alert that an id or a name means.
func (a *app) onAlert(ctx context.Context, which, action string, form url.Values) error {
	list, _, err := a.firing(ctx)
	if err != nil {
		return err
	}
	var found []admin.AlertJSON
	for _, x := range list {
		if x.Name == which || len(which) >= 4 && strings.HasPrefix(x.Fingerprint, strings.ToLower(which)) {
			found = append(found, x)
		}
	}
	switch len(found) {
	case 0:
		return errorText(a.say, "no alert like "+clean(which)+" fires", "没有正在触发的告警 "+clean(which))
	case 1:
	default:
		return errorText(a.say, "several alerts are called so: give the ID of one", "有多个同名告警：请指定 ID")
	}
	form.Set("fp", found[0].Fingerprint)
	if _, err := a.onConsole(ctx, http.MethodPost, "/admin/alerts/"+action, form); err != nil {
		return err
	}
	_, err = fmt.Fprintln(a.out, a.say.of("done: ", "已完成：")+clean(found[0].Name))
	return err
}
