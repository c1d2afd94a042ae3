package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
)

// write makes a file in a fresh directory and returns its path.
func write(t *testing.T, name, content string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

func load(t *testing.T, content string) (Config, Sources) {
	t.Helper()
	c, s, err := Load([]string{write(t, "posthouse.toml", content)}, nil, nil)
	if err != nil {
		t.Fatalf("Load:\n%v", err)
	}
	return c, s
}

func TestEveryKeyIsDocumented(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+\.[a-z][a-z_]*$`)
	seen := map[string]string{}
	for _, k := range Keys() {
		if !name.MatchString(k.Name) {
			t.Errorf("%s: not a plain name", k.Name)
		}
		if k.English == "" || !strings.HasSuffix(k.English, ".") {
			t.Errorf("%s: doc tag %q is not a sentence", k.Name, k.English)
		}
		if !strings.HasSuffix(k.Chinese, "。") || strings.IndexFunc(k.Chinese, func(r rune) bool { return unicode.Is(unicode.Han, r) }) < 0 {
			t.Errorf("%s: zh tag %q is not a Chinese sentence", k.Name, k.Chinese)
		}
		if k.Unit != "" && unitName(k.Unit) == k.Unit {
			t.Errorf("%s: unit %q has no Chinese name", k.Name, k.Unit)
		}
		if (k.Type == "integer" || k.Type == "size" || k.Type == "duration") && (k.Min == "" || k.Max == "") {
			t.Errorf("%s: a number without bounds", k.Name)
		}
		for _, s := range []string{k.Min, k.Max} {
			if s == "" {
				continue
			}
			if _, bad := k.parse(s); bad != nil {
				t.Errorf("%s: bound %q: %s", k.Name, s, bad.en)
			}
		}
		if other := seen[k.Env]; other != "" {
			t.Errorf("%s and %s share %s", k.Name, other, k.Env)
		}
		seen[k.Env] = k.Name
	}
	for _, s := range sections() {
		if s.en == "" || s.zh == "" {
			t.Errorf("[%s] has no documentation", s.name)
		}
		for i := range reflect.TypeFor[Config]().NumField() {
			sec := reflect.TypeFor[Config]().Field(i).Type
			for j := range sec.NumField() {
				if r := sec.Field(j).Tag.Get("restart"); r != "yes" && r != "no" {
					t.Errorf("%s: restart tag %q", sec.Field(j).Name, r)
				}
			}
		}
	}
}

// A key "x" beside a key "x_file" would make POSTHOUSE_S_X_FILE mean two
// things.
func TestFileVariablesAreNotAmbiguous(t *testing.T) {
	var names []string
	for _, k := range Keys() {
		names = append(names, k.Name)
	}
	for _, n := range names {
		if base, ok := strings.CutSuffix(n, "_file"); ok && slices.Contains(names, base) {
			t.Errorf("%s and %s", base, n)
		}
	}
}

func TestDescribe(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		got := Describe(lang)
		golden := filepath.Join("testdata", "posthouse."+lang+".toml")
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) {
			t.Errorf("Describe(%s) differs from %s; run UPDATE_GOLDEN=1 go test and read the difference", lang, golden)
		}
		for i, line := range strings.Split(string(got), "\n") {
			w := 0
			for _, r := range line {
				w += runeWidth(r)
			}
			if w > lineWidth+2 { // hanging punctuation
				t.Errorf("%s:%d: %d columns", golden, i+1, w)
			}
		}
	}
}

func TestDescribeLoadsAsTheDefaults(t *testing.T) {
	def, _, err := Load(nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	value := regexp.MustCompile(`(?m)^#([a-z])`)
	for _, lang := range []string{"en", "zh"} {
		shipped := string(Describe(lang))
		c, src := load(t, shipped)
		if !reflect.DeepEqual(c, def) {
			t.Errorf("%s as shipped: %+v", lang, c)
		}
		if src["log.level"].Kind != FromDefault {
			t.Errorf("%s: log.level comes from %v", lang, src["log.level"])
		}
		c, src = load(t, value.ReplaceAllString(shipped, "$1"))
		if !reflect.DeepEqual(c, def) {
			t.Errorf("%s with every # removed: %+v\nwant %+v", lang, c, def)
		}
		for _, k := range Keys() {
			if src[k.Name].Kind != FromFile || src[k.Name].Line == 0 {
				t.Errorf("%s: %s comes from %v", lang, k.Name, src[k.Name])
			}
		}
	}
}

func TestLayers(t *testing.T) {
	dir := t.TempDir()
	put := func(name, content string) {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("posthouse.toml", "[limits]\nhistory_page = 20\nqueue_frames = 20\nmessages_burst = 200\nrequests_burst = 201\nrooms_per_user = 20\n")
	put("conf.d/20-b.toml", "limits.queue_frames = 31\n")
	put("conf.d/10-a.toml", "limits = { queue_frames = 30, messages_burst = 300, requests_burst = 301, rooms_per_user = 30 }\n")
	put("conf.d/.hidden.toml", "nonsense")
	put("conf.d/note.toml~", "nonsense")
	put("secret", "40\r\n")
	c, src, err := Load(Paths(filepath.Join(dir, "posthouse.toml")), []string{
		"POSTHOUSE_LIMITS_MESSAGES_BURST_FILE=" + filepath.Join(dir, "secret"),
		"POSTHOUSE_LIMITS_REQUESTS_BURST=400",
		"POSTHOUSE_CONFIG=/elsewhere", "POSTHOUSE=1", "PATH=/bin",
	}, map[string]string{"limits.requests_burst": "500"})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]struct {
		got, want int
		source    string
	}{
		"limits.history_page":   {c.Limits.HistoryPage, 20, dir + "/posthouse.toml:2:1"},
		"limits.queue_frames":   {c.Limits.QueueFrames, 31, dir + "/conf.d/20-b.toml:1:8"},
		"limits.rooms_per_user": {c.Limits.RoomsPerUser, 30, dir + "/conf.d/10-a.toml:1:75"},
		"limits.messages_burst": {c.Limits.MessagesBurst, 40, "environment POSTHOUSE_LIMITS_MESSAGES_BURST_FILE (" + dir + "/secret)"},
		"limits.requests_burst": {c.Limits.RequestsBurst, 500, "command line limits.requests_burst"},
		"limits.connections":    {c.Limits.Connections, 20000, "default"},
	} {
		if want.got != want.want || src[key].String() != want.source {
			t.Errorf("%s = %d from %q, want %d from %q", key, want.got, src[key], want.want, want.source)
		}
	}
}

func TestTypes(t *testing.T) {
	c, _ := load(t, `
[server]
listen = ["192.168.1.10:443", "[fd00::1]:443"]
trusted_proxies = ["10.0.0.0/24", "fd00::2"]
organisation = "上海 \"东方\" 医院"
host_name = "IM.Example.LAN."
[limits]
upload_bytes = "1.5 GiB"
body_bytes = 1048577
[session]
heartbeat = "1m30s"
`)
	if c.Limits.UploadBytes != 3<<29 || c.Limits.BodyBytes != 1<<20+1 || c.Session.Heartbeat != 90*time.Second {
		t.Errorf("%+v", c)
	}
	if c.Server.HostName != "im.example.lan" || len(c.Server.Listen) != 2 || c.Server.Organisation != `上海 "东方" 医院` {
		t.Errorf("%+v", c.Server)
	}
	c, _, err := Load(nil, []string{"POSTHOUSE_SERVER_TRUSTED_PROXIES=10.0.0.1, 10.1.0.0/16"}, map[string]string{"server.listen": ""})
	if err != nil || !slices.Equal(c.Server.TrustedProxies, []string{"10.0.0.1", "10.1.0.0/16"}) || len(c.Server.Listen) != 0 {
		t.Errorf("%+v %v", c.Server, err)
	}
}

// problem is one expected error: place, key and a word of each language.
type problem struct{ at, key, en, zh string }

func expect(t *testing.T, err error, p string, want []problem) {
	t.Helper()
	var es Errors
	if !errors.As(err, &es) {
		t.Fatalf("got %v", err)
	}
	if len(es) != len(want) {
		t.Errorf("%d problems, want %d:\n%v", len(es), len(want), err)
		return
	}
	for i, w := range want {
		e := es[i]
		at := strings.TrimPrefix(e.Source.String(), p+":")
		if at != w.at || e.Key != w.key || !strings.Contains(e.English, w.en) || !strings.Contains(e.Chinese, w.zh) {
			t.Errorf("problem %d: %q %q\n  %s\n  %s\nwant %+v", i, at, e.Key, e.English, e.Chinese, w)
		}
	}
}

func TestEveryProblemAtOnce(t *testing.T) {
	p := write(t, "posthouse.toml", `# 驿站
lisen = 3
[server]
hostname = "im"
listen_local = "0.0.0.0:8065"
organisation = 7
trusted_proxies = "10.0.0.1"

[sever]
listen = []

[limits]
frame_bytes = "64K"
messages_per_second = "20"
  history_page = 5
queue_frames = 1.5
[session]
heartbeat = 25
browser_days = 99999
[log]
level = "waring"
[[files]]
bin_days = 3
`)
	_, _, err := Load([]string{p}, []string{"POSTHOUSE_LIMITS_FRAMEBYTES=1", "POSTHOUSE_LOG_FORMAT=xml"},
		map[string]string{"log.levle": "info", "limits.connections": "many"})
	expect(t, err, p, []problem{
		{"2:1", "lisen", "did you mean server.listen", "是否想写"},
		{"4:1", "server.hostname", "did you mean server.host_name", "是否想写 server.host_name"},
		{"5:1", "server.listen_local", "passwords and messages would be readable", "明文"},
		{"6:1", "server.organisation", "expected a string", "字符串"},
		{"7:1", "server.trusted_proxies", "expected a list", "列表"},
		{"9:2", "sever", "did you mean server?", "是否想写 server？"},
		{"13:1", "limits.frame_bytes", `got "64K"`, "大小"},
		{"14:1", "limits.messages_per_second", "without quotes", "整数"},
		{"15:3", "limits.history_page", "smaller than 10", "小于 10"},
		{"16:1", "limits.queue_frames", "got 1.5", "整数"},
		{"18:1", "session.heartbeat", `"25s"`, "时长"},
		{"19:1", "session.browser_days", "larger than 3650", "大于 3650"},
		{"21:1", "log.level", `did you mean "warn"`, "是否想写"},
		{"22:3", "files", "[files]", "[files]"},
		{"environment POSTHOUSE_LIMITS_FRAMEBYTES", "", "did you mean POSTHOUSE_LIMITS_FRAME_BYTES", "是否想写"},
		{"environment POSTHOUSE_LOG_FORMAT", "log.format", "not one of", "不在"},
		{"command line limits.connections", "limits.connections", "whole number", "整数"},
		{"command line log.levle", "log.levle", "did you mean log.level", "是否想写"},
	})
	if zh := Text(err, "zh-CN"); !strings.Contains(zh, "命令行 log.levle") || strings.Count(zh, "\n") != 17 {
		t.Errorf("Chinese:\n%s", zh)
	}
}

func TestSyntax(t *testing.T) {
	for name, c := range map[string]struct{ content, at, en string }{
		"bad line":  {"[log]\nlevel = info\n", "2:12", "not valid TOML"},
		"duplicate": {"[log]\nlevel = \"info\"\nlevel = \"warn\"\n", "3:1", "not valid TOML"},
		"not UTF-8": {"# ok\n# \xff\n", "2:3", "not UTF-8"},
		"BOM":       {"\xef\xbb\xbf[log]\n", "1:1", "byte order mark"},
	} {
		p := write(t, "x.toml", c.content)
		_, _, err := Load([]string{p}, nil, nil)
		var e *Error
		if !errors.As(err, &e) || e.Source.String() != p+":"+c.at || !strings.Contains(e.English, c.en) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	open := write(t, "posthouse.toml", "")
	if err := os.Chmod(open, 0o666); err != nil {
		t.Fatal(err)
	}
	large := write(t, "large.toml", strings.Repeat("# \n", maxFile/3+1))
	missing := filepath.Join(t.TempDir(), "posthouse.toml")
	for p, want := range map[string]string{open: "chmod o-w", large: "too large", missing: "no such file"} {
		if _, _, err := Load([]string{p}, nil, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", p, err)
		}
	}
	if _, _, err := Load([]string{missing}, nil, nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, _, err := Load(Paths(write(t, "posthouse.toml", "")), nil, nil); err != nil {
		t.Errorf("without conf.d: %v", err)
	}
	_, _, err := Load(nil, []string{"POSTHOUSE_LOG_LEVEL=info", "POSTHOUSE_LOG_LEVEL_FILE=" + write(t, "v", "warn")}, nil)
	if err == nil || !strings.Contains(err.Error(), "keep one") {
		t.Errorf("variable and file: %v", err)
	}
}

func TestWholeIsValidated(t *testing.T) {
	for name, c := range map[string]struct {
		set     map[string]string
		key, en string
	}{
		"nobody can connect":     {map[string]string{"server.listen": "", "server.listen_local": ""}, "server.listen", "nobody"},
		"name for address":       {map[string]string{"server.listen": "im.lan:8443"}, "server.listen", "IP address"},
		"no port":                {map[string]string{"server.listen": "8443"}, "server.listen", "with a port"},
		"port too large":         {map[string]string{"server.listen": ":70000"}, "server.listen", "1 to 65535"},
		"both families twice":    {map[string]string{"server.listen": "0.0.0.0:8443,[::]:8443"}, "server.listen", "same port"},
		"local under wildcard":   {map[string]string{"server.listen": ":8065"}, "server.listen_local", "same port"},
		"LAN address in plain":   {map[string]string{"server.listen_local": "192.168.1.2:80"}, "server.listen_local", "readable"},
		"all addresses in plain": {map[string]string{"server.listen_local": ":8065"}, "server.listen_local", "readable"},
		"name in plain":          {map[string]string{"server.listen_local": "example.com:80"}, "server.listen_local", "not a name"},
		"address as host name":   {map[string]string{"server.host_name": "192.168.1.2"}, "server.host_name", "not a name"},
		"TLD as host name":       {map[string]string{"server.host_name": "chat"}, "server.host_name", "chat.local"},
		"port in host name":      {map[string]string{"server.host_name": "im.lan:8443"}, "server.host_name", "without a port"},
		"wildcard":               {map[string]string{"tls.extra_names": "*.lan"}, "tls.extra_names", "extra_zones"},
		"public zone":            {map[string]string{"tls.extra_zones": "com"}, "tls.extra_zones", "public internet"},
		"public two label zone":  {map[string]string{"tls.extra_zones": "co.uk"}, "tls.extra_zones", "public internet"},
		"files without key":      {map[string]string{"tls.mode": "files", "tls.cert_file": "/a"}, "tls.key_file", "needs it"},
		"cert without files":     {map[string]string{"tls.cert_file": "/a"}, "tls.cert_file", "no effect"},
		"everybody a proxy":      {map[string]string{"server.trusted_proxies": "0.0.0.0/0"}, "server.trusted_proxies", "everybody"},
		"network with host bits": {map[string]string{"server.trusted_proxies": "10.0.0.1/8"}, "server.trusted_proxies", "10.0.0.0/8"},
		"message over frame":     {map[string]string{"limits.message_bytes": "64KiB"}, "limits.frame_bytes", "128KiB"},
		"queue under frame":      {map[string]string{"limits.frame_bytes": "2MiB"}, "limits.queue_bytes", "never fit"},
		"burst under rate":       {map[string]string{"limits.messages_per_second": "61"}, "limits.messages_burst", "rate"},
		"long socket":            {map[string]string{"server.data_dir": "/" + strings.Repeat("d", 110)}, "server.socket", "107"},
		"root as data":           {map[string]string{"server.data_dir": "/"}, "server.data_dir", "root"},
		"line end":               {map[string]string{"server.organisation": "a\nb"}, "server.organisation", "line ends"},
	} {
		_, _, err := Load(nil, nil, c.set)
		var es Errors
		errors.As(err, &es)
		if len(es) != 1 || es[0].Key != c.key || !strings.Contains(es[0].English, c.en) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	for _, ok := range []map[string]string{
		{"server.listen": "0.0.0.0:8443,[fd00::1]:8443"},
		{"server.listen_local": "[::1]:8065"}, {"server.listen_local": "localhost:80"}, {"server.listen_local": "127.0.0.1:0"},
		{"tls.extra_zones": "lan,corp.example.com,home.arpa"},
		{"server.listen": "192.168.0.1:8065"},
	} {
		if _, _, err := Load(nil, nil, ok); err != nil {
			t.Errorf("%v: %v", ok, err)
		}
	}
}

func TestMachineName(t *testing.T) {
	for in, want := range map[string]string{
		"Office-PC": "office-pc", "my_pc": "my-pc", "im.corp.lan.": "im.corp.lan", "": "posthouse",
		"localhost": "posthouse", "驿站": "posthouse", "box": "box.local", "-x-": "posthouse",
	} {
		if got := machineName(in); got != want {
			t.Errorf("machineName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for s, want := range map[string]Bytes{"0": 0, "1": 1, "64KiB": 65536, "20 GiB": 20 << 30, "500MB": 5e8, "1.5gib": 3 << 29, "7B": 7, "4PiB": 4 << 50} {
		if got, err := ParseBytes(s); err != nil || got != want {
			t.Errorf("%q: %d %v", s, got, err)
		}
		if got, err := ParseBytes(want.String()); err != nil || got != want {
			t.Errorf("%q does not come back: %d %v", want, got, err)
		}
	}
	for _, s := range []string{"", "-1", "20G", "GiB", "1e3", "0x10", "9999999PiB", "NaNGiB", "infB", "1_0", "-1.5GiB"} {
		if got, err := ParseBytes(s); err == nil {
			t.Errorf("%q: %d", s, got)
		}
	}
}

func TestShowAndChanged(t *testing.T) {
	a, _ := load(t, "")
	b, src := load(t, "[limits]\nhistory_page = 100\nqueue_frames = 300\n[log]\nlevel = \"info\"\n")
	rows := Show(b, src)
	if len(rows) != len(Keys()) {
		t.Fatal(len(rows))
	}
	for _, r := range rows {
		switch r.Key {
		case "limits.history_page":
			if r.Default || r.Restart || r.Value != "100" || r.Source.Line != 2 {
				t.Errorf("%+v", r)
			}
		case "log.level":
			if !r.Default || r.Source.Line != 5 || r.Value != `"info"` {
				t.Errorf("%+v", r)
			}
		}
	}
	reload, restart := Changed(a, b)
	if !slices.Equal(reload, []string{"limits.history_page"}) || !slices.Equal(restart, []string{"limits.queue_frames"}) {
		t.Errorf("%v %v", reload, restart)
	}
}

// Whatever stands behind a key, the answer is a value or a sentence in both
// languages.
func TestEveryKeyMeetsEveryType(t *testing.T) {
	for _, value := range []string{
		"1", "-1", "1.5", "true", "1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", `""`, `"x"`, `"a\nb"`,
		"[]", "[1]", `[""]`, `["a", 1]`, "{}", "{x = 1}", "9223372036854775807", `"9999PiB"`, "nan",
	} {
		for _, k := range Keys() {
			_, src, err := Load([]string{write(t, "x.toml", k.Name+" = "+value+"\n")}, nil, nil)
			if err == nil {
				if src[k.Name].Kind != FromFile {
					t.Errorf("%s = %s was ignored", k.Name, value)
				}
				continue
			}
			var e *Error
			if !errors.As(err, &e) || e.English == "" || e.Chinese == "" || !strings.Contains(Text(err, "zh"), e.Key) {
				t.Errorf("%s = %s: %v", k.Name, value, err)
			}
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(string(Describe("en")))
	f.Add("a.b.c = {x = [1, {y = 2}]}\n[[server]]\n")
	f.Add("'server'.\"listen\" = 1979-05-27\n")
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, content string) {
		p := filepath.Join(dir, "f.toml")
		if err := os.WriteFile(p, []byte(content), 0o600); err != nil {
			t.Skip()
		}
		_, _, err := Load([]string{p}, nil, nil)
		var es Errors
		if errors.As(err, &es) {
			for _, e := range es {
				if e.English == "" || e.Chinese == "" {
					t.Errorf("half a message: %+v", e)
				}
			}
		}
	})
}
