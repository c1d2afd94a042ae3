// The parser of the small Markdown of chat messages, as the package comment of
// appliance/markup defines it: this is the same parser, function by function.
// appliance/markup/testdata/vectors.json pins both. Whoever changes the grammar
// changes the two parsers and the vectors together.
//
// Offsets are in UTF-16 units here and in bytes there. No rule tells the
// difference: everything that delimits is ASCII, and no class of characters
// holds anything beyond U+FFFF.

export type Kind =
  | "paragraph" | "codeblock" | "quote" | "bullets" | "numbers"
  | "text" | "break" | "code" | "bold" | "italic" | "strike" | "link" | "mention" | "all";

// Which fields are set follows from kind; an empty one is left out.
export interface Block { kind: Kind; text?: string; lang?: string; inline?: Inline[]; blocks?: Block[]; items?: Item[] }
export interface Item { number?: number; inline: Inline[]; blocks?: Block[] }
export interface Inline { kind: Kind; text?: string; url?: string; inline?: Inline[] }

// parse returns the blocks of text in order; none for an empty one.
export function parse(text: string): Block[] {
  return parseBlocks(normalise(text).split("\n"), false);
}

function normalise(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, "\uFFFD");
}

function isSpace(c: number): boolean {
  if (c <= 0x20) return c === 0x20 || c === 0x09 || c === 0x0a;
  if (c < 0x2000) return c === 0xa0 || c === 0xad || c === 0x61c || c === 0x1680 || c === 0x180e;
  return c <= 0x200f || (c >= 0x2028 && c <= 0x202f) || (c >= 0x205f && c <= 0x206f) || c === 0x3000 || c === 0xfeff;
}

function isAlnum(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || (c >= 0x61 && c <= 0x7a) || (c >= 0x41 && c <= 0x5a);
}

function isWord(c: number): boolean {
  return isAlnum(c) || (c >= 0xc0 && c <= 0x1fff && c !== 0xd7 && c !== 0xf7);
}

// trimLeft, trimRight and trim drop the characters of set. Loops, because a
// regular expression anchored at the end takes quadratic time.
function trimLeft(s: string, set: string): string {
  let i = 0;
  while (i < s.length && set.includes(s[i])) i++;
  return s.slice(i);
}

function trimRight(s: string, set: string): string {
  let n = s.length;
  while (n > 0 && set.includes(s[n - 1])) n--;
  return s.slice(0, n);
}

function trim(s: string, set: string): string {
  return trimRight(trimLeft(s, set), set);
}

// ---- blocks

const blanks = " \t";

function isBlank(line: string): boolean {
  return trimLeft(line, blanks) === "";
}

function isQuote(line: string): boolean {
  return line === ">" || line.startsWith("> ");
}

function startsBlock(line: string, quoted: boolean): boolean {
  return isBlank(line) || (!quoted && isQuote(line)) || openFence(line) !== null || itemMark(line) !== null;
}

function parseBlocks(lines: string[], quoted: boolean): Block[] {
  const out: Block[] = [];
  for (let i = 0; i < lines.length; ) {
    if (isBlank(lines[i])) {
      i++;
      continue;
    }
    let b: Block;
    const f = openFence(lines[i]);
    const m = f ? null : itemMark(lines[i]);
    if (f) [b, i] = takeFence(lines, i + 1, f);
    else if (!quoted && isQuote(lines[i])) [b, i] = takeQuote(lines, i);
    else if (m) [b, i] = takeList(lines, i, m);
    else [b, i] = takeParagraph(lines, i, quoted);
    out.push(b);
  }
  return out;
}

function takeParagraph(lines: string[], i: number, quoted: boolean): [Block, number] {
  const start = i;
  const text: string[] = [];
  for (; i < lines.length && (i === start || !startsBlock(lines[i], quoted)); i++) text.push(trimRight(lines[i], blanks));
  return [{ kind: "paragraph", inline: parseInline(text.join("\n")) }, i];
}

function takeQuote(lines: string[], i: number): [Block, number] {
  const inner: string[] = [];
  for (; i < lines.length && isQuote(lines[i]); i++) inner.push(lines[i].slice(2));
  const blocks = parseBlocks(inner, true);
  return [blocks.length ? { kind: "quote", blocks } : { kind: "quote" }, i];
}

interface Fence { ticks: number; info: string }

function openFence(line: string): Fence | null {
  const rest = trimLeft(line, " ");
  if (line.length - rest.length > 3) return null;
  const info = trimLeft(rest, "`");
  const ticks = rest.length - info.length;
  return ticks >= 3 && !info.includes("`") ? { ticks, info: trim(info, blanks) } : null;
}

function takeFence(lines: string[], i: number, f: Fence): [Block, number] {
  const b: Block = { kind: "codeblock" };
  const code: string[] = [];
  if (/^[0-9A-Za-z_+#.-]{1,32}$/.test(f.info)) b.lang = f.info;
  else if (f.info !== "") code.push(f.info);
  for (; i < lines.length; i++) {
    const end = trim(lines[i], blanks);
    if (end.length >= f.ticks && trimLeft(end, "`") === "") {
      i++;
      break;
    }
    code.push(lines[i]);
  }
  if (code.join("\n") !== "") b.text = code.join("\n");
  return [b, i];
}

interface Mark { kind: Kind; indent: number; number: number; rest: string }

function itemMark(line: string): Mark | null {
  const body = trimLeft(line, blanks);
  const m = /^(?:[-*]|([0-9]{1,9})\.)[ \t]/.exec(body);
  if (!m) return null;
  const rest = trim(body.slice(m[0].length), blanks);
  if (rest === "") return null;
  return { kind: m[1] ? "numbers" : "bullets", indent: indentOf(line), number: Number(m[1] || 0), rest };
}

function indentOf(line: string): number {
  let n = 0;
  for (let i = 0; i < line.length; i++) {
    if (line[i] === " ") n++;
    else if (line[i] === "\t") n += 4;
    else break;
  }
  return n;
}

function takeList(lines: string[], i: number, m: Mark): [Block, number] {
  const items: Item[] = [];
  const list: Block = { kind: m.kind, items };
  const deep = m.indent + 2;
  for (;;) {
    let it: Item;
    [it, i] = takeItem(lines, i + 1, m, deep);
    if (m.indent >= deep) nest(items[items.length - 1], m.kind, it);
    else items.push(it);
    if (i === lines.length || isBlank(lines[i])) return [list, i];
    const next = itemMark(lines[i]);
    if (!next || (next.indent < deep && next.kind !== list.kind)) return [list, i];
    m = next;
  }
}

function takeItem(lines: string[], i: number, m: Mark, deep: number): [Item, number] {
  const text = [m.rest];
  for (; i < lines.length && indentOf(lines[i]) >= deep && !startsBlock(lines[i], true); i++) text.push(trim(lines[i], blanks));
  const it: Item = { inline: parseInline(text.join("\n")) };
  if (m.number !== 0) it.number = m.number;
  return [it, i];
}

function nest(parent: Item, kind: Kind, it: Item): void {
  const blocks = (parent.blocks = parent.blocks || []);
  if (blocks.length === 0 || blocks[blocks.length - 1].kind !== kind) blocks.push({ kind, items: [] });
  blocks[blocks.length - 1].items!.push(it);
}

// ---- addresses

const maxURL = 2048; // bytes of UTF-8

function badInURL(c: number): boolean {
  return isSpace(c) || c < 0x20 || (c >= 0x7f && c <= 0xa0) || c === 0xfffd ||
    c === 0x3c || c === 0x3e || c === 0x22 || c === 0x60 || c === 0x5c;
}

function hasScheme(s: string, i: number, scheme: string): boolean {
  return s.slice(i, i + scheme.length).toLowerCase() === scheme;
}

function tooLong(u: string): boolean {
  let n = u.length;
  if (n > maxURL) return true;
  for (let i = 0; i < u.length; i++) {
    const c = u.charCodeAt(i);
    if (c >= 0x80) n += c < 0x800 || (c >= 0xd800 && c <= 0xdfff) ? 1 : 2;
  }
  return n > maxURL;
}

function okURL(u: string): boolean {
  if (tooLong(u)) return false;
  if (hasScheme(u, 0, "http://")) return okAuthority(u.slice(7));
  if (hasScheme(u, 0, "https://")) return okAuthority(u.slice(8));
  if (!hasScheme(u, 0, "mailto:")) return false;
  const to = u.slice(7).split("?", 1)[0];
  const at = to.indexOf("@");
  return at > 0 && at < to.length - 1;
}

function okAuthority(rest: string): boolean {
  rest = rest.split(/[/?#]/, 1)[0];
  if (rest.startsWith("[")) return /^\[[0-9a-fA-F:.]{2,}\](?::[0-9]{1,5})?$/.test(rest);
  const m = /^([^:]*)(?::[0-9]{1,5})?$/.exec(rest);
  if (!m) return false;
  let letters = 0;
  for (let i = 0; i < m[1].length; i++) {
    const c = m[1].charCodeAt(i);
    if (isAlnum(c) || isWideHost(c)) letters++;
    else if (c !== 0x2e && c !== 0x2d && c !== 0x5f) return false;
  }
  return letters > 0;
}

function isWideHost(c: number): boolean {
  return (c >= 0xc0 && c <= 0x1fff) || (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7a3);
}

function bareEnd(s: string, i: number): number {
  const start = i;
  let round = 0;
  let square = 0;
  for (; i < s.length; i++) {
    const c = s[i];
    if (c <= " " || c >= "\x7f" || "<>\"`\\^{|}*".includes(c)) break;
    if (c === "(") round++;
    else if (c === "[") square++;
    else if (c === ")" && --round < 0) break;
    else if (c === "]" && --square < 0) break;
  }
  return start + trimRight(s.slice(start, i), "?!.,:;'_~").length;
}

function parentheses(s: string): Map<number, number> {
  const pairs = new Map<number, number>();
  if (!s.includes("](")) return pairs;
  let open: number[] = [];
  for (let i = 0; i < s.length; i++) {
    const c = s.charCodeAt(i);
    if (c === 0x28) open.push(i);
    else if (c === 0x29 && open.length > 0) pairs.set(open.pop()!, i);
    else if (badInURL(c)) open = [];
  }
  return pairs;
}

// ---- inline

interface Token { start: number; end: number; role: "leaf" | "opens" | "closes"; kind: Kind; text: string; url: string }

const boldMark = 0;
const starMark = 1;
const underMark = 2;
const strikeMark = 3;
const markKinds: readonly Kind[] = ["bold", "italic", "italic", "strike"];
const maxTicks = 8;

function parseInline(s: string): Inline[] {
  const sc = new Scanner(s);
  for (let i = 0; i < s.length; ) i = sc.step(i);
  return sc.build(false);
}

// Scanner cuts one paragraph or item into tokens and pairs its marks. open,
// brackets and bare hold indexes into toks.
class Scanner {
  private toks: Token[] = [];
  private open = [-1, -1, -1, -1];
  private brackets: number[] = [];
  private bare = [-1, -1];
  private parens: Map<number, number>;
  private noTicks = new Array<number>(maxTicks + 1).fill(0);
  private next = 0; // of build

  constructor(private s: string) {
    this.parens = parentheses(s);
  }

  step(i: number): number {
    switch (this.s[i]) {
      case "\n": return this.leaf("break", i, i + 1);
      case "`": return this.code(i);
      case "*": case "_": case "~": return this.mark(i, this.s[i]);
      case "[":
        this.brackets.push(this.toks.length);
        return this.leaf("text", i, i + 1);
      case "]": return this.bracket(i);
      case "@": return this.mention(i);
      case "h": case "H":
        if (this.isAddress(i)) return this.address(i);
    }
    return this.text(i);
  }

  private text(i: number): number {
    let j = i + 1;
    for (; j < this.s.length; j++) {
      const c = this.s[j];
      if ("\n`*_~[]@".includes(c)) break;
      if ((c === "h" || c === "H") && this.isAddress(j)) break;
    }
    return this.leaf("text", i, j);
  }

  private leaf(kind: Kind, start: number, end: number, text = "", url = ""): number {
    this.toks.push({ start, end, role: "leaf", kind, text, url });
    return end;
  }

  private run(i: number, c: string): number {
    while (i < this.s.length && this.s[i] === c) i++;
    return i;
  }

  private before(i: number): number {
    return i === 0 ? 0x0a : this.s.charCodeAt(i - 1);
  }

  private after(i: number): number {
    return i === this.s.length ? 0x0a : this.s.charCodeAt(i);
  }

  private code(i: number): number {
    const s = this.s;
    const body = this.run(i, "`");
    const n = body - i;
    if (n > maxTicks || body < this.noTicks[n]) return this.leaf("text", i, body);
    for (let j = body; ; ) {
      while (j < s.length && s[j] !== "`" && s[j] !== "\n") j++;
      if (j === s.length || s[j] === "\n") {
        this.noTicks[n] = j;
        return this.leaf("text", i, body);
      }
      const end = this.run(j, "`");
      if (end - j === n) return this.leaf("code", i, end, trimCode(s.slice(body, j)));
      j = end;
    }
  }

  private mark(i: number, c: string): number {
    const end = this.run(i, c);
    const n = end - i;
    const before = this.before(i);
    const after = this.after(end);
    let canOpen = !isSpace(after);
    let canClose = !isSpace(before);
    if (n === 1) {
      canOpen = canOpen && !isWord(before);
      canClose = canClose && !isWord(after);
    }
    if (c === "*" && n === 1) this.pair(i, end, starMark, canOpen, canClose);
    else if (c === "_" && n === 1) this.pair(i, end, underMark, canOpen, canClose);
    else if (c === "~" && n === 2) this.pair(i, end, strikeMark, canOpen, canClose);
    else if (c === "*" && n === 2) {
      // A run of three opened bold outside italic; bold ends first.
      const b = this.open[boldMark];
      if (canClose && b >= 0 && this.open[starMark] === b + 1) this.swap(b);
      this.pair(i, end, boldMark, canOpen, canClose);
    } else if (c === "*" && n === 3) this.triple(i, canOpen, canClose);
    else this.leaf("text", i, end);
    return end;
  }

  private triple(i: number, canOpen: boolean, canClose: boolean): void {
    const bold = this.open[boldMark];
    const star = this.open[starMark];
    if (!canClose || (bold < 0 && star < 0)) {
      this.pair(i, i + 2, boldMark, canOpen, false);
      this.pair(i + 2, i + 3, starMark, canOpen, false);
    } else if (star > bold) {
      this.pair(i, i + 1, starMark, false, true);
      this.pair(i + 1, i + 3, boldMark, false, true);
    } else {
      this.pair(i, i + 2, boldMark, false, true);
      this.pair(i + 2, i + 3, starMark, false, true);
    }
  }

  private swap(b: number): void {
    this.toks[b].end--;
    this.toks[b + 1].start--;
    this.open[starMark] = b;
    this.open[boldMark] = b + 1;
  }

  private pair(start: number, end: number, m: number, canOpen: boolean, canClose: boolean): void {
    const at = this.open[m];
    if (canClose && at >= 0) return this.close(at, markKinds[m], "", start, end);
    if (canOpen) this.open[m] = this.toks.length;
    this.leaf("text", start, end);
  }

  private close(at: number, kind: Kind, url: string, start: number, end: number): void {
    const t = this.toks[at];
    t.role = "opens";
    t.kind = kind;
    t.url = url;
    this.toks.push({ start, end, role: "closes", kind, text: "", url: "" });
    for (let m = 0; m < this.open.length; m++) if (this.open[m] >= at) this.open[m] = -1;
    const b = this.brackets;
    while (b.length > 0 && b[b.length - 1] >= at) b.pop();
  }

  private bracket(i: number): number {
    const at = this.brackets.pop();
    const end = this.parens.get(i + 1);
    if (at === undefined || end === undefined) return this.leaf("text", i, i + 1);
    const url = this.s.slice(i + 2, end);
    if (!okURL(url) || !this.okLabel(at, i, url)) return this.leaf("text", i, i + 1);
    this.close(at, "link", url, i, end + 1);
    this.brackets = []; // a link is in no link
    return end + 1;
  }

  private okLabel(at: number, end: number, url: string): boolean {
    let j = this.toks[at].end;
    while (j < end && isSpace(this.s.charCodeAt(j))) j++;
    if (j === end || this.bare[1] > at) return false;
    return this.bare[0] < at || this.toks[this.bare[0]].url === url;
  }

  private mention(i: number): number {
    const s = this.s;
    let end = i + 1;
    while (end < s.length && (isAlnum(s.charCodeAt(end)) || "._-".includes(s[end]))) end++;
    const login = trimRight(s.slice(i + 1, end), "._-");
    end = i + 1 + login.length;
    const before = this.before(i);
    const after = this.after(end);
    if (login === "" || login.length > 64 || !isAlnum(login.charCodeAt(0)) ||
      isWord(before) || before === 0x40 || before === 0x2f || isWord(after) || after === 0x40) return this.text(i);
    return this.leaf(login.toLowerCase() === "all" ? "all" : "mention", i, end, login);
  }

  private isAddress(i: number): boolean {
    return (hasScheme(this.s, i, "http://") || hasScheme(this.s, i, "https://")) && !isWord(this.before(i));
  }

  private address(i: number): number {
    const end = bareEnd(this.s, i);
    const url = this.s.slice(i, end);
    if (!okURL(url)) return this.leaf("text", i, end);
    this.bare = [this.toks.length, this.bare[0]];
    return this.leaf("link", i, end, "", url);
  }

  // build turns the tokens up to the end of the pair they are in into a tree.
  build(inLink: boolean): Inline[] {
    const out: Inline[] = [];
    let text = -1; // where the last piece of out begins in s, when it is text
    while (this.next < this.toks.length) {
      const t = this.toks[this.next++];
      if (t.role === "closes") return out;
      if (t.kind === "text" || (inLink && t.role === "leaf" && t.kind !== "code" && t.kind !== "break")) {
        if (text < 0) {
          text = t.start;
          out.push({ kind: "text" });
        }
        out[out.length - 1].text = this.s.slice(text, t.end);
        continue;
      }
      text = -1;
      if (t.role === "opens") {
        const inline = this.build(inLink || t.kind === "link");
        out.push(t.kind === "link" ? { kind: t.kind, url: t.url, inline } : { kind: t.kind, inline });
      } else if (t.kind === "link") out.push({ kind: "link", url: t.url, inline: [{ kind: "text", text: t.url }] });
      else out.push(t.kind === "break" ? { kind: t.kind } : { kind: t.kind, text: t.text });
    }
    return out;
  }
}

function trimCode(s: string): string {
  const padded = s.length > 2 && s[0] === " " && s[s.length - 1] === " " && trimLeft(s, " ") !== "";
  return padded ? s.slice(1, -1) : s;
}
