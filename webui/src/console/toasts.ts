// Toasts: what was done goes away by itself, what went wrong stays until it is
// dismissed.

import { t } from "./lang";

const stays = 6000; // ms

function put(where: string, text: string, detail = ""): HTMLElement {
  const p = document.createElement("p");
  p.className = "toast";
  p.append(text);
  if (detail) {
    const small = document.createElement("code");
    small.textContent = detail;
    p.append(" ", small);
  }
  document.getElementById(where)?.append(p);
  return p;
}

export function toast(text: string): void {
  const p = put("toasts", text);
  setTimeout(() => p.remove(), stays);
}

export function failed(text: string, trace = ""): void {
  const p = put("errors", text, trace ? t("error.trace", { trace }) : "");
  const b = document.createElement("button");
  b.type = "button";
  b.textContent = t("toast.dismiss");
  b.addEventListener("click", () => p.remove());
  p.append(" ", b);
}

for (const p of document.querySelectorAll("#toasts .toast")) setTimeout(() => p.remove(), stays);
