// The pages before one is logged in: login, first owner, invitation.

import type { Session } from "./api";
import { field, fillWith, h } from "./dom";
import { explain, full, lang, switchLang, t } from "./lang";
import { RpcError, post } from "./rpc";

export type Entered = (s: Session) => void;

function deviceName(): string {
  const ua = navigator.userAgent;
  const browser = /Edg\//.test(ua) ? "Edge" : /Firefox\//.test(ua) ? "Firefox" : /Chrome\//.test(ua) ? "Chrome" : /Safari\//.test(ua) ? "Safari" : "Browser";
  const system = /Windows/.test(ua) ? "Windows" : /Android/.test(ua) ? "Android" : /iPhone|iPad/.test(ua) ? "iOS" : /Mac OS/.test(ua) ? "macOS" : /Linux/.test(ua) ? "Linux" : "";
  return system ? browser + " / " + system : browser;
}

function card(root: HTMLElement, title: string, ...content: (Node | string | null)[]): void {
  document.title = title + " · " + t("app.name");
  fillWith(root, h("main", { class: "card-page" },
    h("div", { class: "card" },
      h("div", { class: "brand" }, h("img", { src: "/assets/icon.svg", alt: "", width: 40, height: 40 }), h("span", null, t("app.name")),
        h("button", { type: "button", class: "quiet", "aria-label": t("language.label"), lang: lang === "zh" ? "en" : "zh", onclick: switchLang }, t("language.switch"))),
      h("h1", null, title), ...content)));
}

// form makes a form whose button waits for the answer and whose errors are
// told to screen readers.
function form(button: string, fields: HTMLElement[], submit: () => Promise<void>): HTMLFormElement {
  const error = h("p", { class: "error", role: "alert" });
  const b = h("button", { type: "submit", class: "primary" }, button);
  const f = h("form", {
    onsubmit: async (e: Event) => {
      e.preventDefault();
      if (b.disabled) return;
      b.disabled = true;
      error.textContent = "";
      try {
        await submit();
      } catch (x) {
        error.textContent = x instanceof Error && !(x instanceof RpcError) ? x.message : explain(x);
        const name = x instanceof RpcError && x.field ? f.querySelector<HTMLInputElement>(`[name="${CSS.escape(x.field)}"]`) : null;
        (name ?? f.querySelector("input"))?.focus();
      }
      b.disabled = false;
    },
  }, ...fields, error, b);
  return f;
}

function input(name: string, props: Record<string, string | number | boolean> = {}): HTMLInputElement {
  return h("input", { name, type: "text", required: true, maxlength: 256, ...props });
}

function login(): HTMLInputElement {
  return input("login", { autocomplete: "username", autocapitalize: "none", spellcheck: "false", maxlength: 64 });
}

function secret(name: string, autocomplete: string): HTMLInputElement {
  return input(name, { type: "password", autocomplete });
}

// loginView also says what stands in the way: a session that has ended, or a
// server without its first owner.
export function loginView(root: HTMLElement, entered: Entered, ended: boolean): void {
  const name = login();
  const password = secret("password", "current-password");
  const notice = h("p", { class: "notice", role: "status", hidden: !ended }, t("login.ended"));
  card(root, t("login.title"), notice,
    form(t("login.button"), [field(t("login.login"), name), field(t("login.password"), password)], async () => {
      try {
        entered(await post("session.login", { login: name.value.trim(), password: password.value, kind: "browser", cookie: true, device_name: deviceName() }, lang));
      } catch (e) {
        password.value = "";
        throw e;
      }
    }),
    h("p", { class: "hint" }, t("login.help")));
  name.focus();
  post("server.info", {}, lang).then((info) => {
    if (!info.setup) return;
    notice.hidden = false;
    notice.textContent = t("setup.waiting");
  }, (e) => {
    notice.hidden = false;
    notice.textContent = explain(e);
  });
}

interface NewAccount {
  fields: HTMLElement[];
  values(): { login: string; name: string; password: string; device_name: string; cookie: true };
}

function newAccount(): NewAccount {
  const name = input("name", { autocomplete: "name", maxlength: 100 });
  const user = login();
  user.pattern = "[A-Za-z0-9._\\-]{1,64}";
  const password = secret("password", "new-password");
  const again = secret("repeat", "new-password");
  return {
    fields: [field(t("account.name"), name), field(t("account.login"), user), field(t("account.password"), password), field(t("account.repeat"), again)],
    values() {
      if (password.value !== again.value) throw new Error(t("account.differ"));
      return { login: user.value.trim().toLowerCase(), name: name.value.trim(), password: password.value, device_name: deviceName(), cookie: true };
    },
  };
}

// setupView makes the first owner. The token stands in the fragment of the
// link, which no browser sends, and travels in the body of the call.
export function setupView(root: HTMLElement, token: string, entered: Entered): void {
  const organisation = input("organisation", { autocomplete: "organization", maxlength: 100 });
  const account = newAccount();
  card(root, t("setup.title"), h("p", null, t("setup.about")),
    form(t("setup.button"), [field(t("setup.organisation"), organisation), ...account.fields], async () => {
      await goOn(root, await post("setup.complete", { token, organisation: organisation.value.trim(), ...account.values() }, lang), entered);
    }));
  organisation.focus();
}

// goOn leads the first owner to the wizard of the console. Where the console has
// an address of its own, this browser may neither reach it nor be logged in there;
// where it is shut to this browser's address, there is nothing to go to. Both
// are said, with the chat as the other way on.
async function goOn(root: HTMLElement, session: Session, entered: Entered): Promise<void> {
  const at = (await post("session.me", {}, lang).catch(() => session)).console;
  if (at?.startsWith("/")) {
    location.replace(at + "/setup"); // replaced: the link is used
    return;
  }
  history.replaceState(null, "", "#/");
  const chat = h("button", { type: "button", class: at ? "" : "primary", onclick: () => entered(session) }, t("setup.chat"));
  card(root, t("setup.next"), h("p", null, t(at ? "setup.apart" : "setup.shut")),
    h("p", { class: "buttons-left" }, at ? h("a", { class: "button primary", href: at + "/setup" }, t("setup.console")) : null, at ? " " : null, chat),
    at ? h("p", { class: "hint" }, at + "/setup") : null);
  root.querySelector<HTMLElement>(".primary")?.focus();
}

export async function inviteView(root: HTMLElement, code: string, entered: Entered): Promise<void> {
  card(root, t("login.title"), h("p", { role: "status" }, t("invite.checking")));
  try {
    const info = await post("invite.show", { code }, lang);
    const account = newAccount();
    card(root, t("invite.title", { organisation: info.organisation || t("app.name") }),
      h("p", null, t("invite.by", { name: info.inviter, time: full(info.expires) })),
      form(t("invite.button"), account.fields, async () => {
        entered(await post("invite.accept", { code, ...account.values() }, lang));
      }));
    root.querySelector("input")?.focus();
  } catch (e) {
    card(root, t("login.title"), h("p", { class: "error", role: "alert" }, explain(e)),
      h("p", null, h("a", { href: "#/login" }, t("login.title"))));
  }
}
