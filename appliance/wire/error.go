package wire

import "fmt"

// Kind is the stable name of an error, made for programs: texts may change,
// kinds do not.
type Kind string

// The kinds. KindTable gives the numbers they travel with.
const (
	ParseError      Kind = "parse_error"
	InvalidRequest  Kind = "invalid_request"
	MethodNotFound  Kind = "method_not_found"
	InvalidParams   Kind = "invalid_params"
	Unauthenticated Kind = "unauthenticated"
	Forbidden       Kind = "forbidden"
	NotFound        Kind = "not_found"
	Conflict        Kind = "conflict"
	Expired         Kind = "expired"
	TooLarge        Kind = "too_large"
	QuotaExceeded   Kind = "quota_exceeded"
	RateLimited     Kind = "rate_limited"
	Unavailable     Kind = "unavailable"
	Internal        Kind = "internal"
)

// KindInfo says how an error kind travels: the JSON-RPC 2.0 code, the HTTP
// status of POST /api/<method>, and what a client should do about it.
type KindInfo struct {
	Kind   Kind
	Code   int
	Status int
	Doc    Text
}

// KindTable lists every error kind, in the order of the reference.
func KindTable() []KindInfo {
	return []KindInfo{
		{ParseError, -32700, 400, Text{"The frame or body is not JSON. Mend the client.", "帧或请求体不是 JSON，请修正客户端。"}},
		{InvalidRequest, -32600, 400, Text{"JSON, but not a JSON-RPC 2.0 request, or a limit of the protocol is passed.", "是 JSON，但不是 JSON-RPC 2.0 请求，或超出协议限制。"}},
		{MethodNotFound, -32601, 404, Text{"There is no method of this name.", "没有这个方法。"}},
		{InvalidParams, -32602, 400, Text{"A parameter is missing, unknown or out of range; the text names it.", "参数缺失、未知或超出范围；文字中会指出。"}},
		{Unauthenticated, 1001, 401, Text{"Log in (again): no token, or it was revoked or has expired.", "请（重新）登录：没有令牌，或令牌已吊销或过期。"}},
		{Forbidden, 1003, 403, Text{"Logged in, but this role may not do that.", "已登录，但当前角色无权这样做。"}},
		{NotFound, 1004, 404, Text{"It does not exist, or the caller may not know that it does.", "不存在，或调用者无权知道它是否存在。"}},
		{Conflict, 1009, 409, Text{"It exists already, or has changed meanwhile.", "已存在，或其间已被更改。"}},
		{Expired, 1010, 410, Text{"The link, invitation or upload is over. Ask for a new one.", "链接、邀请或上传已失效，请重新获取。"}},
		{TooLarge, 1013, 413, Text{"Longer than the limit that the text names.", "超过了文字中给出的限制。"}},
		{QuotaExceeded, 1014, 413, Text{"A person's or room's storage is used up.", "个人或房间的存储配额已用完。"}},
		{RateLimited, 1029, 429, Text{"Too often. Try again after retry_after_ms.", "过于频繁，请在 retry_after_ms 毫秒后重试。"}},
		{Unavailable, 1053, 503, Text{"The server is starting, stopping or read-only. Try again; nothing was stored.", "服务正在启动、停止或只读，请稍后重试；没有存储任何内容。"}},
		{Internal, -32603, 500, Text{"A fault of the server. The trace id finds it in the log.", "服务器故障。可凭跟踪编号在日志中查找。"}},
	}
}

// Info finds the row of a kind; an unknown kind is Internal.
func (k Kind) Info() KindInfo {
	table := KindTable()
	for _, row := range table {
		if row.Kind == k {
			return row
		}
	}
	return table[len(table)-1]
}

// Text is one sentence in the two languages of the product.
type Text struct{ En, Zh string }

// In gives the sentence in a language: "zh" (or any tag that begins with it)
// or English.
func (t Text) In(lang string) string {
	if len(lang) >= 2 && lang[:2] == "zh" && t.Zh != "" {
		return t.Zh
	}
	return t.En
}

// Error is a refusal that a person or a program can act on.
type Error struct {
	Kind       Kind
	Text       Text
	RetryAfter int64 // milliseconds; 0 = does not help by itself
	Field      string
	Cause      error // of an Internal one, for the log alone
}

// Error is the English sentence with the kind before it.
func (e *Error) Error() string { return string(e.Kind) + ": " + e.Text.En }

// Refuse makes an Error from a kind and its sentence in both languages.
func Refuse(kind Kind, en, zh string) *Error {
	return &Error{Kind: kind, Text: Text{En: en, Zh: zh}}
}

// Refusef is Refuse with the same arguments put into both sentences.
func Refusef(kind Kind, en, zh string, args ...any) *Error {
	return &Error{Kind: kind, Text: Text{En: fmt.Sprintf(en, args...), Zh: fmt.Sprintf(zh, args...)}}
}

// BadParam refuses one parameter by name.
func BadParam(field, en, zh string) *Error {
	return &Error{Kind: InvalidParams, Field: field, Text: Text{En: field + ": " + en, Zh: field + "：" + zh}}
}

// ErrorData is error.data of a JSON-RPC answer, and with Message the body of a
// refused POST.
type ErrorData struct {
	Kind         Kind   `json:"kind" doc:"stable name of the error|错误的固定名称"`
	Trace        string `json:"trace,omitzero" doc:"trace id, to be found in the server's log|跟踪编号，可在服务器日志中查到"`
	Field        string `json:"field,omitzero" doc:"the parameter that is wrong|出错的参数"`
	RetryAfterMS int64  `json:"retry_after_ms,omitzero" doc:"try again after this many milliseconds|多少毫秒后可重试"`
}

// ErrorBody is the error member of a JSON-RPC answer.
type ErrorBody struct {
	Code    int       `json:"code" doc:"number of the kind|错误编号"`
	Message string    `json:"message" doc:"a sentence in the reader's language|读者语言的一句话"`
	Data    ErrorData `json:"data" doc:"for programs|供程序使用"`
}
