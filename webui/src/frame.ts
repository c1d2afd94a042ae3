// What features and the page around them know of each other.
//
// A feature is a value: the panes, pages, commands and menu entries it adds.
// features.ts lists them all; chat.ts is the frame that shows them. A feature
// imports from here and never from chat.ts.

import type { ID, Message, Room } from "./api";
import type { Client } from "./client";
import type { Source } from "./complete";
import type { Composer } from "./composer";
import type { RoomList } from "./rooms";
import type { Topic } from "./store";
import type { Timeline } from "./timeline";
import type { Key } from "./words";

// Frame is the page of a logged-in account.
export interface Frame {
  readonly client: Client;
  readonly rooms: RoomList;
  readonly room: ID; // what is shown; "" when no room is
  readonly composer: Composer | null;
  readonly timeline: Timeline | null;
  go(address: string): void; // such as "room/<id>", "room/<id>/<pane>/<arg>" or "<page>/<arg>"
  hasPane(name: string): boolean; // some feature has it
  pane(name: string, arg?: string): void; // opens a side pane of the room that is shown
  closePane(): void;
  commands(): Command[]; // of all features
  menu: MessageMenu;
  write(room: ID, sent: () => void, thread?: number): Composer; // a composer with all that features add to it
}

// View is a side pane or a page. draw is called for what has changed since the
// last time; close when another takes its place.
export interface View {
  title: string;
  element: HTMLElement;
  draw?(topics: Set<Topic>): void;
  close?(): void;
  focus?(): void;
}

// Command is something a person can do from anywhere: the palette and the list
// of keys show it. keys is written as in "Ctrl+K", "Alt+ArrowUp", "?"; Ctrl
// stands for Cmd on a Mac. Keys without Ctrl or Alt do nothing while one types.
export interface Command {
  name: Key;
  keys?: string;
  when?(f: Frame): boolean;
  run(f: Frame): void;
}

// MessageMenu is what features add to a message.
export interface MessageMenu {
  items(room: Room, m: Message): HTMLElement[];
  block(m: Message): HTMLElement[]; // below its text
  signature(m: Message): string; // changes when a block would look different
}

// reveal shows a message of the room that is shown. A side pane that leaves the
// room too little of the screen gives way.
export function reveal(f: Frame, seq: number): void {
  if (matchMedia("(max-width: 1100px)").matches) f.go("room/" + f.room + "/m/" + seq);
  else void f.timeline?.jump(seq);
}

export interface Feature {
  panes?: Record<string, (f: Frame, room: ID, arg: string) => View>;
  pages?: Record<string, (f: Frame, arg: string) => View>;
  commands?: Command[];
  roomButtons?(f: Frame, room: Room): HTMLElement[]; // in the head of a room
  roomMenu?(f: Frame, room: Room): HTMLElement[]; // entries of the room's menu
  mainButtons?(f: Frame): HTMLElement[]; // above the list of rooms
  mainMenu?(f: Frame): HTMLElement[]; // entries of the main menu
  messageMenu?(f: Frame, room: Room, m: Message): HTMLElement[];
  messageBlock?(f: Frame, m: Message): HTMLElement | null;
  messageSignature?(f: Frame, m: Message): string;
  composerButtons?(f: Frame, c: Composer): HTMLElement[]; // beside the send button
  sources?(f: Frame, c: Composer): Source[]; // of completion, asked before those of the composer
  take?(f: Frame, c: Composer, text: string): boolean; // what begins with "/": true when it was a command
  keyHelp?(): HTMLElement[]; // below the list of keys
  banner?(f: Frame): HTMLElement | null; // above the room, drawn anew with every change of "me", "rooms", "notices" and "scheduled"
  listHead?(f: Frame): HTMLElement | null; // above the list of rooms, drawn anew as a banner is
  start?(f: Frame): () => void; // once per session; the result ends it
}
