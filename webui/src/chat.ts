// The page of a logged-in account: the list of rooms, the room or page that is
// shown, the side pane, and what the features add to them.

import type { ID, Message, Room, Session } from "./api";
import { Client } from "./client";
import { Composer } from "./composer";
import { browse, newRoom } from "./dialogs";
import { fillWith, h, iconButton, popup } from "./dom";
import { features } from "./features";
import type { Command, Feature, Frame, MessageMenu, View } from "./frame";
import { dispatch, help } from "./keys";
import { t } from "./lang";
import { roomName } from "./names";
import { forgetResident, type Resident } from "./resident";
import { RoomList } from "./rooms";
import { route } from "./route";
import { invites, logout } from "./settings";
import { presenceOf, totals } from "./state";
import type { Topic } from "./store";
import { Timeline } from "./timeline";
import type { Key } from "./words";

// own are the commands of the frame itself.
const own: Command[] = [
  { name: "keys.help", keys: "?", run: () => help(commands(), features.flatMap((x) => x.keyHelp?.() ?? [])) },
  { name: "keys.closepane", keys: "Escape", when: (f) => route().args.length > 1 && f.room !== "", run: (f) => f.closePane() },
  { name: "keys.focus", keys: "Alt+M", when: (f) => f.composer !== null, run: (f) => f.composer?.focus(true) },
];

// commands are all that can be done from anywhere.
export function commands(): Command[] {
  return [...features.flatMap((f) => f.commands ?? []), ...own];
}

// Chat is the frame.
const longestPress = 1000; // ms

export class Chat implements Frame {
  readonly client: Client;
  room: ID = "";
  timeline: Timeline | null = null;
  composer: Composer | null = null;
  readonly menu: MessageMenu = {
    items: (room: Room, m: Message) => features.flatMap((x) => x.messageMenu?.(this, room, m) ?? []),
    block: (m: Message) => features.flatMap((x) => x.messageBlock?.(this, m) ?? []),
    signature: (m: Message) => features.map((x) => x.messageSignature?.(this, m) ?? "").join("\u0001"),
  };
  readonly rooms: RoomList;
  private main = h("main", { class: "room", id: "room" });
  private banner = h("p", { class: "banner", role: "status", hidden: true });
  private extras = h("div", { class: "banners" });
  private pressed = 0; // the timer that ends it; somebody holds a button of the mouse down
  private side = h("aside", { class: "side-pane", hidden: true });
  private sideView: View | null = null;
  private sideName = "";
  private opener: { element: Element | null; seq: string | undefined } = { element: null, seq: undefined }; // what had the focus before the side pane
  private page: View | null = null;
  private pageName = "";
  private buttons = h("div", { class: "room-buttons" });
  private ends: (() => void)[] = [];
  private frame: HTMLElement;
  private heading = h("h1", null);
  private sub = h("p", { class: "sub" });
  private dirty = new Set<Topic>();
  private planned = false;
  private clock: number;
  private depth = 0;
  private byKeys = false; // what the person did last was on the keyboard

  constructor(root: Element, session: Session, ended: () => void, kept?: Resident) {
    this.client = new Client(session.user, session.device, () => {
      this.close();
      forgetResident();
      ended();
    });
    if (kept) this.client.store.dispatch({ type: "resident", resident: kept });
    this.rooms = new RoomList(this.client, {
      newRoom: () => newRoom(this.client),
      browse: () => browse(this.client),
      invite: () => invites(this.client),
      logout: () => logout(this.client, () => {
        this.close();
        forgetResident();
        location.hash = "#/login";
        location.reload();
      }),
      buttons: () => features.flatMap((x) => x.mainButtons?.(this) ?? []),
      more: () => features.flatMap((x) => x.mainMenu?.(this) ?? []),
    });
    this.frame = h("div", { class: "chat" }, h("a", { class: "skip", href: "#room", onclick: (e: Event) => { e.preventDefault(); this.composer?.focus(true); } }, t("skip")), this.rooms.element, this.main, this.side);
    fillWith(root, this.frame);
    this.client.store.listen((topics) => this.plan(topics));
    this.clock = window.setInterval(() => this.tick(), 1000);
    addEventListener("focus", this.attend);
    document.addEventListener("visibilitychange", this.attend);
    document.addEventListener("keydown", this.keys);
    document.addEventListener("pointerdown", this.press, true);
    document.addEventListener("pointerdown", this.pointed, true);
    this.drops();
    this.ends = features.flatMap((x: Feature) => x.start?.(this) ?? []);
    this.client.start();
    this.follow();
  }

  private close(): void {
    clearInterval(this.clock);
    removeEventListener("focus", this.attend);
    document.removeEventListener("visibilitychange", this.attend);
    document.removeEventListener("keydown", this.keys);
    document.removeEventListener("pointerdown", this.pointed, true);
    document.removeEventListener("pointerdown", this.press, true);
    clearTimeout(this.pressed);
    for (const end of this.ends) end();
    this.timeline?.close();
    this.composer?.close();
    this.sideView?.close?.();
    this.page?.close?.();
    this.client.stop();
    for (const d of document.querySelectorAll("dialog")) d.remove();
  }

  private attend = () => this.timeline?.seen();
  private keys = (e: KeyboardEvent) => {
    this.byKeys = true;
    dispatch(e, this, commands());
  };
  private pointed = () => (this.byKeys = false);

  // ---- Frame

  go(address: string): void {
    location.hash = "#/" + address;
  }

  pane(name: string, arg?: string): void {
    if (this.room) this.go(["room", this.room, name, ...(arg === undefined ? [] : [encodeURIComponent(arg)])].join("/"));
  }

  commands(): Command[] {
    return commands();
  }

  hasPane(name: string): boolean {
    return features.some((x) => x.panes?.[name]);
  }

  closePane(): void {
    if (this.room) this.go("room/" + this.room);
  }

  write(room: ID, sent: () => void, thread = 0): Composer {
    return new Composer(this.client, room, sent, (c) => features.flatMap((x) => x.composerButtons?.(this, c) ?? []), thread, {
      sources: (c) => features.flatMap((x) => x.sources?.(this, c) ?? []),
      take: (c, text) => features.some((x) => x.take?.(this, c, text)),
    });
  }

  // follow shows what the address names.
  follow(): void {
    const { name, args } = route();
    const room = name === "room" ? args[0] ?? "" : "";
    const page = room ? undefined : features.map((x) => x.pages?.[name]).find(Boolean);
    this.frame.classList.toggle("in-room", room !== "" || page !== undefined);
    this.rooms.select(room);
    if (this.room !== room || page || !room) this.showPage(room, page ? [name, ...args].join("/") : "", () => page?.(this, args.join("/")) ?? null);
    this.showPane(room, args[1] ?? "", args.slice(2).join("/"));
  }

  private showPage(room: ID, name: string, make: () => View | null): void {
    if (!room && name && name === this.pageName) return;
    this.timeline?.close();
    this.composer?.close();
    this.timeline = this.composer = null;
    this.page?.close?.();
    this.page = null;
    this.pageName = name;
    this.room = room;
    if (room) return this.show(room);
    this.page = make();
    if (this.page) {
      fillWith(this.main, h("header", null, iconButton("back", t("back"), () => this.go(""), { class: "iconbutton back" }), h("div", { class: "title" }, h("h1", { tabindex: -1 }, this.page.title))),
        this.banner, h("div", { class: "page" }, this.page.element));
      if (this.page.focus) this.page.focus();
      else this.main.querySelector("h1")?.focus();
    } else fillWith(this.main, this.banner, h("p", { class: "select" }, t("select")));
    this.draw(new Set(["rooms", "link", "me"]));
  }

  // showPane opens, changes or closes the side pane. "m" is not a pane: the
  // timeline jumps to that entry.
  private showPane(room: ID, name: string, arg: string): void {
    if (room && name === "m" && Number(arg) > 0) {
      void this.timeline?.jump(Number(arg));
      name = "";
    }
    const key = [room, name, arg].join("/");
    const make = room && name ? features.map((x) => x.panes?.[name]).find(Boolean) : undefined;
    if (make && key === this.sideName) return;
    const had = this.side.contains(document.activeElement);
    const at = document.activeElement;
    if (make && !this.sideName) this.opener = { element: at, seq: at?.closest<HTMLElement>("[data-seq]")?.dataset["seq"] };
    this.sideView?.close?.();
    this.sideView = null;
    this.sideName = make ? key : "";
    this.side.hidden = !make;
    this.frame.classList.toggle("with-pane", !!make);
    if (!make) {
      this.side.replaceChildren();
      if (had) this.returnFocus();
      return;
    }
    const view = make(this, room, arg);
    this.sideView = view;
    this.side.setAttribute("aria-label", view.title);
    fillWith(this.side, h("header", null, h("h2", { tabindex: -1 }, view.title), iconButton("close", t("pane.close"), () => this.closePane())), h("div", { class: "pane-body" }, view.element));
    if (view.focus) view.focus();
    else this.side.querySelector("h2")?.focus();
  }

  // returnFocus leaves a closed side pane for what opened it, or, when that was
  // drawn anew since, for the same message.
  private returnFocus(): void {
    const { element, seq } = this.opener;
    const again = seq ? this.main.querySelector<HTMLElement>(`[data-seq="${seq}"] :is(.thread-foot, .actions, button)`) : null;
    if (element instanceof HTMLElement && element.isConnected && element !== document.body) element.focus();
    else if (again) again.focus();
    else this.composer?.focus(this.byKeys);
  }

  private show(room: ID): void {
    const composer = this.write(room, () => this.timeline?.sent());
    this.composer = composer;
    const timeline: Timeline = new Timeline(this.client, room, {
      reply: (m) => composer.startReply(m),
      edit: (m) => composer.startEdit(m),
      again: (p) => composer.again(p),
      info: (m) => this.pane("journey", String(m.seq)),
      thread: (seq) => this.pane("thread", String(seq)),
      jump: (seq) => void timeline.jump(seq),
      extra: this.menu,
    });
    this.timeline = timeline;
    this.heading = h("h1", null);
    this.sub = h("p", { class: "sub" });
    fillWith(this.main,
      h("header", null, iconButton("back", t("back"), () => (location.hash = "#/"), { class: "iconbutton back" }),
        h("div", { class: "title" }, this.heading, this.sub),
        this.buttons),
      this.banner, this.extras, timeline.element, composer.element);
    this.drawButtons(room);
    this.draw(new Set<Topic>(["rooms", "link", "me", `room:${room}`]));
    composer.focus(this.byKeys);
  }

  private drawButtons(room: ID): void {
    const r = this.client.store.state.rooms.get(room)?.room;
    const entries = () => features.flatMap((x) => x.roomMenu?.(this, this.client.store.state.rooms.get(room)!.room) ?? []);
    const more: HTMLButtonElement = iconButton("more", t("room.menu"), () => popup(more, t("room.menu"), entries()), { "aria-haspopup": "menu", "aria-expanded": "false" });
    fillWith(this.buttons, ...(r ? features.flatMap((x) => x.roomButtons?.(this, r) ?? []) : []),
      iconButton("people", t("room.details"), () => this.pane("members")), r ? more : null);
  }

  // plan draws soon: many changes are one drawing. A hidden page gets no
  // animation frames, but its title goes on telling what is unread. While
  // somebody presses, nothing is drawn: what is made anew between the press and
  // its end is not clicked.
  private plan(topics: Set<Topic>): void {
    for (const topic of topics) this.dirty.add(topic);
    if (this.planned || this.pressed) return;
    this.planned = true;
    const run = () => {
      this.planned = false;
      if (this.pressed) return;
      const d = this.dirty;
      this.dirty = new Set();
      this.draw(d);
    };
    if (document.hidden) setTimeout(run, 100);
    else requestAnimationFrame(run);
  }

  private draw(d: Set<Topic>): void {
    const s = this.client.store.state;
    if (d.has("link") || d.has("me")) this.rooms.renderLink();
    if (d.has("link")) this.drawBanner();
    if (d.has("rooms") || d.has("users") || d.has("presence") || d.has("me") || d.has("link")) {
      this.rooms.render();
      const n = totals(s).unread;
      document.title = (n ? "(" + (n > 999 ? "999+" : n) + ") " : "") + (s.organisation || t("app.name"));
    }
    if (d.has("rooms") || d.has("me") || d.has("notices") || d.has("scheduled")) {
      this.drawBanners();
      fillWith(this.rooms.head, ...features.map((x) => x.listHead?.(this) ?? null));
    }
    this.page?.draw?.(d);
    this.sideView?.draw?.(d);
    const tl = this.timeline;
    if (!tl) return;
    if (d.has(`room:${tl.room}`) || d.has("users") || d.has("presence") || d.has("rooms") || d.has("link")) this.drawHeader(tl.room);
    if (d.has(`room:${tl.room}`) || d.has("users") || d.has("outbox") || d.has("link")) {
      tl.render();
      this.composer?.render();
    }
    if (this.buttons.childElementCount < 2) this.drawButtons(tl.room);
    if (d.has("link") && s.link.state === "online") {
      tl.reload();
      tl.seen();
    }
  }

  private drawBanners(): void {
    fillWith(this.extras, ...features.map((x) => x.banner?.(this) ?? null));
  }

  private press = (): void => {
    clearTimeout(this.pressed);
    this.pressed = window.setTimeout(this.letGo, longestPress); // whoever drags sees what comes all the same
    const end = () => {
      removeEventListener("pointerup", end);
      removeEventListener("pointercancel", end);
      setTimeout(this.letGo); // after the click
    };
    addEventListener("pointerup", end);
    addEventListener("pointercancel", end);
  };

  private letGo = (): void => {
    clearTimeout(this.pressed);
    this.pressed = 0;
    if (this.dirty.size) this.plan(new Set());
  };

  private drawHeader(room: ID): void {
    const s = this.client.store.state;
    const r = s.rooms.get(room)?.room;
    if (!r) {
      // Not a member (any more), or the list is still on its way.
      this.heading.textContent = s.position > 0 ? t("room.gone") : t("loading");
      this.sub.textContent = "";
      return;
    }
    this.heading.textContent = roomName(s, r);
    const state = r.peer ? presenceOf(s, r.peer) : "";
    const about = r.kind === "direct" ? (state && t(("presence." + state) as Key))
      : r.kind === "notes" ? "" : t("room.members", { n: r.members }) + (r.topic ? " · " + r.topic : "");
    this.sub.textContent = about + (r.archived ? " · " + t("room.archived") : "");
  }

  // drawBanner says what a broken connection means, once it is more than a
  // hiccup.
  private drawBanner(): void {
    const s = this.client.store.state;
    if (s.link.state === "online") this.depth = 0;
    else if (s.link.state === "waiting") this.depth++;
    const text = s.link.state === "online" ? (s.readOnly ? t("link.readonly.about") : "") : this.depth > 1 || s.link.state === "offline" ? t("link.unreachable") : "";
    this.banner.hidden = !text;
    if (this.banner.textContent !== text) this.banner.textContent = text;
  }

  private tick(): void {
    if (this.client.store.state.link.state === "waiting") this.rooms.renderLink();
    this.client.store.dispatch({ type: "tick", now: Date.now() });
  }

  // drops takes files that are dropped anywhere on the page.
  private drops(): void {
    let inside = 0;
    const files = (e: DragEvent) => e.dataTransfer?.types.includes("Files") ?? false;
    const mark = () => this.main.classList.toggle("dropping", inside > 0 && this.composer !== null);
    this.main.dataset["drop"] = t("composer.drop");
    this.frame.addEventListener("dragenter", (e) => {
      if (!files(e)) return;
      inside++;
      mark();
    });
    this.frame.addEventListener("dragleave", (e) => {
      if (!files(e)) return;
      inside--;
      mark();
    });
    this.frame.addEventListener("dragover", (e) => {
      if (files(e)) e.preventDefault();
    });
    this.frame.addEventListener("drop", (e) => {
      if (!files(e)) return;
      e.preventDefault();
      inside = 0;
      mark();
      this.composer?.add([...(e.dataTransfer?.files ?? [])]);
    });
  }
}
