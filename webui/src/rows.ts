// Rows of a list that are made anew only when they would look different, so that
// a press of the mouse, the focus and a screen reader keep what they are at.

export class Rows {
  private kept = new Map<string, { look: string; row: HTMLElement }>();
  private seen = new Set<string>();

  // row is the one of a key, made when it is new or looks different now.
  row(key: string, look: string, make: () => HTMLElement): HTMLElement {
    this.seen.add(key);
    const old = this.kept.get(key);
    if (old?.look === look) return old.row;
    const row = make();
    this.kept.set(key, { look, row });
    return row;
  }

  // drop forgets the rows that were not asked for since the last time.
  drop(): void {
    for (const key of this.kept.keys()) if (!this.seen.has(key)) this.kept.delete(key);
    this.seen.clear();
  }
}
