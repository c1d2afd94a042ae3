package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// restartsStage is a server that gets another name, and is then killed.
func restartsStage() stage {
	return stage{name: "restarts", factor: 60, inTurn: true, settings: []string{"tls.extra_zones=lan,local"}, lines: []caused{
		{alert: "InstanceDown", where: map[string]string{"instance": hostName}, cause: rename, mend: nothing, shows: []string{"gone host chat.lan"}},
		{alert: "UncleanShutdown", cause: func(b *box) { b.kill(); b.starts() }, mend: func(b *box) { b.stop(); b.starts() }, shows: []string{"start", "changes"}},
	}}
}

// rename gives a machine that was watched for a while another name.
func rename(b *box) {
	b.t.Helper()
	b.await("half a minute of figures", b.alertsSaid, func() bool {
		var out struct{ Result []any }
		return b.asks(`/api/v1/query?query=up{job="host"}+offset+35s`, &out) == nil && len(out.Result) > 0
	})
	b.stop()
	b.settings = append(b.settings, "server.host_name=renamed.lan")
	b.starts()
}

// limitsStage is a server that more clients stay connected to than it may have
// descriptors for.
func limitsStage() stage {
	c := &crowd{}
	return stage{name: "limits", factor: 60, settings: []string{"limits.connections=6000", "limits.connections_per_address=6000"},
		prepare: func(b *box) { b.kernel.script = append(b.kernel.script, "ulimit -n 6400") },
		lines: []caused{
			{alert: "FileDescriptorsLow", cause: func(b *box) { c.comes(b, 5400); b.beats("crowd", func() { c.asks(100) }) }, mend: nothing,
				shows: []string{"descriptors process_open_fds", "tcp state=established", "sessions ann"}},
			{alert: "GoroutinesHigh", cause: nothing, mend: func(b *box) { b.undo("crowd"); c.goes() }, shows: []string{"tasks when=now", "goroutines goroutine"}},
		}}
}

// crowd is clients that ask something now and then and stay connected.
type crowd struct {
	mu     sync.Mutex
	header string // of every request
	all    []*bufio.ReadWriter
	ends   []io.Closer
	next   int
}

// comes connects so many more, each with a first request.
func (c *crowd) comes(b *box, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		conn, err := net.Dial("tcp", b.localAddr)
		if err != nil {
			b.t.Errorf("connect: %v", err)
			return
		}
		c.ends = append(c.ends, conn)
		rw := bufio.NewReadWriter(bufio.NewReaderSize(conn, 512), bufio.NewWriterSize(conn, 512))
		c.all = append(c.all, rw)
		if err := c.ask(rw); err != nil {
			b.t.Errorf("ask: %v", err)
			return
		}
	}
}

func (c *crowd) ask(rw *bufio.ReadWriter) error {
	if _, err := fmt.Fprintf(rw, "GET /health/live HTTP/1.1\r\nHost: %s\r\n%s\r\n", hostName, c.header); err != nil {
		return err
	}
	if err := rw.Flush(); err != nil {
		return err
	}
	res, err := http.ReadResponse(rw.Reader, nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, res.Body)
	return err
}

// asks lets the next n ask again, before the server takes them for gone.
func (c *crowd) asks(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range min(n, len(c.all)) {
		c.next = (c.next + 1) % len(c.all)
		_ = c.ask(c.all[c.next]) // the alert tells whether they are there
	}
}

func (c *crowd) goes() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.ends {
		_ = e.Close() // the server may have been first
	}
	c.all, c.ends = nil, nil
}

// trendStage is a small machine on which things grow: a disk that is written to
// without end, and the memory of the server, by clients that send long headers
// and stay. Its times pass 1,440 times as fast: a day is a minute.
func trendStage() stage {
	c := &crowd{header: "Cookie: " + strings.Repeat("x", 60_000) + "\r\n"}
	return stage{name: "trend", factor: 1440, settings: []string{"limits.header_bytes=64KiB", "limits.connections_per_address=6000"},
		prepare: func(b *box) {
			b.kernel.shows("/proc/meminfo", memInfo(1<<10, 60))
			b.kernel.disk("grows", "size=300m")
		},
		lines: []caused{
			{alert: "DiskFillsUp", where: map[string]string{"mountpoint": "/grows"}, cause: grow, mend: func(b *box) { b.undo("growth"); empty("grows")(b) },
				shows: []string{"speed /grows", "space /grows"}},
			{alert: "MemoryLeakSuspected", cause: func(b *box) { b.beats("leak", func() { c.comes(b, 15) }) }, mend: func(b *box) { b.undo("leak"); c.goes() },
				shows: []string{"growth", "memory_own process_resident_memory_bytes", "heap in use", "goroutines goroutine"}},
		}}
}

// grow writes more than half of a disk full, and goes on.
func grow(b *box) {
	b.t.Helper()
	at := filepath.Join(b.inside(b.kernel.dir), "grows", "log")
	must(b.t, os.WriteFile(at, make([]byte, 170<<20), 0o600))
	begun, written := time.Now(), 0.0
	b.beats("growth", func() {
		more := min(120, 3*time.Since(begun).Seconds()) - written // MiB
		written += more
		f, err := os.OpenFile(at, os.O_APPEND|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = f.Write(make([]byte, int(more*(1<<20))))
			_ = f.Close() // the write tells
		}
		if err != nil {
			b.t.Errorf("fill the disk: %v", err)
		}
	})
}
