// The client of one logged-in account: it owns the store, the connection and
// the outbox, makes the calls that the store asks for, and offers the views
// what a person can do.

import type { Event, History, ID, Message, Method, User } from "./api";
import { socketOnly } from "./api";
import { Connection, type Env } from "./connection";
import { explain, lang } from "./lang";
import { Outbox, grace, params, uuid7, type Draft, type Pending } from "./outbox";
import { notifyEntry, prefsOf, roomEntry, roomKey, type Prefs, type RoomPrefs } from "./prefs";
import { keepResident } from "./resident";
import { RpcError, passing, post, type Params, type Result } from "./rpc";
import { statusOf, threadKey } from "./state";
import { Store, type Need } from "./store";

const pageSize = 50;
const windowMax = 300; // messages of a room in the page at once
const typingEvery = 3000; // ms
const usersAtOnce = 500;
const watchMax = 500; // people, as the server has it
const keepAfter = 3000; // ms after a connection until what opens the page without one is kept

function browser(): Env {
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    after: (ms, f) => setTimeout(f, ms),
    cancel: (timer) => clearTimeout(timer as number | undefined),
    dial: () => new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + location.host + "/api/ws?lang=" + lang) as unknown as ReturnType<Env["dial"]>,
    network: () => navigator.onLine !== false,
  };
}

export class Client {
  readonly store = new Store();
  readonly connection: Connection;
  outbox: Outbox;
  messageBytes = 0; // of a text, at most; 0 until the server has told
  private sending = new Set<ID>(); // rooms
  private pauses = new Map<ID, number>(); // room → failures in a row
  private wanted = new Set<ID>();
  private asked = new Set<ID>();
  private usersTimer = 0;
  private rooms = new Set<ID>();
  private roomsTimer = 0;
  private loading = new Map<string, Promise<void>>();
  private typed = 0;
  private reading = new Map<ID, number>();
  private probing = false;
  private checkTimer = 0;
  private watchers = new Map<object, ID[]>(); // views and whom they show
  private watchTimer = 0;
  private keepTimer = 0;

  readonly user: ID;
  private listeners = new Set<(e: Event) => void>();

  constructor(user: User, device: ID, private readonly loggedOut: () => void) {
    this.store.dispatch({ type: "me", user, device });
    this.user = user.id;
    this.outbox = new Outbox(storage(), user.id);
    this.publish();
    this.store.onNeed((n) => this.need(n));
    this.connection = new Connection(browser(), {
      link: (link) => this.store.dispatch({ type: "link", link }),
      // A record may become several events of one position. Whether the last of
      // them had arrived cannot be known: ask for that position once more.
      since: () => Math.max(0, this.store.state.position - 1),
      position: () => this.store.state.position,
      started: (start) => {
        // Somebody else has logged in meanwhile, in another tab of this browser.
        if (start.user.id !== this.user) return location.reload();
        this.store.dispatch({ type: "start", start, now: Date.now() });
      },
      event: (event) => {
        this.store.dispatch({ type: "event", event, now: Date.now() });
        for (const f of this.listeners) f(event);
      },
      ready: () => this.ready(),
      lost: () => void this.probe(),
    });
  }

  start(): void {
    this.connection.start();
    addEventListener("online", this.online);
    addEventListener("storage", this.otherTab);
    addEventListener("beforeunload", this.leaving);
    addEventListener("offline", this.offline);
    document.addEventListener("visibilitychange", this.visible);
    addEventListener("pagehide", this.keep);
    void this.checkServer();
  }

  stop(): void {
    this.connection.stop();
    removeEventListener("online", this.online);
    removeEventListener("storage", this.otherTab);
    removeEventListener("beforeunload", this.leaving);
    removeEventListener("offline", this.offline);
    document.removeEventListener("visibilitychange", this.visible);
    removeEventListener("pagehide", this.keep);
    clearTimeout(this.checkTimer);
    clearTimeout(this.keepTimer);
  }

  private otherTab = (e: StorageEvent) => {
    if (!this.outbox.heard(e.key, e.newValue, Date.now())) return;
    this.publish();
    this.flush();
    setTimeout(() => this.flush(), grace + 100);
  };
  // leaving asks before a page goes whose messages the storage did not take.
  private leaving = (e: BeforeUnloadEvent) => {
    if (this.outbox.unkept) e.preventDefault();
  };

  private keep = () => keepResident(this.store.state);

  private online = () => this.connection.now();
  private offline = () => this.connection.away();
  private visible = () => {
    if (document.hidden) this.keep();
    else this.connection.now();
  };

  // listen hears every event after the store has taken it; events before the
  // last position, which come again after a break, too.
  listen(f: (e: Event) => void): () => void {
    this.listeners.add(f);
    return () => void this.listeners.delete(f);
  }

  // call uses the socket when it stands, else HTTP.
  async call<M extends Method>(method: M, p: Params<M>): Promise<Result<M>> {
    try {
      if (this.connection.online || socketOnly.includes(method)) return await this.connection.call(method, p);
      return await post(method, p, lang);
    } catch (e) {
      if (e instanceof RpcError && e.kind === "unauthenticated") void this.probe();
      if (e instanceof RpcError && e.kind === "unavailable") void this.checkServer();
      throw e;
    }
  }

  private ready(): void {
    const s = this.store.state;
    const peers = [...s.rooms.values()].flatMap((r) => (r.room.peer ? [r.room.peer] : []));
    this.wantUsers(peers);
    void this.watch();
    clearTimeout(this.keepTimer);
    this.keepTimer = window.setTimeout(this.keep, keepAfter);
    if (!s.prefs.loaded) void this.loadPrefs();
    this.asked.clear();
    this.flush();
    void this.checkServer();
  }

  // watchFor watches the presence of people whom a view shows; nobody ends it.
  watchFor(view: object, users: ID[]): void {
    if (users.length) this.watchers.set(view, users);
    else if (!this.watchers.delete(view)) return;
    clearTimeout(this.watchTimer);
    this.watchTimer = window.setTimeout(() => void this.watch(), 50);
  }

  // watch asks for the presence of the people one sees and talks with.
  private async watch(): Promise<void> {
    const peers = [...this.store.state.rooms.values()].flatMap((r) => (r.room.peer ? [r.room.peer] : []));
    const users = [...new Set([...[...this.watchers.values()].flat(), ...peers])].slice(0, watchMax);
    try {
      const r = await this.connection.call("presence.watch", { users });
      this.store.dispatch({ type: "presence", list: r.presence, all: true });
    } catch {
      // Presence is a courtesy; the next connection asks again.
    }
  }

  // probe finds out why there is no connection: a refused WebSocket does not
  // tell a browser that the session is over.
  private async probe(): Promise<void> {
    if (this.probing) return;
    this.probing = true;
    try {
      await post("session.me", {}, lang);
    } catch (e) {
      if (e instanceof RpcError && e.kind === "unauthenticated") {
        this.stop();
        this.loggedOut();
      }
    } finally {
      this.probing = false;
    }
  }

  // checkServer asks whether the server takes messages, and goes on asking
  // while it does not.
  private async checkServer(): Promise<void> {
    clearTimeout(this.checkTimer);
    try {
      const info = await post("server.info", {}, lang);
      const was = this.store.state.readOnly;
      this.messageBytes = info.message_bytes;
      this.store.dispatch({ type: "server", organisation: info.organisation, ready: info.ready });
      if (info.ready && was) this.flush();
      if (!info.ready) this.checkTimer = window.setTimeout(() => void this.checkServer(), 10000);
    } catch {
      // Not reached: the next connection asks again.
    }
  }

  private need(n: Need): void {
    if (n.need === "arrived") {
      if (this.outbox.remove(n.key)) this.publish();
    } else if (n.need === "room") {
      this.rooms.add(n.room);
      clearTimeout(this.roomsTimer);
      this.roomsTimer = window.setTimeout(() => void this.loadRooms(), 100);
    } else {
      void this.fillHole(n.room, n.after);
    }
  }

  private async loadRooms(): Promise<void> {
    const ids = [...this.rooms];
    this.rooms.clear();
    for (const room of ids) {
      try {
        const r = await this.call("room.get", { room });
        if (!r.room.my_role) continue;
        this.store.dispatch({ type: "room", room: r.room });
        if (r.room.peer && !this.store.state.presence.has(r.room.peer)) void this.watch();
      } catch {
        // Gone, or the connection broke: sync.start brings what is true then.
      }
    }
  }

  // fillHole loads what is missing at the end of a timeline. A long absence
  // is not loaded piece by piece: the newest page replaces it.
  private async fillHole(room: ID, after: number): Promise<void> {
    const head = this.store.state.rooms.get(room)?.room.head ?? 0;
    if (head - after > 4 * pageSize) return this.newest(room);
    return this.later(room);
  }

  // ---- timelines

  private load(room: ID, where: "newest" | "before" | "after" | "around", ask: () => Promise<History>): Promise<void> {
    const key = room + where;
    const running = this.loading.get(key);
    if (running) return running;
    const p = (async () => {
      try {
        const page = await ask();
        this.loading.delete(key);
        this.store.dispatch({ type: "page", room, page, where, max: windowMax });
        this.wantFor(page.messages);
      } finally {
        this.loading.delete(key);
      }
    })();
    this.loading.set(key, p);
    return p;
  }

  newest(room: ID): Promise<void> {
    return this.load(room, "newest", () => this.call("room.history", { room, limit: pageSize }));
  }

  earlier(room: ID): Promise<void> {
    const tl = this.store.state.timelines.get(room);
    const first = tl?.messages[0]?.seq;
    if (!tl || tl.atStart || !first) return Promise.resolve();
    return this.load(room, "before", () => this.call("room.history", { room, before: first, limit: pageSize }));
  }

  later(room: ID): Promise<void> {
    const tl = this.store.state.timelines.get(room);
    const last = tl?.messages.at(-1)?.seq;
    if (!tl || tl.atEnd) return Promise.resolve();
    if (!last) return this.newest(room);
    return this.load(room, "after", () => this.call("room.history", { room, after: last, limit: pageSize }));
  }

  // openThread loads a thread's first message and its newest replies, or, with
  // before, the page of replies before that number.
  async openThread(room: ID, seq: number, before = 0): Promise<void> {
    // What comes while the page is on its way is kept.
    if (!before && !this.store.state.threads.has(threadKey(room, seq))) {
      this.store.dispatch({ type: "thread", room, seq, first: null, page: { messages: [], head: 0, position: 0, more: true }, where: "newest" });
    }
    const [first, page] = await Promise.all([
      before ? null : this.call("room.history", { room, after: seq - 1, from_start: seq === 1, limit: 1 }),
      this.call("room.history", { room, thread: seq, limit: pageSize, ...(before ? { before } : {}) }),
    ]);
    const head = first?.messages[0] ?? null;
    this.store.dispatch({ type: "thread", room, seq, first: head, page: first && first.position < page.position ? { ...page, position: first.position } : page, where: before ? "before" : "newest" });
    this.wantFor(head ? [head, ...page.messages] : page.messages);
  }

  around(room: ID, seq: number): Promise<void> {
    const after = seq - 1 - pageSize / 2;
    return this.load(room, "around", () => this.call("room.history",
      after > 0 ? { room, after, limit: pageSize } : { room, from_start: true, limit: pageSize }));
  }

  // openRoom loads what one sees first. Failures of the rest do no harm.
  async openRoom(room: ID): Promise<void> {
    const s = this.store.state;
    if (!s.rooms.has(room)) {
      const r = await this.call("room.get", { room });
      this.store.dispatch({ type: "room", room: r.room });
    }
    if (!s.timelines.has(room)) await this.newest(room);
    if ((s.rooms.get(room)?.room.members ?? 0) <= 50) await this.loadMembers(room).catch(() => {});
    await this.receipts(room);
  }

  // receipts asks how far one's own messages have got, and once more a little
  // later: the server notes what arrived every second, and what it told before
  // this page was there is not told again.
  private async receipts(room: ID): Promise<void> {
    if (this.store.state.devices.has(room)) return;
    await this.lastReceipts(room).catch(() => {});
    setTimeout(() => void this.lastReceipts(room).catch(() => {}), 2500);
  }

  async loadMembers(room: ID, after?: ID): Promise<{ more: boolean; last?: ID }> {
    const list = await this.call("room.members", after ? { room, after } : { room });
    this.store.dispatch({ type: "members", room, list });
    this.wantUsers(list.members.map((m) => m.user));
    return { more: !!list.more, last: list.members.at(-1)?.user };
  }

  // lastReceipts: what has reached a device has everything before it, so the
  // newest of one's own messages that has arrived is found by halving.
  private async lastReceipts(room: ID): Promise<void> {
    const s = this.store.state;
    const mine = s.timelines.get(room)?.messages.filter((m) => m.sender === s.me?.id && !m.change && !m.recalled) ?? [];
    let low = 0; // below it everything has arrived
    let high = mine.length; // from it on nothing has
    while (low < high && statusOf(s, room, mine[low]!.seq).step !== "stored") low++;
    let at = high - 1; // the newest first: it is the one that most often tells all
    while (low < high) {
      const { id, seq } = mine[at]!;
      const j = await this.call("message.journey", { message: id });
      this.store.dispatch({ type: "steps", room, seq, steps: j.steps });
      if (statusOf(s, room, seq).step === "stored") high = at;
      else low = at + 1;
      at = (low + high) >> 1;
    }
  }

  closeRoom(room: ID): void {
    this.store.dispatch({ type: "trim", room, keep: pageSize });
  }

  // read moves the read mark to the newest entry.
  read(room: ID): void {
    const r = this.store.state.rooms.get(room)?.room;
    if (!r || !r.my_role || r.head <= r.my_read || (this.reading.get(room) ?? 0) >= r.head || !this.connection.online) return;
    const seq = r.head;
    this.reading.set(room, seq);
    this.call("room.read", { room, seq }).catch(() => this.reading.delete(room));
  }

  typing(room: ID): void {
    const now = Date.now();
    if (now - this.typed < typingEvery) return;
    this.typed = now;
    this.connection.notify("room.typing", { room });
  }

  // ---- people

  wantUsers(ids: Iterable<ID>): void {
    for (const id of ids) {
      if (id && !this.store.state.users.has(id) && !this.asked.has(id)) this.wanted.add(id);
    }
    if (!this.wanted.size || this.usersTimer) return;
    this.usersTimer = window.setTimeout(() => {
      this.usersTimer = 0;
      void this.loadUsers();
    }, 20);
  }

  private async loadUsers(): Promise<void> {
    const users = [...this.wanted].slice(0, usersAtOnce);
    for (const id of users) {
      this.wanted.delete(id);
      this.asked.add(id);
    }
    try {
      const r = await this.call("directory.get", { users });
      this.store.dispatch({ type: "users", users: r.users });
    } catch {
      for (const id of users) this.asked.delete(id);
    }
    this.wantUsers([]);
  }

  wantFor(messages: Iterable<Message>): void {
    for (const m of messages) {
      this.wantUsers([m.sender, ...(m.mentions ?? []), ...(m.change?.users ?? [])]);
      if (m.preview) this.wantUsers([m.preview.sender]);
      if (m.forwarded) this.wantUsers([m.forwarded.sender]);
      if (m.recalled) this.wantUsers([m.recalled.by]);
      for (const r of m.reactions ?? []) this.wantUsers(r.users);
    }
  }

  // ---- what the person has set

  private async loadPrefs(): Promise<void> {
    try {
      const [rooms, own] = await Promise.all([this.call("kv.list", { scope: "user", prefix: "room/" }), this.call("kv.list", { scope: "user", prefix: "notify" })]);
      this.store.dispatch({ type: "kv", entries: [...rooms.entries, ...own.entries], all: true });
    } catch {
      // The next connection asks again.
    }
  }

  // setRoom changes what is set for a room, here at once and then on the server;
  // a refusal takes it back.
  setRoom(room: ID, change: Partial<RoomPrefs>): Promise<void> {
    const now = prefsOf(this.store.state, room);
    return this.put(roomKey(room), roomEntry({ ...now, ...change }), roomEntry(now));
  }

  setNotify(change: Partial<Pick<Prefs, "loud" | "hide">>): Promise<void> {
    const { loud, hide } = this.store.state.prefs;
    return this.put("notify", notifyEntry({ loud, hide, ...change }), notifyEntry({ loud, hide }));
  }

  private async put(key: string, value: object | undefined, before: object | undefined): Promise<void> {
    const version = () => this.store.state.prefs.versions.get(key) ?? 0;
    const show = (v: object | undefined) => this.store.dispatch({ type: "kv", entries: [{ key, value: v ?? null, version: version() }], all: false });
    show(value);
    const was = version();
    try {
      await this.call("kv.put", value ? { scope: "user", key, value } : { scope: "user", key });
    } catch (e) {
      if (version() === was) show(before);
      throw e;
    }
  }

  // readAll moves the read mark of every room to its end.
  async readAll(): Promise<void> {
    for (const { room } of [...this.store.state.rooms.values()]) {
      if (room.my_role && room.head > room.my_read) await this.call("room.read", { room: room.id, seq: room.head });
    }
  }

  // ---- sending

  send(room: ID, draft: Draft): void {
    const key = uuid7(Date.now(), (n) => crypto.getRandomValues(new Uint8Array(n)));
    this.outbox.add({ ...draft, key, room, created: Date.now() });
    this.publish();
    this.flush();
  }

  retry(key: string): void {
    this.outbox.retry(key);
    this.publish();
    this.flush();
  }

  drop(key: string): void {
    this.outbox.remove(key);
    this.publish();
  }

  private publish(): void {
    this.store.dispatch({ type: "outbox", entries: this.outbox.entries });
  }

  private flush(): void {
    if (!this.connection.online) return;
    for (const p of this.outbox.next(this.sending, Date.now())) void this.sendOne(p);
  }

  private async sendOne(p: Pending): Promise<void> {
    this.sending.add(p.room);
    let wait = 0;
    try {
      const sent = await this.connection.call("message.send", params(p));
      this.pauses.delete(p.room);
      const r = this.store.state.rooms.get(p.room);
      if (!r || r.room.head >= sent.seq) this.outbox.remove(p.key);
      else this.outbox.stored(p.key, sent.seq, sent.id);
      this.publish();
    } catch (e) {
      if (e instanceof RpcError && e.kind === "unauthenticated") void this.probe();
      else if (passing(e)) {
        const n = (this.pauses.get(p.room) ?? 0) + 1;
        this.pauses.set(p.room, n);
        wait = Math.max((e as RpcError).retryAfter, Math.min(30000, 1000 * 2 ** n));
        if ((e as RpcError).kind === "unavailable") void this.checkServer();
      } else {
        this.outbox.fail(p.key, explain(e));
        this.publish();
      }
    }
    if (wait && this.connection.online) await new Promise((f) => setTimeout(f, wait));
    this.sending.delete(p.room);
    this.flush();
  }
}

function storage(): Storage {
  try {
    localStorage.getItem("posthouse");
    return localStorage;
  } catch {
    return nowhere();
  }
}

// nowhere is a storage for browsers that forbid theirs.
function nowhere(): Storage {
  return { length: 0, key: () => null, getItem: () => null, setItem: () => {}, removeItem: () => {}, clear: () => {} };
}
