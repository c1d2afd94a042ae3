package reference

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"html"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
	xhtml "golang.org/x/net/html"

	"posthouse/appliance/wire"
)

func TestGoldenFilesAreUpToDate(t *testing.T) {
	for name, made := range map[string][]byte{
		"openrpc.json": OpenRPC(), "page.en.html": Page("en"), // the others are made of the same parts
	} {
		compare(t, filepath.Join("testdata", name), made)
	}
}

func TestTheSameEveryTime(t *testing.T) {
	for range 3 {
		if !bytes.Equal(OpenRPC(), OpenRPC()) || !bytes.Equal(OpenAPI(), OpenAPI()) || !bytes.Equal(TypeScript(), TypeScript()) || !bytes.Equal(Page("zh"), Page("zh")) {
			t.Fatal("two documents of one table differ")
		}
	}
}

func TestEverythingIsToldInBothLanguages(t *testing.T) {
	check := func(what string, text wire.Text) {
		t.Helper()
		if text.En == "" || text.Zh == "" {
			t.Errorf("%s: %+v", what, text)
		}
	}
	for _, m := range wire.Table() {
		check(m.Name, m.Doc)
		check(m.Name, accessText(m.Access))
		check(m.Name, classText(m.Class))
		if title := groupTitle(group(m.Name)); title.En == title.Zh {
			t.Errorf("the group of %s has no title", m.Name)
		}
	}
	for _, e := range wire.Events() {
		check(string(e.Type), e.Doc)
	}
	for _, k := range wire.KindTable() {
		check(string(k.Kind), k.Doc)
	}
	for _, o := range objects() {
		for _, f := range fields(o.Type) {
			check(o.Type.Name()+"."+f.Name, f.Doc)
		}
	}
	for _, l := range limits() {
		check(l.Name, l.Doc)
	}
}

// constants finds the constants of package wire: by type, and the plain ones.
func constants(t *testing.T) (typed map[string][]string, plain map[string]int) {
	t.Helper()
	typed, plain = map[string][]string{}, map[string]int{}
	names, err := filepath.Glob("../wire/*.go")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			literal, ok := spec.Values[0].(*ast.BasicLit)
			if !ok {
				return true
			}
			if kind, ok := spec.Type.(*ast.Ident); ok && literal.Kind == token.STRING {
				value, _ := strconv.Unquote(literal.Value)
				typed[kind.Name] = append(typed[kind.Name], value)
			}
			if spec.Type == nil && literal.Kind == token.INT {
				plain[spec.Names[0].Name], _ = strconv.Atoi(literal.Value)
			}
			return true
		})
	}
	return typed, plain
}

func TestWhatReflectionCannotSeeIsAsInTheSource(t *testing.T) {
	typed, plain := constants(t)
	for _, e := range enums() {
		want := slices.Clone(typed[e.Type.Name()])
		have := slices.Clone(e.Values)
		slices.Sort(want)
		slices.Sort(have)
		if !slices.Equal(want, have) {
			t.Errorf("%s: the reference has %v, the source %v", e.Type.Name(), have, want)
		}
	}
	for _, l := range limits() {
		if plain[l.Name] != l.Value {
			t.Errorf("limit %s is %d, in the source %d", l.Name, l.Value, plain[l.Name])
		}
		delete(plain, l.Name)
	}
	for name := range plain {
		t.Errorf("limit %s of package wire is not in the reference", name)
	}
}

func TestExamplesAreTakenByTheServer(t *testing.T) {
	for _, m := range wire.Table() {
		request, err := wire.Decode([]byte(exampleRequest(m)))
		if err != nil {
			t.Errorf("%s: %v", m.Name, err)
			continue
		}
		if err := wire.DecodeParams(request.Params, reflect.New(m.Params).Interface()); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		}
		if err := json.Unmarshal([]byte(exampleAnswer(m)), new(struct {
			Result any `json:"result"`
		})); err != nil {
			t.Errorf("answer of %s: %v", m.Name, err)
		}
		if err := strict(compact(exampleOf(m.Result)), m.Result); err != nil {
			t.Errorf("result of %s: %v", m.Name, err)
		}
	}
	for _, e := range wire.Events() {
		if err := strict(compact(exampleOf(e.Data)), e.Data); err != nil {
			t.Errorf("event %s: %v", e.Type, err)
		}
	}
}

func strict(text string, t reflect.Type) error {
	return json.Unmarshal([]byte(text), reflect.New(t).Interface(), json.RejectUnknownMembers(true))
}

// Every $ref of a document must lead somewhere.
func TestReferencesLeadSomewhere(t *testing.T) {
	for name, made := range map[string][]byte{"OpenRPC": OpenRPC(), "OpenAPI": OpenAPI()} {
		var doc map[string]any
		if err := json.Unmarshal(made, &doc); err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`"\$ref": "#/([^"]+)"`).FindAllSubmatch(made, -1) {
			var at any = doc
			for part := range strings.SplitSeq(string(m[1]), "/") {
				inner, _ := at.(map[string]any)
				at = inner[part]
			}
			if at == nil {
				t.Errorf("%s: #/%s leads nowhere", name, m[1])
			}
		}
	}
}

// page is what a reader of the page finds.
type page struct {
	ids, targets []string
	lines        []string // of code
}

func readPage(t *testing.T, made []byte) page {
	t.Helper()
	var p page
	var open []string
	z := xhtml.NewTokenizer(bytes.NewReader(made))
	for {
		kind := z.Next()
		if kind == xhtml.ErrorToken {
			if z.Err() != io.EOF {
				t.Fatal(z.Err())
			}
			break
		}
		tok := z.Token()
		switch kind {
		case xhtml.StartTagToken:
			if tok.Data == "script" || tok.Data == "style" {
				t.Errorf("a <%s>", tok.Data)
			}
			for _, a := range tok.Attr {
				switch {
				case a.Key == "id":
					p.ids = append(p.ids, a.Val)
				case a.Key == "href" && strings.HasPrefix(a.Val, "#"):
					p.targets = append(p.targets, a.Val[1:])
				case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
					t.Errorf("attribute %s", a.Key)
				}
			}
			if !slices.Contains([]string{"meta", "link"}, tok.Data) {
				open = append(open, tok.Data)
			}
		case xhtml.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				t.Fatalf("</%s> closes %v", tok.Data, open[max(0, len(open)-3):])
			}
			open = open[:len(open)-1]
		case xhtml.TextToken:
			if len(open) > 1 && open[len(open)-1] == "code" && open[len(open)-2] == "pre" {
				p.lines = append(p.lines, tok.Data)
			}
		}
	}
	if len(open) > 0 {
		t.Errorf("never closed: %v", open)
	}
	return p
}

func TestPage(t *testing.T) {
	var pages []page
	for _, lang := range []string{"en", "zh"} {
		made := Page(lang)
		p := readPage(t, made)
		pages = append(pages, p)
		sorted := slices.Clone(p.ids)
		slices.Sort(sorted)
		if n := len(slices.Compact(sorted)); n != len(p.ids) {
			t.Errorf("%s: %d ids, %d different ones", lang, len(p.ids), n)
		}
		for _, target := range p.targets {
			if !slices.Contains(p.ids, target) {
				t.Errorf("%s: #%s leads nowhere", lang, target)
			}
		}
		for _, m := range wire.Table() {
			if !slices.Contains(p.ids, m.Name) || !bytes.Contains(made, []byte(html.EscapeString(m.Doc.In(lang)))) {
				t.Errorf("%s: %s is not told", lang, m.Name)
			}
		}
		for _, bad := range []string{"ZgotmplZ", "<no value>", "%!"} {
			if bytes.Contains(made, []byte(bad)) {
				t.Errorf("%s: %s", lang, bad)
			}
		}
	}
	if !slices.Equal(pages[0].ids, pages[1].ids) || len(pages[0].lines) != len(pages[1].lines) {
		t.Error("the two languages have different sections or examples")
	}
	if len(Stylesheet()) == 0 {
		t.Error("no stylesheet")
	}
}

// The methods, and the events, that the hand-written part speaks of exist.
func TestTheProseNamesWhatThereIs(t *testing.T) {
	known := map[string]bool{"chat.lan": true, "ca.pem": true, "report.pdf": true, "film.mp4": true, "data.kind": true,
		"data.trace": true, "data.field": true, "data.retry_after_ms": true}
	for _, m := range wire.Table() {
		known[m.Name] = true
	}
	for _, prose := range []string{proseEn, proseZh} {
		for _, m := range regexp.MustCompile(`<code>([a-z]+\.[a-z_]+)</code>`).FindAllStringSubmatch(prose, -1) {
			if !known[m[1]] {
				t.Errorf("there is no %s", m[1])
			}
		}
	}
}

// TestWriteTheClientOfThePage writes the Python client to the file named by
// the environment variable, for whoever wants to run it against a server.
func TestWriteTheClientOfThePage(t *testing.T) {
	path := os.Getenv("POSTHOUSE_PYTHON_CLIENT")
	if path == "" {
		t.Skip("POSTHOUSE_PYTHON_CLIENT names no file")
	}
	if err := os.WriteFile(path, []byte(html.UnescapeString(examplePython)), 0o644); err != nil {
		t.Fatal(err)
	}
}
