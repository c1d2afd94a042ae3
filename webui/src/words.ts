// The words of the chat client, in both languages, one file per area. Every key
// is in both tables with the same {places}, and in one area only; a test
// compares them.

import * as account from "./words/account";
import * as alerts from "./words/alerts";
import * as app from "./words/app";
import * as core from "./words/core";
import * as compose from "./words/compose";
import * as notices from "./words/notices";
import * as directory from "./words/directory";
import * as hooks from "./words/hooks";
import * as journey from "./words/journey";
import * as members from "./words/members";
import * as panes from "./words/panes";
import * as rooms from "./words/rooms";
import * as threads from "./words/threads";
import * as search from "./words/search";

const areas = [
  app,
  core,
  account,
  alerts,
  compose,
  notices,
  directory,
  hooks,
  journey,
  members,
  panes,
  rooms,
  threads,
  search,
] as const;

export const en = {
  ...app.en,
  ...core.en,
  ...account.en,
  ...alerts.en,
  ...compose.en,
  ...notices.en,
  ...directory.en,
  ...hooks.en,
  ...journey.en,
  ...members.en,
  ...panes.en,
  ...rooms.en,
  ...threads.en,
  ...search.en,
};

export type Key = keyof typeof en;

export const zh: Record<Key, string> = {
  ...app.zh,
  ...core.zh,
  ...account.zh,
  ...alerts.zh,
  ...compose.zh,
  ...notices.zh,
  ...directory.zh,
  ...hooks.zh,
  ...journey.zh,
  ...members.zh,
  ...panes.zh,
  ...rooms.zh,
  ...threads.zh,
  ...search.zh,
};

// count is how many keys the areas have together.
export const count = areas.reduce((n, a) => n + Object.keys(a.en).length, 0);

// fill puts args into the {places} of a sentence. An unknown place stays.
export function fill(text: string, args?: Record<string, string | number>): string {
  if (!args) return text;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in args ? String(args[name]) : whole));
}

// choose picks the language: what the reader chose here before, else what the
// browser prefers.
export function choose(stored: string | null, preferred: readonly string[]): "zh" | "en" {
  if (stored === "zh" || stored === "en") return stored;
  for (const tag of preferred) {
    const t = tag.toLowerCase();
    if (t.startsWith("zh")) return "zh";
    if (t.startsWith("en")) return "en";
  }
  return "en";
}
