package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

func mac(key, data string) []byte {
	h := hmac.New(sha256.New, []byte(key))
	h.Write([]byte(data))
	return h.Sum(nil)
}

// with adds parameters to an address that may have some.
func with(to string, more url.Values) (string, error) {
	u, err := url.Parse(to)
	if err != nil {
		return "", refused("", "the address cannot be used", "地址无法使用")
	}
	q := u.Query()
	for k, v := range more {
		q[k] = v
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// verdict is what DingTalk and WeCom answer.
type verdict struct {
	Code *int64 `json:"errcode"`
	Text string `json:"errmsg"`
}

func judge(answer string, err error) (string, error) {
	if err != nil {
		return answer, err
	}
	var v verdict
	if json.Unmarshal(payload(answer), &v) != nil || v.Code == nil {
		return answer, refused(answer, "the answer is not a robot's: check the address", "应答不是来自机器人：请检查地址")
	}
	if *v.Code != 0 {
		return answer, robotRefused(answer, *v.Code)
	}
	return answer, nil
}

func robotRefused(answer string, code int64) *Failure {
	f := refused(answer, "the robot refused with error %d", "机器人以错误码 %d 拒绝", code)
	f.Again = robotBusy(code)
	hint, known := robotHint(code)
	return hinted(f, hint, known)
}

func (s *Sender) dingtalk(ctx context.Context, c *Channel, m *Message) (string, error) {
	q := url.Values{"access_token": {c.get("token")}}
	if secret := c.get("secret"); secret != "" {
		ts := strconv.FormatInt(s.o.Now().UnixMilli(), 10)
		q.Set("timestamp", ts)
		q.Set("sign", base64.StdEncoding.EncodeToString(mac(secret, ts+"\n"+secret)))
	}
	to, err := with(c.get("url"), q)
	if err != nil {
		return "", err
	}
	mobiles := c.list("mobiles")
	text := m.Markdown(c.Lang, 18000)
	if len(mobiles) > 0 {
		text += "\n\n@" + strings.Join(mobiles, " @")
	}
	body, err := json.Marshal(map[string]any{"msgtype": "markdown",
		"markdown": map[string]string{"title": m.Subject(c.Lang), "text": text},
		"at":       map[string]any{"atMobiles": mobiles, "isAtAll": false}})
	if err != nil {
		return "", unwritable(err)
	}
	return judge(s.call(ctx, "POST", to, body, jsonHeader()))
}

func (s *Sender) wecom(ctx context.Context, c *Channel, m *Message) (string, error) {
	to, err := with(c.get("url"), url.Values{"key": {c.get("token")}})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(map[string]any{"msgtype": "markdown", "markdown": map[string]string{"content": m.Markdown(c.Lang, 4096)}})
	if err != nil {
		return "", unwritable(err)
	}
	return judge(s.call(ctx, "POST", to, body, jsonHeader()))
}

func (s *Sender) feishu(ctx context.Context, c *Channel, m *Message) (string, error) {
	colour := map[string]string{"critical": "red", "serious": "orange"}[m.Severity]
	if colour == "" {
		colour = "yellow"
	}
	if m.Event == Resolved {
		colour = "green"
	}
	plain := func(s string) map[string]string { return map[string]string{"tag": "plain_text", "content": s} }
	card := map[string]any{"config": map[string]bool{"wide_screen_mode": true},
		"header":   map[string]any{"title": plain(m.Subject(c.Lang)), "template": colour},
		"elements": []any{map[string]string{"tag": "markdown", "content": m.Markdown(c.Lang, 16000)}}}
	msg := map[string]any{"msg_type": "interactive", "card": card}
	if secret := c.get("secret"); secret != "" {
		ts := strconv.FormatInt(s.o.Now().Unix(), 10)
		msg["timestamp"], msg["sign"] = ts, base64.StdEncoding.EncodeToString(mac(ts+"\n"+secret, ""))
	}
	body, err := json.Marshal(msg)
	if err != nil {
		return "", unwritable(err)
	}
	answer, err := s.call(ctx, "POST", strings.TrimRight(c.get("url"), "/")+"/"+url.PathEscape(c.get("token")), body, jsonHeader())
	if err != nil {
		return answer, err
	}
	var v struct {
		Code   *int64 `json:"code"`
		Status *int64 `json:"StatusCode"`
	}
	switch err := json.Unmarshal(payload(answer), &v); {
	case err != nil || v.Code == nil && v.Status == nil:
		return answer, refused(answer, "the answer is not a robot's: check the address", "应答不是来自机器人：请检查地址")
	case v.Code != nil && *v.Code != 0:
		return answer, robotRefused(answer, *v.Code)
	}
	return answer, nil
}
