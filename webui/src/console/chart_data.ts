// What a chart shows, apart from how: columns of times and values, what to say
// about them, and their forms as a table and as CSV. It needs no page.

// Column is one series. Values stand beside the times; null is a gap.
export interface Column {
  label: string;
  values: (number | null)[];
  bound?: boolean; // an edge of the band of what is usual: the lower one first
}

export type Severity = "warning" | "serious" | "critical";

export interface Threshold {
  value: number;
  label: string;
  severity?: Severity;
  below?: boolean; // fires below the value
}

export interface Period {
  from: number;
  to: number;
  label: string;
  severity?: Severity;
}

export interface Mark {
  at: number;
  kind: string; // restart, upgrade, backup, config
  label: string;
}

// ChartData is what a server answers. Times are Unix seconds, rising.
export interface ChartData {
  from: number;
  to: number;
  step: number; // seconds between two times; 0: unknown
  times: number[];
  series: Column[];
  thresholds?: Threshold[];
  periods?: Period[];
  marks?: Mark[];
  error?: string; // a sentence that stands in the place of the chart
  empty?: string; // the same, when there is nothing to draw
}

// most is how many series a chart draws; more are a fog.
export const most = 40;

// regular gives data with a row of gaps wherever a time is missing.
export function regular(d: ChartData): ChartData {
  if (d.step <= 0) return d;
  const at: number[] = [];
  for (let i = 1; i < d.times.length; i++) if (d.times[i]! - d.times[i - 1]! > d.step * 1.5) at.push(i);
  if (at.length === 0) return d;
  const times: number[] = [];
  const series = d.series.map((s) => ({ ...s, values: [] as (number | null)[] }));
  let next = 0;
  for (let i = 0; i < d.times.length; i++) {
    if (at[next] === i) {
      next++;
      times.push(d.times[i - 1]! + d.step);
      for (const s of series) s.values.push(null);
    }
    times.push(d.times[i]!);
    d.series.forEach((s, k) => series[k]!.values.push(s.values[i] ?? null));
  }
  return { ...d, times, series };
}

// extend adds what came since to what is there. Rows from the first new time on
// are replaced, rows before from are dropped; series are told apart by label,
// and one that comes or goes has gaps where it was not.
export function extend(d: ChartData, tail: ChartData, from: number): ChartData {
  const first = tail.times[0] ?? Infinity;
  const keep: number[] = [];
  d.times.forEach((t, i) => {
    if (t >= from && t < first) keep.push(i);
  });
  const times = keep.map((i) => d.times[i]!).concat(tail.times);
  const series: Column[] = d.series.map((s) => {
    const more = tail.series.find((x) => x.label === s.label);
    const values = keep.map((i) => s.values[i] ?? null);
    tail.times.forEach((_, i) => values.push(more?.values[i] ?? null));
    return { ...s, values };
  });
  for (const s of tail.series) {
    if (!d.series.some((x) => x.label === s.label)) series.push({ ...s, values: keep.map(() => null as number | null).concat(s.values) });
  }
  return {
    ...d, from, to: tail.to, times,
    series: series.filter((s) => s.values.some((v) => v !== null) || series.length === 1),
    ...(tail.thresholds ? { thresholds: tail.thresholds } : {}), ...(tail.periods ? { periods: tail.periods } : {}), ...(tail.marks ? { marks: tail.marks } : {}),
  };
}

// nothing tells whether there is no value to draw.
export function nothing(d: ChartData): boolean {
  return !d.series.some((s) => s.values.some((v) => v !== null));
}

export interface Stats {
  min: number | null;
  avg: number | null;
  max: number | null;
  last: number | null;
}

// stats are those of the values whose times are in a range.
export function stats(times: readonly number[], values: readonly (number | null)[], from = -Infinity, to = Infinity): Stats {
  let min: number | null = null, max: number | null = null, last: number | null = null, sum = 0, n = 0;
  for (let i = 0; i < times.length; i++) {
    const v = values[i];
    if (v === null || v === undefined || times[i]! < from || times[i]! > to) continue;
    if (min === null || v < min) min = v;
    if (max === null || v > max) max = v;
    last = v;
    sum += v;
    n++;
  }
  return { min, avg: n ? sum / n : null, max, last };
}

// stack gives the columns on top of each other; a gap stays one, and does not
// move those above it. Hidden ones take no room.
export function stack(columns: readonly Column[], hidden: (label: string) => boolean): (number | null)[][] {
  const height = columns[0] ? columns[0].values.map(() => 0) : [];
  return columns.map((c) => c.values.map((v, i) => {
    if (v === null) return null;
    return hidden(c.label) ? height[i]! : (height[i]! += v);
  }));
}

// nearest is the index of the time next to t; -1 when there is none.
export function nearest(times: readonly number[], t: number): number {
  let low = 0, high = times.length - 1;
  if (high < 0) return -1;
  while (high - low > 1) {
    const mid = (low + high) >> 1;
    if (times[mid]! < t) low = mid;
    else high = mid;
  }
  return Math.abs(times[low]! - t) <= Math.abs(times[high]! - t) ? low : high;
}

export interface Row {
  from: number;
  to: number; // the last time in it
  values: (number | null)[]; // averages
}

// thin is the data in at most rows rows of equal length, each with the averages
// of its values.
export function thin(d: ChartData, rows: number, from = -Infinity, to = Infinity): Row[] {
  const at = d.times.map((_, i) => i).filter((i) => d.times[i]! >= from && d.times[i]! <= to);
  const each = Math.max(1, Math.ceil(at.length / rows));
  const out: Row[] = [];
  for (let i = 0; i < at.length; i += each) {
    const part = at.slice(i, i + each);
    out.push({
      from: d.times[part[0]!]!, to: d.times[part[part.length - 1]!]!,
      values: d.series.map((s) => {
        let sum = 0, n = 0;
        for (const k of part) {
          const v = s.values[k];
          if (v !== null && v !== undefined) {
            sum += v;
            n++;
          }
        }
        return n ? sum / n : null;
      }),
    });
  }
  return out;
}

// csv is all of the data: a header, then a line for each time, in UTC and in
// base units, with CRLF and quotes as RFC 4180 has them. A gap is an empty
// field. A name that a spreadsheet would take for a formula gets an apostrophe.
export function csv(d: ChartData, time: string, unit: string, from = -Infinity, to = Infinity): string {
  const field = (s: string) => {
    const safe = /^[=+\-@\t\r]/.test(s) ? "'" + s : s;
    return /[",\r\n]/.test(safe) ? '"' + safe.replace(/"/g, '""') + '"' : safe;
  };
  const lines = [[time, ...d.series.map((s) => (unit ? s.label + " [" + unit + "]" : s.label))].map(field).join(",")];
  d.times.forEach((t, i) => {
    if (t < from || t > to) return;
    lines.push([new Date(t * 1000).toISOString(), ...d.series.map((s) => s.values[i] ?? "")].join(","));
  });
  return lines.join("\r\n") + "\r\n";
}

// around are the marks and periods at a time, within slack seconds.
export function around(d: ChartData, t: number, slack: number): string[] {
  const out: string[] = [];
  for (const m of d.marks ?? []) if (Math.abs(m.at - t) <= slack) out.push(m.label);
  for (const p of d.periods ?? []) if (p.from - slack <= t && t <= p.to + slack && !out.includes(p.label)) out.push(p.label);
  return out;
}
