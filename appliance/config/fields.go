package config

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Key describes one key, from its struct tags.
type Key struct {
	Name             string // "section.key"
	Type             string // string, list, integer, boolean, size, duration
	English, Chinese string // what it means
	Default          string // as the default tag has it; lists are separated by commas
	Unit             string // "bytes", "days", …; empty when it says itself
	Min, Max         string // empty: no bound
	OneOf            []string
	Restart          bool // takes effect at the next start only
	Env              string

	index []int
}

// section is one table of the file.
type section struct {
	name   string
	en, zh string
	keys   []Key
}

// Keys lists every key in the order of the file.
func Keys() []Key {
	var out []Key
	for _, s := range sections() {
		out = append(out, s.keys...)
	}
	return out
}

func sections() []section {
	var out []section
	root := reflect.TypeFor[Config]()
	for i := range root.NumField() {
		sf := root.Field(i)
		s := section{name: sf.Tag.Get("toml"), en: sf.Tag.Get("doc"), zh: sf.Tag.Get("zh")}
		for j := range sf.Type.NumField() {
			s.keys = append(s.keys, keyOf(s.name, sf.Type.Field(j), []int{i, j}))
		}
		out = append(out, s)
	}
	return out
}

func keyOf(section string, sf reflect.StructField, index []int) Key {
	k := Key{
		Name:    section + "." + sf.Tag.Get("toml"),
		Type:    typeName(sf.Type),
		English: sf.Tag.Get("doc"), Chinese: sf.Tag.Get("zh"),
		Default: sf.Tag.Get("default"), Unit: sf.Tag.Get("unit"),
		Min: sf.Tag.Get("min"), Max: sf.Tag.Get("max"),
		Restart: sf.Tag.Get("restart") != "no",
		index:   index,
	}
	if v := sf.Tag.Get("oneof"); v != "" {
		k.OneOf = strings.Split(v, ",")
	}
	k.Env = "POSTHOUSE_" + strings.ToUpper(strings.ReplaceAll(k.Name, ".", "_"))
	return k
}

func typeName(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[Bytes]():
		return "size"
	case reflect.TypeFor[time.Duration]():
		return "duration"
	}
	switch t.Kind() {
	case reflect.String:
		return "string"
	case reflect.Int:
		return "integer"
	case reflect.Bool:
		return "boolean"
	case reflect.Slice:
		return "list"
	}
	panic(fmt.Sprintf("config: a field of type %s has no reader", t))
}

func (k Key) field(c *Config) reflect.Value { return reflect.ValueOf(c).Elem().FieldByIndex(k.index) }

// set stores raw, or says why it cannot be. raw is a string of the environment
// or the command line (text true), or a value as TOML decodes it.
func (k Key) set(c *Config, raw any, fromText bool) *text {
	var v any
	var bad *text
	if s, ok := raw.(string); ok && fromText {
		v, bad = k.parse(s)
	} else {
		v, bad = k.convert(raw)
	}
	if bad == nil {
		bad = k.check(v)
	}
	if bad == nil {
		k.field(c).Set(reflect.ValueOf(v))
	}
	return bad
}

// defaults is the Config of the default tags, before resolve.
func defaults() Config {
	var c Config
	for _, k := range Keys() {
		if bad := k.set(&c, k.Default, true); bad != nil {
			panic("config: default of " + k.Name + ": " + bad.en) // a test reads every key
		}
	}
	return c
}

// suggest finds the known name nearest to a mistyped one, or "".
func suggest(name string, known []string) string {
	whole := func(s string) string { return s }
	last := func(s string) string { return s[strings.IndexByte(s, '.')+1:] }
	if s := nearest(name, known, whole); s != "" {
		return s
	}
	// The right key in the wrong section, or with no section at all.
	return nearest(last(name), known, last)
}

// nearest compares name with part of each known name; one mistake per three
// letters and one more are forgiven, the first of several equals wins.
func nearest(name string, known []string, part func(string) string) string {
	best, allowed := "", 1+len(name)/3
	for _, k := range known {
		if d := distance(name, part(k)); d <= allowed {
			best, allowed = k, d-1
		}
	}
	return best
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours between two names.
func distance(a, b string) int {
	prev2, prev := []int(nil), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur := make([]int, len(b)+1)
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev = prev, cur
	}
	return prev[len(b)]
}
