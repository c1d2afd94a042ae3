// The pane of pinned messages.

import type { ID, Message } from "./api";
import { fillWith, h } from "./dom";
import type { Feature, Frame, View } from "./frame";
import { reveal } from "./frame";
import { explain, t, when } from "./lang";
import { body } from "./message";
import { senderName, userAvatar } from "./names";
import { menuItem } from "./dom";

function pins(f: Frame, room: ID): View {
  const list = h("ol", { class: "hits" });
  const status = h("p", { class: "hint", role: "status" });
  const element = h("div", { class: "pane-scroll" }, status, list);
  let pinned = "";
  const load = async () => {
    try {
      const r = await f.client.call("room.pins", { room });
      f.client.wantFor(r.messages);
      show(r.messages);
    } catch (e) {
      status.textContent = explain(e);
    }
  };
  let last: Message[] = [];
  const show = (messages: Message[]) => {
    last = messages;
    const s = f.client.store.state;
    status.textContent = messages.length ? "" : t("pins.none");
    fillWith(list, ...messages.map((m) => h("li", null, h("article", { class: "hit" },
      h("header", null, userAvatar(s, m.sender), h("span", { class: "name" }, senderName(s, m)), h("time", null, when(m.time))),
      m.text ? body(s, m) : h("p", { class: "hint" }, m.files?.map((x) => x.name).join(", ") ?? ""),
      h("button", { type: "button", onclick: () => reveal(f, m.seq) }, t("pins.jump"))))));
  };
  void load();
  return {
    title: t("pins.title"), element,
    draw(topics) {
      if (topics.has("users")) show(last);
      if (!topics.has(`room:${room}`)) return;
      const now = JSON.stringify(f.client.store.state.timelines.get(room)?.messages.filter((m) => m.pinned_at).map((m) => [m.seq, m.edits]) ?? []);
      if (now !== pinned) void load();
      pinned = now;
    },
  };
}

export const pinsFeature: Feature = {
  panes: { pins },
  roomMenu: (f) => [menuItem(t("pins.title"), () => f.pane("pins"))],
};
