// The card of one person: who it is, how to reach them, and, for those who look
// after accounts, what they may do.

import type { Department, ID, User } from "./api";
import { disable, editAccount, manages, resetPassword, roleName, sees } from "./accounts";
import type { Client } from "./client";
import { pathOf } from "./departments";
import { deviceRow } from "./devices";
import { dialog, fillWith, h, toast, type Child } from "./dom";
import { explain, t, when } from "./lang";
import { avatar } from "./names";
import { presenceOf, type State } from "./state";
import type { Key } from "./words";

// presenceLine is a person's presence in words; "" when nobody watches it.
export function presenceLine(s: State, user: ID): string {
  const state = presenceOf(s, user);
  if (!state || (state === "offline" && s.users.get(user)?.bot)) return ""; // a hook is never connected
  const since = state === "offline" ? s.presence.get(user)?.since : undefined;
  return since ? t("presence.since", { time: when(since) }) : t(("presence." + state) as Key);
}

// face is a person's picture with a light for their presence. The words beside
// it say the same.
export function face(s: State, u: { id: ID; name: string; avatar?: ID }): HTMLElement {
  const state = presenceOf(s, u.id);
  return h("span", { class: "face" }, avatar(s, u.id, u.name, u.avatar), state && state !== "offline" ? h("span", { class: "presence " + state, "aria-hidden": "true" }) : null);
}

// startDirect opens the conversation with a person.
export async function startDirect(client: Client, user: ID): Promise<void> {
  const r = await client.call("room.direct", { user });
  client.store.dispatch({ type: "room", room: r.room });
  location.hash = "#/room/" + r.room.id;
}

// card opens the dialog. changed is told when the account was changed here.
export function card(client: Client, id: ID, changed: () => void = () => {}): void {
  const s = client.store.state;
  const known = s.users.get(id);
  const d = dialog(known ? known.name || known.login : t("unknown"));
  let user: User | undefined = known;
  let departments: Department[] = [];
  const top = h("div", { class: "card-top" });
  const facts = h("dl", { class: "facts" });
  const acts = h("div", { class: "buttons" });
  const devices = h("details", { class: "card-devices", hidden: true }, h("summary", null, t("devices.title")));
  d.body.append(top, facts, devices, acts);
  const render = () => {
    if (!user) return fillWith(top, h("p", { role: "status" }, t("loading")));
    const u = user;
    const mine = u.id === s.me?.id;
    fillWith(top, avatar(s, u.id, u.name || u.login, u.avatar), h("div", { class: "about" },
      h("p", { class: "name" }, u.title || roleName(u.role)), h("p", { class: "login" }, "@" + u.login + (u.bot ? " · " + t("card.bot") : "")),
      h("p", { class: "hint", role: "status" }, u.disabled ? t("card.disabled") : presenceLine(s, u.id))));
    const fact = (name: string, value: Child) => (value ? [h("dt", null, name), h("dd", null, value)] : []);
    fillWith(facts, ...fact(t("people.department"), pathOf(departments, u.department)), ...fact(t("account.role"), u.role === "member" ? null : roleName(u.role)),
      ...fact(t("profile.email"), u.email ? h("a", { href: "mailto:" + u.email }, u.email) : null),
      ...fact(t("profile.phone"), u.phone ? h("a", { href: "tel:" + u.phone.replace(/[^\d+]/g, "") }, u.phone) : null));
    fillWith(acts, ...(manages(client) && !mine ? adminButtons(u) : []),
      u.disabled || u.bot ? null : h("button", { type: "button", class: "primary", onclick: () => {
        startDirect(client, u.id).then(d.close, (e) => toast(explain(e), true));
      } }, t(mine ? "card.notes" : "card.message")));
  };
  const refresh = async () => {
    const r = await client.call("directory.get", { users: [id] }).catch(() => null);
    if (r?.users[0]) {
      user = r.users[0];
      client.store.dispatch({ type: "users", users: r.users });
    }
    render();
    changed();
  };
  const adminButtons = (u: User) => [
    h("button", { type: "button", onclick: () => editAccount(client, departments, u, () => void refresh()) }, t("card.edit")),
    u.bot ? null : h("button", { type: "button", onclick: () => resetPassword(client, u) }, t("account.reset.button")),
    h("button", { type: "button", class: u.disabled ? "" : "danger", onclick: () => disable(client, u, () => void refresh()) }, t(u.disabled ? "account.enable" : "account.disable")),
  ];
  render();
  client.watchFor(d, [id]);
  const stop = client.store.listen((topics) => {
    if (topics.has("users")) user = s.users.get(id) ?? user;
    if (topics.has("users") || topics.has("presence") || topics.has("link")) render();
  });
  d.onclose(() => {
    stop();
    client.watchFor(d, []);
  });
  client.call("department.list", {}).then((r) => {
    departments = r.departments;
    render();
  }, () => {});
  if (!user) void refresh();
  if (sees(client) && id !== s.me?.id) {
    devices.hidden = false;
    devices.addEventListener("toggle", () => void showDevices(client, id, devices));
  }
}

async function showDevices(client: Client, user: ID, at: HTMLDetailsElement): Promise<void> {
  if (!at.open) return;
  const list = h("ul", { class: "people" });
  fillWith(at, at.querySelector("summary"), list);
  try {
    const r = await client.call("session.devices", { user });
    const again = () => void showDevices(client, user, at);
    fillWith(list, r.devices.length ? null : h("li", { class: "empty" }, t("devices.none")), ...r.devices.map((x) => deviceRow(client, x, manages(client) ? again : null)));
  } catch (e) {
    fillWith(list, h("li", { class: "error" }, explain(e)));
  }
}
