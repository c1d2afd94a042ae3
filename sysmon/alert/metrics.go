package alert

import (
	"io"
	"maps"
	"slices"
	"sort"
	"sync"

	"posthouse/sysmon/expo"
	"posthouse/sysmon/words"
)

// counters count what left the box.
type counters struct {
	mu   sync.Mutex
	list map[[3]string]float64 // family, channel, result
}

func newCounters() *counters { return &counters{list: map[[3]string]float64{}} }

func (c *counters) add(family, channel, result string, n float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list[[3]string{family, channel, result}] += n
}

func (c *counters) sent(channel string, err error) {
	result := "ok"
	if err != nil {
		result = "error"
	}
	c.add("posthouse_notifications_total", channel, result, 1)
}

// Families describes the metrics of this package.
func (m *Manager) Families() []expo.Family {
	source := "sysmon/alert"
	return []expo.Family{
		{Name: "posthouse_notifications_total", Type: "counter", Labels: []string{"channel", "result"}, Help: words.Of("Messages to a channel, by what became of them", "各渠道发出的通知数，按结果区分"),
			Normal: words.Of("no errors", "没有 error"), Action: words.Of("Test the channel in the console", "在控制台测试该渠道"), Source: source},
		{Name: "posthouse_alerts_refused_total", Type: "counter", Help: words.Of("Alerts not taken because too many fire", "因触发过多而未接收的告警数"),
			Normal: words.Of("0", "0"), Action: words.Of("Look for a rule without limits", "检查是否有规则产生过多告警"), Source: source},
		{Name: "posthouse_alerts_firing", Type: "gauge", Labels: []string{"severity"}, Help: words.Of("Alerts that fire, by severity", "正在触发的告警数，按级别区分"),
			Normal: words.Of("0", "0"), Action: words.Of("Open the list of alerts", "打开告警列表"), Source: source},
		{Name: "posthouse_heartbeat_last_success_timestamp_seconds", Type: "gauge", Unit: "seconds", Help: words.Of("When the last heartbeat out was taken; 0: never", "上次对外心跳成功的时间；0 表示从未成功"),
			Normal: words.Of("within its interval", "在设定的间隔之内"), Action: words.Of("Test the channel of the heartbeat", "测试心跳渠道"), Source: source},
	}
}

// Write writes them in the text format.
func (m *Manager) Write(w io.Writer) {
	f := m.Families()
	values := map[[3]string]float64{}
	for _, c := range m.Channels() { // from zero on, so that the first failure is an increase
		values[[3]string{f[0].Name, c.Name, "ok"}], values[[3]string{f[0].Name, c.Name, "error"}] = 0, 0
	}
	m.count.mu.Lock()
	for k, v := range m.count.list {
		values[k] = v
	}
	m.count.mu.Unlock()
	keys := slices.Collect(maps.Keys(values))
	sort.Slice(keys, func(i, j int) bool { return keys[i][1]+"\x00"+keys[i][2] < keys[j][1]+"\x00"+keys[j][2] })
	expo.Header(w, f[0])
	for _, k := range keys {
		if k[0] == f[0].Name {
			expo.Sample(w, k[0], values[k], "channel", k[1], "result", k[2])
		}
	}
	expo.Header(w, f[1])
	expo.Sample(w, f[1].Name, values[[3]string{f[1].Name, "", ""}])
	firing := m.Firing()
	expo.Header(w, f[2])
	for _, s := range Severities() {
		expo.Sample(w, f[2].Name, float64(firing[s]), "severity", s)
	}
	last := 0.0
	if b := m.Heartbeat(); !b.Sent.IsZero() {
		last = float64(b.Sent.UnixMilli()) / 1000
	}
	expo.Header(w, f[3])
	expo.Sample(w, f[3].Name, last)
}
