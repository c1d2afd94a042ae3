// Writing: text, files, replies, edits, mentions. What is written is kept per
// room in the browser's storage until it is sent.

import { limits, type ID, type Message, type User } from "./api";
import type { Client } from "./client";
import { fillWith, h, icon, iconButton, toast, unique } from "./dom";
import { inComposition, sends } from "./ime";
import { explain, size, t } from "./lang";
import { nameOf, roomName } from "./names";
import type { Draft, Pending } from "./outbox";
import { mayWrite } from "./state";
import { Upload } from "./upload";

interface Attached {
  name: string;
  size: number;
  type: string;
  id: string; // set when it is on the server
  upload: Upload | null;
}

// at finds the beginning of a mention before the caret.
export function mentionAt(text: string, caret: number): { from: number; query: string } | null {
  const m = /(^|[^A-Za-z0-9@/])@([^\s@]{0,30})$/.exec(text.slice(0, caret));
  return m ? { from: caret - m[2]!.length - 1, query: m[2]! } : null;
}

export class Composer {
  readonly element: HTMLElement;
  private area: HTMLTextAreaElement;
  private context = h("div", { class: "context", hidden: true });
  private tray = h("ul", { class: "tray" });
  private closed = h("p", { class: "closed", hidden: true });
  private form: HTMLFormElement;
  private people: HTMLUListElement;
  private choices: { login: string; name: string }[] = [];
  private choice = 0;
  private asking = 0;
  private attached: Attached[] = [];
  private reply: Message | null = null;
  private editing: Message | null = null;
  private composing = false;
  private ended = -1;
  private savedText = "";
  private picker = h("input", { type: "file", multiple: true, hidden: true, tabindex: -1, "aria-hidden": "true" });

  constructor(readonly client: Client, readonly room: ID, private readonly sent: () => void, extra: (c: Composer) => HTMLElement[] = () => [], readonly thread = 0) {
    const listID = unique("people");
    this.people = h("ul", { class: "suggest", id: listID, role: "listbox", "aria-label": t("composer.people"), hidden: true });
    this.area = h("textarea", { rows: 1, placeholder: t("composer.placeholder"), title: t("composer.hint"), enterkeyhint: "send",
      "aria-autocomplete": "list", "aria-controls": listID,
      oninput: () => this.changed(),
      onkeydown: (e: KeyboardEvent) => this.key(e),
      oncompositionstart: () => (this.composing = true),
      oncompositionend: (e: CompositionEvent) => {
        this.composing = false;
        this.ended = e.timeStamp;
      },
      onpaste: (e: ClipboardEvent) => {
        const files = [...(e.clipboardData?.files ?? [])];
        if (!files.length) return;
        e.preventDefault();
        this.add(files);
      },
      onblur: () => setTimeout(() => this.suggest([]), 150),
    });
    this.picker.addEventListener("change", () => {
      this.add([...(this.picker.files ?? [])]);
      this.picker.value = "";
    });
    this.form = h("form", { class: "write", onsubmit: (e: Event) => { e.preventDefault(); this.send(); } },
      iconButton("attach", t("composer.attach"), () => this.picker.click()), this.picker, this.area, ...extra(this),
      h("button", { type: "submit", class: "iconbutton send", "aria-label": t("composer.send"), title: t("composer.send") }, icon("send")));
    this.element = h("div", { class: "composer" }, this.people, this.context, this.tray, this.closed, this.form);
    this.restore();
    this.render();
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
    this.closed.hidden = may === "yes";
    if (may !== "yes") this.closed.textContent = t(may === "archived" ? "composer.closed.archived" : "composer.closed.reader");
    if (this.reply || this.editing) this.renderContext();
  }

  focus(): void {
    if (matchMedia("(hover: hover)").matches) this.area.focus();
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
    for (const f of p.files ?? []) this.attached.push({ ...f, upload: null });
    this.client.drop(p.key);
    this.renderTray();
    this.save();
    this.area.focus();
  }

  add(files: File[]): void {
    if (this.editing || this.form.hidden) return;
    for (const f of files) {
      if (this.attached.length >= limits.MaxFiles) {
        toast(t("upload.toomany", { n: limits.MaxFiles }), true);
        break;
      }
      const a: Attached = { name: f.name || "file", size: f.size, type: f.type, id: "", upload: null };
      a.upload = new Upload(f, () => this.progress(a));
      this.attached.push(a);
    }
    this.renderTray();
    this.area.focus();
  }

  private progress(a: Attached): void {
    if (a.upload?.state === "done" && !a.id) {
      a.id = a.upload.id;
      this.save();
    }
    this.renderTray();
  }

  private key(e: KeyboardEvent): void {
    if (this.choices.length && !inComposition(e, this.composing, this.ended)) {
      if (e.key === "ArrowDown" || e.key === "ArrowUp") {
        this.choice = (this.choice + (e.key === "ArrowDown" ? 1 : -1) + this.choices.length) % this.choices.length;
        this.renderChoices();
        e.preventDefault();
        return;
      }
      if ((e.key === "Enter" && !e.shiftKey) || e.key === "Tab") {
        this.pick(this.choices[this.choice]!.login);
        e.preventDefault();
        return;
      }
      if (e.key === "Escape") {
        this.suggest([]);
        e.preventDefault();
        return;
      }
    }
    if (sends(e, this.composing, this.ended)) {
      e.preventDefault();
      this.send();
    } else if (e.key === "Enter" && !e.shiftKey && inComposition(e, this.composing, this.ended) && !this.composing && !e.isComposing) {
      e.preventDefault(); // Safari: the Enter that ended the composition; no line break either
    } else if (e.key === "Escape" && (this.reply || this.editing)) {
      this.cancel();
      e.preventDefault();
    }
  }

  private send(): void {
    const text = this.area.value.trim();
    if (this.editing) {
      void this.saveEdit(this.editing, text);
      return;
    }
    if (this.attached.some((a) => !a.id)) {
      toast(t("upload.waiting"));
      return;
    }
    if (!text && !this.attached.length) return;
    const draft: Draft = { text };
    if (this.reply) draft.replyTo = this.reply.seq;
    if (this.thread) draft.thread = this.thread;
    if (this.attached.length) draft.files = this.attached.map(({ id, name, size, type }) => ({ id, name, size, type }));
    this.client.send(this.room, draft);
    this.attached = [];
    this.reply = null;
    this.set("");
    this.renderContext();
    this.renderTray();
    this.save();
    this.sent();
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
    void this.complete();
  }

  private set(text: string): void {
    this.area.value = text;
    this.grow();
  }

  private grow(): void {
    this.area.style.height = "auto";
    this.area.style.height = Math.min(this.area.scrollHeight + 2, Math.round(innerHeight * 0.4)) + "px";
  }

  private renderContext(): void {
    const s = this.client.store.state;
    this.context.hidden = !this.reply && !this.editing;
    this.element.classList.toggle("editing", !!this.editing);
    if (this.context.hidden) return;
    const m = (this.reply ?? this.editing)!;
    fillWith(this.context,
      h("span", null, h("strong", null, this.reply ? t("composer.replying", { name: nameOf(s, m.sender) }) : t("composer.editing")), " ",
        this.reply ? h("span", { class: "quoted" }, m.text ?? m.files?.[0]?.name ?? "") : null),
      iconButton("close", t("cancel"), () => this.cancel()));
  }

  private renderTray(): void {
    fillWith(this.tray, ...this.attached.map((a) => {
      const u = a.upload;
      const failed = u?.state === "failed";
      const text = a.id ? t("upload.done") : failed ? t("upload.failed", { reason: u!.reason }) : u ? u.percent + " %" : "";
      return h("li", { class: failed ? "bad" : "" }, icon("file"), h("span", { class: "file-name" }, a.name), h("span", { class: "file-size" }, size(a.size)),
        a.id || failed || !u ? null : h("progress", { max: 100, value: u.percent, "aria-label": t("upload.progress", { name: a.name, percent: u.percent }) }),
        h("span", { class: "state" }, text),
        failed ? h("button", { type: "button", onclick: () => u!.retry() }, t("retry")) : null,
        iconButton("close", t("upload.cancel", { name: a.name }), () => this.remove(a)));
    }));
  }

  private remove(a: Attached): void {
    this.attached = this.attached.filter((x) => x !== a);
    if (a.id) this.client.call("file.discard", { file: a.id }).catch(() => {});
    else a.upload?.cancel();
    this.renderTray();
    this.save();
    this.area.focus();
  }

  // ---- drafts

  private get shelf(): string {
    return "posthouse.draft." + this.room + (this.thread ? ".thread." + this.thread : "");
  }

  private save(): void {
    if (this.editing) return;
    const files = this.attached.filter((a) => a.id).map(({ id, name, size, type }) => ({ id, name, size, type }));
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
      this.attached = (d.files ?? []).map((f) => ({ ...f, upload: null }));
      this.renderTray();
      queueMicrotask(() => this.grow());
    } catch {
      // Damaged: begin with nothing.
    }
  }

  // ---- mentions

  private async complete(): Promise<void> {
    const found = mentionAt(this.area.value, this.area.selectionStart);
    const s = this.client.store.state;
    const r = s.rooms.get(this.room)?.room;
    const n = ++this.asking;
    if (!found || !r || r.kind === "direct" || r.kind === "notes") return this.suggest([]);
    const q = found.query.toLowerCase();
    const fits = (u: User) => u.id !== s.me?.id && (u.login.toLowerCase().startsWith(q) || u.name.toLowerCase().includes(q));
    const members = s.members.get(this.room);
    const known = [...(members?.keys() ?? [])].flatMap((id) => s.users.get(id) ?? []).filter(fits);
    const all = "all".startsWith(q) ? [{ login: "all", name: t("composer.all") }] : [];
    if (known.length || !q || (members && members.size >= r.members)) return this.suggest([...known.slice(0, 7), ...all]);
    try {
      const list = await this.client.call("directory.list", { query: found.query, limit: 7 });
      if (n === this.asking) this.suggest([...list.users.filter((u) => u.id !== s.me?.id), ...all]);
    } catch {
      if (n === this.asking) this.suggest(all);
    }
  }

  private suggest(list: { login: string; name: string }[]): void {
    this.choices = list.map(({ login, name }) => ({ login, name }));
    this.choice = 0;
    this.renderChoices();
  }

  private renderChoices(): void {
    this.people.hidden = this.choices.length === 0;
    fillWith(this.people, ...this.choices.map((c, i) => h("li", { role: "option", id: this.people.id + "-" + i, "aria-selected": i === this.choice ? "true" : "false",
      onmousedown: (e: Event) => { e.preventDefault(); this.pick(c.login); } }, c.name, " ", h("span", { class: "login" }, "@" + c.login))));
    if (this.choices.length) this.area.setAttribute("aria-activedescendant", this.people.id + "-" + this.choice);
    else this.area.removeAttribute("aria-activedescendant");
  }

  private pick(login: string): void {
    const caret = this.area.selectionStart;
    const found = mentionAt(this.area.value, caret);
    this.suggest([]);
    if (!found) return;
    const text = this.area.value;
    const head = text.slice(0, found.from) + "@" + login + " ";
    this.set(head + text.slice(caret).replace(/^ /, ""));
    this.area.setSelectionRange(head.length, head.length);
    this.area.focus();
    this.save();
  }
}
