// Searching messages: in one room as a side pane, in all of them as a page.

import type { ID, Message, SearchHit, SearchParams, User } from "./api";
import { Chooser } from "./chooser";
import { fillWith, h, icon, iconButton } from "./dom";
import type { Feature, Frame, View } from "./frame";
import { inComposition } from "./ime";
import { explain, t, when } from "./lang";
import { roomName, senderName, userAvatar } from "./names";
import { found } from "./rank";
import { roomOrder } from "./state";

const pause = 200; // ms between the last key and the question
const pageSize = 30;
const mostEmpty = 5; // pages without a hit that are asked for in a row
const choices = 8;

class Search implements View {
  readonly title: string;
  readonly element: HTMLElement;
  private input: HTMLInputElement;
  private list = h("ol", { class: "hits", onkeydown: (e: KeyboardEvent) => this.move(e) });
  private status = h("p", { class: "hint", role: "status" });
  private more = h("p", { class: "search-more" });
  private filters: HTMLElement;
  private files = h("input", { type: "checkbox", onchange: () => this.begin() });
  private after = h("input", { type: "date", onchange: () => this.begin() });
  private before = h("input", { type: "date", onchange: () => this.begin() });
  private sender: Chooser<User>;
  private where: Chooser<{ id: ID; name: string }> | null;
  private hits: SearchHit[] = [];
  private next = 0;
  private asked = 0; // newest question; answers to older ones are dropped
  private busy = false;
  private timer = 0;
  private composing = false;
  private ended = -1;
  private watch: IntersectionObserver;

  constructor(private readonly f: Frame, private readonly room: ID, query: string) {
    this.title = t(room ? "search.here" : "search.everywhere");
    this.input = h("input", {
      type: "search", value: query, maxlength: 200, placeholder: t("search.placeholder"), "aria-label": this.title, autocomplete: "off", enterkeyhint: "search",
      oninput: () => this.soon(),
      oncompositionstart: () => (this.composing = true),
      oncompositionend: (e: CompositionEvent) => {
        this.composing = false;
        this.ended = e.timeStamp;
        this.soon();
      },
      onkeydown: (e: KeyboardEvent) => this.key(e),
    });
    this.sender = new Chooser(t("search.sender"), async (q) => this.people(q), (u) => ({ name: u.name || u.login, hint: "@" + u.login }), () => this.begin());
    this.where = room ? null : new Chooser(t("search.room"), async (q) => this.rooms(q), (r) => ({ name: r.name, hint: "" }), () => this.begin());
    this.filters = h("div", { class: "search-filters", hidden: true }, this.where?.element ?? null, this.sender.element,
      h("label", { class: "field" }, h("span", null, t("search.after")), this.after), h("label", { class: "field" }, h("span", null, t("search.before")), this.before),
      h("label", { class: "search-files" }, this.files, " ", t("search.files")));
    const toggle = h("button", { type: "button", class: "quiet search-toggle", "aria-expanded": "false", onclick: () => {
      this.filters.hidden = !this.filters.hidden;
      toggle.setAttribute("aria-expanded", this.filters.hidden ? "false" : "true");
    } }, t("search.filters"));
    this.element = h("div", { class: "search" + (room ? "" : " wide") },
      h("form", { role: "search", class: "search-form", onsubmit: (e: Event) => e.preventDefault() }, h("div", { class: "search-box" }, icon("search"), this.input), toggle, this.filters),
      h("div", { class: "search-results" }, this.status, this.list, this.more));
    this.watch = new IntersectionObserver((seen) => {
      if (seen.some((x) => x.isIntersecting) && this.next && !this.busy) void this.load(this.asked);
    }, { root: this.element.lastElementChild, rootMargin: "300px" });
    this.watch.observe(this.more);
    this.begin();
  }

  focus(): void {
    this.input.focus();
    this.input.select();
  }

  close(): void {
    this.asked++;
    clearTimeout(this.timer);
    this.watch.disconnect();
  }

  draw(topics: Set<string>): void {
    if (topics.has("users") && this.hits.length) this.redraw();
  }

  private async people(q: string): Promise<User[]> {
    const { client } = this.f;
    const s = client.store.state;
    if (q) return (await client.call("search.names", { query: q, limit: choices })).users;
    const members = this.room ? [...(s.members.get(this.room)?.keys() ?? [])].flatMap((id) => s.users.get(id) ?? []) : [];
    return [...(s.me ? [s.me] : []), ...members.filter((u) => u.id !== s.me?.id)].slice(0, choices);
  }

  private rooms(q: string): { id: ID; name: string }[] {
    const s = this.f.client.store.state;
    const all = roomOrder(s).map((r) => ({ id: r.room.id, name: roomName(s, r.room) }));
    return (q ? found(q, all, (r) => [r.name]) : all).slice(0, choices);
  }

  // ---- asking

  private soon(): void {
    clearTimeout(this.timer);
    if (this.composing) return; // letters on their way to be characters
    this.timer = window.setTimeout(() => this.begin(), pause);
  }

  private params(): SearchParams {
    const day = (input: HTMLInputElement, days: number) => {
      const [y, m, d] = input.value.split("-").map(Number);
      return y && m && d ? new Date(y, m - 1, d + days).getTime() : 0;
    };
    const room = this.room || this.where?.value?.id;
    const [after, before] = [day(this.after, 0), day(this.before, 1)];
    return {
      query: this.input.value.trim(), limit: pageSize, ...(room ? { room } : {}), ...(this.sender.value ? { sender: this.sender.value.id } : {}),
      ...(this.files.checked ? { files: true } : {}), ...(after ? { after } : {}), ...(before ? { before } : {}),
    };
  }

  // begin asks anew for what is written.
  private begin(): void {
    clearTimeout(this.timer);
    const n = ++this.asked;
    this.busy = false;
    this.next = 0;
    const { query } = this.params();
    this.address(query);
    if ([...query].length < 2) {
      this.hits = [];
      this.redraw();
      this.status.textContent = t("search.hint");
      return;
    }
    void this.load(n, true);
  }

  // address keeps what is asked in the address of the page, for the way back.
  private address(query: string): void {
    const words = query ? "/" + encodeURIComponent(query).replace(/[!'()*]/g, (c) => "%" + c.charCodeAt(0).toString(16).toUpperCase()) : "";
    const want = "#/" + (this.room ? "room/" + this.room + "/search" : "search") + words;
    if (location.hash !== want && this.element.isConnected) history.replaceState(null, "", want);
  }

  private async load(n: number, fresh = false): Promise<void> {
    this.busy = true;
    if (fresh) this.list.setAttribute("aria-busy", "true");
    try {
      for (let pages = 0; pages < mostEmpty; pages++) {
        const page = fresh && !pages ? {} : { page: this.next };
        const r = await this.f.client.call("search.messages", { ...this.params(), ...page });
        if (n !== this.asked) return;
        if (fresh && !pages) this.hits = [];
        this.hits.push(...r.hits);
        this.next = r.next ?? 0;
        this.f.client.wantFor(r.hits.map((x) => x.message));
        this.say(r.building ?? 0);
        if (r.hits.length || !this.next) break;
      }
      this.redraw();
    } catch (e) {
      if (n !== this.asked) return;
      fillWith(this.status, explain(e), " ", h("button", { type: "button", onclick: () => this.begin() }, t("retry")));
    } finally {
      if (n === this.asked) {
        this.busy = false;
        this.list.removeAttribute("aria-busy");
      }
    }
  }

  private say(building: number): void {
    const text = this.hits.length ? t(this.next ? "search.some" : "search.count", { n: this.hits.length }) : this.next ? t("search.going") : t("search.none", { query: this.input.value.trim() });
    this.status.textContent = text + (building ? " " + t("search.building", { percent: building }) : "");
  }

  // ---- results

  private redraw(): void {
    const at = (document.activeElement as HTMLElement | null)?.closest<HTMLElement>(".search .hit")?.dataset["id"];
    fillWith(this.list, ...this.hits.map((x) => h("li", null, this.hit(x))));
    if (at) this.list.querySelector<HTMLElement>(`[data-id="${CSS.escape(at)}"]`)?.focus();
    fillWith(this.more, this.next ? h("button", { type: "button", onclick: () => void this.load(this.asked) }, t("search.more")) : null);
  }

  private hit({ message: m, snippet }: SearchHit): HTMLElement {
    const s = this.f.client.store.state;
    const r = s.rooms.get(m.room)?.room;
    const text = h("span", { class: "snippet" });
    let at = 0;
    for (const mark of snippet.marks ?? []) {
      text.append(snippet.text.slice(at, mark.from), h("mark", null, snippet.text.slice(mark.from, mark.to)));
      at = mark.to;
    }
    text.append(snippet.text.slice(at));
    return h("a", { class: "hit", href: "#/room/" + m.room + "/m/" + m.seq, "data-id": m.id, onclick: (e: MouseEvent) => this.open(e, m) },
      h("span", { class: "hit-head" }, userAvatar(s, m.sender), h("span", { class: "name" }, senderName(s, m)), h("time", { datetime: new Date(m.time).toISOString() }, when(m.time))),
      this.room ? null : h("span", { class: "hit-room" }, r ? roomName(s, r) : ""), text,
      ...(m.files ?? []).map((f) => h("span", { class: "hit-file" }, icon("file"), h("span", { class: "file-name" }, f.name))));
  }

  // open shows the message. A pane that stands beside the room stays.
  private open(e: MouseEvent, m: Message): void {
    const beside = this.room && !matchMedia("(max-width: 1100px)").matches;
    if (!beside || e.ctrlKey || e.metaKey || e.shiftKey) return;
    e.preventDefault();
    void this.f.timeline?.jump(m.seq);
  }

  // ---- keys

  private key(e: KeyboardEvent): void {
    if (inComposition(e, this.composing, this.ended)) return;
    if (e.key === "Enter") this.begin();
    else if (e.key === "ArrowDown") this.list.querySelector<HTMLElement>(".hit")?.focus();
    else return;
    e.preventDefault();
  }

  private move(e: KeyboardEvent): void {
    const all = [...this.list.querySelectorAll<HTMLElement>(".hit")];
    const i = all.indexOf(document.activeElement as HTMLElement);
    const to = { ArrowDown: i + 1, ArrowUp: i - 1, Home: 0, End: all.length - 1 }[e.key];
    if (to === undefined || i < 0) return;
    e.preventDefault();
    if (to < 0) this.input.focus();
    else all[Math.min(to, all.length - 1)]!.focus();
  }
}

export const searchFeature: Feature = {
  panes: { search: (f, room, arg) => new Search(f, room, arg) },
  pages: { search: (f, arg) => new Search(f, "", arg) },
  commands: [
    { name: "search.here", keys: "Ctrl+F", when: (f) => f.room !== "" && !document.activeElement?.closest(".search"), run: (f) => f.pane("search") },
    { name: "search.everywhere", keys: "Ctrl+Shift+F", run: (f) => f.go("search") },
  ],
  roomButtons: (f) => [iconButton("search", t("search.here"), () => f.pane("search"))],
};
