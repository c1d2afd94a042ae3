package rule

import (
	"fmt"
	"math"
	"time"
)

func chatScenarios() []scenario {
	bucket := func(le string, p ...phase) input {
		return count(`im_delivery_latency_seconds_bucket{instance="box",le="`+le+`"}`, p...)
	}
	// latencies of 10 deliveries a second: all below 0.5 s, or a share below 0.5, the rest up to the last bound
	spread := func(share ...phase) []input {
		var under, all []phase
		for _, p := range share {
			under, all = append(under, phase{p.long, 10 * p.v}), append(all, phase{p.long, 10})
		}
		return []input{bucket("0.5", under...), bucket("1", under...), bucket("5", under...), bucket("10", all...), bucket("+Inf", all...)}
	}
	deliveries, acks := `im_deliveries_total{instance="box"}`, `im_delivery_acks_total{instance="box"}`
	live := `connections_active{instance="box"}`
	return []scenario{
		{alert: "HighDeliveryLatency", cause: spread(phase{10 * m, 1}, phase{6 * m, 0.1}, phase{10 * m, 1}), quiet: 12 * m, fires: 14 * m, ends: 18 * m,
			below: spread(phase{10 * m, 1}, phase{10 * m, 0.51}), short: spread(phase{10 * m, 1}, phase{m, 0.1}, phase{10 * m, 1})},
		{alert: "MessageDeliveryDelayed", cause: spread(phase{10 * m, 1}, phase{10 * m, 0.8}, phase{10 * m, 1}), quiet: 15 * m, fires: 17 * m, ends: 25 * m,
			below: spread(phase{10 * m, 1}, phase{20 * m, 0.96}), short: spread(phase{10 * m, 1}, phase{30 * time.Second, 0}, phase{m, 1}, phase{10 * m, 1}, phase{10 * m, 1})},
		// A muted client: 10 of 100 deliveries a second are not acknowledged any more.
		{alert: "LowArrivalRate", cause: []input{count(deliveries, phase{40 * m, 100}), count(acks, phase{10 * m, 100}, phase{5 * m, 90}, phase{25 * m, 100})}, quiet: 10 * m, fires: 10*m + 45*time.Second, ends: 21 * m,
			below: []input{count(deliveries, phase{40 * m, 100}), count(acks, phase{10 * m, 100}, phase{30 * m, 99.91})},
			// Three of thirty are missing: too few to tell.
			short: []input{count(deliveries, phase{40 * m, 0.1}), count(acks, phase{10 * m, 0.1}, phase{m, 0.05}, phase{29 * m, 0.1})}},
		{alert: "ConnectionsDropped", cause: []input{level(live, phase{30 * m, 100}, phase{4 * m, 70}, phase{30 * m, 100})}, quiet: 30 * m, fires: 30*m + 30*time.Second, ends: 40 * m,
			below: []input{level(live, phase{30 * m, 100}, phase{30 * m, 81})}, short: []input{level(live, phase{30 * m, 100}, phase{15 * time.Second, 10}, phase{30 * m, 100})}},
		// The office empties at the same minutes as a week ago.
		{alert: "ConnectionsDropped", step: 5 * m, learnt: 9 * day, cause: []input{{series: live, steps: []string{"100+0x1999 100-10x9 10+0x20 100+0x2000 100+0x3 40+0x20"}}},
			quiet: time.Duration(2000+10+21+1900) * 5 * m, fires: time.Duration(2000+10+21+2001+4)*5*m + 5*m, ends: time.Duration(2000+10+21+2001+4+10) * 5 * m,
			below: []input{{series: live, steps: []string{"100+0x1999 100-10x9 10+0x199 100+0x1805 100-10x9 10+0x20"}}}},
	}
}

// dayCycle is two weeks and more of connections: 20 at night, 220 by day, with
// a little noise, every 5 minutes; then edit changes single samples.
func dayCycle(days int, edit func(at time.Duration, v float64) float64) []string {
	var out []string
	for at := time.Duration(0); at < time.Duration(days)*day; at += 5 * m {
		hour := math.Mod(at.Hours(), 24)
		v := 20 + 200*math.Max(0, math.Sin((hour-4)/16*math.Pi))
		v += 4 * math.Sin(float64(at/(5*m))*1.7)
		out = append(out, fmt.Sprintf("%.0f", edit(at, v)))
	}
	return out
}

func businessScenarios() []scenario {
	people, sent := `im_active_users_total{instance="box"}`, `im_messages_sent_total{instance="box"}`
	live, joined := `connections_active{instance="box"}`, `im_registrations_total{instance="box"}`
	spike := func(from, to time.Duration, level float64) []input {
		return []input{{series: live, steps: dayCycle(9, func(at time.Duration, v float64) float64 {
			if at >= 8*day+from && at < 8*day+to {
				return level
			}
			return v
		})}}
	}
	workdays := func(last float64) []input { // 50 people from 8 to 18, otherwise 5; the last day differs
		var s []string
		for at := time.Duration(0); at < 8*day; at += 5 * m {
			hour := math.Mod(at.Hours(), 24)
			v := 5.0
			if hour >= 8 && hour < 18 {
				v = 50
				if at >= 7*day && hour >= 10 && hour < 12 {
					v = last
				}
			}
			s = append(s, fmt.Sprintf("%.0f", v))
		}
		return []input{{series: people, steps: s}}
	}
	return []scenario{
		{alert: "LowActiveUsers", step: 5 * m, cause: workdays(8), quiet: 7*day + 10*h + 20*m, fires: 7*day + 10*h + 35*m, ends: 7*day + 12*h + 5*m,
			below: workdays(10), short: []input{{series: people, steps: []string{"5+0x2300"}}}},
		{alert: "MessagesFew", step: 5 * m, cause: []input{count(sent, phase{week + h, 0.1}, phase{2 * h, 0.01}, phase{2 * h, 0.1})}, quiet: week + h + 15*m, fires: week + 2*h, ends: week + 4*h,
			below: []input{count(sent, phase{week + h, 0.1}, phase{2 * h, 0.04})}, short: []input{count(sent, phase{week + h, 0.02}, phase{2 * h, 0})}},
		{alert: "RegistrationsFew", step: 30 * m, cause: []input{count(joined, phase{10 * day, 10.0 / 86400}, phase{30 * h, 0}, phase{day, 20.0 / 86400})}, quiet: 10*day + 20*h, fires: 10*day + 26*h, ends: 10*day + 40*h,
			below: []input{count(joined, phase{10 * day, 4.0 / 86400}, phase{30 * h, 0})}, short: []input{count(joined, phase{10 * day, 10.0 / 86400}, phase{20 * h, 0}, phase{day, 10.0 / 86400})}},
		// 200 connections at three in the morning are unusual, at ten they are usual.
		{alert: "ConnectionsUnusual", step: 5 * m, from: 8 * day, coarse: 15 * m, cause: spike(3*h, 4*h, 200), quiet: 8*day + 3*h, fires: 8*day + 3*h + 30*m, ends: 8*day + 4*h + 15*m,
			below: spike(10*h, 11*h, 200), short: spike(3*h, 3*h+10*m, 200)},
	}
}

func probeScenarios() []scenario {
	probe := func(name, kind string, p ...phase) []input {
		return []input{level(`probe_success{instance="box",probe="`+name+`",kind="`+kind+`"}`, p...)}
	}
	cert := func(days ...phase) []input {
		var p []phase
		for _, d := range days {
			p = append(p, phase{d.long, d.v * 86400})
		}
		return []input{level(`probe_ssl_earliest_cert_expiry{instance="box",probe="web"}`, p...)}
	}
	// The own certificate ends in 2 days. It is renewed 16 hours before that, or should have been.
	renewed := func(renewAt float64) []input {
		return []input{level(`probe_ssl_earliest_cert_expiry{instance="box",probe="certificate",own="yes"}`, phase{20 * h, 2 * 86400}),
			level(`im_certificate_expiry_timestamp_seconds{instance="box"}`, phase{20 * h, 2 * 86400}), level(`im_certificate_renewal_timestamp_seconds{instance="box"}`, phase{20 * h, renewAt})}
	}
	subnet := func(name string, p ...phase) input {
		return level(`posthouse_subnet_sick{instance="box",agent="`+name+`",subnet="`+name+`"}`, p...)
	}
	subnets := level(`posthouse_subnets{instance="box"}`, phase{20 * m, 2})
	score := `posthouse_health_score{instance="box"}`
	fails := []phase{{5 * m, 1}, {4 * m, 0}, {5 * m, 1}}
	once := []phase{{5 * m, 1}, {m, 0}, {5 * m, 1}}
	return []scenario{
		{alert: "HealthCheckFailed", cause: probe("health", "http", fails...), quiet: 6*m + 45*time.Second, fires: 7 * m, ends: 9 * m, below: probe("web", "http", fails...), short: probe("health", "http", once...)},
		{alert: "ChatProbeFailed", cause: probe("loop", "chat", fails...), quiet: 6*m + 45*time.Second, fires: 7 * m, ends: 9 * m, below: probe("web", "http", fails...), short: probe("loop", "chat", once...)},
		{alert: "ProbeFailed", cause: probe("dns", "dns", fails...), quiet: 6*m + 45*time.Second, fires: 7 * m, ends: 9 * m, below: probe("loop", "chat", fails...), short: probe("dns", "dns", once...)},
		{alert: "LowHealthScore", cause: []input{level(score, phase{5 * m, 90}, phase{4 * m, 59}, phase{5 * m, 90})}, quiet: 6*m + 45*time.Second, fires: 7 * m, ends: 9 * m,
			below: []input{level(score, phase{20 * m, 60})}, short: []input{level(score, phase{5 * m, 90}, phase{m, 10}, phase{5 * m, 90})}},
		{alert: "SubnetUnreachable", cause: []input{subnets, subnet("hall 2", phase{5 * m, 0}, phase{4 * m, 1}, phase{5 * m, 0}), subnet("office", phase{20 * m, 0})}, quiet: 6*m + 45*time.Second, fires: 7 * m, ends: 9 * m,
			below: []input{subnets, subnet("office", phase{20 * m, 0})}, short: []input{subnets, subnet("hall 2", phase{5 * m, 0}, phase{m, 1}, phase{5 * m, 0})}},
		// The clock of these tests begins at 0, so that the time of expiry is the time left and a little.
		{alert: "CertificateExpiresSoon", severity: "warning", step: m, cause: cert(phase{h, 60}, phase{2 * h, 29}, phase{h, 60}), quiet: h + 59*m, fires: 2*h + m, ends: 3 * h, below: cert(phase{3 * h, 31}), short: cert(phase{3 * h, 13})},
		{alert: "CertificateExpiresSoon", severity: "serious", step: m, cause: cert(phase{h, 60}, phase{2 * h, 13}, phase{h, 60}), quiet: h + 59*m, fires: 2*h + m, ends: 3 * h, below: cert(phase{3 * h, 15}), short: cert(phase{3 * h, 2})},
		{alert: "CertificateExpiresSoon", severity: "critical", step: m, cause: cert(phase{h, 60}, phase{2 * h, 2}, phase{h, 60}), quiet: h, fires: h + m, ends: 3 * h, below: cert(phase{3 * h, 4})},
		{alert: "CertificateExpiresSoon", severity: "critical", step: m, cause: []input{level(`probe_ssl_earliest_cert_expiry{instance="box",probe="web"}`, phase{h, 60 * 86400}, phase{2 * h, 2 * 86400}, phase{h, 60 * 86400})}, quiet: h, fires: h + m, ends: 3 * h,
			below: renewed(20 * 3600)},
		{alert: "CertificateExpiresSoon", severity: "critical", step: m, cause: renewedLate(), quiet: 8 * h, fires: 8*h + 2*m, ends: 12*h + 10*m},
	}
}

// renewedLate is a certificate that was to be renewed after two hours, and was
// after twelve.
func renewedLate() []input {
	return []input{level(`probe_ssl_earliest_cert_expiry{instance="box",own="yes"}`, phase{12 * h, 2 * 86400}, phase{3 * h, 4 * 86400}),
		level(`im_certificate_renewal_timestamp_seconds{instance="box"}`, phase{12 * h, 2 * 3600}, phase{3 * h, 30 * 3600})}
}

func watchScenarios() []scenario {
	refused := `posthouse_store_series_refused_total{instance="box"}`
	failed, sent := `posthouse_notifications_total{instance="box",channel="mail",result="error"}`, count(`posthouse_notifications_total{instance="box",channel="mail",result="ok"}`, phase{2 * h, 1})
	behind, taken := level(`posthouse_remote_write_behind_seconds{instance="box"}`, phase{2 * h, 900}), `posthouse_remote_write_requests_total{instance="box",result="ok"}`
	return []scenario{
		{alert: "CardinalityCapReached", cause: []input{count(refused, phase{15 * m, 0}, phase{m, 10}, phase{30 * m, 0})}, quiet: 15 * m, fires: 15*m + 30*time.Second, ends: 27 * m,
			below: []input{count(refused, phase{30 * m, 0})}},
		{alert: "NotificationsFailing", cause: []input{sent, count(failed, phase{15 * m, 0}, phase{m, 0.1}, phase{30 * m, 0})}, quiet: 15 * m, fires: 16 * m, ends: 27 * m,
			below: []input{sent, count(failed, phase{15 * m, 0}, phase{15 * time.Second, 2.0 / 15}, phase{30 * m, 0})}},
		{alert: "RemoteWriteFailing", cause: []input{behind, count(taken, phase{20 * m, 1.0 / 15}, phase{25 * m, 0}, phase{20 * m, 1.0 / 15})}, quiet: 39 * m, fires: 40 * m, ends: 46 * m,
			below: []input{behind, count(taken, phase{h, 1.0 / 600})}, short: []input{behind, count(taken, phase{20 * m, 1.0 / 15}, phase{18 * m, 0}, phase{20 * m, 1.0 / 15})}},
	}
}
