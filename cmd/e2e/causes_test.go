package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"

	"posthouse/appliance/client"
	"posthouse/sysmon/rule"
	"posthouse/sysmon/runbook"
)

// caused is a shipped alert: what causes it, and what takes the cause away.
type caused struct {
	alert string
	where map[string]string // how further labels of the alert end
	cause func(b *box)
	mend  func(b *box)
	// repair is what is done by hand before the steps of the runbook; nil: nothing.
	repair func(b *box)
	run    []string // steps of the runbook that are run; of the others the effect is only shown
	shows  []string // answers that must not be empty, "ID" or "ID a text in it"; none given: the first of the runbook
}

// stage is a server whose causes do not disturb one another. Its rules are the
// shipped ones with every time in them divided by factor.
type stage struct {
	name     string
	factor   float64
	inTurn   bool // a line is caused when the one before is mended
	settings []string
	prepare  func(b *box) // before the server starts
	lines    []caused
}

// stages are all of them. A new alert is one line in one of them.
func stages() []stage {
	return []stage{machineStage(), doorsStage(), fullStage(), certificatesStage(), restartsStage(), limitsStage(), trendStage(),
		talkStage(), slowStage(), pastStage(), watchStage()}
}

// Every alert that comes with the program has a line.
func TestEveryShippedAlertHasACause(t *testing.T) {
	lines := map[string]bool{}
	for _, s := range stages() {
		for _, l := range s.lines {
			lines[l.alert] = true
		}
	}
	shipped := map[string]bool{}
	files, err := rule.Shipped()
	must(t, err)
	for _, f := range files {
		for _, g := range parsed(t, f.Text).Groups {
			for _, r := range g.Rules {
				if r.Alert != "" {
					shipped[r.Alert] = true
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shipped)) {
		if !lines[name] {
			t.Errorf("%s has no line", name)
		}
	}
	for name := range lines {
		if !shipped[name] {
			t.Errorf("%s is not shipped", name)
		}
	}
}

// Each alert fires because of its cause, its evidence is there, its runbook is
// gone through in a browser, and when the cause is gone it ends.
func TestShippedAlertsFireByTheirCausesAndEnd(t *testing.T) {
	t.Parallel()
	for _, s := range stages() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.play(t)
		})
	}
}

func (s stage) play(t *testing.T) {
	b := s.open(t)
	for _, l := range s.lines {
		if !s.inTurn {
			l.cause(b)
		}
	}
	var cases []string
	for _, l := range s.lines {
		if s.inTurn {
			l.cause(b)
		}
		cases = append(cases, b.tends(l))
		l.mend(b)
	}
	for i, l := range s.lines {
		b.await("the end of "+l.alert, func() string { return b.alertsSaid() }, func() bool { return b.alert(l) == nil })
		b.await("the case of "+l.alert+" to be over", b.alertsSaid, func() bool {
			return b.reads("/admin/cases/"+cases[i], `document.querySelector("main .badge.good")?.innerText === "over"`)
		})
	}
}

// open starts the server of a stage, with its owner logged in at the console.
func (s stage) open(t *testing.T) *box {
	b := &box{t: t, begun: time.Now(), bin: map[string]func(){}, kernel: newKernel(t)}
	srv := &server{t: t, dir: t.TempDir(), localAddr: freePort(t), lanAddr: freePort(t), settings: append([]string{"watch.interval=1s"}, s.settings...)}
	b.office = &office{server: srv}
	writeRules(t, srv.dir, s.factor)
	srv.wrap = b.kernel.wrap
	if s.prepare != nil {
		s.prepare(b)
	}
	t.Cleanup(srv.end)
	srv.start()
	b.office = occupied(t, srv)
	b.hire("bo", "Bo Lin", client.Options{})
	b.tab = shared.tab(t, "ann", b.url())
	b.tab.logsInConsole("ann")
	return b
}

// tends waits until an alert fires, opens it in the browser, looks at its
// evidence and goes through every step of its runbook. It gives the case.
func (b *box) tends(l caused) string {
	b.t.Helper()
	var now *fired
	b.await("the alert "+l.alert, b.alertsSaid, func() bool { now = b.alert(l); return now != nil })
	set := model.LabelSet{}
	for k, v := range now.Labels {
		set[model.LabelName(k)] = model.LabelValue(v)
	}
	link := `td a[href^="/admin/cases/` + set.Fingerprint().String() + `-"]`
	p := b.tab
	b.await("the case of "+l.alert, b.alertsSaid, func() bool {
		return b.reads("/admin/cases", `!!document.querySelector(`+quoted(link)+`)`)
	})
	p.click(link, "")
	p.until("the case of "+l.alert, `document.querySelector("main h1").innerText.includes(`+quoted(l.alert)+`) && document.querySelector("#evidence")`)
	name := ask[string](p, `location.pathname.split("/").pop()`)
	b.looksAtEvidence(l)
	if l.repair != nil {
		l.repair(b)
	}
	b.goesThroughSteps(l, name)
	return name
}

func (b *box) looksAtEvidence(l caused) {
	b.t.Helper()
	book := bookOf(b.t, l.alert)
	must := l.shows
	if must == nil {
		must = []string{book.Evidence[0].ID}
	}
	for _, e := range book.Evidence {
		at := `document.querySelector("#finding-` + e.ID + `")`
		if said := ask[string](b.tab, at+` ? (`+at+`.querySelector(".error")?.innerText ?? "") : "it is missing"`); said != "" {
			b.t.Errorf("%s: evidence %s: %s", l.alert, e.ID, said)
		}
	}
	for _, want := range must {
		id, text, _ := strings.Cut(want, " ")
		if !ask[bool](b.tab, `[...document.querySelectorAll("#finding-`+id+` tbody td, #finding-`+id+` pre")].some(x => x.textContent.includes(`+quoted(text)+`))`) {
			b.t.Errorf("%s: evidence %s does not show %q", l.alert, id, text)
		}
	}
}

func bookOf(t *testing.T, alert string) runbook.Runbook {
	t.Helper()
	for _, r := range runbook.All() {
		if r.Alert == alert {
			return r
		}
	}
	t.Fatalf("%s has no runbook", alert)
	return runbook.Runbook{}
}

// goesThroughSteps presses a button of every step, or goes where it points. It
// begins with saying that somebody is on it.
func (b *box) goesThroughSteps(l caused, name string) {
	b.t.Helper()
	p := b.tab
	acts := ask[int](p, `document.querySelectorAll(".acts li").length`)
	steps := bookOf(b.t, l.alert).Steps
	first := slices.IndexFunc(steps, func(s runbook.Step) bool { return s.ID == "acknowledge" })
	steps = slices.Concat(steps[first:first+1], steps[:first], steps[first+1:])
	for _, s := range steps {
		at := "#step-" + s.ID
		if s.Action == "" {
			p.click(at+" a.button", "")
			p.until("where "+s.ID+" leads", `location.pathname !== "/admin/cases/`+name+`" && document.readyState === "complete"`)
			p.open("/admin/cases/" + name)
			p.finds(at, "")
			continue
		}
		for field, text := range map[string]string{"device": b.owner.dev.String(), "login": "bo", "operation": "1"} {
			if ask[bool](p, `!!document.querySelector("`+at+` input[name=`+field+`]")`) {
				p.fill(at+" input[name="+field+"]", text)
			}
		}
		button, mark := "try", "dry run"
		if s.ID == "acknowledge" || slices.Contains(l.run, s.ID) {
			button, mark = "run", "done"
			if typed := confirmation(s.Action); typed != "" {
				p.fill(at+" input[name=typed]", typed)
			}
		} else if slices.Contains([]string{"cancel_operation", "revert_config", "read_only_off", "test_channels"}, s.Action) {
			mark = "" // a dry run says so when there is nothing to do it to
		}
		p.click(at+" button[value="+button+"]", "")
		acts++
		p.until(fmt.Sprintf("%s in the list of what was done, as %q", s.ID, mark), fmt.Sprintf(
			`document.querySelectorAll(".acts li").length === %d && /%s|the alert is over already/.test(document.querySelector(".acts li").innerText)`, acts, mark))
	}
}

func confirmation(action string) string {
	for _, a := range runbook.Actions() {
		if a.ID == action {
			return a.Confirm
		}
	}
	return ""
}
