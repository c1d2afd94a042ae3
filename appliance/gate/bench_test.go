package gate

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// The measurements run the server in a process of its own (this test binary
// again), so that the memory and CPU time are the server's alone.

const serverEnv = "GATE_BENCH_SERVER"

// TestBenchServer is the server of the measurements: the first line it writes
// is its address. Every line it reads is answered with its RSS in bytes and its
// CPU time in µs; "find" with the times of looking sessions up.
func TestBenchServer(t *testing.T) {
	kind := os.Getenv(serverEnv)
	if kind == "" {
		t.Skip("the server of the measurements")
	}
	var addr string
	var h *house
	switch kind {
	case "gate":
		f := newFake()
		for i := range 20_000 {
			f.device(id.ID(1+i), id.ID(100_001+i))
		}
		for i := range 2000 { // rooms of two
			f.join(id.ID(1_000_000+i), id.ID(1+2*i), id.ID(2+2*i))
		}
		h = open4test(t, f, func(o *Options) { o.Heartbeat = 25 * time.Second })
		addr = h.addr
	case "raw":
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr = ln.Addr().String()
		go func() { _ = rawRelay().Serve(ln) }()
	}
	if path := os.Getenv("GATE_PROFILE"); path != "" {
		out, err := os.Create(path + "." + kind)
		if err != nil {
			t.Fatal(err)
		}
		if err := pprof.StartCPUProfile(out); err != nil {
			t.Fatal(err)
		}
		defer func() { pprof.StopCPUProfile(); _ = out.Close() }()
	}
	fmt.Println("ADDR", addr)
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if line == "find\n" {
			one, all, n := lookUp(h.g)
			fmt.Println("FOUND", one.Nanoseconds(), all.Nanoseconds(), n)
			continue
		}
		runtime.GC()
		debug.FreeOSMemory()
		var usage syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
		fmt.Println("STAT", rss(), usage.Utime.Nano()/1000+usage.Stime.Nano()/1000)
	}
}

// lookUp finds each session by its number, and gives the 99th percentile of
// what that took, what a look at all of them took, and how many there are.
func lookUp(g *Gate) (one, all time.Duration, n int) {
	begun := time.Now()
	list := g.Sessions()
	all = time.Since(begun)
	took := make([]time.Duration, 0, len(list))
	for _, s := range list {
		begun := time.Now()
		if _, ok := g.Session(s.Connection); !ok {
			return 0, 0, 0
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	return took[len(took)*99/100], all, len(list)
}

func rss() int64 {
	b, _ := os.ReadFile("/proc/self/statm")
	pages, _ := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// rawRelay is what the gate is measured against: fasthttp/websocket with one
// goroutine per connection, which sends every frame on to its neighbour.
func rawRelay() *fasthttp.Server {
	var mu sync.Mutex
	conns := map[string]*websocket.Conn{}
	up := websocket.FastHTTPUpgrader{ReadBufferSize: 1024, WriteBufferSize: 1024, WriteBufferPool: &sync.Pool{}}
	return &fasthttp.Server{KeepHijackedConns: true, ReadBufferSize: 4096, Concurrency: 20000, Handler: func(ctx *fasthttp.RequestCtx) {
		token := strings.TrimPrefix(string(ctx.Request.Header.Peek("Authorization")), "Bearer ")
		n, _ := strconv.Atoi(strings.Split(token, "/")[0])
		peer := strconv.Itoa((n - 1) ^ 1 + 1)
		_ = up.Upgrade(ctx, func(c *websocket.Conn) {
			mu.Lock()
			conns[strconv.Itoa(n)] = c
			mu.Unlock()
			for {
				_, b, err := c.ReadMessage()
				if err != nil {
					_ = c.Close()
					return
				}
				mu.Lock()
				to := conns[peer]
				mu.Unlock()
				if to != nil {
					_ = to.SetWriteDeadline(time.Now().Add(5 * time.Second))
					_ = to.WriteMessage(websocket.TextMessage, b)
				}
			}
		})
	}}
}

type benchServer struct {
	addr string
	in   io.WriteCloser
	out  *bufio.Reader
	cmd  *exec.Cmd
}

func startServer(t testing.TB, kind string) *benchServer {
	cmd := exec.Command(os.Args[0], "-test.run=^TestBenchServer$", "-test.timeout=10m")
	cmd.Env = append(os.Environ(), serverEnv+"="+kind)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &benchServer{in: in, out: bufio.NewReader(out), cmd: cmd}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	s.addr = s.line(t, "ADDR ")
	return s
}

func (s *benchServer) line(t testing.TB, prefix string) string {
	for {
		line, err := s.out.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if at := strings.Index(line, prefix); at >= 0 {
			return strings.TrimSpace(line[at+len(prefix):])
		}
	}
}

func (s *benchServer) stat(t testing.TB) (rss, cpu int64) {
	_, _ = io.WriteString(s.in, "\n")
	if _, err := fmt.Sscan(s.line(t, "STAT "), &rss, &cpu); err != nil {
		t.Fatal(err)
	}
	return rss, cpu
}

// socket opens a WebSocket with next to no memory.
func (s *benchServer) socket(t testing.TB, token string) net.Conn {
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "GET /api/ws HTTP/1.1\r\nHost: "+s.addr+"\r\nAuthorization: Bearer "+token+
		"\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	head := make([]byte, 0, 2048)
	for !strings.HasSuffix(string(head), "\r\n\r\n") {
		var b [1]byte
		if _, err := c.Read(b[:]); err != nil {
			t.Fatal(err)
		}
		head = append(head, b[0])
	}
	if !strings.HasPrefix(string(head), "HTTP/1.1 101") {
		t.Fatalf("%s", head)
	}
	return c
}

func masked(text string) []byte {
	b := []byte{0x81}
	switch n := len(text); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	default:
		b = binary.BigEndian.AppendUint16(append(b, 0xfe), uint16(n))
	}
	return append(append(b, 0, 0, 0, 0), text...) // a mask of zeros
}

// TestIdleMemory measures what an idle, logged-in, streaming connection costs
// the server, beside a raw relay. GATE_IDLE is the number of connections.
func TestIdleMemory(t *testing.T) {
	n, _ := strconv.Atoi(os.Getenv("GATE_IDLE"))
	if n == 0 {
		t.Skip("set GATE_IDLE=8000")
	}
	for _, kind := range []string{"raw", "gate"} {
		s := startServer(t, kind)
		before, _ := s.stat(t)
		var conns []net.Conn
		for i := range n {
			c := s.socket(t, fmt.Sprintf("%d/%d", 1+i, 100_001+i))
			if kind == "gate" {
				_, _ = c.Write(masked(`{"jsonrpc":"2.0","id":1,"method":"sync.start","params":{"since":0}}`))
				if err := skipFrame(bufio.NewReaderSize(c, 512)); err != nil {
					t.Fatal(err)
				}
			}
			conns = append(conns, c)
		}
		var after int64
		for range 3 {
			after, _ = s.stat(t)
		}
		t.Logf("%s: %d connections, %.1f kB each (RSS %d -> %d MB)", kind, n, float64(after-before)/float64(n)/1000, before/1e6, after/1e6)
		for _, c := range conns {
			_ = c.Close()
		}
	}
}

// skipFrame reads one frame away.
func skipFrame(r *bufio.Reader) error {
	_, err := readFrame(r, nil)
	return err
}

func readFrame(r *bufio.Reader, into []byte) ([]byte, error) {
	var head [10]byte
	if _, err := io.ReadFull(r, head[:2]); err != nil {
		return nil, err
	}
	n := int(head[1])
	switch n {
	case 126:
		if _, err := io.ReadFull(r, head[:2]); err != nil {
			return nil, err
		}
		n = int(binary.BigEndian.Uint16(head[:]))
	case 127:
		if _, err := io.ReadFull(r, head[:8]); err != nil {
			return nil, err
		}
		n = int(binary.BigEndian.Uint64(head[:]))
	}
	if cap(into) < n {
		into = make([]byte, n)
	}
	into = into[:n]
	_, err := io.ReadFull(r, into)
	return into, err
}

// TestOneToOne measures the server's CPU time per message between two people,
// acknowledged, beside a raw relay of frames of the same size. GATE_PAIRS is
// the number of pairs.
func TestOneToOne(t *testing.T) {
	pairs, _ := strconv.Atoi(os.Getenv("GATE_PAIRS"))
	if pairs == 0 {
		t.Skip("set GATE_PAIRS=50")
	}
	const each = 1000
	var per [2]float64
	for k, kind := range []string{"raw", "gate"} {
		s := startServer(t, kind)
		var work sync.WaitGroup
		var failed atomic.Value
		ready := make(chan struct{})
		for i := range pairs {
			a := s.socket(t, fmt.Sprintf("%d/%d", 1+2*i, 100_001+2*i))
			b := s.socket(t, fmt.Sprintf("%d/%d", 2+2*i, 100_002+2*i))
			work.Go(func() {
				<-ready
				if err := talk(kind, a, b, 1_000_000+i, each); err != nil {
					failed.Store(err)
				}
			})
		}
		_, before := s.stat(t)
		start := time.Now()
		close(ready)
		work.Wait()
		took := time.Since(start)
		if err := failed.Load(); err != nil {
			t.Fatal(err)
		}
		_, after := s.stat(t)
		per[k] = float64(after-before) / float64(pairs*each)
		t.Logf("%s: %d messages in %v, %.1f µs of CPU each", kind, pairs*each, took, per[k])
	}
	t.Logf("ratio %.2f", per[1]/per[0])
}

// talk sends messages one at a time from a to b; b acknowledges every one.
func talk(kind string, a, b net.Conn, room, each int) error {
	ra, rb := bufio.NewReader(a), bufio.NewReader(b)
	var buf []byte
	if kind == "gate" {
		for _, c := range []net.Conn{a, b} {
			_, _ = c.Write(masked(`{"jsonrpc":"2.0","id":1,"method":"sync.start","params":{"since":0}}`))
		}
		for _, r := range []*bufio.Reader{ra, rb} {
			if err := skipFrame(r); err != nil {
				return err
			}
		}
	}
	text := strings.Repeat("m", 100)
	send := masked(fmt.Sprintf(`{"jsonrpc":"2.0","id":2,"method":"message.send","params":{"room":%q,"key":"0190a5b2-0000-7000-8000-000000000000","text":%q}}`, id.ID(room), text))
	go func() {
		for {
			if _, err := readFrame(ra, nil); err != nil {
				return
			}
		}
	}()
	for range each {
		if _, err := a.Write(send); err != nil {
			return err
		}
		for {
			var err error
			if buf, err = readFrame(rb, buf); err != nil {
				return err
			}
			if kind == "raw" {
				break
			}
			line := string(buf)
			at := strings.Index(line, `"position":`)
			if !strings.Contains(line, `"message"`) || at < 0 {
				continue
			}
			digits := line[at+11:]
			digits = digits[:strings.IndexAny(digits, ",}")]
			if _, err := b.Write(masked(`{"jsonrpc":"2.0","method":"sync.ack","params":{"position":` + digits + `}}`)); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// BenchmarkLookUp finds sessions among those of ten thousand open sockets; the
// server is another process.
func BenchmarkLookUp(b *testing.B) {
	const sockets = 10_000
	s := startServer(b, "gate")
	for i := range sockets {
		c := s.socket(b, fmt.Sprintf("%d/%d", 1+i, 100_001+i))
		defer func() { _ = c.Close() }()
	}
	var worst, table int64
	for b.Loop() {
		_, _ = io.WriteString(s.in, "find\n")
		var one, all int64
		var n int
		if _, err := fmt.Sscan(s.line(b, "FOUND "), &one, &all, &n); err != nil || n != sockets {
			b.Fatal(n, err)
		}
		worst, table = max(worst, one), max(table, all)
	}
	b.ReportMetric(float64(worst)/1000, "p99-µs/one")
	b.ReportMetric(float64(table)/1e6, "ms/table")
}

// BenchmarkFanOut measures the delivery of one message to a thousand sessions,
// until all of them have it.
func BenchmarkFanOut(b *testing.B) {
	f := newFake()
	h := open4test(b, f, nil)
	const n = 1000
	var got atomic.Int64
	all := make(chan struct{}, 1)
	users := make([]id.ID, n)
	for i := range users {
		users[i] = id.ID(i + 1)
	}
	f.join(1, users...)
	for i := range n {
		s := h.connect(f.device(id.ID(i+1), id.ID(i+10_000)))
		s.must("sync.start", wire.SyncParams{}, nil)
		go func() {
			buf := make([]byte, 4096)
			for {
				data, err := readFrame(s.r, buf)
				if err != nil {
					return
				}
				if strings.Contains(string(data[:min(len(data), 120)]), `"type":"message"`) {
					if got.Add(1)%n == 0 {
						all <- struct{}{}
					}
				}
			}
		}()
	}
	eventually(b, "all live", func() bool { return allQuiet(h.g.hub.every()) })
	b.ResetTimer()
	for range b.N {
		f.send(1, 1, "hello")
		<-all
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/recipient")
}
