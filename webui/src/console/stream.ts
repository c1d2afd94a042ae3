// The one stream of events of this page. follow before connect, or at any time
// for topics that the page named in data-topics.
//
// A hidden page lets its stream go after half a minute: browsers allow six
// connections, and nobody looks. It comes back with the id of the last event.

import { span, t } from "./lang";

type Listener = (data: string) => void;

const listeners = new Map<string, Listener[]>();
const silence = 40_000; // ms without a sign: the server sends one every 15 s
const hidden = 30_000;

let source: EventSource | null = null;
let lastId = "";
let lastSign = Date.now();
let over = "";
let retry = 0;
let letGo = 0;

// follow calls back for every event of a topic.
export function follow(topic: string, listener: Listener): void {
  const all = listeners.get(topic);
  if (all) {
    all.push(listener);
    return;
  }
  listeners.set(topic, [listener]);
  if (source) hear(source, topic);
}

function hear(s: EventSource, topic: string): void {
  s.addEventListener(topic, (e) => {
    const m = e as MessageEvent<string>;
    sign();
    if (m.lastEventId) lastId = m.lastEventId;
    for (const f of listeners.get(topic) ?? []) f(m.data);
  });
}

function sign(): void {
  lastSign = Date.now();
  light();
}

function light(): void {
  const e = document.getElementById("light");
  if (!e) return;
  const live = source?.readyState === EventSource.OPEN;
  const state = over || !navigator.onLine ? "lost" : live ? "live" : Date.now() - lastSign > 4000 ? "lost" : "wait";
  e.hidden = false;
  if (e.dataset["state"] !== state) {
    e.dataset["state"] = state;
    e.className = "light " + state;
    document.body.classList.toggle("stale", state === "lost");
  }
  const text = over === "full" ? t("light.full") : state === "lost" ? t("light.lost", { age: span(Date.now() - lastSign) }) : t(state === "live" ? "light.live" : "light.wait");
  const box = e.querySelector("span") ?? e.appendChild(document.createElement("span"));
  if (box.textContent !== text) box.textContent = text;
}

function close(): void {
  source?.close();
  source = null;
}

// connect opens the stream, unless the page is not one of the console's inside.
export function connect(): void {
  const topics = document.body.dataset["topics"];
  if (!topics || over) return;
  close();
  const s = new EventSource("/admin/events?topics=" + encodeURIComponent(topics) + (lastId ? "&after=" + encodeURIComponent(lastId) : ""));
  source = s;
  for (const topic of listeners.keys()) hear(s, topic);
  s.addEventListener("open", () => {
    retry = 0;
    sign();
  });
  s.addEventListener("beat", sign);
  s.addEventListener("bye", (e) => {
    const why = (e as MessageEvent<string>).data;
    close();
    if (why === "login") location.assign("/admin/login?to=" + encodeURIComponent(location.pathname + location.search));
    else if (why === "full") over = "full";
    else again();
    light();
  });
  s.addEventListener("error", () => {
    light();
    if (s.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    close();
    again();
  });
}

function again(): void {
  clearTimeout(retry);
  retry = window.setTimeout(connect, 1000 + Math.random() * 3000);
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(letGo);
  if (document.hidden) {
    letGo = window.setTimeout(close, hidden);
    return;
  }
  if (over === "full") over = "";
  if (!source) connect();
});

addEventListener("offline", () => {
  close();
  light();
});
addEventListener("online", connect);

setInterval(() => {
  if (document.hidden || !document.body.dataset["topics"]) return;
  if (source?.readyState === EventSource.OPEN && Date.now() - lastSign > silence) {
    close();
    again();
  }
  light();
}, 1000);
