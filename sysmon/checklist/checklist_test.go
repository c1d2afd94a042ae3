package checklist_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"posthouse/sysmon/checklist"
	"posthouse/sysmon/health"
	"posthouse/sysmon/health/healthtest"
	"posthouse/sysmon/words"
)

// desk is checklists with a clock that the test moves and a room that may
// refuse.
type desk struct {
	t     *testing.T
	dir   string
	f     *healthtest.Figures
	now   time.Time
	cards []words.Text
	red   bool
	shut  error
	l     *checklist.Lists
}

func open(t *testing.T) *desk {
	d := &desk{t: t, dir: t.TempDir(), f: healthtest.New(t), now: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)} // a Friday
	d.reopen()
	return d
}

func (d *desk) reopen() {
	d.t.Helper()
	now := func() time.Time { return d.now }
	h, err := health.Open(d.t.TempDir(), health.Options{Source: d.f, Now: now})
	if err != nil {
		d.t.Fatal(err)
	}
	d.l, err = checklist.Open(d.dir, checklist.Options{Source: d.f, Health: h, Zone: time.UTC, Now: now, Host: "box",
		Post: func(_ context.Context, card words.Text, red bool) error {
			if d.shut == nil {
				d.cards, d.red = append(d.cards, card), red
			}
			return d.shut
		},
		More: []checklist.Check{{ID: "accounts", Periods: []checklist.Period{checklist.Monthly}, Name: words.Of("Accounts", "账号"),
			Do: func(context.Context, checklist.Span) (health.Status, words.Text, error) {
				return "", words.Text{}, errors.New("no list")
			}}}})
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) catch(want int) {
	d.t.Helper()
	before := len(d.cards)
	d.l.Catch(context.Background())
	if got := len(d.cards) - before; got != want {
		d.t.Errorf("%s: %d cards, want %d", d.now.Format("Mon 2006-01-02 15:04"), got, want)
	}
}

func TestChecksRunOnceAPeriodAndAreCaughtUp(t *testing.T) {
	d := open(t)
	d.catch(0)                                            // what was due before the box was made
	d.now = d.now.AddDate(0, 0, 1).Add(-90 * time.Minute) // 07:30
	d.catch(0)
	d.now = d.now.Add(time.Hour)
	d.catch(1)
	// Off from Saturday over a Monday and the first of the month.
	d.now = time.Date(2026, 11, 23, 8, 10, 0, 0, time.UTC)
	d.catch(2) // daily and weekly
	d.now = time.Date(2026, 12, 1, 8, 5, 0, 0, time.UTC)
	d.reopen()
	d.catch(3) // daily, the weekly of the day before, monthly
	d.now = time.Date(2027, 1, 20, 3, 0, 0, 0, time.UTC)
	d.reopen()
	d.catch(3) // each once, however many were missed
	d.catch(0)
	if got := d.l.Reports(checklist.Daily); strings.Join(got, " ") != "daily-2027-01-19 daily-2026-12-01 daily-2026-11-23 daily-2026-11-21" {
		t.Errorf("%q", got)
	}
}

func TestCardTellsWhatIsRed(t *testing.T) {
	d := open(t)
	from := d.now.Add(-time.Hour)
	still := func(v float64) func(time.Time) float64 { return func(time.Time) float64 { return v } }
	d.f.Put(from, d.now, 15*time.Second, still(1), "up", "job", "host")
	d.f.Put(from, d.now, 15*time.Second, still(0), "up", "job", "chat")
	d.f.Put(from, d.now, 15*time.Second, still(1), "ALERTS", "alertname", "HighDiskUsage", "alertstate", "firing")
	d.f.Put(from, d.now, 15*time.Second, still(100), "node_filesystem_size_bytes", "mountpoint", "/data")
	d.f.Put(from, d.now, 15*time.Second, still(3), "node_filesystem_avail_bytes", "mountpoint", "/data")
	d.f.Put(from, d.now, 15*time.Second, still(3), "node_filesystem_free_bytes", "mountpoint", "/data")
	r, err := d.l.Now(context.Background(), checklist.Daily)
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != health.Bad || !d.red || len(d.cards) != 1 {
		t.Fatalf("%+v", r)
	}
	for _, want := range []string{"❌", "chat", "HighDiskUsage", "/data 97 %", "/admin/alerts?name=HighDiskUsage", "2026-11-20"} {
		if !strings.Contains(d.cards[0].EN, want) || !strings.Contains(d.cards[0].ZH, want) {
			t.Errorf("%q is not in %s", want, d.cards[0])
		}
	}
	kept, err := d.l.Report(r.ID)
	if err != nil || kept.Posted.IsZero() || !d.l.Verify(kept) {
		t.Fatalf("%+v, %v", kept, err)
	}
	kept.Items[0].Status = health.Good
	if d.l.Verify(kept) {
		t.Error("a changed report passes for the box's own")
	}
	if _, err := d.l.Report("daily-../../x"); !errors.Is(err, checklist.ErrNoReport) {
		t.Errorf("%v", err)
	}
}

func TestWhatCannotBeCheckedSaysSo(t *testing.T) {
	d := open(t)
	r, err := d.l.Now(context.Background(), checklist.Monthly)
	if err != nil || r.Status != health.Unknown {
		t.Errorf("%+v, %v", r, err)
	}
	last := r.Items[len(r.Items)-1]
	if last.ID != "accounts" || last.Status != health.Unknown || !strings.Contains(last.Text.EN, "no list") {
		t.Errorf("%+v", last)
	}
}

func TestARunThatWasNotPostedIsPostedLater(t *testing.T) {
	d := open(t)
	d.shut = errors.New("read-only")
	d.now = d.now.AddDate(0, 0, 1)
	d.catch(0)
	d.shut = nil
	d.now = d.now.Add(time.Hour)
	d.reopen()
	d.catch(1)
	d.catch(0)
}
