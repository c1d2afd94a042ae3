// The page as an app of the device: its service worker, its installation, and
// the news that the server has a newer page.

import { h } from "./dom";
import type { Feature } from "./frame";
import { t } from "./lang";

export interface AppState {
  offline: "ready" | "wait" | "insecure" | "untrusted" | "missing" | "off";
  installed: boolean;
  canInstall: boolean;
}

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>;
}

const lookEvery = 3600 * 1000; // ms between two looks for a newer page

let offline: AppState["offline"] = "wait";
let offer: InstallPrompt | null = null;
const listeners = new Set<() => void>();

function changed(to: AppState["offline"] = offline): void {
  offline = to;
  for (const f of listeners) f();
}

export function onApp(f: () => void): () => void {
  listeners.add(f);
  return () => void listeners.delete(f);
}

export function appState(): AppState {
  return { offline, installed: matchMedia("(display-mode: standalone)").matches, canInstall: offer !== null };
}

export async function install(): Promise<void> {
  const o = offer;
  offer = null;
  await o?.prompt().catch(() => {});
  changed();
}

// address is the worker's as the policy of the page wants it: made by a policy
// that knows this one address only.
function address(): string {
  const types = (window as unknown as { trustedTypes?: { createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): string } } }).trustedTypes;
  const only = (url: string) => {
    if (url !== "/sw.js") throw new TypeError("not a script of this page");
    return url;
  };
  return types ? types.createPolicy("posthouse", { createScriptURL: only }).createScriptURL("/sw.js") : "/sw.js";
}

// startApp is called once per page.
export function startApp(): void {
  addEventListener("beforeinstallprompt", (e) => {
    e.preventDefault();
    offer = e as InstallPrompt;
    changed();
  });
  addEventListener("appinstalled", () => {
    offer = null;
    changed();
  });
  if (!isSecureContext) return changed("insecure");
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!workers) return changed("missing");
  workers.addEventListener("message", (e: MessageEvent) => {
    if ((e.data as { gone?: boolean } | null)?.gone) changed("off");
  });
  // Beside the first drawing, not before it.
  const begin = () => {
    workers.register(address(), { scope: "/", updateViaCache: "none" }).then(() => workers.ready).then(
      () => offline === "off" || changed("ready"),
      (e: unknown) => changed(e instanceof DOMException && e.name === "SecurityError" ? "untrusted" : "missing"));
  };
  if (document.readyState === "complete") begin();
  else addEventListener("load", begin, { once: true });
}

// forget removes the worker and what it keeps; the next page makes it anew.
export async function forget(): Promise<void> {
  for (const r of await navigator.serviceWorker.getRegistrations()) await r.unregister();
  for (const name of await caches.keys()) if (name.startsWith("posthouse-")) await caches.delete(name);
  changed("wait");
}

const own = () => document.querySelector<HTMLScriptElement>('script[src^="/assets/app."]')?.getAttribute("src") ?? "";

// newer asks whether the server has another page than this one.
async function newer(): Promise<boolean> {
  try {
    const answer = await fetch("/", { cache: "no-cache", credentials: "omit" });
    const script = /\/assets\/app\.[0-9a-f]+\.js/.exec(answer.ok ? await answer.text() : "");
    return !!script && script[0] !== own();
  } catch {
    return false;
  }
}

export const appFeature: Feature = {
  start(f) {
    let was = "";
    const look = async () => {
      if (await newer()) news.hidden = false;
    };
    const timer = setInterval(() => void look(), lookEvery);
    const stop = f.client.store.listen((topics) => {
      if (!topics.has("link")) return;
      const { state } = f.client.store.state.link;
      // After a break: the server may have been replaced meanwhile.
      if (state === "online" && was !== "online" && was !== "") void look();
      if (state === "online" || state === "waiting" || state === "offline") was = state;
    });
    return () => {
      clearInterval(timer);
      stop();
    };
  },
  banner: () => news,
};

const news = h("p", { class: "banner news", role: "status", hidden: true }, t("app.newversion"), " ", h("button", { type: "button", onclick: () => location.reload() }, t("app.reload")));
