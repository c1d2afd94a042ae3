// A list that may be long, of which only what can be seen is in the page.
//
// All rows are as high as the first one. Each stands at its place by itself, so
// that the row with the focus can stay in the page when it is scrolled away;
// its neighbours come with it, and Tab goes on to them. Rows tell their number
// and the number of all rows to screen readers, which see only some of them.
// When the order changes, what one looks at stays where it is unless one is at
// the top. While a finger or button is down on the list nothing in it changes:
// what was pressed is what is meant.

import { fillWith, h, place } from "./dom";

const spare = 8; // rows beyond each edge
const unseen = 800; // px: the height that is assumed while the list is not shown

// Row is how an item looks now: it is made anew when the signature changes.
export interface Row {
  signature: string;
  make(): HTMLElement;
}

export class LongList<T> {
  readonly element: HTMLElement; // scrolls
  private list = h("ul", null);
  private items: T[] = [];
  private places = new Map<string, number>();
  private rows = new Map<string, { signature: string; li: HTMLLIElement; at: number }>();
  private measured = false;
  private down = false;
  private late: (() => void) | null = null; // the newest showing that waits for the finger

  // height is of a row in px, until one has been measured.
  constructor(name: string, private height: number, private readonly key: (item: T) => string, private readonly row: (item: T) => Row) {
    this.element = h("div", { class: name, onscroll: () => this.draw(false), onkeydown: (e: KeyboardEvent) => this.pressed(e), onpointerdown: () => this.hold() }, this.list);
    new ResizeObserver(() => {
      this.measured = false;
      this.draw(false);
    }).observe(this.element);
  }

  // show replaces the items; text stands there when there is none.
  show(items: T[], text: string): void {
    if (this.down) {
      this.late = () => this.show(items, text);
      return;
    }
    const top = this.element.scrollTop;
    const before = top > 0 ? this.visible(top) : [];
    this.items = items;
    this.places = new Map(items.map((x, i) => [this.key(x), i]));
    if (!items.length) {
      this.rows.clear();
      this.list.style.height = "";
      fillWith(this.list, h("li", { class: "empty" }, text));
      return;
    }
    const moves = before.flatMap(([key, was]) => (this.places.has(key) ? [this.places.get(key)! - was] : [])).sort((a, b) => a - b);
    const move = moves[moves.length >> 1] ?? 0;
    if (move) {
      this.list.style.height = items.length * this.height + "px";
      this.element.scrollTop = top + move * this.height;
    }
    this.draw(true);
  }

  // hold keeps the rows as they are until what was pressed is let go and its
  // click is through.
  private hold(): void {
    if (this.down) return;
    this.down = true;
    const release = () => {
      removeEventListener("pointerup", release);
      removeEventListener("pointercancel", release);
      setTimeout(() => {
        this.down = false;
        const late = this.late;
        this.late = null;
        late?.();
      });
    };
    addEventListener("pointerup", release);
    addEventListener("pointercancel", release);
  }

  top(): void {
    this.element.scrollTop = 0;
  }

  // reveal scrolls as little as it can to show an item.
  reveal(key: string): void {
    const i = this.places.get(key);
    const seen = this.element.clientHeight;
    if (i === undefined || !seen) return;
    const top = this.element.scrollTop;
    const to = Math.min(i * this.height, Math.max(top, (i + 1) * this.height - seen));
    if (to !== top) this.element.scrollTop = to;
  }

  private visible(top: number): [string, number][] {
    const end = top + (this.element.clientHeight || unseen);
    return [...this.rows].filter(([, r]) => (r.at + 1) * this.height > top && r.at * this.height < end).map(([key, r]) => [key, r.at]);
  }

  // draw puts the rows into the page that should be there; fresh asks for those
  // that are there already, too.
  private draw(fresh: boolean): void {
    if (!this.items.length) return;
    const top = this.element.scrollTop;
    const wanted = new Set<number>();
    const around = (from: number, to: number) => {
      for (let i = Math.max(0, from); i < Math.min(this.items.length, to); i++) wanted.add(i);
    };
    around(Math.floor(top / this.height) - spare, Math.ceil((top + (this.element.clientHeight || unseen)) / this.height) + spare);
    const focused = [...this.rows].find(([, r]) => r.li.contains(document.activeElement))?.[0];
    const held = focused === undefined ? undefined : this.places.get(focused);
    if (held !== undefined) around(held - 1, held + 2);
    const height = this.items.length * this.height + "px";
    if (this.list.style.height !== height) this.list.style.height = height;
    const keep = new Set<string>();
    const shown: HTMLLIElement[] = [];
    for (const i of [...wanted].sort((a, b) => a - b)) {
      const key = this.key(this.items[i]!);
      keep.add(key);
      shown.push(this.put(key, i, fresh));
    }
    for (const key of this.rows.keys()) if (!keep.has(key)) this.rows.delete(key);
    place(this.list, shown);
    this.measure(shown[0]!);
  }

  private put(key: string, i: number, fresh: boolean): HTMLLIElement {
    let r = this.rows.get(key);
    if (!r || fresh) {
      const { signature, make } = this.row(this.items[i]!);
      if (!r) this.rows.set(key, (r = { signature: "", li: h("li", null), at: -1 }));
      if (r.signature !== signature || !r.li.hasChildNodes()) {
        const focused = r.li.contains(document.activeElement);
        fillWith(r.li, make());
        r.signature = signature;
        if (focused) r.li.querySelector<HTMLElement>("a, button")?.focus({ preventScroll: true });
      }
    }
    if (r.at !== i) {
      r.at = i;
      r.li.style.top = i * this.height + "px";
      r.li.setAttribute("aria-posinset", String(i + 1));
    }
    const size = String(this.items.length);
    if (r.li.getAttribute("aria-setsize") !== size) r.li.setAttribute("aria-setsize", size);
    return r.li;
  }

  // measure reads the height of a row once after the list has changed its size.
  private measure(li: HTMLElement): void {
    if (this.measured || !this.element.clientHeight) return;
    this.measured = true;
    const real = li.offsetHeight;
    if (!real || real === this.height) return;
    this.element.scrollTop = (this.element.scrollTop / this.height) * real;
    this.height = real;
    for (const r of this.rows.values()) r.at = -1;
    this.draw(false);
  }

  private pressed(e: KeyboardEvent): void {
    if (e.ctrlKey || e.metaKey || e.altKey || e.shiftKey) return;
    const now = [...this.rows.values()].find((r) => r.li.contains(document.activeElement))?.at;
    if (now === undefined) return;
    const to = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: this.items.length - 1 }[e.key];
    if (to === undefined || !this.items[to]) return;
    e.preventDefault();
    const key = this.key(this.items[to]!);
    this.reveal(key);
    this.draw(false);
    this.rows.get(key)?.li.querySelector<HTMLElement>("a, button")?.focus({ preventScroll: true });
  }
}
