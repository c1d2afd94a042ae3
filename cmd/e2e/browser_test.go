package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// browser is a Chromium process, started when the first tab is opened.
type browser struct {
	dir   string // user data
	flags map[string]string
	once  sync.Once
	ctx   context.Context
	stop  context.CancelFunc
	err   error
}

func newBrowser(dir string) *browser { return &browser{dir: dir, flags: map[string]string{}} }

func (b *browser) start(path string) {
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(b.dir),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("lang", "en-US"), chromedp.Flag("accept-lang", "en-US"),
		chromedp.Flag("host-resolver-rules", "MAP "+hostName+" 127.0.0.1"))
	for name, value := range b.flags {
		opts = append(opts, chromedp.Flag(name, value))
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc)
	b.ctx, b.stop = ctx, func() { cancel(); stop() }
	b.err = chromedp.Do(ctx)
}

func (b *browser) close() {
	if b.stop == nil {
		return
	}
	ctx, cancel := context.WithTimeout(b.ctx, 10*time.Second)
	defer cancel()
	_ = chromedp.Cancel(ctx) // what is left of it is killed
	b.stop()
}

// tab is a page in a browser context of its own: another browser, as far as
// the server can tell.
type tab struct {
	t    *testing.T
	who  string
	site string // address of the server
	ctx  context.Context

	mu       sync.Mutex
	bad      []string // what the console complained about
	expected []*regexp.Regexp
}

// tab opens an empty page that belongs to somebody.
func (b *browser) tab(t *testing.T, who, site string) *tab {
	t.Helper()
	path := need(t, "chromium", "chromium-browser", "google-chrome")
	b.once.Do(func() { b.start(path) })
	if b.err != nil {
		t.Fatalf("start %s: %v", path, b.err)
	}
	return b.newTab(t, who, site, chromedp.WithNewBrowserContext())
}

// beside opens one more tab of the same browser: with the same cookies and
// storage.
func (p *tab) beside(b *browser) *tab {
	p.t.Helper()
	return b.newTab(p.t, p.who+"-beside", p.site, chromedp.WithExistingBrowserContext(chromedp.FromContext(p.ctx).BrowserContextID))
}

func (b *browser) newTab(t *testing.T, who, site string, where chromedp.ContextOption) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx, where)
	p := &tab{t: t, who: who, site: site, ctx: ctx}
	must(t, chromedp.Do(ctx))
	listened := make(chan struct{})
	messages := chromedp.Console(ctx)
	go func() {
		defer close(listened)
		for m, err := range messages {
			if err != nil {
				return
			}
			if m.Type == chromedp.ConsoleError || m.IsException() || m.Type == "assert" || m.Source == "security" {
				p.mu.Lock()
				p.bad = append(p.bad, fmt.Sprintf("%s %s %s", m.Source, m.Text, m.URL))
				p.mu.Unlock()
			}
		}
	}()
	t.Cleanup(func() {
		if t.Failed() {
			p.testify()
		}
		cancel()
		<-listened
		p.judge()
	})
	command(p, network.Enable, network.EnableParams{})
	command(p, emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true})
	p.size(1100, 800)
	return p
}

// expects names complaints of the console that this test provokes.
func (p *tab) expects(pattern string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected = append(p.expected, regexp.MustCompile(pattern))
}

// refusedConnections is what a browser says while there is no server.
const refusedConnections = `net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|CONNECTION_CLOSED|EMPTY_RESPONSE|INTERNET_DISCONNECTED|SOCKET_NOT_CONNECTED|NETWORK_CHANGED|ABORTED)|WebSocket connection to .* failed`

// notLoggedIn is what a browser says when the page asks who is logged in.
const notLoggedIn = `status of 401 .*/api/session\.me`

// loggedOut is what a browser says of calls under way while its device or its
// account is thrown out.
const loggedOut = `status of 401 .*/api/`

func (p *tab) judge() {
	p.mu.Lock()
	defer p.mu.Unlock()
next:
	for _, line := range p.bad {
		for _, e := range p.expected {
			if e.MatchString(line) {
				continue next
			}
		}
		p.t.Errorf("the console of %s: %s", p.who, line)
	}
}

// testify leaves what a failed test saw last.
func (p *tab) testify() {
	text, err := evaluate[string](p, `document.body ? location.href + "\n" + document.title + "\n" + document.body.innerText.slice(-2000) : ""`)
	if err == nil {
		p.t.Logf("the page of %s:\n%s", p.who, text)
	}
	p.shot("failed")
}

// command sends a command of the protocol that must succeed.
func command[P, R any](p *tab, c cdp.Command[P, R], params P) R {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, c, params)
	if err != nil {
		p.t.Fatalf("%s: %s: %v", p.who, c.Method, err)
	}
	return r
}

// open goes to a path of the server, or to a whole address.
func (p *tab) open(to string) {
	p.t.Helper()
	if strings.HasPrefix(to, "/") {
		to = p.site + to
	}
	r := command(p, page.Navigate, page.NavigateParams{URL: to})
	if r.ErrorText != "" && r.ErrorText != "net::ERR_ABORTED" { // a download
		p.t.Fatalf("%s: open %s: %s", p.who, to, r.ErrorText)
	}
	if r.ErrorText == "" { // who types sooner than the script listens is not heard by it
		p.until("all of "+to, `document.readyState === "complete"`)
	}
}

// reload loads the page anew and waits until the old one is gone.
func (p *tab) reload() {
	p.t.Helper()
	p.run(`window.stale = true`)
	command(p, page.Reload, page.ReloadParams{})
	p.until("a reload", `!window.stale && document.readyState === "complete"`)
}

func evaluate[T any](p *tab, js string) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
}

// ask evaluates an expression that must have a value.
func ask[T any](p *tab, js string) T {
	p.t.Helper()
	v, err := evaluate[T](p, js)
	if err != nil {
		p.t.Fatalf("%s: evaluate %.200s: %v", p.who, js, err)
	}
	return v
}

// run evaluates a statement.
func (p *tab) run(js string) {
	p.t.Helper()
	if _, err := evaluate[chromedp.Void](p, js); err != nil {
		p.t.Fatalf("%s: run %.200s: %v", p.who, js, err)
	}
}

// until waits for an expression to become true; a page that is being replaced
// meanwhile is no failure.
func (p *tab) until(what, js string) {
	p.t.Helper()
	await(p.t, func() string { return p.who + " to see " + what }, func() bool {
		ok, err := evaluate[bool](p, `(() => { try { return !!(`+js+`) } catch { return false } })()`)
		if errors.Is(err, context.Canceled) {
			p.t.Fatalf("%s: the browser has gone: %v", p.who, err)
		}
		return err == nil && ok
	})
}

// quoted is a Go string as a JavaScript one.
func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil { // a string always can
		panic(err)
	}
	return string(b)
}

func (p *tab) size(width, height int64) {
	p.t.Helper()
	command(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1})
}

// scheme is light or dark.
func (p *tab) scheme(name string) {
	p.t.Helper()
	command(p, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
}

// network takes the browser off the network, or puts it back.
func (p *tab) network(on bool) {
	p.t.Helper()
	p.expects(refusedConnections)
	conditions := []*network.Conditions{}
	if !on {
		conditions = append(conditions, &network.Conditions{Offline: true, DownloadThroughput: -1, UploadThroughput: -1})
	}
	command(p, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{MatchedNetworkConditions: conditions})
	command(p, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: !on, DownloadThroughput: -1, UploadThroughput: -1})
}

// shot takes a picture of the page.
func (p *tab) shot(name string) {
	dir := os.Getenv("POSTHOUSE_SCREENSHOTS")
	if dir == "" {
		dir = p.t.ArtifactDir()
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	file := filepath.Join(dir, strings.ReplaceAll(p.t.Name(), "/", "-")+"-"+p.who+"-"+name+".png")
	_ = os.MkdirAll(dir, 0o700) // writing tells
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(file, picture, 0o600)
	}
	if err != nil {
		p.t.Logf("take a picture of %s: %v", p.who, err)
	}
}
