// The connection: JSON-RPC 2.0 over one WebSocket, kept alive.
//
// It reconnects by itself, first soon, then ever more rarely up to maxWait,
// always with a part of chance so that a hundred tabs do not come back in the
// same moment. A beat that is not answered in time means a dead connection,
// however open the socket looks; a call that waits while nothing at all is heard
// has a beat sent at once, so that whoever writes learns soon of a line that is
// dead. Calls that are under way when it breaks are refused with "network": whether they took place is not known, so
// only calls that are safe to repeat may be repeated.
//
// Every connection begins with sync.start, after session.authenticate when there
// is a token. Events that overtake its answer wait for it.

import type { ErrorBody, Event, Method, SyncStart } from "./api";
import { RpcError, type Params, type Result } from "./rpc";

export type Link =
  | { state: "connecting" }
  | { state: "online" }
  | { state: "waiting"; until: number } // ms
  | { state: "offline" } // the browser says that there is no network
  | { state: "stopped" };

export interface SocketLike {
  onopen: ((e: never) => unknown) | null;
  onmessage: ((e: { data: unknown }) => unknown) | null;
  onclose: ((e: never) => unknown) | null;
  readonly readyState?: number; // 1: open
  send(text: string): void;
  close(): void;
}

// Env is what a connection needs of the world.
export interface Env {
  now(): number; // ms
  random(): number; // 0 ≤ x < 1
  after(ms: number, f: () => void): unknown;
  cancel(timer: unknown): void;
  dial(): SocketLike;
  network(): boolean; // false: certainly none
  token?: string; // logs the socket in where no cookie does
}

export interface Hooks {
  link(link: Link): void;
  since(): number; // where sync.start begins
  position(): number; // what has arrived
  started(s: SyncStart): void;
  event(e: Event): void;
  ready(): void; // started, and the events that waited are through
  lost(e?: RpcError): void; // a connection, or an attempt at one, ended; e: the server refused it
}

const firstWait = 500;
const maxWait = 30000;
const callTimeout = 30000;
const startTimeout = 20000;
const ackPause = 150;
const beatPatience = 10000; // ms that a beat may wait for its answer, at most
const doubt = 4000; // ms of silence after a call until one asks whether anybody is there

// backoff is the wait before attempt n (from 0), ms.
export function backoff(attempt: number, random: number): number {
  const top = Math.min(maxWait, firstWait * 2 ** Math.min(attempt, 10));
  return Math.round(top / 2 + (random * top) / 2);
}

interface Waiting {
  resolve(v: unknown): void;
  reject(e: RpcError): void;
  timer: unknown;
  asks: unknown; // the timer of a beat because of this call
}

export class Connection {
  link: Link = { state: "stopped" };
  private socket: SocketLike | null = null;
  private calls = new Map<number, Waiting>();
  private nextID = 1;
  private attempt = 0;
  private drain = -1;
  private retry: unknown = null;
  private beat: unknown = null;
  private beatEvery = 15000;
  private ack: unknown = null;
  private held: Event[] | null = null;
  private heard = 0; // when the last frame came

  constructor(private readonly env: Env, private readonly hooks: Hooks) {}

  get online(): boolean {
    return this.link.state === "online";
  }

  start(): void {
    if (this.link.state === "stopped") this.dial();
  }

  stop(): void {
    this.set({ state: "stopped" });
    this.cut();
  }

  // now ends a wait. On a connection that stands it asks for a sign of life.
  now(): void {
    if (this.link.state === "waiting" || this.link.state === "offline") this.dial();
    else if (this.online) this.ping(5000);
  }

  // away notes that the network is gone.
  away(): void {
    if (this.link.state === "stopped") return;
    this.cut();
    this.set({ state: "offline" });
  }

  call<M extends Method>(method: M, params: Params<M>, timeout = callTimeout): Promise<Result<M>> {
    const socket = this.socket;
    if (!socket) return Promise.reject(new RpcError("network", ""));
    const id = this.nextID++;
    const began = this.env.now();
    return new Promise((resolve, reject) => {
      const timer = this.env.after(timeout, () => {
        this.calls.delete(id);
        reject(new RpcError("timeout", ""));
      });
      const asks = method === "sync.ping" ? null : this.env.after(doubt, () => {
        if (this.socket === socket && this.online && this.heard <= began) this.ping(doubt);
      });
      this.calls.set(id, { resolve: resolve as (v: unknown) => void, reject, timer, asks });
      socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }

  notify<M extends Method>(method: M, params: Params<M>): void {
    // One that the server is closing takes nothing more, and says so aloud.
    if (this.online && (this.socket?.readyState ?? 1) === 1) this.socket?.send(JSON.stringify({ jsonrpc: "2.0", method, params }));
  }

  private dial(): void {
    this.env.cancel(this.retry);
    if (!this.env.network()) return this.set({ state: "offline" });
    this.set({ state: "connecting" });
    let socket: SocketLike;
    try {
      socket = this.env.dial();
    } catch {
      return this.broken();
    }
    this.socket = socket;
    const mine = () => this.socket === socket;
    socket.onopen = () => {
      if (mine()) this.greet();
    };
    socket.onmessage = (e) => {
      if (mine() && typeof e.data === "string") this.frame(e.data);
    };
    socket.onclose = () => {
      if (mine()) this.broken();
    };
    this.beat = this.env.after(startTimeout, () => {
      if (mine()) this.broken();
    });
  }

  private greet(): void {
    const { socket, env: { token } } = this;
    if (token === undefined) return this.sync();
    this.call("session.authenticate", { token }, startTimeout).then(
      () => {
        if (this.socket === socket) this.sync();
      },
      (e: RpcError) => {
        if (this.socket === socket) this.broken(e);
      },
    );
  }

  private sync(): void {
    const socket = this.socket;
    this.held = [];
    this.call("sync.start", { since: this.hooks.since() }, startTimeout).then(
      (s) => {
        if (this.socket !== socket) return;
        this.attempt = 0;
        this.drain = -1;
        this.beatEvery = Math.max(1000, s.heartbeat_ms || 15000);
        this.hooks.started(s);
        const held = this.held ?? [];
        this.held = null;
        for (const e of held) this.deliver(e);
        if (s.reset) this.confirm(); // the heads of all rooms have arrived
        this.set({ state: "online" });
        this.schedule();
        this.hooks.ready();
      },
      (e: RpcError) => {
        if (this.socket === socket) this.broken(e);
      },
    );
  }

  private schedule(): void {
    this.env.cancel(this.beat);
    this.beat = this.env.after(this.beatEvery, () => this.ping(Math.min(this.beatEvery, beatPatience)));
  }

  private ping(patience: number): void {
    const socket = this.socket;
    this.env.cancel(this.beat);
    this.call("sync.ping", {}, patience).then(
      () => {
        if (this.socket === socket) this.schedule();
      },
      (e: RpcError) => {
        if (this.socket !== socket) return;
        if (e.kind === "timeout" || e.kind === "unauthenticated") this.broken();
        else this.schedule();
      },
    );
  }

  private frame(text: string): void {
    let f: { id?: number; method?: string; params?: unknown; result?: unknown; error?: ErrorBody };
    try {
      f = JSON.parse(text);
    } catch {
      return this.broken();
    }
    this.heard = this.env.now();
    if (f.method === "event") {
      const e = f.params as Event;
      if (this.held) this.held.push(e);
      else this.deliver(e);
      return;
    }
    const w = typeof f.id === "number" ? this.calls.get(f.id) : undefined;
    if (!w) return;
    this.calls.delete(f.id!);
    this.env.cancel(w.timer);
    this.env.cancel(w.asks);
    if (f.error) w.reject(RpcError.of(f.error));
    else w.resolve(f.result);
  }

  private deliver(e: Event): void {
    if (e.type === "drain") {
      this.drain = e.data.reconnect_after_ms;
      return;
    }
    if (e.type === "reset") {
      this.sync();
      return;
    }
    this.hooks.event(e);
    if (e.position) this.confirm();
  }

  // confirm tells the server soon how far this device has come.
  private confirm(): void {
    if (this.ack !== null) return;
    this.ack = this.env.after(ackPause, () => {
      this.ack = null;
      const position = this.hooks.position();
      if (position > 0) this.notify("sync.ack", { position });
    });
  }

  // cut ends the socket and refuses what was under way.
  private cut(): void {
    const socket = this.socket;
    this.socket = null;
    this.held = null;
    for (const t of [this.beat, this.retry, this.ack]) this.env.cancel(t);
    this.ack = null;
    const calls = [...this.calls.values()];
    this.calls.clear();
    for (const w of calls) {
      this.env.cancel(w.timer);
      this.env.cancel(w.asks);
      w.reject(new RpcError("network", ""));
    }
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }

  private broken(e?: RpcError): void {
    this.cut();
    if (this.link.state === "stopped") return;
    let wait = backoff(this.attempt++, this.env.random());
    if (this.drain >= 0) {
      wait = Math.round(this.drain * (1 + this.env.random() / 2)) + 200;
      this.drain = -1;
    }
    this.set({ state: "waiting", until: this.env.now() + wait });
    this.retry = this.env.after(wait, () => this.dial());
    this.hooks.lost(e);
  }

  private set(link: Link): void {
    this.link = link;
    this.hooks.link(link);
  }
}
