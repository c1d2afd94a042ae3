// Writing: text, files, replies, edits. What is written is kept per room in the
// browser's storage until it is sent.

import type { ID, Message, User } from "./api";
import type { Client } from "./client";
import { Completion, emojiAt, mentionAt, type Choice, type Found, type Source } from "./complete";
import { confirm, fillWith, h, icon, iconButton, toast } from "./dom";
import { draftKey } from "./drafts";
import { emojiList, findEmoji, memory, remember, withTone } from "./emoji";
import { nameOfEmoji, pickEmoji } from "./emojipicker";
import { format, inFence, link, newLine, type Mark, type Selected } from "./format";
import { inComposition, sends } from "./ime";
import { explain, size, t } from "./lang";
import { render } from "./markup";
import { roomName, senderName } from "./names";
import type { Draft, Pending } from "./outbox";
import { mayWrite } from "./state";
import { Toolbar, markOf } from "./toolbar";
import { Tray, pastedName } from "./tray";
import type { Voice } from "./upload";

// Extras are what features add beside buttons.
export interface Extras {
  sources?(c: Composer): Source[]; // of completion
  take?(c: Composer, text: string): boolean; // true: a command, not a message
}

export class Composer {
  readonly element: HTMLElement;
  readonly ends: (() => void)[] = []; // called when the composer closes
  private area: HTMLTextAreaElement;
  private context = h("div", { class: "context", hidden: true });
  private preview = h("div", { class: "preview", role: "region", "aria-label": t("format.preview"), tabindex: 0, hidden: true });
  private slot = h("div", { class: "slot" });
  private notes = h("div", { class: "notes", role: "status" });
  private tray: Tray;
  private toolbar: Toolbar;
  private completion: Completion;
  private closed = h("p", { class: "closed", hidden: true });
  private form: HTMLFormElement;
  private reply: Message | null = null;
  private editing: Message | null = null;
  private composing = false;
  private ended = -1;
  private savedText = "";
  private picker = h("input", { type: "file", multiple: true, hidden: true, tabindex: -1, "aria-hidden": "true" });

  constructor(readonly client: Client, readonly room: ID, private readonly sent: () => void, buttons: (c: Composer) => HTMLElement[] = () => [], readonly thread = 0,
    private readonly extras: Extras = {}) {
    this.tray = new Tray(() => this.save(), (file) => void this.client.call("file.discard", { file }).catch(() => {}));
    this.area = h("textarea", { rows: 1, placeholder: t("composer.placeholder"), title: t("composer.hint"), enterkeyhint: "send",
      oninput: () => this.changed(),
      onkeydown: (e: KeyboardEvent) => this.key(e),
      oncompositionstart: () => (this.composing = true),
      oncompositionend: (e: CompositionEvent) => {
        this.composing = false;
        this.ended = e.timeStamp;
      },
      onpaste: (e: ClipboardEvent) => this.pasted(e),
      onclick: () => void this.completion.ask(),
    });
    this.completion = new Completion(this.area, [...(extras.sources?.(this) ?? []), (text, caret) => this.people(text, caret), (text, caret) => this.emoji(text, caret)],
      (from, to, text) => this.replace(from, to, text));
    this.toolbar = new Toolbar((mark) => this.format(mark), () => this.togglePreview());
    this.picker.addEventListener("change", () => {
      this.add([...(this.picker.files ?? [])]);
      this.picker.value = "";
    });
    const smile: HTMLButtonElement = iconButton("smile", t("emoji.title"), () => pickEmoji(smile, (e) => this.insert(e)), { class: "iconbutton smile", "aria-haspopup": "dialog" });
    this.form = h("form", { class: "write", onsubmit: (e: Event) => { e.preventDefault(); this.send(); } },
      iconButton("attach", t("composer.attach"), () => this.picker.click()), this.toolbar.toggle, this.picker, this.area, smile, ...buttons(this),
      h("button", { type: "submit", class: "iconbutton send", "aria-label": t("composer.send"), title: t("composer.send") }, icon("send")));
    this.element = h("div", { class: "composer" }, this.completion.element, this.notes, this.context, this.preview, this.tray.element, this.closed, this.toolbar.element, this.slot, this.form);
    this.restore();
    this.render();
  }

  // close ends what still runs in the composer.
  close(): void {
    this.tray.close();
    for (const end of this.ends) end();
  }

  // render follows the room: its name, and whether one may write.
  render(): void {
    const s = this.client.store.state;
    const r = s.rooms.get(this.room)?.room;
    this.element.hidden = !r;
    if (!r) return;
    this.area.setAttribute("aria-label", t("composer.label", { room: roomName(s, r) }));
    const may = mayWrite(r);
    this.form.hidden = may !== "yes";
    this.element.classList.toggle("shut", may !== "yes");
    this.closed.hidden = may === "yes";
    if (may !== "yes") this.closed.textContent = t(may === "archived" ? "composer.closed.archived" : "composer.closed.reader");
    if (this.reply || this.editing) this.renderContext();
  }

  // focus does not open the keyboard of a touch screen unless one is sure that
  // the person is to write.
  focus(sure = false): void {
    if (sure || matchMedia("(hover: hover)").matches) this.area.focus();
  }

  startReply(m: Message): void {
    if (this.editing) this.cancel();
    this.reply = m;
    this.renderContext();
    this.area.focus();
  }

  startEdit(m: Message): void {
    if (!this.editing) this.savedText = this.area.value;
    this.reply = null;
    this.editing = m;
    this.set(m.text ?? "");
    this.renderContext();
    this.area.focus();
  }

  // again takes back what the server refused.
  again(p: Pending): void {
    if (this.editing) this.cancel();
    this.set(this.area.value ? this.area.value + "\n" + p.text : p.text);
    this.tray.keep(p.files ?? []);
    this.client.drop(p.key);
    this.save();
    this.area.focus();
  }

  // note shows something that only this person sees, until it is closed.
  note(...content: (Node | string)[]): void {
    const e: HTMLElement = h("div", { class: "note" }, h("div", { class: "note-body" }, h("strong", null, t("note.only")), " ", ...content),
      iconButton("close", t("close"), () => { e.remove(); this.area.focus(); }));
    this.notes.append(e);
    while (this.notes.childElementCount > 3) this.notes.firstElementChild!.remove();
  }

  add(files: File[], voice?: Voice): void {
    if (this.editing || this.form.hidden) return;
    this.tray.add(files, voice);
    this.area.focus();
  }

  // draft is what would be sent now; null when there is nothing, something still
  // uploads, or a message is being edited.
  draft(): Draft | null {
    const text = trimmed(this.area.value);
    if (this.editing || this.tray.waiting || (!text && !this.tray.count)) return null;
    const files = this.tray.done();
    return { text, ...this.place(), ...(files.length ? { files } : {}) };
  }

  // clear empties the composer: what was in it is on its way.
  clear(): void {
    this.tray.clear();
    this.reply = null;
    this.set("");
    this.renderContext();
    this.save();
  }

  // place is where in the room a message of this composer belongs.
  place(): Pick<Draft, "replyTo" | "thread"> {
    return { ...(this.reply ? { replyTo: this.reply.seq } : {}), ...(this.thread ? { thread: this.thread } : {}) };
  }

  // delivered: a message went out from beside the text, which stays.
  delivered(): void {
    this.reply = null;
    this.renderContext();
    this.sent();
  }

  // panel shows something in place of the field, until it gets null.
  panel(e: HTMLElement | null): void {
    fillWith(this.slot, e);
    this.form.classList.toggle("covered", e !== null);
    if (!e) this.area.focus();
  }

  // insert puts text where the caret is.
  insert(text: string): void {
    this.area.focus();
    this.replace(this.area.selectionStart, this.area.selectionEnd, text);
  }

  // ---- text

  // replace edits like a person, so that undo takes it back.
  private replace(from: number, to: number, text: string, selectFrom = from + text.length, selectTo = selectFrom): void {
    this.area.focus();
    this.area.setSelectionRange(from, to);
    const done = text ? document.execCommand("insertText", false, text) : from === to || document.execCommand("delete");
    if (!done) {
      this.area.setRangeText(text, from, to, "end");
      this.changed();
    }
    this.area.setSelectionRange(selectFrom, selectTo);
  }

  // become changes the text to another one where they differ.
  private become(next: Selected): void {
    const old = this.area.value;
    const most = Math.min(old.length, next.text.length);
    let head = 0;
    while (head < most && old[head] === next.text[head]) head++;
    let tail = 0;
    while (tail < most - head && old[old.length - 1 - tail] === next.text[next.text.length - 1 - tail]) tail++;
    this.replace(head, old.length - tail, next.text.slice(head, next.text.length - tail), next.from, next.to);
  }

  private selected(): Selected {
    return { text: this.area.value, from: this.area.selectionStart, to: this.area.selectionEnd };
  }

  private format(mark: Mark): void {
    this.become(format(this.selected(), mark));
  }

  private pasted(e: ClipboardEvent): void {
    const files = [...(e.clipboardData?.files ?? [])];
    const text = e.clipboardData?.getData("text/plain") ?? "";
    if (files.length && !text) {
      e.preventDefault();
      const now = new Date();
      this.add(files.map((f) => new File([f], pastedName(f.name, f.type, now), { type: f.type })));
      return;
    }
    const s = this.selected();
    const chosen = s.text.slice(s.from, s.to);
    if (chosen.trim() && !chosen.includes("\n") && !/^https?:/i.test(chosen) && /^https?:\/\/[^\s()]+$/i.test(text.trim())) {
      e.preventDefault();
      this.become(link(s, text.trim()));
    }
  }

  private key(e: KeyboardEvent): void {
    const composing = inComposition(e, this.composing, this.ended);
    if (!composing && this.completion.key(e)) return;
    const mark = composing ? null : markOf(e);
    if (mark) {
      e.preventDefault();
      e.stopPropagation();
      this.format(mark);
    } else if (e.key === "Enter" && (e.ctrlKey || e.metaKey) && !composing) {
      e.preventDefault();
      this.send();
    } else if (sends(e, this.composing, this.ended) && !inFence(this.area.value, this.area.selectionStart)) {
      e.preventDefault();
      this.send();
    } else if (e.key === "Enter" && !e.ctrlKey && !e.altKey && !e.metaKey && !composing) {
      const next = newLine(this.selected());
      if (!next) return;
      e.preventDefault();
      this.become(next);
    } else if (e.key === "Enter" && !e.shiftKey && composing && !this.composing && !e.isComposing) {
      e.preventDefault(); // Safari: the Enter that ended the composition; no line break either
    } else if (e.key === "Escape" && !composing && (this.reply || this.editing)) {
      this.cancel();
      e.preventDefault();
      e.stopPropagation();
    } else if (e.key === "ArrowUp" && !composing && !this.area.value && !this.tray.count && !this.editing && !e.altKey && !e.ctrlKey && !e.metaKey && !e.shiftKey) {
      const s = this.client.store.state;
      const mine = s.timelines.get(this.room)?.messages.findLast((m) => m.sender === s.me?.id && !m.change && !m.recalled && !m.forwarded && m.text);
      if (!mine) return;
      e.preventDefault();
      this.startEdit(mine);
    }
  }

  private send(): void {
    const text = trimmed(this.area.value);
    if (this.editing) {
      void this.saveEdit(this.editing, text);
      return;
    }
    if (this.tray.waiting) {
      toast(t("upload.waiting"));
      return;
    }
    if (!text && !this.tray.count) return;
    const bytes = new TextEncoder().encode(text).length;
    if (this.client.messageBytes && bytes > this.client.messageBytes) return this.offerFile(text, bytes);
    this.completion.close();
    if (text.startsWith("/") && !this.tray.count && this.extras.take?.(this, text)) return;
    this.post();
  }

  // sendPlain sends what turned out to be no command, if it still stands there.
  sendPlain(text: string): void {
    if (trimmed(this.area.value) === text && !this.editing) this.post();
  }

  get text(): string {
    return this.area.value;
  }

  private post(): void {
    const draft = this.draft();
    if (!draft) return;
    this.client.send(this.room, draft);
    this.clear();
    this.showPreview(false);
    this.sent();
  }

  // offerFile: a text over the limit goes as a file, if the person agrees.
  private offerFile(text: string, bytes: number): void {
    const markdown = /^(```|> |[-*] |\d+\. |#+ )|\*\*|\[[^\]]+\]\(/m.test(text);
    const name = t("long.name") + (markdown ? ".md" : ".txt");
    confirm(t("long.title"), t("long.about", { size: size(bytes), most: size(this.client.messageBytes), name }), t("long.button"), () => {
      this.set("");
      this.save();
      this.add([new File([text], name, { type: "text/plain" })]);
    });
  }

  private async saveEdit(m: Message, text: string): Promise<void> {
    if (!text && !m.files?.length) return;
    if (text !== m.text) {
      try {
        await this.client.call("message.edit", { message: m.id, text });
      } catch (e) {
        toast(explain(e), true); // the text stays in the composer
        return;
      }
    }
    if (this.editing === m) this.cancel();
  }

  private cancel(): void {
    if (this.editing) this.set(this.savedText);
    this.editing = this.reply = null;
    this.savedText = "";
    this.renderContext();
    this.area.focus();
  }

  private changed(): void {
    this.grow();
    if (this.area.value && !this.editing) this.client.typing(this.room);
    this.save();
    if (!this.preview.hidden) this.drawPreview();
    if (!this.composing) void this.completion.ask();
  }

  private set(text: string): void {
    this.area.value = text;
    this.completion.close();
    this.grow();
    if (!this.preview.hidden) this.drawPreview();
  }

  private grow(): void {
    this.area.style.height = "auto";
    this.area.style.height = Math.min(this.area.scrollHeight + 2, Math.round(innerHeight * 0.4)) + "px";
  }

  private togglePreview(): void {
    this.showPreview(this.preview.hidden);
  }

  private showPreview(on: boolean): void {
    this.preview.hidden = !on;
    this.toolbar.preview.setAttribute("aria-pressed", on ? "true" : "false");
    if (on) this.drawPreview();
  }

  private drawPreview(): void {
    const text = h("div", { class: "text" });
    if (this.area.value.trim()) text.append(render(trimmed(this.area.value)));
    else text.append(h("p", { class: "hint" }, t("format.preview.empty")));
    fillWith(this.preview, text);
  }

  private renderContext(): void {
    const s = this.client.store.state;
    this.context.hidden = !this.reply && !this.editing;
    this.element.classList.toggle("editing", !!this.editing);
    if (this.context.hidden) return;
    const m = (this.reply ?? this.editing)!;
    fillWith(this.context,
      h("span", null, h("strong", null, this.reply ? t("composer.replying", { name: senderName(s, m) }) : t("composer.editing")), " ",
        this.reply ? h("span", { class: "quoted" }, m.text ?? m.files?.[0]?.name ?? "") : null),
      iconButton("close", t("cancel"), () => this.cancel()));
  }

  // ---- drafts

  private get shelf(): string {
    return draftKey(this.client.user, this.room, this.thread);
  }

  private save(): void {
    if (this.editing) return;
    const files = this.tray.done();
    try {
      if (this.area.value || files.length) localStorage.setItem(this.shelf, JSON.stringify({ text: this.area.value, files }));
      else localStorage.removeItem(this.shelf);
    } catch {
      // Full or forbidden: the draft lives as long as the page.
    }
  }

  private restore(): void {
    try {
      const d = JSON.parse(localStorage.getItem(this.shelf) ?? "null") as Draft | null;
      if (!d) return;
      this.area.value = d.text ?? "";
      this.tray.keep(d.files ?? []);
      queueMicrotask(() => this.grow());
    } catch {
      // Damaged: begin with nothing.
    }
  }

  // ---- completion

  private people(text: string, caret: number): Found | null {
    const found = mentionAt(text, caret);
    const s = this.client.store.state;
    const r = s.rooms.get(this.room)?.room;
    if (!found || !r || r.kind === "direct" || r.kind === "notes") return null;
    return { from: found.from, ...this.mentionable(found.query) };
  }

  private mentionable(query: string): Omit<Found, "from"> {
    const s = this.client.store.state;
    const q = query.toLowerCase();
    const fits = (u: User) => u.id !== s.me?.id && (u.login.toLowerCase().startsWith(q) || u.name.toLowerCase().includes(q));
    const members = s.members.get(this.room);
    const known = [...(members?.keys() ?? [])].flatMap((id) => s.users.get(id) ?? []).filter(fits);
    const all = "all".startsWith(q) ? [{ text: "@all", label: t("composer.all"), hint: "@all" }] : [];
    const size = s.rooms.get(this.room)?.room.members ?? Infinity;
    const whole = () => (s.members.get(this.room)?.size ?? 0) >= size;
    const choice = (u: User): Choice => ({ text: "@" + u.login, label: u.name, hint: "@" + u.login + (whole() && !s.members.get(this.room)?.has(u.id) ? " · " + t("composer.outside") : "") });
    const first = [...known.slice(0, 7).map(choice), ...all];
    if (!q || known.length >= 7) return { choices: first };
    // By pinyin and from outside the room: the server knows. Who is outside a small
    // room is told also by those who write before its members are here.
    const here = whole() || size > 50 ? Promise.resolve() : this.client.loadMembers(this.room).then(() => {}, () => {});
    const rest = this.client.call("search.names", { query, limit: 7 }).then((list) => here.then(() => list)).then((list) => list.users.filter((u) => u.id !== s.me?.id && !known.some((k) => k.id === u.id)).map(choice), () => []);
    return known.length ? { choices: first, more: rest } : { choices: rest.then((some) => [...some, ...all]) };
  }

  private emoji(text: string, caret: number): Found | null {
    const found = emojiAt(text, caret);
    if (!found || inFence(text, caret)) return null;
    const choices = emojiList().then((list) => {
      const tone = memory().tone;
      const hits = findEmoji(list, found.query, found.closed ? 1 : 7);
      const toned = (e: (typeof hits)[number]) => (e.toned ? withTone(e.text, tone) : e.text);
      if (found.closed) {
        const [e] = hits;
        if (e?.codes.includes(found.query.toLowerCase()) || e?.zh === found.query) {
          remember({ used: toned(e) });
          if (this.area.value === text && this.area.selectionStart === caret) this.replace(found.from, caret, toned(e));
        }
        return [];
      }
      return hits.map((e) => ({ text: toned(e), label: nameOfEmoji(e), hint: ":" + (e.codes.find((c) => c.startsWith(found.query.toLowerCase())) ?? e.codes[0]) + ":", picture: toned(e) }));
    }, () => []);
    return { from: found.from, choices };
  }
}

// trimmed is a text without blank lines around it. Blanks before the first line
// stay: they may be an indentation.
function trimmed(text: string): string {
  return text.replace(/^(?:[ \t]*\n)+/, "").trimEnd();
}
