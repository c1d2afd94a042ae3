package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/blob"
	"posthouse/appliance/chat"
	"posthouse/appliance/id"
	"posthouse/appliance/meter"
	"posthouse/appliance/record"
	"posthouse/appliance/thumbnail"
	"posthouse/appliance/tus"
	"posthouse/appliance/wire"
)

const (
	// uploadLife is how long an upload that is not finished can be resumed:
	// 4 GiB at 16 KiB a second.
	uploadLife = 72 * time.Hour
	// uploadsOpen is how many unfinished uploads one account may have. What
	// they declared counts as taken, so without a limit one account could
	// reserve the whole disk.
	uploadsOpen = 64
	// storeTimeout bounds the wait for the journal when a file is stored.
	storeTimeout = 30 * time.Second
)

// fileService is what uploads and downloads use of chat.Service.
type fileService interface {
	AllowUpload(a chat.Actor, size int64) *wire.Error
	StoreFile(ctx context.Context, a chat.Actor, f record.File) (wire.File, *wire.Error)
	OpenFile(a chat.Actor, file id.ID) (record.File, *wire.Error)
}

// fileOptions are what files are made of. Service and Blobs must be there.
type fileOptions struct {
	Service    fileService
	Blobs      *blob.Store
	Thumbnails *thumbnail.Maker // nil: pictures have none
	Now        func() time.Time
	Log        *slog.Logger
	Virtual    func(user id.ID) bool // whose files no figure counts; nil: nobody
	Acted      func(action string, status int, took time.Duration)
}

// files serves /api/uploads and /files. Between requests it keeps nothing but
// which upload is being written by which request.
//
// The contract with clients: an answer that carries an Upload-Offset tells what
// is durable. A finished upload becomes a file exactly once, however often its
// end is asked for. Requests that find an upload complete make it a file, so
// that a crash between the last byte and the record heals with the next HEAD.
//
// It runs one goroutine for each body on its way, which ends with the request.
type files struct {
	fileOptions
	pace    pace
	silence time.Duration // a writer that waits this long for bytes may be replaced

	mu      sync.Mutex
	writers map[string]*body // by upload

	people    *transfers
	unseen    *transfers     // of virtual users; nobody reads it
	receiving *meter.Counter // a gauge
	buffers   sync.Pool      // *[]byte of copyBytes
}

// transfers count what goes over the wire.
type transfers struct {
	received, sent   meter.Counter // bytes
	finished, broken meter.Counter // uploads
}

// of are the figures that the files of an account belong to.
func (f *files) of(owner id.ID) *transfers {
	if f.Virtual != nil && f.Virtual(owner) {
		return f.unseen
	}
	return f.people
}

func newFiles(o fileOptions) *files {
	f := &files{
		fileOptions: o,
		pace:        pace{window: 30 * time.Second, bytes: 30 * 4 << 10, drainTime: 5 * time.Second, drainBytes: 64 << 20},
		silence:     2 * time.Second,
		writers:     make(map[string]*body),
		people:      new(transfers),
		unseen:      new(transfers),
		receiving:   new(meter.Counter),
	}
	f.buffers.New = func() any { b := make([]byte, copyBytes); return &b }
	return f
}

func (g *Gate) serveUpload(ctx *fasthttp.RequestCtx, actor chat.Actor) {
	if f := g.shelves(ctx); f != nil {
		f.upload(ctx, actor)
	}
}

func (g *Gate) serveDownload(ctx *fasthttp.RequestCtx, actor chat.Actor) {
	if f := g.shelves(ctx); f != nil {
		f.download(ctx, actor)
	}
}

// shelves are the gate's files, or nil after a refusal when it keeps none.
func (g *Gate) shelves(ctx *fasthttp.RequestCtx) *files {
	if g.files == nil {
		g.refuse(ctx, wire.Refuse(wire.Unavailable, "this server keeps no files", "本服务器不保存文件"))
	}
	return g.files
}

// upload serves PathUploads and PathUploads/<id>.
func (f *files) upload(ctx *fasthttp.RequestCtx, actor chat.Actor) {
	h := &ctx.Request.Header
	path := strings.Trim(strings.TrimPrefix(string(ctx.Path()), wire.PathUploads), "/")
	method := string(ctx.Method())
	if m := tus.Method(method, string(h.Peek(tus.HeaderOverride))); m == fasthttp.MethodPatch || m == fasthttp.MethodDelete {
		method = m
	}
	b := f.newBody(ctx, f.of(actor.User))
	defer b.finish(ctx)
	if method == fasthttp.MethodPost || method == fasthttp.MethodPatch {
		defer f.uploaded(ctx, actor, b, f.Now())
	}
	ctx.Response.Header.Set(tus.HeaderResumable, tus.Version)
	ctx.Response.Header.Set("Cache-Control", "no-store")
	if method == fasthttp.MethodOptions {
		f.capabilities(ctx, actor)
		return
	}
	if actor.User == 0 && !actor.Operator {
		f.refuse(ctx, 0, wire.Refuse(wire.Forbidden,
			"uploads belong to a person: log in as one", "上传须归属于个人，请以个人身份登录"))
		return
	}
	if method != fasthttp.MethodGet && tus.CheckVersion(string(h.Peek(tus.HeaderResumable))) != nil {
		ctx.Response.Header.Set(tus.HeaderVersion, tus.Version)
		f.refuse(ctx, tus.StatusVersion, wire.Refuse(wire.InvalidRequest,
			"send Tus-Resumable: 1.0.0", "请发送 Tus-Resumable: 1.0.0"))
		return
	}
	switch {
	case path == "" && method == fasthttp.MethodPost:
		f.create(ctx, actor, b)
	case path == "":
		f.notAllowed(ctx, "OPTIONS, POST")
	case method == fasthttp.MethodPatch:
		f.patch(ctx, actor, path, b)
	case method == fasthttp.MethodHead:
		f.head(ctx, actor, path)
	case method == fasthttp.MethodGet:
		f.look(ctx, actor, path)
	case method == fasthttp.MethodDelete:
		f.terminate(ctx, actor, path)
	default:
		f.notAllowed(ctx, "OPTIONS, HEAD, GET, PATCH, DELETE")
	}
}

// uploaded counts an upload when it has become a file, however many requests
// that took, and each request that was refused or failed. Where the connection
// broke or the offset does not fit, the client goes on: neither is counted.
func (f *files) uploaded(ctx *fasthttp.RequestCtx, actor chat.Actor, b *body, began time.Time) {
	status := ctx.Response.StatusCode()
	over := len(ctx.Response.Header.Peek(wire.HeaderFile)) > 0
	if f.Acted == nil || f.of(actor.User) == f.unseen || status < 400 && !over || b.broken || status == tus.StatusConflict {
		return
	}
	f.Acted(actionUpload, status, f.Now().Sub(began))
}

func (f *files) capabilities(ctx *fasthttp.RequestCtx, actor chat.Actor) {
	for _, field := range tus.Capabilities(f.maxSize(actor)) {
		ctx.Response.Header.Set(field.Name, field.Value)
	}
	ctx.Response.Header.Set("Allow", "OPTIONS, POST, HEAD, GET, PATCH, DELETE")
	ctx.SetStatusCode(tus.StatusNoContent)
}

// maxSize is the largest file that is not TooLarge; 0 when there is no limit.
// It asks for sizes instead of having a setting of its own: the rule stands in
// one place and may change while the server runs.
func (f *files) maxSize(actor chat.Actor) int64 {
	tooLarge := func(size int64) bool {
		refusal := f.Service.AllowUpload(actor, size)
		return refusal != nil && refusal.Kind == wire.TooLarge
	}
	if !tooLarge(math.MaxInt64) {
		return 0
	}
	fits, not := int64(0), int64(math.MaxInt64)
	for not-fits > 1 {
		if middle := fits + (not-fits)/2; tooLarge(middle) {
			not = middle
		} else {
			fits = middle
		}
	}
	return fits
}

// create makes an upload, takes the bytes that came with it, and stores the
// file when they are all.
func (f *files) create(ctx *fasthttp.RequestCtx, actor chat.Actor, b *body) {
	h := &ctx.Request.Header
	size, err := tus.ParseCreation(string(h.Peek(tus.HeaderLength)), string(h.Peek(tus.HeaderDeferLength)))
	if err != nil {
		f.refuse(ctx, tus.StatusBadRequest, wire.Refuse(wire.InvalidRequest,
			"send either Upload-Length with the bytes or Upload-Defer-Length: 1",
			"请发送 Upload-Length（字节数）或 Upload-Defer-Length: 1"))
		return
	}
	meta, refusal := readMeta(string(h.Peek(tus.HeaderMetadata)))
	if refusal != nil {
		f.refuse(ctx, 0, refusal)
		return
	}
	if _, _, ok := importOf(meta); actor.Operator && !ok {
		f.refuse(ctx, 0, wire.Refuse(wire.Forbidden,
			"uploads belong to a person: log in as one", "上传须归属于个人，请以个人身份登录"))
		return
	}
	if b.some() && tus.CheckContentType(string(h.ContentType())) != nil {
		f.wrongType(ctx)
		return
	}
	if size >= 0 && b.length > size {
		f.refuse(ctx, 0, tooMuch(size))
		return
	}
	if refusal := f.allow(actor, size); refusal != nil {
		f.refuse(ctx, 0, refusal)
		return
	}
	up, err := f.Blobs.Create(uint64(actor.User), size, meta, f.Now().Add(uploadLife))
	if err != nil {
		f.failed(ctx, err)
		return
	}
	f.created(ctx, actor, up, b)
}

// created takes the body of a creation. Without an answer the client does not
// know the upload's id: where there will be none, or one that clients do not
// look into, the upload is taken back.
func (f *files) created(ctx *fasthttp.RequestCtx, actor chat.Actor, up blob.Upload, b *body) {
	if b.some() {
		offset, err := f.write(actor, up, b, nil)
		if err != nil {
			if errors.Is(err, blob.ErrNoSpace) {
				f.locate(ctx, up, offset)
			} else {
				_ = f.Blobs.Terminate(up.ID) // what stays expires
			}
			f.failed(ctx, err)
			return
		}
		up.Offset = offset
	}
	f.locate(ctx, up, up.Offset)
	if up.Size < 0 || up.Offset < up.Size {
		ctx.SetStatusCode(tus.StatusCreated)
		return
	}
	file, err := f.store(actor, up)
	if err != nil {
		f.failed(ctx, err)
		return
	}
	f.of(actor.User).finished.Inc()
	ctx.Response.Header.Set(wire.HeaderFile, file.ID.String())
	f.reply(ctx, tus.StatusCreated, wire.FileResult{File: file})
}

func (f *files) locate(ctx *fasthttp.RequestCtx, up blob.Upload, offset int64) {
	h := &ctx.Response.Header
	h.Set(tus.HeaderLocation, wire.PathUploads+"/"+up.ID)
	h.Set(tus.HeaderOffset, tus.FormatNumber(offset))
	h.Set(tus.HeaderExpires, tus.FormatExpires(time.UnixMilli(up.Expires)))
}

// allow asks for one more upload of size bytes, -1 when that is not known,
// beside those of the account that are not finished.
func (f *files) allow(actor chat.Actor, size int64) *wire.Error {
	if refusal := f.Service.AllowUpload(actor, size); refusal != nil {
		return refusal
	}
	open := f.Blobs.Uploads(uint64(actor.User))
	if len(open) >= uploadsOpen {
		return wire.Refusef(wire.QuotaExceeded,
			"you have %d unfinished uploads: finish or remove some first",
			"你有 %d 个未完成的上传，请先完成或移除一些", len(open))
	}
	sum := max(size, 0)
	for _, up := range open {
		sum += max(up.Size, up.Offset)
	}
	// Only the quota counts for the sum: the limit of one file is for one.
	if refusal := f.Service.AllowUpload(actor, sum); refusal != nil && refusal.Kind == wire.QuotaExceeded {
		return refusal
	}
	return nil
}

// readMeta reads Upload-Metadata. Keys that mean nothing here are kept for HEAD.
func readMeta(field string) (map[string]string, *wire.Error) {
	meta, err := tus.ParseMetadata(field)
	switch {
	case errors.Is(err, tus.ErrMetadataBig):
		return nil, wire.Refusef(wire.TooLarge, "Upload-Metadata has at most %d bytes and %d keys",
			"Upload-Metadata 最多 %d 字节、%d 个键", tus.MaxMetadata, tus.MaxMetadataKeys)
	case err != nil:
		return nil, wire.Refuse(wire.InvalidRequest,
			"Upload-Metadata is not pairs of a key and a value in base64", "Upload-Metadata 须为“键 base64 值”，以逗号分隔")
	}
	if _, ok := readDuration(meta[wire.MetaDuration]); !ok {
		return nil, wire.BadParam(wire.MetaDuration, "milliseconds, at most a day", "毫秒数，最多一天")
	}
	return meta, nil
}

// readDuration reads milliseconds; nothing is 0.
func readDuration(s string) (ms int64, ok bool) {
	if s == "" {
		return 0, true
	}
	ms, err := strconv.ParseInt(s, 10, 64)
	return ms, err == nil && ms >= 0 && ms <= (24*time.Hour).Milliseconds()
}

// mine finds an upload of the actor. That of another account is not there.
func (f *files) mine(actor chat.Actor, upload string) (blob.Upload, *wire.Error) {
	up, err := f.Blobs.Upload(upload)
	if err != nil || up.Owner != uint64(actor.User) {
		return blob.Upload{}, noUpload()
	}
	return up, nil
}

func (f *files) head(ctx *fasthttp.RequestCtx, actor chat.Actor, upload string) {
	if _, refusal := f.mine(actor, upload); refusal != nil {
		f.refuse(ctx, 0, refusal)
		return
	}
	// A client that asks lost its connection; the old request may not know yet
	// and still hold bytes that are not durable.
	f.replace(upload, f.silence)
	up, file, err := f.state(actor, upload)
	if err != nil {
		f.failed(ctx, err)
		return
	}
	h := &ctx.Response.Header
	h.Set(tus.HeaderOffset, tus.FormatNumber(up.Offset))
	h.Set(tus.HeaderExpires, tus.FormatExpires(time.UnixMilli(up.Expires)))
	if up.Size < 0 {
		h.Set(tus.HeaderDeferLength, "1")
	} else {
		h.Set(tus.HeaderLength, tus.FormatNumber(up.Size))
	}
	if meta := tus.FormatMetadata(up.Meta); meta != "" {
		h.Set(tus.HeaderMetadata, meta)
	}
	if file != nil {
		h.Set(wire.HeaderFile, file.ID.String())
	}
	ctx.SetStatusCode(tus.StatusOK)
}

// uploadState is the JSON body of GET PathUploads/<id>.
type uploadState struct {
	Offset  int64      `json:"offset"`         // bytes that are durable
	Size    *int64     `json:"size,omitempty"` // bytes, when known
	Expires int64      `json:"expires"`        // Unix milliseconds
	File    *wire.File `json:"file,omitempty"` // once finished
}

// look is HEAD for people and scripts. It does not disturb the writer.
func (f *files) look(ctx *fasthttp.RequestCtx, actor chat.Actor, upload string) {
	up, file, err := f.state(actor, upload)
	if err != nil {
		f.failed(ctx, err)
		return
	}
	s := uploadState{Offset: up.Offset, Expires: up.Expires, File: file}
	if up.Size >= 0 {
		s.Size = &up.Size
	}
	if file != nil {
		ctx.Response.Header.Set(wire.HeaderFile, file.ID.String())
	}
	f.reply(ctx, fasthttp.StatusOK, s)
}

// state tells where an upload stands, and makes it a file if it is complete.
func (f *files) state(actor chat.Actor, upload string) (blob.Upload, *wire.File, error) {
	up, refusal := f.mine(actor, upload)
	if refusal != nil {
		return up, nil, refusal
	}
	if up.Offset != up.Size {
		return up, nil, nil
	}
	file, err := f.store(actor, up)
	if err != nil {
		return up, nil, err
	}
	return up, &file, nil
}

// terminate forgets an upload. A finished one stays a file: file.discard
// removes that.
func (f *files) terminate(ctx *fasthttp.RequestCtx, actor chat.Actor, upload string) {
	if _, refusal := f.mine(actor, upload); refusal != nil {
		f.refuse(ctx, 0, refusal)
		return
	}
	f.replace(upload, 0)
	if err := f.Blobs.Terminate(upload); err != nil {
		f.failed(ctx, err)
		return
	}
	ctx.SetStatusCode(tus.StatusNoContent)
}

// failed answers with what went wrong with an upload.
func (f *files) failed(ctx *fasthttp.RequestCtx, err error) {
	status, refusal := uploadRefusal(err)
	if refusal.Kind == wire.Internal || errors.Is(err, blob.ErrFailed) {
		f.Log.Error("upload failed", keyTrace, string(ctx.Response.Header.Peek(traceHeader)), keyError, err)
	}
	f.refuse(ctx, status, refusal)
}

// uploadRefusal gives status (0: that of the kind) and words for an error of
// an upload.
func uploadRefusal(err error) (int, *wire.Error) {
	var refusal *wire.Error
	switch {
	case errors.As(err, &refusal):
		return 0, refusal
	case errors.Is(err, blob.ErrNotFound):
		return 0, noUpload()
	case errors.Is(err, blob.ErrOffset):
		return tus.StatusConflict, wire.Refuse(wire.Conflict,
			"Upload-Offset is not where the upload stands: ask with HEAD", "Upload-Offset 与当前进度不符，请先用 HEAD 查询")
	case errors.Is(err, blob.ErrBusy):
		return tus.StatusLocked, wire.Refuse(wire.Conflict,
			"another request is writing to this upload", "另一个请求正在写入此上传")
	case errors.Is(err, blob.ErrChecksum):
		return tus.StatusChecksumMismatch, wire.Refuse(wire.InvalidRequest,
			"the bytes do not match Upload-Checksum; they were dropped: send them again", "数据与 Upload-Checksum 不符，已丢弃，请重新发送")
	case errors.Is(err, blob.ErrTooLarge):
		return 0, wire.Refuse(wire.TooLarge, "more bytes than the upload has or a file may have", "超出此上传声明的长度或文件上限")
	case errors.Is(err, blob.ErrSize):
		return tus.StatusBadRequest, wire.Refuse(wire.InvalidRequest,
			"Upload-Length cannot be changed, nor be below what has arrived", "Upload-Length 不可更改，也不可小于已收到的字节数")
	case errors.Is(err, blob.ErrFinished):
		return tus.StatusForbidden, wire.Refuse(wire.Forbidden, "this upload is finished", "此上传已完成")
	case errors.Is(err, blob.ErrNoSpace):
		return tus.StatusNoSpace, wire.Refuse(wire.Unavailable,
			"the server's disk is full; what arrived is kept: go on when the operator has made room",
			"服务器磁盘已满；已收到的部分会保留，管理员腾出空间后可继续上传")
	case errors.Is(err, blob.ErrFailed), errors.Is(err, blob.ErrDamaged):
		return 0, wire.Refuse(wire.Expired,
			"the server's disk failed while this upload was written: upload the file again",
			"写入此上传时服务器磁盘出错，请重新上传该文件")
	case errors.Is(err, errSlow):
		return fasthttp.StatusRequestTimeout, wire.Refuse(wire.InvalidRequest,
			"the bytes came too slowly; what arrived is kept: resume", "数据到达过慢；已收到的部分会保留，请续传")
	case errors.Is(err, errReplaced):
		return tus.StatusConflict, wire.Refuse(wire.Conflict,
			"a newer request continues this upload", "较新的请求已接续此上传")
	case errors.Is(err, errStopping), errors.Is(err, context.Canceled):
		return 0, wire.Refuse(wire.Unavailable,
			"the server stops; what arrived is kept: resume in a moment", "服务器正在停止；已收到的部分会保留，请稍后续传")
	case errors.Is(err, errCut):
		return tus.StatusBadRequest, wire.Refuse(wire.InvalidRequest,
			"the body ended early; what arrived is kept: resume", "请求体提前结束；已收到的部分会保留，请续传")
	}
	return 0, wire.Refuse(wire.Internal, "a fault of the server", "服务器故障")
}

func noUpload() *wire.Error {
	return wire.Refuse(wire.NotFound, "there is no such upload; it may have expired", "没有这个上传，可能已过期")
}

func tooMuch(size int64) *wire.Error {
	return wire.Refusef(wire.TooLarge, "the body goes beyond Upload-Length, %d bytes", "请求体超出 Upload-Length（%d 字节）", size)
}

func (f *files) wrongType(ctx *fasthttp.RequestCtx) {
	f.refuse(ctx, tus.StatusContentType, wire.Refuse(wire.InvalidRequest,
		"bytes travel as Content-Type: "+tus.ContentType, "数据须以 Content-Type: "+tus.ContentType+" 发送"))
}

func (f *files) notAllowed(ctx *fasthttp.RequestCtx, allow string) {
	ctx.Response.Header.Set("Allow", allow)
	f.refuse(ctx, fasthttp.StatusMethodNotAllowed, wire.Refuse(wire.InvalidRequest,
		"not with this HTTP method; use "+allow, "不支持该 HTTP 方法，请使用 "+allow))
}

// refuse answers with an error in the reader's language; status 0 is that of
// the error's kind.
func (f *files) refuse(ctx *fasthttp.RequestCtx, status int, e *wire.Error) {
	if status == 0 {
		status = e.Kind.Info().Status
	}
	if e.RetryAfter > 0 {
		ctx.Response.Header.Set("Retry-After", strconv.FormatInt((e.RetryAfter+999)/1000, 10))
	}
	f.reply(ctx, status, e.Body(language(&ctx.Request.Header), string(ctx.Response.Header.Peek(traceHeader))))
}

func (f *files) reply(ctx *fasthttp.RequestCtx, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		f.Log.Error("encode answer", keyError, fmt.Sprint(err))
		status, text = fasthttp.StatusInternalServerError, []byte(`{"code":-32603,"message":"internal error","data":{"kind":"internal"}}`)
	}
	ctx.SetStatusCode(status)
	ctx.Response.Header.SetContentType(jsonType)
	ctx.Response.SetBody(text)
}
