// The buttons at a chart's head: what it is about, back from a zoom, and a menu.

import { fillWith, h, unique } from "../element";
import { say } from "./chart_words";

interface About {
  title: string;
  help?: string;
  query?: string;
  queryURL?: string;
  hide?: () => void;
}

interface Acts {
  table: () => void;
  csv: () => void;
  png: () => void;
  unzoom: () => void;
}

const dots = "M5 12h.01M12 12h.01M19 12h.01";
const mark = "M9.5 9a2.7 2.7 0 1 1 3.9 2.4c-.9.5-1.4 1-1.4 2.1M12 17h.01";
const arrow = "M10 6 4 12l6 6M4 12h10a6 6 0 0 1 6 6";

function picture(path: string): SVGSVGElement {
  const ns = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(ns, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "chart-icon");
  svg.setAttribute("aria-hidden", "true");
  const p = document.createElementNS(ns, "path");
  p.setAttribute("d", path);
  svg.appendChild(p);
  return svg;
}

export class Tools {
  readonly buttons: HTMLDivElement;
  readonly help: HTMLDivElement;
  private readonly event = h("span", { class: "chart-event" });
  private readonly back: HTMLButtonElement;
  private readonly tabling: HTMLButtonElement;
  private readonly menu: HTMLDivElement;
  private readonly opener: HTMLButtonElement;
  private readonly extra = h("p", { class: "chart-note", hidden: true });
  private readonly outside = (e: Event) => {
    if (!this.buttons.contains(e.target as Node)) this.close();
  };

  constructor(o: About, acts: Acts) {
    const id = unique("chartmenu"), helpId = unique("charthelp");
    const item = (text: string, act: () => void) => h("button", { type: "button", onclick: () => { this.close(); this.opener.focus(); act(); } }, text);
    this.tabling = item(say("table"), acts.table);
    this.menu = h("div", { class: "chart-menu", id, hidden: true }, this.tabling, item(say("csv"), acts.csv), item(say("png"), acts.png),
      o.queryURL ? h("a", { href: o.queryURL }, say("query")) : null, o.hide ? item(say("hide"), o.hide) : null);
    this.opener = h("button", { type: "button", class: "chart-button", "aria-expanded": "false", "aria-controls": id, "aria-label": say("menu", { title: o.title }), title: say("menu", { title: o.title }), onclick: () => this.toggle() }, picture(dots));
    this.back = h("button", { type: "button", class: "chart-button", "aria-label": say("unzoom"), title: say("unzoom"), hidden: true, onclick: acts.unzoom }, picture(arrow));
    this.help = h("div", { class: "chart-help", id: helpId, hidden: true }, ...(o.help ? [h("p", null, o.help)] : []), o.query ? h("code", null, o.query) : null);
    const about = o.help || o.query ? h("button", { type: "button", class: "chart-button", "aria-expanded": "false", "aria-controls": helpId, "aria-label": say("help", { title: o.title }), title: say("help", { title: o.title }), onclick: () => {
      this.help.hidden = !this.help.hidden;
      about!.setAttribute("aria-expanded", String(!this.help.hidden));
    } }, picture(mark)) : null;
    this.buttons = h("div", { class: "chart-tools", onkeydown: (e: KeyboardEvent) => {
      if (e.key !== "Escape" || this.menu.hidden) return;
      e.stopPropagation();
      this.close();
      this.opener.focus();
    } }, this.event, this.back, about, this.opener, this.menu);
  }

  note(text: string): void {
    if (text && !this.extra.isConnected) this.help.after(this.extra);
    this.extra.textContent = text;
    this.extra.hidden = text === "";
  }

  // at shows what happened where the cursor is.
  at(text: string): void {
    if (this.event.textContent !== text) fillWith(this.event, text);
  }

  zoomed(on: boolean): void {
    this.back.hidden = !on;
  }

  tabled(on: boolean): void {
    this.tabling.textContent = say(on ? "table.off" : "table");
  }

  close(): void {
    this.menu.hidden = true;
    this.opener.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", this.outside, true);
  }

  private toggle(): void {
    if (!this.menu.hidden) return this.close();
    this.menu.hidden = false;
    this.opener.setAttribute("aria-expanded", "true");
    document.addEventListener("pointerdown", this.outside, true);
  }
}
