// The page: which view stands where, and when it is drawn.

import type { ID, Session } from "./api";
import { Client } from "./client";
import { Composer } from "./composer";
import { browse, info, members, newRoom } from "./dialogs";
import { fillWith, h, iconButton, toast } from "./dom";
import { explain, lang, t } from "./lang";
import { inviteView, loginView, setupView } from "./login";
import { roomName } from "./names";
import { RoomList } from "./rooms";
import { RpcError, post } from "./rpc";
import { invites, logout, profile } from "./settings";
import { totals } from "./state";
import type { Topic } from "./store";
import { Timeline } from "./timeline";

const root = document.getElementById("app")!;

interface Route {
  name: "setup" | "invite" | "login" | "room" | "home";
  arg: string;
}

function route(): Route {
  const m = /^#\/(setup|invite|login|room)(?:\/([\w.~-]+))?/.exec(location.hash);
  return m ? { name: m[1] as Route["name"], arg: m[2] ?? "" } : { name: "home", arg: "" };
}

// Chat is the page of a logged-in account.
class Chat {
  private client: Client;
  private rooms: RoomList;
  private timeline: Timeline | null = null;
  private composer: Composer | null = null;
  private pane = h("main", { class: "room", id: "room" });
  private banner = h("p", { class: "banner", role: "status", hidden: true });
  private frame: HTMLElement;
  private heading = h("h1", null);
  private sub = h("p", { class: "sub" });
  private dirty = new Set<Topic>();
  private planned = false;
  private clock: number;
  private depth = 0;

  constructor(session: Session, ended: () => void) {
    this.client = new Client(session.user, session.device, () => {
      this.close();
      ended();
    });
    this.rooms = new RoomList(this.client, {
      newRoom: () => newRoom(this.client),
      browse: () => browse(this.client),
      profile: () => profile(this.client),
      invite: () => invites(this.client),
      logout: () => logout(this.client, () => {
        this.close();
        location.hash = "#/login";
        location.reload();
      }),
    });
    this.frame = h("div", { class: "chat" }, h("a", { class: "skip", href: "#room", onclick: (e: Event) => { e.preventDefault(); this.composer?.focus(); } }, t("skip")), this.rooms.element, this.pane);
    fillWith(root, this.frame);
    this.client.store.listen((topics) => this.plan(topics));
    this.clock = window.setInterval(() => this.tick(), 1000);
    addEventListener("focus", this.attend);
    document.addEventListener("visibilitychange", this.attend);
    this.drops();
    this.client.start();
    this.go();
  }

  private close(): void {
    clearInterval(this.clock);
    removeEventListener("focus", this.attend);
    document.removeEventListener("visibilitychange", this.attend);
    this.timeline?.close();
    this.client.stop();
    for (const d of document.querySelectorAll("dialog")) d.remove();
  }

  private attend = () => this.timeline?.seen();

  // go shows the room of the address.
  go(): void {
    const { name, arg } = route();
    const room = name === "room" ? arg : "";
    this.frame.classList.toggle("in-room", room !== "");
    this.rooms.select(room);
    if (this.timeline?.room === room && room) return;
    this.timeline?.close();
    this.timeline = this.composer = null;
    if (!room) {
      fillWith(this.pane, this.banner, h("p", { class: "select" }, t("select")));
      this.draw(new Set(["rooms", "link"]));
      return;
    }
    this.show(room);
  }

  private show(room: ID): void {
    const composer = new Composer(this.client, room, () => this.timeline?.sent());
    this.composer = composer;
    const timeline: Timeline = new Timeline(this.client, room, {
      reply: (m) => composer.startReply(m),
      edit: (m) => composer.startEdit(m),
      again: (p) => composer.again(p),
      info: (m) => void info(this.client, m),
      jump: (seq) => void timeline.jump(seq),
    });
    this.timeline = timeline;
    this.heading = h("h1", null);
    this.sub = h("p", { class: "sub" });
    fillWith(this.pane,
      h("header", null, iconButton("back", t("back"), () => (location.hash = "#/"), { class: "iconbutton back" }),
        h("div", { class: "title" }, this.heading, this.sub),
        iconButton("people", t("room.details"), () => members(this.client, room))),
      this.banner, timeline.element, composer.element);
    this.draw(new Set<Topic>(["rooms", "link", `room:${room}`]));
    composer.focus();
  }

  // plan draws soon: many changes are one drawing. A hidden page gets no
  // animation frames, but its title goes on telling what is unread.
  private plan(topics: Set<Topic>): void {
    for (const topic of topics) this.dirty.add(topic);
    if (this.planned) return;
    this.planned = true;
    const run = () => {
      this.planned = false;
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
    if (d.has("rooms") || d.has("users") || d.has("presence") || d.has("me")) {
      this.rooms.render();
      const n = totals(s).unread;
      document.title = (n ? "(" + (n > 999 ? "999+" : n) + ") " : "") + (s.organisation || t("app.name"));
    }
    const tl = this.timeline;
    if (!tl) return;
    if (d.has(`room:${tl.room}`) || d.has("users") || d.has("presence") || d.has("rooms")) this.drawHeader(tl.room);
    if (d.has(`room:${tl.room}`) || d.has("users") || d.has("outbox") || d.has("link")) {
      tl.render();
      this.composer?.render();
    }
    if (d.has("link") && s.link.state === "online") {
      tl.reload();
      tl.seen();
    }
  }

  private drawHeader(room: ID): void {
    const s = this.client.store.state;
    const r = s.rooms.get(room)?.room;
    if (!r) {
      // Not a member (any more), or the list is still on its way.
      this.heading.textContent = "";
      this.sub.textContent = s.position > 0 ? t("room.gone") : "";
      return;
    }
    this.heading.textContent = roomName(s, r);
    const state = r.peer ? s.presence.get(r.peer)?.state : undefined;
    const about = r.kind === "direct" ? (state === "online" ? t("presence.online") : state === "suspect" ? t("presence.suspect") : state ? t("presence.offline") : "")
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
    const mark = () => this.pane.classList.toggle("dropping", inside > 0 && this.composer !== null);
    this.pane.dataset["drop"] = t("composer.drop");
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

let chat: Chat | null = null;
let endedHere = false;

function entered(session: Session): void {
  endedHere = false;
  // Replaced, so that going back does not show a used link again.
  if (route().name !== "room") history.replaceState(null, "", "#/");
  chat = new Chat(session, () => {
    chat = null;
    endedHere = true;
    loginView(root, entered, true);
  });
}

async function begin(): Promise<void> {
  const { name, arg } = route();
  if (name === "setup" && arg) return setupView(root, arg, entered);
  if (name === "invite" && arg) return inviteView(root, arg, entered);
  try {
    entered(await post("session.me", {}, lang));
  } catch (e) {
    if (e instanceof RpcError && e.kind === "unauthenticated") return loginView(root, entered, endedHere);
    fillWith(root, h("main", { class: "card-page" }, h("div", { class: "card" }, h("h1", null, t("app.name")), h("p", { role: "alert" }, explain(e)),
      h("button", { type: "button", class: "primary", onclick: () => void begin() }, t("retry")))));
    setTimeout(() => {
      if (!chat && root.querySelector("[role=alert]") && !root.querySelector("form")) void begin();
    }, 5000);
  }
}

addEventListener("hashchange", () => {
  const { name } = route();
  if (name === "setup" || name === "invite") location.reload();
  else if (chat) chat.go();
  else if (!root.querySelector("form") || name === "login") void begin();
});
addEventListener("unhandledrejection", (e) => {
  if (e.reason instanceof RpcError) toast(explain(e.reason), true);
});

document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
void begin();
