// The table that says what a chart shows, and the files it is taken along as.

import { fillWith, h } from "../element";
import { csv, thin, type ChartData } from "./chart_data";
import { dashes, type Look } from "./chart_look";
import { strokeOf } from "./chart_plot";
import { moment } from "./chart_time";
import { figure, type Unit } from "./chart_units";
import { say } from "./chart_words";

// rows is how long the table is at most.
export const rows = 60;

// tabulate fills an element with the table and with what happened.
export function tabulate(into: HTMLElement, title: string, d: ChartData, unit: Unit, from: number, to: number): void {
  const list = thin(d, rows, from, to);
  const length = list.length > 1 ? list[1]!.from - list[0]!.from : 0;
  const whole = d.step > 0 && length > d.step * 1.5;
  fillWith(into,
    h("table", null,
      h("caption", null, title + ". " + (whole ? say("table.each", { length: figure(length, "seconds") }) : say("table.all"))),
      h("thead", null, h("tr", null, h("th", { scope: "col" }, say("table.time")), ...d.series.map((s) => h("th", { scope: "col" }, s.label)))),
      h("tbody", null, ...list.map((r) => h("tr", null,
        h("th", { scope: "row" }, h("time", { datetime: new Date(r.from * 1000).toISOString() }, moment(r.from))),
        ...r.values.map((v) => h("td", null, v === null ? say("gap") : figure(v, unit))))))),
    ...happened(d, from, to));
}

function happened(d: ChartData, from: number, to: number): HTMLElement[] {
  const events = (d.marks ?? []).filter((m) => m.at >= from && m.at <= to).map((m) => ({ at: m.at, text: moment(m.at) + " " + m.label }))
    .concat((d.periods ?? []).filter((p) => p.to >= from && p.from <= to).map((p) => ({ at: p.from, text: moment(p.from) + " – " + moment(p.to) + " " + p.label })))
    .sort((a, b) => a.at - b.at);
  return events.length ? [h("p", { class: "chart-events" }, say("marks")), h("ul", null, ...events.map((e) => h("li", null, e.text)))] : [];
}

export function saveCSV(title: string, d: ChartData, unit: Unit, from: number, to: number): void {
  save(title, ".csv", new Blob(["\ufeff" + csv(d, say("table.time") + " (UTC)", unit, from, to)], { type: "text/csv;charset=utf-8" }));
}

// savePNG draws the chart's canvas with its title, its range and its series.
export function savePNG(title: string, canvas: HTMLCanvasElement, d: ChartData, look: Look, names: readonly string[], from: number, to: number): Promise<void> {
  const r = canvas.width / Math.max(1, canvas.clientWidth);
  const pad = 14, head = 46, line = 18;
  const perLine = Math.max(1, Math.floor(canvas.clientWidth / 200));
  const foot = Math.ceil(names.length / perLine) * line + pad;
  const out = h("canvas", { width: canvas.width + 2 * pad * r, height: canvas.height + (head + foot) * r });
  const c = out.getContext("2d")!;
  c.scale(r, r);
  c.fillStyle = look.panel;
  c.fillRect(0, 0, out.width, out.height);
  c.fillStyle = look.text;
  c.font = "600 15px " + look.font;
  c.fillText(title, pad, 22);
  c.fillStyle = look.soft;
  c.font = "12px " + look.font;
  c.fillText(moment(from) + " – " + moment(to), pad, 39);
  c.drawImage(canvas, pad, head, canvas.width / r, canvas.height / r);
  names.forEach((name, i) => {
    const n = strokeOf(d, name);
    const x = pad + (i % perLine) * 200, y = head + canvas.height / r + 10 + Math.floor(i / perLine) * line;
    c.strokeStyle = look.series[n.colour]!;
    c.lineWidth = 3;
    c.setLineDash([...dashes[n.dash]!]);
    c.beginPath();
    c.moveTo(x, y);
    c.lineTo(x + 24, y);
    c.stroke();
    c.fillStyle = look.text;
    c.fillText(name, x + 30, y + 4, 165);
  });
  return new Promise((done) => out.toBlob((b) => {
    if (b) save(title, ".png", b);
    done();
  }, "image/png"));
}

function save(title: string, ending: string, content: Blob): void {
  const href = URL.createObjectURL(content);
  const name = title.replace(/[\\/:*?"<>|\s]+/g, "-").slice(0, 80) + "-" + new Date().toISOString().slice(0, 16).replace(/[:T]/g, "-") + ending;
  const a = h("a", { href, download: name, hidden: true });
  document.body.appendChild(a);
  a.click();
  a.remove();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
}
