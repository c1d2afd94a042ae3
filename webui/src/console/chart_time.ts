// Times as they stand at charts, in the reader's zone and the page's language.

import { chinese } from "./chart_words";

type Form = "short" | "second" | "minute" | "day" | "full" | "month";

const forms: Record<Form, Intl.DateTimeFormatOptions> = {
  short: { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  second: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  minute: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  day: { day: "numeric", month: "short" },
  month: { month: "short", year: "numeric" },
  full: { year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
};

const made = new Map<string, Intl.DateTimeFormat>();

function format(form: Form, t: number): string {
  const key = form + chinese();
  let f = made.get(key);
  if (!f) made.set(key, (f = new Intl.DateTimeFormat(chinese() ? "zh-CN" : "en-GB", forms[form])));
  return f.format(t * 1000);
}

// clock is the time of a day, to the second where the range is short.
export function clock(t: number, range: number): string {
  return format(range < 600 ? "second" : "minute", t);
}

// moment is a time in full; t in Unix seconds.
export function moment(t: number): string {
  return format("full", t);
}

// minute is a time in full, but for its seconds.
export function minute(t: number): string {
  return format("short", t);
}

// point is a time as the cursor says it: with its day where the range has more
// than one.
export function point(t: number, range: number): string {
  return range > 20 * 3600 ? format("day", t) + " " + format("minute", t) : format("second", t);
}

// axisTimes are the texts of the time axis: the clock, and the day where it
// begins; from a step of a day on the day alone.
export function axisTimes(splits: readonly number[], step: number): string[] {
  let day = "";
  return splits.map((t) => {
    if (step >= 28 * 86400) return format("month", t);
    const today = format("day", t);
    if (step >= 86400) return today;
    const text = format(step < 60 ? "second" : "minute", t);
    const midnight = format("minute", t) === "00:00";
    const first = day !== "" && today !== day;
    day = today;
    return first || (midnight && splits.length > 1) ? text + "\n" + today : text;
  });
}
