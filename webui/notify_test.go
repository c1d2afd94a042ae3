package webui

import "testing"

func TestNotificationsSayWhyNot(t *testing.T) {
	runScript(t, "notify_state.ts", `
const here = (more) => module.obstacle(Object.assign({secure: true, has: true, permission: "granted", apple: false, installed: false, off: false}, more));
same("works", here({}), "");
same("the first thing first", here({secure: false, has: false, permission: "denied", off: true}), "insecure");
same("a telephone of Apple", [here({has: false, apple: true}), here({has: false, apple: true, installed: true}), here({has: false})], ["apple", "missing", "missing"]);
same("permission", [here({permission: "denied"}), here({permission: "default"}), here({off: true})], ["denied", "ask", "off"]);
const words = (text) => ({sender: "Bo", room: "Shop", text, hidden: "New"});
same("direct", module.content({kind: "direct"}, {}, words("a\n b"), false), {title: "Bo", body: "a b"});
same("room", module.content({kind: "group"}, {}, words("x"), true), {title: "Bo · Shop", body: "New"});
same("files", module.content({kind: "group"}, {files: [{name: "a.png"}, {name: "b"}]}, words(""), false).body, "a.png, b");
const long = module.content({kind: "direct"}, {}, words("字".repeat(300)), false).body;
same("long", [[...long].length, long.endsWith("…")], [201, true]);
same("systems", [module.system("Mozilla (Linux; Android 15)", 5), module.system("Mozilla (Macintosh; Intel Mac OS X)", 5), module.system("Mozilla (Macintosh; Intel Mac OS X)", 0), module.system("Windows NT 10.0", 0), module.system("X11; Linux", 0)],
  ["android", "ios", "mac", "windows", "linux"]);
`)
}

func TestWhatOpensWithoutAConnection(t *testing.T) {
	runScript(t, "store.ts", storeScript, `
{
  const st = new module.Store();
  st.dispatch({type: "me", user: {id: "m", login: "me", name: "Me"}, device: "d"});
  const kept = (user) => ({type: "resident", resident: {user: {id: user}, device: "d", organisation: "O", rooms: [room({last: undefined})], users: [{id: "b", name: "Bo"}]}});
  st.dispatch(kept("other"));
  same("another person's", st.state.rooms.size, 0);
  st.dispatch(kept("m"));
  same("names and numbers", [st.state.rooms.get("r").room.name, st.state.users.get("b").name, st.state.organisation, st.state.position], ["R", "Bo", "O", 0]);
  st.dispatch({type: "start", now: 0, start: {position: 110, reset: true, rooms: [], user: {id: "m"}, device: "d", server_time: 0}});
  same("the server's word replaces it", st.state.rooms.size, 0);
  st.dispatch(kept("m"));
  same("never after it", st.state.rooms.size, 0);
}
`)
}
