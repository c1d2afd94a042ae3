// Emoji writes webui/static/emoji.json, what the picker of emoji and the
// completion of :names: know. It is run by hand when Unicode has new ones:
//
//	npm pack emojibase-data && tar xzf emojibase-data-*.tgz
//	go run ./webui/build/emoji package
//
// The data is that of the npm package emojibase-data (MIT licence, Copyright
// 2017-2019 Miles Johnson), which has its words from the Unicode CLDR.
//
// The file is JSON: {"from", "groups"}. from names package and licence; groups
// is nine lists, in the order smileys, people, animals, food, travel,
// activities, objects, symbols, flags. A list is four strings, one of the emoji,
// one of their short names, one of English and one of Chinese words, in which the
// entries are separated by "|": what is alike stands together and packs better.
//
// The emoji is fully qualified, with "+" behind it when it comes in five skin
// tones. Short names are separated by commas, the first is the one that is
// written. English is a name. Chinese is a name and, for smileys, up to two more
// words that the name does not hold, separated by commas. The English name is
// left out when it is the first short name with blanks for underscores. The flag
// of a country has the emoji alone: its short name is the country's code, and
// browsers know the names of countries. The list holds everything of Unicode
// 15.1 but the skin tones themselves.
//
// It runs no goroutines.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	newest    = 15.1 // version of Unicode that devices in use have pictures for
	smileys   = 0
	component = 2 // group of skin tones and hair: nothing to send alone
	chinese   = 2 // words beside the name
	variant   = "\ufe0f"
)

type emoji struct {
	Hexcode string
	Emoji   string
	Group   *int
	Type    int // 1: shown as a picture without U+FE0F behind it
	Version float64
	Label   string
	Tags    []string
	Skins   []struct{ Emoji string }
}

type file struct {
	From   string     `json:"from"`
	Groups [][]string `json:"groups"`
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run ./webui/build/emoji DIRECTORY-OF-EMOJIBASE-DATA")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "webui/build/emoji:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	var about struct{ Version, License string }
	var en, zh []emoji
	var usual, other map[string]json.RawMessage
	for name, to := range map[string]any{
		"package.json": &about, "en/data.json": &en, "zh/data.json": &zh,
		"en/shortcodes/github.json": &usual, "en/shortcodes/emojibase.json": &other,
	} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("read the data: %w", err)
		}
		if err := json.Unmarshal(raw, to); err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
	}
	inChinese := map[string]emoji{}
	for _, e := range zh {
		inChinese[e.Hexcode] = e
	}
	out := file{From: "emojibase-data " + about.Version + ", " + about.License + " licence, Copyright 2017-2019 Miles Johnson", Groups: make([][]string, 9)}
	columns := make([][][4]string, len(out.Groups))
	for _, e := range en {
		if e.Group == nil || *e.Group == component || e.Version > newest {
			continue
		}
		codes := names(usual[e.Hexcode], other[e.Hexcode])
		if len(codes) == 0 {
			return fmt.Errorf("%s has no short name", e.Emoji)
		}
		g := *e.Group
		if g > component {
			g--
		}
		columns[g] = append(columns[g], entry(e, inChinese[e.Hexcode], codes))
	}
	for g, entries := range columns {
		for c := range 4 {
			var column []string
			for _, e := range entries {
				column = append(column, e[c])
			}
			out.Groups[g] = append(out.Groups[g], strings.Join(column, "|"))
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return os.WriteFile(filepath.Join("webui", "static", "emoji.json"), b.Bytes(), 0o644)
}

// names reads the first list that has any: one name or several.
func names(lists ...json.RawMessage) []string {
	for _, raw := range lists {
		var one string
		var many []string
		if json.Unmarshal(raw, &one) == nil {
			return []string{one}
		}
		if json.Unmarshal(raw, &many) == nil && len(many) > 0 {
			return many[:min(len(many), 2)]
		}
	}
	return nil
}

func entry(en, zh emoji, codes []string) [4]string {
	picture := en.Emoji
	if short := strings.TrimSuffix(picture, variant); en.Type == 1 && utf8.RuneCountInString(short) == 1 {
		picture = short
	}
	if len(en.Skins) > 0 {
		picture += "+"
	}
	label := en.Label
	if label == strings.ReplaceAll(codes[0], "_", " ") {
		label = ""
	}
	if first, _ := utf8.DecodeRuneInString(picture); first >= 0x1f1e6 && first <= 0x1f1ff {
		return [4]string{picture}
	}
	if *en.Group != smileys {
		zh.Tags = nil
	}
	inEnglish := described(label, codes[0]+" "+en.Label, nil, 0)
	return [4]string{picture, strings.Join(codes, ","), inEnglish, described(zh.Label, zh.Label, zh.Tags, chinese)}
}

// described is a name and the words that say something new beside it.
func described(name, known string, tags []string, most int) string {
	out := []string{clean(name)}
	for _, tag := range tags {
		for _, t := range strings.FieldsFunc(tag, func(r rune) bool { return r == '，' || r == ',' }) {
			t = clean(t)
			if len(out) <= most && t != "" && !strings.Contains(known, t) && !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	return strings.Join(out, ",")
}

func clean(s string) string {
	return strings.TrimSpace(strings.NewReplacer("|", " ", ",", " ").Replace(s))
}
