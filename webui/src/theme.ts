// Light or dark: as the system has it, or as chosen in this browser. The choice
// is an attribute of the document; the style sheet does the rest.

const shelf = "posthouse.theme";

export type Theme = "system" | "light" | "dark";

export function theme(): Theme {
  try {
    const v = localStorage.getItem(shelf);
    return v === "light" || v === "dark" ? v : "system";
  } catch {
    return "system";
  }
}

export function showTheme(v: Theme = theme()): void {
  if (v === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = v;
}

export function chooseTheme(v: Theme): void {
  try {
    if (v === "system") localStorage.removeItem(shelf);
    else localStorage.setItem(shelf, v);
  } catch {
    // Forbidden: the choice lives as long as the page.
  }
  showTheme(v);
}
