// How people, rooms and messages are called and pictured.

import type { ID, Message, Room } from "./api";
import { h } from "./dom";
import { t } from "./lang";
import { plain } from "./markup";
import type { State } from "./state";
import type { Key } from "./words";

export function nameOf(s: State, user: ID): string {
  const u = s.users.get(user);
  return u ? u.name || u.login : t("unknown");
}

// senderName is who a message shows as its sender: a hook may give a name.
export function senderName(s: State, m: Message): string {
  return m.as || nameOf(s, m.sender);
}

export function names(s: State, users: ID[]): string {
  const shown = users.slice(0, 10).map((u) => nameOf(s, u)).join(t("app.name") === "驿站" ? "、" : ", ");
  return users.length > 10 ? shown + "…" : shown;
}

export function roomName(s: State, r: Room): string {
  if (r.kind === "direct" && r.peer) return nameOf(s, r.peer);
  if (r.kind === "notes") return t("rooms.notes");
  return r.name || t(("kind." + r.kind) as Key);
}

// avatar is a picture, or the first characters of a name on a colour of its own.
export function avatar(s: State, id: ID, name: string, picture?: ID): HTMLElement {
  if (picture) return h("img", { class: "avatar", src: "/files/" + picture + "/thumbnail/160", alt: "", loading: "lazy", width: 36, height: 36 });
  let hash = 2166136261;
  for (const c of id) hash = Math.imul(hash ^ c.charCodeAt(0), 16777619);
  return h("span", { class: "avatar c" + (((hash >>> 16) ^ hash) & 7), "aria-hidden": "true" }, initials(name));
}

export function userAvatar(s: State, user: ID): HTMLElement {
  return avatar(s, user, nameOf(s, user), s.users.get(user)?.avatar);
}

// initials are the last two Chinese characters of a name that has some, else
// the first letters of two words.
export function initials(name: string): string {
  const clean = name.trim();
  const han = clean.match(/[\u3400-\u9fff\uf900-\ufaff]/g);
  if (han) return han.slice(-2).join("");
  const words = clean.split(/[\s._-]+/).filter(Boolean);
  return words.slice(0, 2).map((w) => [...w][0]!.toUpperCase()).join("") || "?";
}

// line is a message as one line, for the list of rooms.
export function line(s: State, m: Message, room: Room): string {
  const mine = m.sender === s.me?.id;
  if (m.recalled) return recalledText(s, m);
  if (m.change) return changeText(s, m);
  const text = m.text ? plain(m.text.slice(0, 300)).replace(/\s+/g, " ").trim() : fileLine(m);
  if (room.kind === "direct" || room.kind === "notes") return text;
  return (mine ? t("rooms.you") : senderName(s, m)) + t("colon") + text;
}

function fileLine(m: Message): string {
  const f = m.files?.[0];
  if (!f) return "";
  return "[" + (f.voice ? t("message.voice") : f.name) + "]" + (m.files!.length > 1 ? " +" + (m.files!.length - 1) : "");
}

export function recalledText(s: State, m: Message): string {
  const by = m.recalled!.by;
  return by === s.me?.id ? t("message.recalled.you") : t("message.recalled", { name: nameOf(s, by) });
}

export function changeText(s: State, m: Message): string {
  const ch = m.change!;
  const args = { actor: nameOf(s, m.sender), users: names(s, ch.users ?? []), text: ch.text ?? "", role: ch.role ? t(("role." + ch.role) as Key) : "" };
  const known = ["created", "joined", "added", "left", "removed", "role", "renamed", "topic", "archived", "restored"];
  if (!known.includes(ch.what)) return t("change.other", args);
  if (ch.what === "created" && !ch.text) return t("change.created.plain", args);
  return t(("change." + ch.what) as Key, args);
}
