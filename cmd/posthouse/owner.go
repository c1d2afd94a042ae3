package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// giveBack gives what the superuser wrote below the directory dir to the account
// that the directory belongs to: the server, which runs under that account, could
// not read it otherwise. For everybody else, and where the directory is the
// superuser's own, it does nothing. It never leaves the directory, whatever links
// are in it, and leaves files with a second name alone.
func giveBack(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("give files to the owner of the data directory: %w", err)
	}
	defer root.Close()
	top, err := root.Stat(".")
	if err != nil {
		return fmt.Errorf("give files to the owner of the data directory: %w", err)
	}
	owner := top.Sys().(*syscall.Stat_t)
	if owner.Uid == 0 {
		return nil
	}
	return fs.WalkDir(root.FS(), ".", func(path string, _ fs.DirEntry, err error) error {
		var info fs.FileInfo
		if err == nil {
			info, err = root.Lstat(path)
		}
		if err == nil {
			st := info.Sys().(*syscall.Stat_t)
			if st.Uid != 0 || !info.IsDir() && st.Nlink > 1 {
				return nil
			}
			err = root.Lchown(path, int(owner.Uid), int(owner.Gid))
		}
		if err == nil || errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			return nil
		}
		return fmt.Errorf("give files to the owner of the data directory: %w", err)
	})
}
