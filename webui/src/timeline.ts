// The timeline of one room.
//
// Only the loaded stretch is in the page. Reaching its upper or lower edge loads
// the next page there, and the store drops the far end. What one looks at stays
// where it is: the entry at the upper edge is the anchor when the list changes,
// unless one is at the bottom, where one stays at the bottom.

import type { ID, Message } from "./api";
import type { Client } from "./client";
import { fillWith, h, icon, place } from "./dom";
import { day, dayKey, explain, t } from "./lang";
import { messageView, pendingView, signature, type MessageActions } from "./message";
import { nameOf, roomName } from "./names";
import { RpcError } from "./rpc";
import { typingIn, unread, waiting } from "./state";

const near = 600; // px from an edge at which the next page is asked for
const bottomSlack = 40; // px that still count as the bottom
const together = 5 * 60 * 1000; // ms: entries of one person under one name

export class Timeline {
  readonly element: HTMLElement;
  private scroller: HTMLElement;
  private list = h("ol", { class: "entries" });
  private log = h("div", { role: "log", "aria-relevant": "additions" }, this.list);
  private top = h("p", { class: "edge", role: "status" });
  private typing = h("p", { class: "typing-line", "aria-live": "polite" });
  private jumpButton: HTMLButtonElement;
  private newButton: HTMLButtonElement;
  private rows = new Map<string, { signature: string; row: HTMLElement }>();
  private atBottom = true;
  private stood = 0; // where the list was scrolled to when it was last at the bottom
  private marker = -1; // entries after it are new; -1: no line
  private markerCount = 0;
  private opened = false;
  private opening = false;
  private failed = "";
  private gone = false; // the server has no such room for the reader: asking again is of no use
  private busy = false;
  private lastHead = 0;
  private resize: ResizeObserver;
  private flash = 0;

  constructor(private readonly client: Client, readonly room: ID, private readonly act: MessageActions) {
    this.jumpButton = h("button", { type: "button", class: "jump", hidden: true, onclick: () => this.toEnd(), "aria-label": t("timeline.jump"), title: t("timeline.jump") }, icon("down"));
    this.newButton = h("button", { type: "button", class: "above", hidden: true, onclick: () => this.toMarker() });
    this.scroller = h("div", { class: "scroller", tabindex: 0, onscroll: () => this.scrolled() }, this.top, this.log, this.typing);
    this.scroller.setAttribute("role", "region");
    this.element = h("div", { class: "timeline" }, this.newButton, this.scroller, this.jumpButton);
    this.resize = new ResizeObserver(() => {
      if (this.atBottom && !this.leaving()) this.bottom();
    });
    this.resize.observe(this.list);
    this.resize.observe(this.scroller);
    void this.open();
  }

  close(): void {
    this.resize.disconnect();
    this.client.closeRoom(this.room);
  }

  private async open(): Promise<void> {
    this.failed = "";
    this.gone = false;
    this.opening = true;
    this.render();
    try {
      await this.client.openRoom(this.room);
    } catch (e) {
      this.failed = explain(e);
      this.gone = e instanceof RpcError && ["invalid_params", "not_found", "forbidden"].includes(e.kind);
    }
    this.opening = false;
    this.render();
  }

  // reload is for a new connection: what failed is tried again, and a reset
  // has thrown the pages away.
  reload(): void {
    if (!this.opening && !this.client.store.state.timelines.has(this.room)) void this.open();
  }

  // seen marks everything read when the person can see the newest entry.
  seen(): void {
    const tl = this.client.store.state.timelines.get(this.room);
    if (tl?.atEnd && this.atBottom && this.opened && attending()) this.client.read(this.room);
  }

  // sent: one's own message goes out. One has read what stands above it.
  sent(): void {
    this.marker = -1;
    this.toEnd();
  }

  render(): void {
    const s = this.client.store.state;
    const r = s.rooms.get(this.room);
    const tl = s.timelines.get(this.room);
    if (!r || !tl) {
      this.rows.clear();
      // What one writes is shown though nothing has been loaded.
      fillWith(this.list, ...(r ? waiting(s, this.room).map((p) => pendingView(this.client, p, this.act)) : []));
      if (this.gone) this.top.textContent = t("select");
      else if (this.failed) fillWith(this.top, this.failed, " ", h("button", { type: "button", onclick: () => void this.open() }, t("retry")));
      else this.top.textContent = s.position > 0 && !r && !this.opening ? t("room.gone") : t("loading");
      this.opened = false;
      return;
    }
    this.log.setAttribute("aria-label", t("timeline.label", { room: roomName(s, r.room) }));
    this.scroller.setAttribute("aria-label", t("timeline.label", { room: roomName(s, r.room) }));
    this.mark(r.room.head, r.room.my_read, unread(r));
    if (this.opened && this.atBottom && this.leaving()) this.atBottom = false;
    const anchor = this.opened && !this.atBottom ? this.anchor() : null;
    // Only what comes in at the end is read aloud, not the pages one scrolls to.
    this.log.setAttribute("aria-live", this.opened && this.atBottom ? "polite" : "off");
    place(this.list, this.entries(tl.messages, tl.atEnd));
    this.top.textContent = tl.atStart ? (tl.messages.length ? t("timeline.start") : t("timeline.empty")) : t("timeline.earlier");
    this.client.wantFor(tl.messages);
    this.renderTyping();
    if (!this.opened) {
      this.opened = true;
      this.atBottom = true;
      this.bottom();
    } else if (this.atBottom && tl.atEnd) this.bottom();
    else if (anchor) this.restore(anchor);
    this.buttons();
    this.fillScreen();
    this.seen();
  }

  // mark decides where the line of new messages is: at the read mark when the
  // room is opened, and at what was newest when the person looked away.
  private mark(head: number, read: number, count: number): void {
    if (!this.opened) {
      this.marker = count > 0 ? read : -1;
      this.markerCount = count;
    } else if (head > this.lastHead && this.marker < 0 && !(attending() && this.atBottom)) {
      const m = this.client.store.state.rooms.get(this.room)?.room.last;
      if (m && m.sender !== this.client.store.state.me?.id) {
        this.marker = this.lastHead;
        this.markerCount = 0;
      }
    }
    this.lastHead = head;
  }

  private entries(messages: Message[], atEnd: boolean): HTMLElement[] {
    const s = this.client.store.state;
    const room = s.rooms.get(this.room)!.room;
    const out: HTMLElement[] = [];
    const seen = new Set<string>();
    const keep = (key: string, sig: string, make: () => HTMLElement) => {
      seen.add(key);
      const old = this.rows.get(key);
      if (old?.signature === sig) return void out.push(old.row);
      const row = make();
      if (old?.row.contains(document.activeElement)) {
        const whole = old.row === document.activeElement;
        if (whole) row.tabIndex = -1;
        queueMicrotask(() => (whole ? row : row.querySelector<HTMLElement>(".actions, button"))?.focus({ preventScroll: true }));
      }
      this.rows.set(key, { signature: sig, row });
      out.push(row);
    };
    const now = Date.now();
    let before: Message | undefined;
    let lined = false;
    for (const m of messages) {
      if (!before || dayKey(before.time) !== dayKey(m.time)) {
        const text = day(m.time, now);
        keep("day" + dayKey(m.time), text, () => h("li", { class: "day" }, h("span", null, text)));
        before = undefined;
      }
      if (!lined && this.marker >= 0 && m.seq > this.marker && !m.change && m.sender !== s.me?.id) {
        lined = true;
        if (m.seq > messages[0]!.seq || this.marker + 1 >= m.seq) {
          keep("new", "", () => h("li", { class: "newline" }, h("span", null, t("timeline.new"))));
          before = undefined;
        }
      }
      const lead = !before || before.sender !== m.sender || before.as !== m.as || !!before.change || !!before.recalled || m.time - before.time > together;
      keep("m" + m.seq, signature(s, m, lead) + this.act.extra.signature(m), () => messageView(this.client, room, m, lead, this.act));
      before = m;
    }
    if (atEnd) {
      const keys = new Set(messages.slice(-60).map((m) => m.key));
      for (const p of waiting(s, this.room)) {
        if (keys.has(p.key)) continue;
        keep("p" + p.key, [p.failed, p.seq, p.unkept, s.link.state, s.readOnly].join(), () => pendingView(this.client, p, this.act));
      }
    }
    for (const k of this.rows.keys()) if (!seen.has(k)) this.rows.delete(k);
    return out;
  }

  renderTyping(): void {
    const s = this.client.store.state;
    const people = typingIn(s, this.room, Date.now());
    this.client.wantUsers(people);
    const [a, b] = people;
    const text = !a ? "" : people.length === 1 ? t("typing.one", { name: nameOf(s, a) }) : people.length === 2 ? t("typing.two", { a: nameOf(s, a), b: nameOf(s, b!) }) : t("typing.many", { n: people.length });
    if (this.typing.textContent !== text) this.typing.textContent = text;
  }

  private anchor(): { key: string; top: number } | null {
    const edge = this.scroller.getBoundingClientRect().top;
    for (const e of this.list.children) {
      const box = e.getBoundingClientRect();
      const key = e instanceof HTMLElement ? e.dataset["seq"] : undefined;
      if (key && box.bottom > edge) return { key, top: box.top };
    }
    return null;
  }

  private restore(a: { key: string; top: number }): void {
    const e = this.find(Number(a.key));
    if (e) this.scroller.scrollTop += e.getBoundingClientRect().top - a.top;
  }

  private find(seq: number): HTMLElement | null {
    return this.list.querySelector<HTMLElement>(`[data-seq="${seq}"]`);
  }

  private bottom(): void {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.stood = this.scroller.scrollTop;
  }

  // leaving: somebody has scrolled up, and the event that tells it is still on its
  // way. A list that became shorter is scrolled up too, but it is at its bottom.
  private leaving(): boolean {
    const sc = this.scroller;
    return sc.scrollTop < this.stood - bottomSlack && sc.scrollHeight - sc.scrollTop - sc.clientHeight > bottomSlack;
  }

  private scrolled(): void {
    if (!this.opened) return;
    const sc = this.scroller;
    const below = sc.scrollHeight - sc.scrollTop - sc.clientHeight;
    const tl = this.client.store.state.timelines.get(this.room);
    this.atBottom = below <= bottomSlack && !!tl?.atEnd;
    if (this.atBottom) this.stood = sc.scrollTop;
    this.buttons();
    this.seen();
    this.fillScreen();
  }

  private fillScreen(): void {
    const tl = this.client.store.state.timelines.get(this.room);
    if (!tl || this.busy || !this.element.isConnected) return;
    const sc = this.scroller;
    const below = sc.scrollHeight - sc.scrollTop - sc.clientHeight;
    let more: Promise<void> | null = null;
    if (sc.scrollTop < near && !tl.atStart) more = this.client.earlier(this.room);
    else if (below < near && !tl.atEnd) more = this.client.later(this.room);
    if (!more) return;
    this.busy = true;
    more.then(() => {
      this.busy = false;
      requestAnimationFrame(() => this.fillScreen());
    }, (e) => {
      this.top.textContent = explain(e);
      setTimeout(() => (this.busy = false), 3000);
    });
  }

  private buttons(): void {
    const s = this.client.store.state;
    const tl = s.timelines.get(this.room);
    this.jumpButton.hidden = this.atBottom || !tl;
    const first = tl?.messages[0]?.seq ?? 0;
    const line = this.list.querySelector(".newline");
    const hiddenAbove = this.marker >= 0 && (line ? line.getBoundingClientRect().bottom < this.scroller.getBoundingClientRect().top : first > this.marker + 1);
    this.newButton.hidden = !hiddenAbove || this.markerCount === 0;
    if (hiddenAbove) fillWith(this.newButton, icon("up"), t("timeline.unread", { n: this.markerCount }));
  }

  private toEnd(): void {
    const tl = this.client.store.state.timelines.get(this.room);
    this.atBottom = true;
    if (tl?.atEnd) {
      this.bottom();
      this.buttons();
      this.seen();
      return;
    }
    this.client.newest(this.room).then(() => {
      this.atBottom = true;
      this.render();
    }, () => {});
  }

  // toUnread jumps to the line of what was new when the room was opened; false:
  // nothing was.
  toUnread(): boolean {
    if (this.marker < 0) return false;
    this.toMarker();
    return true;
  }

  private toMarker(): void {
    void this.jump(this.marker + 1, false);
    this.markerCount = 0;
  }

  // jump shows an entry, loading the pages around it when they are far.
  async jump(seq: number, light = true): Promise<void> {
    if (!this.find(seq)) {
      this.atBottom = false;
      try {
        await this.client.around(this.room, seq);
      } catch {
        return;
      }
      this.render();
    }
    const e = this.find(seq);
    if (!e) return;
    this.atBottom = false;
    e.scrollIntoView({ block: "center" });
    this.scrolled();
    if (!light) return;
    clearTimeout(this.flash);
    for (const old of this.list.querySelectorAll(".flash")) old.classList.remove("flash");
    e.classList.add("flash");
    this.flash = window.setTimeout(() => e.classList.remove("flash"), 2000);
  }
}

// attending: somebody looks at this page.
function attending(): boolean {
  return document.visibilityState === "visible" && document.hasFocus();
}
