package bench

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

const (
	startRounds  = 3
	historyPages = 2000
)

// start measures starting on a long history, replay of a tail, and reading
// pages of history.
func start(ctx context.Context, s *Setup, r *Report) error {
	const name = "start"
	server, _, err := s.startServer(ctx, serverOptions{dir: name})
	if err != nil {
		return err
	}
	people, err := server.people(ctx, fillPeople, 1)
	if err := firstOf(err, server.stop()); err != nil {
		return err
	}
	dir := filepath.Join(s.Dir, name)
	f, err := s.fill(ctx, dir, people, s.Messages)
	if err != nil {
		return err
	}
	if err := reportFill(r, dir, &f.filled); err != nil {
		return err
	}
	var times []float64
	for range startRounds {
		s.say("start: starting the server", "启动：启动服务器")
		c, took, err := s.startServer(ctx, serverOptions{dir: name})
		if err != nil {
			return err
		}
		times = append(times, took.Seconds())
		if len(times) == startRounds {
			err = s.readHistory(ctx, c, people[0].tokens[0], &f.filled, r)
		}
		if err := firstOf(err, c.stop()); err != nil {
			return err
		}
	}
	r.add("ready", Median(times), "s", "start until ready", "启动到就绪").atMost(3)
	if err := swapState(dir); err != nil {
		return err
	}
	s.say("start: replay", "启动：重放")
	c, took, err := s.startServer(ctx, serverOptions{dir: name})
	if err != nil {
		return err
	}
	r.add("tail", float64(f.tail), "", "records that the state file lacks", "状态文件缺少的记录数")
	r.add("replay", took.Seconds(), "s", "start until ready, with replay of these", "重放后就绪").atMost(10 * max(1, float64(f.tail)/fillTail))
	return c.stop()
}

func firstOf(list ...error) error {
	for _, err := range list {
		if err != nil {
			return err
		}
	}
	return nil
}

func reportFill(r *Report, dir string, f *filled) error {
	r.add("messages", float64(f.messages), "", "messages", "消息数")
	r.add("rooms", float64(len(f.rooms)), "", "rooms", "房间数")
	r.add("fill_rate", float64(f.messages)/f.took.Seconds(), "1/s", "written in bulk through journal and state, a second", "批量写入（日志与状态），每秒")
	for _, part := range []struct{ name, path, en, zh string }{
		{"journal_bytes", journalDir, "journal, bytes a message of 200", "日志，每条 200 字节消息占用"},
		{"state_bytes", stateFile, "state file, bytes a message", "状态文件，每条消息占用"},
	} {
		size, err := sizeOf(filepath.Join(dir, part.path))
		if err != nil {
			return fmt.Errorf("measure %s: %w", part.path, err)
		}
		r.add(part.name, float64(size)/float64(max(f.messages, 1)), "B", part.en, part.zh)
	}
	return nil
}

// readHistory reads pages at random depths, one call at a time.
func (s *Setup) readHistory(ctx context.Context, c *child, token string, f *filled, r *Report) error {
	s.say("start: reading history", "启动：翻阅历史")
	l, err := newLoop(c.addr)
	if err != nil {
		return err
	}
	defer l.close()
	reader, err := l.dial("/api/ws", token)
	if err != nil {
		return err
	}
	if err := l.ready(ctx, false); err != nil {
		return err
	}
	page := func(h *Histogram, room, limit int) error {
		before := 2 + int(splitmix(h.Count())%uint64(max(f.heads[room], 1)))
		l.tell()
		from := time.Now()
		_, err := l.call(ctx, reader, "room.history", fmt.Sprintf(`{"room":%q,"before":%d,"limit":%d}`, f.rooms[room], before, limit))
		h.Add(time.Since(from))
		return err
	}
	var anywhere, long, full Histogram
	for i := range uint64(historyPages) {
		if err := page(&anywhere, 1+int(splitmix(i+1e6)%uint64(len(f.rooms)-1)), 50); err != nil {
			return err
		}
		if err := page(&long, 0, 50); err != nil {
			return err
		}
		if err := page(&full, 0, 200); err != nil {
			return err
		}
	}
	r.add("page_p50", milli(anywhere.Quantile(.5)), "ms", "page of 50, any room, any depth, p50", "任意房间任意深度一页 50 条，p50")
	r.add("page_p99", milli(anywhere.Quantile(.99)), "ms", "  p99", "  p99").atMost(5)
	r.add("long_messages", float64(f.heads[0]), "", "messages of the longest room", "最长房间的消息数")
	r.add("long_p99", milli(long.Quantile(.99)), "ms", "  page of 50, any depth, p99", "  任意深度一页 50 条，p99").atMost(5)
	r.add("long_full_p99", milli(full.Quantile(.99)), "ms", "  page of 200, any depth, p99", "  任意深度一页 200 条，p99").atMost(5)
	return nil
}

// splitmix spreads a counter over all 64 bits.
func splitmix(v uint64) uint64 {
	v += 0x9e3779b97f4a7c15
	v = (v ^ v>>30) * 0xbf58476d1ce4e5b9
	v = (v ^ v>>27) * 0x94d049bb133111eb
	return v ^ v>>31
}
