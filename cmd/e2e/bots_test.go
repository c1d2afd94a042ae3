package e2e

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
	"posthouse/webui/bundle"
)

// wsPackage is the WebSocket of Node before it had one; compilerPackage is that
// of TypeScript. Both come from npm.
const (
	wsPackage       = "ws@8.18.3"
	compilerPackage = "typescript@5.9.3"
)

var update = flag.Bool("update", false, "write webui/npm/index.d.ts anew")

// The published client for JavaScript, installed from its tarball, runs the
// example of its README.
func TestEchoInJavaScript(t *testing.T) {
	t.Parallel()
	dir := installed(t)
	must(t, os.Symlink(filepath.Join(npmPackage(t, wsPackage), "node_modules", "ws"), filepath.Join(dir, "node_modules", "ws")))
	example, err := os.ReadFile(filepath.Join(dir, "node_modules", "posthouse-client", "examples", "echo.mjs"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "echo.mjs"), example, 0o600))
	echoed(t, exec.Command(need(t, "node"), filepath.Join(dir, "echo.mjs")))
}

// The Go client runs its example as the program of somebody else's module.
func TestEchoInGo(t *testing.T) {
	t.Parallel()
	root, err := filepath.Abs("../..")
	must(t, err)
	dir := t.TempDir()
	for name, from := range map[string]string{"main.go": "appliance/client/examples/echo/main.go", "go.sum": "go.sum"} {
		content, err := os.ReadFile(filepath.Join(root, from))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	must(t, os.WriteFile(filepath.Join(dir, "go.mod"), fmt.Appendf(nil, "module example.org/echo\n\ngo 1.26\n\nrequire posthouse v0.0.0\n\nreplace posthouse => %s\n", root), 0o600))
	build := exec.Command("go", "build", "-mod=mod", "-o", "echo", ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the example in a module of its own: %v\n%s", err, out)
	}
	echoed(t, exec.Command(filepath.Join(dir, "echo")))
}

// echoed wants a bot to answer every message exactly once and in order, over a
// server that is killed and one that is stopped between them.
func echoed(t *testing.T, bot *exec.Cmd) {
	o := openOffice(t)
	account, err := o.owner.CreateUser(background(t), wire.UserCreate{Login: "echo", Name: "Echo", Bot: true})
	must(t, err)
	room := o.group("echo", account.ID)
	session, err := o.owner.CreateToken(background(t), account.ID, "bot")
	must(t, err)
	var said log
	bot.Env = append(os.Environ(), "POSTHOUSE_URL="+o.url(), "POSTHOUSE_TOKEN="+session.Token)
	bot.Stdout, bot.Stderr = &said, &said
	must(t, bot.Start())
	t.Cleanup(func() {
		_ = bot.Process.Kill()
		_ = bot.Wait() // it was killed
		if t.Failed() {
			t.Logf("the bot said:\n%s", said.tail())
		}
	})
	online := func() bool {
		p, err := o.owner.WatchPresence(background(t), account.ID)
		return err == nil && len(p.Presence) == 1 && p.Presence[0].State == "online"
	}
	await(t, func() string { return "the bot to be there; it said " + said.tail() }, online)

	var want []string
	say := func(n int) {
		t.Helper()
		for range n {
			text := fmt.Sprintf("message %d 你好", len(want))
			o.owner.says(room.ID, text)
			want = append(want, text)
		}
	}
	say(5)
	say(10)
	o.kill() // it had no time to answer them all
	o.start()
	say(10) // before the bot is back
	o.stop()
	o.start()
	say(5)
	echoes := func() []string {
		var got []string
		for _, m := range o.owner.all(room.ID) {
			if m.Sender == account.ID && m.Change == nil {
				got = append(got, m.Text)
			}
		}
		return got
	}
	await(t, func() string { return fmt.Sprintf("%d echoes, not %d", len(want), len(echoes())) }, func() bool { return len(echoes()) >= len(want) })
	say(1) // whatever came twice stands before its echo
	await(t, func() string { return "the last echo" }, func() bool { e := echoes(); return e[len(e)-1] == want[len(want)-1] })
	if got := echoes(); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the bot said %q, not %q", got, want)
	}
}

// installed is a directory with the npm package in its node_modules.
func installed(t *testing.T) string {
	t.Helper()
	packed, err := bundle.Package("../../webui", "1.2.3")
	must(t, err)
	dir := t.TempDir()
	file := filepath.Join(dir, "posthouse-client-1.2.3.tgz")
	must(t, os.WriteFile(file, packed, 0o600))
	runs(t, nil, need(t, "npm"), "install", "--offline", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--prefix", dir, file)
	return dir
}

// The types of the npm package are those of its source, and what they say can
// be relied on: a program that uses them well compiles, one that does not fails.
func TestTypesOfThePackage(t *testing.T) {
	t.Parallel()
	tsc := filepath.Join(npmPackage(t, compilerPackage), "node_modules", "typescript", "bin", "tsc")
	node, made := need(t, "node"), t.TempDir()
	runs(t, nil, node, tsc, "-p", "../../webui", "--noEmit", "false", "--declaration", "--emitDeclarationOnly", "--outDir", made)
	fresh, err := os.ReadFile(filepath.Join(made, "npm", "index.d.ts"))
	must(t, err)
	fresh = bytes.ReplaceAll(fresh, []byte(`"../src/api"`), []byte(`"./api.js"`))
	const committed = "../../webui/npm/index.d.ts"
	if *update {
		must(t, os.WriteFile(committed, fresh, 0o600))
	}
	if old, err := os.ReadFile(committed); err != nil || !bytes.Equal(old, fresh) {
		t.Fatalf("webui/npm/index.d.ts is stale: go test ./cmd/e2e -run TypesOfThePackage -update (%v)", err)
	}

	dir := installed(t)
	compile := func(body string) string {
		t.Helper()
		source := filepath.Join(dir, "use.mts")
		must(t, os.WriteFile(source, []byte(`import { connect, type Message } from "posthouse-client";
const client = await connect({ url: "http://localhost" });
`+body), 0o600))
		out, _ := exec.Command(node, tsc, "--noEmit", "--strict", "--target", "es2022", "--module", "nodenext", source).CombinedOutput() // what it says is its answer
		return string(out)
	}
	if out := compile(`client.on("message", (m: Message, position: number) => client.send(m.room, m.text ?? "", { reply_to: m.seq }));
client.on("rooms", (rooms) => rooms.map((r) => r.head.toFixed()));
client.on("closed", (e) => e?.kind === "unauthenticated");
const { user } = await client.call("session.me", {});
user.login.trim();
`); out != "" {
		t.Errorf("a good program does not compile:\n%s", out)
	}
	for _, bad := range []string{`client.call("message.sent", {})`, `client.call("room.get", { rom: "x" })`, `client.on("mesage", () => {})`, `(await client.call("session.me", {})).user.nobody`} {
		if out := compile(bad); !strings.Contains(out, "error TS") {
			t.Errorf("%s compiles", bad)
		}
	}
}

// Whoever has no token any more is told so, and does not try for ever.
func TestBotWithoutToken(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	dir := installed(t)
	ws := filepath.Join(npmPackage(t, wsPackage), "node_modules", "ws")
	must(t, os.Symlink(ws, filepath.Join(dir, "node_modules", "ws")))
	p := o.hire("bo", "Bo", client.Options{})
	script := filepath.Join(dir, "told.mjs")
	must(t, os.WriteFile(script, []byte(`import { connect } from "posthouse-client";
import WebSocket from "ws";
const [, , url, token] = process.argv;
await connect({ url, token: "wrong", WebSocket }).catch((e) => console.log("refused", e.kind));
const bot = await connect({ url, token, WebSocket });
bot.on("closed", (e) => console.log("closed", e.kind));
console.log("as", (await bot.call("session.me", {})).user.login, bot.user.login);
await bot.call("room.get", { room: "3333333333333" }).catch((e) => console.log("no room", e.kind));
await bot.call("session.logout", {}).catch(() => {}); // the connection may end before the answer
`), 0o600))
	out := runs(t, nil, need(t, "node"), script, o.url(), p.Token())
	for _, want := range []string{"refused " + string(wire.Unauthenticated), "as bo bo", "no room ", "closed " + string(wire.Unauthenticated)} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in what it said:\n%s", want, out)
		}
	}
}

// A connection that breaks after every message, which is then asked for once
// more, brings each of them once.
func TestBreakAfterEveryMessage(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	dir := installed(t)
	must(t, os.Symlink(filepath.Join(npmPackage(t, wsPackage), "node_modules", "ws"), filepath.Join(dir, "node_modules", "ws")))
	p := o.hire("bo", "Bo", client.Options{})
	room := o.group("breaking", p.user.ID)
	since := o.owner.says(room.ID, "0").Position
	for n := 1; n <= 4; n++ {
		o.owner.says(room.ID, fmt.Sprint(n))
	}
	script := filepath.Join(dir, "breaks.mjs")
	must(t, os.WriteFile(script, []byte(`import { connect } from "posthouse-client";
import Plain from "ws";
class WebSocket extends Plain {
  constructor(url) {
    super(url);
    this.on("message", (b) => { if (b.toString().includes('"type":"message"')) this.terminate(); });
  }
}
const [, , url, token, since] = process.argv;
const got = [];
const bot = await connect({ url, token, since: Number(since), WebSocket });
bot.on("message", (m) => {
  got.push(m.text);
  if (m.text === "4") setTimeout(() => { bot.close(); console.log(got.join(" ")); }, 3000);
});
`), 0o600))
	if out := runs(t, nil, need(t, "node"), script, o.url(), p.Token(), fmt.Sprint(since)); out != "1 2 3 4\n" {
		t.Errorf("it got %q", out)
	}
}
