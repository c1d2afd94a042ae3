// Recording a voice note: click or hold the microphone, speak, listen, send.

import type { Composer } from "./composer";
import { fillWith, h, icon, iconButton, toast } from "./dom";
import type { Feature, Frame } from "./frame";
import { duration, t } from "./lang";
import { VoicePlayer } from "./player";
import { Upload } from "./upload";
import type { Key } from "./words";

const longest = 5 * 60 * 1000; // ms
const held = 500; // ms: a longer press ends when it is let go
const forms: [string, string][] = [["audio/webm;codecs=opus", "webm"], ["audio/ogg;codecs=opus", "ogg"], ["audio/mp4", "m4a"]];

// unable says why nothing can be recorded here; "" when it can.
function unable(): Key | "" {
  if (!isSecureContext) return "voice.insecure";
  if (!navigator.mediaDevices?.getUserMedia || typeof MediaRecorder === "undefined" || !forms.some(([type]) => MediaRecorder.isTypeSupported(type))) return "voice.unsupported";
  return "";
}

function refused(e: unknown): Key {
  const name = e instanceof DOMException ? e.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "voice.denied";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "voice.nomic";
  if (name === "NotReadableError" || name === "AbortError") return "voice.busy";
  return "voice.unsupported";
}

class Recorder {
  private recorder: MediaRecorder | null = null;
  private parts: Blob[] = [];
  private began = 0;
  private length = 0;
  private ticking = 0;
  private audio: AudioContext | null = null;
  private over = false;
  private address = "";
  private player: VoicePlayer | null = null;
  private time = h("span", { class: "voice-time", role: "timer" }, "0:00");
  private meter = h("div", { class: "voice-meter", "aria-hidden": "true" }, ...Array.from({ length: 24 }, () => h("i", null)));
  private element = h("div", { class: "voice-panel", role: "group", "aria-label": t("voice.title") });

  constructor(private readonly f: Frame, private readonly c: Composer, private readonly closed: () => void) {
    fillWith(this.element, h("span", { class: "hint" }, t("voice.asking")), this.trash());
    c.panel(this.element);
    void this.start();
  }

  private trash(): HTMLElement {
    return iconButton("trash", t("voice.discard"), () => this.close());
  }

  private async start(): Promise<void> {
    let stream: MediaStream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } });
    } catch (e) {
      toast(t(refused(e)), true);
      return this.close();
    }
    if (this.over) return stream.getTracks().forEach((x) => x.stop());
    const [type] = forms.find(([x]) => MediaRecorder.isTypeSupported(x))!;
    const r = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: 32000 });
    this.recorder = r;
    r.ondataavailable = (e) => e.data.size && this.parts.push(e.data);
    r.onstop = () => {
      stream.getTracks().forEach((x) => x.stop());
      clearInterval(this.ticking);
      void this.audio?.close();
      if (!this.over) this.listen();
    };
    // The microphone was pulled out, or taken away: keep what was said.
    stream.getTracks()[0]?.addEventListener("ended", () => this.stop());
    this.listenToLevel(stream);
    r.start(1000);
    this.began = performance.now();
    fillWith(this.element, this.trash(), h("span", { class: "voice-dot", "aria-hidden": "true" }), this.time, this.meter,
      h("button", { type: "button", class: "primary voice-stop", onclick: () => this.stop() }, icon("stop"), t("voice.stop")));
    this.element.querySelector<HTMLElement>(".voice-stop")?.focus();
  }

  private listenToLevel(stream: MediaStream): void {
    const bars = [...this.meter.children] as HTMLElement[];
    this.audio = new AudioContext();
    void this.audio.resume(); // asking for the microphone may have taken too long for it to start by itself
    const a = this.audio.createAnalyser();
    a.fftSize = 8192; // longer than the time between two looks: no short sound falls between them
    this.audio.createMediaStreamSource(stream).connect(a);
    const wave = new Uint8Array(a.fftSize);
    const levels: number[] = bars.map(() => 0);
    this.ticking = window.setInterval(() => {
      a.getByteTimeDomainData(wave);
      const loud = Math.sqrt(wave.reduce((n, x) => n + ((x - 128) / 128) ** 2, 0) / wave.length);
      levels.push(Math.min(1, loud * 4));
      levels.shift();
      bars.forEach((b, i) => (b.style.transform = "scaleY(" + Math.max(0.08, levels[i]!) + ")"));
      const ms = performance.now() - this.began;
      this.time.textContent = duration(ms) + (ms > longest - 30000 ? " / " + duration(longest) : "");
      if (ms >= longest) this.stop();
    }, 100);
  }

  // letGo ends a recording that was held long enough to be one.
  letGo(pressed: number): void {
    if (performance.now() - pressed >= held) this.stop();
  }

  private stop(): void {
    if (this.recorder?.state !== "recording") return;
    this.length = Math.min(longest, Math.round(performance.now() - this.began));
    this.recorder.stop();
  }

  // listen offers what was recorded before it is sent.
  private listen(): void {
    const [type, ext] = forms.find(([x]) => MediaRecorder.isTypeSupported(x))!;
    const now = new Date();
    const two = (n: number) => String(n).padStart(2, "0");
    const name = "voice-" + now.getFullYear() + two(now.getMonth() + 1) + two(now.getDate()) + "-" + two(now.getHours()) + two(now.getMinutes()) + two(now.getSeconds()) + "." + ext;
    const file = new File(this.parts, name, { type: type.split(";")[0] });
    if (!file.size) {
      toast(t("voice.nothing"), true);
      return this.close();
    }
    this.address = URL.createObjectURL(file);
    this.player = new VoicePlayer(this.address, this.length, t("message.voice"));
    const send: HTMLButtonElement = h("button", { type: "button", class: "primary voice-send", onclick: () => this.send(file) }, icon("send"), t("composer.send"));
    fillWith(this.element, this.trash(), this.player.element, send);
    send.focus();
  }

  private send(file: File): void {
    this.player?.stop();
    const text = h("span", { class: "hint voice-state", role: "status" });
    const again: HTMLButtonElement = h("button", { type: "button", hidden: true, onclick: () => up.retry() }, t("retry"));
    const up: Upload = new Upload(file, () => {
      text.textContent = up.state === "failed" ? t("upload.failed", { reason: up.reason }) : t("voice.sending") + " " + up.percent + " %";
      again.hidden = up.state !== "failed";
      if (up.state !== "done") return;
      this.f.client.send(this.c.room, { text: "", ...this.c.place(), files: [{ id: up.id, name: file.name, size: file.size, type: file.type, voice: true, duration_ms: this.length }] });
      this.c.delivered();
      this.close();
    }, { duration: this.length });
    const stop = iconButton("trash", t("voice.discard"), () => {
      up.cancel();
      this.close();
    });
    fillWith(this.element, stop, this.player!.element, text, again);
    up.start();
  }

  close(): void {
    if (this.over) return;
    this.over = true;
    clearInterval(this.ticking);
    if (this.recorder?.state === "recording") this.recorder.stop();
    this.player?.stop();
    if (this.address) URL.revokeObjectURL(this.address);
    this.c.panel(null);
    this.closed();
  }
}

function microphone(f: Frame, c: Composer): HTMLElement {
  let recorder: Recorder | null = null;
  let pressed = 0;
  c.ends.push(() => recorder?.close());
  const begin = () => {
    const why = unable();
    if (why) return c.note(t(why));
    recorder ??= new Recorder(f, c, () => (recorder = null));
  };
  const button = iconButton("mic", t("voice.record"), () => {
    if (!pressed) begin(); // by the keyboard
    pressed = 0;
  }, {
    class: "iconbutton mic",
    onpointerdown: (e: PointerEvent) => {
      if (e.button !== 0) return;
      pressed = performance.now();
      begin();
      const up = () => {
        removeEventListener("pointerup", up);
        removeEventListener("pointercancel", up);
        recorder?.letGo(pressed);
        setTimeout(() => (pressed = 0));
      };
      addEventListener("pointerup", up);
      addEventListener("pointercancel", up);
    },
    oncontextmenu: (e: Event) => e.preventDefault(), // of a long press
  });
  return button;
}

export const voiceFeature: Feature = {
  composerButtons: (f, c) => [microphone(f, c)],
};
