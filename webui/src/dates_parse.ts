// Days and times of day as the inputs of a page have them. Pure.

const two = (n: number) => String(n).padStart(2, "0");

// localDay is a day as an input of type date has it, in the reader's time zone.
export function localDay(ms: number): string {
  const d = new Date(ms);
  return d.getFullYear() + "-" + two(d.getMonth() + 1) + "-" + two(d.getDate());
}

// instant is the time of a day and a time of day as inputs have them; NaN when
// they hold none.
export function instant(day: string, time: string): number {
  return new Date(day + "T" + (time || "00:00")).getTime();
}
