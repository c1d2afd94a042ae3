package webui

import "testing"

// A row of a long table stays when it holds every word that is looked for.
func TestRowsThatFit(t *testing.T) {
	runScript(t, "console/filter_text.ts", `
same("a part of a word", String(module.fits("posthouse 62 % ann", "HOUSE")), "true");
same("every word", String(module.fits("posthouse 62 % ann", "ann post")), "true");
same("one word too many", String(module.fits("posthouse 62 % ann", "ann nginx")), "false");
same("nothing", String(module.fits("posthouse", "  ")), "true");
same("Chinese", String(module.fits("数据库备份 database", "备份")), "true");
`)
}
