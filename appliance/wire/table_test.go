package wire

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestTheTableHoldsTogether(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+\.[a-z]+$`)
	seen := map[string]bool{}
	for _, m := range Table() {
		if !name.MatchString(m.Name) || seen[m.Name] {
			t.Errorf("%s: badly named, or there twice", m.Name)
		}
		seen[m.Name] = true
		for _, s := range []reflect.Type{m.Params, m.Result} {
			if s.Kind() != reflect.Struct || s.PkgPath() != reflect.TypeFor[Empty]().PkgPath() {
				t.Errorf("%s: %v is no struct of this package", m.Name, s)
			}
		}
		if m.Doc.En == "" || m.Doc.Zh == "" {
			t.Errorf("%s: doc %+v", m.Name, m.Doc)
		}
		if m.Access < Public || m.Access > Operator || m.Access.String() == "" || m.Class < Query || m.Class > Free {
			t.Errorf("%s: access %d, class %d", m.Name, m.Access, m.Class)
		}
		if m.Access == Public && m.Class != Auth && m.Name != "server.info" {
			t.Errorf("%s is public and may be guessed at", m.Name)
		}
		if m.Class == Free && !m.Socket {
			t.Errorf("%s is free of limits over HTTP", m.Name)
		}
	}
}

func TestTheEventsHoldTogether(t *testing.T) {
	seen := map[EventType]bool{}
	for _, e := range Events() {
		if seen[e.Type] || e.Data.Kind() != reflect.Struct || e.Doc.En == "" || e.Doc.Zh == "" {
			t.Errorf("%+v", e)
		}
		seen[e.Type] = true
	}
}

func TestTheKindsHoldTogether(t *testing.T) {
	kinds, codes := map[Kind]bool{}, map[int]bool{}
	for _, k := range KindTable() {
		if kinds[k.Kind] || codes[k.Code] || k.Status < 400 || k.Status > 599 || k.Doc.En == "" || k.Doc.Zh == "" {
			t.Errorf("%+v", k)
		}
		// JSON-RPC keeps -32768 to -32000 for itself.
		standard := map[Kind]int{ParseError: -32700, InvalidRequest: -32600, MethodNotFound: -32601, InvalidParams: -32602, Internal: -32603}
		if code, ok := standard[k.Kind]; ok && code != k.Code || !ok && k.Code < 0 {
			t.Errorf("%s has code %d", k.Kind, k.Code)
		}
		kinds[k.Kind], codes[k.Code] = true, true
		if k.Kind.Info() != k {
			t.Errorf("Info of %s", k.Kind)
		}
	}
	if Kind("made up").Info().Kind != Internal {
		t.Error("an unknown kind is not internal")
	}
}

// eachField calls visit with every field reached from the tables, once.
func eachField(visit func(owner reflect.Type, f reflect.StructField)) {
	seen := map[reflect.Type]bool{}
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || seen[t] || t.PkgPath() != reflect.TypeFor[Empty]().PkgPath() {
			return
		}
		seen[t] = true
		for i := range t.NumField() {
			visit(t, t.Field(i))
			walk(t.Field(i).Type)
		}
	}
	for _, m := range Table() {
		walk(m.Params)
		walk(m.Result)
	}
	for _, e := range Events() {
		walk(e.Data)
	}
	walk(reflect.TypeFor[ErrorBody]())
}

func TestEveryFieldTravelsAndIsExplained(t *testing.T) {
	name := regexp.MustCompile(`^[a-z][a-z0-9_]*(,omitempty|,omitzero)?$`)
	eachField(func(owner reflect.Type, f reflect.StructField) {
		if !f.IsExported() || !name.MatchString(f.Tag.Get("json")) {
			t.Errorf("%s.%s: json %q", owner.Name(), f.Name, f.Tag.Get("json"))
		}
		en, zh, found := strings.Cut(f.Tag.Get("doc"), "|")
		if !found || en == "" || zh == "" || strings.Contains(zh, "|") {
			t.Errorf("%s.%s: doc %q", owner.Name(), f.Name, f.Tag.Get("doc"))
		}
		// A number or bool has no empty JSON form: omitempty, which goes by
		// that form, would never leave it out.
		option, kind := f.Tag.Get("json"), f.Type.Kind()
		if kind == reflect.Struct && strings.HasSuffix(option, ",omitempty") {
			t.Errorf("%s.%s: omitempty does not leave a struct out", owner.Name(), f.Name)
		}
	})
}

func TestALanguageIsChosen(t *testing.T) {
	text := Text{"yes", "是"}
	for lang, want := range map[string]string{"": "yes", "z": "yes", "en": "yes", "zh": "是", "zh-Hant-TW": "是", "fr": "yes"} {
		if got := text.In(lang); got != want {
			t.Errorf("In(%q) = %q", lang, got)
		}
	}
	if (Text{En: "only"}).In("zh") != "only" {
		t.Error("a text without Chinese is lost")
	}
}
