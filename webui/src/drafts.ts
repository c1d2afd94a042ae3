// Where what is being written stands in the browser's storage: by account, since
// several people may use one browser, by room, and by thread.

import type { ID } from "./api";

export function draftKey(user: ID, room: ID, thread = 0): string {
  return "posthouse.draft." + user + "." + room + (thread ? ".thread." + thread : "");
}

export function hasDraft(user: ID, room: ID): boolean {
  try {
    return localStorage.getItem(draftKey(user, room)) !== null;
  } catch {
    return false; // forbidden
  }
}

// anyDraft: something that is not sent stays in the storage for the account.
export function anyDraft(user: ID): boolean {
  try {
    return Object.keys(localStorage).some((k) => k.startsWith("posthouse.draft." + user + "."));
  } catch {
    return false;
  }
}
