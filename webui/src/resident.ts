// What is kept in the browser to open without a connection: who is logged in and
// the names of the rooms, no messages. It goes when the session ends.

import type { ID, Room, User } from "./api";
import { roomOrder, type State } from "./state";

const shelf = "posthouse.resident";
const most = 300; // rooms

export interface Resident {
  user: User;
  device: ID;
  organisation: string;
  rooms: Room[];
  users: User[]; // those of direct rooms
}

export function keepResident(s: State): void {
  if (!s.me || !s.position) return;
  // A room without its last message stands in the list by when it was made.
  const rooms = roomOrder(s).slice(0, most).map(({ room: { last, ...r } }) => ({ ...r, created: last?.time ?? r.created }));
  const users = rooms.flatMap((r) => s.users.get(r.peer ?? "") ?? []);
  try {
    localStorage.setItem(shelf, JSON.stringify({ user: s.me, device: s.device, organisation: s.organisation, rooms, users } satisfies Resident));
  } catch {
    // Full or forbidden: it does not open without a connection.
  }
}

export function resident(): Resident | null {
  try {
    const r = JSON.parse(localStorage.getItem(shelf) ?? "null") as Resident | null;
    return r && r.user?.id && r.device && Array.isArray(r.rooms) && Array.isArray(r.users) ? r : null;
  } catch {
    return null; // damaged
  }
}

export function forgetResident(): void {
  try {
    localStorage.removeItem(shelf);
  } catch {
    // Forbidden: it was never written.
  }
}
