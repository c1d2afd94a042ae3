// Notices that people confirm: the button below the message that shows one, the
// banner, the line above the list of rooms, and the way to the pages.

import type { Message } from "./api";
import { h, icon, menuItem } from "./dom";
import type { Feature, Frame } from "./frame";
import { t } from "./lang";
import { noticesOf } from "./notice_book";
import { compose, mayNotify } from "./notice_compose";
import { noticesPage, standing } from "./notice_page";

function block(f: Frame, m: Message): HTMLElement | null {
  if (!m.notice || m.recalled) return null;
  const n = noticesOf(f.client).get(m.notice);
  return n ? standing(f, n) : null;
}

function banner(f: Frame): HTMLElement | null {
  const book = noticesOf(f.client);
  if (!book.total) return null;
  const list = book.waiting();
  const one = book.total === 1 ? list[0] : undefined;
  return h("div", { class: "notice-banner" }, icon("notice"),
    h("p", { role: "status" }, book.total === 1 ? (one ? one.title : t("notices.waiting.one")) : t("notices.waiting.many", { n: book.total })),
    // What has a text is confirmed below it.
    one && !one.text ? h("button", { type: "button", class: "primary", "aria-label": t("notices.confirm.label", { title: one.title }), onclick: () => void book.confirm(one) }, t("notices.confirm")) : null,
    h("button", { type: "button", onclick: () => f.go(one ? "notices/" + one.id : "notices") }, t("notices.show")));
}

function listHead(f: Frame): HTMLElement | null {
  const { total } = noticesOf(f.client);
  if (!total) return null;
  return h("a", { class: "notice-head", href: "#/notices" }, icon("notice"), h("span", null, t("notices.title")),
    h("span", { class: "badge mention" }, h("span", { "aria-hidden": "true" }, total), h("span", { class: "sr" }, total === 1 ? t("notices.waiting.one") : t("notices.waiting.many", { n: total }))));
}

export const noticesFeature: Feature = {
  pages: { notices: noticesPage },
  commands: [
    { name: "notices.title", run: (f) => f.go("notices") },
    { name: "notices.new", run: (f) => compose(f, f.room) },
  ],
  mainMenu: (f) => {
    const n = noticesOf(f.client).total;
    return [menuItem(n ? t("notices.menu.n", { n }) : t("notices.menu"), () => f.go("notices"))];
  },
  roomMenu: (f, room) => (mayNotify(room) ? [menuItem(t("notices.new.room"), () => compose(f, room.id))] : []),
  messageBlock: block,
  messageSignature: (f, m) => (m.notice ? JSON.stringify(noticesOf(f.client).get(m.notice) ?? "") : ""),
  banner,
  listHead,
  start: (f) => {
    const book = noticesOf(f.client);
    let online = false;
    const ends = [
      f.client.store.hear((e) => {
        if (e.type === "notice") book.change(e.data);
      }),
      f.client.store.listen((topics) => {
        if (!topics.has("link")) return;
        const now = f.client.store.state.link.state === "online";
        if (now && !online) void book.load();
        online = now;
      }),
    ];
    return () => ends.forEach((end) => end());
  },
};
