package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"posthouse/appliance/probe"
	check "posthouse/sysmon/probe"
	texts "posthouse/sysmon/words"
)

// maxBuffered is how many rounds wait while the box is away: a day of minutes.
const maxBuffered = 1440

// reporter makes rounds on this machine and reports them.
type reporter struct {
	token   probeToken
	options probe.Options
	to      string
	http    *http.Client
	log     io.Writer
	every   time.Duration
	waiting []check.Round // oldest first
	dropped int
	told    string // what was said last, so that it is said once
	file    string // where waiting is kept for the next start; empty: nowhere
	kept    bool   // the file is there
}

func newReporter(to string, token probeToken, log io.Writer) (*reporter, error) {
	u, err := url.Parse(to)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, &check.Wrong{Field: "report-to", Text: says("--report-to takes the address people open, such as https://chat.lan:8443, not %q", "--report-to 须为大家打开的地址，例如 https://chat.lan:8443，而不是 %q", to)}
	}
	base := u.Scheme + "://" + u.Host
	trust := &tls.Config{MinVersion: tls.VersionTLS12}
	if token.CA != "" {
		trust.RootCAs = x509.NewCertPool()
		if !trust.RootCAs.AppendCertsFromPEM([]byte(token.CA)) {
			return nil, &check.Wrong{Field: "token", Text: texts.Of("the token holds a certificate authority that cannot be read: make another token", "令牌中的证书颁发机构无法读取：请重新生成令牌")}
		}
	}
	return &reporter{token: token, to: base + check.ReportPath, log: log, every: time.Minute,
		options: probe.Options{URL: base, TLS: trust, Ann: token.Users.Ann, Bob: token.Users.Bob},
		http:    &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{TLSClientConfig: trust, Proxy: nil, IdleConnTimeout: 10 * time.Second}}}, nil
}

// waitingFile, in the directory of --keep-in, 0600, replaced as a whole: the
// rounds that could not be reported yet, as JSON of keptRounds. It is there only
// while there are any.
const waitingFile = "posthouse-probe-waiting.json"

type keptRounds struct {
	Version int           `json:"version"` // 1
	To      string        `json:"to"`      // URL that they are for
	Dropped int           `json:"dropped,omitempty"`
	Rounds  []check.Round `json:"rounds"`
}

// keepIn names the directory for rounds that wait, and takes up those that an
// earlier run left there for the same box. A file that cannot be read, or that is
// for another box, is said and written over.
func (r *reporter) keepIn(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("keep rounds: %w", err)
	}
	r.file = filepath.Join(dir, waitingFile)
	raw, err := os.ReadFile(r.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("keep rounds: %w", err)
	}
	r.kept = true
	var k keptRounds
	if err := json.Unmarshal(raw, &k); err != nil || k.Version != 1 {
		fmt.Fprintln(r.log, time.Now().Format(time.RFC3339), "the rounds of the run before cannot be read and are lost: "+r.file)
		return nil
	}
	if k.To != r.to {
		fmt.Fprintln(r.log, time.Now().Format(time.RFC3339), clean("the rounds of the run before are for "+k.To+" and are left out"))
		return nil
	}
	r.waiting, r.dropped = k.Rounds[max(0, len(k.Rounds)-maxBuffered):], k.Dropped
	return nil
}

// save writes what waits, or removes the file when nothing does.
func (r *reporter) save() error {
	if r.file == "" {
		return nil
	}
	if len(r.waiting) == 0 {
		if r.kept {
			if err := os.Remove(r.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("keep rounds: %w", err)
			}
			r.kept = false
		}
		return nil
	}
	raw, err := json.Marshal(keptRounds{Version: 1, To: r.to, Dropped: r.dropped, Rounds: r.waiting})
	if err == nil {
		err = renameio.WriteFile(r.file, raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep rounds: %w", err)
	}
	r.kept = true
	return nil
}

// run makes rounds until ctx ends.
func (r *reporter) run(ctx context.Context) error {
	for {
		begun := time.Now()
		r.keep(probe.Run(ctx, r.options))
		if ctx.Err() != nil {
			return nil
		}
		err := r.report(ctx)
		r.say(errors.Join(err, r.save()))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(max(time.Second, r.every-time.Since(begun))):
		}
	}
}

// keep puts a round to those that wait. The oldest goes when there is no room.
func (r *reporter) keep(result probe.Result) check.Round {
	x := check.Round{At: result.At.UnixMilli(), Total: result.Total.Milliseconds(), EndToEnd: millis(result.EndToEnd)}
	for _, s := range result.Steps {
		step := check.RoundStep{Name: s.Name, Took: millis(s.Took)}
		if s.Err != nil {
			step.Err = s.Err.Error()
		}
		x.Steps = append(x.Steps, step)
	}
	if len(r.waiting) >= maxBuffered {
		r.waiting = r.waiting[1:]
		r.dropped++
	}
	r.waiting = append(r.waiting, x)
	return x
}

func millis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// batch is how many rounds go into a report; a round is 2 kB at most.
const batch = 100

// report sends what waits, and forgets what was taken.
func (r *reporter) report(ctx context.Context) error {
	for len(r.waiting) > 0 {
		host, _ := os.Hostname()
		now := time.Now().UnixMilli()
		body, err := json.Marshal(check.Report{Now: now, Version: version(), Host: host, Dropped: r.dropped, Rounds: r.waiting[:min(batch, len(r.waiting))]})
		if err != nil {
			return fmt.Errorf("write report: %w", err)
		}
		answer, err := r.post(ctx, body)
		if err != nil {
			return err
		}
		if answer.Every > 0 {
			r.every = time.Duration(answer.Every) * time.Second
		}
		before := len(r.waiting)
		for len(r.waiting) > 0 && r.waiting[0].At <= max(answer.Until, now-int64(24*time.Hour/time.Millisecond)) {
			r.waiting = r.waiting[1:]
		}
		if len(r.waiting) == before { // of a clock that was set back: the box cannot place them
			r.waiting, r.dropped = nil, r.dropped+before
		}
	}
	return nil
}

func (r *reporter) post(ctx context.Context, body []byte) (check.Answer, error) {
	var answer check.Answer
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.to, bytes.NewReader(body))
	if err != nil {
		return answer, fmt.Errorf("report: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.http.Do(req)
	if err != nil {
		return answer, fmt.Errorf("report: %w", err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return answer, fmt.Errorf("report: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return answer, fmt.Errorf("report: the box answers %s: %s", resp.Status, strings.TrimSpace(string(raw[:min(len(raw), 300)])))
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return answer, fmt.Errorf("report: read the answer: %w", err)
	}
	return answer, nil
}

// say writes what has changed.
func (r *reporter) say(err error) {
	text := "reports arrive"
	if err != nil {
		text = err.Error()
	}
	if text != r.told {
		fmt.Fprintln(r.log, time.Now().Format(time.RFC3339), clean(text))
		r.told = text
	}
}

// probeOnce makes one round, prints it and reports it.
func (a *app) probeOnce(ctx context.Context, r *reporter) error {
	result := probe.Run(ctx, r.options)
	r.keep(result)
	t := table{head: []string{a.say.of("step", "步骤"), a.say.of("took", "用时"), ""}, right: []int{1}}
	for _, s := range result.Steps {
		en, zh := probe.Words(s.Name)
		what := a.say.of("ok", "正常")
		if s.Err != nil {
			what = s.Err.Error()
		}
		t.add(a.say.of(en, zh), fmt.Sprintf("%.1f ms", millis(s.Took)), what)
	}
	if err := t.write(a.out); err != nil {
		return err
	}
	if result.EndToEnd > 0 {
		fmt.Fprintln(a.out, a.say.ofN("from sent to received: %.1f ms", "从发送到收到：%.1f 毫秒", millis(result.EndToEnd)))
	}
	err := r.report(ctx)
	return errors.Join(result.Err(), err, r.save())
}
