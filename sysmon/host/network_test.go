package host

import (
	"net"
	"testing"
)

// A card that does not say how fast its link is has the speed of the
// configuration; one that says it keeps its own, and the loopback has none.
func TestTheSpeedOfACardThatDoesNotSayIt(t *testing.T) {
	cards, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	first := ""
	for _, c := range cards {
		if c.Name != "lo" && first == "" {
			first = c.Name
			write(t, root, map[string]string{"class/net/" + first + "/speed": "2500\n"})
		}
	}
	told, untold := take(t, New(Options{DataDir: t.TempDir(), LinkMbit: 100, proc: "/proc", sys: root, etc: "/etc"})), take(t, New(Options{DataDir: t.TempDir(), proc: "/proc", sys: root, etc: "/etc"}))
	for _, c := range cards {
		name := `node_network_speed_bytes{device="` + c.Name + `"}`
		want, wantUntold := 100e6/8, 0.0
		switch c.Name {
		case "lo":
			want = 0
		case first:
			want, wantUntold = 2500e6/8, 2500e6/8
		}
		if told[name] != want || untold[name] != wantUntold {
			t.Errorf("%s: %g with a speed in the configuration, want %g; %g without, want %g", name, told[name], want, untold[name], wantUntold)
		}
	}
}
