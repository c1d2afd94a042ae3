package wire

import (
	"bytes"
	"errors"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Request is one decoded JSON-RPC 2.0 request. Params and ID point into the
// frame.
type Request struct {
	ID     jsontext.Value // a string or number; nil for a notification
	Method string
	Params jsontext.Value // an object, or nil
}

type requestFrame struct {
	Version string         `json:"jsonrpc"`
	ID      jsontext.Value `json:"id,omitzero"`
	Method  string         `json:"method"`
	Params  jsontext.Value `json:"params,omitzero"`
}

// Decode reads one frame. The error is an *Error that can be answered; ID is
// set as far as it could be read.
func Decode(frame []byte) (Request, *Error) {
	if err := check(frame); err != nil {
		return Request{}, err
	}
	if len(frame) > 0 && frame[0] == '[' {
		return Request{}, Refuse(InvalidRequest, "batches are not taken: send one request per frame", "不支持批量请求：每帧一个请求")
	}
	var f requestFrame
	if err := json.Unmarshal(frame, &f, json.RejectUnknownMembers(true)); err != nil {
		if syntax(err) {
			return Request{}, Refusef(ParseError, "not JSON: %.200v", "不是 JSON：%.200v", err)
		}
		return Request{}, Refusef(InvalidRequest, "not a JSON-RPC 2.0 request: %.200v", "不是 JSON-RPC 2.0 请求：%.200v", err)
	}
	r := Request{Method: f.Method}
	switch k := f.ID.Kind(); {
	case len(f.ID) == 0 || k == 'n':
	case (k == '"' || k == '0') && len(f.ID) <= MaxRequestID:
		r.ID = f.ID
	default:
		return r, Refusef(InvalidRequest, "id must be a string or number of at most %d bytes", "id 必须是不超过 %d 字节的字符串或数字", MaxRequestID)
	}
	if f.Version != "2.0" || f.Method == "" {
		return r, Refuse(InvalidRequest, `jsonrpc must be "2.0" and method must be there`, `jsonrpc 必须为 "2.0" 且须有 method`)
	}
	if len(f.Params) > 0 && f.Params.Kind() != '{' {
		return r, Refuse(InvalidParams, "params must be an object", "params 必须是对象")
	}
	r.Params = f.Params
	return r, nil
}

// DecodeParams reads params, or the body of a POST, into a struct of the
// table. Nothing at all means the empty object.
func DecodeParams(params []byte, into any) *Error {
	if len(params) == 0 {
		return nil
	}
	if err := check(params); err != nil {
		return err
	}
	if jsontext.Value(params).Kind() == 'n' { // would be read as the empty object
		return Refuse(InvalidParams, "params must be an object", "params 必须是对象")
	}
	err := json.Unmarshal(params, into, json.RejectUnknownMembers(true))
	if err == nil {
		return nil
	}
	if syntax(err) {
		return Refusef(ParseError, "not JSON: %.200v", "不是 JSON：%.200v", err)
	}
	var se *json.SemanticError
	if errors.As(err, &se) && se.JSONPointer != "" {
		return &Error{Kind: InvalidParams, Field: string(se.JSONPointer[1:]), Text: Text{
			En: "parameter " + string(se.JSONPointer[1:]) + " is unknown or of the wrong type",
			Zh: "参数 " + string(se.JSONPointer[1:]) + " 未知或类型错误"}}
	}
	return Refusef(InvalidParams, "wrong parameters: %.200v", "参数错误：%.200v", err)
}

func syntax(err error) bool {
	var s *jsontext.SyntacticError
	return errors.As(err, &s)
}

// check refuses nesting deeper than MaxDepth. Syntax and UTF-8 are the
// decoder's.
func check(b []byte) *Error {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '"':
			i += 1 + textLength(b[i+1:])
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return Refusef(InvalidRequest, "nested deeper than %d", "嵌套超过 %d 层", MaxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// textLength is where the quote stands that ends a text; the length of b when
// there is none.
func textLength(b []byte) int {
	for i := 0; ; i++ {
		end := bytes.IndexByte(b[i:], '"')
		if end < 0 {
			return len(b)
		}
		escape := bytes.IndexByte(b[i:i+end], '\\')
		if escape < 0 {
			return i + end
		}
		i += escape + 1
	}
}

// AppendResult appends the answer frame of a request.
func AppendResult(b []byte, reqID jsontext.Value, result any) ([]byte, error) {
	b = append(b, `{"jsonrpc":"2.0","id":`...)
	b = append(b, reqID...)
	b = append(b, `,"result":`...)
	b, err := appendJSON(b, result)
	if err != nil {
		return nil, err
	}
	return append(b, '}'), nil
}

// AppendError appends the refusal of a request; id may be nil where it could
// not be read.
func AppendError(b []byte, reqID jsontext.Value, e *Error, lang, trace string) []byte {
	if len(reqID) == 0 {
		reqID = jsontext.Value("null")
	}
	b = append(b, `{"jsonrpc":"2.0","id":`...)
	b = append(b, reqID...)
	b = append(b, `,"error":`...)
	v, err := json.Marshal(e.Body(lang, trace))
	if err != nil { // texts of ours; cannot be
		v = []byte(`{"code":-32603,"message":"internal error","data":{"kind":"internal"}}`)
	}
	b = append(b, v...)
	return append(b, '}')
}

// Body is the error as it travels, in a language.
func (e *Error) Body(lang, trace string) ErrorBody {
	return ErrorBody{Code: e.Kind.Info().Code, Message: e.Text.In(lang),
		Data: ErrorData{Kind: e.Kind, Trace: trace, Field: e.Field, RetryAfterMS: e.RetryAfter}}
}

// AppendEvent appends an event frame; position 0 is left out.
func AppendEvent(b []byte, position uint64, t EventType, data any) ([]byte, error) {
	b = append(b, `{"jsonrpc":"2.0","method":"event","params":{`...)
	if position > 0 {
		b = append(b, `"position":`...)
		b = strconv.AppendUint(b, position, 10)
		b = append(b, ',')
	}
	b = append(b, `"type":"`...)
	b = append(b, t...)
	b = append(b, `","data":`...)
	b, err := appendJSON(b, data)
	if err != nil {
		return nil, err
	}
	return append(b, "}}"...), nil
}
