// Why notifications work here or do not, and what one says. Pure, so that it is
// tested alone.

import type { Message, Room } from "./api";

// Surroundings are what a browser tells about notifications.
export interface Surroundings {
  secure: boolean; // the page is a secure context
  has: boolean; // the browser has the Notification API
  permission: string; // default, granted or denied
  apple: boolean; // an iPhone or iPad
  installed: boolean; // the page runs as an installed app
  off: boolean; // switched off on this device
}

// Obstacle is what stands in the way, the first thing first; "" is nothing.
export type Obstacle = "" | "insecure" | "apple" | "missing" | "denied" | "ask" | "off";

export function obstacle(s: Surroundings): Obstacle {
  if (!s.secure) return "insecure";
  if (!s.has) return s.apple && !s.installed ? "apple" : "missing";
  if (s.permission === "denied") return "denied";
  if (s.permission !== "granted") return "ask";
  return s.off ? "off" : "";
}

// Words are the names a notification shows.
export interface Words {
  sender: string;
  room: string;
  text: string; // plain
  hidden: string; // in the place of the text when it is not to be shown
}

// content is what a notification shows.
export function content(room: Room, m: Message, w: Words, hide: boolean): { title: string; body: string } {
  const title = room.kind === "direct" ? w.sender : w.sender + " · " + w.room;
  if (hide) return { title, body: w.hidden };
  const text = w.text.replace(/\s+/g, " ").trim();
  const short = [...text].slice(0, 200).join("");
  return { title, body: (short.length < text.length ? short + "…" : short) || (m.files ?? []).map((f) => f.name).join(", ") };
}

export type System = "windows" | "mac" | "ios" | "android" | "linux";

// system is whose instructions come first.
export function system(userAgent: string, touchPoints: number): System {
  if (/Android/.test(userAgent)) return "android";
  if (/iPhone|iPad/.test(userAgent) || (/Macintosh/.test(userAgent) && touchPoints > 1)) return "ios";
  if (/Windows/.test(userAgent)) return "windows";
  if (/Mac OS/.test(userAgent)) return "mac";
  return "linux";
}
