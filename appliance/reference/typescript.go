package reference

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"

	"posthouse/appliance/wire"
)

// TypeScript gives the types of the protocol for the browser client: one
// interface per struct, the map of methods, the union of events, and the
// tables of access and limits.
func TypeScript() []byte {
	var b bytes.Buffer
	b.WriteString("// Made from the table of methods by `make generate`. Do not edit.\n\n")
	b.WriteString("/** An account, room, device, department, invitation or file; opaque. */\nexport type ID = string;\n")
	b.WriteString("/** One message; opaque. */\nexport type MessageID = string;\n\n")
	for _, e := range enums() {
		fmt.Fprintf(&b, "export type %s = %s;\n", e.Type.Name(), union(e.Values))
	}
	for _, o := range objects() {
		typeScriptObject(&b, o)
	}
	typeScriptMethods(&b)
	typeScriptEvents(&b)
	b.WriteString("\n/** Limits of the protocol. */\nexport const limits = {\n")
	for _, l := range limits() {
		fmt.Fprintf(&b, "  /** %s */\n  %s: %d,\n", l.Doc.En, l.Name, l.Value)
	}
	b.WriteString("} as const;\n")
	return b.Bytes()
}

func typeScriptObject(b *bytes.Buffer, o object) {
	b.WriteByte('\n')
	if isEmpty(o.Type) {
		b.WriteString("/** No members. */\nexport type Empty = Record<string, never>;\n")
		return
	}
	if len(o.Uses) > 0 {
		fmt.Fprintf(b, "/** %s. */\n", sentence(o.Uses))
	}
	fmt.Fprintf(b, "export interface %s {\n", o.Type.Name())
	for _, f := range fields(o.Type) {
		mark := ""
		if f.Optional {
			mark = "?"
		}
		fmt.Fprintf(b, "  /** %s */\n  %s%s: %s;\n", f.Doc.En, f.Name, mark, typeScriptType(f.Type))
	}
	b.WriteString("}\n")
}

func typeScriptMethods(b *bytes.Buffer) {
	b.WriteString("\n/** Every method. With socket: true it needs a WebSocket, otherwise it is also a POST. */\nexport interface Methods {\n")
	for _, m := range wire.Table() {
		fmt.Fprintf(b, "  /** %s */\n  %q: { params: %s; result: %s; socket: %t };\n",
			m.Doc.En, m.Name, typeScriptType(m.Params), typeScriptType(m.Result), m.Socket)
	}
	b.WriteString("}\nexport type Method = keyof Methods;\n")
	b.WriteString("\n/** Who may call a method: anybody; any account; auditors and above; admins and owners; the command line on the box. */\n")
	b.WriteString("export type Access = \"public\" | \"logged_in\" | \"sees\" | \"manages\" | \"operator\";\n")
	b.WriteString("export const access: { readonly [M in Method]: Access } = {\n")
	for _, m := range wire.Table() {
		fmt.Fprintf(b, "  %q: %q,\n", m.Name, accessName(m.Access))
	}
	b.WriteString("};\n\n/** Methods that need a WebSocket. */\nexport const socketOnly: readonly Method[] = [\n")
	for _, m := range wire.Table() {
		if m.Socket {
			fmt.Fprintf(b, "  %q,\n", m.Name)
		}
	}
	b.WriteString("];\n")
}

func typeScriptEvents(b *bytes.Buffer) {
	b.WriteString("\n/** An event. Those that are records carry a position and come again after an absence. */\nexport type Event =\n")
	list := wire.Events()
	for i, e := range list {
		position, end := "position?: undefined", ""
		if e.Record {
			position = "position: number"
		}
		if i == len(list)-1 {
			end = ";"
		}
		fmt.Fprintf(b, "  /** %s */\n  | { type: %q; %s; data: %s }%s\n", e.Doc.En, e.Type, position, e.Data.Name(), end)
	}
}

func typeScriptType(t reflect.Type) string {
	t = bare(t)
	switch shapeOf(t) {
	case shapeID:
		return "ID"
	case shapeMessage:
		return "MessageID"
	case shapeString:
		return "string"
	case shapeBool:
		return "boolean"
	case shapeInteger:
		return "number"
	case shapeArray:
		return typeScriptType(t.Elem()) + "[]"
	case shapeEnum, shapeObject:
		return t.Name()
	}
	return "any"
}

func union(values []string) string {
	return `"` + strings.Join(values, `" | "`) + `"`
}

// sentence joins uses and begins with a capital.
func sentence(uses []string) string {
	s := strings.Join(uses, "; ")
	return strings.ToUpper(s[:1]) + s[1:]
}
