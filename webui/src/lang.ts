// The reader's language: words, times, sizes.

import { choose, en, fill, zh, type Key } from "./words";
import { RpcError } from "./rpc";

const shelf = "posthouse.lang";

export type Lang = "zh" | "en";

function stored(): string | null {
  try {
    return localStorage.getItem(shelf);
  } catch {
    return null;
  }
}

// lang is read once per page: a switch of language loads the page anew.
// The page comes in the language of the server's configuration or, by default,
// of the browser.
export const lang: Lang = choose(stored(), [document.documentElement.lang, ...(navigator.languages ?? [navigator.language])]);
const locale = lang === "zh" ? "zh-CN" : undefined;
const table = lang === "zh" ? zh : en;

export function t(key: Key, args?: Record<string, string | number>): string {
  return fill(table[key], args);
}

// switchLang stores the other language and loads the page anew. Drafts and the
// outbox are in the storage and survive.
export function switchLang(): void {
  try {
    localStorage.setItem(shelf, lang === "zh" ? "en" : "zh");
  } catch {
    return;
  }
  location.reload();
}

const clockFormat = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hour12: false });
const exactFormat = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const momentFormat = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium", hour12: false });
const dayFormat = new Intl.DateTimeFormat(locale, { weekday: "long", day: "numeric", month: "long" });
const yearFormat = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });
const shortFormat = new Intl.DateTimeFormat(locale, { day: "numeric", month: "numeric" });
const soonFormat = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false });
const fullFormat = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", hour12: false });

export function clock(ms: number): string {
  return clockFormat.format(ms);
}

// exact is a time to the second; moment says the day too.
export function exact(ms: number): string {
  return exactFormat.format(ms);
}

export function moment(ms: number): string {
  return momentFormat.format(ms);
}

export function full(ms: number): string {
  return fullFormat.format(ms);
}

// when is a time in as few words as tell it today: the clock alone, the day with
// it, or the year too.
export function when(ms: number, now = Date.now()): string {
  if (dayKey(ms) === dayKey(now)) return clock(ms);
  return new Date(ms).getFullYear() === new Date(now).getFullYear() ? soonFormat.format(ms) : full(ms);
}

// dayKey tells days apart.
export function dayKey(ms: number): string {
  const d = new Date(ms);
  return d.getFullYear() + "-" + (d.getMonth() + 1) + "-" + d.getDate();
}

export function day(ms: number, now: number): string {
  if (dayKey(ms) === dayKey(now)) return t("timeline.today");
  if (dayKey(ms) === dayKey(now - 86400000)) return t("timeline.yesterday");
  return new Date(ms).getFullYear() === new Date(now).getFullYear() ? dayFormat.format(ms) : yearFormat.format(ms);
}

// brief is a time for the list of rooms.
export function brief(ms: number, now: number): string {
  if (dayKey(ms) === dayKey(now)) return clock(ms);
  if (dayKey(ms) === dayKey(now - 86400000)) return t("timeline.yesterday");
  return shortFormat.format(ms);
}

export function size(bytes: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let n = bytes;
  let u = 0;
  while (n >= 1024 && u < units.length - 1) {
    n /= 1024;
    u++;
  }
  return (u === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)) + " " + units[u];
}

export function duration(ms: number): string {
  const s = Math.round(ms / 1000);
  return Math.floor(s / 60) + ":" + String(s % 60).padStart(2, "0");
}

// explain is an error as a sentence. The server's own sentences come in the
// reader's language already.
export function explain(e: unknown): string {
  if (!(e instanceof RpcError)) return String(e);
  if (e.kind === "network") return t("error.network");
  if (e.kind === "timeout") return t("error.timeout");
  const text = e.message || t("error.answer", { status: e.status || e.kind });
  return e.kind === "internal" && e.trace ? text + " " + t("error.trace", { trace: e.trace }) : text;
}
