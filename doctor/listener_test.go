package doctor

import (
	"net"
	"strings"
	"testing"
)

// TestAHungServerIsToldFromAFirewall: the kernel takes connections for a
// program that does nothing.
func TestAHungServerIsToldFromAFirewall(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	d := newDiagnosis(Options{})
	d.runs = true
	s := &d.box.Config.Server
	s.HostName, s.Listen, s.DataDir = "posthouse.test", []string{ln.Addr().String()}, t.TempDir()
	d.lookAtListeners(t.Context())
	if len(d.list) != 1 || d.list[0].State != Bad || !strings.Contains(d.list[0].Found, "the server hangs") {
		t.Errorf("%+v", d.list)
	}
}
