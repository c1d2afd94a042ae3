package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"posthouse/admin"
	"posthouse/sysmon/probe"
	texts "posthouse/sysmon/words"
	"posthouse/webui/console"
)

// overview are the checks of the first page: what the box knows of itself, what
// the stored figures say, and what fires. The same thing is listed once.
func (s *server) overview(f *admin.Figures) func(ctx context.Context) []admin.Check {
	return func(ctx context.Context) []admin.Check {
		more := append(f.Checks(ctx), s.checkFiring(ctx))
		for i := range more {
			if more[i].ID == "storage" {
				more[i].ID = "store"
			}
		}
		// The count of firing rules does not know foreign alerts.
		more = slices.DeleteFunc(more, func(c admin.Check) bool { return c.ID == "alerts" })
		return admin.Merge(s.checks(ctx), more)
	}
}

// namedAlerts is how many alerts a check names.
const namedAlerts = 3

// checkFiring is as grave as the gravest alert that nobody silenced.
func (s *server) checkFiring(ctx context.Context) admin.Check {
	c := admin.Check{ID: "firing", Title: texts.Of("Alerts that fire", "触发中的告警"), Level: console.Good, Detail: texts.Of("none", "无"),
		Trouble: texts.Of("Alerts are firing", "告警正在触发"), Href: "/admin/alerts", Cure: texts.Of("Look", "查看")}
	active := s.watch.Alerts.Active(ctx)
	if len(active) == 0 {
		return c
	}
	var names []string
	silenced := 0
	c.Level = console.Info
	for _, a := range active {
		if len(a.SilencedBy) > 0 {
			silenced++
			continue
		}
		if level := levelOfSeverity(a.Severity()); c.Level == console.Info || graver(level, c.Level) {
			c.Level = level
		}
		name := a.Name()
		if host := a.Labels["instance"]; host != "" {
			name += " (" + host + ")"
		}
		names = append(names, name)
	}
	en, zh := fmt.Sprintf("%d fire", len(active)), fmt.Sprintf("%d 条正在触发", len(active))
	if len(active) == 1 {
		en = "1 fires"
	}
	if silenced > 0 {
		en, zh = en+fmt.Sprintf(", %d of them silenced", silenced), zh+fmt.Sprintf("，其中 %d 条已静默", silenced)
	}
	if len(names) > 0 {
		list, more := strings.Join(names[:min(len(names), namedAlerts)], ", "), ""
		if len(names) > namedAlerts {
			more = " …"
		}
		en, zh = en+": "+list+more, zh+"："+list+more
	}
	c.Detail = texts.Of(en, zh)
	return c
}

func levelOfSeverity(severity string) console.Level {
	switch severity {
	case "critical":
		return console.Critical
	case "serious":
		return console.Serious
	}
	return console.Warning
}

func graver(a, b console.Level) bool {
	order := []console.Level{console.Warning, console.Serious, console.Critical}
	return slices.Index(order, a) > slices.Index(order, b)
}

// path is the light of the message path. Where the virtual users are off, what
// becomes of people's messages is all there is.
func (s *server) path(f *admin.Figures) func(ctx context.Context) admin.Path {
	return func(ctx context.Context) admin.Path {
		var light *probe.Light
		for _, p := range s.watch.Probes.List() {
			if p.Kind == probe.Chat && !p.Disabled {
				l := s.watch.Probes.Light()
				light = &l
			}
		}
		return f.Path(ctx, light)
	}
}
