package webui

import "testing"

// A part of the page that comes while somebody presses waits for the release,
// also when the press takes the focus from a field; only the newest is put in.
func TestPartsWaitForTheEndOfAPress(t *testing.T) {
	runScript(t, "console/press.ts", `
const heard = {}, page = { addEventListener: (name, f) => { heard[name] = f; } };
const later = [];
globalThis.setTimeout = (f) => { later.push(f); };
const happens = (name, target) => { heard[name]({ type: name, target }); while (later.length) later.shift()(); };
module.startPresses(page);
let said = [];
const swap = (kind, text) => module.unpressed(kind, () => said.push(text));

swap("a", "at once");
same("nobody presses", said, ["at once"]);

said = [];
happens("pointerdown", {});
happens("blur", { field: true });
swap("a", "old"); swap("a", "new"); swap("b", "other");
same("while somebody presses", said, []);
happens("pointerup", {});
same("after the release", said, ["new", "other"]);

said = [];
happens("pointerdown", {});
swap("a", "menu");
happens("contextmenu", {});
same("a menu opened", said, ["menu"]);

said = [];
happens("pointerdown", {});
swap("a", "elsewhere");
happens("blur", page);
same("the window lost the focus", said, ["elsewhere"]);
`)
}
