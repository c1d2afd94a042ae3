package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"posthouse/admin"
	"posthouse/appliance/id"
	"posthouse/appliance/meter"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
	"posthouse/sysmon/expo"
	texts "posthouse/sysmon/words"
	"posthouse/webui/console"
)

// chores are what the console has begun and does not wait for.
type chores struct {
	mu      sync.Mutex
	ctx     context.Context // of all of them; nil: none may begin
	looking bool
	packing bool
	packed  state.Compacted
	err     error
	done    time.Time
	work    sync.WaitGroup
}

// begin lets chores begin, until ctx ends.
func (c *chores) begin(ctx context.Context) {
	c.mu.Lock()
	c.ctx = ctx
	c.mu.Unlock()
}

// end lets none begin any more and waits for those that have.
func (c *chores) end() {
	c.mu.Lock()
	c.ctx = nil
	c.mu.Unlock()
	c.work.Wait()
}

// inside is what the console knows of the appliance's inside.
func (s *server) inside() admin.Inside {
	f := s.figures
	return admin.Inside{
		Sessions:   s.liveSessions,
		Session:    s.liveSession,
		Disconnect: func(connection uint64) bool { _, ok := s.gate.Disconnect(connection); return ok },
		UnderWay:   func() []meter.Operation { return f.ops.UnderWay(100 * time.Millisecond) },
		Slow:       f.ops.Slow, Cancel: f.ops.Cancel, Faults: f.faults.List, Who: s.who,
		Storage: s.storage, Look: s.lookAtFiles, Compact: s.compactState,
		Metrics: s.dictionary,
	}
}

// who is the login of an account's id.
func (s *server) who(user string) string {
	var uid id.ID
	if err := uid.UnmarshalText([]byte(user)); err == nil {
		if u, ok := s.state.User(uid); ok {
			return u.Login
		}
	}
	return user
}

func (s *server) liveSessions() []admin.Session {
	infos := s.gate.Sessions()
	out := make([]admin.Session, 0, len(infos))
	for _, info := range infos {
		out = append(out, s.named(info))
	}
	return out
}

func (s *server) liveSession(connection uint64) (admin.Session, bool) {
	info, ok := s.gate.Session(connection)
	return s.named(info), ok
}

// named tells a session by the names of its account and device.
func (s *server) named(info wire.SessionInfo) admin.Session {
	u, _ := s.state.User(info.User)
	_, d, _ := s.state.Device(info.Device)
	return admin.Session{SessionInfo: info, Name: u.Name, Login: u.Login, DeviceName: d.Name, Kind: d.Kind}
}

func (s *server) storage() admin.Storage {
	out := admin.Storage{Records: s.seq.Position(), Durable: texts.Of(
		"every message is written to the journal and flushed to the disk (fdatasync) before it is shown as sent",
		"每条消息写入日志账本并刷新到磁盘（fdatasync）后才显示为已发送")}
	for _, g := range s.journal.Segments() {
		out.Journal += g.Bytes
		out.Segments++
	}
	out.ReadOnly, _ = s.readOnly()
	for _, d := range s.figures.databases() {
		f := admin.Database{Name: d.name, Bytes: d.size(), Free: -1, Looked: d.looked.At}
		if d.looked.Bytes > 0 {
			f.Free = float64(d.looked.FreePages) * float64(d.looked.PageBytes) / float64(d.looked.Bytes)
		}
		for _, b := range d.looked.Buckets {
			f.Buckets = append(f.Buckets, admin.Bucket{Name: b.Name, Keys: b.Keys, Bytes: b.Bytes})
		}
		out.Databases = append(out.Databases, f)
	}
	s.tellChores(&out)
	return out
}

func (s *server) tellChores(out *admin.Storage) {
	c, v := &s.figures.chores, console.View{}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.packing:
		out.Work = texts.Of("The state file is being compacted.", "正在压缩状态文件。")
	case c.looking:
		out.Work = texts.Of("The files are being looked at.", "正在检查文件。")
	}
	switch {
	case c.done.IsZero():
	case c.err != nil:
		out.Failed = true
		out.Result = texts.Of("The state file was not compacted: "+c.err.Error(), "状态文件未压缩："+c.err.Error())
		var refusal *wire.Error
		if errors.As(c.err, &refusal) {
			out.Result = texts.Of("The state file was not compacted: "+refusal.Text.En, "状态文件未压缩："+refusal.Text.Zh)
		}
	default:
		before, after := v.Bytes(float64(c.packed.Before)), v.Bytes(float64(c.packed.After))
		took := c.packed.Took.Round(10 * time.Millisecond).String()
		out.Result = texts.Of(fmt.Sprintf("The state file was compacted: %s before, %s after, in %s.", before, after, took),
			fmt.Sprintf("状态文件已压缩：之前 %s，之后 %s，用时 %s。", before, after, took))
	}
}

// lookAtFiles takes stock now, unless that is being done.
func (s *server) lookAtFiles() {
	c := &s.figures.chores
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx := c.ctx
	if c.looking || ctx == nil {
		return
	}
	c.looking = true
	c.work.Go(func() {
		s.figures.takeStock(ctx, s.log)
		c.mu.Lock()
		c.looking = false
		c.mu.Unlock()
	})
}

// compactState compacts the state file, unless that is being done.
func (s *server) compactState() {
	c := &s.figures.chores
	c.mu.Lock()
	defer c.mu.Unlock()
	ctx := c.ctx
	if c.packing || ctx == nil {
		return
	}
	c.packing = true
	c.work.Go(func() {
		got, err := s.state.Compact(ctx)
		if err != nil {
			s.log.Error("compact the state file", "error", err)
		} else {
			s.log.Info("state file compacted", "before", got.Before, "after", got.After, "took", got.Took.String())
		}
		s.figures.takeStock(ctx, s.log)
		c.mu.Lock()
		c.packing, c.packed, c.err, c.done = false, got, err, time.Now()
		c.mu.Unlock()
	})
}

// dictionary are all metrics there are: the appliance's, and those of what
// watches the box.
func (s *server) dictionary() []admin.Metric {
	var out []admin.Metric
	for _, f := range s.figures.meter.Describe() {
		out = append(out, admin.Metric{Name: f.Name, Alias: f.Alias, Type: f.Type, Unit: f.Unit, Source: f.Source, Labels: f.Labels,
			Help: texts.Text(f.Help), Normal: texts.Text(f.Normal), Action: texts.Text(f.Action)})
	}
	if s.watch != nil {
		for _, f := range s.watch.Families() {
			if !slices.ContainsFunc(out, func(m admin.Metric) bool { return m.Name == f.Name }) {
				out = append(out, expoMetric(f))
			}
		}
	}
	return out
}

func expoMetric(f expo.Family) admin.Metric {
	return admin.Metric{Name: f.Name, Type: f.Type, Unit: f.Unit, Source: f.Source, Labels: f.Labels, Help: f.Help, Normal: f.Normal, Action: f.Action}
}
