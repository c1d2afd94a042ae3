package health

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"posthouse/sysmon/words"
)

// Kinds of events.
const (
	ConfigChanged = "config"
	Upgraded      = "upgrade"
	Restarted     = "restart"
	LoginStorm    = "login_storm"
	NewBot        = "new_bot"
	BackupRan     = "backup"
	RuleEdited    = "rule_edit"
	Acted         = "action" // a step of a runbook or another act of an admin
)

// Event is something that happened to the box.
type Event struct {
	At     time.Time  `json:"at"`
	Kind   string     `json:"kind"`
	What   words.Text `json:"what"`
	Who    string     `json:"who,omitempty"`    // name; empty: the box
	Detail string     `json:"detail,omitempty"` // such as the lines that changed; no secrets
	Link   string     `json:"link,omitempty"`
	Revert string     `json:"revert,omitempty"` // action that undoes it
}

// Change is an event with what it may have to do with a problem.
type Change struct {
	Event
	Before time.Duration // how long before the problem
	Rank   float64       // from 0, the larger the likelier
	Why    words.Text
}

// Events are what happened from a time up to another, oldest first, as
// Options.Events tells. Charts mark them.
func (h *Health) Events(ctx context.Context, from, to time.Time) []Event {
	if h.opt.Events == nil {
		return nil
	}
	out := h.opt.Events(ctx, from, to)
	slices.SortStableFunc(out, func(a, b Event) int { return a.At.Compare(b.At) })
	return out
}

// hour is how far back a cause is looked for.
const hour = time.Hour

// weigh is how often a kind of event is what broke something, from 0 to 1.
func weigh(kind string) float64 {
	switch kind {
	case ConfigChanged, Upgraded:
		return 1
	case Restarted:
		return 0.7
	case LoginStorm:
		return 0.65
	case NewBot, Acted:
		return 0.5
	case BackupRan:
		return 0.45
	case RuleEdited:
		return 0.4
	}
	return 0.3
}

// goesWith says whether a kind of event is a usual cause of an alert, and why.
func goesWith(kind, alert string) (words.Text, bool) {
	in := func(list ...string) bool { return slices.Contains(list, alert) }
	switch {
	case kind == LoginStorm && in("HighCPUUsage", "CriticalCPUUsage", "HighLoad", "HighAPILoad", "SlowAPIResponse", "AuthFailuresBurst", "ConnectionsUnusual", "ConnectionsDropped", "HighMemoryUsage"):
		return words.Of("Checking passwords takes processor time.", "校验密码消耗处理器。"), true
	case kind == NewBot && in("HighAPILoad", "HighCPUUsage", "CriticalCPUUsage", "StorageWriterSaturated", "HighBandwidthUsage", "AuthFailuresBurst"):
		return words.Of("A new program may call too often.", "新程序可能调用过于频繁。"), true
	case kind == BackupRan && in("HighDiskUsage", "DiskFillsUp", "StorageSlowOperations", "StorageWriterSaturated", "HighLoad", "HighBandwidthUsage"):
		return words.Of("A backup reads and writes much.", "备份会大量读写。"), true
	case kind == Restarted && in("ConnectionsDropped", "ConnectionsUnusual", "ServiceDown", "InstanceDown", "UncleanShutdown", "LowActiveUsers", "HighDeliveryLatency"):
		return words.Of("A restart closes every connection.", "重启会断开全部连接。"), true
	case kind == RuleEdited && alert != "":
		return words.Of("The rule itself may have changed.", "告警规则本身可能已改动。"), true
	}
	return words.Text{}, false
}

// Changes are what changed in the hour before a time, the likeliest cause of
// the alert first. alert may be empty.
func (h *Health) Changes(ctx context.Context, alert string, at time.Time) ([]Change, error) {
	from := at.Add(-hour)
	list := h.Events(ctx, from, at)
	seen, err := h.seen(ctx, from, at)
	if err != nil {
		return nil, err
	}
	list = append(list, seen...)
	var out []Change
	for _, e := range list {
		if e.Kind == Restarted && slices.ContainsFunc(out, func(c Change) bool { return c.Kind == Restarted && c.At.Sub(e.At).Abs() < 2*time.Minute }) {
			continue // noted by the server and seen in the figures
		}
		c := Change{Event: e, Before: at.Sub(e.At)}
		c.Rank = weigh(e.Kind) * (1 - 0.5*float64(c.Before)/float64(hour))
		if why, ok := goesWith(e.Kind, alert); ok {
			c.Rank, c.Why = c.Rank+0.8, why
		} else if alert != "" && (e.Kind == ConfigChanged || e.Kind == Upgraded) {
			c.Rank, c.Why = c.Rank+0.3, words.Of("Most faults follow a change of the configuration or the version.", "多数故障紧随配置或版本变化。")
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b Change) int { return cmp.Compare(b.Rank, a.Rank) })
	return out, nil
}

// seen are the events that show in the figures: restarts and login storms.
func (h *Health) seen(ctx context.Context, from, to time.Time) ([]Event, error) {
	var out []Event
	if start, err := h.one(ctx, `max(process_start_time_seconds)`, to); err != nil {
		return nil, err
	} else if at := time.Unix(0, int64(start*1e9)); !math.IsNaN(start) && at.After(from) && !at.After(to) {
		out = append(out, Event{At: at, Kind: Restarted, What: words.Of("The server was started.", "服务器启动。")})
	}
	usual, err := h.one(ctx, `avg_over_time(sum(rate(im_action_total{action="login"}[5m]))[24h:5m] offset 1h)`, to)
	if err != nil {
		return nil, err
	}
	if math.IsNaN(usual) {
		usual = 0
	}
	lines, err := h.opt.Source.Range(ctx, `sum(rate(im_action_total{action="login"}[2m]))`, from, to, time.Minute)
	if err != nil {
		return nil, fmt.Errorf("look for logins: %w", err)
	}
	for _, l := range lines {
		for _, p := range l.Points {
			if p.Value >= 1 && p.Value >= 5*usual {
				out = append(out, Event{At: p.At, Kind: LoginStorm, What: words.Of(
					fmt.Sprintf("Many logins: %.1f a second, usually %.2f.", p.Value, usual), fmt.Sprintf("登录激增：每秒 %.1f 次，平时 %.2f 次。", p.Value, usual))})
				break
			}
		}
	}
	return out, nil
}
