// What a chat message looks like: DOM nodes, a plain line, and whom it calls.
// The parser is in markup_parse.ts.

import { type Block, type Inline, parse } from "./markup_parse";

export { parse };
export type { Block, Inline, Item, Kind } from "./markup_parse";

export interface RenderOptions {
  // self is the reader's login in lower case; mentions of it get the class "self".
  self?: string;
  // nameOf says what to show behind the @ for a login in lower case.
  nameOf?: (login: string) => string | undefined;
}

// render builds the nodes of text, from elements and text nodes alone. Show them
// with white-space: pre-wrap, and unicode-bidi: isolate around the message.
// Without options they are what HTML in appliance/markup writes.
export function render(text: string, opts: RenderOptions = {}): DocumentFragment {
  const out = document.createDocumentFragment();
  for (const b of parse(text)) blockNode(out, b, opts);
  return out;
}

function add(parent: Node, tag: string): HTMLElement {
  return parent.appendChild(document.createElement(tag));
}

function blockNode(parent: Node, b: Block, opts: RenderOptions): void {
  switch (b.kind) {
    case "paragraph": return inlineNodes(add(parent, "p"), b.inline!, opts);
    case "codeblock": {
      const code = add(add(parent, "pre"), "code");
      if (b.lang) code.className = "language-" + b.lang;
      code.textContent = b.text || "";
      return;
    }
    case "quote": {
      const quote = add(parent, "blockquote");
      for (const inner of b.blocks || []) blockNode(quote, inner, opts);
      return;
    }
  }
  const list = add(parent, b.kind === "numbers" ? "ol" : "ul");
  for (const it of b.items!) {
    const li = add(list, "li");
    if (b.kind === "numbers") li.setAttribute("value", String(it.number || 0));
    inlineNodes(li, it.inline, opts);
    for (const inner of it.blocks || []) blockNode(li, inner, opts);
  }
}

function inlineNodes(parent: Node, pieces: Inline[], opts: RenderOptions): void {
  for (const n of pieces) {
    switch (n.kind) {
      case "text": parent.appendChild(document.createTextNode(n.text!)); break;
      case "break": add(parent, "br"); break;
      case "code": add(parent, "code").textContent = n.text!; break;
      case "bold": inlineNodes(add(parent, "strong"), n.inline!, opts); break;
      case "italic": inlineNodes(add(parent, "em"), n.inline!, opts); break;
      case "strike": inlineNodes(add(parent, "del"), n.inline!, opts); break;
      case "link": inlineNodes(linkNode(parent, n.url!), n.inline!, opts); break;
      default: mentionNode(parent, n, opts);
    }
  }
}

function linkNode(parent: Node, url: string): HTMLElement {
  const a = add(parent, "a");
  a.setAttribute("href", url);
  a.setAttribute("rel", "noopener noreferrer nofollow");
  a.setAttribute("target", "_blank");
  return a;
}

function mentionNode(parent: Node, n: Inline, opts: RenderOptions): void {
  const login = n.text!.toLowerCase();
  const span = add(parent, "span");
  const self = opts.self !== undefined && (n.kind === "all" || login === opts.self);
  span.className = self ? "mention self" : "mention";
  span.textContent = "@" + ((n.kind === "mention" && opts.nameOf && opts.nameOf(login)) || n.text);
}

// plain returns the words of text without the marks, a line each for what is a
// line.
export function plain(text: string): string {
  const lines: string[] = [];
  plainBlocks(lines, "", parse(text));
  return lines.join("\n");
}

function plainBlocks(lines: string[], indent: string, blocks: Block[]): void {
  for (const b of blocks) {
    if (b.kind === "paragraph") plainLines(lines, indent, indent, plainInline(b.inline!));
    else if (b.kind === "codeblock") plainLines(lines, indent, indent, b.text || "");
    else if (b.kind === "quote") plainBlocks(lines, indent + "> ", b.blocks || []);
    else {
      for (const it of b.items!) {
        const first = b.kind === "numbers" ? (it.number || 0) + ". " : "- ";
        plainLines(lines, indent + first, indent + "  ", plainInline(it.inline));
        plainBlocks(lines, indent + "  ", it.blocks || []);
      }
    }
  }
}

function plainLines(lines: string[], first: string, rest: string, text: string): void {
  text.split("\n").forEach((line, i) => lines.push((i === 0 ? first : rest) + line));
}

function plainInline(pieces: Inline[]): string {
  let out = "";
  for (const n of pieces) {
    if (n.kind === "break") out += "\n";
    else out += (n.kind === "mention" || n.kind === "all" ? "@" : "") + (n.text || "") + plainInline(n.inline || []);
  }
  return out;
}

const maxMentions = 100;

// mentions returns whom text calls: logins in lower case, each once, at most
// 100, and whether it calls everyone.
export function mentions(text: string): { logins: string[]; all: boolean } {
  const logins = new Set<string>();
  let all = false;
  const inline = (pieces: Inline[]): void => {
    for (const n of pieces) {
      if (n.kind === "all") all = true;
      else if (n.kind === "mention" && logins.size < maxMentions) logins.add(n.text!.toLowerCase());
      inline(n.inline || []);
    }
  };
  const blocks = (list: Block[]): void => {
    for (const b of list) {
      if (b.kind === "quote") continue;
      inline(b.inline || []);
      for (const it of b.items || []) {
        inline(it.inline);
        blocks(it.blocks || []);
      }
    }
  };
  blocks(parse(text));
  return { logins: Array.from(logins), all };
}
