package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	devtools "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"

	"posthouse/appliance/client"
)

// Files that are programs in the eyes of a browser, sent by somebody with an
// account, run nowhere: not opened by their address, not as a page inside of
// another, not under a name of the attacker's choice.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	eve := o.hire("eve", "Eve", client.Options{})
	room := eve.direct(o.owner.user.ID)
	const deed = `fetch("/api/message.send",{method:"POST"});top.document.title="owned";document.title="owned";try{localStorage.owned=1}catch{}`
	hostile := map[string]string{
		"x.svg":   `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload='` + deed + `'><script>` + deed + `</script></svg>`,
		"x.html":  `<!doctype html><title>page</title><script>` + deed + `</script><img src=x onerror='` + deed + `'>`,
		"x.xhtml": `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><script>` + deed + `</script></html>`,
		"x.xml":   `<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="#"?><a xmlns:h="http://www.w3.org/1999/xhtml"><h:script>` + deed + `</h:script></a>`,
		"x.png":   `<html><script>` + deed + `</script></html>`,
		"x.txt":   `<html><script>` + deed + `</script></html>`,
		"x.pdf":   "%PDF-1.4\n" + `<html><script>` + deed + `</script></html>`,
		"x.js":    deed,
	}
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.enters("Eve")
	downloads := t.TempDir()
	_, err := chromedp.CallBrowser(ann.ctx, devtools.SetDownloadBehavior, devtools.SetDownloadBehaviorParams{
		Behavior: devtools.SetDownloadBehaviorBehaviorAllow, DownloadPath: downloads,
		BrowserContextID: chromedp.FromContext(ann.ctx).BrowserContextID})
	must(t, err)
	for name, content := range hostile {
		f := eve.uploads(room.ID, name, []byte(content))
		for _, as := range []string{name, "x.html", "x.svg", "index.html?download=0"} {
			where := fmt.Sprintf("%s/files/%s/%s", o.url(), f.ID, as)
			o.headersOf(ann, where)
			ann.open(where)
			if got := ask[string](ann, `document.title + (() => { try { return localStorage.owned ?? "" } catch { return "" } })()`); got == "owned" || got == "owned1" || got == "1" {
				t.Fatalf("%s ran as %s", name, where)
			}
			ann.open("/#/room/" + room.ID.String())
			ann.online()
		}
		ann.sees(name)
		ann.until("its own name after "+name+", with nothing unread", `document.title + (localStorage.owned ?? "") === "E2E 测试"`)
	}
	await(t, func() string { return "a file to be saved" }, func() bool {
		saved, err := filepath.Glob(filepath.Join(downloads, "*"))
		return err == nil && len(saved) > 0
	})
	if n := len(o.owner.all(room.ID)); n != len(hostile) {
		t.Errorf("the room has %d entries, not the %d that Eve sent", n, len(hostile))
	}
}

// headersOf wants an answer that no browser makes a page of.
func (o *office) headersOf(p *tab, where string) {
	o.t.Helper()
	req, err := http.NewRequestWithContext(background(o.t), http.MethodGet, where, nil)
	must(o.t, err)
	req.Header.Set("Authorization", "Bearer "+o.owner.Token())
	answer, err := http.DefaultClient.Do(req)
	must(o.t, err)
	defer answer.Body.Close()
	kind, saved := answer.Header.Get("Content-Type"), answer.Header.Get("Content-Disposition")
	switch {
	case answer.StatusCode != http.StatusOK:
		o.t.Errorf("%s: %s", where, answer.Status)
	case answer.Header.Get("X-Content-Type-Options") != "nosniff":
		o.t.Errorf("%s may be sniffed", where)
	case kind == "text/plain; charset=utf-8":
	case kind != "application/octet-stream" || len(saved) < 10 || saved[:10] != "attachment":
		o.t.Errorf("%s is served as %s, %q", where, kind, saved)
	}
}
