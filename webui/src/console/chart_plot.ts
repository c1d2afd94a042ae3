// The drawing: what uPlot is told, and what is drawn beside the series: periods
// in which an alert fired, marks, thresholds.

import uPlot from "../../vendor/uplot";
import { stack, type ChartData, type Severity } from "./chart_data";
import { colours, dashes, faint, type Look } from "./chart_look";
import { axisTimes } from "./chart_time";
import { axis, figure, span, splits, type Unit } from "./chart_units";
import { say } from "./chart_words";

export type Kind = "line" | "area" | "stacked" | "bars";

// Source is what is drawn. It is read at every drawing.
export interface Source {
  data: ChartData;
  readonly kind: Kind;
  readonly unit: Unit;
  look: Look;
  range(): [number, number];
  hidden(label: string): boolean;
}

export const axisHeight = 34;

// columns are the data as uPlot takes them.
export function columns(s: Source): uPlot.AlignedData {
  const usual = s.data.series.filter((c) => c.bound).map((c) => c.values);
  const rest = s.data.series.filter((c) => !c.bound);
  const values = s.kind === "stacked" ? stack(rest, (label) => s.hidden(label)) : rest.map((c) => c.values);
  return [s.data.times, ...usual, ...values] as uPlot.AlignedData;
}

// order is the series in the order of columns.
export function order(d: ChartData): ChartData["series"] {
  return [...d.series.filter((c) => c.bound), ...d.series.filter((c) => !c.bound)];
}

// strokeOf is a series' colour and dashes, by their numbers; bounds have none.
// Beyond eight the colours come again with other dashes.
export function strokeOf(d: ChartData, label: string): { colour: number; dash: number } {
  const n = Math.max(0, d.series.filter((c) => !c.bound).findIndex((c) => c.label === label));
  return { colour: n % colours, dash: (n + Math.floor(n / colours)) % colours };
}

const clear = "rgba(0,0,0,0)";

function one(s: Source, label: string, bound: boolean): uPlot.Series {
  const n = strokeOf(s.data, label);
  if (bound) return { label, show: true, stroke: () => faint(s.look.soft, 0.6), width: 1, points: { show: false }, fill: () => clear };
  const stacked = s.kind === "stacked"; // a hidden layer has no height there and no line
  const colour = () => (stacked && s.hidden(label) ? clear : s.look.series[n.colour]!);
  const alone = s.data.series.filter((c) => !c.bound).length === 1;
  const filled = s.kind === "stacked" || s.kind === "area" || s.kind === "bars" || alone;
  return {
    label, show: stacked || !s.hidden(label), stroke: colour, width: s.kind === "bars" ? 1 : 1.75, dash: s.kind === "bars" ? [] : [...dashes[n.dash]!],
    ...(filled ? { fill: (u: uPlot) => (s.kind === "line" || s.kind === "area" ? fade(u, colour()) : faint(colour(), s.kind === "bars" ? 0.75 : 0.42)) } : {}),
    ...(s.kind === "bars" ? { paths: uPlot.paths.bars!({ size: [0.8, 40] }) } : {}),
    points: { show: true, size: 4, fill: colour, filter: (u: uPlot, i: number) => single(u, i) },
  };
}

// fade is a fill that is lighter towards the axis.
function fade(u: uPlot, colour: string): CanvasGradient | string {
  if (!Number.isFinite(u.bbox.top) || !Number.isFinite(u.bbox.height)) return faint(colour, 0.1);
  const g = u.ctx.createLinearGradient(0, u.bbox.top, 0, u.bbox.top + u.bbox.height);
  g.addColorStop(0, faint(colour, 0.26));
  g.addColorStop(1, faint(colour, 0.03));
  return g;
}

// single are the points that have no neighbour to draw a line to.
function single(u: uPlot, i: number): number[] {
  const v = u.data[i] as (number | null | undefined)[];
  const out: number[] = [];
  const none = (x: number | null | undefined) => x === null || x === undefined;
  for (let k = 0; k < v.length; k++) if (!none(v[k]) && none(v[k - 1]) && none(v[k + 1])) out.push(k);
  return out;
}

function bands(s: Source): uPlot.Band[] {
  const usual = s.data.series.filter((c) => c.bound).length;
  const out: uPlot.Band[] = usual >= 2 ? [{ series: [2, 1], fill: () => faint(s.look.soft, 0.13) }] : [];
  const rest = s.data.series.length - usual;
  if (s.kind === "stacked") for (let i = 2; i <= rest; i++) out.push({ series: [usual + i, usual + i - 1] });
  return out;
}

// adopt makes the series of a plot those of the source, without a new canvas.
export function adopt(u: uPlot, s: Source): void {
  while (u.series.length > 1) u.delSeries(u.series.length - 1);
  for (const c of order(s.data)) u.addSeries(one(s, c.label, !!c.bound));
  u.delBand(null);
  bands(s).forEach((b, i) => u.addBand(b, i));
}

// plot draws into an element of the page.
export function plot(s: Source, into: HTMLElement, width: number, height: number, group: string, hooks: { cursor: (u: uPlot) => void; select: (from: number, to: number) => void; back: () => void }): uPlot {
  const font = () => "11px " + s.look.font;
  const scale = (low: number | null, high: number | null) => span(low ?? 0, high ?? 0, s.unit, (s.data.thresholds ?? []).map((t) => t.value), height < 140 ? 2 : 4);
  let step = 1;
  const opts: uPlot.Options = {
    width, height, padding: [14, 12, 0, 0], legend: { show: false },
    series: [{}, ...order(s.data).map((c) => one(s, c.label, !!c.bound))],
    bands: bands(s),
    scales: {
      x: { time: true, range: () => s.range() },
      y: {
        range: (_u, low, high) => {
          const r = scale(low, high);
          step = r.step;
          return [r.min, r.max];
        },
      },
    },
    axes: [
      { stroke: () => s.look.soft, font: font(), size: axisHeight, space: 64, grid: { stroke: () => s.look.grid, width: 1 }, ticks: { stroke: () => s.look.grid, width: 1, size: 4 }, values: (_u, at, _i, _space, incr) => axisTimes(at, incr) },
      {
        stroke: () => s.look.soft, font: font(), grid: { stroke: () => s.look.grid, width: 1 }, ticks: { show: false }, gap: 8,
        splits: (_u, _i, min, max) => splits(min, max, step), values: (_u, at) => axis(at, s.unit),
        size: (u, texts) => wide(u, texts, font()),
      },
    ],
    cursor: {
      y: false, drag: { x: true, y: false, setScale: false, dist: 6 },
      points: { size: 8, width: 2, fill: (_u, i) => (colourAt(s, i) === clear ? clear : s.look.panel), stroke: (_u, i) => colourAt(s, i) },
      sync: { key: group, setSeries: false, scales: ["x", null], filters: { pub: onlyMoves, sub: onlyMoves } },
      bind: { dblclick: () => () => (hooks.back(), null) },
    },
    hooks: {
      setCursor: [hooks.cursor],
      setSelect: [(u) => {
        const { left, width } = u.select;
        if (width < 6) return;
        const from = u.posToVal(left, "x"), to = u.posToVal(left + width, "x");
        u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        hooks.select(from, to);
      }],
      drawAxes: [(u) => periods(u, s)],
      draw: [(u) => { thresholds(u, s); marks(u, s); }],
    },
  };
  return new uPlot(opts, columns(s), into);
}

const onlyMoves = (type: string) => type === "mousemove" || type === "mouseleave";

function colourAt(s: Source, i: number): string {
  const c = order(s.data)[i - 1];
  if (s.kind === "stacked" && c && s.hidden(c.label)) return clear;
  return c && !c.bound ? s.look.series[strokeOf(s.data, c.label).colour]! : s.look.soft;
}

function wide(u: uPlot, texts: string[] | null, font: string): number {
  const before = u.ctx.font;
  u.ctx.font = font;
  const w = Math.max(0, ...(texts ?? []).map((t) => u.ctx.measureText(t).width));
  u.ctx.font = before;
  return Math.max(58, Math.ceil(w) + 14);
}

export function severityColour(l: Look, s: Severity | undefined): string {
  return s === "critical" ? l.critical : s === "serious" ? l.serious : l.warning;
}

// inPlot draws with the plot's area as a limit, in CSS pixels of the canvas.
function inPlot(u: uPlot, f: (c: CanvasRenderingContext2D, r: number) => void): void {
  const c = u.ctx, b = u.bbox;
  c.save();
  c.beginPath();
  c.rect(b.left, b.top - 14 * devicePixelRatio, b.width, b.height + 14 * devicePixelRatio);
  c.clip();
  f(c, devicePixelRatio);
  c.restore();
}

function periods(u: uPlot, s: Source): void {
  const [from, to] = s.range();
  inPlot(u, (c, r) => {
    for (const p of s.data.periods ?? []) {
      if (p.to < from || p.from > to) continue;
      const left = u.valToPos(Math.max(p.from, from), "x", true), right = u.valToPos(Math.min(p.to, to), "x", true);
      const width = Math.max(right - left, 2 * r);
      const colour = severityColour(s.look, p.severity);
      c.fillStyle = faint(colour, 0.13);
      c.fillRect(left, u.bbox.top, width, u.bbox.height);
      c.fillStyle = colour;
      c.fillRect(left, u.bbox.top - 4 * r, width, 4 * r);
    }
  });
}

function thresholds(u: uPlot, s: Source): void {
  const y = u.scales["y"]!;
  inPlot(u, (c, r) => {
    c.font = 11 * r + "px " + s.look.font;
    c.textAlign = "left";
    for (const t of s.data.thresholds ?? []) {
      if (t.value < y.min! || t.value > y.max!) continue;
      const top = Math.round(u.valToPos(t.value, "y", true));
      const colour = severityColour(s.look, t.severity);
      c.strokeStyle = colour;
      c.lineWidth = 1.25 * r;
      c.setLineDash([6 * r, 4 * r]);
      c.beginPath();
      c.moveTo(u.bbox.left, top);
      c.lineTo(u.bbox.left + u.bbox.width, top);
      c.stroke();
      const text = say(t.below ? "limit.below" : "limit", { value: figure(t.value, s.unit) });
      const under = top - u.bbox.top < 14 * r;
      const w = c.measureText(text).width;
      c.fillStyle = faint(s.look.panel, 0.8);
      c.fillRect(u.bbox.left + 2 * r, under ? top + 2 * r : top - 16 * r, w + 8 * r, 14 * r);
      c.fillStyle = colour;
      c.textBaseline = under ? "top" : "bottom";
      c.fillText(text, u.bbox.left + 6 * r, under ? top + 3 * r : top - 2 * r);
    }
  });
}

const letters: Record<string, string> = { restart: "↻", upgrade: "↑", backup: "⇩", config: "✎" };

function marks(u: uPlot, s: Source): void {
  const [from, to] = s.range();
  inPlot(u, (c, r) => {
    c.textAlign = "center";
    c.textBaseline = "middle";
    c.font = 10 * r + "px " + s.look.font;
    for (const m of s.data.marks ?? []) {
      if (m.at < from || m.at > to) continue;
      const x = Math.round(u.valToPos(m.at, "x", true));
      c.strokeStyle = c.fillStyle = s.look.soft;
      c.lineWidth = r;
      c.setLineDash([2 * r, 3 * r]);
      c.beginPath();
      c.moveTo(x, u.bbox.top);
      c.lineTo(x, u.bbox.top + u.bbox.height);
      c.stroke();
      c.beginPath();
      c.arc(x, u.bbox.top - 1 * r, 7 * r, 0, 7);
      c.fill();
      c.fillStyle = s.look.panel;
      c.fillText(letters[m.kind] ?? "•", x, u.bbox.top - 1 * r);
    }
  });
}
