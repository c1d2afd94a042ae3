package e2e

import (
	"maps"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
)

// staff makes an account with a role.
func (o *office) staff(login, name string, role wire.Role) wire.User {
	o.t.Helper()
	u, err := o.owner.CreateUser(background(o.t), wire.UserCreate{Login: login, Name: name, Password: password, Role: role})
	must(o.t, err)
	return u
}

// noted is the audit as "action object detail outcome".
func (o *office) noted() string {
	o.t.Helper()
	var list wire.AuditList
	must(o.t, o.owner.Call(background(o.t), "audit.list", wire.AuditListParams{}, &list))
	var b strings.Builder
	for _, e := range list.Entries {
		b.WriteString(e.Action + " " + e.Object + " " + e.Detail + " " + e.Outcome + "\n")
	}
	return b.String()
}

// An owner who logged in to the chat long ago changes a role: the password is
// asked, a wrong one is not taken, the right one carries on with what the form
// held. Who was an admin loses the open console; the last owner stays one.
func TestConsoleChangesARole(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.staff("bo", "Bo Lin", wire.Admin)
	bo, ann := shared.tab(t, "bo", o.url()), shared.tab(t, "ann", o.url())
	bo.logsInConsole("bo")
	bo.open("/admin/people/ann")
	bo.connected()
	bo.finds(".note", "An admin cannot change an owner")
	bo.misses("#role-form", "")
	ann.logsIn("ann")
	choose := func(role string) {
		t.Helper()
		ann.run(`document.querySelector("#f-role").value = ` + quoted(role))
		ann.click("#role-form button", "")
	}

	ann.open("/admin/people")
	ann.click("tbody a", "Bo Lin")
	ann.finds("#role-form button", "Change the role")
	choose("member")
	ann.finds("#sudo", "")
	ann.finds("main", "Change the role")
	ann.expects(`status of 422 .*/admin/people/`)
	ann.fill("#sudo input[type=password]", "not this one")
	ann.click("#sudo button", "")
	ann.finds("#sudo .error", "the password is wrong")
	ann.fill("#sudo input[type=password]", password)
	ann.click("#sudo button", "")
	ann.finds(".toast", "The role of bo is now: Member.")
	ann.until("the account again", `location.pathname === "/admin/people/bo" && document.querySelector("#f-role").value === "member"`)
	bo.expects(`status of (401|404) .*/admin`)
	bo.until("a closed door", `!document.querySelector("#nav") && document.body.innerText.includes("There is nothing for you here")`)

	ann.open("/admin/people/ann")
	choose("admin")
	ann.finds("#role-form .error", "this is the last owner: make another one first")
	if me, err := o.owner.Me(background(t)); err != nil || me.User.Role != wire.Owner {
		t.Errorf("ann is %s now, %v", me.User.Role, err)
	}
	if got := o.noted(); !strings.Contains(got, "user.update bo role=member (was admin) done") || strings.Count(got, "user.update") != 1 {
		t.Errorf("the audit has\n%s", got)
	}
}

// What a page of an account shows and offers by the role of who looks, and in
// both languages why something cannot be.
func TestConsoleAccountsByRole(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.staff("adam", "Adam", wire.Admin)
	o.staff("aude", "Aude", wire.Auditor)
	in := func(login string) *console {
		c := newConsole(t, o.url())
		c.login(login)
		return c
	}
	ann, adam, aude := in("ann"), in("adam"), in("aude")
	for _, path := range []string{"/admin/people", "/admin/people/adam", "/admin/people/ann", "/admin/invitations"} {
		_, page := aude.ask(path, nil)
		if i := strings.Index(page, `<main`); i < 0 || strings.Contains(page[i:], `method="post"`) || !strings.Contains(page, `id="nav"`) {
			t.Errorf("an auditor at %s is offered something, or sees nothing", path)
		}
	}
	if _, page := adam.ask("/admin/people/aude", nil); !strings.Contains(page, `value="admin"`) || strings.Contains(page, `value="owner"`) {
		t.Error("an admin is not offered to give the role admin, or is the role owner")
	}
	for _, x := range []struct {
		c        *console
		at, lang string
		form     url.Values
		status   int
		says     string
	}{
		{ann, "/admin/people/ann/role", "en", url.Values{"role": {"member"}}, 422, "this is the last owner: make another one first"},
		{ann, "/admin/people/ann/role", "zh", url.Values{"role": {"member"}}, 422, "这是最后一位所有者，请先指定另一位"},
		{adam, "/admin/people/ann/role", "en", url.Values{"role": {"member"}}, 403, "an admin cannot change an owner"},
		{adam, "/admin/people/aude/role", "zh", url.Values{"role": {"owner"}}, 422, "不能授予高于自己的角色"},
		{adam, "/admin/people/aude/role", "en", url.Values{"role": {"king"}}, 422, "one of owner, admin, auditor, member"},
		{adam, "/admin/people/ann/password", "en", url.Values{"typed": {"ann"}}, 403, "an admin cannot change an owner"},
		{adam, "/admin/people/ann/disable", "en", url.Values{"typed": {"ann"}}, 403, "an admin cannot change an owner"},
		{adam, "/admin/people/ann/logout", "en", url.Values{"typed": {"ann"}}, 403, "an admin cannot log out an owner"},
		{ann, "/admin/people/ann/disable", "zh", url.Values{"typed": {"ann"}}, 409, "这是你自己的账号"},
		{ann, "/admin/people/adam/disable", "en", url.Values{"typed": {"eve"}}, 422, "What was typed is not the login."},
		{ann, "/admin/people/nobody/disable", "en", url.Values{"typed": {"nobody"}}, 404, "There is no such account."},
	} {
		x.form.Set("csrf", x.c.csrf)
		if res, page := x.c.ask(x.at, x.form, "Accept-Language", x.lang); res.StatusCode != x.status || !strings.Contains(page, x.says) {
			t.Errorf("%v at %s: %s, not %q\n%.3000s", x.form, x.at, res.Status, x.says, page)
		}
	}
	var list wire.UserList
	must(t, o.owner.Call(background(t), "user.list", wire.DirectoryParams{}, &list))
	roles := map[string]wire.Role{}
	for _, u := range list.Users {
		if u.Bot { // it posts alerts, once there are any
			continue
		}
		roles[u.Login] = u.Role
		if u.Disabled {
			t.Errorf("%s is disabled", u.Login)
		}
	}
	if want := map[string]wire.Role{"ann": wire.Owner, "adam": wire.Admin, "aude": wire.Auditor}; !maps.Equal(roles, want) {
		t.Errorf("the roles are %v", roles)
	}
}

// An account is disabled in a browser, and its own browser goes to the login
// page; it is enabled, gets a password that is shown once, and is logged out
// everywhere. Invitations are made, used by their link, and revoked.
func TestConsoleLooksAfterAccounts(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.account("bo", "Bo Lin")
	bo, ann := shared.tab(t, "bo", o.url()), shared.tab(t, "ann", o.url())
	bo.logsIn("bo")
	ann.logsInConsole("ann")
	confirm := func(dialog, typed string) {
		t.Helper()
		ann.click("a[data-dialog="+dialog+"]", "")
		ann.fill("dialog[open] input[name=typed]", typed)
		ann.click("dialog[open] button.danger", "")
	}
	ann.open("/admin/people/bo")
	confirm("disable", "bo")
	ann.finds(".toast", "The account bo is disabled.")
	ann.finds(".facts .badge", "disabled")
	bo.expects(loggedOut)
	bo.finds("form button", "Log in")
	ann.click("form[action='/admin/people/bo/enable'] button", "")
	ann.finds(".toast", "The account bo may log in again.")

	confirm("password", "bo")
	ann.finds("#secret", "")
	secret := ask[string](ann, `document.querySelector("#secret").value`)
	if _, err := o.client(t, client.Options{}).Login(background(t), "bo", password); kindOf(err) != wire.Unauthenticated {
		t.Errorf("the old password: %v", err)
	}
	again := o.client(t, client.Options{DeviceName: "bo's phone"})
	_, err := again.Login(background(t), "bo", secret)
	must(t, err)
	ann.open("/admin/people/bo")
	ann.misses("#secret", "")
	ann.finds("main td", "bo's phone")
	confirm("logout", "bo")
	ann.finds(".toast", "Logins that were ended: 1.")
	ann.finds("main", "Nobody is logged in with this account.")

	ann.open("/admin/invitations")
	ann.fill("#f-note", "夜班 night")
	ann.click("#invite-form button", "")
	ann.finds("#invite-link", "")
	link := ask[string](ann, `document.querySelector("#invite-link").value`)
	code := regexp.MustCompile(`/#/invite/(.+)$`).FindStringSubmatch(link)
	if code == nil {
		t.Fatalf("the link is %q", link)
	}
	stranger := o.client(t, client.Options{})
	must(t, stranger.HTTP.Call(background(t), "invite.show", wire.InviteCode{Code: code[1]}, nil))
	ann.click("main td a.danger", "")
	ann.fill("dialog[open] input[name=typed]", "夜班 night")
	ann.click("dialog[open] button.danger", "")
	ann.finds(".toast", "The invitation is revoked.")
	if err := stranger.HTTP.Call(background(t), "invite.show", wire.InviteCode{Code: code[1]}, nil); kindOf(err) != wire.Expired {
		t.Errorf("a revoked invitation: %v", err)
	}
	got := o.noted()
	for _, want := range []string{"user.update bo disabled=true done", "user.update bo disabled=false done", "user.password bo  done", "session.revoke bo bo's phone", "invite.create", "invite.revoke"} {
		if !strings.Contains(got, want) {
			t.Errorf("the audit lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, secret) || strings.Contains(got, code[1]) {
		t.Error("the audit has a secret")
	}
}
