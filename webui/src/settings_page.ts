// The page of settings: notifications, with a clear reason when they cannot
// work, the looks of the page, and the app on this device.

import { setSwitch, switched, type Switch } from "./device";
import { fillWith, h, menuItem, toast } from "./dom";
import type { Feature, Frame, View } from "./frame";
import { explain, t } from "./lang";
import { looks } from "./looks";
import { beep, obstacleHere, show } from "./notify";
import { system, type System } from "./notify_state";
import { appState, forget, install, onApp } from "./offline";
import type { Loud } from "./prefs";
import { loudChoice } from "./roommenu";

const louds: Loud[] = ["all", "mentions", "none"];

// trust tells how to make a device trust the certificate of the server, the
// reader's own system first.
function trust(): HTMLElement {
  const mine = system(navigator.userAgent, navigator.maxTouchPoints);
  const all: System[] = ["windows", "mac", "ios", "android", "linux"];
  const box = h("div", { class: "trust" }, h("p", null, t("trust.about")),
    h("p", { class: "buttons-left" }, h("a", { class: "button", href: "/ca.crt", download: "posthouse-ca.crt" }, t("trust.crt")), " ", h("a", { class: "button", href: "/ca.mobileconfig" }, t("trust.profile"))),
    ...[mine, ...all.filter((x) => x !== mine)].map((x, i) => h("details", { open: i === 0 }, h("summary", null, t(`trust.${x}`)), h("p", null, t(`trust.${x}.how`)))));
  fetch("/ca.pem", { method: "HEAD" }).then((answer) => {
    if (answer.status === 404) fillWith(box, h("p", null, t("trust.other")));
  }, () => {});
  return box;
}

class SettingsPage {
  readonly element = h("div", { class: "settings" });
  private state = h("div", { class: "notify-state" });
  private choices = h("div", null);
  private app = h("div", { class: "notify-state" });
  private tested = h("p", { class: "hint", role: "status" });
  private stop: () => void;
  private timer: number;
  private was = "";

  constructor(private readonly f: Frame) {
    fillWith(this.element,
      h("section", null, h("h2", null, t("notify.title")), this.state, this.choices,
        this.flag("sound", t("notify.sound"), true), this.flag("quiet", t("notify.quiet"), false)),
      looks(), h("section", null, h("h2", null, t("app.title")), this.app));
    this.draw(true);
    this.drawApp();
    this.stop = onApp(() => this.drawApp());
    // The permission may change in another window without an event.
    this.timer = window.setInterval(() => this.draw(false), 1000);
  }

  close(): void {
    this.stop();
    clearInterval(this.timer);
  }

  private flag(name: Switch, label: string, loud: boolean): HTMLElement {
    return h("label", { class: "switch" }, h("input", { type: "checkbox", checked: switched(name), onchange: (e: Event) => {
      const on = (e.target as HTMLInputElement).checked;
      setSwitch(name, on);
      if (on && loud) beep();
      this.draw(true);
    } }), h("span", null, label));
  }

  draw(fresh: boolean): void {
    const o = obstacleHere();
    const p = this.f.client.store.state.prefs;
    const sign = [o, p.loud, p.hide].join();
    if (!fresh && sign === this.was) return;
    this.was = sign;
    const word = o === "" ? t("notify.works") : t(`notify.${o}`);
    fillWith(this.state, h("p", { class: "verdict " + (o === "" ? "good" : "bad"), role: "status", "data-obstacle": o || "none" }, word),
      o === "insecure" ? trust() : null,
      o === "denied" ? h("p", { class: "hint" }, t("notify.denied.how")) : null,
      o === "ask" ? h("p", null, h("button", { type: "button", class: "primary", onclick: () => void this.allow() }, t("notify.allow"))) : null,
      o === "" ? h("p", null, h("button", { type: "button", onclick: () => void this.test() }, t("notify.test"))) : null,
      this.tested);
    const say = (l: Loud | null) => t(`rooms.loud.${l ?? "none"}`);
    fillWith(this.choices,
      loudChoice(t("notify.about"), louds, p.loud, say, (l) => this.put({ loud: l ?? "mentions" })),
      h("p", { class: "hint" }, t("notify.perroom")),
      h("label", { class: "switch" }, h("input", { type: "checkbox", checked: p.hide, onchange: (e: Event) => this.put({ hide: (e.target as HTMLInputElement).checked }) }), h("span", null, t("notify.hide"))));
  }

  private put(change: { loud?: Loud; hide?: boolean }): void {
    this.f.client.setNotify(change).catch((e) => toast(explain(e), true));
  }

  private async allow(): Promise<void> {
    await Notification.requestPermission().catch(() => "denied");
    this.draw(true);
  }

  private async test(): Promise<void> {
    this.tested.textContent = "";
    const n = await show(t("app.name"), t("notify.sample"), "posthouse-test", "", () => this.f.go("settings"));
    if (n === true) this.tested.textContent = t("notify.tested");
    else if (n === false) this.tested.textContent = t("notify.refused");
    else {
      n.addEventListener("show", () => (this.tested.textContent = t("notify.tested")));
      n.addEventListener("error", () => (this.tested.textContent = t("notify.refused")));
    }
    if (switched("sound")) beep();
  }

  private drawApp(): void {
    const a = appState();
    fillWith(this.app,
      h("p", { class: "verdict " + (a.offline === "ready" ? "good" : "bad"), role: "status", "data-offline": a.offline }, t(`app.offline.${a.offline}`)),
      a.offline === "untrusted" || a.offline === "insecure" ? trust() : null,
      a.installed ? h("p", null, t("app.installed")) : a.canInstall ? h("p", null, h("button", { type: "button", class: "primary", onclick: () => void install() }, t("app.install"))) : h("p", { class: "hint" }, t("app.howto")),
      a.offline === "ready" ? h("p", null, h("button", { type: "button", onclick: () => void forget().then(() => this.drawApp()) }, t("app.forget"))) : null);
  }
}

function page(f: Frame): View {
  const p = new SettingsPage(f);
  return {
    title: t("settings.page"), element: p.element,
    draw: (topics) => p.draw(topics.has("prefs")),
    close: () => p.close(),
  };
}

export const settingsPageFeature: Feature = {
  pages: { settings: page },
  commands: [{ name: "settings.open", keys: "Ctrl+,", run: (f) => f.go("settings") }],
  mainMenu: (f) => [menuItem(t("settings.page"), () => f.go("settings"))],
};
