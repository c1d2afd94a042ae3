// The palette: people, rooms and commands in one box.
//
// What is in the page is found at once; what only the server knows (people one
// has never met, pinyin and initials, rooms one is not in) joins the list when
// the answer comes, below what stands there already, so that Enter opens what
// one saw when one pressed it.

import type { ID } from "./api";
import { dialog, fillWith, h, iconButton, toast, unique } from "./dom";
import type { Command, Feature, Frame } from "./frame";
import { inComposition, sends } from "./ime";
import { shown } from "./keys";
import { explain, t } from "./lang";
import { avatar, roomName } from "./names";
import { found } from "./rank";
import { mentionsNew, roomOrder, unread, type RoomState } from "./state";

const shownAtOnce = 12; // of each kind
const pause = 120; // ms between the last key and the question to the server

interface Entry {
  id: string; // tells entries apart
  group: string;
  name: string;
  about: string;
  picture: () => HTMLElement | null;
  keys?: string;
  count?: number;
  open(): void;
}

// visited are the rooms one was in, last first, since the page was loaded.
const visited: ID[] = [];

class Palette {
  private input: HTMLInputElement;
  private list: HTMLElement;
  private status = h("p", { class: "sr", role: "status" });
  private none = h("p", { class: "empty palette-none", hidden: true }, t("palette.none"));
  private entries: Entry[] = [];
  private more: Entry[] = []; // from the server, for the present words
  private at = 0;
  private asked = 0;
  private timer = 0;
  private composing = false;
  private ended = -1;
  private readonly close: () => void;

  constructor(private readonly f: Frame) {
    const id = unique("palette");
    this.list = h("div", { id, class: "palette-list", role: "listbox", "aria-label": t("palette.title") });
    this.input = h("input", {
      type: "text", class: "palette-input", role: "combobox", autocomplete: "off", spellcheck: "false", enterkeyhint: "go",
      placeholder: t("palette.placeholder"), "aria-label": t("palette.open"), "aria-expanded": "true", "aria-controls": id, "aria-autocomplete": "list",
      oninput: () => this.changed(),
      onkeydown: (e: KeyboardEvent) => this.key(e),
      oncompositionstart: () => (this.composing = true),
      oncompositionend: (e: CompositionEvent) => {
        this.composing = false;
        this.ended = e.timeStamp;
      },
    });
    const d = dialog(t("palette.title"), true);
    this.close = d.close;
    d.onclose(() => clearTimeout(this.timer));
    d.body.classList.add("palette");
    d.body.append(this.input, this.list, this.none, h("p", { class: "hint palette-hint" }, t("palette.hint")), this.status);
    this.input.focus();
    this.gather();
  }

  private changed(): void {
    this.more = [];
    this.at = 0;
    this.gather();
    clearTimeout(this.timer);
    const n = ++this.asked;
    const query = this.input.value.trim();
    if (query) this.timer = window.setTimeout(() => void this.ask(query, n), pause);
  }

  // gather finds what is in the page.
  private gather(): void {
    const query = this.input.value.trim();
    const rooms = this.rooms(query);
    const open = new Set(rooms.map((x) => x.id));
    const near = query ? [...this.people(query).filter((x) => !open.has(x.id)), ...this.commands(query)] : this.commands("");
    const have = new Set([...rooms, ...near].map((x) => x.id));
    this.entries = [...rooms, ...near, ...this.more.filter((x) => !have.has(x.id))];
    this.at = Math.min(this.at, Math.max(0, this.entries.length - 1));
    this.draw();
  }

  private rooms(query: string): Entry[] {
    const s = this.f.client.store.state;
    let list = roomOrder(s).filter((r) => query || !r.room.archived);
    if (!query) {
      const rank = (id: ID) => (visited.indexOf(id) + 1 || Infinity);
      list = list.filter((r) => r.room.id !== this.f.room).sort((a, b) => (rank(a.room.id) === rank(b.room.id) ? 0 : rank(a.room.id) - rank(b.room.id))).slice(0, 8);
    }
    const hits = query ? found(query, list, (r) => [roomName(s, r.room), s.users.get(r.room.peer ?? "")?.login ?? ""]).slice(0, shownAtOnce) : list;
    return hits.map((r) => this.room(r, t(query ? "palette.rooms" : "palette.recent")));
  }

  private room(r: RoomState, group: string): Entry {
    const s = this.f.client.store.state;
    const name = roomName(s, r.room);
    return {
      id: r.room.peer ? "u" + r.room.peer : "r" + r.room.id, group, name,
      about: r.room.peer ? "@" + (s.users.get(r.room.peer)?.login ?? "") : r.room.topic ?? "", count: mentionsNew(r) || unread(r),
      picture: () => avatar(s, r.room.peer ?? r.room.id, r.room.kind === "channel" ? "#" : r.room.kind === "announcement" ? "!" : name, s.users.get(r.room.peer ?? "")?.avatar),
      open: () => this.f.go("room/" + r.room.id),
    };
  }

  private people(query: string): Entry[] {
    const s = this.f.client.store.state;
    const users = [...s.users.values()].filter((u) => u.id !== s.me?.id && !u.disabled);
    return found(query, users, (u) => [u.name, u.login]).slice(0, shownAtOnce).map((u) => this.person(u.id));
  }

  private person(id: ID): Entry {
    const s = this.f.client.store.state;
    const u = s.users.get(id)!;
    const name = u.name || u.login;
    return {
      id: "u" + id, group: t("palette.people"), name, about: "@" + u.login + (u.title ? " · " + u.title : ""),
      picture: () => avatar(s, id, name, u.avatar), open: () => void this.direct(id),
    };
  }

  private async direct(user: ID): Promise<void> {
    try {
      const r = await this.f.client.call("room.direct", { user });
      this.f.client.store.dispatch({ type: "room", room: r.room });
      this.f.go("room/" + r.room.id);
    } catch (e) {
      toast(explain(e), true);
    }
  }

  private commands(query: string): Entry[] {
    const able = this.f.commands().filter((c) => c.name !== "palette.open" && (!c.when || c.when(this.f)));
    const hits = query ? found(query, able, (c) => [t(c.name)]) : able;
    return hits.map((c: Command) => ({
      id: "c" + c.name, group: t("palette.commands"), name: t(c.name), about: "", picture: () => null, ...(c.keys ? { keys: c.keys } : {}), open: () => c.run(this.f),
    }));
  }

  // ask adds what the server finds: by pinyin and initials too, and people and
  // rooms that are not in the page.
  private async ask(query: string, n: number): Promise<void> {
    const { client } = this.f;
    const got = await client.call("search.names", { query, limit: shownAtOnce }).catch(() => null);
    if (n !== this.asked || !got) return;
    const s = client.store.state;
    client.store.dispatch({ type: "users", users: got.users });
    this.more = [
      ...got.rooms.flatMap((r) => s.rooms.get(r.id) ?? []).map((r) => this.room(r, t("palette.rooms"))),
      ...got.users.filter((u) => u.id !== s.me?.id && !u.disabled).map((u) => this.person(u.id)),
      ...got.rooms.filter((r) => !s.rooms.has(r.id)).map((r) => ({
        id: "r" + r.id, group: t("palette.join"), name: r.name, about: t("room.members", { n: r.members }),
        picture: () => avatar(s, r.id, r.kind === "channel" ? "#" : "!"), open: () => void this.join(r.id),
      })),
    ];
    this.gather();
  }

  private async join(room: ID): Promise<void> {
    try {
      const r = await this.f.client.call("room.join", { room });
      this.f.client.store.dispatch({ type: "room", room: r.room });
      this.f.go("room/" + room);
    } catch (e) {
      toast(explain(e), true);
    }
  }

  private draw(): void {
    let group = "";
    let box: HTMLElement | null = null;
    const out: HTMLElement[] = [];
    this.entries.forEach((x, i) => {
      if (x.group !== group) {
        group = x.group;
        const id = unique("g");
        box = h("div", { role: "group", "aria-labelledby": id }, h("div", { class: "palette-group", id, role: "presentation" }, group));
        out.push(box);
      }
      box!.append(h("div", { role: "option", id: this.list.id + "-" + i, class: "palette-entry", "aria-selected": "false", onclick: () => this.pick(i), onmousemove: () => this.point(i) },
        x.picture() ?? h("span", { class: "palette-blank", "aria-hidden": "true" }, "›"),
        h("span", { class: "about" }, h("span", { class: "name" }, x.name), x.about ? h("span", { class: "login" }, " ", x.about) : null),
        x.count ? h("span", { class: "badge", "aria-label": t("rooms.unread", { n: x.count }) }, x.count > 999 ? "999+" : x.count) : null,
        x.keys ? h("kbd", null, shown(x.keys)) : null));
    });
    fillWith(this.list, ...out);
    this.list.hidden = !out.length;
    this.none.hidden = out.length > 0;
    this.input.setAttribute("aria-expanded", out.length ? "true" : "false");
    this.status.textContent = t("palette.results", { n: this.entries.length });
    this.point(this.at);
  }

  private point(i: number): void {
    this.at = i;
    for (const e of this.list.querySelectorAll('[aria-selected="true"]')) e.setAttribute("aria-selected", "false");
    const e = document.getElementById(this.list.id + "-" + i);
    if (!e) return this.input.removeAttribute("aria-activedescendant");
    e.setAttribute("aria-selected", "true");
    this.input.setAttribute("aria-activedescendant", e.id);
    e.scrollIntoView({ block: "nearest" });
  }

  private key(e: KeyboardEvent): void {
    if (inComposition(e, this.composing, this.ended)) return;
    const n = this.entries.length;
    const to = { ArrowDown: this.at + 1, ArrowUp: this.at - 1, PageDown: Math.min(n - 1, this.at + 8), PageUp: Math.max(0, this.at - 8) }[e.key];
    if (to !== undefined && n) this.point((to + n) % n);
    else if (sends(e, this.composing, this.ended)) this.pick(this.at);
    else return;
    e.preventDefault();
  }

  private pick(i: number): void {
    const x = this.entries[i];
    if (!x) return;
    this.close();
    x.open();
  }
}

export const paletteFeature: Feature = {
  commands: [{ name: "palette.open", keys: "Ctrl+K", run: (f) => void new Palette(f) }],
  mainButtons: (f) => [iconButton("search", t("palette.open"), () => void new Palette(f), { "aria-keyshortcuts": "Control+K" })],
  start(f) {
    visited.length = 0;
    const note = () => {
      if (!f.room || visited[0] === f.room) return;
      const i = visited.indexOf(f.room);
      if (i >= 0) visited.splice(i, 1);
      visited.unshift(f.room);
    };
    return f.client.store.listen(note);
  },
};
