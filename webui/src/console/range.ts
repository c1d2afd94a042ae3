// The picker of a range of time. The range is in the address, so that it can be
// shared and the back button works; the page is not loaded anew.

import { h } from "../element";
import { minute } from "./chart_time";
import { say } from "./chart_words";
import { address, moved, seconds, written } from "./range_text";

export interface Range {
  from: string; // as in the address
  to: string;
}

export class RangePicker {
  range: Range;
  private readonly inputs: [HTMLInputElement | null, HTMLInputElement | null];

  // changed is called when another range is wanted; the address has it then.
  constructor(private readonly bar: HTMLElement, range: Range, private readonly changed: () => void) {
    this.range = range;
    this.inputs = [bar.querySelector<HTMLInputElement>("[name=from]"), bar.querySelector<HTMLInputElement>("[name=to]")];
    for (const a of bar.querySelectorAll<HTMLAnchorElement>("[data-preset]")) {
      a.addEventListener("click", (e) => {
        if (e.ctrlKey || e.metaKey || e.shiftKey || e.button !== 0) return;
        e.preventDefault();
        this.go(a.dataset["preset"]!, "now");
      });
    }
    bar.querySelector("form")?.addEventListener("submit", (e) => {
      e.preventDefault();
      this.submit();
    });
    this.button("wider", () => this.shift(0, 2));
    this.button("earlier", () => this.shift(-0.5, 1));
    this.button("later", () => this.shift(0.5, 1));
    addEventListener("popstate", () => {
      const q = new URLSearchParams(location.search);
      this.range = { from: q.get("from") ?? "now-1h", to: q.get("to") ?? "now" };
      this.show();
      this.changed();
    });
    this.show();
  }

  button(name: string, act: () => void): HTMLButtonElement | null {
    const b = this.bar.querySelector<HTMLButtonElement>(`[data-range-${name}]`);
    if (b) {
      b.hidden = false;
      b.addEventListener("click", act);
    }
    return b;
  }

  say(text: string): void {
    const e = this.bar.querySelector("[data-range-state]");
    if (e && e.textContent !== text) e.textContent = text;
  }

  // seconds is the range as it is now.
  seconds(now = Date.now() / 1000): [number, number] {
    return [seconds(this.range.from, now), seconds(this.range.to, now)];
  }

  // go shows a range and keeps the one before for the back button.
  go(from: string, to: string): void {
    if (from === this.range.from && to === this.range.to) return this.changed();
    this.range = { from, to };
    const q = new URLSearchParams(location.search);
    q.set("from", from);
    q.set("to", to);
    history.pushState({ range: true }, "", location.pathname + "?" + q.toString());
    this.show();
    this.changed();
  }

  // back goes to the range before, if this page has shown another one.
  back(): void {
    if ((history.state as { range?: boolean } | null)?.range) history.back();
  }

  private shift(by: number, factor: number): void {
    const [a, b] = this.seconds();
    const [from, to] = moved(a, b, by, factor, Date.now() / 1000);
    this.go(String(from), String(to));
  }

  private submit(): void {
    const wrong = this.bar.querySelector("[data-range-wrong]");
    const now = Date.now() / 1000;
    const texts = this.inputs.map((i) => i?.value ?? "");
    const [from, to] = texts.map((t) => address(t, now)) as [string, string];
    const bad: number = from === "" ? 0 : to === "" ? 1 : -1;
    this.inputs.forEach((i, k) => i?.setAttribute("aria-invalid", String(k === bad)));
    if (bad >= 0) {
      if (wrong) wrong.textContent = say("range.unread", { text: texts[bad]! });
      this.inputs[bad === 1 ? 1 : 0]?.focus();
      return;
    }
    const early = seconds(to, now) - seconds(from, now) < 10;
    if (wrong) wrong.textContent = early ? say("range.bad") : "";
    if (early) return void this.inputs[0]?.focus();
    const d = this.bar.querySelector<HTMLDetailsElement>(".range-custom");
    if (d) {
      d.open = false;
      d.querySelector("summary")?.focus();
    }
    this.go(from, to);
  }

  private show(): void {
    this.inputs[0] && (this.inputs[0].value = written(this.range.from));
    this.inputs[1] && (this.inputs[1].value = written(this.range.to));
    for (const a of this.bar.querySelectorAll<HTMLElement>("[data-preset]")) {
      if (a.dataset["preset"] === this.range.from && this.range.to === "now") a.setAttribute("aria-current", "true");
      else a.removeAttribute("aria-current");
    }
    const text = this.bar.querySelector("[data-range-text]");
    const [from, to] = this.seconds();
    if (text) text.replaceChildren(time(from), " – ", this.range.to === "now" ? say("now") : time(to));
  }
}

function time(t: number): HTMLTimeElement {
  const iso = new Date(t * 1000).toISOString();
  return h("time", { datetime: iso, title: iso.slice(0, 19).replace("T", " ") + " UTC" }, minute(t));
}
