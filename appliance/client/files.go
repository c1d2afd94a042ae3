package client

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// Upload describes a file to be uploaded.
type Upload struct {
	Name     string
	Type     string // media type; empty: the server looks
	Voice    bool
	Duration time.Duration // of a voice note
	Chunk    int           // bytes of one request; default 4 MiB
	Location string        // continue this upload, which Started told earlier
	Owner    id.ID         // whose the file will be; for the operator alone, who must name one
	Import   string        // for the operator alone: the same name again is the same file

	Started  func(location string) // called once the server has made the upload; may be nil
	Progress func(sent, size int64)
}

// attempts is how often a file transfer is taken up again without progress.
const attempts = 5

// Upload uploads a file and tells what it has become.
func (h *HTTP) Upload(ctx context.Context, r io.ReadSeeker, name, mediaType string) (wire.File, error) {
	return h.UploadFile(ctx, r, Upload{Name: name, Type: mediaType})
}

// UploadFile uploads a file in chunks, each with its checksum, and goes on
// where it was after a break. With Owner only the ID of the file is told.
func (h *HTTP) UploadFile(ctx context.Context, r io.ReadSeeker, u Upload) (wire.File, error) {
	size, err := r.Seek(0, io.SeekEnd)
	if err != nil {
		return wire.File{}, fmt.Errorf("find the size of %s: %w", u.Name, err)
	}
	if u.Chunk <= 0 {
		u.Chunk = 4 << 20
	}
	t := transfer{http: h, upload: u, size: size, location: u.Location, offset: -1}
	for failed := 0; t.file == 0; {
		before := t.offset
		err := t.step(ctx, r)
		if err == nil {
			continue
		}
		if t.offset > before {
			failed = 0
		}
		var e *wire.Error
		if failed++; ctx.Err() != nil || failed >= attempts || (errors.As(err, &e) && !passing(e)) {
			return wire.File{}, fmt.Errorf("upload %s: %w", u.Name, err)
		}
		t.offset = -1 // ask
		if err := pause(ctx, h.opt.Backoff<<failed); err != nil {
			return wire.File{}, err
		}
	}
	if u.Owner != 0 {
		return wire.File{ID: t.file}, nil // the operator does not look at files
	}
	return h.File(ctx, t.file)
}

// transfer is an upload under way.
type transfer struct {
	http     *HTTP
	upload   Upload
	size     int64
	location string
	offset   int64 // what the server has; -1 = unknown
	file     id.ID // once finished
	buf      []byte
}

func (t *transfer) request(verb, uri string) *fasthttp.Request {
	req := t.http.request(verb, uri)
	req.Header.Set("Tus-Resumable", "1.0.0")
	return req
}

func (t *transfer) create(ctx context.Context) error {
	base := t.http.target.base + wire.PathUploads
	req, resp := t.request("POST", base), &fasthttp.Response{}
	req.Header.Set("Upload-Length", strconv.FormatInt(t.size, 10))
	req.Header.Set("Upload-Metadata", t.upload.metadata())
	if err := t.http.do(ctx, t.http.host, req, resp); err != nil {
		return err
	}
	if resp.StatusCode() != fasthttp.StatusCreated {
		return refusal(resp.StatusCode(), resp.Body())
	}
	place, err := url.Parse(string(resp.Header.Peek("Location")))
	if err != nil || place.Path == "" {
		return fmt.Errorf("the server named no place for the upload: %q", resp.Header.Peek("Location"))
	}
	from, err := url.Parse(base)
	if err != nil {
		return err
	}
	t.location = from.ResolveReference(place).RequestURI()
	t.offset = 0
	if t.upload.Started != nil {
		t.upload.Started(t.location)
	}
	return t.finished(resp)
}

func (u Upload) metadata() string {
	var parts []string
	add := func(key, value string) {
		if value != "" {
			parts = append(parts, key+" "+base64.StdEncoding.EncodeToString([]byte(value)))
		}
	}
	add(wire.MetaName, u.Name)
	add(wire.MetaType, u.Type)
	if u.Voice {
		add(wire.MetaVoice, "1")
	}
	if u.Duration > 0 {
		add(wire.MetaDuration, strconv.FormatInt(u.Duration.Milliseconds(), 10))
	}
	if u.Owner != 0 {
		add(wire.MetaOwner, u.Owner.String())
		add(wire.MetaImport, u.Import)
	}
	return strings.Join(parts, ",")
}

// step begins the upload, asks how far it is, or sends the next chunk.
func (t *transfer) step(ctx context.Context, r io.ReadSeeker) error {
	if t.location == "" { // twice does no harm: what is never filled expires
		return t.create(ctx)
	}
	uri := t.http.origin() + t.location
	resp := &fasthttp.Response{}
	if t.offset < 0 {
		resp.SkipBody = true
		if err := t.http.do(ctx, t.http.host, t.request("HEAD", uri), resp); err != nil {
			return err
		}
		if resp.StatusCode() != fasthttp.StatusOK {
			return refusal(resp.StatusCode(), nil)
		}
		return t.advance(resp)
	}
	if err := t.fill(r); err != nil {
		return err
	}
	req := t.request("PATCH", uri)
	req.Header.SetContentType("application/offset+octet-stream")
	req.Header.Set("Upload-Offset", strconv.FormatInt(t.offset, 10))
	sum := sha256.Sum256(t.buf)
	req.Header.Set("Upload-Checksum", "sha256 "+base64.StdEncoding.EncodeToString(sum[:]))
	req.SetBodyRaw(t.buf)
	if err := t.http.do(ctx, t.http.host, req, resp); err != nil {
		t.buf = nil // may still be on its way
		return err
	}
	if resp.StatusCode() != fasthttp.StatusNoContent {
		return refusal(resp.StatusCode(), resp.Body())
	}
	return t.advance(resp)
}

func (t *transfer) fill(r io.ReadSeeker) error {
	if _, err := r.Seek(t.offset, io.SeekStart); err != nil {
		return fmt.Errorf("seek in the file: %w", err)
	}
	n := min(int64(t.upload.Chunk), t.size-t.offset)
	if int64(cap(t.buf)) < n {
		t.buf = make([]byte, n)
	}
	t.buf = t.buf[:n]
	if _, err := io.ReadFull(r, t.buf); err != nil {
		return fmt.Errorf("read the file: %w", err)
	}
	return nil
}

func (t *transfer) advance(resp *fasthttp.Response) error {
	offset, err := strconv.ParseInt(string(resp.Header.Peek("Upload-Offset")), 10, 64)
	if err != nil || offset < 0 || offset > t.size {
		return fmt.Errorf("the server tells a strange offset: %q of %d", resp.Header.Peek("Upload-Offset"), t.size)
	}
	t.offset = offset
	if t.upload.Progress != nil {
		t.upload.Progress(offset, t.size)
	}
	return t.finished(resp)
}

// finished looks whether the upload has become a file.
func (t *transfer) finished(resp *fasthttp.Response) error {
	name := resp.Header.Peek(wire.HeaderFile)
	if len(name) == 0 {
		if t.offset == t.size && t.size > 0 {
			return errors.New("all bytes are there, but the server names no file")
		}
		return nil
	}
	file, err := id.Parse(string(name))
	t.file = file
	return err
}

// origin is the scheme and host of the server.
func (h *HTTP) origin() string {
	u, err := url.Parse(h.target.base)
	if err != nil { // it was made from one
		return h.target.base
	}
	return u.Scheme + "://" + u.Host
}

// Download writes the content of a file from a byte on, takes it up again
// after a break, and gives the number of bytes written.
func (h *HTTP) Download(ctx context.Context, f wire.File, w io.Writer, from int64) (int64, error) {
	written := int64(0)
	for failed := 0; from+written < f.Size; {
		n, err := h.download(ctx, f, w, from+written)
		if written += n; n > 0 {
			failed = 0
		}
		if err == nil {
			continue
		}
		var e *wire.Error
		var broken *writeError
		failed++
		if ctx.Err() != nil || failed >= attempts || errors.As(err, &broken) || (errors.As(err, &e) && !passing(e)) {
			return written, fmt.Errorf("download %s: %w", f.Name, err)
		}
		if err := pause(ctx, h.opt.Backoff<<failed); err != nil {
			return written, err
		}
	}
	return written, nil
}

// writeError tells that the caller's writer failed, not the server.
type writeError struct{ error }

func (h *HTTP) download(ctx context.Context, f wire.File, w io.Writer, from int64) (n int64, err error) {
	req := h.request("GET", h.target.base+wire.PathFiles+f.ID.String()+"/"+url.PathEscape(f.Name))
	if from > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(from, 10)+"-")
	}
	resp := &fasthttp.Response{}
	if err := h.do(ctx, h.stream, req, resp); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, resp.CloseBodyStream()) }()
	body := resp.BodyStream()
	switch code := resp.StatusCode(); {
	case code == fasthttp.StatusOK && from == 0:
	case code == fasthttp.StatusPartialContent && strings.HasPrefix(string(resp.Header.Peek("Content-Range")), "bytes "+strconv.FormatInt(from, 10)+"-"):
	case code == fasthttp.StatusOK || code == fasthttp.StatusPartialContent:
		return 0, wire.Refuse(wire.Internal, "the server does not give the range asked for", "服务器没有给出所请求的范围")
	default:
		text, _ := io.ReadAll(io.LimitReader(body, 4096))
		return 0, refusal(code, text)
	}
	return copyTo(ctx, w, body)
}

func copyTo(ctx context.Context, w io.Writer, r io.Reader) (int64, error) {
	total, buf := int64(0), make([]byte, 64<<10)
	for {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		n, err := r.Read(buf)
		if n > 0 {
			k, werr := w.Write(buf[:n])
			if total += int64(k); werr != nil {
				return total, &writeError{werr}
			}
		}
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// passing reports whether a refusal is worth another attempt at a transfer,
// which names its offset and so does no harm.
func passing(e *wire.Error) bool {
	switch e.Kind {
	case wire.Unavailable, wire.RateLimited, wire.Conflict, wire.Internal:
		return true
	}
	return false
}

// pause waits, unless ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
