package alert

import "testing"

// What a stranger sends is read or refused, and checked before it is used.
func FuzzForeign(f *testing.F) {
	for _, s := range []string{
		`[{"labels":{"alertname":"A","severity":"critical"},"annotations":{"summary":"x"},"startsAt":"2026-11-02T00:00:00Z"}]`,
		`{"version":"4","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"A"},"endsAt":"0001-01-01T00:00:00Z"}]}`,
		`[null]`, `{"alerts":null}`, `[{"labels":{"":"x"}}]`, `[{"labels":null,"status":{"state":"active"}}]`, ` `, `[`, `{"alerts":{}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		list, err := Foreign(body)
		if err != nil && list != nil || len(list) > maxForeignCount {
			t.Fatalf("%d alerts with %v", len(list), err)
		}
		for i := range list {
			if err := list[i].check(); err == nil && (list[i].Labels["alertname"] == "" || len(list[i].Labels) > maxLabels) {
				t.Errorf("taken: %+v", list[i])
			}
		}
	})
}
