package tus

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

func TestParseMetadata(t *testing.T) {
	f := func(in string, want map[string]string, wantErr error) {
		t.Helper()
		got, err := ParseMetadata(in)
		if !errors.Is(err, wantErr) || !maps.Equal(got, want) {
			t.Errorf("%.80q: got %q, %v; want %q, %v", in, got, err, want, wantErr)
		}
	}
	// From the protocol's text: the examples of Upload-Metadata.
	f("filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential",
		map[string]string{"filename": "world_domination_plan.pdf", "is_confidential": ""}, nil)
	f("", map[string]string{}, nil)
	f("a", map[string]string{"a": ""}, nil)
	f("a ", map[string]string{"a": ""}, nil)
	f("a YQ==, b Yg==", map[string]string{"a": "a", "b": "b"}, nil)
	f("name 5paH5Lu2LnR4dA==", map[string]string{"name": "文件.txt"}, nil)
	for _, bad := range []string{
		",", "a,", ",a", " ", "a YQ==,,b Yg==", "a YQ==,a Yg==", "a,a", "a YQ", "a YQ=", "a YR==", "a Y Q==", "a  YQ==",
		"a _w==", "a /w==", "a 7aCA", "ключ YQ==", "a\tYQ==", "a YQ==\r\n", "a\x00 YQ==", "a YQ==;b Yg==",
	} {
		f(bad, nil, ErrMetadata)
	}
	f("a "+strings.Repeat("YWFh", 1023), map[string]string{"a": strings.Repeat("a", 3069)}, nil)
	f("a "+strings.Repeat("YWFh", 1024), nil, ErrMetadataBig)
	var keys []string
	for i := range MaxMetadataKeys + 1 {
		keys = append(keys, fmt.Sprint("k", i))
	}
	f(strings.Join(keys, ","), nil, ErrMetadataBig)
	if m, err := ParseMetadata(strings.Join(keys[1:], ",")); err != nil || len(m) != MaxMetadataKeys {
		t.Error(len(m), err)
	}
}

func TestFormatMetadata(t *testing.T) {
	got := FormatMetadata(map[string]string{"is_confidential": "", "filename": "world_domination_plan.pdf", "no key": "x", "": "y", "a,b": "z"})
	if want := "filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential"; got != want {
		t.Errorf("got %q", got)
	}
}

func TestParseChecksum(t *testing.T) {
	// From the protocol's text: the request of the checksum extension.
	c, err := ParseChecksum("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=")
	if err != nil || c.Algo != "sha1" || !bytes.HasPrefix(c.Sum, []byte{0x2a, 0xae, 0x6c}) || len(c.Sum) != 20 {
		t.Errorf("%+v, %v", c, err)
	}
	if got := FormatChecksum(c); got != "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=" {
		t.Error(got)
	}
	if c, err := ParseChecksum("MD5 1B2M2Y8AsgTpgAmY7PhCfg=="); err != nil || c.Algo != "md5" {
		t.Error(c, err)
	}
	for in, want := range map[string]error{
		"": ErrChecksum, "sha1": ErrChecksum, " Kq5s": ErrChecksum, "sha1 ": ErrChecksum, "sha1 Kq5s": ErrChecksum,
		"sha256 Kq5sNclPz7QV2+lfQIuc6R7oRu0=":           ErrChecksum,
		"sha1  Kq5sNclPz7QV2+lfQIuc6R7oRu0=":            ErrChecksum,
		"sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0":              ErrChecksum,
		"sha1 Kq5sNclPz7QV2+lfQIuc\r\n6R7oRu0=":         ErrChecksum,
		"sha1 2aae6c35c94fcfb415dbe95f408b9ce91ee846ed": ErrChecksum,
		"crc32 AAAAAA==":                                ErrAlgorithm,
	} {
		if _, err := ParseChecksum(in); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", in, err, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "70": 70, "100": 100, "5000000000": 5000000000, "9223372036854775807": 1<<63 - 1, "007": 7,
		"": -1, "-1": -1, "+1": -1, " 1": -1, "1 ": -1, "1.0": -1, "1e3": -1, "0x10": -1, "1_0": -1, "1,2": -1,
		"9223372036854775808": -1, "99999999999999999999": -1, "١": -1, "NaN": -1,
	} {
		n, err := ParseOffset(in)
		if want < 0 && !errors.Is(err, ErrNumber) || want >= 0 && (n != want || err != nil) {
			t.Errorf("%q: got %d, %v", in, n, err)
		}
	}
}

func TestParseCreation(t *testing.T) {
	f := func(length, deferLength string, want int64, wantErr error) {
		t.Helper()
		if n, err := ParseCreation(length, deferLength); n != want || !errors.Is(err, wantErr) {
			t.Errorf("%q, %q: got %d, %v", length, deferLength, n, err)
		}
	}
	f("100", "", 100, nil)
	f("0", "", 0, nil)
	f("", "1", -1, nil)
	f("", "", 0, ErrNoLength)
	f("100", "1", 0, ErrNoLength)
	f("", "0", 0, ErrNoLength)
	f("", "true", 0, ErrNoLength)
	f("-1", "", 0, ErrNumber)
}

func TestProtocol(t *testing.T) {
	for in, want := range map[string]error{"1.0.0": nil, "": ErrVersion, "1.0": ErrVersion, "0.2.2": ErrVersion, "1.0.1": ErrVersion} {
		if err := CheckVersion(in); !errors.Is(err, want) {
			t.Errorf("version %q: %v", in, err)
		}
	}
	for in, want := range map[string]error{
		"application/offset+octet-stream": nil, "Application/Offset+Octet-Stream": nil,
		"": ErrContentType, "application/octet-stream": ErrContentType, "application/offset+octet-stream; x=y": ErrContentType,
	} {
		if err := CheckContentType(in); !errors.Is(err, want) {
			t.Errorf("content type %q: %v", in, err)
		}
	}
	if got := FormatExpires(time.Date(2014, 6, 25, 18, 0, 0, 0, time.FixedZone("", 7200))); got != "Wed, 25 Jun 2014 16:00:00 GMT" {
		t.Error(got)
	}
	f := func(method, override, want string) {
		t.Helper()
		if got := Method(method, override); got != want {
			t.Errorf("%s, %s: %s", method, override, got)
		}
	}
	f("POST", "PATCH", "PATCH")
	f("POST", "DELETE", "DELETE")
	f("POST", "", "POST")
	f("POST", "CONNECT", "POST")
	f("GET", "DELETE", "GET")
	if got := fmt.Sprint(Capabilities(1073741824)); got != "[{Tus-Resumable 1.0.0} {Tus-Version 1.0.0} {Tus-Extension "+Extensions+
		"} {Tus-Checksum-Algorithm sha256,sha1,md5} {Tus-Max-Size 1073741824}]" {
		t.Error(got)
	}
	if got := len(Capabilities(0)); got != 4 {
		t.Error(got)
	}
}

func TestStatus(t *testing.T) {
	_, big := ParseMetadata(strings.Repeat("a", MaxMetadata+1))
	for want, err := range map[int]error{0: nil, 412: ErrVersion, 415: ErrContentType, 413: big, 400: ErrAlgorithm} {
		if got := Status(err); got != want {
			t.Errorf("%v: got %d, want %d", err, got, want)
		}
	}
}

// FuzzHeaders: what is read can be written and read again, and is within its
// limits.
func FuzzHeaders(f *testing.F) {
	for _, s := range []string{
		"", "filename d29ybGRfZG9taW5hdGlvbl9wbGFuLnBkZg==,is_confidential", "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=",
		"100", "a,a", "a /w==", "1.0.0", ", ,",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if m, err := ParseMetadata(s); err == nil {
			if len(m) > MaxMetadataKeys {
				t.Fatalf("%d keys", len(m))
			}
			out := FormatMetadata(m)
			if again, err := ParseMetadata(out); err != nil || !maps.Equal(m, again) {
				t.Fatalf("%q -> %q -> %q, %v", m, out, again, err)
			}
			if strings.ContainsFunc(out, func(r rune) bool { return r < ' ' || r > '~' }) {
				t.Fatalf("not a header field: %q", out)
			}
		} else if Status(err) < 400 {
			t.Fatal(err)
		}
		if c, err := ParseChecksum(s); err == nil {
			if again, err := ParseChecksum(FormatChecksum(c)); err != nil || again.Algo != c.Algo || !bytes.Equal(again.Sum, c.Sum) {
				t.Fatalf("%q: %+v, %+v", s, c, again)
			}
		}
		if n, err := ParseLength(s); err == nil && (n < 0 || strings.TrimLeft(s, "0") != strings.TrimLeft(FormatNumber(n), "0")) {
			t.Fatalf("%q: %d", s, n)
		}
		_, _ = ParseCreation(s, "")
		_ = CheckContentType(s)
	})
}
