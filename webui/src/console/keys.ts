// Keys of every page. Those without Ctrl can be switched off.

import { t } from "./lang";
import { openPalette } from "./palette";

const mac = /Mac|iPhone|iPad/.test(navigator.platform);

function typing(e: KeyboardEvent): boolean {
  const at = e.target as HTMLElement | null;
  return !!at && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));
}

export function startKeys(): void {
  document.addEventListener("keydown", (e) => {
    if (e.defaultPrevented || e.isComposing || e.keyCode === 229) return;
    if ((mac ? e.metaKey : e.ctrlKey) && !e.altKey && !e.shiftKey && e.key.toLowerCase() === "k") {
      e.preventDefault();
      openPalette();
      return;
    }
    if (e.ctrlKey || e.metaKey || e.altKey || typing(e) || document.querySelector("dialog[open]") || document.body.dataset["keys"] !== "on") return;
    if (e.key === "?") help();
    else if (e.key === "/") document.querySelector<HTMLElement>("#list-q, input.filter")?.focus();
    else if (e.key === "g") location.assign("/admin");
    else return;
    e.preventDefault();
  });
}

function help(): void {
  const d = document.createElement("dialog");
  d.setAttribute("aria-labelledby", "keys-title");
  const title = document.createElement("h2");
  title.id = "keys-title";
  title.textContent = t("keys.title");
  const list = document.createElement("dl");
  list.className = "keys";
  for (const [keys, text] of [
    [(mac ? "⌘" : "Ctrl") + " K", t("keys.palette")],
    ["?", t("keys.help")],
    ["/", t("keys.search")],
    ["g", t("keys.overview")],
    ["Esc", t("keys.escape")],
  ] as const) {
    const row = document.createElement("div");
    const dt = document.createElement("dt");
    const kbd = document.createElement("kbd");
    kbd.textContent = keys;
    dt.append(kbd);
    const dd = document.createElement("dd");
    dd.textContent = text;
    row.append(dt, dd);
    list.append(row);
  }
  const hint = document.createElement("p");
  hint.className = "hint";
  hint.textContent = t("keys.off");
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = t("close");
  close.addEventListener("click", () => d.close());
  d.append(title, list, hint, close);
  d.addEventListener("close", () => d.remove());
  document.body.append(d);
  d.showModal();
}
