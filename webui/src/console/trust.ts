// Whether this browser trusts the certificate of the page. A browser takes a
// service worker from a page whose certificate it trusts, and from no other; a
// warning that somebody clicked past is visible in nothing else. The worker is
// the chat's own, which the chat installs the same way.

import { workerAddress } from "./policy";

async function trusted(): Promise<"good" | "untrusted" | "unknown"> {
  const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
  if (!isSecureContext || !workers) return "unknown";
  try {
    await workers.register(workerAddress(), { scope: "/", updateViaCache: "none" });
    return "good";
  } catch (e) {
    return e instanceof DOMException && e.name === "SecurityError" ? "untrusted" : "unknown";
  }
}

export function startTrust(root: ParentNode): void {
  for (const p of root.querySelectorAll<HTMLElement>("[data-trust]")) {
    void trusted().then((state) => {
      p.dataset["state"] = state;
      p.classList.add({ good: "good", untrusted: "warning", unknown: "info" }[state]);
      p.textContent = p.dataset[state]!;
    });
  }
}
