package probe

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/renameio/v2"

	"posthouse/sysmon/words"
)

// Limits of reports.
const (
	MaxAgents      = 200
	MaxReportBytes = 256 << 10
	MaxRounds      = 500
	ReportPath     = "/probe/report"
)

// Agent is a probe on another machine.
type Agent struct {
	Name    string    `json:"name"`   // unique
	Subnet  string    `json:"subnet"` // what people call where it stands: a network, a building, a VLAN
	Hash    string    `json:"hash"`   // SHA-256 of its token, hex
	Users   []string  `json:"users"`  // logins of its virtual users
	Every   int       `json:"every"`  // seconds
	Created time.Time `json:"created"`
}

// Round is one round of an agent's virtual users.
type Round struct {
	At       int64       `json:"at"`            // ms since 1970, by the agent's clock
	Total    int64       `json:"ms"`            // ms
	EndToEnd float64     `json:"e2e,omitempty"` // ms from send to received
	Steps    []RoundStep `json:"steps"`
}

// RoundStep is one step of a round.
type RoundStep struct {
	Name string  `json:"name"`
	Took float64 `json:"ms"`
	Err  string  `json:"err,omitempty"`
}

// failed is the first step that failed.
func (r Round) failed() (RoundStep, bool) {
	for _, s := range r.Steps {
		if s.Err != "" {
			return s, true
		}
	}
	return RoundStep{}, false
}

// Report is what an agent sends.
type Report struct {
	Now     int64   `json:"now"`               // ms since 1970, by the agent's clock
	Version string  `json:"version"`           // of the agent's program
	Host    string  `json:"host"`              // its machine
	Dropped int     `json:"dropped,omitempty"` // rounds that found no room while the box was away
	Rounds  []Round `json:"rounds"`            // oldest first
}

// Answer tells an agent what was taken.
type Answer struct {
	Until int64 `json:"until"` // rounds up to this time of the agent's clock need not be sent again
	Every int   `json:"every"` // seconds between rounds
}

// agents are those who may report, and what they said.
type agents struct {
	path string
	mu   sync.Mutex
	seen time.Time // the file's time of change
	list []Agent
	said map[string]*heard // by name
	kept time.Time         // when the times of reports were written last
}

// heard is what an agent said: the newest rounds, and the address they came from.
type heard struct {
	at      time.Time // of the newest report, by the own clock
	from    string
	host    string
	version string
	dropped int
	until   int64   // newest round, by the agent's clock
	rounds  []Round // newest last, times by the own clock; a day of minutes at most
}

const maxHeard = 1440

type agentsFile struct {
	Version int     `json:"version"`
	Agents  []Agent `json:"agents"`
}

// reload reads the file when it has changed.
func (a *agents) reload() error {
	info, err := os.Stat(a.path)
	if errors.Is(err, os.ErrNotExist) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.list = nil
		return nil
	}
	if err != nil {
		return fmt.Errorf("read agents: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if info.ModTime().Equal(a.seen) {
		return nil
	}
	list, err := readAgents(a.path)
	if err != nil {
		return err
	}
	a.list, a.seen = list, info.ModTime()
	for name := range a.said {
		if !slices.ContainsFunc(list, func(x Agent) bool { return x.Name == name }) {
			delete(a.said, name)
		}
	}
	return nil
}

// ReadAgents are those in the file of a directory watch.
func ReadAgents(dir string) ([]Agent, error) { return readAgents(dir + "/agents.json") }

func readAgents(path string) ([]Agent, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read agents: %w", err)
	}
	var f agentsFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return f.Agents, nil
}

func writeAgents(path string, list []Agent) error {
	raw, err := json.MarshalIndent(agentsFile{1, list}, "", "\t")
	if err != nil {
		return fmt.Errorf("write agents: %w", err)
	}
	if err := renameio.WriteFile(path, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("write agents: %w", err)
	}
	return nil
}

// Token makes the token of an agent: 200 random bits.
func Token() string {
	var b [25]byte
	_, _ = rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// AddAgent lets another machine report, in the file of a directory watch; the
// running server takes notice by itself. An agent of the same name is replaced, and
// its token is worthless. A *Wrong says what is refused.
func AddAgent(dir string, a Agent, token string) error {
	a.Name, a.Subnet = strings.TrimSpace(a.Name), strings.TrimSpace(a.Subnet)
	bad := func(s string) bool { return s == "" || utf8.RuneCountInString(s) > 60 || !utf8.ValidString(s) }
	switch {
	case bad(a.Name):
		return wrong("name", "a name of 1 to 60 characters", "名称须为 1 到 60 个字符")
	case bad(a.Subnet):
		return wrong("subnet", "say where it stands, in 1 to 60 characters: 10.2.0.0/16, Workshop 3", "请用 1 到 60 个字符说明所在位置：如 10.2.0.0/16、三号车间")
	}
	if a.Every == 0 {
		a.Every = 60
	}
	if a.Every < minEvery || a.Every > 3600 {
		return wrong("every", "every 10 to 3,600 seconds", "间隔须为 10 到 3,600 秒")
	}
	path := dir + "/agents.json"
	list, err := readAgents(path)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(x Agent) bool { return x.Name == a.Name })
	if len(list) >= MaxAgents {
		return wrong("name", fmt.Sprintf("%d probes on other machines at most", MaxAgents), fmt.Sprintf("其他机器上的探测最多 %d 个", MaxAgents))
	}
	a.Hash = hashOf(token)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("write agents: %w", err)
	}
	return writeAgents(path, append(list, a))
}

// RemoveAgent ends an agent's right to report and gives what it was.
func RemoveAgent(dir, name string) (Agent, error) {
	path := dir + "/agents.json"
	list, err := readAgents(path)
	if err != nil {
		return Agent{}, err
	}
	i := slices.IndexFunc(list, func(x Agent) bool { return x.Name == name })
	if i < 0 {
		return Agent{}, &Wrong{"name", words.Of("there is no probe of this name on another machine", "没有这个名字的远程探测")}
	}
	gone := list[i]
	return gone, writeAgents(path, slices.Delete(list, i, i+1))
}

// Agents are those who may report.
func (p *Prober) Agents() []Agent {
	if err := p.agents.reload(); err != nil {
		p.o.Log.Error("read who may report", "error", err)
	}
	p.agents.mu.Lock()
	defer p.agents.mu.Unlock()
	return slices.Clone(p.agents.list)
}

// Report takes a report: the value of the header Authorization, the body, and
// the address it came from. It answers with a status and JSON.
func (p *Prober) Report(authorization string, body []byte, from string) (status int, answer []byte) {
	if err := p.agents.reload(); err != nil {
		p.o.Log.Error("read who may report", "error", err)
	}
	if len(body) > MaxReportBytes {
		return refuse(http.StatusRequestEntityTooLarge, "the report is too large")
	}
	scheme, token, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return refuse(http.StatusUnauthorized, "send the token of this probe")
	}
	p.agents.mu.Lock()
	defer p.agents.mu.Unlock()
	hash := hashOf(strings.TrimSpace(token))
	i := slices.IndexFunc(p.agents.list, func(a Agent) bool { return subtle.ConstantTimeCompare([]byte(a.Hash), []byte(hash)) == 1 })
	if i < 0 {
		return refuse(http.StatusUnauthorized, "the token is not known: it may have been revoked")
	}
	var r Report
	if err := json.Unmarshal(body, &r); err != nil {
		return refuse(http.StatusBadRequest, "the report is no report: "+clip(err.Error()))
	}
	if len(r.Rounds) > MaxRounds {
		return refuse(http.StatusRequestEntityTooLarge, fmt.Sprintf("%d rounds at most", MaxRounds))
	}
	a := p.agents.list[i]
	h := p.agents.hear(a.Name, r, p.o.Now(), from)
	if err := p.agents.remember(p.o.Now()); err != nil {
		p.o.Log.Error("keep the times of reports", "error", err)
	}
	raw, err := json.Marshal(Answer{Until: h.until, Every: a.Every})
	if err != nil {
		return refuse(http.StatusInternalServerError, "the answer cannot be written")
	}
	return http.StatusOK, raw
}

func refuse(status int, why string) (int, []byte) {
	raw, _ := json.Marshal(map[string]string{"error": why}) // a string can always be written
	return status, raw
}

// hear keeps what a report brings; the lock is held.
func (a *agents) hear(name string, r Report, now time.Time, from string) *heard {
	if a.said == nil {
		a.said = map[string]*heard{}
	}
	h := a.said[name]
	if h == nil {
		h = &heard{}
		a.said[name] = h
	}
	h.at, h.from, h.host, h.version, h.dropped = now, from, clip(r.Host), clip(r.Version), r.Dropped
	if h.until > r.Now {
		h.until = 0 // the agent's clock was set back: it begins anew
	}
	skew := now.UnixMilli() - r.Now
	slices.SortFunc(r.Rounds, func(x, y Round) int { return cmp.Compare(x.At, y.At) })
	for _, x := range r.Rounds {
		if x.At <= h.until || x.At > r.Now {
			continue
		}
		h.until = x.At
		if len(x.Steps) > 32 {
			x.Steps = x.Steps[:32]
		}
		for i := range x.Steps {
			x.Steps[i].Name, x.Steps[i].Err = clip(x.Steps[i].Name), clip(x.Steps[i].Err)
		}
		x.At += skew
		h.rounds = append(h.rounds, x)
	}
	h.rounds = h.rounds[max(0, len(h.rounds)-maxHeard):]
	return h
}

// heardPath is the file of the times of reports.
func (a *agents) heardPath() string { return a.path + ".heard" }

// remember writes when each agent reported last, at most once a minute; the
// lock is held.
func (a *agents) remember(now time.Time) error {
	if now.Sub(a.kept).Abs() < time.Minute {
		return nil
	}
	a.kept = now
	times := map[string]int64{}
	for name, h := range a.said {
		times[name] = h.at.UnixMilli()
	}
	raw, err := json.Marshal(times)
	if err == nil {
		err = renameio.WriteFile(a.heardPath(), raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("remember reports: %w", err)
	}
	return nil
}

// recall knows again who has reported before this start, so that one that stays
// away meanwhile is missed. It counts as heard now.
func (a *agents) recall(now time.Time) error {
	raw, err := os.ReadFile(a.heardPath())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	times := map[string]int64{}
	if err == nil {
		err = json.Unmarshal(raw, &times)
	}
	if err != nil {
		return fmt.Errorf("recall reports: %w", err)
	}
	a.said = map[string]*heard{}
	for name := range times {
		a.said[name] = &heard{at: now}
	}
	return nil
}
