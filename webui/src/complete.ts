// Completion in the composer: a list of choices for what stands before the
// caret. Sources say what they offer; the newest question wins.

import { fillWith, h, unique } from "./dom";
import { t } from "./lang";

export interface Choice {
  text: string; // what is put in, with a blank behind it
  label: string;
  hint: string;
  picture?: string;
}

// Found is what a source recognises: from is where it begins.
export interface Found {
  from: number;
  choices: Choice[] | Promise<Choice[]>;
  more?: Promise<Choice[]>; // come below the choices later
}

export type Source = (text: string, caret: number) => Found | null;

// mentionAt finds the beginning of a mention before the caret.
export function mentionAt(text: string, caret: number): { from: number; query: string } | null {
  const m = /(^|[^A-Za-z0-9@/])@([^\s@]{0,30})$/.exec(text.slice(0, caret));
  return m ? { from: caret - m[2]!.length - 1, query: m[2]! } : null;
}

// emojiAt finds the beginning of a :name before the caret. A time, an address or
// a Chinese colon is none.
export function emojiAt(text: string, caret: number): { from: number; query: string; closed: boolean } | null {
  const m = /(^|[\s([{"'，。！？、；“（【\p{Extended_Pictographic}\ufe0f]):((?:[a-z+-][a-z0-9_+-]+|[\u3400-\u9fff]{1,8}))(:?)$/iu.exec(text.slice(0, caret));
  if (!m) return null;
  return { from: caret - m[2]!.length - m[3]!.length - 1, query: m[2]!, closed: m[3] === ":" };
}

export class Completion {
  readonly element: HTMLUListElement;
  private choices: Choice[] = [];
  private choice = 0;
  private from = 0;
  private asking = 0;

  constructor(private readonly area: HTMLTextAreaElement, private readonly sources: Source[], private readonly replace: (from: number, to: number, text: string) => void) {
    const id = unique("choices");
    this.element = h("ul", { class: "suggest", id, role: "listbox", "aria-label": t("composer.choices"), hidden: true });
    area.setAttribute("aria-autocomplete", "list");
    area.setAttribute("aria-controls", id);
    area.addEventListener("blur", () => setTimeout(() => this.close(), 150));
  }

  // ask looks at what stands before the caret.
  async ask(): Promise<void> {
    const n = ++this.asking;
    const { value, selectionStart, selectionEnd } = this.area;
    if (selectionStart !== selectionEnd) return this.close();
    for (const source of this.sources) {
      const found = source(value, selectionStart);
      if (!found) continue;
      const choices = await found.choices;
      if (n !== this.asking) return;
      this.from = found.from;
      this.show(choices);
      const more = await found.more;
      if (n !== this.asking || !more?.length) return;
      this.choices = [...this.choices, ...more];
      this.draw();
      return;
    }
    this.close();
  }

  close(): void {
    this.asking++;
    this.show([]);
  }

  // key takes the keys of the list; true when it was one.
  key(e: KeyboardEvent): boolean {
    if (!this.choices.length) return false;
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      this.choice = (this.choice + (e.key === "ArrowDown" ? 1 : -1) + this.choices.length) % this.choices.length;
      this.draw();
    } else if ((e.key === "Enter" && !e.shiftKey && !e.ctrlKey && !e.metaKey && !e.altKey) || (e.key === "Tab" && !e.shiftKey)) this.pick(this.choices[this.choice]!);
    else if (e.key === "Escape") this.close();
    else return false;
    e.preventDefault();
    e.stopPropagation();
    return true;
  }

  private show(choices: Choice[]): void {
    this.choices = choices;
    this.choice = 0;
    this.draw();
  }

  private draw(): void {
    const id = this.element.id;
    this.element.hidden = this.choices.length === 0;
    fillWith(this.element, ...this.choices.map((c, i) => h("li", { role: "option", id: id + "-" + i, "aria-selected": i === this.choice ? "true" : "false",
      onmousedown: (e: Event) => { e.preventDefault(); this.pick(c); } },
    c.picture ? h("span", { class: "picture-of", "aria-hidden": "true" }, c.picture) : null, c.label, " ", h("span", { class: "login" }, c.hint))));
    this.element.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
    if (this.choices.length) this.area.setAttribute("aria-activedescendant", id + "-" + this.choice);
    else this.area.removeAttribute("aria-activedescendant");
  }

  private pick(c: Choice): void {
    const to = this.area.selectionStart;
    this.close();
    const blank = this.area.value[to] === " " ? 1 : 0;
    this.replace(this.from, to + blank, c.text + " ");
  }
}
