// Package markup owns the small Markdown of chat messages: what a text means,
// and how it looks as HTML and as a plain line. It is pure: no I/O, no state,
// no goroutines.
//
// A message is stored as it was written; every client parses it again. The
// chat client has the same parser in webui/src/markup_parse.ts, and
// testdata/vectors.json pins both: a change of grammar changes the two parsers
// and the vectors together.
//
// # Promises
//
//   - Every text parses. What is not markup below is text, unchanged.
//   - Time and output grow linearly with the text, whatever it holds.
//   - The tree is at most 8 levels of nodes around a piece of text: quote,
//     list, nested list, and one each of the five marks (bold, * italic,
//     _ italic, strike, link).
//   - HTML holds only the tags p br pre code blockquote ul ol li strong em del
//     a span, and only the attributes class, value, href, rel and target.
//
// # Before parsing
//
// CRLF and CR become LF. A run of invalid UTF-8 becomes one U+FFFD, and so does
// every control character (U+0000–001F, U+007F–009F) but tab and LF.
//
// Two classes of characters matter below. Space: tab, LF, U+0020, 00A0, 00AD,
// 061C, 1680, 180E, 2000–200F, 2028–202F, 205F–206F, 3000, FEFF: white space,
// and what is invisible or turns the direction of writing. Word: A–Z a–z 0–9
// and U+00C0–1FFF but × and ÷. Chinese, Japanese and Korean characters, emoji
// and punctuation are neither; marks, links and mentions may stand directly
// beside them.
//
// # Blocks
//
// A line of blanks and tabs ends every block but a fence. The first rule that
// fits a line wins:
//
//	fence      up to 3 blanks, 3 or more backticks, info without a backtick.
//	           Runs to a line of at least as many backticks and nothing else,
//	           or to the end. Info of one word of 1–32 characters A–Z a–z 0–9
//	           _ + # . - is the language; other info is the first line of code.
//	quote      lines that are ">" or begin with "> ", at the first column. What
//	           follows is parsed as blocks, in which a quote is text.
//	list item  blanks, then "-" or "*" (bullets) or 1–9 digits and "." (numbers),
//	           then a blank or tab, then something. Neighbouring items of one
//	           kind are one list. An item indented 2 or more deeper than the
//	           list's first is in a list nested in the item before it; deeper
//	           ones too. A line without a marker indented that deep continues
//	           the item. A tab counts 4. Numbers are shown as written.
//	paragraph  anything else. Any block may interrupt it. Leading blanks stay,
//	           trailing blanks and tabs go, a line break is a line break.
//
// There are no headings, tables, rules, HTML, images or entities.
//
// # Inline
//
// There is no escape character: `C:\*.txt` is a path on many a LAN. To show a
// mark as it is, write it as code.
//
//	`code`         1–8 backticks up to as many again on the same line. One
//	               blank on either side goes when both are there.
//	**bold**       opens before, and closes after, what is not Space.
//	~~strike~~     likewise.
//	*italic*       likewise, and neither opens after nor closes before Word, so
//	_italic_       that 2*3*4 and snake_case_name stay what they are.
//	***both***     bold and italic.
//	[text](url)    url without Space and in balanced parentheses; text must have
//	               something visible and no link in it. See Addresses.
//	http(s)://…    not after Word; ends before the first character that is not
//	               ASCII or is one of < > " ` \ ^ { | } *, or a closing bracket
//	               it does not open, less trailing ? ! . , : ; ' _ ~.
//	@login, @all   A–Z a–z 0–9 . _ -, begins and ends with a letter or digit, 1–64
//	               long; not after Word, @ or /; not before Word or @.
//
// Other runs of marks are text (____, ****, ~). A mark that can close an open
// one of its kind does, else it opens; a second opening mark of a kind makes the
// first one text; a closing mark, or the end of a link, makes text of the marks and
// brackets opened after its partner. Marks do not reach past their paragraph or
// item. In the text of a link a mention is text.
//
// # Addresses
//
// http, https and mailto, in any case, at most 2048 bytes of UTF-8. No Space,
// control character, U+FFFD, < > " ` or backslash anywhere. http and https need
// a host of letters, digits, ".", "-", "_" (CJK and accented letters too in the
// bracket form) or an IPv6 address in brackets, and an optional port of 1–5
// digits; user:password@ is refused because it is used to disguise a host.
// mailto needs an "@" within. A bare address inside the text of a link must be
// the target itself: [https://bank.example](https://thief.example) is two links,
// not one. Whatever fails is text.
//
// # Mentions
//
// A login is reported in lower case, once. A mention in code, in a quote (the
// words of someone else) or in the text of a link calls nobody.
package markup
