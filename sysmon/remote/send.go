package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/snappy"
	"github.com/prometheus/prometheus/prompb"
)

// errRefused is the receiver's answer to samples that it will never want.
var errRefused = errors.New("the receiver refuses these samples")

// busyError is an answer that asks for patience.
type busyError struct {
	status string
	says   string
	after  time.Duration
}

func (e *busyError) Error() string {
	if e.says == "" {
		return "the receiver answers " + e.status
	}
	return "the receiver answers " + e.status + ": " + e.says
}

// pleaOf is how long a receiver asked to be left alone.
func pleaOf(err error) time.Duration {
	var busy *busyError
	if errors.As(err, &busy) {
		return busy.after
	}
	return 0
}

// looksPerMinute bounds how often a refused moment is halved by series.
const looksPerMinute = 64

// sendAll sends samples, which are sorted by time, in requests.
func (w *Writer) sendAll(ctx context.Context, list []point) error {
	if now := time.Now(); now.Sub(w.asked) > time.Minute {
		w.probe, w.asked = looksPerMinute, now
	}
	for len(list) > 0 {
		n := min(batch, len(list))
		if err := w.send(ctx, list[:n]); err != nil {
			return err
		}
		list = list[n:]
	}
	return nil
}

// send sends samples; of what is refused it finds the part that is not wanted.
// The error says that the receiver answers for none of the rest.
func (w *Writer) send(ctx context.Context, list []point) error {
	err := w.post(ctx, list)
	switch {
	case err == nil:
		w.meters.stored.Add(uint64(len(list)))
	case !errors.Is(err, errRefused):
		return err
	default:
		half := halve(list)
		if half == 0 && len(list) > 1 && w.probe > 0 {
			w.probe--
			half = len(list) / 2
		}
		if half > 0 {
			if err := w.send(ctx, list[:half]); err != nil {
				return err
			}
			return w.send(ctx, list[half:])
		}
		if w.meters.refused.Add(uint64(len(list))) == uint64(len(list)) { // the first ever
			w.o.Log.Warn("a receiver of metrics refuses samples", "to", w.to, "first", list[0].s.labels.String(), "error", err)
		}
	}
	for _, p := range list {
		w.seen[p.s.hash] = max(p.t, w.seen[p.s.hash])
	}
	return nil
}

// halve finds where the second half of the times begins; 0: all are of one.
func halve(list []point) int {
	if list[0].t == list[len(list)-1].t {
		return 0
	}
	middle := list[len(list)/2].t
	i := len(list) / 2
	for i > 0 && list[i-1].t == middle {
		i--
	}
	for i == 0 || list[i].t == list[i-1].t { // the first time fills more than half
		i++
	}
	return i
}

// encode makes the message, each series once with its samples in their order.
func encode(list []point) ([]byte, error) {
	var req prompb.WriteRequest
	at := map[*stream]int{}
	for _, p := range list {
		i, known := at[p.s]
		if !known {
			i = len(req.Timeseries)
			at[p.s] = i
			req.Timeseries = append(req.Timeseries, prompb.TimeSeries{Labels: prompb.FromLabels(p.s.labels, nil)})
		}
		req.Timeseries[i].Samples = append(req.Timeseries[i].Samples, prompb.Sample{Timestamp: p.t, Value: p.v})
	}
	raw, err := req.Marshal()
	if err != nil {
		return nil, err
	}
	return snappy.Encode(nil, raw), nil
}

// post makes one request. The error is errRefused, a *busyError, or that of the
// way there; it holds no secret.
func (w *Writer) post(ctx context.Context, list []point) (err error) {
	defer func() {
		switch {
		case err == nil:
			w.meters.ok.Add(1)
		case errors.Is(err, errRefused):
			w.meters.unwanted.Add(1)
		case ctx.Err() == nil:
			w.meters.failed.Add(1)
		}
	}()
	body, err := encode(list)
	if err != nil {
		return fmt.Errorf("encode metrics: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.o.URL, bytes.NewReader(body))
	if err != nil {
		return errors.New("the address of the receiver is none")
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("Content-Encoding", "snappy")
	req.Header.Set("User-Agent", "Posthouse")
	req.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	token, err := w.token()
	if err != nil {
		return err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := w.client.Do(req)
	if err != nil {
		var u *url.Error // names the address with its query
		if errors.As(err, &u) {
			err = u.Err
		}
		return fmt.Errorf("reach the receiver: %w", err)
	}
	defer res.Body.Close()
	says, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10)) // for people; its end tells nothing
	return judge(res, hide(string(says), token))
}

// hide is the beginning of what a receiver says, without the token.
func hide(text, token string) string {
	if token != "" {
		text = strings.ReplaceAll(text, token, "…")
	}
	return strings.TrimSpace(text[:min(len(text), 300)])
}

// judge is the meaning of an answer.
func judge(res *http.Response, says string) error {
	switch code := res.StatusCode; {
	case code/100 == 2:
		return nil
	case code == http.StatusBadRequest, code == http.StatusRequestEntityTooLarge, code == http.StatusUnprocessableEntity:
		return fmt.Errorf("%w: %s", errRefused, says)
	}
	busy := &busyError{status: res.Status, says: says}
	if n, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && n > 0 {
		busy.after = time.Duration(n) * time.Second
	}
	return busy
}

func (w *Writer) token() (string, error) {
	if w.o.TokenFile == "" {
		return "", nil
	}
	raw, err := os.ReadFile(w.o.TokenFile)
	if err != nil {
		return "", fmt.Errorf("read the token for the receiver: %w", err)
	}
	token := strings.TrimSpace(string(raw))
	if token == "" || strings.ContainsAny(token, "\r\n") {
		return "", errors.New("the file of the token for the receiver does not hold one line")
	}
	return token, nil
}
