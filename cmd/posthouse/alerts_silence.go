package main

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"posthouse/admin"
)

func (a *app) silenceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "silence ID|NAME|MATCHER…",
		Short: a.say.of("Keep messages about alerts back for a while", "在一段时间内不再发送某些告警的消息"),
		Long: a.say.of("Keep messages about one alert back for a while, or about all that every matcher takes, as instance=\"ups\" or alertname=~\"High.*\".",
			"在一段时间内不再发送某个告警的消息，或符合全部匹配条件的告警的消息，如 instance=\"ups\"、alertname=~\"High.*\"。"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && isMatcher(args[0]) {
				return nil
			}
			return a.takes("ID|NAME|MATCHER…")(cmd, args)
		},
	}
	span := cmd.Flags().Duration("for", time.Hour, a.say.of("how long: `TIME` such as 30m or 4h", "时长 `TIME`，如 30m 或 4h"))
	from := cmd.Flags().String("from", "", a.say.of("when it begins: `WHEN` such as 2026-12-24T22:00 in the server's time; now if absent", "开始时间 `WHEN`，如 2026-12-24T22:00（服务器时间）；缺省为立即开始"))
	reason := cmd.Flags().String("reason", "", a.say.of("`WHY` (required)", "原因 `WHY`（必填）"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		form := url.Values{"for": {span.String()}, "from": {*from}, "reason": {*reason}}
		if !isMatcher(args[0]) {
			return a.onAlert(cmd.Context(), args[0], "silence", form)
		}
		form.Set("matchers", strings.Join(args, "\n"))
		return a.alertDone(cmd.Context(), "/admin/alerts/silence", form, strings.Join(args, ", "))
	}
	return cmd
}

// isMatcher tells a matcher from an id or a name, which have no such sign.
func isMatcher(s string) bool { return strings.ContainsAny(s, "=!~") }

func (a *app) silences(ctx context.Context) ([]admin.SilenceJSON, []byte, error) {
	var out struct {
		Silences []admin.SilenceJSON `json:"silences"`
	}
	raw, err := a.fromConsole(ctx, "/admin/silences/json", &out)
	return out.Silences, raw, err
}

func (a *app) silencesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "silences", Short: a.say.of("List silences", "列出静默"), Args: a.takes()}
	all := cmd.Flags().Bool("all", false, a.say.of("those too that are over", "包括已结束的"))
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		list, raw, err := a.silences(cmd.Context())
		if err != nil {
			return err
		}
		if *asJSON {
			return a.printRaw(raw)
		}
		t := &table{head: []string{"ID", a.say.of("STATE", "状态"), a.say.of("ALERTS", "告警数"), a.say.of("UNTIL", "至"), a.say.of("WHO", "创建人"), a.say.of("MATCHERS", "匹配条件"), a.say.of("REASON", "原因")}}
		for _, s := range list {
			if s.State != "expired" || *all {
				until := when(s.End.UnixMilli())
				if s.State == "pending" {
					until = when(s.Start.UnixMilli()) + " – " + until
				}
				t.add(s.ID[:min(alertID, len(s.ID))], a.silenceWord(s.State), fmt.Sprint(s.Affects), until, s.Author, strings.Join(s.Matchers, ", "), s.Reason)
			}
		}
		if len(t.rows) == 0 {
			_, err := fmt.Fprintln(a.out, a.say.of("nothing is silenced", "没有静默"))
			return err
		}
		return t.write(a.out)
	}
	return cmd
}

// silenceWord says the state of a silence.
func (a *app) silenceWord(s string) string {
	zh := map[string]string{"active": "生效中", "pending": "未开始", "expired": "已结束"}[s]
	return a.say.of(s, cmp.Or(zh, s))
}

func (a *app) unsilenceCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "unsilence SILENCE", Short: a.say.of("End a silence now", "立即结束一个静默"), Args: a.takes("SILENCE")}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		list, _, err := a.silences(cmd.Context())
		if err != nil {
			return err
		}
		var found []string
		for _, s := range list {
			if s.State != "expired" && len(args[0]) >= shortest && strings.HasPrefix(s.ID, strings.ToLower(args[0])) {
				found = append(found, s.ID)
			}
		}
		switch len(found) {
		case 0:
			return errorText(a.say, "there is no silence "+clean(args[0])+"; see posthouse alerts silences", "没有静默 "+clean(args[0])+"；请看 posthouse alerts silences")
		case 1:
			return a.alertDone(cmd.Context(), "/admin/silences/end", url.Values{"id": found}, found[0])
		}
		return errorText(a.say, "several silences begin so: give more of the ID", "有多个静默以此开头：请写更长的 ID")
	}
	return cmd
}
