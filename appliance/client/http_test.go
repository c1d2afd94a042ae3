package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/google/uuid"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

func newHTTP(t *testing.T, o Options) *HTTP {
	t.Helper()
	h, err := NewHTTP(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func TestUploadAndDownloadGoOnAfterBreaks(t *testing.T) {
	f := newFake(t)
	h := newHTTP(t, Options{URL: f.url(), Token: goodToken, Backoff: time.Millisecond})
	data := make([]byte, 100_001)
	_, _ = rand.Read(data)
	var last int64
	file, err := h.UploadFile(brief(t), bytes.NewReader(data), Upload{Name: "a b.bin", Type: "x/y", Chunk: 9000,
		Voice: true, Duration: 2 * time.Second, Progress: func(sent, _ int64) { last = sent }})
	if err != nil || last != int64(len(data)) {
		t.Fatalf("upload: %v; told %d", err, last)
	}
	f.set(func() {
		for _, u := range f.uploads {
			want := "filename " + metadata("a b.bin") + ",filetype " + metadata("x/y") + ",voice " + metadata("1") + ",duration_ms " + metadata("2000")
			if u.meta != want || !bytes.Equal(u.data, data) {
				t.Errorf("metadata %q, %d bytes", u.meta, len(u.data))
			}
		}
	})
	for _, from := range []int64{0, 1, 77_000} {
		var out bytes.Buffer
		n, err := h.Download(brief(t), file, &out, from)
		if err != nil || n != int64(out.Len()) || !bytes.Equal(out.Bytes(), data[from:]) {
			t.Fatalf("download from %d: %d bytes, %v", from, n, err)
		}
	}
	_, err = h.Download(brief(t), wire.File{ID: id.ID(0), Name: "gone", Size: 5}, &bytes.Buffer{}, 0)
	var e *wire.Error
	if !errors.As(err, &e) || e.Kind != wire.NotFound {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestAnUploadMayBeContinuedLater(t *testing.T) {
	f := newFake(t)
	h := newHTTP(t, Options{URL: f.url(), Token: goodToken, Backoff: time.Millisecond})
	data := bytes.Repeat([]byte("posthouse"), 1000)
	ctx, cancel := context.WithCancel(brief(t))
	var place string
	_, err := h.UploadFile(ctx, bytes.NewReader(data), Upload{Name: "n", Chunk: 1000,
		Started: func(location string) { place = location }, Progress: func(sent, _ int64) {
			if sent > 4000 {
				cancel()
			}
		}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("err = %v", err)
	}
	if file, err := h.UploadFile(brief(t), bytes.NewReader(data), Upload{Name: "n", Location: place}); err != nil || file.Size != int64(len(data)) {
		t.Fatalf("continued: %+v, %v", file, err)
	}
}

func TestErrorsOfAPost(t *testing.T) {
	f := newFake(t)
	h := newHTTP(t, Options{URL: f.url() + "/", Token: goodToken, Lang: "zh"})
	_, err := h.Rooms(brief(t))
	var e *wire.Error
	if !errors.As(err, &e) || e.Kind != wire.MethodNotFound || e.Text.En != "没有这个方法" {
		t.Fatalf("err = %#v", err)
	}
	h.SetToken("bad")
	if _, err := h.Info(brief(t)); !errors.As(err, &e) || e.Kind != wire.Unauthenticated {
		t.Fatalf("err = %v", err)
	}
	if err := refusal(429, []byte("<html>")); !errors.As(err, &e) || e.Kind != wire.RateLimited {
		t.Errorf("429 = %v", err)
	}
	if err := refusal(502, []byte("<html>")); errors.As(err, &e) {
		t.Errorf("502 = %v", err)
	}
	b := wire.Refuse(wire.Internal, "fault", "故障").Body("en", "abc")
	if got := refused(&b).Error(); got != "internal: fault (trace abc)" {
		t.Errorf("internal = %q", got)
	}
}

func TestAPostEndsWithItsContextAndWithClose(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	h := newHTTP(t, Options{URL: "http://" + l.Addr().String()})
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := h.Info(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("err = %v", err)
	}
	time.AfterFunc(10*time.Millisecond, func() { _ = h.Close() })
	if _, err := h.Info(context.Background()); !errors.Is(err, ErrClosed) {
		t.Fatalf("err = %v", err)
	}
	if _, err := Dial(ctx, Options{URL: "http://" + l.Addr().String(), Token: "x"}); !errors.Is(err, context.Canceled) {
		t.Fatalf("dial = %v", err)
	}
}

func TestAddresses(t *testing.T) {
	for raw, want := range map[string]target{
		"https://box":              {"https://box", "wss://box/api/ws", "box:443", true},
		"http://[::1]:80/":         {"http://[::1]:80", "ws://[::1]:80/api/ws", "[::1]:80", false},
		"https://box:8443/chat///": {"https://box:8443/chat", "wss://box:8443/chat/api/ws", "box:8443", true},
	} {
		if got, err := (Options{URL: raw}).target(); err != nil || got != want {
			t.Errorf("%s = %+v, %v", raw, got, err)
		}
	}
	for _, raw := range []string{"", "box:80", "ftp://box", "http://", "https://u:p@box", "http://box\x00"} {
		if got, err := (Options{URL: raw}).target(); err == nil {
			t.Errorf("%q = %+v", raw, got)
		}
	}
}

func TestKeysAreUUIDsOfVersion7AndInOrder(t *testing.T) {
	before := ""
	for range 1000 {
		key := NewKey()
		u, err := uuid.Parse(key)
		if err != nil || u.Version() != 7 || u.Variant() != uuid.RFC4122 || key <= before || len(key) != 36 {
			t.Fatalf("key %s after %s: %v", key, before, err)
		}
		before = key
	}
}

// echo answers every frame with itself.
func echo(tb testing.TB) (string, *fasthttp.Server) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s := &fasthttp.Server{KeepHijackedConns: true, Handler: func(ctx *fasthttp.RequestCtx) {
		up := websocket.FastHTTPUpgrader{}
		_ = up.Upgrade(ctx, func(ws *websocket.Conn) {
			defer func() { _ = ws.Close() }()
			_ = ws.WriteControl(websocket.PingMessage, []byte("are you there"), time.Now().Add(time.Second))
			for {
				kind, b, err := ws.ReadMessage()
				if err != nil || ws.WriteMessage(kind, b) != nil {
					return
				}
			}
		})
	}}
	go func() { _ = s.Serve(l) }()
	tb.Cleanup(func() { _ = s.Shutdown() })
	return "http://" + l.Addr().String(), s
}

func TestFramesOfAllLengthsComeBack(t *testing.T) {
	url, _ := echo(t)
	c, err := DialConn(brief(t), Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	var frames [][]byte
	for _, n := range []int{0, 1, 7, 8, 9, 125, 126, 127, 65535, 65536, 65537, 300_000} {
		frames = append(frames, bytes.Repeat([]byte("驿"), n/3))
		frames[len(frames)-1] = append(frames[len(frames)-1], "abc"[:n%3]...)
	}
	if err := c.Write(frames...); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	k := 0
	err = c.Read(func(b []byte) error {
		if !bytes.Equal(b, frames[k]) {
			t.Errorf("frame %d came back different: %d bytes, want %d", k, len(b), len(frames[k]))
		}
		if k++; k == len(frames) {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Fatal(err)
	}
	c.SetIdle(time.Millisecond)
	if err := c.Read(func([]byte) error { return nil }); err == nil {
		t.Error("silence is not noticed")
	}
}

func TestMask(t *testing.T) {
	for n := range 40 {
		p := bytes.Repeat([]byte{0x5a}, n)
		want := bytes.Clone(p)
		key := [4]byte{1, 2, 3, 4}
		for i := range want {
			want[i] ^= key[i%4]
		}
		if mask(p, 0x04030201); !bytes.Equal(p, want) {
			t.Fatalf("length %d: %x, want %x", n, p, want)
		}
	}
}

func BenchmarkConnRoundTrip(b *testing.B) {
	for _, joined := range []int{1, 16} {
		b.Run(map[int]string{1: "one", 16: "sixteen"}[joined], func(b *testing.B) {
			url, _ := echo(b)
			c, err := DialConn(context.Background(), Options{URL: url})
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			frame := bytes.Repeat([]byte("x"), 200)
			var frames []byte
			for range joined {
				frames = AppendFrame(frames, frame)
			}
			b.ReportAllocs()
			b.ResetTimer()
			left, waiting := b.N-joined, joined
			if err := c.WriteRaw(frames); err != nil {
				b.Fatal(err)
			}
			stop := errors.New("stop")
			_ = c.Read(func([]byte) error {
				if waiting--; waiting > 0 {
					return nil
				}
				if left <= 0 {
					return stop
				}
				left, waiting = left-joined, joined
				return c.WriteRaw(frames)
			})
		})
	}
}
