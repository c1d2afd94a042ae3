package probe

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	ringSlots = 31 * 24 * 60
	slotBytes = 8
	slotGood  = 1
	slotBad   = 2
)

// hour sums up the results of an hour.
type hour struct {
	number    int64 // hours since 1970
	good, bad uint16
	millis    uint32 // sum of the good ones
}

// ring is the history of a definition: the file, and its hours in memory. Its
// owner keeps the lock.
type ring struct {
	file  *os.File
	hours [31 * 24]hour
}

func openRing(path string) (*ring, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	}
	r := &ring{file: f}
	raw, err := io.ReadAll(io.LimitReader(f, ringSlots*slotBytes))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read history: %w", err), f.Close())
	}
	for ; len(raw) >= slotBytes; raw = raw[slotBytes:] {
		if s, ok := decodeSlot(raw[:slotBytes]); ok {
			r.count(s, 1)
		}
	}
	return r, nil
}

func (r *ring) close() error { return r.file.Close() }

// slot is one minute.
type slot struct {
	minute int64
	good   bool
	millis uint16
}

func decodeSlot(b []byte) (slot, bool) {
	var sum uint8
	for _, v := range b[:7] {
		sum += v
	}
	if sum != b[7] || b[6] != slotGood && b[6] != slotBad {
		return slot{}, false
	}
	return slot{int64(binary.LittleEndian.Uint32(b)), b[6] == slotGood, binary.LittleEndian.Uint16(b[4:])}, true
}

func (s slot) encode() []byte {
	b := make([]byte, slotBytes)
	binary.LittleEndian.PutUint32(b, uint32(s.minute))
	binary.LittleEndian.PutUint16(b[4:], s.millis)
	b[6] = slotBad
	if s.good {
		b[6] = slotGood
	}
	for _, v := range b[:7] {
		b[7] += v
	}
	return b
}

// count adds a slot to its hour, or takes it away with -1.
func (r *ring) count(s slot, by int) {
	n := s.minute / 60
	h := &r.hours[n%int64(len(r.hours))]
	if h.number != n {
		if by < 0 || h.number > n {
			return
		}
		*h = hour{number: n}
	}
	switch {
	case s.good:
		h.good += uint16(by)
		h.millis += uint32(by) * uint32(s.millis)
	default:
		h.bad += uint16(by)
	}
}

// put notes a result. Of several in a minute the worst stays.
func (r *ring) put(at time.Time, good bool, took time.Duration) error {
	s := slot{at.Unix() / 60, good, uint16(min(took.Milliseconds(), 65535))}
	where := s.minute % ringSlots * slotBytes
	b := make([]byte, slotBytes)
	if n, err := r.file.ReadAt(b, where); n == slotBytes && (err == nil || errors.Is(err, io.EOF)) {
		if old, ok := decodeSlot(b); ok && old.minute == s.minute {
			if !old.good || good && old.millis >= s.millis {
				return nil
			}
			r.count(old, -1)
		}
	}
	r.count(s, 1)
	if _, err := r.file.WriteAt(s.encode(), where); err != nil {
		return fmt.Errorf("write history: %w", err)
	}
	return nil
}

// minutes are the slots from a time on, oldest first.
func (r *ring) minutes(from, to time.Time) ([]slot, error) {
	var out []slot
	b := make([]byte, slotBytes)
	for m := max(from.Unix()/60, to.Unix()/60-ringSlots+1); m <= to.Unix()/60; m++ {
		n, err := r.file.ReadAt(b, m%ringSlots*slotBytes)
		if n < slotBytes {
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, fmt.Errorf("read history: %w", err)
			}
			continue
		}
		if s, ok := decodeSlot(b); ok && s.minute == m {
			out = append(out, s)
		}
	}
	return out, nil
}

// Uptime is how a check went in a span of time.
type Uptime struct {
	Share float64       // 0 to 1; 0 when nothing is known
	Known int           // minutes with a result
	Mean  time.Duration // of the good ones
}

// uptime sums the hours up whose number is in (now-hours, now].
func (r *ring) uptime(now time.Time, hours int) Uptime {
	last := now.Unix() / 3600
	var good, bad int
	var millis int64
	for _, h := range r.hours {
		if h.number > last-int64(hours) && h.number <= last {
			good, bad, millis = good+int(h.good), bad+int(h.bad), millis+int64(h.millis)
		}
	}
	u := Uptime{Known: good + bad}
	if u.Known > 0 {
		u.Share = float64(good) / float64(u.Known)
	}
	if good > 0 {
		u.Mean = time.Duration(millis/int64(good)) * time.Millisecond
	}
	return u
}

// Bar is an hour for the bar of a list.
type Bar struct {
	From      time.Time
	Good, Bad int // minutes; both 0: nothing is known
}

// bars are the last hours, oldest first.
func (r *ring) bars(now time.Time, hours int) []Bar {
	last := now.Unix() / 3600
	out := make([]Bar, hours)
	for i := range out {
		n := last - int64(hours) + 1 + int64(i)
		out[i].From = time.Unix(n*3600, 0)
		if h := r.hours[n%int64(len(r.hours))]; h.number == n {
			out[i].Good, out[i].Bad = int(h.good), int(h.bad)
		}
	}
	return out
}
