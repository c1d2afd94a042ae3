package main

import (
	"context"
	"time"

	"posthouse/admin"
	"posthouse/appliance/meter"
	"posthouse/sysmon/board"
	"posthouse/sysmon/expo"
	"posthouse/sysmon/health"
	texts "posthouse/sysmon/words"
)

// watchOptions adds to the console what watches the box. Without it the
// console stays as it is.
func (s *server) watchOptions(o *admin.Options) {
	if s.watch == nil {
		return
	}
	w := s.watch
	o.Minding = admin.Minding{Health: w.Health, Books: w.Books, Lists: w.Lists, Profile: s.profiles.read, Audit: s.chat.Audit}
	o.Firing = func(context.Context) int {
		n := 0
		for _, of := range w.Alerts.Firing() {
			n += of
		}
		return n
	}
	f := admin.NewFigures(w.Source(), w.Health, time.Now, s.log)
	o.Overview.Tiles, o.Overview.Gauges = f.Tiles, f.Gauges
	o.Overview.Checks, o.Overview.Path = s.overview(f), s.path(f)
	o.Rules = s.watchRules()
	o.Machine = admin.Machine{Facts: w.Host.Facts, Processes: w.Host.Processes, Ports: w.Host.Ports}
	o.Probing = s.probing()
	o.Dashboards.Boards = board.Boards
	s.alertOptions(o)
	o.Dashboards.Interval = s.cfg.Watch.Interval
	o.Dashboards.Range = admin.RangeOf(w.Query)
	o.Asking = admin.Asking{Engine: w.Query, Interval: s.cfg.Watch.Interval, Types: func() map[string]string {
		out := map[string]string{}
		for name, m := range w.Store.Metadata() {
			out[name] = string(m.Type)
		}
		return out
	}}
	o.Dashboards.Newest = func() time.Time {
		w.Scraper.Watched() // somebody looks at charts: samples come every second
		if list := w.Scraper.Status(); len(list) > 0 {
			return list[0].At
		}
		return time.Time{}
	}
	o.Dashboards.Marks = s.marks
	o.Dashboards.Forecasts = func(ctx context.Context) ([]health.Forecast, error) { return w.Health.Forecasts(ctx, time.Now()) }
}

// marks are what happened in a range, for charts.
func (s *server) marks(ctx context.Context, from, to time.Time) []admin.Mark {
	kinds := map[string]string{health.Upgraded: "upgrade", health.BackupRan: "backup", health.ConfigChanged: "config"}
	var out []admin.Mark
	for _, e := range s.watch.Health.Events(ctx, from, to) {
		if kind, ok := kinds[e.Kind]; ok {
			out = append(out, admin.Mark{At: e.At, Kind: kind, Text: e.What})
		}
	}
	return out
}

// familiesOf describes the figures of the chat for the dictionary.
func familiesOf(r *meter.Registry) []expo.Family {
	list := r.Describe()
	out := make([]expo.Family, 0, len(list))
	for _, f := range list {
		out = append(out, expo.Family{Name: f.Name, Type: f.Type, Unit: f.Unit, Labels: f.Labels, Help: texts.Text(f.Help), Normal: texts.Text(f.Normal), Action: texts.Text(f.Action), Source: f.Source})
	}
	return out
}
