package admin

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

func (a *Admin) sessions() []Session {
	if a.o.Inside.Sessions == nil {
		return nil
	}
	return a.o.Inside.Sessions()
}

func sessionView(s Session) console.Session {
	return console.Session{ID: strconv.FormatUint(s.Connection, 10), Name: s.Name, Login: s.Login, Device: s.DeviceName, Kind: s.Kind, Agent: s.Agent, Address: s.Address,
		Since: time.UnixMilli(s.Since), Beat: time.UnixMilli(s.LastBeat), RTT: time.Duration(s.RTT) * time.Microsecond,
		QueueBytes: s.Queue, QueueFrames: s.Frames, Unacked: s.Unacked, Missed: s.Missed, State: s.State, Virtual: s.Probe}
}

func (a *Admin) sessionsPage(r *Request) {
	all := a.sessions()
	online := map[id.ID]bool{}
	for _, s := range all {
		if !s.Probe {
			online[s.User] = true
		}
	}
	if state := r.Query("state"); state != "" {
		kept := all[:0]
		for _, s := range all {
			if s.State == state {
				kept = append(kept, s)
			}
		}
		all = kept
	}
	l := r.List("name")
	rows := Pick(&l, all, func(s Session, q string) bool { return Holds(q, s.Name, s.Login, s.DeviceName, s.Address, s.Agent) }, map[string]func(a, b Session) int{
		"name":    func(a, b Session) int { return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) },
		"address": func(a, b Session) int { return cmp.Compare(a.Address, b.Address) },
		"since":   func(a, b Session) int { return cmp.Compare(a.Since, b.Since) },
		"beat":    func(a, b Session) int { return cmp.Compare(a.LastBeat, b.LastBeat) },
		"rtt":     func(a, b Session) int { return cmp.Compare(a.RTT, b.RTT) },
		"queue":   func(a, b Session) int { return cmp.Compare(a.Queue, b.Queue) },
		"unacked": func(a, b Session) int { return cmp.Compare(a.Unacked, b.Unacked) },
	})
	if r.WantsCSV() {
		v := r.View(r.Route.Title)
		header := []string{v.Say("Login", "登录名")}
		for _, c := range console.SessionColumns(v) {
			header = append(header, c.Title)
		}
		var out [][]string
		for _, s := range rows {
			c := sessionView(s)
			out = append(out, []string{c.Login, c.Name, c.Device, c.Address, c.Since.UTC().Format(time.RFC3339), c.Beat.UTC().Format(time.RFC3339),
				strconv.FormatFloat(c.RTT.Seconds(), 'f', 6, 64), strconv.Itoa(c.QueueBytes), strconv.Itoa(c.Unacked), c.StateWord(v)})
		}
		r.CSV("sessions", header, out)
		return
	}
	list := make([]console.Session, 0, len(rows))
	for _, s := range rows {
		list = append(list, sessionView(s))
	}
	r.Page(func(v console.View) templ.Component { return console.SessionsPage(v, l, len(online), list) })
}

// session finds the connection in the path; without it the answer is given.
func (a *Admin) session(r *Request) (Session, bool) {
	want, err := strconv.ParseUint(r.Arg("connection"), 10, 64)
	if err == nil && a.o.Inside.Session != nil {
		if s, ok := a.o.Inside.Session(want); ok {
			return s, true
		}
	}
	r.Trouble(fasthttp.StatusNotFound, words.Of("This connection has ended. The device may have come back under another number: look at the list.", "此连接已结束。设备可能已用新的编号重连，请查看列表。"))
	return Session{}, false
}

func (a *Admin) sessionPage(r *Request) {
	if s, ok := a.session(r); ok {
		r.Page(func(v console.View) templ.Component { return console.SessionPage(v, sessionView(s), "") })
	}
}

// confirmed reports whether the login was typed; else the page is shown again.
func (r *Request) confirmed(s Session) bool {
	if r.Typed(s.Login) {
		return true
	}
	r.Under("/admin/sessions", words.Of("Sessions", "会话").In(r.Tongue()))
	r.Invalid(func(v console.View) templ.Component {
		return console.SessionPage(v, sessionView(s), v.Say("What was typed is not the login. Nothing was done.", "输入的登录名不符，未作任何更改。"))
	})
	return false
}

// disconnect closes a connection.
func (a *Admin) disconnect(r *Request) {
	s, ok := a.session(r)
	if !ok || !r.confirmed(s) {
		return
	}
	if a.o.Inside.Disconnect == nil || !a.o.Inside.Disconnect(s.Connection) {
		a.note(r, "session.disconnect", s.Login, "", "failed")
		r.Done("/admin/sessions", words.Of("That connection had ended already.", "该连接此前已结束。"))
		return
	}
	a.note(r, "session.disconnect", s.Login+" "+s.Address, "", "done")
	r.Done("/admin/sessions", words.Of("The device was disconnected.", "已断开该设备。"))
}

// endSession ends the login of a connection's device. The method writes the
// audit itself.
func (a *Admin) endSession(r *Request) {
	s, ok := a.session(r)
	if !ok || !r.confirmed(s) {
		return
	}
	if _, err := r.Call("session.revoke", wire.DeviceParam{Device: s.Device}); err != nil {
		r.Error(err)
		return
	}
	r.Done("/admin/sessions", words.Of("The login has ended.", "该登录已结束。"))
}
