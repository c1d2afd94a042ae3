package webui

import "testing"

// What the query box offers follows from what stands before the caret.
func TestPlacesInAnExpression(t *testing.T) {
	runScript(t, "console/query_place.ts", `
const at = (s) => { const p = module.placeOf(s); return p ? [p.of, p.piece, p.metric, p.label, p.from].join("|") : "none"; };
same("a name", at("ra"), "name|ra|||0");
same("within a function", at("sum(rate(http_re"), "name|http_re|||9");
same("a label", at("up{jo"), "label|jo|up||3");
same("the second label", at('up{job="a", in'), "label|in|up||12");
same("any label", at("up{"), "label||up||3");
same("a value", at('rate(up{job="ho'), "value|ho|up|job|13");
same("a value by pattern", at('up{job=~"ho'), "value|ho|up|job|9");
same("after the labels", at('up{job="a"} / no'), "name|no|||14");
same("without a metric", at('{__name__="x'), "value|x||__name__|11");
same("a number", at("12"), "none");
same("within a range", at("x[5m"), "none");
same("within a text", at('label_replace(up, "ab'), "none");
same("order", module.choose([{text: "a_rate"}, {text: "rate"}, {text: "x"}], "rate").map((o) => o.text).join(), "rate,a_rate");
`)
}
