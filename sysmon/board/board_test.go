package board

import (
	"testing"
	"time"

	"posthouse/sysmon/words"
)

func TestQueryIsFilledAndNamed(t *testing.T) {
	q := Query{Expr: "rate(a[$__rate_interval]) / rate(b[$__rate_interval])", Legend: words.Of("{{ device }} in", "{{device}} 接收")}
	if got := q.Fill(time.Second, 15*time.Second); got != "rate(a[60s]) / rate(b[60s])" {
		t.Errorf("a short step: %s", got)
	}
	if got := q.Fill(time.Hour, 15*time.Second); got != "rate(a[3615s]) / rate(b[3615s])" {
		t.Errorf("a long step: %s", got)
	}
	labels := map[string]string{"device": "eth0"}
	if en, zh := q.Name("en", labels), q.Name("zh", labels); en != "eth0 in" || zh != "eth0 接收" {
		t.Errorf("named %q, %q", en, zh)
	}
	if got := (Query{Legend: words.Of("a {{b", "a")}).Name("en", labels); got != "a {{b" {
		t.Errorf("an open brace: %q", got)
	}
}
