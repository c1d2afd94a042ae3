// Small charts without axes: a line beside a figure. They are SVG, take their
// colour from the text, and are one picture with one sentence.

import { fillWith, h, unique } from "../element";
import { extend, nothing, stats, type ChartData } from "./chart_data";
import { figure, span, type Unit } from "./chart_units";
import { say } from "./chart_words";

interface About {
  title: string;
  unit: Unit;
  height: number;
  level: "h2" | "h3";
  big: boolean; // a figure in large type, with its title
}

export class Spark {
  data: ChartData = { from: 0, to: 1, step: 0, times: [], series: [] };

  constructor(private readonly host: HTMLElement, private readonly o: About) {
    host.classList.add(o.big ? "chart-stat" : "chart-spark");
    this.draw();
  }

  destroy(): void {}

  set(d: ChartData): void {
    this.data = d;
    this.draw();
  }

  extend(tail: ChartData, from: number): void {
    if (tail.times.length === 0) return;
    this.data = extend(this.data, tail, from);
    delete this.data.error;
    this.draw();
  }

  fail(why: string): void {
    this.data = { ...this.data, times: [], series: [], error: why };
    this.draw();
  }

  private draw(): void {
    const d = this.data;
    const first = d.series[0];
    const f = first ? stats(d.times, first.values) : null;
    const text = d.error ? say("error", { why: d.error }) : !f || nothing(d) ? (d.to > 1 ? d.empty ?? say("empty") : say("loading")) : "";
    const sentence = text || say("about.one", { name: this.o.title, last: figure(f!.last, this.o.unit), min: figure(f!.min, this.o.unit), max: figure(f!.max, this.o.unit) });
    const line = first && f && f.last !== null ? this.svg(first.values, f.min!, f.max!, sentence) : null;
    if (!this.o.big) {
      fillWith(this.host, line ?? h("span", { class: "chart-state" }, text));
      return;
    }
    const id = this.host.querySelector(this.o.level)?.id || unique("stat");
    const bad = f && (d.thresholds ?? []).find((t) => f.last !== null && (t.below ? f.last < t.value : f.last > t.value));
    this.host.dataset["level"] = bad ? bad.severity ?? "warning" : "";
    fillWith(this.host, h(this.o.level, { id }, this.o.title), h("p", { class: "chart-figure" }, text ? "–" : figure(f!.last, this.o.unit)),
      text ? h("p", { class: "chart-state" }, text) : line);
  }

  private svg(values: readonly (number | null)[], low: number, high: number, sentence: string): SVGSVGElement {
    const ns = "http://www.w3.org/2000/svg";
    const d = this.data;
    const y = span(low, high, this.o.unit, [], 2);
    const w = 200, t = this.o.height;
    let path = "", area = "", from = 0, pen = false;
    const x = (i: number) => (((d.times[i]! - d.from) / Math.max(1, d.to - d.from)) * w).toFixed(1);
    values.forEach((v, i) => {
      if (v === null || v === undefined || d.times[i]! < d.from) {
        if (pen) area += `L${x(i - 1)} ${t}L${x(from)} ${t}Z`;
        pen = false;
        return;
      }
      const at = x(i) + " " + (t - 1.5 - ((v - y.min) / (y.max - y.min)) * (t - 3)).toFixed(1);
      if (!pen) from = i;
      path += (pen ? "L" : "M") + at;
      area += (pen ? "L" : "M") + at;
      pen = true;
    });
    if (pen) area += `L${x(values.length - 1)} ${t}L${x(from)} ${t}Z`;
    const svg = document.createElementNS(ns, "svg");
    for (const [k, v] of Object.entries({ viewBox: `0 0 ${w} ${t}`, preserveAspectRatio: "none", role: "img", "aria-label": sentence, height: String(t) })) svg.setAttribute(k, v);
    const part = (name: string, shape: string) => {
      const p = document.createElementNS(ns, "path");
      p.setAttribute("d", shape);
      p.setAttribute("class", name);
      svg.appendChild(p);
    };
    part("chart-spark-area", area);
    part("chart-spark-line", path);
    return svg;
  }
}
