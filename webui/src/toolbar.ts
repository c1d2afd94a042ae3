// The buttons and keys that format what is being written.

import { h, iconButton, type Icon } from "./dom";
import type { Mark } from "./format";
import { mac, shown } from "./keys";
import { t } from "./lang";
import type { Key } from "./words";

interface Tool {
  mark: Mark;
  icon: Icon;
  name: Key;
  code: string; // KeyboardEvent.code
  shift: boolean;
}

const tools: Tool[] = [
  { mark: "bold", icon: "bold", name: "format.bold", code: "KeyB", shift: false },
  { mark: "italic", icon: "italic", name: "format.italic", code: "KeyI", shift: false },
  { mark: "strike", icon: "strike", name: "format.strike", code: "KeyX", shift: true },
  { mark: "code", icon: "code", name: "format.code", code: "KeyE", shift: false },
  { mark: "block", icon: "block", name: "format.block", code: "KeyE", shift: true },
  { mark: "quote", icon: "quote", name: "format.quote", code: "Digit9", shift: true },
  { mark: "bullets", icon: "bullets", name: "format.bullets", code: "Digit8", shift: true },
  { mark: "numbers", icon: "numbers", name: "format.numbers", code: "Digit7", shift: true },
  { mark: "link", icon: "link", name: "format.link", code: "KeyL", shift: true },
];

function keysOf(x: Tool): string {
  return "Ctrl+" + (x.shift ? "Shift+" : "") + x.code.replace(/^Key|^Digit/, "");
}

// markOf is the mark that a key press in the composer asks for.
export function markOf(e: KeyboardEvent): Mark | null {
  if (!(mac ? e.metaKey : e.ctrlKey) || e.altKey) return null;
  return tools.find((x) => x.code === e.code && x.shift === e.shiftKey)?.mark ?? null;
}

// formatKeys are the keys for the list of keys.
export function formatKeys(): [string, Key][] {
  return tools.map((x) => [keysOf(x), x.name]);
}

const shelf = "posthouse.toolbar";

export class Toolbar {
  readonly element: HTMLElement;
  readonly toggle: HTMLButtonElement;
  readonly preview: HTMLButtonElement;

  constructor(apply: (mark: Mark) => void, preview: () => void) {
    const buttons = tools.map((x) => iconButton(x.icon, t(x.name), () => apply(x.mark), { title: t(x.name) + " (" + shown(keysOf(x)) + ")", onmousedown: (e: Event) => e.preventDefault() }));
    this.preview = iconButton("eye", t("format.preview"), preview, { "aria-pressed": "false", onmousedown: (e: Event) => e.preventDefault() });
    this.element = h("div", { class: "format-bar", role: "toolbar", "aria-label": t("format.bar") }, ...buttons, this.preview);
    // One stop of the Tab key, arrows within.
    const all = [...buttons, this.preview];
    all.forEach((b, i) => (b.tabIndex = i ? -1 : 0));
    this.element.addEventListener("keydown", (e) => {
      const i = all.indexOf(document.activeElement as HTMLButtonElement);
      const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (i < 0 || !step) return;
      e.preventDefault();
      const to = all[(i + step + all.length) % all.length]!;
      all.forEach((b) => (b.tabIndex = b === to ? 0 : -1));
      to.focus();
    });
    this.toggle = iconButton("letters", t("format.toggle"), () => this.show(this.element.hidden, true));
    this.show(stored() ?? matchMedia("(min-width: 900px)").matches);
  }

  private show(on: boolean, keep = false): void {
    this.element.hidden = !on;
    this.toggle.setAttribute("aria-pressed", on ? "true" : "false");
    if (!keep) return;
    try {
      localStorage.setItem(shelf, on ? "1" : "0");
    } catch {
      // Forgotten with the page.
    }
  }
}

function stored(): boolean | null {
  try {
    const s = localStorage.getItem(shelf);
    return s === null ? null : s === "1";
  } catch {
    return null;
  }
}
