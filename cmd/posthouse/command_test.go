package main

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func TestWrongUseIsTwo(t *testing.T) {
	d := newDesk(t)
	for _, c := range []struct{ line, says string }{
		{"usr", "did you mean user"}, {"user lsit", "did you mean list"}, {"user lsit --json", "did you mean list"}, {"zzz --json", "there is no command"},
		{"user", "say what to do"}, {"user add", "LOGIN is missing"}, {"user add a b", "too many"}, {"user list --jsn", "there is no flag --jsn"},
		{"user add a --name", "--name wants a value"}, {"invite create --hours x", "--hours cannot be"}, {"invite create --hours 0", "at least 1"},
		{"invite revoke zz", "is no ID"}, {"help usr", "did you mean user"}, {"version extra", "too many"}, {"--set x config show", "--set takes"},
	} {
		d.run("", strings.Fields(c.line)...).exits(2).tells(c.says)
	}
	d.run("").exits(0).prints("Commands:")
	d.do("help", "user", "import").prints("--dry-run")
	d.do("user", "import", "--help").prints("--dry-run")
	d.do("alerts", "--help").prints("posthouse alerts [flags]\n  posthouse alerts COMMAND\n")
	d.do("user", "--help").prints("Usage:\n  posthouse user COMMAND\n")
}

// TestEverythingIsSaidInBothLanguages: the Chinese help has no English
// sentence, and the English one no Chinese one.
func TestEverythingIsSaidInBothLanguages(t *testing.T) {
	for _, zh := range []bool{false, true} {
		lang := "en_GB.UTF-8"
		if zh {
			lang = "zh_CN.UTF-8"
		}
		a := newApp([]string{"LANG=" + lang}, strings.NewReader(""), &strings.Builder{}, &strings.Builder{})
		var walk func(c *cobra.Command)
		walk = func(c *cobra.Command) {
			if c.Name() != "completion" && !c.Hidden {
				text := c.Short + c.Long
				if han := strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }); han != zh {
					t.Errorf("%s in %s: %q", c.CommandPath(), lang, text)
				}
				c.Flags().VisitAll(func(f *pflag.Flag) {
					if name, _ := pflag.UnquoteUsage(f); !f.Hidden && name != strings.ToUpper(name) {
						t.Errorf("%s in %s: --%s takes a %s", c.CommandPath(), lang, f.Name, name)
					}
				})
				if strings.Contains(a.usage(c), "Usage:") == zh {
					t.Errorf("%s in %s: usage %q", c.CommandPath(), lang, a.usage(c))
				}
			}
			for _, s := range c.Commands() {
				walk(s)
			}
		}
		walk(a.root)
	}
	d := newDesk(t)
	d.env = append([]string{"LC_ALL=zh_CN.UTF-8"}, d.env[1:]...)
	d.run("", "user", "lsit").exits(2).tells("没有命令", "是否想写 list")
	d.run("", "user", "add").exits(2).tells("缺少 LOGIN", "[参数]")
	d.run("", "user", "add", "BAD LOGIN", "--generate").exits(1).tells("首尾须为字母或数字")
	d.do("user", "add", "ann", "--role", "owner", "--no-password").tells("已新建账号 ann")
	d.do("verify").prints("日志账本", "完好")
	d.do("config", "describe").prints("驿站")
	d.run("", "status").exits(1).prints("已停止")
}

func TestConfigTest(t *testing.T) {
	d := newDesk(t)
	file := filepath.Join(t.TempDir(), "posthouse.toml")
	if err := os.WriteFile(file, []byte("[server]\nhost_name = \"box.lan\"\n  lisen = []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.run("", "config", "test", file).exits(78).tells(file+":3:3", "did you mean server.listen")
	v := d.run("", "config", "test", file, "--json").exits(78).keys("ok", "problems")
	p := v["problems"].([]any)[0].(map[string]any)
	checkKeys(t, p, "file", "line", "column", "key", "problem")
	if fmt.Sprint(p["line"], p["column"]) != "3 3" || v["ok"] != false {
		t.Fatalf("%v", v)
	}
	d.run("", "--config", file, "serve").exits(78)
	d.run("", "--config", file, "user", "list").exits(78)
	if err := os.WriteFile(file, []byte("[server]\nhost_name = \"box.lan\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.do("config", "test", file).tells("fine")
	d.env = append(d.env, "POSTHOUSE_LOG_LEVEL=debug")
	d.do("--config", file, "--set", "log.format=json", "config", "show").prints(file+":2:1", "environment POSTHOUSE_LOG_LEVEL", "command line log.format", "default")
	d.do("config", "show", "--changed").prints("log.level").never("limits.connections")
	for _, k := range d.do("config", "show", "--json").keys("keys")["keys"].([]any) {
		checkKeys(t, k.(map[string]any), "key", "value", "default", "restart", "source", "place")
	}
	d.do("config", "describe").prints("[server]", "#listen = ")
}

func TestBusyIsSeventyFive(t *testing.T) {
	d := newDesk(t)
	d.serve()
	d.run("", "serve").exits(75).tells("another posthouse process", "process "+strconv.Itoa(os.Getpid())+", ")
	// Another socket: the server is not found, and the directory is locked.
	d.run("", "--set", "server.socket="+d.data+"/other.sock", "user", "list").exits(75).tells("another posthouse process")
	d.run("", "journal", "repair", "--yes").exits(75)
	d.do("journal", "ls").prints("00000000000000000001.seg")
}

func TestStatus(t *testing.T) {
	d := newDesk(t)
	addr := d.serve()
	d.do("status").prints("running", addr)
	v := d.do("status", "--json").json()
	if v["running"] != true || v["version"] == nil || v["position"] == nil || v["flushed"] == nil {
		t.Fatalf("%v", v)
	}
	d.do("setup").prints("http://" + addr + "/#/setup/")
	d.do("user", "add", "ann", "--role", "owner", "--no-password")
	d.run("", "setup").exits(1).tells("setup is done")
	if code := d.stop(); code != 0 {
		t.Fatal(code)
	}
	d.run("", "status").exits(1).prints("stopped", "accounts:  1")
	if v := d.run("", "status", "--json").exits(1).json(); v["running"] != false || v["users"].(float64) != 1 {
		t.Fatalf("%v", v)
	}
	d.data += "x"
	d.run("", "status").exits(1).tells("there is no data directory")
}

func TestRoomsAndInvites(t *testing.T) {
	bothWays(t, func(t *testing.T, d *desk) {
		d.do("user", "add", "ann", "--role", "owner", "--no-password")
		d.do("room", "list").prints("ID")
		if n := len(d.do("room", "list", "--json").keys("rooms")["rooms"].([]any)); n != 0 {
			t.Fatal(n)
		}
		d.run("", "room", "show", "lobby").exits(1).tells("there is no room")
		v := d.do("invite", "create", "--hours", "5", "--uses", "3", "--note", "第一批", "--json").keys("invite", "position")["invite"].(map[string]any)
		if !strings.Contains(v["url"].(string), "/#/invite/") || v["uses"].(float64) != 3 {
			t.Fatalf("%v", v)
		}
		r := d.do("invite", "create").prints("/#/invite/").tells("posthouse invite revoke")
		if strings.Count(r.out, "\n") != 1 {
			t.Fatalf("more than the link: %q", r.out)
		}
		d.run("", "invite", "create", "--hours", "9999").exits(1)
		d.run("", "invite", "create", "--room", "nowhere").exits(1).tells("there is no room")
		d.do("invite", "list").prints("第一批")
		vid := v["id"].(string)
		d.run("", "invite", "revoke", vid).exits(2).tells("--yes")
		d.do("invite", "revoke", vid, "--yes")
		d.do("invite", "list").never("第一批")
		if n := len(d.do("invite", "list", "--json").keys("invites")["invites"].([]any)); n != 1 {
			t.Fatal(n)
		}
	})
}

func TestJournalCat(t *testing.T) {
	d := lived(t)
	r := d.do("journal", "cat", "--from", "3", "--to", "5").prints("account_opened", "audited", "invite_put", "(hidden)") // each act and its entry of the audit
	if strings.Count(r.out, "\n") != 3 {
		t.Fatalf("%s", r.out)
	}
	r = d.do("journal", "cat", "--to", "1", "--json")
	checkKeys(t, r.json(), "position", "time", "kind", "body")
	v := d.do("journal", "ls", "--json").keys("dir", "segments", "damage")
	checkKeys(t, v["segments"].([]any)[0].(map[string]any), "name", "first", "last", "bytes", "sealed", "created")
	d.do("journal", "ls", filepath.Join(d.data, journalDir)).prints(".seg")
	d.run("", "journal", "ls", t.TempDir()).exits(1).tells("there is no journal")
}

func TestTable(t *testing.T) {
	for in, want := range map[string]string{"安\x1b[31m": `安\x1b[31m`, "a\u202eb": `a\u202eb`, "\xff": `\xff`, "👩\u200d🚀": "👩\u200d🚀", "\U000e0041": `\U000e0041`, "\u009b": `\u009b`, "a\nb": `a\x0ab`} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) is %q, want %q", in, got, want)
		}
	}
	var b strings.Builder
	tab := table{head: []string{"A", "N", "C"}, right: []int{1}}
	tab.add("张三", "7", "x")
	tab.add("e\u0301t", "12345", "")
	if err := tab.write(&b); err != nil {
		t.Fatal(err)
	}
	want := "A         N  C\n张三      7  x\ne\u0301t    12345\n"
	if b.String() != want {
		t.Errorf("table\n%s, want\n%s", b.String(), want)
	}
}

// What cannot be opened is told with what to do about it, in both languages.
func TestWhatCannotBeOpenedSaysWhatToDo(t *testing.T) {
	d := newDesk(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	taken := "server.listen=" + ln.Addr().String()
	d.run("", "serve", "--set", taken, "--set", "server.listen_local=").exits(1).tells("server.listen", ln.Addr().String(), "posthouse doctor", "choose another port")
	d.run("", "serve", "--set", "server.listen=192.0.2.77:8443", "--set", "server.listen_local=").exits(1).tells("an address that this machine has")
	denied := fmt.Errorf("open index: %w", &fs.PathError{Op: "open", Path: "/x", Err: syscall.EACCES})
	for zh, want := range map[bool]string{false: "run it as root", true: "请以 root"} {
		if got := (words{zh}).err(denied); !strings.Contains(got, want) || !strings.Contains(got, "/x") {
			t.Errorf("%q", got)
		}
	}
	d.run("", "probe").exits(2).tells("--report-to URL", "token, list, revoke")
}

// A device that does not know the name of the box finds it by address.
func TestAddressesOfTheGreeting(t *testing.T) {
	covered := []string{"127.0.0.1", "::1", "192.168.1.5", "fd00::2"}
	for listen, want := range map[string]string{
		":8443":          "https://192.168.1.5:8443 https://[fd00::2]:8443",
		"[::]:443":       "https://192.168.1.5 https://[fd00::2]",
		"0.0.0.0:8443":   "https://192.168.1.5:8443",
		"127.0.0.1:8443": "",
		"":               "",
	} {
		if got := strings.Join(addressURLs([]string{listen}, covered), " "); got != want {
			t.Errorf("%s: %q, want %q", listen, got, want)
		}
	}
	if got := addressURLs(nil, covered); len(got) != 0 {
		t.Errorf("without a listener: %v", got)
	}
}
