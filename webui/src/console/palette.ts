// The palette: pages, and what the server finds (people, rules, actions).

import { t } from "./lang";

interface Found {
  title: string;
  run?: () => void; // an action of this page instead of an address
  about?: string;
  group: string;
  href: string;
}

const pause = 120; // ms between the last key and the question

function pages(): Found[] {
  return [...document.querySelectorAll<HTMLAnchorElement>("#nav li a")].map((a) => ({
    title: a.querySelector("span")?.textContent ?? "", group: a.closest("ul")?.previousElementSibling?.textContent ?? "", href: a.pathname + a.search,
  }));
}

// actions are the buttons beside the person's name: language, theme, keys,
// logging out.
function actions(): Found[] {
  return [...document.querySelectorAll<HTMLButtonElement>(".person-menu form button")].filter((b) => b.getAttribute("aria-pressed") !== "true").map((b) => ({
    title: b.textContent?.trim() ?? "", group: b.closest("[role=group]")?.getAttribute("aria-label") ?? t("palette.action"), href: "", run: () => b.click(),
  }));
}

export function startPalette(): void {
  for (const b of document.querySelectorAll<HTMLButtonElement>("[data-palette]")) {
    b.hidden = false;
    b.addEventListener("click", openPalette);
  }
}

export function openPalette(): void {
  if (document.querySelector("dialog.palette") || !document.getElementById("nav")) return;
  new Palette();
}

class Palette {
  private readonly d = document.createElement("dialog");
  private readonly input = document.createElement("input");
  private readonly list = document.createElement("div");
  private readonly status = document.createElement("p");
  private found: Found[] = [];
  private at = 0;
  private asked = 0;
  private timer = 0;

  constructor() {
    this.d.className = "palette";
    this.d.setAttribute("aria-label", t("palette.title"));
    for (const [name, v] of Object.entries({
      type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "palette-list", "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false",
      placeholder: t("palette.placeholder"), "aria-label": t("palette.placeholder"),
    })) this.input.setAttribute(name, v);
    this.list.id = "palette-list";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", t("palette.title"));
    this.status.setAttribute("role", "status");
    this.status.className = "hint";
    this.input.addEventListener("input", () => this.changed());
    this.input.addEventListener("keydown", (e) => this.key(e));
    this.d.append(this.input, this.list, this.status);
    this.d.addEventListener("close", () => {
      clearTimeout(this.timer);
      this.d.remove();
    });
    document.body.append(this.d);
    this.d.showModal();
    this.input.focus();
    this.gather([]);
  }

  private changed(): void {
    this.at = 0;
    this.gather([]);
    clearTimeout(this.timer);
    const n = ++this.asked;
    const q = this.input.value.trim();
    if (q) this.timer = window.setTimeout(() => void this.ask(q, n), pause);
  }

  private async ask(q: string, n: number): Promise<void> {
    try {
      const r = await fetch("/admin/find?q=" + encodeURIComponent(q), { headers: { Accept: "application/json" } });
      if (!r.ok) return;
      const more = (await r.json()) as Found[];
      if (n === this.asked) this.gather(more);
    } catch {
      // Without an answer the pages are there.
    }
  }

  private gather(more: Found[]): void {
    const q = this.input.value.trim().toLowerCase();
    const own = [...pages(), ...(q ? actions() : [])].filter((p) => (p.title + " " + p.group).toLowerCase().includes(q));
    this.found = [...own, ...more.filter((m) => !own.some((o) => o.href && o.href === m.href))].slice(0, 40);
    this.draw();
  }

  private draw(): void {
    this.list.replaceChildren();
    this.found.forEach((f, i) => {
      const o = document.createElement("div");
      o.setAttribute("role", "option");
      o.id = "palette-" + i;
      o.setAttribute("aria-selected", String(i === this.at));
      const title = document.createElement("span");
      title.textContent = f.title;
      const about = document.createElement("span");
      about.className = "hint";
      about.textContent = f.about ?? f.group;
      o.append(title, about);
      o.addEventListener("click", () => this.go(f));
      this.list.append(o);
    });
    this.list.hidden = this.found.length === 0;
    this.status.textContent = this.found.length ? t("palette.count", { n: this.found.length }) : t("palette.none");
    if (this.found.length) this.input.setAttribute("aria-activedescendant", "palette-" + this.at);
    else this.input.removeAttribute("aria-activedescendant");
    this.list.children[this.at]?.scrollIntoView({ block: "nearest" });
  }

  private key(e: KeyboardEvent): void {
    if (e.isComposing || e.keyCode === 229) return;
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      const n = this.found.length;
      if (n) this.at = (this.at + (e.key === "ArrowDown" ? 1 : n - 1)) % n;
      this.draw();
    } else if (e.key === "Enter") {
      e.preventDefault();
      const f = this.found[this.at];
      if (f) this.go(f);
    }
  }

  private go(f: Found): void {
    this.d.close();
    if (f.run) f.run();
    else location.assign(f.href);
  }
}
