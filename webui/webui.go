package webui

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"path"
	"strings"

	"posthouse/webui/pages"
)

//go:embed dist
var dist embed.FS

// Policy is the Content-Security-Policy of every page and asset of this
// package: nothing inline, nothing from elsewhere, no eval, no HTML from
// strings. data: pictures are the QR codes of invitations, blob: ones previews
// of what is about to be sent. The WebSocket of the same origin is 'self' in
// every browser since 2022. The one trusted type is the address of the service
// worker, which takes nothing else.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; " +
	"connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types posthouse"

// File is one answer.
type File struct {
	Body         []byte // shared: read only
	Type         string // media type
	Encoding     string // "gzip" or empty: Content-Encoding
	Language     string // Content-Language, where the reader's language chose the body; may be empty
	ETag         string // strong, quoted
	CacheControl string
	Vary         string // request headers that chose this body; may be empty
}

// Files gives the built files, for tests and tools.
func Files() fs.FS {
	sub, err := fs.Sub(dist, "dist")
	if err != nil { // the name is a constant and valid
		return dist
	}
	return sub
}

// WorkerOff is the path to look up in the place of /sw.js when browsers are to
// keep nothing: a service worker that takes the place of the other, throws away
// what it kept, and goes.
const WorkerOff = "/sw.off.js"

// Lookup finds what a browser gets for a path: the shell at "/", which is the
// same for every address of the client because those are fragments, and the
// assets below /assets/. acceptLanguage and acceptEncoding are the request
// headers of those names.
func Lookup(urlPath, acceptLanguage, acceptEncoding string) (File, bool) {
	switch {
	case urlPath == "/" || urlPath == "/index.html":
		lang := pages.Language(acceptLanguage)
		f, ok := read("index."+lang+".html", acceptEncoding)
		f.Language, f.CacheControl, f.Vary = lang, "no-cache", "Accept-Language, Accept-Encoding"
		return f, ok
	case urlPath == "/manifest.webmanifest":
		lang := pages.Language(acceptLanguage)
		f, ok := read("manifest."+lang+".webmanifest", acceptEncoding)
		f.Language, f.CacheControl, f.Vary = lang, "no-cache", "Accept-Language, Accept-Encoding"
		return f, ok
	case urlPath == "/sw.js" || urlPath == WorkerOff:
		f, ok := read(urlPath[1:], acceptEncoding)
		f.CacheControl, f.Vary = "no-cache", "Accept-Encoding"
		return f, ok
	case urlPath == "/favicon.ico":
		return Lookup("/assets/icon.svg", acceptLanguage, acceptEncoding)
	case !strings.HasPrefix(urlPath, "/assets/") || path.Clean(urlPath) != urlPath || path.Ext(urlPath) == ".gz":
		return File{}, false
	}
	f, ok := read(urlPath[1:], acceptEncoding)
	f.CacheControl, f.Vary = "public, max-age=31536000, immutable", "Accept-Encoding"
	if strings.HasPrefix(urlPath, "/assets/icon") { // these names have no hash
		f.CacheControl = "public, max-age=86400"
	}
	return f, ok
}

func read(name, acceptEncoding string) (File, bool) {
	f := File{Type: mediaType(name)}
	file := "dist/" + name
	if path.Ext(name) != ".png" && pages.Accepts(acceptEncoding, "gzip") {
		f.Encoding = "gzip"
		file += ".gz"
	}
	body, err := dist.ReadFile(file)
	if err != nil {
		return File{}, false
	}
	sum := sha256.Sum256(body)
	f.Body, f.ETag = body, `"`+hex.EncodeToString(sum[:8])+`"`
	return f, true
}

func mediaType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json":
		return "application/json"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".webmanifest":
		return "application/manifest+json"
	}
	return "application/octet-stream"
}

// ErrorPage is the HTML for a person who opened an address that cannot be
// shown. status is the HTTP status; text says why, in the language of
// acceptLanguage, and may be empty; trace may be empty.
func ErrorPage(acceptLanguage string, status int, text, trace string) []byte {
	v := pages.View{Lang: pages.Language(acceptLanguage), Style: styleSheet()}
	zh := v.Lang == "zh"
	t := pages.Trouble{Title: "Something went wrong", Text: text, Trace: trace}
	if zh {
		t.Title = "出了点问题"
	}
	if status == 404 {
		t.Title = "There is nothing here"
		if zh {
			t.Title = "这里什么也没有"
		}
	}
	if t.Text == "" {
		t.Text = "The address is wrong, or what stood here is gone."
		if zh {
			t.Text = "地址有误，或者内容已不存在。"
		}
		if status >= 500 {
			t.Text = "The server could not answer. Please try again in a moment."
			if zh {
				t.Text = "服务器暂时无法响应，请稍后重试。"
			}
		}
	}
	return pages.Render(pages.Problem(v, t))
}

// styleSheet is the address of the chat's style sheet, whose name has a hash.
func styleSheet() string { return asset("app.*.css") }

// Console gives the addresses of the script and the style sheet of the
// operator's console, whose names have a hash.
func Console() (script, style string) { return asset("console.*.js"), asset("console.*.css") }

func asset(pattern string) string {
	names, err := fs.Glob(dist, "dist/assets/"+pattern)
	if err != nil || len(names) == 0 {
		return ""
	}
	return strings.TrimPrefix(names[0], "dist")
}
