package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"
)

// lived is a box in which something has happened; its server is stopped.
func lived(t *testing.T) *desk {
	d := newDesk(t)
	d.do("user", "add", "ann", "--name", "Ann", "--role", "owner", "--no-password")
	d.do("user", "add", "bo", "--name", "Bo", "--no-password")
	for range 3 {
		d.do("invite", "create", "--note", "n")
	}
	return d
}

// listing is every name, size and time in a directory, to see that nothing was
// written.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(&b, path, info.Size(), info.ModTime().Format(time.RFC3339Nano))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestVerifyWhole(t *testing.T) {
	d := lived(t)
	before := listing(t, d.data)
	v := d.do("verify", "--json", "--deep").keys("dir", "whole", "running", "journal", "state", "replay", "invariants", "files")
	checkKeys(t, v["journal"].(map[string]any), "dir", "whole", "segments", "records", "bytes", "first", "head", "torn_bytes", "damage")
	checkKeys(t, v["state"].(map[string]any), "position", "compared", "equal", "hash")
	checkKeys(t, v["replay"].(map[string]any), "base", "head", "hash")
	checkKeys(t, v["files"].(map[string]any), "files", "bytes", "deep", "problems")
	if v["whole"] != true || v["state"].(map[string]any)["equal"] != true {
		t.Fatalf("not whole: %v", v)
	}
	d.do("verify", d.data).prints("state file", "equal to the replay", "all hold")
	sum := d.do("verify", "--hash").out
	if !regexp.MustCompile(`^[0-9a-f]{64}\n$`).MatchString(sum) || sum != d.do("verify", "--hash").out {
		t.Fatalf("hash %q", sum)
	}
	if strings.TrimSpace(sum) != v["state"].(map[string]any)["hash"] {
		t.Fatal("the state file has another hash than the replay")
	}
	if after := listing(t, d.data); after != before {
		t.Fatalf("verify wrote:\n%s\n%s", before, after)
	}
	if err := os.Remove(filepath.Join(d.data, stateFile)); err != nil {
		t.Fatal(err)
	}
	d.do("verify").prints("there is no state file", "not done")
	d.run("", "verify", "--hash", "--json").exits(2)
	d.run("", "verify", filepath.Join(d.data, "nowhere")).exits(1).tells("there is no data directory")
}

func TestVerifyBesideAServer(t *testing.T) {
	d := newDesk(t)
	d.serve()
	d.do("user", "add", "ann", "--role", "owner", "--no-password")
	d.do("verify").prints("not compared, because a server is using it", "whole")
	if v := d.do("verify", "--json").json(); v["running"] != true || v["whole"] != true {
		t.Fatalf("%v", v)
	}
	d.do("journal", "check").prints("whole")
}

// flip inverts one bit of the payload of a record in the middle.
func (d *desk) flip() {
	d.t.Helper()
	name := filepath.Join(d.data, journalDir, "00000000000000000001.seg")
	raw, err := os.ReadFile(name)
	if err != nil {
		d.t.Fatal(err)
	}
	at := bytes.Index(raw, []byte("bo")) // the login in the third record, behind an account and its entry of the audit
	if at < 0 {
		d.t.Fatal("no record to damage")
	}
	raw[at] ^= 0x10
	if err := os.WriteFile(name, raw, 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func TestVerifyAndRepairAFlippedBit(t *testing.T) {
	d := lived(t)
	d.flip()
	var before string
	d.run("", "verify").exits(1).prints("DAMAGED", "position 3", "journal repair").tells("is damaged")
	v := d.run("", "verify", "--json").exits(1).json()
	if v["whole"] != false || len(v["journal"].(map[string]any)["damage"].([]any)) == 0 || len(v["advice"].([]any)) == 0 {
		t.Fatalf("%v", v)
	}
	d.run("", "verify", "--hash").exits(1)
	d.run("", "journal", "check").exits(1).prints("DAMAGED", "position 3")
	d.run("", "journal", "check", "--json").exits(1).keys("dir", "whole", "segments", "records", "bytes", "first", "head", "torn_bytes", "damage")
	d.run("", "user", "list").exits(1).tells("journal damaged at position 3")
	d.run("", "serve").exits(1).tells("journal damaged at position 3")

	before = listing(t, d.data)
	d.run("", "journal", "repair").exits(2).tells("positions 3 to 10 would be LOST (8 records)", "--yes")
	if after := listing(t, d.data); after != before {
		t.Fatalf("looking wrote:\n%s\n%s", before, after)
	}
	r := d.run("", "journal", "repair", "--yes", "--json").exits(0)
	rep := r.keys("dir", "changed", "damage", "lost", "first", "head", "aside", "copied", "state_moved")
	if rep["head"].(float64) != 2 {
		t.Fatalf("%v", rep)
	}
	d.do("verify")
	d.do("user", "list").prints("ann").never("bo")
	d.do("verify").prints("equal to the replay")
	d.do("journal", "repair").tells("the journal is whole")
}

func TestVerifyADamagedStateValue(t *testing.T) {
	for _, bucket := range []string{"users", "meta"} {
		t.Run(bucket, func(t *testing.T) {
			d := lived(t)
			path := filepath.Join(d.data, stateFile)
			db, err := bolt.Open(path, 0o600, nil)
			if err != nil {
				t.Fatal(err)
			}
			err = db.Update(func(tx *bolt.Tx) error {
				b := tx.Bucket([]byte(bucket))
				k, v := b.Cursor().First()
				v = bytes.Clone(v)
				v[len(v)-1] ^= 1
				return b.Put(k, v)
			})
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			d.run("", "verify").exits(1).prints("DAMAGED", "checksum", "move state.db out")
			if err := os.Rename(path, filepath.Join(t.TempDir(), stateFile)); err != nil {
				t.Fatal(err)
			}
			d.do("user", "list").prints("ann", "bo") // the advice is right
			d.do("verify").prints("equal to the replay")
		})
	}
}

// TestVerifyAValidButOtherValue: a value whose checksum fits and that the
// journal does not make is found by the comparison.
func TestVerifyAValidButOtherValue(t *testing.T) {
	d := lived(t)
	db, err := bolt.Open(filepath.Join(d.data, stateFile), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte("invites"))
		k, _ := b.Cursor().First()
		return b.Delete(bytes.Clone(k))
	}); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	d.run("", "verify").exits(1).prints("bucket invites")
}

func TestVerifyAStateFileThatIsNone(t *testing.T) {
	d := lived(t)
	path := filepath.Join(d.data, stateFile)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	binary.LittleEndian.PutUint32(raw[16:], 1) // magic of the first page
	for _, bad := range [][]byte{raw[:8192], {}, bytes.Repeat([]byte{0xff}, 40960)} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		before := listing(t, d.data)
		d.run("", "verify").exits(1).prints("DAMAGED")
		if after := listing(t, d.data); after != before {
			t.Fatalf("verify wrote:\n%s\n%s", before, after)
		}
	}
}

// TestVerifyFromTheBase: the first segments are gone; what verify begins with
// is the base snapshot.
func TestVerifyFromTheBase(t *testing.T) {
	d := lived(t)
	cfg := d.config()
	cfg.Journal.SegmentBytes, cfg.Journal.RetentionDays = 1, 1 // a segment a record
	d.inBox(cfg, func(b *box) {
		for range 3 {
			d.inviteIn(b)
		}
		if err := b.state.Flush(); err != nil {
			t.Fatal(err)
		}
		if err := b.release(time.Now().AddDate(0, 0, 3)); err != nil {
			t.Fatal(err)
		}
		if b.journal.First() == 1 {
			t.Fatal("nothing was released")
		}
		d.inviteIn(b)
	})
	v := d.do("verify", "--json").json()
	if base := v["replay"].(map[string]any)["base"].(float64); base == 0 || v["state"].(map[string]any)["equal"] != true {
		t.Fatalf("%v", v)
	}
	// A missing state file is begun from the base.
	if err := os.Remove(filepath.Join(d.data, stateFile)); err != nil {
		t.Fatal(err)
	}
	d.do("user", "list").prints("ann", "bo")
	d.do("verify").prints("equal to the replay")
	if err := os.Remove(filepath.Join(d.data, baseFile)); err != nil {
		t.Fatal(err)
	}
	d.run("", "verify").exits(1).prints("base.db", "restore the newest backup")
}

// TestVerifyFiles: content that is missing, cut or changed.
func TestVerifyFiles(t *testing.T) {
	d := newDesk(t)
	addr := d.serve()
	d.run("correct horse battery", "user", "add", "ann", "--role", "owner").exits(0)
	sums := d.upload(addr, "ann", "correct horse battery", "one", "two", "three")
	path := func(sum string) string { return filepath.Join(d.data, filesDir, "sha256", sum[:2], sum[2:]) }
	if err := os.Remove(path(sums[0])); err != nil {
		t.Fatal(err)
	}
	d.run("", "verify").exits(1).prints("missing " + sums[0]) // beside the server, too
	if code := d.stop(); code != 0 {
		t.Fatal(code)
	}
	if err := os.WriteFile(path(sums[1]), []byte("tw"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path(sums[2]), []byte("tHree"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.run("", "verify").exits(1).prints("missing "+sums[0], "size "+sums[1]).never(sums[2])
	v := d.run("", "verify", "--deep", "--json").exits(1).json()["files"].(map[string]any)
	if n := len(v["problems"].([]any)); n != 3 || v["files"].(float64) != 3 {
		t.Fatalf("%v", v)
	}
	if _, err := hex.DecodeString(sums[0]); err != nil {
		t.Fatal(err)
	}
}
