package query

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/common/model"
)

func invalid(param string, err error) error {
	return refuse(BadData, err, fmt.Sprintf("invalid parameter %q: %v", param, err), fmt.Sprintf("参数 %q 无效：%v", param, err))
}

// within bounds ctx by the parameter timeout, which can only shorten.
func within(ctx context.Context, form url.Values) (context.Context, context.CancelFunc, error) {
	text := form.Get("timeout")
	if text == "" {
		return ctx, func() {}, nil
	}
	d, err := Duration(text)
	if err != nil {
		return nil, nil, invalid("timeout", err)
	}
	ctx, cancel := context.WithTimeout(ctx, d)
	return ctx, cancel, nil
}

// mostLookback bounds what may be asked for.
const mostLookback = time.Hour

// lookbackOf reads how old a sample may be, at most mostLookback; 0: as usual.
func lookbackOf(form url.Values) (time.Duration, error) {
	text := form.Get("lookback_delta")
	if text == "" {
		return 0, nil
	}
	d, err := Duration(text)
	if err != nil {
		return 0, invalid("lookback_delta", err)
	}
	return min(max(d, 0), mostLookback), nil
}

// limitOf reads how many entries are wanted; 0: all.
func limitOf(form url.Values) (int, error) {
	text := form.Get("limit")
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, invalid("limit", fmt.Errorf("%q is no number from 0 on", text))
	}
	return n, nil
}

func timeOf(form url.Values, param string, otherwise time.Time) (time.Time, error) {
	text := form.Get(param)
	if text == "" {
		return otherwise, nil
	}
	t, err := Time(text)
	if err != nil {
		return time.Time{}, invalid(param, err)
	}
	return t, nil
}

// Time reads a time as the API takes it: seconds since the Unix epoch with
// decimals, or RFC 3339.
func Time(text string) (time.Time, error) {
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		if math.IsNaN(f) || math.Abs(f) > math.MaxInt64/1e6 {
			return time.Time{}, fmt.Errorf("cannot parse %q to a valid timestamp", text)
		}
		whole, part := math.Modf(f)
		part = math.Round(part*1000) / 1000
		return time.Unix(int64(whole), int64(part*float64(time.Second))).UTC(), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	return time.Time{}, fmt.Errorf("cannot parse %q to a valid timestamp", text)
}

// Duration reads a duration as the API takes it: seconds with decimals, or
// 5m, 1h30m.
func Duration(text string) (time.Duration, error) {
	if f, err := strconv.ParseFloat(text, 64); err == nil {
		ns := f * float64(time.Second)
		if math.IsNaN(ns) || math.Abs(ns) > math.MaxInt64/2 {
			return 0, fmt.Errorf("cannot parse %q to a valid duration. It overflows int64", text)
		}
		return time.Duration(ns), nil
	}
	if d, err := model.ParseDuration(text); err == nil {
		return time.Duration(d), nil
	}
	return 0, errors.New("cannot parse " + strconv.Quote(text) + " to a valid duration")
}
