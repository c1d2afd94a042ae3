// The page of one's devices: where one is logged in, since when, and how to end
// what was left behind.

import type { Device } from "./api";
import type { Client } from "./client";
import { confirm, fillWith, h, icon, menuItem, toast } from "./dom";
import type { Feature, Frame, View } from "./frame";
import { explain, t, when } from "./lang";
import type { Key } from "./words";

// deviceRow is one device; ended is called after it was logged out, null: the
// reader may not do that.
export function deviceRow(client: Client, x: Device, ended: (() => void) | null): HTMLElement {
  const name = x.name || t(kindName(x.kind));
  return h("li", { class: "device" + (x.current ? " current" : ""), "data-device": x.id }, icon(x.kind === "browser" ? "screen" : x.kind === "bot" ? "more" : "phone"),
    h("div", { class: "about" },
      h("p", { class: "name" }, name, x.current ? h("span", { class: "tag" }, t("devices.current")) : null),
      h("p", { class: "login" }, [t(kindName(x.kind)), x.address].filter(Boolean).join(" · ")),
      h("p", { class: "login" }, (x.online ? t("devices.online") : t("devices.seen", { time: when(x.last_seen) })) + " · " + t("devices.since", { time: when(x.created) }))),
    x.current || !ended ? null : h("button", { type: "button", class: "danger", "aria-label": t("devices.revoke", { name }), onclick: async (e: Event) => {
      (e.currentTarget as HTMLButtonElement).disabled = true;
      try {
        await client.call("session.revoke", { device: x.id });
        toast(t("devices.revoked", { name }));
      } catch (x) {
        toast(explain(x), true);
      }
      ended();
    } }, t("devices.revoke.short")));
}

function kindName(kind: string): Key {
  return kind === "browser" ? "devices.browser" : kind === "bot" ? "devices.bot" : "devices.app";
}

function devices(f: Frame): View {
  const { client } = f;
  const list = h("ul", { class: "devices" });
  const status = h("p", { class: "hint", role: "status" }, t("loading"));
  const all = h("button", { type: "button", class: "danger", hidden: true, onclick: () => confirm(t("devices.all.title"), t("devices.all.about", { n: others.length }), t("devices.all"), () => void endOthers()) }, t("devices.all"));
  let others: Device[] = [];
  const load = async () => {
    try {
      const r = await client.call("session.devices", {});
      const sorted = [...r.devices].sort((a, b) => Number(b.current ?? false) - Number(a.current ?? false) || Number(b.online) - Number(a.online) || b.last_seen - a.last_seen);
      others = sorted.filter((x) => !x.current);
      status.textContent = t(others.length ? "devices.about" : "devices.only");
      all.hidden = others.length < 1;
      fillWith(list, ...sorted.map((x) => deviceRow(client, x, () => void load())));
    } catch (e) {
      status.textContent = explain(e);
    }
  };
  const endOthers = async () => {
    const n = others.length;
    try {
      for (const x of others) await client.call("session.revoke", { device: x.id });
      toast(t("devices.all.done", { n }));
    } catch (e) {
      toast(explain(e), true);
    }
    await load();
  };
  void load();
  return {
    title: t("devices.title"),
    element: h("div", { class: "page-scroll" }, h("div", { class: "sheet" }, status, list, h("div", { class: "buttons" }, all))),
    draw(topics) {
      if (topics.has("devices") || (topics.has("link") && client.store.state.link.state === "online")) void load();
    },
  };
}

export const devicesFeature: Feature = {
  pages: { devices },
  commands: [{ name: "devices.title", run: (f) => f.go("devices") }],
  mainMenu: (f) => [menuItem(t("devices.title"), () => f.go("devices"))],
};
