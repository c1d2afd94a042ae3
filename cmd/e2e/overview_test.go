package e2e

import (
	"net/url"
	"strings"
	"testing"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
)

// The first page tells of alerts that other programs raised, of wrong
// passwords, of the path of a message without virtual users, and of what a new
// server needs.
func TestOverviewTells(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	h, err := client.NewHTTP(client.Options{URL: o.url()})
	must(t, err)
	t.Cleanup(func() { _ = h.Close() })
	for range 2 {
		if _, err := h.Login(background(t), "ann", "not this one"); err == nil {
			t.Fatal("a wrong password was taken")
		}
	}
	c := newConsole(t, o.url())
	_, page := c.login("ann")
	has := func(page string, texts ...string) {
		t.Helper()
		for _, text := range texts {
			if !strings.Contains(page, text) {
				t.Errorf("the overview lacks %q", text)
			}
		}
	}
	has(page, "2 wrong passwords since", `id="message-path"`, "switched off", `id="first-steps"`, `id="step-people"`, "Alerts that fire")
	if n := strings.Count(page, "<strong>The certificate is valid</strong>"); n > 1 {
		t.Errorf("the certificate is checked %d times", n)
	}
	o.alarm("RaidDegraded", "critical", "a disk is gone")
	await(t, func() string { return "the overview to tell of the alert" }, func() bool {
		_, page = c.ask("/admin", nil)
		return strings.Contains(page, "1 fires: RaidDegraded") && strings.Contains(page, `class="card status critical"`) && strings.Contains(page, `need attention`)
	})
	_, err = o.owner.CreateUser(background(t), wire.UserCreate{Login: "aude", Name: "aude", Password: password, Role: wire.Auditor})
	must(t, err)
	aude := newConsole(t, o.url())
	if _, page := aude.login("aude"); strings.Contains(page, "/admin/steps/skip") {
		t.Error("an auditor is offered to put the first steps away")
	}
	if res, _ := c.ask("/admin/steps/skip", url.Values{"csrf": {c.csrf}}); res.StatusCode != 303 {
		t.Errorf("put the first steps away: %s", res.Status)
	}
	if _, page = c.ask("/admin", nil); strings.Contains(page, `id="first-steps"`) {
		t.Error("the first steps are still there")
	}
}
