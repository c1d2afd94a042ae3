package main

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The figures are for some networks, and for whoever has the token that holds
// now.
func TestWhoMayReadTheFigures(t *testing.T) {
	dir := t.TempDir()
	door := &metricsDoor{dataDir: dir, networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	here, there := netip.MustParseAddr("::ffff:127.0.0.1"), netip.MustParseAddr("192.0.2.7")
	if !door.lets(here, "") {
		t.Error("an address of the list needs a token")
	}
	if door.lets(there, "") || door.lets(there, "Bearer ") || door.lets(there, "Bearer x") {
		t.Error("without a token file somebody gets in")
	}
	first, err := metricsToken(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := metricsToken(dir, false); err != nil || again != first {
		t.Errorf("asked again: %q, %v", again, err)
	}
	if info, err := os.Stat(filepath.Join(dir, watchDir, metricsTokenFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file %v, %v", info, err)
	}
	if !door.lets(there, "Bearer "+first) || !door.lets(there, "bearer "+first) {
		t.Error("the token is refused")
	}
	if door.lets(there, "Basic "+first) || door.lets(there, "Bearer "+strings.ToUpper(first)) {
		t.Error("something like the token gets in")
	}
	second, err := metricsToken(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	if door.lets(there, "Bearer "+first) || !door.lets(there, "Bearer "+second) {
		t.Error("the token of before still holds, or the new one does not")
	}
}
