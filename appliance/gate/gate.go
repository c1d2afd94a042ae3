package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"posthouse/appliance/chat"
	"posthouse/appliance/id"
	"posthouse/appliance/meter"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// service is what the gate uses of chat.Service; tests have a scripted one.
type service interface {
	Do(c *chat.Call, method string, params []byte, reply func(result any, err *wire.Error))
	Authenticate(token string, now time.Time) (chat.Actor, *wire.Error)
	StillValid(a chat.Actor) (chat.Actor, bool)
	Position() uint64
	Watch() (wake <-chan struct{}, cancel func())
	Records(after uint64, max int) ([]record.Record, error)
	Pace(position func() uint64)
	CaughtUp()
	Deliveries(r record.Record) []chat.Delivery
	Retell(d *chat.Delivery) []byte
	Members(room id.ID, yield func(user id.ID) bool)
	Concerns(a chat.Actor, d *chat.Delivery) bool
	IsMember(room, user id.ID) bool
	MemberCount(room id.ID) int
	Snapshot(a chat.Actor) (rooms []wire.Room, position uint64)
	User(user id.ID) (wire.User, bool)
	SaveMarks(marks []record.DeviceMark)
	AllowUpload(a chat.Actor, size int64) *wire.Error
	StoreFile(ctx context.Context, a chat.Actor, f record.File) (wire.File, *wire.Error)
	OpenFile(a chat.Actor, file id.ID) (record.File, *wire.Error)
	ReadOnly() error
	KnowsHook(token string) (id.ID, bool)
	Post(ctx context.Context, p *chat.Posted) chat.PostAnswer
}

// Keys of log lines.
const (
	keyTrace   = "trace"
	keySession = "session"
	keyUser    = "user"
	keyDevice  = "device"
	keyAddress = "address"
	keyReason  = "reason"
	keyError   = "error"
)

// Gate is the door of one server.
type Gate struct {
	o       Options
	limits  atomic.Pointer[Limits]
	service service
	log     *slog.Logger
	now     func() time.Time
	began   time.Time
	specs   map[string]wire.Spec

	ctx      context.Context // of all goroutines and socket calls; ends in Close
	stop     context.CancelFunc
	unwatch  func()
	tasks    sync.WaitGroup
	draining atomic.Bool

	mu      sync.Mutex
	servers []*fasthttp.Server
	closed  bool

	hub      *hub
	ring     *ring
	told     atomic.Uint64 // position up to which the fan-out has handed events on
	marks    *marks
	presence *presence
	limiter  *limiter
	peers    *peers
	meters   *meters
	numbers  atomic.Uint64 // of WebSockets, for the log
	files    *files        // nil without Options.Blobs
	outboxes sync.Pool     // *outbox
	unused   sync.Pool     // the library asks for one; it never writes data
	inboxes  sync.Pool     // *[]byte of FrameBytes
}

// New makes a Gate and reads the recent events into memory. Nobody is let in
// before Serve.
func New(o Options) (*Gate, error) {
	if o.Service == nil {
		return nil, errors.New("open gate: no service")
	}
	return open(o, o.Service)
}

func open(o Options, s service) (*Gate, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Meter == nil {
		o.Meter = meter.New()
	}
	if o.Operations == nil {
		o.Operations = meter.NewOperations(nil)
	}
	if o.Faults == nil {
		o.Faults = meter.NewFaults()
	}
	pick(&o.Heartbeat, 25*time.Second)
	o.Limits = o.Limits.withDefaults()
	g := &Gate{o: o, service: s, log: o.Logger, now: o.Now, began: time.Now(), specs: make(map[string]wire.Spec)}
	g.limits.Store(&o.Limits)
	for _, spec := range wire.Table() {
		g.specs[spec.Name] = spec
	}
	g.ctx, g.stop = context.WithCancel(context.Background())
	g.hub = newHub()
	g.ring = newRing(g.limit().RingEvents, g.limit().RingBytes)
	g.marks = newMarks()
	g.presence = newPresence()
	g.limiter = newLimiter()
	g.peers = newPeers(g.proxied)
	g.meters = newMeters()
	if o.Blobs != nil {
		g.files = newFiles(fileOptions{Service: s, Blobs: o.Blobs, Thumbnails: o.Thumbnails, Now: g.now, Log: g.log, Virtual: g.virtual, Acted: g.meters.acted})
	}
	g.measure(o.Meter)
	g.outboxes.New = func() any { return new(outbox) }
	g.inboxes.New = func() any { b := make([]byte, 0, 4096); return &b }
	wake, cancel := s.Watch()
	g.unwatch = cancel
	g.fillRing()
	g.run("fan-out", func() { g.fanOut(wake) })
	g.run("heartbeat", g.beat)
	g.run("marks", g.mark)
	return g, nil
}

// ticks is the time since the gate began, in ns. Setting the clock does not
// change it, so nobody seems silent, or gets tokens, because of that.
func (g *Gate) ticks() int64 { return int64(time.Since(g.began)) }

// run starts one of the gate's own loops. A panic in it must not end the
// process: it is logged, and the loop begins again a moment later.
func (g *Gate) run(name string, loop func()) {
	g.tasks.Go(func() {
		for {
			func() {
				defer g.caught(name)
				loop()
			}()
			select {
			case <-g.ctx.Done():
				return
			case <-time.After(100 * time.Millisecond):
			}
		}
	})
}

// caught is deferred wherever a panic would end the process.
func (g *Gate) caught(where string) {
	if p := recover(); p != nil {
		g.report(where, p)
	}
}

func (g *Gate) report(where string, p any) {
	g.meters.panics.Inc()
	stack := g.o.Faults.Panic(where, "", p)
	g.log.Error("panic caught", "where", where, keyError, fmt.Sprint(p), "stack", stack)
}

// Serve lets connections in through a listener until Drain or Close, and closes
// the listener. It returns nil after those.
func (g *Gate) Serve(ln net.Listener, kind ListenerKind) error { return g.serve(ln, kind, false) }

func (g *Gate) serve(ln net.Listener, kind ListenerKind, apart bool) error {
	door, err := g.listener(ln, kind)
	if errors.Is(err, net.ErrClosed) {
		_ = ln.Close()
		return nil
	}
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	server := g.server(kind, apart)
	g.mu.Lock()
	if g.closed || g.draining.Load() {
		g.mu.Unlock()
		_ = ln.Close()
		return nil
	}
	g.servers = append(g.servers, server)
	g.mu.Unlock()
	if err := server.Serve(door); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("accept on %s: %w", ln.Addr(), err)
	}
	return nil
}

// Drain stops letting connections in, tells every session when to come back,
// waits until what is on its way is written, and closes. Everything that was
// answered was durable before. It returns the context's error when that ended
// first; the gate is closed in both cases.
func (g *Gate) Drain(ctx context.Context) error {
	g.draining.Store(true)
	g.peers.closeDoors()
	sessions := g.hub.every()
	for _, s := range sessions {
		s.sayDrain()
	}
	var quiet sync.WaitGroup
	g.mu.Lock()
	servers := g.servers
	g.mu.Unlock()
	for _, server := range servers {
		quiet.Go(func() {
			defer g.caught("drain")
			_ = server.ShutdownWithContext(ctx) // its error is ctx's
		})
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !allQuiet(sessions) && ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	for _, s := range g.hub.every() {
		s.shut(closeRestart, "server restarts", true)
	}
	quiet.Wait()
	for g.hub.size() > 0 && ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	err := ctx.Err()
	return errors.Join(err, g.Close())
}

// Close ends everything at once and waits for it.
func (g *Gate) Close() error {
	g.mu.Lock()
	already := g.closed
	g.closed = true
	servers := g.servers
	g.mu.Unlock()
	g.draining.Store(true)
	if already {
		g.tasks.Wait()
		return nil
	}
	expired, cancel := context.WithCancel(context.Background())
	cancel()
	for _, server := range servers {
		_ = server.ShutdownWithContext(expired) // closes its listeners; always the context's error
	}
	g.peers.closeDoors()
	for _, s := range g.hub.close() {
		s.abort("server stops")
	}
	g.peers.closeAll()
	g.stop()
	g.tasks.Wait()
	g.unwatch()
	g.saveMarks()
	return nil
}
