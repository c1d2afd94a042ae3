// Finding by name among what is in the page. Pure, so that it is tested alone.

// score is how well a name fits: 0 not at all, 4 it begins so, 3 one of its words
// does, 2 it contains all the words asked for, 1 its letters come in that order.
export function score(query: string, name: string): number {
  const q = fold(query);
  const n = fold(name);
  if (!q) return 1;
  if (n.startsWith(q)) return 4;
  const words = q.split(" ");
  if (words.every((w) => n.split(/[\s._@#-]+/).some((x) => x.startsWith(w)))) return 3;
  if (words.every((w) => n.includes(w))) return 2;
  if (q.length < 3 || /[^\u0000-\u024f]/.test(q)) return 0;
  let at = 0;
  for (const c of n) if (c === q[at]) at++;
  return at === q.length ? 1 : 0;
}

function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase().replace(/\s+/g, " ").trim();
}

// found are the items that fit, the best first; among equals the order stays.
export function found<T>(query: string, items: readonly T[], names: (item: T) => string[]): T[] {
  return items.map((x) => ({ x, n: Math.max(...names(x).map((name) => score(query, name))) }))
    .filter((r) => r.n > 0).sort((a, b) => b.n - a.n).map((r) => r.x);
}
