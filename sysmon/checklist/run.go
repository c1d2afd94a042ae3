package checklist

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"posthouse/sysmon/health"
	"posthouse/sysmon/words"
)

// checkWait bounds one check.
const checkWait = 20 * time.Second

// Now runs a period's checks, keeps the report and posts it. A run on the same
// day replaces the one before.
func (l *Lists) Now(ctx context.Context, p Period) (Report, error) {
	now := l.opt.Now()
	due := l.Due(p, now)
	r := Report{ID: string(p) + "-" + due.Format(dateFormat), Period: p, Due: due, At: now, Host: l.opt.Host, Status: health.Good}
	span := Span{From: now.AddDate(0, 0, -1), To: now, Period: p}
	switch p {
	case Weekly:
		span.From = now.AddDate(0, 0, -7)
	case Monthly:
		span.From = now.AddDate(0, -1, 0)
	}
	for _, c := range append(l.figures(), l.opt.More...) {
		for _, of := range c.Periods {
			if of == p {
				r.Items = append(r.Items, l.item(ctx, c, span))
			}
		}
	}
	for _, i := range r.Items {
		r.Status = worse(r.Status, i.Status)
	}
	if l.opt.Health != nil {
		if h, err := l.opt.Health.At(ctx, now); err == nil && h.Status != health.Unknown {
			r.Score = h.Score
		}
		disks, err := l.opt.Health.Forecasts(ctx, now)
		if err != nil {
			return r, fmt.Errorf("forecast: %w", err)
		}
		for _, d := range disks {
			line := Disk{Mount: d.Mount, Size: d.Size, Used: d.Used}
			if !math.IsInf(d.Days, 0) {
				line.Days = max(d.Days, 0.1)
			}
			r.Forecast = append(r.Forecast, line)
		}
	}
	if ctx.Err() != nil {
		return r, ctx.Err()
	}
	if err := l.keep(&r); err != nil {
		return r, err
	}
	l.post(ctx, &r)
	return r, nil
}

func (l *Lists) post(ctx context.Context, r *Report) {
	if err := l.opt.Post(ctx, r.Card(), r.Status == health.Bad); err != nil {
		l.opt.Log.Warn("post checklist", "report", r.ID, "error", err)
		return
	}
	r.Posted = l.opt.Now()
	if err := l.keep(r); err != nil {
		l.opt.Log.Error("keep checklist", "report", r.ID, "error", err)
	}
}

func (l *Lists) item(ctx context.Context, c Check, s Span) Item {
	ctx, cancel := context.WithTimeout(ctx, checkWait)
	defer cancel()
	i := Item{ID: c.ID, Name: c.Name, Link: c.Link}
	var err error
	if i.Status, i.Text, err = c.Do(ctx, s); err != nil {
		i.Status, i.Text = health.Unknown, words.Of("could not be checked: "+err.Error(), "无法检查："+err.Error())
	}
	return i
}

// worse is the worse of two; what could not be checked is like a warning.
func worse(a, b health.Status) health.Status {
	rank := func(s health.Status) int {
		switch s {
		case health.Bad:
			return 3
		case health.Warn:
			return 2
		case health.Unknown:
			return 1
		}
		return 0
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// Mark is the sign of a status in text.
func Mark(s health.Status) string {
	switch s {
	case health.Good:
		return "✅"
	case health.Warn:
		return "⚠️"
	case health.Bad:
		return "❌"
	}
	return "➖"
}

// Card is a report as a message.
func (r Report) Card() words.Text {
	card := func(lang, title, score, full string) string {
		var b strings.Builder
		fmt.Fprintf(&b, "**%s %s · %s**", Mark(r.Status), title, r.Due.Format(dateFormat))
		if r.Score > 0 {
			fmt.Fprintf(&b, " · %s %.0f", score, r.Score)
		}
		for _, i := range r.Items {
			fmt.Fprintf(&b, "\n- %s %s: %s", Mark(i.Status), i.Name.In(lang), i.Text.In(lang))
			if i.Status == health.Bad && i.Link != "" {
				fmt.Fprintf(&b, " → %s", i.Link)
			}
		}
		for _, d := range r.Forecast {
			if d.Days > 0 && d.Days < 365 {
				fmt.Fprintf(&b, "\n- 💾 %s: "+full, d.Mount, d.Days)
			}
		}
		return b.String()
	}
	t := r.Period.Title()
	return words.Of(card("en", t.EN, "score", "full in %.0f days"), card("zh", t.ZH, "健康分", "%.0f 天后写满"))
}
