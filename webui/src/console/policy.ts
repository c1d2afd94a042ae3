// The one policy that turns text into HTML: what this server sent as HTML.

import htmx from "../../vendor/htmx/htmx.esm.min.js";

interface Policy {
  createHTML(text: string): string;
}

const factory = (window as unknown as { trustedTypes?: { createPolicy(name: string, rules: Policy): Policy } }).trustedTypes;
const rules: Policy = { createHTML: (text) => text };
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
