package gate

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/blob"
	"posthouse/appliance/chat"
	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

const (
	ann = "1"
	bo  = "2"
)

// shelf is the service as files see it: one owner per file, a limit, a quota.
type shelf struct {
	mu      sync.Mutex
	limit   int64
	quota   int64
	refusal *wire.Error // of the next StoreFile
	files   map[id.ID]record.File
	uploads map[string]id.ID
	stored  int
}

func newShelf() *shelf {
	return &shelf{limit: 4 << 30, quota: 8 << 30, files: map[id.ID]record.File{}, uploads: map[string]id.ID{}}
}

func (s *shelf) AllowUpload(a chat.Actor, size int64) *wire.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.allow(a, size)
}

func (s *shelf) allow(a chat.Actor, size int64) *wire.Error {
	if size > s.limit {
		return wire.Refuse(wire.TooLarge, "too large", "太大")
	}
	used := max(size, 0)
	for _, f := range s.files {
		if f.Owner == a.User {
			used += f.Size
		}
	}
	if used > s.quota {
		return wire.Refuse(wire.QuotaExceeded, "quota", "配额")
	}
	return nil
}

func (s *shelf) StoreFile(_ context.Context, a chat.Actor, f record.File) (wire.File, *wire.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.refusal; e != nil {
		s.refusal = nil
		return wire.File{}, e
	}
	fid, ok := s.uploads[f.Upload]
	if !ok {
		if e := s.allow(a, f.Size); e != nil {
			return wire.File{}, e
		}
		s.stored++
		fid = id.ID(1000 + s.stored)
		f.ID, f.Owner = fid, a.User
		s.files[fid], s.uploads[f.Upload] = f, fid
	}
	f = s.files[fid]
	return wire.File{ID: fid, Name: f.Name, Size: f.Size, Type: f.Type, SHA256: hex.EncodeToString(f.SHA256),
		Width: f.Width, Height: f.Height, Duration: f.Duration, Voice: f.Voice, Owner: f.Owner, Created: f.Created}, nil
}

func (s *shelf) OpenFile(a chat.Actor, file id.ID) (record.File, *wire.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.files[file]
	if !ok || f.Owner != a.User {
		return record.File{}, noFile()
	}
	return f, nil
}

// depot is a server of files on loopback.
type depot struct {
	t      testing.TB
	shelf  *shelf
	f      *files
	server *fasthttp.Server
	addr   string
	client *http.Client
	mu     sync.Mutex
	now    time.Time
	free   int64
}

func openDepot(t testing.TB, change func(*fileOptions)) *depot {
	t.Helper()
	d := &depot{now: time.UnixMilli(1_760_000_000_000), free: 1 << 40, shelf: newShelf()}
	clock := func() time.Time { d.mu.Lock(); defer d.mu.Unlock(); return d.now }
	blobs, err := blob.Open(t.TempDir(), blob.Options{Now: clock,
		FreeBytes: func(string) (int64, error) { d.mu.Lock(); defer d.mu.Unlock(); return d.free, nil }})
	if err != nil {
		t.Fatal(err)
	}
	o := fileOptions{Service: d.shelf, Blobs: blobs, Now: clock,
		Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	d.f = newFiles(o)
	d.f.silence = time.Hour
	d.server = &fasthttp.Server{
		StreamRequestBody: true, DisablePreParseMultipartForm: true, MaxRequestBodySize: 1 << 20, NoDefaultContentType: true,
		ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, ReadBufferSize: 4 << 10, CloseOnShutdown: true,
		Handler: func(ctx *fasthttp.RequestCtx) {
			user, _ := strconv.Atoi(string(ctx.Request.Header.Peek("Test-User")))
			actor := chat.Actor{User: id.ID(user)}
			if strings.HasPrefix(string(ctx.Path()), wire.PathUploads) {
				d.f.upload(ctx, actor)
			} else {
				d.f.download(ctx, actor)
			}
		},
	}
	h := listen(t, d.server.Serve, d.server.Shutdown)
	d.t, d.addr, d.client = t, h.addr, h.client
	return d
}

// listen serves on loopback until the test ends.
func listen(t testing.TB, serve func(net.Listener) error, stop func() error) *depot {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- serve(ln) }()
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		if err := stop(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return &depot{t: t, addr: ln.Addr().String(), client: &http.Client{Transport: transport}}
}

func (d *depot) pass(by time.Duration) { d.mu.Lock(); defer d.mu.Unlock(); d.now = d.now.Add(by) }
func (d *depot) room(bytes int64)      { d.mu.Lock(); defer d.mu.Unlock(); d.free = bytes }

// answer is a whole response.
type answer struct {
	status int
	header http.Header
	body   string
	last   bool // on its connection
}

// kind is the kind of a refusal.
func (a answer) kind() wire.Kind {
	var e wire.ErrorBody
	_ = json.Unmarshal([]byte(a.body), &e)
	return e.Data.Kind
}

// do sends a request. Fields are "Name: value".
func (d *depot) do(user, method, path string, body io.Reader, fields ...string) answer {
	d.t.Helper()
	r, err := http.NewRequest(method, "http://"+d.addr+path, body)
	if err != nil {
		d.t.Fatal(err)
	}
	r.Header.Set("Test-User", user)
	r.Header.Set("Tus-Resumable", "1.0.0")
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		if value == "" {
			r.Header.Del(name)
			continue
		}
		r.Header.Set(name, value)
	}
	w, err := d.client.Do(r)
	if err != nil {
		d.t.Fatal(method, path, err)
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		d.t.Fatal(method, path, err)
	}
	return answer{w.StatusCode, w.Header, string(text), w.Close}
}

// want fails unless the answer has a status and, for refusals, a kind.
func (d *depot) want(a answer, status int, kind wire.Kind) answer {
	d.t.Helper()
	if a.status != status || a.kind() != kind {
		d.t.Fatalf("got %d %s %q, want %d %s", a.status, a.kind(), a.body, status, kind)
	}
	return a
}

func meta(pairs ...string) string {
	var all []string
	for i := 0; i < len(pairs); i += 2 {
		all = append(all, pairs[i]+" "+base64.StdEncoding.EncodeToString([]byte(pairs[i+1])))
	}
	return "Upload-Metadata: " + strings.Join(all, ",")
}

// create makes an upload of ann's and returns its path.
func (d *depot) create(size int64, fields ...string) string {
	d.t.Helper()
	a := d.want(d.do(ann, "POST", "/api/uploads", nil, append(fields, fmt.Sprintf("Upload-Length: %d", size))...), 201, "")
	return a.header.Get("Location")
}

const octets = "Content-Type: application/offset+octet-stream"

func (d *depot) patch(path string, offset int, data []byte, fields ...string) answer {
	d.t.Helper()
	return d.do(ann, "PATCH", path, bytes.NewReader(data), append([]string{octets, fmt.Sprintf("Upload-Offset: %d", offset)}, fields...)...)
}

// put uploads a file of ann's in one request.
func (d *depot) put(name, kind string, data []byte) wire.File {
	d.t.Helper()
	a := d.want(d.do(ann, "POST", "/api/uploads", bytes.NewReader(data), octets,
		fmt.Sprintf("Upload-Length: %d", len(data)), meta("filename", name, "filetype", kind)), 201, "")
	return d.file(a)
}

func (d *depot) file(a answer) wire.File {
	d.t.Helper()
	var r struct {
		File wire.File `json:"file"`
	}
	if err := json.Unmarshal([]byte(a.body), &r); err != nil {
		d.t.Fatal(err)
	}
	return r.File
}

func noise(n int) []byte {
	b := make([]byte, n)
	x := uint32(1)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// rawConn is a connection on which a test writes what it likes.
type rawConn struct {
	*net.TCPConn
	t testing.TB
	r *bufio.Reader
}

func (d *depot) raw() *rawConn {
	d.t.Helper()
	c, err := net.Dial("tcp", d.addr)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		d.t.Fatal(err)
	}
	return &rawConn{c.(*net.TCPConn), d.t, bufio.NewReader(c)}
}

// begin sends the header of a PATCH and the first bytes of its body.
func (c *rawConn) begin(path string, offset int, declared string, data []byte) *rawConn {
	c.t.Helper()
	c.say(fmt.Sprintf("PATCH %s HTTP/1.1\r\nHost: x\r\nTest-User: 1\r\nTus-Resumable: 1.0.0\r\n%s\r\nUpload-Offset: %d\r\n%s\r\n\r\n",
		path, octets, offset, declared))
	c.say(string(data))
	return c
}

func (c *rawConn) say(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
}

func (c *rawConn) answer() answer {
	c.t.Helper()
	w, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return answer{w.StatusCode, w.Header, string(text), w.Close}
}

// writing waits until a request writes to an upload and has read all there is.
func (d *depot) writing(path string) *body {
	d.t.Helper()
	var b *body
	eventually(d.t, "a request that writes to "+path, func() bool {
		d.f.mu.Lock()
		defer d.f.mu.Unlock()
		b = d.f.writers[strings.TrimPrefix(path, "/api/uploads/")]
		return b != nil && b.silent() > 20*time.Millisecond
	})
	return b
}

// content fails unless a file of ann's has the content.
func (d *depot) content(file string, want []byte) {
	d.t.Helper()
	a := d.want(d.do(ann, "GET", "/files/"+file+"/x", nil), 200, "")
	if a.body != string(want) {
		d.t.Fatalf("content of %d bytes, want %d", len(a.body), len(want))
	}
	sum := sha256.Sum256(want)
	if tag := a.header.Get("ETag"); tag != `"`+hex.EncodeToString(sum[:])+`"` {
		d.t.Fatal("ETag", tag)
	}
}
