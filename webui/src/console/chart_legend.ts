// The legend is a table: name, value at the cursor (or the last one), lowest,
// average and highest of what is shown. A name is a button that isolates its
// series; Ctrl or Shift adds and removes. Only texts that have changed are
// written.

import { fillWith, h, place } from "../element";
import { stats, type ChartData } from "./chart_data";
import { dashes, type Look } from "./chart_look";
import { strokeOf } from "./chart_plot";
import { figure, type Unit } from "./chart_units";
import { say } from "./chart_words";

interface Line {
  row: HTMLTableRowElement;
  button: HTMLButtonElement;
  cells: HTMLTableCellElement[]; // value, min, avg, max
}

export class Legend {
  readonly element: HTMLTableElement;
  private readonly head = h("th", { scope: "col", class: "chart-at" }, say("now"));
  private readonly body = h("tbody", null);
  private readonly lines = new Map<string, Line>();
  private hidden = new Set<string>();

  constructor(title: string, private readonly unit: Unit, private readonly changed: (only: string | null) => void) {
    const column = (key: "min" | "avg" | "max") => h("th", { scope: "col" }, say(key));
    this.element = h("table", { class: "chart-legend" },
      h("caption", { class: "sr" }, title),
      h("thead", null, h("tr", null, h("th", { scope: "col" }, h("span", { class: "sr" }, say("series"))), this.head, column("min"), column("avg"), column("max"))),
      this.body);
  }

  isHidden(label: string): boolean {
    return this.hidden.has(label);
  }

  // show writes the figures of a range, with the values at index i or, without
  // one, the last.
  show(d: ChartData, look: Look, from: number, to: number): void {
    const names = d.series.filter((s) => !s.bound).map((s) => s.label);
    for (const label of this.lines.keys()) if (!names.includes(label)) this.lines.delete(label);
    if (names.length > 0 && names.every((n) => this.hidden.has(n))) this.hidden.clear();
    for (const label of names) if (!this.lines.has(label)) this.lines.set(label, this.line(label));
    place(this.body, names.map((n) => this.lines.get(n)!.row));
    for (const s of d.series) {
      const l = this.lines.get(s.label);
      if (!l || s.bound) continue;
      this.swatch(l.button, strokeOf(d, s.label), look);
      const f = stats(d.times, s.values, from, to);
      [f.min, f.avg, f.max].forEach((v, i) => write(l.cells[i + 1]!, figure(v, this.unit)));
    }
    this.mark();
  }

  // at writes the values at a time.
  at(d: ChartData, i: number | null, time: string): void {
    write(this.head, i === null ? say("now") : time);
    for (const s of d.series) {
      const l = this.lines.get(s.label);
      if (!l || s.bound) continue;
      const v = i === null ? stats(d.times, s.values).last : s.values[i];
      write(l.cells[0]!, i !== null && (v === null || v === undefined) ? say("gap") : figure(v, this.unit));
    }
  }

  // names are the series that are shown.
  names(): string[] {
    return [...this.lines.keys()].filter((n) => !this.hidden.has(n));
  }

  private line(label: string): Line {
    const button = h("button", { type: "button", class: "chart-series", "aria-pressed": "false", onclick: (e: MouseEvent) => this.press(label, e.ctrlKey || e.metaKey || e.shiftKey) }, h("span", null, label));
    const cells = [0, 1, 2, 3].map(() => h("td", null, "–"));
    return { button, cells, row: h("tr", null, h("th", { scope: "row" }, button), ...cells) };
  }

  private press(label: string, add: boolean): void {
    const all = [...this.lines.keys()];
    if (add) {
      if (!this.hidden.delete(label)) this.hidden.add(label);
    } else if (all.every((n) => this.hidden.has(n) !== (n === label))) this.hidden.clear();
    else this.hidden = new Set(all.filter((n) => n !== label));
    if (all.every((n) => this.hidden.has(n))) this.hidden.clear();
    this.mark();
    this.changed(this.hidden.size === 0 ? null : this.names().join(", "));
  }

  private mark(): void {
    for (const [label, l] of this.lines) {
      const only = this.hidden.size > 0 && !this.hidden.has(label);
      l.row.classList.toggle("off", this.hidden.has(label));
      l.button.setAttribute("aria-pressed", String(only));
      l.button.title = only ? say("isolate.off") : say("isolate", { name: label });
    }
  }

  // swatch is a piece of the series' line.
  private swatch(button: HTMLButtonElement, n: { colour: number; dash: number }, look: Look): void {
    const key = n.dash + look.series[n.colour]!;
    if (button.dataset["swatch"] === key) return;
    button.dataset["swatch"] = key;
    const ns = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(ns, "svg");
    svg.setAttribute("viewBox", "0 0 26 10");
    svg.setAttribute("class", "chart-swatch");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS(ns, "line");
    for (const [k, v] of Object.entries({ x1: 1, x2: 25, y1: 5, y2: 5, stroke: look.series[n.colour]!, "stroke-width": 3, "stroke-dasharray": dashes[n.dash]!.join(" ") || "none" })) line.setAttribute(k, String(v));
    svg.appendChild(line);
    const name = button.querySelector("span")!;
    fillWith(button, svg, name);
  }
}

function write(e: HTMLElement, text: string): void {
  if (e.textContent !== text) e.textContent = text;
}
