package reference

import (
	"reflect"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"posthouse/appliance/wire"
)

// dict is a JSON object. Its members are written in the order of their names.
type dict map[string]any

// safeInteger is the largest integer that a JavaScript number holds exactly.
const safeInteger = 1<<53 - 1

// protocolVersion is the version that the documents tell. It grows with the
// protocol, not with the program.
const protocolVersion = "1.0.0"

// document writes a document as JSON.
func document(d dict) []byte {
	b, err := json.Marshal(d, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		panic("reference: " + err.Error()) // the tables are constant: a test would have seen it
	}
	return append(b, '\n')
}

const idPattern = "[0-9a-f][0-9a-hjkmnp-tv-z]{12}"

func ref(name string) dict { return dict{"$ref": "#/components/schemas/" + name} }

// schemaOf is the JSON Schema of a type where it is used.
func schemaOf(t reflect.Type) dict {
	t = bare(t)
	switch shapeOf(t) {
	case shapeID:
		return ref("ID")
	case shapeMessage:
		return ref("MessageID")
	case shapeString:
		return dict{"type": "string"}
	case shapeBool:
		return dict{"type": "boolean"}
	case shapeInteger:
		if t.Kind() == reflect.Uint64 {
			return dict{"type": "integer", "minimum": 0, "maximum": safeInteger}
		}
		return dict{"type": "integer"}
	case shapeArray:
		return dict{"type": "array", "items": schemaOf(t.Elem())}
	case shapeEnum, shapeObject:
		return ref(t.Name())
	case shapeAny:
	}
	return dict{} // anything
}

// described is the schema of a member with its sentence.
func described(f field) dict {
	s := schemaOf(f.Type)
	s["description"], s["x-zh"] = f.Doc.En, f.Doc.Zh
	return s
}

// schemas lists the components of both documents.
func schemas() dict {
	out := dict{
		"ID": dict{"type": "string", "pattern": "^(" + idPattern + ")?$",
			"description": "An account, room, device, department, invitation or file; opaque; empty = none."},
		"MessageID": dict{"type": "string", "pattern": "^(" + idPattern + "-[0-9a-hjkmnp-tv-z]{1,12})?$",
			"description": "One message; opaque; empty = none."},
	}
	for _, e := range enums() {
		out[e.Type.Name()] = dict{"type": "string", "enum": e.Values}
	}
	params := map[reflect.Type]bool{}
	for _, m := range wire.Table() {
		params[m.Params] = true
	}
	for _, o := range objects() {
		properties, required := dict{}, []string{}
		for _, f := range fields(o.Type) {
			properties[f.Name] = described(f)
			if !f.Optional {
				required = append(required, f.Name)
			}
		}
		s := dict{"type": "object", "properties": properties}
		if len(required) > 0 {
			s["required"] = required
		}
		if params[o.Type] { // results may gain members
			s["additionalProperties"] = false
		}
		if len(o.Uses) > 0 {
			s["description"] = sentence(o.Uses)
		}
		out[o.Type.Name()] = s
	}
	return out
}
