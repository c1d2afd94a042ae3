package probe

import (
	"bytes"
	"io"
	"time"

	"posthouse/sysmon/expo"
	"posthouse/sysmon/words"
)

// Families describe what Write writes, for the metric dictionary.
func (p *Prober) Families() []expo.Family {
	f := func(name, unit, help, zh, normal, normalZH, action, actionZH string) expo.Family {
		return expo.Family{Name: name, Labels: labelsOf(name), Type: "gauge", Unit: unit, Source: "the prober", Help: words.Of(help, zh), Normal: words.Of(normal, normalZH), Action: words.Of(action, actionZH)}
	}
	look := []string{"Open the probe: its last error says which step failed.", "打开该探测：最后的错误说明了失败的步骤。"}
	cert := []string{"Renew the certificate.", "更新证书。"}
	there := []string{"Look at the switch, firewall or access point of that subnet.", "检查该子网的交换机、防火墙或无线接入点。"}
	return []expo.Family{
		f("probe_success", "", "1: the last run of the check went well.", "1：最近一次探测成功。", "1", "1", look[0], look[1]),
		f("probe_duration_seconds", "seconds", "How long the last run of the check took.", "最近一次探测的用时。", "steady", "平稳", look[0], look[1]),
		f("probe_step_duration_seconds", "seconds", "How long a step of the last run took.", "最近一次探测中各步骤的用时。", "steady", "平稳", look[0], look[1]),
		f("probe_end_to_end_seconds", "seconds", "From send to received, in the last round of the virtual users.", "虚拟用户最近一轮中从发送到收到的用时。", "below 0.2", "低于 0.2", look[0], look[1]),
		f("probe_ssl_earliest_cert_expiry", "seconds", "When the certificate that was shown ends, since 1970.", "所出示证书的到期时间（自 1970 年起）。", "more than 30 days ahead", "30 天以后", cert[0], cert[1]),
		f("posthouse_message_path", "", "1: messages get through; 0.5: slowly; 0: not. Absent while nothing is known.", "1：消息可达；0.5：缓慢；0：不可达。未知时不存在。", "1", "1", look[0], look[1]),
		f("posthouse_subnets", "", "Subnets that a reporting machine is set up for.", "已设置上报机器的子网数。", "as many as there are", "与实际一致", there[0], there[1]),
		f("posthouse_subnet_sick", "", "1: people in this subnet cannot talk while the server itself is well.", "1：服务器正常，但该子网内无法通信。", "0", "0", there[0], there[1]),
		f("posthouse_subnet_arrival_ratio", "ratio", "Share of rounds from this subnet that went through in the last hour.", "最近一小时该子网探测轮次的成功比例。", "1", "1", there[0], there[1]),
		f("posthouse_subnet_end_to_end_seconds", "seconds", "From send to received, newest round from this subnet that went through.", "该子网最近一次成功轮次中从发送到收到的用时。", "below 0.5", "低于 0.5", there[0], there[1]),
		f("posthouse_subnet_last_report_timestamp_seconds", "seconds", "When this subnet reported last, since 1970.", "该子网最近一次上报的时间（自 1970 年起）。", "less than two minutes ago", "两分钟以内", there[0], there[1]),
	}
}

// labelsOf are the labels of a family.
func labelsOf(name string) []string {
	switch name {
	case "probe_success", "probe_duration_seconds":
		return []string{"kind", "probe"}
	case "probe_step_duration_seconds":
		return []string{"probe", "step"}
	case "probe_end_to_end_seconds":
		return []string{"probe"}
	case "probe_ssl_earliest_cert_expiry":
		return []string{"probe", "own"} // own="yes": of this box
	case "im_certificate_expiry_timestamp_seconds", "posthouse_message_path", "posthouse_subnets":
		return nil
	}
	return []string{"agent", "subnet"}
}

// sheet writes families; one without samples leaves no trace.
type sheet struct {
	buf      bytes.Buffer
	families map[string]expo.Family
	begun    string
}

func (s *sheet) put(name string, v float64, labels ...string) {
	if s.begun != name {
		expo.Header(&s.buf, s.families[name])
		s.begun = name
	}
	expo.Sample(&s.buf, name, v, labels...)
}

// Write is an expo.Source. A check that has not run for three intervals, or is
// switched off, has no figures.
func (p *Prober) Write(w io.Writer) {
	s := &sheet{families: map[string]expo.Family{}}
	for _, f := range p.Families() {
		s.families[f.Name] = f
	}
	p.writeProbes(s)
	switch p.Light().State {
	case LightWell:
		s.put("posthouse_message_path", 1)
	case LightSlow:
		s.put("posthouse_message_path", 0.5)
	case LightSick:
		s.put("posthouse_message_path", 0)
	}
	p.writeSubnets(s)
	_, _ = w.Write(s.buf.Bytes()) // w is memory or a connection whose end its owner sees
}

func (p *Prober) writeProbes(s *sheet) {
	var fresh []Status
	for _, x := range p.List() {
		if !x.Disabled && !x.Last.At.IsZero() && p.o.Now().Sub(x.Last.At) <= 3*x.every()+x.patience() {
			fresh = append(fresh, x)
		}
	}
	for _, x := range fresh {
		v := 0.0
		if x.Last.OK() {
			v = 1
		}
		s.put("probe_success", v, "kind", x.Kind, "probe", x.Name)
	}
	for _, x := range fresh {
		s.put("probe_duration_seconds", x.Last.Took.Seconds(), "kind", x.Kind, "probe", x.Name)
	}
	for _, x := range fresh {
		for _, step := range x.Last.Steps {
			s.put("probe_step_duration_seconds", step.Took.Seconds(), "probe", x.Name, "step", step.Name)
		}
	}
	for _, x := range fresh {
		if x.Last.EndToEnd > 0 {
			s.put("probe_end_to_end_seconds", x.Last.EndToEnd.Seconds(), "probe", x.Name)
		}
	}
	for _, x := range fresh {
		if !x.Last.Expires.IsZero() {
			labels := []string{"probe", x.Name}
			if x.Own {
				labels = append(labels, "own", "yes")
			}
			s.put("probe_ssl_earliest_cert_expiry", float64(x.Last.Expires.Unix()), labels...)
		}
	}
}

func (p *Prober) writeSubnets(s *sheet) {
	all := p.Subnets()
	s.put("posthouse_subnets", float64(len(all)))
	for _, x := range all {
		if x.State != Waiting {
			v := 0.0
			if x.Sick() {
				v = 1
			}
			s.put("posthouse_subnet_sick", v, "agent", x.Agent, "subnet", x.Name)
		}
	}
	for _, x := range all {
		if x.Rounds > 0 {
			s.put("posthouse_subnet_arrival_ratio", x.Arrived, "agent", x.Agent, "subnet", x.Name)
		}
	}
	for _, x := range all {
		if newest := x.newest(); newest > 0 {
			s.put("posthouse_subnet_end_to_end_seconds", newest.Seconds(), "agent", x.Agent, "subnet", x.Name)
		}
	}
	for _, x := range all {
		if !x.At.IsZero() {
			s.put("posthouse_subnet_last_report_timestamp_seconds", float64(x.At.Unix()), "agent", x.Agent, "subnet", x.Name)
		}
	}
}

// newest is from end to end, in the newest minute that went through.
func (s Subnet) newest() time.Duration {
	for i := len(s.Cells) - 1; i >= 0; i-- {
		if s.Cells[i].EndToEnd > 0 {
			return s.Cells[i].EndToEnd
		}
	}
	return 0
}
