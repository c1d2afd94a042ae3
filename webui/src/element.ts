// Making elements, in every page of ours. Text goes in as text nodes, never as
// HTML.

export type Child = Node | string | number | null | undefined | false;

export type Value = string | number | boolean | null | undefined | ((e: never) => unknown);

// h makes an element: on… are listeners, true and false set and leave out an
// attribute, everything else is an attribute.
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, props: Record<string, Value> | null, ...children: Child[]): HTMLElementTagNameMap[K] {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (typeof value === "function") e.addEventListener(name.slice(2), value as EventListener);
    else if (name === "value" && "value" in e) (e as unknown as { value: string }).value = String(value ?? "");
    else if (value !== null && value !== undefined && value !== false) e.setAttribute(name, value === true ? "" : String(value));
  }
  append(e, children);
  return e;
}

export function append(e: Node, children: Child[]): void {
  for (const c of children) {
    if (c === null || c === undefined || c === false) continue;
    e.appendChild(c instanceof Node ? c : document.createTextNode(String(c)));
  }
}

// fillWith replaces what is in an element.
export function fillWith(e: Element, ...children: Child[]): void {
  e.replaceChildren();
  append(e, children);
}

// place makes the children of a list be these, moving as few as it can: a
// moved element loses its focus and scroll.
export function place(list: Element, want: Element[]): void {
  const keep = new Set(want);
  for (const c of [...list.children]) if (!keep.has(c)) c.remove();
  let at = list.firstElementChild;
  for (const e of want) {
    if (e === at) at = at.nextElementSibling;
    else list.insertBefore(e, at);
  }
}

let count = 0;

// unique is an id for an element that another one names.
export function unique(prefix: string): string {
  return prefix + ++count;
}
