// What is swapped between the press of a button and its end takes the click with
// it, and what is swapped under an input method takes what is being composed:
// while somebody presses, the newest part of each kind waits.

let pressed = false;
let composing = false;
const waiting = new Map<string, () => void>();

// startPresses begins to watch. page is the window: its own blur ends a press,
// for nobody hears of the release elsewhere; that of an element, which a press
// beside it causes, does not.
export function startPresses(page: Pick<EventTarget, "addEventListener">): void {
  page.addEventListener("pointerdown", () => { pressed = true; }, true);
  page.addEventListener("pointerup", release, true);
  page.addEventListener("pointercancel", release, true);
  page.addEventListener("contextmenu", release, true); // some systems keep the release to their menu
  page.addEventListener("blur", (e) => { if (e.target === page) release(); }, true);
  page.addEventListener("compositionstart", () => { composing = true; }, true);
  page.addEventListener("compositionend", () => { composing = false; }, true);
}

function release(): void {
  pressed = false;
  setTimeout(() => { // after the click
    const all = [...waiting.values()];
    waiting.clear();
    for (const swap of all) swap();
  });
}

// unpressed swaps now, or when nobody presses any more.
export function unpressed(kind: string, swap: () => void): void {
  if (pressed) waiting.set(kind, swap);
  else swap();
}

// composesIn reports whether somebody composes a text in a part of the page.
export function composesIn(part: Element | undefined): boolean {
  return composing && part?.contains(document.activeElement) === true;
}
