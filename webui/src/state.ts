// What the client knows, and what is derived from it. Only store.ts changes it.

import type { ID, Message, MemberRole, Presence, Room, User } from "./api";
import type { Link } from "./connection";
import type { Pending } from "./outbox";
import { muted, noPrefs, prefsOf, type Prefs } from "./prefs";

export interface RoomState {
  room: Room; // head, last, my_read and members are kept current
  headCount: number; // messages in the room
  readCount: number; // messages up to my read mark
  mentions: number[]; // unread messages that came as events and mention me
  mentionBase: number; // unread mentions at baseHead, as the server counted
  baseHead: number;
}

// Timeline is one gap-free stretch of a room.
export interface Timeline {
  messages: Message[]; // ascending, without holes
  atStart: boolean; // nothing before it
  atEnd: boolean; // reaches the head of the room
}

// Thread is one gap-free stretch of a thread, up to its newest message.
export interface Thread {
  room: ID;
  seq: number; // of the first message
  first: Message | null; // null: not known yet
  messages: Message[]; // ascending, without the first
  atStart: boolean; // nothing before them but the first
}

export function threadKey(room: ID, seq: number): string {
  return room + "/" + seq;
}

export interface Mark {
  seq: number;
  at: number; // ms
}

export interface Progress {
  user: ID;
  acked: number;
  pushed: number;
}

export interface State {
  me: User | null;
  device: ID;
  organisation: string;
  version: string;
  position: number; // of the last event
  clock: number; // server's time less ours, ms
  link: Link;
  readOnly: boolean;
  rooms: Map<ID, RoomState>;
  users: Map<ID, User>;
  timelines: Map<ID, Timeline>;
  reads: Map<ID, Map<ID, Mark>>; // room → person
  devices: Map<ID, Map<ID, Progress>>; // room → device
  members: Map<ID, Map<ID, MemberRole>>; // room → person, as far as loaded
  typing: Map<ID, Map<ID, number>>; // room → person → until, ms
  presence: Map<ID, Presence>; // empty while there is no connection: nobody knows
  outbox: Pending[];
  threads: Map<string, Thread>; // those that somebody looks at, by threadKey
  prefs: Prefs;
  recent: Recent[]; // changes of messages, for pages that were read before them
}

export interface Recent {
  position: number;
  room: ID | null; // null: by the message's id
  change(m: Message): Message;
}

export function empty(): State {
  return {
    me: null, device: "", organisation: "", version: "", position: 0, clock: 0,
    link: { state: "stopped" }, readOnly: false,
    rooms: new Map(), users: new Map(), timelines: new Map(), reads: new Map(), devices: new Map(),
    members: new Map(), typing: new Map(), presence: new Map(), outbox: [], threads: new Map(), prefs: noPrefs(), recent: [],
  };
}

export function unread(r: RoomState): number {
  return Math.max(0, r.headCount - r.readCount);
}

export function mentionsNew(r: RoomState): number {
  return unread(r) === 0 ? 0 : r.mentionBase + r.mentions.length;
}

// roomOrder sorts rooms by their newest entry, those that are pinned before the
// others and in the order they were pinned.
export function roomOrder(s: State): RoomState[] {
  const when = (r: RoomState) => r.room.last?.time ?? r.room.created;
  const pin = (r: RoomState) => prefsOf(s, r.room.id).pin || Infinity;
  return [...s.rooms.values()].sort((a, b) => {
    const [x, y] = [pin(a), pin(b)];
    return x !== y ? (x < y ? -1 : 1) : when(b) - when(a) || (a.room.id < b.room.id ? -1 : 1);
  });
}

// totals are what the title tells: of muted rooms only the mentions.
export function totals(s: State): { unread: number; mentions: number } {
  let n = 0;
  let m = 0;
  for (const r of s.rooms.values()) {
    n += muted(s, r.room.id) ? mentionsNew(r) : unread(r);
    m += mentionsNew(r);
  }
  return { unread: n, mentions: m };
}

// mayWrite says whether the caller may write in a room, or why not.
export function mayWrite(r: Room): "yes" | "archived" | "reader" {
  if (r.archived) return "archived";
  if (r.my_role === "reader") return "reader";
  if (r.kind === "announcement" && r.my_role !== "owner" && r.my_role !== "moderator") return "reader";
  return "yes";
}

// presenceOf is what is known of a person now: nothing while there is no
// connection, and "" for those whom nobody watches.
export function presenceOf(s: State, user: ID): "online" | "suspect" | "offline" | "unknown" | "" {
  if (s.link.state !== "online") return "unknown";
  if (user === s.me?.id) return "online";
  const state = s.presence.get(user)?.state;
  return state === "online" || state === "suspect" || state === "offline" ? state : "";
}

export function moderates(r: Room): boolean {
  return r.my_role === "owner" || r.my_role === "moderator";
}

export interface Status {
  step: "stored" | "delivered" | "read";
  readers: number; // other people
}

// statusOf is how far one's own message has got, by the receipts and read
// marks that are known here.
export function statusOf(s: State, room: ID, seq: number): Status {
  let readers = 0;
  for (const [user, mark] of s.reads.get(room) ?? []) {
    if (user !== s.me?.id && mark.seq >= seq) readers++;
  }
  if (readers > 0) return { step: "read", readers };
  for (const p of s.devices.get(room)?.values() ?? []) {
    if (p.user !== s.me?.id && p.acked >= seq) return { step: "delivered", readers };
  }
  return { step: "stored", readers };
}

// waiting are the outbox entries of a room, or of a thread of it, whose message
// has not arrived.
export function waiting(s: State, room: ID, thread = 0): Pending[] {
  return s.outbox.filter((p) => p.room === room && (p.thread ?? 0) === thread);
}

export function typingIn(s: State, room: ID, now: number): ID[] {
  const out: ID[] = [];
  for (const [user, until] of s.typing.get(room) ?? []) {
    if (until > now && user !== s.me?.id) out.push(user);
  }
  return out;
}
