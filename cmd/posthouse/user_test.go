package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"posthouse/appliance/client"
)

func TestAccounts(t *testing.T) {
	bothWays(t, func(t *testing.T, d *desk) {
		r := d.run("", "user", "add", "ann", "--name", "安娜", "--role", "owner", "--generate", "--json").exits(0)
		checkKeys(t, r.keys("user", "position", "sessions_ended", "password")["user"].(map[string]any), "id", "login", "name", "role", "created")
		d.run("correct horse battery\n", "user", "add", "bo", "--name", "Bo\u3000博").exits(0).never("correct horse")
		d.do("user", "add", "helper", "--bot")
		d.run("", "user", "add", "ann", "--generate").exits(1).tells("posthouse: ")
		d.run("", "user", "add", "cy", "--role", "king", "--generate").exits(1)
		d.run("", "user", "add", "cy").exits(2).tells("no password")
		d.run("a\nb\n", "user", "add", "cy").exits(2).tells("single line").never("a\nb")

		d.do("user", "list").prints("LOGIN", "安娜", "Bo\u3000博", "bot")
		r = d.do("user", "list", "--json")
		if n := len(r.keys("users")["users"].([]any)); n != 3 {
			t.Fatalf("%d accounts, want 3", n)
		}
		d.do("user", "list", "bo").prints("bo").never("安娜")

		d.run("another good one", "user", "passwd", "bo").exits(0).tells("the password of bo was set").never("another good")
		d.run("", "user", "passwd", "nobody", "--generate").exits(1).tells(`there is no account "nobody"`)
		d.run("", "user", "disable", "bo").exits(2).tells("ends 0 sessions", "--yes")
		d.do("user", "disable", "bo", "--yes").tells("bo is disabled")
		d.do("user", "list").prints("disabled")
		v := d.do("user", "enable", "bo", "--json").keys("user", "position", "sessions_ended")
		if v["position"].(float64) == 0 {
			t.Fatal("enable has no position")
		}
		d.run("", "user", "disable", "ann", "--yes").exits(1) // the last owner
	})
}

func TestDisableSaysHowManySessionsEnd(t *testing.T) {
	d := newDesk(t)
	addr := d.serve()
	d.run("correct horse battery", "user", "add", "ann", "--role", "owner").exits(0)
	d.run("correct horse battery", "user", "add", "bo").exits(0)
	for range 2 {
		h, err := client.NewHTTP(client.Options{URL: "http://" + addr})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := h.Login(context.Background(), "bo", "correct horse battery"); err != nil {
			t.Fatal(err)
		}
		h.Close()
	}
	d.run("", "user", "disable", "bo").exits(2).tells("ends 2 sessions")
	v := d.do("user", "disable", "bo", "--yes", "--json").json()
	if v["sessions_ended"].(float64) != 2 {
		t.Fatalf("sessions_ended %v, want 2", v["sessions_ended"])
	}
}

func TestPasswordFile(t *testing.T) {
	d := newDesk(t)
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("correct horse battery\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.run("", "user", "add", "ann", "--role", "owner", "--password-file", file).exits(0).never("correct horse")
	d.run("", "user", "add", "bo", "--password-file", file+"x").exits(1)
	d.run("", "user", "add", "bo", "--password-file", file, "--generate").exits(2)
	d.do("journal", "cat", "--text").prints("account_opened", "(hidden)").never("argon2id", "correct horse")
}

func TestImport(t *testing.T) {
	bothWays(t, func(t *testing.T, d *desk) {
		d.do("user", "add", "ann", "--role", "owner", "--no-password")
		file := filepath.Join(t.TempDir(), "people.csv")
		write := func(text string) {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write("\ufefflogin,name,department\nbo,Bo,厂部/一车间\n\"c y\",Cy,\ndee,\"Dee\nLee\",厂部\n")
		d.run("", "user", "import", file, "--dry-run").exits(1).prints("create", "error").tells("nothing was changed")
		if n := d.run("", "user", "import", file, "--dry-run", "--json").exits(1).json()["departments"].(float64); n != 2 {
			t.Fatalf("%v departments would be made, want 2", n)
		}
		d.do("user", "list").never("bo")
		r := d.run("", "user", "import", file, "--json").exits(1)
		rows := r.keys("rows", "created", "updated", "errors", "departments", "dry_run")["rows"].([]any)
		if got := fmt.Sprint(rows[0].(map[string]any)["line"], rows[1].(map[string]any)["line"], rows[2].(map[string]any)["line"]); got != "2 3 4" {
			t.Fatalf("lines %s, want 2 3 4", got)
		}
		if p, _ := rows[0].(map[string]any)["password"].(string); len(p) < 12 {
			t.Fatalf("made-up password %q", p)
		}
		d.do("user", "list", "--department", "厂部").prints("厂部/一车间", "bo")
		d.run("", "user", "list", "--department", "nowhere").exits(1).tells("厂部")
		write("login,name\nbo,\xc4\xe3\n")
		d.run("", "user", "import", file).exits(1).tells("not UTF-8")
		write("who,name\nbo,Bo\n")
		d.run("", "user", "import", file).exits(1).tells("who")
		d.run("login,name\nev,Ev\n", "user", "import", "-").exits(0).prints("ev")
	})
}

// TestImportInParts: the parts of a long file keep the line numbers and find
// logins that come twice.
func TestImportInParts(t *testing.T) {
	var b strings.Builder
	b.WriteString("login,name\n")
	for i := range 250 {
		fmt.Fprintf(&b, "u%03d,\"N\nM\"\n", i)
	}
	b.WriteString("\nu001,again\nlast,L\n")
	parts := splitCSV([]byte(b.String()), words{})
	if len(parts) != 3 || len(parts[2].twice) != 1 || parts[2].twice[0].Line != 503 {
		t.Fatalf("%d parts, twice %+v", len(parts), parts[2].twice)
	}
	lines := strings.Split(b.String(), "\n")
	for _, p := range parts {
		for i, line := range strings.Split(p.csv, "\n") {
			if i == 0 || line == "" {
				continue
			}
			if want := lines[i+p.shift]; line != want {
				t.Fatalf("line %d of a part is %q, of the file %q", i+1, line, want)
			}
		}
	}
	if strings.Contains(parts[2].csv, "again") {
		t.Fatal("the second line of a login is imported")
	}
}

func TestInterruptedImportPrintsWhatWasDone(t *testing.T) {
	d := newDesk(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	d.runIn(ctx, "login,name\nann,Ann\n", "user", "import", "-").exits(1).tells("interrupted").prints("LOGIN")
	d.do("user", "list").never("ann")
}
