package admin

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"posthouse/sysmon/health/healthtest"
	"posthouse/sysmon/probe"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// The light of the message path: what the virtual users and what people see,
// the graver of the two; without virtual users what people see alone.
func TestLightOfTheMessagePath(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	well, slow := &probe.Light{State: probe.LightWell, At: now, EndToEnd: 40 * time.Millisecond}, &probe.Light{State: probe.LightSlow, At: now, EndToEnd: 3 * time.Second}
	sick, quiet := &probe.Light{State: probe.LightSick, At: now, Failed: "socket", Err: "refused"}, &probe.Light{State: probe.LightUnknown}
	type flow struct{ sent, delivered, confirmed, seconds, readOnly float64 } // a second; the last two as they are
	busy := flow{sent: 1, delivered: 2, confirmed: 2, seconds: 0.05}
	for name, c := range map[string]struct {
		flow  flow
		light *probe.Light
		want  console.Level
		says  string
	}{
		"all is well":                               {busy, well, console.Good, "virtual users logged in"},
		"people talk, the virtual users are off":    {busy, nil, console.Good, "What people send arrives"},
		"nobody writes, the virtual users are off":  {flow{}, nil, console.Neutral, "virtual users are off"},
		"nobody writes, the virtual users are well": {flow{}, well, console.Good, "virtual users logged in"},
		"the virtual users did not come round":      {busy, quiet, console.Good, "What people send arrives"},
		"the virtual users cannot talk":             {busy, sick, console.Critical, "socket"},
		"the virtual users are slow":                {busy, slow, console.Warning, "takes long"},
		"some is lost, the virtual users are well":  {flow{1, 2, 1.9, 0.05, 0}, well, console.Serious, "95.0 %"},
		"most is lost":                              {flow{1, 2, 0.5, 0.05, 0}, nil, console.Critical, "25.0 %"},
		"people wait":                               {flow{1, 2, 2, 3, 0}, nil, console.Warning, "longer"},
		"nothing can be stored":                     {flow{0, 0, 0, 0, 1}, nil, console.Critical, "read-only"},
		"a lone writer":                             {flow{sent: 1}, nil, console.Neutral, "nobody else is connected"},
	} {
		t.Run(name, func(t *testing.T) {
			stored := healthtest.New(t)
			from := now.Add(-10 * time.Minute)
			put := func(perSecond float64, name string, labels ...string) {
				stored.Put(from, now, 15*time.Second, func(at time.Time) float64 { return at.Sub(from).Seconds() * perSecond }, name, labels...)
			}
			put(c.flow.sent, "im_messages_sent_total")
			put(c.flow.delivered, "im_deliveries_total")
			put(c.flow.confirmed, "im_delivery_acks_total")
			for le, seconds := range map[string]float64{"0.1": 0.1, "1": 1, "5": 5, "+Inf": 1e9} {
				if perSecond := 0.0; c.flow.confirmed > 0 {
					if c.flow.seconds <= seconds {
						perSecond = c.flow.confirmed
					}
					put(perSecond, "im_delivery_latency_seconds_bucket", "le", le)
				}
			}
			stored.Put(from, now, 15*time.Second, func(time.Time) float64 { return c.flow.readOnly }, "im_storage_read_only")
			p := NewFigures(stored, nil, func() time.Time { return now }, slog.New(slog.DiscardHandler)).Path(t.Context(), c.light)
			if p.Level != c.want || !strings.Contains(p.Says.EN, c.says) || p.Says.ZH == "" {
				t.Errorf("%s: %q, want %s: %q", p.Level, p.Says.EN, c.want, c.says)
			}
			if p.Probed != (c.light != nil) {
				t.Errorf("virtual users: %v", p.Probed)
			}
		})
	}
}

// What two found about the same thing is one check, the graver one.
func TestChecksAreMerged(t *testing.T) {
	check := func(id string, l console.Level, href string) Check {
		return Check{ID: id, Level: l, Href: href, Title: words.Of(id, id)}
	}
	got := Merge([]Check{check("store", console.Good, ""), check("disk", console.Good, ""), check("probe", console.Neutral, "")},
		[]Check{check("store", console.Neutral, "/a"), check("disk", console.Warning, "/b"), check("probe", console.Good, "/c"), check("writer", console.Good, "/d")})
	want := []Check{check("store", console.Good, "/a"), check("disk", console.Warning, "/b"), check("probe", console.Good, "/c"), check("writer", console.Good, "/d")}
	if len(got) != len(want) {
		t.Fatalf("%+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%+v, want %+v", got[i], want[i])
		}
	}
}
