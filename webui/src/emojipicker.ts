// The picker of emoji: search, categories, skin tones, those used last.

import { fillWith, h, unique } from "./dom";
import { emojiList, findEmoji, memory, remember, withTone, type Emoji, type EmojiList } from "./emoji";
import { inComposition } from "./ime";
import { lang, t } from "./lang";
import type { Key } from "./words";

const tabs: [Key, string][] = [["emoji.recent", "🕘"], ["emoji.smileys", "😀"], ["emoji.people", "👋"], ["emoji.animals", "🐶"], ["emoji.food", "🍎"],
  ["emoji.travel", "🚗"], ["emoji.activities", "⚽"], ["emoji.objects", "💡"], ["emoji.symbols", "❤️"], ["emoji.flags", "🏳️"]];
const tones: [Key, string][] = [["emoji.tone.none", "✋"], ["emoji.tone.1", "✋🏻"], ["emoji.tone.2", "✋🏼"], ["emoji.tone.3", "✋🏽"], ["emoji.tone.4", "✋🏾"], ["emoji.tone.5", "✋🏿"]];
const columns = 9; // as in emoji.css
const mostHits = 90;

// nameOfEmoji is what a screen reader says.
export function nameOfEmoji(e: Emoji): string {
  return (lang === "zh" ? e.zh : e.en) || e.en;
}

class Picker {
  private tab = 0;
  private list: EmojiList | null = null;
  private composing = false;
  private ended = -1;
  private element: HTMLElement;
  private input: HTMLInputElement;
  private tabList = h("div", { class: "emoji-tabs", role: "tablist", "aria-label": t("emoji.categories") });
  private grid: HTMLElement;
  private said = h("p", { class: "hint emoji-said", role: "status" });
  private toneButton: HTMLButtonElement;

  constructor(private readonly at: HTMLElement, private readonly done: (emoji: string) => void) {
    this.grid = h("div", { class: "emoji-grid", id: unique("emoji"), role: "tabpanel", onkeydown: (e: KeyboardEvent) => this.move(e), onclick: (e: MouseEvent) => this.clicked(e), onfocusin: (e: Event) => this.say(e.target as HTMLElement), onmouseover: (e: Event) => this.say(e.target as HTMLElement) });
    this.input = h("input", { type: "search", placeholder: t("emoji.search"), "aria-label": t("emoji.search"), autocomplete: "off",
      oninput: () => this.draw(),
      oncompositionstart: () => (this.composing = true),
      oncompositionend: (e: CompositionEvent) => { this.composing = false; this.ended = e.timeStamp; },
      onkeydown: (e: KeyboardEvent) => this.search(e) });
    this.toneButton = h("button", { type: "button", class: "emoji-tone", title: t("emoji.tone"), onclick: () => this.nextTone() });
    this.element = h("div", { class: "emoji-picker", role: "dialog", "aria-label": t("emoji.title") },
      h("div", { class: "emoji-head" }, this.input, this.toneButton), this.tabList, this.grid, this.said);
    this.element.addEventListener("keydown", (e) => {
      if (e.key !== "Escape") return;
      e.preventDefault();
      e.stopPropagation();
      this.close(true);
    });
    this.element.addEventListener("focusout", (e) => {
      const to = e.relatedTarget as Node | null;
      if (to && !this.element.contains(to)) this.close(false);
    });
    document.addEventListener("pointerdown", this.outside, true);
    addEventListener("hashchange", this.gone);
    (at.closest("dialog") ?? document.body).appendChild(this.element);
    this.tab = memory().recent.length ? 0 : 1;
    this.drawTone();
    this.drawTabs();
    this.place();
    this.input.focus();
    void this.load();
  }

  private outside = (e: Event) => {
    if (!this.element.contains(e.target as Node)) this.close(false);
  };

  private gone = () => this.close(false);

  close(focus: boolean): void {
    removeEventListener("hashchange", this.gone);
    document.removeEventListener("pointerdown", this.outside, true);
    this.element.remove();
    if (focus && this.at.isConnected) this.at.focus();
  }

  private async load(): Promise<void> {
    this.said.textContent = t("loading");
    try {
      this.list = await emojiList();
      this.said.textContent = "";
      this.draw();
    } catch {
      fillWith(this.said, t("emoji.failed"), " ", h("button", { type: "button", class: "quiet", onclick: () => void this.load() }, t("retry")));
    }
  }

  private place(): void {
    const box = this.at.getBoundingClientRect();
    const m = this.element.getBoundingClientRect();
    this.element.style.left = Math.max(8, Math.min(box.left, innerWidth - m.width - 8)) + "px";
    const above = box.top - m.height - 6;
    this.element.style.top = Math.max(8, above >= 8 ? above : Math.min(box.bottom + 6, innerHeight - m.height - 8)) + "px";
  }

  private drawTabs(): void {
    const found = this.input.value.trim() !== "";
    fillWith(this.tabList, ...tabs.map(([name, picture], i) => {
      const on = !found && i === this.tab;
      return h("button", { type: "button", role: "tab", "aria-selected": on ? "true" : "false", "aria-controls": this.grid.id, "aria-label": t(name), title: t(name), tabindex: i === this.tab ? 0 : -1,
        onclick: () => this.choose(i),
        onkeydown: (e: KeyboardEvent) => {
          const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
          if (step) this.choose((i + step + tabs.length) % tabs.length, true);
          else if (e.key === "ArrowDown") this.grid.querySelector("button")?.focus();
          else return;
          e.preventDefault();
        } }, picture);
    }));
  }

  private choose(i: number, focus = true): void {
    this.tab = i;
    this.input.value = "";
    this.drawTabs();
    this.draw();
    if (focus) this.tabList.querySelectorAll("button")[i]?.focus();
  }

  private drawTone(): void {
    const [name, picture] = tones[memory().tone]!;
    this.toneButton.textContent = picture;
    this.toneButton.setAttribute("aria-label", t("emoji.tone") + ": " + t(name));
  }

  private nextTone(): void {
    remember({ tone: (memory().tone + 1) % tones.length });
    this.drawTone();
    this.draw();
  }

  private draw(): void {
    if (!this.list) return;
    this.drawTabs();
    const { recent, tone } = memory();
    const query = this.input.value.trim();
    const list = this.list;
    const bare = (x: string) => list.byText.get(x) ?? list.byText.get(x.replace(/[\u{1f3fb}-\u{1f3ff}]/gu, "")) ?? list.byText.get(x.replace(/[\u{1f3fb}-\u{1f3ff}]/gu, "\ufe0f"));
    const shown: [string, Emoji | undefined][] = query ? findEmoji(list, query, mostHits).map((e) => [e.toned ? withTone(e.text, tone) : e.text, e])
      : this.tab === 0 ? recent.map((x) => [x, bare(x)])
        : list.groups[this.tab - 1]!.map((e) => [e.toned ? withTone(e.text, tone) : e.text, e]);
    this.grid.setAttribute("aria-label", query ? t("emoji.found") : t(tabs[this.tab]![0]));
    fillWith(this.grid, ...shown.map(([text, e], i) => h("button", { type: "button", tabindex: i ? -1 : 0, "aria-label": e ? nameOfEmoji(e) : text, "data-emoji": text, "data-code": e?.codes[0] }, text)));
    this.grid.scrollTop = 0;
    this.said.textContent = shown.length ? "" : t(query ? "emoji.none" : "emoji.norecent");
  }

  private say(e: HTMLElement): void {
    const code = e.dataset["code"];
    if (code) this.said.textContent = e.getAttribute("aria-label") + "  :" + code + ":";
  }

  private clicked(e: MouseEvent): void {
    const b = (e.target as Element).closest<HTMLElement>("[data-emoji]");
    if (b) this.pick(b.dataset["emoji"]!, e.shiftKey);
  }

  // pick with Shift leaves the picker open for more.
  private pick(text: string, more: boolean): void {
    remember({ used: text });
    if (!more) this.close(true);
    this.done(text);
    if (more) this.input.focus();
  }

  private search(e: KeyboardEvent): void {
    if (inComposition(e, this.composing, this.ended)) return;
    const first = this.grid.querySelector<HTMLElement>("button");
    if (e.key === "Enter") {
      if (first && this.input.value.trim()) this.pick(first.dataset["emoji"]!, e.shiftKey);
    } else if (e.key === "ArrowDown") first?.focus();
    else return;
    e.preventDefault();
  }

  private move(e: KeyboardEvent): void {
    const all = [...this.grid.querySelectorAll<HTMLElement>("button")];
    const i = all.indexOf(document.activeElement as HTMLElement);
    if (i < 0) return;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, PageDown: 5 * columns, PageUp: -5 * columns, Home: -i, End: all.length - 1 - i }[e.key];
    if (step === undefined) return;
    e.preventDefault();
    if (e.key === "ArrowUp" && i < columns) return this.input.focus();
    const to = all[Math.max(0, Math.min(all.length - 1, i + step))]!;
    all[i]!.tabIndex = -1;
    to.tabIndex = 0;
    to.focus();
  }
}

let open: Picker | null = null;

// pickEmoji opens the picker at a button.
export function pickEmoji(at: HTMLElement, done: (emoji: string) => void): void {
  open?.close(false);
  open = new Picker(at, done);
}
