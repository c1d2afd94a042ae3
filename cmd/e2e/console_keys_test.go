package e2e

import (
	"fmt"
	"testing"

	"posthouse/appliance/client"
)

// atStop is what a page tells of the element that has the focus: null at the end
// of the page, else what is wrong with it as a place to stop at. It remembers
// where it was before. What moves may come to rest first.
const atStop = `new Promise((done) => {
	const w = window.walk ??= { seen: new Set(), last: null, region: 0 };
	const regions = [".skip", "header.top", "#nav", ".page"];
	const wrong = (e) => {
		const all = [...e.getClientRects()];
		const box = all.find((r) => r.width > 0 && r.height > 0);
		if (!box) return "has no size";
		const top = Math.max(box.top, 0), bottom = Math.min(box.bottom, innerHeight), left = Math.max(box.left, 0), right = Math.min(box.right, innerWidth);
		if (bottom - top < Math.min(box.height, 20) - 1 || right - left < Math.min(box.width, 20) - 1) return "is not in view";
		const high = Math.min(bottom, Math.max(top, 0) + 60); // of what is higher than the window, the beginning counts
		const hit = document.elementFromPoint((left + right) / 2, box.height > innerHeight ? (top + bottom) / 2 : (top + Math.max(high, bottom)) / 2);
		if (!hit || !e.contains(hit)) return "lies behind " + (hit?.outerHTML.slice(0, 80) ?? "nothing");
		const s = getComputedStyle(e);
		if (!e.matches(":focus-visible") || ((s.outlineStyle === "none" || parseFloat(s.outlineWidth) < 1) && s.boxShadow === "none")) return "has no ring";
		return "";
	};
	let tries = 0;
	const look = () => {
		const e = document.activeElement;
		if (!e || e === document.body || e === document.documentElement || w.seen.has(e)) return done(null);
		const bad = wrong(e);
		if (bad && tries++ < 40) return setTimeout(look, 50);
		const region = regions.findIndex((css) => e.closest(css));
		const late = w.last?.isConnected && !(w.last.compareDocumentPosition(e) & Node.DOCUMENT_POSITION_FOLLOWING);
		const out = { Name: e.tagName + " " + (e.getAttribute("aria-label") || e.innerText || e.name || e.id).slice(0, 60), Region: region,
			Wrong: bad || (late ? "comes after what follows it" : region < w.region ? "is of a part that was left" : "") };
		w.seen.add(e);
		w.last = e;
		w.region = region;
		done(out);
	};
	look();
})`

// missed is what one could stop at and the walk did not; what a live update
// replaced meanwhile does not count.
const missed = `[...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")].filter((e) =>
	e.tabIndex >= 0 && !e.disabled && e.type !== "hidden" && e.checkVisibility({ visibilityProperty: true }) && !window.walk.seen.has(e) &&
	!e.closest("[data-live-part], [data-live-fetch], #banners, [inert]")).map((e) => e.outerHTML.slice(0, 120))`

// walks goes through a page by Tab, from its beginning to its end, and returns
// which of its parts it came through: skip link, head, navigation, page.
func (p *tab) walks(name string) (regions [4]bool) {
	p.t.Helper()
	type stop struct {
		Name, Wrong string
		Region      int
	}
	p.run(`window.walk = undefined; document.activeElement?.blur()`)
	for range 600 {
		p.press("Tab")
		at := ask[*stop](p, atStop)
		if at == nil {
			for _, e := range ask[[]string](p, missed) {
				p.t.Errorf("%s: Tab does not reach %s", name, e)
			}
			return regions
		}
		if at.Wrong != "" {
			p.t.Errorf("%s: %s %s", name, at.Name, at.Wrong)
		}
		if at.Region >= 0 {
			regions[at.Region] = true
		}
	}
	p.t.Errorf("%s: Tab finds no end", name)
	return regions
}

// Tab goes through every kind of page in its order: each stop is in view, has a
// ring and lies behind nothing; none is left out; there is an end.
func TestConsoleByTab(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.hire("bo", "Bo Lin", client.Options{})
	o.alarm("RaidDegraded", "critical", "a disk is gone")
	p := shared.tab(t, "ann", o.url())
	p.size(1280, 700)
	p.logsInConsole("ann")
	for _, path := range []string{"/admin", "/admin/alerts", "/admin/people", "/admin/automatic", "/admin/rules/edit", "/admin/channels", "/admin/query"} {
		p.open(path)
		p.connected()
		if through := p.walks(path); through != [4]bool{true, true, true, true} {
			t.Errorf("%s: the walk came through skip link, head, navigation, page: %v", path, through)
		}
	}
	p.walksBoard()
	p.size(360, 700)
	p.open("/admin")
	p.connected()
	if through := p.walks("/admin, narrow"); through != [4]bool{true, true, false, true} {
		t.Errorf("narrow: the walk came through skip link, head, navigation, page: %v", through)
	}
}

// walksBoard stays at a chart that moves on, and walks through a time that is
// over: a chart that gets its first point behind the walk would be missed.
func (p *tab) walksBoard() {
	p.t.Helper()
	p.open("/admin/boards/im?from=now-15m")
	p.connected()
	p.until("most of its charts", `document.querySelectorAll(".chart:has(.chart-series)").length > 5`)
	p.tabsTo(".chart-series", "")
	p.run(`window.stays = document.activeElement; window.told = document.querySelector(".chart:has(:focus) > p.sr").textContent`)
	p.until("a chart that moved on", `stays.closest(".chart").querySelector("p.sr").textContent !== told`)
	p.until("the focus where it was", `document.activeElement === stays`)
	now := ask[int64](p, `(async () => {
		for (;; await new Promise((wait) => setTimeout(wait, 500))) {
			const now = Math.floor(Date.now() / 1000);
			const had = await fetch(document.querySelector("[data-board]").dataset.src + "?width=600&from=" + (now - 60) + "&to=" + now).then((r) => r.json());
			if (Object.values(had.panels).filter((panel) => panel.series?.length).length > 5) return now;
		}
	})()`)
	path := fmt.Sprintf("/admin/boards/im?from=%d&to=%d", now-60, now)
	p.open(path)
	p.connected()
	p.until("its charts", `document.querySelector(".chart-plot:not([hidden])") && !/Loading …/.test(document.querySelector("main").innerText)`)
	if through := p.walks(path); through != [4]bool{true, true, true, true} {
		p.t.Errorf("%s: the walk came through skip link, head, navigation, page: %v", path, through)
	}
}

// The skip link, what opens over a page, and where the focus is when it closes.
func TestConsoleGivesTheFocusBack(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	p := shared.tab(t, "ann", o.url())
	p.size(1280, 700)
	p.logsInConsole("ann")
	p.open("/admin/people")
	p.connected()
	p.press("Tab")
	p.focused("a.skip")
	p.press("Enter")
	p.focused("#main")
	p.press("Tab")
	p.until("the focus in the page", `document.activeElement.closest("main") && document.activeElement.id !== "main"`)

	p.tabsTo("main a", "CSV")
	p.press("Ctrl+K")
	p.focused(".palette input")
	for range 4 {
		p.press("Tab")
		p.until("the focus in the palette, or with the browser", `document.activeElement === document.body || document.activeElement.closest("dialog.palette")`)
	}
	p.press("Escape")
	p.misses("dialog", "")
	p.until("the focus on CSV", `document.activeElement.innerText.includes("CSV")`)
	p.press("?")
	p.finds("dialog h2", "Keys")
	p.press("Escape")
	p.misses("dialog", "")
	p.until("the focus on CSV", `document.activeElement.innerText.includes("CSV")`)

	p.tabsTo(".person summary", "")
	p.press("Enter")
	p.finds(".person-menu button", "Log out")
	p.press("Tab")
	p.focused(".person-menu button")
	p.press("Escape")
	p.misses(".person-menu button", "Log out")
	p.focused(".person summary")
	p.press("Enter")
	p.finds(".person-menu button", "Log out")
	p.press("Shift+Tab")
	p.misses(".person-menu button", "Log out")

	p.size(360, 700)
	p.open("/admin")
	p.connected()
	p.tabsTo(".menu-link", "")
	p.press("Enter")
	p.finds("#nav a", "People")
	p.press("Tab")
	p.focused("#nav .nav-close")
	p.press("Escape")
	p.misses("#nav a", "People")
	p.focused(".menu-link")
	p.press("Enter")
	p.finds("#nav a", "People")
	p.tabsTo("#nav a", "To the chat")
	p.press("Tab")
	p.misses("#nav a", "People")
	p.until("the focus in the page", `document.activeElement.closest(".page")`)
}

// Lists are searched, paged and opened by keyboard alone.
func TestConsoleListsByKeyboard(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.hire("bo", "Bo Lin", client.Options{})
	o.alarm("RaidDegraded", "critical", "a disk is gone")
	o.alarm("UncleanShutdown", "warning", "it was switched off")
	p := shared.tab(t, "ann", o.url())
	p.logsInConsole("ann")
	list := func(path, search string, rows int) {
		t.Helper()
		p.open(path)
		p.connected()
		p.press("/")
		p.focused("#list-q")
		p.types(search)
		p.until(fmt.Sprintf("%d rows", rows), fmt.Sprintf(`location.search.includes("q=") && document.querySelectorAll("main tbody tr").length === %d && document.activeElement.id === "list-q"`, rows))
	}
	list("/admin/people", "lin", 1)
	p.tabsTo("main td a", "Bo Lin")
	p.press("Enter")
	p.until("the account of bo", `location.pathname === "/admin/people/bo" && document.readyState === "complete"`)
	p.connected()
	p.tabsTo("main a", "Disable")
	p.press("Enter")
	p.finds("dialog[open] h2", "Disable the account bo?")
	p.press("Escape")
	p.until("the focus back where it was", `!document.querySelector("dialog[open]") && document.activeElement.innerText === "Disable"`)
	p.tabsTo("main a", "Connections")
	p.press("Enter")
	p.until("the sessions of bo", `location.pathname === "/admin/sessions" && location.search.includes("q=bo") && document.readyState === "complete"`)
	p.tabsTo("main td a", "Bo Lin")
	p.press("Enter")
	p.until("one session", `location.pathname.startsWith("/admin/sessions/")`)

	list("/admin/alerts/history", "disk", 1)
	p.tabsTo("main td a", "a disk is gone")
	p.press("Enter")
	p.until("the alert", `location.pathname === "/admin/alerts/one" && document.querySelector("#timeline li")`)

	p.open("/admin/metrics")
	p.connected()
	first := ask[string](p, `document.querySelector("main tbody tr").id`)
	p.press("/")
	p.focused("#list-q")
	p.tabsTo("a[rel=next]", "")
	p.press("Enter")
	p.until("the second page", `location.search.includes("page=2") && document.querySelector("main tbody tr").id !== `+quoted(first)+` && document.readyState === "complete"`)
	p.connected()
	p.press("/")
	p.focused("#list-q")
	p.types("im_delivery_latency")
	p.finds("main td a", "im_delivery_latency_seconds")
	p.until("the first page of what was found", `!location.search.includes("page=2") && document.querySelectorAll("main tbody tr").length === 1`)
	p.tabsTo("main td a", "im_delivery_latency_seconds")
	p.press("Enter")
	p.until("the query", `location.pathname === "/admin/query" && document.querySelector("#query-q").value.includes("im_delivery_latency_seconds")`)
}

// At night, without a mouse: an alert is acknowledged and looked at, a silence
// made and ended; the focus stays where one was.
func TestAlertsByKeyboardAlone(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.alarm("RaidDegraded", "critical", "a disk is gone")
	p := shared.tab(t, "ann", o.url())
	p.logsInConsole("ann")
	p.open("/admin/alerts")
	p.connected()
	p.tabsTo(".alert-card button.primary", "Acknowledge: a disk is gone")
	p.press("Enter")
	p.finds(".alert-card .badge.good", "acknowledged by ann")
	p.focused(".alert-card h3 a")
	p.press("Enter")
	p.until("the alert", `location.pathname === "/admin/alerts/one" && document.querySelector("#timeline li")`)

	p.open("/admin/silences")
	p.connected()
	p.tabsTo("#f-matchers", "")
	p.types(`alertname="NetworkErrors"`)
	p.press("Tab")
	p.focused("#f-for")
	p.press("ArrowDown")
	p.until("a longer time", `document.querySelector("#f-for").value !== "1h"`)
	p.press("Tab")
	p.focused("#f-reason")
	p.types("the switch is exchanged")
	p.press("Enter")
	p.finds("main td", "the switch is exchanged")
	p.focused("#main")
	p.tabsTo("main td button", "End now")
	p.press("Enter")
	p.misses("main td button", "End now")
	p.finds("main td", "the switch is exchanged")
	p.focused("#main")
}
