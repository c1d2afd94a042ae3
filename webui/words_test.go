package webui

import "testing"

// The words of the console's script are in both languages too.
func TestConsoleWords(t *testing.T) {
	runScript(t, "console/words.ts", `
const places = (s) => (s.match(/\{\w+\}/g) || []).sort();
same("keys", Object.keys(module.zh).sort(), Object.keys(module.en).sort());
for (const k of Object.keys(module.en)) {
  same("places of " + k, places(module.zh[k]), places(module.en[k]));
  if (!/[\u3400-\u9fff]/.test(module.zh[k]) || /[\u3400-\u9fff]/.test(module.en[k])) throw new Error(k + " is in the wrong language");
}
`)
}

// TestWords holds both languages to the same keys with the same places, and
// none of them empty.
func TestWords(t *testing.T) {
	runScript(t, "words.ts", `
const places = (s) => (s.match(/\{\w+\}/g) || []).sort();
same("a key is in one area only", Object.keys(module.en).length, module.count);
same("keys", Object.keys(module.zh).sort(), Object.keys(module.en).sort());
for (const k of Object.keys(module.en)) {
  if (!module.en[k].trim() || !module.zh[k].trim()) throw new Error(k + " is empty");
  same("places of " + k, places(module.zh[k]), places(module.en[k]));
}
for (const k of Object.keys(module.zh)) {
  if (k !== "language.switch" && k !== "reaction.label" && k !== "upload.progress" && k !== "colon" && !/[\u3400-\u9fff]/.test(module.zh[k])) throw new Error(k + " is not in Chinese: " + module.zh[k]);
}
same("fill", module.fill("{a} of {b} {c}", {a: 1, b: "x"}), "1 of x {c}");
same("stored wins", module.choose("zh", ["en-US"]), "zh");
same("first known", module.choose(null, ["fr", "zh-TW", "en"]), "zh");
same("default", module.choose("xx", ["fr"]), "en");
`)
}
