// The way to the operators' console, for those who may see it.

import { sees } from "./accounts";
import { menuItem, toast } from "./dom";
import type { Feature, Frame } from "./frame";
import { explain, t } from "./lang";

// The server says where it is: it can have an address of its own, and be shut to
// the address that this browser has.
async function go(f: Frame): Promise<void> {
  try {
    const { console: at } = await f.client.call("session.me", {});
    if (at) location.assign(at);
    else toast(t("console.shut"), true);
  } catch (e) {
    toast(explain(e), true);
  }
}

export const consoleFeature: Feature = {
  mainMenu: (f) => (sees(f.client) ? [menuItem(t("console.title"), () => void go(f))] : []),
};
