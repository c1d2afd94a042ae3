// Chart is the one wrapper around uPlot: a canvas that people who do not see it,
// or use no mouse, can read as well.
//
// In markup, every [data-chart] is mounted when the page is loaded, and after
// something is swapped in (chart_mount.ts):
//
//   <div data-chart data-src="/admin/data/…" data-title="CPU" data-unit="ratio"></div>
//
//   data-src      a same-origin URL of JSON; {width} in it is the width in CSS
//                 pixels, so that the server chooses a step that fits
//   data-inline   instead: the id of a <script type="application/json">
//   data-kind     line (default), area, stacked, bars, spark, stat
//   data-unit     see chart_units.ts
//   data-title, data-help, data-query (PromQL), data-height (pixels)
//   data-level    2 where the chart is a part of the page, else its heading is an h3
//   data-refresh  seconds between two loads while it can be seen; the page's
//                 charts at most once a second
//   data-group    charts with the same name share their crosshair; default "page"
//
// The JSON is ChartData of chart_data.ts. The element fires chartzoom (it
// bubbles, detail {from, to}) when a range is dragged or zoomed by key; a page
// that calls preventDefault shows that range itself, else the chart does.
//
// The canvas lives as long as the chart: new data, another theme, another size
// and other series draw on it anew. Nothing is drawn again while the page or the
// chart cannot be seen, and at most once for each frame.
//
// Keys: see "keys" in chart_words.ts. Texts are spoken by a polite region, at
// most four times a second, only for the chart that has the focus: never for
// what arrives by itself.

import type uPlot from "../../vendor/uplot";
import { h, fillWith, unique } from "../element";
import { around, extend, most, nearest, nothing, regular, stats, type ChartData } from "./chart_data";
import { Legend } from "./chart_legend";
import { look, onTheme, type Look } from "./chart_look";
import { adopt, columns, order, plot, severityColour, type Kind, type Source } from "./chart_plot";
import { saveCSV, savePNG, tabulate } from "./chart_table";
import { moment, point } from "./chart_time";
import { Tools } from "./chart_tools";
import { figure, type Unit } from "./chart_units";
import { say } from "./chart_words";

export interface Options {
  title: string;
  unit: Unit;
  kind: Kind;
  height: number; // of the plot, CSS pixels
  level: "h2" | "h3"; // of its heading
  group: string;
  help?: string;
  query?: string; // PromQL
  queryURL?: string; // address of the query page with it
  hide?: () => void; // offers to hide the panel
}

export class Chart implements Source {
  data: ChartData = { from: 0, to: 1, step: 0, times: [], series: [] };
  readonly kind: Kind;
  readonly unit: Unit;
  look: Look;
  private u: uPlot | null = null;
  private zoomed: [number, number] | null = null;
  private at: number | null = null; // the time the keys have moved to
  private chosen: string | null = null; // the series the keys have chosen
  private dirty = false;
  private frame = 0;
  private seen = true;
  private spoken = 0;
  private ends: (() => void)[] = [];
  private readonly area: HTMLDivElement;
  private readonly state = h("p", { class: "chart-state" }, say("loading"));
  private readonly speech = h("div", { class: "sr", role: "status", "aria-live": "polite" });
  private readonly about: HTMLParagraphElement;
  private readonly more: HTMLDivElement;
  private readonly limits = h("ul", { class: "chart-limits" });
  private readonly legend: Legend;
  private readonly tools: Tools;
  private table = false;

  constructor(private readonly host: HTMLElement, private readonly o: Options) {
    this.kind = o.kind;
    this.unit = o.unit;
    const title = unique("chart"), about = unique("chart"), more = unique("chart");
    this.about = h("p", { class: "sr", id: about });
    this.more = h("div", { class: "chart-table sr", id: more });
    this.area = h("div", {
      class: "chart-plot", tabindex: 0, role: "application", "aria-roledescription": say("chart"), "aria-labelledby": title,
      "aria-describedby": about, "aria-details": more,
      onkeydown: (e: KeyboardEvent) => this.key(e), onfocus: () => this.focus(), onblur: () => this.leave(),
    });
    this.legend = new Legend(o.title, o.unit, (only) => this.isolated(only));
    this.tools = new Tools(o, {
      table: () => this.showTable(!this.table), csv: () => this.saveCSV(), png: () => void this.savePNG(), unzoom: () => this.zoom(null),
    });
    host.classList.add("chart");
    fillWith(host,
      h("div", { class: "chart-head" }, h(o.level, { id: title }, o.title), this.tools.buttons), this.tools.help,
      this.state, this.area, this.legend.element, this.limits, this.about, this.more, this.speech);
    this.area.style.height = o.height + "px";
    this.look = look(host);
    this.watch();
    this.display();
  }

  private watch(): void {
    const size = new ResizeObserver(() => {
      if (this.u && this.area.clientWidth > 0 && this.area.clientWidth !== this.u.width) this.schedule();
    });
    size.observe(this.area);
    const view = new IntersectionObserver((seen) => {
      this.seen = seen.at(-1)!.isIntersecting;
      if (this.seen && this.dirty) this.schedule();
    }, { rootMargin: "200px" });
    view.observe(this.host);
    const back = () => {
      if (!document.hidden && this.dirty) this.schedule();
    };
    document.addEventListener("visibilitychange", back);
    this.ends.push(() => size.disconnect(), () => view.disconnect(), () => document.removeEventListener("visibilitychange", back), onTheme(() => this.recolour()));
  }

  destroy(): void {
    for (const f of this.ends) f();
    cancelAnimationFrame(this.frame);
    this.tools.close();
    this.u?.destroy();
    this.u = null;
  }

  range(): [number, number] {
    return this.zoomed ?? [this.data.from, this.data.to];
  }

  hidden(label: string): boolean {
    return this.legend.isHidden(label);
  }

  // set shows other data.
  set(d: ChartData): void {
    this.data = regular({ ...d, series: d.series.slice(0, most) });
    this.changed(d.series.length - most);
  }

  // extend adds what came since and moves the range. It draws when there is
  // something new or the range has moved by half a pixel.
  extend(tail: ChartData, from: number): void {
    const moved = this.u ? ((tail.to - this.data.to) / Math.max(1, this.data.to - this.data.from)) * this.u.bbox.width : 1;
    if (tail.times.length === 0 && moved < 0.5 && !tail.error) return;
    this.data = regular(extend(this.data, tail, from));
    delete this.data.error;
    this.changed(0);
  }

  // fail says why there is nothing; what was shown before goes.
  fail(why: string): void {
    this.data = { ...this.data, times: [], series: [], error: why };
    this.changed(0);
  }

  private changed(extra: number): void {
    this.tools.note(extra > 0 ? say("more", { n: extra }) : "");
    this.schedule();
  }

  private schedule(): void {
    this.dirty = true;
    if (this.frame || document.hidden || (!this.seen && this.u)) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      this.dirty = false;
      this.display();
    });
  }

  private display(): void {
    const d = this.data;
    const bare = nothing(d);
    const why = d.error ? say("error", { why: d.error }) : bare && d.to > 1 ? d.empty ?? say("empty") : bare ? say("loading") : "";
    this.state.hidden = why === "";
    this.state.classList.toggle("error", !!d.error);
    if (this.state.textContent !== why) this.state.textContent = why;
    this.host.classList.toggle("chart-bare", bare);
    this.area.hidden = bare || this.table;
    this.legend.element.hidden = bare;
    if (!bare && !this.table) this.draw();
    const [from, to] = this.range();
    this.legend.show(d, this.look, from, to);
    this.cursor();
    this.tell();
  }

  private draw(): void {
    const width = this.area.clientWidth;
    if (width <= 0) return;
    if (!this.u) {
      this.u = plot(this, this.area, width, this.o.height, this.o.group, {
        cursor: () => this.cursor(), select: (from, to) => this.ask(from, to), back: () => this.back(),
      });
      this.u.root.setAttribute("aria-hidden", "true");
      this.host.dispatchEvent(new CustomEvent("chartdrawn", { bubbles: true }));
      return;
    }
    const want = order(this.data).map((s) => s.label).join("\n");
    const u = this.u;
    u.batch(() => {
      if (u.series.slice(1).map((s) => s.label).join("\n") !== want) adopt(u, this);
      u.setData(columns(this));
      if (u.width !== width) u.setSize({ width, height: this.o.height });
    });
    if (this.at !== null) this.place();
  }

  private recolour(): void {
    this.look = look(this.host);
    this.u?.redraw(false);
    this.display();
  }

  // tell says in words what is shown, for aria-describedby, and lists limits.
  private tell(): void {
    const [from, to] = this.range();
    const figures = this.legend.names().slice(0, 5).map((name) => {
      const s = this.data.series.find((x) => x.label === name)!;
      const f = stats(this.data.times, s.values, from, to);
      return say("about.one", { name, last: figure(f.last, this.unit), min: figure(f.min, this.unit), max: figure(f.max, this.unit) });
    });
    this.about.textContent = say("about", { title: this.o.title, from: moment(from), to: moment(to), figures: figures.join("; ") }) + " " + say("keys");
    const limits = nothing(this.data) ? [] : this.data.thresholds ?? [];
    fillWith(this.limits, ...limits.map((t) => {
      const li = h("li", null, h("span", { class: "chart-limit", "aria-hidden": "true" }), say(t.below ? "limit.below" : "limit", { value: figure(t.value, this.unit) }) + (t.label ? " · " + t.label : ""));
      (li.firstChild as HTMLElement).style.borderTopColor = severityColour(this.look, t.severity);
      return li;
    }));
    if (this.table) tabulate(this.more, this.o.title, this.data, this.unit, from, to);
  }

  // cursor writes the values where the cursor is.
  private cursor(): void {
    const idx = this.u?.cursor.idx ?? null;
    const t = idx === null ? null : this.data.times[idx] ?? null; // the plot may be one answer behind the data
    const [from, to] = this.range();
    this.legend.at(this.data, t === null ? null : idx, t === null ? "" : point(t, to - from));
    this.tools.at(t === null ? "" : around(this.data, t, (to - from) / 100).join(" · "));
  }

  private focus(): void {
    const [from, to] = this.range();
    if (!this.table) tabulate(this.more, this.o.title, this.data, this.unit, from, to);
  }

  private leave(): void {
    if (this.at === null) return;
    this.at = null;
    this.u?.setCursor({ left: -10, top: -10 }, true);
  }

  private key(e: KeyboardEvent): void {
    if (e.ctrlKey || e.metaKey || e.altKey || nothing(this.data)) return;
    const times = this.data.times;
    const [from, to] = this.range();
    const low = times.findIndex((t) => t >= from), high = times.findLastIndex((t) => t <= to);
    const here = this.at === null ? (this.u?.cursor.idx ?? high) : nearest(times, this.at);
    const stride = e.shiftKey ? Math.max(1, Math.round((high - low) / 12)) : 1;
    const go = { ArrowLeft: this.at === null ? here : here - stride, ArrowRight: here + stride, Home: low, End: high, PageUp: here - Math.round((high - low) / 4), PageDown: here + Math.round((high - low) / 4) }[e.key];
    if (go !== undefined) this.move(Math.min(high, Math.max(low, go)));
    else if (e.key === "ArrowDown" || e.key === "ArrowUp") this.choose(e.key === "ArrowDown" ? 1 : -1);
    else if (e.key === "+" || e.key === "=") this.scaleBy(0.5, this.at ?? (from + to) / 2);
    else if (e.key === "-") this.scaleBy(2, this.at ?? (from + to) / 2);
    else if (e.key === "Backspace") this.back();
    else if (e.key === "t" || e.key === "T") this.showTable(!this.table);
    else if (e.key === "Escape" && this.at !== null) this.leave();
    else return;
    e.preventDefault();
    e.stopPropagation();
  }

  private scaleBy(factor: number, middle: number): void {
    const [from, to] = this.range();
    const half = Math.max((to - from) * factor, Math.max(this.data.step * 4, 10)) / 2;
    this.ask(middle - half, middle + half);
  }

  private move(i: number): void {
    const t = this.data.times[i];
    if (t === undefined) return; // no sample in the range
    this.at = t;
    this.place();
    this.speak(() => this.sentence());
  }

  private place(): void {
    const u = this.u as (uPlot & { setCursor(at: { left: number; top: number }, fire: boolean, tellOthers: boolean): void }) | null;
    u?.setCursor({ left: u.valToPos(this.at!, "x"), top: this.o.height / 3 }, true, true);
  }

  private choose(step: number): void {
    const names = [null, ...this.legend.names()];
    this.chosen = names[(names.indexOf(this.chosen) + step + names.length) % names.length]!;
    if (this.at === null) this.move(this.u?.cursor.idx ?? this.data.times.length - 1);
    else this.speak(() => this.sentence());
  }

  // sentence says the values where the reader is. It is said a moment after
  // the key: meanwhile other data may have come, or the reader have left.
  private sentence(): string {
    const [from, to] = this.range();
    if (this.at === null) return "";
    const i = nearest(this.data.times, this.at);
    if (i < 0) return say("gap");
    const names = this.chosen !== null && this.legend.names().includes(this.chosen) ? [this.chosen] : this.legend.names();
    const values = names.slice(0, 6).map((name) => {
      const v = this.data.series.find((s) => s.label === name)?.values[i] ?? null;
      return (names.length > 1 || this.chosen !== null ? name + " " : "") + (v === null ? say("gap") : figure(v, this.unit));
    });
    return [point(this.data.times[i]!, to - from), ...values, ...around(this.data, this.data.times[i]!, (to - from) / 100)].join(", ");
  }

  // speak says the newest text, at most four times a second.
  private speak(text: () => string): void {
    clearTimeout(this.spoken);
    this.spoken = window.setTimeout(() => (this.speech.textContent = text()), 250);
  }

  // ask lets the page show a range, or shows it itself.
  private ask(from: number, to: number): void {
    if (to - from < 1) return;
    this.speak(() => say("zoomed", { from: moment(from), to: moment(to) }));
    if (!this.host.dispatchEvent(new CustomEvent("chartzoom", { bubbles: true, cancelable: true, detail: { from, to } }))) return;
    this.zoom([Math.max(from, this.data.from), Math.min(to, this.data.to)]);
  }

  private back(): void {
    if (this.zoomed) this.zoom(null);
    else this.host.dispatchEvent(new CustomEvent("chartback", { bubbles: true }));
  }

  private zoom(range: [number, number] | null): void {
    const [from, to] = [this.data.from, this.data.to];
    this.zoomed = range && range[1] - range[0] > 0 && (range[0] > from || range[1] < to) ? range : null;
    this.tools.zoomed(this.zoomed !== null);
    this.schedule();
  }

  private isolated(only: string | null): void {
    this.u?.batch(() => {
      this.u!.series.forEach((s, i) => {
        if (i > 0 && this.kind !== "stacked" && typeof s.label === "string" && s.show === this.hidden(s.label)) this.u!.setSeries(i, { show: !this.hidden(s.label) });
      });
      if (this.kind === "stacked") this.u!.setData(columns(this));
    });
    this.speak(() => (only === null ? say("all") : say("isolated", { name: only })));
    this.tell();
  }

  private showTable(on: boolean): void {
    const had = this.area.contains(document.activeElement);
    this.table = on;
    this.tools.tabled(on);
    this.more.classList.toggle("sr", !on);
    if (on) {
      this.more.tabIndex = 0;
      this.more.setAttribute("role", "region");
      this.more.setAttribute("aria-label", this.o.title);
      this.more.onkeydown = (e) => {
        if (e.key !== "t" && e.key !== "T" && e.key !== "Escape") return;
        this.showTable(false);
        this.area.focus();
      };
    } else for (const a of ["tabindex", "role", "aria-label"]) this.more.removeAttribute(a);
    this.display();
    if (on && had) this.more.focus();
  }

  private saveCSV(): void {
    saveCSV(this.o.title, this.data, this.unit, ...this.range());
  }

  private savePNG(): Promise<void> {
    const canvas = this.area.querySelector("canvas");
    return canvas ? savePNG(this.o.title, canvas, this.data, this.look, this.legend.names(), ...this.range()) : Promise.resolve();
  }
}
