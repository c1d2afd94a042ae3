package probe

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// post sends a report as the agent of a token would.
func post(t *testing.T, p *Prober, token string, r Report) (int, Answer) {
	t.Helper()
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	status, body := p.Report("Bearer "+token, raw, "10.2.0.7")
	var a Answer
	if status == http.StatusOK {
		if err := json.Unmarshal(body, &a); err != nil {
			t.Fatal(err)
		}
	}
	return status, a
}

func good(at time.Time, e2e float64) Round {
	return Round{At: at.UnixMilli(), Total: 100, EndToEnd: e2e, Steps: []RoundStep{{Name: "connect", Took: 1}, {Name: "send", Took: 2}}}
}

func bad(at time.Time) Round {
	return Round{At: at.UnixMilli(), Total: 100, Steps: []RoundStep{{Name: "connect", Took: 1, Err: "no route to host"}}}
}

func TestSubnetsAreToldApart(t *testing.T) {
	now := time.Now()
	dir := t.TempDir()
	p := open(t, Options{Dir: dir, Now: func() time.Time { return now }, Shipped: []Definition{{ID: "chat", Name: "chat", Kind: Chat, Every: 60}}})
	tokens := map[string]string{}
	for _, name := range []string{"north", "south"} {
		tokens[name] = Token()
		if err := AddAgent(dir, Agent{Name: name, Subnet: name + " wing"}, tokens[name]); err != nil {
			t.Fatal(err)
		}
	}
	own := func(err string) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.note(p.find("chat"), Outcome{At: now, Err: err, EndToEnd: 20 * time.Millisecond})
	}
	states := func(north, south string) {
		t.Helper()
		got := map[string]Subnet{}
		for _, s := range p.Subnets() {
			got[s.Agent] = s
		}
		if got["north"].State != north || got["south"].State != south {
			t.Errorf("north %s, south %s, want %s and %s", got["north"].State, got["south"].State, north, south)
		}
	}
	states(Waiting, Waiting)
	own("")
	skew := -5 * time.Hour // the agents' clocks are wrong, which must not matter
	report := func(name string, rounds ...Round) Answer {
		t.Helper()
		for i := range rounds {
			rounds[i].At += skew.Milliseconds()
		}
		status, a := post(t, p, tokens[name], Report{Now: now.Add(skew).UnixMilli(), Rounds: rounds})
		if status != http.StatusOK {
			t.Fatalf("status %d", status)
		}
		return a
	}
	report("north", good(now, 15))
	a := report("south", good(now.Add(-time.Minute), 15), good(now, 12))
	if a.Until != now.Add(skew).UnixMilli() || a.Every != 60 {
		t.Errorf("%+v", a)
	}
	states(Well, Well)
	now = now.Add(time.Minute)
	own("")
	report("north", good(now, 2500))
	report("south", bad(now))
	states(Slow, Network)
	var text bytes.Buffer
	p.Write(&text)
	for _, want := range []string{`posthouse_subnet_sick{agent="south",subnet="south wing"} 1`, `posthouse_subnet_sick{agent="north",subnet="north wing"} 0`,
		`probe_success{kind="chat",probe="chat"} 1`, "posthouse_message_path 1"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %s in\n%s", want, text.String())
		}
	}
	now = now.Add(time.Minute)
	own("socket: refused")
	report("north", bad(now))
	states(Server, Server)
	now = now.Add(5 * time.Minute)
	own("")
	report("north", good(now, 9))
	states(Well, Silent)
	if n := len(p.Subnets()[1].Cells); n != 60 {
		t.Errorf("%d cells", n)
	}
	// The rounds of the time away arrive afterwards, twice: they count once.
	report("south", bad(now.Add(-2*time.Minute)), bad(now.Add(-time.Minute)), good(now, 8))
	report("south", bad(now.Add(-time.Minute)), good(now, 8))
	states(Well, Well)
	if s := p.Subnets()[1]; s.Rounds != 6 || s.Arrived != 0.5 || s.Median != 12*time.Millisecond {
		t.Errorf("%d rounds, %v arrived, median %v", s.Rounds, s.Arrived, s.Median)
	}
	// A restart forgets the rounds, and not that south used to report.
	again := open(t, Options{Dir: dir, Now: func() time.Time { return now }})
	if s := again.Subnets()[1]; s.State != Waiting {
		t.Errorf("after a restart: %s", s.State)
	}
	now = now.Add(4 * time.Minute)
	if s := again.Subnets()[1]; s.State != Silent {
		t.Errorf("four minutes after a restart: %s", s.State)
	}
}

func TestReportsAreBounded(t *testing.T) {
	dir := t.TempDir()
	p := open(t, Options{Dir: dir})
	token := Token()
	if err := AddAgent(dir, Agent{Name: "a", Subnet: "b"}, token); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if status, _ := post(t, p, Token(), Report{Now: now.UnixMilli()}); status != http.StatusUnauthorized {
		t.Errorf("another token: %d", status)
	}
	if status, _ := p.Report("", []byte("{}"), ""); status != http.StatusUnauthorized {
		t.Errorf("no token: %d", status)
	}
	if status, _ := p.Report("Bearer "+token, []byte("nonsense"), ""); status != http.StatusBadRequest {
		t.Errorf("nonsense: %d", status)
	}
	if status, _ := p.Report("Bearer "+token, make([]byte, MaxReportBytes+1), ""); status != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d", status)
	}
	if status, _ := post(t, p, token, Report{Rounds: make([]Round, MaxRounds+1)}); status != http.StatusRequestEntityTooLarge {
		t.Errorf("too many: %d", status)
	}
	future := good(now.Add(time.Hour), 1)
	if status, a := post(t, p, token, Report{Now: now.UnixMilli(), Rounds: []Round{future}}); status != http.StatusOK || a.Until != 0 {
		t.Errorf("a round of the future was taken: %d %+v", status, a)
	}
	raw, err := os.ReadFile(dir + "/agents.json")
	if err != nil || strings.Contains(string(raw), token) {
		t.Errorf("the token is kept as it is: %v", err)
	}
	if _, err := RemoveAgent(dir, "a"); err != nil {
		t.Fatal(err)
	}
	if status, _ := post(t, p, token, Report{Now: now.UnixMilli()}); status != http.StatusUnauthorized {
		t.Errorf("a revoked token: %d", status)
	}
	for i := range MaxAgents {
		if err := AddAgent(dir, Agent{Name: fmt.Sprint(i), Subnet: "x"}, Token()); err != nil {
			t.Fatal(err)
		}
	}
	if err := AddAgent(dir, Agent{Name: "one more", Subnet: "x"}, Token()); err == nil {
		t.Error("there is no limit")
	}
}

func TestPromtoolAcceptsTheFigures(t *testing.T) {
	dir := t.TempDir()
	p := open(t, Options{Dir: dir, Shipped: []Definition{{ID: "chat", Name: "chat", Kind: Chat, Every: 60}}})
	token := Token()
	if err := AddAgent(dir, Agent{Name: `a "quoted" name`, Subnet: "b"}, token); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	post(t, p, token, Report{Now: now.UnixMilli(), Rounds: []Round{good(now, 5)}})
	p.note(p.find("chat"), Outcome{At: now, EndToEnd: time.Second, Expires: now, Steps: []Step{{Name: "send", Took: time.Second}}})
	var text bytes.Buffer
	p.Write(&text)
	c := exec.Command("promtool", "check", "metrics")
	c.Stdin = bytes.NewReader(text.Bytes())
	if out, err := c.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
	for _, f := range p.Families() {
		if !strings.Contains(text.String(), "# HELP "+f.Name+" ") {
			t.Errorf("%s is described and not written", f.Name)
		}
	}
}
