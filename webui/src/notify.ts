// Notifications of the system, the number on the icon of the app, and a sound.
//
// A message is told of when nobody looks at the page, it is one to be told of by
// what the person has set, and it is still unread a moment later: another device
// on which it is being read has had the time to say so. Several of one room
// replace each other. What is read goes away. Of several pages of one browser one
// tells, and none while another of them is looked at.

import type { Event, ID, Message } from "./api";
import { setSwitch, switched } from "./device";
import type { Feature, Frame } from "./frame";
import { t } from "./lang";
import { plain } from "./markup";
import { roomName, senderName } from "./names";
import { content, obstacle, type Obstacle, type Surroundings } from "./notify_state";
import { calls } from "./prefs";
import { totals } from "./state";

const settle = 1200; // ms until a message counts as not being read elsewhere
const old = 12 * 3600 * 1000; // ms: what came so long ago is no news

export function surroundings(): Surroundings {
  return {
    secure: isSecureContext, has: "Notification" in window, permission: "Notification" in window ? Notification.permission : "default",
    apple: /iPhone|iPad/.test(navigator.userAgent) || (/Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1),
    installed: matchMedia("(display-mode: standalone)").matches, off: switched("quiet"),
  };
}

export const obstacleHere = (): Obstacle => obstacle(surroundings());

// show gives false when the browser refuses. Browsers of phones show only what a
// service worker hands them.
export async function show(title: string, body: string, tag: string, room: ID, click: () => void): Promise<Notification | boolean> {
  const options = { body, tag, icon: "/assets/icon-192.png", lang: document.documentElement.lang, data: { room } };
  try {
    const n = new Notification(title, options);
    n.addEventListener("click", () => {
      window.focus();
      n.close();
      click();
    });
    return n;
  } catch {
    const worker = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
    if (!worker?.active) return false;
    return worker.showNotification(title, options).then(() => true, () => false);
  }
}

let audio: AudioContext | null = null;

// beep is two short tones. Before the first click or key on the page browsers
// let no sound out.
export function beep(): void {
  try {
    audio ??= new AudioContext();
    if (audio.state === "suspended") void audio.resume();
    const at = audio.currentTime;
    for (const [i, pitch] of [660, 880].entries()) {
      const tone = audio.createOscillator();
      const gain = audio.createGain();
      const from = at + i * 0.13;
      tone.frequency.value = pitch;
      gain.gain.setValueAtTime(0, from);
      gain.gain.linearRampToValueAtTime(0.12, from + 0.02);
      gain.gain.exponentialRampToValueAtTime(0.001, from + 0.18);
      tone.connect(gain).connect(audio.destination);
      tone.start(from);
      tone.stop(from + 0.2);
    }
  } catch {
    // No sound here.
  }
}

// first reports whether this page is the first of the browser to ask under a
// name in these seconds. Where pages cannot agree, each is.
function first(name: string): Promise<boolean> {
  const locks = navigator.locks as LockManager | undefined; // absent without a secure context
  if (!locks) return Promise.resolve(true);
  return new Promise((f) => void locks.request(name, { ifAvailable: true }, async (lock) => {
    f(lock !== null);
    if (lock) await new Promise((done) => setTimeout(done, 5000));
  }).catch(() => f(true)));
}

class Notifier {
  // Pages of one browser tell each other what came before the person's eyes.
  private others = "BroadcastChannel" in window ? new BroadcastChannel("posthouse.seen") : null;
  private elsewhere = new Map<ID, number>(); // room → newest entry that another page showed
  private shown = new Map<ID, { seq: number; note: Notification | null }>();
  private waiting = new Set<number>();
  private badge = -1;

  constructor(private readonly f: Frame) {
    this.others?.addEventListener("message", (e: MessageEvent<{ room: ID; seq: number }>) => void this.elsewhere.set(e.data.room, e.data.seq));
  }

  heard(e: Event): void {
    if (e.type !== "message") return;
    const s = this.f.client.store.state;
    const m = e.data;
    const r = s.rooms.get(m.room);
    if (!r || !calls(s, r.room, m) || Date.now() + s.clock - m.time > old) return;
    if (this.looking(m.room)) return this.others?.postMessage({ room: m.room, seq: m.seq });
    const timer = window.setTimeout(() => {
      this.waiting.delete(timer);
      void this.tell(m);
    }, settle);
    this.waiting.add(timer);
  }

  // looking: the page is before the person's eyes. In another room of it the
  // list shows what is new.
  private looking(_: ID): boolean {
    return document.visibilityState === "visible" && document.hasFocus();
  }

  private async tell(m: Message): Promise<void> {
    const s = this.f.client.store.state;
    const r = s.rooms.get(m.room);
    if (!r || r.room.my_read >= m.seq || Math.max(this.elsewhere.get(m.room) ?? 0, this.shown.get(m.room)?.seq ?? 0) >= m.seq) return;
    if (!(await first("posthouse-told-" + m.id))) return;
    this.shown.set(m.room, { seq: m.seq, note: this.shown.get(m.room)?.note ?? null });
    if (switched("sound")) beep();
    if (obstacleHere()) return;
    const words = { sender: senderName(s, m), room: roomName(s, r.room), text: m.text ? plain(m.text.slice(0, 1000)) : "", hidden: t("notify.hidden") };
    const { title, body } = content(r.room, m, words, s.prefs.hide);
    const n = await show(title, body, "posthouse-" + m.room, m.room, () => this.f.go("room/" + m.room));
    if (n instanceof Notification) this.shown.set(m.room, { seq: m.seq, note: n });
  }

  // follow takes back what has been read, and keeps the number on the icon.
  follow(): void {
    const s = this.f.client.store.state;
    for (const [room, x] of this.shown) {
      if ((s.rooms.get(room)?.room.my_read ?? Infinity) < x.seq) continue;
      this.shown.delete(room);
      x.note?.close();
      if (!x.note) void navigator.serviceWorker?.getRegistration().then(async (w) => {
        for (const n of (await w?.getNotifications({ tag: "posthouse-" + room })) ?? []) n.close();
      }).catch(() => {});
    }
    const n = totals(s).unread;
    if (n === this.badge || !("setAppBadge" in navigator)) return;
    this.badge = n;
    (n ? navigator.setAppBadge(n) : navigator.clearAppBadge()).catch(() => {});
  }

  end(): void {
    this.others?.close();
    for (const timer of this.waiting) clearTimeout(timer);
    for (const { note } of this.shown.values()) note?.close();
    if ("clearAppBadge" in navigator) navigator.clearAppBadge().catch(() => {});
  }
}

export const notifyFeature: Feature = {
  commands: [{ name: "notify.toggle", run: () => setSwitch("quiet", !switched("quiet")) }],
  start(f) {
    const n = new Notifier(f);
    const silence = f.client.listen((e) => n.heard(e));
    const stop = f.client.store.listen((topics) => {
      if (topics.has("rooms")) n.follow();
    });
    const clicked = (e: MessageEvent) => {
      const room: unknown = (e.data as { room?: unknown } | null)?.room;
      if (typeof room === "string" && /^[\w-]+$/.test(room)) f.go("room/" + room);
    };
    navigator.serviceWorker?.addEventListener("message", clicked);
    return () => {
      silence();
      stop();
      n.end();
      navigator.serviceWorker?.removeEventListener("message", clicked);
    };
  },
};
