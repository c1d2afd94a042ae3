package admin

import (
	"fmt"
	"slices"
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

func invitationRoutes() []Route {
	title := words.Of("Invitations", "邀请")
	return []Route{
		{Method: fasthttp.MethodGet, Path: "/admin/invitations", Title: title, Under: "/admin/people", Need: Sees, Handle: (*Admin).invitationsPage},
		// The link lets somebody in: it is a key that is handed out.
		{Method: fasthttp.MethodPost, Path: "/admin/invitations", Title: words.Of("Make an invitation", "生成邀请链接"), Under: "/admin/people", Need: Manages, Sudo: true, Handle: (*Admin).invite},
		{Method: fasthttp.MethodPost, Path: "/admin/invitations/revoke", Title: title, Under: "/admin/people", Need: Manages, Handle: (*Admin).revokeInvitation},
	}
}

func (a *Admin) invitationsPage(r *Request) {
	a.showInvitations(r, console.Invitations{}, fasthttp.StatusOK)
}

// showInvitations adds to p what there is.
func (a *Admin) showInvitations(r *Request, p console.Invitations, status int) {
	result, err := r.Call("invite.list", wire.Empty{})
	list, ok := result.(wire.InviteList)
	if err != nil || !ok {
		r.Error(err)
		return
	}
	paths := departmentPaths(r.departments())
	names, v := map[id.ID]string{}, console.View{Lang: r.Tongue()}
	for _, i := range list.Invites {
		if _, known := names[i.CreatedBy]; !known {
			names[i.CreatedBy] = r.nameOf(v, i.CreatedBy)
		}
		p.Open = append(p.Open, console.Invitation{ID: i.ID.String(), Note: i.Note, By: names[i.CreatedBy], Department: paths[i.Department],
			Made: time.UnixMilli(i.Created), Until: time.UnixMilli(i.Expires), Left: i.Uses, Used: i.Used})
	}
	for dept, path := range paths {
		p.Departments = append(p.Departments, console.Option{Value: dept.String(), Title: path})
	}
	slices.SortFunc(p.Departments, func(a, b console.Option) int { return strings.Compare(a.Title, b.Title) })
	r.PageOf(words.Of("Invitations", "邀请"), func(v console.View) templ.Component { return console.InvitationsPage(v, p) })
	r.ctx.SetStatusCode(status)
}

// nameOf is the name of an account; none is the operator on the box.
func (r *Request) nameOf(v console.View, user id.ID) string {
	if user == 0 {
		return v.Say("on the server", "在服务器本机")
	}
	result, err := r.Call("directory.get", wire.UsersParam{Users: []id.ID{user}})
	if list, ok := result.(wire.UserList); err == nil && ok && len(list.Users) == 1 {
		return list.Users[0].Name
	}
	return "–"
}

// longPath is where the path of a department is cut off.
const longPath = 500

// departmentPaths are the departments with those above them: Works / Office.
func departmentPaths(list []wire.Department) map[id.ID]string {
	by := map[id.ID]wire.Department{}
	for _, d := range list {
		by[d.ID] = d
	}
	out := map[id.ID]string{}
	for _, d := range list {
		path := d.Name
		for up, ok := by[d.Parent]; ok && len(path) < longPath; up, ok = by[up.Parent] {
			path = up.Name + " / " + path
		}
		out[d.ID] = path
	}
	return out
}

func (a *Admin) invite(r *Request) {
	f := r.Filled()
	i, err := r.newInvitation(&f)
	switch {
	case err != nil:
		r.Error(err)
	case i == nil:
		a.showInvitations(r, console.Invitations{Form: f}, fasthttp.StatusUnprocessableEntity)
	default:
		a.showInvitations(r, console.Invitations{Made: &console.Invitation{ID: i.ID.String(), URL: i.URL, QR: i.QR}}, fasthttp.StatusOK)
	}
}

// newInvitation makes one of the fields hours, uses, note and department, which
// may be missing. Nil without an error: f says what is wrong with them.
func (r *Request) newInvitation(f *console.Form) (*wire.Invite, error) {
	hours, err := strconv.Atoi(r.Form("hours"))
	if err != nil || hours < 1 || hours > 720 {
		f.Errors["hours"] = words.Of("From 1 to 720 hours.", "应为 1 到 720 小时。").In(r.Tongue())
	}
	uses, err := strconv.Atoi(strings.TrimSpace(r.Form("uses")))
	if err != nil || uses < 1 || uses > 1000 {
		f.Errors["uses"] = words.Of("From 1 to 1000 people.", "应为 1 到 1000 人。").In(r.Tongue())
	}
	var dept id.ID
	if text := r.Form("department"); text != "" && dept.UnmarshalText([]byte(text)) != nil {
		f.Errors["department"] = words.Of("There is no such department.", "没有这个部门。").In(r.Tongue())
	}
	if len(f.Errors) > 0 {
		return nil, nil
	}
	result, err := r.Call("invite.create", wire.InviteCreate{Hours: hours, Uses: uses, Department: dept, Note: strings.TrimSpace(r.Form("note"))})
	if err != nil {
		if r.refusedIn(f, err, "note") {
			err = nil
		}
		return nil, err
	}
	made, ok := result.(wire.InviteResult)
	if !ok {
		return nil, fmt.Errorf("invite.create answered %T", result)
	}
	return &made.Invite, nil
}

func (a *Admin) revokeInvitation(r *Request) {
	result, err := r.Call("invite.list", wire.Empty{})
	list, ok := result.(wire.InviteList)
	if err != nil || !ok {
		r.Error(err)
		return
	}
	at := slices.IndexFunc(list.Invites, func(i wire.Invite) bool { return i.ID.String() == r.Form("invite") })
	if at < 0 {
		r.Done("/admin/invitations", words.Of("That invitation was over already.", "该邀请此前已失效。"))
		return
	}
	i := list.Invites[at]
	if !r.Typed(console.Invitation{ID: i.ID.String(), Note: i.Note}.Object()) {
		why := words.Of("What was typed is not its name. Nothing was done.", "输入的名称不符，未作任何更改。").In(r.Tongue())
		a.showInvitations(r, console.Invitations{Refused: map[string]string{i.ID.String(): why}}, fasthttp.StatusUnprocessableEntity)
		return
	}
	if _, err := r.Call("invite.revoke", wire.InviteParam{Invite: i.ID}); err != nil {
		r.Error(err)
		return
	}
	r.Done("/admin/invitations", words.Of("The invitation is revoked.", "邀请已作废。"))
}
