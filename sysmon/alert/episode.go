package alert

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/prometheus/common/model"
	"go.etcd.io/bbolt"

	"posthouse/sysmon/words"
)

// Episode is one time that one alert fired.
type Episode struct {
	Fingerprint string            `json:"fp"` // 16 hex digits
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Source      string            `json:"source,omitempty"` // generatorURL
	Start       time.Time         `json:"start"`
	End         time.Time         `json:"end,omitzero"` // zero: it fires
	FirstTold   time.Time         `json:"told,omitzero"`
	AckBy       string            `json:"ack_by,omitempty"`
	AckAt       time.Time         `json:"ack_at,omitzero"`
	Assignee    string            `json:"assignee,omitempty"`
	Level       int               `json:"level,omitempty"` // steps of the escalation taken
	Events      []Event           `json:"events"`
	Lost        int               `json:"events_lost,omitempty"` // events beyond maxEvents
}

// The kinds of events in the timeline of an episode.
const (
	Fired        = "fired"
	Ended        = "ended"
	Told         = "told"      // Object: channel
	NotTold      = "not_told"  // Object: channel, Text: why
	Withheld     = "withheld"  // Object: channel; by its rate limit
	Acknowledged = "ack"       // Who
	Unacked      = "unack"     // Who
	Assigned     = "assigned"  // Who, Object: to whom
	Commented    = "comment"   // Who, Text
	Raised       = "escalated" // Object: channel
	Silenced     = "silenced"  // Who, Text: reason
	Action       = "action"    // Who, Text: what a step of the runbook did
)

// Event is a line of the timeline.
type Event struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind"`
	Who    string    `json:"who,omitempty"` // login; empty: the server
	Object string    `json:"object,omitempty"`
	Text   string    `json:"text,omitempty"`
	ZH     string    `json:"zh,omitempty"` // Text in Chinese, where the server wrote it
}

// Bounds of an episode.
const (
	maxEvents  = 200
	maxComment = 4000 // bytes
)

// Name is the alert's.
func (e *Episode) Name() string { return e.Labels["alertname"] }

// Severity is one of Severities.
func (e *Episode) Severity() string {
	if s := e.Labels["severity"]; isSeverity(s) {
		return s
	}
	return "warning"
}

// RunbookURL is where its rule says that the steps are; empty unless that is an
// address of a browser's.
func (e *Episode) RunbookURL() string { return webAddress(e.Annotations["runbook_url"]) }

// SourceURL is where it is from; empty unless that is an address of a browser's.
func (e *Episode) SourceURL() string { return webAddress(e.Source) }

func webAddress(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	return u.String()
}

// Firing says that it has not ended.
func (e *Episode) Firing() bool { return e.End.IsZero() }

// Summary is its sentence.
func (e *Episode) Summary() words.Text { return both(e.Annotations, "summary", e.Name()) }

// Details is what its rule says further; it may be empty.
func (e *Episode) Details() words.Text { return both(e.Annotations, "description", "") }

func both(a map[string]string, key, otherwise string) words.Text {
	en, zh := a[key], a[key+"_zh"]
	if en == "" {
		en = otherwise
	}
	if zh == "" {
		zh = en
	}
	return words.Of(en, zh)
}

// ID names the episode in the history: hex of its key.
func (e *Episode) ID() string { return hex.EncodeToString(e.key()) }

func (e *Episode) key() []byte {
	fp, err := model.FingerprintFromString(e.Fingerprint)
	if err != nil {
		return nil
	}
	k := binary.BigEndian.AppendUint64(nil, uint64(e.Start.UnixMilli()))
	return binary.BigEndian.AppendUint64(k, uint64(fp))
}

func (e *Episode) add(v Event) {
	if n := len(e.Events); n > 0 && e.Events[n-1].Kind == NotTold && v.Kind == NotTold && e.Events[n-1].Object == v.Object && e.Events[n-1].Text == v.Text {
		return
	}
	if len(e.Events) >= maxEvents {
		// The first line, how it began, stays.
		e.Events = append(e.Events[:1], e.Events[2:]...)
		e.Lost++
	}
	e.Events = append(e.Events, v)
}

func (e *Episode) copy() Episode {
	out := *e
	out.Events = append([]Event(nil), e.Events...)
	return out
}

const dbFile = "alerts.db"

// db is the file of episodes and of Alertmanager's state.
type db struct{ b *bbolt.DB }

func openDB(path string) (*db, error) {
	b, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: 5 * time.Second})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	err = b.Update(func(tx *bbolt.Tx) error {
		for _, n := range []string{"episodes", "engine", "quiet"} {
			if _, err := tx.CreateBucketIfNotExists([]byte(n)); err != nil {
				return fmt.Errorf("make bucket %s: %w", n, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return &db{b}, nil
}

func (d *db) put(list ...*Episode) error {
	if len(list) == 0 {
		return nil
	}
	err := d.b.Update(func(tx *bbolt.Tx) error {
		for _, e := range list {
			raw, err := json.Marshal(e)
			if err != nil {
				return err
			}
			if err := tx.Bucket([]byte("episodes")).Put(e.key(), raw); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write episodes: %w", err)
	}
	return nil
}

// walk goes over episodes from the newest start before a time (zero: all),
// until f says stop.
func (d *db) walk(before time.Time, f func(Episode) bool) error {
	err := d.b.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket([]byte("episodes")).Cursor()
		k, v := c.Last()
		if !before.IsZero() {
			if at, _ := c.Seek(binary.BigEndian.AppendUint64(nil, uint64(before.UnixMilli()))); at != nil {
				k, v = c.Prev()
			}
		}
		for ; k != nil; k, v = c.Prev() {
			var e Episode
			if err := json.Unmarshal(v, &e); err != nil {
				return fmt.Errorf("episode %x: %w", k, err)
			}
			if !f(e) {
				return nil
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read episodes: %w", err)
	}
	return nil
}

func (d *db) get(id string) (Episode, bool, error) {
	key, err := hex.DecodeString(id)
	if err != nil || len(key) != 16 {
		return Episode{}, false, nil
	}
	var e Episode
	found := false
	err = d.b.View(func(tx *bbolt.Tx) error {
		raw := tx.Bucket([]byte("episodes")).Get(key)
		if raw == nil {
			return nil
		}
		found = true
		return json.Unmarshal(raw, &e)
	})
	if err != nil {
		return Episode{}, false, fmt.Errorf("read episode: %w", err)
	}
	return e, found, nil
}

// forget removes ended episodes that began before a time, at most 1000 at once.
func (d *db) forget(before time.Time) error {
	limit := binary.BigEndian.AppendUint64(nil, uint64(before.UnixMilli()))
	err := d.b.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("episodes"))
		var old [][]byte
		c := b.Cursor()
		for k, v := c.First(); k != nil && string(k) < string(limit) && len(old) < 1000; k, v = c.Next() {
			var e Episode
			if json.Unmarshal(v, &e) == nil && !e.Firing() && e.End.Before(before) {
				old = append(old, append([]byte(nil), k...))
			}
		}
		for _, k := range old {
			if err := b.Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("forget old episodes: %w", err)
	}
	return nil
}

func (d *db) blob(bucket, key string) []byte {
	var out []byte
	_ = d.b.View(func(tx *bbolt.Tx) error {
		out = append(out, tx.Bucket([]byte(bucket)).Get([]byte(key))...)
		return nil
	}) // a read of an open file does not fail
	return out
}

// setBlob keeps a value; nil removes it.
func (d *db) setBlob(bucket, key string, v []byte) error {
	err := d.b.Update(func(tx *bbolt.Tx) error {
		if v == nil {
			return tx.Bucket([]byte(bucket)).Delete([]byte(key))
		}
		return tx.Bucket([]byte(bucket)).Put([]byte(key), v)
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", key, err)
	}
	return nil
}
