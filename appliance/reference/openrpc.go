package reference

import "posthouse/appliance/wire"

// OpenRPC gives the OpenRPC 1.3 document of all methods
// (https://spec.open-rpc.org). Events, which OpenRPC does not know, stand under
// x-events; Chinese sentences under x-zh.
func OpenRPC() []byte {
	return document(dict{
		"openrpc": "1.3.2",
		"info": dict{"title": "Posthouse", "version": protocolVersion,
			"description": "JSON-RPC 2.0 over the WebSocket at " + wire.PathSocket + ", one request per text frame. Log in with the header Authorization: Bearer <token>, or with session.authenticate as the first frame. See /reference."},
		"servers": []dict{{"name": "WebSocket", "url": wire.PathSocket}},
		"methods": rpcMethods(),
		"components": dict{
			"schemas": schemas(),
			"errors":  rpcErrors(),
		},
		"x-events": rpcEvents(),
	})
}

func rpcMethods() []dict {
	var list []dict
	for _, m := range wire.Table() {
		params := []dict{}
		for _, f := range fields(m.Params) {
			params = append(params, dict{"name": f.Name, "required": !f.Optional, "schema": schemaOf(f.Type),
				"description": f.Doc.En, "x-zh": f.Doc.Zh})
		}
		list = append(list, dict{
			"name": m.Name, "description": m.Doc.En, "x-zh": m.Doc.Zh, "paramStructure": "by-name",
			"params": params,
			"result": dict{"name": m.Result.Name(), "schema": schemaOf(m.Result)},
			"errors": rpcErrorRefs(), "tags": []dict{{"name": group(m.Name)}},
			"x-access": accessName(m.Access), "x-rate-class": className(m.Class), "x-websocket-only": m.Socket,
		})
	}
	return list
}

func rpcErrors() dict {
	out := dict{}
	for _, k := range wire.KindTable() {
		out[string(k.Kind)] = dict{"code": k.Code, "message": k.Doc.En,
			"data": dict{"kind": string(k.Kind)}, "x-http-status": k.Status, "x-zh": k.Doc.Zh}
	}
	return out
}

func rpcErrorRefs() []dict {
	var list []dict
	for _, k := range wire.KindTable() {
		list = append(list, dict{"$ref": "#/components/errors/" + string(k.Kind)})
	}
	return list
}

func rpcEvents() []dict {
	var list []dict
	for _, e := range wire.Events() {
		list = append(list, dict{"type": string(e.Type), "position": e.Record, "data": schemaOf(e.Data),
			"description": e.Doc.En, "x-zh": e.Doc.Zh})
	}
	return list
}
