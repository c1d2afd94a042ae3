// Figures as people read them. Values come in base units; a unit says which.
//
//   ""         a number: 950, 12,345, 1.25 M
//   "/s"       a rate: 12.5/s
//   "bytes"    IEC: 1.5 GiB
//   "bytes/s"  IEC: 1.5 MiB/s
//   "bits/s"   decimal, as network cards are sold: 1.5 Mbit/s
//   "ratio"    0…1, shown as percent
//   "percent"  0…100
//   "seconds"  12 µs, 1.25 ms, 2.5 s, 2 min 5 s, 3 h 20 min, 5 d 3 h
//   "days"     5.2 d
//   "celsius"  41 °C

export type Unit = "" | "/s" | "bytes" | "bytes/s" | "bits/s" | "ratio" | "percent" | "seconds" | "days" | "celsius";

const units: readonly string[] = ["", "/s", "bytes", "bytes/s", "bits/s", "ratio", "percent", "seconds", "days", "celsius"];

// unitOf takes what a page says; what is unknown is a number.
export function unitOf(name: string | null | undefined): Unit {
  return units.includes(name ?? "") ? ((name ?? "") as Unit) : "";
}

const iec = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
const bits = ["bit", "kbit", "Mbit", "Gbit", "Tbit"];
const plain = ["", "k", "M", "G", "T"];

// step is one of the sizes that a unit is shown in.
interface Step {
  size: number; // in base units
  name: string; // stands after the figure, with its blank
}

const seconds: Step[] = [
  { size: 1e-6, name: " µs" },
  { size: 1e-3, name: " ms" },
  { size: 1, name: " s" },
  { size: 60, name: " min" },
  { size: 3600, name: " h" },
  { size: 86400, name: " d" },
];

function powers(base: number, names: readonly string[], after: string, glue: string): Step[] {
  return names.map((n, i) => ({ size: base ** i, name: (n === "" ? "" : glue + n) + after }));
}

const steps: Record<Unit, Step[]> = {
  "": powers(1000, plain, "", " "),
  "/s": powers(1000, plain, "/s", " "),
  "bytes": powers(1024, iec, "", " "),
  "bytes/s": powers(1024, iec, "/s", " "),
  "bits/s": powers(1000, bits, "/s", " "),
  "ratio": [{ size: 0.01, name: " %" }],
  "percent": [{ size: 1, name: " %" }],
  "seconds": seconds,
  "days": [{ size: 1, name: " d" }],
  "celsius": [{ size: 1, name: " °C" }],
};

// fits is the largest step that is not larger than the value. Numbers keep
// their digits up to 100,000.
function fits(v: number, unit: Unit): Step {
  const all = steps[unit];
  const a = Math.abs(v);
  let found = all[0]!;
  if ((unit === "" || unit === "/s") && a < 100000) return found;
  if (unit === "seconds" && a === 0) return seconds[2]!;
  const least = unit === "bytes" || unit === "bytes/s" ? 1000 / 1024 : 0.9995; // never four digits
  for (const s of all) if (a >= s.size * least) found = s;
  return found;
}

// digits is a figure with about three significant digits, grouped by thousands.
function digits(v: number, decimals?: number): string {
  const a = Math.abs(v);
  const n = decimals ?? (a >= 100 || Number.isInteger(v) ? 0 : a >= 10 ? 1 : a >= 0.1 ? 2 : a >= 0.001 ? 3 : 6);
  let text = v.toFixed(n);
  if (decimals === undefined && text.includes(".")) text = text.replace(/\.?0+$/, "");
  const [whole, rest] = text.split(".") as [string, string | undefined];
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return (rest ? grouped + "." + rest : grouped).replace(/^-(?=[0,.]*$)/, "");
}

// figure is a value with its unit; null, undefined and what is no number are "–".
export function figure(v: number | null | undefined, unit: Unit): string {
  if (v === null || v === undefined || Number.isNaN(v)) return "–";
  if (!Number.isFinite(v)) return v > 0 ? "∞" : "−∞";
  if (unit === "seconds" && Math.abs(v) >= 120) return long(Math.round(v));
  const s = fits(v, unit);
  return digits(v / s.size) + s.name;
}

// long is a duration of two minutes or more, in two units.
function long(v: number): string {
  let i = seconds.length - 1;
  while (i > 3 && Math.abs(v) < seconds[i]!.size) i--;
  const big = seconds[i]!, small = seconds[i - 1]!;
  let whole = Math.trunc(v / big.size);
  let rest = Math.round(Math.abs(v - whole * big.size) / small.size);
  if (rest * small.size >= big.size) {
    whole += Math.sign(v);
    rest = 0;
  }
  return digits(whole) + big.name + (rest ? " " + rest + small.name : "");
}

// increment is the distance of lines on the y axis: a round number of the unit
// it is shown in, not smaller than least.
export function increment(least: number, top: number, unit: Unit): number {
  const s = axisStep(top, unit);
  const round = unit === "bytes" || unit === "bytes/s" ? [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024] : s.size === 60 || (unit === "seconds" && s.size === 1 && top > 20) ? [1, 2, 5, 10, 15, 30, 60] : s.size === 3600 ? [1, 2, 3, 6, 12, 24] : null;
  const want = least / s.size;
  if (round && want >= 1) {
    for (const r of round) if (r >= want) return r * s.size;
  }
  const power = 10 ** Math.floor(Math.log10(want));
  for (const m of [1, 2, 2.5, 5, 10]) if (m * power >= want * 0.9999) return m * power * s.size;
  return 10 * power * s.size;
}

function axisStep(top: number, unit: Unit): Step {
  if ((unit === "" || unit === "/s") && Math.abs(top) < 10000) return steps[unit][0]!;
  return fits(top, unit);
}

// axis is the text of each line of the y axis, all in one unit.
export function axis(lines: readonly number[], unit: Unit): string[] {
  const top = Math.max(...lines.map(Math.abs), 0);
  const s = axisStep(top, unit);
  const distance = lines.length > 1 ? Math.abs(lines[1]! - lines[0]!) / s.size : 1;
  let decimals = 0;
  while (decimals < 6 && Math.abs(distance * 10 ** decimals - Math.round(distance * 10 ** decimals)) > 1e-6) decimals++;
  return lines.map((v) => (v === 0 ? "0" : digits(v / s.size, decimals) + s.name));
}

// span is the y scale: the one policy for every chart. It begins at zero, or
// below where values are, and ends at the line above the highest value. A
// threshold is shown when the values come near it. Percentages end at 100 %
// when there is a threshold or they pass a quarter, so that half full looks
// half full.
export function span(low: number, high: number, unit: Unit, thresholds: readonly number[], lines = 4): { min: number; max: number; step: number } {
  let min = Math.min(0, low);
  let max = Math.max(0, high);
  for (const t of thresholds) {
    if (t > max && t <= Math.max(high * 3, 0)) max = t * 1.02;
    if (t < min && t >= low * 3) min = t * 1.02;
  }
  const whole = unit === "ratio" ? 1 : unit === "percent" ? 100 : 0;
  if (whole && max <= whole * 1.0001 && (max > whole / 4 || thresholds.length > 0)) max = whole;
  if (max === min) max = whole || (unit === "seconds" ? 0.001 : unit === "bytes" || unit === "bytes/s" ? 1024 : 1);
  if (whole && max === whole && min === 0) return { min, max, step: whole / (lines >= 4 ? 4 : 2) };
  const step = increment((max - min) / lines, Math.max(max, -min), unit);
  return { min: Math.floor(min / step + 1e-9) * step, max: Math.ceil(max / step - 1e-9) * step, step };
}

// splits are the lines of a span.
export function splits(min: number, max: number, step: number): number[] {
  const out: number[] = [];
  for (let i = Math.ceil(min / step - 1e-9); i * step <= max + step * 1e-9; i++) out.push(i === 0 ? 0 : i * step);
  return out;
}
