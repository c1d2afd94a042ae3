// Choosing people.

import type { ID, User } from "./api";
import type { Client } from "./client";
import { fillWith, h, icon, unique } from "./dom";
import { explain, t } from "./lang";
import { avatar } from "./names";

// ofHook tells the bot of a hook by its login: nobody reads what is written to
// it.
export function ofHook(u: User): boolean {
  return !!u.bot && u.login.startsWith("hook-");
}

// Picker searches the directory. Bots are left out when bots is false. With many, chosen people gather above the
// list; else the first click is the choice.
export class Picker {
  readonly element: HTMLElement;
  readonly chosen = new Map<ID, User>();
  private list = h("ul", { class: "people", "aria-live": "polite" });
  private tags = h("ul", { class: "tags", "aria-label": t("people.chosen") });
  private search: HTMLInputElement;
  private timer = 0;
  private asked = 0;

  constructor(private readonly client: Client, private readonly many: boolean, private readonly without: ReadonlySet<ID>, private readonly picked: (u: User) => void = () => {}, private readonly bots = true) {
    const id = unique("search");
    this.search = h("input", { id, type: "search", placeholder: t("people.search"), autocomplete: "off", oninput: () => {
      clearTimeout(this.timer);
      this.timer = window.setTimeout(() => void this.load(), 150);
    }, onkeydown: (e: KeyboardEvent) => {
      if (e.key === "Enter" && !e.isComposing) e.preventDefault();
    } });
    this.element = h("div", { class: "picker" }, h("label", { class: "sr", for: id }, t("people.search")), this.tags, this.search, this.list);
    void this.load();
  }

  private async load(): Promise<void> {
    const n = ++this.asked;
    try {
      const query = this.search.value.trim();
      const r = await this.client.call("directory.list", query ? { query, limit: 50 } : { limit: 50 });
      if (n !== this.asked) return;
      this.client.store.dispatch({ type: "users", users: r.users });
      const users = r.users.filter((u) => !this.without.has(u.id) && !u.disabled && (!u.bot || (this.bots && !ofHook(u))));
      fillWith(this.list, ...users.map((u) => this.row(u)), users.length ? null : h("li", { class: "empty" }, t("people.none")),
        r.more ? h("li", { class: "empty" }, t("people.more")) : null);
    } catch (e) {
      if (n === this.asked) fillWith(this.list, h("li", { class: "error" }, explain(e)));
    }
  }

  private row(u: User): HTMLElement {
    const s = this.client.store.state;
    const on = this.chosen.has(u.id);
    const b: HTMLButtonElement = h("button", { type: "button", class: "person", "aria-pressed": this.many ? (on ? "true" : "false") : null, onclick: () => {
      if (!this.many) return this.picked(u);
      if (this.chosen.has(u.id)) this.chosen.delete(u.id);
      else this.chosen.set(u.id, u);
      b.setAttribute("aria-pressed", this.chosen.has(u.id) ? "true" : "false");
      this.renderTags();
    } }, avatar(s, u.id, u.name || u.login, u.avatar), h("span", { class: "about" }, h("span", { class: "name" }, u.name || u.login), h("span", { class: "login" }, "@" + u.login + (u.title ? " · " + u.title : ""))), icon("check"));
    b.dataset["user"] = u.id;
    return h("li", null, b);
  }

  private renderTags(): void {
    fillWith(this.tags, ...[...this.chosen.values()].map((u) => h("li", null, h("button", { type: "button", "aria-label": t("people.remove", { name: u.name || u.login }), onclick: () => {
      this.chosen.delete(u.id);
      this.list.querySelector(`[data-user="${CSS.escape(u.id)}"]`)?.setAttribute("aria-pressed", "false");
      this.renderTags();
      this.search.focus();
    } }, u.name || u.login, " ×"))));
  }
}
