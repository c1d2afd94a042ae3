// The store: one reducer, fed by one ordered stream of events and by the
// answers of the calls that the client makes.
//
// reduce has no clock, no dice, no network and no page; applying an event twice
// gives the same state. What it cannot know it asks for: the needs it returns
// are calls somebody should make.
//
// Each room counts its entries without gaps. An entry that is not the next one
// shows a hole: the timeline then ends before it, and the need "history" fills
// it. A page that was read before an event arrived, but comes after it, gets
// the recent changes once more.

import type { Event, History, ID, KV, Message, MemberList, Presence, Room, Step, SyncStart, User } from "./api";
import type { Link } from "./connection";
import type { Pending } from "./outbox";
import { takeKV } from "./prefs";
import type { Resident } from "./resident";
import { empty, threadKey, type RoomState, type State, type Timeline } from "./state";
import { threadGrew, threadMessage, threadPage } from "./thread_state";

export type Action =
  | { type: "me"; user: User; device: ID }
  | { type: "resident"; resident: Resident } // what was kept, until the server tells
  | { type: "server"; organisation: string; ready: boolean }
  | { type: "link"; link: Link }
  | { type: "readonly"; on: boolean }
  | { type: "start"; start: SyncStart; now: number }
  | { type: "event"; event: Event; now: number }
  | { type: "room"; room: Room }
  | { type: "page"; room: ID; page: History; where: "newest" | "before" | "after" | "around"; max: number }
  | { type: "trim"; room: ID; keep: number }
  | { type: "thread"; room: ID; seq: number; first: Message | null; page: History; where: "newest" | "before" }
  | { type: "unthread"; room: ID; seq: number }
  | { type: "members"; room: ID; list: MemberList }
  | { type: "users"; users: User[] }
  | { type: "presence"; list: Presence[]; all?: true } // all: nobody else is watched any more
  | { type: "steps"; room: ID; seq: number; steps: Step[] }
  | { type: "outbox"; entries: Pending[] }
  | { type: "kv"; entries: KV[]; all: boolean } // all: everything the server has
  | { type: "touch"; topics: Topic[] } // what a feature keeps has changed
  | { type: "tick"; now: number };

export type Need =
  | { need: "room"; room: ID } // room.get
  | { need: "history"; room: ID; after: number } // the timeline has a hole
  | { need: "arrived"; key: string }; // this outbox entry is done

// Topic says what changed: "room:<id>" for the inside of a room.
export type Topic = "me" | "link" | "rooms" | "users" | "outbox" | "devices" | "departments" | "presence" | "prefs" | "notices" | "scheduled" | "members" | `room:${string}`;

export interface Change {
  topics: Set<Topic>;
  needs: Need[];
}

const recentMax = 500;
const typingFor = 5000; // ms

export class Store {
  readonly state: State = empty();
  private listeners = new Set<(topics: Set<Topic>) => void>();
  private needy: (n: Need) => void = () => {};
  private hearers = new Set<(e: Event) => void>();

  dispatch(a: Action): void {
    const seen = this.state.position;
    const c = reduce(this.state, a);
    if (a.type === "event" && (!a.event.position || a.event.position >= seen)) for (const f of [...this.hearers]) f(a.event);
    if (c.topics.size) for (const f of [...this.listeners]) f(c.topics);
    for (const n of c.needs) this.needy(n);
  }

  listen(f: (topics: Set<Topic>) => void): () => void {
    this.listeners.add(f);
    return () => void this.listeners.delete(f);
  }

  // hear tells a feature the events as they come; one may come twice.
  hear(f: (e: Event) => void): () => void {
    this.hearers.add(f);
    return () => void this.hearers.delete(f);
  }

  onNeed(f: (n: Need) => void): void {
    this.needy = f;
  }
}

// reduce changes s by one action.
export function reduce(s: State, a: Action): Change {
  const c: Change = { topics: new Set(), needs: [] };
  switch (a.type) {
    case "me": s.me = a.user; s.device = a.device; s.users.set(a.user.id, a.user); c.topics.add("me"); break;
    case "resident": resident(s, c, a.resident); break;
    case "server": s.organisation = a.organisation; s.readOnly = !a.ready; c.topics.add("link").add("me"); break;
    case "link": link(s, c, a.link); break;
    case "readonly": s.readOnly = a.on; c.topics.add("link"); break;
    case "start": start(s, c, a.start, a.now); break;
    case "event": event(s, c, a.event, a.now); break;
    case "room": putRoom(s, c, a.room); break;
    case "page": page(s, c, a); break;
    case "trim": trim(s, c, a.room, a.keep); break;
    case "thread": threadPage(s, c, a); break;
    case "unthread": s.threads.delete(threadKey(a.room, a.seq)); break;
    case "members": members(s, c, a.room, a.list); break;
    case "users": for (const u of a.users) s.users.set(u.id, u); c.topics.add("users"); break;
    case "presence": if (a.all) s.presence.clear(); for (const p of a.list) s.presence.set(p.user, p); c.topics.add("presence"); break;
    case "steps": steps(s, c, a.room, a.seq, a.steps); break;
    case "outbox": outbox(s, c, a.entries); break;
    case "kv": kv(s, c, a.entries, a.all); break;
    case "touch": for (const topic of a.topics) c.topics.add(topic); break;
    case "tick": tick(s, c, a.now); break;
  }
  return c;
}

function resident(s: State, c: Change, r: Resident): void {
  if (s.position || s.rooms.size || r.user.id !== s.me?.id) return;
  s.organisation = r.organisation;
  for (const u of r.users) s.users.set(u.id, u);
  for (const room of r.rooms) putRoom(s, c, room);
  c.topics.add("me").add("rooms").add("users");
}

function start(s: State, c: Change, r: SyncStart, now: number): void {
  s.me = r.user;
  s.device = r.device;
  s.version = r.version;
  s.clock = r.server_time - now;
  s.users.set(r.user.id, r.user);
  c.topics.add("me");
  if (!r.reset) return;
  s.prefs.loaded = false;
  for (const id of s.rooms.keys()) c.topics.add(`room:${id}`);
  s.rooms.clear();
  s.timelines.clear();
  s.reads.clear();
  s.devices.clear();
  s.members.clear();
  s.typing.clear();
  s.threads.clear();
  s.recent = [];
  s.position = r.position;
  for (const room of r.rooms ?? []) putRoom(s, c, room);
  c.topics.add("rooms");
}

function event(s: State, c: Change, e: Event, now: number): void {
  if (e.position) {
    if (e.position < s.position) return; // seen before the connection broke
    s.position = e.position;
  }
  switch (e.type) {
    case "message": return message(s, c, e.data);
    case "edited":
    case "recalled": {
      const next = e.data;
      const r = s.rooms.get(next.room);
      if (r && next.recalled) r.mentions = r.mentions.filter((x) => x !== next.seq);
      return changed(s, c, e.position, next.room, (m) => (m.seq === next.seq ? next : m));
    }
    case "reaction": {
      const { message: id, user, emoji, on } = e.data;
      return changed(s, c, e.position, null, (m) => (m.id === id ? react(m, user, emoji, on) : m));
    }
    case "pinned": {
      const { message: id, by, at } = e.data;
      return changed(s, c, e.position, null, (m) => (m.id === id ? { ...m, pinned_at: at || undefined, pinned_by: at ? by : undefined } : m));
    }
    case "thread": {
      const { message: id, replies, last_reply } = e.data;
      return changed(s, c, e.position, null, (m) => (m.id === id ? threadGrew(m, replies, last_reply) : m));
    }
    case "read": return read(s, c, e.data.room, e.data.user, e.data.seq, e.data.count, e.data.at);
    case "room": {
      const r = s.rooms.get(e.data.room);
      if (!r) return;
      r.room = { ...r.room, name: e.data.name, topic: e.data.topic, archived: e.data.archived };
      c.topics.add("rooms").add(`room:${e.data.room}`);
      return;
    }
    case "joined": c.needs.push({ need: "room", room: e.data.room }); return;
    case "left": return leave(s, c, e.data.room);
    case "members": return membersChanged(s, c, e.data.room, e.data.added ?? [], e.data.removed ?? [], e.data.role);
    case "user":
      s.users.set(e.data.id, e.data);
      if (e.data.id === s.me?.id) {
        s.me = e.data;
        c.topics.add("me");
      }
      c.topics.add("users");
      return;
    case "devices": c.topics.add("devices"); return;
    case "department": c.topics.add("departments"); return;
    case "kv":
      if (e.data.scope === "user") kv(s, c, [e.data.entry], false);
      return;
    case "typing": {
      const room = inner(s.typing, e.data.room);
      room.set(e.data.user, now + typingFor);
      c.topics.add("rooms").add(`room:${e.data.room}`);
      return;
    }
    case "presence":
      for (const p of e.data.presence) s.presence.set(p.user, p);
      c.topics.add("presence");
      return;
    case "receipts":
      for (const r of e.data.receipts) {
        progress(s, c, r.room, r.device, r.user, r.acked, r.pushed);
      }
      return;
  }
}

function message(s: State, c: Change, m: Message): void {
  const r = s.rooms.get(m.room);
  if (m.key && m.sender === s.me?.id) c.needs.push({ need: "arrived", key: m.key });
  s.typing.get(m.room)?.delete(m.sender);
  if (!r) {
    c.needs.push({ need: "room", room: m.room });
    return;
  }
  c.topics.add("rooms").add(`room:${m.room}`);
  const tl = s.timelines.get(m.room);
  if (m.seq > r.room.head) {
    r.room = { ...r.room, head: m.seq, position: m.position, last: m };
    r.headCount = m.count;
    const me = s.me?.id;
    if (!m.change && m.sender !== me && m.seq > r.room.my_read && (m.mention_all || (me && m.mentions?.includes(me)))) r.mentions.push(m.seq);
  }
  // Whoever writes has read what stands above: the server moves the mark
  // without an event of its own.
  if (!m.change) read(s, c, m.room, m.sender, m.seq, m.count, m.time);
  threadMessage(s, m);
  if (!tl) return;
  const last = tl.messages.at(-1)?.seq ?? 0;
  if (m.seq <= last) tl.messages = tl.messages.map((x) => (x.seq === m.seq ? m : x));
  else if (m.seq === last + 1) {
    tl.messages = [...tl.messages, m];
    tl.atEnd = m.seq >= r.room.head;
  } else if (tl.atEnd) {
    tl.atEnd = false;
    c.needs.push({ need: "history", room: m.room, after: last });
  }
}

// changed applies a change to what is loaded, and keeps it for pages that were
// read before it. room null: the change finds its message by its id.
function changed(s: State, c: Change, position: number, room: ID | null, change: (m: Message) => Message): void {
  s.recent.push({ position, room, change });
  if (s.recent.length > recentMax) s.recent.splice(0, s.recent.length - recentMax);
  for (const [id, tl] of s.timelines) {
    if (room !== null && id !== room) continue;
    tl.messages = tl.messages.map(change);
    c.topics.add(`room:${id}`);
  }
  for (const th of s.threads.values()) {
    if (room !== null && th.room !== room) continue;
    if (th.first) th.first = change(th.first);
    th.messages = th.messages.map(change);
    c.topics.add(`room:${th.room}`);
  }
  const r = room === null ? undefined : s.rooms.get(room);
  if (r?.room.last) {
    r.room = { ...r.room, last: change(r.room.last) };
    c.topics.add("rooms");
  }
}

function react(m: Message, user: ID, emoji: string, on: boolean): Message {
  const list = (m.reactions ?? []).map((x) => (x.emoji === emoji ? { ...x, users: x.users.filter((u) => u !== user) } : x));
  if (on) {
    const at = list.findIndex((x) => x.emoji === emoji);
    if (at < 0) list.push({ emoji, users: [user] });
    else list[at] = { emoji, users: orderLike(m, emoji, user, list[at]!.users) };
  }
  return { ...m, reactions: list.filter((x) => x.users.length > 0) };
}

// orderLike keeps a person's place when the reaction was there already.
function orderLike(m: Message, emoji: string, user: ID, rest: ID[]): ID[] {
  const before = m.reactions?.find((x) => x.emoji === emoji)?.users;
  return before?.includes(user) ? before : [...rest, user];
}

function read(s: State, c: Change, room: ID, user: ID, seq: number, count: number, at: number): void {
  const marks = inner(s.reads, room);
  if ((marks.get(user)?.seq ?? -1) < seq) marks.set(user, { seq, at });
  c.topics.add(`room:${room}`);
  const r = s.rooms.get(room);
  if (user !== s.me?.id || !r) return;
  if (seq > r.room.my_read) {
    r.room = { ...r.room, my_read: seq };
    r.readCount = Math.max(r.readCount, count);
    r.mentions = r.mentions.filter((x) => x > seq);
    if (r.mentionBase > 0) {
      if (seq >= r.baseHead) r.mentionBase = 0;
      else c.needs.push({ need: "room", room }); // how many of them remain only the server knows
    }
  }
  c.topics.add("rooms");
}

function putRoom(s: State, c: Change, room: Room): void {
  const old = s.rooms.get(room.id);
  const headCount = room.last?.count ?? room.unread;
  const r: RoomState = {
    room, headCount, readCount: Math.max(0, headCount - room.unread),
    mentions: [], mentionBase: room.mentions_new ?? 0, baseHead: room.head,
  };
  if (old && old.room.head > room.head) {
    r.room = { ...r.room, head: old.room.head, position: old.room.position, last: old.room.last };
    r.headCount = old.headCount;
    r.mentions = old.mentions.filter((x) => x > room.head);
  }
  if (old && old.room.my_read > room.my_read) {
    r.room = { ...r.room, my_read: old.room.my_read };
    r.readCount = old.readCount;
    r.mentions = r.mentions.filter((x) => x > old.room.my_read);
  }
  s.rooms.set(room.id, r);
  c.topics.add("rooms").add(`room:${room.id}`);
  const tl = s.timelines.get(room.id);
  if (tl?.atEnd) {
    const last = tl.messages.at(-1)?.seq ?? 0;
    if (last < r.room.head) {
      tl.atEnd = false;
      c.needs.push({ need: "history", room: room.id, after: last });
    }
  }
}

function leave(s: State, c: Change, room: ID): void {
  s.rooms.delete(room);
  s.timelines.delete(room);
  s.reads.delete(room);
  s.devices.delete(room);
  s.members.delete(room);
  s.typing.delete(room);
  c.topics.add("rooms").add(`room:${room}`);
}

function page(s: State, c: Change, a: Extract<Action, { type: "page" }>): void {
  const r = s.rooms.get(a.room);
  if (!r) return;
  const late = s.recent.filter((x) => (x.room === null || x.room === a.room) && x.position > a.page.position);
  const got = a.page.messages.map((m) => late.reduce((x, l) => l.change(x), m));
  c.topics.add(`room:${a.room}`);
  const first = got[0]?.seq ?? 0;
  const last = got.at(-1)?.seq ?? 0;
  if (a.page.head > r.room.head) {
    r.room = { ...r.room, head: a.page.head };
    const newest = got.at(-1);
    if (newest && newest.seq === a.page.head) {
      r.room = { ...r.room, last: newest, position: newest.position };
      r.headCount = newest.count;
    } else c.needs.push({ need: "room", room: a.room });
  }
  const old = s.timelines.get(a.room);
  const have = old?.messages ?? [];
  let tl: Timeline;
  if (a.where === "before" && old) {
    if (got.length && last !== (have[0]?.seq ?? 0) - 1) return; // an answer to an earlier question
    tl = { messages: [...got, ...have], atStart: !a.page.more, atEnd: old.atEnd };
    if (tl.messages.length > a.max) tl = { ...tl, messages: tl.messages.slice(0, a.max), atEnd: false };
  } else if (a.where === "after" && old) {
    const end = have.at(-1)?.seq ?? 0;
    const fresh = got.filter((m) => m.seq > end);
    if (fresh.length && fresh[0]!.seq !== end + 1) return;
    tl = { messages: [...have, ...fresh], atStart: old.atStart, atEnd: false };
    if (tl.messages.length > a.max) tl = { ...tl, messages: tl.messages.slice(-a.max), atStart: false };
  } else {
    tl = { messages: got, atStart: a.where === "newest" ? !a.page.more : first <= 1, atEnd: false };
  }
  const end = tl.messages.at(-1)?.seq ?? 0;
  const wasCut = a.where === "before" && !tl.atEnd;
  tl.atEnd = end >= r.room.head;
  s.timelines.set(a.room, tl);
  // More came while the page was on its way.
  if (!tl.atEnd && !wasCut && (a.where === "newest" || (a.where === "after" && !a.page.more))) {
    c.needs.push({ need: "history", room: a.room, after: end });
  }
}

// trim keeps little of a room that nobody looks at.
function trim(s: State, c: Change, room: ID, keep: number): void {
  const tl = s.timelines.get(room);
  if (!tl) return;
  if (!tl.atEnd) s.timelines.delete(room);
  else if (tl.messages.length > keep) s.timelines.set(room, { messages: tl.messages.slice(-keep), atStart: false, atEnd: true });
  c.topics.add(`room:${room}`);
}

function members(s: State, c: Change, room: ID, list: MemberList): void {
  const known = inner(s.members, room);
  const marks = inner(s.reads, room);
  for (const m of list.members) {
    known.set(m.user, m.role);
    if ((marks.get(m.user)?.seq ?? -1) < m.read) marks.set(m.user, { seq: m.read, at: m.read_at ?? 0 });
  }
  c.topics.add(`room:${room}`);
}

function membersChanged(s: State, c: Change, room: ID, added: ID[], removed: ID[], role?: RoomState["room"]["my_role"]): void {
  const known = s.members.get(room);
  for (const u of added) known?.set(u, role ?? "member");
  for (const u of removed) {
    known?.delete(u);
    s.reads.get(room)?.delete(u);
  }
  c.topics.add("members");
  // The number of members would be counted twice when the event comes again.
  if (s.rooms.has(room)) c.needs.push({ need: "room", room });
  c.topics.add(`room:${room}`);
}

function steps(s: State, c: Change, room: ID, seq: number, list: Step[]): void {
  const marks = inner(s.reads, room);
  for (const x of list) {
    if ((x.state === "acknowledged" || x.state === "read") && x.device) progress(s, c, room, x.device, x.user, seq);
    if (x.state === "read" && (marks.get(x.user)?.seq ?? -1) < seq) marks.set(x.user, { seq, at: x.read_at ?? 0 });
  }
  c.topics.add(`room:${room}`);
}

function progress(s: State, c: Change, room: ID, device: ID, user: ID, acked: number, pushed = acked): void {
  const all = inner(s.devices, room);
  const old = all.get(device);
  if (!old || old.acked < acked || old.pushed < pushed) all.set(device, { user, acked: Math.max(acked, old?.acked ?? 0), pushed: Math.max(pushed, old?.pushed ?? 0) });
  c.topics.add(`room:${room}`);
}

// link also forgets who is online when the connection is gone: the next one asks
// again.
function link(s: State, c: Change, next: Link): void {
  s.link = next;
  c.topics.add("link");
  if (next.state === "online" || !s.presence.size) return;
  s.presence.clear();
  c.topics.add("presence");
}

function kv(s: State, c: Change, entries: KV[], all: boolean): void {
  const took = entries.filter((e) => takeKV(s.prefs, e)).length;
  if (all) s.prefs.loaded = true;
  if (took || all) c.topics.add("prefs").add("rooms");
}

function outbox(s: State, c: Change, entries: Pending[]): void {
  for (const p of [...s.outbox, ...entries]) c.topics.add(`room:${p.room}`);
  s.outbox = entries;
  c.topics.add("outbox");
}

function tick(s: State, c: Change, now: number): void {
  for (const [room, people] of s.typing) {
    for (const [user, until] of people) {
      if (until > now) continue;
      people.delete(user);
      c.topics.add("rooms").add(`room:${room}`);
    }
  }
}

function inner<K, V>(map: Map<ID, Map<K, V>>, id: ID): Map<K, V> {
  let m = map.get(id);
  if (!m) map.set(id, (m = new Map()));
  return m;
}
