package webui

import "testing"

func TestDaysAndInstants(t *testing.T) {
	runScript(t, "dates_parse.ts", `
const noon = new Date(2026, 10, 21, 12, 30).getTime();
same("day", module.localDay(noon), "2026-11-21");
same("and back", module.instant("2026-11-21", "12:30"), noon);
same("the beginning of a day", module.instant("2026-11-21", ""), new Date(2026, 10, 21).getTime());
same("nothing", String(module.instant("", "12:30")), "NaN");
`)
}
