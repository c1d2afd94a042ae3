package rule

import "testing"

// A rule file is taken or refused with reasons in both languages; what is
// taken can be written again, and then says the same.
func FuzzParse(f *testing.F) {
	shipped, err := shippedFiles.ReadDir("shipped")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range shipped {
		text, err := shippedFiles.ReadFile("shipped/" + e.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	for _, s := range []string{"groups: []", "groups:\n- name: a\n  rules:\n  - record: b\n    expr: 1\n", "groups:\n- &a [*a]\n", "\t", "groups:\n- name: a\n  rules:\n  - alert: A\n    expr: sum(\n    for: 1x\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		groups, problems := parse("file.yml", text)
		if (groups == nil) == (len(problems) == 0) {
			t.Fatalf("%v and %v", groups, problems)
		}
		for _, p := range problems {
			if p.Reason.EN == "" || p.Reason.ZH == "" {
				t.Errorf("a problem without a reason: %+v", p)
			}
		}
		if groups == nil {
			return
		}
		for _, g := range groups.Groups {
			for _, r := range g.Rules {
				s := specOf(r)
				if problems := checkRule("rule", s); problems != nil {
					t.Errorf("written as\n%sit is refused: %v", s.YAML(), problems)
				}
				FormOf(s)
			}
		}
	})
}
