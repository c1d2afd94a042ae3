// The service worker: the page opens at once and without a connection.
//
// It keeps the shell and the assets of one version, which it is made with, and
// nothing else: never an answer of the API, never a file. Opening the page asks
// the server first, so that a new version is never hidden by an old copy; the
// copy is for a server that does not answer soon. An error here means the
// network. A new worker takes over at once: what it keeps is addressed by hashes,
// and pages that are open need nothing of the old one.

// What is kept, by the program that makes the bundle: JSON of Kept.
declare const KEPT: string;

interface Kept {
  version: string;
  script: string; // the shell that is kept must name it
  files: string[];
}

interface Scope {
  clients: { claim(): Promise<void>; matchAll(o: object): Promise<Window[]>; openWindow(url: string): Promise<unknown> };
  registration: { unregister(): Promise<boolean> };
  skipWaiting(): Promise<void>;
  addEventListener(type: string, f: (e: Happening) => void): void;
}

interface Window {
  url: string;
  focus(): Promise<Window>;
  postMessage(m: unknown): void;
}

interface Happening {
  waitUntil(p: Promise<unknown>): void;
  respondWith(p: Promise<Response>): void;
  request: Request;
  notification: { data: { room?: string } | null; close(): void };
}

const kept = JSON.parse(KEPT) as Kept;
const shelf = "posthouse-" + kept.version;
const patience = 2500; // ms until the copy is shown
const scope = self as unknown as Scope;

async function fill(): Promise<void> {
  const cache = await caches.open(shelf);
  const shell = await fetch("/", { cache: "reload", credentials: "omit" });
  if (!shell.ok || !(await shell.clone().text()).includes(kept.script)) throw new Error("the page is of another version");
  await cache.put("/", shell);
  await cache.addAll(kept.files);
}

async function sweep(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith("posthouse-") && name !== shelf) await caches.delete(name);
}

async function page(r: Request): Promise<Response> {
  const asked = fetch(r);
  const late = new Promise<null>((f) => setTimeout(() => f(null), patience));
  const answer = await Promise.race([asked, late]).catch(() => null);
  if (answer && answer.status < 500) return answer;
  return (await caches.match("/", { cacheName: shelf, ignoreVary: true }).catch(() => undefined)) ?? asked;
}

async function asset(r: Request): Promise<Response> {
  return (await caches.match(r, { cacheName: shelf, ignoreVary: true, ignoreSearch: true }).catch(() => undefined)) ?? fetch(r);
}

async function opened(room: string | undefined): Promise<void> {
  const address = "/#/" + (room && /^[\w-]+$/.test(room) ? "room/" + room : "");
  const [first] = await scope.clients.matchAll({ type: "window", includeUncontrolled: true });
  if (!first) return void (await scope.clients.openWindow(address));
  first.postMessage({ room });
  await first.focus();
}

scope.addEventListener("install", (e) => e.waitUntil(fill().then(() => scope.skipWaiting())));
scope.addEventListener("activate", (e) => e.waitUntil(sweep().then(() => scope.clients.claim())));
scope.addEventListener("fetch", (e) => {
  const r = e.request;
  const at = new URL(r.url);
  if (r.method !== "GET" || at.origin !== location.origin) return;
  if (r.mode === "navigate" && at.pathname === "/") e.respondWith(page(r));
  else if (kept.files.includes(at.pathname)) e.respondWith(asset(r));
});
scope.addEventListener("notificationclick", (e) => {
  e.notification.close();
  e.waitUntil(opened(e.notification.data?.room));
});

export {};
