package host

import (
	"bytes"
	"context"
	"io"
	"sync"
	"time"

	"posthouse/sysmon/expo"
)

// Options say what is watched. All are optional.
type Options struct {
	DataDir  string           // its mount is marked; the marker of a clean shutdown is kept in its directory watch
	Version  string           // of the program, for posthouse_build_info
	LinkMbit int              // Mbit/s of network cards that do not say it; 0: not known
	Patience time.Duration    // how long Write waits for a part; 2 s when 0
	Now      func() time.Time // time.Now when nil

	proc, sys, etc string // roots of the kernel's files, for tests; /proc, /sys, /etc
}

// Host samples this machine and this process. Its methods may be called from
// any goroutine.
type Host struct {
	o        Options
	families map[string]expo.Family
	parts    []*part
	marker   marker
	mounts   mounts
	steps    clockSteps
	usage    usage
}

// part is a share of a sample that is taken by itself.
type part struct {
	name  string
	every time.Duration // how old its figures may be; 0: taken for each sample
	take  func(ctx context.Context, p *page) error

	mu      sync.Mutex
	running bool
	at      time.Time // when the figures were taken
	took    time.Duration
	text    []byte
	err     error
}

// New makes a Host. It reads nothing yet.
func New(o Options) *Host {
	if o.Patience <= 0 {
		o.Patience = 2 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.proc == "" {
		o.proc, o.sys, o.etc = "/proc", "/sys", "/etc"
	}
	h := &Host{o: o, families: map[string]expo.Family{}, steps: clockSteps{begun: time.Now()}}
	for _, f := range h.Families() {
		h.families[f.Name] = f
	}
	h.parts = []*part{
		{name: "cpu", take: h.takeCPU},
		{name: "meminfo", take: h.takeMemory},
		{name: "filesystem", take: h.takeFilesystems},
		{name: "diskstats", take: h.takeDisks},
		{name: "netdev", take: h.takeNetwork},
		{name: "tcpstat", take: h.takeTCP},
		{name: "hwmon", take: h.takeSensors},
		{name: "timex", take: h.takeClock},
		{name: "process", take: h.takeSelf},
		{name: "cgroup", take: h.takeCgroup},
		{name: "facts", take: h.takeFacts},
		{name: "gateway", every: 30 * time.Second, take: h.takeGateway},
		{name: "dns", every: time.Minute, take: h.takeDNS},
		{name: "processes", every: time.Minute, take: h.takeProcesses},
	}
	return h
}

// Write takes a sample and writes it; it is an expo.Source. It returns after
// Options.Patience at the latest, with what is there by then.
func (h *Host) Write(w io.Writer) {
	h.touch()
	ctx, cancel := context.WithTimeout(context.Background(), h.o.Patience)
	defer cancel()
	done := make(chan struct{}, len(h.parts))
	waiting := 0
	for _, p := range h.parts {
		if p.start(ctx, h, done) {
			waiting++
		}
	}
	for ; waiting > 0; waiting-- {
		select {
		case <-done:
		case <-ctx.Done():
			waiting = 1
		}
	}
	own := h.page()
	own.head("node_scrape_collector_success")
	for _, p := range h.parts {
		_, ok, _ := p.result(h.o.Patience)
		own.put(truth(ok), "collector", p.name)
	}
	own.head("node_scrape_collector_duration_seconds")
	for _, p := range h.parts {
		_, _, took := p.result(h.o.Patience)
		own.put(took.Seconds(), "collector", p.name)
	}
	_, _ = w.Write(own.buf.Bytes()) // w is memory or a connection whose end its owner sees
	for _, p := range h.parts {
		text, _, _ := p.result(h.o.Patience)
		_, _ = w.Write(text)
	}
}

// start takes the part in a goroutine unless one is still at it or its
// figures are young enough.
func (p *part) start(ctx context.Context, h *Host, done chan<- struct{}) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running {
		return false
	}
	if p.every > 0 && !p.at.IsZero() && time.Since(p.at) < p.every {
		return false
	}
	p.running = true
	go func() {
		begun := time.Now()
		pg := h.page()
		err := p.take(ctx, pg)
		p.mu.Lock()
		p.running, p.at, p.took, p.err, p.text = false, time.Now(), time.Since(begun), err, pg.buf.Bytes()
		p.mu.Unlock()
		done <- struct{}{} // has room for every part of this sample
	}()
	return true
}

// result is what the part has for a sample: nothing when it hangs.
func (p *part) result(patience time.Duration) (text []byte, ok bool, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running || time.Since(p.at) > p.every+patience+time.Second {
		return nil, false, p.took
	}
	return p.text, p.err == nil, p.took
}

// page is the text of a part.
type page struct {
	families map[string]expo.Family
	name     string
	begun    bool // its header is written
	buf      bytes.Buffer
}

func (h *Host) page() *page { return &page{families: h.families} }

// head begins a family. One that gets no sample leaves no trace.
func (p *page) head(name string) { p.name, p.begun = name, false }

// put writes a sample of the family begun last. Labels are pairs.
func (p *page) put(value float64, labels ...string) {
	if !p.begun {
		expo.Header(&p.buf, p.families[p.name])
		p.begun = true
	}
	expo.Sample(&p.buf, p.name, value, labels...)
}

// one writes a family that has one sample.
func (p *page) one(name string, value float64, labels ...string) {
	p.head(name)
	p.put(value, labels...)
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
