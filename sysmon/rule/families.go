package rule

import (
	"posthouse/sysmon/expo"
	"posthouse/sysmon/words"
)

// Families describe what evaluation records, for the metric dictionary.
func (m *Manager) Families() []expo.Family {
	gauge := func(name string, help, normal, action words.Text, labels ...string) expo.Family {
		return expo.Family{Name: name, Type: "gauge", Labels: labels, Source: "sysmon/rule", Help: help, Normal: normal, Action: action}
	}
	none, time := words.Of("None.", "无需处理。"), words.Of("As the time of day has it.", "与当天时段相符。")
	return []expo.Family{
		gauge("ALERTS", words.Of("1 while an alert is pending or fires. It has the labels of the alert too.", "告警待触发或触发期间为 1，并带有告警自身的标签。"),
			words.Of("Absent.", "不存在。"), words.Of("Open the list of alerts.", "打开告警列表。"), "alertname", "alertstate", "severity", "subject"),
		gauge("ALERTS_FOR_STATE", words.Of("Since when the condition of an alert holds, in seconds since 1970.", "告警条件自何时起成立（自 1970 年起的秒数）。"),
			words.Of("Absent.", "不存在。"), words.Of("Open the list of alerts.", "打开告警列表。"), "alertname", "severity", "subject"),
		gauge(stateMetric, words.Of("1 while a rule has no data or cannot be evaluated.", "规则无数据或无法评估期间为 1。"),
			words.Of("Absent, but for what this machine does not have, such as sensors.", "不存在；本机没有的部件（如传感器）除外。"), words.Of("Open the rule: it says why.", "打开该规则查看原因。"), "rule", "state"),
		gauge("instance:connections_active:sum", words.Of("Connections, recorded by a rule.", "连接数，由规则记录。"), time, none),
		gauge("instance:connections_active:ratio15m", words.Of("Connections as a share of the most in the last 15 minutes.", "当前连接数与最近 15 分钟最大值之比。"),
			words.Of("Above 0.8.", "高于 0.8。"), words.Of("See the alert ConnectionsDropped.", "参见告警 ConnectionsDropped。")),
		gauge("instance_probe:certificate_expiry:timestamp_seconds", words.Of("When a certificate ends that is not renewed in time by itself, recorded by a rule.", "未按时自动更新的证书的到期时间，由规则记录。"),
			words.Of("More than 30 days ahead.", "30 天以后。"), words.Of("See the alert CertificateExpiresSoon.", "参见告警 CertificateExpiresSoon。"), "probe"),
		gauge("instance:im_registrations:increase1d", words.Of("New accounts of a day, recorded by a rule.", "一天内的新账号数，由规则记录。"), time, none),
	}
}
