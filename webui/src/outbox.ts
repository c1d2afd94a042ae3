// The outbox: messages that are not answered yet. Each is one entry of the
// browser's storage of its own, so that two tabs never overwrite each other's,
// and each has its key from the start, so that a message sent twice, by two
// tabs or after a reload, is stored once. What one tab adds or settles the
// others hear of; they send it themselves only when that tab seems to be gone.

import type { SendParams } from "./api";

export interface Draft {
  text: string;
  replyTo?: number;
  thread?: number; // the first message of the thread it belongs to
  files?: { id: string; name: string; size: number; type: string; voice?: boolean; duration_ms?: number }[];
}

export interface Pending extends Draft {
  key: string;
  room: string;
  created: number; // ms
  failed?: string; // why the server refused it; it waits for the person
  seq?: number; // answered: stored under this number
  id?: string;
  heard?: number; // ms: when another tab wrote it
  unkept?: boolean; // the storage did not take it: it is lost with the page
}

// grace is how long another tab has to send what it wrote, in ms.
export const grace = 8000;

export interface Shelf {
  readonly length: number;
  key(i: number): string | null;
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

// uuid7 is a UUID of version 7 (RFC 9562): 48 bits of milliseconds and random
// bits. It works on plain http, where crypto.randomUUID is missing.
export function uuid7(now: number, random: (n: number) => Uint8Array): string {
  const b = random(16);
  let t = now;
  for (let i = 5; i >= 0; i--) {
    b[i] = t % 256;
    t = Math.floor(t / 256);
  }
  b[6] = (b[6]! & 0x0f) | 0x70;
  b[8] = (b[8]! & 0x3f) | 0x80;
  const hex = Array.from(b, (x) => x.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

// Outbox keeps the entries of one account. A storage that is full or forbidden
// costs the survival of a reload, nothing else.
export class Outbox {
  entries: Pending[];
  private readonly prefix: string;

  constructor(private readonly shelf: Shelf, user: string) {
    this.prefix = "posthouse.outbox." + user + ".";
    this.entries = [];
    for (let i = 0; i < shelf.length; i++) {
      const name = shelf.key(i);
      if (!name?.startsWith(this.prefix)) continue;
      try {
        const p = JSON.parse(shelf.getItem(name) ?? "") as Pending;
        if (p.key && p.room) this.entries.push(p);
      } catch {
        // Not ours, or damaged: leave it alone.
      }
    }
    this.entries.sort((a, b) => a.created - b.created || (a.key < b.key ? -1 : 1));
  }

  add(p: Pending): void {
    this.entries = [...this.entries, p];
    this.write(p);
  }

  // next gives, per room, the oldest entry to be sent: one at a time keeps
  // the order. A refused entry does not hold up those behind it.
  next(busy: ReadonlySet<string>, now = Infinity): Pending[] {
    const out: Pending[] = [];
    const taken = new Set(busy);
    for (const p of this.entries) {
      if (p.failed !== undefined || p.seq !== undefined || taken.has(p.room)) continue;
      taken.add(p.room);
      if (p.heard !== undefined && now - p.heard < grace) continue;
      out.push(p);
    }
    return out;
  }

  // stored notes the answer. The entry leaves the storage now and stays in
  // memory until the message itself has arrived.
  stored(key: string, seq: number, id: string): void {
    this.change(key, (p) => ({ ...p, seq, id }));
    this.erase(key);
  }

  fail(key: string, reason: string): void {
    this.change(key, (p) => ({ ...p, failed: reason }));
    const p = this.find(key);
    if (p) this.write(p);
  }

  retry(key: string): void {
    this.change(key, ({ failed: _, ...p }) => p);
    const p = this.find(key);
    if (p) this.write(p);
  }

  // remove forgets an entry: its message has arrived, or the person gave it up.
  remove(key: string): boolean {
    if (!this.find(key)) return false;
    this.entries = this.entries.filter((p) => p.key !== key);
    this.erase(key);
    return true;
  }

  find(key: string): Pending | undefined {
    return this.entries.find((p) => p.key === key);
  }

  get unsent(): number {
    return this.entries.filter((p) => p.seq === undefined).length;
  }

  // unkept counts what would be lost with the page.
  get unkept(): number {
    return this.entries.filter((p) => p.unkept && p.seq === undefined).length;
  }

  // heard takes a change of the storage that another tab made; true when it
  // changed an entry.
  heard(name: string | null, value: string | null, now: number): boolean {
    if (!name?.startsWith(this.prefix)) return false;
    const key = name.slice(this.prefix.length);
    const old = this.find(key);
    if (value === null) {
      if (!old || old.seq !== undefined) return false;
      this.entries = this.entries.filter((p) => p.key !== key);
      return true;
    }
    try {
      const p = JSON.parse(value) as Pending;
      if (p.key !== key || !p.room || old?.seq !== undefined) return false;
      this.entries = [...this.entries.filter((x) => x.key !== key), { ...p, heard: now }].sort((a, b) => a.created - b.created || (a.key < b.key ? -1 : 1));
      return true;
    } catch {
      return false; // not ours, or damaged
    }
  }

  private change(key: string, f: (p: Pending) => Pending): void {
    this.entries = this.entries.map((p) => (p.key === key ? f(p) : p));
  }

  private write(p: Pending): void {
    const { heard: _, unkept, ...kept } = p;
    try {
      this.shelf.setItem(this.prefix + p.key, JSON.stringify(kept));
      if (unkept) this.change(p.key, () => kept);
    } catch {
      this.change(p.key, (x) => ({ ...x, unkept: true })); // full or forbidden
    }
  }

  private erase(key: string): void {
    try {
      this.shelf.removeItem(this.prefix + key);
    } catch {
      // Forbidden: it was never written.
    }
  }
}

// params is the call that sends an entry.
export function params(p: Pending): SendParams {
  const s: SendParams = { room: p.room, key: p.key };
  if (p.text) s.text = p.text;
  if (p.replyTo) s.reply_to = p.replyTo;
  if (p.thread) s.thread = p.thread;
  if (p.files?.length) s.files = p.files.map((f) => f.id);
  return s;
}
