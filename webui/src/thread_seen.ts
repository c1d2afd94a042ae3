// What is new in the threads one takes part in.

const keptMax = 500; // threads whose replies seen are kept

// Seen is how many replies of a thread one has seen, by threadKey.
export type Seen = Record<string, number>;

// unseen is how many replies are new to somebody who takes part.
export function unseen(seen: Seen, key: string, replies: number, mine: boolean): number {
  const n = seen[key] ?? (mine ? 0 : -1);
  return n < 0 ? 0 : Math.max(0, replies - n);
}

// noted is seen with one thread more, without the oldest when there are many.
export function noted(seen: Seen, key: string, replies: number): Seen {
  const { [key]: before = 0, ...rest } = seen;
  const all = Object.entries(rest);
  return Object.fromEntries([...all.slice(Math.max(0, all.length - keptMax + 1)), [key, Math.max(before, replies)]]);
}
