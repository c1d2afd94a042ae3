package lancert

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Look says what Open made, and makes nothing itself.
func TestLookChangesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	opts := Options{HostName: "box.lan"}
	if _, err := Look(dir, opts); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("before the first start: %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal("Look has made the directory")
	}
	a, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Look(dir, opts)
	if want := a.Status(); err != nil || got.Fingerprint != want.Fingerprint || !got.NotAfter.Equal(want.NotAfter) || !slices.Equal(got.Names, want.Names) {
		t.Fatalf("Look: %+v, %v; Status: %+v", got, err, want)
	}
	var bad *Error
	if _, err := Look(dir, Options{HostName: "other.lan"}); !errors.As(err, &bad) || !bad.NewAuthority {
		t.Fatalf("another name: %v", err)
	}
	if err := os.Remove(filepath.Join(dir, leafFile)); err != nil {
		t.Fatal(err)
	}
	if got, err := Look(dir, opts); err != nil || !got.NotAfter.IsZero() {
		t.Fatalf("without a leaf: %+v, %v", got, err)
	}
	if _, err := os.Stat(filepath.Join(dir, leafFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal("Look has made a leaf")
	}
	if err := os.Remove(filepath.Join(dir, interFile)); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, rootKey)); err != nil {
		t.Fatal(err)
	}
	if _, err := Look(dir, opts); !errors.As(err, &bad) {
		t.Fatalf("without the intermediate: %v", err)
	}
}
