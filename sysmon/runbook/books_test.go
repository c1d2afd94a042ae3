package runbook

import (
	"strings"
	"testing"
)

// shipped are the alerts that the box comes with.
const shipped = `HighCPUUsage, CriticalCPUUsage, HighMemoryUsage, HighDiskUsage, DiskFillsUp, InodesLow, SwapActivity, HighLoad, HighTemperature, HighBandwidthUsage, NetworkErrors, HighErrorRate, SlowAPIResponse, HighAPILoad, StorageWriterSaturated, StorageSlowOperations, StorageReadOnly, CacheMemoryHigh, HighDeliveryLatency, LowArrivalRate, MessageDeliveryDelayed, ConnectionsDropped, ConnectionsUnusual, LowActiveUsers, MessagesFew, RegistrationsFew, DatabaseInsertFailed, LowHealthScore, ServiceDown, InstanceDown, HealthCheckFailed, ProbeFailed, ChatProbeFailed, SubnetUnreachable, CertificateExpiresSoon, FileDescriptorsLow, GoroutinesHigh, ClockSkew, AuthFailuresBurst, CardinalityCapReached, NotificationsFailing, RemoteWriteFailing, UncleanShutdown, MemoryLeakSuspected`

func TestEveryShippedAlertHasARunbook(t *testing.T) {
	books := map[string]Runbook{}
	for _, b := range All() {
		if books[b.Alert].Alert != "" {
			t.Errorf("%s has two runbooks", b.Alert)
		}
		books[b.Alert] = b
	}
	for _, name := range strings.Split(shipped, ", ") {
		b := books[name]
		if b.Alert == "" {
			t.Errorf("%s has no runbook", name)
			continue
		}
		if len(b.Evidence) < 2 || len(b.Steps) < 3 || b.Means.EN == "" || b.Means.ZH == "" {
			t.Errorf("%s: %d questions, %d steps, %q", name, len(b.Evidence), len(b.Steps), b.Means)
		}
		checkSteps(t, b)
	}
}

func checkSteps(t *testing.T, b Runbook) {
	t.Helper()
	known := map[string]Action{}
	for _, a := range Actions() {
		known[a.ID] = a
	}
	seen := map[string]bool{}
	for _, s := range b.Steps {
		if seen[s.ID] || s.ID == "" || s.Why.EN == "" || s.Why.ZH == "" {
			t.Errorf("%s: step %q is there twice or says nothing", b.Alert, s.ID)
		}
		seen[s.ID] = true
		if (s.Action == "") == (s.Link == "") || s.Action != "" && known[s.Action].ID == "" {
			t.Errorf("%s: step %q leads nowhere", b.Alert, s.ID)
		}
	}
	asked := map[string]bool{}
	for _, e := range b.Evidence {
		if asked[e.ID] || e.Title.EN == "" || e.Title.ZH == "" {
			t.Errorf("%s asks %q twice, or without a title", b.Alert, e.ID)
		}
		asked[e.ID] = true
	}
	if b.Peak != "" && !asked["heap"] {
		t.Errorf("%s has a peak and profiles no heap", b.Alert)
	}
}

func TestEveryActionSaysWhatItDoes(t *testing.T) {
	for _, a := range Actions() {
		if a.Title.EN == "" || a.Title.ZH == "" || a.Does.EN == "" || a.Does.ZH == "" || a.Role != "admin" && a.Role != "owner" {
			t.Errorf("%+v", a)
		}
		if a.Auto && (len(a.Asks) > 0 || a.Role == "owner") {
			t.Errorf("%s may run by itself", a.ID)
		}
	}
}
