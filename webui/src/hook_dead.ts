// What an outgoing hook gave up: tried once more, or thrown away.

import type { Hook } from "./api";
import type { Client } from "./client";
import { confirm, dialog, fillWith, h, toast } from "./dom";
import { explain, t, when } from "./lang";
import type { Key } from "./words";

export function deadLetters(client: Client, x: Hook, done: () => void): void {
  const d = dialog(t("hooks.dead.title", { name: x.name }), true);
  const list = h("ul", { class: "people open" });
  const status = h("p", { class: "hint", role: "status" }, t("loading"));
  const buttons = h("div", { class: "buttons" });
  d.body.append(h("p", { class: "hint" }, t("hooks.dead.about")), status, list, buttons);
  const act = async (method: "hook.retry" | "hook.discard", deliveries?: string[]) => {
    try {
      const r = await client.call(method, deliveries ? { hook: x.id, deliveries } : { hook: x.id });
      toast(t(method === "hook.retry" ? "hooks.dead.retried" : "hooks.dead.discarded", { n: r.count }));
      await load();
      done();
    } catch (e) {
      toast(explain(e), true);
    }
  };
  const load = async () => {
    try {
      const r = await client.call("hook.dead", { hook: x.id });
      status.textContent = r.dead.length ? (r.more ? t("hooks.dead.more") : "") : t("none");
      fillWith(list, ...r.dead.map((l) => h("li", { class: "door" },
        h("div", { class: "about" }, h("p", { class: "name" }, t(("hooks.event." + l.event) as Key) + " #" + l.seq),
          h("p", { class: "login" }, t("hooks.dead.row", { time: when(l.gave_up), n: l.attempts })), h("p", { class: "error" }, l.error)),
        h("button", { type: "button", onclick: () => void act("hook.retry", [l.id]) }, t("retry")))));
      fillWith(buttons, ...(r.dead.length ? [
        h("button", { type: "button", class: "danger", onclick: () => confirm(t("hooks.dead.discard") + "?", t("hooks.dead.discard.about"), t("hooks.dead.discard"), () => void act("hook.discard")) }, t("hooks.dead.discard")),
        h("button", { type: "button", class: "primary", onclick: () => void act("hook.retry") }, t("hooks.dead.retry")),
      ] : []));
    } catch (e) {
      status.textContent = explain(e);
    }
  };
  void load();
}
