package webui

import (
	"bytes"
	"compress/gzip"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"posthouse/webui/bundle"
)

// unpack makes the content of a .gz file comparable: two versions of Go may
// compress the same text differently.
func unpack(t *testing.T, name string, content []byte) []byte {
	t.Helper()
	if !strings.HasSuffix(name, ".gz") {
		return content
	}
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestDistIsFresh(t *testing.T) {
	want, err := bundle.Build(".")
	if err != nil {
		t.Fatal(err)
	}
	err = fs.WalkDir(Files(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		got, err := fs.ReadFile(Files(), name)
		if err != nil {
			return err
		}
		content, ok := want[name]
		switch {
		case !ok:
			t.Errorf("dist/%s is not made any more: go run ./webui/build", name)
		case !bytes.Equal(unpack(t, name, got), unpack(t, name, content)):
			t.Errorf("dist/%s is stale: go run ./webui/build", name)
		}
		delete(want, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name := range want {
		t.Errorf("dist/%s is missing: go run ./webui/build", name)
	}
}

func TestBundleIsSmall(t *testing.T) {
	total, console := 0, 0
	names, err := filepath.Glob("dist/assets/*.gz")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(filepath.Base(name), "console.") {
			console += len(content)
			continue
		}
		total += len(content)
	}
	if total == 0 || total > 150_000 {
		t.Errorf("the client is %d bytes compressed, want at most 150 kB", total)
	}
	if console == 0 || console > 100_000 {
		t.Errorf("the console is %d bytes compressed, want at most 100 kB", console)
	}
}

// TestNoHTMLFromText holds the sources to the promise that text never becomes
// HTML and that nothing is evaluated.
func TestNoHTMLFromText(t *testing.T) {
	bad := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\.setAttribute\("style"|javascript:`)
	names, err := filepath.Glob("src/*.ts")
	if err != nil || len(names) == 0 {
		t.Fatal("no sources", err)
	}
	for _, name := range names {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if m := bad.Find(content); m != nil {
			t.Errorf("%s: %s", name, m)
		}
	}
}

func TestLookup(t *testing.T) {
	zh, ok := Lookup("/", "fr, zh-CN;q=0.9, en;q=0.8", "gzip, br")
	if !ok || zh.Encoding != "gzip" || zh.Language != "zh" || zh.CacheControl != "no-cache" || !strings.HasPrefix(zh.Type, "text/html") {
		t.Errorf("the shell in Chinese: %+v", zh)
	}
	en, ok := Lookup("/", "", "gzip;q=0")
	if !ok || en.Encoding != "" || !bytes.Contains(en.Body, []byte(`<html lang="en">`)) || en.ETag == zh.ETag {
		t.Errorf("the shell in English: %s", en.Body)
	}
	script := regexp.MustCompile(`src="(/assets/app\.[0-9a-f]+\.js)"`).FindSubmatch(en.Body)
	if script == nil {
		t.Fatalf("no script in %s", en.Body)
	}
	f, ok := Lookup(string(script[1]), "", "gzip")
	if !ok || f.Encoding != "gzip" || !strings.Contains(f.CacheControl, "immutable") || !strings.HasPrefix(f.Type, "text/javascript") {
		t.Errorf("%s: %v %q %q %q", script[1], ok, f.Encoding, f.CacheControl, f.Type)
	}
	for path, want := range map[string][2]string{"/sw.js": {"text/javascript; charset=utf-8", "posthouse-"}, WorkerOff: {"text/javascript; charset=utf-8", "unregister"},
		"/manifest.webmanifest": {"application/manifest+json", `"lang": "zh-CN"`}, "/assets/icon-512.png": {"image/png", "PNG"}} {
		f, ok := Lookup(path, "zh", "")
		if !ok || f.Type != want[0] || !bytes.Contains(f.Body, []byte(want[1])) || (f.CacheControl != "no-cache" && f.Type != "image/png") {
			t.Errorf("%s: %v %q %q", path, ok, f.Type, f.CacheControl)
		}
	}
	if f, ok := Lookup("/assets/icon-512.png", "", "gzip"); !ok || f.Encoding != "" {
		t.Errorf("a picture is packed twice: %v %q", ok, f.Encoding)
	}
	for _, path := range []string{"", "/x", "/assets/", "/assets/../index.en.html", "/assets/none.js", string(script[1]) + ".gz", "/dist/index.en.html", "/index.en.html", "//"} {
		if f, ok := Lookup(path, "", ""); ok {
			t.Errorf("%q gave %d bytes", path, len(f.Body))
		}
	}
	if inline := regexp.MustCompile(`(?i)<script>|<style|style=|\son\w+=`).Find(en.Body); inline != nil {
		t.Errorf("the policy forbids %q", inline)
	}
}

func TestErrorPage(t *testing.T) {
	page := string(ErrorPage("zh", 404, `<b>"x"`, "abc"))
	for _, want := range []string{"这里什么也没有", "&lt;b&gt;", "abc", "/assets/app."} {
		if !strings.Contains(page, want) {
			t.Errorf("no %q in %s", want, page)
		}
	}
	if page := string(ErrorPage("", 503, "", "")); !strings.Contains(page, "could not answer") {
		t.Errorf("503: %s", page)
	}
}
