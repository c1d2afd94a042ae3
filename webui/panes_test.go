package webui

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

func TestDepartmentsAsATree(t *testing.T) {
	runScript(t, "departments.ts", `
const list = [{id: "a", name: "A"}, {id: "b", name: "B"}, {id: "a1", name: "A1", parent: "a"}, {id: "a2", name: "A2", parent: "a"}, {id: "x", name: "X", parent: "a1"}, {id: "lost", name: "L", parent: "gone"}];
const tree = module.grow(list);
const ids = (rows) => rows.map((b) => b.department.id + b.level);
same("tops, and one whose parent is unknown", ids(tree), ["a1", "b1", "lost1"]);
same("closed", ids(module.visible(tree, new Set())), ["a1", "b1", "lost1"]);
same("open", ids(module.visible(tree, new Set(["a", "a1"]))), ["a1", "a12", "x3", "a22", "b1", "lost1"]);
same("open below what is closed", ids(module.visible(tree, new Set(["a1"]))), ["a1", "b1", "lost1"]);
same("path", [module.pathOf(list, "x"), module.pathOf(list, "lost"), module.pathOf(list, undefined), module.pathOf(list, "none")], ["A / A1 / X", "L", "", ""]);
same("under", [...module.under(list, "a")].sort(), ["a", "a1", "a2", "x"]);
const ring = [{id: "p", name: "P", parent: "q"}, {id: "q", name: "Q", parent: "p"}];
same("a ring ends", [module.grow(ring).length, [...module.under(ring, "p")].length, module.pathOf(ring, "p").length < 500], [0, 2, true]);
const open = new Set(["a"]);
const rows = module.visible(tree, open); // a a1 a2 b lost
const go = (at, key) => module.step(rows, at, key, open);
same("down and up", [go(0, "ArrowDown"), go(0, "ArrowUp"), go(4, "ArrowDown"), go(2, "Home"), go(2, "End")], [{to: 1}, {to: 0}, {to: 4}, {to: 0}, {to: 4}]);
same("right goes in or opens", [go(0, "ArrowRight"), go(1, "ArrowRight"), go(3, "ArrowRight")], [{to: 1}, {open: "a1"}, {}]);
same("left closes or goes out", [go(0, "ArrowLeft"), go(1, "ArrowLeft"), go(3, "ArrowLeft")], [{close: "a"}, {to: 0}, {}]);
same("other keys", [go(0, "x"), go(9, "End")], [{}, {}]);
`)
}

func TestJourneyLadder(t *testing.T) {
	runScript(t, "journey_steps.ts", `
const short = (x) => module.ladder(x, 1000).map((r) => r.step[0] + (r.reached ? r.at : "-")).join(" ");
same("on the server", short({user: "u", device: "d", state: "stored"}), "s1000 p- a- r-");
same("pushed", short({user: "u", device: "d", state: "pushed", pushed_at: 2000}), "s1000 p2000 a- r-");
same("acknowledged", short({user: "u", device: "d", state: "acknowledged", pushed_at: 2000, acked_at: 3000}), "s1000 p2000 a3000 r-");
same("acknowledged, the push unknown", short({user: "u", device: "d", state: "acknowledged", acked_at: 3000}), "s1000 p0 a3000 r-");
same("read on one device says nothing of another", short({user: "u", device: "d", state: "read", read_at: 9000}), "s1000 p- a- r9000");
same("without a device", short({user: "u", device: "", state: "stored"}), "s1000 r-");
const t = module.travellers([
  {user: "a", device: "1", state: "pushed"}, {user: "a", device: "2", state: "acknowledged"},
  {user: "b", device: "", state: "stored"}, {user: "c", device: "3", state: "read", read_at: 7}, {user: "c", device: "4", state: "read", read_at: 7}]);
same("furthest behind first", t.map((p) => [p.user, p.state, p.steps.length, p.readAt]), [["b", "stored", 0, 0], ["a", "acknowledged", 2, 0], ["c", "read", 2, 7]]);
const p = (ms) => { const x = module.passed(1000, 1000 + ms); return x ? x.n + x.unit : "-"; };
same("no more than is known", [p(-500), p(0), p(999), p(1000), p(61000), p(121000), p(7300000), p(400000000)], ["-", "-", "-", "1s", "61s", "2min", "2h", "4d"]);
`)
}

func TestThreadsRememberWhatWasSeen(t *testing.T) {
	runScript(t, "thread_seen.ts", `
same("not mine, not followed", module.unseen({}, "r/1", 5, false), 0);
same("mine", module.unseen({}, "r/1", 5, true), 5);
same("followed", [module.unseen({"r/1": 3}, "r/1", 5, false), module.unseen({"r/1": 5}, "r/1", 5, true), module.unseen({"r/1": 9}, "r/1", 5, true)], [2, 0, 0]);
let seen = {};
for (let i = 0; i < 600; i++) seen = module.noted(seen, "r/" + i, i);
same("the oldest are forgotten", [Object.keys(seen).length, seen["r/599"], seen["r/0"] ?? "none", seen["r/100"]], [500, 599, "none", 100]);
same("never goes back", module.noted({"r/1": 5}, "r/1", 3)["r/1"], 5);
`)
}

func TestMembersByDepartment(t *testing.T) {
	runScript(t, "departments.ts", `
same("by name, those without one last", module.byDepartment(["x1", "1", "a2", "x2"], (p) => p.slice(0, -1)), [["a", ["a2"]], ["x", ["x1", "x2"]], ["", ["1"]]]);
`)
}

func TestPictureIsCutFromTheMiddle(t *testing.T) {
	runScript(t, "picture.ts", `
same("wide", module.middle(900, 600), {x: 150, y: 0, edge: 600});
same("tall", module.middle(3, 8), {x: 0, y: 2, edge: 3});
same("square", module.middle(5, 5), {x: 0, y: 0, edge: 5});
`)
}

// The dark colours stand in the style sheet twice: for those whose system is
// dark, and for those who chose so. Both must say the same.
func TestDarkIsDarkEitherWay(t *testing.T) {
	css, err := os.ReadFile("static/css/tokens.css")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile(`(?s):root(?::not\(\[data-theme="light"\]\)|\[data-theme="dark"\]) \{\n(.*?)\}`).FindAllStringSubmatch(string(css), -1)
	var colours []string
	for _, b := range blocks {
		if strings.Contains(b[1], "--") {
			colours = append(colours, strings.Join(strings.Fields(b[1]), " "))
		}
	}
	if len(colours) != 2 || colours[0] != colours[1] {
		t.Errorf("the dark colours differ: %q", colours)
	}
}

func TestHookExamples(t *testing.T) {
	runScript(t, "hook_examples.ts", `
const open = module.examples("https://chat.lan/hooks/T", "https://chat.lan/robot/send?access_token=T", "");
same("what there is", open.map((x) => x.name), ["curl", "DingTalk", "Grafana", "Alertmanager"]);
if (open.some((x) => x.lines.includes("Bearer"))) throw new Error("a proof without a secret");
const shut = module.examples("https://chat.lan/hooks/T", "", "it's");
same("without DingTalk", shut.map((x) => x.name), ["curl", "Grafana", "Alertmanager"]);
same("quoted for the shell", shut[0].lines.includes("-H 'Authorization: Bearer it'\\''s'"), true);
same("quoted for YAML", shut[2].lines.includes("credentials: 'it''s'"), true);
same("words", module.words(" a, b  a，c、d;\n e "), ["a", "b", "c", "d", "e"]);
same("no words", module.words(" , "), []);
`)
}
