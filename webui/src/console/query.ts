// The query box: names are offered while a person types. The list belongs to
// the text area, which keeps the focus (a text area may not be a combobox, but
// has an active descendant as one has); without script the form works too.

import { t } from "./lang";
import { choose, placeOf, type Place } from "./query_place";

interface Offer {
  text: string;
  kind: string;
  detail?: string;
}

const started = new WeakSet<Element>();

export function startQuery(root: ParentNode): void {
  for (const e of root.querySelectorAll<HTMLFormElement>("[data-query-box]")) {
    if (started.has(e)) continue;
    started.add(e);
    new Box(e);
  }
}

class Box {
  private readonly text: HTMLTextAreaElement;
  private readonly list = document.createElement("div");
  private readonly status = document.createElement("span");
  private readonly known = new Map<string, Promise<Offer[]>>();
  private shown: Offer[] = [];
  private place: Place | null = null;
  private at = 0;
  private asked = 0;

  constructor(private readonly form: HTMLFormElement) {
    this.text = form.querySelector("textarea")!;
    this.list.id = "query-offers";
    this.list.className = "offers";
    this.list.hidden = true;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", t("query.offers"));
    for (const [name, v] of Object.entries({ "aria-autocomplete": "list", "aria-controls": this.list.id, "aria-haspopup": "listbox" })) this.text.setAttribute(name, v);
    this.status.className = "sr";
    this.status.setAttribute("role", "status");
    this.text.after(this.list, this.status);
    this.text.addEventListener("input", () => void this.offer());
    this.text.addEventListener("keydown", (e) => this.key(e));
    this.text.addEventListener("blur", () => this.close());
    this.list.addEventListener("mousedown", (e) => e.preventDefault()); // the focus stays in the box
  }

  private load(p: Place): Promise<Offer[]> {
    const query = new URLSearchParams(p.of === "name" ? {} : p.of === "label" ? { metric: p.metric } : { metric: p.metric, label: p.label }).toString();
    let got = this.known.get(query);
    if (!got) {
      got = fetch("/admin/data/offers?" + query, { headers: { Accept: "application/json" } }).then(async (r) => (r.ok ? ((await r.json()) as Offer[]) : []));
      got.catch(() => this.known.delete(query));
      this.known.set(query, got);
    }
    return got;
  }

  private async offer(): Promise<void> {
    const n = ++this.asked;
    const place = placeOf(this.text.value.slice(0, this.text.selectionStart));
    if (!place || (place.of === "name" && place.piece.length < 2)) return this.close();
    let all: Offer[] = [];
    try {
      all = await this.load(place);
    } catch {
      // Without an answer nothing is offered.
    }
    if (n !== this.asked) return;
    this.place = place;
    this.shown = choose(all, place.piece).filter((o) => o.text !== place.piece);
    this.at = 0;
    this.draw();
  }

  private draw(): void {
    this.list.replaceChildren(...this.shown.map((o, i) => {
      const row = document.createElement("div");
      row.id = "query-offer-" + i;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", String(i === this.at));
      const name = document.createElement("span");
      name.textContent = o.text;
      const about = document.createElement("span");
      about.className = "hint";
      about.textContent = o.detail ?? "";
      row.append(name, about);
      row.addEventListener("click", () => this.take(o));
      return row;
    }));
    this.list.hidden = this.shown.length === 0;
    this.status.textContent = this.list.hidden ? "" : t("palette.count", { n: this.shown.length });
    if (this.list.hidden) this.text.removeAttribute("aria-activedescendant");
    else this.text.setAttribute("aria-activedescendant", "query-offer-" + this.at);
    this.list.children[this.at]?.scrollIntoView({ block: "nearest" });
  }

  private close(): void {
    this.asked++;
    this.shown = [];
    this.draw();
  }

  private take(o: Offer): void {
    const p = this.place;
    if (!p) return;
    const text = p.of === "value" ? o.text.replace(/[\\"]/g, "\\$&") : o.text;
    this.text.setRangeText(text, p.from, this.text.selectionStart, "end");
    this.close();
    this.text.focus();
  }

  private key(e: KeyboardEvent): void {
    if (e.isComposing || e.keyCode === 229) return;
    const open = !this.list.hidden;
    if (open && (e.key === "ArrowDown" || e.key === "ArrowUp")) {
      e.preventDefault();
      this.at = (this.at + (e.key === "ArrowDown" ? 1 : this.shown.length - 1)) % this.shown.length;
      this.draw();
    } else if (open && (e.key === "Enter" || e.key === "Tab")) {
      e.preventDefault();
      this.take(this.shown[this.at]!);
    } else if (open && e.key === "Escape") {
      e.preventDefault();
      e.stopPropagation();
      this.close();
    } else if (e.key === "Enter" && !e.shiftKey) {
      e.preventDefault();
      this.form.requestSubmit();
    }
  }
}
