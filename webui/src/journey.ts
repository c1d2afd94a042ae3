// The pane of one message's journey: who in the room has read it, and, for its
// author, how far it has come on every device.
//
// It asks anew whenever receipts, read marks or presence move, once more a
// little later, because the server keeps the times of devices once a second,
// and now and then, because large rooms tell no receipts.

import type { ID, Journey, Message, Readers, Step } from "./api";
import { fillWith, h, icon, unique, type Child, type Icon } from "./dom";
import type { Feature, Frame, View } from "./frame";
import { exact, explain, moment, t } from "./lang";
import { ladder, passed, travellers, type Rung, type Traveller } from "./journey_steps";
import { nameOf, recalledText, userAvatar } from "./names";
import { plain } from "./markup";
import type { Topic } from "./store";
import { sees } from "./accounts";
import type { Key } from "./words";

const keptEvery = 1300; // ms after which the server has kept what it told
const pollEvery = 5000; // ms
const watchedMax = 100; // people
const listed = 50; // people listed before one asks for all
const searchFrom = 20; // people

const icons: Record<Rung["step"], Icon> = { stored: "clock", pushed: "up", acknowledged: "check", read: "checks" };

class JourneyPane implements View {
  readonly title = t("journey.title");
  readonly element: HTMLElement;
  private top = h("div", { class: "journey-top" });
  private body = h("div", { class: "journey-body" });
  private search: HTMLInputElement;
  private message: Message | null = null;
  private journey: Journey | null = null;
  private readers: Readers | null = null;
  private everyone = new Set<string>(); // lists that are shown in full
  private timers: number[] = [];
  private poll: number;
  private asking = false;
  private again = false;
  private watching = false;
  private marks = "";
  private drawn = "";

  constructor(private readonly f: Frame, private readonly room: ID, private readonly seq: number) {
    this.search = h("input", { type: "search", hidden: true, placeholder: t("people.search"), "aria-label": t("people.search"), oninput: () => {
      this.f.client.wantUsers(this.people());
      this.render();
    } });
    this.element = h("div", { class: "pane-scroll journey" }, this.top, this.search, this.body);
    fillWith(this.top, h("p", { role: "status" }, t("loading")));
    void this.load();
    this.poll = window.setInterval(() => {
      if (!document.hidden) void this.load();
    }, pollEvery);
  }

  close(): void {
    clearInterval(this.poll);
    this.f.client.watchFor(this, []);
    for (const x of this.timers) clearTimeout(x);
  }

  draw(topics: Set<Topic>): void {
    const s = this.f.client.store.state;
    if (topics.has(`room:${this.room}`)) {
      const now = JSON.stringify([[...(s.devices.get(this.room)?.values() ?? [])].map((p) => [Math.min(p.acked, this.seq), Math.min(p.pushed, this.seq)]), [...(s.reads.get(this.room)?.values() ?? [])].filter((m) => m.seq >= this.seq).length, s.rooms.get(this.room)?.room.members]);
      if (now !== this.marks) this.soon();
      this.marks = now;
    }
    if (topics.has("presence") || (topics.has("link") && s.link.state === "online")) this.soon();
    if (topics.has("users")) this.render();
  }

  private soon(): void {
    for (const x of this.timers) clearTimeout(x);
    this.timers = [150, keptEvery, 2 * keptEvery].map((ms) => window.setTimeout(() => void this.load(), ms));
  }

  private async load(): Promise<void> {
    this.again = this.asking;
    if (this.asking) return;
    this.asking = true;
    const { client } = this.f;
    try {
      if (!this.message) {
        const page = await client.call("room.history", { room: this.room, after: this.seq - 1, from_start: this.seq === 1, limit: 1 });
        this.message = page.messages.find((m) => m.seq === this.seq) ?? null;
        if (!this.message) throw new Error(t("thread.gone"));
      }
      const message = this.message.id;
      const mine = this.message.sender === client.store.state.me?.id;
      const [readers, journey] = await Promise.all([client.call("message.readers", { message }), mine || sees(client) ? client.call("message.journey", { message }) : null]);
      readers.read = readers.read.filter((r) => r.user !== this.message!.sender);
      this.readers = readers;
      this.journey = journey;
      if (journey && mine) client.store.dispatch({ type: "steps", room: this.room, seq: this.seq, steps: journey.steps });
      if (journey && !this.watching) client.watchFor(this, [...new Set(journey.steps.map((x) => x.user))].slice(0, watchedMax));
      this.watching = !!journey;
      client.wantUsers([this.message.sender, ...this.people().slice(0, 4 * listed)]);
      this.render();
    } catch (e) {
      if (!this.readers) fillWith(this.top, h("p", { class: "error", role: "alert" }, e instanceof Error && !this.message ? e.message || explain(e) : explain(e)));
    }
    this.asking = false;
    if (this.again) void this.load();
  }

  private people(): ID[] {
    return [...(this.journey?.steps.map((x) => x.user) ?? []), ...(this.readers?.unread ?? []), ...(this.readers?.read.map((r) => r.user) ?? [])];
  }

  private fits(user: ID): boolean {
    const q = this.search.value.trim().toLowerCase();
    const s = this.f.client.store.state;
    return !q || nameOf(s, user).toLowerCase().includes(q) || (s.users.get(user)?.login ?? "").includes(q);
  }

  private render(): void {
    const { message: m, readers, journey } = this;
    if (!m || !readers) return;
    const s = this.f.client.store.state;
    const n = readers.read.length + readers.unread.length;
    const look = JSON.stringify([readers, journey, this.search.value, [...this.everyone], this.people().slice(0, 8 * listed).map((u) => nameOf(s, u))]);
    if (look === this.drawn) return;
    this.drawn = look;
    const focused = this.body.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset["focus"] : undefined;
    const stored = journey?.stored ?? m.time;
    this.search.hidden = n <= searchFrom;
    fillWith(this.top,
      h("blockquote", { class: "quoted" }, m.recalled ? recalledText(s, m) : m.text ? plain(m.text).slice(0, 300) : m.files?.map((x) => x.name).join(", ") ?? ""),
      h("p", { class: "stored" }, icon("check"), h("span", null, h("strong", null, t("journey.stored")), " ", moment(stored))),
      h("p", { class: "journey-sum", role: "status" }, t("journey.sum", { n: readers.read.length, all: n })),
      n ? h("progress", { max: n, value: readers.read.length, "aria-label": t("journey.sum", { n: readers.read.length, all: n }) }) : null);
    const parts: Child[] = [];
    if (journey) {
      parts.push(this.list("way", t("journey.way"), travellers(journey.steps), (p) => p.user, (p) => this.traveller(p, stored)),
        journey.more ? h("p", { class: "hint" }, t("journey.more")) : null, h("p", { class: "hint" }, t("journey.exact")));
    }
    parts.push(
      this.list("unread", t("info.unread", { n: readers.unread.length }), readers.unread, (u) => u, (u) => this.person(u, null)),
      this.list("read", t("info.read", { n: readers.read.length }), [...readers.read].sort((a, b) => (b.at ?? 0) - (a.at ?? 0)), (r) => r.user, (r) => this.person(r.user, r.at ? h("time", null, this.when(r.at, stored)) : null)));
    fillWith(this.body, ...parts);
    if (focused) this.body.querySelector<HTMLElement>(`[data-focus="${focused}"]`)?.focus();
  }

  private list<T>(key: string, title: string, all: readonly T[], user: (x: T) => ID, row: (x: T) => HTMLElement): HTMLElement | null {
    if (!all.length) return null;
    const id = unique("j");
    const found = all.filter((x) => this.fits(user(x)));
    const shown = this.everyone.has(key) ? found : found.slice(0, listed);
    return h("section", { "aria-labelledby": id, class: "journey-" + key }, h("h3", { id }, title),
      found.length ? h("ul", { class: "people open" }, ...shown.map(row)) : h("p", { class: "hint" }, t("people.none")),
      shown.length < found.length ? h("button", { type: "button", onclick: () => {
        this.everyone.add(key);
        this.f.client.wantUsers(found.map(user));
        this.render();
      } }, t("journey.all", { n: found.length })) : null);
  }

  private person(user: ID, more: Child): HTMLElement {
    const s = this.f.client.store.state;
    return h("li", { class: "discover" }, userAvatar(s, user), h("span", { class: "about" }, h("span", { class: "name" }, nameOf(s, user))), more);
  }

  private traveller(p: Traveller, stored: number): HTMLElement {
    const s = this.f.client.store.state;
    const line = p.state === "read" && p.readAt ? t("journey.readat", { time: this.when(p.readAt, stored) }) : !p.steps.length && p.state !== "read" ? t("journey.nodevice") : t(("step." + p.state) as Key);
    return h("li", { class: "traveller" },
      h("div", { class: "discover" }, userAvatar(s, p.user), h("span", { class: "about" }, h("span", { class: "name" }, nameOf(s, p.user)), h("span", { class: "login step " + p.state }, icon(icons[p.state]), line))),
      p.steps.length ? h("ul", { class: "ways" }, ...p.steps.map((x) => this.device(x, stored))) : null);
  }

  private device(x: Step, stored: number): HTMLElement {
    const rungs = ladder(x, stored).filter((r) => r.step !== "read");
    return h("li", null, h("p", { class: "way-name" }, x.name || t("journey.device"), " ",
      h("span", { class: "hint" }, x.online ? t("presence.online") : x.last_seen ? t("journey.offline", { time: this.when(x.last_seen, 0) }) : t("presence.offline"))),
    h("ol", { class: "ladder" }, ...rungs.map((r) => h("li", { class: r.reached ? "reached" : "" }, icon(r.reached ? icons[r.step] : "clock"),
      h("span", null, t(("step." + r.step) as Key)), h("span", { class: "hint" }, this.rung(r, stored))))));
  }

  private rung(r: Rung, stored: number): string {
    if (!r.reached) return t("journey.notyet");
    if (!r.at) return r.step === "pushed" ? "" : t("journey.unknown"); // it came with the list of rooms
    if (r.step === "stored") return this.when(r.at, stored);
    const p = passed(stored, r.at);
    return this.when(r.at, stored) + " · " + (p ? t(("journey.after." + p.unit) as Key, { n: p.n }) : t("journey.atonce"));
  }

  // when is a time to the second, with its day unless it is that of the message.
  private when(at: number, stored: number): string {
    return stored && new Date(at).toDateString() === new Date(stored).toDateString() ? exact(at) : moment(at);
  }
}

export const journeyFeature: Feature = {
  panes: { journey: (f, room, arg) => new JourneyPane(f, room, Number(arg) || 0) },
};
