package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"posthouse/appliance/probe"
	check "posthouse/sysmon/probe"
)

// Rounds that could not be reported are there after a restart of the probe, for
// the box they were meant for, and leave no file once they have arrived.
func TestProbeKeepsItsRounds(t *testing.T) {
	var away atomic.Bool
	var got []check.Round
	box := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if away.Load() {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		var report check.Report
		if err := json.NewDecoder(r.Body).Decode(&report); err != nil {
			t.Error(err)
		}
		got = append(got, report.Rounds...)
		_ = json.NewEncoder(w).Encode(check.Answer{Until: report.Rounds[len(report.Rounds)-1].At}) // the reader sees
	}))
	t.Cleanup(box.Close)
	dir := filepath.Join(t.TempDir(), "probe")
	var log strings.Builder
	start := func(to string) *reporter {
		t.Helper()
		r, err := newReporter(to, probeToken{Token: "x"}, &log)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.keepIn(dir); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.http.CloseIdleConnections)
		return r
	}
	began := time.Now().Add(-time.Hour)
	round := func(r *reporter, minute int) error {
		t.Helper()
		r.keep(probe.Result{At: began.Add(time.Duration(minute) * time.Minute)})
		err := r.report(t.Context())
		if err := r.save(); err != nil {
			t.Fatal(err)
		}
		return err
	}
	away.Store(true)
	r := start(box.URL)
	for i := range 3 {
		if err := round(r, i); err == nil {
			t.Error("a report arrives at a box that is away")
		}
	}
	if st, err := os.Stat(filepath.Join(dir, waitingFile)); err != nil || st.Mode().Perm() != 0o600 {
		t.Fatalf("what waits is not kept: %v, %v", st, err)
	}
	if other := start("http://192.0.2.1"); len(other.waiting) != 0 || !strings.Contains(log.String(), "are for "+box.URL) {
		t.Errorf("%d rounds for another box, %q", len(other.waiting), log.String())
	}
	away.Store(false)
	if err := round(start(box.URL), 3); err != nil {
		t.Fatal(err)
	}
	if len(got) != 4 || got[0].At != began.UnixMilli() {
		t.Errorf("%d rounds arrived: %+v", len(got), got)
	}
	if _, err := os.Stat(filepath.Join(dir, waitingFile)); !os.IsNotExist(err) {
		t.Errorf("the file stays: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, waitingFile), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := start(box.URL); len(r.waiting) != 0 || !strings.Contains(log.String(), "cannot be read") {
		t.Errorf("a damaged file: %d rounds, %q", len(r.waiting), log.String())
	}
}
