// Commands that are written as /name in the composer. What the first word does
// not name is an ordinary message.

import type { ID, Room } from "./api";
import type { Choice, Found } from "./complete";
import type { Composer } from "./composer";
import { confirm, toast } from "./dom";
import type { Feature, Frame } from "./frame";
import { explain, t } from "./lang";
import { moderates } from "./state";
import type { Key } from "./words";

interface Slash {
  name: string;
  about: Key;
  args: Key | null;
  fits(r: Room): boolean;
  run(f: Frame, c: Composer, room: Room, rest: string): Promise<void> | void;
}

const many = (r: Room) => r.kind !== "direct" && r.kind !== "notes";

const own: Slash[] = [
  { name: "topic", about: "slash.topic", args: "slash.topic.args", fits: (r) => many(r) && (moderates(r) || r.kind === "group"), run: async (f, _c, room, rest) => { await f.client.call("room.update", { room: room.id, topic: rest }); } },
  { name: "invite", about: "slash.invite", args: "slash.invite.args", fits: many, run: invite },
  { name: "leave", about: "slash.leave", args: null, fits: many, run: (f, _c, room) => confirm(t("members.leave.title"), t("members.leave.about"), t("members.leave"), () => {
    f.client.call("room.leave", { room: room.id }).then(() => f.go(""), (e) => toast(explain(e), true));
  }) },
  { name: "search", about: "slash.search", args: "slash.search.args", fits: () => true, run: (f, _c, _room, rest) => f.pane("search", rest) },
  { name: "shrug", about: "slash.shrug", args: "slash.shrug.args", fits: () => true, run: (f, _c, room, rest) => f.client.send(room.id, { text: (rest ? rest + " " : "") + "`¯\\_(ツ)_/¯`" }) },
];

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

function roomOf(f: Frame, c: Composer): Room | undefined {
  return f.client.store.state.rooms.get(c.room)?.room;
}

function source(f: Frame, c: Composer, text: string, caret: number): Found | null {
  const m = /^\/([a-z0-9_-]{0,32})$/i.exec(text.slice(0, caret));
  const room = roomOf(f, c);
  if (!m || !room) return null;
  const q = m[1]!.toLowerCase();
  const choices: Choice[] = own.filter((x) => x.name.startsWith(q) && x.fits(room)).map((x) => ({ text: "/" + x.name, label: "/" + x.name + (x.args ? " " + t(x.args) : ""), hint: t(x.about) }));
  return { from: 0, choices };
}

function take(f: Frame, c: Composer, text: string): boolean {
  const m = /^\/([a-z0-9_-]{1,32})(?:\s+([\s\S]*))?$/i.exec(text);
  const room = roomOf(f, c);
  const command = m && room ? own.find((x) => x.name === m[1]!.toLowerCase() && x.fits(room)) : undefined;
  if (!command) return false;
  c.clear();
  void (async () => {
    try {
      await command.run(f, c, room!, (m![2] ?? "").trim());
    } catch (e) {
      c.note(explain(e));
      c.insert(text);
    }
  })();
  return true;
}

export const slashFeature: Feature = {
  sources: (f, c) => [(text, caret) => source(f, c, text, caret)],
  take,
};
