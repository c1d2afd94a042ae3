package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"

	"posthouse/appliance/client"
)

// The page can be installed as an app, over https with a trusted certificate.
func TestManifest(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	ann := trusting(t, o.server).tab(t, "ann", o.lanURL())
	ann.logsIn("ann")
	m := command(ann, page.GetAppManifest, page.GetAppManifestParams{})
	for _, e := range m.Errors {
		t.Errorf("the manifest: %s", e.Message)
	}
	if !strings.Contains(m.Data, `"name": "Posthouse"`) {
		t.Errorf("the manifest says %s", m.Data)
	}
	for _, e := range command(ann, page.GetInstallabilityErrors, cdp.Empty{}).InstallabilityErrors {
		if e.ErrorID != "in-incognito" { // every browser context of a test is
			t.Errorf("not installable: %s", e.ErrorID)
		}
	}
	zh := ask[string](ann, `fetch("/manifest.webmanifest", { headers: { "Accept-Language": "zh-CN" } }).then((r) => r.json()).then((m) => m.name + " " + m.lang)`)
	if zh != "驿站 zh-CN" {
		t.Errorf("in Chinese it is called %q", zh)
	}
	ann.until("the worker", `navigator.serviceWorker.controller !== null`)
	kept := ask[string](ann, `caches.keys().then(async (names) => (await Promise.all(names.map(async (n) => (await (await caches.open(n)).keys()).map((r) => new URL(r.url).pathname)))).flat().sort().join(" "))`)
	for path := range strings.FieldsSeq(kept) {
		if path != "/" && !strings.HasPrefix(path, "/assets/") {
			t.Errorf("the worker keeps %s", path)
		}
	}
}

// Without the server the page opens with the names of the rooms; what one writes
// is sent when the server is back.
func TestOpensWithoutTheServer(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo Lin", client.Options{})
	room := o.group("冲压班组", bo.user.ID)
	bo.says(room.ID, "nobody keeps this")
	ann := shared.tab(t, "ann", o.url())
	ann.expects(refusedConnections)
	ann.expects(`Failed to (fetch|load resource)|status of 503`)
	ann.logsIn("ann")
	ann.until("the worker", `navigator.serviceWorker.controller !== null`)
	ann.until("what is kept", `localStorage.getItem("posthouse.resident")?.includes("冲压班组")`)
	if ask[bool](ann, `localStorage.getItem("posthouse.resident").includes("nobody keeps this")`) {
		t.Error("the text of a message is kept")
	}
	o.kill()
	ann.broken()
	ann.reload()
	ann.finds("a.room-link", "冲压班组")
	ann.shot("offline")
	ann.enters("冲压班组")
	ann.writes("written without a server")
	ann.enter()
	ann.finds(".message.pending", "written without a server")
	ann.reload()
	ann.finds("a.room-link", "冲压班组")
	o.start()
	ann.online()
	ann.sees("written without a server")
	ann.sees("nobody keeps this")

	// A session that has ended leaves nothing.
	ann.click("button", "Menu")
	ann.click("[role=menuitem]", "Log out")
	ann.click("dialog button.danger", "Log out")
	ann.finds("form button", "Log in")
	if ask[bool](ann, `localStorage.getItem("posthouse.resident") !== null`) {
		t.Error("the names of the rooms stay after logging out")
	}
}

// A server that wants no service worker gets rid of the one browsers have.
func TestWorkerIsCalledBack(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	ann := shared.tab(t, "ann", o.url())
	ann.expects(refusedConnections)
	ann.expects(`status of 503`)
	ann.logsIn("ann")
	ann.until("the worker", `navigator.serviceWorker.controller !== null`)
	o.stop()
	o.settings = append(o.settings, "server.offline_pages=false")
	o.start()
	ann.reload()
	ann.online()
	ann.until("no worker", `window.none || (navigator.serviceWorker.getRegistrations().then((list) => (window.none = list.length === 0)), false)`)
	ann.until("nothing kept", `window.empty || (caches.keys().then((names) => (window.empty = names.length === 0)), false)`)
	ann.press("Ctrl+,")
	ann.finds("[data-offline=off]", "")
	answer, err := http.Get(o.url() + "/sw.js")
	must(t, err)
	must(t, answer.Body.Close())
	if got := fmt.Sprint(answer.StatusCode, " ", answer.Header.Get("Cache-Control"), " ", answer.Header.Get("Content-Type")); got != "200 no-cache text/javascript; charset=utf-8" {
		t.Errorf("sw.js: %s", got)
	}
}
