package notify

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

func TestDingTalkTakesOnlyWhatIsSigned(t *testing.T) {
	var text string
	s := side(t, func(r seen) (int, string) {
		q := r.URL.Query()
		h := hmac.New(sha256.New, []byte("SECabc"))
		h.Write([]byte(q.Get("timestamp") + "\nSECabc"))
		if q.Get("access_token") != "tok-1" || q.Get("timestamp") != strconv.FormatInt(noon().UnixMilli(), 10) {
			return 200, `{"errcode":300005,"errmsg":"token is not exist"}`
		}
		if q.Get("sign") != base64.StdEncoding.EncodeToString(h.Sum(nil)) {
			return 200, `{"errcode":310000,"errmsg":"sign not match"}`
		}
		var m struct {
			MsgType  string
			Markdown struct{ Title, Text string }
			At       struct {
				AtMobiles []string
				IsAtAll   bool
			}
		}
		if json.Unmarshal(r.body, &m) != nil || m.MsgType != "markdown" || m.Markdown.Title == "" || m.At.IsAtAll || len(m.At.AtMobiles) != 1 {
			return 200, `{"errcode":40035,"errmsg":"缺少参数"}`
		}
		text = m.Markdown.Text
		return 200, `{"errcode":0,"errmsg":"ok"}`
	})
	c := channel("dingtalk", "zh", "url", s.URL+"/robot/send", "token", "tok-1", "secret", "SECabc", "mobiles", "13800138000")
	answer, err := sender(nil).Send(t.Context(), c, hot())
	if must(t, answer, err) != `200 {"errcode":0,"errmsg":"ok"}` {
		t.Errorf("answer %q", answer)
	}
	says(t, text)
	if !strings.Contains(text, "@13800138000") || !strings.Contains(text, "阈值") {
		t.Error(text)
	}
	c.Settings["secret"] = "SECother"
	answer, err = sender(nil).Send(t.Context(), c, hot())
	if f := failure(t, err); f.Again || !strings.Contains(answer, "sign not match") {
		t.Errorf("a wrong secret: %q, %v", answer, err)
	}
	answer, err = sender(nil).Test(t.Context(), channel("dingtalk", "en", "url", s.URL, "token", "wrong"))
	if failure(t, err); !strings.Contains(answer, "token is not exist") {
		t.Errorf("the test does not show the real answer: %q", answer)
	}
}

func TestWeComGetsMarkdownThatFits(t *testing.T) {
	var text string
	s := side(t, func(r seen) (int, string) {
		var m struct {
			MsgType  string
			Markdown struct{ Content string }
		}
		if r.URL.Query().Get("key") != "k-1" {
			return 200, `{"errcode":93000,"errmsg":"invalid webhook url"}`
		}
		if json.Unmarshal(r.body, &m) != nil || m.MsgType != "markdown" || len(m.Markdown.Content) > 4096 {
			return 200, `{"errcode":40058,"errmsg":"markdown.content exceed max length 4096"}`
		}
		text = m.Markdown.Content
		return 200, `{"errcode":0,"errmsg":"ok"}`
	})
	m := hot()
	for range 50 {
		m.Items = append(m.Items, m.Items[0])
	}
	answer, err := sender(nil).Send(t.Context(), channel("wecom", "zh", "url", s.URL, "token", "k-1"), m)
	must(t, answer, err)
	says(t, text)
	_, err = sender(nil).Send(t.Context(), channel("wecom", "zh", "url", s.URL, "token", "k-2"), m)
	failure(t, err)
}

func TestFeishuTakesOnlyWhatIsSigned(t *testing.T) {
	var card string
	s := side(t, func(r seen) (int, string) {
		var m struct {
			Timestamp, Sign string
			MsgType         string `json:"msg_type"`
			Card            struct {
				Header   struct{ Title struct{ Content string } }
				Elements []struct{ Tag, Content string }
			}
		}
		if r.URL.Path != "/open-apis/bot/v2/hook/tok-1" {
			return 200, `{"code":19001,"msg":"param invalid: incoming webhook access token invalid"}`
		}
		if json.Unmarshal(r.body, &m) != nil || m.MsgType != "interactive" || len(m.Card.Elements) == 0 || m.Card.Header.Title.Content == "" {
			return 200, `{"code":9499,"msg":"Bad Request"}`
		}
		h := hmac.New(sha256.New, []byte(m.Timestamp+"\nfs-secret"))
		if m.Timestamp != strconv.FormatInt(noon().Unix(), 10) || m.Sign != base64.StdEncoding.EncodeToString(h.Sum(nil)) {
			return 200, `{"code":19021,"msg":"sign match fail or timestamp is not within one hour from current time"}`
		}
		card = m.Card.Elements[0].Content
		return 200, `{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}`
	})
	c := channel("feishu", "zh", "url", s.URL+"/open-apis/bot/v2/hook", "token", "tok-1", "secret", "fs-secret")
	answer, err := sender(nil).Send(t.Context(), c, hot())
	must(t, answer, err)
	says(t, card)
	c.Settings["secret"] = "other"
	answer, err = sender(nil).Send(t.Context(), c, hot())
	if failure(t, err); !strings.Contains(answer, "sign match fail") {
		t.Error(answer)
	}
}

// TestTheSignatureAliyunDocuments uses the example of its documentation of
// SendSms' signature.
func TestTheSignatureAliyunDocuments(t *testing.T) {
	q := map[string]string{"AccessKeyId": "testId", "Action": "SendSms", "Format": "XML", "OutId": "123", "PhoneNumbers": "15300000001", "RegionId": "cn-hangzhou",
		"SignName": "阿里云短信测试专用", "SignatureMethod": "HMAC-SHA1", "SignatureNonce": "45e25e9b-0a6f-4070-8c85-2956eda1b466", "SignatureVersion": "1.0",
		"TemplateCode": "SMS_71390007", "TemplateParam": `{"customer":"test"}`, "Timestamp": "2017-07-12T02:42:19Z", "Version": "2017-05-25"}
	if have := rpcSignature("GET", "testSecret", q); have != "zJDF+Lrzhj/ThnlvIToysFRq6t4=" {
		t.Errorf("signature %s", have)
	}
}

func TestAliyunTakesOnlyWhatIsSigned(t *testing.T) {
	var text string
	s := side(t, func(r seen) (int, string) {
		q := map[string]string{}
		for k, v := range r.URL.Query() {
			q[k] = v[0]
		}
		have := q["Signature"]
		delete(q, "Signature")
		h := hmac.New(sha1.New, []byte("ali-secret&"))
		h.Write([]byte("GET&%2F&" + percent(canonical(q))))
		if have != base64.StdEncoding.EncodeToString(h.Sum(nil)) {
			return 400, `{"Code":"SignatureDoesNotMatch","Message":"Specified signature is not matched"}`
		}
		if q["Action"] != "SendSms" || q["PhoneNumbers"] != "13800138000,13900139000" || q["Timestamp"] != "2026-11-21T04:00:00Z" {
			return 400, `{"Code":"isv.INVALID_PARAMETERS"}`
		}
		var p map[string]string
		if json.Unmarshal([]byte(q["TemplateParam"]), &p) != nil || len([]rune(p["content"])) > 35 {
			return 200, `{"Code":"isv.PARAM_LENGTH_LIMIT","Message":"参数超过长度限制"}`
		}
		text = p["content"]
		return 200, `{"Message":"OK","RequestId":"F655","BizId":"9006","Code":"OK"}`
	})
	c := channel("sms-aliyun", "zh", "url", s.URL, "key", "ali-id", "secret", "ali-secret", "sign", "驿站", "template", "SMS_1", "phones", "13800138000\n13900139000")
	answer, err := sender(nil).Send(t.Context(), c, hot())
	must(t, answer, err)
	if text != "[紧急] box1 的 CPU 使用率为 93%" || !strings.Contains(answer, "BizId") {
		t.Errorf("%q %q", text, answer)
	}
	c.Settings["secret"] = "nope"
	if _, err := sender(nil).Send(t.Context(), c, hot()); !strings.Contains(failure(t, err).Error(), "SignatureDoesNotMatch") {
		t.Error(err)
	}
}

func TestAnyGatewayByTemplate(t *testing.T) {
	var phones []string
	s := side(t, func(r seen) (int, string) {
		var m struct{ To, Msg, Key string }
		if err := json.Unmarshal(r.body, &m); err != nil || m.Key != "gw-token" || !strings.Contains(m.Msg, `"93"`) {
			return 200, `{"result":"fail"}`
		}
		phones = append(phones, m.To)
		return 200, `{"result":"ok"}`
	})
	m := hot()
	m.Title.EN = `CPU at "93" %`
	c := channel("sms", "en", "url", s.URL+"/send?who={phone}", "body", `{"to":"{phone}","msg":"{text}","key":"{token}"}`, "token", "gw-token", "phones", "1001,1002", "ok", `"ok"`)
	answer, err := sender(nil).Send(t.Context(), c, m)
	must(t, answer, err)
	if strings.Join(phones, " ") != "1001 1002" {
		t.Error(phones)
	}
	c.Settings["token"] = "wrong-token"
	_, err = sender(nil).Send(t.Context(), c, m)
	failure(t, err)

	get := side(t, func(r seen) (int, string) {
		q, err := url.ParseQuery(r.URL.RawQuery)
		if r.Method != "GET" || err != nil || q.Get("m") != "+8613800138000" || !strings.Contains(q.Get("c"), "93") {
			return 500, "no"
		}
		return 200, "0"
	})
	_, err = sender(nil).Send(t.Context(), channel("sms", "zh", "url", get.URL+"/?m={phone}&c={text}", "method", "GET", "phones", "+8613800138000"), m)
	must(t, "", err)
}
