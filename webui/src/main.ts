// The page: logging in, and the chat of who is logged in.

import type { Session } from "./api";
import { Chat } from "./chat";
import { fillWith, h, toast } from "./dom";
import { explain, lang, t } from "./lang";
import { inviteView, loginView, setupView } from "./login";
import { route } from "./route";
import { startApp } from "./offline";
import { forgetResident, resident, type Resident } from "./resident";
import { RpcError, passing, post } from "./rpc";
import { showTheme } from "./theme";

const root = document.getElementById("app")!;

let chat: Chat | null = null;
let endedHere = false;

// soon is how long the server may take to say who is logged in when enough is
// kept to begin without it, ms.
const soon = 4000;

function entered(session: Session, kept?: Resident): void {
  endedHere = false;
  // Replaced, so that going back does not show a used link again.
  if (["setup", "invite", "login"].includes(route().name)) history.replaceState(null, "", "#/");
  chat = new Chat(root, session, () => {
    chat = null;
    endedHere = true;
    loginView(root, entered, true);
  }, kept);
}

async function begin(): Promise<void> {
  const { name, args: [arg = ""] } = route();
  if (name === "setup" && arg) return setupView(root, arg, entered);
  if (name === "invite" && arg) return inviteView(root, arg, entered);
  const kept = resident();
  try {
    entered(await post("session.me", {}, lang, kept ? soon : undefined));
  } catch (e) {
    if (e instanceof RpcError && e.kind === "unauthenticated") {
      forgetResident();
      return loginView(root, entered, endedHere);
    }
    // The connection goes on trying, and finds out whether the session is over.
    if (kept && passing(e)) return entered({ user: kept.user, device: kept.device, expires: 0 }, kept);
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
startApp();
void begin();
