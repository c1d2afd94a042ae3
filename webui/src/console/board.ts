// A dashboard. One request brings the data of all its panels; while the range
// ends now, the stream says when there are new samples (once a second while
// somebody looks) and one small request brings only what is new: at most once a
// second for an hour, less often for more. The charts move on once a second, those
// of them that would move by half a pixel.
//
// Chosen over sending the points down the stream: each reader has another range,
// width and choice of panels, and a request that asks for what is new needs no
// state at the server.

import { h, fillWith } from "../element";
import type { ChartData } from "./chart_data";
import { calm } from "./chart_look";
import { load, make, type Drawn } from "./chart_mount";
import { say } from "./chart_words";
import { figure } from "./chart_units";
import { RangePicker } from "./range";
import { follow } from "./stream";

interface PanelData {
  series: ChartData["series"];
  thresholds?: ChartData["thresholds"];
  periods?: ChartData["periods"];
  error?: string;
}

interface BoardData {
  from: number;
  to: number;
  step: number;
  live: boolean;
  times: number[];
  panels: Record<string, PanelData>;
  marks?: ChartData["marks"];
  events: boolean; // marks and periods are in it
}

interface Panel {
  id: string;
  title: string;
  element: HTMLElement;
  chart: Drawn | null; // null: hidden
}

const started = new WeakSet<Element>();

export function startBoards(root: ParentNode): void {
  for (const e of root.querySelectorAll<HTMLElement>("[data-board]")) {
    if (started.has(e)) continue;
    started.add(e);
    new BoardPage(e);
  }
}

class BoardPage {
  private readonly panels: Panel[];
  private readonly picker: RangePicker;
  private readonly shelf: string;
  private hidden: Set<string>;
  private last: BoardData | null = null;
  private received = 0; // Date.now() of the newest answer
  private ahead = 0; // the server's clock less ours, seconds
  private paused = false;
  private run = new AbortController();
  private tailing = false;
  private tailed = 0; // when the last tail was asked for
  private events = 0; // when marks and periods came
  private sampled = Date.now();

  constructor(private readonly e: HTMLElement) {
    this.shelf = "posthouse.board." + e.dataset["board"] + "." + (e.dataset["person"] ?? "");
    this.hidden = this.remembered();
    this.panels = [...e.querySelectorAll<HTMLElement>("[data-panel]")].map((p) => ({ id: p.dataset["panel"]!, title: p.dataset["title"]!, element: p, chart: null }));
    this.picker = new RangePicker(document.querySelector<HTMLElement>("[data-range]")!, { from: e.dataset["from"]!, to: e.dataset["to"]! }, () => void this.load());
    this.picker.button("refresh", () => void this.load().then(() => this.picker.say(say("refreshed"))));
    const pause = this.picker.button("pause", () => {
      this.paused = !this.paused;
      pause!.setAttribute("aria-pressed", String(this.paused));
      pause!.textContent = say(this.paused ? "resume" : "pause");
      this.state();
      if (!this.paused) void this.tail();
    });
    e.addEventListener("chartzoom", (z) => {
      z.preventDefault();
      const { from, to } = (z as CustomEvent<{ from: number; to: number }>).detail;
      const now = Date.now() / 1000 + this.ahead;
      this.picker.go(String(Math.round(from)), String(Math.round(Math.max(Math.min(to, now), from + 10))));
    });
    e.addEventListener("chartback", () => this.picker.back());
    this.choices();
    this.draw();
    void this.load();
    follow("sampled", () => {
      this.sampled = Date.now();
      void this.tail();
    });
    setInterval(() => this.second(), 1000);
    document.addEventListener("visibilitychange", () => void this.tail());
  }

  private remembered(): Set<string> {
    try {
      const list: unknown = JSON.parse(localStorage.getItem(this.shelf) ?? "[]");
      return new Set(Array.isArray(list) ? list.filter((x) => typeof x === "string") : []);
    } catch {
      return new Set();
    }
  }

  private hide(id: string, on: boolean): void {
    if (on) this.hidden.add(id);
    else this.hidden.delete(id);
    try {
      localStorage.setItem(this.shelf, JSON.stringify([...this.hidden]));
    } catch {
      // Forbidden: the choice lives as long as the page.
    }
    this.choices();
    this.draw();
    if (!on) void this.load();
  }

  private choices(): void {
    const box = document.querySelector<HTMLElement>("[data-range-choices]");
    if (!box) return;
    box.closest("details")!.hidden = false;
    if (box.childElementCount === 0) {
      fillWith(box, ...this.panels.map((p) => h("label", { class: "range-choice" },
        h("input", { type: "checkbox", "data-choice": p.id, onchange: (c: Event) => this.hide(p.id, !(c.target as HTMLInputElement).checked) }), h("span", null, p.title))));
    }
    for (const c of box.querySelectorAll<HTMLInputElement>("[data-choice]")) c.checked = !this.hidden.has(c.dataset["choice"]!);
    const n = this.panels.filter((p) => this.hidden.has(p.id)).length;
    document.querySelector("[data-range-hidden]")!.textContent = n ? "(" + say("hidden", { n }) + ")" : "";
  }

  // draw makes the charts that are shown and ends those that are not.
  private draw(): void {
    for (const p of this.panels) {
      const off = this.hidden.has(p.id);
      p.element.hidden = off;
      if (off && p.chart) {
        p.chart.destroy();
        p.chart = null;
        p.element.replaceChildren();
      } else if (!off && !p.chart) p.chart = make(p.element, { hide: () => this.hide(p.id, true) });
    }
  }

  private url(since: number): string {
    const q = new URLSearchParams({ from: this.picker.range.from, to: this.picker.range.to });
    const widths = this.panels.filter((p) => p.chart && p.element.clientWidth > 300).map((p) => p.element.clientWidth);
    q.set("width", String(Math.min(...(widths.length ? widths : [600]))));
    if (this.hidden.size > 0) q.set("hide", [...this.hidden].join(","));
    if (since > 0) q.set("since", String(since));
    return this.e.dataset["src"]! + "?" + q.toString();
  }

  // load brings everything.
  private async load(): Promise<void> {
    this.run.abort();
    const run = (this.run = new AbortController());
    try {
      const d = await load<BoardData>(this.url(0), run.signal);
      this.take(d);
      for (const p of this.panels) {
        const one = d.panels[p.id];
        if (one) p.chart?.set(this.data(d, one));
      }
    } catch (err) {
      if (run.signal.aborted) return;
      const why = err instanceof Error ? err.message : String(err);
      for (const p of this.panels) p.chart?.fail(why);
      this.picker.say(why);
    }
  }

  // tail brings what is new since the newest point.
  private async tail(): Promise<void> {
    const d0 = this.last;
    const since = d0?.times.filter((t) => t % d0.step === 0).at(-1);
    if (!d0 || !this.moves() || this.tailing || since === undefined) return;
    if (Date.now() - this.tailed < Math.min(60000, ((d0.to - d0.from) / 3600) * 900)) return;
    this.tailed = Date.now();
    this.tailing = true;
    const run = this.run;
    try {
      const d = await load<BoardData>(this.url(since) + (Date.now() - this.events > 15000 ? "&events=1" : ""), run.signal);
      if (run === this.run && d.step === this.last!.step) {
        this.take({ ...d, times: d.times.length ? d.times : this.last!.times });
        for (const p of this.panels) {
          const one = d.panels[p.id];
          if (one && !one.error) p.chart?.extend(this.data(d, one), d.from);
        }
      } else if (run === this.run) void this.load();
    } catch {
      if (run === this.run) this.state();
    } finally {
      this.tailing = false;
    }
  }

  private data(d: BoardData, one: PanelData): ChartData {
    return {
      from: d.from, to: d.to, step: d.step, times: d.times, series: one.series, thresholds: one.thresholds ?? [],
      ...(d.events ? { periods: one.periods ?? [], marks: d.marks ?? [] } : {}),
      ...(one.error ? { error: one.error } : {}),
    };
  }

  private take(d: BoardData): void {
    this.last = d;
    this.received = Date.now();
    if (d.events) this.events = this.received;
    if (d.live) this.ahead = d.to - this.received / 1000;
    this.state();
  }

  private moves(): boolean {
    return this.last !== null && this.last.live && !this.paused && !document.hidden;
  }

  // second moves the charts on, and asks again when the stream is silent.
  private second(): void {
    if (!this.moves()) return;
    if (Date.now() - Math.max(this.sampled, this.received) > 20000) void this.tail();
    this.state();
    if (calm()) return;
    const d = this.last!;
    const to = Date.now() / 1000 + this.ahead, from = to - (d.to - d.from);
    for (const p of this.panels) p.chart?.extend({ from, to, step: d.step, times: [], series: [] }, from);
  }

  private state(): void {
    const age = (Date.now() - this.received) / 1000;
    if (!this.last) return;
    this.picker.say(!this.last.live ? say("still") : this.paused ? say("paused") : age > 60 ? say("lost", { age: figure(Math.round(age), "seconds") }) : say("live"));
  }
}
