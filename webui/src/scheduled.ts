// Messages that are sent later: the button beside the send button, the list,
// and a word above the room.

import type { ID, ScheduledChange, ScheduledMessage } from "./api";
import type { Client } from "./client";
import type { Composer } from "./composer";
import { confirm as ask, dialog, field, fillWith, h, icon, iconButton, menuItem, popup, toast } from "./dom";
import type { Feature, Frame, View } from "./frame";
import { clock, explain, lang, t, when } from "./lang";
import { render } from "./markup";
import { roomName } from "./names";
import { localTime, presets } from "./notice_text";
import { uuid7 } from "./outbox";

// Later keeps the caller's scheduled messages as the server has them.
export class Later {
  private all = new Map<ID, ScheduledMessage>();

  constructor(private readonly client: Client) {}

  async load(): Promise<void> {
    try {
      const r = await this.client.call("scheduled.list", {});
      this.all = new Map(r.scheduled.map((m) => [m.id, m]));
      this.touch();
    } catch {
      // The next connection asks again.
    }
  }

  list(room?: ID): ScheduledMessage[] {
    return [...this.all.values()].filter((m) => !room || m.room === room).sort((a, b) => a.at - b.at);
  }

  put(m: ScheduledMessage): void {
    this.all.set(m.id, m);
    this.touch();
  }

  change(c: ScheduledChange): void {
    if (c.what === "sent" || c.what === "removed") this.all.delete(c.id);
    else if (c.scheduled) this.all.set(c.id, c.scheduled);
    if (c.what === "failed" && c.scheduled) toast(t("scheduled.bad"), true);
    this.touch();
  }

  private touch(): void {
    this.client.store.dispatch({ type: "touch", topics: ["scheduled"] });
  }
}

// shelves holds the scheduled messages of each logged-in account of this page.
const shelves = new WeakMap<Client, Later>();

function laterOf(client: Client): Later {
  let l = shelves.get(client);
  if (!l) {
    l = new Later(client);
    shelves.set(client, l);
  }
  return l;
}

// pickTime asks for a time.
function pickTime(at: number, text: string | null, done: (at: number, text: string) => Promise<void>): void {
  const d = dialog(text === null ? t("scheduled.button") : t("scheduled.edit.title"));
  const when = h("input", { type: "datetime-local", min: localTime(Date.now()), value: localTime(at), required: true });
  const area = h("textarea", { rows: 5, value: text ?? "" });
  const error = h("p", { class: "error", role: "alert" });
  const button: HTMLButtonElement = h("button", { type: "button", class: "primary", onclick: async () => {
    // Seconds are not shown: a time that was not touched stays as it was.
    const ms = when.value === localTime(at) ? at : new Date(when.value).getTime();
    if (!(ms > Date.now())) {
      error.textContent = t("scheduled.past");
      return;
    }
    button.disabled = true;
    try {
      await done(ms, area.value.trim());
      d.close();
    } catch (e) {
      error.textContent = explain(e);
    }
    button.disabled = false;
  } }, text === null ? t("scheduled.schedule") : t("save"));
  d.body.append(h("form", { class: "notice-form", onsubmit: (e: Event) => e.preventDefault() }, text === null ? null : field(t("scheduled.text"), area), field(t("scheduled.when"), when), error, h("div", { class: "buttons" }, button)));
  (text === null ? when : area).focus();
}

function button(f: Frame, c: Composer): HTMLElement {
  const later = laterOf(c.client);
  const schedule = async (at: number) => {
    const draft = c.draft();
    if (!draft) return;
    const r = await c.client.call("scheduled.create", { room: c.room, key: uuid7(Date.now(), (n) => crypto.getRandomValues(new Uint8Array(n))), text: draft.text, at,
      ...(draft.replyTo ? { reply_to: draft.replyTo } : {}), ...(draft.thread ? { thread: draft.thread } : {}), ...(draft.files ? { files: draft.files.map((x) => x.id) } : {}) });
    c.clear();
    later.put(r.scheduled);
    toast(t("scheduled.made", { time: when(at) }));
  };
  const b: HTMLButtonElement = iconButton("clock", t("scheduled.button"), () => {
    if (!c.draft()) return f.pane("scheduled"); // which tells what to do
    const now = Date.now();
    const to = (at: number) => void schedule(at).catch((e) => toast(explain(e), true));
    popup(b, t("scheduled.button"), [...presets(now).map((p) => menuItem(t(p.name, { time: clock(p.at) }), () => to(p.at))),
      menuItem(t("scheduled.pick"), () => pickTime(now + 7200000, null, schedule)), menuItem(t("scheduled.show"), () => f.pane("scheduled"))]);
  }, { "aria-haspopup": "menu", "aria-expanded": "false" });
  return b;
}

function item(f: Frame, m: ScheduledMessage, withRoom: boolean): HTMLElement {
  const s = f.client.store.state;
  const r = s.rooms.get(m.room)?.room;
  const text = h("div", { class: "text" });
  if (m.text) text.appendChild(render(m.text));
  const bad = (e: unknown) => toast(explain(e), true);
  return h("article", { class: "hit" },
    h("header", null, icon(m.failed_at ? "warn" : "clock"), h("span", { class: "name" }, when(m.at))),
    withRoom ? h("p", null, h("a", { href: "#/room/" + m.room }, r ? roomName(s, r) : t("room.gone"))) : null,
    m.failed_at ? h("p", { class: "error" }, t("scheduled.failed", { time: when(m.failed_at), reason: (lang === "zh" ? m.reason_zh : m.reason_en) ?? "" })) : null,
    text, m.files?.length ? h("p", { class: "hint" }, m.files.map((x) => x.name).join(", ")) : null,
    h("div", { class: "notice-row" },
      h("button", { type: "button", onclick: () => pickTime(m.at, m.text ?? "", async (at, words) => {
        laterOf(f.client).put((await f.client.call("scheduled.update", { scheduled: m.id, text: words, ...(at !== m.at ? { at } : {}) })).scheduled);
      }) }, t("scheduled.edit")),
      h("button", { type: "button", onclick: () => void f.client.call("scheduled.send", { scheduled: m.id }).catch(bad) }, t("scheduled.now")),
      h("button", { type: "button", class: "danger", onclick: () => ask(t("scheduled.remove.title"), t("scheduled.remove.about"), t("scheduled.remove"),
        () => void f.client.call("scheduled.remove", { scheduled: m.id }).catch(bad)) }, t("scheduled.remove"))));
}

// view lists the scheduled messages of a room, or all.
function view(f: Frame, room?: ID): View {
  const status = h("p", { class: "hint", role: "status" });
  const list = h("ol", { class: "hits" });
  const show = () => {
    const all = laterOf(f.client).list(room);
    status.textContent = all.length ? "" : t("scheduled.none");
    fillWith(list, ...all.map((m) => h("li", null, item(f, m, !room))));
  };
  show();
  return { title: t("scheduled.show"), element: h("div", { class: "pane-scroll notices" }, status, list), draw: (topics) => { if (topics.has("scheduled")) show(); } };
}

function banner(f: Frame): HTMLElement | null {
  const list = f.room ? laterOf(f.client).list(f.room) : [];
  const first = list[0];
  if (!first) return null;
  const failed = list.some((m) => m.failed_at);
  const text = failed ? t("scheduled.bad") : list.length === 1 ? t("scheduled.here.one", { time: when(first.at) }) : t("scheduled.here.many", { n: list.length, time: when(first.at) });
  return h("div", { class: failed ? "later-banner bad" : "later-banner" }, icon(failed ? "warn" : "clock"), h("p", { role: "status" }, text),
    h("button", { type: "button", class: "quiet", onclick: () => f.pane("scheduled") }, t("notices.show")));
}

export const scheduledFeature: Feature = {
  panes: { scheduled: (f, room) => view(f, room) },
  pages: { scheduled: (f) => view(f) },
  commands: [{ name: "scheduled.show", run: (f) => f.go("scheduled") }],
  mainMenu: (f) => (laterOf(f.client).list().length ? [menuItem(t("scheduled.show"), () => f.go("scheduled"))] : []),
  composerButtons: (f, c) => [button(f, c)],
  banner,
  start: (f) => {
    const later = laterOf(f.client);
    let online = false;
    const ends = [
      f.client.store.hear((e) => {
        if (e.type === "scheduled") later.change(e.data);
      }),
      f.client.store.listen((topics) => {
        if (!topics.has("link")) return;
        const now = f.client.store.state.link.state === "online";
        if (now && !online) void later.load();
        online = now;
      }),
    ];
    return () => ends.forEach((end) => end());
  },
};
