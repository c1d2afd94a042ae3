// What this page knows of notices, one book for each logged-in account.

import type { ID, Notice, NoticeChange } from "./api";
import type { Client } from "./client";
import { toast } from "./dom";
import { explain, t } from "./lang";
import { nameOf } from "./names";

// Notices keeps what this page knows of notices. Events change it; what is not
// known is asked for once.
export class Notices {
  total = 0; // waiting for the caller
  private known = new Map<ID, Notice>();
  private asked = new Set<ID>();
  private hearers = new Set<(id: ID) => void>();

  constructor(private readonly client: Client) {}

  // load asks what waits: after every new connection.
  async load(): Promise<void> {
    this.asked.clear();
    try {
      const r = await this.client.call("notice.list", { limit: 100 });
      for (const n of this.known.values()) if (n.mine === "waiting") this.known.delete(n.id);
      for (const n of r.notices) this.put(n);
      this.total = r.waiting;
      this.touch();
    } catch {
      // The next connection asks again.
    }
  }

  // waiting are the notices known to wait, newest first.
  waiting(): Notice[] {
    return [...this.known.values()].filter((n) => n.mine === "waiting" && !n.closed_at).sort((a, b) => b.created - a.created);
  }

  put(n: Notice): void {
    this.known.set(n.id, n);
    this.client.wantUsers([n.author]);
  }

  // get is a notice, if it is known; else it is asked for.
  get(id: ID): Notice | undefined {
    const n = this.known.get(id);
    if (!n && !this.asked.has(id)) void this.ask(id);
    return n;
  }

  async ask(id: ID): Promise<void> {
    this.asked.add(id);
    try {
      this.put((await this.client.call("notice.get", { notice: id })).notice);
      this.touch();
    } catch {
      // Not to be seen here: the message tells the text.
    }
  }

  async confirm(n: Notice): Promise<void> {
    try {
      await this.client.call("notice.confirm", { notice: n.id });
    } catch (e) {
      return toast(explain(e), true);
    }
    const now = this.known.get(n.id) ?? n;
    if (now.mine !== "waiting") return; // the event was faster
    this.count(-1);
    this.put({ ...now, mine: "confirmed", confirmed_at: Date.now(), confirmed: now.confirmed + 1 });
    this.touch();
  }

  // change takes an event. One that comes twice changes nothing the second time.
  change(c: NoticeChange): void {
    const me = this.client.store.state.me?.id;
    const old = this.known.get(c.notice.id);
    const mine = c.what === "confirmed" && c.user === me ? { mine: "confirmed", confirmed_at: c.at } : c.asked ? { mine: "waiting" } : { mine: old?.mine, confirmed_at: old?.confirmed_at };
    if (old?.mine === "confirmed") Object.assign(mine, { mine: old.mine, confirmed_at: old.confirmed_at });
    const next: Notice = { ...old, ...c.notice, ...mine };
    const waits = (n?: Notice) => n?.mine === "waiting" && !n.closed_at;
    this.count(Number(!!waits(next)) - Number(!!waits(old)));
    this.put(next);
    if (c.asked && waits(next)) void this.tell(c);
    this.touch();
    for (const f of [...this.hearers]) f(next.id);
  }

  // hear calls f with every notice that changes.
  hear(f: (id: ID) => void): () => void {
    this.hearers.add(f);
    return () => void this.hearers.delete(f);
  }

  private count(by: number): void {
    this.total = Math.max(0, this.total + by);
  }

  private touch(): void {
    const rooms = [...this.client.store.state.timelines.keys()].map((id) => `room:${id}` as const);
    this.client.store.dispatch({ type: "touch", topics: ["notices", ...rooms] });
  }

  // tell says that somebody waits: in the page, and beside it where the browser
  // allows that. What came while the page was away shows in the banner.
  private async tell(c: NoticeChange): Promise<void> {
    const s = this.client.store.state;
    if (s.link.state !== "online") return;
    if (!s.users.has(c.notice.author)) {
      await this.client.call("directory.get", { users: [c.notice.author] }).then((r) => this.client.store.dispatch({ type: "users", users: r.users }), () => {});
    }
    const text = c.what === "reminded" ? t("notices.reminded", { title: c.notice.title }) : t("notices.arrived", { name: nameOf(s, c.notice.author), title: c.notice.title });
    toast(text);
    if (!document.hidden || typeof Notification === "undefined" || Notification.permission !== "granted") return;
    const n = new Notification(s.organisation || t("app.name"), { body: text, tag: "notice" + c.notice.id });
    n.onclick = () => {
      focus();
      location.hash = "#/notices/" + c.notice.id;
    };
  }
}

// books holds the notices of each logged-in account of this page.
const books = new WeakMap<Client, Notices>();

export function noticesOf(client: Client): Notices {
  let n = books.get(client);
  if (!n) {
    n = new Notices(client);
    books.set(client, n);
  }
  return n;
}
