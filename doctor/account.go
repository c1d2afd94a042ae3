package doctor

import (
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// account is who the server runs as.
type account struct {
	uid     int
	name    string
	groups  []int
	assumed bool // the caller's, because nothing tells whose the server is
}

// account is that of the running server, else of its unit, else of the
// package's user when the package's configuration is looked at, else of the
// caller.
func (d *diagnosis) account() account {
	if d.pid != 0 {
		if info, err := os.Stat("/proc/" + strconv.Itoa(d.pid)); err == nil {
			return accountOf(strconv.Itoa(ownerOf(info)))
		}
	}
	if d.unit != nil && d.unit.user != "" {
		return accountOf(d.unit.user)
	}
	if d.box.Service {
		if u, err := user.Lookup("posthouse"); err == nil {
			return accountOf(u.Username)
		}
	}
	a := accountOf(strconv.Itoa(os.Geteuid()))
	a.assumed = true
	return a
}

// accountOf finds an account by its name or number.
func accountOf(text string) account {
	u, err := user.LookupId(text)
	if err != nil {
		u, err = user.Lookup(text)
	}
	if err != nil {
		n, err := strconv.Atoi(text)
		if err != nil {
			n = os.Geteuid()
		}
		return account{uid: n, name: text}
	}
	a := account{name: u.Username}
	a.uid, _ = strconv.Atoi(u.Uid) // numbers on this system
	list, _ := u.GroupIds()
	for _, g := range append(list, u.Gid) {
		if n, err := strconv.Atoi(g); err == nil {
			a.groups = append(a.groups, n)
		}
	}
	return a
}

func ownerOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

// may reports whether the permission bits (of rwx, as 4, 2, 1) are given to
// the account.
func (a account) may(info fs.FileInfo, bits fs.FileMode) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	perm := info.Mode().Perm()
	switch {
	case a.uid == 0 || !ok:
		return true
	case int(st.Uid) == a.uid:
		return perm>>6&bits == bits
	case slices.Contains(a.groups, int(st.Gid)):
		return perm>>3&bits == bits
	}
	return perm&bits == bits
}

// barred is the first directory above path that the account may not pass;
// empty: it may pass all.
func (a account) barred(path string) string {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && !a.may(info, 1) {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// unreadable is the file, or the directory above it, that keeps the account
// from reading the file; empty: it may, or the caller cannot see.
func (a account) unreadable(file string) string {
	path, err := filepath.Abs(file)
	if err != nil {
		return ""
	}
	if at := a.barred(path); at != "" {
		return at
	}
	if info, err := os.Stat(path); err == nil && !a.may(info, 4) {
		return path
	}
	return ""
}
