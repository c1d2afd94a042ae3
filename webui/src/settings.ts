// Dialogs about invitations and logging out.

import type { ID } from "./api";
import type { Client } from "./client";
import { confirm, copyText, dialog, field, fillWith, h, toast } from "./dom";
import { anyDraft } from "./drafts";
import { explain, lang, t, when } from "./lang";
import { roomName } from "./names";
import { post } from "./rpc";

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
        h("span", { class: "about" }, h("span", { class: "name" }, i.note || when(i.created)), h("span", { class: "login" }, t("invites.row", { used: i.used, uses: i.uses, time: when(i.expires) }))),
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
  confirm(t("logout.title"), (n ? t("logout.unsent", { n }) + " " : "") + (anyDraft(client.user) ? t("logout.drafts") + " " : "") + t("logout.about"), t("menu.logout"), async () => {
    try {
      // Not over the socket, which ends with the session and may take the answer with it.
      await post("session.logout", {}, lang);
    } catch (e) {
      toast(explain(e), true);
      return;
    }
    done();
  });
}
