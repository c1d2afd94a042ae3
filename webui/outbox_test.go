package webui

import "testing"

func TestOutboxSurvivesAReload(t *testing.T) {
	runScript(t, "outbox.ts", `
const shelf = () => {
  const m = new Map();
  return {get length() { return m.size; }, key: (i) => [...m.keys()][i] ?? null, getItem: (k) => m.get(k) ?? null, setItem: (k, v) => void m.set(k, v), removeItem: (k) => void m.delete(k)};
};
const s = shelf();
s.setItem("posthouse.lang", "zh");
s.setItem("posthouse.outbox.u.bad", "{");
s.setItem("posthouse.outbox.other.k", JSON.stringify({key: "k", room: "r", text: "not mine", created: 1}));
const a = new module.Outbox(s, "u");
a.add({key: "k1", room: "r", text: "one", created: 1});
a.add({key: "k2", room: "r", text: "two", created: 2, replyTo: 4, thread: 3, files: [{id: "f", name: "n", size: 1, type: "t"}]});
a.add({key: "k3", room: "q", text: "three", created: 3});
same("one at a time per room", a.next(new Set()).map((p) => p.key), ["k1", "k3"]);
same("a busy room waits", a.next(new Set(["r"])).map((p) => p.key), ["k3"]);
a.stored("k1", 7, "r-7");
same("answered: still shown, not sent again", [a.entries.length, a.next(new Set())[0].key, a.unsent], [3, "k2", 2]);
a.fail("k2", "no");
const b = new module.Outbox(s, "u");
same("after a reload", b.entries.map((p) => [p.key, p.failed ?? ""]), [["k2", "no"], ["k3", ""]]);
same("a refused one waits for the person", b.next(new Set()).map((p) => p.key), ["k3"]);
b.retry("k2");
same("again, with the same key", b.next(new Set()).map((p) => p.key), ["k2", "k3"]);
same("params", module.params(b.find("k2")), {room: "r", key: "k2", text: "two", reply_to: 4, thread: 3, files: ["f"]});
same("removed once", [b.remove("k2"), b.remove("k2")], [true, false]);
b.remove("k3");
same("nothing left", new module.Outbox(s, "u").entries.length, 0);
same("others are untouched", new module.Outbox(s, "other").entries.length, 1);
const full = shelf();
full.setItem = () => { throw new Error("quota"); };
const c = new module.Outbox(full, "u");
c.add({key: "k", room: "r", text: "x", created: 1});
same("a full storage loses nothing while the page lives", c.entries.length, 1);
same("and says so", [c.unkept, c.entries[0].unkept], [1, true]);
c.stored("k", 1, "i");
same("until it is sent", c.unkept, 0);

// Two tabs: the storage tells each what the other changed.
const both = shelf(), one = new module.Outbox(both, "u"), two = new module.Outbox(both, "u");
const tell = (to, key, now) => to.heard("posthouse.outbox.u." + key, both.getItem("posthouse.outbox.u." + key), now);
one.add({key: "a", room: "r", text: "of one", created: 5});
two.add({key: "b", room: "r", text: "of two", created: 6});
same("heard", [tell(two, "a", 1000), tell(one, "b", 1000)], [true, true]);
same("both know both, in order", [one, two].map((x) => x.entries.map((p) => p.key).join("")), ["ab", "ab"]);
same("one sends its own", one.next(new Set(), 1001).map((p) => p.key), ["a"]);
same("two waits for one", two.next(new Set(), 1001).map((p) => p.key), []);
same("not for ever", two.next(new Set(), 1000 + module.grace).map((p) => p.key), ["a"]);
one.stored("a", 3, "i");
same("two hears that it is done", [tell(two, "a", 2000), two.next(new Set(), 2001).map((p) => p.key).join()], [true, "b"]);
two.fail("b", "no");
same("one hears the refusal", [tell(one, "b", 3000), one.find("b").failed], [true, "no"]);
same("nothing of hearing is stored", JSON.parse(both.getItem("posthouse.outbox.u.b")).heard, undefined);
same("other keys", [one.heard("posthouse.lang", "zh", 1), one.heard(null, null, 1), one.heard("posthouse.outbox.u.x", "{", 1)], [false, false, false]);
const id = module.uuid7(0x0123456789ab, (n) => new Uint8Array(n).fill(255));
same("uuid 7", id, "01234567-89ab-7fff-bfff-ffffffffffff");
`)
}
