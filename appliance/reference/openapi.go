package reference

import (
	"strconv"
	"strings"

	"posthouse/appliance/wire"
)

// OpenAPI gives the OpenAPI 3.1 document of the HTTP side: every method that
// needs no WebSocket as POST /api/<method>, uploads and downloads.
func OpenAPI() []byte {
	paths := dict{}
	for _, m := range wire.Table() {
		if !m.Socket {
			paths[wire.PathAPI+m.Name] = dict{"post": apiMethod(m)}
		}
	}
	for path, item := range apiFiles() {
		paths[path] = item
	}
	return document(dict{
		"openapi": "3.1.0",
		"info": dict{"title": "Posthouse", "version": protocolVersion,
			"description": "Bodies are application/json. A request without an Origin header is fine; one with a cookie must come from a page of this server. Events need the WebSocket at " + wire.PathSocket + ": see /reference."},
		"servers":  []dict{{"url": "/"}},
		"security": []dict{{"bearer": []string{}}, {"cookie": []string{}}},
		"paths":    paths,
		"components": dict{
			"schemas":   schemas(),
			"responses": apiResponses(),
			"securitySchemes": dict{
				"bearer": dict{"type": "http", "scheme": "bearer", "description": "The device token that session.login gave."},
				"cookie": dict{"type": "apiKey", "in": "cookie", "name": "__Host-posthouse", "description": "Set by session.login with cookie: true; for browsers."},
			},
		},
	})
}

// group is the part of a method's name before the dot.
func group(method string) string {
	g, _, _ := strings.Cut(method, ".")
	return g
}

func apiMethod(m wire.Spec) dict {
	op := dict{
		"operationId": m.Name, "summary": m.Doc.En, "x-zh": m.Doc.Zh, "tags": []string{group(m.Name)},
		"requestBody": dict{"required": true, "content": dict{"application/json": dict{"schema": schemaOf(m.Params)}}},
		"responses":   withErrors(dict{"200": jsonAnswer("The result.", schemaOf(m.Result))}, m.Access != wire.Public),
		"x-access":    accessName(m.Access), "x-rate-class": className(m.Class),
	}
	if m.Access == wire.Public {
		op["security"] = []dict{}
	}
	return op
}

func jsonAnswer(text string, schema dict) dict {
	return dict{"description": text, "content": dict{"application/json": dict{"schema": schema}}}
}

// apiResponses are the refusals, one per HTTP status.
func apiResponses() dict {
	texts := map[string][]string{}
	for _, k := range wire.KindTable() {
		status := strconv.Itoa(k.Status)
		texts[status] = append(texts[status], string(k.Kind)+": "+k.Doc.En)
	}
	out := dict{}
	for status, list := range texts {
		answer := jsonAnswer(strings.Join(list, " "), ref("ErrorBody"))
		if status == "429" {
			answer["headers"] = dict{"Retry-After": dict{"description": "Seconds to wait.", "schema": dict{"type": "integer"}}}
		}
		out["Refused"+status] = answer
	}
	return out
}

// withErrors adds the refusals to the answers of an operation.
func withErrors(responses dict, login bool) dict {
	for _, k := range wire.KindTable() {
		if k.Status == 401 && !login {
			continue
		}
		status := strconv.Itoa(k.Status)
		responses[status] = dict{"$ref": "#/components/responses/Refused" + status}
	}
	return responses
}

func parameter(in, name, text string, required bool, schema dict) dict {
	return dict{"in": in, "name": name, "description": text, "required": required, "schema": schema}
}

// header is a response header.
func header(text string, kind string) dict {
	return dict{"description": text, "schema": dict{"type": kind}}
}

// apiFiles are the paths that are no methods.
func apiFiles() dict {
	file := []dict{parameter("path", "id", "The file.", true, ref("ID"))}
	name := parameter("path", "name", "Any name; what the file is saved as.", true, dict{"type": "string"})
	edge := parameter("path", "edge", "Width and height at most, pixels.", true, dict{"type": "integer", "minimum": 1, "maximum": 2048})
	span := parameter("header", "Range", "One range: bytes=from- or bytes=from-to.", false, dict{"type": "string"})
	bytes := func(text string) dict {
		return dict{"description": text, "content": dict{"application/octet-stream": dict{}}}
	}
	return dict{
		wire.PathUploads:           dict{"post": createUpload()},
		wire.PathUploads + "/{id}": uploadItem(),
		wire.PathFiles + "{id}/{name}": dict{"get": dict{
			"operationId": "download", "summary": "The content of a file.", "tags": []string{"files"},
			"parameters": append(file, name, span),
			"responses":  withErrors(dict{"200": bytes("All of it."), "206": bytes("The range."), "416": dict{"description": "The range begins behind the end."}}, true),
		}},
		wire.PathFiles + "{id}/thumbnail/{edge}": dict{"get": dict{
			"operationId": "thumbnail", "summary": "A smaller picture of a picture.", "tags": []string{"files"},
			"parameters": append(file, edge),
			"responses":  withErrors(dict{"200": dict{"description": "The picture.", "content": dict{"image/*": dict{}}}}, true),
		}},
	}
}

func tusVersion() dict {
	return parameter("header", "Tus-Resumable", "The version of tus.", true, dict{"const": "1.0.0"})
}

func createUpload() dict {
	return dict{
		"operationId": "upload.create", "summary": "Begins a resumable upload (tus 1.0.0).", "tags": []string{"files"},
		"parameters": []dict{tusVersion(),
			parameter("header", "Upload-Length", "Size of the file, bytes.", true, dict{"type": "integer", "minimum": 0}),
			parameter("header", "Upload-Metadata", "filename <base64>,filetype <base64>[,voice MQ==][,duration_ms <base64>]", true, dict{"type": "string"}),
		},
		"responses": withErrors(dict{"201": dict{"description": "Begun.", "headers": dict{
			"Location": header("Where to send the bytes.", "string"),
		}}}, true),
	}
}

func uploadItem() dict {
	place := parameter("path", "id", "Name of the upload, from Location.", true, dict{"type": "string"})
	told := dict{
		"Upload-Offset": header("Bytes the server has.", "integer"),
		wire.HeaderFile: header("With the last byte: the id of the file.", "string"),
	}
	return dict{
		"parameters": []dict{place, tusVersion()},
		"head": dict{
			"operationId": "upload.offset", "summary": "How far an upload is.", "tags": []string{"files"},
			"responses": withErrors(dict{"200": dict{"description": "Where to go on.", "headers": told}}, true),
		},
		"patch": dict{
			"operationId": "upload.append", "summary": "Sends bytes.", "tags": []string{"files"},
			"parameters": []dict{
				parameter("header", "Upload-Offset", "Where these bytes begin: what the server has.", true, dict{"type": "integer", "minimum": 0}),
				parameter("header", "Upload-Checksum", "sha256 <base64 of the hash of these bytes>", false, dict{"type": "string"}),
			},
			"requestBody": dict{"required": true, "content": dict{"application/offset+octet-stream": dict{}}},
			"responses": withErrors(dict{
				"204": dict{"description": "Stored.", "headers": told},
				"423": dict{"description": "Another request writes to this upload."},
				"460": dict{"description": "The checksum is not that of the bytes; they were dropped."},
			}, true),
		},
		"delete": dict{
			"operationId": "upload.cancel", "summary": "Gives an upload up.", "tags": []string{"files"},
			"responses": withErrors(dict{"204": dict{"description": "Gone."}}, true),
		},
	}
}
