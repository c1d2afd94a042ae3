// Charts by markup: see chart.ts.

import { Chart, type Options } from "./chart";
import { type ChartData } from "./chart_data";
import { calm } from "./chart_look";
import { Spark } from "./chart_spark";
import { unitOf } from "./chart_units";
import { say } from "./chart_words";

// Drawn is a chart of either size.
export interface Drawn {
  readonly data: ChartData;
  set(d: ChartData): void;
  extend(tail: ChartData, from: number): void;
  fail(why: string): void;
  destroy(): void;
}

interface Mounted {
  chart: Drawn;
  stop: () => void;
}

const mounted = new Map<HTMLElement, Mounted>();

// chartOf is the chart of an element that has one.
export function chartOf(e: HTMLElement): Drawn | undefined {
  return mounted.get(e)?.chart;
}

// make draws a chart as the attributes of an element say; o are what attributes
// cannot.
export function make(e: HTMLElement, o: Partial<Options> = {}): Drawn {
  const has = e.dataset;
  const kind = has["kind"] ?? "line";
  const title = has["title"] ?? "";
  const unit = unitOf(has["unit"]);
  const small = kind === "spark" || kind === "stat";
  const height = Number(has["height"]) || (small ? 36 : 190);
  const level = has["level"] === "2" ? "h2" : "h3";
  if (small) return new Spark(e, { title, unit, height, level, big: kind === "stat" });
  return new Chart(e, {
    title, unit, height, level, kind: kind === "area" || kind === "stacked" || kind === "bars" ? kind : "line", group: has["group"] ?? "page",
    ...(has["help"] ? { help: has["help"] } : {}),
    ...(has["query"] ? { query: has["query"], queryURL: "/admin/query?q=" + encodeURIComponent(has["query"]) } : {}), ...o,
  });
}

// load fetches JSON and says in words why it could not be had.
export async function load<T>(url: string, signal?: AbortSignal): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(url, { headers: { Accept: "application/json" }, ...(signal ? { signal } : {}) });
  } catch (e) {
    if (signal?.aborted) throw e;
    throw new Error(say("network"));
  }
  const kind = answer.headers.get("Content-Type") ?? "";
  if (!kind.startsWith("application/json")) throw new Error(say("status", { status: answer.status }));
  const body = (await answer.json()) as T & { error?: string };
  if (!answer.ok) throw new Error(body.error || say("status", { status: answer.status }));
  return body;
}

// mount makes the charts below an element that are not made yet, and ends those
// that have left the page.
export function mount(root: ParentNode = document): void {
  for (const [e, m] of mounted) {
    if (e.isConnected) continue;
    m.stop();
    m.chart.destroy();
    mounted.delete(e);
  }
  const found = [...root.querySelectorAll<HTMLElement>("[data-chart]")];
  if (root instanceof HTMLElement && root.matches("[data-chart]")) found.push(root);
  for (const e of found) if (!mounted.has(e)) mounted.set(e, start(e));
}

function start(e: HTMLElement): Mounted {
  const chart = make(e);
  const inline = e.dataset["inline"];
  if (inline) {
    try {
      chart.set(JSON.parse(document.getElementById(inline)?.textContent ?? "") as ChartData);
    } catch {
      chart.fail(say("empty"));
    }
  }
  const source = e.dataset["src"];
  if (!source) return { chart, stop: () => {} };
  const end = new AbortController();
  const wait = Math.max(calm() ? 15 : 1, Number(e.dataset["refresh"]) || 0) * 1000;
  let timer = 0;
  const again = async () => {
    if (!e.isConnected) return mount();
    if (!document.hidden) {
      try {
        chart.set(await load<ChartData>(source.replace("{width}", String(Math.round(e.clientWidth) || 600)), end.signal));
      } catch (err) {
        if (end.signal.aborted) return;
        chart.fail(err instanceof Error ? err.message : String(err));
      }
    }
    if (Number(e.dataset["refresh"]) > 0) timer = window.setTimeout(() => void again(), wait);
  };
  void again();
  return { chart, stop: () => { end.abort(); clearTimeout(timer); } };
}
