// The page: logging in, and the chat of who is logged in.

import type { Session } from "./api";
import { Chat } from "./chat";
import { fillWith, h, toast } from "./dom";
import { explain, lang, t } from "./lang";
import { inviteView, loginView, setupView } from "./login";
import { route } from "./route";
import { RpcError, post } from "./rpc";
import { showTheme } from "./theme";

const root = document.getElementById("app")!;

let chat: Chat | null = null;
let endedHere = false;

function entered(session: Session): void {
  endedHere = false;
  // Replaced, so that going back does not show a used link again.
  if (["setup", "invite", "login"].includes(route().name)) history.replaceState(null, "", "#/");
  chat = new Chat(root, session, () => {
    chat = null;
    endedHere = true;
    loginView(root, entered, true);
  });
}

async function begin(): Promise<void> {
  const { name, args: [arg = ""] } = route();
  if (name === "setup" && arg) return setupView(root, arg, entered);
  if (name === "invite" && arg) return inviteView(root, arg, entered);
  try {
    entered(await post("session.me", {}, lang));
  } catch (e) {
    if (e instanceof RpcError && e.kind === "unauthenticated") return loginView(root, entered, endedHere);
    fillWith(root, h("main", { class: "card-page" }, h("div", { class: "card" }, h("h1", null, t("app.name")), h("p", { role: "alert" }, explain(e)),
      h("button", { type: "button", class: "primary", onclick: () => void begin() }, t("retry")))));
    setTimeout(() => {
      if (!chat && root.querySelector("[role=alert]") && !root.querySelector("form")) void begin();
    }, 5000);
  }
}

addEventListener("hashchange", () => {
  const { name } = route();
  if (name === "setup" || name === "invite") location.reload();
  else if (chat) chat.follow();
  else if (!root.querySelector("form") || name === "login") void begin();
});
addEventListener("unhandledrejection", (e) => {
  if (e.reason instanceof RpcError) toast(explain(e.reason), true);
});

showTheme();
document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
void begin();
