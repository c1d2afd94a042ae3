// Alerts that the box tells of in a room: a button that acknowledges them. It
// sets the reaction ✅, which is what the box looks for.

import type { Message } from "./api";
import { h, toast } from "./dom";
import type { Feature, Frame } from "./frame";
import { explain, t } from "./lang";

const firing = /\/admin\/alerts\/one\?fp=[0-9a-f]{16}#ack\b/;
const mark = "✅";

// block is the button, for who may and while nobody has pressed it.
function block(f: Frame, m: Message): HTMLElement | null {
  const s = f.client.store.state;
  const role = s.me?.role;
  if ((role !== "owner" && role !== "admin") || m.recalled || !s.users.get(m.sender)?.bot || !firing.test(m.text ?? "")) return null;
  if (m.reactions?.some((r) => r.emoji === mark)) return null;
  return h("p", { class: "alert-buttons" }, h("button", { type: "button", onclick: () => {
    f.client.call("message.react", { message: m.id, emoji: mark, on: true }).catch((e) => toast(explain(e), true));
  } }, t("alerts.ack")));
}

export const alertsFeature: Feature = {
  messageBlock: block,
  messageSignature: (f, m) => (f.client.store.state.users.get(m.sender)?.bot ? "bot " + f.client.store.state.me?.role : ""),
};
