package webui

import (
	"os"
	"testing"
)

// TestFormat reads a text with the selection between ‹ and ›, or the caret as |.
func TestFormat(t *testing.T) {
	runScript(t, "format.ts", `
const read = (s) => {
  const caret = s.indexOf("|");
  if (caret >= 0) return {text: s.replace("|", ""), from: caret, to: caret};
  const from = s.indexOf("‹"), to = s.indexOf("›") - 1;
  return {text: s.replace("‹", "").replace("›", ""), from, to};
};
const write = (s) => s.from === s.to ? s.text.slice(0, s.from) + "|" + s.text.slice(s.from) : s.text.slice(0, s.from) + "‹" + s.text.slice(s.from, s.to) + "›" + s.text.slice(s.to);
const is = (mark, before, after) => same(mark + " of " + before, write(module.format(read(before), mark)), after);
is("bold", "a ‹word› here", "a **‹word›** here");
is("bold", "a **‹word›** here", "a ‹word› here");
is("bold", "a ‹**word**› here", "a ‹word› here");
is("bold", "a ‹word ›here", "a **‹word›** here");
is("bold", "|", "**|**");
is("bold", "**|**", "|");
is("italic", "‹你好›", "_‹你好›_");
is("italic", "**‹a›**", "**_‹a›_**");
is("bold", "‹one\n\n- two›", "‹**one**\n\n- **two**›");
is("bold", "‹**one**\n- **two**›", "‹one\n- two›");
is("strike", "‹x›", "~~‹x›~~");
is("code", "‹x›", "`+"`‹x›`"+`");
is("code", "`+"`‹x›`"+`", "‹x›");
is("block", "say |", "say \n`+"```"+`\n|\n`+"```"+`");
is("block", "a\n‹b\nc›\nd", "a\n`+"```"+`\n‹b\nc›\n`+"```"+`\nd");
is("block", "‹has `+"```"+` in it›", "`+"````"+`\n‹has `+"```"+` in it›\n`+"````"+`");
is("quote", "‹a\n\nb›", "‹> a\n> \n> b›");
is("quote", "‹> a\n> b›", "‹a\nb›");
is("bullets", "x\n‹a\nb›", "x\n‹- a\n- b›");
is("bullets", "‹- a\n- b›", "‹a\nb›");
is("bullets", "a|", "- a|");
is("numbers", "‹a\n- b\n\nc›", "‹1. a\n2. b\n\n3. c›");
is("link", "see ‹here›", "see [here](|)");
is("link", "see ‹https://a.lan/x›", "see [|](https://a.lan/x)");
is("link", "|", "[|]()");
same("a link pasted on words", write(module.link(read("see ‹here›!"), "https://a.lan")), "see [here](https://a.lan)|!");

const line = (before, after) => {
  const n = module.newLine(read(before));
  same("a new line in " + before, n && write(n), after);
};
line("- a|", "- a\n- |");
line("  * a|b", "  * a\n  * |b");
line("9. nine|", "9. nine\n10. |");
line("> said|", "> said\n> |");
line("- a\n- |", "- a\n|");
line("plain|", null);
line("2.5 is a number|", null);
line("`+"```"+`\n  indented|", "`+"```"+`\n  indented\n  |");
line("`+"```"+`\n\tx\n\t`+"```|"+`", "`+"```"+`\n\tx\n`+"```|"+`");
line("`+"```"+`\n- not a list|", null);

const fenced = (s) => { const r = read(s); return module.inFence(r.text, r.from); };
same("before", fenced("|a\n`+"```"+`\nb"), false);
same("the opening line", fenced("`+"```"+`go|"), true);
same("inside", fenced("`+"```"+`\nb|\n`+"```"+`"), true);
same("after", fenced("`+"```"+`\nb\n`+"```"+`|"), false);
same("a shorter fence does not close", fenced("`+"````"+`\n`+"```"+`\nb|"), true);
same("code in a line", fenced("`+"```"+`b`+"```"+`|"), false);
`)
}

// TestEmojiSearch looks for emoji in the list that is served.
func TestEmojiSearch(t *testing.T) {
	list, err := os.ReadFile("static/emoji.json")
	if err != nil {
		t.Fatal(err)
	}
	runScript(t, "emoji.ts", "const list = module.readList("+string(list)+");", `
const first = (q, n = 1) => module.findEmoji(list, q, n).map((e) => e.text).join("");
same("how many", list.all.length, 1898);
same("groups", list.groups.length, 9);
same("by its name", first("smile"), "😄");
same("as it is written", first(":thumbsup:"), "👍");
same("by the beginning", first("rocke"), "🚀");
same("by the Chinese name", first("火箭"), "🚀");
same("by another Chinese word", module.findEmoji(list, "咧嘴笑", 20).some((e) => e.text === "😆"), true);
same("by two words", first("red heart"), "❤️");
same("nothing", first("qqqq"), "");
same("a blank", first("  "), "");
same("a flag", first("cn"), "🇨🇳");
same("limit", module.findEmoji(list, "face", 5).length, 5);
for (const e of list.all) {
  if (!e.text || !e.en || !e.zh || !e.codes[0]) throw new Error("an entry without name: " + JSON.stringify(e));
  if (/[|\n<>"]/.test(e.text) || !e.codes.every((c) => /^[a-z0-9_+-]+$/.test(c))) throw new Error("a strange entry: " + JSON.stringify(e));
  if (unescape(encodeURIComponent(e.text)).length > 32) throw new Error(e.text + " is too long for a reaction");
}
`)
}
