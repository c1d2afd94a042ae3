package webui

import "testing"

func TestStoreKeepsWhatAPersonHasSet(t *testing.T) {
	runScript(t, "store.ts", storeScript, `
{
  const x = begin();
  const put = (position, key, value, scope) => x.ev("kv", position, {scope: scope || "user", entry: {key, value, version: position}});
  const prefs = () => JSON.parse(JSON.stringify([...x.st.state.prefs.rooms]));
  put(111, "room/r", {pin: 5, loud: "none"});
  same("set", prefs(), [["r", {pin: 5, loud: "none"}]]);
  put(112, "room/r", {pin: "x", loud: "shout", other: 1});
  same("unknown forms are the default", prefs(), []);
  put(113, "room/r", {loud: "all"});
  put(114, "room/q", {pin: 3}, "device");
  put(115, "draft", {pin: 3});
  put(116, "room/p", "nonsense");
  same("of the person only", prefs(), [["r", {pin: 0, loud: "all"}]]);
  put(117, "notify", {loud: "none", hide: true});
  same("for all rooms", [x.st.state.prefs.loud, x.st.state.prefs.hide], ["none", true]);
  x.st.dispatch({type: "kv", all: true, entries: [{key: "room/r", value: {pin: 1}, version: 100}, {key: "room/z", value: {pin: 2}, version: 50}]});
  same("what was read before an event arrived does not undo it", prefs(), [["r", {pin: 0, loud: "all"}], ["z", {pin: 2, loud: null}]]);
  same("loaded", x.st.state.prefs.loaded, true);
  put(118, "room/r", null);
  put(119, "notify", null);
  same("removed", [prefs(), x.st.state.prefs.loud, x.st.state.prefs.hide], [[["z", {pin: 2, loud: null}]], "mentions", false]);
}
{
  const x = begin();
  x.st.dispatch({type: "presence", list: [{user: "b", state: "online"}]});
  x.st.dispatch({type: "link", link: {state: "online"}});
  same("known", x.st.state.presence.size, 1);
  x.st.dispatch({type: "link", link: {state: "waiting", until: 5}});
  same("nobody knows without a connection", x.st.state.presence.size, 0);
}
`)
}

func TestRoomsAreOrderedAndCounted(t *testing.T) {
	runScript(t, "state.ts", `
const s = module.empty();
const room = (id, time, unread, mentions) => s.rooms.set(id, {room: {id, kind: "group", created: 0, last: {time}}, headCount: unread, readCount: 0, mentions: Array.from({length: mentions}, (_, i) => i), mentionBase: 0, baseHead: 0});
room("a", 10, 2, 0);
room("b", 30, 3, 1);
room("c", 20, 0, 0);
room("d", 5, 7, 2);
const order = () => module.roomOrder(s).map((r) => r.room.id).join("");
same("by the newest entry", order(), "bcad");
s.prefs.rooms.set("d", {pin: 200, loud: null});
s.prefs.rooms.set("a", {pin: 100, loud: null});
same("pinned ones first, in the order they were pinned", order(), "adbc");
same("all", module.totals(s), {unread: 12, mentions: 3});
s.prefs.rooms.set("d", {pin: 200, loud: "none"});
same("of a muted room only mentions", module.totals(s), {unread: 7, mentions: 3});
`)
}

func TestWhatMakesANotification(t *testing.T) {
	runScript(t, "prefs.ts", `
const s = {me: {id: "me"}, prefs: module.noPrefs()};
const room = (kind) => ({id: "r", kind});
const m = (more) => Object.assign({sender: "b", text: "x"}, more);
const calls = (kind, more) => module.calls(s, room(kind), m(more));
same("by default", [calls("direct"), calls("group"), calls("group", {mentions: ["me"]}), calls("channel", {mention_all: true}), calls("group", {mentions: ["c"]})], [true, false, true, true, false]);
same("never", [calls("direct", {sender: "me"}), calls("notes"), calls("direct", {recalled: {}}), calls("direct", {change: {}})], [false, false, false, false]);
s.prefs.loud = "all";
same("all", calls("group"), true);
s.prefs.rooms.set("r", {pin: 0, loud: "none"});
same("a muted room", [calls("direct", {mentions: ["me"]}), calls("group"), calls("group", {mention_all: true}), calls("group", {mentions: ["me"]}), module.muted(s, "r")], [false, false, false, true, true]);
s.prefs.loud = "none";
same("nothing at all", calls("group", {mentions: ["me"]}), false);
s.prefs.rooms.set("r", {pin: 0, loud: "mentions"});
same("louder than the rest", [calls("group", {mentions: ["me"]}), calls("group")], [true, false]);
same("entries", [module.roomEntry({pin: 0, loud: null}), module.roomEntry({pin: 7, loud: null}), module.roomEntry({pin: 0, loud: "none"})], [undefined, {pin: 7}, {loud: "none"}]);
`)
}

func TestFindingByName(t *testing.T) {
	runScript(t, "rank.ts", `
const order = (query, names) => module.found(query, names.map((n) => ({n})), (x) => [x.n]).map((x) => x.n);
same("the beginning first", order("an", ["Stan", "Bo Anders", "Ann"]), ["Ann", "Bo Anders", "Stan"]);
same("parts of Chinese names", order("班组", ["一号车间", "冲压班组 A", "班组长"]), ["班组长", "冲压班组 A"]);
same("letters in order", order("opsch", ["Operations channel", "Shop"]), ["Operations channel"]);
same("not for Chinese", order("车间甲", ["车队的时间甲"]), []);
same("words in any place", order("floor shop", ["Shop floor"]), ["Shop floor"]);
same("wide letters", order("ＡＮＮ", ["Ann"]), ["Ann"]);
same("nothing asked", order("", ["b", "a"]), ["b", "a"]);
`)
}
