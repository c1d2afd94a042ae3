// The list of rooms, with the light of the connection above it.

import type { ID } from "./api";
import type { Client } from "./client";
import { fillWith, h, icon, iconButton, menuItem, popup } from "./dom";
import { hasDraft } from "./drafts";
import { brief, switchLang, t } from "./lang";
import { LongList, type Row } from "./longlist";
import { avatar, line, nameOf, roomName } from "./names";
import { muted, prefsOf } from "./prefs";
import { roomItems } from "./roommenu";
import { mentionsNew, presenceOf, roomOrder, typingIn, unread, type RoomState } from "./state";

export interface RoomActions {
  newRoom(): void;
  browse(): void;
  invite(): void;
  logout(): void;
  buttons(): HTMLElement[]; // of features
  more(): HTMLElement[]; // menu entries of features
}

// shows are the kinds of rooms the list can be narrowed to.
const shows = ["all", "unread", "people", "groups", "archived"] as const;
type Show = (typeof shows)[number];
const showWords = { all: "rooms.all", unread: "rooms.unreadonly", people: "rooms.people", groups: "rooms.groups", archived: "rooms.archived" } as const;
const direct = (r: RoomState) => r.room.kind === "direct" || r.room.kind === "notes";

export class RoomList {
  readonly element: HTMLElement;
  readonly head = h("div", { class: "list-head" }); // what features put above the list
  private list: LongList<RoomState>;
  private filter: HTMLInputElement;
  private light = h("button", { type: "button", class: "light", "aria-live": "polite" });
  private title = h("h1", null, t("app.name"));
  private current: ID = "";
  private show: Show = "all";
  private chips = new Map<Show, HTMLButtonElement>();
  private order: RoomState[] = [];

  constructor(private readonly client: Client, actions: RoomActions) {
    this.filter = h("input", { type: "search", placeholder: t("rooms.filter"), "aria-label": t("rooms.filter"), oninput: () => {
      this.list.top();
      this.render();
    } });
    this.list = new LongList("rooms", 58, (r) => r.room.id, (r) => this.row(r));
    for (const x of shows) this.chips.set(x, h("button", { type: "button", "aria-pressed": "false", onclick: () => this.narrow(x) }, t(showWords[x])));
    this.light.addEventListener("click", () => client.connection.now());
    const menu: HTMLButtonElement = iconButton("menu", t("rooms.menu"), () => {
      const role = client.store.state.me?.role;
      popup(menu, t("rooms.menu"), [
        ...(role === "owner" || role === "admin" ? [menuItem(t("menu.invite"), actions.invite)] : []),
        ...actions.more(),
        menuItem(t("language.switch"), switchLang),
        menuItem(t("menu.logout"), actions.logout),
      ]);
    }, { "aria-haspopup": "menu", "aria-expanded": "false" });
    this.element = h("nav", { class: "side", "aria-label": t("rooms.title") },
      h("header", null, h("img", { src: "/assets/icon.svg", alt: "", width: 28, height: 28 }), this.title, ...actions.buttons(),
        iconButton("compass", t("rooms.browse"), actions.browse), iconButton("plus", t("rooms.new"), actions.newRoom), menu),
      this.light, this.head, this.filter, h("div", { class: "chips", role: "group", "aria-label": t("rooms.show") }, ...this.chips.values()), this.list.element);
    this.list.element.addEventListener("contextmenu", (e) => this.context(e));
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
    const archived = [...s.rooms.values()].some((r) => r.room.archived);
    this.chips.get("archived")!.hidden = !archived;
    if (this.show === "archived" && !archived) this.show = "all";
    for (const [x, b] of this.chips) b.setAttribute("aria-pressed", x === this.show ? "true" : "false");
    this.order = roomOrder(s).filter((r) => this.fits(r) && (!needle || this.named(r, needle)));
    this.list.show(this.order, needle ? t("rooms.nomatch") : this.show === "unread" ? t("rooms.noneunread") : this.show !== "all" ? t("rooms.nonehere")
      : s.position || s.link.state === "online" ? t("rooms.empty") : t("loading"));
  }

  // named: the name has the letters, or the login name of whom one talks with.
  private named(r: RoomState, needle: string): boolean {
    const s = this.client.store.state;
    return [roomName(s, r.room), (r.room.peer && s.users.get(r.room.peer)?.login) || ""].some((x) => x.toLowerCase().includes(needle));
  }

  // fits: the room belongs to what is shown. The one that is open stays among
  // the unread ones while it is being read.
  private fits(r: RoomState): boolean {
    if (this.show === "archived") return !!r.room.archived;
    if (r.room.archived && r.room.id !== this.current) return false;
    switch (this.show) {
      case "unread": return r.room.id === this.current || (muted(this.client.store.state, r.room.id) ? mentionsNew(r) : unread(r)) > 0;
      case "people": return direct(r);
      case "groups": return !direct(r);
      default: return true;
    }
  }

  private narrow(to: Show): void {
    this.show = to === this.show ? "all" : to;
    this.list.top();
    this.render();
  }

  focusFilter(): void {
    this.filter.focus();
    this.filter.select();
  }

  // beside is the room before or after the one that is shown, in the order of
  // the list.
  beside(step: 1 | -1, onlyUnread: boolean): ID {
    const at = this.order.findIndex((r) => r.room.id === this.current);
    const n = this.order.length;
    for (let k = 1; k <= n; k++) {
      const r = this.order[(((at < 0 && step < 0 ? 0 : at) + step * k) % n + n) % n]!;
      if (r.room.id !== this.current && (!onlyUnread || unread(r) > 0)) return r.room.id;
    }
    return "";
  }

  private context(e: MouseEvent): void {
    const link = (e.target as Element).closest("li")?.querySelector<HTMLElement>("a.room-link");
    const r = this.client.store.state.rooms.get(link?.dataset["room"] ?? "");
    if (!link || !r) return;
    e.preventDefault();
    popup(link, t("rooms.actions", { room: roomName(this.client.store.state, r.room) }), roomItems(this.client, r.room));
  }

  private row(r: RoomState): Row {
    const s = this.client.store.state;
    const { room } = r;
    const now = Date.now();
    const name = roomName(s, room);
    const n = unread(r);
    const m = mentionsNew(r);
    const typing = typingIn(s, room.id, now);
    const draft = room.id !== this.current && hasDraft(this.client.user, room.id);
    const quiet = muted(s, room.id);
    const pinned = prefsOf(s, room.id).pin > 0;
    if (room.last) this.client.wantFor([room.last]);
    if (room.peer) this.client.wantUsers([room.peer]);
    const text = typing.length ? (room.kind === "direct" ? t("rooms.typing") : nameOf(s, typing[0]!) + t("colon") + t("rooms.typing")) : room.last ? line(s, room.last, room) : room.topic ?? "";
    const time = brief(room.last?.time ?? room.created, now);
    const state = room.peer ? presenceOf(s, room.peer) : "";
    const picture = room.peer ? s.users.get(room.peer)?.avatar ?? "" : "";
    const here = room.id === this.current;
    const signature = [name, n, m, text, time, state, picture, here, room.archived, draft, typing.length > 0, room.kind, quiet, pinned].join("\u0001");
    const classes = ["room-link", here ? "here" : "", n ? "unread" : "", quiet ? "quiet" : ""].filter(Boolean).join(" ");
    const sign = (name: "pin" | "mute", word: string) => h("span", { class: "sign" }, icon(name), h("span", { class: "sr" }, word));
    return { signature, make: () => h("div", { class: "room-row" }, h("a", { href: "#/room/" + room.id, "data-room": room.id, class: classes, "aria-current": here ? "page" : null, "aria-haspopup": "menu" },
      h("span", { class: "face" }, avatar(s, room.peer ?? room.id, room.kind === "channel" ? "#" : room.kind === "announcement" ? "!" : name, picture),
        state === "online" || state === "suspect" ? h("span", { class: "presence " + state }, h("span", { class: "sr" }, state === "online" ? t("presence.online") : t("presence.suspect"))) : null),
      h("span", { class: "about" },
        h("span", { class: "top" }, h("span", { class: "name" }, name), pinned ? sign("pin", t("rooms.pinned")) : null, quiet ? sign("mute", t("rooms.muted")) : null, h("time", null, time)),
        h("span", { class: "bottom" }, h("span", { class: "last" + (typing.length ? " typing" : "") }, draft ? h("span", { class: "draft" }, h("span", { "aria-hidden": "true" }, "✎ "), h("span", { class: "sr" }, t("rooms.draft") + " ")) : null, text),
          m ? h("span", { class: "badge mention" }, h("span", { "aria-hidden": "true" }, "@"), h("span", { class: "sr" }, t("rooms.mentions", { n: m }))) : null,
          n ? h("span", { class: "badge" }, h("span", { "aria-hidden": "true" }, n > 999 ? "999+" : n), h("span", { class: "sr" }, t("rooms.unread", { n }))) : null))),
      this.dots(room.id, name)) };
  }

  // dots opens the menu of a row by mouse; by keyboard the menu key does.
  private dots(id: ID, name: string): HTMLElement {
    const b: HTMLButtonElement = iconButton("more", t("rooms.actions", { room: name }), () => {
      const r = this.client.store.state.rooms.get(id);
      if (r) popup(b, t("rooms.actions", { room: name }), roomItems(this.client, r.room));
    }, { class: "iconbutton dots", "aria-haspopup": "menu", "aria-expanded": "false", tabindex: -1 });
    return b;
  }
}
