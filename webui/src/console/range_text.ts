// Ranges of time as the address of a page has them, and as people write them.
// The server reads the same (admin/span.go), but in its own zone: what stands in
// the address is therefore "now", "now-6h" or Unix seconds.

const units: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

// seconds is the moment a text of an address says; NaN: none.
export function seconds(text: string, now: number): number {
  const t = text.trim();
  if (t === "now") return now;
  const ago = /^now-(\d{1,6})([smhdw])$/.exec(t);
  if (ago) return now - Number(ago[1]) * units[ago[2]!]!;
  if (/^\d{9,11}(\.\d+)?$/.test(t)) return Number(t);
  const d = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}))?)?$/.exec(t.replace(/[年月/]/g, "-").replace("日", ""));
  if (!d) return NaN;
  const [year, month, day, hour, minute, second] = d.slice(1).map((x) => Number(x ?? 0)) as [number, number, number, number, number, number];
  const at = new Date(year, month - 1, day, hour, minute, second);
  return at.getMonth() === month - 1 && at.getDate() === day && hour < 24 && minute < 60 && second < 60 ? at.getTime() / 1000 : NaN;
}

// address is what stands in the address for a text that somebody wrote; empty:
// it is no time.
export function address(text: string, now: number): string {
  const t = text.trim().toLowerCase().replace(/\s+/g, " ").replace(/^now - ?/, "now-");
  if (/^now(-\d{1,6}[smhdw])?$/.test(t)) return t;
  const at = seconds(t.replace(/^t/, ""), now);
  return Number.isNaN(at) ? "" : String(Math.round(at));
}

// written is a text of an address as people write it, in their own zone.
export function written(text: string): string {
  if (!/^\d{9,11}(\.\d+)?$/.test(text)) return text;
  const d = new Date(Number(text) * 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`.replace(/:00$/, "");
}

// moved is a range shifted by a share of its length, or made longer around its
// middle; never past now.
export function moved(from: number, to: number, by: number, factor: number, now: number): [number, number] {
  const half = ((to - from) * factor) / 2, middle = (from + to) / 2 + (to - from) * by;
  const end = Math.min(now, middle + half);
  return [Math.round(Math.max(0, end - 2 * half)), Math.round(end)];
}
