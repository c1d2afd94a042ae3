// Threads: the pane of one thread, and the line under a message that began one.
//
// Which threads one has taken part in, and how many replies one has seen there,
// is kept in this browser: another one marks them anew.

import type { ID, Message, Room } from "./api";
import type { Composer } from "./composer";
import { fillWith, h, icon, menuItem, place } from "./dom";
import type { Feature, Frame, View } from "./frame";
import { reveal } from "./frame";
import { brief, clock, dayKey, explain, t } from "./lang";
import { messageView, pendingView, signature, type MessageActions } from "./message";
import { threadKey, waiting, type Thread } from "./state";
import { noted, unseen, type Seen } from "./thread_seen";
import { involved } from "./thread_state";
import type { Topic } from "./store";

const together = 5 * 60 * 1000; // ms: replies of one person under one name
const slack = 40; // px that still count as the bottom

function shelf(f: Frame): string {
  return "posthouse.threads." + (f.client.store.state.me?.id ?? "");
}

function load(f: Frame): Seen {
  try {
    const v: unknown = JSON.parse(localStorage.getItem(shelf(f)) ?? "{}");
    return v && typeof v === "object" ? (v as Seen) : {};
  } catch {
    return {};
  }
}

function note(f: Frame, room: ID, seq: number, replies: number): void {
  const seen = load(f);
  const key = threadKey(room, seq);
  if ((seen[key] ?? -1) >= replies) return;
  try {
    localStorage.setItem(shelf(f), JSON.stringify(noted(seen, key, replies)));
  } catch {
    return; // full or forbidden: the mark comes again
  }
  f.client.store.dispatch({ type: "touch", topics: [`room:${room}`] });
}

class ThreadPane implements View {
  readonly title = t("thread.title");
  readonly element: HTMLElement;
  private list = h("ol", { class: "entries" });
  private edge = h("p", { class: "edge", role: "status" });
  private scroller: HTMLElement;
  private composer: Composer;
  private rows = new Map<string, { signature: string; row: HTMLElement }>();
  private atBottom = true;
  private asking = false;
  private failed = "";
  private resize: ResizeObserver;
  private act: MessageActions;

  constructor(private readonly f: Frame, private readonly room: ID, private readonly seq: number) {
    this.composer = f.write(room, () => this.sent(), seq);
    this.scroller = h("div", { class: "scroller", tabindex: 0, role: "region", "aria-label": t("thread.messages"), onscroll: () => this.scrolled() },
      this.edge, h("div", { role: "log", "aria-relevant": "additions", "aria-label": t("thread.messages") }, this.list));
    this.element = h("div", { class: "thread" }, this.scroller, this.composer.element);
    this.act = {
      reply: (m) => this.composer.startReply(m),
      edit: (m) => this.composer.startEdit(m),
      again: (p) => this.composer.again(p),
      info: (m) => f.pane("journey", String(m.seq)),
      jump: (n) => reveal(f, n),
      extra: f.menu,
    };
    this.resize = new ResizeObserver(() => {
      if (this.atBottom) this.bottom();
    });
    this.resize.observe(this.list);
    this.resize.observe(this.scroller);
    document.addEventListener("visibilitychange", this.look);
    addEventListener("focus", this.look);
    this.render();
    void this.open(0);
  }

  close(): void {
    this.resize.disconnect();
    document.removeEventListener("visibilitychange", this.look);
    removeEventListener("focus", this.look);
    this.f.client.store.dispatch({ type: "unthread", room: this.room, seq: this.seq });
  }

  focus(): void {
    this.composer.focus();
    if (!this.element.contains(document.activeElement)) this.scroller.focus();
  }

  draw(topics: Set<Topic>): void {
    if (topics.has("link") && !this.thread && this.f.client.store.state.link.state === "online") void this.open(0);
    if (topics.has(`room:${this.room}`) || topics.has("users") || topics.has("outbox") || topics.has("link")) this.render();
  }

  private get thread(): Thread | undefined {
    return this.f.client.store.state.threads.get(threadKey(this.room, this.seq));
  }

  private async open(before: number): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    this.failed = "";
    const first = this.list.firstElementChild?.nextElementSibling;
    try {
      await this.f.client.openThread(this.room, this.seq, before);
      if (before) first?.scrollIntoView({ block: "start" });
    } catch (e) {
      this.failed = explain(e);
    }
    this.asking = false;
    this.render();
  }

  private render(): void {
    const s = this.f.client.store.state;
    const r = s.rooms.get(this.room)?.room;
    const th = this.thread;
    this.composer.render();
    if (!r || !th?.first) {
      const missing = th && !this.asking && !this.failed ? t("thread.gone") : "";
      this.composer.element.hidden = missing !== "";
      fillWith(this.edge, this.failed || missing || t("loading"), this.failed ? h("button", { type: "button", onclick: () => void this.open(0) }, t("retry")) : null);
      return;
    }
    this.composer.element.hidden = !!th.first.recalled && !th.messages.length;
    fillWith(this.edge, th.atStart ? null : h("button", { type: "button", onclick: () => void this.open(th.messages[0]?.seq ?? 0) }, t("thread.earlier")));
    place(this.list, this.entries(r, th, th.first));
    this.f.client.wantFor([th.first, ...th.messages]);
    if (this.atBottom) this.bottom();
    this.look();
  }

  private entries(r: Room, th: Thread, first: Message): HTMLElement[] {
    const { client } = this.f;
    const s = client.store.state;
    const out: HTMLElement[] = [];
    const seen = new Set<string>();
    const keep = (key: string, sig: string, make: () => HTMLElement) => {
      seen.add(key);
      let kept = this.rows.get(key);
      if (kept?.signature !== sig) {
        const had = kept?.row.contains(document.activeElement);
        kept = { signature: sig, row: make() };
        this.rows.set(key, kept);
        if (had) queueMicrotask(() => kept?.row.querySelector<HTMLElement>("button")?.focus());
      }
      out.push(kept.row);
    };
    let before: Message | undefined;
    const line = first.replies ? t("thread.replies", { n: first.replies }) : t("thread.none");
    for (const m of [first, ...th.messages]) {
      const lead = before === first || before?.sender !== m.sender || !!before.recalled || m.time - before.time > together;
      keep("m" + m.seq, signature(s, m, lead) + this.f.menu.signature(m), () => messageView(client, r, m, lead, this.act));
      if (m === first) keep("line", line, () => h("li", { class: "day" }, h("span", null, line)));
      before = m;
    }
    const keys = new Set(th.messages.slice(-60).map((m) => m.key));
    for (const p of waiting(s, this.room, this.seq)) {
      if (!keys.has(p.key)) keep("p" + p.key, [p.failed, p.seq, s.link.state, s.readOnly].join(), () => pendingView(client, p, this.act));
    }
    for (const k of this.rows.keys()) if (!seen.has(k)) this.rows.delete(k);
    return out;
  }

  // look: what is in sight has been seen, by those who take part.
  private look = (): void => {
    const th = this.thread;
    const me = this.f.client.store.state.me?.id ?? "";
    if (!th?.first || !this.atBottom || document.hidden || !document.hasFocus()) return;
    if (involved(th, me) || load(this.f)[threadKey(this.room, this.seq)] !== undefined) note(this.f, this.room, this.seq, th.first.replies ?? 0);
  };

  private sent(): void {
    note(this.f, this.room, this.seq, this.thread?.first?.replies ?? 0);
    this.atBottom = true;
    this.bottom();
  }

  private scrolled(): void {
    const sc = this.scroller;
    this.atBottom = sc.scrollHeight - sc.scrollTop - sc.clientHeight <= slack;
    this.look();
  }

  private bottom(): void {
    this.scroller.scrollTop = this.scroller.scrollHeight;
  }
}

function newReplies(f: Frame, m: Message): number {
  return unseen(load(f), threadKey(m.room, m.seq), m.replies ?? 0, m.sender === f.client.store.state.me?.id);
}

// threadFoot is the line under a message that began a thread.
function threadFoot(f: Frame, m: Message): HTMLElement | null {
  if (!m.replies) return null;
  const fresh = newReplies(f, m);
  const last = m.last_reply ?? 0;
  const when = dayKey(last) === dayKey(Date.now()) ? clock(last) : brief(last, Date.now());
  return h("button", { type: "button", class: "thread-foot" + (fresh ? " fresh" : ""), onclick: () => f.pane("thread", String(m.seq)) },
    icon("thread"), h("span", null, t(m.replies === 1 ? "thread.foot.one" : "thread.foot", { n: m.replies, time: when })), fresh ? h("span", { class: "badge" }, t("thread.new", { n: fresh })) : null);
}

export const threadsFeature: Feature = {
  panes: { thread: (f, room, arg) => new ThreadPane(f, room, Number(arg) || 0) },
  messageMenu: (f, room, m) => (m.thread || room.archived ? [] : [menuItem(t("thread.reply"), () => f.pane("thread", String(m.seq)))]),
  messageBlock: (f, m) => threadFoot(f, m),
  messageSignature: (f, m) => (m.replies ? [m.replies, m.last_reply, newReplies(f, m)].join() : ""),
};
