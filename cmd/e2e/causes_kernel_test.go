package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// kernel is what a server is shown of its machine's kernel: files that are
// mounted over the real ones in a mount namespace of the server's own, as lxcfs
// does for containers, and filesystems of its own. It is for what would harm
// the machine, or every other test on it, if it were true. From the collector
// on everything is real.
type kernel struct {
	t       *testing.T
	dir     string
	script  []string // lines of sh that make it, before the server is started
	files   map[string]string
	lengths map[string]int
}

func newKernel(t *testing.T) *kernel {
	return &kernel{t: t, dir: t.TempDir(), files: map[string]string{}, lengths: map[string]int{}}
}

// shows puts a text in place of a file of the kernel. Before the server starts
// it makes the file; afterwards it changes what is read.
func (k *kernel) shows(path, text string) {
	k.t.Helper()
	file, known := k.files[path]
	if !known {
		file = filepath.Join(k.dir, fmt.Sprintf("file%d", len(k.files)))
		k.files[path], k.lengths[path] = file, len(text)+2048
		k.script = append(k.script, fmt.Sprintf("mount --bind '%s' '%s'", file, path))
	}
	if err := over(file, text, k.lengths[path]); err != nil {
		k.t.Errorf("change what is read: %v", err)
	}
}

// over writes a file in place, always of the same length, so that a reader never
// sees an empty or half a file: the last line ends in spaces.
func over(file, text string, length int) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	text = strings.TrimSuffix(text, "\n")
	_, err = f.WriteAt([]byte(text+strings.Repeat(" ", length-len(text)-1)+"\n"), 0)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// tree is the directory that stands in for one of the kernel.
func (k *kernel) tree(path string) string {
	return filepath.Join(k.dir, strings.ReplaceAll(path, "/", "-"))
}

// showsTree puts a directory in place of one of the kernel; files in it can be
// changed at any time.
func (k *kernel) showsTree(path string, files map[string]string) {
	k.t.Helper()
	dir := k.tree(path)
	for name, text := range files {
		must(k.t, os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755))
		must(k.t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	at := strings.Replace(path, "/proc/net", "/proc/$$/net", 1) // there it is the one of mount itself
	k.script = append(k.script, fmt.Sprintf("mount --bind '%s' \"%s\"", dir, at))
}

// showsNetwork puts what the kernel says of its network into files, so that its
// cards can be others.
func (k *kernel) showsNetwork() {
	k.t.Helper()
	network := map[string]string{"dev": ""}
	for _, name := range []string{"arp", "route", "snmp", "tcp", "tcp6", "udp", "udp6"} {
		raw, err := os.ReadFile("/proc/net/" + name)
		must(k.t, err)
		network[name] = string(raw)
	}
	k.showsTree("/proc/net", network)
}

// showsCards is the list of network cards from now on.
func (k *kernel) showsCards(text string) error {
	return over(filepath.Join(k.tree("/proc/net"), "dev"), text, 64<<10)
}

// disk mounts a filesystem in memory for the server.
func (k *kernel) disk(name, options string) {
	k.t.Helper()
	at := filepath.Join(k.dir, name)
	must(k.t, os.MkdirAll(at, 0o755))
	k.script = append(k.script, fmt.Sprintf("mount -t tmpfs -o '%s' tmpfs '%s'", options, at))
}

// holds puts a directory, with what is in it, onto a filesystem in memory.
func (k *kernel) holds(dir, options string) {
	k.t.Helper()
	at := filepath.Join(k.dir, "holds")
	must(k.t, os.MkdirAll(at, 0o755))
	k.script = append(k.script, fmt.Sprintf("mount -t tmpfs -o '%[1]s' tmpfs '%[2]s'\ncp -a '%[3]s/.' '%[2]s'\nmount --move '%[2]s' '%[3]s'", options, at, dir))
}

// wrap lets the server start in what was prepared.
func (k *kernel) wrap(cmd *exec.Cmd) {
	if len(k.script) == 0 {
		return
	}
	script := "set -e\n" + strings.Join(k.script, "\n") + "\nexec \"$@\""
	cmd.Args = append([]string{"sh", "-c", script, "sh", cmd.Path}, cmd.Args[1:]...)
	cmd.Path = need(k.t, "sh")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
}
