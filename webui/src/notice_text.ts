// What notices and scheduled messages need of times, trees and tables, without a
// page.

import type { Department, ID } from "./api";

// localTime is a time as an input of type datetime-local holds it.
export function localTime(ms: number): string {
  const d = new Date(ms - new Date(ms).getTimezoneOffset() * 60000);
  return d.toISOString().slice(0, 16);
}

// ordered lists a tree of departments with how deep each stands.
export function ordered(all: Department[]): { d: Department; depth: number }[] {
  const out: { d: Department; depth: number }[] = [];
  const below = (parent: ID | undefined, depth: number) => {
    for (const d of all) {
      if ((d.parent ?? "") !== (parent ?? "") || depth > 31) continue;
      out.push({ d, depth });
      below(d.id, depth + 1);
    }
  };
  below(undefined, 0);
  return out;
}

// presets are times that people choose: in an hour, tomorrow at nine, Monday at
// nine unless that is tomorrow.
export function presets(now: number): { name: "scheduled.hour" | "scheduled.tomorrow" | "scheduled.monday"; at: number }[] {
  const nine = (days: number) => {
    const d = new Date(now);
    d.setDate(d.getDate() + days);
    d.setHours(9, 0, 0, 0);
    return d.getTime();
  };
  const toMonday = (8 - new Date(now).getDay()) % 7 || 7;
  const out: ReturnType<typeof presets> = [{ name: "scheduled.hour", at: now + 3600000 }, { name: "scheduled.tomorrow", at: nine(1) }];
  if (toMonday !== 1) out.push({ name: "scheduled.monday", at: nine(toMonday) });
  return out;
}

// csvOf writes rows as spreadsheets read them: with a mark of the encoding, and
// no cell that one would take for a formula.
export function csvOf(rows: string[][]): string {
  const cell = (c: string) => '"' + (/^[=+\-@\t\r]/.test(c) ? "'" : "") + c.replaceAll('"', '""') + '"';
  return "\ufeff" + rows.map((r) => r.map(cell).join(",")).join("\r\n") + "\r\n";
}
