// The viewer of pictures: large, with those before and after it in the room.

import type { File as Attachment, ID, Message } from "./api";
import type { Client } from "./client";
import { fillWith, h, iconButton, unique } from "./dom";
import { size, t, when } from "./lang";
import { nameOf } from "./names";

interface Picture {
  file: Attachment;
  message: Message;
}

// showable tells whether a file is a picture that the server made sense of.
export function showable(f: Attachment): boolean {
  return /^image\/(png|jpeg|gif|webp|avif|bmp)$/.test(f.type) && !!f.width;
}

export function fileAddress(f: Attachment): string {
  return "/files/" + f.id + "/" + encodeURIComponent(f.name || "file");
}

const largest = 8;

class Viewer {
  private dialog: HTMLDialogElement;
  private stage: HTMLElement;
  private image = h("img", { alt: "", draggable: "false" });
  private title: HTMLElement;
  private about = h("p", { class: "sub" });
  private save = h("a", { class: "iconbutton", "aria-label": t("viewer.download"), title: t("viewer.download") });
  private before: HTMLButtonElement;
  private after: HTMLButtonElement;
  private zoom = 1;
  private x = 0;
  private y = 0;
  private fingers = new Map<number, PointerEvent>();
  private moved = false;
  private busy = false;

  constructor(private readonly client: Client, private readonly room: ID, private shown: Picture) {
    const id = unique("viewer");
    this.title = h("h2", { id, tabindex: -1 });
    this.before = iconButton("back", t("viewer.before"), () => void this.step(-1), { class: "iconbutton viewer-side viewer-before" });
    this.after = iconButton("next", t("viewer.after"), () => void this.step(1), { class: "iconbutton viewer-side viewer-after" });
    this.stage = h("div", { class: "viewer-stage",
      onpointerdown: (e: PointerEvent) => this.down(e), onpointermove: (e: PointerEvent) => this.move(e), onpointerup: (e: PointerEvent) => this.up(e), onpointercancel: (e: PointerEvent) => this.up(e),
      ondblclick: () => this.scale(this.zoom > 1 ? 1 : 2.5) }, this.image);
    this.stage.addEventListener("wheel", (e) => {
      e.preventDefault();
      this.scale(this.zoom * (e.deltaY < 0 ? 1.2 : 1 / 1.2));
    }, { passive: false });
    this.dialog = h("dialog", { class: "viewer", "aria-labelledby": id },
      h("header", null, h("div", { class: "title" }, this.title, this.about),
        iconButton("zoomout", t("viewer.zoomout"), () => this.scale(this.zoom / 1.5)), iconButton("zoomin", t("viewer.zoomin"), () => this.scale(this.zoom * 1.5)),
        this.save, iconButton("close", t("close"), () => this.dialog.close())),
      this.stage, this.before, this.after);
    this.save.append(...iconButton("download", "", () => {}).childNodes);
    this.dialog.addEventListener("keydown", (e) => this.key(e));
    const focus = document.activeElement;
    this.dialog.addEventListener("close", () => {
      this.dialog.remove();
      if (focus instanceof HTMLElement && focus.isConnected) focus.focus();
    });
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.title.focus();
    this.draw();
  }

  private pictures(): Picture[] {
    const list = this.client.store.state.timelines.get(this.room)?.messages ?? [];
    const all = (list.some((m) => m.id === this.shown.message.id) ? list : [this.shown.message]).filter((m) => !m.recalled);
    return all.flatMap((message) => (message.files ?? []).filter(showable).map((file) => ({ file, message })));
  }

  private index(all: Picture[]): number {
    return all.findIndex((p) => p.file.id === this.shown.file.id && p.message.id === this.shown.message.id);
  }

  private draw(): void {
    const { file, message } = this.shown;
    const s = this.client.store.state;
    const address = fileAddress(file);
    this.title.textContent = file.name;
    this.about.textContent = nameOf(s, message.sender) + " · " + when(message.time) + " · " + size(file.size);
    this.save.setAttribute("href", address + "?download=1");
    this.save.setAttribute("download", file.name);
    const fresh = h("img", { src: address, alt: file.name, draggable: "false", width: file.width, height: file.height });
    fresh.addEventListener("error", () => fillWith(this.stage, h("p", { role: "alert" }, t("viewer.failed"))));
    this.image = fresh;
    fillWith(this.stage, fresh);
    this.zoom = 1;
    this.x = this.y = 0;
    this.buttons();
  }

  private buttons(): void {
    const all = this.pictures();
    const i = this.index(all);
    const tl = this.client.store.state.timelines.get(this.room);
    this.before.disabled = i <= 0 && (!tl || tl.atStart);
    this.after.disabled = i < 0 || i >= all.length - 1;
  }

  // step goes to the next picture; before the first one that is loaded it looks
  // in older pages of the room.
  private async step(by: number): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      for (let pages = 0; pages < 10; pages++) {
        const all = this.pictures();
        const to = all[this.index(all) + by];
        if (to) {
          this.shown = to;
          return this.draw();
        }
        const tl = this.client.store.state.timelines.get(this.room);
        if (by > 0 || !tl || tl.atStart) return this.buttons();
        await this.client.earlier(this.room);
      }
    } catch {
      this.buttons(); // no connection: what is here stays
    } finally {
      this.busy = false;
    }
  }

  private key(e: KeyboardEvent): void {
    const act = { ArrowLeft: () => void this.step(-1), ArrowRight: () => void this.step(1), "+": () => this.scale(this.zoom * 1.5), "=": () => this.scale(this.zoom * 1.5), "-": () => this.scale(this.zoom / 1.5), "0": () => this.scale(1) }[e.key];
    if (!act || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    act();
  }

  private scale(to: number): void {
    this.zoom = Math.min(largest, Math.max(1, to));
    if (this.zoom === 1) this.x = this.y = 0;
    this.paint();
  }

  private paint(): void {
    this.image.style.transform = "translate(" + this.x + "px, " + this.y + "px) scale(" + this.zoom + ")";
    this.stage.classList.toggle("zoomed", this.zoom > 1);
  }

  // ---- dragging, and two fingers

  private down(e: PointerEvent): void {
    if (e.button !== 0) return;
    this.fingers.set(e.pointerId, e);
    this.moved = false;
    this.stage.setPointerCapture(e.pointerId);
  }

  private move(e: PointerEvent): void {
    const old = this.fingers.get(e.pointerId);
    if (!old) return;
    const other = [...this.fingers.values()].find((f) => f.pointerId !== e.pointerId);
    if (other) {
      const apart = (a: PointerEvent) => Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY);
      if (apart(old) > 10) this.scale((this.zoom * apart(e)) / apart(old));
    } else if (this.zoom > 1) {
      this.x += e.clientX - old.clientX;
      this.y += e.clientY - old.clientY;
      this.paint();
    }
    if (Math.hypot(e.clientX - old.clientX, e.clientY - old.clientY) > 2) this.moved = true;
    this.fingers.set(e.pointerId, e);
  }

  private up(e: PointerEvent): void {
    const known = this.fingers.delete(e.pointerId);
    // A click beside the picture closes.
    if (known && !this.moved && this.zoom === 1 && e.type === "pointerup" && document.elementFromPoint(e.clientX, e.clientY) === this.stage) this.dialog.close();
  }
}

// view opens the viewer at a picture of a message.
export function view(client: Client, message: Message, file: Attachment): void {
  new Viewer(client, message.room, { file, message });
}
