package webui

import "testing"

func TestChartFigures(t *testing.T) {
	runScript(t, "console/chart_units.ts", `
const f = module.figure;
const is = (unit, value, want) => same(unit + " " + value, f(value, unit), want);
is("", 0, "0"); is("", 950, "950"); is("", 12345, "12,345"); is("", 1250000, "1.25 M"); is("", 0.25, "0.25"); is("", -3.5, "-3.5"); is("", -0.0000001, "0");
is("bytes", 0, "0 B"); is("bytes", 1023, "1 KiB"); is("bytes", 1024, "1 KiB"); is("bytes", 1610612736, "1.5 GiB"); is("bytes", 999, "999 B"); is("bytes", 1003*1024, "0.98 MiB");
is("bytes/s", 1572864, "1.5 MiB/s"); is("bits/s", 1500000, "1.5 Mbit/s"); is("/s", 12.5, "12.5/s");
is("ratio", 0.825, "82.5 %"); is("ratio", 1, "100 %"); is("percent", 99.95, "100 %"); is("percent", 7, "7 %");
is("seconds", 0, "0 s"); is("seconds", 0.0000123, "12.3 µs"); is("seconds", 0.00125, "1.25 ms"); is("seconds", 2.5, "2.5 s"); is("seconds", 125, "2 min 5 s"); is("seconds", 12000, "3 h 20 min"); is("seconds", 442800, "5 d 3 h"); is("seconds", 7199.9, "2 h"); is("seconds", 3599.9, "1 h");
is("celsius", 41.25, "41.3 °C"); is("days", 5.2, "5.2 d");
same("nothing", [f(null, ""), f(NaN, "bytes"), f(Infinity, "days")], ["–", "–", "∞"]);
same("units", [module.unitOf("bytes/s"), module.unitOf("parsecs"), module.unitOf(null)], ["bytes/s", "", ""]);
`, `
const lines = (low, high, unit, limits) => { const s = module.span(low, high, unit, limits || []); return module.axis(module.splits(s.min, s.max, s.step), unit); };
same("bytes", lines(0, 7.2 * 2**30, "bytes"), ["0", "2 GiB", "4 GiB", "6 GiB", "8 GiB"]);
same("a ratio", lines(0, 0.6, "ratio"), ["0", "25 %", "50 %", "75 %", "100 %"]);
same("a small ratio", lines(0, 0.012, "ratio"), ["0", "0.5 %", "1.0 %", "1.5 %"]);
same("a small ratio with a limit", lines(0, 0.012, "ratio", [0.9]).at(-1), "100 %");
same("durations", lines(0, 0.0735, "seconds"), ["0", "20 ms", "40 ms", "60 ms", "80 ms"]);
same("minutes", lines(0, 1500, "seconds"), ["0", "10 min", "20 min", "30 min"]);
same("below zero", lines(-12, 40, ""), ["-20", "0", "20", "40"]);
same("nothing", lines(0, 0, ""), ["0", "0.25", "0.50", "0.75", "1.00"]);
same("a limit nearby is shown", module.span(0, 50, "", [90]).max >= 90, true);
same("one far away is not", module.span(0, 5, "", [900]).max, 6);
`)
}

func TestChartData(t *testing.T) {
	runScript(t, "console/chart_data.ts", `
const data = {from: 0, to: 60, step: 15, times: [15, 30, 60], series: [{label: "a", values: [1, 2, 4]}, {label: "=b", values: [null, 5, 6]}]};
const r = module.regular(data);
same("a missing time is a gap", [r.times, r.series[0].values, r.series[1].values], [[15, 30, 45, 60], [1, 2, null, 4], [null, 5, null, 6]]);
same("what is whole stays as it is", module.regular(r) === r, true);
same("figures", module.stats(r.times, r.series[0].values), {min: 1, avg: 7 / 3, max: 4, last: 4});
same("of a range", module.stats(r.times, r.series[0].values, 20, 50), {min: 2, avg: 2, max: 2, last: 2});
same("of nothing", module.stats([], []), {min: null, avg: null, max: null, last: null});
same("nearest", [0, 22, 23, 99].map((t) => module.nearest(r.times, t)), [0, 0, 1, 3]);
same("nearest of none", module.nearest([], 1), -1);
`, `
const tail = {from: 15, to: 90, step: 15, times: [60, 75, 90], series: [{label: "a", values: [40, 7, 8]}, {label: "c", values: [null, null, 9]}], marks: [{at: 80, kind: "restart", label: "x"}]};
const e = module.extend(r, tail, 30);
same("times move on", e.times, [30, 45, 60, 75, 90]);
same("rows are replaced and added", e.series.map((s) => [s.label, s.values]), [["a", [2, null, 40, 7, 8]], ["=b", [5, null, null, null, null]], ["c", [null, null, null, null, 9]]]);
same("range and marks", [e.from, e.to, e.marks.length], [30, 90, 1]);
same("a series that is gone from the range is dropped", module.extend(e, {from: 0, to: 105, step: 15, times: [105], series: [{label: "a", values: [1]}]}, 45).series.map((s) => s.label), ["a", "c"]);
same("the data before are as they were", r.times, [15, 30, 45, 60]);
`, `
const shown = () => false;
same("stacked", module.stack(r.series, shown), [[1, 2, null, 4], [null, 7, null, 10]]);
same("a hidden layer has no height", module.stack(r.series, (l) => l === "a"), [[0, 0, null, 0], [null, 5, null, 6]]);
same("thin", module.thin(r, 2), [{from: 15, to: 30, values: [1.5, 5]}, {from: 45, to: 60, values: [4, 6]}]);
same("csv", module.csv({...r, series: r.series.concat({label: 'x "y", z', values: [1.5, 0, -1, 1e-7]})}, "Time", "bytes"),
  'Time,a [bytes],\'=b [bytes],"x ""y"", z [bytes]"\r\n1970-01-01T00:00:15.000Z,1,,1.5\r\n1970-01-01T00:00:30.000Z,2,5,0\r\n1970-01-01T00:00:45.000Z,,,-1\r\n1970-01-01T00:01:00.000Z,4,6,1e-7\r\n');
same("around", [module.around(e, 78, 5), module.around({...e, periods: [{from: 30, to: 50, label: "P"}]}, 40, 1), module.around(e, 40, 5)], [["x"], ["P"], []]);
same("nothing", [module.nothing(r), module.nothing({...r, series: []}), module.nothing({...r, series: [{label: "a", values: [null]}]})], [false, true, true]);
`)
}

func TestChartWords(t *testing.T) {
	runScript(t, "console/chart_words.ts", `
const places = (s) => (s.match(/\{\w+\}/g) || []).sort();
same("keys", Object.keys(module.zh).sort(), Object.keys(module.en).sort());
for (const k of Object.keys(module.en)) {
  if (!module.en[k].trim() || !/[\u3400-\u9fff]/.test(module.zh[k])) throw new Error(k + " is not said in both languages");
  same("places of " + k, places(module.zh[k]), places(module.en[k]));
}
`)
}
