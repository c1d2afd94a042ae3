package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"posthouse/appliance/wire"
	"posthouse/sysmon/alert"
	"posthouse/sysmon/notify"
)

// rings makes an alert fire on the running server.
func (d *desk) rings(name, instance string) {
	d.t.Helper()
	err := d.server.watch.Alerts.Receive(context.Background(), []alert.Incoming{{Labels: map[string]string{"alertname": name, "severity": "serious", "instance": instance},
		Annotations: map[string]string{"summary": name + " fires", "summary_zh": name + " 触发", "value": "93 %", "threshold": "80 %"}, Start: time.Now()}})
	if err != nil {
		d.t.Fatal(err)
	}
}

// timeline is what happened to the alert of a name, oldest first.
func (d *desk) timeline(name string) (fp string, events []alert.Event) {
	d.t.Helper()
	for _, a := range d.server.watch.Alerts.Active(context.Background()) {
		if a.Name() == name {
			return a.Fingerprint, a.Events
		}
	}
	d.t.Fatalf("%s does not fire", name)
	return "", nil
}

func (d *desk) speaks(locale string) {
	d.env[0] = "LC_ALL=" + locale
}

func TestAlertsFromTheCommandLine(t *testing.T) {
	d := newDesk(t)
	d.serve()
	d.do("alerts").prints("nothing fires")
	if v := d.do("alerts", "--json").keys("alerts"); len(v["alerts"].([]any)) != 0 {
		t.Errorf("%v", v)
	}
	d.rings("HighDiskUsage", "nas")
	d.rings("FanStopped", "nas")
	d.rings("FanStopped", "ups")
	fp, _ := d.timeline("HighDiskUsage")

	list := d.do("alerts").prints("SEVERITY", "serious", "HighDiskUsage", "nas", "93 %", "80 %", "active", fp[:alertID])
	if n := strings.Count(strings.TrimSpace(list.out), "\n"); n != 3 {
		t.Errorf("%d lines below the head:\n%s", n, list.out)
	}
	first := d.do("alerts", "--json").json()["alerts"].([]any)[0].(map[string]any)
	checkKeys(t, first, "fingerprint", "episode", "name", "severity", "summary", "host", "value", "threshold", "since", "times", "state", "labels")

	d.do("alerts", "ack", "HighDiskUsage").prints("done: HighDiskUsage")
	d.do("alerts").prints("acknowledged (operator)")
	d.run("", "alerts", "ack", fp[:6]).exits(1).tells("operator has acknowledged it already")
	d.do("alerts", "comment", strings.ToUpper(fp[:8]), "a new disk is ordered").prints("done")
	d.run("", "alerts", "silence", "HighDiskUsage", "--for", "30m").exits(1).tells("say why")
	d.run("", "alerts", "silence", "HighDiskUsage", "--for", "soon", "--reason", "x").exits(2)
	d.run("", "alerts", "silence", "HighDiskUsage", "--for=-1h", "--reason", "x").exits(1).tells("in the future")
	d.run("", "alerts", "silence", "HighDiskUsage", "--from", "Saturday", "--reason", "x").exits(1).tells("write it as 2026-12-24 22:00")
	d.do("alerts", "silence", "HighDiskUsage", "--for", "30m", "--reason", "the disk comes at noon").prints("done")
	_, events := d.timeline("HighDiskUsage")
	var did []string
	for _, e := range events {
		if e.Who != "" {
			did = append(did, e.Who+" "+e.Kind+" "+e.Text)
		}
	}
	if got := strings.Join(did, ", "); got != "operator ack , operator comment a new disk is ordered, operator silenced the disk comes at noon" {
		t.Errorf("the timeline: %s", got)
	}
	audit, err := d.server.state.Audits(wire.AuditListParams{Action: "alert"})
	if err != nil || len(audit.Entries) != 3 || audit.Entries[2].Action != "alert.ack" || audit.Entries[2].Name != "operator" || audit.Entries[2].Outcome != "done" {
		t.Errorf("the audit: %+v, %v", audit.Entries, err)
	}

	d.run("", "alerts", "ack", "FanStopped").exits(1).tells("several alerts")
	d.run("", "alerts", "ack", "Nothing").exits(1).tells("no alert like Nothing")
	d.run("", "alerts", "ack", "Nothing\x1b[2J").exits(1).never("\x1b")
	d.run("", "alerts", "ack").exits(2).tells("ID|NAME")
	d.run("", "alerts", "comment", "HighDiskUsage").exits(2).tells("TEXT")
	d.run("", "alerts", "comment", "HighDiskUsage", strings.Repeat("x", 5000)).exits(1).tells("4000")
	d.run("", "alerts", "frobnicate").exits(2)

	d.looksInto(fp)

	d.speaks("zh_CN.UTF-8")
	d.do("alerts").prints("级别", "严重", "已确认", "HighDiskUsage")
	d.do("alerts", "show", "HighDiskUsage").prints("HighDiskUsage 触发", "时间线", "开始触发", "已静默", "含义")
	d.do("alerts", "history").prints("仍在触发", "摘要")
	d.do("alerts", "silences").prints("没有静默")
	d.run("", "alerts", "unsilence", "abcd").exits(1).tells("没有静默")
	begins := time.Now().AddDate(0, 0, 7)
	d.do("alerts", "silence", `instance="ups"`, "--from", begins.Format("2006-01-02T15:04"), "--for", "2h", "--reason", "停电检修").prints("已完成")
	d.do("alerts", "silences").prints("未开始", "停电检修", begins.Format("2006-01-02 15:04")+" – "+begins.Add(2*time.Hour).Format("2006-01-02 15:04"))
	d.do("alerts", "silence", `instance="nas"`, "--for", "2h", "--reason", "换盘").prints("已完成")
	d.do("alerts", "silences").prints("生效中", "换盘").never("触发中")
	d.do("alerts", "comment", "HighDiskUsage", "已下单").prints("已完成")
	d.run("", "alerts", "ack", "HighDiskUsage").exits(1).tells("已经确认过")
	d.run("", "alerts", "silence", "HighDiskUsage").exits(1).tells("请填写原因")
	d.run("", "alerts", "ack", "FanStopped").exits(1).tells("多个同名告警")
	if code := d.stop(); code != 0 {
		t.Fatal(code)
	}

	for locale, want := range map[string]string{"en_GB.UTF-8": "no server is running", "zh_CN.UTF-8": "服务器未运行"} {
		d.speaks(locale)
		for _, args := range [][]string{{"alerts"}, {"alerts", "--json"}, {"alerts", "ack", "X"}, {"alerts", "comment", "X", "y"}, {"alerts", "silence", "X", "--reason", "y"}, {"alerts", "show", "X"}, {"alerts", "unack", "X"},
			{"alerts", "assign", "X", "y"}, {"alerts", "silences"}, {"alerts", "unsilence", "abcd"}, {"alerts", "history"}} {
			if r := d.run("", args...).exits(1).tells(want); r.out != "" {
				t.Errorf("%v prints %q", args, r.out)
			}
		}
	}
}

// looksInto goes on from the terminal: shows an alert that operator has, gives
// it away and back, ends its silence, makes one by matchers, and searches.
func (d *desk) looksInto(fp string) {
	d.t.Helper()
	if list := d.do("alerts", "silences").prints("active", "operator", `instance="nas"`, "the disk comes at noon"); strings.Count(list.out, "\n") != 2 {
		d.t.Errorf("silences:\n%s", list.out)
	}
	one := d.do("alerts", "silences", "--json").json()["silences"].([]any)[0].(map[string]any)
	checkKeys(d.t, one, "id", "matchers", "start", "end", "author", "reason", "state", "affects")
	d.run("", "alerts", "unsilence", "x").exits(1).tells("there is no silence x")
	d.do("alerts", "unsilence", one["id"].(string)[:10]).prints("done")
	d.do("alerts", "silences").prints("nothing is silenced")
	d.do("alerts", "silences", "--all").prints("expired")
	d.do("alerts", "silence", `instance="ups"`, `alertname=~"Fan.*"`, "--reason", "it is moved").prints("done")
	if state := d.do("alerts").out; strings.Count(state, "silenced") != 1 {
		d.t.Errorf("silenced by matchers:\n%s", state)
	}
	made := d.do("alerts", "silences", "--json").json()["silences"].([]any)[0].(map[string]any)
	d.do("alerts", "unsilence", made["id"].(string)).prints("done")
	d.run("", "alerts", "silence", `instance=~"("`, "--reason", "x").exits(1).tells("matcher")
	d.run("", "alerts", "silence").exits(2).tells("MATCHER")

	d.do("user", "add", "ann", "--role", "owner", "--generate")
	d.run("", "alerts", "assign", "HighDiskUsage", "nobody-here").exits(1).tells("login")
	d.do("alerts", "assign", "HighDiskUsage", "ann").prints("done")
	d.do("alerts").prints("ann")
	d.do("alerts", "show", fp[:6]).prints("acknowledged (operator", "ann", "HighDiskUsage fires", "93 %", "80 %", `instance="nas"`, "what it means", "comment (operator): a new disk is ordered", "assigned to ann")
	shown := d.do("alerts", "show", "HighDiskUsage", "--json").json()
	for _, key := range []string{"fingerprint", "state", "labels", "annotations", "runbook", "means", "timeline", "assignee", "ack_by"} {
		if shown[key] == nil {
			d.t.Errorf("JSON of an alert has no %s: %v", key, shown)
		}
	}
	d.run("", "alerts", "show", "Nothing").exits(1).tells("no alert like Nothing fires or fired")
	d.run("", "alerts", "show", "FanStopped").exits(1).tells("several alerts")
	d.do("alerts", "assign", "HighDiskUsage").prints("done")
	d.do("alerts", "unack", "HighDiskUsage").prints("done")
	d.run("", "alerts", "unack", "HighDiskUsage").exits(1).tells("nobody has acknowledged it")
	d.do("alerts", "ack", "HighDiskUsage")

	if past := d.do("alerts", "history", "disk").prints("HighDiskUsage", "still firing", "operator"); strings.Contains(past.out, "FanStopped") {
		d.t.Errorf("a search finds:\n%s", past.out)
	}
	d.do("alerts", "history", "--state", "ended").prints("nothing like this fired")
	d.run("", "alerts", "history", "--state", "odd").exits(2).tells("firing or ended")
	d.run("", "alerts", "history", "--severity", "odd").exits(2).tells("critical")
	d.run("", "alerts", "history", "--limit", "0").exits(1).tells("10000")
	d.run("", "alerts", "history", "--limit", "1").exits(0).tells("there are more")
	if v := d.do("alerts", "history", "--name", "FanStopped", "--json").keys("alerts", "more"); len(v["alerts"].([]any)) != 2 {
		d.t.Errorf("%v", v)
	}
}

// A server that does not watch itself says so.
func TestAlertsOfAServerThatDoesNotWatch(t *testing.T) {
	d := newDesk(t)
	d.serveWith("--set", "watch.enabled=false")
	d.run("", "alerts").exits(1).tells("watch.enabled")
	d.speaks("zh_CN.UTF-8")
	d.run("", "alerts", "ack", "X").exits(1).tells("未启用监控")
}

// A box from the start tells the operators' room of everything, in both
// languages; what an admin changed is not undone by a restart.
func TestABoxHasAChannelFromTheStart(t *testing.T) {
	d := newDesk(t)
	d.serve()
	m := d.server.watch.Alerts
	list, p := m.Channels(), m.Plan()
	if len(list) != 1 || list[0].Kind != "room" || list[0].Lang != notify.Both || list[0].Settings["room"] != notify.OperatorsRoom {
		t.Fatalf("%+v", list)
	}
	for _, s := range alert.Severities() {
		if r := p.Routes[s]; len(r) != 1 || r[0] != list[0].ID {
			t.Errorf("%s goes to %v", s, r)
		}
	}
	if f := m.Findings(); len(f) != 1 || !strings.Contains(f[0].EN, "add a channel outside the chat") {
		t.Errorf("findings %v", f)
	}
	if err := m.RemoveChannel(list[0].ID); err != nil {
		t.Fatal(err)
	}
	if f := m.Findings(); len(f) != 1 || !strings.Contains(f[0].EN, "Nobody is told") {
		t.Errorf("findings %v", f)
	}
	d.stop()
	d.serve()
	if list := d.server.watch.Alerts.Channels(); len(list) != 0 {
		t.Errorf("the channel came back: %+v", list)
	}
}
