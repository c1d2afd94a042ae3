package gate

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/valyala/fasthttp"

	"posthouse/appliance/blob"
	"posthouse/appliance/chat"
	"posthouse/appliance/filename"
	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/thumbnail"
	"posthouse/appliance/tus"
	"posthouse/appliance/wire"
)

// quotaStep is how many bytes of an upload without a length may come between
// two looks at the quota.
const quotaStep = 16 << 20

// patchRequest is what the header of a PATCH says.
type patchRequest struct {
	offset int64
	length int64 // -1: not said
	sum    *blob.Checksum
}

// patch continues an upload.
func (f *files) patch(ctx *fasthttp.RequestCtx, actor chat.Actor, upload string, b *body) {
	if tus.CheckContentType(string(ctx.Request.Header.ContentType())) != nil {
		f.wrongType(ctx)
		return
	}
	p, refusal := readPatch(&ctx.Request.Header)
	if refusal != nil {
		f.refuse(ctx, tus.StatusBadRequest, refusal)
		return
	}
	if _, refusal := f.mine(actor, upload); refusal != nil {
		f.refuse(ctx, 0, refusal)
		return
	}
	f.replace(upload, f.silence)
	up, err := f.extend(actor, upload, p, b)
	if up.ID != "" {
		ctx.Response.Header.Set(tus.HeaderOffset, tus.FormatNumber(up.Offset))
		ctx.Response.Header.Set(tus.HeaderExpires, tus.FormatExpires(time.UnixMilli(up.Expires)))
	}
	if err != nil {
		if errors.Is(err, blob.ErrFailed) {
			_ = f.Blobs.Terminate(upload) // useless; the client begins again
		}
		f.failed(ctx, err)
		return
	}
	if up.Offset == up.Size {
		file, err := f.store(actor, up)
		if err != nil {
			f.failed(ctx, err)
			return
		}
		f.of(actor.User).finished.Inc()
		ctx.Response.Header.Set(wire.HeaderFile, file.ID.String())
	}
	ctx.SetStatusCode(tus.StatusNoContent)
}

func readPatch(h *fasthttp.RequestHeader) (patchRequest, *wire.Error) {
	p := patchRequest{length: -1}
	var err error
	if p.offset, err = tus.ParseOffset(string(h.Peek(tus.HeaderOffset))); err != nil {
		return p, wire.Refuse(wire.InvalidRequest, "Upload-Offset must be a number of bytes", "Upload-Offset 须为字节数")
	}
	if v := h.Peek(tus.HeaderLength); len(v) > 0 {
		if p.length, err = tus.ParseLength(string(v)); err != nil {
			return p, wire.Refuse(wire.InvalidRequest, "Upload-Length must be a number of bytes", "Upload-Length 须为字节数")
		}
	}
	v := h.Peek(tus.HeaderChecksum)
	if len(v) == 0 {
		return p, nil
	}
	sum, err := tus.ParseChecksum(string(v))
	if errors.Is(err, tus.ErrAlgorithm) {
		return p, wire.Refuse(wire.InvalidRequest, "Upload-Checksum knows "+tus.ChecksumAlgorithms, "Upload-Checksum 支持 "+tus.ChecksumAlgorithms)
	}
	if err != nil {
		return p, wire.Refuse(wire.InvalidRequest,
			"Upload-Checksum is an algorithm, a space and the sum in base64", "Upload-Checksum 须为算法、空格和 base64 校验和")
	}
	p.sum = &blob.Checksum{Algo: sum.Algo, Sum: sum.Sum}
	return p, nil
}

// extend appends the body where the upload stands. The upload it returns tells
// how far it is, also beside an error; its ID is empty when there is none.
func (f *files) extend(actor chat.Actor, upload string, p patchRequest, b *body) (blob.Upload, error) {
	up, refusal := f.mine(actor, upload)
	if refusal != nil {
		return up, refusal
	}
	if p.offset != up.Offset {
		return up, blob.ErrOffset
	}
	if p.length >= 0 && p.length != up.Size {
		if refusal := f.Service.AllowUpload(actor, p.length); refusal != nil {
			return up, refusal
		}
		next, err := f.Blobs.SetSize(upload, p.length)
		if err != nil {
			return up, err
		}
		up = next
	}
	switch {
	case !b.some():
		return up, nil
	case up.Offset == up.Size:
		return up, blob.ErrFinished
	case up.Size >= 0 && b.length > up.Size-up.Offset:
		return up, tooMuch(up.Size)
	}
	if refusal := f.Service.AllowUpload(actor, max(up.Size, up.Offset+b.length)); refusal != nil {
		return up, refusal
	}
	offset, err := f.write(actor, up, b, p.sum)
	up.Offset = offset
	return up, err
}

// write moves a body into an upload and returns the durable offset, also
// beside an error.
func (f *files) write(actor chat.Actor, up blob.Upload, b *body, sum *blob.Checksum) (int64, error) {
	if !f.claim(up.ID, b) {
		return up.Offset, blob.ErrBusy
	}
	defer f.release(up.ID, b)
	defer b.watch()()
	var r io.Reader = b
	if up.Size < 0 {
		r = &meteredBody{body: b, at: up.Offset, next: up.Offset + quotaStep,
			allow: func(size int64) *wire.Error { return f.Service.AllowUpload(actor, size) }}
	}
	offset, err := f.Blobs.Append(context.Background(), up.ID, up.Offset, r, sum)
	if errors.Is(err, blob.ErrBusy) || errors.Is(err, blob.ErrNotFound) || errors.Is(err, blob.ErrAlgorithm) {
		offset = up.Offset // Append does not tell it then
	}
	return offset, err
}

// meteredBody looks at the quota while an upload without a length comes.
type meteredBody struct {
	*body
	at, next int64
	allow    func(size int64) *wire.Error
}

// Read implements io.Reader.
func (m *meteredBody) Read(p []byte) (int, error) {
	if m.at >= m.next {
		if refusal := m.allow(m.at); refusal != nil {
			return 0, refusal
		}
		m.next = m.at + quotaStep
	}
	n, err := m.body.Read(p)
	m.at += int64(n)
	return n, err
}

// claim makes a body the writer of an upload; false: there is one.
func (f *files) claim(upload string, b *body) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.writers[upload] != nil {
		return false
	}
	b.freed = make(chan struct{})
	f.writers[upload] = b
	f.receiving.Inc()
	return true
}

func (f *files) release(upload string, b *body) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.writers, upload)
	f.receiving.Dec()
	close(b.freed)
}

// replace ends the request that writes to an upload, when it has waited for
// bytes for so long: a phone that changed its network comes back on a new
// connection while the old one still looks alive. What had arrived is durable
// afterwards.
func (f *files) replace(upload string, silence time.Duration) {
	f.mu.Lock()
	b := f.writers[upload]
	f.mu.Unlock()
	if b == nil || b.silent() < silence {
		return
	}
	b.stop(errReplaced)
	timeout := time.NewTimer(storeTimeout) // a sync of a slow disk
	defer timeout.Stop()
	select {
	case <-b.freed:
	case <-timeout.C:
	}
}

// store makes a complete upload a file. The same upload again gives the same
// file.
func (f *files) store(actor chat.Actor, up blob.Upload) (wire.File, error) {
	defer f.Blobs.Hold()()
	digest, size, err := f.Blobs.Finish(up.ID)
	if err != nil {
		return wire.File{}, err
	}
	duration, _ := readDuration(up.Meta[wire.MetaDuration]) // checked at creation
	r := record.File{
		Name:     filename.Sanitize(up.Meta[wire.MetaName]),
		Size:     size,
		SHA256:   digest[:],
		Duration: duration,
		Voice:    up.Meta[wire.MetaVoice] == "1",
		Owner:    actor.User,
		Created:  f.Now().UnixMilli(),
		Upload:   up.ID,
	}
	if actor.Operator {
		r.Owner, r.Upload, _ = importOf(up.Meta) // checked at creation
	}
	if err := Inspect(f.Blobs, &r, up.Meta[wire.MetaType]); err != nil {
		return wire.File{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	file, refusal := f.Service.StoreFile(ctx, actor, r)
	if refusal != nil {
		return wire.File{}, refusal
	}
	return file, nil
}

// importOf reads whose an imported file is and the name of its upload.
func importOf(meta map[string]string) (owner id.ID, upload string, ok bool) {
	owner, err := id.Parse(meta[wire.MetaOwner])
	name := meta[wire.MetaImport]
	return owner, wire.ImportUpload(name), err == nil && owner != 0 && name != "" && len(name) <= 64
}

// Inspect looks at the content of a file whose SHA-256 is set: its type, and
// the size of a picture. What was declared counts only where the content
// agrees.
func Inspect(blobs *blob.Store, r *record.File, declared string) error {
	content, err := blobs.OpenBlob(blob.Digest(r.SHA256))
	if err != nil {
		return err
	}
	defer content.Close()
	var inline bool
	if r.Type, inline, err = contentType(content, declared, r.Name); err != nil {
		return err
	}
	if !inline || !picture(r.Type) {
		return nil
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return err
	}
	// A picture too large to decode has a size nevertheless; a broken one is a
	// file like any other.
	if w, h, _, err := thumbnail.Probe(content); err == nil || errors.Is(err, thumbnail.ErrTooLarge) {
		r.Width, r.Height = w, h
	}
	return nil
}
