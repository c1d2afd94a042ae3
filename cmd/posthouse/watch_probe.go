package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/google/renameio/v2"
	"github.com/valyala/fasthttp"

	"posthouse/admin"
	"posthouse/appliance/gate"
	"posthouse/appliance/probe"
	"posthouse/appliance/wire"
	check "posthouse/sysmon/probe"
)

// probeUsersFile, below watchDir, 0600: {"ann":{"login","password"},"bob":{…}},
// the virtual users of the box's own round. Without it new ones are made.
const probeUsersFile = "probe-users.json"

// virtualUsers are a pair that rounds are made with.
type virtualUsers struct {
	Ann probe.Account `json:"ann"`
	Bob probe.Account `json:"bob"`
}

// makeVirtualUsers opens two accounts with made-up passwords.
func makeVirtualUsers(c caller, name string) (virtualUsers, error) {
	tail := strings.ToLower(rand.Text()[:8])
	var v virtualUsers
	for _, x := range []struct {
		to    *probe.Account
		label string
	}{{&v.Ann, "a"}, {&v.Bob, "b"}} {
		*x.to = probe.Account{Login: "probe-" + tail + "-" + x.label, Password: rand.Text()}
		if err := c.call("user.create", wire.UserCreate{Login: x.to.Login, Name: name, Role: wire.Member, Password: x.to.Password, Probe: true}, &wire.UserResult{}); err != nil {
			return v, err
		}
	}
	return v, nil
}

// ownUsers reads the box's own pair, or makes it.
func ownUsers(c caller, dataDir string) (virtualUsers, error) {
	path := filepath.Join(dataDir, watchDir, probeUsersFile)
	var v virtualUsers
	raw, err := os.ReadFile(path)
	if err == nil {
		if err := json.Unmarshal(raw, &v); err != nil {
			return v, fmt.Errorf("read %s: %w", path, err)
		}
		return v, nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return v, fmt.Errorf("read virtual users: %w", err)
	}
	if v, err = makeVirtualUsers(c, "Probe"); err != nil {
		return v, fmt.Errorf("make virtual users: %w", err)
	}
	if raw, err = json.Marshal(v); err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = renameio.WriteFile(path, raw, 0o600)
	}
	if err != nil {
		return v, fmt.Errorf("keep virtual users: %w", err)
	}
	return v, nil
}

// ownProbe makes rounds on the own public listener.
type ownProbe struct {
	server *server
	o      probe.Options

	mu    sync.Mutex
	users virtualUsers
}

// round is a check function for the prober. Before the first owner there is
// nobody to talk, and nothing to judge.
func (p *ownProbe) round(ctx context.Context) check.Outcome {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server.state.Counts().Users == 0 {
		return check.Outcome{Skipped: true}
	}
	if p.users.Ann.Login == "" || !p.known() {
		made := offline{ctx, p.server.box, "en"}
		if p.users.Ann.Login != "" { // the accounts are gone: the data directory is another one now
			_ = os.Remove(filepath.Join(p.server.cfg.Server.DataDir, watchDir, probeUsersFile))
		}
		var err error
		if p.users, err = ownUsers(made, p.server.cfg.Server.DataDir); err != nil {
			return check.Outcome{Err: err.Error(), Steps: []check.Step{{Name: "login", Err: err.Error()}}}
		}
	}
	o := p.o
	o.Ann, o.Bob = p.users.Ann, p.users.Bob
	return outcome(probe.Run(ctx, o))
}

func (p *ownProbe) known() bool {
	for _, a := range []probe.Account{p.users.Ann, p.users.Bob} {
		if _, ok := p.server.state.UserByLogin(a.Login); !ok {
			return false
		}
	}
	return true
}

// outcome is a round as the prober keeps it.
func outcome(r probe.Result) check.Outcome {
	out := check.Outcome{EndToEnd: r.EndToEnd, Expires: r.Expires}
	for _, s := range r.Steps {
		step := check.Step{Name: s.Name, Took: s.Took}
		if s.Err != nil {
			step.Err = s.Err.Error()
		}
		out.Steps = append(out.Steps, step)
	}
	if err := r.Err(); err != nil {
		out.Err = err.Error()
	}
	return out
}

// probeOptions are the round of the virtual users of this box, its own health
// and its certificate. The listeners must be bound; the directory and the log
// are the caller's to fill in.
func (s *server) probeOptions() (check.Options, error) {
	var o check.Options
	own := &ownProbe{server: s, o: probe.Options{URL: baseURL(s.cfg)}}
	listener := s.cfg.Server.ListenLocal
	if len(s.cfg.Server.Listen) > 0 {
		listener = s.cfg.Server.Listen[0]
		trust, err := trustOwn(s.cfg, s.cert)
		if err != nil {
			return o, err
		}
		o.OwnTLS, own.o.TLS = trust, trust
	}
	if listener == "" {
		return o, nil
	}
	own.o.Dial = dialOwn(listener)
	o.OwnDial, o.Chat = own.o.Dial, own.round
	o.Shipped = []check.Definition{{ID: "chat", Name: "chat", Kind: check.Chat, Own: true, Every: 60, Patience: 30},
		{ID: "health", Name: "health", Kind: check.HTTP, Own: true, Target: baseURL(s.cfg) + "/health/ready", Every: 60, Patience: 10}}
	if s.cert != nil {
		host := strings.TrimPrefix(baseURL(s.cfg), "https://")
		if _, _, err := net.SplitHostPort(host); err != nil {
			host += ":443"
		}
		o.Shipped = append(o.Shipped, check.Definition{ID: "certificate", Name: "certificate", Kind: check.TLS, Own: true, Target: host, Every: 3600, Patience: 10})
	}
	return o, nil
}

// reportsMount takes the reports of probes elsewhere while the box is watched.
func (s *server) reportsMount() gate.Mount {
	return probeReports(func() *check.Prober {
		if s.watch == nil {
			return nil
		}
		return s.watch.Probes
	})
}

// probing is what the console does with probes.
func (s *server) probing() admin.Probing {
	dir := filepath.Join(s.cfg.Server.DataDir, watchDir)
	return admin.Probing{Prober: s.watch.Probes,
		AddAgent: func(ctx context.Context, name, subnet string, every int) (string, error) {
			return newAgent(offline{ctx, s.box, "en"}, dir, check.Agent{Name: name, Subnet: subnet, Every: every}, trustedCA(s.cfg.Server.DataDir, s.cfg.TLS.Mode, s.cfg.TLS.CertFile))
		},
		RemoveAgent: func(ctx context.Context, name string) error { return endAgent(offline{ctx, s.box, "en"}, dir, name) }}
}

// probeReports takes the reports of probes on other machines. Without a prober
// they are told to come again.
func probeReports(prober func() *check.Prober) gate.Mount {
	return gate.Mount{Prefix: check.ReportPath, Serve: func(ctx *fasthttp.RequestCtx, v gate.Visitor) string {
		if !ctx.IsPost() {
			ctx.SetStatusCode(fasthttp.StatusMethodNotAllowed)
			ctx.Response.Header.Set("Allow", "POST")
			return check.ReportPath
		}
		p := prober()
		if p == nil {
			ctx.SetStatusCode(fasthttp.StatusServiceUnavailable)
			return check.ReportPath
		}
		status, answer := p.Report(string(ctx.Request.Header.Peek("Authorization")), ctx.PostBody(), v.Address.String())
		ctx.SetStatusCode(status)
		ctx.SetContentType("application/json")
		ctx.SetBody(answer)
		return check.ReportPath
	}}
}
