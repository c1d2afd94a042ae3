package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// What the superuser writes into the data directory of a server that has an
// account of its own is that account's afterwards: the token of the figures,
// and what a command changes while no server runs.
func TestWhatTheSuperuserWritesIsTheServers(t *testing.T) {
	d := newDesk(t)
	other := filepath.Join(t.TempDir(), "elsewhere")
	d.write(other, "not of the server")
	if err := os.Symlink(other, filepath.Join(d.data, "link")); err != nil {
		t.Fatal(err)
	}
	owner := os.Geteuid()
	if owner == 0 {
		owner = 65534
		if err := os.Chown(d.data, owner, owner); err != nil {
			t.Fatal(err)
		}
	}
	d.do("metrics", "token")
	d.do("user", "add", "ann", "--role", "owner", "--no-password")
	seen := map[string]bool{}
	err := filepath.WalkDir(d.data, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		if uid := int(info.Sys().(*syscall.Stat_t).Uid); uid != owner {
			t.Errorf("%s belongs to %d, not to %d", path, uid, owner)
		}
		seen[filepath.Base(path)] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if !seen[metricsTokenFile] || !seen["state.db"] || !seen["journal"] {
		t.Errorf("the data directory holds %v", seen)
	}
	info, err := os.Stat(other)
	if err != nil {
		t.Fatal(err)
	}
	if uid := int(info.Sys().(*syscall.Stat_t).Uid); uid != os.Geteuid() {
		t.Errorf("what a link leads to was given away, to %d", uid)
	}
}

// A command that looks at a data directory makes none, wherever it was pointed.
func TestNoDataDirectoryIsMade(t *testing.T) {
	d := newDesk(t)
	d.data = filepath.Join(d.data, "nowhere")
	for _, line := range [][]string{{"metrics", "token"}, {"metrics", "token", "--new"}, {"probe", "list"}, {"user", "list"}, {"setup"}, {"status"}} {
		d.run("", line...).exits(1).tells("there is no data directory " + d.data)
	}
	if _, err := os.Stat(d.data); !os.IsNotExist(err) {
		t.Errorf("the data directory is there: %v", err)
	}
}
