// A field that takes one of many: letters narrow the list, the choice stays as a
// name that can be taken away.

import { fillWith, h, iconButton, unique } from "./dom";
import { inComposition } from "./ime";
import { t } from "./lang";

const pause = 150; // ms

export class Chooser<T> {
  readonly element: HTMLElement;
  value: T | null = null;
  private input: HTMLInputElement;
  private list: HTMLElement;
  private chosen = h("span", { class: "chooser-value", hidden: true });
  private found: T[] = [];
  private at = 0;
  private asked = 0;
  private timer = 0;
  private composing = false;
  private ended = -1;

  constructor(private readonly label: string, private readonly find: (query: string) => Promise<T[]>, private readonly show: (x: T) => { name: string; hint: string }, private readonly changed: () => void) {
    const id = unique("chooser");
    this.list = h("ul", { class: "suggest chooser-list", id, role: "listbox", "aria-label": label, hidden: true });
    this.input = h("input", { type: "text", role: "combobox", autocomplete: "off", "aria-expanded": "false", "aria-controls": id, "aria-autocomplete": "list",
      oninput: () => this.soon(), onfocus: () => void this.ask(), onblur: () => setTimeout(() => this.close(), 150),
      oncompositionstart: () => (this.composing = true),
      oncompositionend: (e: CompositionEvent) => {
        this.composing = false;
        this.ended = e.timeStamp;
        this.soon();
      },
      onkeydown: (e: KeyboardEvent) => this.key(e) });
    this.element = h("div", { class: "chooser" }, h("label", { class: "field" }, h("span", null, label), this.input), this.chosen, this.list);
  }

  private soon(): void {
    clearTimeout(this.timer);
    if (!this.composing) this.timer = window.setTimeout(() => void this.ask(), pause);
  }

  private async ask(): Promise<void> {
    const n = ++this.asked;
    const found = await this.find(this.input.value.trim()).catch(() => []);
    if (n !== this.asked || document.activeElement !== this.input) return;
    this.found = found;
    this.at = 0;
    this.draw();
  }

  private close(): void {
    this.asked++;
    this.found = [];
    this.draw();
  }

  private draw(): void {
    this.list.hidden = !this.found.length;
    this.input.setAttribute("aria-expanded", this.found.length ? "true" : "false");
    fillWith(this.list, ...this.found.map((x, i) => {
      const { name, hint } = this.show(x);
      return h("li", { role: "option", id: this.list.id + "-" + i, "aria-selected": i === this.at ? "true" : "false", onmousedown: (e: Event) => { e.preventDefault(); this.take(x); } },
        name, " ", h("span", { class: "login" }, hint));
    }));
    if (this.found.length) this.input.setAttribute("aria-activedescendant", this.list.id + "-" + this.at);
    else this.input.removeAttribute("aria-activedescendant");
  }

  private key(e: KeyboardEvent): void {
    if (inComposition(e, this.composing, this.ended)) return;
    if (e.key === "Enter") {
      e.preventDefault();
      if (this.found.length) this.take(this.found[this.at]!);
    } else if ((e.key === "ArrowDown" || e.key === "ArrowUp") && this.found.length) {
      e.preventDefault();
      this.at = (this.at + (e.key === "ArrowDown" ? 1 : -1) + this.found.length) % this.found.length;
      this.draw();
    } else if (e.key === "Escape" && this.found.length) {
      e.preventDefault();
      e.stopPropagation();
      this.close();
    }
  }

  private take(x: T | null): void {
    this.value = x;
    this.input.value = "";
    this.close();
    const name = x ? this.show(x).name : "";
    fillWith(this.chosen, h("span", null, name), iconButton("close", t("search.remove", { name: this.label + " " + name }), () => this.take(null)));
    this.chosen.hidden = !x;
    this.input.hidden = !!x;
    if (x) this.chosen.querySelector("button")?.focus();
    else this.input.focus();
    this.changed();
  }
}
