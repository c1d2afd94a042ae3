// What a person is typing in an expression, and what fits it. It needs no page.

// Place is what is being typed: the piece before the caret, and what may stand
// there.
export interface Place {
  from: number; // where the piece begins
  piece: string;
  of: "name" | "label" | "value";
  metric: string; // whose label or value it is; may be empty
  label: string; // whose value it is
}

// placeOf reads an expression up to the caret. It is null within a text that is
// not the value of a label, and after a number.
export function placeOf(before: string): Place | null {
  const open = before.lastIndexOf("{");
  if (open > before.lastIndexOf("}")) {
    const metric = /([a-zA-Z_:][\w:]*)\s*$/.exec(before.slice(0, open))?.[1] ?? "";
    const inside = before.slice(open + 1);
    const value = /([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)$/.exec(inside);
    if (value) return { from: before.length - value[2]!.length, piece: value[2]!, of: "value", metric, label: value[1]! };
    const label = /(?:^|,)\s*([a-zA-Z_]\w*)?$/.exec(inside);
    return label ? { from: before.length - (label[1] ?? "").length, piece: label[1] ?? "", of: "label", metric, label: "" } : null;
  }
  const name = /(?:^|[^\w:"])([a-zA-Z_:][\w:]*)$/.exec(before);
  if (!name || ((before.match(/"/g) ?? []).length & 1) === 1) return null;
  return { from: before.length - name[1]!.length, piece: name[1]!, of: "name", metric: "", label: "" };
}

// choose gives the offers that fit a piece, those that begin with it first.
export function choose<T extends { text: string }>(offers: readonly T[], piece: string, most = 30): T[] {
  const p = piece.toLowerCase();
  const begins = offers.filter((o) => o.text.toLowerCase().startsWith(p));
  const holds = offers.filter((o) => !o.text.toLowerCase().startsWith(p) && o.text.toLowerCase().includes(p));
  return [...begins, ...holds].slice(0, most);
}
