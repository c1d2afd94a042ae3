package notify

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" // the signature Aliyun documents for its RPC interface
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"time"
)

// smsLimit is how many characters an SMS through a gateway may have: what
// three joined parts of UCS2 hold.
const smsLimit = 200

// aliyunLimit is what a variable of a template takes.
const aliyunLimit = 35

func (s *Sender) aliyun(ctx context.Context, c *Channel, m *Message) (string, error) {
	param, err := json.Marshal(map[string]string{c.get("variable"): runes(m.Subject(c.Lang), aliyunLimit)})
	if err != nil {
		return "", unwritable(err)
	}
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails
	q := map[string]string{
		"AccessKeyId": c.get("key"), "Action": "SendSms", "Format": "JSON", "RegionId": "cn-hangzhou", "SignatureMethod": "HMAC-SHA1",
		"SignatureNonce": hex.EncodeToString(nonce), "SignatureVersion": "1.0", "Version": "2017-05-25",
		"Timestamp":    s.o.Now().UTC().Format("2006-01-02T15:04:05Z"),
		"PhoneNumbers": strings.Join(c.list("phones"), ","), "SignName": c.get("sign"), "TemplateCode": c.get("template"), "TemplateParam": string(param)}
	to := strings.TrimRight(c.get("url"), "/") + "/?Signature=" + percent(rpcSignature("GET", c.get("secret"), q)) + "&" + canonical(q)
	answer, err := s.call(ctx, http.MethodGet, to, nil, http.Header{})
	if err != nil {
		return answer, err
	}
	var v struct{ Code, Message string }
	if json.Unmarshal(payload(answer), &v) != nil || v.Code == "" {
		return answer, refused(answer, "the answer is not Aliyun's: check the address", "应答不是来自阿里云：请检查地址")
	}
	if v.Code != "OK" {
		f := refused(answer, "the gateway refused: %s", "网关拒绝：%s", v.Code)
		f.Again = strings.Contains(v.Code, "LIMIT_CONTROL") || strings.HasPrefix(v.Code, "Throttling") || v.Code == "isp.SYSTEM_ERROR"
		hint, known := aliyunHint(v.Code)
		return answer, hinted(f, hint, known)
	}
	return answer, nil
}

// rpcSignature is the signature of Aliyun's RPC interface, version 1.0.
func rpcSignature(method, secret string, q map[string]string) string {
	h := hmac.New(sha1.New, []byte(secret+"&"))
	h.Write([]byte(method + "&" + percent("/") + "&" + percent(canonical(q))))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

func canonical(q map[string]string) string {
	keys := make([]string, 0, len(q))
	for k := range q {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = percent(k) + "=" + percent(q[k])
	}
	return strings.Join(parts, "&")
}

// percent is RFC 3986's encoding: a space is %20, ~ stays.
func percent(s string) string {
	return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(url.QueryEscape(s))
}

// sms calls a gateway once for each phone number.
func (s *Sender) sms(ctx context.Context, c *Channel, m *Message) (string, error) {
	var answers []string
	for _, phone := range c.list("phones") {
		answer, err := s.smsTo(ctx, c, phone, m.Short(c.Lang, smsLimit))
		answers = append(answers, phone+": "+answer)
		if err != nil {
			return strings.Join(answers, "\n"), err
		}
	}
	return strings.Join(answers, "\n"), nil
}

func (s *Sender) smsTo(ctx context.Context, c *Channel, phone, text string) (string, error) {
	values := map[string]string{"{phone}": phone, "{text}": text, "{token}": c.get("token"), "{timestamp}": strconv.FormatInt(s.o.Now().Unix(), 10), "{time}": s.o.Now().Format(time.RFC3339)}
	inQuery := fill(c.get("url"), values, url.QueryEscape)
	enc := func(v string) string { return v }
	switch c.get("type") {
	case "application/json":
		enc = jsonText
	case "application/x-www-form-urlencoded":
		enc = url.QueryEscape
	}
	var body []byte
	header := http.Header{}
	if c.get("method") == http.MethodPost {
		body = []byte(fill(c.get("body"), values, enc))
		header.Set("Content-Type", c.get("type")+"; charset=utf-8")
		if c.get("type") == "application/json" && !json.Valid(body) {
			return "", refused("", "the body is no JSON once {phone} and {text} are filled in", "填入 {phone} 与 {text} 后，请求体不是有效的 JSON")
		}
	}
	if a := c.get("header"); a != "" {
		header.Set("Authorization", a)
	}
	answer, err := s.call(ctx, c.get("method"), inQuery, body, header)
	if err == nil && c.get("ok") != "" && !strings.Contains(answer, c.get("ok")) {
		err = refused(answer, "the answer does not contain %q", "应答中不含 %q", c.get("ok"))
	}
	return answer, err
}

func fill(form string, values map[string]string, enc func(string) string) string {
	pairs := make([]string, 0, 2*len(values))
	for k, v := range values {
		pairs = append(pairs, k, enc(v))
	}
	return strings.NewReplacer(pairs...).Replace(form)
}

// jsonText is a text as it stands between the quotes of a JSON string.
func jsonText(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	return string(b[1 : len(b)-1])
}
