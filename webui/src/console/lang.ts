// The reader's language is that of the page.

import { en, zh, type Key } from "./words";

export const lang: "zh" | "en" = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
export const locale = lang === "zh" ? "zh-CN" : "en-GB"; // the charts write days so, too

export function t(key: Key, args: Record<string, string | number> = {}): string {
  return (lang === "zh" ? zh : en)[key].replace(/\{(\w+)\}/g, (whole, name: string) => (name in args ? String(args[name]) : whole));
}

const units: [Key, Key, number][] = [
  ["span.d", "ago.d", 86400],
  ["span.h", "ago.h", 3600],
  ["span.min", "ago.min", 60],
  ["span.s", "ago.s", 1],
];

function largest(seconds: number): [Key, Key, number] {
  return units.find(([, , n]) => seconds >= n) ?? units.at(-1)!;
}

// span is a length of time in its largest unit.
export function span(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  const [name, , n] = largest(s);
  return t(name, { n: Math.floor(s / n) });
}

// ago is a moment as seen from now.
export function ago(at: number, now: number): string {
  const s = Math.round((now - at) / 1000);
  if (s < 0) return t("ago.soon", { n: span(at - now) });
  const [, name, n] = largest(s);
  return t(name, { n: Math.floor(s / n) });
}
