package bundle

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// entry is a line of a table of words: its key and its text, both as JavaScript
// strings.
var entry = regexp.MustCompile(`(?m)^\s*("[\w.]+"):\s*("(?:[^"\\\n]|\\.)*"),$`)

// packWords makes the tables of words smaller: the keys of an area stand in the
// bundle once and not with each language.
func packWords() api.Plugin {
	return api.Plugin{Name: "words", Setup: func(b api.PluginBuild) {
		b.OnLoad(api.OnLoadOptions{Filter: `/src/words/\w+\.ts$`}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
			source, err := os.ReadFile(a.Path)
			if err != nil {
				return api.OnLoadResult{}, fmt.Errorf("read words: %w", err)
			}
			packed, err := packed(string(source))
			if err != nil {
				return api.OnLoadResult{}, fmt.Errorf("%s: %w", a.Path, err)
			}
			return api.OnLoadResult{Contents: &packed, Loader: api.LoaderJS}, nil
		})
	}}
}

// packed is the module of one area with its keys said once.
func packed(source string) (string, error) {
	first, second, ok := strings.Cut(source, "export const zh")
	if !ok {
		return "", fmt.Errorf("there is no table zh")
	}
	var keys, en, zh []string
	for _, m := range entry.FindAllStringSubmatch(first, -1) {
		keys, en = append(keys, strings.Trim(m[1], `"`)), append(en, m[2])
	}
	zh = make([]string, len(keys))
	found := entry.FindAllStringSubmatch(second, -1)
	for _, m := range found {
		if i := slices.Index(keys, strings.Trim(m[1], `"`)); i >= 0 {
			zh[i] = m[2]
		}
	}
	if lines := strings.Count(source, `": "`) + strings.Count(source, `":"`); lines != len(keys)+len(found) || len(found) != len(keys) || slices.Contains(zh, "") {
		return "", fmt.Errorf("%d keys in English, %d in Chinese, on %d lines: each stands on a line of its own, as \"key\": \"text\",", len(keys), len(found), lines)
	}
	e, err := joined(en)
	if err != nil {
		return "", err
	}
	z, err := joined(zh)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("const k = %q.split(\" \"), f = (v) => Object.fromEntries(v.split(\"|\").map((x, i) => [k[i], x]));\nexport const en = f(%s);\nexport const zh = f(%s);\n",
		strings.Join(keys, " "), e, z), nil
}

// joined is one JavaScript string of several, with | between them.
func joined(texts []string) (string, error) {
	inside := make([]string, 0, len(texts))
	for _, t := range texts {
		if strings.Contains(t, "|") {
			return "", fmt.Errorf("%s: a text of the client has no |", t)
		}
		inside = append(inside, t[1:len(t)-1])
	}
	return `"` + strings.Join(inside, "|") + `"`, nil
}
