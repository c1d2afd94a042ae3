// What the stream changes on every page: the counters in the navigation, the
// banners, and the parts of a page that a topic of their name replaces
// (data-live-part). Nothing that has the focus, and nothing that is open, is
// swapped away. A part with data-live-fetch is asked for anew when its topic
// says that something changed: it is not the same for everybody.

import { t } from "./lang";
import { fragment } from "./policy";
import { unpressed } from "./press";
import { follow } from "./stream";

// startLive calls back for every part that it put into the page.
export function startLive(started: (e: Element) => void): void {
  follow("badge", (data) => {
    for (const [name, n] of Object.entries(JSON.parse(data) as Record<string, number>)) {
      const e = document.getElementById("badge-" + name);
      if (!e) continue;
      e.hidden = n === 0;
      e.querySelector("[aria-hidden]")!.textContent = String(n);
      e.querySelector(".sr")!.textContent = t("badge.alerts", { n });
    }
  });
  follow("banners", (data) => replace(data, started));
  for (const e of document.querySelectorAll<HTMLElement>("[data-live-part]")) follow(e.dataset["livePart"]!, (data) => replace(data, started));
  const asked = document.querySelector<HTMLElement>("[data-live-fetch]");
  if (asked) {
    const seen = { state: "" };
    follow(asked.dataset["liveFetch"]!, (state) => {
      if (seen.state !== state) void again(started);
      seen.state = state;
    });
  }
}

// again fetches this page and puts its changing parts in, except while
// somebody writes or chooses in them.
async function again(started: (e: Element) => void): Promise<void> {
  const answer = await fetch(location.href, { headers: { "HX-Request": "true" } }).catch(() => null);
  if (!answer?.ok) return;
  const page = fragment(await answer.text());
  unpressed("again", () => renew(page, started));
}

function renew(page: ParentNode, started: (e: Element) => void): void {
  for (const next of page.querySelectorAll<HTMLElement>("[data-live-fetch]")) {
    const at = document.activeElement;
    const now = document.getElementById(next.id);
    if (!now || (at && now.contains(at) && at.matches("input, select, textarea, summary"))) continue;
    const focused = at && now.contains(at) ? at.id : "";
    for (const d of now.querySelectorAll<HTMLDetailsElement>("details[open][id]")) {
      const same = [...next.querySelectorAll("details")].find((x) => x.id === d.id);
      if (same) same.open = true;
    }
    if (now.isEqualNode(next)) continue;
    now.replaceWith(next);
    started(next);
    if (focused) document.getElementById(focused)?.focus();
  }
}

// replace puts a piece of HTML in the place of the element with its id.
export function replace(html: string, started: (e: Element) => void): void {
  const part = fragment(html);
  unpressed([...part.children].map((e) => e.id).join(), () => put(part, started));
}

function put(part: ParentNode, started: (e: Element) => void): void {
  for (const next of [...part.children]) {
    const now = next.id ? document.getElementById(next.id) : null;
    if (!now || now.contains(document.activeElement) && document.activeElement !== document.body) continue;
    if (now.isEqualNode(next)) continue;
    for (const d of now.querySelectorAll<HTMLDetailsElement>("details[open][id]")) {
      const same = [...next.querySelectorAll("details")].find((x) => x.id === d.id);
      if (same) same.open = true;
    }
    now.replaceWith(next);
    started(next);
  }
}
