package sysmon

import (
	"context"
	"io"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/rules"

	"posthouse/sysmon/alert"
	"posthouse/sysmon/health"
	"posthouse/sysmon/runbook"
	"posthouse/sysmon/words"
)

// Write writes every figure of this package's parts, the machine's included, in
// the text format. It may be called from any goroutine.
func (w *Watch) Write(to io.Writer) {
	w.Host.Write(to)
	w.write(to)
}

// write is what the parts say of themselves.
func (w *Watch) write(to io.Writer) {
	w.Store.Write(to)
	w.Health.Write(to)
	w.Alerts.Write(to)
	w.Probes.Write(to)
	if w.Remote != nil {
		w.Remote.Write(to)
	}
}

// notify takes alerts from the rules to those who tell and to those who help.
func (w *Watch) notify(ctx context.Context, _ string, list ...*rules.Alert) {
	in := make([]alert.Incoming, 0, len(list))
	var opened, ended []runbook.Alert
	for _, a := range list {
		one := alert.Incoming{Labels: a.Labels.Map(), Annotations: a.Annotations.Map(), Start: a.FiredAt, End: a.ValidUntil}
		book := runbook.Alert{ID: fingerprint(one.Labels), Name: one.Labels[model.AlertNameLabel], Labels: one.Labels, Starts: a.FiredAt,
			Summary: words.Of(one.Annotations["summary"], one.Annotations["summary_zh"])}
		if !a.ResolvedAt.IsZero() {
			one.End = a.ResolvedAt
			ended = append(ended, book)
		} else {
			opened = append(opened, book)
		}
		in = append(in, one)
	}
	if err := w.Alerts.Receive(ctx, in); err != nil {
		w.o.Log.Error("alerts are not taken", "error", err)
	}
	w.Books.Opened(opened...)
	for _, a := range ended {
		w.Books.Resolved(a)
	}
}

// Take takes alerts that others judged, from a Prometheus or an Alertmanager.
// The error is that of alert.Manager.Receive: what is good is taken all the same.
func (w *Watch) Take(ctx context.Context, list []alert.Incoming) error {
	err := w.Alerts.Receive(ctx, list)
	var opened []runbook.Alert
	for _, in := range list {
		fp := fingerprint(in.Labels)
		e, known := w.Alerts.Current(fp)
		if !known {
			continue
		}
		book := runbook.Alert{ID: fp, Name: e.Name(), Labels: e.Labels, Starts: e.Start, Summary: e.Summary()}
		if e.Firing() {
			opened = append(opened, book)
		} else {
			w.Books.Resolved(book)
		}
	}
	w.Books.OpenedElsewhere(opened...)
	return err
}

// fingerprint names an alert by its labels, as Alertmanager does.
func fingerprint(labels map[string]string) string {
	set := model.LabelSet{}
	for name, v := range labels {
		set[model.LabelName(name)] = model.LabelValue(v)
	}
	return set.Fingerprint().String()
}

// Source answers the questions of pages and of commands.
func (w *Watch) Source() health.Source { return w.figures }
