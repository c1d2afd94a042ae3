package admin

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

func peopleRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/admin/people", Title: words.Of("People", "人员"), Group: Reference, Icon: "people", Need: Sees, Handle: (*Admin).peoplePage},
		{Method: "GET", Path: "/admin/account", Title: words.Of("My logins", "我的登录"), Need: Sees, Handle: (*Admin).account},
		{Method: "POST", Path: "/admin/account/end", Need: Sees, Personal: true, Handle: (*Admin).endLogin},
	}
}

// mostPeople bounds a list of accounts, in pages of 500.
const mostPeople = 40

// everybody is the whole directory, page by page.
func (r *Request) everybody(query string) ([]wire.User, error) {
	var all []wire.User
	p := wire.DirectoryParams{Query: query, Limit: 500}
	for range mostPeople {
		result, err := r.Call("user.list", p)
		list, ok := result.(wire.UserList)
		if err != nil || !ok {
			return nil, err
		}
		all = append(all, list.Users...)
		if !list.More || len(list.Users) == 0 {
			break
		}
		p.After = list.Users[len(list.Users)-1].ID
	}
	return slices.DeleteFunc(all, func(u wire.User) bool { return u.Probe }), nil
}

func (a *Admin) peoplePage(r *Request) {
	all, err := r.everybody("")
	if err != nil {
		r.Error(err)
		return
	}
	online := map[id.ID]bool{}
	for _, s := range a.sessions() {
		online[s.User] = true
	}
	footings := map[id.ID]Footing{}
	footing := func(u wire.User) Footing {
		f, known := footings[u.ID]
		if !known {
			f = a.footing(u.ID)
			footings[u.ID] = f
		}
		return f
	}
	l := r.List("name")
	all = slices.DeleteFunc(all, func(u wire.User) bool {
		return !inState(u, r.Query("state"), online) || r.Query("role") != "" && string(u.Role) != r.Query("role")
	})
	rows := Pick(&l, all, func(u wire.User, q string) bool { return Holds(q, u.Name, u.Login, u.Title) }, map[string]func(a, b wire.User) int{
		"name":    func(a, b wire.User) int { return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) },
		"login":   func(a, b wire.User) int { return cmp.Compare(a.Login, b.Login) },
		"role":    func(a, b wire.User) int { return cmp.Compare(standing(b.Role), standing(a.Role)) },
		"devices": func(a, b wire.User) int { return cmp.Compare(footing(a).Devices, footing(b).Devices) },
		"seen":    func(a, b wire.User) int { return cmp.Compare(footing(a).Seen, footing(b).Seen) },
	})
	v := r.View(r.Route.Title)
	list := make([]console.Person, 0, len(rows))
	for _, u := range rows {
		f := footing(u)
		p := console.Person{Name: u.Name, Login: u.Login, Role: roleWord(v, u.Role), Title: u.Title, Disabled: u.Disabled, Bot: u.Bot, Devices: f.Devices, Online: online[u.ID]}
		if f.Seen > 0 {
			p.Seen = time.UnixMilli(f.Seen)
		}
		list = append(list, p)
	}
	if r.WantsCSV() {
		var out [][]string
		for _, p := range list {
			seen := ""
			if !p.Seen.IsZero() {
				seen = p.Seen.UTC().Format(time.RFC3339)
			}
			out = append(out, []string{p.Name, p.Login, p.Role, p.Title, p.State(v), strconv.Itoa(p.Devices), seen})
		}
		r.CSV("people", []string{v.Say("Name", "姓名"), v.Say("Login", "登录名"), v.Say("Role", "角色"), v.Say("Title", "职务"), v.Say("State", "状态"), v.Say("Devices", "设备"), v.Say("Last seen (UTC)", "最近使用（UTC）")}, out)
		return
	}
	r.Page(func(v console.View) templ.Component { return console.PeoplePage(v, l, list) })
}

// inState reports whether an account is what the list is filtered by.
func inState(u wire.User, state string, online map[id.ID]bool) bool {
	switch state {
	case "active":
		return !u.Disabled
	case "disabled":
		return u.Disabled
	case "online":
		return online[u.ID]
	case "bot":
		return u.Bot
	}
	return true
}

func roleWord(v console.View, role wire.Role) string {
	switch role {
	case wire.Owner:
		return v.Say("Owner", "所有者")
	case wire.Admin:
		return v.Say("Admin", "管理员")
	case wire.Auditor:
		return v.Say("Auditor", "审计员")
	}
	return v.Say("Member", "成员")
}

// account are the visitor's own logins.
func (a *Admin) account(r *Request) {
	result, err := r.Call("session.devices", wire.UserOptional{})
	list, ok := result.(wire.DeviceList)
	if err != nil || !ok {
		r.Error(err)
		return
	}
	r.Page(func(v console.View) templ.Component {
		var out []console.Login
		for _, d := range list.Devices {
			out = append(out, console.Login{ID: d.ID.String(), Name: d.Name, Address: d.Address, At: time.UnixMilli(d.Created), Seen: time.UnixMilli(d.LastSeen), Current: d.Current})
		}
		return console.AccountPage(v, out)
	})
}

// endLogin ends one of the visitor's own logins.
func (a *Admin) endLogin(r *Request) {
	result, err := r.Call("session.devices", wire.UserOptional{})
	list, ok := result.(wire.DeviceList)
	if err != nil || !ok {
		r.Error(err)
		return
	}
	for _, d := range list.Devices {
		if d.ID.String() == r.Form("device") && !d.Current {
			if _, err := r.Call("session.revoke", wire.DeviceParam{Device: d.ID}); err != nil {
				r.Error(err)
				return
			}
			r.Done("/admin/account", words.Of("The login has ended.", "该登录已结束。"))
			return
		}
	}
	r.Done("/admin/account", words.Of("That login is not there any more.", "该登录已不存在。"))
}
