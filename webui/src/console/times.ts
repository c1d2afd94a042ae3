// Times in the reader's zone; UTC stays in the title.

import { ago, locale } from "./lang";

const long = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium", hour12: false });

function write(e: HTMLTimeElement, now: number): void {
  const at = Date.parse(e.dateTime);
  if (Number.isNaN(at)) return;
  e.textContent = "ago" in e.dataset ? ago(at, now) : long.format(at);
}

export function startTimes(root: ParentNode): void {
  const now = Date.now();
  for (const e of root.querySelectorAll<HTMLTimeElement>("time[datetime]")) write(e, now);
}

setInterval(() => {
  if (document.hidden) return;
  const now = Date.now();
  for (const e of document.querySelectorAll<HTMLTimeElement>("time[data-ago]")) write(e, now);
}, 10_000);
