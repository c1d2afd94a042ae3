package config

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2/unstable"
)

// locate maps "section" and "section.key" to the place where the file first
// names them. data is valid TOML. Keys with a dot in their name are left out:
// no key of ours has one.
func locate(data []byte) map[string]Source {
	out := map[string]Source{}
	var p unstable.Parser
	p.Reset(data)
	var table []string
	for p.NextExpression() {
		e := p.Expression()
		switch e.Kind {
		case unstable.Table, unstable.ArrayTable:
			table = mark(out, data, nil, e.Key())
		case unstable.KeyValue:
			keyValue(out, data, table, e)
		}
	}
	return out
}

func keyValue(out map[string]Source, data []byte, table []string, e *unstable.Node) {
	full := mark(out, data, table, e.Key())
	if v := e.Value(); v.Kind == unstable.InlineTable {
		for it := v.Children(); it.Next(); {
			if n := it.Node(); n.Kind == unstable.KeyValue {
				keyValue(out, data, full, n)
			}
		}
	}
}

// mark notes the place of every prefix of a dotted key and returns the whole.
func mark(out map[string]Source, data []byte, table []string, key unstable.Iterator) []string {
	full := append([]string(nil), table...)
	for key.Next() {
		n := key.Node()
		full = append(full, string(n.Data))
		name := strings.Join(full, ".")
		if _, ok := out[name]; !ok {
			var at Source
			at.Line, at.Column = lineColumn(data, int(n.Raw.Offset))
			out[name] = at
		}
	}
	return full
}

// lineColumn counts from 1; columns are characters.
func lineColumn(data []byte, offset int) (line, column int) {
	before := data[:min(offset, len(data))]
	start := bytes.LastIndexByte(before, '\n') + 1
	return bytes.Count(before, []byte("\n")) + 1, utf8.RuneCount(before[start:]) + 1
}
