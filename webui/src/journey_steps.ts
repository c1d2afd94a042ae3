// What a message's journey says, put in order for reading.

import type { ID, Step } from "./api";

export interface Rung {
  step: "stored" | "pushed" | "acknowledged" | "read";
  reached: boolean;
  at: number; // ms; 0: not known when, or not reached
}

// ladder are the steps of a message to one device. Reading tells nothing of a
// device: it is the person's mark. A device that acknowledged was pushed to,
// even when it is no longer known when.
export function ladder(x: Step, stored: number): Rung[] {
  const acked = x.state === "acknowledged" || !!x.acked_at;
  const pushed = acked || x.state === "pushed" || !!x.pushed_at;
  const rungs: Rung[] = [{ step: "stored", reached: true, at: stored }];
  if (x.device) rungs.push({ step: "pushed", reached: pushed, at: x.pushed_at ?? 0 }, { step: "acknowledged", reached: acked, at: x.acked_at ?? 0 });
  rungs.push({ step: "read", reached: x.state === "read", at: x.read_at ?? 0 });
  return rungs;
}

export interface Traveller {
  user: ID;
  state: Rung["step"]; // the furthest on any device
  readAt: number;
  steps: Step[]; // one per device; without a device: none
}

const order = ["stored", "pushed", "acknowledged", "read"] as const;

// travellers groups the steps by person: who is furthest behind comes first,
// for that is what one looks for.
export function travellers(steps: readonly Step[]): Traveller[] {
  const by = new Map<ID, Traveller>();
  for (const x of steps) {
    const p = by.get(x.user) ?? { user: x.user, state: "stored", readAt: 0, steps: [] };
    by.set(x.user, p);
    const state = order.find((o) => o === x.state) ?? "stored";
    if (order.indexOf(state) > order.indexOf(p.state)) p.state = state;
    p.readAt = Math.max(p.readAt, x.read_at ?? 0);
    if (x.device) p.steps.push(x);
  }
  return [...by.values()].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state) || (a.user < b.user ? -1 : 1));
}

// passed is the time between storing and a step that is known to the second:
// how many of which unit, or null when it is less than can be told.
export function passed(stored: number, at: number): { n: number; unit: "s" | "min" | "h" | "d" } | null {
  const s = Math.floor((at - stored) / 1000);
  if (s < 1) return null;
  if (s < 120) return { n: s, unit: "s" };
  if (s < 7200) return { n: Math.floor(s / 60), unit: "min" };
  if (s < 172800) return { n: Math.floor(s / 3600), unit: "h" };
  return { n: Math.floor(s / 86400), unit: "d" };
}
