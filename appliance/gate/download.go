package gate

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"posthouse/appliance/blob"
	"posthouse/appliance/chat"
	"posthouse/appliance/filename"
	"posthouse/appliance/id"
	"posthouse/appliance/meter"
	"posthouse/appliance/record"
	"posthouse/appliance/thumbnail"
	"posthouse/appliance/wire"
)

const (
	// copyBytes is one write of a download. Each has the connection's write
	// timeout to itself, so 64 KiB in that time is the slowest reader served.
	copyBytes = 64 << 10

	// filePolicy keeps what a file contains from doing anything, should a
	// browser ever take it for a document.
	filePolicy = "sandbox; default-src 'none'"

	// fileCache: the content of a file never changes, and its address is not
	// to be guessed.
	fileCache = "private, max-age=31536000, immutable"
)

// download serves PathFiles<id>/<name> and PathFiles<id>/thumbnail/<edge>. The
// name is for people and programs that save the file; it is not looked at.
//
// One range of bytes is served as 206. Several ranges, units that are not bytes
// and ranges that cannot be read get the whole file, as RFC 9110 allows.
func (f *files) download(ctx *fasthttp.RequestCtx, actor chat.Actor) {
	h := &ctx.Response.Header
	h.Set("Cache-Control", "no-store") // of refusals
	if !ctx.IsGet() && !ctx.IsHead() {
		f.notAllowed(ctx, "GET, HEAD")
		return
	}
	text, rest, _ := strings.Cut(strings.TrimPrefix(string(ctx.Path()), wire.PathFiles), "/")
	file, err := id.Parse(text)
	if err != nil {
		f.refuse(ctx, 0, noFile())
		return
	}
	r, refusal := f.Service.OpenFile(actor, file)
	if refusal != nil {
		f.refuse(ctx, 0, refusal)
		return
	}
	if len(r.SHA256) != len(blob.Digest{}) {
		f.lost(ctx, &r, errors.New("its record has no digest"))
		return
	}
	h.Set("Content-Security-Policy", filePolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	if edge, ok := strings.CutPrefix(rest, "thumbnail/"); ok {
		f.thumbnail(ctx, &r, edge)
		return
	}
	f.content(ctx, &r)
}

func noFile() *wire.Error {
	return wire.Refuse(wire.NotFound, "there is no such file", "没有这个文件")
}

// lost answers for a file whose content should be there and is not.
func (f *files) lost(ctx *fasthttp.RequestCtx, r *record.File, err error) {
	f.Log.Error("content of a file is missing or damaged", "file", r.ID.String(),
		keyTrace, string(ctx.Response.Header.Peek(traceHeader)), keyError, err)
	ctx.Response.Header.Del("ETag")
	ctx.Response.Header.Set("Cache-Control", "no-store")
	f.refuse(ctx, 0, wire.Refuse(wire.Internal,
		"the content of this file is missing or damaged on the server: tell the operator",
		"服务器上该文件的内容缺失或损坏，请告知管理员"))
}

func (f *files) content(ctx *fasthttp.RequestCtx, r *record.File) {
	tag := `"` + hex.EncodeToString(r.SHA256) + `"`
	if f.unchanged(ctx, tag) {
		return
	}
	b, err := f.Blobs.OpenBlob(blob.Digest(r.SHA256))
	if err == nil && b.Size() != r.Size {
		err = errors.Join(blob.ErrDamaged, b.Close())
	}
	if err != nil {
		f.lost(ctx, r, err)
		return
	}
	// Once more, because what may be shown is decided by this version and not
	// by the one that stored the file.
	kind, inline, err := contentType(b, r.Type, "")
	if err != nil {
		_ = b.Close()
		f.lost(ctx, r, err)
		return
	}
	h := &ctx.Response.Header
	h.SetContentType(kind)
	h.Set("Content-Disposition", filename.ContentDisposition(r.Name, inline && !ctx.QueryArgs().GetBool("download")))
	h.Set("Accept-Ranges", "bytes")
	part := span{0, r.Size}
	if field := ctx.Request.Header.Peek("Range"); len(field) > 0 && ctx.IsGet() && r.Size > 0 && ifRange(ctx, tag) {
		var ok, satisfiable bool
		if part, ok, satisfiable = readRange(string(field), r.Size); !satisfiable {
			_ = b.Close()
			h.Set("Content-Range", "bytes */"+strconv.FormatInt(r.Size, 10))
			h.Set("Cache-Control", "no-store")
			h.Del("Content-Disposition")
			f.refuse(ctx, fasthttp.StatusRequestedRangeNotSatisfiable, wire.Refuse(wire.InvalidRequest,
				"the file ends before that range begins", "请求的范围超出文件末尾"))
			return
		}
		if ok {
			ctx.SetStatusCode(fasthttp.StatusPartialContent)
			h.Set("Content-Range", part.contentRange(r.Size))
		}
	}
	ctx.Response.SetBodyStream(f.stream(b, b, part, r.Owner), int(part.length))
}

// unchanged sets the headers of a cache and answers when the client has the
// content already.
func (f *files) unchanged(ctx *fasthttp.RequestCtx, tag string) bool {
	h := &ctx.Response.Header
	h.Set("ETag", tag)
	h.Set("Cache-Control", fileCache)
	if !anyTag(string(ctx.Request.Header.Peek("If-None-Match")), tag) {
		return false
	}
	ctx.SetStatusCode(fasthttp.StatusNotModified)
	return true
}

// anyTag reports whether a list of entity tags names tag, compared weakly.
func anyTag(list, tag string) bool {
	if strings.TrimSpace(list) == "*" {
		return true
	}
	for one := range strings.SplitSeq(list, ",") {
		if strings.TrimPrefix(strings.TrimSpace(one), "W/") == tag {
			return true
		}
	}
	return false
}

// ifRange reports whether a range may be served: the client has a part of this
// very content, or does not say. No dates are sent, so none can match.
func ifRange(ctx *fasthttp.RequestCtx, tag string) bool {
	field := ctx.Request.Header.Peek("If-Range")
	return len(field) == 0 || string(field) == tag
}

// span is a part of a content, in bytes.
type span struct{ offset, length int64 }

func (s span) contentRange(size int64) string {
	return "bytes " + strconv.FormatInt(s.offset, 10) + "-" + strconv.FormatInt(s.offset+s.length-1, 10) +
		"/" + strconv.FormatInt(size, 10)
}

// readRange reads a Range field for a content of size bytes, at least one. ok
// is false for everything that is to be ignored; then the span is the whole
// content.
func readRange(field string, size int64) (part span, ok, satisfiable bool) {
	whole := span{0, size}
	unit, set, found := strings.Cut(field, "=")
	if !found || !strings.EqualFold(strings.TrimSpace(unit), "bytes") || strings.Contains(set, ",") {
		return whole, false, true
	}
	first, last, found := strings.Cut(strings.TrimSpace(set), "-")
	from, to := readPosition(first), readPosition(last)
	switch {
	case !found || from < 0 && first != "" || to < 0 && last != "" || first == "" && last == "":
		return whole, false, true
	case first == "": // the last to bytes
		if to == 0 {
			return whole, false, false
		}
		to = min(to, size)
		return span{size - to, to}, true, true
	case last != "" && to < from:
		return whole, false, true
	case from >= size:
		return whole, false, false
	case last == "" || to >= size:
		to = size - 1
	}
	return span{from, to - from + 1}, true, true
}

// readPosition reads digits; -1 for anything else. What does not fit is the
// largest number.
func readPosition(s string) int64 {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return -1
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return math.MaxInt64
	}
	return v
}

// contentType looks at the beginning of a content and decides what it may be
// served as.
func contentType(b io.ReaderAt, declared, name string) (kind string, inline bool, err error) {
	head := make([]byte, filename.HeadBytes)
	n, err := b.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return "", false, err
	}
	kind, inline = filename.SafeType(declared, name, head[:n])
	return kind, inline, nil
}

func picture(kind string) bool { return strings.HasPrefix(kind, "image/") }

// thumbnail serves a small picture. The steps are fixed so that clients share
// the cache.
func (f *files) thumbnail(ctx *fasthttp.RequestCtx, r *record.File, edge string) {
	size := 0
	switch edge {
	case "64", "160", "320", "640", "1280":
		size, _ = strconv.Atoi(edge) // one of the above
	}
	if size == 0 || !picture(r.Type) || f.Thumbnails == nil {
		f.refuse(ctx, 0, wire.Refuse(wire.NotFound, "there is no such thumbnail", "没有这个缩略图"))
		return
	}
	key := hex.EncodeToString(r.SHA256)
	if f.unchanged(ctx, `"`+key+"-"+edge+`"`) {
		return
	}
	open := func() (io.ReadCloser, error) { return f.Blobs.OpenBlob(blob.Digest(r.SHA256)) }
	bg, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	path, kind, err := f.Thumbnails.Get(bg, key, size, open)
	var small *os.File
	var info fs.FileInfo
	if err == nil {
		small, err = os.Open(path)
	}
	if err == nil {
		info, err = small.Stat()
	}
	if err != nil {
		f.noThumbnail(ctx, r, err)
		return
	}
	ctx.Response.Header.SetContentType(kind)
	ctx.Response.Header.Set("Content-Disposition", "inline")
	ctx.Response.SetBodyStream(f.stream(small, small, span{0, info.Size()}, r.Owner), int(info.Size()))
}

// noThumbnail answers why a picture has no thumbnail. What is said of the
// picture itself may be kept for a while; what is said of the server not.
func (f *files) noThumbnail(ctx *fasthttp.RequestCtx, r *record.File, err error) {
	h := &ctx.Response.Header
	h.Del("ETag")
	h.Set("Cache-Control", "no-store")
	switch {
	case errors.Is(err, thumbnail.ErrUnsupported), errors.Is(err, thumbnail.ErrDamaged),
		errors.Is(err, thumbnail.ErrTooLarge), errors.Is(err, thumbnail.ErrLimits):
		h.Set("Cache-Control", "private, max-age=3600")
		f.refuse(ctx, fasthttp.StatusUnprocessableEntity, wire.Refuse(wire.InvalidRequest,
			"this picture cannot be shown small: it is damaged, too large or of an unknown kind",
			"无法生成缩略图：图片已损坏、过大或格式未知"))
	case errors.Is(err, blob.ErrNotFound):
		f.lost(ctx, r, err)
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, thumbnail.ErrClosed):
		f.refuse(ctx, 0, notNow())
	default:
		f.Log.Error("make thumbnail", "file", r.ID.String(), keyTrace, string(h.Peek(traceHeader)), keyError, err)
		f.refuse(ctx, 0, notNow())
	}
}

func notNow() *wire.Error {
	return &wire.Error{Kind: wire.Unavailable, RetryAfter: 5000, Text: wire.Text{
		En: "the thumbnail cannot be made now", Zh: "暂时无法生成缩略图"}}
}

// fileStream is the body of a download. fasthttp calls WriteTo, or for a HEAD
// only Close.
type fileStream struct {
	io.Reader
	closer io.Closer
	files  *files
	sent   *meter.Counter
}

func (f *files) stream(r io.ReaderAt, c io.Closer, part span, owner id.ID) *fileStream {
	return &fileStream{Reader: io.NewSectionReader(r, part.offset, part.length), closer: c, files: f, sent: &f.of(owner).sent}
}

// SupportsBodyWriteTo implements fasthttp.BodyWriterTo.
func (s *fileStream) SupportsBodyWriteTo() bool { return true }

// WriteTo writes in pieces that go round the small buffer of the connection.
func (s *fileStream) WriteTo(w io.Writer) (int64, error) {
	if bw, ok := w.(*bufio.Writer); ok {
		if err := bw.Flush(); err != nil {
			return 0, err
		}
	}
	bp := s.files.buffers.Get().(*[]byte)
	defer s.files.buffers.Put(bp)
	var total int64
	for {
		n, err := s.Reader.Read(*bp)
		if n > 0 {
			m, werr := w.Write((*bp)[:n])
			total += int64(m)
			s.sent.Add(m)
			if werr != nil {
				return total, werr
			}
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			s.files.Log.Error("read content of a file", keyError, err)
			return total, err
		}
	}
}

// Close implements io.Closer.
func (s *fileStream) Close() error { return s.closer.Close() }
