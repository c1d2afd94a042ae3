// The service worker of a server that wants none: it takes the place of the one
// that browsers have, throws away what that one kept, and goes.

interface Scope {
  clients: { matchAll(o: object): Promise<{ postMessage(m: unknown): void }[]> };
  registration: { unregister(): Promise<boolean> };
  skipWaiting(): Promise<void>;
  addEventListener(type: string, f: (e: { waitUntil(p: Promise<unknown>): void }) => void): void;
}

const scope = self as unknown as Scope;

async function leave(): Promise<void> {
  for (const name of await caches.keys()) if (name.startsWith("posthouse-")) await caches.delete(name);
  await scope.registration.unregister();
  for (const c of await scope.clients.matchAll({ type: "window", includeUncontrolled: true })) c.postMessage({ gone: true });
}

scope.addEventListener("install", (e) => e.waitUntil(scope.skipWaiting()));
scope.addEventListener("activate", (e) => e.waitUntil(leave()));

export {};
