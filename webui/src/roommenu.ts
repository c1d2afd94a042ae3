// What one can set for a room: in the menu of its row and in its own menu.

import type { Room } from "./api";
import type { Client } from "./client";
import { dialog, h, menuItem, toast } from "./dom";
import { explain, t } from "./lang";
import { roomName } from "./names";
import { muted, prefsOf, type Loud } from "./prefs";
import { unread } from "./state";

const louds: Loud[] = ["all", "mentions", "none"];

const tell = (e: unknown) => toast(explain(e), true);

export function togglePin(client: Client, room: Room): void {
  client.setRoom(room.id, { pin: prefsOf(client.store.state, room.id).pin ? 0 : Date.now() }).catch(tell);
}

export function toggleMute(client: Client, room: Room): void {
  client.setRoom(room.id, { loud: muted(client.store.state, room.id) ? null : "none" }).catch(tell);
}

// roomItems are the entries of a menu.
export function roomItems(client: Client, room: Room): HTMLElement[] {
  const s = client.store.state;
  const r = s.rooms.get(room.id);
  return [
    r && unread(r) ? menuItem(t("rooms.read"), () => client.read(room.id)) : null,
    menuItem(t(prefsOf(s, room.id).pin ? "rooms.unpin" : "rooms.pin"), () => togglePin(client, room)),
    room.kind === "notes" ? null : menuItem(t(muted(s, room.id) ? "rooms.unmute" : "rooms.mute"), () => toggleMute(client, room)),
    room.kind === "notes" ? null : menuItem(t("rooms.loud"), () => loudDialog(client, room)),
  ].filter((x) => x !== null);
}

// loudChoice is a group of radio buttons; null stands for the common setting.
export function loudChoice(label: string, choices: (Loud | null)[], now: Loud | null, words: (l: Loud | null) => string, chosen: (l: Loud | null) => void): HTMLElement {
  return h("fieldset", { class: "choices" }, h("legend", null, label), ...choices.map((l) => h("label", null,
    h("input", { type: "radio", name: "loud", checked: l === now, onchange: () => chosen(l) }), h("span", null, words(l)))));
}

function loudDialog(client: Client, room: Room): void {
  const s = client.store.state;
  const d = dialog(t("rooms.loud.title", { room: roomName(s, room) }));
  const word = (l: Loud) => t(`rooms.loud.${l}`);
  const here = (l: Loud) => (l === "none" && room.kind !== "direct" ? t("rooms.loud.muted") : word(l));
  d.body.append(loudChoice(t("rooms.loud.title", { room: roomName(s, room) }), [null, ...louds], prefsOf(s, room.id).loud,
    (l) => (l ? here(l) : t("rooms.loud.default", { what: word(s.prefs.loud) })),
    (loud) => void client.setRoom(room.id, { loud }).catch(tell)));
}
