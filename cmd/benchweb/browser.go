package main

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// browser is a Chromium that trusts the certificate of the server.
type browser struct {
	ctx  context.Context
	stop func()
	site string
}

func startBrowser(ctx context.Context, s *server, o options) (*browser, error) {
	c, err := tls.Dial("tcp", s.lan, &tls.Config{InsecureSkipVerify: true, ServerName: hostName}) //nolint:gosec // to learn its key
	if err != nil {
		return nil, fmt.Errorf("look at the certificate: %w", err)
	}
	sum := sha256.Sum256(c.ConnectionState().PeerCertificates[0].RawSubjectPublicKeyInfo)
	if err := c.Close(); err != nil {
		return nil, fmt.Errorf("look at the certificate: %w", err)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(o.chromium), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(filepath.Join(s.dir, "chromium")),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en-US"),
		chromedp.Flag("host-resolver-rules", "MAP "+hostName+" 127.0.0.1"),
		chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(sum[:])))
	alloc, stop := chromedp.NewExecAllocator(ctx, opts...)
	bctx, cancel := chromedp.NewContext(alloc)
	b := &browser{ctx: bctx, stop: func() { cancel(); stop() }}
	if err := chromedp.Do(bctx); err != nil {
		b.stop()
		return nil, fmt.Errorf("start %s: %w", o.chromium, err)
	}
	_, port, err := net.SplitHostPort(s.lan)
	if err != nil {
		return nil, fmt.Errorf("find the port: %w", err)
	}
	b.site = "https://" + hostName + ":" + port
	return b, nil
}

// tab is a page in a browser context of its own. The first error sticks: what
// is asked for after it does nothing.
type tab struct {
	ctx  context.Context
	stop context.CancelFunc
	site string
	err  error
}

// watch runs in every page before its own scripts: it notes when the first
// room was drawn, every interaction, every long task, the size of frames on the
// WebSocket, and, while it is told to, every pause between animation frames.
const watch = `(() => {
const b = window.bench = { drawn: 0, inputs: new Map(), tasks: [], socket: 0, frames: [], moving: false };
const Plain = WebSocket;
window.WebSocket = class extends Plain {
	constructor(...a) { super(...a); this.addEventListener("message", (e) => { b.socket += e.data.length }) }
};
new PerformanceObserver((l) => { for (const e of l.getEntries()) if (e.interactionId) b.inputs.set(e.interactionId, Math.max(e.duration, b.inputs.get(e.interactionId) ?? 0)) }).observe({ type: "event", durationThreshold: 16, buffered: true });
new PerformanceObserver((l) => { for (const e of l.getEntries()) b.tasks.push(e.duration) }).observe({ type: "longtask", buffered: true });
const seen = new MutationObserver(() => {
	if (!document.querySelector("a.room-link")) return;
	seen.disconnect();
	requestAnimationFrame(() => setTimeout(() => { b.drawn = performance.now() }, 0));
});
seen.observe(document, { childList: true, subtree: true });
b.painted = () => new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(r, 0))));
b.start = () => {
	b.frames = []; b.moving = true;
	let last = performance.now();
	const step = () => { const now = performance.now(); b.frames.push(now - last); last = now; if (b.moving) requestAnimationFrame(step) };
	requestAnimationFrame(step);
};
b.shown = async (what) => { const from = performance.now(); while (!what()) { if (performance.now() - from > 60000) throw new Error("nothing came: " + what); await new Promise((r) => requestAnimationFrame(r)) } await b.painted(); return performance.now() - from };
})()`

// tab opens a page that is logged in.
func (b *browser) tab(login string) (*tab, error) {
	ctx, stop := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	t := &tab{ctx: ctx, stop: stop, site: b.site}
	t.err = chromedp.Do(ctx)
	command(t, network.Enable, network.EnableParams{})
	command(t, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	command(t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: 1280, Height: 800, DeviceScaleFactor: 1})
	command(t, page.Enable, page.EnableParams{})
	command(t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watch})
	t.open("/")
	t.wait(`document.querySelector("form")`)
	body := fmt.Sprintf(`{"login":%q,"password":%q,"cookie":true}`, login, password)
	if status := ask[int](t, `fetch("/api/session.login", { method: "POST", headers: { "Content-Type": "application/json" }, body: `+quoted(body)+` }).then((r) => r.status)`); t.err == nil && status != 200 {
		t.err = fmt.Errorf("log in as %s: status %d", login, status)
	}
	return t, t.err
}

func command[P, R any](t *tab, c cdp.Command[P, R], params P) (r R) {
	if t.err != nil {
		return r
	}
	ctx, cancel := context.WithTimeout(t.ctx, 90*time.Second)
	defer cancel()
	if r, t.err = chromedp.Call(ctx, c, params); t.err != nil {
		t.err = fmt.Errorf("%s: %w", c.Method, t.err)
	}
	return r
}

func ask[T any](t *tab, js string) (v T) {
	if t.err != nil {
		return v
	}
	ctx, cancel := context.WithTimeout(t.ctx, 90*time.Second)
	defer cancel()
	if v, t.err = chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise)); t.err != nil {
		t.err = fmt.Errorf("evaluate %.120s: %w", js, t.err)
	}
	return v
}

func (t *tab) run(js string) { ask[chromedp.Void](t, js) }

func (t *tab) open(path string) {
	r := command(t, page.Navigate, page.NavigateParams{URL: t.site + path})
	if t.err == nil && r.ErrorText != "" {
		t.err = fmt.Errorf("open %s: %s", path, r.ErrorText)
	}
}

// wait looks at a condition until it holds; the page may be replaced meanwhile.
func (t *tab) wait(js string) {
	end := time.Now().Add(90 * time.Second)
	for t.err == nil && !ask[bool](t, `!!(`+js+`)`) {
		if time.Now().After(end) {
			t.err = errors.New("waited for " + js)
			return
		}
		<-time.After(30 * time.Millisecond)
	}
}

// shown waits inside the page and gives the ms until what it waited for has
// been painted.
func (t *tab) shown(js string) float64 { return ask[float64](t, `bench.shown(() => (`+js+`))`) }

// click presses the mouse in the middle of an element.
func (t *tab) click(element string) {
	type spot struct{ X, Y float64 }
	at := ask[spot](t, `(() => { const e = `+element+`; e.scrollIntoView({ block: "nearest" }); const b = e.getBoundingClientRect(); return { X: b.left + b.width / 2, Y: b.top + b.height / 2 } })()`)
	for _, kind := range []input.DispatchMouseEventType{chromedp.MousePressed, chromedp.MouseReleased} {
		command(t, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: kind, X: at.X, Y: at.Y, Button: "left", ClickCount: 1})
	}
}

// key presses a key with a letter on it.
func (t *tab) key(letter string) {
	command(t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: letter, Text: letter})
	command(t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: letter})
}

// wheel turns the mouse wheel over an element.
func (t *tab) wheel(css string, dy float64) {
	type spot struct{ X, Y float64 }
	at := ask[spot](t, `(() => { const b = document.querySelector(`+quoted(css)+`).getBoundingClientRect(); return { X: b.left + b.width / 2, Y: b.top + b.height / 2 } })()`)
	command(t, input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: "mouseWheel", X: at.X, Y: at.Y, DeltaX: 1e-9, DeltaY: dy}) // a zero would be left out, and must not be
}

// interaction does something a person does and gives how long it took until the
// next paint, by the browser's own measure.
func (t *tab) interaction(do func()) float64 {
	t.run(`bench.inputs.clear()`)
	do()
	t.run(`bench.painted().then(bench.painted)`)
	return ask[float64](t, `Math.max(8, ...bench.inputs.values())`)
}

// moving gives the pauses between animation frames while do runs.
func (t *tab) moving(do func()) []float64 {
	t.run(`bench.start()`)
	do()
	return ask[[]float64](t, `(bench.moving = false, bench.painted().then(() => bench.frames))`)
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil { // a string always can
		fmt.Fprintln(os.Stderr, err)
	}
	return string(b)
}
