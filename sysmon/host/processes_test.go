package host

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

func TestProcessesAndPorts(t *testing.T) {
	h := New(Options{})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	burner := exec.Command("sh", "-c", "while :; do :; done")
	if err := burner.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = burner.Process.Kill(); _ = burner.Wait() }()
	var top Top
	var own, burns bool
	for deadline := time.Now().Add(time.Minute); (!own || !burns) && time.Now().Before(deadline); { // others may be as busy
		if top, err = New(Options{}).Processes(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, p := range top.Busy {
			own = own || p.Own && p.PID == os.Getpid() && p.RSS > 1<<20
			burns = burns || p.PID == burner.Process.Pid && p.CPU > 5
		}
	}
	if !own || !burns {
		t.Errorf("own %v, the busy one %v: %+v", own, burns, top.Busy)
	}
	ports, err := h.Ports(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, p := range ports {
		found = found || p.Own && p.Protocol == "tcp" && int(p.Port) == l.Addr().(*net.TCPAddr).Port && p.Name != ""
	}
	if !found {
		t.Errorf("the own port is not listed: %+v", ports)
	}
	f := h.Facts()
	if f.Name == "" || f.Cores < 1 || f.Memory == 0 || f.Kernel == "" || f.Boot.IsZero() || f.OpenFiles == 0 {
		t.Errorf("%+v", f)
	}
}

// The kernel's answer and its files tell of the same listeners.
func TestListenersOfBothFamiliesAndProtocols(t *testing.T) {
	var want []string
	for _, at := range []string{"127.0.0.1:0", "[::1]:0"} {
		l, err := net.Listen("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		c, err := net.ListenPacket("udp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		peer, err := net.Dial("udp", c.LocalAddr().String()) // talks to one, listens to nobody
		if err != nil {
			t.Fatal(err)
		}
		defer peer.Close()
		want = append(want, "tcp "+l.Addr().String(), "udp "+c.LocalAddr().String())
	}
	slices.Sort(want)
	h := New(Options{})
	for name, list := range map[string]func(context.Context) ([]Port, error){"kernel": h.listeners, "files": listenersByFile} {
		all, err := list(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range all {
			if p.PID == os.Getpid() {
				got = append(got, p.Protocol+" "+netip.AddrPortFrom(p.Address, p.Port).String())
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("by the %s: %v, want %v", name, got, want)
		}
	}
}

// What the page about this machine asks for.
func BenchmarkProcesses(b *testing.B) {
	h := New(Options{})
	for b.Loop() {
		h.usage.at, h.usage.top = time.Now().Add(-time.Minute), nil
		if _, err := h.Processes(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPorts(b *testing.B) {
	h := New(Options{})
	for b.Loop() {
		if _, err := h.Ports(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
