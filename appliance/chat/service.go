package chat

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"sync/atomic"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/meter"
	"posthouse/appliance/outhook"
	"posthouse/appliance/record"
	"posthouse/appliance/search"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// Options say how to serve. Zero values mean the defaults.
type Options struct {
	BrowserIdle  time.Duration            // a browser unused for so long is logged out; default 30 days
	AppIdle      time.Duration            // likewise for apps and bots; default 365 days
	LoginsByUser int                      // tries a minute an account gains; default 5 at once, 1 a minute
	LoginsByAddr int                      // tries a minute from one address; default 20
	PasswordMin  int                      // shortest password, in bytes; default 8
	HistoryPage  int                      // most entries of one page; default 200
	BaseURL      func() string            // for links, such as https://chat.lan:8443
	FillStatus   func(*wire.StatusResult) // adds what only the wiring knows
	// Console is where the operators' console is opened from an address; empty:
	// not from there. Nil: there is none.
	Console func(from string) string
	Version string
	Now     func() time.Time
	Log     *slog.Logger
	Hash    HashCost // of passwords; tests make it cheap
	// CheckURL refuses addresses that hooks may not call; nil refuses all.
	CheckURL func(url string) error
	Search   *search.Index // of messages; nil: there is none
	// Hooks calls other programs; without it there are neither outgoing hooks
	// nor commands.
	Hooks *outhook.Engine
	// Faults keeps what went wrong inside; nil: only the log does.
	Faults *meter.Faults
}

func (o Options) withDefaults() Options {
	day := 24 * time.Hour
	if o.BrowserIdle == 0 {
		o.BrowserIdle = 30 * day
	}
	if o.AppIdle == 0 {
		o.AppIdle = 365 * day
	}
	if o.LoginsByUser == 0 {
		o.LoginsByUser = 5
	}
	if o.LoginsByAddr == 0 {
		o.LoginsByAddr = 20
	}
	if o.PasswordMin == 0 {
		o.PasswordMin = wire.MinPassword
	}
	if o.HistoryPage == 0 {
		o.HistoryPage = 200
	}
	if o.BaseURL == nil {
		o.BaseURL = func() string { return "" }
	}
	if o.FillStatus == nil {
		o.FillStatus = func(*wire.StatusResult) {}
	}
	if o.CheckURL == nil {
		o.CheckURL = func(string) error { return errors.New("this server calls no other programs") }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// tuning are the options that may change while the service runs.
type tuning struct {
	browserIdle, appIdle     time.Duration
	passwordMin, historyPage int
}

// Service answers calls.
type Service struct {
	opt     Options
	tuned   atomic.Pointer[tuning]
	q       *sequencer.Sequencer
	s       *state.State
	methods map[string]method
	hasher  *hasher
	logins  *limiter // by account
	known   *limiter // by account and address it logged in from
	addrs   *limiter // by address
	setup   setupLink
	counts  *outhook.Counts
	started time.Time
	finding *searches

	failures failures
}

// New makes a Service over a running sequencer and its state.
func New(q *sequencer.Sequencer, s *state.State, opt Options) *Service {
	opt = opt.withDefaults()
	v := &Service{opt: opt, q: q, s: s, started: opt.Now()}
	v.hasher = newHasher(opt.Hash)
	v.logins = newLimiter(float64(opt.LoginsByUser), 1.0/60)
	v.known = newLimiter(float64(opt.LoginsByUser), 1.0/60)
	v.addrs = newLimiter(float64(opt.LoginsByAddr), float64(opt.LoginsByAddr)/60)
	v.tuned.Store(opt.tuning())
	v.counts = outhook.NewCounts()
	if opt.Hooks != nil {
		v.counts = opt.Hooks.Counts()
	}
	v.finding = newSearches()
	v.methods = v.table()
	return v
}

func (o Options) tuning() *tuning {
	return &tuning{browserIdle: o.BrowserIdle, appIdle: o.AppIdle, passwordMin: o.PasswordMin, historyPage: o.HistoryPage}
}

// Retune takes the idle times, tries of a login, PasswordMin and HistoryPage
// from opt while the service runs; everything else stays as it was.
func (s *Service) Retune(opt Options) {
	opt = opt.withDefaults()
	s.tuned.Store(opt.tuning())
	s.logins.set(float64(opt.LoginsByUser), 1.0/60)
	s.known.set(float64(opt.LoginsByUser), 1.0/60)
	s.addrs.set(float64(opt.LoginsByAddr), float64(opt.LoginsByAddr)/60)
}

type reply func(result any, err *wire.Error)

type method struct {
	spec wire.Spec
	do   func(c *Call, params []byte, r reply)
}

// bind ties a row of the table to the function that does it. That the types
// fit is checked here, once.
func bind[P, R any](t map[string]method, name string, f func(c *Call, p *P) (R, error)) {
	t[name] = method{spec: fit[P, R](name), do: func(c *Call, params []byte, r reply) {
		p := new(P)
		if err := wire.DecodeParams(params, p); err != nil {
			r(nil, err)
			return
		}
		result, err := f(c, p)
		if err != nil {
			r(nil, refusal(c, err))
			return
		}
		r(result, nil)
	}}
}

// bindAsync is bind for methods that answer from the sequencer's goroutine.
func bindAsync[P, R any](t map[string]method, name string, f func(c *Call, p *P, done func(R, error)) error) {
	t[name] = method{spec: fit[P, R](name), do: func(c *Call, params []byte, r reply) {
		p := new(P)
		if err := wire.DecodeParams(params, p); err != nil {
			r(nil, err)
			return
		}
		if err := f(c, p, func(result R, err error) {
			if err != nil {
				r(nil, refusal(c, err))
				return
			}
			r(result, nil)
		}); err != nil {
			r(nil, refusal(c, err))
		}
	}}
}

func fit[P, R any](name string) wire.Spec {
	for _, spec := range wire.Table() {
		if spec.Name != name {
			continue
		}
		result := reflect.TypeFor[R]()
		if result == reflect.TypeFor[*LoggedIn]() {
			result = reflect.TypeFor[wire.Session]()
		}
		if spec.Params != reflect.TypeFor[P]() || spec.Result != result {
			panic("method " + name + " is bound to other types than the table's") // found by any test
		}
		return spec
	}
	panic("method " + name + " is not in the table") // found by any test
}

// refusal turns any error into one that can be told. What is not a refusal is
// a fault: it is logged with the trace, not told.
func refusal(c *Call, err error) *wire.Error {
	var e *wire.Error
	if errors.As(err, &e) {
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return wire.Refuse(wire.Unavailable, "the call was given up before it was done", "请求在完成前已取消")
	}
	return &wire.Error{Kind: wire.Internal, Cause: err, Text: wire.Text{
		En: "a fault of the server; the trace id " + c.Trace + " finds it in the log",
		Zh: "服务器故障，可凭跟踪编号 " + c.Trace + " 在日志中查找"}}
}

// Do carries out one call. reply is called exactly once, possibly on another
// goroutine (messages: after the fsync) and possibly before Do returns; it
// must not block. The result is a value of the method's result type, or a
// *LoggedIn for methods that begin a session.
func (s *Service) Do(c *Call, name string, params []byte, r func(result any, err *wire.Error)) {
	m, ok := s.methods[name]
	if !ok {
		r(nil, wire.Refusef(wire.MethodNotFound, "there is no method %.60q", "没有方法 %.60q", name))
		return
	}
	if err := s.allowed(&c.Actor, m.spec.Access); err != nil {
		r(nil, err)
		return
	}
	m.do(c, params, func(result any, err *wire.Error) {
		if err != nil && err.Kind == wire.Internal {
			if s.opt.Faults != nil {
				s.opt.Faults.Error(name, c.Trace, err.Cause)
			}
			s.opt.Log.Error("call failed", "method", name, "trace", c.Trace, "user", c.Actor.User.String(), "error", err.Cause)
		}
		r(result, err)
	})
}

// allowed checks the access level against the account as it is now.
func (s *Service) allowed(a *Actor, level wire.Access) *wire.Error {
	if level == wire.Public || a.Operator {
		return nil
	}
	role, ok := s.s.Alive(a.User, a.Device)
	if !ok || a.User == 0 {
		return wire.Refuse(wire.Unauthenticated, "log in first", "请先登录")
	}
	a.Role = role
	switch {
	case level == wire.LoggedIn,
		level == wire.Sees && (role == wire.Auditor || role == wire.Admin || role == wire.Owner),
		level == wire.Manages && (role == wire.Admin || role == wire.Owner):
		return nil
	}
	return wire.Refuse(wire.Forbidden, "your role does not allow that", "你的角色无权这样做")
}

func (a Actor) state() state.Actor {
	return state.Actor{User: a.User, Device: a.Device, Operator: a.Operator}
}

func (s *Service) submit(c *Call, cmd state.Command) (sequencer.Result, error) {
	return s.q.Submit(c.Context, c.Actor.state(), cmd)
}

func (s *Service) done(c *Call, cmd state.Command) (wire.Done, error) {
	r, err := s.submit(c, cmd)
	return wire.Done{Position: r.Position()}, err
}

// sees reports whether the caller may look at what is not theirs.
func sees(a Actor) bool {
	return a.Operator || a.Role == wire.Auditor || a.Role == wire.Admin || a.Role == wire.Owner
}

// Authenticate finds the device of a token. The error is Unauthenticated.
func (s *Service) Authenticate(token string, now time.Time) (Actor, *wire.Error) {
	d, role, ok := s.s.Token(token, now)
	if !ok {
		return Actor{}, wire.Refuse(wire.Unauthenticated, "this session is over: log in again", "会话已结束，请重新登录")
	}
	s.seen(d.ID, now)
	return Actor{User: d.User, Device: d.ID, Role: role}, nil
}

// seenEvery is how exactly it is remembered when a device was last used.
const seenEvery = time.Hour

// seen remembers a sign of life of a device, once an hour.
func (s *Service) seen(device id.ID, now time.Time) {
	if last, ok := s.s.Seen(device); ok && now.UnixMilli()-last > seenEvery.Milliseconds() {
		s.SaveMarks([]record.DeviceMark{{Device: device, Seen: now.UnixMilli()}})
	}
}

// StillValid reports whether an actor's device and account may still be used,
// and its present role.
func (s *Service) StillValid(a Actor) (Actor, bool) {
	role, ok := s.s.Alive(a.User, a.Device)
	a.Role = role
	return a, ok
}

// Position is the head of the journal that readers may see.
func (s *Service) Position() uint64 { return s.q.Position() }

// Watch gives a channel that receives (size 1) whenever Position has grown.
func (s *Service) Watch() (wake <-chan struct{}, cancel func()) { return s.q.Watch() }

// Pace names the caller as the follower that serves people: commands wait a
// little when it is far behind. CaughtUp tells that it has got on.
func (s *Service) Pace(position func() uint64) { s.q.Pace(position) }

// CaughtUp tells that the follower named with Pace has got on.
func (s *Service) CaughtUp() { s.q.CaughtUp() }

// Records reads records after a position, at most max, from memory or the
// journal. Records are shared: read only.
func (s *Service) Records(after uint64, max int) ([]record.Record, error) {
	return s.q.Records(after, max)
}

// Members calls yield with each member of a room until it returns false. yield
// must not call the Service.
func (s *Service) Members(room id.ID, yield func(user id.ID) bool) { s.s.EachMember(room, yield) }

// IsMember reports whether an account is a member of a room.
func (s *Service) IsMember(room, user id.ID) bool { return s.s.IsMember(room, user) }

// MemberCount is the number of members of a room.
func (s *Service) MemberCount(room id.ID) int { return s.s.MemberCount(room) }

// User is an account as others see it.
func (s *Service) User(user id.ID) (wire.User, bool) { return s.s.User(user) }

// ReadOnly says why nothing can be stored now; nil = it can.
func (s *Service) ReadOnly() error {
	if err := s.q.Failed(); err != nil {
		return err
	}
	return s.q.ReadOnly()
}

// Snapshot is the start of a client that has nothing: the caller's rooms, true
// at the position given.
func (s *Service) Snapshot(a Actor) (rooms []wire.Room, position uint64) {
	rooms, position, err := s.s.Rooms(a.User)
	if err != nil {
		s.opt.Log.Error("snapshot", "user", a.User.String(), "error", err)
	}
	return rooms, position
}

// SaveMarks makes it durable how far devices have got. It does not wait.
func (s *Service) SaveMarks(marks []record.DeviceMark) {
	if len(marks) > 0 {
		s.q.Go(context.Background(), state.Actor{Operator: true}, &state.MarkDevices{Marks: marks}, func(sequencer.Result, error) {})
	}
}

// Refers reports whether any file has this content.
func (s *Service) Refers(sha256 [32]byte) bool {
	_, ok := s.s.Content()[sha256]
	return ok
}

// Sweep ends sessions unused for too long, and forgets files that nothing has
// referred to for long enough. It returns the SHA-256 of every content that is
// still referred to.
func (s *Service) Sweep(ctx context.Context) (map[[32]byte]struct{}, error) {
	box := state.Actor{Operator: true}
	if _, err := s.q.Submit(ctx, box, &state.SweepDevices{}); err != nil {
		return nil, err
	}
	for {
		r, err := s.q.Submit(ctx, box, &state.SweepFiles{})
		if err != nil {
			return nil, err
		}
		if r.Body == nil {
			return s.s.Content(), nil
		}
	}
}
