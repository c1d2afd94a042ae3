package webui

import "testing"

// storeScript is a room r with two people: me (m) and bo (b). The head stands
// at 10 with 9 messages, read up to 8 of them.
const storeScript = `
const msg = (seq, more) => Object.assign({id: "r-" + seq, room: "r", seq, count: seq - 1, position: 100 + seq, time: seq * 1000, sender: "b", text: "t" + seq}, more);
const room = (more) => Object.assign({id: "r", kind: "group", name: "R", created: 0, members: 2, head: 10, position: 110, last: msg(10), my_role: "member", my_read: 9, unread: 1}, more);
const begin = (more) => {
  const st = new module.Store();
  const needs = [];
  st.onNeed((n) => needs.push(n));
  st.dispatch({type: "start", now: 0, start: {position: 110, reset: true, rooms: [room(more)], user: {id: "m", login: "me", name: "Me"}, device: "d", server_time: 5, heartbeat_ms: 1000, version: "1"}});
  const ev = (type, position, data) => st.dispatch({type: "event", now: 0, event: {type, position, data}});
  const page = (where, seqs, more) => st.dispatch({type: "page", room: "r", where, max: 20, page: Object.assign({messages: seqs.map((n) => msg(n)), head: 10, position: 110, more: true}, more)});
  const seqs = () => st.state.timelines.get("r").messages.map((m) => m.seq);
  const unread = () => { const r = st.state.rooms.get("r"); return Math.max(0, r.headCount - r.readCount); };
  return {st, needs, ev, page, seqs, unread, tl: () => st.state.timelines.get("r"), r: () => st.state.rooms.get("r")};
};
`

func TestStoreUnreadIsDerived(t *testing.T) {
	runScript(t, "store.ts", storeScript, `
{
  const x = begin();
  same("at the start", x.unread(), 1);
  x.ev("message", 111, msg(11));
  x.ev("message", 111, msg(11));
  same("twice is once", x.unread(), 2);
  x.ev("message", 112, msg(12, {count: 10, change: {what: "joined"}}));
  same("a line of the room is no message", x.unread(), 2);
  x.ev("message", 113, msg(13, {count: 11, mentions: ["m"]}));
  same("mentions", x.r().mentions, [13]);
  x.ev("read", 114, {room: "r", user: "b", seq: 13, count: 11, at: 1});
  same("someone else's mark", x.unread(), 3);
  x.ev("read", 115, {room: "r", user: "m", seq: 12, count: 10, at: 1});
  same("my mark", [x.unread(), x.r().mentions.length, x.r().room.my_read], [1, 1, 12]);
  x.ev("read", 116, {room: "r", user: "m", seq: 13, count: 11, at: 1});
  x.ev("read", 116, {room: "r", user: "m", seq: 11, count: 9, at: 1});
  same("never goes back", [x.unread(), x.r().mentions.length, x.r().room.my_read], [0, 0, 13]);
  x.ev("message", 117, msg(14, {sender: "m", count: 12}));
  same("writing is reading", [x.unread(), x.r().room.my_read, x.st.state.reads.get("r").get("m").seq], [0, 14, 14]);
  x.ev("message", 118, msg(15, {count: 13, mention_all: true}));
  x.ev("recalled", 119, msg(15, {count: 13, recalled: {by: "b", at: 1}}));
  same("a recalled mention calls nobody", [x.unread(), x.r().mentions.length], [1, 0]);
  x.ev("message", 90, msg(40));
  same("before our position", x.r().room.head, 15);
}
{
  const x = begin({mentions_new: 2});
  x.ev("read", 111, {room: "r", user: "m", seq: 9, count: 8, at: 1});
  same("nothing new", x.needs, []);
  x.ev("message", 112, msg(11));
  x.ev("read", 113, {room: "r", user: "m", seq: 10, count: 9, at: 1});
  same("all that were counted are read", x.r().mentionBase, 0);
}
`)
}

func TestStoreHolesArePagesToFetch(t *testing.T) {
	runScript(t, "store.ts", storeScript, `
{
  const x = begin();
  x.page("newest", [8, 9, 10]);
  same("newest page", [x.seqs(), x.tl().atEnd, x.tl().atStart], [[8, 9, 10], true, false]);
  x.ev("message", 111, msg(11));
  same("the next one", x.seqs(), [8, 9, 10, 11]);
  x.ev("message", 114, msg(14));
  same("a hole", [x.seqs(), x.tl().atEnd, x.needs], [[8, 9, 10, 11], false, [{need: "history", room: "r", after: 11}]]);
  x.ev("message", 115, msg(15));
  same("asked once", x.needs.length, 1);
  x.page("after", [12, 13, 14], {head: 14, position: 114, more: false});
  same("filled, but more came meanwhile", [x.seqs(), x.tl().atEnd, x.needs.length, x.needs[1]], [[8, 9, 10, 11, 12, 13, 14], false, 2, {need: "history", room: "r", after: 14}]);
  x.page("after", [15], {head: 15, position: 115, more: false});
  same("whole again", [x.seqs().length, x.tl().atEnd], [8, true]);
  x.page("before", [6, 7]);
  same("earlier", x.seqs()[0], 6);
  x.page("before", [6, 7]);
  same("an answer that comes twice", x.seqs().length, 10);
  x.page("before", [1, 2, 3, 4, 5], {more: false});
  same("the beginning", [x.seqs()[0], x.tl().atStart, x.tl().atEnd], [1, true, true]);
}
{
  const x = begin({head: 100, last: msg(100)});
  const range = (a, b) => Array.from({length: b - a + 1}, (_, i) => a + i);
  x.page("newest", range(91, 100), {head: 100});
  x.page("before", range(81, 90), {head: 100});
  same("full", [x.seqs().length, x.tl().atEnd], [20, true]);
  x.page("before", range(71, 80), {head: 100});
  same("the far end is dropped", [x.seqs()[0], x.seqs()[19], x.tl().atEnd], [71, 90, false]);
  x.ev("message", 201, msg(101));
  same("what comes is not shown there, and nothing is asked", [x.seqs()[19], x.needs.length, x.r().room.head], [90, 0, 101]);
  x.page("after", range(91, 101), {head: 101, more: false});
  same("back at the end", [x.seqs().length, x.seqs()[19], x.tl().atEnd, x.tl().atStart], [20, 101, true, false]);
  x.st.dispatch({type: "trim", room: "r", keep: 5});
  same("trimmed", [x.seqs(), x.tl().atStart], [[97, 98, 99, 100, 101], false]);
}
{
  const x = begin();
  x.ev("message", 111, msg(3, {room: "other"}));
  same("an unknown room", x.needs, [{need: "room", room: "other"}]);
  x.ev("left", 112, {room: "r"});
  same("left", x.st.state.rooms.size, 0);
}
`)
}

func TestStoreChangesReachPagesReadBeforeThem(t *testing.T) {
	runScript(t, "store.ts", storeScript, `
{
  const x = begin();
  x.page("newest", [9, 10]);
  x.ev("reaction", 111, {message: "r-10", user: "b", emoji: "+", on: true});
  x.ev("reaction", 111, {message: "r-10", user: "b", emoji: "+", on: true});
  same("put once", x.tl().messages[1].reactions, [{emoji: "+", users: ["b"]}]);
  x.ev("reaction", 112, {message: "r-10", user: "m", emoji: "+", on: true});
  same("in order", x.tl().messages[1].reactions[0].users, ["b", "m"]);
  x.ev("edited", 113, msg(9, {text: "new", edits: 1}));
  x.ev("pinned", 114, {message: "r-9", by: "b", at: 7});
  same("edited and pinned", [x.tl().messages[0].text, x.tl().messages[0].pinned_at], ["new", 7]);
  x.page("newest", [9, 10], {position: 110});
  same("a page from before has them", [x.tl().messages[0].text, x.tl().messages[1].reactions[0].users.length], ["new", 2]);
  x.page("newest", [9, 10], {position: 113});
  same("a page from between has what came after", [x.tl().messages[0].text, x.tl().messages[0].pinned_at], ["t9", 7]);
  x.ev("reaction", 115, {message: "r-10", user: "m", emoji: "+", on: false});
  x.ev("recalled", 116, msg(10, {text: undefined, recalled: {by: "b", at: 1}}));
  same("recalled", [x.tl().messages[1].text, x.r().room.last.recalled.by], [undefined, "b"]);
}
{
  const x = begin();
  x.ev("receipts", undefined, {receipts: [{room: "r", user: "b", device: "bd", pushed: 10, acked: 9}]});
  x.ev("receipts", undefined, {receipts: [{room: "r", user: "b", device: "bd", pushed: 10, acked: 8}]});
  same("receipts do not go back", x.st.state.devices.get("r").get("bd"), {user: "b", acked: 9, pushed: 10});
  x.ev("message", 111, msg(11, {sender: "m", key: "k"}));
  same("my own has arrived", x.needs, [{need: "arrived", key: "k"}]);
  x.ev("typing", undefined, {room: "r", user: "b"});
  same("typing", x.st.state.typing.get("r").size, 1);
  x.st.dispatch({type: "tick", now: 5001});
  same("typing ends", x.st.state.typing.get("r").size, 0);
  x.st.dispatch({type: "start", now: 0, start: {position: 500, reset: true, rooms: [], user: {id: "m"}, device: "d", server_time: 0, heartbeat_ms: 1, version: ""}});
  same("reset", [x.st.state.rooms.size, x.st.state.timelines.size, x.st.state.position], [0, 0, 500]);
}
`)
}

func TestStoreThreads(t *testing.T) {
	runScript(t, "store.ts", storeScript, `
const thread = (x, seqs, more) => x.st.dispatch(Object.assign({type: "thread", room: "r", seq: 4, first: msg(4, {replies: seqs.length}), where: "newest",
  page: {messages: seqs.map((n) => msg(n, {thread: 4})), head: 10, position: 110, more: false}}, more));
const at = (x) => x.st.state.threads.get("r/4");
{
  const x = begin();
  x.page("newest", [3, 4, 5, 6, 7, 8, 9, 10]);
  x.ev("message", 111, msg(11, {thread: 4}));
  same("nobody looks at the thread", x.st.state.threads.size, 0);
  x.ev("thread", 111, {message: "r-4", replies: 1, last_reply: 11000});
  x.ev("thread", 111, {message: "r-4", replies: 1, last_reply: 11000});
  same("its first message counts", [x.tl().messages[1].replies, x.tl().messages[1].last_reply], [1, 11000]);
  thread(x, [], {first: null, page: {messages: [], head: 0, position: 0, more: true}});
  x.ev("message", 112, msg(12, {thread: 4}));
  x.ev("message", 112, msg(12, {thread: 4}));
  thread(x, [11]);
  same("what came while the page was on its way", at(x).messages.map((m) => m.seq), [11, 12]);
  x.ev("thread", 112, {message: "r-4", replies: 2, last_reply: 12000});
  same("the first message in the thread counts too", [at(x).first.replies, x.tl().messages[1].replies], [2, 2]);
  thread(x, [11, 12], {first: msg(4, {replies: 1})});
  same("a page that was read before", at(x).first.replies, 2);
  x.ev("recalled", 113, msg(11, {thread: 4, recalled: {by: "b", at: 1}, text: undefined}));
  same("recalled", [!!at(x).messages[0].recalled, at(x).messages[0].text ?? ""], [true, ""]);
  x.ev("reaction", 114, {message: "r-12", user: "b", emoji: "x", on: true});
  same("reactions", at(x).messages[1].reactions.length, 1);
  x.ev("message", 115, msg(13, {thread: 5}));
  same("another thread", at(x).messages.length, 2);
  thread(x, [7, 9], {where: "before"});
  same("earlier replies", at(x).messages.map((m) => m.seq), [7, 9, 11, 12]);
  x.st.dispatch({type: "unthread", room: "r", seq: 4});
  same("closed", x.st.state.threads.size, 0);
}
`)
}
