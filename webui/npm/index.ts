// The published client of the protocol for browsers and Node: the connection of
// the chat client with a queue behind it that keeps the promises of index.d.ts.
//
// Events wait in one queue, across connections, and are handed over one after
// another. A message is recognised by its number in its room, any other event of
// the newest position by its text: after a break that position is asked for
// once more, since a connection may end between two events of one record.
// A hole in a room, or what a reset skipped, is fetched before anything that
// came after it is handed over.

import type { Event, ID, Message, Method, Methods, Room, SendParams, Sent, User } from "../src/api";
import { Connection, type SocketLike } from "../src/connection";
import { uuid7 } from "../src/outbox";
import { RpcError, passing } from "../src/rpc";

export type * from "../src/api";

/** What the connection does; until is a time in ms. */
export type Link = { state: "connecting" } | { state: "online" } | { state: "waiting"; until: number } | { state: "offline" } | { state: "stopped" };

/** Every refusal and failure of a call is one. */
export interface CallError extends Error {
  /** A kind of the protocol, or what the client found: not reached, no answer in time, or an answer that is not of the protocol. */
  readonly kind: import("../src/api").Kind | "network" | "timeout" | "answer";
  /** Milliseconds to wait before trying again; 0 when the server named none. */
  readonly retryAfter: number;
  /** The parameter that was refused, or empty. */
  readonly field: string;
  /** Finds the request in the server's log, or empty. */
  readonly trace: string;
}

export interface Options {
  /** Address of the server: https://host:port, or http:// on the same machine. */
  url: string;
  /** Device token of an account. Left out in a page that the server itself serves: then its cookie counts. */
  token?: string;
  /** The WebSocket class, where it is not global: that of the package ws in Node before 22. */
  WebSocket?: new (url: string) => unknown;
  /** Language of error texts. */
  lang?: "en" | "zh";
  /** Resume where an earlier client was: its since. Without it the stream begins now. */
  since?: number;
}

/** What on() tells of, beside the events of the protocol. */
export interface Signals {
  /** All rooms, at the first connection without since and whenever the server began anew: drop what you knew, but go on with the messages, which follow without a hole. */
  rooms: Room[];
  /** The connection changed. */
  link: Link;
  /** The client is closed for good: error says why the server refused it; none after close(). */
  closed: CallError | undefined;
}

type Told = Exclude<Event, { type: "drain" | "reset" }>;

/** A connected account. Messages of a room arrive once each, in order, without a hole; other events that are records at least once. */
export interface Client {
  /** The account of the token. */
  readonly user: User;
  readonly device: ID;
  readonly link: Link;
  /** Where to resume in a later run; keep it after your handlers have done their work. The events of the last record before it come once more. */
  readonly since: number;
  /** Calls a method of the table. It waits for the connection. With a key in params it is tried until it is answered and happens once; without one a break during the call rejects it with kind "network", and whether it happened is not known. */
  call<M extends Method>(method: M, params: Methods[M]["params"]): Promise<Methods[M]["result"]>;
  /** Sends a message, once, however often the connection breaks; messages to one room in the order of the calls. Resolves when it is on disk. */
  send(room: ID, text: string, more?: Partial<SendParams>): Promise<Sent>;
  /** Calls f for every event of a type: with its data and, for records, its position. Returns what ends that. */
  on<T extends Told["type"]>(type: T, f: (data: Extract<Told, { type: T }>["data"], position: number) => unknown): () => void;
  on<S extends keyof Signals>(signal: S, f: (data: Signals[S]) => unknown): () => void;
  /** Ends the connection and every call under way. */
  close(): void;
}

/** A key for message.send, message.forward and room.create: a UUID of version 7. */
export function newKey(): string {
  return uuid7(Date.now(), (n) => crypto.getRandomValues(new Uint8Array(n)));
}

/** Connects and stays connected. Rejects when the server refuses the token; while the server is away it goes on trying. */
export function connect(options: Options): Promise<Client> {
  const url = new URL(options.url);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new TypeError(`url: ${options.url} is not http(s)://host[:port]`);
  const Socket = options.WebSocket ?? (globalThis as { WebSocket?: unknown }).WebSocket;
  if (!Socket) throw new TypeError("there is no global WebSocket here: pass one as the option WebSocket, such as that of the package ws");
  return new Promise((resolve, reject) => new Stream(options, url, Socket as new (url: string) => SocketLike, resolve, reject));
}

const page = 200;

class Stream implements Client {
  user!: User;
  device: ID = "";
  private readonly connection: Connection;
  private readonly handlers = new Map<string, Set<(data: never, position: number) => unknown>>();
  private readonly heads = new Map<ID, number>();
  private readonly sending = new Map<ID, Promise<unknown>>();
  private readonly waiting = new Set<() => void>(); // for the connection, or the end
  private seen = new Set<string>(); // events of the newest position
  private position: number;
  private queue: (() => void | Promise<void>)[] = [];
  private running = true; // until connect's caller has had its chance to say on()
  private closed = false;
  private started = false;

  constructor(o: Options, url: URL, Socket: new (url: string) => SocketLike, resolve: (c: Client) => void, reject: (e: Error) => void) {
    this.position = o.since ? o.since + 1 : 0;
    const address = url.href.replace(/^http/, "ws").replace(/[?#].*$/, "").replace(/\/*$/, "") + "/api/ws?lang=" + (o.lang ?? "en");
    this.connection = new Connection({
      now: () => Date.now(),
      random: () => Math.random(),
      after: (ms, f) => setTimeout(f, ms),
      cancel: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout> | undefined),
      dial: () => Object.assign(new Socket(address), { onerror: () => {} }), // the close that follows tells
      network: () => true,
      ...(o.token === undefined ? {} : { token: o.token }),
    }, {
      link: (link) => this.tell("link", link),
      since: () => this.since,
      position: () => this.position,
      started: (s) => {
        this.user = s.user;
        this.device = s.device;
        if (s.reset) this.put(() => this.reset(s.position, s.rooms ?? []));
      },
      event: (e) => this.put(() => this.event(e)),
      ready: () => {
        if (!this.started) {
          resolve(this);
          setTimeout(() => void this.run(), 0);
        }
        this.started = true;
        this.wake();
      },
      lost: (e) => {
        if (e?.kind !== "unauthenticated") return;
        this.end(e);
        reject(e);
      },
    });
    this.connection.start();
  }

  get link(): Link {
    return this.connection.link;
  }

  get since(): number {
    return Math.max(0, this.position - 1);
  }

  on(type: string, f: (data: never, position: number) => unknown): () => void {
    const all = this.handlers.get(type) ?? new Set();
    this.handlers.set(type, all.add(f));
    return () => void all.delete(f);
  }

  close(): void {
    this.end(undefined);
  }

  async call<M extends Method>(method: M, params: Methods[M]["params"]): Promise<Methods[M]["result"]> {
    const again = typeof (params as { key?: unknown }).key === "string";
    for (let n = 0; ; n++) {
      await this.online();
      try {
        return await this.connection.call(method, params);
      } catch (e) {
        if (!again || this.closed || !passing(e)) throw e;
        if (this.connection.online) await this.pause(Math.max((e as RpcError).retryAfter, Math.min(30000, 250 * 2 ** n)));
      }
    }
  }

  send(room: ID, text: string, more: Partial<SendParams> = {}): Promise<Sent> {
    const params = { key: newKey(), ...more, room, text };
    const sent = (this.sending.get(room) ?? Promise.resolve()).then(() => this.call("message.send", params));
    const done = sent.catch(() => {}).then(() => {
      if (this.sending.get(room) === done) this.sending.delete(room);
    });
    this.sending.set(room, done);
    return sent;
  }

  private end(e: RpcError | undefined): void {
    if (this.closed) return;
    this.closed = true;
    this.queue = [];
    this.connection.stop();
    this.wake();
    this.tell("closed", e);
  }

  private wake(): void {
    for (const f of [...this.waiting]) f();
  }

  private async online(): Promise<void> {
    while (!this.closed && !this.connection.online) await this.until(() => {});
    if (this.closed) throw new RpcError("network", "the client is closed");
  }

  private pause(ms: number): Promise<void> {
    return this.until((f) => void setTimeout(f, ms));
  }

  private until(start: (f: () => void) => void): Promise<void> {
    return new Promise((resolve) => {
      const f = () => {
        this.waiting.delete(f);
        resolve();
      };
      this.waiting.add(f);
      start(f);
    });
  }

  private put(step: () => void | Promise<void>): void {
    this.queue.push(step);
    if (!this.running) void this.run();
  }

  private async run(): Promise<void> {
    this.running = true;
    for (let step = this.queue.shift(); step; step = this.queue.shift()) {
      const later = step();
      if (later) await later;
    }
    this.running = false;
  }

  private event(e: Event): void | Promise<void> {
    if (!e.position) return this.tell(e.type, e.data, 0);
    if (e.position < this.position) return;
    const text = e.type + JSON.stringify(e.data);
    if (e.position === this.position && this.seen.has(text)) return;
    const take = () => {
      if (this.closed) return;
      if (e.position !== this.position) this.seen = new Set();
      this.seen.add(text);
      this.position = e.position!;
      if (e.type === "message") this.message(e.data);
      else this.tell(e.type, e.data, e.position!);
      if (e.type === "left") this.heads.delete(e.data.room);
    };
    const head = e.type === "message" ? this.heads.get(e.data.room) : undefined;
    if (e.type === "message" && head !== undefined && e.data.seq > head + 1) return this.fill(e.data.room, e.data.seq).then(take);
    take();
  }

  private message(m: Message): void {
    if (m.seq <= (this.heads.get(m.room) ?? -1)) return;
    this.heads.set(m.room, m.seq);
    this.tell("message", m, m.position);
  }

  private async reset(position: number, rooms: Room[]): Promise<void> {
    const before = new Map(this.heads);
    this.heads.clear();
    for (const r of rooms) this.heads.set(r.id, before.get(r.id) ?? r.head);
    this.position = position;
    this.seen = new Set();
    this.tell("rooms", rooms, 0);
    for (const r of rooms) if (this.heads.get(r.id)! < r.head) await this.fill(r.id, r.head + 1);
  }

  // fill fetches and hands over what stands before an entry of a room.
  private async fill(room: ID, before: number): Promise<void> {
    while (!this.closed && this.heads.get(room)! + 1 < before) {
      const after = this.heads.get(room)!;
      try {
        const got = await this.call("room.history", after > 0 ? { room, after, limit: page } : { room, from_start: true, limit: page });
        for (const m of got.messages) if (m.seq < before && !this.closed) this.message(m);
        if (this.heads.get(room) === after) return; // the server has no more
      } catch (e) {
        if (!passing(e)) return; // no longer a member: the event that says so follows
        await this.pause(1000);
      }
    }
  }

  // tell calls the handlers. What one of them throws is theirs and ends nothing
  // here.
  private tell(type: string, data: unknown, position = 0): void {
    for (const f of [...(this.handlers.get(type) ?? [])]) {
      try {
        f(data as never, position);
      } catch (e) {
        queueMicrotask(() => {
          throw e;
        });
      }
    }
  }
}
