// Going from room to room by keys, and what can be set for the room one is in.

import { menuItem, toast } from "./dom";
import type { Feature, Frame } from "./frame";
import { explain, t } from "./lang";
import { roomItems, toggleMute, togglePin } from "./roommenu";
import { unread } from "./state";

function step(f: Frame, by: 1 | -1, onlyUnread: boolean): void {
  const room = f.rooms.beside(by, onlyUnread);
  if (room) f.go("room/" + room);
}

const here = (f: Frame) => f.client.store.state.rooms.get(f.room)?.room;
const inRoom = (f: Frame) => here(f) !== undefined;
const anyUnread = (f: Frame) => [...f.client.store.state.rooms.values()].some((r) => unread(r) > 0);

function readAll(f: Frame): void {
  f.client.readAll().catch((e) => toast(explain(e), true));
}

export const roomKeysFeature: Feature = {
  commands: [
    { name: "rooms.previous", keys: "Alt+ArrowUp", run: (f) => step(f, -1, false) },
    { name: "rooms.next", keys: "Alt+ArrowDown", run: (f) => step(f, 1, false) },
    { name: "rooms.previousunread", keys: "Alt+Shift+ArrowUp", run: (f) => step(f, -1, true) },
    { name: "rooms.nextunread", keys: "Alt+Shift+ArrowDown", run: (f) => step(f, 1, true) },
    { name: "rooms.filterkey", keys: "Alt+R", run: (f) => f.rooms.focusFilter() },
    { name: "rooms.pinthis", when: inRoom, run: (f) => togglePin(f.client, here(f)!) },
    { name: "rooms.mutethis", when: inRoom, run: (f) => toggleMute(f.client, here(f)!) },
    { name: "rooms.readall", when: anyUnread, run: readAll },
  ],
  roomMenu: (f, room) => roomItems(f.client, room),
  mainMenu: (f) => (anyUnread(f) ? [menuItem(t("rooms.readall"), () => readAll(f))] : []),
};
