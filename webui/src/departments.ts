// The tree of departments, as it comes as a list from the server.

import type { Department, ID } from "./api";

export interface Branch {
  department: Department;
  level: number; // 1 at the top
  below: Branch[];
}

// grow makes the tree. A department whose parent is unknown stands at the top;
// the order of the list is kept among siblings.
export function grow(list: readonly Department[]): Branch[] {
  const known = new Set(list.map((d) => d.id));
  const children = new Map<ID, Department[]>();
  for (const d of list) {
    const at = d.parent && known.has(d.parent) ? d.parent : "";
    children.set(at, [...(children.get(at) ?? []), d]);
  }
  const below = (at: ID, level: number): Branch[] => (level > 64 ? [] : (children.get(at) ?? []).map((department) => ({ department, level, below: below(department.id, level + 1) })));
  return below("", 1);
}

// visible are the branches one sees when some are open, from top to bottom.
export function visible(tree: readonly Branch[], open: ReadonlySet<ID>): Branch[] {
  return tree.flatMap((b) => [b, ...(open.has(b.department.id) ? visible(b.below, open) : [])]);
}

// pathOf names a department with those above it: "Head / Sales".
export function pathOf(list: readonly Department[], id: ID | undefined): string {
  const names: string[] = [];
  const by = new Map(list.map((d) => [d.id, d]));
  for (let d = id ? by.get(id) : undefined; d && names.length < 64; d = d.parent ? by.get(d.parent) : undefined) names.unshift(d.name);
  return names.join(" / ");
}

// under are a department and those below it: what it cannot be moved into.
export function under(list: readonly Department[], id: ID): Set<ID> {
  const out = new Set([id]);
  for (let before = 0; before < out.size; ) {
    before = out.size;
    for (const d of list) if (d.parent && out.has(d.parent)) out.add(d.id);
  }
  return out;
}

// step is where the keys of a tree lead from a row: another row, or a row to
// open or close.
export function step(rows: readonly Branch[], at: number, key: string, open: ReadonlySet<ID>): { to?: number; open?: ID; close?: ID } {
  const row = rows[at];
  if (!row) return {};
  const id = row.department.id;
  switch (key) {
    case "ArrowDown": return { to: Math.min(rows.length - 1, at + 1) };
    case "ArrowUp": return { to: Math.max(0, at - 1) };
    case "Home": return { to: 0 };
    case "End": return { to: rows.length - 1 };
    case "ArrowRight":
      if (!row.below.length) return {};
      return open.has(id) ? { to: at + 1 } : { open: id };
    case "ArrowLeft": {
      if (row.below.length && open.has(id)) return { close: id };
      const up = rows.findIndex((r) => r.below.includes(row));
      return up < 0 ? {} : { to: up };
    }
  }
  return {};
}

// byDepartment groups people, the groups by name, those without one last.
export function byDepartment<T>(people: readonly T[], place: (p: T) => string): [string, T[]][] {
  const groups = new Map<string, T[]>();
  for (const p of people) groups.set(place(p), [...(groups.get(place(p)) ?? []), p]);
  return [...groups].sort(([a], [b]) => Number(!a) - Number(!b) || a.localeCompare(b));
}
