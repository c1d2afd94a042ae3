// The pages of notices: the inbox, and one notice with, for its author, the
// live list of who has confirmed.

import type { Department, ID, Notice, NoticeDepartment, NoticeListParams, NoticePerson } from "./api";
import { confirm as ask, fillWith, h, icon, toast } from "./dom";
import type { Frame, View } from "./frame";
import { explain, full, t, when } from "./lang";
import { render } from "./markup";
import { nameOf, userAvatar } from "./names";
import { noticesOf } from "./notice_book";
import { compose } from "./notice_compose";
import { csvOf } from "./notice_text";
import type { Key } from "./words";

const atOnce = 100; // people of one page of the live list
const most = 500; // people of one answer

export function noticesPage(f: Frame, arg: string): View {
  return /^[0-9a-z]{13}$/.test(arg) ? notice(f, arg) : inbox(f);
}

// radios is a row of choices, of which one is made.
function radios(legend: string, name: string, choices: { value: string; label: string }[], change: (value: string) => void): HTMLFieldSetElement {
  return h("fieldset", { class: "kinds" }, h("legend", { class: "sr" }, legend), ...choices.map((c, i) => h("label", null,
    h("input", { type: "radio", name, value: c.value, checked: i === 0, onchange: () => change(c.value) }), h("span", null, c.label))));
}

// standing is the button or the line that says how the caller stands, and how
// far everybody is.
export function standing(f: Frame, n: Notice): HTMLElement {
  const me = f.client.store.state.me?.id;
  const now = Date.now();
  const box = h("div", { class: "notice-state" });
  if (n.closed_at) box.append(h("p", { class: "hint" }, t("notices.closed", { time: when(n.closed_at) })));
  else if (n.deadline && n.mine !== "confirmed") {
    box.append(h("p", { class: n.deadline < now ? "overdue" : "hint" }, t(n.deadline < now ? "notices.overdue" : "notices.deadline", { time: when(n.deadline) })));
  }
  const row = h("div", { class: "notice-row" });
  if (n.mine === "confirmed") row.append(h("p", { class: "done" }, icon("check"), t("notices.confirmed", { time: when(n.confirmed_at ?? now) })));
  else if (n.mine && !n.closed_at) {
    const b: HTMLButtonElement = h("button", { type: "button", class: "primary", "aria-label": t("notices.confirm.label", { title: n.title }), onclick: async () => {
      b.disabled = true;
      await noticesOf(f.client).confirm(n);
      b.disabled = false;
    } }, t("notices.confirm"));
    row.append(b);
  }
  const count = t("notices.count", { n: n.confirmed, all: n.audience });
  if (n.author === me) row.append(h("button", { type: "button", class: "count", onclick: () => f.go("notices/" + n.id) }, count));
  else row.append(h("span", { class: "hint" }, count));
  box.append(row);
  return box;
}

function words(n: Notice): HTMLElement {
  const e = h("div", { class: "text" });
  if (n.text) e.appendChild(render(n.text));
  return e;
}

function card(f: Frame, n: Notice): HTMLElement {
  const s = f.client.store.state;
  return h("article", { class: "hit", "data-notice": n.id },
    h("header", null, userAvatar(s, n.author), h("span", { class: "name" }, nameOf(s, n.author)), h("time", null, when(n.created))),
    h("h2", null, h("a", { href: "#/notices/" + n.id }, n.title)), n.text ? words(n) : null, standing(f, n));
}

function inbox(f: Frame): View {
  const book = noticesOf(f.client);
  const role = f.client.store.state.me?.role;
  let box = "waiting";
  let list: Notice[] = [];
  let asked = 0;
  let timer = 0;
  const status = h("p", { class: "hint", role: "status" });
  const items = h("ul", { class: "hits" });
  const more = h("button", { type: "button", hidden: true, onclick: () => void load(true) }, t("notices.more"));
  const show = () => {
    status.textContent = list.length ? "" : t(box === "waiting" ? "notices.none.waiting" : "notices.none");
    const at = [...items.children].findIndex((x) => x.contains(document.activeElement));
    const id = at < 0 ? "" : items.children[at]!.querySelector<HTMLElement>("[data-notice]")!.dataset["notice"];
    fillWith(items, ...list.map((n) => h("li", null, card(f, n))));
    if (at < 0) return;
    // The one that had the focus, or what came after it, or the choices above.
    const next = items.querySelector(`[data-notice="${id}"]`) ?? items.children[Math.min(at, list.length - 1)];
    (next?.querySelector<HTMLElement>("button, a") ?? element.querySelector<HTMLElement>("input:checked"))?.focus();
  };
  const load = async (on: boolean) => {
    const n = ++asked;
    const p: NoticeListParams = { box, limit: 50 };
    const last = list.at(-1);
    if (on && last) p.after = last.id;
    try {
      const r = await f.client.call("notice.list", p);
      if (n !== asked) return;
      list = on ? [...list, ...r.notices] : r.notices;
      for (const x of r.notices) f.client.wantUsers([x.author]);
      more.hidden = !r.more;
      show();
    } catch (e) {
      if (n === asked) status.textContent = explain(e);
    }
  };
  const choices = ["waiting", "received", "sent", ...(role === "member" ? [] : ["all"])].map((value) => ({ value, label: t(("notices.box." + value) as Key) }));
  const element = h("div", { class: "pane-scroll notices" },
    h("div", { class: "notice-bar" }, radios(t("notices.box"), "box", choices, (v) => {
      box = v;
      list = [];
      void load(false);
    }), h("button", { type: "button", class: "primary", onclick: () => compose(f, "") }, t("notices.new"))),
    status, items, more);
  const end = book.hear(() => {
    timer ||= window.setTimeout(() => {
      timer = 0;
      void load(false);
    }, 200);
  });
  void load(false);
  return {
    title: t("notices.title"), element,
    draw(topics) {
      if (topics.has("users") || topics.has("notices")) {
        if (topics.has("notices")) list = list.map((n) => { const k = book.get(n.id); return k ? { ...n, mine: k.mine, confirmed_at: k.confirmed_at, confirmed: Math.max(n.confirmed, k.confirmed), closed_at: k.closed_at } : n; });
        show();
      }
    },
    close() {
      clearTimeout(timer);
      end();
    },
  };
}

// notice is the page of one notice.
function notice(f: Frame, id: ID): View {
  const book = noticesOf(f.client);
  const head = h("div", { class: "pane" });
  const live = h("div", { class: "pane" });
  const element = h("div", { class: "pane-scroll notices" }, h("p", null, h("a", { href: "#/notices" }, t("notices.title"))), head, live);
  let list: Live | null = null;
  let drawn = "";
  const show = (n: Notice) => {
    const now = JSON.stringify([n, nameOf(f.client.store.state, n.author)]);
    if (now === drawn) return;
    drawn = now;
    fillWith(head, card(f, n));
  };
  const load = async () => {
    try {
      const { notice: n } = await f.client.call("notice.get", { notice: id });
      book.put(n);
      show(n);
      if (n.waiting !== undefined && !list) {
        list = new Live(f, id);
        live.append(list.element);
      }
    } catch (e) {
      fillWith(head, h("p", { class: "error" }, explain(e)));
    }
  };
  const end = book.hear((changed) => {
    if (changed === id) list?.soon();
  });
  void load();
  return {
    title: t("notices.title"), element,
    draw(topics) {
      const n = topics.has("notices") || topics.has("users") ? book.get(id) : undefined;
      if (n) show(n);
      if (topics.has("users")) list?.draw();
      if (topics.has("link") && f.client.store.state.link.state === "online") list?.soon();
    },
    close() {
      end();
      list?.close();
    },
  };
}

// Live is the list of who has confirmed a notice, and what its author can do.
class Live {
  readonly element: HTMLElement;
  private state = "waiting";
  private people: NoticePerson[] = [];
  private counts: NoticeDepartment[] = [];
  private departments = new Map<ID, Department>();
  private more = false;
  private notice: Notice | null = null;
  private asked = 0;
  private timer = 0;
  private summary = h("p", { class: "counts", role: "status" });
  private bar = h("progress", { max: 1, value: 0, "aria-label": t("notices.live") });
  private reminded = h("p", { class: "hint" });
  private tabs = h("div", null);
  private list = h("div", { class: "standing" });
  private find = h("input", { type: "search", placeholder: t("notices.find"), "aria-label": t("notices.find"), oninput: () => this.soon() });
  private moreButton = h("button", { type: "button", hidden: true, onclick: () => void this.load(true) }, t("notices.more"));
  private remind = h("button", { type: "button", onclick: () => void this.remindNow() }, t("notices.remind"));
  private shut = h("button", { type: "button", class: "danger", onclick: () => this.closeIt() }, t("notices.close"));

  constructor(private readonly f: Frame, private readonly id: ID) {
    this.element = h("section", { class: "live", "aria-label": t("notices.live") }, h("h2", null, t("notices.live")), this.bar, this.summary,
      h("div", { class: "notice-row" }, this.remind, h("button", { type: "button", onclick: () => void this.print() }, t("notices.print")),
        h("button", { type: "button", onclick: () => void this.csv() }, t("notices.csv")), this.shut),
      this.reminded, this.tabs, this.find, this.list, this.moreButton);
    f.client.call("department.list", {}).then((r) => {
      for (const d of r.departments) this.departments.set(d.id, d);
      this.draw();
    }, () => {});
    void this.load(false);
  }

  close(): void {
    clearTimeout(this.timer);
    this.asked++;
  }

  // soon loads anew: many confirmations in a moment are one answer.
  soon(): void {
    this.timer ||= window.setTimeout(() => {
      this.timer = 0;
      void this.load(false);
    }, 250);
  }

  private async load(on: boolean): Promise<void> {
    const n = ++this.asked;
    const last = this.people.at(-1);
    const limit = on ? atOnce : Math.min(most, Math.max(atOnce, this.people.length));
    try {
      const r = await this.f.client.call("notice.get", { notice: this.id, people: true, state: this.state, query: this.find.value.trim() || undefined, limit, ...(on && last ? { after: last.user } : {}) });
      if (n !== this.asked) return;
      const got = r.people ?? [];
      this.people = on ? [...this.people, ...got] : got;
      this.counts = r.departments ?? [];
      this.more = !!r.more;
      this.notice = r.notice;
      noticesOf(this.f.client).put(r.notice);
      this.f.client.wantUsers(got.map((p) => p.user));
      this.draw();
    } catch (e) {
      if (n === this.asked) this.summary.textContent = explain(e);
    }
  }

  draw(): void {
    const n = this.notice;
    if (!n) return;
    const waiting = n.waiting ?? 0;
    const gone = n.audience - n.confirmed - waiting;
    this.bar.max = Math.max(1, n.audience);
    this.bar.value = n.confirmed;
    const text = t("notices.live.counts", { confirmed: n.confirmed, all: n.audience, waiting, gone });
    if (this.summary.textContent !== text) this.summary.textContent = text;
    this.reminded.textContent = n.reminded_at ? t("notices.remind.times", { time: when(n.reminded_at) }) : "";
    this.remind.hidden = this.shut.hidden = !!n.closed_at;
    this.remind.disabled = waiting === 0;
    this.drawTabs({ waiting, confirmed: n.confirmed, gone });
    this.drawPeople();
    this.moreButton.hidden = !this.more;
  }

  private drawTabs(counts: Record<string, number>): void {
    const spans = this.tabs.querySelectorAll("label > span");
    const label = (v: string) => t(("notices.state." + v) as Key, { n: counts[v] ?? 0 });
    const values = ["waiting", "confirmed", "gone"];
    if (spans.length) return values.forEach((v, i) => (spans[i]!.textContent = label(v)));
    this.tabs.append(radios(t("notices.state"), "standing", values.map((value) => ({ value, label: label(value) })), (v) => {
      this.state = v;
      this.people = [];
      void this.load(false);
    }));
  }

  private drawPeople(): void {
    const s = this.f.client.store.state;
    const out: HTMLElement[] = [];
    let at: string | null = null;
    let ul: HTMLElement | null = null;
    for (const p of this.people) {
      const u = s.users.get(p.user);
      const d = u?.department ?? "";
      if (!ul || d !== at) {
        at = d;
        ul = h("ul", { class: "people" });
        const c = this.counts.find((x) => (x.department ?? "") === d);
        out.push(h("h3", null, c ? t("notices.department", { name: this.nameOfDepartment(d), n: c.confirmed, all: c.audience }) : this.nameOfDepartment(d)), ul);
      }
      ul.append(h("li", { class: "stander" }, userAvatar(s, p.user), h("span", { class: "name" }, nameOf(s, p.user)), p.confirmed_at ? h("time", null, when(p.confirmed_at)) : null));
    }
    fillWith(this.list, ...out, out.length ? null : h("p", { class: "empty" }, t("notices.nobody")));
  }

  private nameOfDepartment(id: ID): string {
    return this.departments.get(id)?.name ?? t("notices.nodepartment");
  }

  private async remindNow(): Promise<void> {
    try {
      await this.f.client.call("notice.remind", { notice: this.id });
      toast(t("notices.remind.done", { n: this.notice?.waiting ?? 0 }));
    } catch (e) {
      toast(explain(e), true);
    }
  }

  private closeIt(): void {
    ask(t("notices.close.title"), t("notices.close.about"), t("notices.close"), () => {
      this.f.client.call("notice.close", { notice: this.id }).catch((e) => toast(explain(e), true));
    });
  }

  // everybody reads the whole audience, however long, with their names.
  private async everybody(): Promise<{ notice: Notice; rows: string[][] }> {
    const client = this.f.client;
    const rows: string[][] = [];
    let after: ID | undefined;
    for (;;) {
      const r = await client.call("notice.get", { notice: this.id, people: true, limit: most, ...(after ? { after } : {}) });
      const people = r.people ?? [];
      const users = new Map((await client.call("directory.get", { users: people.map((p) => p.user) })).users.map((u) => [u.id, u]));
      for (const p of people) {
        const u = users.get(p.user);
        rows.push([this.nameOfDepartment(u?.department ?? ""), u?.name ?? p.user, u?.login ?? "", t(("notices.word." + p.state) as Key), p.confirmed_at ? full(p.confirmed_at) : ""]);
      }
      after = people.at(-1)?.user;
      if (!r.more || !after) return { notice: r.notice, rows };
    }
  }

  private columns(): string[] {
    return ["department", "name", "login", "state", "at"].map((c) => t(("notices.col." + c) as Key));
  }

  private async csv(): Promise<void> {
    try {
      const { notice: n, rows } = await this.everybody();
      const text = csvOf([this.columns(), ...rows]);
      const a = h("a", { href: URL.createObjectURL(new Blob([text], { type: "text/csv" })), download: n.title.replace(/[^\p{L}\p{N} _-]/gu, "_") + ".csv" });
      a.click();
      setTimeout(() => URL.revokeObjectURL(a.href), 10000);
    } catch (e) {
      toast(explain(e), true);
    }
  }

  // print shows the whole list on paper, and nothing else.
  private async print(): Promise<void> {
    try {
      const s = this.f.client.store.state;
      const { notice: n, rows } = await this.everybody();
      const sheet = h("div", { class: "print-sheet" }, h("h1", null, n.title), h("p", null, nameOf(s, n.author) + ", " + full(n.created)), words(n),
        h("p", null, t("notices.count", { n: n.confirmed, all: n.audience }) + " · " + t("notices.printed", { time: full(Date.now()) })),
        h("table", null, h("thead", null, h("tr", null, ...this.columns().map((c) => h("th", { scope: "col" }, c)))),
          h("tbody", null, ...rows.map((r) => h("tr", null, ...r.map((c) => h("td", null, c)))))));
      document.body.append(sheet);
      addEventListener("afterprint", () => sheet.remove(), { once: true });
      print();
    } catch (e) {
      toast(explain(e), true);
    }
  }
}
