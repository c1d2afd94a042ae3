package reference

import (
	"reflect"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"posthouse/appliance/wire"
)

// Identifiers of the examples. They are well formed.
const (
	exampleID      = "4ktx3w0qz8v5h"
	exampleMessage = "4ktx3w0qz8v5h-2s"
	exampleKey     = "019a3c5e-7b10-7c3e-9d55-2f6a4be1a001"
	exampleTime    = 1764000000000
)

// exampleOf is a value that the server would take or give: all members that
// must be there, and the first one where none must.
func exampleOf(t reflect.Type) any { return exampleValue("", t) }

func exampleValue(name string, t reflect.Type) any {
	t = bare(t)
	switch shapeOf(t) {
	case shapeID:
		return exampleID
	case shapeMessage:
		return exampleMessage
	case shapeEnum:
		return valuesOf(t)[0]
	case shapeString:
		return exampleString(name)
	case shapeBool:
		return name == "on" || name == "ready" || name == "online"
	case shapeInteger:
		return exampleInteger(name)
	case shapeArray:
		return []any{exampleValue(name, t.Elem())}
	case shapeObject:
		return exampleObject(t)
	case shapeAny:
	}
	return dict{"any": "JSON"}
}

func exampleObject(t reflect.Type) dict {
	out := dict{}
	list := fields(t)
	for _, f := range list {
		if !f.Optional {
			out[f.Name] = exampleValue(f.Name, f.Type)
		}
	}
	if len(out) == 0 && len(list) > 0 {
		out[list[0].Name] = exampleValue(list[0].Name, list[0].Type)
	}
	if t == reflect.TypeFor[wire.SendParams]() || t == reflect.TypeFor[wire.Message]() {
		out["text"] = "hello @bo"
	}
	if t == reflect.TypeFor[wire.Session]() {
		out["token"] = "TOKEN"
	}
	return out
}

func exampleString(name string) string {
	switch name {
	case "login":
		return "ann"
	case "password", "old", "new":
		return "correct horse battery staple"
	case "key":
		return exampleKey
	case "name", "organisation":
		return "Ann Lee"
	case "text":
		return "hello"
	case "emoji":
		return "👍"
	case "scope":
		return "user"
	case "token", "code":
		return "TOKEN"
	case "query":
		return "an"
	case "csv":
		return "login,name\nbo,Bo Chen\n"
	case "version":
		return protocolVersion
	case "url":
		return "https://chat.lan/…"
	case "sha256":
		return strings.Repeat("0", 64)
	case "type":
		return "com.example.poll"
	case "state":
		return "online"
	}
	return "…"
}

func exampleInteger(name string) int {
	switch name {
	case "position", "since", "version", "flushed":
		return 4711
	case "time", "at", "created", "last_seen", "expires", "server_time", "stored", "last_beat":
		return exampleTime
	case "heartbeat_ms":
		return 25000
	case "reconnect_after_ms":
		return 1500
	case "limit":
		return 50
	}
	return 88
}

// compact writes an example on one line.
func compact(v any) string {
	b, err := json.Marshal(v, json.Deterministic(true), jsontext.SpaceAfterComma(true), jsontext.SpaceAfterColon(true))
	if err != nil {
		panic("reference: " + err.Error()) // made of strings, numbers and maps
	}
	return string(b)
}

// exampleRequest is a call as a frame of the WebSocket.
func exampleRequest(m wire.Spec) string {
	return `{"jsonrpc": "2.0", "id": 7, "method": "` + m.Name + `", "params": ` + compact(exampleOf(m.Params)) + `}`
}

// exampleAnswer is the frame that answers it.
func exampleAnswer(m wire.Spec) string {
	return `{"jsonrpc": "2.0", "id": 7, "result": ` + compact(exampleOf(m.Result)) + `}`
}

// exampleEvent is an event as a frame.
func exampleEvent(e wire.EventSpec) string {
	position := ""
	if e.Record {
		position = `"position": 4711, `
	}
	return `{"jsonrpc": "2.0", "method": "event", "params": {` + position + `"type": "` + string(e.Type) + `", "data": ` + compact(exampleOf(e.Data)) + `}}`
}

// exampleCurl is a call as a command line.
func exampleCurl(m wire.Spec) string {
	login := ""
	if m.Access != wire.Public {
		login = ` -H "Authorization: Bearer $TOKEN"`
	}
	body := strings.ReplaceAll(compact(exampleOf(m.Params)), "'", `'\''`)
	return `curl -fsS "$BASE` + wire.PathAPI + m.Name + `"` + login + " \\\n  -H 'Content-Type: application/json' -d '" + body + "'"
}
