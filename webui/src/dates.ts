// Jumping in the timeline: to a date, and to what is unread.

import { instant, localDay } from "./dates_parse";
import { dialog, field, h, menuItem, toast } from "./dom";
import type { Feature, Frame } from "./frame";
import { explain, t } from "./lang";

function open(f: Frame): void {
  const room = f.client.store.state.rooms.get(f.room)?.room;
  if (!room) return;
  const d = dialog(t("date.title"));
  const now = Date.now();
  const day = h("input", { type: "date", required: true, value: localDay(now), max: localDay(now) });
  const time = h("input", { type: "time", value: "00:00" });
  d.body.append(h("form", { onsubmit: async (e: Event) => {
    e.preventDefault();
    const at = instant(day.value, time.value);
    if (!(at > 0)) return;
    try {
      const page = await f.client.call("room.history", { room: room.id, at, limit: 1 });
      const first = page.messages[0];
      d.close();
      if (!first) return;
      if (first.time < at) toast(t("date.none"));
      await f.timeline?.jump(first.seq);
    } catch (x) {
      toast(explain(x), true);
    }
  } }, h("div", { class: "pair" }, field(t("date.day"), day), field(t("date.time"), time)),
  h("div", { class: "buttons" }, h("button", { type: "submit", class: "primary" }, t("date.go")))));
  day.focus();
}

function toUnread(f: Frame): void {
  if (!f.timeline?.toUnread()) toast(t("date.nounread"));
}

const inRoom = (f: Frame) => f.timeline !== null;

export const datesFeature: Feature = {
  commands: [
    { name: "date.title", keys: "Ctrl+G", when: inRoom, run: open },
    { name: "date.unread", keys: "Alt+U", when: inRoom, run: toUnread },
  ],
  roomMenu: (f) => [menuItem(t("date.title"), () => open(f)), menuItem(t("date.unread"), () => toUnread(f))],
};
