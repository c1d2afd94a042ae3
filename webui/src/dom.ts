// What the chat client makes of elements: icons, buttons, dialogs, menus.

import { h, unique, type Value } from "./element";
import { t } from "./lang";

export { append, fillWith, h, place, unique, type Child } from "./element";

const paths = {
  send: "M3 11.5 21 3l-7 18-3-7.5z",
  attach: "M8 12.5 14.5 6a3 3 0 0 1 4.2 4.2l-8.4 8.4a5 5 0 0 1-7-7L11 4",
  back: "M15 5l-7 7 7 7",
  plus: "M12 5v14M5 12h14",
  compass: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM15.5 8.5l-2 5-5 2 2-5z",
  menu: "M4 7h16M4 12h16M4 17h16",
  close: "M6 6l12 12M18 6 6 18",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.5a6.5 6.5 0 0 1 3.5 5.5",
  down: "M12 5v14M6 13l6 6 6-6",
  up: "M12 19V5M6 11l6-6 6 6",
  file: "M7 3h7l5 5v13H7zM14 3v5h5",
  check: "M4 13l5 5L20 6",
  checks: "M2 13l5 5L17 6M12 17l1 1L23 6",
  notice: "M4 10v4h3l8 4V6l-8 4zM18 9.5a4 4 0 0 1 0 5M8 14.5 9.5 20",
  fold: "M6 9l6 6 6-6",
  unfold: "M9 6l6 6-6 6",
  screen: "M3 5h18v11H3zM8 20h8M12 16v4",
  phone: "M7 3h10v18H7zM11 18h2",
  thread: "M4 5h16v10H10l-5 4v-4H4zM8 9h8M8 12h5",
  clock: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l3 2",
  mic: "M12 3a3 3 0 0 0-3 3v5a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21",
  smile: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8.5 14.5a4.2 4.2 0 0 0 7 0M9 9.5h.01M15 9.5h.01",
  letters: "M3 18 7.5 6 12 18M4.6 14h5.8M20.5 11v7M20.5 14.5a3 3.4 0 1 1-6 0 3 3.4 0 1 1 6 0z",
  bold: "M7 5h6a3.5 3.5 0 0 1 0 7H7zM7 12h7a3.5 3.5 0 0 1 0 7H7z",
  italic: "M10 5h7M7 19h7M14 5l-4 14",
  strike: "M4 12h16M16.5 7.5C15.5 5.5 13.8 5 12 5 9.5 5 7.5 6.2 7.5 8.500c0 1.6 1 2.6 3 3.500M8 16c.8 2.2 2.5 3 4.5 3 2.5 0 4-1.4 4-3.3",
  code: "M8 7l-5 5 5 5M16 7l5 5-5 5",
  block: "M4 4h16v16H4zM10 9l-3 3 3 3M14 9l3 3-3 3",
  quote: "M4 6v12M9 8h11M9 12h11M9 16h7",
  bullets: "M9 6h11M9 12h11M9 18h11M4.5 6h.01M4.5 12h.01M4.5 18h.01",
  numbers: "M10 6h10M10 12h10M10 18h10M4 4.500l1-.5v4M4 14h2.200c0-1.5-2.2-1.5-2.2-3 0-1.2 2.2-1.2 2.2 0M4 17h2l-1 1.500c1 0 1 2-1 1.5",
  link: "M10 14a4 4 0 0 0 6 .5l3-3a4 4 0 0 0-5.7-5.700l-1.5 1.500M14 10a4 4 0 0 0-6-.5l-3 3a4 4 0 0 0 5.7 5.700l1.5-1.5",
  eye: "M2 12s3.5-6.5 10-6.500S22 12 22 12s-3.5 6.5-10 6.500S2 12 2 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 21 21",
  play: "M7 4.500v15l12-7.500z",
  pause: "M8 5v14M16 5v14",
  stop: "M6 6h12v12H6z",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  download: "M12 4v11M7 10.500l5 5 5-5M4 20h16",
  zoomin: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 21 21M10.5 7.500v6M7.5 10.500h6",
  zoomout: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 21 21M7.5 10.500h6",
  next: "M9 5l7 7-7 7",
  pin: "M9 4h6l-1 6 3 3v2H7v-2l3-3zM12 15v6",
  mute: "M4 10v4h3l5 4V6L7 10zM16 9.5l5 5M21 9.5l-5 5",
  bell: "M6 17V11a6 6 0 0 1 12 0v6l2 2H4zM10 21h4",
  calendar: "M5 6h14v14H5zM5 10h14M9 3v5M15 3v5",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  warn: "M12 4 2.5 20h19zM12 10v4M12 17h.01",
} as const;

export type Icon = keyof typeof paths;

export function icon(name: Icon): SVGSVGElement {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const p = document.createElementNS(ns, "path");
  p.setAttribute("d", paths[name]);
  svg.appendChild(p);
  return svg;
}

export function iconButton(name: Icon, label: string, onclick: (e: MouseEvent) => unknown, props: Record<string, Value> = {}): HTMLButtonElement {
  return h("button", { type: "button", class: "iconbutton", "aria-label": label, title: label, onclick, ...props }, icon(name));
}

// field is a labelled input.
export function field(label: string, input: HTMLElement): HTMLLabelElement {
  if (!input.id) input.id = unique("f");
  return h("label", { class: "field", for: input.id }, h("span", null, label), input);
}

// dialog opens a modal dialog and gives its body and a way to close it. Escape
// and the close button close it; focus returns to where it was.
export function dialog(title: string, wide = false): { body: HTMLElement; close: () => void; onclose: (f: () => void) => void } {
  const id = unique("d");
  const before = document.activeElement;
  const body = h("div", { class: "dialog-body", tabindex: -1, autofocus: true });
  const d: HTMLDialogElement = h("dialog", { class: wide ? "wide" : "", "aria-labelledby": id },
    h("header", null, h("h2", { id }, title), iconButton("close", t("close"), () => { d.close(); })), body);
  const ends: (() => void)[] = [];
  d.addEventListener("close", () => {
    d.remove();
    for (const f of ends) f();
    if (before instanceof HTMLElement && before.isConnected) before.focus();
  });
  d.addEventListener("click", (e: MouseEvent) => {
    if (e.target === d) d.close();
  });
  document.body.appendChild(d);
  d.showModal();
  body.focus(); // not the close button, which stands first
  const scrolls = new ResizeObserver(() => (body.tabIndex = body.scrollHeight > body.clientHeight ? 0 : -1)); // by keys, too
  for (const e of [body, d]) scrolls.observe(e);
  return { body, close: () => d.close(), onclose: (f) => void ends.push(f) };
}

// confirm asks before something that cannot be undone.
export function confirm(title: string, about: string, button: string, action: () => void): void {
  const d = dialog(title);
  d.body.append(
    h("p", null, about),
    h("div", { class: "buttons" },
      h("button", { type: "button", onclick: d.close }, t("cancel")),
      h("button", { type: "button", class: "danger", onclick: () => { d.close(); action(); } }, button)));
}

// toast tells something in passing, to screen readers too.
export function toast(text: string, bad = false): void {
  let box = document.getElementById("toasts");
  if (!box) {
    box = h("div", { id: "toasts", role: "status", "aria-live": "polite" });
    document.body.appendChild(box);
  }
  // A modal dialog makes everything outside it inert: show it inside.
  const top = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (box.parentNode !== top) top.appendChild(box);
  const e = h("div", { class: bad ? "toast bad" : "toast" }, text);
  box.appendChild(e);
  setTimeout(() => {
    e.remove();
    if (box.isConnected && box.parentNode !== document.body && !box.hasChildNodes()) document.body.appendChild(box);
  }, bad ? 8000 : 3000);
}

// popup opens a menu at a button; arrow keys move, Escape closes.
export function popup(at: HTMLElement, label: string, items: HTMLElement[]): void {
  document.querySelector(".popup")?.remove();
  const menu = h("div", { class: "popup", role: "menu", "aria-label": label }, ...items);
  for (const i of items) for (const b of i.matches("button") ? [i] : i.querySelectorAll("button")) b.setAttribute("role", "menuitem");
  const buttons = () => [...menu.querySelectorAll<HTMLElement>("button")];
  const close = (focus: boolean) => {
    menu.remove();
    at.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
    if (focus && at.isConnected) at.focus();
  };
  const outside = (e: Event) => {
    if (!menu.contains(e.target as Node)) close(false);
  };
  menu.addEventListener("click", (e) => {
    if ((e.target as Element).closest("button")) close(true);
  });
  menu.addEventListener("keydown", (e) => {
    const all = buttons();
    const i = all.indexOf(document.activeElement as HTMLElement);
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[e.key];
    if (e.key === "Escape" || e.key === "Tab") close(true);
    else if (step) all[(i + step + all.length) % all.length]!.focus();
    else return;
    e.preventDefault();
    e.stopPropagation();
  });
  document.addEventListener("pointerdown", outside, true);
  at.setAttribute("aria-expanded", "true");
  (at.closest("dialog, main, nav, aside") ?? document.body).appendChild(menu);
  const box = at.getBoundingClientRect();
  const m = menu.getBoundingClientRect();
  menu.style.left = Math.max(8, Math.min(box.right - m.width, innerWidth - m.width - 8)) + "px";
  menu.style.top = (box.bottom + m.height + 8 > innerHeight ? Math.max(8, box.top - m.height - 4) : box.bottom + 4) + "px";
  buttons()[0]?.focus();
}

export function menuItem(label: string, onclick: () => void, danger = false): HTMLButtonElement {
  return h("button", { type: "button", class: danger ? "danger-text" : "", onclick }, label);
}

// copyText works on plain http too, where the clipboard API is missing.
export function copyText(text: string): void {
  const done = () => toast(t("copied"));
  if (navigator.clipboard) {
    navigator.clipboard.writeText(text).then(done, () => {});
    return;
  }
  const area = h("textarea", { value: text, "aria-hidden": "true", class: "offscreen" });
  (document.querySelector("dialog[open]") ?? document.body).appendChild(area);
  area.select();
  if (document.execCommand("copy")) done();
  area.remove();
}
