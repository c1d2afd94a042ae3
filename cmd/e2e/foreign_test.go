package e2e

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// tusClient is the package of npm that is tested with: the tus client most
// web sites use.
const tusClient = "tus-js-client@4.3.1"

// room of the owner and one other person, for a foreign client of theirs.
func (o *office) guestRoom(login string) wire.Room {
	o.t.Helper()
	return o.group("客房 "+login, o.account(login, login).ID)
}

// A program in Python that knows only the reference talks over WebSocket.
func TestPythonClient(t *testing.T) {
	t.Parallel()
	python := need(t, "/usr/bin/python3")
	if err := exec.Command(python, "-c", "import websockets").Run(); err != nil {
		t.Fatal("python3-websockets is not installed; make deps installs what the tests need")
	}
	o := openOffice(t)
	room := o.guestRoom("pythonista")
	out := runs(t, []string{"PYTHONIOENCODING=utf-8"}, python, "testdata/client.py", o.url(), "pythonista", password, room.ID.String())
	o.saw(room.ID, "来自 Python 的 **问候**", out)
}

// curl alone is a client.
func TestCurlClient(t *testing.T) {
	t.Parallel()
	need(t, "curl")
	o := openOffice(t)
	room := o.guestRoom("curly")
	out := runs(t, nil, need(t, "sh"), "testdata/client.sh", o.url(), "curly", password, room.ID.String())
	o.saw(room.ID, "来自 curl 的问候", out)
}

// saw wants a room to hold a text once, and a file after it.
func (o *office) saw(room id.ID, text, out string) {
	o.t.Helper()
	if n := o.owner.count(room, text); n != 1 {
		o.t.Errorf("the message is there %d times; the client said %s", n, out)
	}
	_, file, _ := strings.Cut(strings.TrimSpace(out), "file ")
	list := o.owner.all(room)
	last := list[len(list)-1]
	if len(last.Files) != 1 || last.Files[0].ID.String() != file {
		o.t.Errorf("the last message carries %v, the client said %s", last.Files, out)
	}
}

// installing is held by the test that installs a package of npm: several want
// the same ones.
var installing sync.Mutex

// npmPackage installs a package once per machine and gives the directory that
// it is in.
func npmPackage(t *testing.T, spec string) string {
	t.Helper()
	installing.Lock()
	defer installing.Unlock()
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = t.TempDir()
	}
	dir := filepath.Join(cache, "posthouse-e2e", spec)
	name, _, _ := strings.Cut(spec, "@")
	if _, err := os.Stat(filepath.Join(dir, "installed")); err == nil {
		return dir
	}
	must(t, os.MkdirAll(dir, 0o700))
	runs(t, nil, need(t, "npm"), "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--prefix", dir, spec)
	if _, err := os.Stat(filepath.Join(dir, "node_modules", name)); err != nil {
		t.Fatalf("npm did not install %s: %v", spec, err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "installed"), nil, 0o600))
	return dir
}

// An upload by tus-js-client over a server that is killed with kill -9 in the
// middle of a piece goes on from what was acknowledged.
func TestUploadOverKilledServer(t *testing.T) {
	t.Parallel()
	node, modules := need(t, "node"), npmPackage(t, tusClient)
	o := openOffice(t)
	ann := o.device("ann", client.Options{})
	room := o.group("files")
	path := bigFile(t, 8<<20)
	network := cable(t, o.localAddr)
	network.stopAfter(5 << 20) // in the third piece of 2 MiB

	type result struct {
		Resumed, Asked int64
		File           string
	}
	finished := starts(t, nil, node, "testdata/tus.mjs", modules, "http://"+network.addr()+wire.PathUploads, ann.Token(), path)
	network.stopped()
	o.kill()
	network.mend()
	o.start()
	var r result
	must(t, json.Unmarshal([]byte(finished()), &r))
	t.Logf("asked %d times, went on from %d of %d bytes", r.Asked, r.Resumed, 8<<20)
	if r.Asked == 0 || r.Resumed < 4<<20 || r.Resumed > 5<<20 {
		t.Errorf("the upload went on from %d; 4 MiB had been acknowledged and 5 MiB sent", r.Resumed)
	}
	content, err := os.ReadFile(path)
	must(t, err)
	file := idOf(t, r.File)
	_, err = ann.SendMessage(background(t), wire.SendParams{Room: room.ID, Files: []id.ID{file}})
	must(t, err)
	info, err := ann.File(background(t), file)
	must(t, err)
	want := sha256.Sum256(content)
	got := sha256.Sum256(ann.downloads(info))
	if got != want || info.SHA256 != hex.EncodeToString(want[:]) || info.Name != "大文件.bin" {
		t.Errorf("the file came back as %q with %x, told as %s, not %x", info.Name, got, info.SHA256, want)
	}
}
