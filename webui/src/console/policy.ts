// The one policy that turns text into HTML: what this server sent as HTML; and
// into the address of a script: that of the chat's worker.

import htmx from "../../vendor/htmx/htmx.esm.min.js";

interface Policy {
  createHTML(text: string): string;
  createScriptURL(url: string): string;
}

const factory = (window as unknown as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } }).trustedTypes;
const worker = "/sw.js";
const rules: Policy = {
  createHTML: (text) => text,
  createScriptURL: (url) => {
    if (url !== worker) throw new TypeError("not a script of this page");
    return url;
  },
};
const policy = factory ? factory.createPolicy("posthouse", rules) : rules;

htmx.registerExtension("posthouse", {
  init: (api) => api.initSecurity({ createHTML: (text) => policy.createHTML(text), createScript: () => "" }),
});

// fragment makes nodes of HTML that this server sent.
export function fragment(html: string): DocumentFragment {
  const t = document.createElement("template");
  t.innerHTML = policy.createHTML(html);
  return t.content;
}

// workerAddress is that of the chat's service worker.
export function workerAddress(): string {
  return policy.createScriptURL(worker);
}
