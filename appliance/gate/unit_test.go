package gate

import (
	"bufio"
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"posthouse/appliance/chat"
	"posthouse/appliance/wire"
)

// TestFrameHeaders: every length around the borders of the three forms is read
// back by the strict client.
func TestFrameHeaders(t *testing.T) {
	for _, n := range []int{2, 125, 126, 127, 65535, 65536, 70000} {
		text := `"` + strings.Repeat("a", n-2) + `"`
		whole := textFrame([]byte(text))
		if other := framed(append(room(8), text...)); !bytes.Equal(whole, other) {
			t.Errorf("%d: framed and textFrame differ", n)
		}
		s := &strict{t: t, r: bufio.NewReader(bytes.NewReader(whole))}
		if p, err := s.frame(); err != nil || string(p.data) != text {
			t.Errorf("%d: %v", n, err)
		}
	}
	if b := closeFrameOf(4401, strings.Repeat("r", 500)); len(b) != 127 {
		t.Errorf("close frame of %d bytes", len(b))
	}
}

// TestRing compares the ring with a plain list.
func TestRing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := newRing(rapid.IntRange(1, 3000).Draw(t, "count"), rapid.IntRange(1, 1<<20).Draw(t, "bytes"))
		begin := rapid.Uint64Range(0, 100).Draw(t, "begin")
		r.begin(begin)
		var all []*event
		pos := begin
		for range rapid.IntRange(1, 60).Draw(t, "batches") {
			var batch []*event
			for range rapid.IntRange(0, 100).Draw(t, "batch") {
				pos += rapid.Uint64Range(0, 2).Draw(t, "step")
				if pos == begin {
					pos++
				}
				batch = append(batch, newEvent(chat.Delivery{Position: pos, Frame: make([]byte, rapid.IntRange(0, 400).Draw(t, "size"))}))
			}
			if at := r.append(batch, pos); len(batch) > 0 && at != uint64(len(all)) {
				t.Fatalf("index %d, want %d", at, len(all))
			}
			all = append(all, batch...)
		}
		since := rapid.Uint64Range(0, pos+1).Draw(t, "since")
		index, ok := r.after(since)
		want := 0
		for want < len(all) && all[want].pos <= since {
			want++
		}
		if ok && index != uint64(want) {
			t.Fatalf("after %d: %d, want %d", since, index, want)
		}
		if !ok && uint64(want) > r.first {
			t.Fatalf("after %d refused, though %d of %d are kept", since, r.next-r.first, len(all))
		}
		if ok && uint64(want) < r.first {
			t.Fatalf("after %d allowed, though it was dropped", since)
		}
		got, next, ok := r.read(r.first, nil, len(all))
		if !ok || next != uint64(len(all)) || uint64(len(got)) != next-r.first {
			t.Fatalf("read %d up to %d", len(got), next)
		}
		for i, e := range got {
			if e != all[r.first+uint64(i)] {
				t.Fatalf("event %d is another", i)
			}
		}
		if _, _, ok := r.read(r.first-1, nil, 1); r.first > 0 && ok {
			t.Fatal("a dropped event can be read")
		}
	})
}

func TestBuckets(t *testing.T) {
	l := newLimiter()
	now := int64(time.Hour)
	r := Rate{PerSecond: 2, Burst: 3}
	a := addressKey(netip.MustParseAddr("10.0.0.1"), wire.Auth)
	for i := range 3 {
		if wait := l.take(a, r, now); wait != 0 {
			t.Errorf("%d: %v", i, wait)
		}
	}
	if wait := l.take(a, r, now); wait != 500*time.Millisecond {
		t.Errorf("wait %v", wait)
	}
	if wait := l.take(a, r, now+int64(500*time.Millisecond)); wait != 0 {
		t.Errorf("after half a second: %v", wait)
	}
	if addressKey(netip.MustParseAddr("2001:db8::1"), 1) != addressKey(netip.MustParseAddr("2001:db8::ffff"), 1) ||
		addressKey(netip.MustParseAddr("2001:db8::1"), 1) == addressKey(netip.MustParseAddr("2001:db8:0:1::1"), 1) ||
		addressKey(netip.MustParseAddr("::ffff:10.0.0.1"), 1) != addressKey(netip.MustParseAddr("10.0.0.1"), 1) {
		t.Error("addresses are not told apart by /64")
	}
	for i := range 200_000 {
		l.take(key{high: uint64(i), what: 7}, r, now)
	}
	slots := 0
	for i := range l.shards {
		slots += len(l.shards[i].index)
		if len(l.shards[i].index) > shardBuckets || len(l.shards[i].slots) > shardBuckets+1 {
			t.Errorf("shard of %d", len(l.shards[i].index))
		}
	}
	if slots < 60_000 {
		t.Errorf("%d slots in use", slots)
	}
}

func TestTongue(t *testing.T) {
	for list, want := range map[string]string{"": "en", "zh-CN,zh;q=0.9,en;q=0.8": "zh", "fr, en;q=0.5, zh": "en", "de": "en", " ZH": "zh"} {
		if got := tongue(list); got != want {
			t.Errorf("%q: %s", list, got)
		}
	}
	for host, want := range map[string]string{"Box.LAN:443": "box.lan", "[::1]:8443": "::1", "box.lan.": "box.lan", "10.0.0.1": "10.0.0.1"} {
		if got := hostname(host); got != want {
			t.Errorf("%q: %s", host, got)
		}
	}
}
