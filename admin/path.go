package admin

import (
	"context"
	"fmt"
	"math"
	"time"

	"posthouse/sysmon/probe"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// Path is whether messages get from one person to another: what the virtual
// users found last, and what becomes of people's own messages. Either can be
// missing.
type Path struct {
	Level  console.Level // Neutral: nobody knows
	Says   words.Text
	At     time.Time // of the last round of the virtual users; zero: there is none
	Took   time.Duration
	Probed bool // virtual users make rounds
	// What people did in the last five minutes; NaN: not known yet.
	Sent      float64 // messages a minute
	Delivered float64 // to connected devices, a minute
	Arrived   float64 // share of those that were confirmed, 0 to 1; NaN: there were none
	Median    float64 // seconds from sending to the confirmation; NaN: there were none
	Full      bool    // the storage takes nothing
}

const (
	arrivedWell  = 0.99
	arrivedSome  = 0.5
	arrivedLeast = 5.0 // deliveries a minute, below which a share says little
	medianSlow   = 0.8 // seconds
)

// Path reads the figures of people's messages and judges them with the light
// of the virtual users, which is nil where they make no rounds.
func (f *Figures) Path(ctx context.Context, light *probe.Light) Path {
	p := keep(f, &f.paths, figuresLast, func(at time.Time) Path {
		return Path{Sent: 60 * f.one(ctx, `sum(rate(im_messages_sent_total[5m]))`, at), Delivered: 60 * f.one(ctx, `sum(rate(im_deliveries_total[5m]))`, at),
			Arrived: f.one(ctx, `sum(rate(im_delivery_acks_total[5m])) / (sum(rate(im_deliveries_total[5m])) > 0)`, at),
			Median:  f.one(ctx, `histogram_quantile(0.5, sum by (le) (rate(im_delivery_latency_seconds_bucket[5m])))`, at),
			Full:    f.one(ctx, `max(im_storage_read_only)`, at) > 0}
	})
	p.judge(light)
	return p
}

// judge takes the graver of what people and virtual users see.
func (p *Path) judge(light *probe.Light) {
	p.Level, p.Says = p.people()
	if light == nil {
		if p.Level == console.Neutral {
			p.Says = words.Of(p.Says.EN+" The virtual users are off, so nobody else tries.", p.Says.ZH+"虚拟用户已关闭，没有其他探测。")
		}
		return
	}
	p.Probed, p.At, p.Took = true, light.At, light.EndToEnd
	level, says := console.Neutral, words.Of("The virtual users have not made a round lately.", "虚拟用户最近没有完成探测。")
	switch light.State {
	case probe.LightWell:
		level, says = console.Good, words.Of("The virtual users logged in, sent and received.", "虚拟用户登录、发送、接收均成功。")
	case probe.LightSlow:
		level, says = console.Warning, words.Of("The virtual users can talk, but it takes long.", "虚拟用户可以聊天，但较慢。")
	case probe.LightSick:
		level, says = console.Critical, words.Of(fmt.Sprintf("The virtual users cannot talk: the step “%s” fails: %s", light.Failed, light.Err),
			fmt.Sprintf("虚拟用户无法聊天：“%s”失败：%s", light.Failed, light.Err))
	}
	switch {
	case level == console.Neutral && p.Level != console.Neutral:
		// People know better.
	case gravity(level) > gravity(p.Level) || p.Level == console.Neutral || p.Level == console.Good:
		p.Level, p.Says = level, says
	}
}

// people is what their own messages tell.
func (p *Path) people() (console.Level, words.Text) {
	lost := func() words.Text {
		text := fmt.Sprintf("%.1f %%", 100*p.Arrived)
		return words.Of("Of what was sent to connected devices, only "+text+" was confirmed.", "发往在线设备的消息只有 "+text+" 得到确认。")
	}
	counts := p.Delivered >= arrivedLeast && !math.IsNaN(p.Arrived)
	switch {
	case p.Full:
		return console.Critical, words.Of("The storage is read-only: nobody can send.", "存储为只读：无法发送消息。")
	case counts && p.Arrived < arrivedSome:
		return console.Critical, lost()
	case counts && p.Arrived < arrivedWell:
		return console.Serious, lost()
	case p.Median > medianSlow:
		return console.Warning, words.Of(fmt.Sprintf("Half of the messages take longer than %.1f s.", p.Median), fmt.Sprintf("半数消息的投递超过 %.1f 秒。", p.Median))
	case p.Delivered > 0 && !math.IsNaN(p.Arrived):
		return console.Good, words.Of("What people send arrives.", "消息正常到达。")
	case p.Sent > 0:
		return console.Neutral, words.Of("Messages are stored; nobody else is connected to receive them.", "消息已存储，没有其他在线设备接收。")
	case math.IsNaN(p.Sent):
		return console.Neutral, words.Of("There are no figures yet.", "还没有数据。")
	}
	return console.Neutral, words.Of("Nobody wrote in the last five minutes.", "最近五分钟没有人发送消息。")
}

// check is the path as one of the checks.
func (p Path) check() Check {
	return Check{ID: "probe", Title: words.Of("Messages get through", "消息可以送达"), Level: p.Level, Detail: p.Says,
		Trouble: words.Of("Messages do not get through", "消息无法送达"), Href: "/admin/probes", Cure: words.Of("Look", "查看")}
}

// pathView is the path on the page.
func pathView(v console.View, p Path) console.Path {
	figure := func(f float64, u Unit, per string) string {
		value, unit := write(v, f, u)
		if u == Plain && !math.IsNaN(f) {
			unit = per
		}
		return value + unit
	}
	perMinute := v.Say("/min", "/分钟")
	out := console.Path{Level: p.Level, Says: v.In(p.Says), At: p.At, Probed: p.Probed, Sent: figure(p.Sent, Plain, perMinute), Delivered: figure(p.Delivered, Plain, perMinute),
		Arrived: figure(p.Arrived, Ratio, ""), Median: figure(p.Median, Seconds, "")}
	if p.Took > 0 {
		out.Took = v.Span(p.Took)
	}
	return out
}
