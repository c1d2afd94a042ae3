// What is known of emoji: the list, which is loaded when it is first wanted,
// search by name in either language, skin tones, and which were used last. The
// form of the list is written down in webui/build/emoji.

declare const EMOJI_DATA: string; // address of the list, put in by the bundler

export interface Emoji {
  text: string;
  toned: boolean; // comes in skin tones
  codes: string[]; // names as in :smile:
  en: string;
  zh: string;
  words: string; // all of it in lower case, for the search
}

export interface EmojiList {
  groups: Emoji[][]; // smileys, people, animals, food, travel, activities, objects, symbols, flags
  all: Emoji[];
  byText: Map<string, Emoji>; // without a tone
}

export function readList(raw: { groups: string[][] }): EmojiList {
  const countries = typeof Intl === "undefined" ? [] : ["en", "zh"].map((l) => new Intl.DisplayNames(l, { type: "region" }));
  const groups = raw.groups.map((g) => {
    const [pictures = [], codes = [], en = [], zh = []] = g.map((column) => column.split("|"));
    return pictures.map((p, i) => (codes[i] ? entry(p, codes[i], en[i]!, zh[i]!) : flag(p, countries)));
  });
  const all = groups.flat();
  return { groups, all, byText: new Map(all.map((e) => [e.text, e])) };
}

function entry(picture: string, codes: string, en: string, zh: string): Emoji {
  const toned = picture.endsWith("+");
  const names = codes.split(",");
  return {
    text: toned ? picture.slice(0, -1) : picture, toned, codes: names,
    en: en.split(",")[0] || names[0]!.replaceAll("_", " "), zh: zh.split(",")[0]!, words: (codes + " " + en + " " + zh).toLowerCase(),
  };
}

// flag is the entry of a country.
function flag(text: string, countries: Intl.DisplayNames[]): Emoji {
  const code = [...text].map((c) => String.fromCharCode(c.codePointAt(0)! - 0x1f1e6 + 97)).join("");
  const name = (i: number) => countries[i]?.of(code.toUpperCase()) ?? code.toUpperCase();
  const [en, zh] = [name(0), name(1)];
  return { text, toned: false, codes: [code], en, zh, words: (code + " " + en + " " + zh + " flag 旗").toLowerCase() };
}

let loading: Promise<EmojiList> | null = null;

// emojiList loads the list once; a failure is forgotten, so that the next call
// tries again.
export function emojiList(): Promise<EmojiList> {
  loading ??= fetch(EMOJI_DATA).then(async (a) => {
    if (!a.ok) throw new Error(String(a.status));
    return readList(await a.json() as { groups: string[][] });
  }).catch((e: unknown) => {
    loading = null;
    throw e;
  });
  return loading;
}

// findEmoji gives what has all words of a query: those whose name begins with
// it before those that only hold it.
export function findEmoji(list: EmojiList, query: string, limit: number): Emoji[] {
  const q = query.toLowerCase().trim().replace(/^[:：]|[:：]$/g, "");
  if (!q) return [];
  const parts = q.split(/[\s_]+/).filter(Boolean);
  const rank = (e: Emoji): number => {
    if (e.codes.includes(q) || e.zh === q) return 0;
    if (e.codes.some((c) => c.startsWith(q))) return 1;
    if (e.zh.startsWith(q) || e.en.startsWith(q)) return 2;
    if (!parts.every((p) => e.words.includes(p))) return -1;
    return parts.every((p) => e.words.split(/[\s,_-]+/).some((w) => w.startsWith(p))) ? 3 : 4;
  };
  return list.all.map((e, i) => ({ e, i, r: rank(e) })).filter((x) => x.r >= 0).sort((a, b) => a.r - b.r || a.i - b.i).slice(0, limit).map((x) => x.e);
}

// withTone colours every person of an emoji. tone: 0 none, 1 light to 5 dark.
export function withTone(text: string, tone: number): string {
  if (!tone) return text;
  const colour = String.fromCodePoint(0x1f3fa + tone);
  return text.replace(new RegExp("(\\p{Emoji_Modifier_Base})\\ufe0f?", "gu"), "$1" + colour);
}

// onlyEmoji tells whether a text is one to three emoji and nothing else.
export function onlyEmoji(text: string): boolean {
  const one = "(?:\\p{Regional_Indicator}{2}|[#*0-9]\\ufe0f?\\u20e3|(?:\\p{Emoji_Presentation}|\\p{Emoji}\\ufe0f)\\p{Emoji_Modifier}?(?:\\p{Emoji_Modifier})?(?:[\\u{e0020}-\\u{e007f}]+)?(?:\\u200d\\p{Emoji}\\ufe0f?\\p{Emoji_Modifier}?)*)";
  return text.length <= 60 && new RegExp("^(?:" + one + "\\s*){1,3}$", "u").test(text);
}

// ---- what this device remembers

interface Memory {
  recent: string[];
  tone: number;
}

const shelf = "posthouse.emoji";
const remembered = 27;

export function memory(): Memory {
  try {
    const m = JSON.parse(localStorage.getItem(shelf) ?? "null") as Partial<Memory> | null;
    return { recent: (m?.recent ?? []).filter((x) => typeof x === "string").slice(0, remembered), tone: Math.min(5, Math.max(0, Number(m?.tone) || 0)) };
  } catch {
    return { recent: [], tone: 0 };
  }
}

export function remember(change: { used?: string; tone?: number }): void {
  const m = memory();
  if (change.used) m.recent = [change.used, ...m.recent.filter((x) => x !== change.used)].slice(0, remembered);
  if (change.tone !== undefined) m.tone = change.tone;
  try {
    localStorage.setItem(shelf, JSON.stringify(m));
  } catch {
    // Full or forbidden: nothing is remembered.
  }
}
