// How the page looks in this browser.

import { h } from "./dom";
import { lang, switchLang, t } from "./lang";
import { chooseTheme, theme, type Theme } from "./theme";
import type { Key } from "./words";

// choice is a row of radio buttons.
function choice<T extends string>(legend: string, values: readonly (readonly [T, string])[], at: T, chosen: (v: T) => void): HTMLElement {
  return h("fieldset", { class: "kinds" }, h("legend", null, legend), ...values.map(([v, label]) => h("label", null,
    h("input", { type: "radio", name: legend, value: v, checked: v === at, onchange: () => chosen(v) }), h("span", { lang: v === "zh" ? "zh-CN" : v === "en" ? "en" : null }, label))));
}

// looks is the section of the settings about this browser: colours and language.
export function looks(): HTMLElement {
  const themes = (["system", "light", "dark"] as const).map((v) => [v, t(("theme." + v) as Key)] as const);
  return h("section", { "aria-label": t("profile.browser") }, h("h2", null, t("profile.browser")),
    choice<Theme>(t("theme.title"), themes, theme(), chooseTheme),
    choice(t("profile.language"), [["zh", "中文"], ["en", "English"]] as const, lang, (v) => {
      if (v !== lang) switchLang();
    }));
}
