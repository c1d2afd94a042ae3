// Uploads with tus 1.0 (https://tus.io/protocols/resumable-upload): create,
// send in pieces, ask for the offset and go on after a break. XMLHttpRequest
// tells the progress of a piece, which fetch does not.

import { explain, lang, t } from "./lang";
import { RpcError } from "./rpc";
import type { ErrorBody } from "./api";

const piece = 4 << 20; // bytes
const patience = 8; // attempts without any progress

interface Answer {
  status: number;
  header(name: string): string | null;
  text: string;
}

// Voice marks a file as a voice note.
export interface Voice {
  duration: number; // ms
}

export class Upload {
  sent = 0; // bytes
  state: "queued" | "running" | "done" | "failed" | "cancelled" = "queued";
  reason = "";
  id = ""; // of the file, when done
  private url = "";
  private xhr: XMLHttpRequest | null = null;
  private marks: [number, number][] = []; // when how much was sent, for the speed

  constructor(readonly file: File, private readonly changed: () => void, private readonly voice?: Voice) {}

  start(): void {
    if (this.state !== "queued") return;
    this.state = "running";
    void this.run();
  }

  get percent(): number {
    return this.file.size ? Math.floor((100 * this.sent) / this.file.size) : 0;
  }

  // speed is of the last seconds, in bytes per second; 0 when it is not known.
  get speed(): number {
    const [first, last] = [this.marks[0], this.marks.at(-1)];
    if (!first || !last || last[0] - first[0] < 500) return 0;
    return Math.max(0, Math.round((1000 * (last[1] - first[1])) / (last[0] - first[0])));
  }

  private mark(): void {
    const now = Date.now();
    this.marks = [...this.marks.filter(([at]) => now - at < 5000), [now, this.sent]];
  }

  cancel(): void {
    const running = this.state === "running";
    this.state = "cancelled";
    this.xhr?.abort();
    if (running && this.url) void this.request("DELETE", this.url, {}).catch(() => {});
    this.changed();
  }

  retry(): void {
    this.state = "running";
    this.marks = [];
    this.changed();
    void this.run();
  }

  private get over(): boolean {
    return this.state !== "running";
  }

  private async run(): Promise<void> {
    for (let failures = 0; !this.over; ) {
      const before = this.sent;
      try {
        if (!this.url) await this.create();
        else if (failures > 0) await this.ask();
        while (!this.over && !this.id) await this.put();
        if (this.over) return;
        this.state = "done";
        this.changed();
        return;
      } catch (e) {
        if (this.over) return;
        failures = this.sent > before ? 1 : failures + 1;
        const final = e instanceof RpcError && e.status >= 400 && e.status < 500 && ![404, 408, 409, 410, 423, 429].includes(e.status);
        if (e instanceof RpcError && (e.status === 404 || e.status === 410)) {
          this.url = ""; // the server has forgotten it: begin anew
          this.sent = 0;
        }
        if (final || failures >= patience) {
          this.state = "failed";
          this.reason = explain(e);
          this.changed();
          return;
        }
        const wait = Math.min(15000, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
        await new Promise((f) => setTimeout(f, Math.max(wait, e instanceof RpcError ? e.retryAfter : 0)));
      }
    }
  }

  private async create(): Promise<void> {
    let meta = "filename " + base64(this.file.name || "file") + ",filetype " + base64(this.file.type || "application/octet-stream");
    if (this.voice) meta += ",voice " + base64("1") + ",duration_ms " + base64(String(Math.round(this.voice.duration)));
    const a = await this.request("POST", "/api/uploads", { "Upload-Length": String(this.file.size), "Upload-Metadata": meta });
    const where = a.header("Location");
    if (!where) throw new RpcError("answer", t("upload.refused"), 0, "", "", 400);
    const url = new URL(where, location.href);
    if (url.origin !== location.origin) throw new RpcError("answer", t("upload.refused"), 0, "", "", 400);
    this.url = url.pathname + url.search;
    this.note(a);
  }

  // ask goes on from what the server has.
  private async ask(): Promise<void> {
    this.note(await this.request("HEAD", this.url, {}));
  }

  private async put(): Promise<void> {
    const from = this.sent;
    const body = this.file.slice(from, Math.min(this.file.size, from + piece));
    const a = await this.request("PATCH", this.url,
      { "Upload-Offset": String(from), "Content-Type": "application/offset+octet-stream" }, body,
      (n) => {
        this.sent = Math.min(this.file.size, from + n);
        this.mark();
        this.changed();
      });
    this.sent = from;
    this.note(a);
    if (!this.id && this.sent === from) throw new RpcError("answer", t("upload.refused"));
  }

  private note(a: Answer): void {
    const offset = Number(a.header("Upload-Offset") ?? "0");
    if (offset >= 0 && offset <= this.file.size) this.sent = offset;
    this.id = a.header("Posthouse-File") ?? "";
    this.changed();
  }

  private request(method: string, url: string, headers: Record<string, string>, body: Blob | null = null, progress?: (n: number) => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const x = new XMLHttpRequest();
      this.xhr = x;
      x.open(method, url);
      x.setRequestHeader("Tus-Resumable", "1.0.0");
      x.setRequestHeader("Posthouse-Language", lang);
      for (const [k, v] of Object.entries(headers)) x.setRequestHeader(k, v);
      if (progress) x.upload.onprogress = (e) => progress(e.loaded);
      x.onload = () => {
        const a: Answer = { status: x.status, header: (n) => x.getResponseHeader(n), text: x.responseText };
        if (x.status >= 200 && x.status < 300) resolve(a);
        else reject(refusal(a));
      };
      x.onerror = x.onabort = () => reject(new RpcError("network", ""));
      x.send(body);
    });
  }
}

function refusal(a: Answer): RpcError {
  try {
    const b = JSON.parse(a.text) as ErrorBody;
    return new RpcError(b.data.kind, b.message, b.data.retry_after_ms ?? 0, "", b.data.trace ?? "", a.status);
  } catch {
    return new RpcError("answer", t("upload.refused"), 0, "", "", a.status);
  }
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
