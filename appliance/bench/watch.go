package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// restFactor is how many measured lengths the watching is looked at while
// nobody does anything: several rounds of sampling and rules.
const restFactor = 6

// consolePages are those of the operators' console that are timed.
func consolePages() []string {
	return []string{"/admin", "/admin/alerts", "/admin/rules", "/admin/boards/im", "/admin/boards/host", "/admin/probes", "/admin/host", "/admin/health",
		"/admin/audit", "/admin/people", "/admin/sessions", "/admin/operations", "/admin/storage", "/admin/metrics"}
}

// watching compares a server that watches itself with one that does not: at
// full load in turns, and at rest. Then it times pages of the console.
func watching(ctx context.Context, s *Setup, r *Report) error {
	n := s.clients(pairCount)
	var sides [2]*pairs // without and with
	var token string
	defer func() {
		for _, p := range sides {
			if p != nil {
				p.close()
				_ = p.c.stop()
			}
		}
	}()
	for k, on := range []bool{false, true} {
		c, _, err := s.startServer(ctx, serverOptions{dir: fmt.Sprintf("watch-%t", on), set: []string{"session.heartbeat=5m", fmt.Sprintf("watch.enabled=%t", on)}})
		if err != nil {
			return err
		}
		people, err := c.people(ctx, 2*n, 1)
		if err != nil {
			return errors.Join(err, c.stop())
		}
		if sides[k], err = openPairs(ctx, c, people, n); err != nil {
			return errors.Join(err, c.stop())
		}
		token = people[0].tokens[0]
	}
	if err := s.atRest(ctx, sides, r); err != nil {
		return err
	}
	var runs [2][]run
	for round := range s.Rounds {
		s.say("watch: run "+strconv.Itoa(round+1), "监控：第 "+strconv.Itoa(round+1)+" 轮")
		for k, side := range sides {
			got, err := side.load(ctx, 0, s.length()/4, s.length())
			if err != nil {
				return fmt.Errorf("%w\n%s", err, side.c.log())
			}
			runs[k] = append(runs[k], got)
		}
	}
	without, with := middle(runs[0], (*run).rate), middle(runs[1], (*run).rate)
	r.add("rate_off", without, "1/s", "messages a second at full load, not watching", "满载每秒消息，监控关闭")
	r.add("rate_on", with, "1/s", "  watching", "  监控开启")
	r.add("rate_ratio", ratio(with, without), "x", "  ratio", "  之比").atLeast(0.97)
	r.add("cpu_ratio", ratio(middle(runs[1], (*run).each), middle(runs[0], (*run).each)), "x", "server CPU a message: ratio", "每条消息的服务器 CPU 之比")
	return s.pages(ctx, sides[1].c, token, r)
}

// atRest measures what watching costs while nobody writes.
func (s *Setup) atRest(ctx context.Context, sides [2]*pairs, r *Report) error {
	length := restFactor * s.length()
	s.say("watch: at rest for "+length.String(), "监控：静置 "+length.String())
	var before, after [2]usage
	var err error
	for k, p := range sides {
		if before[k], err = p.c.usage(); err != nil {
			return err
		}
	}
	if err := pause(ctx, length); err != nil {
		return err
	}
	var resident [2]int64
	for k, p := range sides {
		if after[k], err = p.c.usage(); err != nil {
			return err
		}
		if resident[k], err = p.c.settled(ctx); err != nil {
			return err
		}
	}
	cpu := func(k int) float64 {
		return 100 * (after[k].cpu - before[k].cpu).Seconds() / length.Seconds()
	}
	r.add("rest_cpu", cpu(1)-cpu(0), "%", "of one core at rest, more than without watching", "静置时多占用的单核百分比").atMost(2)
	r.add("rest_rss", mega(after[1].rss-after[0].rss), "MB", "memory at rest, more than without watching", "静置时多占用的内存").atMost(60)
	r.add("rest_rss_settled", mega(resident[1]-resident[0]), "MB", "  after unused memory was returned", "  归还空闲内存之后")
	return nil
}

// pages times pages of the console as the server makes them.
func (s *Setup) pages(ctx context.Context, c *child, token string, r *Report) error {
	s.say("watch: pages of the console", "监控：控制台页面")
	h := http.Client{Timeout: time.Minute, Transport: &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // the login page is not what is timed
	defer h.CloseIdleConnections()
	worst := time.Duration(0)
	for _, page := range consolePages() {
		var took []time.Duration
		for range 20 {
			began := time.Now()
			if err := get(ctx, &h, "http://"+c.addr+page, token); err != nil {
				return err
			}
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		worst = max(worst, took[len(took)*3/4])
		r.add("page"+page, milli(took[len(took)/2]), "ms", "console page "+page+", p50", "控制台页面 "+page+" p50")
	}
	r.add("page_worst", milli(worst), "ms", "slowest of these pages, p75", "其中最慢页面 p75").atMost(50)
	return nil
}

func get(ctx context.Context, h *http.Client, url, token string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := h.Do(req)
	if err != nil {
		return fmt.Errorf("read %s: %w", url, err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return fmt.Errorf("read %s: %w", url, err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("read %s: status %d", url, resp.StatusCode)
	}
	return nil
}
