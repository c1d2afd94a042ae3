package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"posthouse/sysmon/alert"
	"posthouse/sysmon/notify"
	"posthouse/sysmon/probe"
	"posthouse/sysmon/runbook"
	texts "posthouse/sysmon/words"
)

// probeNow runs every chat check that is set up.
func (s *server) probeNow(ctx context.Context, _ runbook.Target) (texts.Text, error) {
	var en, zh []string
	for _, p := range s.watch.Probes.List() {
		if p.Kind != probe.Chat {
			continue
		}
		out, err := s.watch.Probes.RunNow(ctx, p.ID)
		if err != nil {
			return texts.Text{}, told(err)
		}
		steps := make([]string, 0, len(out.Steps))
		for _, step := range out.Steps {
			mark := "✅"
			if step.Err != "" {
				mark = "❌"
			}
			steps = append(steps, fmt.Sprintf("%s %s %s", mark, step.Name, step.Took.Round(time.Millisecond)))
		}
		line := strings.Join(steps, ", ")
		if out.OK() {
			en, zh = append(en, fmt.Sprintf("%s works (%s)", p.Name, line)), append(zh, fmt.Sprintf("%s 正常（%s）", p.Name, line))
		} else {
			en, zh = append(en, fmt.Sprintf("%s fails: %s (%s)", p.Name, out.Err, line)), append(zh, fmt.Sprintf("%s 失败：%s（%s）", p.Name, out.Err, line))
		}
	}
	if len(en) == 0 {
		return texts.Text{}, cannot("no probe of the chat is set up", "没有设置聊天探测")
	}
	return texts.Of(strings.Join(en, "; "), strings.Join(zh, "；")), nil
}

func (s *server) channelsOn() []notify.Channel {
	return slices.DeleteFunc(s.watch.Alerts.Channels(), func(c notify.Channel) bool { return c.Off })
}

func (s *server) dryChannels(context.Context, runbook.Target) (texts.Text, error) {
	var names []string
	for _, c := range s.channelsOn() {
		names = append(names, c.Name)
	}
	if len(names) == 0 {
		return texts.Text{}, cannot("no channel is switched on", "没有启用的渠道")
	}
	return says("One test notice would go out by each of: %s.", "将通过以下渠道各发送一条测试通知：%s。", strings.Join(names, ", ")), nil
}

func (s *server) testChannels(ctx context.Context, t runbook.Target) (texts.Text, error) {
	if _, err := s.dryChannels(ctx, t); err != nil {
		return texts.Text{}, err
	}
	var lines []string
	for _, c := range s.channelsOn() {
		answer, err := s.watch.Alerts.TestChannel(ctx, c)
		if err != nil {
			answer = "❌ " + err.Error()
		}
		lines = append(lines, c.Name+": "+answer)
	}
	all := strings.Join(lines, "; ")
	return texts.Of(all, all), nil
}

func (s *server) acknowledge(_ context.Context, t runbook.Target) (texts.Text, error) {
	return says("%s is on it", "%s 正在处理", t.Who.Name), told(s.watch.Alerts.Ack(t.Alert.ID, t.Who.Name))
}

const silenceTime = 2 * time.Hour

func (s *server) silence(ctx context.Context, t runbook.Target) (texts.Text, error) {
	var matchers []string
	for name, value := range t.Alert.Labels {
		matchers = append(matchers, name+"="+strconv.Quote(value))
	}
	slices.Sort(matchers)
	_, err := s.watch.Alerts.Silence(ctx, alert.Silence{Matchers: matchers, End: time.Now().Add(silenceTime), Author: t.Who.Name, Reason: "runbook"})
	return texts.Of("silent for two hours", "静默两小时"), told(err)
}
