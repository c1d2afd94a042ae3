// The page of one's profile: picture, name, how to be reached, password, and how
// this browser shows the chat.

import { limits, type ProfileParams } from "./api";
import type { Client } from "./client";
import { field, fillWith, h, menuItem, toast } from "./dom";
import type { Feature, Frame, View } from "./frame";
import { explain, t } from "./lang";
import { avatar } from "./names";
import { square } from "./picture";
import { Upload } from "./upload";

function pictureForm(client: Client): { element: HTMLElement; draw: () => void } {
  const shown = h("div", { class: "portrait" });
  const status = h("p", { class: "hint", role: "status" });
  const choose = h("input", { type: "file", accept: "image/*", class: "sr", "aria-label": t("profile.picture.choose"), name: "avatar" });
  const remove = h("button", { type: "button", onclick: () => void put("") }, t("profile.picture.remove"));
  const put = async (id: string) => {
    try {
      const r = await client.call("account.update", { avatar: id });
      client.store.dispatch({ type: "me", user: r.user, device: client.store.state.device });
      status.textContent = t(id ? "profile.picture.done" : "profile.picture.removed");
    } catch (e) {
      status.textContent = explain(e);
    }
    draw();
  };
  choose.addEventListener("change", async () => {
    const file = choose.files?.[0];
    choose.value = "";
    if (!file) return;
    status.textContent = t("profile.picture.sending");
    let small: File;
    try {
      small = await square(file);
    } catch {
      status.textContent = t("profile.picture.unknown");
      return;
    }
    const up = new Upload(small, () => {
      if (up.state === "failed") status.textContent = t("upload.failed", { reason: up.reason });
      if (up.state === "done") void put(up.id);
    });
    up.start();
  });
  const draw = () => {
    const me = client.store.state.me!;
    fillWith(shown, avatar(client.store.state, me.id, me.name || me.login, me.avatar));
    remove.hidden = !me.avatar;
  };
  draw();
  const pick = h("button", { type: "button", onclick: () => choose.click() }, t("profile.picture.choose"));
  choose.tabIndex = -1;
  choose.setAttribute("aria-hidden", "true");
  return { element: h("section", { class: "sheet picture-form", "aria-label": t("profile.picture") }, shown,
    h("div", null, h("div", { class: "buttons start" }, pick, remove, choose), h("p", { class: "hint" }, t("profile.picture.about")), status)), draw };
}

function aboutForm(client: Client): HTMLElement {
  const me = client.store.state.me!;
  const name = h("input", { type: "text", value: me.name, required: true, maxlength: limits.MaxName, autocomplete: "name", name: "name" });
  const title = h("input", { type: "text", value: me.title ?? "", maxlength: 100, autocomplete: "organization-title", name: "title" });
  const email = h("input", { type: "email", value: me.email ?? "", maxlength: 200, autocomplete: "email", name: "email" });
  const phone = h("input", { type: "tel", value: me.phone ?? "", maxlength: 50, autocomplete: "tel", name: "phone" });
  const error = h("p", { class: "error", role: "alert" });
  const save = async (e: Event) => {
    e.preventDefault();
    const me = client.store.state.me!;
    const p: ProfileParams = {};
    if (name.value.trim() !== me.name) p.name = name.value.trim();
    if (title.value.trim() !== (me.title ?? "")) p.title = title.value.trim();
    if (email.value.trim() !== (me.email ?? "")) p.email = email.value.trim();
    if (phone.value.trim() !== (me.phone ?? "")) p.phone = phone.value.trim();
    error.textContent = "";
    try {
      const r = await client.call("account.update", p);
      client.store.dispatch({ type: "me", user: r.user, device: client.store.state.device });
      toast(t("profile.saved"));
    } catch (x) {
      error.textContent = explain(x);
    }
  };
  return h("form", { class: "sheet", onsubmit: save }, h("p", { class: "hint" }, t("profile.login", { login: me.login })),
    field(t("profile.name"), name), field(t("profile.position"), title), field(t("profile.email"), email), field(t("profile.phone"), phone), error,
    h("div", { class: "buttons" }, h("button", { type: "submit", class: "primary" }, t("save"))));
}

function passwordForm(client: Client): HTMLElement {
  const input = (autocomplete: string) => h("input", { type: "password", required: true, autocomplete, maxlength: 256 });
  const [old, next, again] = [input("current-password"), input("new-password"), input("new-password")];
  const error = h("p", { class: "error", role: "alert" });
  const f: HTMLFormElement = h("form", { onsubmit: async (e: Event) => {
    e.preventDefault();
    error.textContent = next.value === again.value ? "" : t("account.differ");
    if (error.textContent) return;
    try {
      await client.call("account.password", { old: old.value, new: next.value });
      f.reset();
      toast(t("profile.changed"));
    } catch (x) {
      error.textContent = explain(x);
    }
  } }, h("p", { class: "hint" }, t("profile.password.about")),
  h("input", { type: "text", autocomplete: "username", value: client.store.state.me!.login, hidden: true, readonly: true, "aria-label": t("login.login") }),
  field(t("profile.old"), old), field(t("account.password"), next), field(t("account.repeat"), again), error,
  h("div", { class: "buttons" }, h("button", { type: "submit" }, t("profile.password"))));
  return h("details", { class: "sheet" }, h("summary", null, t("profile.password")), f);
}

function profile(f: Frame): View {
  const picture = pictureForm(f.client);
  return {
    title: t("profile.title"),
    element: h("div", { class: "page-scroll" }, picture.element, aboutForm(f.client), passwordForm(f.client),
      h("p", { class: "sheet" }, h("a", { href: "#/devices" }, t("profile.devices")), h("a", { href: "#/settings" }, t("profile.settings")))),
    draw(topics) {
      if (topics.has("me")) picture.draw();
    },
  };
}

export const profileFeature: Feature = {
  pages: { profile },
  commands: [{ name: "profile.title", run: (f) => f.go("profile") }],
  mainMenu: (f) => [menuItem(t("profile.title"), () => f.go("profile"))],
};
