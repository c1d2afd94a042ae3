package bundle

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"posthouse/sysmon/words"
)

func unpack(t *testing.T, body []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		out[f.Name] = string(text)
	}
	return out
}

// A bundle stays within its bounds whatever is added, and says what was cut
// and what is missing in both languages.
func TestBundleIsBounded(t *testing.T) {
	b := New(time.Unix(1_795_248_000, 0), words.Of("About", "关于"))
	b.Add("small.txt", words.Of("small", "小"), []byte("hello\n"))
	b.Lack("gone.txt", words.Of("gone", "无"), words.Of("nobody knows", "未知"))
	line := []byte(strings.Repeat("x", 63) + "\n")
	for i := range 12 {
		b.Add(fmt.Sprint("large", i, ".txt"), words.Of("large", "大"), bytes.Repeat(line, (MaxPart+MaxPart/2)/len(line)))
	}
	body, err := b.Zip()
	if err != nil {
		t.Fatal(err)
	}
	files, total := unpack(t, body), 0
	for name, text := range files {
		if len(text) > MaxPart+200 {
			t.Errorf("%s has %d bytes", name, len(text))
		}
		if cut := strings.Contains(text, "--- cut: "); cut != strings.HasPrefix(name, "large") {
			t.Errorf("%s is cut: %v", name, cut)
		}
		total += len(text)
	}
	if total > MaxTotal+8<<10 {
		t.Errorf("%d bytes in all", total)
	}
	if files["small.txt"] != "hello\n" {
		t.Errorf("small.txt is %q", files["small.txt"])
	}
	if _, there := files["gone.txt"]; there {
		t.Error("what is missing is there")
	}
	for _, want := range []string{"About", "关于", "small.txt", "not here: nobody knows", "未包含：未知", "cut: it had", "已截断：原有"} {
		if !strings.Contains(files["README.txt"], want) {
			t.Errorf("the README lacks %q", want)
		}
	}
}

// What only just has no room any more is said to be cut, too.
func TestReadmeSaysOfEveryCut(t *testing.T) {
	b := New(time.Unix(1_795_248_000, 0), words.Of("About", "关于"))
	line := []byte(strings.Repeat("x", 63) + "\n")
	for i := range MaxTotal / MaxPart {
		b.Add(fmt.Sprint("full", i, ".txt"), words.Of("full", "满"), bytes.Repeat(line, MaxPart/len(line)))
	}
	b.Add("late.txt", words.Of("late", "晚"), []byte("no room\n"))
	body, err := b.Zip()
	if err != nil {
		t.Fatal(err)
	}
	files := unpack(t, body)
	if !strings.HasPrefix(files["late.txt"], "--- cut: 0 of 8 bytes") || strings.Count(files["README.txt"], "cut: it had 8 bytes") != 1 || strings.Count(files["README.txt"], "cut: it had") != 1 {
		t.Errorf("late.txt is %q; README.txt:\n%s", files["late.txt"], files["README.txt"])
	}
}
