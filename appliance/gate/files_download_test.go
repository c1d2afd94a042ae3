package gate

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"posthouse/appliance/blob"
	"posthouse/appliance/chat"
	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/thumbnail"
	"posthouse/appliance/wire"
)

func picturePNG(t testing.TB, w, h int) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetNRGBA(x, y, color.NRGBA{byte(x), byte(y), byte(x ^ y), 255})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// What a browser could run is never served as what it is.
func TestDownloadsAreHarmless(t *testing.T) {
	d := openDepot(t, nil)
	html := "<html><script>alert(1)</script></html>"
	small := string(picturePNG(t, 3, 2))
	for _, f := range []struct {
		name, declared, data string
		kind, disposition    string
	}{
		{"a.png", "image/png", small, "image/png", `inline; filename="a.png"`},
		{"a.html", "text/html", html, "application/octet-stream", `attachment; filename="a.html"`},
		{"a.png", "image/png", html, "application/octet-stream", `attachment; filename="a.png"`},
		{"a.html", "image/png", small + html, "image/png", `inline; filename="a.html"`},
		{"a.svg", "image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`, "application/octet-stream", `attachment; filename="a.svg"`},
		{"a.xml", "text/xml", `<?xml version="1.0"?><?xml-stylesheet href="x.xsl"?><x/>`, "application/octet-stream", `attachment; filename="a.xml"`},
		{"a.pdf", "application/pdf", "%PDF-1.7 /JS", "application/octet-stream", `attachment; filename="a.pdf"`},
		{"a.txt", "text/plain", html, "application/octet-stream", `attachment; filename="a.txt"`},
		{"a.js", "text/javascript", "alert(1)", "application/octet-stream", `attachment; filename="a.js"`},
		{"a.txt", "", "plain words", "text/plain; charset=utf-8", `inline; filename="a.txt"`},
		{"a.png", "image/png", "\x7fELF\x02\x01\x01", "application/octet-stream", `attachment; filename="a.png"`},
		{"../../etc/cron.d/x", "", "x", "application/octet-stream", `attachment; filename="x"`},
		{`a\..\b`, "", "x", "application/octet-stream", `attachment; filename="b"`},
		{"con", "", "x", "application/octet-stream", `attachment; filename="_con"`},
		{"a\r\nSet-Cookie: x=1", "", "x", "application/octet-stream", `attachment; filename="aSet-Cookie_ x=1"`},
		{`";x="`, "", "x", "application/octet-stream", `attachment; filename="_;x=_"`},
		{"gpj.\u202eexe.txt", "", "\x00", "application/octet-stream", `attachment; filename="gpj.exe.txt"`},
		{"", "", "x", "application/octet-stream", `attachment; filename="file"`},
		{"报告.txt", "", "好", "text/plain; charset=utf-8", `inline; filename="__.txt"; filename*=UTF-8''%E6%8A%A5%E5%91%8A.txt`},
	} {
		file := d.put(f.name, f.declared, []byte(f.data))
		a := d.want(d.do(ann, "GET", "/files/"+file.ID.String()+"/x.html", nil), 200, "")
		for name, want := range map[string]string{
			"Content-Type": f.kind, "Content-Disposition": f.disposition,
			"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff",
			"Cross-Origin-Resource-Policy": "same-origin", "Set-Cookie": "",
			"Cache-Control": "private, max-age=31536000, immutable",
		} {
			if got := a.header.Get(name); got != want {
				t.Errorf("%q as %q: %s: %q", f.name, f.declared, name, got)
			}
		}
		if a.body != f.data {
			t.Errorf("%q: other content", f.name)
		}
		a = d.do(ann, "GET", "/files/"+file.ID.String()+"?download=1", nil)
		if got := a.header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment;") {
			t.Errorf("%q: %s", f.name, got)
		}
	}
	long := d.put(strings.Repeat("长", 700)+".txt", "", []byte("x"))
	if len(long.Name) > 255 || !strings.HasSuffix(long.Name, ".txt") {
		t.Error(long.Name)
	}
}

func TestDownloadRanges(t *testing.T) {
	d := openDepot(t, nil)
	data := noise(1000)
	path := "/files/" + d.put("a.bin", "", data).ID.String() + "/a.bin"
	tag := d.do(ann, "HEAD", path, nil).header.Get("ETag")
	huge := strings.Repeat("9", 30)
	for _, f := range []struct {
		field    string
		status   int
		from, to int // of the body
	}{
		{"bytes=0-0", 206, 0, 1},
		{"bytes=0-", 206, 0, 1000},
		{"bytes=990-", 206, 990, 1000},
		{"bytes=10-19", 206, 10, 20},
		{"bytes=10-" + huge, 206, 10, 1000},
		{"bytes=-10", 206, 990, 1000},
		{"bytes=-2000", 206, 0, 1000},
		{"bytes=-" + huge, 206, 0, 1000},
		{"BYTES=1-2", 206, 1, 3},
		{"bytes=1000-", 416, 0, 0},
		{"bytes=" + huge + "-", 416, 0, 0},
		{"bytes=-0", 416, 0, 0},
		{"bytes=20-10", 200, 0, 1000},
		{"bytes=-", 200, 0, 1000},
		{"bytes=", 200, 0, 1000},
		{"bytes=a-b", 200, 0, 1000},
		{"bytes=--5", 200, 0, 1000},
		{"bytes=+1-2", 200, 0, 1000},
		{"bytes=0x1-2", 200, 0, 1000},
		{"bytes=1-2,5-6", 200, 0, 1000},
		{"lines=1-2", 200, 0, 1000},
		{"1-2", 200, 0, 1000},
	} {
		a := d.do(ann, "GET", path, nil, "Range: "+f.field)
		want := string(data[f.from:f.to])
		if f.status == 416 {
			want = a.body
			d.want(a, 416, wire.InvalidRequest)
			if a.header.Get("Content-Range") != "bytes */1000" {
				t.Error(f.field, a.header)
			}
		}
		if f.status == 206 && a.header.Get("Content-Range") != fmt.Sprintf("bytes %d-%d/1000", f.from, f.to-1) {
			t.Error(f.field, a.header)
		}
		if a.status != f.status || a.body != want || a.header.Get("Accept-Ranges") != "bytes" {
			t.Errorf("%q: %d, %d bytes", f.field, a.status, len(a.body))
		}
	}
	for _, f := range []struct {
		ifRange string
		status  int
	}{{tag, 206}, {`"other"`, 200}, {"W/" + tag, 200}, {"Sun, 06 Nov 1994 08:49:37 GMT", 200}} {
		if a := d.do(ann, "GET", path, nil, "Range: bytes=1-2", "If-Range: "+f.ifRange); a.status != f.status {
			t.Error(f.ifRange, a.status)
		}
	}
	a := d.do(ann, "HEAD", path, nil, "Range: bytes=1-2")
	if a.status != 200 || a.header.Get("Content-Length") != "1000" || a.body != "" {
		t.Error(a)
	}
	empty := "/files/" + d.put("e", "", nil).ID.String()
	if a := d.do(ann, "GET", empty, nil, "Range: bytes=0-"); a.status != 200 || a.body != "" {
		t.Error(a)
	}
}

func TestDownloadConditions(t *testing.T) {
	d := openDepot(t, nil)
	path := "/files/" + d.put("a.bin", "", noise(1000)).ID.String() + "/a.bin"
	tag := d.do(ann, "HEAD", path, nil).header.Get("ETag")
	for _, f := range []struct {
		list   string
		status int
	}{{tag, 304}, {"W/" + tag, 304}, {`"x", ` + tag, 304}, {"*", 304}, {`"x"`, 200}, {strings.Trim(tag, `"`), 200}} {
		a := d.do(ann, "GET", path, nil, "If-None-Match: "+f.list)
		if a.status != f.status || a.header.Get("ETag") != tag || (f.status == 304) != (a.body == "") {
			t.Error(f.list, a)
		}
	}
}

func TestDownloadRefusals(t *testing.T) {
	d := openDepot(t, nil)
	data := noise(1000)
	file := d.put("a.bin", "", data)
	path := "/files/" + file.ID.String()
	for _, f := range []struct {
		user, method, path string
		status             int
		kind               wire.Kind
	}{
		{bo, "GET", path, 404, wire.NotFound},
		{bo, "GET", path + "/thumbnail/64", 404, wire.NotFound},
		{bo, "HEAD", path, 404, ""},
		{ann, "GET", "/files/", 404, wire.NotFound},
		{ann, "GET", "/files/x", 404, wire.NotFound},
		{ann, "GET", "/files/" + id.ID(77).String(), 404, wire.NotFound},
		{ann, "GET", "/files/..%2f..%2fetc/passwd", 404, wire.NotFound},
		{ann, "POST", path, 405, wire.InvalidRequest},
		{ann, "DELETE", path, 405, wire.InvalidRequest},
		{ann, "GET", path + "/thumbnail/64", 404, wire.NotFound},
	} {
		a := d.do(f.user, f.method, f.path, nil)
		if a.status != f.status || a.kind() != f.kind {
			t.Errorf("%s %s: %d %q", f.method, f.path, a.status, a.body)
		}
		if got := a.header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s %s: %q", f.method, f.path, got)
		}
	}
	d.want(d.do(ann, "GET", path+"/thumbnail", nil), 200, "") // a name
	// Content that is gone or short is said, not served.
	d.shelf.mu.Lock()
	r := d.shelf.files[file.ID]
	r.Size++
	d.shelf.files[file.ID] = r
	d.shelf.mu.Unlock()
	a := d.want(d.do(ann, "GET", path, nil), 500, wire.Internal)
	if a.header.Get("Cache-Control") != "no-store" || a.header.Get("ETag") != "" {
		t.Error(a.header)
	}
}

// TestThumbnailChild is the process that makes thumbnails when the test binary
// is started with an edge.
func TestThumbnailChild(t *testing.T) {
	if flag.NArg() != 1 {
		t.Skip("not a child")
	}
	os.Exit(thumbnail.ChildMain(flag.Args(), os.Stdin, os.Stdout, os.Stderr))
}

func TestThumbnails(t *testing.T) {
	d := openDepot(t, func(o *fileOptions) {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		maker, err := thumbnail.NewMaker(filepath.Join(t.TempDir(), "thumbs"), exe, []string{"-test.run=^TestThumbnailChild$"})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(maker.Close)
		o.Thumbnails = maker
	})
	whole := picturePNG(t, 800, 400)
	file := d.put("a.png", "image/png", whole)
	if file.Width != 800 || file.Height != 400 {
		t.Errorf("%+v", file)
	}
	path := "/files/" + file.ID.String() + "/thumbnail/"
	for _, edge := range []string{"0", "65", "99999", "064", "-64", "64/x", ""} {
		d.want(d.do(ann, "GET", path+edge, nil), 404, wire.NotFound)
	}
	text := d.put("a.txt", "", []byte("words"))
	d.want(d.do(ann, "GET", "/files/"+text.ID.String()+"/thumbnail/64", nil), 404, wire.NotFound)
	broken := d.put("b.png", "image/png", whole[:len(whole)/2])
	a := d.want(d.do(ann, "GET", "/files/"+broken.ID.String()+"/thumbnail/64", nil, "Accept-Language: zh"), 422, wire.InvalidRequest)
	if !strings.Contains(a.body, "无法生成") || a.header.Get("ETag") != "" {
		t.Error(a)
	}
	if raceEnabled {
		t.Skip("a child with the race detector needs more memory than children get")
	}
	for edge, most := range map[string]int{"64": 64, "160": 160, "320": 320, "640": 640, "1280": 800} {
		a := d.want(d.do(ann, "GET", path+edge, nil), 200, "")
		c, _, err := image.DecodeConfig(strings.NewReader(a.body))
		if err != nil || c.Width > most || c.Width < 64 {
			t.Error(edge, err, c.Width, len(a.body))
		}
		for name, want := range map[string]string{"Content-Security-Policy": filePolicy, "X-Content-Type-Options": "nosniff", "Cache-Control": fileCache} {
			if got := a.header.Get(name); got != want {
				t.Error(name, got)
			}
		}
		if a := d.do(ann, "GET", path+edge, nil, "If-None-Match: "+a.header.Get("ETag")); a.status != 304 {
			t.Error(edge, a.status)
		}
		if a := d.do(ann, "HEAD", path+edge, nil); a.status != 200 || a.body != "" || a.header.Get("Content-Length") == "0" {
			t.Error(edge, a)
		}
	}
}

// The examples of the reference run as they stand.
func TestUploadDocRuns(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl")
	}
	d := openDepot(t, nil)
	doc := UploadDoc()
	script := func(text string) (all string) {
		for i, part := range strings.Split(text, "```") {
			if i%2 == 1 {
				all += strings.TrimPrefix(part, "sh\n")
			}
		}
		return all
	}
	if en, zh := script(doc.En), script(doc.Zh); len(strings.Split(en, "\n")) != len(strings.Split(zh, "\n")) {
		t.Error("the languages have different examples")
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{"report.pdf": noise(2 << 20), "film.mp4": noise(3 << 20)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-ec", script(doc.En))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "S=http://"+d.addr, "A=Test-User: 1")
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Count(string(out), `"file":{`) != 2 || d.shelf.stored != 2 {
		t.Errorf("%v, %d files:\n%s", err, d.shelf.stored, out)
	}
}

func BenchmarkDownload(b *testing.B) {
	d := openDepot(b, nil)
	path := "/files/" + d.put("a.bin", "", noise(64<<20)).ID.String()
	b.SetBytes(64 << 20)
	for b.Loop() {
		d.do(ann, "GET", path, nil)
	}
}

func BenchmarkUpload(b *testing.B) {
	d := openDepot(b, nil)
	d.shelf.quota = 1 << 50
	data := noise(64 << 20)
	b.SetBytes(64 << 20)
	for b.Loop() {
		d.put("a.bin", "", data)
	}
}

// porter is the fake service with files.
type porter struct {
	*fake
	shelf *shelf
}

func (p porter) AllowUpload(a chat.Actor, size int64) *wire.Error {
	return p.shelf.AllowUpload(a, size)
}
func (p porter) StoreFile(ctx context.Context, a chat.Actor, f record.File) (wire.File, *wire.Error) {
	return p.shelf.StoreFile(ctx, a, f)
}
func (p porter) OpenFile(a chat.Actor, file id.ID) (record.File, *wire.Error) {
	return p.shelf.OpenFile(a, file)
}

// Through the whole gate: its body limit, its deadlines and its headers.
func TestFilesThroughTheGate(t *testing.T) {
	f := newFake()
	bearer := "Authorization: Bearer " + f.device(7, 70)
	blobs, err := blob.Open(t.TempDir(), blob.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := open(Options{Blobs: blobs, Limits: Limits{ReadTimeout: 200 * time.Millisecond}}, porter{f, newShelf()})
	if err != nil {
		t.Fatal(err)
	}
	d := listen(t, func(ln net.Listener) error { return g.Serve(ln, LocalHTTP) }, g.Close)
	data := noise(5 << 20)
	a := d.want(d.do(ann, "POST", "/api/uploads", bytes.NewReader(data), bearer, octets, fmt.Sprintf("Upload-Length: %d", len(data))), 201, "")
	file := d.file(a)
	a = d.want(d.do(ann, "GET", "/files/"+file.ID.String()+"/a", nil, bearer), 200, "")
	if a.body != string(data) || a.header.Get("Content-Security-Policy") != filePolicy || a.header.Get("Cache-Control") != fileCache {
		t.Error(a.header)
	}
	d.want(d.do(ann, "GET", "/files/"+file.ID.String(), nil), 401, wire.Unauthenticated)
	a = d.want(d.do(ann, "PATCH", "/api/uploads/none", bytes.NewReader(data), bearer, octets, "Upload-Offset: 0"), 404, wire.NotFound)
	if a.header.Get("Posthouse-Trace") == "" || !strings.Contains(a.body, a.header.Get("Posthouse-Trace")) {
		t.Error(a)
	}
	// A pause longer than the time for a request is no end of an upload.
	up := d.want(d.do(ann, "POST", "/api/uploads", nil, bearer, "Upload-Length: 10000"), 201, "").header.Get("Location")
	c := d.raw()
	c.say("PATCH " + up + " HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\n" + bearer + "\r\n" + octets +
		"\r\nUpload-Offset: 0\r\nContent-Length: 10000\r\n\r\n" + string(data[:9_000]))
	pause := time.NewTimer(400 * time.Millisecond)
	defer pause.Stop()
	<-pause.C
	c.say(string(data[9_000:10_000]))
	if a := d.want(c.answer(), 204, ""); a.header.Get("Posthouse-File") == "" {
		t.Error(a)
	}
}
