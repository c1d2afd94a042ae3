// The doors of a room for other programs: incoming hooks, outgoing hooks and
// slash commands, in a pane of the room; and all that one looks after, on a page.

import type { Hook, HookCreate, HookResult, HookUpdate, ID } from "./api";
import { form, manages } from "./accounts";
import type { Client } from "./client";
import { confirm, copyText, dialog, field, fillWith, h, iconButton, menuItem, popup, toast } from "./dom";
import type { Feature, Frame, View } from "./frame";
import { examples, words } from "./hook_examples";
import { deadLetters } from "./hook_dead";
import { explain, t, when } from "./lang";
import { roomName } from "./names";
import { moderates } from "./state";
import type { Topic } from "./store";
import type { Key } from "./words";

const kinds = ["incoming", "outgoing", "command"] as const;
const formats = ["dingtalk", "slack", "mattermost", "grafana", "alertmanager", "gitlab", "jenkins", "github", "plain"];
const events = ["message", "edited", "recalled", "members"] as const;
const every = 5000; // ms: counters are asked for again while one looks

// Doors is the list of hooks of a room; of room "", all that one looks after.
class Doors implements View {
  readonly title = t("hooks.title");
  readonly element: HTMLElement;
  private list = h("div", { class: "doors" });
  private status = h("p", { class: "hint", role: "status" }, t("loading"));
  private tools = h("div", { class: "buttons start" });
  private drawn = "";
  private timer: number;

  constructor(private readonly f: Frame, private readonly room: ID) {
    const inside = [h("p", { class: "hint" }, t("hooks.about")), this.tools, this.status, this.list];
    this.element = room ? h("div", { class: "pane-scroll" }, ...inside) : h("div", { class: "page-scroll" }, h("div", { class: "sheet" }, ...inside));
    this.timer = window.setInterval(() => {
      if (!document.hidden && !document.querySelector("dialog[open], .popup")) void this.load();
    }, every);
    void this.load();
  }

  close(): void {
    clearInterval(this.timer);
  }

  draw(topics: Set<Topic>): void {
    if (topics.has("link") && this.f.client.store.state.link.state === "online") void this.load();
  }

  private load = async (): Promise<void> => {
    try {
      const r = await this.f.client.call("hook.list", this.room ? { room: this.room } : {});
      const look = JSON.stringify(r);
      if (look === this.drawn) return;
      this.drawn = look;
      this.status.textContent = r.hooks.length ? "" : t(r.manage ? "hooks.none" : "hooks.nonehere");
      fillWith(this.tools, ...(r.manage || (!this.room && manages(this.f.client)) ? kinds.filter((k) => this.room || k === "command").map((kind) =>
        h("button", { type: "button", onclick: () => make(this.f.client, kind, this.room, this.load) }, t(("hooks.new." + kind) as Key))) : []));
      fillWith(this.list, ...kinds.flatMap((kind) => {
        const some = r.hooks.filter((x) => x.kind === kind);
        return some.length ? [h("section", { "aria-label": t(("hooks." + kind) as Key) }, h(this.room ? "h3" : "h2", null, t(("hooks." + kind) as Key)), h("ul", null, ...some.map((x) => this.row(x, r.manage))))] : [];
      }));
    } catch (e) {
      this.status.textContent = explain(e);
    }
  };

  private row(x: Hook, may: boolean): HTMLElement {
    const s = this.f.client.store.state;
    const r = x.room ? s.rooms.get(x.room)?.room : undefined;
    const entries = () => menu(this.f.client, x, this.load);
    const label = t("hooks.menu", { name: x.name });
    const more: HTMLButtonElement = iconButton("more", label, () => popup(more, label, entries()), { "aria-haspopup": "menu", "aria-expanded": "false" });
    const facts = [
      this.room ? "" : r ? roomName(s, r) : x.room ? "" : t("hooks.everyroom"),
      x.kind === "command" ? "/" + x.command + (x.hint ? " " + x.hint : "") : "", x.format ?? "", x.signed ? t("hooks.signed") : "",
      x.url ?? "", (x.words ?? []).join(", "), (x.keywords ?? []).join(", "),
    ].filter(Boolean).join(" · ");
    return h("li", { class: "door" + (x.disabled ? " off" : "") },
      h("div", { class: "about" }, h("p", { class: "name" }, x.name, x.disabled ? h("span", { class: "tag" }, t("hooks.off")) : null),
        x.description ? h("p", null, x.description) : null, facts ? h("p", { class: "login" }, facts) : null,
        may ? h("p", { class: "login" }, [x.last_used ? t("hooks.used", { time: when(x.last_used) }) : t("hooks.unused"), t("hooks.counts", { passed: x.delivered ?? 0, refused: x.refused ?? 0 }), x.pending ? t("hooks.pending", { n: x.pending }) : ""].filter(Boolean).join(" · ")) : null,
        may && x.last_error ? h("p", { class: "error" }, (x.last_error_at ? when(x.last_error_at) + ": " : "") + x.last_error) : null,
        may && x.dead ? h("button", { type: "button", onclick: () => deadLetters(this.f.client, x, this.load) }, t("hooks.dead", { n: x.dead })) : null),
      may ? more : null);
  }
}

function menu(client: Client, x: Hook, done: () => void): HTMLElement[] {
  const act = (p: Promise<unknown>) => void p.then(done, (e) => toast(explain(e), true));
  const rotate = (what: "token" | "secret") => confirm(t(("hooks.rotate." + what) as Key) + "?", t(("hooks.rotate." + what + ".about") as Key), t(("hooks.rotate." + what) as Key), () => {
    client.call("hook.rotate", { hook: x.id, what }).then((r) => {
      reveal(r);
      done();
    }, (e) => toast(explain(e), true));
  });
  return [
    menuItem(t("card.edit"), () => edit(client, x, done)),
    x.kind === "incoming" ? menuItem(t("hooks.rotate.token"), () => rotate("token")) : null,
    menuItem(t("hooks.rotate.secret"), () => rotate("secret")),
    menuItem(t(x.disabled ? "hooks.enable" : "hooks.disable"), () => act(client.call("hook.update", { hook: x.id, disabled: !x.disabled }))),
    menuItem(t("hooks.remove"), () => confirm(t("hooks.remove.title", { name: x.name }), t(("hooks.remove." + x.kind) as Key), t("hooks.remove"), () => act(client.call("hook.remove", { hook: x.id }))), true),
  ].filter((e) => e !== null);
}

// reveal shows what is shown once.
function reveal(r: HookResult): void {
  if (!r.url && !r.secret) return;
  const d = dialog(r.hook.name, true);
  const secret = (label: string, value: string) => {
    const input = h("input", { type: "text", readonly: true, value, onfocus: (e: Event) => (e.target as HTMLInputElement).select() });
    return h("div", { class: "once" }, field(label, input), h("button", { type: "button", "aria-label": t("copy") + " " + label, onclick: () => copyText(value) }, t("copy")));
  };
  d.body.append(h("p", { class: "notice" }, t("hooks.once")));
  if (r.url) d.body.append(secret(t("hooks.url"), r.url));
  if (r.dingtalk_url) d.body.append(secret(t("hooks.dingtalk"), r.dingtalk_url));
  if (r.secret) d.body.append(secret(t("hooks.secret"), r.secret), h("p", { class: "hint" }, t(r.hook.kind === "incoming" ? "hooks.secret.in" : "hooks.secret.out")));
  if (r.url) {
    d.body.append(h("h3", null, t("hooks.examples")), ...examples(r.url, r.dingtalk_url ?? "", r.secret ?? "").map((x) => h("details", { class: "example", open: x.name === "curl" }, h("summary", null, x.name),
      h("pre", { tabindex: 0, role: "region", "aria-label": x.name }, x.lines), h("button", { type: "button", "aria-label": t("copy") + " " + x.name, onclick: () => copyText(x.lines) }, t("copy")))));
  }
  d.body.append(h("div", { class: "buttons" }, h("button", { type: "button", class: "primary", onclick: d.close }, t("hooks.noted"))));
}

// fields are the inputs of one kind of hook, filled with what it is.
function fields(kind: Hook["kind"], x?: Hook) {
  const text = (value: string, props: Record<string, string | number | boolean> = {}) => h("input", { type: "text", value, maxlength: 200, ...props });
  const check = (label: string, on: boolean, name: string) => {
    const input = h("input", { type: "checkbox", checked: on, name });
    return { input, row: h("label", { class: "check" }, input, h("span", null, label)) };
  };
  const name = text(x?.name ?? "", { required: true, maxlength: 100, name: "name" });
  const description = text(x?.description ?? "");
  const url = h("input", { type: "url", value: x?.url ?? "", required: true, maxlength: 2000, name: "url", placeholder: "https://" });
  const format = h("select", null, h("option", { value: "" }, t("hooks.format.any")), ...formats.map((f) => h("option", { value: f, selected: f === x?.format }, f)));
  const list = text((x?.words ?? x?.keywords ?? []).join(" "), { maxlength: 2000 });
  const command = text(x?.command ?? "", { required: true, maxlength: 32, name: "command", autocapitalize: "none" });
  const hint = text(x?.hint ?? "");
  const usernames = check(t("hooks.usernames"), x?.usernames ?? false, "usernames");
  const sign = check(t("hooks.sign"), false, "sign");
  const told = events.map((e) => ({ e, ...check(t(("hooks.event." + e) as Key), x?.events ? x.events.includes(e) : e === "message", e) }));
  const rows = [field(t("new.name"), name), field(t("hooks.description"), description)];
  if (kind === "incoming") rows.push(field(t("hooks.format"), format), field(t("hooks.keywords"), list));
  else rows.push(field(t("hooks.target"), url));
  if (kind === "command") rows.push(field(t("hooks.command.word"), command), field(t("hooks.hint"), hint));
  if (kind === "outgoing") rows.push(field(t("hooks.words"), list));
  const extra = kind === "incoming" ? [usernames.row, ...(x ? [] : [sign.row])] : kind === "outgoing" ? [h("fieldset", { class: "checks" }, h("legend", null, t("hooks.events")), ...told.map((e) => e.row))] : [];
  const values = () => ({
    name: name.value.trim(), description: description.value.trim(),
    ...(kind === "incoming" ? { format: format.value, keywords: words(list.value), usernames: usernames.input.checked } : { url: url.value.trim() }),
    ...(kind === "outgoing" ? { words: words(list.value), events: told.filter((e) => e.input.checked).map((e) => e.e as string) } : {}),
    ...(kind === "command" ? { command: command.value.trim().replace(/^\//, ""), hint: hint.value.trim() } : {}),
  });
  return { rows: [...rows, ...extra], values, sign: () => sign.input.checked };
}

function make(client: Client, kind: (typeof kinds)[number], room: ID, done: () => void): void {
  const f = fields(kind);
  form(t(("hooks.new." + kind) as Key), t("new.create"), [h("p", { class: "hint" }, t(("hooks." + kind + ".about") as Key)), ...f.rows], async () => {
    const p: HookCreate = { kind, ...f.values(), ...(room ? { room } : {}), ...(kind === "incoming" && f.sign() ? { sign: true } : {}) };
    const r = await client.call("hook.create", p);
    done();
    setTimeout(() => reveal(r)); // once the form is closed
  });
}

function edit(client: Client, x: Hook, done: () => void): void {
  const f = fields(x.kind, x);
  form(t("account.edit", { name: x.name }), t("save"), f.rows, async () => {
    const p: HookUpdate = { hook: x.id, ...f.values() };
    const r = await client.call("hook.update", p);
    done();
    setTimeout(() => reveal(r));
  });
}

export const hooksFeature: Feature = {
  panes: { hooks: (f, room) => new Doors(f, room) },
  pages: { hooks: (f) => new Doors(f, "") },
  commands: [{ name: "hooks.title", when: (f) => f.room !== "", run: (f) => f.pane("hooks") }],
  roomMenu: (f, room) => (room.kind === "notes" || room.kind === "direct" || !(moderates(room) || manages(f.client)) ? [] : [menuItem(t("hooks.title"), () => f.pane("hooks"))]),
  mainMenu: (f) => (manages(f.client) ? [menuItem(t("hooks.title"), () => f.go("hooks"))] : []),
};
