package bench

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"
)

func TestBenchHistogram(t *testing.T) {
	var h Histogram
	if h.Quantile(.99) != 0 || h.Count() != 0 {
		t.Fatal("an empty histogram has quantiles")
	}
	dice := rand.New(rand.NewPCG(1, 1))
	var all []time.Duration
	for range 50_000 {
		d := time.Duration(dice.ExpFloat64() * float64(3*time.Millisecond))
		all = append(all, d)
		h.Add(d)
	}
	slices.Sort(all)
	for _, q := range []float64{.001, .5, .9, .99, .999, 1} {
		at := min(len(all)-1, max(0, int(q*float64(len(all))+.999999)-1))
		want, got := all[at], h.Quantile(q)
		if got < want || float64(got) > float64(want)*(1+1.0/subBuckets)+1 {
			t.Errorf("quantile %v: got %v, the list says %v", q, got, want)
		}
	}
	if h.Quantile(1) != all[len(all)-1] || h.Max() != all[len(all)-1] {
		t.Error("the longest is not the longest")
	}
	var twice Histogram
	twice.Merge(&h)
	twice.Merge(&h)
	if twice.Count() != 2*h.Count() || twice.Quantile(.9) != h.Quantile(.9) {
		t.Error("merged histograms differ")
	}
}

func TestBenchBuckets(t *testing.T) {
	for _, v := range []uint64{0, 1, 31, 32, 33, 63, 64, 65, 1000, 1 << 20, 1<<40 + 12345, 1<<63 - 1} {
		i := bucketOf(v)
		if up := uint64(upper(i)); up < v || up-v > v/subBuckets {
			t.Errorf("%d is in bucket %d, which ends at %d", v, i, up)
		}
		if v > 0 && upper(bucketOf(v)-1) >= time.Duration(v) {
			t.Errorf("%d is in bucket %d and below it", v, i)
		}
	}
}

func TestBenchMedian(t *testing.T) {
	for _, c := range []struct {
		list []float64
		want float64
	}{{nil, 0}, {[]float64{4}, 4}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 3}, 2.5}} {
		if got := Median(c.list); got != c.want {
			t.Errorf("median of %v: %v", c.list, got)
		}
	}
}

func TestBenchProc(t *testing.T) {
	stat := "4242 (post) (house)) S 1 4242 4242 0 -1 4194560 100 0 0 0 1234 56 7 8 20 0 9 0 12345 1000 200 18446744073709551615 0 0\n"
	if cpu, err := ParseStat([]byte(stat)); err != nil || cpu != 12900*time.Millisecond {
		t.Errorf("stat: %v, %v", cpu, err)
	}
	status := "Name:\tposthouse\nVmHWM:\t  9000 kB\nVmRSS:\t    9999 kB\nRssAnon:\t    8192 kB\nThreads:\t7\n"
	if rss, err := ParseStatus([]byte(status)); err != nil || rss != 8<<20 {
		t.Errorf("status: %v, %v", rss, err)
	}
	for _, bad := range []string{"", "1 posthouse S", "1 (a) S 1 2 3", "1 (a) S 1 2 3 4 5 6 7 8 9 10 x y 3"} {
		if _, err := ParseStat([]byte(bad)); err == nil {
			t.Errorf("stat %q was taken", bad)
		}
	}
	for _, bad := range []string{"", "RssAnon:\n", "RssAnon: 5 MB\n", "RssAnon: -5 kB\n"} {
		if _, err := ParseStatus([]byte(bad)); err == nil {
			t.Errorf("status %q was taken", bad)
		}
	}
	if u, err := usageOf(os.Getpid()); err != nil || u.rss == 0 {
		t.Errorf("this process: %+v, %v", u, err)
	}
}

func TestBenchFrames(t *testing.T) {
	var in []byte
	for _, n := range []int{0, 5, 125, 126, 70_000} {
		in = append(appendPlain(in, n), bytes.Repeat([]byte("x"), n)...)
	}
	for cut := range 200 { // in two pieces
		_, _, rest, ok, err := cutFrame(in[:cut])
		if err != nil || ok && len(rest) > cut {
			t.Fatalf("cut at %d: %v", cut, err)
		}
	}
	for _, n := range []int{0, 5, 125, 126, 70_000} {
		op, payload, rest, ok, err := cutFrame(in)
		if !ok || err != nil || op != opText || len(payload) != n {
			t.Fatalf("frame of %d: %d %d %t %v", n, op, len(payload), ok, err)
		}
		in = rest
	}
	if _, _, _, _, err := cutFrame([]byte{0x01, 0}); err == nil {
		t.Error("a fragment was taken")
	}
}

func TestBenchLetter(t *testing.T) {
	l := newLetter("0123456789abc", 200, 1)
	one := string(l.append(nil, 0xabcdef, 1700000000000))
	two := string(l.append(nil, 0xabcdef, 1700000000000))
	if one == two || len(one) != len(two) {
		t.Error("two messages have one key")
	}
	if at, ok := stamped([]byte(one)); !ok || at != 0xabcdef {
		t.Errorf("stamp %v %t", at, ok)
	}
	event := fmt.Sprintf(`%s1234,"type":"message","data":{"text":"%016x…"}}}`, eventHead, 77)
	if at, ok := stamped([]byte(event)); !ok || at != 77 || position([]byte(event)) != 1234 {
		t.Errorf("event: stamp %v %t, position %d", at, ok, position([]byte(event)))
	}
	ack := appendAck(nil, 1<<53-1)
	if int(ack[1]&0x7f) != len(ack)-6 || !bytes.HasSuffix(ack, []byte(`{"position":9007199254740991}}`)) {
		t.Errorf("acknowledgement %q", ack)
	}
	if !refused([]byte(answerHead+`7,"error":{}}`)) || refused([]byte(answerHead+`7,"result":{"text":"\"error\""}}`)) {
		t.Error("refusals are not told from answers")
	}
}

func TestBenchFlushWindows(t *testing.T) {
	w := newWindows()
	w.read(`time=x level=DEBUG msg="state flushed" position=9 entities=4 began=1000 took=50`)
	w.read(`time=x level=DEBUG msg="state flushed" position=19 entities=4 began=2000 took=50`)
	w.read(`something else`)
	for _, c := range []struct {
		from, to int64
		want     bool
	}{{0, 999, false}, {0, 1000, true}, {1050, 1060, true}, {1051, 1999, false}, {900, 3000, true}, {2051, 9000, false}} {
		if touches(w.list, c.from, c.to) != c.want {
			t.Errorf("%d-%d: %t", c.from, c.to, !c.want)
		}
	}
}
