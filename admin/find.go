package admin

import (
	"context"
	"net/url"
	"strings"

	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// Found is something the palette goes to.
type Found struct {
	Title words.Text
	About words.Text
	Group words.Text // Rule, Alert, Action …
	Href  string
}

// foundRow is a Found in one language, as the palette reads it.
type foundRow struct {
	Title string `json:"title"`
	About string `json:"about,omitempty"`
	Group string `json:"group"`
	Href  string `json:"href"`
}

func findRoutes() []Route {
	return []Route{{Method: "GET", Path: "/admin/find", Title: words.Of("Find", "查找"), Need: Sees, Handle: (*Admin).answerPalette}}
}

// foundMost is how many of a kind the palette is offered.
const foundMost = 8

// answerPalette answers the palette: alerts, rules, dashboards, settings and
// actions, metrics, what Options.Find knows, and people. What the visitor may not
// open is left out.
func (a *Admin) answerPalette(r *Request) {
	q, lang := strings.ToLower(strings.TrimSpace(r.Query("q"))), r.Tongue()
	out := []foundRow{}
	add := func(list []Found) {
		n := 0
		for _, f := range list {
			if n < foundMost && Holds(q, f.Title.EN, f.Title.ZH, f.About.EN, f.About.ZH) && a.opens(r, f.Href) {
				out = append(out, foundRow{f.Title.In(lang), f.About.In(lang), f.Group.In(lang), f.Href})
				n++
			}
		}
	}
	if q != "" {
		add(a.findAlerts(r.ctx))
		add(actionsFound())
		add(a.findBoards())
		add(a.findRules())
		add(a.findMetrics())
	}
	if a.o.Find != nil {
		for _, f := range a.o.Find(r.ctx, q) {
			out = append(out, foundRow{f.Title.In(lang), f.About.In(lang), f.Group.In(lang), f.Href})
		}
	}
	people, err := r.everybody(q)
	if err != nil {
		r.Error(err)
		return
	}
	for _, u := range people[:min(len(people), foundMost)] {
		out = append(out, foundRow{u.Name, u.Login, words.Of("Person", "人员").In(lang), console.AccountHref(u.Login)})
	}
	r.JSON(out)
}

// opens reports whether the visitor may open the page at an address.
func (a *Admin) opens(r *Request, href string) bool {
	u, err := url.Parse(href)
	if err != nil {
		return false
	}
	page, _ := a.find("GET", u.Path)
	return page != nil && r.may(page.Need)
}

func (a *Admin) findAlerts(ctx context.Context) []Found {
	if a.o.Alerts.Manager == nil {
		return nil
	}
	var out []Found
	for _, one := range a.o.Alerts.Manager.Active(ctx) {
		out = append(out, Found{Title: words.Of(one.Name(), one.Name()), About: one.Summary(), Group: words.Of("Alert", "告警"), Href: "/admin/alerts/one?fp=" + url.QueryEscape(one.Fingerprint)})
	}
	return out
}

func (a *Admin) findRules() []Found {
	if a.o.Rules.Manager == nil {
		return nil
	}
	var out []Found
	for _, one := range a.o.Rules.Manager.Rules() {
		if one.Spec.Alert == "" {
			continue
		}
		out = append(out, Found{Title: words.Of(one.Spec.Name(), one.Spec.Name()), About: words.Of("rule, "+string(one.State), "规则，"+string(one.State)),
			Group: words.Of("Rule", "规则"), Href: "/admin/rules/rule?id=" + url.QueryEscape(one.ID)})
	}
	return out
}

func (a *Admin) findBoards() []Found {
	var out []Found
	group := words.Of("Dashboard", "仪表盘")
	for _, b := range a.boardsKnown() {
		out = append(out, Found{Title: b.Title, About: group, Group: group, Href: "/admin/boards/" + b.ID})
	}
	for _, b := range a.boardsKnown() {
		for _, p := range b.Panels {
			out = append(out, Found{Title: p.Title, About: words.Of("chart on "+b.Title.EN, b.Title.ZH+"中的图表"), Group: group, Href: "/admin/boards/" + b.ID})
		}
	}
	return out
}

func (a *Admin) findMetrics() []Found {
	if a.o.Inside.Metrics == nil {
		return nil
	}
	var out []Found
	for _, m := range a.o.Inside.Metrics() {
		out = append(out, Found{Title: words.Of(m.Name, m.Name), About: m.Help, Group: words.Of("Metric", "指标"), Href: "/admin/metrics?q=" + url.QueryEscape(m.Name)})
	}
	return out
}

// actionsFound are settings and actions that are not pages of the navigation.
func actionsFound() []Found {
	setting, action := words.Of("Setting", "设置"), words.Of("Action", "操作")
	return []Found{
		{words.Of("New rule", "新建规则"), words.Of("an alert of one's own", "自定义告警"), action, "/admin/rules/edit"},
		{words.Of("Silence alerts", "静默告警"), words.Of("keep messages back for a while", "暂时不发送消息"), action, "/admin/silences"},
		{words.Of("New channel: e-mail", "新建渠道：邮件"), words.Of("notices by SMTP", "通过 SMTP 通知"), action, "/admin/channels/edit?kind=email"},
		{words.Of("New channel: DingTalk", "新建渠道：钉钉"), words.Of("notices to a robot", "机器人通知"), action, "/admin/channels/edit?kind=dingtalk"},
		{words.Of("New channel: WeCom", "新建渠道：企业微信"), words.Of("notices to a robot", "机器人通知"), action, "/admin/channels/edit?kind=wecom"},
		{words.Of("New channel: Feishu", "新建渠道：飞书"), words.Of("notices to a robot", "机器人通知"), action, "/admin/channels/edit?kind=feishu"},
		{words.Of("New probe", "新建探测"), words.Of("a web page, a port, DNS, a certificate, mail, LDAP", "网页、端口、DNS、证书、邮件、LDAP"), action, "/admin/probes/new"},
		{words.Of("Let a probe report", "允许探测端上报"), words.Of("a probe in another network", "其他网络中的探测端"), action, "/admin/probes"},
		{words.Of("Run a checklist", "运行检查清单"), words.Of("daily, weekly, monthly", "每日、每周、每月"), action, "/admin/checklists"},
		{words.Of("Compact the state file", "压缩状态文件"), words.Of("storage", "存储"), action, "/admin/storage"},
		{words.Of("Disconnect a device", "断开设备"), words.Of("sessions", "会话"), action, "/admin/sessions"},
		{words.Of("Quiet hours", "静默时段"), words.Of("when notices wait", "暂缓通知的时间"), setting, "/admin/quiet"},
		{words.Of("Routes, escalation, heartbeat", "路由、升级、心跳"), words.Of("who is told of what, and when again", "谁在何时收到哪些通知"), setting, "/admin/channels"},
		{words.Of("Weights of the health score", "健康分权重"), words.Of("what it counts and from when on it warns", "计分项与预警线"), setting, "/admin/health"},
		{words.Of("Days until the disks are full", "磁盘写满前的天数"), words.Of("forecast and capacity", "预测与容量"), setting, "/admin/health#forecast"},
		{words.Of("My logins", "我的登录"), words.Of("end one of them", "结束其中之一"), setting, "/admin/account"},
	}
}

// Finder finds more for the palette.
type Finder func(ctx context.Context, query string) []Found
