package e2e

import (
	"archive/zip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"posthouse/admin"
	"posthouse/appliance/wire"
)

// An admin downloads a support bundle from the help page, for which the password
// must have been given lately, and the audit notes it; an auditor has no button for it.
func TestSupportBundleFromTheConsole(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	_, err := o.owner.CreateUser(background(t), wire.UserCreate{Login: "aude", Name: "aude", Password: password, Role: wire.Auditor})
	must(t, err)
	aude, ann := newConsole(t, o.url()), newConsole(t, o.url())
	aude.login("aude")
	if _, page := aude.ask("/admin/help", nil); strings.Contains(page, "/admin/support") || !strings.Contains(page, "Apache-2.0") {
		t.Error("an auditor sees the button, or not the licence")
	}
	ann.login("ann")
	if _, page := ann.ask("/admin/help", nil); !strings.Contains(page, `action="/admin/support"`) || !strings.Contains(page, `href="/api/reference"`) {
		t.Error("the help page lacks the button or the documents")
	}
	form := url.Values{"csrf": {ann.csrf}}
	if !slices.ContainsFunc(admin.Routes(), func(r admin.Route) bool { return r.Path == "/admin/support" && r.Sudo && r.Need == admin.Manages }) {
		t.Error("a login of long ago is enough")
	}
	res, body := ann.ask("/admin/support", form)
	if res.StatusCode != 200 || !strings.HasPrefix(res.Header.Get("Content-Disposition"), `attachment; filename="posthouse-support-`) {
		t.Fatalf("%s %s", res.Status, res.Header.Get("Content-Disposition"))
	}
	z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
	must(t, err)
	if len(z.File) < 15 || z.File[0].Name != "README.txt" {
		t.Errorf("%d files in the bundle", len(z.File))
	}
	var noted wire.AuditList
	must(t, o.owner.Call(background(t), "audit.list", wire.AuditListParams{Action: "support.bundle"}, &noted))
	if len(noted.Entries) != 1 || noted.Entries[0].Outcome != "done" {
		t.Errorf("the audit has %+v", noted.Entries)
	}
}
