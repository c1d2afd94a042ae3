package gate

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

// Why a body ended before its end.
var (
	errSlow     = errors.New("body is too slow")
	errCut      = errors.New("body ended early")
	errReplaced = errors.New("replaced by a newer request")
	errStopping = errors.New("server stops")
)

// pace is how fast a body has to come: of every window spent waiting for it, at
// least so many bytes. The time that the disk takes does not count.
type pace struct {
	window time.Duration
	bytes  int64

	// What is read of a refused body, so that the refusal reaches a client
	// which still sends: closing a socket with unread bytes destroys it.
	drainTime  time.Duration
	drainBytes int64
}

// body reads the body of one request as it comes. fasthttp has read its first
// 8 KiB before: if those do not come, there is no request.
type body struct {
	files  *files
	counts *transfers
	conn   net.Conn
	stream io.Reader // nil: no body
	length int64     // bytes declared, -1: chunked
	done   <-chan struct{}

	read    int64
	ended   bool // read to its end
	broken  bool // nothing more will come
	left    time.Duration
	granted int64 // bytes since left was full

	since atomic.Int64 // waiting for bytes since, Unix nanoseconds; 0: not waiting

	mu     sync.Mutex
	reason error         // why it is stopped
	over   bool          // the connection belongs to the next request
	freed  chan struct{} // closed when the upload it wrote is free
}

// newBody must be followed by finish.
func (f *files) newBody(ctx *fasthttp.RequestCtx, counts *transfers) *body {
	b := &body{
		files: f, counts: counts, conn: ctx.Conn(), stream: ctx.RequestBodyStream(), done: ctx.Done(),
		length: int64(ctx.Request.Header.ContentLength()), left: f.pace.window,
	}
	if b.stream == nil || b.length == 0 || b.length < -1 {
		b.stream, b.length, b.ended = nil, 0, true
	}
	return b
}

// some reports whether there is a body.
func (b *body) some() bool { return b.length != 0 }

// Read implements io.Reader. io.EOF is the true end; errors are those of this
// file, or of the connection wrapped in errCut.
func (b *body) Read(p []byte) (int, error) {
	if b.ended {
		return 0, io.EOF
	}
	begin := time.Now()
	if err := b.conn.SetReadDeadline(begin.Add(b.left)); err != nil {
		return 0, b.brake(err)
	}
	// After the deadline: stop sets the reason first and then its own.
	if err := b.stopped(); err != nil {
		return 0, b.brake(err)
	}
	b.since.Store(begin.UnixNano())
	n, err := b.stream.Read(p)
	b.since.Store(0)
	b.account(n, time.Since(begin))
	switch {
	case err == io.EOF && (b.length < 0 || b.read == b.length):
		b.ended = true
		return n, io.EOF
	case err != nil: // fasthttp calls a connection that ends early io.EOF, too
		return n, b.brake(err)
	}
	return n, nil
}

func (b *body) account(n int, took time.Duration) {
	b.counts.received.Add(n)
	b.read += int64(n)
	b.granted += int64(n)
	b.left -= took
	if b.granted >= b.files.pace.bytes {
		b.left, b.granted = b.files.pace.window, 0
	}
}

func (b *body) brake(err error) error {
	b.broken = true
	if reason := b.stopped(); reason != nil {
		return reason
	}
	b.counts.broken.Inc()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errSlow
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", errCut, err)
}

func (b *body) stopped() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.reason
}

// stop makes a Read that waits, and every later one, return reason.
func (b *body) stop(reason error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over || b.reason != nil {
		return
	}
	b.reason = reason
	_ = b.conn.SetReadDeadline(time.Unix(1, 0)) // a closed connection needs none
}

// silent is for how long the body has waited for bytes.
func (b *body) silent() time.Duration {
	if since := b.since.Load(); since != 0 {
		return time.Since(time.Unix(0, since))
	}
	return 0
}

// watch stops the body when the server stops, until the result is called.
func (b *body) watch() (cancel func()) {
	quit, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		select {
		case <-b.done:
			b.stop(errStopping)
		case <-quit:
		}
	}()
	return func() { close(quit); <-gone }
}

// finish leaves the connection to the next request, or closes it when the rest
// of the body would be taken for that.
func (b *body) finish(ctx *fasthttp.RequestCtx) {
	b.mu.Lock()
	b.over = true
	b.mu.Unlock()
	if !b.ended && !b.broken {
		b.drain()
	}
	if !b.ended {
		ctx.SetConnectionClose()
	}
}

func (b *body) drain() {
	if b.length > b.files.pace.drainBytes || b.conn.SetReadDeadline(time.Now().Add(b.files.pace.drainTime)) != nil {
		return
	}
	bp := b.files.buffers.Get().(*[]byte)
	defer b.files.buffers.Put(bp)
	for n := int64(0); n < b.files.pace.drainBytes; {
		m, err := b.stream.Read(*bp)
		n += int64(m)
		b.read += int64(m)
		if err != nil {
			b.ended = err == io.EOF && (b.length < 0 || b.read == b.length)
			return
		}
	}
}
