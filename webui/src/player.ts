// Playing sound and film in the timeline. An entry may be drawn anew while it
// plays: its player is kept and goes on.

import type { File as Attachment } from "./api";
import { h, icon, iconButton } from "./dom";
import { duration, t } from "./lang";

const kept = new Map<string, HTMLElement>();
const most = 8; // players kept; those that play are never dropped before others
let playing: HTMLAudioElement | null = null;

// keep gives the player of a file that was made before, or a new one.
function keep<E extends HTMLElement>(id: string, make: () => E): E {
  const old = kept.get(id) as E | undefined;
  if (old) return old;
  const e = make();
  kept.set(id, e);
  for (const [key, x] of kept) {
    if (kept.size <= most) break;
    if (!x.isConnected) kept.delete(key);
  }
  return e;
}

const speeds = [1, 1.5, 2];

// VoicePlayer plays one recording. Recordings of browsers do not say how long
// they are: length is what is known of it, in ms.
export class VoicePlayer {
  readonly element: HTMLElement;
  private audio: HTMLAudioElement;
  private button: HTMLButtonElement;
  private slider: HTMLInputElement;
  private time = h("span", { class: "voice-time" });
  private speed: HTMLButtonElement;
  private rate = 0;
  private measured = false;
  private seeking = false;

  constructor(src: string, private length: number, label: string) {
    this.audio = new Audio();
    this.audio.preload = "none";
    this.audio.src = src;
    this.button = iconButton("play", t("voice.play"), () => void this.toggle(), { class: "iconbutton voice-play" });
    this.slider = h("input", { type: "range", min: 0, max: Math.max(1, length), step: 100, value: 0, "aria-label": t("voice.position"), oninput: () => void this.seek(Number(this.slider.value)) });
    this.speed = h("button", { type: "button", class: "voice-speed", onclick: () => this.faster() });
    this.element = h("div", { class: "voice-player", role: "group", "aria-label": label }, this.button, this.slider, this.time, this.speed);
    for (const name of ["play", "pause", "timeupdate", "ended", "error"]) this.audio.addEventListener(name, () => this.draw(name));
    this.audio.addEventListener("ended", () => (this.audio.currentTime = 0));
    this.draw("");
  }

  stop(): void {
    this.audio.pause();
  }

  private async toggle(): Promise<void> {
    if (!this.audio.paused) return this.audio.pause();
    if (playing && playing !== this.audio) playing.pause();
    playing = this.audio;
    try {
      await this.measure();
      await this.audio.play();
    } catch {
      this.draw("error");
    }
  }

  // measure makes the browser find the end of a recording that does not tell its
  // length; before that it cannot seek in it.
  private async measure(): Promise<void> {
    if (this.measured) return;
    const event = (name: string, until: () => boolean) => new Promise<void>((ok, fail) => {
      const look = () => {
        if (!until()) return;
        this.audio.removeEventListener(name, look);
        ok();
      };
      this.audio.addEventListener(name, look);
      this.audio.addEventListener("error", fail, { once: true });
      look();
    });
    this.seeking = true;
    try {
      this.audio.preload = "auto";
      if (this.audio.readyState < 1) this.audio.load();
      await event("loadedmetadata", () => this.audio.readyState >= 1);
      if (!Number.isFinite(this.audio.duration)) {
        this.audio.currentTime = 1e7;
        await event("durationchange", () => Number.isFinite(this.audio.duration));
        this.audio.currentTime = 0;
        await event("seeked", () => this.audio.currentTime < 0.5);
      }
      if (!this.length) this.length = Math.round(this.audio.duration * 1000);
      this.slider.max = String(Math.max(1, this.length));
      this.measured = true;
    } finally {
      this.seeking = false;
    }
  }

  private async seek(ms: number): Promise<void> {
    await this.measure();
    this.audio.currentTime = ms / 1000;
    this.draw("");
  }

  private faster(): void {
    this.rate = (this.rate + 1) % speeds.length;
    this.audio.playbackRate = speeds[this.rate]!;
    this.draw("");
  }

  private draw(event: string): void {
    if (this.seeking) return;
    const on = !this.audio.paused;
    const at = Math.min(this.length, Math.round(this.audio.currentTime * 1000));
    const label = t(on ? "voice.pause" : "voice.play");
    if (this.button.getAttribute("aria-label") !== label || !this.button.firstChild) {
      this.button.setAttribute("aria-label", label);
      this.button.title = label;
      this.button.replaceChildren(icon(on ? "pause" : "play"));
    }
    if (document.activeElement !== this.slider || on) this.slider.value = String(at);
    this.slider.setAttribute("aria-valuetext", t("voice.at", { at: duration(at), length: duration(this.length) }));
    this.time.textContent = event === "error" ? t("voice.broken") : at || on ? duration(at) + " / " + duration(this.length) : duration(this.length);
    this.speed.textContent = speeds[this.rate] + "×";
    this.speed.setAttribute("aria-label", t("voice.speed", { speed: speeds[this.rate]! }));
  }
}

// voiceNote is the player of a voice note in a message.
export function voiceNote(f: Attachment, href: string): HTMLElement {
  return keep(f.id, () => h("div", { class: "voice" }, new VoicePlayer(href, f.duration_ms ?? 0, t("message.voice")).element));
}

// film is a video or a sound file that the server serves as one.
export function film(f: Attachment, href: string): HTMLElement {
  const e = keep(f.id, (): HTMLElement => {
    const label = { controls: true, preload: "metadata", src: href, "aria-label": f.name };
    return f.type.startsWith("video/") ? h("video", { ...label, playsinline: true }) : h("audio", label);
  }) as HTMLMediaElement;
  // Moving an element stops it.
  if (e.isConnected && !e.paused) setTimeout(() => e.play().catch(() => {}));
  return e;
}

// plays tells whether a file can be played in the page.
export function plays(f: Attachment): boolean {
  return /^(video\/(mp4|webm)|audio\/(mpeg|mp4|ogg|webm|wav))$/.test(f.type);
}
