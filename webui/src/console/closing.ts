// What opens over the page without being a dialog (the menu beside the person's
// name, the choices of a dashboard, the navigation of a narrow screen) closes by
// Escape, and when the focus or a press goes elsewhere: nothing that has the
// focus lies behind it. And a form that was sent by keyboard comes back with the
// whole page: the focus goes on where it was, not at the top.

const over = "details.person[open], .range details[open]";
const narrow = matchMedia("(max-width: 800px)"); // as narrow.css has it

function navOver(): HTMLElement | null {
  return narrow.matches && location.hash === "#nav" ? document.getElementById("nav") : null;
}

function elsewhere(e: Event): void {
  const at = e.target as Node;
  for (const d of document.querySelectorAll<HTMLDetailsElement>(over)) if (!d.contains(at)) d.open = false;
  if (e.type === "focusin" && at instanceof HTMLElement && navOver()?.contains(at) === false) {
    location.hash = "#main"; // what :target shows goes by the address alone
    at.focus();
  }
}

function escape(e: KeyboardEvent): void {
  if (e.key !== "Escape" || e.defaultPrevented || e.isComposing || e.keyCode === 229 || document.querySelector("dialog[open]")) return;
  const open = [...document.querySelectorAll<HTMLDetailsElement>(over)].at(-1);
  if (open) {
    open.open = false;
    open.querySelector("summary")?.focus();
  } else if (navOver()) {
    location.hash = "#main";
    document.querySelector<HTMLElement>(".menu-link")?.focus();
  } else return;
  e.preventDefault();
}

const key = "posthouse.console.sent"; // in the tab's storage: path and id of the part that the form is in
const stops = "a[href], button:not(:disabled), input:not([type=hidden]), select, textarea, summary";
let byKeys = false;

function sent(e: SubmitEvent): void {
  const form = e.target as HTMLFormElement;
  if (!byKeys || e.defaultPrevented || form.method !== "post" || !form.closest("main")) return;
  sessionStorage.setItem(key, JSON.stringify([location.pathname, form.closest("li[id], tr[id]")?.id ?? "main"]));
}

function resume(): void {
  const kept = sessionStorage.getItem(key);
  sessionStorage.removeItem(key);
  if (!kept || (document.activeElement && document.activeElement !== document.body)) return;
  const [path, id] = JSON.parse(kept) as [string, string];
  const part = path === location.pathname ? document.getElementById(id) : null;
  if (!part) return;
  (id === "main" ? part : part.querySelector<HTMLElement>(stops))?.focus();
}

export function startClosing(): void {
  document.addEventListener("keydown", escape);
  document.addEventListener("focusin", elsewhere);
  document.addEventListener("pointerdown", elsewhere);
  addEventListener("keydown", () => { byKeys = true; }, true);
  addEventListener("pointerdown", () => { byKeys = false; }, true);
  document.addEventListener("submit", sent);
  resume();
}
