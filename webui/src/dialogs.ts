// Dialogs that begin and find rooms.

import { limits, type ID, type RoomKind } from "./api";
import type { Client } from "./client";
import { dialog, field, fillWith, h, toast } from "./dom";
import { explain, t } from "./lang";
import { uuid7 } from "./outbox";
import { Picker } from "./people";
import type { Key } from "./words";

function go(room: ID): void {
  location.hash = "#/room/" + room;
}

// newRoom begins a direct conversation or makes a room.
export function newRoom(client: Client): void {
  const d = dialog(t("new.title"));
  const me = client.store.state.me!.id;
  const pane = h("div", { class: "pane" });
  const kinds: (RoomKind & ("direct" | "group" | "channel" | "announcement"))[] = ["direct", "group", "channel", "announcement"];
  const show = (kind: RoomKind) => {
    if (kind === "direct") {
      const picker = new Picker(client, false, new Set(), async (u) => {
        try {
          const r = await client.call("room.direct", { user: u.id });
          client.store.dispatch({ type: "room", room: r.room });
          d.close();
          go(r.room.id);
        } catch (e) {
          toast(explain(e), true);
        }
      });
      fillWith(pane, h("p", { class: "hint" }, t("new.direct.pick")), picker.element);
      return;
    }
    fillWith(pane, roomForm(client, kind, me, d.close));
  };
  const radios = h("fieldset", { class: "kinds" }, h("legend", null, t("new.kind")), ...kinds.map((k, i) => h("label", null,
    h("input", { type: "radio", name: "kind", value: k, checked: i === 0, onchange: () => show(k) }), h("span", null, t(("kind." + k) as Key)))));
  d.body.append(radios, pane);
  show("direct");
}

function roomForm(client: Client, kind: RoomKind, me: ID, close: () => void): HTMLElement {
  const name = h("input", { type: "text", required: true, maxlength: limits.MaxName, name: "name" });
  const topic = h("input", { type: "text", maxlength: limits.MaxTopic, name: "topic" });
  const picker = new Picker(client, true, new Set([me]));
  const key = uuid7(Date.now(), (n) => crypto.getRandomValues(new Uint8Array(n)));
  const error = h("p", { class: "error", role: "alert" });
  return h("form", { onsubmit: async (e: Event) => {
    e.preventDefault();
    try {
      const r = await client.call("room.create", { kind, name: name.value.trim(), key, topic: topic.value.trim() || undefined, members: [...picker.chosen.keys()] });
      client.store.dispatch({ type: "room", room: r.room });
      close();
      go(r.room.id);
    } catch (x) {
      error.textContent = explain(x);
    }
  } }, h("p", { class: "hint" }, t(("kind." + kind + ".about") as Key)), field(t("new.name"), name), field(t("new.topic"), topic),
  h("div", { class: "field" }, h("span", null, t("new.people")), picker.element), error, h("div", { class: "buttons" }, h("button", { type: "submit", class: "primary" }, t("new.create"))));
}

// browse shows what can be joined.
export function browse(client: Client): void {
  const d = dialog(t("browse.title"));
  const list = h("ul", { class: "people", "aria-live": "polite" });
  let timer = 0;
  const search = h("input", { type: "search", placeholder: t("search"), "aria-label": t("search"), oninput: () => {
    clearTimeout(timer);
    timer = window.setTimeout(load, 150);
  } });
  const load = async () => {
    try {
      const query = search.value.trim();
      const r = await client.call("room.discover", query ? { query } : {});
      fillWith(list, r.rooms.length ? null : h("li", { class: "empty" }, t("browse.none")), ...r.rooms.map((room) => {
        const mine = client.store.state.rooms.has(room.id);
        return h("li", { class: "discover" },
          h("span", { class: "about" }, h("span", { class: "name" }, (room.kind === "channel" ? "# " : "") + room.name), h("span", { class: "login" }, t("room.members", { n: room.members }) + (room.topic ? " · " + room.topic : ""))),
          h("button", { type: "button", "aria-label": t(mine ? "browse.open" : "browse.join") + " " + room.name, onclick: async () => {
            try {
              if (!mine) client.store.dispatch({ type: "room", room: (await client.call("room.join", { room: room.id })).room });
              d.close();
              go(room.id);
            } catch (e) {
              toast(explain(e), true);
            }
          } }, t(mine ? "browse.open" : "browse.join")));
      }));
    } catch (e) {
      fillWith(list, h("li", { class: "error" }, explain(e)));
    }
  };
  d.body.append(search, list);
  void load();
}
