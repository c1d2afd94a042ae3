package runbook

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"posthouse/sysmon/health"
	"posthouse/sysmon/words"
)

// Bounds of one case's evidence.
const (
	findingWait = 12 * time.Second
	mostRows    = 25
	mostText    = 64 << 10 // bytes
)

func (b *Books) collect(ctx context.Context, book Runbook, a Alert) []Finding {
	out := make([]Finding, 0, len(book.Evidence))
	for _, e := range book.Evidence {
		if e.Expr == "" && b.opt.Collectors[e.ID] == nil {
			continue
		}
		out = append(out, b.find(ctx, e, a))
	}
	return out
}

func (b *Books) find(ctx context.Context, e Evidence, a Alert) (f Finding) {
	ctx, cancel := context.WithTimeout(ctx, findingWait)
	defer cancel()
	at := b.opt.Now()
	var err error
	if e.Expr != "" {
		f, err = b.ask(ctx, e, at)
	} else {
		f, err = b.opt.Collectors[e.ID](ctx, a)
	}
	f.ID, f.Title, f.At = e.ID, e.Title, at
	if f.Link == "" {
		f.Link = e.Link
	}
	if err != nil {
		f.Error = err.Error()
	}
	if len(f.Rows) > mostRows {
		f.Rows = f.Rows[:mostRows]
	}
	if len(f.Text) > mostText {
		f.Text = strings.ToValidUTF8(f.Text[:mostText], "") + "…"
	}
	return f
}

func (b *Books) ask(ctx context.Context, e Evidence, at time.Time) (Finding, error) {
	f := Finding{Unit: e.Unit, Expr: e.Expr}
	list, err := b.opt.Source.Instant(ctx, e.Expr, at)
	if err != nil {
		return f, err
	}
	slices.SortStableFunc(list, func(x, y health.Sample) int { return cmp.Compare(y.Value, x.Value) })
	several := slices.ContainsFunc(list, func(s health.Sample) bool { return s.Labels[nameLabel] != list[0].Labels[nameLabel] })
	for _, s := range list {
		what := labels(s.Labels)
		if several { // the labels alone do not tell which figure it is
			what = strings.TrimSuffix(s.Labels[nameLabel]+", "+what, ", ")
		}
		f.Rows = append(f.Rows, []string{what, Figure(s.Value, e.Unit)})
	}
	return f, nil
}

const nameLabel = "__name__"

func labels(m map[string]string) string {
	var keys []string
	for k := range m {
		if k != nameLabel && k != "job" && k != "instance" {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for i, k := range keys {
		keys[i] = k + "=" + m[k]
	}
	return strings.Join(keys, ", ")
}

// Figure is a value as people read it.
func Figure(v float64, unit string) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case unit == "bytes":
		return words.Bytes(v)
	case unit == "percent":
		return fmt.Sprintf("%.1f %%", v)
	case unit == "seconds" && v < 1:
		return fmt.Sprintf("%.1f ms", v*1000)
	case unit == "seconds" && v >= 120:
		return time.Duration(v * float64(time.Second)).Round(time.Second).String()
	case unit == "seconds":
		return fmt.Sprintf("%.2f s", v)
	case unit == "ms":
		return fmt.Sprintf("%.1f ms", v)
	case unit == "per second":
		return fmt.Sprintf("%.2f /s", v)
	}
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
}

// figure is the value of an expression; 0 when there is none.
func (b *Books) figure(ctx context.Context, expr string) float64 {
	ctx, cancel := context.WithTimeout(ctx, findingWait)
	defer cancel()
	list, err := b.opt.Source.Instant(ctx, expr, b.opt.Now())
	if err != nil || len(list) == 0 || math.IsNaN(list[0].Value) {
		return 0
	}
	return list[0].Value
}

// peaks takes the heap of open memory alerts again where the memory has grown.
func (b *Books) peaks(ctx context.Context) {
	b.mu.Lock()
	var open []Case
	for _, id := range b.order {
		if c := b.cases[id]; c.Resolved.IsZero() && b.For(c.Alert).Peak != "" && b.opt.Now().Sub(c.Alert.Starts) < 24*time.Hour {
			open = append(open, c.copied())
		}
	}
	b.mu.Unlock()
	for _, c := range open {
		book := b.For(c.Alert)
		v := b.figure(ctx, book.Peak)
		if v < c.Peak*1.05 || v == 0 || b.opt.Collectors["heap"] == nil {
			continue
		}
		i := slices.IndexFunc(book.Evidence, func(e Evidence) bool { return e.ID == "heap" })
		if i < 0 {
			continue
		}
		f := b.find(ctx, book.Evidence[i], c.Alert)
		b.mu.Lock()
		if now := b.cases[c.ID]; now != nil {
			now.Peak = v
			if at := slices.IndexFunc(now.Findings, func(f Finding) bool { return f.ID == "heap" }); at >= 0 {
				now.Findings[at] = f
			} else {
				now.Findings = append(now.Findings, f)
			}
			b.save(now)
		}
		b.mu.Unlock()
	}
}

// Printed is a case as text, to take along.
func (c Case) Printed(lang string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s  %s\n%s\n", c.Alert.Name, c.Alert.Starts.Format(time.RFC3339), c.Alert.Summary.In(lang))
	for _, f := range c.Findings {
		fmt.Fprintf(&s, "\n== %s (%s)\n", f.Title.In(lang), f.At.Format(time.RFC3339))
		if f.Error != "" {
			fmt.Fprintf(&s, "%s\n", f.Error)
		}
		head := make([]string, 0, len(f.Head))
		for _, h := range f.Head {
			head = append(head, h.In(lang))
		}
		if len(head) > 0 {
			fmt.Fprintln(&s, strings.Join(head, "\t"))
		}
		for _, r := range f.Rows {
			fmt.Fprintln(&s, strings.Join(r, "\t"))
		}
		if f.Text != "" {
			fmt.Fprintln(&s, f.Text)
		}
	}
	for _, a := range c.Acts {
		mark := words.Of("done", "执行")
		if a.Dry {
			mark = words.Of("dry run", "预演")
		}
		fmt.Fprintf(&s, "\n%s %s %s (%s): %s\n", a.At.Format(time.RFC3339), a.Who.Name, a.Action, mark.In(lang), a.Result.In(lang))
	}
	return s.String()
}

// Cases are the newest cases, the newest first.
func (b *Books) Cases(most int) []Case {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []Case
	for _, id := range slices.Backward(b.order) {
		if len(out) == most {
			break
		}
		out = append(out, b.cases[id].copied())
	}
	return out
}
