// Dialogs about one's account, one's devices, and invitations.

import type { ID, ProfileParams } from "./api";
import type { Client } from "./client";
import { confirm, copyText, dialog, field, fillWith, h, toast } from "./dom";
import { explain, full, t } from "./lang";
import { roomName } from "./names";

export function profile(client: Client): void {
  const d = dialog(t("profile.title"), true);
  const me = client.store.state.me!;
  const name = h("input", { type: "text", value: me.name, required: true, maxlength: 100, autocomplete: "name" });
  const title = h("input", { type: "text", value: me.title ?? "", maxlength: 100, autocomplete: "organization-title" });
  const email = h("input", { type: "email", value: me.email ?? "", maxlength: 200, autocomplete: "email" });
  const phone = h("input", { type: "tel", value: me.phone ?? "", maxlength: 50, autocomplete: "tel" });
  const save = async (e: Event) => {
    e.preventDefault();
    const p: ProfileParams = {};
    if (name.value.trim() !== me.name) p.name = name.value.trim();
    if (title.value.trim() !== (me.title ?? "")) p.title = title.value.trim();
    if (email.value.trim() !== (me.email ?? "")) p.email = email.value.trim();
    if (phone.value.trim() !== (me.phone ?? "")) p.phone = phone.value.trim();
    try {
      const r = await client.call("account.update", p);
      client.store.dispatch({ type: "me", user: r.user, device: client.store.state.device });
      toast(t("profile.saved"));
    } catch (x) {
      toast(explain(x), true);
    }
  };
  const devices = h("ul", { class: "people" });
  d.body.append(
    h("p", { class: "hint" }, "@" + me.login),
    h("form", { onsubmit: save }, field(t("profile.name"), name), field(t("profile.position"), title), field(t("profile.email"), email), field(t("profile.phone"), phone),
      h("div", { class: "buttons" }, h("button", { type: "submit", class: "primary" }, t("save")))),
    password(client, me.login), h("h3", null, t("devices.title")), devices);
  const load = () => void loadDevices(client, devices);
  d.onclose(client.store.listen((topics) => {
    if (topics.has("devices")) load();
  }));
  load();
}

function password(client: Client, login: string): HTMLElement {
  const old = h("input", { type: "password", required: true, autocomplete: "current-password", maxlength: 256 });
  const next = h("input", { type: "password", required: true, maxlength: 256, autocomplete: "new-password" });
  const again = h("input", { type: "password", required: true, maxlength: 256, autocomplete: "new-password" });
  const error = h("p", { class: "error", role: "alert" });
  const f: HTMLFormElement = h("form", { onsubmit: async (e: Event) => {
    e.preventDefault();
    error.textContent = next.value === again.value ? "" : t("account.differ");
    if (error.textContent) return;
    try {
      await client.call("account.password", { old: old.value, new: next.value });
      f.reset();
      toast(t("profile.changed"));
    } catch (x) {
      error.textContent = explain(x);
    }
  } }, h("input", { type: "text", autocomplete: "username", value: login, hidden: true, readonly: true, "aria-label": t("login.login") }),
  field(t("profile.old"), old), field(t("account.password"), next), field(t("account.repeat"), again), error,
  h("div", { class: "buttons" }, h("button", { type: "submit" }, t("profile.password"))));
  return h("details", null, h("summary", null, t("profile.password")), f);
}

async function loadDevices(client: Client, list: HTMLElement): Promise<void> {
  try {
    const r = await client.call("session.devices", {});
    fillWith(list, ...r.devices.map((x) => h("li", { class: "discover" },
      h("span", { class: "about" }, h("span", { class: "name" }, x.name || x.kind, x.current ? " (" + t("devices.current") + ")" : ""),
        h("span", { class: "login" }, [x.address, x.online ? t("presence.online") : t("devices.seen", { time: full(x.last_seen) })].filter(Boolean).join(" · "))),
      x.current ? null : h("button", { type: "button", "aria-label": t("devices.revoke", { name: x.name }), onclick: async () => {
        try {
          await client.call("session.revoke", { device: x.id });
          await loadDevices(client, list);
        } catch (e) {
          toast(explain(e), true);
        }
      } }, t("devices.revoke.short")))));
  } catch (e) {
    fillWith(list, h("li", { class: "error" }, explain(e)));
  }
}

// invites makes invitation links; for admins and owners.
export function invites(client: Client): void {
  const d = dialog(t("invites.title"), true);
  const s = client.store.state;
  const hours = h("input", { type: "number", min: 1, max: 720, value: 72, required: true });
  const uses = h("input", { type: "number", min: 1, max: 1000, value: 1, required: true });
  const note = h("input", { type: "text", maxlength: 200 });
  const rooms = [...s.rooms.values()].filter((r) => r.room.kind !== "direct" && r.room.kind !== "notes" && !r.room.archived).slice(0, 50);
  const chosen = new Set<ID>();
  const fresh = h("div", { class: "fresh", "aria-live": "polite" });
  const list = h("ul", { class: "people" });
  const create = async (e: Event) => {
    e.preventDefault();
    try {
      const r = await client.call("invite.create", { hours: Number(hours.value), uses: Number(uses.value), note: note.value.trim() || undefined, rooms: chosen.size ? [...chosen] : undefined });
      const url = r.invite.url || location.origin + "/#/invite/" + (r.invite.code ?? "");
      const link = h("input", { type: "text", readonly: true, value: url, onfocus: (x: FocusEvent) => (x.target as HTMLInputElement).select() });
      fillWith(fresh, field(t("invites.link"), link), h("div", { class: "buttons" }, h("button", { type: "button", onclick: () => copyText(url) }, t("copy"))),
        r.invite.qr?.startsWith("data:image/png;base64,") ? h("img", { class: "qr", src: r.invite.qr, alt: t("invites.qr") }) : null);
      link.focus();
      await load();
    } catch (x) {
      toast(explain(x), true);
    }
  };
  const load = async () => {
    try {
      const r = await client.call("invite.list", {});
      fillWith(list, r.invites.length ? null : h("li", { class: "empty" }, t("none")), ...r.invites.map((i) => h("li", { class: "discover" },
        h("span", { class: "about" }, h("span", { class: "name" }, i.note || full(i.created)), h("span", { class: "login" }, t("invites.row", { used: i.used, uses: i.uses, time: full(i.expires) }))),
        h("button", { type: "button", onclick: () => client.call("invite.revoke", { invite: i.id }).then(load, (e) => toast(explain(e), true)) }, t("invites.revoke")))));
    } catch (e) {
      fillWith(list, h("li", { class: "error" }, explain(e)));
    }
  };
  d.body.append(
    h("form", { onsubmit: create }, h("div", { class: "pair" }, field(t("invites.hours"), hours), field(t("invites.uses"), uses)), field(t("invites.note"), note),
      rooms.length ? h("fieldset", { class: "checks" }, h("legend", null, t("invites.rooms")), ...rooms.map((r) => h("label", null,
        h("input", { type: "checkbox", onchange: (e: Event) => void ((e.target as HTMLInputElement).checked ? chosen.add(r.room.id) : chosen.delete(r.room.id)) }), h("span", null, roomName(s, r.room))))) : null,
      h("div", { class: "buttons" }, h("button", { type: "submit", class: "primary" }, t("invites.create")))),
    fresh, h("h3", null, t("invites.open")), list);
  void load();
}

// logout says what it costs, then ends the session.
export function logout(client: Client, done: () => void): void {
  const n = client.outbox.unsent;
  confirm(t("logout.title"), (n ? t("logout.unsent", { n }) + " " : "") + t("logout.about"), t("menu.logout"), async () => {
    try {
      await client.call("session.logout", {});
    } catch (e) {
      toast(explain(e), true);
      return;
    }
    done();
  });
}
