package admin

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"posthouse/sysmon/words"
)

// span is a range of time as its address says it: from and to are each "now",
// "now-6h" (s, m, h, d, w), Unix seconds, a time as RFC 3339 has it, or
// "2026-11-21 08:30" in the server's zone.
type span struct {
	From, To         time.Time
	FromText, ToText string // as they stand in the address
}

// The limits of a span. Older figures are not kept.
const (
	shortest = 10 * time.Second
	longest  = 800 * 24 * time.Hour
)

// errRange is a span that ends before it begins.
var errRange = errors.New("the beginning must be before the end")

func readSpan(from, to string, now time.Time) (span, error) {
	s := span{FromText: from, ToText: to}
	if s.FromText == "" {
		s.FromText = "now-1h"
	}
	if s.ToText == "" {
		s.ToText = "now"
	}
	var err error
	if s.From, err = readMoment(s.FromText, now); err != nil {
		return s, err
	}
	if s.To, err = readMoment(s.ToText, now); err != nil {
		return s, err
	}
	if s.To.After(now) {
		s.To = now
	}
	if s.To.Sub(s.From) > longest {
		s.From = s.To.Add(-longest)
	}
	if s.To.Sub(s.From) < shortest {
		return s, errRange
	}
	return s, nil
}

// lastHour is what is shown where a span cannot be read.
func lastHour(now time.Time) span {
	s, _ := readSpan("", "", now) // these always can
	return s
}

func readMoment(text string, now time.Time) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "now" {
		return now, nil
	}
	if m := regexp.MustCompile(`^now-(\d{1,6})([smhdw])$`).FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return time.Time{}, fmt.Errorf("read the time %q: %w", text, err)
		}
		unit := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[m[2]]
		return now.Add(-time.Duration(min(n, int(longest/unit))) * unit), nil
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil && n > 0 && n < 1e11 {
		return time.Unix(0, int64(n*1000)*int64(time.Millisecond)), nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02"} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time", text)
}

// spanText says what is wrong with a range.
func spanText(err error, s span) words.Text {
	if errors.Is(err, errRange) {
		return words.Of("The beginning must be before the end. Shown is the last hour.", "开始时间必须早于结束时间。当前显示最近一小时。")
	}
	return words.Of(fmt.Sprintf("“%s” to “%s” is no range. Write now-6h, now or 2026-11-21 08:30. Shown is the last hour.", clip(s.FromText), clip(s.ToText)),
		fmt.Sprintf("无法识别时间范围“%s”至“%s”。可写 now-6h、now 或 2026-11-21 08:30。当前显示最近一小时。", clip(s.FromText), clip(s.ToText)))
}

func clip(text string) string {
	if r := []rune(text); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return text
}

// stepOf is the distance of the points of a chart so many CSS pixels wide: a
// round one, not shorter than the samples', about two points for every three pixels.
func stepOf(s span, width int, interval time.Duration) time.Duration {
	points := min(max(width*2/3, 60), 1000)
	want := max(s.To.Sub(s.From)/time.Duration(points), interval, time.Second)
	for _, d := range []int{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400} {
		if step := time.Duration(d) * time.Second; step >= want {
			return step
		}
	}
	return 7 * 24 * time.Hour
}
