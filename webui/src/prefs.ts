// What a person has set: which rooms stand on top, which are quiet, and what
// makes a notification. Entries of the person's own key-value store hold it, so
// that every device has the same:
//
//   room/<id of the room>   {"pin": ms since 1970, "loud": "all" | "mentions" | "none"}
//   notify                  {"loud": …, "hide": true}
//
// A member that is missing, or is of no known form, means the default. Only the
// store changes what is kept here; an entry that comes late, by its version, is
// ignored.

import type { ID, KV, Message, Room } from "./api";
import type { State } from "./state";

// Loud is what makes a notification: every message, those that are meant for me
// (direct messages and mentions), or none. "none" of one room mutes it: a mention
// by name still comes through, if not for all rooms, too, it is "none".
export type Loud = "all" | "mentions" | "none";

export interface RoomPrefs {
  pin: number; // when it was pinned on top, ms; 0: it is not
  loud: Loud | null; // null: as for all rooms
}

export interface Prefs {
  loaded: boolean; // the entries of the server have been read
  rooms: Map<ID, RoomPrefs>;
  loud: Loud; // of rooms without a setting of their own
  hide: boolean; // notifications do not show the text
  versions: Map<string, number>; // of every entry that was seen
}

export const noPrefs = (): Prefs => ({ loaded: false, rooms: new Map(), loud: "mentions", hide: false, versions: new Map() });

const plainRoom: RoomPrefs = { pin: 0, loud: null };

export const roomKey = (room: ID): string => "room/" + room;

export function prefsOf(s: State, room: ID): RoomPrefs {
  return s.prefs.rooms.get(room) ?? plainRoom;
}

// loudOf is what makes a notification in a room.
export function loudOf(s: State, room: ID): Loud {
  return prefsOf(s, room).loud ?? s.prefs.loud;
}

// muted: the room is set to be quiet. What is unread there is shown in grey.
export function muted(s: State, room: ID): boolean {
  return prefsOf(s, room).loud === "none";
}

// calls reports whether a message is one to notify about.
export function calls(s: State, room: Room, m: Message): boolean {
  const me = s.me?.id;
  if (m.change || m.recalled || m.sender === me || room.kind === "notes") return false;
  const loud = loudOf(s, room.id);
  if (loud === "all") return true;
  const byName = !!me && !!m.mentions?.includes(me);
  // A muted room stays quiet until somebody means the reader; who wants nothing at all has set so for all rooms.
  if (loud === "none") return byName && s.prefs.loud !== "none" && room.kind !== "direct";
  return room.kind === "direct" || !!m.mention_all || byName;
}

function loud(v: unknown): Loud | null {
  return v === "all" || v === "mentions" || v === "none" ? v : null;
}

// takeKV takes one entry in; false: it was an old one or not ours.
export function takeKV(p: Prefs, e: KV): boolean {
  if (e.key !== "notify" && !e.key.startsWith("room/")) return false;
  if (e.version < (p.versions.get(e.key) ?? 0)) return false;
  p.versions.set(e.key, e.version);
  const v = typeof e.value === "object" && e.value !== null ? (e.value as Record<string, unknown>) : {};
  if (e.key === "notify") {
    p.loud = loud(v["loud"]) ?? "mentions";
    p.hide = v["hide"] === true;
    return true;
  }
  const pin = typeof v["pin"] === "number" && v["pin"] > 0 ? v["pin"] : 0;
  const next: RoomPrefs = { pin, loud: loud(v["loud"]) };
  if (next.pin || next.loud) p.rooms.set(e.key.slice(5), next);
  else p.rooms.delete(e.key.slice(5));
  return true;
}

// roomEntry and notifyEntry are settings as the value of an entry; undefined
// removes it.
export function roomEntry(p: RoomPrefs): object | undefined {
  return p.pin || p.loud ? { ...(p.pin ? { pin: p.pin } : {}), ...(p.loud ? { loud: p.loud } : {}) } : undefined;
}

export function notifyEntry(p: { loud: Loud; hide: boolean }): object {
  return { loud: p.loud, ...(p.hide ? { hide: true } : {}) };
}
