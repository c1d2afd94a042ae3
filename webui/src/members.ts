// The pane of a room's members. The server pages and searches, so that a room of
// ten thousand opens as quickly as one of ten.

import type { Department, ID, MemberRole, Room, RoomMember } from "./api";
import { card, face, presenceLine } from "./card";
import type { Client } from "./client";
import { byDepartment, pathOf } from "./departments";
import { confirm, dialog, fillWith, h, iconButton, menuItem, popup, toast, unique } from "./dom";
import type { Feature, Frame, View } from "./frame";
import { explain, t } from "./lang";
import { nameOf } from "./names";
import { Picker } from "./people";
import { Rows } from "./rows";
import { moderates } from "./state";
import type { Topic } from "./store";
import type { Key } from "./words";

const roles: MemberRole[] = ["owner", "moderator", "member", "reader"];
const pageSize = 100;
const watchedMax = 300; // people of one pane

// Section is what is loaded of the members with one role.
interface Section {
  list: RoomMember[];
  more: boolean;
}

class MembersPane implements View {
  readonly title = t("members.title");
  readonly element: HTMLElement;
  private sections = new Map<MemberRole, Section>();
  private body = h("div", { class: "member-groups" });
  private status = h("p", { class: "hint", role: "status" }, t("loading"));
  private search: HTMLInputElement;
  private tools = h("div", { class: "buttons start" });
  private grouping: "role" | "department" = "role";
  private departments: Department[] = [];
  private asked = 0;
  private timer = 0;
  private drawn = "";
  private shelf = new Rows();

  constructor(private readonly f: Frame, private readonly room: ID) {
    this.search = h("input", { type: "search", placeholder: t("people.search"), "aria-label": t("people.search"), oninput: () => this.soon(150), onkeydown: (e: KeyboardEvent) => {
      if (e.key !== "Escape" || !this.search.value || e.isComposing) return;
      this.search.value = "";
      e.preventDefault(); // the pane stays
      this.soon(0);
    } });
    const group = h("select", { "aria-label": t("members.group"), onchange: () => {
      this.grouping = group.value === "department" ? "department" : "role";
      this.render();
    } }, h("option", { value: "role" }, t("members.byrole")), h("option", { value: "department" }, t("members.bydepartment")));
    this.element = h("div", { class: "pane-scroll" }, this.tools, h("div", { class: "member-tools" }, this.search, group), this.status, this.body);
    void this.load();
    f.client.call("department.list", {}).then((r) => {
      this.departments = r.departments;
      this.render();
    }, () => {});
  }

  close(): void {
    clearTimeout(this.timer);
    this.f.client.watchFor(this, []);
  }

  draw(topics: Set<Topic>): void {
    if (topics.has("members") || (topics.has("link") && this.f.client.store.state.link.state === "online")) this.soon(100);
    if (topics.has(`room:${this.room}`) || topics.has("users") || topics.has("presence") || topics.has("link")) this.render();
  }

  private get at(): Room | undefined {
    return this.f.client.store.state.rooms.get(this.room)?.room;
  }

  private soon(ms: number): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.load(), ms);
  }

  // load asks for the first page of every role, and keeps what was open beyond.
  private async load(): Promise<void> {
    const n = ++this.asked;
    const query = this.search.value.trim();
    try {
      const pages = await Promise.all(roles.map((role) => this.f.client.call("room.members", {
        room: this.room, role, limit: Math.min(1000, Math.max(pageSize, this.sections.get(role)?.list.length ?? 0)), ...(query ? { query } : {}) })));
      if (n !== this.asked) return;
      roles.forEach((role, i) => this.sections.set(role, { list: pages[i]!.members, more: pages[i]!.more ?? false }));
      this.f.client.wantUsers(pages.flatMap((p) => p.members.map((m) => m.user)));
      this.status.textContent = pages.every((p) => !p.members.length) ? t("people.none") : "";
      this.drawn = "";
      this.render();
    } catch (e) {
      if (n === this.asked) this.status.textContent = explain(e);
    }
  }

  private async further(role: MemberRole): Promise<void> {
    const s = this.sections.get(role);
    const after = s?.list.at(-1)?.user;
    if (!s || !after) return;
    const query = this.search.value.trim();
    try {
      const r = await this.f.client.call("room.members", { room: this.room, role, after, limit: pageSize, ...(query ? { query } : {}) });
      this.sections.set(role, { list: [...s.list, ...r.members.filter((m) => m.user > "" && !s.list.some((x) => x.user === m.user))], more: r.more ?? false });
      this.f.client.wantUsers(r.members.map((m) => m.user));
      this.drawn = "";
      this.render();
    } catch (e) {
      toast(explain(e), true);
    }
  }

  private render(): void {
    const { client } = this.f;
    const s = client.store.state;
    const r = this.at;
    if (!r) return fillWith(this.body);
    const everyone = roles.flatMap((role) => this.sections.get(role)?.list ?? []);
    const look = JSON.stringify([this.grouping, r.members, r.my_role, r.archived, this.departments.length, s.link.state,
      everyone.map((m) => [m.user, m.role, nameOf(s, m.user), s.users.get(m.user)?.avatar, s.users.get(m.user)?.title, presenceLine(s, m.user)])]);
    if (look === this.drawn) return;
    this.drawn = look;
    this.renderTools(r);
    client.watchFor(this, everyone.slice(0, watchedMax).map((m) => m.user));
    const focused = this.body.contains(document.activeElement) ? (document.activeElement as HTMLElement).dataset["focus"] : undefined;
    const byName = (a: RoomMember, b: RoomMember) => nameOf(s, a.user).localeCompare(nameOf(s, b.user));
    const groups: HTMLElement[] = [];
    if (this.grouping === "role") {
      for (const role of roles) {
        const part = this.sections.get(role);
        if (part?.list.length) groups.push(this.group(t(("members.role." + role) as Key), [...part.list].sort(byName), r, part.more ? () => void this.further(role) : null));
      }
    } else {
      for (const [name, list] of byDepartment(everyone, (m) => pathOf(this.departments, s.users.get(m.user)?.department))) {
        groups.push(this.group(name || t("people.nodepartment"), [...list].sort(byName), r, null));
      }
      const open = roles.find((role) => this.sections.get(role)?.more);
      if (open) groups.push(h("button", { type: "button", onclick: () => void this.further(open) }, t("members.more")));
    }
    fillWith(this.body, ...groups);
    this.shelf.drop();
    if (focused) this.body.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  }

  private group(name: string, list: RoomMember[], r: Room, more: (() => void) | null): HTMLElement {
    const id = unique("g");
    return h("section", { "aria-labelledby": id }, h("h3", { id }, name, " ", h("span", { class: "tally" }, more ? list.length + "+" : list.length)),
      h("ul", { class: "people open" }, ...list.map((m) => this.shelf.row(m.user, this.look(m, r), () => this.row(m, r)))), more ? h("button", { type: "button", onclick: more }, t("members.more")) : null);
  }

  private look(m: RoomMember, r: Room): string {
    const s = this.f.client.store.state;
    const u = s.users.get(m.user);
    return JSON.stringify([this.grouping, m.role, r.my_role, r.kind, u?.name, u?.title, u?.avatar, presenceLine(s, m.user)]);
  }

  private row(m: RoomMember, r: Room): HTMLElement {
    const { client } = this.f;
    const s = client.store.state;
    const name = nameOf(s, m.user);
    const u = s.users.get(m.user);
    const label = t("members.menu", { name });
    const entries = () => this.entries(m, r);
    const menu: HTMLButtonElement = iconButton("more", label, () => popup(menu, label, entries()), { "aria-haspopup": "menu", "aria-expanded": "false", "data-focus": "m" + m.user });
    return h("li", { class: "member" },
      h("button", { type: "button", class: "person", "data-focus": m.user, onclick: () => card(client, m.user) }, face(s, { id: m.user, name, ...(u?.avatar ? { avatar: u.avatar } : {}) }),
        h("span", { class: "about" }, h("span", { class: "name" }, name, m.user === s.me?.id ? " (" + t("you") + ")" : ""),
          h("span", { class: "login" }, [u?.title, this.grouping === "department" && m.role !== "member" ? t(("role." + m.role) as Key) : "", presenceLine(s, m.user)].filter(Boolean).join(" · ") || (u ? "@" + u.login : "")))),
      entries().length ? menu : null);
  }

  // entries are what the reader may do with a member.
  private entries(m: RoomMember, r: Room): HTMLElement[] {
    const { client } = this.f;
    const name = nameOf(client.store.state, m.user);
    const act = (p: Promise<unknown>) => void p.catch((e) => toast(explain(e), true));
    if (r.kind === "direct" || r.kind === "notes") return [];
    const items: HTMLElement[] = [];
    if (r.my_role === "owner") {
      for (const role of roles) {
        if (role === m.role) continue;
        const give = () => act(client.call("room.role", { room: this.room, user: m.user, role }));
        const mine = m.user === client.store.state.me?.id;
        items.push(menuItem(t("members.make", { role: t(("role." + role) as Key) }), mine ? () => confirm(t("members.self.title"), t("members.self.about"), t("members.self"), give) : give));
      }
    }
    if (moderates(r) && m.user !== client.store.state.me?.id) {
      items.push(menuItem(t("members.remove.short"), () => confirm(t("members.remove", { name }) + "?", t(r.kind === "group" ? "members.remove.about" : "members.remove.open"), t("members.remove.short"),
        () => act(client.call("room.remove", { room: this.room, users: [m.user] }))), true));
    }
    return items;
  }

  private renderTools(r: Room): void {
    const { client } = this.f;
    const plain = r.kind !== "direct" && r.kind !== "notes";
    const mayAdd = !r.archived && (r.kind === "group" ? !!r.my_role : plain && moderates(r));
    fillWith(this.tools, mayAdd ? h("button", { type: "button", class: "primary", onclick: () => addMembers(client, this.room) }, t("members.add")) : null,
      plain ? h("button", { type: "button", onclick: () => leave(client, this.room) }, t("members.leave")) : null);
  }
}

// leave takes the reader out of a room, after saying what that costs.
export function leave(client: Client, room: ID): void {
  const open = ["channel", "announcement"].includes(client.store.state.rooms.get(room)?.room.kind ?? "");
  confirm(t("members.leave.title"), t(open ? "members.leave.open" : "members.leave.about"), t("members.leave"), () => {
    client.call("room.leave", { room }).then(() => (location.hash = "#/"), (e) => toast(explain(e), true));
  });
}

function addMembers(client: Client, room: ID): void {
  const d = dialog(t("members.add"));
  const picker = new Picker(client, true, new Set(client.store.state.members.get(room)?.keys() ?? []));
  d.body.append(picker.element, h("div", { class: "buttons" }, h("button", { type: "button", class: "primary", onclick: async () => {
    if (!picker.chosen.size) return d.close();
    try {
      await client.call("room.add", { room, users: [...picker.chosen.keys()] });
      d.close();
    } catch (e) {
      toast(explain(e), true);
    }
  } }, t("members.add"))));
}

export const membersFeature: Feature = {
  panes: { members: (f, room) => new MembersPane(f, room) },
  commands: [{ name: "members.title", when: (f) => f.room !== "", run: (f) => f.pane("members") }],
};
