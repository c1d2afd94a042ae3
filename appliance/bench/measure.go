package bench

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"os"
	"slices"
	"strconv"
	"time"
)

// Histogram counts durations in buckets that are at most 1/32 apart. Its zero
// value is empty and ready.
type Histogram struct {
	counts [64 * subBuckets]uint64
	total  uint64
	worst  time.Duration
}

const (
	subBits    = 5
	subBuckets = 1 << subBits
)

// Add counts one duration; one below zero counts as zero.
func (h *Histogram) Add(d time.Duration) {
	d = max(d, 0)
	h.counts[bucketOf(uint64(d))]++
	h.total++
	h.worst = max(h.worst, d)
}

func bucketOf(v uint64) int {
	if v < subBuckets {
		return int(v)
	}
	shift := bits.Len64(v) - subBits - 1
	return (shift+1)<<subBits + int(v>>uint(shift)) - subBuckets
}

// upper is the largest duration of a bucket.
func upper(bucket int) time.Duration {
	if bucket < subBuckets {
		return time.Duration(bucket)
	}
	shift := bucket>>subBits - 1
	return time.Duration((uint64(bucket&(subBuckets-1))+subBuckets+1)<<uint(shift) - 1)
}

// Count is how many durations were added.
func (h *Histogram) Count() uint64 { return h.total }

// Max is the longest.
func (h *Histogram) Max() time.Duration { return h.worst }

// Quantile is the duration that a share q of all do not exceed: at most 1/32
// above the true one, and never above Max. It is 0 when there are none.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := uint64(math.Ceil(q * float64(h.total)))
	var seen uint64
	for i, n := range h.counts {
		if seen += n; n > 0 && seen >= max(rank, 1) {
			return min(upper(i), h.worst)
		}
	}
	return 0
}

// Merge adds what another one counted.
func (h *Histogram) Merge(o *Histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.total += o.total
	h.worst = max(h.worst, o.worst)
}

// Median is the middle of a list, of an even one the mean of the two in the
// middle; 0 for an empty list.
func Median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	list = slices.Clone(list)
	slices.Sort(list)
	if n := len(list); n%2 == 0 {
		return (list[n/2-1] + list[n/2]) / 2
	}
	return list[len(list)/2]
}

// ticks is how many clock ticks a second /proc counts in (USER_HZ): 100 on
// every architecture that Go runs on under Linux.
const ticks = 100

var errProc = errors.New("not as proc(5) describes it")

// ParseStat reads the CPU time, user and system, from /proc/PID/stat.
func ParseStat(b []byte) (time.Duration, error) {
	// The name of the program may hold spaces and brackets; it ends with the
	// last bracket.
	at := bytes.LastIndexByte(b, ')')
	if at < 0 {
		return 0, fmt.Errorf("stat: %w", errProc)
	}
	const user, system = 11, 12 // counted from the state, field 3
	fields := bytes.Fields(b[at+1:])
	if len(fields) <= system {
		return 0, fmt.Errorf("stat: %w", errProc)
	}
	var sum uint64
	for _, f := range fields[user : system+1] {
		n, err := strconv.ParseUint(string(f), 10, 62)
		if err != nil {
			return 0, fmt.Errorf("stat: %w", errProc)
		}
		sum += n
	}
	return time.Duration(sum) * (time.Second / ticks), nil
}

// ParseStatus reads the resident memory in bytes from /proc/PID/status, without
// pages of mapped files: those are the cache of the system, which takes them
// back when it needs them.
func ParseStatus(b []byte) (int64, error) {
	for line := range bytes.Lines(b) {
		rest, found := bytes.CutPrefix(line, []byte("RssAnon:"))
		if !found {
			continue
		}
		fields := bytes.Fields(rest)
		if len(fields) != 2 || string(fields[1]) != "kB" {
			break
		}
		n, err := strconv.ParseUint(string(fields[0]), 10, 50)
		if err != nil {
			break
		}
		return int64(n) << 10, nil
	}
	return 0, fmt.Errorf("status: %w", errProc)
}

// usage is what a process has taken.
type usage struct {
	cpu time.Duration
	rss int64
}

func usageOf(pid int) (u usage, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, err
	}
	if u.cpu, err = ParseStat(b); err != nil {
		return u, err
	}
	if b, err = os.ReadFile(fmt.Sprintf("/proc/%d/status", pid)); err != nil {
		return u, err
	}
	u.rss, err = ParseStatus(b)
	return u, err
}
