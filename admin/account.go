package admin

import (
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/a-h/templ"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// Accounts are what the console knows of accounts beside the chat's methods.
// Without ByLogin there are no pages of accounts.
type Accounts struct {
	ByLogin func(login string) (wire.User, bool)
	Footing func(user id.ID) Footing
}

// Footing is how an account stands.
type Footing struct {
	Rooms, Devices int
	Seen           int64 // last sign of life of a device, ms; 0: there is none
	Password       bool  // it has one
}

func (a *Admin) footing(user id.ID) Footing {
	if a.o.Accounts.Footing == nil {
		return Footing{}
	}
	return a.o.Accounts.Footing(user)
}

func accountRoutes() []Route {
	deed := func(path string, title words.Text, sudo bool, handle func(*Admin, *Request)) Route {
		return Route{Method: fasthttp.MethodPost, Path: "/admin/people/{login}/" + path, Title: title, Under: "/admin/people", Need: Manages, Sudo: sudo, Handle: handle}
	}
	return []Route{
		{Method: fasthttp.MethodGet, Path: "/admin/people/{login}", Title: words.Of("Account", "账号"), Under: "/admin/people", Need: Sees, Handle: (*Admin).accountPage},
		deed("role", words.Of("Change the role", "修改角色"), true, (*Admin).setRole),
		deed("password", words.Of("Make a new password", "生成新密码"), true, (*Admin).newPassword),
		deed("disable", words.Of("Disable the account", "停用账号"), false, (*Admin).disableAccount),
		deed("enable", words.Of("Enable the account", "恢复账号"), false, (*Admin).enableAccount),
		deed("logout", words.Of("Log out", "退出登录"), false, (*Admin).logoutAccount),
	}
}

// standing orders the roles. The server keeps these rules itself; here they decide
// what is offered.
func standing(role wire.Role) int {
	return slices.Index([]wire.Role{wire.Member, wire.Auditor, wire.Admin, wire.Owner}, role)
}

// height is the visitor's own standing.
func (r *Request) height() int {
	if r.Operator {
		return standing(wire.Owner)
	}
	return standing(r.Role)
}

// answered is what an answer to a form adds to the page of an account.
type answered struct {
	form    console.Form
	refused map[string]string
	secret  string
}

// theAccount finds the account in the path; without it the answer is given.
func (a *Admin) theAccount(r *Request) (wire.User, bool) {
	if a.o.Accounts.ByLogin != nil {
		if u, ok := a.o.Accounts.ByLogin(r.Arg("login")); ok && !u.Probe {
			return u, true
		}
	}
	r.Trouble(fasthttp.StatusNotFound, words.Of("There is no such account.", "没有这个账号。"))
	return wire.User{}, false
}

// another is theAccount where the visitor's own will not do.
func (a *Admin) another(r *Request) (wire.User, bool) {
	u, ok := a.theAccount(r)
	if ok && u.ID == r.User {
		r.Trouble(fasthttp.StatusConflict, words.Of("This is your own account: let another admin do that. Nothing was changed.", "这是你自己的账号，请由其他管理员操作。未作任何更改。"))
		return u, false
	}
	return u, ok
}

func (a *Admin) accountPage(r *Request) {
	if u, ok := a.theAccount(r); ok {
		a.showAccount(r, u, answered{}, fasthttp.StatusOK)
	}
}

func (a *Admin) showAccount(r *Request, u wire.User, t answered, status int) {
	result, err := r.Call("session.devices", wire.UserOptional{User: u.ID})
	devices, ok := result.(wire.DeviceList)
	if err != nil || !ok {
		r.Error(err)
		return
	}
	usage, department := "", ""
	v := console.View{Lang: r.Tongue()}
	if result, err := r.Call("file.usage", wire.UsageParams{Subject: u.ID}); err == nil {
		if w, ok := result.(wire.Usage); ok {
			of := v.Bytes(float64(w.Bytes)) + v.Say(" of ", "，配额 ") + v.Bytes(float64(w.Quota))
			usage = v.Say(fmt.Sprintf("%d, %s", w.Files, of), fmt.Sprintf("%d 个，%s", w.Files, of))
		}
	}
	for _, d := range r.departments() {
		if d.ID == u.Department {
			department = d.Name
		}
	}
	r.PageOf(words.Of(u.Name, u.Name), func(v console.View) templ.Component {
		c := a.accountView(r, v, u, devices.Devices)
		c.Storage, c.Department, c.Secret, c.Refused = usage, department, t.secret, t.refused
		if t.form.Errors != nil {
			c.Form = t.form
		}
		return console.PersonPage(v, c)
	})
	r.ctx.SetStatusCode(status)
}

func (a *Admin) accountView(r *Request, v console.View, u wire.User, devices []wire.Device) console.Account {
	f := a.footing(u.ID)
	c := console.Account{Name: u.Name, Login: u.Login, Title: u.Title, Email: u.Email, Phone: u.Phone, Role: string(u.Role), RoleWord: roleWord(v, u.Role),
		Bot: u.Bot, Disabled: u.Disabled, Password: f.Password, Made: time.UnixMilli(u.Created), Rooms: f.Rooms,
		Own: u.ID == r.User, Above: standing(u.Role) > r.height()}
	c.May = r.may(Manages) && !c.Above
	if f.Seen > 0 {
		c.Seen = time.UnixMilli(f.Seen)
	}
	if a.o.Overview.Failures != nil {
		c.Failed, c.FailedSince = a.o.Overview.Failures(u.ID, a.o.Now().AddDate(0, 0, -1))
	}
	for _, role := range []wire.Role{wire.Member, wire.Auditor, wire.Admin, wire.Owner} {
		if standing(role) <= r.height() {
			c.Roles = append(c.Roles, console.Option{Value: string(role), Title: roleWord(v, role)})
		}
	}
	live := map[id.ID]uint64{}
	for _, s := range a.sessions() {
		live[s.Device] = s.Connection
	}
	for _, d := range devices {
		l := console.Login{ID: d.ID.String(), Name: d.Name, Address: d.Address, Kind: d.Kind, At: time.UnixMilli(d.Created), Seen: time.UnixMilli(d.LastSeen), Current: d.Current}
		if n, ok := live[d.ID]; ok {
			l.Session = "/admin/sessions/" + strconv.FormatUint(n, 10)
		}
		c.Logins = append(c.Logins, l)
	}
	return c
}

func (r *Request) departments() []wire.Department {
	result, err := r.Call("department.list", wire.Empty{})
	if list, ok := result.(wire.DepartmentList); err == nil && ok {
		return list.Departments
	}
	return nil
}

// refusedText is what a call refused, for a form; a fault has none.
func (r *Request) refusedText(err error) (string, bool) {
	var refusal *wire.Error
	if errors.As(err, &refusal) && refusal.Kind != wire.Internal {
		return refusal.Text.In(r.Tongue()), true
	}
	return "", false
}

// refusedIn puts what a call refused into a form, at the field it is about or
// else at this one. It is false for a fault.
func (r *Request) refusedIn(f *console.Form, err error, field string) bool {
	why, refused := r.refusedText(err)
	if !refused {
		return false
	}
	var refusal *wire.Error
	if errors.As(err, &refusal) {
		if _, shown := f.Values[refusal.Field]; shown {
			field = refusal.Field
		}
	}
	f.Errors[field] = why
	return true
}

// confirms reports whether the login was typed; else the page is shown again.
func (a *Admin) confirms(r *Request, u wire.User, dialog string) bool {
	if r.Typed(u.Login) {
		return true
	}
	why := words.Of("What was typed is not the login. Nothing was done.", "输入的登录名不符，未作任何更改。").In(r.Tongue())
	a.showAccount(r, u, answered{refused: map[string]string{dialog: why}}, fasthttp.StatusUnprocessableEntity)
	return false
}

// change does something to an account by a method, which writes the audit. A
// refusal comes back in the form or dialog it was asked for in.
func (a *Admin) change(r *Request, u wire.User, method string, params any, dialog string) bool {
	_, err := r.Call(method, params)
	if err == nil {
		return true
	}
	why, refused := r.refusedText(err)
	switch {
	case !refused, standing(u.Role) > r.height(): // who stands above has no form on the page
		r.Error(err)
	case dialog == "":
		f := r.Filled()
		f.Errors["role"] = why
		a.showAccount(r, u, answered{form: f}, fasthttp.StatusUnprocessableEntity)
	default:
		a.showAccount(r, u, answered{refused: map[string]string{dialog: why}}, fasthttp.StatusUnprocessableEntity)
	}
	return false
}

func (a *Admin) setRole(r *Request) {
	u, ok := a.theAccount(r)
	if !ok {
		return
	}
	role := wire.Role(r.Form("role"))
	if !a.change(r, u, "user.update", wire.UserUpdate{User: u.ID, Role: &role}, "") {
		return
	}
	en, zh := roleWord(console.View{Lang: "en"}, role), roleWord(console.View{Lang: "zh"}, role)
	r.Done(console.AccountHref(u.Login), words.Of(fmt.Sprintf("The role of %s is now: %s.", u.Login, en), fmt.Sprintf("%s 的角色现为：%s。", u.Login, zh)))
}

// newPassword makes a password up, which this answer shows and nothing keeps.
func (a *Admin) newPassword(r *Request) {
	u, ok := a.another(r)
	if !ok || !a.confirms(r, u, "password") {
		return
	}
	secret := rand.Text()[:20]
	if a.change(r, u, "user.password", wire.UserPassword{User: u.ID, Password: secret}, "password") {
		a.showAccount(r, u, answered{secret: secret}, fasthttp.StatusOK)
	}
}

func (a *Admin) disableAccount(r *Request) {
	u, ok := a.another(r)
	if !ok || !a.confirms(r, u, "disable") {
		return
	}
	off := true
	if a.change(r, u, "user.update", wire.UserUpdate{User: u.ID, Disabled: &off}, "disable") {
		r.Done(console.AccountHref(u.Login), words.Of(fmt.Sprintf("The account %s is disabled.", u.Login), fmt.Sprintf("账号 %s 已停用。", u.Login)))
	}
}

func (a *Admin) enableAccount(r *Request) {
	u, ok := a.another(r)
	if !ok {
		return
	}
	off := false
	if _, err := r.Call("user.update", wire.UserUpdate{User: u.ID, Disabled: &off}); err != nil {
		r.Error(err)
		return
	}
	r.Done(console.AccountHref(u.Login), words.Of(fmt.Sprintf("The account %s may log in again.", u.Login), fmt.Sprintf("账号 %s 可以登录了。", u.Login)))
}

// logoutAccount ends the logins of an account, or the one that the form names.
// The visitor's own login of now stays.
func (a *Admin) logoutAccount(r *Request) {
	u, ok := a.theAccount(r)
	only := r.Form("device")
	dialog := "logout"
	if only != "" {
		dialog = "end-" + only
	}
	if !ok || !a.confirms(r, u, dialog) {
		return
	}
	result, err := r.Call("session.devices", wire.UserOptional{User: u.ID})
	list, ok := result.(wire.DeviceList)
	if err != nil || !ok {
		r.Error(err)
		return
	}
	ended := 0
	for _, d := range list.Devices {
		if d.Current || only != "" && d.ID.String() != only {
			continue
		}
		if !a.change(r, u, "session.revoke", wire.DeviceParam{Device: d.ID}, dialog) {
			return
		}
		ended++
	}
	r.Done(console.AccountHref(u.Login), words.Of(fmt.Sprintf("Logins that were ended: %d.", ended), fmt.Sprintf("已结束的登录：%d 个。", ended)))
}
