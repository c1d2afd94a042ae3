// The colours of charts are variables of the style sheet, read anew when the
// theme changes. Series differ by colour and by dashes: no two of the first
// eight look alike to somebody who sees no colours.

export interface Look {
  series: string[];
  text: string;
  soft: string;
  grid: string;
  panel: string;
  warning: string;
  serious: string;
  critical: string;
  font: string;
}

// dashes of the series, in CSS pixels; the first is a whole line.
export const dashes: readonly (readonly number[])[] = [[], [7, 3], [2, 2], [10, 3, 2, 3], [4, 4], [12, 4], [6, 2, 2, 2, 2, 2], [1, 4]];

export const colours = 8;

// look reads the variables that hold for an element.
export function look(at: Element): Look {
  const css = getComputedStyle(at);
  const v = (name: string, other: string) => css.getPropertyValue(name).trim() || other;
  return {
    series: Array.from({ length: colours }, (_, i) => v("--series-" + (i + 1), "#0072b2")),
    text: v("--text", "#1b2321"), soft: v("--soft", "#55615d"), grid: v("--grid", "#e3e8e6"), panel: v("--panel", "#ffffff"),
    warning: v("--warn", "#8a5300"), serious: v("--serious", "#a8430c"), critical: v("--bad", "#b3261e"),
    font: css.fontFamily || "sans-serif",
  };
}

// faint is a colour of six digits with an opacity.
export function faint(colour: string, opacity: number): string {
  const m = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(colour);
  return m ? `rgba(${parseInt(m[1]!, 16)}, ${parseInt(m[2]!, 16)}, ${parseInt(m[3]!, 16)}, ${opacity})` : colour;
}

// onTheme calls f after the theme has changed and gives what ends that.
export function onTheme(f: () => void): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = new MutationObserver(f);
  chosen.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  system.addEventListener("change", f);
  return () => {
    chosen.disconnect();
    system.removeEventListener("change", f);
  };
}

// calm tells whether the reader wants little motion.
export function calm(): boolean {
  return matchMedia("(prefers-reduced-motion: reduce)").matches;
}
