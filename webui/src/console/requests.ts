// Requests of htmx: the token of the page goes along, mistakes are said, and
// what comes in is started like the page.

import { t } from "./lang";
import { composesIn } from "./press";
import { failed, toast } from "./toasts";

interface Context {
  target?: Element;
  request: { headers: Record<string, string> };
  response?: { raw: Response };
  text?: string;
}

const context = (e: Event): Context | undefined => (e as CustomEvent<{ ctx?: Context }>).detail?.ctx;

export function token(): string {
  return document.querySelector<HTMLMetaElement>("meta[name=csrf]")?.content ?? "";
}

// wireRequests calls back for every part that htmx put into the page.
export function wireRequests(started: (root: ParentNode) => void): void {
  document.addEventListener("htmx:config:request", (e) => {
    const ctx = context(e);
    if (ctx) ctx.request.headers["X-CSRF-Token"] = token();
  });
  document.addEventListener("htmx:after:request", (e) => {
    const raw = context(e)?.response?.raw;
    if (!raw || raw.status < 400 || raw.status === 422) return;
    if (raw.status === 401) {
      location.assign("/admin/login?to=" + encodeURIComponent(location.pathname + location.search));
      return;
    }
    failed(context(e)?.text?.slice(0, 300) || t("error.status", { status: raw.status }), raw.headers.get("Posthouse-Trace") ?? "");
  });
  document.addEventListener("htmx:error", () => failed(t("error.network")));
  document.addEventListener("htmx:before:swap", (e) => {
    if (composesIn(context(e)?.target)) e.preventDefault(); // a part that comes every few seconds comes again
  });
  document.addEventListener("htmx:after:swap", (e) => {
    const at = e.target;
    if (at instanceof Element) started(at.isConnected ? at : document);
    focusWrong(at instanceof Element && at.isConnected ? at : document);
  });
  document.addEventListener("posthouse:said", (e) => toast(String((e as CustomEvent<{ value?: string }>).detail?.value ?? "")));
}

function focusWrong(root: ParentNode): void {
  root.querySelector<HTMLElement>("[aria-invalid=true]")?.focus();
}

// startForms puts the focus where a form that came back is wrong, and keeps
// one from being sent twice, unless it downloads something (data-again).
export function startForms(root: ParentNode): void {
  focusWrong(root);
  for (const f of root.querySelectorAll<HTMLFormElement>("form[method=post]:not([data-again])")) {
    f.addEventListener("submit", () => setTimeout(() => f.querySelectorAll<HTMLButtonElement>("button").forEach((b) => (b.disabled = true))));
  }
}

// A page that comes back from the cache of the browser can be sent again.
addEventListener("pageshow", (e) => {
  if (e.persisted) document.querySelectorAll<HTMLButtonElement>("form[method=post] button:disabled").forEach((b) => (b.disabled = false));
});
