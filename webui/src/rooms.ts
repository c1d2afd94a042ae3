// The list of rooms, with the light of the connection above it.

import type { ID } from "./api";
import type { Client } from "./client";
import { fillWith, h, iconButton, menuItem, popup } from "./dom";
import { brief, switchLang, t } from "./lang";
import { LongList, type Row } from "./longlist";
import { avatar, line, nameOf, roomName } from "./names";
import { mentionsNew, roomOrder, typingIn, unread, type RoomState } from "./state";

export interface RoomActions {
  newRoom(): void;
  browse(): void;
  profile(): void;
  invite(): void;
  logout(): void;
  more(): HTMLElement[]; // menu entries of features
}

export class RoomList {
  readonly element: HTMLElement;
  private list: LongList<RoomState>;
  private filter: HTMLInputElement;
  private light = h("button", { type: "button", class: "light", "aria-live": "polite" });
  private title = h("h1", null, t("app.name"));
  private current: ID = "";

  constructor(private readonly client: Client, actions: RoomActions) {
    this.filter = h("input", { type: "search", placeholder: t("rooms.filter"), "aria-label": t("rooms.filter"), oninput: () => {
      this.list.top();
      this.render();
    } });
    this.list = new LongList("rooms", 58, (r) => r.room.id, (r) => this.row(r));
    this.light.addEventListener("click", () => client.connection.now());
    const menu: HTMLButtonElement = iconButton("menu", t("rooms.menu"), () => {
      const role = client.store.state.me?.role;
      popup(menu, t("rooms.menu"), [
        menuItem(t("menu.profile"), actions.profile),
        ...(role === "owner" || role === "admin" ? [menuItem(t("menu.invite"), actions.invite)] : []),
        ...actions.more(),
        menuItem(t("language.switch"), switchLang),
        menuItem(t("menu.logout"), actions.logout),
      ]);
    }, { "aria-haspopup": "menu", "aria-expanded": "false" });
    this.element = h("nav", { class: "side", "aria-label": t("rooms.title") },
      h("header", null, h("img", { src: "/assets/icon.svg", alt: "", width: 28, height: 28 }), this.title,
        iconButton("compass", t("rooms.browse"), actions.browse), iconButton("plus", t("rooms.new"), actions.newRoom), menu),
      this.light, this.filter, this.list.element);
    this.render();
    this.renderLink();
  }

  select(room: ID): void {
    this.current = room;
    this.render();
    this.list.reveal(room);
  }

  // renderLink also runs once a second while a wait counts down.
  renderLink(): void {
    const s = this.client.store.state;
    const link = s.link;
    this.title.textContent = s.organisation || t("app.name");
    let kind: string = link.state;
    let text = "";
    switch (link.state) {
      case "online": text = s.readOnly ? t("link.readonly") : t("link.online"); kind = s.readOnly ? "readonly" : "online"; break;
      case "waiting": text = t("link.waiting", { seconds: Math.max(1, Math.ceil((link.until - Date.now()) / 1000)) }); break;
      case "offline": text = t("link.offline"); break;
      default: text = t("link.connecting");
    }
    this.light.className = "light " + kind;
    this.light.title = kind === "waiting" || kind === "offline" ? t("link.now") : text;
    this.light.disabled = kind !== "waiting" && kind !== "offline";
    const label = this.light.querySelector(".label");
    if (label) {
      if (label.textContent !== text) label.textContent = text;
    } else fillWith(this.light, h("span", { class: "dot", "aria-hidden": "true" }), h("span", { class: "label" }, text));
    this.light.setAttribute("aria-live", kind === "waiting" ? "off" : "polite");
  }

  render(): void {
    const s = this.client.store.state;
    const needle = this.filter.value.trim().toLowerCase();
    const order = roomOrder(s);
    const found = needle ? order.filter((r) => roomName(s, r.room).toLowerCase().includes(needle)) : order;
    this.list.show(found, needle ? t("rooms.nomatch") : s.position || s.link.state === "online" ? t("rooms.empty") : t("loading"));
  }

  private row(r: RoomState): Row {
    const s = this.client.store.state;
    const { room } = r;
    const now = Date.now();
    const name = roomName(s, room);
    const n = unread(r);
    const m = mentionsNew(r);
    const typing = typingIn(s, room.id, now);
    const draft = room.id !== this.current && hasDraft(room.id);
    if (room.last) this.client.wantFor([room.last]);
    if (room.peer) this.client.wantUsers([room.peer]);
    const text = typing.length ? (room.kind === "direct" ? t("rooms.typing") : nameOf(s, typing[0]!) + ": " + t("rooms.typing")) : room.last ? line(s, room.last, room) : room.topic ?? "";
    const time = brief(room.last?.time ?? room.created, now);
    const state = room.peer ? s.presence.get(room.peer)?.state ?? "" : "";
    const picture = room.peer ? s.users.get(room.peer)?.avatar ?? "" : "";
    const here = room.id === this.current;
    const signature = [name, n, m, text, time, state, picture, here, room.archived, draft, typing.length > 0, room.kind].join("\u0001");
    return { signature, make: () => h("a", { href: "#/room/" + room.id, class: "room-link" + (here ? " here" : "") + (n ? " unread" : ""), "aria-current": here ? "page" : null },
      h("span", { class: "face" }, avatar(s, room.peer ?? room.id, room.kind === "channel" ? "#" : room.kind === "announcement" ? "!" : name, picture),
        state === "online" || state === "suspect" ? h("span", { class: "presence " + state }, h("span", { class: "sr" }, state === "online" ? t("presence.online") : t("presence.suspect"))) : null),
      h("span", { class: "about" },
        h("span", { class: "top" }, h("span", { class: "name" }, name), h("time", null, time)),
        h("span", { class: "bottom" }, h("span", { class: "last" + (typing.length ? " typing" : "") }, draft ? h("span", { class: "draft" }, "✎ ") : null, text),
          m ? h("span", { class: "badge mention" }, h("span", { "aria-hidden": "true" }, "@"), h("span", { class: "sr" }, t("rooms.mentions", { n: m }))) : null,
          n ? h("span", { class: "badge" }, h("span", { "aria-hidden": "true" }, n > 999 ? "999+" : n), h("span", { class: "sr" }, t("rooms.unread", { n }))) : null))) };
  }
}

function hasDraft(room: ID): boolean {
  try {
    return localStorage.getItem("posthouse.draft." + room) !== null;
  } catch {
    return false;
  }
}
