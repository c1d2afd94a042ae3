// The files that wait in the composer: progress, speed, a picture of what is
// shown, retry and cancel.

import { limits, type ID } from "./api";
import { fillWith, h, icon, iconButton, toast } from "./dom";
import { size, t } from "./lang";
import type { Draft } from "./outbox";
import { Upload, type Voice } from "./upload";

type Sent = NonNullable<Draft["files"]>[number];

interface Attached extends Sent {
  upload: Upload | null;
  preview: string; // address of the picture that is shown; ""
  row: HTMLElement | null;
  state: string; // what the row shows
}

// together is how many uploads run at once.
const together = 3;

const kinds: Record<string, string> = { "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "image/webp": "webp", "image/bmp": "bmp", "image/svg+xml": "svg" };

// pastedName names a picture that comes from the clipboard without a name of its
// own: browsers call every one of them image.png.
export function pastedName(name: string, type: string, now: Date): string {
  if (name && !/^(image|unknown|blob)(\.\w+)?$/i.test(name)) return name;
  const ext = kinds[type] ?? /\.(\w+)$/.exec(name)?.[1];
  if (!ext) return name || "file";
  const two = (n: number) => String(n).padStart(2, "0");
  return t("upload.pasted") + " " + now.getFullYear() + "-" + two(now.getMonth() + 1) + "-" + two(now.getDate()) + " " + two(now.getHours()) + "." + two(now.getMinutes()) + "." + two(now.getSeconds()) + "." + ext;
}

export class Tray {
  readonly element = h("ul", { class: "tray", "aria-label": t("upload.list") });
  private list: Attached[] = [];

  // discard gives an uploaded file back to the server.
  constructor(private readonly changed: () => void, private readonly discard: (file: ID) => void) {}

  get count(): number {
    return this.list.length;
  }

  get waiting(): boolean {
    return this.list.some((a) => !a.id);
  }

  // done are the files that are on the server.
  done(): Sent[] {
    return this.list.filter((a) => a.id).map(({ id, name, size, type, voice, duration_ms }) => ({ id, name, size, type, ...(voice ? { voice, duration_ms } : {}) }));
  }

  add(files: File[], voice?: Voice): void {
    for (const f of files) {
      if (this.list.length >= limits.MaxFiles) {
        toast(t("upload.toomany", { n: limits.MaxFiles }), true);
        break;
      }
      const picture = /^image\/(png|jpeg|gif|webp|bmp|avif)$/.test(f.type);
      const a: Attached = { name: f.name || "file", size: f.size, type: f.type, id: "", upload: null, preview: picture ? URL.createObjectURL(f) : "", row: null, state: "" };
      if (voice) Object.assign(a, { voice: true, duration_ms: voice.duration });
      a.upload = new Upload(f, () => this.progress(a), voice);
      this.list.push(a);
    }
    this.start();
    this.draw();
  }

  // keep shows files that are on the server already.
  keep(files: Sent[]): void {
    for (const f of files) this.list.push({ ...f, upload: null, preview: /^image\//.test(f.type) ? "/files/" + f.id + "/thumbnail/64" : "", row: null, state: "" });
    this.draw();
  }

  // clear forgets the files: they are in a message now.
  clear(): void {
    for (const a of this.list) this.forget(a);
    this.list = [];
    this.draw();
  }

  // close ends what still runs: the page goes on without this composer.
  close(): void {
    for (const a of this.list) {
      if (!a.id) a.upload?.cancel();
      this.forget(a);
    }
  }

  private forget(a: Attached): void {
    if (a.preview.startsWith("blob:")) URL.revokeObjectURL(a.preview);
  }

  private start(): void {
    let free = together - this.list.filter((a) => a.upload?.state === "running").length;
    for (const a of this.list) {
      if (free <= 0) return;
      if (a.upload?.state !== "queued") continue;
      free--;
      a.upload.start();
    }
  }

  private progress(a: Attached): void {
    if (a.upload?.state === "done" && !a.id) {
      a.id = a.upload.id;
      this.changed();
    }
    if (a.upload?.state !== "running") this.start();
    this.draw();
  }

  private remove(a: Attached): void {
    this.list = this.list.filter((x) => x !== a);
    if (a.id) this.discard(a.id);
    else a.upload?.cancel();
    this.forget(a);
    this.start();
    this.draw();
    this.changed();
  }

  private draw(): void {
    for (const a of this.list) {
      const u = a.upload;
      const state = a.id ? "done" : u?.state ?? "done";
      if (!a.row || a.state !== state) {
        const old = a.row;
        a.row = this.row(a, state);
        a.state = state;
        if (old?.contains(document.activeElement)) queueMicrotask(() => a.row?.querySelector<HTMLElement>("button")?.focus());
      }
      if (state === "running" && u) {
        const p = a.row.querySelector("progress")!;
        p.value = u.percent;
        p.setAttribute("aria-label", t("upload.progress", { name: a.name, percent: u.percent }));
        a.row.querySelector(".state")!.textContent = u.percent + " %" + (u.speed > 0 ? " · " + t("upload.speed", { size: size(u.speed) }) : "");
      }
    }
    const rows = this.list.map((a) => a.row!);
    if (rows.length !== this.element.childElementCount || rows.some((r, i) => this.element.children[i] !== r)) fillWith(this.element, ...rows);
  }

  private row(a: Attached, state: string): HTMLElement {
    const failed = state === "failed";
    const text = failed ? t("upload.failed", { reason: a.upload!.reason }) : state === "queued" ? t("upload.queued") : state === "done" ? t("upload.done") : "";
    const picture: HTMLElement | SVGElement = a.preview ? h("img", { src: a.preview, alt: "", class: "tray-picture", onerror: () => picture.replaceWith(icon("file")) }) : icon(a.voice ? "mic" : "file");
    return h("li", { class: failed ? "bad" : "" }, picture, h("span", { class: "file-name", title: a.name }, a.name), h("span", { class: "file-size" }, size(a.size)),
      h("span", { class: "state" }, text),
      state === "running" ? h("progress", { max: 100, value: 0 }) : null,
      failed ? h("button", { type: "button", onclick: () => a.upload!.retry() }, t("retry")) : null,
      iconButton("close", t(state === "running" || state === "queued" ? "upload.stop" : "upload.cancel", { name: a.name }), () => this.remove(a)));
  }
}
