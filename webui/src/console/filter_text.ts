// What a search in a table finds.

// fits reports whether a row holds every word that is looked for.
export function fits(row: string, search: string): boolean {
  const text = row.toLowerCase();
  return search.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}
