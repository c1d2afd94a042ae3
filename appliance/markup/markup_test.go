package markup

import (
	"fmt"
	"html"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// hostile returns texts of about n bytes that make careless parsers slow.
func hostile(n int) map[string]string {
	texts := map[string]string{
		"distinct backticks": "", "growing backticks": "",
		"list continued": "- a\n" + strings.Repeat("  b\n", n/4),
		"paragraph":      strings.Repeat("a\n", n/2),
		"blanks":         strings.Repeat(" ", n) + "x",
		"blanks in item": "- x" + strings.Repeat(" ", n) + "x",
		"blanks in link": strings.Repeat("[", n/2) + strings.Repeat(" ", n/4) + strings.Repeat("](http://a)", n/44),
		"combining":      "e" + strings.Repeat("\u0301", n/2),
		"bad UTF-8":      strings.Repeat("a\xff", n/2),
		"long address":   "http://" + strings.Repeat("a", n),
		"long login":     "@" + strings.Repeat("a", n),
		"deep link":      strings.Repeat("[a](http://a/", n/13) + strings.Repeat(")", n/13),
	}
	var distinct, growing strings.Builder
	for i := 1; distinct.Len() < n; i++ {
		distinct.WriteString(strings.Repeat("`", i%9+1) + "x")
	}
	for i := 1; growing.Len() < n; i++ {
		growing.WriteString(strings.Repeat("`", i) + "x")
	}
	texts["distinct backticks"], texts["growing backticks"] = distinct.String(), growing.String()
	for _, unit := range []string{
		"*", "[", "`", "_", ">", "~", "]", "(", ")", "@", "-", "h", " ", "\n", "\t", "\x00", "文",
		"**", "* ", " *", "*a ", " a*", "*a_ ", "**a ", "a** ", "**a *b ", "***a ", "*_", "_*", "**~~", "*a** ",
		"> ", "> \n", ">\n", "> - a\n", "- a\n", "  - a\n", "- a\n  - b\n", "1. ", "1. a\n", "- a\n1. b\n", "```\n", "```a\n`\n", "- ", "* ",
		"[a](", "[](", "](", "[a](http://", "[a](mailto:", "[a](mailto:b@", "[a](http://a) ", "[a](http://a)", "[[", "[a]", "![",
		"[http://a](http://b)", "[http://a ", "http://a](http://b)", "`a", "``a`", "` ", "@a", "@a ", "@a@", "@-", "@.",
		"http://", "http://a ", "http://a.", "http://a(", "https://a/\"", "http://[", "hhttp", "HTTP://",
	} {
		texts[fmt.Sprintf("%q", unit)] = strings.Repeat(unit, n/len(unit))
	}
	return texts
}

func everything(text string) {
	Parse(text)
	HTML(text)
	Plain(text)
	Mentions(text)
}

// TestLinear compares the processor time of a text with that of one eight times
// as long, a few times over: eight times the work is linear, 64 is not. Time on
// the clock would count what else a busy box does.
func TestLinear(t *testing.T) {
	const small, factor = 4 << 10, 8
	long := hostile(small * factor)
	for name, short := range hostile(small) {
		best, ratio := time.Duration(0), 0.0
		for range 12 {
			a, b := spent(short), spent(long[name])
			if r := float64(b) / float64(a); ratio == 0 || r < ratio {
				best, ratio = b, r
			}
			if ratio < 3*factor {
				break
			}
		}
		if ratio > 5*factor || best > 2*time.Second {
			t.Errorf("%s: %d times the text took %.0f times as long (%v)", name, factor, ratio, best)
		}
	}
}

func spent(text string) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	best := time.Hour
	for range 3 {
		start := threadTime()
		everything(text)
		best = min(best, threadTime()-start)
	}
	return max(best, time.Microsecond)
}

func threadTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}

func TestHostileIsSafe(t *testing.T) {
	for name, text := range hostile(32 << 10) {
		t.Run(name, func(t *testing.T) { check(t, text) })
	}
	check(t, strings.Repeat("\u0301", 100_000))
	for _, v := range readVectors(t) {
		check(t, v.Text)
	}
}

func TestAllowlistSeesTrouble(t *testing.T) {
	for _, bad := range []string{
		"<script>", "<p onclick=x>", `<a href="javascript:x" rel="noopener noreferrer nofollow" target="_blank">x</a>`,
		`<a href="http://a">x</a>`, "<p>", "</p>", "<p><em></p></em>", "<br/>", `<code class="a b">x</code>`, "< p>",
	} {
		if problem(bad) == "" {
			t.Errorf("%s passes", bad)
		}
	}
}

var allowed = regexp.MustCompile(`^<(?:(/?)(p|pre|code|blockquote|ul|ol|li|strong|em|del|span|a)|br|` +
	`(code) class="language-[0-9A-Za-z_+#.-]{1,32}"|(li) value="[0-9]{1,9}"|(span) class="mention"|` +
	`(a) href="((?i:https?://|mailto:)[^"<>\x00-\x20]+)" rel="noopener noreferrer nofollow" target="_blank")>`)

// problem says what is wrong with markup from HTML: a tag or an attribute that
// is not allowed, a tag without its partner, or a tree too deep.
func problem(markup string) string {
	var open []string
	for i := strings.IndexByte(markup, '<'); i >= 0; {
		m := allowed.FindStringSubmatch(markup[i:])
		if m == nil {
			return "forbidden: " + markup[i:min(len(markup), i+40)]
		}
		tag := m[2] + m[3] + m[4] + m[5] + m[6]
		switch {
		case m[1] == "/" && (len(open) == 0 || open[len(open)-1] != tag):
			return "unbalanced: " + m[0]
		case m[1] == "/":
			open = open[:len(open)-1]
		case m[0] == "<a>" || m[0] == "<span>":
			return "bare " + m[0]
		case tag != "":
			open = append(open, tag)
		}
		if len(open) > 14 { // 8 levels of nodes, items and pre inside them
			return "too deep"
		}
		next := strings.IndexByte(markup[i+1:], '<')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	if len(open) > 0 {
		return "left open: " + open[0]
	}
	return ""
}

// check holds text against the promises of the package comment.
func check(t *testing.T, text string) {
	t.Helper()
	out := HTML(text)
	if p := problem(out); p != "" {
		t.Fatalf("%.200q: %s", text, p)
	}
	if len(out) > 24*len(text)+64 {
		t.Fatalf("%.200q: %d bytes of HTML from %d", text, len(out), len(text))
	}
	checkBlocks(t, Parse(text), 0)
	logins, _ := Mentions(text)
	seen := make(map[string]bool)
	for _, l := range logins {
		if seen[l] || l == "" || l == "all" || l != strings.ToLower(l) || len(seen) >= MaxMentions {
			t.Fatalf("%.200q: login %q", text, l)
		}
		seen[l] = true
	}
	checkPlain(t, text)
}

func checkPlain(t *testing.T, text string) {
	t.Helper()
	out := Plain(text)
	if !utf8.ValidString(out) || len(out) > 4*len(text)+64 {
		t.Fatalf("%.200q: plain %.200q", text, out)
	}
	if i := strings.IndexFunc(out, func(r rune) bool {
		return r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r <= 0x9f
	}); i >= 0 {
		t.Fatalf("%.200q: control character in plain", text)
	}
}

func checkBlocks(t *testing.T, blocks []Block, depth int) {
	t.Helper()
	for _, b := range blocks {
		inner := depth
		if b.Kind == Quote || b.Kind == Bullets || b.Kind == Numbers {
			inner++
		}
		checkInline(t, b.Inline, inner)
		checkBlocks(t, b.Blocks, inner)
		for _, it := range b.Items {
			checkInline(t, it.Inline, inner)
			checkBlocks(t, it.Blocks, inner)
		}
	}
}

func checkInline(t *testing.T, pieces []Inline, depth int) {
	t.Helper()
	if depth > 8 {
		t.Fatal("more than 8 levels")
	}
	for i, n := range pieces {
		if n.Kind == Text && (n.Text == "" || i > 0 && pieces[i-1].Kind == Text) {
			t.Fatalf("text %q is empty or not joined", n.Text)
		}
		if len(n.Inline) > 0 {
			checkInline(t, n.Inline, depth+1)
		}
	}
}

// TestNothingIsLost: a text of words and no marks comes out as it went in.
func TestNothingIsLost(t *testing.T) {
	for _, text := range []string{"a b", "中文，标点。", "a\nb\n中", "\ta  b", "Ünï cödé 👍"} {
		if got := Plain(text); got != text {
			t.Errorf("Plain(%q) = %q", text, got)
		}
		if got := html.UnescapeString(strings.NewReplacer("<p>", "", "</p>", "", "<br>", "\n").Replace(HTML(text))); got != text {
			t.Errorf("HTML(%q) = %q", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, v := range readVectors(f) {
		f.Add(v.Text)
	}
	f.Fuzz(check)
}

func FuzzPlain(f *testing.F) {
	for _, v := range readVectors(f) {
		f.Add(v.Text)
	}
	f.Fuzz(checkPlain)
}

func BenchmarkParse(b *testing.B) {
	chat := strings.Repeat("**@ann** 请看 [手册](https://wiki.example/手册) 和 `make test`，the rest of it tomorrow\n", 2)
	texts := hostile(32 << 10)
	for name, text := range map[string]string{
		"chat": chat, "plain": strings.Repeat("一条普通的消息 and words. ", 8),
		"stars": texts[`"*a "`], "brackets": texts[`"[a](http://"`], "backticks": texts["distinct backticks"],
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				Parse(text)
			}
		})
	}
}
