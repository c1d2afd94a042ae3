// The part of the reducer that keeps threads. A thread is in the state while
// somebody looks at it: its page is asked for, and messages join it as they
// come.

import type { History, ID, Message } from "./api";
import { threadKey, type State, type Thread } from "./state";
import type { Change } from "./store";

// threadPage puts a page into a thread: the newest one, which opens it, or the
// one before what is loaded. What happened after the page was read is done to
// it once more.
export function threadPage(s: State, c: Change, a: { room: ID; seq: number; first: Message | null; page: History; where: "newest" | "before" }): void {
  const late = s.recent.filter((x) => (x.room === null || x.room === a.room) && x.position > a.page.position);
  const now = (m: Message) => late.reduce((x, l) => l.change(x), m);
  const key = threadKey(a.room, a.seq);
  const old = s.threads.get(key);
  const got = a.page.messages.map(now);
  if (a.where === "newest") {
    const end = got.at(-1)?.seq ?? a.seq;
    const come = (old?.messages ?? []).filter((m) => m.seq > end); // while the page was on its way
    s.threads.set(key, { room: a.room, seq: a.seq, first: a.first && now(a.first), messages: [...got, ...come], atStart: !a.page.more });
  } else if (old) {
    const begin = old.messages[0]?.seq ?? Infinity;
    s.threads.set(key, { ...old, messages: [...got.filter((m) => m.seq < begin), ...old.messages], atStart: !a.page.more });
  }
  c.topics.add(`room:${a.room}`);
}

// threadMessage adds a new message to its thread, if that is looked at. The
// same message twice is there once.
export function threadMessage(s: State, m: Message): void {
  const t = m.thread ? s.threads.get(threadKey(m.room, m.thread)) : undefined;
  if (!t) return;
  if ((t.messages.at(-1)?.seq ?? 0) < m.seq) t.messages = [...t.messages, m];
  else t.messages = t.messages.map((x) => (x.seq === m.seq ? m : x));
}

// threadGrew is a thread's first message with another number of replies. It
// never shrinks, so that events may come twice and late.
export function threadGrew(m: Message, replies: number, last: number): Message {
  return replies > (m.replies ?? 0) ? { ...m, replies, last_reply: last } : m;
}

// involved reports whether a person began a thread or wrote in it, as far as
// it is loaded.
export function involved(t: Thread, user: ID): boolean {
  return t.first?.sender === user || t.messages.some((m) => m.sender === user);
}
