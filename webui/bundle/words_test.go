package bundle

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/dop251/goja"
)

// What is packed says the same as what was written, in any order of the keys;
// what would not be understood is refused.
func TestPackedWordsSayTheSame(t *testing.T) {
	const source = `// The words.

export const en = {
  "a.one": "One \"quoted\" {n}",
  "b": "line\nbreak: \u2028",

  "c.d.e": "",
};

export const zh: Record<keyof typeof en, string> = {
  "b": "换行",
  "a.one": "一 {n}",
  "c.d.e": "空",
};
`
	code, err := packed(source)
	if err != nil {
		t.Fatal(err)
	}
	v, err := goja.New().RunString(strings.ReplaceAll(code, "export const", "const") + "JSON.stringify([en, zh])")
	if err != nil {
		t.Fatal(err)
	}
	var got [2]map[string]string
	if err := json.Unmarshal([]byte(v.String()), &got); err != nil {
		t.Fatal(err)
	}
	if got[0]["a.one"] != `One "quoted" {n}` || got[0]["b"] != "line\nbreak: \u2028" || got[0]["c.d.e"] != "" || got[1]["b"] != "换行" || got[1]["a.one"] != "一 {n}" || len(got[1]) != 3 {
		t.Errorf("%q", got)
	}
	for _, bad := range []string{
		strings.Replace(source, `"空"`, `"空|"`, 1),
		strings.Replace(source, `  "b": "换行",`+"\n", "", 1),
		strings.Replace(source, `"换行",`, `"换" + "行",`, 1),
		"export const en = {};",
	} {
		if code, err := packed(bad); err == nil {
			t.Errorf("packed without a complaint: %s", code)
		}
	}
}
