package hook

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// Proof is the outcome of checking that a request knows the hook's secret.
type Proof int

// The outcomes.
const (
	Proved  Proof = iota
	Missing       // nothing in the request proves anything
	Wrong         // what is there does not fit
	Stale         // a signature of another time
)

// signWindow is how far a signed time may lie from ours, as DingTalk has it.
const signWindow = time.Hour

// DingTalkSign is base64(HMAC-SHA256(secret, timestamp "\n" secret)), as a
// DingTalk robot script puts it (URL-encoded) into sign.
func DingTalkSign(secret, timestamp string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "\n" + secret))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Sign is the signature of our own requests: hex(HMAC-SHA256(secret,
// timestamp "." body)).
func Sign(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// Check looks for proof that the sender knows a secret. These are taken:
//
//	?timestamp=<ms>&sign=<base64>          DingTalk, within an hour
//	X-Gitlab-Token: <secret>               GitLab
//	X-Hub-Signature-256: sha256=<hex>      GitHub, Gitea: HMAC of the body
//	X-Gitea-Signature, X-Gogs-Signature,
//	X-Grafana-Alerting-Signature: <hex>    likewise
//	X-Posthouse-Signature: t=<s>,v1=<hex>  see Sign, within an hour
//	Authorization: Bearer <secret>         Alertmanager, Grafana, anything
//
// What is there must fit: a wrong one is not mended by a right one.
func Check(secret string, r Request, now time.Time) Proof {
	header := func(name string) string {
		if r.Header == nil {
			return ""
		}
		return r.Header(name)
	}
	proof := Missing
	judge := func(ok bool) {
		switch {
		case !ok:
			proof = Wrong
		case proof == Missing:
			proof = Proved
		}
	}
	if r.Query != nil && r.Query("sign") != "" {
		// A plus sign that was not encoded arrives as a blank.
		sign := strings.ReplaceAll(r.Query("sign"), " ", "+")
		judge(same(DingTalkSign(secret, r.Query("timestamp")), sign))
		if proof == Proved && !near(r.Query("timestamp"), time.Millisecond, now) {
			return Stale
		}
	}
	if v := header("X-Gitlab-Token"); v != "" {
		judge(same(secret, v))
	}
	for _, name := range []string{"X-Hub-Signature-256", "X-Gitea-Signature", "X-Gogs-Signature", "X-Grafana-Alerting-Signature"} {
		if v := header(name); v != "" {
			mac := hmac.New(sha256.New, []byte(secret))
			mac.Write(r.Body)
			judge(same(hex.EncodeToString(mac.Sum(nil)), strings.ToLower(strings.TrimPrefix(v, "sha256="))))
		}
	}
	if v := header("X-Posthouse-Signature"); v != "" {
		at, sum := signature(v)
		judge(same(Sign(secret, at, r.Body), sum))
		if proof == Proved && !near(at, time.Second, now) {
			return Stale
		}
	}
	if v := header("Authorization"); len(v) > 7 && strings.EqualFold(v[:7], "bearer ") {
		judge(same(secret, strings.TrimSpace(v[7:])))
	}
	return proof
}

// signature takes the parts of t=…,v1=… .
func signature(v string) (at, sum string) {
	for part := range strings.SplitSeq(v, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			at = value
		case "v1":
			sum = value
		}
	}
	return at, sum
}

func near(stamp string, unit time.Duration, now time.Time) bool {
	n, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || n < 0 || n > 1<<53 {
		return false
	}
	d := now.UnixMilli() - n*int64(unit/time.Millisecond)
	return d <= signWindow.Milliseconds() && d >= -signWindow.Milliseconds()
}

// same compares without telling by its time where two differ.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
