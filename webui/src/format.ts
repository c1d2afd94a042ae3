// Editing Markdown: marks around a selection, markers before lines, lists that
// go on. Pure: it takes a text with a selection and gives another.

export interface Selected {
  text: string;
  from: number;
  to: number;
}

export type Mark = "bold" | "italic" | "strike" | "code" | "block" | "quote" | "bullets" | "numbers" | "link";

const around: Partial<Record<Mark, string>> = { bold: "**", italic: "_", strike: "~~", code: "`" };

export function format(s: Selected, mark: Mark): Selected {
  const sign = around[mark];
  if (sign) return s.text.slice(s.from, s.to).includes("\n") && mark !== "code" ? wrapLines(s, sign) : wrap(s, sign);
  if (mark === "block") return fence(s);
  if (mark === "link") return link(s, "");
  return prefix(s, mark as "quote" | "bullets" | "numbers");
}

function put(s: Selected, from: number, to: number, text: string, at: number, length: number): Selected {
  return { text: s.text.slice(0, from) + text + s.text.slice(to), from: at, to: at + length };
}

// wrap puts the sign on both sides, or takes it away when it is there. Blanks
// at the ends stay outside: a mark beside one is no mark.
function wrap(s: Selected, sign: string): Selected {
  const n = sign.length;
  let { from, to } = s;
  while (from < to && /\s/.test(s.text[from]!)) from++;
  while (to > from && /\s/.test(s.text[to - 1]!)) to--;
  const inner = s.text.slice(from, to);
  if (s.text.slice(from - n, from) === sign && s.text.slice(to, to + n) === sign && (n > 1 || s.text[from - 2] !== sign)) {
    return put(s, from - n, to + n, inner, from - n, inner.length);
  }
  if (inner.length >= 2 * n && inner.startsWith(sign) && inner.endsWith(sign)) {
    const bare = inner.slice(n, -n);
    return put(s, from, to, bare, from, bare.length);
  }
  return put(s, from, to, sign + inner + sign, from + n, inner.length);
}

// wrapLines wraps what each line says: a mark does not reach over a blank line
// or out of an item.
function wrapLines(s: Selected, sign: string): Selected {
  const lines = s.text.slice(s.from, s.to).split("\n").map((l) => {
    const [, head = "", body = "", tail = ""] = /^(\s*(?:> ?|[-*] |\d+\. )?)(.*?)(\s*)$/.exec(l) ?? [];
    if (!body) return l;
    return body.startsWith(sign) && body.endsWith(sign) && body.length > 2 * sign.length ? head + body.slice(sign.length, -sign.length) + tail : head + sign + body + sign + tail;
  });
  const text = lines.join("\n");
  return put(s, s.from, s.to, text, s.from, text.length);
}

// lines widens a selection to whole lines.
function lines(s: Selected): [number, number] {
  const from = s.text.lastIndexOf("\n", s.from - 1) + 1;
  const end = s.text.indexOf("\n", s.to);
  return [from, end < 0 ? s.text.length : end];
}

// fence makes a block of code of the lines, with more backticks than they have.
function fence(s: Selected): Selected {
  const [from, to] = s.from === s.to ? [s.from, s.to] : lines(s);
  const code = s.text.slice(from, to);
  const longest = Math.max(2, ...(code.match(/`+/g) ?? []).map((m) => m.length));
  const ticks = "`".repeat(longest + 1);
  const before = from > 0 && s.text[from - 1] !== "\n" ? "\n" : "";
  const after = to < s.text.length && s.text[to] !== "\n" ? "\n" : "";
  return put(s, from, to, before + ticks + "\n" + code + "\n" + ticks + after, from + before.length + ticks.length + 1, code.length);
}

const marker = { quote: /^> ?/, bullets: /^(\s*)[-*] /, numbers: /^(\s*)\d+\. / };

// prefix puts a marker before every line, or takes it away when all have it.
function prefix(s: Selected, mark: "quote" | "bullets" | "numbers"): Selected {
  const [from, to] = lines(s);
  const all = s.text.slice(from, to).split("\n");
  const having = all.every((l) => marker[mark].test(l) || (!l.trim() && all.length > 1));
  let n = 0;
  const text = all.map((l) => {
    if (having) return l.replace(marker[mark], mark === "quote" ? "" : "$1");
    if (!l.trim() && all.length > 1 && mark !== "quote") return l;
    n++;
    if (mark === "quote") return "> " + l;
    return l.replace(/^(\s*)(?:[-*] |\d+\. )?/, "$1" + (mark === "bullets" ? "- " : n + ". "));
  }).join("\n");
  const caret = s.from === s.to;
  return caret ? put(s, from, to, text, Math.max(from, s.from + text.length - (to - from)), 0) : put(s, from, to, text, from, text.length);
}

// link makes [text](url). The caret stands where something is missing.
export function link(s: Selected, url: string): Selected {
  const chosen = s.text.slice(s.from, s.to);
  if (!url && /^https?:\/\/\S+$/i.test(chosen.trim())) return put(s, s.from, s.to, "[](" + chosen.trim() + ")", s.from + 1, 0);
  const text = "[" + chosen + "](" + url + ")";
  if (!chosen) return put(s, s.from, s.to, text, s.from + 1, 0);
  return put(s, s.from, s.to, text, url ? s.from + text.length : s.from + chosen.length + 3, 0);
}

// inFence tells whether the caret is in a block of code whose opening line is
// finished or being written.
export function inFence(text: string, caret: number): boolean {
  let open = 0;
  const before = text.slice(0, caret).split("\n");
  for (const line of before) {
    const m = /^ {0,3}(`{3,})([^`]*)$/.exec(line);
    if (!m) continue;
    if (!open) open = m[1]!.length;
    else if (m[1]!.length >= open && !m[2]!.trim()) open = 0;
  }
  return open > 0;
}

// newLine is what a line break does where it does more than break the line: an
// item or a quote goes on, an empty one ends, code keeps its
// indentation, which the closing line of a block loses.
export function newLine(s: Selected): Selected | null {
  if (s.from !== s.to) return null;
  const from = s.text.lastIndexOf("\n", s.from - 1) + 1;
  const line = s.text.slice(from, s.from);
  const insert = (text: string) => put(s, s.from, s.from, text, s.from + text.length, 0);
  if (inFence(s.text, s.from)) {
    const closing = /^[ \t]+(`{3,})$/.exec(line);
    if (closing) return put(s, from, s.from, closing[1]!, from + closing[1]!.length, 0);
    const indent = /^[ \t]*/.exec(line)![0];
    return indent ? insert("\n" + indent) : null;
  }
  const m = /^(\s*)(?:([-*])|(\d{1,9})\.|(>)) (.*)$/.exec(line);
  if (!m) return null;
  if (!m[5]!.trim()) return put(s, from, s.from, "", from, 0);
  return insert("\n" + m[1] + (m[2] ?? (m[3] ? Number(m[3]) + 1 + "." : ">")) + " ");
}
