package gate

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

func TestUploadConversation(t *testing.T) {
	d := openDepot(t, nil)
	data := noise(300_000)

	a := d.do(ann, "OPTIONS", "/api/uploads", nil, "Tus-Resumable: ")
	d.want(a, 204, "")
	for name, want := range map[string]string{"Tus-Version": "1.0.0", "Tus-Max-Size": "4294967296", "Tus-Checksum-Algorithm": "sha256,sha1,md5",
		"Tus-Extension": "creation,creation-with-upload,creation-defer-length,expiration,checksum,termination"} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	m := meta("filename", "录音 1.bin", "filetype", "x/y", "voice", "1", "duration_ms", "4200", "other", "kept")
	a = d.want(d.do(ann, "POST", "/api/uploads", nil, "Upload-Length: 300000", m), 201, "")
	path := a.header.Get("Location")
	if when, err := http.ParseTime(a.header.Get("Upload-Expires")); err != nil || !when.Equal(d.now.Add(uploadLife).Truncate(time.Second)) {
		t.Error(when, err)
	}

	d.want(d.patch(path, 0, data[:100_000]), 204, "")
	a = d.want(d.do(ann, "HEAD", path, nil), 200, "")
	for name, want := range map[string]string{"Upload-Offset": "100000", "Upload-Length": "300000", "Cache-Control": "no-store",
		"Tus-Resumable": "1.0.0", "Posthouse-File": ""} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := a.header.Get("Upload-Metadata"); !strings.Contains(got, "other a2VwdA==") {
		t.Error(got)
	}
	a = d.want(d.do(ann, "GET", path, nil, "Tus-Resumable: "), 200, "")
	if want := `{"offset":100000,"size":300000,"expires":`; !strings.HasPrefix(a.body, want) {
		t.Error(a.body)
	}

	a = d.want(d.patch(path, 100_000, data[100_000:]), 204, "")
	file := a.header.Get("Posthouse-File")
	if a.header.Get("Upload-Offset") != "300000" || file == "" || a.body != "" {
		t.Fatal(a)
	}
	d.content(file, data)
	// Asked again in every way it is the same file.
	for _, again := range []answer{d.do(ann, "HEAD", path, nil), d.do(ann, "GET", path, nil), d.patch(path, 300_000, nil)} {
		if again.header.Get("Posthouse-File") != file {
			t.Error(again)
		}
	}
	got := d.file(d.do(ann, "GET", path, nil))
	if got.Name != "录音 1.bin" || !got.Voice || got.Duration != 4200 || got.Type != "application/octet-stream" || got.Size != 300_000 {
		t.Errorf("%+v", got)
	}
	if d.shelf.stored != 1 {
		t.Error("stored", d.shelf.stored)
	}
	d.want(d.patch(path, 300_000, []byte("more")), 403, wire.Forbidden)
	d.want(d.do(ann, "DELETE", path, nil), 204, "")
	d.want(d.do(ann, "GET", path, nil), 404, wire.NotFound)
	d.content(file, data)
}

// An upload is one action, whether it comes in one request or in three, and one
// more for each refusal; those of virtual users are in no figure.
func TestUploadsAreCountedOnce(t *testing.T) {
	counted := map[string]int{}
	d := openDepot(t, func(o *fileOptions) {
		o.Virtual = func(user id.ID) bool { return user == 2 }
		o.Acted = func(action string, status int, _ time.Duration) { counted[action+" "+strconv.Itoa(status)]++ }
	})
	data := noise(3000)
	path := d.want(d.do(ann, "POST", "/api/uploads", nil, "Upload-Length: 3000"), 201, "").header.Get("Location")
	d.want(d.patch(path, 0, data[:1000]), 204, "")
	d.want(d.patch(path, 0, data[:1000]), 409, wire.Conflict)
	d.want(d.patch(path, 1000, data[1000:]), 204, "")
	d.want(d.patch(path, 3000, []byte("more")), 403, wire.Forbidden)
	file := d.put("a.bin", "", data)
	d.content(file.ID.String(), data)
	path = d.want(d.do("2", "POST", "/api/uploads", bytes.NewReader(data), octets, "Upload-Length: 3000"), 201, "").header.Get("Posthouse-File")
	d.want(d.do("2", "GET", "/files/"+path+"/a", nil), 200, "")
	if want := map[string]int{"upload 204": 1, "upload 201": 1, "upload 403": 1}; !maps.Equal(counted, want) {
		t.Errorf("counted %v, want %v", counted, want)
	}
	p := d.f.people
	if f, r, s := p.finished.Get(), p.received.Get(), p.sent.Get(); f != 2 || r < 6000 || r > 7100 || s != 3000 {
		t.Errorf("%d finished, %d bytes received, %d sent", f, r, s)
	}
}

func TestUploadInOneRequest(t *testing.T) {
	d := openDepot(t, nil)
	data := noise(3 << 20)
	file := d.put("a.bin", "", data)
	d.content(file.ID.String(), data)
	empty := d.put("leer.txt", "", nil)
	d.content(empty.ID.String(), nil)
	if empty.Size != 0 || empty.Name != "leer.txt" {
		t.Errorf("%+v", empty)
	}
	// A beginning alone is an upload like any other.
	a := d.want(d.do(ann, "POST", "/api/uploads", bytes.NewReader(data[:10]), octets, "Upload-Length: 20"), 201, "")
	if a.header.Get("Upload-Offset") != "10" || a.header.Get("Posthouse-File") != "" {
		t.Error(a)
	}
	d.want(d.patch(a.header.Get("Location"), 10, data[10:20]), 204, "")
	// A POST whose body breaks is taken back: nobody knows its address.
	c := d.raw()
	c.say("POST /api/uploads HTTP/1.1\r\nHost: x\r\nTest-User: 1\r\nTus-Resumable: 1.0.0\r\n" + octets +
		"\r\nUpload-Length: 100000\r\nContent-Length: 100000\r\n\r\n" + string(data[:50_000]))
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	d.want(c.answer(), 400, wire.InvalidRequest)
	if left := d.f.Blobs.Uploads(1); len(left) != 0 {
		t.Error(left)
	}
}

func TestUploadResumesAfterABreak(t *testing.T) {
	d := openDepot(t, nil)
	data := noise(1 << 20)
	path := d.create(1 << 20)

	half := d.raw().begin(path, 0, "Content-Length: 1048576", data[:400_000])
	if err := half.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	a := d.want(half.answer(), 400, wire.InvalidRequest)
	if a.header.Get("Upload-Offset") != "400000" {
		t.Error(a)
	}
	reset := d.raw().begin(path, 400_000, "Transfer-Encoding: chunked", append([]byte("186a0\r\n"), data[400_000:450_000]...))
	b := d.writing(path)
	if err := reset.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	_ = reset.Close()
	<-b.freed
	a = d.do(ann, "HEAD", path, nil)
	if a.header.Get("Upload-Offset") != "450000" {
		t.Fatal(a)
	}
	a = d.want(d.patch(path, 450_000, data[450_000:]), 204, "")
	d.content(a.header.Get("Posthouse-File"), data)
}

func TestUploadTooSlow(t *testing.T) {
	d := openDepot(t, nil)
	d.f.pace.window, d.f.pace.bytes = 100*time.Millisecond, 64<<10
	path := d.create(1 << 20)
	data := noise(20_000)
	c := d.raw().begin(path, 0, "Content-Length: 1048576", data)
	a := d.want(c.answer(), 408, wire.InvalidRequest)
	if a.header.Get("Upload-Offset") != "20000" || !a.last {
		t.Error(a)
	}
	// Enough of every window may take for ever.
	slow := &body{files: d.f, counts: d.f.people, left: 100 * time.Millisecond}
	for range 10_000 {
		if slow.account(64<<10, 90*time.Millisecond); slow.left != 100*time.Millisecond {
			t.Fatal("a body that keeps the pace was not granted more")
		}
	}
}

func TestSilentWriterIsReplaced(t *testing.T) {
	d := openDepot(t, nil)
	d.f.silence = 0
	data := noise(100_000)
	path := d.create(100_000)
	old := d.raw().begin(path, 0, "Content-Length: 100000", data[:30_000])
	d.writing(path)
	a := d.do(ann, "HEAD", path, nil)
	if a.header.Get("Upload-Offset") != "30000" {
		t.Fatal(a)
	}
	d.want(old.answer(), 409, wire.Conflict)
	old = d.raw().begin(path, 30_000, "Content-Length: 70000", data[30_000:60_000])
	d.writing(path)
	d.want(d.patch(path, 30_000, data[30_000:]), 409, wire.Conflict)
	d.want(old.answer(), 409, wire.Conflict)
	a = d.want(d.patch(path, 60_000, data[60_000:]), 204, "")
	d.content(a.header.Get("Posthouse-File"), data)
}

func TestUploadHasOneWriter(t *testing.T) {
	d := openDepot(t, nil)
	data := noise(100_000)
	path := d.create(100_000)
	c := d.raw().begin(path, 0, "Content-Length: 100000", data[:10_000])
	b := d.writing(path)
	d.want(d.patch(path, 0, data), 423, wire.Conflict)
	d.want(d.do(ann, "DELETE", path, nil), 204, "") // wins over a writer
	<-b.freed
	d.want(c.answer(), 409, wire.Conflict)
	d.want(d.do(ann, "HEAD", path, nil), 404, "")

	path = d.create(100_000)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := map[int]int{}
	for range 8 {
		wg.Go(func() {
			a := d.patch(path, 0, data)
			mu.Lock()
			defer mu.Unlock()
			won[a.status]++
		})
	}
	wg.Wait()
	if won[204] != 1 || won[409]+won[423] != 7 {
		t.Error(won)
	}
	d.content(d.do(ann, "HEAD", path, nil).header.Get("Posthouse-File"), data)
}

func TestUploadRefusals(t *testing.T) {
	d := openDepot(t, nil)
	data := noise(1000)
	path := d.create(1000)
	length := "Upload-Length: 10"
	for name, f := range map[string]struct {
		a      answer
		status int
		kind   wire.Kind
	}{
		"no version":          {d.do(ann, "POST", "/api/uploads", nil, length, "Tus-Resumable: "), 412, wire.InvalidRequest},
		"other version":       {d.do(ann, "HEAD", path, nil, "Tus-Resumable: 0.2.2"), 412, ""},
		"nobody":              {d.do("0", "POST", "/api/uploads", nil, length), 403, wire.Forbidden},
		"no length":           {d.do(ann, "POST", "/api/uploads", nil), 400, wire.InvalidRequest},
		"both lengths":        {d.do(ann, "POST", "/api/uploads", nil, length, "Upload-Defer-Length: 1"), 400, wire.InvalidRequest},
		"negative length":     {d.do(ann, "POST", "/api/uploads", nil, "Upload-Length: -1"), 400, wire.InvalidRequest},
		"length past int64":   {d.do(ann, "POST", "/api/uploads", nil, "Upload-Length: 9223372036854775808"), 400, wire.InvalidRequest},
		"metadata":            {d.do(ann, "POST", "/api/uploads", nil, length, "Upload-Metadata: filename %%%"), 400, wire.InvalidRequest},
		"metadata not UTF-8":  {d.do(ann, "POST", "/api/uploads", nil, length, meta("filename", "\xff\xfe")), 400, wire.InvalidRequest},
		"metadata too large":  {d.do(ann, "POST", "/api/uploads", nil, length, "Upload-Metadata: "+strings.Join(strings.Split("abcdefghijklmnopqrstuvwxyz0123456789", ""), ",")), 413, wire.TooLarge},
		"duration":            {d.do(ann, "POST", "/api/uploads", nil, length, meta("duration_ms", "-5")), 400, wire.InvalidParams},
		"too large":           {d.do(ann, "POST", "/api/uploads", nil, "Upload-Length: 4294967297"), 413, wire.TooLarge},
		"multipart":           {d.do(ann, "POST", "/api/uploads", strings.NewReader("--x"), length, "Content-Type: multipart/form-data; boundary=x"), 415, wire.InvalidRequest},
		"body past length":    {d.do(ann, "POST", "/api/uploads", strings.NewReader("01234567890"), length, octets), 413, wire.TooLarge},
		"wrong type":          {d.patch(path, 0, data, "Content-Type: text/plain"), 415, wire.InvalidRequest},
		"no offset":           {d.do(ann, "PATCH", path, nil, octets), 400, wire.InvalidRequest},
		"wrong offset":        {d.patch(path, 1, data[:10]), 409, wire.Conflict},
		"past the end":        {d.patch(path, 0, append(data, 'x')), 413, wire.TooLarge},
		"other length":        {d.patch(path, 0, data, "Upload-Length: 1001"), 400, wire.InvalidRequest},
		"unknown checksum":    {d.patch(path, 0, data, "Upload-Checksum: crc32 AAAA"), 400, wire.InvalidRequest},
		"unreadable checksum": {d.patch(path, 0, data, "Upload-Checksum: md5 AAAA"), 400, wire.InvalidRequest},
		"foreign HEAD":        {d.do(bo, "HEAD", path, nil), 404, ""},
		"foreign GET":         {d.do(bo, "GET", path, nil), 404, wire.NotFound},
		"foreign PATCH":       {d.do(bo, "PATCH", path, bytes.NewReader(data), octets, "Upload-Offset: 0"), 404, wire.NotFound},
		"foreign DELETE":      {d.do(bo, "DELETE", path, nil), 404, wire.NotFound},
		"traversal":           {d.do(ann, "GET", "/api/uploads/..%2f..%2fetc%2fpasswd", nil), 404, wire.NotFound},
		"double traversal":    {d.do(ann, "GET", "/api/uploads/%252e%252e%252fx", nil), 404, wire.NotFound},
		"upper case id":       {d.do(ann, "HEAD", "/api/uploads/"+strings.Repeat("A", 32), nil), 404, ""},
		"PUT":                 {d.do(ann, "PUT", path, nil), 405, wire.InvalidRequest},
		"GET of all":          {d.do(ann, "GET", "/api/uploads", nil), 405, wire.InvalidRequest},
		"override of a GET":   {d.do(ann, "GET", path, nil, "X-HTTP-Method-Override: DELETE"), 200, ""},
		"POST to an upload":   {d.do(ann, "POST", path, nil), 405, wire.InvalidRequest},
	} {
		if f.a.status != f.status || f.a.kind() != f.kind {
			t.Errorf("%s: got %d %s %q, want %d %s", name, f.a.status, f.a.kind(), f.a.body, f.status, f.kind)
		}
	}
	a := d.do(ann, "POST", "/api/uploads", nil, "Accept-Language: zh-CN,zh;q=0.9")
	if !strings.Contains(a.body, "请发送") {
		t.Error(a.body)
	}
	if got := d.do(ann, "HEAD", path, nil).header.Get("Upload-Offset"); got != "0" {
		t.Error("refusals moved the offset to", got)
	}
	if n := len(d.f.Blobs.Uploads(1)); n != 1 {
		t.Error("uploads left by refusals:", n)
	}
	d.want(d.do(ann, "POST", path, bytes.NewReader(data), octets, "Upload-Offset: 0", "X-HTTP-Method-Override: PATCH"), 204, "")
	d.want(d.do(ann, "POST", path, nil, "X-HTTP-Method-Override: DELETE"), 204, "")
}

func TestUploadChecksums(t *testing.T) {
	d := openDepot(t, nil)
	data := noise(5000)
	s1, s2, s5 := sha1.Sum(data[:1000]), sha256.Sum256(data[1000:3000]), md5.Sum(data[3000:])
	sum := func(algo string, b []byte) string {
		return "Upload-Checksum: " + algo + " " + base64.StdEncoding.EncodeToString(b)
	}
	path := d.create(5000)
	d.want(d.patch(path, 0, data[1:1001], sum("sha1", s1[:])), 460, wire.InvalidRequest)
	a := d.want(d.patch(path, 0, data[:1000], sum("sha1", s1[:])), 204, "")
	if a.header.Get("Upload-Offset") != "1000" {
		t.Error(a)
	}
	d.want(d.patch(path, 1000, data[1000:3000], sum("sha256", s1[:])), 400, wire.InvalidRequest)
	d.want(d.patch(path, 1000, data[1000:3000], sum("sha256", s2[:])), 204, "")
	// A chunk that breaks cannot be compared: none of it is kept.
	c := d.raw().begin(path, 3000, "Content-Length: 2000\r\n"+sum("md5", s5[:]), data[3000:4000])
	_ = c.CloseWrite()
	if a, err := http.ReadResponse(c.r, nil); err == nil { // fasthttp answers itself: under 8 KiB the body is read first
		_ = a.Body.Close()
	}
	a = d.want(d.patch(path, 3000, data[3000:], sum("md5", s5[:])), 204, "")
	d.content(a.header.Get("Posthouse-File"), data)
}

func TestUploadWithoutLength(t *testing.T) {
	d := openDepot(t, nil)
	data := noise(100_000)
	a := d.want(d.do(ann, "POST", "/api/uploads", nil, "Upload-Defer-Length: 1"), 201, "")
	path := a.header.Get("Location")
	d.want(d.patch(path, 0, data[:60_000]), 204, "")
	a = d.want(d.do(ann, "HEAD", path, nil), 200, "")
	if a.header.Get("Upload-Defer-Length") != "1" || a.header.Get("Upload-Length") != "" || a.header.Get("Upload-Offset") != "60000" {
		t.Error(a)
	}
	d.want(d.patch(path, 60_000, nil, "Upload-Length: 5000000000"), 413, wire.TooLarge)
	d.want(d.patch(path, 60_000, nil, "Upload-Length: 59999"), 400, wire.InvalidRequest)
	d.want(d.patch(path, 60_000, data[60_000:90_000], "Upload-Length: 100000"), 204, "")
	d.want(d.patch(path, 90_000, nil, "Upload-Length: 100001"), 400, wire.InvalidRequest)
	a = d.want(d.patch(path, 90_000, data[90_000:]), 204, "")
	d.content(a.header.Get("Posthouse-File"), data)
	// The length may also come when everything is there.
	path = d.want(d.do(ann, "POST", "/api/uploads", bytes.NewReader(data), octets, "Upload-Defer-Length: 1"), 201, "").header.Get("Location")
	a = d.want(d.patch(path, 100_000, nil, "Upload-Length: 100000"), 204, "")
	d.content(a.header.Get("Posthouse-File"), data)
	// Bytes of unknown number stop at the quota.
	d.shelf.quota = 20 << 20
	path = d.want(d.do(ann, "POST", "/api/uploads", nil, "Upload-Defer-Length: 1"), 201, "").header.Get("Location")
	a = d.do(ann, "PATCH", path, io.MultiReader(bytes.NewReader(make([]byte, 40<<20))), octets, "Upload-Offset: 0")
	d.want(a, 413, wire.QuotaExceeded)
}

func TestUploadQuota(t *testing.T) {
	d := openDepot(t, nil)
	d.shelf.quota = 10_000
	d.put("a", "", noise(4000))
	d.want(d.do(ann, "POST", "/api/uploads", nil, "Upload-Length: 7000"), 413, wire.QuotaExceeded)
	first, second := d.create(3000), d.create(3000)
	d.want(d.do(ann, "POST", "/api/uploads", nil, "Upload-Length: 1"), 413, wire.QuotaExceeded) // beside those
	d.want(d.patch(first, 0, noise(3000)), 204, "")
	d.shelf.mu.Lock()
	d.shelf.quota = 8000 // while it was on its way
	d.shelf.mu.Unlock()
	d.want(d.patch(second, 0, noise(3000)), 413, wire.QuotaExceeded)
	d.shelf.mu.Lock()
	d.shelf.quota = 1 << 30
	d.shelf.mu.Unlock()
	d.want(d.patch(second, 0, noise(3000)), 204, "")
	for range uploadsOpen {
		d.create(1)
	}
	d.want(d.do(ann, "POST", "/api/uploads", nil, "Upload-Length: 1"), 413, wire.QuotaExceeded)
}

// A crash or a refusal between the last byte and the record heals: whoever
// asks next makes it a file.
func TestCompleteUploadBecomesAFileLater(t *testing.T) {
	d := openDepot(t, nil)
	data := noise(2000)
	for _, method := range []string{"HEAD", "GET", "PATCH"} {
		path := d.create(2000)
		d.shelf.refusal = wire.Refuse(wire.Unavailable, "read-only", "只读")
		a := d.want(d.patch(path, 0, data), 503, wire.Unavailable)
		if a.header.Get("Upload-Offset") != "2000" {
			t.Error(a)
		}
		a = d.do(ann, method, path, nil, octets, "Upload-Offset: 2000")
		d.content(a.header.Get("Posthouse-File"), data)
	}
}

func TestUploadWhenTheDiskIsFull(t *testing.T) {
	d := openDepot(t, nil)
	data := noise(1000)
	path := d.create(1000)
	d.want(d.patch(path, 0, data[:500]), 204, "")
	d.room(-1)
	a := d.want(d.patch(path, 500, data[500:], "Accept-Language: zh"), 507, wire.Unavailable)
	if !strings.Contains(a.body, "磁盘已满") || a.header.Get("Upload-Offset") != "500" {
		t.Error(a)
	}
	d.want(d.do(ann, "POST", "/api/uploads", nil, "Upload-Length: 1"), 507, wire.Unavailable)
	d.room(1 << 40)
	a = d.want(d.patch(path, 500, data[500:]), 204, "")
	d.content(a.header.Get("Posthouse-File"), data)
}

func TestUploadExpires(t *testing.T) {
	d := openDepot(t, nil)
	path := d.create(1000)
	d.want(d.patch(path, 0, noise(500)), 204, "")
	d.pass(uploadLife - time.Second)
	d.want(d.do(ann, "HEAD", path, nil), 200, "")
	d.pass(2 * time.Second)
	d.want(d.do(ann, "HEAD", path, nil), 404, "")
	d.want(d.patch(path, 500, noise(500)), 404, wire.NotFound)
}

func TestUploadWhenTheServerStops(t *testing.T) {
	d := openDepot(t, nil)
	path := d.create(100_000)
	c := d.raw().begin(path, 0, "Content-Length: 100000", noise(40_000))
	d.writing(path)
	if err := d.server.Shutdown(); err != nil {
		t.Fatal(err)
	}
	d.want(c.answer(), 503, wire.Unavailable)
	up := d.f.Blobs.Uploads(1)
	if len(up) != 1 || up[0].Offset != 40_000 {
		t.Error(up)
	}
}

// Declared lengths cost nothing: neither that of the upload nor of the body.
func TestDeclaredLengthIsNotAllocated(t *testing.T) {
	d := openDepot(t, nil)
	d.shelf.quota = 1 << 40
	var paths []string
	for range 20 {
		paths = append(paths, d.create(4<<30))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var conns []*rawConn
	for _, path := range paths {
		conns = append(conns, d.raw().begin(path, 0, "Content-Length: 4294967296", noise(9000)))
	}
	for _, path := range paths {
		d.writing(path)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 16<<20 {
		t.Errorf("20 bodies of 9,000 bytes allocated %d bytes", grown)
	} else {
		t.Logf("%d bytes allocated", grown)
	}
	for _, c := range conns {
		_ = c.CloseWrite()
		d.want(c.answer(), 400, wire.InvalidRequest)
	}
}

// What a refused body holds is never taken for a request.
func TestRefusedBodyIsNotTheNextRequest(t *testing.T) {
	d := openDepot(t, nil)
	inner := "DELETE /api/uploads/x HTTP/1.1\r\nHost: x\r\nTest-User: 1\r\nTus-Resumable: 1.0.0\r\n\r\n"
	for _, size := range []int{len(inner), 100_000} {
		c := d.raw()
		data := strings.Repeat(inner, size/len(inner)+1)[:size]
		c.begin("/api/uploads/none", 0, fmt.Sprintf("Content-Length: %d", size), []byte(data))
		c.say("OPTIONS /api/uploads HTTP/1.1\r\nHost: x\r\n\r\n")
		d.want(c.answer(), 404, wire.NotFound)
		d.want(c.answer(), 204, "")
	}
	c := d.raw().begin("/api/uploads/none", 0, "Content-Length: 9999999999", []byte(strings.Repeat(inner, 1000)))
	if a := d.want(c.answer(), 404, wire.NotFound); !a.last {
		t.Error(a)
	}
	if _, err := c.r.ReadByte(); err == nil {
		t.Error("a second answer")
	}
}
