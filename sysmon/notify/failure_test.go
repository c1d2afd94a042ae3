package notify

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode"
)

// chinese says whether a text has Chinese characters.
func chinese(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// What stands in the way is said with its cure, in both languages.
func TestAFailureNamesTheCure(t *testing.T) {
	t.Parallel()
	gone, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := gone.Addr().String()
	_ = gone.Close()
	strange := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(strange.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	robot := func(code int64) Channel {
		s := side(t, func(seen) (int, string) { return 200, fmt.Sprintf(`{"errcode":%d,"errmsg":"no"}`, code) })
		return channel("dingtalk", "zh", "url", s.URL, "token", "t0ken")
	}
	aliyun := side(t, func(seen) (int, string) { return 200, `{"Code":"isv.AMOUNT_NOT_ENOUGH","Message":"no"}` })
	for name, c := range map[string]struct {
		channel Channel
		en, zh  string
		again   bool
	}{
		"nothing listens":       {channel("webhook", "en", "url", "http://"+nobody), "nothing listens there: check address and port", "无服务监听", true},
		"a name nobody knows":   {channel("webhook", "en", "url", "http://no.such.invalid/"), "no.such.invalid", "no.such.invalid", true},
		"a strange authority":   {channel("webhook", "en", "url", strange.URL), "an authority this box does not trust", "不信任的机构", true},
		"no TLS there":          {channel("webhook", "en", "url", strings.Replace(plain.URL, "http:", "https:", 1)), "TLS", "TLS", true},
		"a status":              {channel("webhook", "en", "url", plain.URL), "status 404: 404", "状态码 404", false},
		"a robot's settings":    {robot(310000), "give the signing secret", "加签密钥", false},
		"a robot that is busy":  {robot(410100), "tried again", "稍后重试", true},
		"a robot's other error": {robot(7), "error 7", "错误码 7", false},
		"no money":              {channel("sms-aliyun", "zh", "url", aliyun.URL, "key", "k", "secret", "s", "sign", "n", "template", "SMS_1", "variable", "text", "phones", "13800138000"), "no money left", "余额不足", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := sender(nil).Send(t.Context(), c.channel, hot())
			f, why := failure(t, err), Why(err)
			if !strings.Contains(why.EN, c.en) || !strings.Contains(why.ZH, c.zh) || f.Again != c.again {
				t.Errorf("again %v: %s | %s", f.Again, why.EN, why.ZH)
			}
			if chinese(why.EN) || !chinese(why.ZH) {
				t.Errorf("in the wrong language: %s | %s", why.EN, why.ZH)
			}
		})
	}
}
