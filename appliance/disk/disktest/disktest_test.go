package disktest

import (
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
	"testing"

	"posthouse/appliance/disk"
)

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, fsys disk.FS, name, data string, sync bool) {
	t.Helper()
	f, err := fsys.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	check(t, err)
	_, err = f.Write([]byte(data))
	check(t, err)
	if sync {
		check(t, f.Sync())
	}
	check(t, f.Close())
}

// after is a crash state at the end of the log.
func after(s *Sim, keep Keep, seed uint64) *Sim {
	r := s.Replay()
	r.To(r.Len())
	return r.Crash(keep, rand.New(rand.NewPCG(seed, 1)))
}

func content(fsys disk.FS, name string) string {
	b, err := disk.ReadFile(fsys, name, 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return "absent"
	} else if err != nil {
		return err.Error()
	}
	return string(b)
}

func TestSimIsAFileSystem(t *testing.T) {
	for name, fsys := range map[string]disk.FS{"sim": NewSim(), "os": disk.OS{}} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			check(t, fsys.MkdirAll(dir+"/a/b", 0o700))
			_, err := fsys.OpenFile(dir+"/a/none", os.O_RDONLY, 0)
			if !errors.Is(err, fs.ErrNotExist) {
				t.Error(err)
			}
			write(t, fsys, dir+"/a/x", "hello", true)
			check(t, fsys.Rename(dir+"/a/x", dir+"/a/b/y"))
			f, err := fsys.OpenFile(dir+"/a/b/y", os.O_RDWR|os.O_APPEND, 0)
			check(t, err)
			_, err = f.Write([]byte(" all"))
			check(t, err)
			_, err = f.Seek(-3, io.SeekEnd)
			check(t, err)
			rest, err := io.ReadAll(f)
			check(t, err)
			check(t, f.Truncate(7))
			check(t, f.Truncate(9))
			check(t, f.Close())
			if got := content(fsys, dir+"/a/b/y"); string(rest) != "all" || got != "hello a\x00\x00" {
				t.Errorf("%q %q", rest, got)
			}
			if err := fsys.Remove(dir + "/a/b"); err == nil {
				t.Error("removed a directory that is not empty")
			}
			_, err = fsys.OpenFile(dir+"/a/b/y", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
			if !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
			list, err := fsys.ReadDir(dir + "/a/b")
			check(t, err)
			if len(list) != 1 || list[0].Name() != "y" {
				t.Error(list)
			}
			if st, err := fsys.Stat(dir + "/a/b/y"); err != nil || st.Size() != 9 || st.IsDir() {
				t.Error(st, err)
			}
			check(t, fsys.Remove(dir+"/a/b/y"))
			check(t, fsys.SyncDir(dir+"/a/b"))
		})
	}
}

func TestPowerCut(t *testing.T) {
	s := NewSim()
	check(t, s.MkdirAll("d", 0o700))
	check(t, s.SyncDir("/"))
	write(t, s, "d/safe", "one", true)
	write(t, s, "d/data", "two", false)
	check(t, s.SyncDir("d"))
	write(t, s, "d/name", "three", true)
	want := func(keep Keep, name string, allowed ...string) {
		t.Helper()
		for seed := range uint64(20) {
			if got := content(after(s, keep, seed), name); !slices.Contains(allowed, got) {
				t.Errorf("keep %d: %s is %q", keep, name, got)
			}
		}
	}
	for keep := range Keeps {
		want(keep, "d/safe", "one")
	}
	want(KeepNone, "d/data", "")
	want(KeepNone, "d/name", "absent")
	want(KeepAll, "d/data", "two")
	want(KeepAll, "d/name", "three")
	want(KeepRandom, "d/data", "", "two")
	want(KeepRandom, "d/name", "absent", "three")
	want(KeepSectors, "d/data", "", "two", "\x00\x00\x00")
	want(KeepNames, "d/name", "three")
}

// TestTornAtSectors: of an unsynced write each 512-byte sector is there or not.
func TestTornAtSectors(t *testing.T) {
	s := NewSim()
	write(t, s, "f", string(slices.Repeat([]byte("x"), 5*sector+100)), false)
	check(t, s.SyncDir("/"))
	torn := 0
	for seed := range uint64(50) {
		b := content(after(s, KeepSectors, seed), "f")
		some := map[byte]bool{}
		for i := 0; i < len(b); i += sector {
			for _, c := range []byte(b[i:min(i+sector, len(b))]) {
				if c != b[i] {
					t.Fatalf("seed %d: sector at %d is torn inside", seed, i)
				}
			}
			some[b[i]] = true
		}
		if len(some) == 2 {
			torn++
		}
	}
	if torn == 0 {
		t.Error("no write was torn")
	}
}

func TestLoseUnsynced(t *testing.T) {
	s := NewSim()
	write(t, s, "f", "gone", false)
	check(t, s.SyncDir("/"))
	s.LoseUnsynced("f")
	f, err := s.OpenFile("f", os.O_RDWR, 0)
	check(t, err)
	check(t, f.Sync())
	if got := content(s, "f"); got != "gone" {
		t.Errorf("the page cache has %q", got)
	}
	if got := content(after(s, KeepAll, 1), "f"); got != "" {
		t.Errorf("the disk has %q", got)
	}
	_, err = f.WriteAt([]byte("here"), 0)
	check(t, err)
	check(t, f.Sync())
	if got := content(after(s, KeepNone, 1), "f"); got != "here" {
		t.Errorf("the disk has %q", got)
	}
}

func TestFaulty(t *testing.T) {
	f := NewFaulty(NewSim())
	isWrite := func(op, _ string) bool { return op == "write" }
	f.Set(Fault{N: 2, Err: syscall.ENOSPC, Short: true, Match: isWrite})
	file, err := f.OpenFile("f", os.O_CREATE|os.O_RDWR, 0o600)
	check(t, err)
	for i, want := range []error{nil, syscall.ENOSPC, nil} {
		n, err := file.Write([]byte("abcd"))
		if !errors.Is(err, want) || (want != nil) != (n == 2) {
			t.Errorf("write %d: %d, %v", i, n, err)
		}
	}
	if got := content(f, "f"); got != "abcdababcd" || f.Calls() != 3 || f.Hits() != 1 {
		t.Errorf("%q, %d calls, %d failed", got, f.Calls(), f.Hits())
	}
	f.Set(Fault{N: 1, Forever: true, Err: syscall.EIO})
	for i, err := range []error{file.Sync(), f.Rename("f", "g"), f.SyncDir("/"), f.Remove("f"), file.Close()} {
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("call %d: %v", i, err)
		}
	}
	f.Set(Fault{})
	if err := file.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a failed close left the file open: %v", err)
	}
}
