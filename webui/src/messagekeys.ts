// Going through the messages by keys: PageUp in the composer, or an arrow in the
// timeline, puts the focus on a message; arrows move it, letters do what its menu
// offers.

import type { Message } from "./api";
import { h } from "./dom";
import type { Feature, Frame } from "./frame";
import { t } from "./lang";
import { mayWrite } from "./state";

const row = "li[data-seq]";

// rows are the entries of the timeline that can be seen or scrolled to.
function rows(f: Frame): HTMLElement[] {
  return [...(f.timeline?.element.querySelectorAll<HTMLElement>(row) ?? [])];
}

function focus(e: HTMLElement | undefined): void {
  if (!e) return;
  e.tabIndex = -1;
  e.focus({ preventScroll: true });
  e.scrollIntoView({ block: "nearest" });
}

// enter puts the focus on the newest message that can be seen.
function enter(f: Frame): void {
  const box = f.timeline?.element.getBoundingClientRect();
  focus(rows(f).findLast((e) => !box || e.getBoundingClientRect().top < box.bottom));
}

function messageAt(f: Frame, e: HTMLElement): Message | undefined {
  const seq = Number(e.dataset["seq"]);
  return f.client.store.state.timelines.get(f.room)?.messages.find((m) => m.seq === seq);
}

// mayEdit: the message is one's own, and an edit of it would be taken.
function mayEdit(f: Frame, m: Message): boolean {
  const s = f.client.store.state;
  const r = s.rooms.get(m.room)?.room;
  return !!r && mayWrite(r) === "yes" && m.sender === s.me?.id && !m.recalled && !m.change && !m.forwarded;
}

// inMessage handles a key while the focus is on a message or inside it; false:
// the key is not for us.
function inMessage(f: Frame, at: HTMLElement, e: KeyboardEvent): boolean {
  const all = rows(f);
  const i = all.indexOf(at);
  const moves: Record<string, number> = { ArrowUp: i - 1, ArrowDown: i + 1, Home: 0, End: all.length - 1 };
  const to = moves[e.key];
  if (to !== undefined) {
    if (to >= all.length) f.composer?.focus(true);
    else focus(all[Math.max(0, to)]);
    return true;
  }
  if (e.key === "Escape") {
    f.composer?.focus(true);
    return true;
  }
  if (e.target !== at) return false; // Enter and letters belong to what is inside
  const m = messageAt(f, at);
  const menu = at.querySelector<HTMLElement>("button.actions");
  switch (e.key.toLowerCase()) {
    case "enter":
    case " ":
    case "contextmenu":
      menu?.click();
      return !!menu;
    case "r":
      if (m && !m.recalled && !m.change) f.composer?.startReply(m);
      return true;
    case "e":
      if (m && mayEdit(f, m)) f.composer?.startEdit(m);
      return true;
    case "t":
      if (m && !m.recalled && !m.change && f.hasPane("thread")) f.pane("thread", String(m.thread || m.seq));
      return true;
  }
  return false;
}

function pressed(f: Frame, e: KeyboardEvent): void {
  const at = e.target;
  if (e.defaultPrevented || e.isComposing || e.keyCode === 229 || e.ctrlKey || e.metaKey || e.altKey || e.shiftKey || !(at instanceof HTMLElement) || !f.timeline) return;
  if (at.closest(".popup, dialog, input, select, audio, video")) return;
  let took = false;
  if (at instanceof HTMLTextAreaElement) {
    took = e.key === "PageUp" && at.scrollHeight <= at.clientHeight + 4 && !!f.composer?.element.contains(at);
    if (took) enter(f);
  } else if (f.timeline.element.contains(at)) {
    const in_ = at.closest<HTMLElement>(row);
    if (in_) took = inMessage(f, in_, e);
    else if (at.matches(".scroller") && (e.key === "ArrowUp" || e.key === "Enter")) {
      enter(f);
      took = true;
    }
  }
  if (took) e.preventDefault();
}

export const messageKeysFeature: Feature = {
  commands: [{ name: "messages.enter", keys: "Alt+PageUp", when: (f) => f.timeline !== null, run: enter }],
  start(f) {
    const listen = (e: KeyboardEvent) => pressed(f, e);
    document.addEventListener("keydown", listen);
    return () => document.removeEventListener("keydown", listen);
  },
  keyHelp: () => [h("p", { class: "hint" }, t("messages.keys"))],
};
