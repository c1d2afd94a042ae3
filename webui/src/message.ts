// One entry of a timeline as an element.

import { limits, type File as Attachment, type Message, type Room } from "./api";
import type { Client } from "./client";
import { polish } from "./content";
import type { MessageMenu } from "./frame";
import { confirm, copyText, h, icon, iconButton, menuItem, popup, toast, type Icon } from "./dom";
import { clock, explain, full, size, t } from "./lang";
import { plain, render } from "./markup";
import { changeText, nameOf, names, recalledText, senderName, userAvatar } from "./names";
import type { Pending } from "./outbox";
import { pickEmoji } from "./emojipicker";
import { film, plays, voiceNote } from "./player";
import { moderates, statusOf, type State } from "./state";
import { fileAddress, showable, view } from "./viewer";

export const emojis = ["👍", "❤️", "😂", "🎉", "😮", "🙏"];

export interface MessageActions {
  reply(m: Message): void;
  edit(m: Message): void;
  again(p: Pending): void; // back into the composer
  info(m: Message): void;
  jump(seq: number): void;
  thread?(seq: number): void; // opens a thread; absent inside of one
  extra: MessageMenu; // what features add
}

// signature changes whenever the element would look different.
export function signature(s: State, m: Message, lead: boolean): string {
  const parts: unknown[] = [m.edits, m.edited_at, m.recalled, m.pinned_at, lead, m.text, senderName(s, m), s.users.get(m.sender)?.avatar];
  if (m.change) parts.push(changeText(s, m));
  if (m.recalled) parts.push(recalledText(s, m));
  if (m.reactions?.length) parts.push(m.reactions.map((r) => r.emoji + names(s, r.users)));
  if (m.preview) parts.push(nameOf(s, m.preview.sender), m.preview.text);
  if (m.forwarded) parts.push(nameOf(s, m.forwarded.sender));
  if (m.mentions?.length) parts.push(names(s, m.mentions));
  if (m.sender === s.me?.id && !m.change) parts.push(statusOf(s, m.room, m.seq));
  return JSON.stringify(parts);
}

// messageView makes the element of an entry. lead: the first of several of one
// person, which shows who it is.
export function messageView(client: Client, room: Room, m: Message, lead: boolean, act: MessageActions): HTMLElement {
  const s = client.store.state;
  if (m.change) return h("li", { class: "system", "data-seq": m.seq }, changeText(s, m), " ", h("time", { title: full(m.time) }, clock(m.time)));
  if (m.thread && act.thread) return threadLine(s, m, act);
  const mine = m.sender === s.me?.id;
  const called = m.mention_all || (s.me && m.mentions?.includes(s.me.id));
  const content = h("div", { class: "content" });
  if (m.forwarded) content.append(h("p", { class: "forwarded" }, t("message.forwarded", { name: nameOf(s, m.forwarded.sender) })));
  if (m.preview && m.reply_to) content.append(quote(s, m, act));
  if (m.recalled) content.append(h("p", { class: "recalled" }, recalledText(s, m)));
  else {
    if (m.text) content.append(body(s, m));
    if (m.files?.length) content.append(files(client, m));
    content.append(...act.extra.block(m));
    if (m.reactions?.length) content.append(reactions(client, m));
  }
  const foot = h("span", { class: "foot" });
  if (m.pinned_at) foot.append(h("span", { class: "mark" }, t("message.pinned")));
  if (m.edits && !m.recalled) foot.append(h("span", { class: "mark", title: m.edited_at ? full(m.edited_at) : "" }, t("message.edited")));
  foot.append(h("time", { datetime: new Date(m.time).toISOString(), title: full(m.time) }, clock(m.time)));
  if (mine && !m.recalled && room.kind !== "notes") foot.append(status(client, room, m, act));
  const classes = ["message", mine ? "mine" : "", lead ? "lead" : "", called && !mine ? "called" : ""].filter(Boolean).join(" ");
  return h("li", { class: classes, "data-seq": m.seq },
    h("div", { class: "gutter" }, lead ? userAvatar(s, m.sender) : null),
    h("div", { class: "bubble" },
      h("div", { class: lead ? "who" : "who sr" }, h("span", { class: "name" }, senderName(s, m))),
      content, foot),
    m.recalled ? null : actions(client, room, m, mine, act));
}

// threadLine is a reply in a thread as the room's timeline shows it: one line
// that opens the thread.
function threadLine(s: State, m: Message, act: MessageActions): HTMLElement {
  const text = m.recalled ? recalledText(s, m) : m.text ? plain(m.text).slice(0, 200) : m.files?.[0]?.name ?? "";
  return h("li", { class: "thread-line", "data-seq": m.seq }, h("button", { type: "button", onclick: () => act.thread!(m.thread!) },
    icon("thread"), h("span", { class: "name" }, senderName(s, m)), h("span", { class: "sr" }, " " + t("thread.line") + ": "), h("span", { class: "quoted" }, text),
    h("time", { datetime: new Date(m.time).toISOString(), title: full(m.time) }, clock(m.time))));
}

// body is a message's text as elements.
export function body(s: State, m: Message): HTMLElement {
  const byLogin = new Map<string, string>();
  for (const id of m.mentions ?? []) {
    const u = s.users.get(id);
    if (u) byLogin.set(u.login.toLowerCase(), u.name || u.login);
  }
  const e = h("div", { class: "text" });
  e.appendChild(render(m.text!, { self: s.me?.login.toLowerCase(), nameOf: (login) => byLogin.get(login) }));
  return polish(e, m.id, m.text!);
}

function quote(s: State, m: Message, act: MessageActions): HTMLElement {
  return h("button", { type: "button", class: "quote", onclick: () => act.jump(m.reply_to!), "aria-label": t("message.reply.to", { name: nameOf(s, m.preview!.sender) }) + ": " + m.preview!.text },
    h("span", { class: "name" }, nameOf(s, m.preview!.sender)), h("span", { class: "quoted" }, m.preview!.text));
}

// thumb is how large a picture is shown: known before it is loaded, so that
// the timeline does not jump.
export function thumb(width: number, height: number, edge: number): { width: number; height: number } {
  if (!width || !height) return { width: edge, height: Math.round(edge * 0.75) };
  const k = Math.min(1, edge / Math.max(width, height));
  return { width: Math.max(24, Math.round(width * k)), height: Math.max(24, Math.round(height * k)) };
}

// files are the attachments of a message.
export function files(client: Client, m: Message): HTMLElement {
  return h("ul", { class: "files" }, ...m.files!.map((f) => h("li", null, file(client, m, f))));
}

function file(client: Client, m: Message, f: Attachment): HTMLElement {
  const href = fileAddress(f);
  if (f.voice && plays(f)) return voiceNote(f, href);
  if (plays(f)) return h("div", { class: "media" }, film(f, href), fileLink(f, href));
  if (showable(f)) {
    const img: HTMLImageElement = h("img", { src: "/files/" + f.id + "/thumbnail/320", alt: f.name, loading: "lazy", decoding: "async", ...thumb(f.width ?? 0, f.height ?? 0, 320) });
    const a = h("a", { class: "picture", href, target: "_blank", rel: "noopener", title: f.name + " · " + size(f.size),
      onclick: (e: MouseEvent) => {
        if (e.ctrlKey || e.metaKey || e.shiftKey) return;
        e.preventDefault();
        view(client, m, f);
      } }, img);
    img.addEventListener("error", () => a.replaceWith(fileLink(f, href)), { once: true });
    return a;
  }
  return fileLink(f, href);
}

function fileLink(f: Attachment, href: string): HTMLElement {
  return h("a", { class: "file", href, target: "_blank", rel: "noopener", download: f.name }, icon("file"),
    h("span", { class: "file-name" }, f.name), h("span", { class: "file-size" }, size(f.size)));
}

function reactions(client: Client, m: Message): HTMLElement {
  const s = client.store.state;
  return h("div", { class: "reactions" }, ...m.reactions!.map((r) => {
    const on = r.users.includes(s.me?.id ?? "");
    const label = t("reaction.label", { emoji: r.emoji, names: names(s, r.users) });
    return h("button", { type: "button", class: on ? "on" : "", "aria-pressed": on ? "true" : "false", "aria-label": label, title: label, onclick: () => react(client, m, r.emoji, !on) },
      h("span", null, r.emoji), " ", r.users.length);
  }));
}

function react(client: Client, m: Message, emoji: string, on: boolean): void {
  client.call("message.react", { message: m.id, emoji, on }).catch((e) => toast(explain(e), true));
}

// status says how far one's own message has got. Its button tells who.
function status(client: Client, room: Room, m: Message, act: MessageActions): HTMLElement {
  const st = statusOf(client.store.state, m.room, m.seq);
  const picture: Icon = st.step === "stored" ? "check" : "checks";
  const many = room.kind !== "direct";
  const text = st.step === "read" ? (many ? t("status.readby", { n: st.readers }) : t("status.read")) : t(st.step === "delivered" ? "status.delivered" : "status.stored");
  return h("button", { type: "button", class: "status " + st.step, title: text, onclick: () => act.info(m) },
    icon(picture), many && st.step === "read" ? h("span", { "aria-hidden": "true" }, st.readers) : null, h("span", { class: "sr" }, text));
}

function actions(client: Client, room: Room, m: Message, mine: boolean, act: MessageActions): HTMLElement {
  const label = t("message.actions", { name: nameOf(client.store.state, m.sender) });
  const b: HTMLButtonElement = iconButton("more", label, () => popup(b, label, menu(client, room, m, mine, act, b)),
    { class: "iconbutton actions", "aria-haspopup": "menu", "aria-expanded": "false" });
  return b;
}

function menu(client: Client, room: Room, m: Message, mine: boolean, act: MessageActions, at: HTMLElement): HTMLElement[] {
  const items: HTMLElement[] = [];
  const used = new Set((m.reactions ?? []).map((r) => r.emoji));
  if (!room.archived) {
    items.push(h("div", { class: "emoji-row" }, ...emojis.map((e) => {
      const on = m.reactions?.find((r) => r.emoji === e)?.users.includes(client.store.state.me?.id ?? "") ?? false;
      return h("button", { type: "button", "aria-label": t("action.react", { emoji: e }), disabled: !used.has(e) && used.size >= limits.MaxReactions, onclick: () => react(client, m, e, !on) }, e);
    }), h("button", { type: "button", "aria-label": t("emoji.more"), title: t("emoji.more"), disabled: used.size >= limits.MaxReactions, onclick: () => setTimeout(() => pickEmoji(at, (e) => react(client, m, e, true))) }, icon("plus"))));
    items.push(menuItem(t("action.reply"), () => act.reply(m)));
  }
  if (m.text) items.push(menuItem(t("action.copy"), () => copyText(m.text!)));
  const mayPin = room.kind === "direct" || room.kind === "group" || room.kind === "notes" || moderates(room);
  if (mayPin) {
    items.push(menuItem(t(m.pinned_at ? "action.unpin" : "action.pin"), () => {
      client.call("message.pin", { message: m.id, on: !m.pinned_at }).catch((e) => toast(explain(e), true));
    }));
  }
  if (room.kind !== "notes") items.push(menuItem(t("action.info"), () => act.info(m)));
  items.push(...act.extra.items(room, m));
  if (mine && !m.forwarded && !room.archived) items.push(menuItem(t("action.edit"), () => act.edit(m)));
  if (mine || moderates(room)) {
    items.push(menuItem(t("action.recall"), () => confirm(t("recall.title"), t("recall.about"), t("recall.button"), () => {
      client.call("message.recall", { message: m.id }).catch((e) => toast(explain(e), true));
    }), true));
  }
  return items;
}

// pendingView is an entry of the outbox.
export function pendingView(client: Client, p: Pending, act: MessageActions): HTMLElement {
  const s = client.store.state;
  const failed = p.failed !== undefined;
  const text = failed ? t("status.failed", { reason: p.failed! }) : p.seq ? t("status.stored") : s.link.state === "online" && !s.readOnly ? t("status.sending") : t(p.unkept ? "status.unkept" : "status.queued");
  const content = h("div", { class: "content" });
  if (p.text) {
    const e = h("div", { class: "text" });
    e.appendChild(render(p.text, {}));
    content.append(e);
  }
  if (p.files?.length) content.append(h("ul", { class: "files" }, ...p.files.map((f) => h("li", null, h("span", { class: "file" }, icon("file"), h("span", { class: "file-name" }, f.name), h("span", { class: "file-size" }, size(f.size)))))));
  return h("li", { class: "message mine pending" + (failed ? " failed" : ""), "data-key": p.key },
    h("div", { class: "gutter" }),
    h("div", { class: "bubble" },
      h("div", { class: "who sr" }, h("span", { class: "name" }, s.me?.name ?? "")),
      content,
      h("span", { class: "foot" }, h("time", null, clock(p.created)),
        h("span", { class: "status " + (failed ? "bad" : "sending"), title: text }, icon(failed ? "warn" : p.seq ? "check" : "clock"), failed ? text : h("span", { class: "sr" }, text))),
      failed ? h("div", { class: "buttons" },
        h("button", { type: "button", onclick: () => client.retry(p.key) }, t("retry")),
        h("button", { type: "button", onclick: () => act.again(p) }, t("failed.edit")),
        h("button", { type: "button", onclick: () => client.drop(p.key) }, t("delete"))) : null));
}
