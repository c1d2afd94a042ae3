// What makes the text of a message handy: code that can be copied, long texts
// that fold, links that say where they lead and stay inside when they are of
// this server, large emoji.

import { copyText, h, iconButton } from "./dom";
import { onlyEmoji } from "./emoji";
import { t } from "./lang";

const longText = 2400; // characters
const longLines = 30;
const unfolded = new Set<string>(); // ids of messages
const mostUnfolded = 500;

// polish changes the text of a message that render has made, and gives what to
// show: the text, or a box with the text folded in it.
export function polish(e: HTMLElement, id: string, text: string): HTMLElement {
  if (onlyEmoji(text)) e.classList.add("only-emoji");
  for (const pre of e.querySelectorAll("pre")) {
    const code = pre.textContent ?? "";
    const box = h("div", { class: "code-box" });
    pre.tabIndex = 0; // it may scroll sideways
    pre.replaceWith(box);
    box.append(pre, iconButton("copy", t("code.copy"), () => copyText(code), { class: "iconbutton code-copy" }));
  }
  for (const a of e.querySelectorAll("a")) link(a);
  if ((text.length > longText || text.split("\n", longLines + 1).length > longLines) && !unfolded.has(id)) return fold(e, id);
  return e;
}

function link(a: HTMLAnchorElement): void {
  const inside = a.origin === location.origin && a.pathname === "/" && /^#\/[\w/.~%-]+$/.test(a.hash);
  if (inside) {
    a.removeAttribute("target");
    return;
  }
  // A text that looks like another address must not hide where the link leads.
  if (a.textContent !== a.getAttribute("href")) a.title = a.href;
}

function fold(e: HTMLElement, id: string): HTMLElement {
  e.classList.add("folded");
  const more = h("button", { type: "button", class: "quiet unfold", "aria-expanded": "false", onclick: () => {
    unfolded.add(id);
    if (unfolded.size > mostUnfolded) unfolded.delete(unfolded.values().next().value!);
    e.classList.remove("folded");
    more.remove();
    (e.closest<HTMLElement>("li")?.querySelector<HTMLElement>(".actions") ?? e).focus();
  } }, t("message.more"));
  return h("div", { class: "fold" }, e, more);
}
