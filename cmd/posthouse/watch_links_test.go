package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"posthouse/sysmon/board"
	"posthouse/sysmon/checklist"
	"posthouse/sysmon/runbook"
)

// linkBench asks the console of a running server through its socket, as the
// operator.
type linkBench struct {
	t     *testing.T
	http  http.Client
	pages map[string]string // by path and query
}

func newLinkBench(t *testing.T, s *server) *linkBench {
	var d net.Dialer
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return d.DialContext(ctx, "unix", s.sock.Addr().String())
	}
	b := &linkBench{t: t, http: http.Client{Transport: &http.Transport{DialContext: dial}}, pages: map[string]string{}}
	t.Cleanup(b.http.CloseIdleConnections)
	return b
}

// page is what an owner sees there; empty: there is no such page.
func (b *linkBench) page(address string) string {
	if text, ok := b.pages[address]; ok {
		return text
	}
	res, err := b.http.Get("http://posthouse" + address)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	text := ""
	if res.StatusCode == 200 {
		text = string(raw)
	}
	b.pages[address] = text
	return text
}

// check follows a link to its page and its place there.
func (b *linkBench) check(where, link string) {
	b.t.Helper()
	address, place, _ := strings.Cut(link, "#")
	if !strings.HasPrefix(address, "/admin") {
		if address != "/" {
			b.t.Errorf("%s leads out of the console: %s", where, link)
		}
		return
	}
	text := b.page(address)
	if text == "" {
		b.t.Errorf("%s leads to %s, which is not there", where, link)
		return
	}
	if place != "" && !strings.Contains(text, `id="`+place+`"`) {
		b.t.Errorf("%s leads to %s, where there is no such place", where, link)
	}
	u, err := url.Parse(address)
	if err != nil {
		b.t.Errorf("%s: %v", where, err)
		return
	}
	if name := u.Query().Get("name"); name != "" && u.Path == "/admin/alerts" && !strings.Contains(text, name) {
		b.t.Errorf("%s: the page %s does not name %s", where, link, name)
	}
}

// alertLinks are those of the shipped rules.
func alertLinks(s *server) map[string]string {
	out := map[string]string{}
	for _, r := range s.watch.Rules.Rules() {
		for k, v := range r.Spec.Annotations {
			switch {
			case k == "link":
				out[r.ID+" link"] = strings.TrimPrefix(v, "{{ $externalURL }}")
			case k == "runbook":
				out[r.ID+" runbook"] = "/admin/runbooks/" + v
			case strings.Contains(v, "/admin/"):
				out[r.ID+" "+k] = v[strings.Index(v, "/admin/"):]
			}
		}
	}
	return out
}

// linksOf are the links of everything that comes with the program.
func linksOf(s *server) map[string]string {
	out := alertLinks(s)
	for _, b := range runbook.All() {
		for _, step := range b.Steps {
			if step.Link != "" {
				out["runbook "+b.Alert+"/"+step.ID] = step.Link
			}
		}
		for _, e := range b.Evidence {
			if e.Link != "" {
				out["evidence "+b.Alert+"/"+e.ID] = e.Link
			}
		}
	}
	for _, b := range board.Boards() {
		out["board "+b.ID] = "/admin/boards/" + b.ID
		for _, p := range b.Panels {
			for _, name := range p.Alerts {
				out["panel "+b.ID+"/"+p.ID+" "+name] = "/admin/alerts?name=" + name
			}
			for _, line := range p.Thresholds {
				if line.Alert != "" {
					out["threshold "+b.ID+"/"+p.ID+" "+line.Alert] = "/admin/alerts?name=" + line.Alert
				}
			}
		}
	}
	return out
}

// Every link of alerts, runbooks, boards, checks and findings leads to a page
// that is there.
func TestEveryLinkLeadsToAPage(t *testing.T) {
	m := newMind(t)
	b := newLinkBench(t, m.server)
	links := linksOf(m.server)
	h, err := m.server.watch.Health.At(t.Context(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range h.Checks {
		links["health "+c.ID] = c.Link
	}
	for _, p := range checklist.Periods() {
		r, err := m.server.watch.Lists.Now(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range r.Items {
			if i.Link != "" {
				links["checklist "+string(p)+"/"+i.ID] = i.Link
			}
		}
	}
	for _, alert := range []string{"HighMemoryUsage", "HighErrorRate", "ChatProbeFailed", "DiskFillsUp", "NotificationsFailing"} {
		for _, f := range m.open(alert).Findings {
			if f.Link != "" {
				links["finding "+alert+"/"+f.ID] = f.Link
			}
		}
	}
	if len(links) < 230 {
		t.Errorf("only %d links were found", len(links))
	}
	for _, where := range slices.Sorted(maps.Keys(links)) {
		b.check(where, links[where])
	}
	// What these pages themselves lead to.
	inside := map[string]string{}
	for address, text := range b.pages {
		for _, found := range regexp.MustCompile(`href="(/admin[^"]*)"`).FindAllStringSubmatch(text, -1) {
			link := strings.ReplaceAll(found[1], "&amp;", "&")
			if to, _, _ := strings.Cut(link, "#"); b.pages[to] == "" {
				inside[link] = address
			}
		}
	}
	if len(inside) < 20 {
		t.Errorf("only %d links were found on the pages", len(inside))
	}
	for _, link := range slices.Sorted(maps.Keys(inside)) {
		b.check(fmt.Sprintf("the page %s", inside[link]), link)
	}
	if b.page("/admin/runbooks") != "" || b.page("/admin/boards/none") != "" {
		t.Error("a page that is not there is found")
	}
}
