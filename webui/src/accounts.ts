// Dialogs with which admins and owners look after accounts.

import type { Department, ID, Role, User, UserUpdate } from "./api";
import type { Client } from "./client";
import { grow, pathOf, visible } from "./departments";
import { confirm, dialog, field, h, toast, type Child } from "./dom";
import { explain, t } from "./lang";
import type { Key } from "./words";

const roles: Role[] = ["member", "auditor", "admin", "owner"];

// manages: may change accounts and departments.
export function manages(client: Client): boolean {
  const role = client.store.state.me?.role;
  return role === "owner" || role === "admin";
}

// sees: may see what is hidden from members, such as other people's devices.
export function sees(client: Client): boolean {
  return manages(client) || client.store.state.me?.role === "auditor";
}

export function roleName(role: Role): string {
  return t(("account.role." + role) as Key);
}

export function departmentChoice(list: readonly Department[], at: ID | undefined, none: string, without: ReadonlySet<ID> = new Set()): HTMLSelectElement {
  const rows = visible(grow(list), new Set(list.map((d) => d.id)));
  return h("select", null, h("option", { value: "", selected: !at }, none),
    ...rows.filter((b) => !without.has(b.department.id)).map((b) => h("option", { value: b.department.id, selected: b.department.id === at, title: pathOf(list, b.department.id) }, "\u2003".repeat(b.level - 1) + b.department.name)));
}

// form is a dialog with one form; act does what was asked, and the dialog
// closes when it is done.
export function form(title: string, button: string, children: Child[], act: () => Promise<void>): void {
  const d = dialog(title);
  const error = h("p", { class: "error", role: "alert" });
  const f: HTMLFormElement = h("form", { onsubmit: async (e: Event) => {
    e.preventDefault();
    const send = f.querySelector<HTMLButtonElement>("[type=submit]")!;
    send.disabled = true;
    try {
      await act();
      d.close();
    } catch (x) {
      error.textContent = explain(x);
    }
    send.disabled = false;
  } }, ...children.map((c) => (c instanceof Node ? c : h("p", null, c))), error,
  h("div", { class: "buttons" }, h("button", { type: "button", onclick: d.close }, t("cancel")), h("button", { type: "submit", class: "primary" }, button)));
  d.body.append(f);
  f.querySelector<HTMLElement>("input:not([hidden]), select")?.focus();
}

function text(value: string, props: Record<string, string | number | boolean> = {}): HTMLInputElement {
  return h("input", { type: "text", value, maxlength: 100, ...props });
}

// newAccount makes an account, in a department if one is given.
export function newAccount(client: Client, list: readonly Department[], at: ID | undefined, done: () => void): void {
  const name = text("", { required: true, name: "name" });
  const login = text("", { required: true, maxlength: 64, name: "login", autocomplete: "off", autocapitalize: "none" });
  const password = h("input", { type: "password", required: true, maxlength: 256, name: "password", autocomplete: "new-password" });
  const title = text("");
  const role = roleChoice("member");
  const department = departmentChoice(list, at, t("people.nodepartment"));
  form(t("account.new"), t("account.create"), [
    field(t("profile.name"), name), field(t("account.login"), login), field(t("account.first"), password), field(t("profile.position"), title),
    field(t("account.role"), role), field(t("people.department"), department), h("p", { class: "hint" }, t("account.new.about")),
  ], async () => {
    await client.call("user.create", { name: name.value.trim(), login: login.value.trim(), password: password.value, title: title.value.trim() || undefined,
      role: role.value as Role, department: department.value || undefined });
    toast(t("account.created", { name: name.value.trim() }));
    done();
  });
}

function roleChoice(at: Role): HTMLSelectElement {
  return h("select", null, ...roles.map((r) => h("option", { value: r, selected: r === at }, roleName(r) + ": " + t(("account.role." + r + ".about") as Key))));
}

// editAccount changes what the account says of a person, its place and role.
export function editAccount(client: Client, list: readonly Department[], u: User, done: () => void): void {
  const name = text(u.name, { required: true });
  const title = text(u.title ?? "");
  const email = text(u.email ?? "", { type: "email", maxlength: 200 });
  const phone = text(u.phone ?? "", { type: "tel", maxlength: 50 });
  const role = roleChoice(u.role);
  const department = departmentChoice(list, u.department, t("people.nodepartment"));
  form(t("account.edit", { name: u.name || u.login }), t("save"), [
    field(t("profile.name"), name), field(t("profile.position"), title), field(t("people.department"), department), field(t("account.role"), role),
    field(t("profile.email"), email), field(t("profile.phone"), phone),
  ], async () => {
    const p: UserUpdate = { user: u.id };
    if (name.value.trim() !== u.name) p.name = name.value.trim();
    if (title.value.trim() !== (u.title ?? "")) p.title = title.value.trim();
    if (email.value.trim() !== (u.email ?? "")) p.email = email.value.trim();
    if (phone.value.trim() !== (u.phone ?? "")) p.phone = phone.value.trim();
    if (department.value !== (u.department ?? "")) p.department = department.value;
    if (role.value !== u.role) p.role = role.value as Role;
    if (Object.keys(p).length > 1) await client.call("user.update", p);
    toast(t("profile.saved"));
    done();
  });
}

// resetPassword sets somebody's password.
export function resetPassword(client: Client, u: User): void {
  const password = h("input", { type: "password", required: true, maxlength: 256, autocomplete: "new-password" });
  form(t("account.reset", { name: u.name || u.login }), t("account.reset.button"), [
    h("p", null, t("account.reset.about")), field(t("account.first"), password),
  ], async () => {
    await client.call("user.password", { user: u.id, password: password.value });
    toast(t("account.reset.done"));
  });
}

// disable ends an account, after saying what that means; or opens it again.
export function disable(client: Client, u: User, done: () => void): void {
  const name = u.name || u.login;
  const act = () => {
    client.call("user.update", { user: u.id, disabled: !u.disabled }).then(done, (e) => toast(explain(e), true));
  };
  if (u.disabled) act();
  else confirm(t("account.disable.title", { name }), t("account.disable.about", { name }), t("account.disable"), act);
}
