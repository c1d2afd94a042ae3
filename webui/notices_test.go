package webui

import "testing"

// TestNoticeText checks what is computed for notices and scheduled messages:
// the times offered, the tree of departments, and the table to take along.
func TestNoticeText(t *testing.T) {
	runScript(t, "notice_text.ts", `
const at = (y, m, d, h, min) => new Date(y, m - 1, d, h, min).getTime();
const offered = (now) => module.presets(now).map((p) => p.name + " " + module.localTime(p.at));
same("on a Saturday", offered(at(2026, 11, 21, 23, 30)), ["scheduled.hour 2026-11-22T00:30", "scheduled.tomorrow 2026-11-22T09:00", "scheduled.monday 2026-11-23T09:00"]);
same("on a Sunday Monday is tomorrow", offered(at(2026, 11, 22, 8, 0)), ["scheduled.hour 2026-11-22T09:00", "scheduled.tomorrow 2026-11-23T09:00"]);
same("on a Monday the next one is meant", offered(at(2026, 11, 23, 8, 0))[2], "scheduled.monday 2026-11-30T09:00");
same("over the end of a year", offered(at(2026, 12, 31, 8, 0))[1], "scheduled.tomorrow 2027-01-01T09:00");
for (const p of module.presets(at(2026, 11, 21, 23, 59))) if (!(p.at > at(2026, 11, 21, 23, 59))) throw new Error(p.name + " is over");
`, `
const d = (id, parent) => ({ id, parent, name: id });
same("tree", module.ordered([d("works"), d("shop", "works"), d("office"), d("press", "shop")]).map((x) => x.depth + x.d.id), ["0works", "1shop", "2press", "0office"]);
same("what stands in a circle is left out", module.ordered([d("a", "b"), d("b", "a")]), []);
same("table", module.csvOf([["a", 'say "x"'], ["=1+1", "-2"], ["@x", "+y,\nz"]]), '\ufeff"a","say ""x"""\r\n"\'=1+1","\'-2"\r\n"\'@x","\'+y,\nz"\r\n');
`)
}
