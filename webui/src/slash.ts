// Commands that are written as /name in the composer: those that the client does
// itself, and those of the server, which webhooks do. What the first word does
// not name is an ordinary message.

import type { Command, ID, Room } from "./api";
import type { Choice, Found } from "./complete";
import type { Composer } from "./composer";
import { h } from "./dom";
import type { Feature, Frame } from "./frame";
import { explain, t } from "./lang";
import { render } from "./markup";
import { leave } from "./members";
import { uuid7 } from "./outbox";
import { toggleMute } from "./roommenu";
import { moderates } from "./state";

interface Own {
  fits(r: Room): boolean;
  run(f: Frame, c: Composer, room: Room, rest: string): Promise<unknown> | void;
}

const many = (r: Room) => r.kind !== "direct" && r.kind !== "notes";
const mine = (r: Room) => many(r) && (moderates(r) || r.kind === "group");

// own is what the client does, by the names that the server lists as builtin.
const own: Record<string, Own> = {
  help: { fits: () => true, run: help },
  invite: { fits: many, run: invite },
  join: { fits: () => true, run: join },
  leave: { fits: many, run: (f, _c, room) => leave(f.client, room.id) },
  topic: { fits: mine, run: (f, _c, room, rest) => f.client.call("room.update", { room: room.id, topic: rest }) },
  rename: { fits: mine, run: (f, c, room, rest) => (rest ? f.client.call("room.update", { room: room.id, name: rest }) : c.note(t("slash.rename.usage"))) },
  mute: { fits: (r) => r.kind !== "notes", run: (f, _c, room) => toggleMute(f.client, room) },
  search: { fits: () => true, run: (f, _c, _room, rest) => f.pane("search", rest) },
  shrug: { fits: () => true, run: (f, c, room, rest) => f.client.send(room.id, { text: (rest ? rest + " " : "") + "`¯\\_(ツ)_/¯`", ...c.place() }) },
};

const fresh = 60000; // ms that a list of commands is used
const lists = new Map<ID, { at: number; list: Promise<Command[]> }>();

// commandsOf are the commands of a room. Without a connection there are none.
function commandsOf(f: Frame, room: Room): Promise<Command[]> {
  let known = lists.get(room.id);
  if (!known || Date.now() - known.at > fresh) {
    const list = f.client.call("command.list", { room: room.id }).then((r) => r.commands.filter((x) => !x.builtin || own[x.command]?.fits(room)));
    known = { at: Date.now(), list };
    lists.set(room.id, known);
    list.catch(() => lists.delete(room.id));
  }
  return known.list;
}

async function help(f: Frame, c: Composer, room: Room): Promise<void> {
  const list = await commandsOf(f, room);
  c.note(h("span", { class: "commands" }, ...list.flatMap((x) => [h("br", null), h("code", null, "/" + x.command + (x.hint ? " " + x.hint : "")), " " + (x.description ?? "")])));
}

async function invite(f: Frame, c: Composer, room: Room, rest: string): Promise<void> {
  const users: ID[] = [];
  for (const word of rest.split(/\s+/).filter(Boolean)) {
    const login = word.replace(/^@/, "").toLowerCase();
    const list = await f.client.call("directory.list", { query: login, limit: 20 });
    const u = list.users.find((x) => x.login.toLowerCase() === login);
    if (!u) return c.note(t("slash.nobody", { login }));
    users.push(u.id);
  }
  if (!users.length) return c.note(t("slash.invite.usage"));
  await f.client.call("room.add", { room: room.id, users });
}

async function join(f: Frame, c: Composer, _room: Room, rest: string): Promise<void> {
  const name = rest.replace(/^#/, "").toLowerCase();
  const found = name ? (await f.client.call("search.names", { query: name, limit: 20 })).rooms.find((r) => r.name.toLowerCase() === name) : undefined;
  if (!found) return c.note(t("slash.noroom", { name: rest }));
  if (!found.member) f.client.store.dispatch({ type: "room", room: (await f.client.call("room.join", { room: found.id })).room });
  f.go("room/" + found.id);
}

// ask has the server run a command. Its answer to the room arrives as a message.
async function ask(f: Frame, c: Composer, room: Room, text: string): Promise<void> {
  const key = uuid7(Date.now(), (n) => crypto.getRandomValues(new Uint8Array(n)));
  const answer = await f.client.call("command.run", { room: room.id, text, key });
  if (answer.visibility !== "me") return;
  const said = h("div", { class: "text" });
  said.append(render(answer.text ?? ""));
  c.note(said);
}

function roomOf(f: Frame, c: Composer): Room | undefined {
  return f.client.store.state.rooms.get(c.room)?.room;
}

function source(f: Frame, c: Composer, text: string, caret: number): Found | null {
  const m = /^\/([a-z0-9_-]{0,32})$/i.exec(text.slice(0, caret));
  const room = roomOf(f, c);
  if (!m || !room) return null;
  const q = m[1]!.toLowerCase();
  const choice = (x: Command): Choice => ({ text: "/" + x.command, label: "/" + x.command + (x.hint ? " " + x.hint : ""), hint: x.description ?? "" });
  return { from: 0, choices: commandsOf(f, room).then((list) => {
    if (list.some((x) => x.command === q)) return []; // written in full: Enter runs it
    return list.filter((x) => x.command.startsWith(q)).slice(0, 10).map(choice);
  }, () => []) };
}

const busy = new WeakSet<Composer>(); // a second Enter is not a second run

const pattern = /^\/([a-z0-9_-]{1,32})(?:\s+([\s\S]*))?$/i;

// take runs a command. Whether a word is one of the server's is known only when
// its list is there: until it is, the text waits in the composer.
function take(f: Frame, c: Composer, text: string): boolean {
  const m = pattern.exec(text);
  const room = roomOf(f, c);
  if (!m || !room || f.client.store.state.link.state !== "online") return false;
  if (busy.has(c)) return true;
  busy.add(c);
  void (async () => {
    try {
      const list = await commandsOf(f, room);
      const command = list.find((x) => x.command.toLowerCase() === m[1]!.toLowerCase());
      if (!command) return c.sendPlain(text);
      c.clear();
      if (command.builtin) await own[command.command]!.run(f, c, room, (m[2] ?? "").trim());
      else await ask(f, c, room, text);
    } catch (e) {
      c.note(explain(e));
      if (!c.text) c.insert(text);
    } finally {
      busy.delete(c);
    }
  })();
  return true;
}

export const slashFeature: Feature = {
  sources: (f, c) => [(text, caret) => source(f, c, text, caret)],
  take,
};
