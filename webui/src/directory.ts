// The page of people: the tree of departments, who is in one, and what admins do
// with both.

import type { Department, ID, User } from "./api";
import { departmentChoice, form, manages, newAccount, roleName } from "./accounts";
import { card, face, presenceLine } from "./card";
import { grow, pathOf, step, under, visible, type Branch } from "./departments";
import { confirm, dialog, field, fillWith, h, icon, iconButton, menuItem, place, popup, toast } from "./dom";
import type { Feature, Frame, View } from "./frame";
import { explain, t } from "./lang";
import { Picker } from "./people";
import { Rows } from "./rows";
import { presenceOf } from "./state";
import type { Topic } from "./store";

const pageSize = 50;
const watchedMax = 300; // people of one page

class DirectoryPage implements View {
  readonly title = t("people.title");
  readonly element: HTMLElement;
  private tree = h("ul", { class: "tree", role: "tree", "aria-label": t("people.departments"), onkeydown: (e: KeyboardEvent) => this.key(e) });
  private list = h("ul", { class: "people open" });
  private heading = h("h2", null);
  private status = h("p", { class: "hint", role: "status" });
  private tools = h("div", { class: "buttons start" });
  private more = h("button", { type: "button", hidden: true, onclick: () => void this.further() }, t("members.more"));
  private search: HTMLInputElement;
  private disabled = h("input", { type: "checkbox", onchange: () => void this.load() });
  private departments: Department[] = [];
  private branches: Branch[] = [];
  private open = new Set<ID>();
  private rows: Branch[] = [];
  private at: ID; // "": everybody
  private people: User[] = [];
  private shelf = new Rows();
  private asked = 0;
  private timer = 0;

  constructor(private readonly f: Frame, at: ID) {
    this.at = at;
    this.search = h("input", { type: "search", placeholder: t("people.find"), "aria-label": t("people.find"), oninput: () => this.soon(150) });
    const admin = manages(f.client);
    this.element = h("div", { class: "directory" },
      h("nav", { class: "departments", "aria-label": t("people.departments") }, this.tree),
      h("section", { class: "folk", "aria-label": t("people.list") },
        h("div", { class: "folk-head" }, this.heading, this.tools),
        h("div", { class: "folk-tools" }, this.search, admin ? h("label", { class: "check" }, this.disabled, h("span", null, t("people.disabled"))) : null),
        this.status, this.list, this.more));
    this.renderHead();
    void this.loadTree();
    void this.load();
  }

  close(): void {
    clearTimeout(this.timer);
    this.f.client.watchFor(this, []);
  }

  draw(topics: Set<Topic>): void {
    if (topics.has("departments")) void this.loadTree();
    if (topics.has("users")) {
      this.people = this.people.map((u) => this.f.client.store.state.users.get(u.id) ?? u);
      this.soon(500); // somebody may have moved
    }
    if ((topics.has("link") && this.f.client.store.state.link.state === "online")) this.soon(100);
    if (topics.has("users") || topics.has("presence") || topics.has("link")) this.renderPeople();
  }

  private soon(ms: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      void this.load();
      void this.loadTree();
    }, ms);
  }

  private async loadTree(): Promise<void> {
    try {
      const r = await this.f.client.call("department.list", {});
      if (JSON.stringify(r.departments) === JSON.stringify(this.departments) && this.rows.length) return;
      this.departments = r.departments;
      this.branches = grow(r.departments);
      if (!r.departments.some((d) => d.id === this.at)) this.at = "";
      if (!this.open.size) for (const b of this.branches) this.open.add(b.department.id);
      for (let d = r.departments.find((x) => x.id === this.at); d?.parent; d = r.departments.find((x) => x.id === d!.parent)) this.open.add(d.parent);
      this.renderTree();
      this.renderHead();
    } catch (e) {
      fillWith(this.tree, h("li", { class: "error" }, explain(e)));
    }
  }

  private ask(after?: ID) {
    const query = this.search.value.trim();
    return this.f.client.call(this.disabled.checked ? "user.list" : "directory.list", { limit: pageSize,
      ...(query ? { query } : {}), ...(this.at ? { department: this.at } : {}), ...(after ? { after } : {}) });
  }

  private async load(): Promise<void> {
    const n = ++this.asked;
    try {
      const r = await this.ask();
      if (n !== this.asked) return;
      this.people = r.users;
      this.more.hidden = !r.more;
      this.status.textContent = r.users.length ? "" : t(this.search.value.trim() ? "people.none" : "people.empty");
      this.shown(r.users);
    } catch (e) {
      if (n === this.asked) this.status.textContent = explain(e);
    }
  }

  private async further(): Promise<void> {
    const last = this.people.at(-1)?.id;
    const n = this.asked;
    if (!last) return;
    try {
      const r = await this.ask(last);
      if (n !== this.asked) return;
      this.people = [...this.people, ...r.users];
      this.more.hidden = !r.more;
      this.shown(r.users);
    } catch (e) {
      toast(explain(e), true);
    }
  }

  private shown(users: User[]): void {
    const known = this.f.client.store.state.users;
    if (users.some((u) => JSON.stringify(known.get(u.id)) !== JSON.stringify(u))) this.f.client.store.dispatch({ type: "users", users });
    clearTimeout(this.timer);
    this.f.client.watchFor(this, this.people.slice(0, watchedMax).map((u) => u.id));
    this.renderPeople();
  }

  // ---- the tree

  private renderTree(): void {
    const focused = this.tree.contains(document.activeElement);
    this.rows = visible(this.branches, this.open);
    const all = h("li", { role: "treeitem", "aria-level": 1, "aria-selected": this.at === "" ? "true" : "false", tabindex: this.at === "" ? 0 : -1, onclick: () => this.choose(""), "data-department": "" },
      h("span", { class: "twist" }), h("span", { class: "name" }, t("people.everybody")));
    fillWith(this.tree, all, ...this.rows.map((b) => this.row(b)));
    if (!this.tree.querySelector('[tabindex="0"]')) all.tabIndex = 0; // the chosen one is folded away
    if (focused) this.tree.querySelector<HTMLElement>('[tabindex="0"]')?.focus();
  }

  private row(b: Branch): HTMLElement {
    const { id, name, people } = b.department;
    const open = this.open.has(id);
    const e = h("li", { role: "treeitem", "aria-level": b.level, "aria-expanded": b.below.length ? (open ? "true" : "false") : null, "aria-selected": this.at === id ? "true" : "false",
      "aria-label": t("people.row", { name, n: people ?? 0 }), tabindex: this.at === id ? 0 : -1, "data-department": id, class: "level" + Math.min(8, b.level), onclick: () => this.choose(id) },
    h("span", { class: "twist", onclick: (e: Event) => {
      if (!b.below.length) return;
      e.stopPropagation();
      this.fold(id, !open);
    } }, b.below.length ? icon(open ? "fold" : "unfold") : null), h("span", { class: "name" }, name), h("span", { class: "tally" }, people ?? 0));
    return e;
  }

  private fold(id: ID, open: boolean): void {
    if (open) this.open.add(id);
    else this.open.delete(id);
    this.renderTree();
  }

  private choose(id: ID): void {
    this.at = id;
    history.replaceState(null, "", id ? "#/people/" + id : "#/people");
    this.renderTree();
    this.renderHead();
    void this.load();
  }

  private key(e: KeyboardEvent): void {
    const items = [...this.tree.querySelectorAll<HTMLElement>("[role=treeitem]")];
    const i = items.indexOf(e.target as HTMLElement);
    if (i < 0 || e.ctrlKey || e.metaKey || e.altKey) return;
    const focus = (n: number) => {
      for (const x of items) x.tabIndex = -1;
      const x = items[Math.max(0, Math.min(items.length - 1, n))]!;
      x.tabIndex = 0;
      x.focus();
    };
    if (e.key === "Enter" || e.key === " ") this.choose((e.target as HTMLElement).dataset["department"] ?? "");
    else if (i === 0 && (e.key === "ArrowDown" || e.key === "End")) focus(e.key === "End" ? items.length - 1 : 1);
    else if (i === 1 && e.key === "ArrowUp" || e.key === "Home") focus(0);
    else {
      const go = step(this.rows, i - 1, e.key, this.open);
      if (go.to !== undefined) focus(go.to + 1);
      else if (go.open !== undefined || go.close !== undefined) {
        const id = (go.open ?? go.close)!;
        this.fold(id, go.open !== undefined);
        const x = this.tree.querySelector<HTMLElement>(`[data-department="${CSS.escape(id)}"]`);
        if (x) {
          for (const y of this.tree.querySelectorAll<HTMLElement>("[role=treeitem]")) y.tabIndex = -1;
          x.tabIndex = 0;
          x.focus();
        }
      } else return;
    }
    e.preventDefault();
    e.stopPropagation();
  }

  // ---- the people

  private renderHead(): void {
    const { client } = this.f;
    this.heading.textContent = this.at ? pathOf(this.departments, this.at) : t("people.everybody");
    const done = () => void this.load();
    if (!manages(client)) return fillWith(this.tools);
    const d = this.departments.find((x) => x.id === this.at);
    const menu: HTMLButtonElement = iconButton("more", t("people.manage"), () => popup(menu, t("people.manage"), [
      menuItem(t("people.newdepartment"), () => this.put(null)),
      ...(d ? [menuItem(t("people.edit"), () => this.put(d)), menuItem(t("people.putin"), () => this.putPeople(d)), menuItem(t("people.remove.department"), () => this.remove(d), true)] : []),
    ]), { "aria-haspopup": "menu", "aria-expanded": "false" });
    fillWith(this.tools, h("button", { type: "button", class: "primary", onclick: () => newAccount(client, this.departments, this.at || undefined, done) }, t("account.new")), menu);
  }

  private renderPeople(): void {
    const { client } = this.f;
    const s = client.store.state;
    const focused = this.list.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset["user"] : undefined;
    const deep = !this.at || this.departments.some((d) => d.parent === this.at);
    place(this.list, this.people.map((u) => {
      const about = [u.disabled ? t("card.disabled") : "", u.title, deep ? pathOf(this.departments, u.department) : "", u.role === "member" ? "" : roleName(u.role)].filter(Boolean).join(" · ") || "@" + u.login;
      const presence = u.disabled ? "" : presenceLine(s, u.id);
      return this.shelf.row(u.id, JSON.stringify([u.name, u.avatar, about, presence, presenceOf(s, u.id)]), () => h("li", null,
        h("button", { type: "button", class: "person" + (u.disabled ? " off" : ""), "data-user": u.id, onclick: () => card(client, u.id, () => this.soon(100)) }, face(s, { id: u.id, name: u.name || u.login, ...(u.avatar ? { avatar: u.avatar } : {}) }),
          h("span", { class: "about" }, h("span", { class: "name" }, u.name || u.login, u.id === s.me?.id ? " (" + t("you") + ")" : ""), h("span", { class: "login" }, about)),
          h("span", { class: "hint" }, presence))));
    }));
    this.shelf.drop();
    if (focused) this.list.querySelector<HTMLElement>(`[data-user="${CSS.escape(focused)}"]`)?.focus();
  }

  // ---- departments, for admins

  // put makes a department (null), or renames and moves one.
  private put(d: Department | null): void {
    const { client } = this.f;
    const name = h("input", { type: "text", value: d?.name ?? "", required: true, maxlength: 100, name: "department" });
    const parent = departmentChoice(this.departments, d ? d.parent : this.at || undefined, t("people.top"), d ? under(this.departments, d.id) : new Set());
    form(t(d ? "people.edit" : "people.newdepartment"), t("save"), [field(t("new.name"), name), field(t("people.above"), parent)], async () => {
      await client.call("department.put", { name: name.value.trim(), ...(d ? { id: d.id } : {}), ...(parent.value ? { parent: parent.value } : {}), ...(d?.order ? { order: d.order } : {}) });
      if (parent.value) this.open.add(parent.value);
    });
  }

  private putPeople(d: Department): void {
    const { client } = this.f;
    const box = dialog(t("people.putin.title", { name: d.name }));
    const picker = new Picker(client, true, new Set());
    box.body.append(h("p", { class: "hint" }, t("people.putin.about")), picker.element, h("div", { class: "buttons" }, h("button", { type: "button", class: "primary", onclick: async () => {
      try {
        for (const user of picker.chosen.keys()) await client.call("user.update", { user, department: d.id });
        box.close();
      } catch (e) {
        toast(explain(e), true);
      }
    } }, t("people.putin"))));
  }

  private remove(d: Department): void {
    confirm(t("people.remove.title", { name: d.name }), t("people.remove.about"), t("people.remove.department"), () => {
      this.f.client.call("department.remove", { department: d.id }).then(() => this.choose(d.parent ?? ""), (e) => toast(explain(e), true));
    });
  }
}

export const directoryFeature: Feature = {
  pages: { people: (f, arg) => new DirectoryPage(f, arg) },
  commands: [{ name: "people.title", run: (f) => f.go("people") }],
  mainMenu: (f) => [menuItem(t("people.title"), () => f.go("people"))],
};
