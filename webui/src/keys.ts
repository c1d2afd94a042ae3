// Keys of the whole page, and the list of them.

import { dialog, h } from "./dom";
import type { Command, Frame } from "./frame";
import { t } from "./lang";
import { formatKeys } from "./toolbar";

export const mac = /Mac|iPhone|iPad/.test(navigator.platform);

// pressed reports whether an event is the keys of a command.
export function pressed(e: KeyboardEvent, keys: string): boolean {
  if (e.isComposing || e.keyCode === 229) return false;
  const parts = keys.split("+");
  const key = parts.at(-1)!;
  const ctrl = mac ? e.metaKey : e.ctrlKey;
  if (ctrl !== parts.includes("Ctrl") || e.altKey !== parts.includes("Alt")) return false;
  // A sign such as ? carries its shift in it.
  if ((key.length > 1 || /[A-Z]/.test(key)) && e.shiftKey !== parts.includes("Shift")) return false;
  return key.length > 1 ? e.key === key : e.key.toLowerCase() === key.toLowerCase();
}

// typing: the keys belong to a field.
function typing(e: KeyboardEvent): boolean {
  const at = e.target as HTMLElement | null;
  return !!at && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));
}

// dispatch runs the command whose keys were pressed.
export function dispatch(e: KeyboardEvent, f: Frame, commands: Command[]): void {
  if (e.defaultPrevented || document.querySelector("dialog[open]")) return;
  for (const c of commands) {
    if (!c.keys || !pressed(e, c.keys) || (c.when && !c.when(f))) continue;
    if (typing(e) && !/Ctrl|Alt|Escape|^F\d/.test(c.keys)) continue;
    e.preventDefault();
    c.run(f);
    return;
  }
}

// shown is how keys are written for the reader's machine.
export function shown(keys: string): string {
  return keys.replace("Ctrl", mac ? "⌘" : "Ctrl").replace("Alt", mac ? "⌥" : "Alt").replace("ArrowUp", "↑").replace("ArrowDown", "↓").replace("Shift", "⇧").replace("Escape", "Esc").replaceAll("+", " + ");
}

// help lists the keys.
export function help(commands: Command[], more: HTMLElement[]): void {
  const d = dialog(t("keys.title"));
  const row = (keys: string, text: string) => h("tr", null, h("td", null, h("kbd", null, shown(keys))), h("td", null, text));
  d.body.append(h("table", { class: "keys" }, h("tbody", null,
    row("Enter", t("keys.send")), row("Shift+Enter", t("keys.newline")), row("Escape", t("keys.cancel")), row("ArrowUp", t("keys.editlast")),
    ...formatKeys().map(([keys, name]) => row(keys, t(name))),
    ...commands.filter((c) => c.keys && c.keys !== "Escape").map((c) => row(c.keys!, t(c.name))))), ...more);
}
