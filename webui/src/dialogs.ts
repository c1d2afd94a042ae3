// Dialogs about rooms and messages.

import { limits, type ID, type Message, type RoomKind } from "./api";
import type { Client } from "./client";
import { confirm, dialog, field, fillWith, h, icon, iconButton, toast } from "./dom";
import { clock, explain, full, t } from "./lang";
import { nameOf, roomName, userAvatar } from "./names";
import { uuid7 } from "./outbox";
import { Picker } from "./people";
import { moderates } from "./state";
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

// members shows who is in a room; adds, removes and leaves.
export function members(client: Client, id: ID): void {
  const s = client.store.state;
  const room = s.rooms.get(id)?.room;
  if (!room) return;
  const d = dialog(roomName(s, room));
  const list = h("ul", { class: "people" });
  const more = h("button", { type: "button", hidden: true, onclick: () => void load(last) }, t("members.more"));
  const count = h("h3", null);
  let last: ID | undefined;
  const load = async (after?: ID) => {
    try {
      const r = await client.loadMembers(id, after);
      last = r.last;
      more.hidden = !r.more;
      render();
    } catch (e) {
      toast(explain(e), true);
    }
  };
  const render = () => {
    const r = s.rooms.get(id)?.room;
    if (!r) return d.close();
    count.textContent = t("room.members", { n: r.members });
    const rank = { owner: 0, moderator: 1, member: 2, reader: 3 } as const;
    const people = [...(s.members.get(id) ?? [])].sort((a, b) => rank[a[1]] - rank[b[1]] || nameOf(s, a[0]).localeCompare(nameOf(s, b[0])));
    fillWith(list, ...people.map(([user, role]) => {
      const state = s.presence.get(user)?.state;
      return h("li", { class: "discover" }, userAvatar(s, user),
        h("span", { class: "about" }, h("span", { class: "name" }, nameOf(s, user), user === s.me?.id ? " (" + t("you") + ")" : ""),
          h("span", { class: "login" }, "@" + (s.users.get(user)?.login ?? "") + (role === "member" ? "" : " · " + t(("role." + role) as Key)) + (state && state !== "offline" ? " · " + t(("presence." + state) as Key) : ""))),
        moderates(r) && r.kind !== "direct" && user !== s.me?.id ? iconButton("close", t("members.remove", { name: nameOf(s, user) }), () => {
          client.call("room.remove", { room: id, users: [user] }).catch((e) => toast(explain(e), true));
        }) : null);
    }));
  };
  const stop = client.store.listen((topics) => {
    if (topics.has(`room:${id}`) || topics.has("users")) render();
  });
  d.onclose(stop);
  const mayAdd = (room.kind === "group" && room.my_role) || (room.kind !== "direct" && room.kind !== "notes" && moderates(room));
  const adding = h("div", { class: "adding" });
  d.body.append(
    room.topic ? h("p", null, room.topic) : "", h("p", { class: "hint" }, t(("kind." + room.kind) as Key) + (room.archived ? " · " + t("room.archived") : "")), count, list, more, adding,
    room.kind === "direct" || room.kind === "notes" ? "" : h("div", { class: "buttons" },
      h("button", { type: "button", class: "danger", onclick: () => confirm(t("members.leave.title"), t("members.leave.about"), t("members.leave"), async () => {
        try {
          await client.call("room.leave", { room: id });
          d.close();
          location.hash = "#/";
        } catch (e) {
          toast(explain(e), true);
        }
      }) }, t("members.leave")),
      mayAdd ? h("button", { type: "button", class: "primary", onclick: () => add(client, id) }, t("members.add")) : null));
  render();
  void load();
}

function add(client: Client, room: ID): void {
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

// info shows who has read a message and, for its author, how far each device is.
export async function info(client: Client, m: Message): Promise<void> {
  const s = client.store.state;
  const d = dialog(t("info.title"), true);
  d.body.append(h("p", { role: "status" }, t("loading")));
  const mine = m.sender === s.me?.id || s.me?.role !== "member";
  try {
    const [readers, journey] = await Promise.all([client.call("message.readers", { message: m.id }), mine ? client.call("message.journey", { message: m.id }).catch(() => null) : null]);
    readers.read = readers.read.filter((r) => r.user !== m.sender);
    client.wantUsers([...readers.read.map((r) => r.user), ...readers.unread, ...(journey?.steps.map((x) => x.user) ?? [])]);
    if (journey && m.sender === s.me?.id) client.store.dispatch({ type: "steps", room: m.room, seq: m.seq, steps: journey.steps });
    const render = () => fillWith(d.body,
      h("p", { class: "hint" }, t("info.stored", { time: full(journey?.stored ?? m.time) })),
      h("h3", null, t("info.read", { n: readers.read.length })),
      h("ul", { class: "people small" }, ...readers.read.map((r) => h("li", { class: "discover" }, userAvatar(s, r.user), h("span", { class: "about" }, nameOf(s, r.user)), r.at ? h("time", null, full(r.at)) : null))),
      h("h3", null, t("info.unread", { n: readers.unread.length })),
      h("ul", { class: "people small" }, ...readers.unread.map((u) => h("li", { class: "discover" }, userAvatar(s, u), h("span", { class: "about" }, nameOf(s, u))))),
      journey?.steps.length ? h("h3", null, t("info.devices")) : null,
      journey?.steps.length ? h("table", null,
        h("thead", null, h("tr", null, h("th", { scope: "col" }, t("info.stepname")), h("th", { scope: "col" }, t("info.state")), h("th", { scope: "col" }, t("info.time")))),
        h("tbody", null, ...journey.steps.map((x) => h("tr", null,
          h("td", null, nameOf(s, x.user), h("span", { class: "login" }, " " + (x.device ? x.name : t("info.nodevice")))),
          h("td", { class: "step " + x.state }, icon(x.state === "stored" ? "clock" : x.state === "pushed" ? "check" : "checks"), t(("step." + x.state) as Key)),
          h("td", null, clock(x.read_at || x.acked_at || x.pushed_at || journey.stored)))))) : null,
      journey?.more ? h("p", { class: "hint" }, t("info.more")) : null);
    render();
    d.onclose(client.store.listen((topics) => {
      if (topics.has("users")) render();
    }));
  } catch (e) {
    fillWith(d.body, h("p", { class: "error", role: "alert" }, explain(e)));
  }
}
