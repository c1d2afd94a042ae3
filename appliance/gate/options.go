package gate

import (
	"crypto/tls"
	"log/slog"
	"net/netip"
	"time"

	"posthouse/appliance/blob"
	"posthouse/appliance/chat"
	"posthouse/appliance/meter"
	"posthouse/appliance/thumbnail"
)

// ListenerKind says what comes through a listener.
type ListenerKind int

// The kinds of listeners. LocalHTTP must listen on a loopback address: it
// carries no encryption. On Unix every caller is the operator; other accounts
// of the box than root and the server's own are turned away.
const (
	TLS ListenerKind = iota
	LocalHTTP
	Unix
)

// Rate is a token bucket: so many a second, and so many at once.
type Rate struct {
	PerSecond float64
	Burst     float64
}

// Limits bound what connections may cost. Zero fields get the value of
// DefaultLimits.
type Limits struct {
	HeaderBytes int // request line and headers of one HTTP request; also the read buffer every socket keeps
	BodyBytes   int // JSON body of a POST
	FrameBytes  int // one WebSocket message, all its fragments together

	UploadBytes int // body of one request under /api/uploads
	UploadFloor int // bytes a second; an upload slower than this is cut off

	Connections           int // at once, all listeners
	ConnectionsPerAddress int // at once; an IPv6 address counts as its /64
	SocketsPerUser        int

	QueueFrames   int // frames waiting for one socket before it is behind
	QueueBytes    int
	CallsInFlight int // calls of one socket that are not answered yet; then it is not read

	RingEvents int // recent events kept for sessions that are behind or come back
	RingBytes  int

	ReadTimeout  time.Duration // headers and JSON body of a request
	WriteTimeout time.Duration // one write of a response
	IdleTimeout  time.Duration // keep-alive
	SocketWrite  time.Duration // one write to a WebSocket
	AuthTimeout  time.Duration // first frame of a WebSocket that came without a token
	CallTimeout  time.Duration // answer to a POST

	Connect Rate // new connections of one address
	Public  Rate // calls of one address without a login, and wrong tokens
	Auth    Rate // calls that check passwords, per address, and per account when logged in
	Query   Rate // per account
	Write   Rate // per account
	Post    Rate // per account
	Frames  Rate // all frames of one socket; beyond it the socket is read more slowly

	Hook      Rate // posts to one incoming hook
	HooksFrom Rate // posts to hooks from one address

	Programs Rate // requests to mounts from one address, of programs that the mount knows
}

// DefaultLimits suit a box of two cores and an organisation of some thousands.
func DefaultLimits() Limits {
	return Limits{
		HeaderBytes: 4 << 10, BodyBytes: 1 << 20, FrameBytes: 64 << 10,
		UploadBytes: 1 << 30, UploadFloor: 16 << 10,
		Connections: 20_000, ConnectionsPerAddress: 200, SocketsPerUser: 16,
		QueueFrames: 256, QueueBytes: 1 << 20, CallsInFlight: 64,
		RingEvents: 65_536, RingBytes: 64 << 20,
		ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 60 * time.Second,
		SocketWrite: 10 * time.Second, AuthTimeout: 5 * time.Second, CallTimeout: 30 * time.Second,
		Connect: Rate{10, 100}, Public: Rate{5, 60}, Auth: Rate{20.0 / 60, 20},
		Query: Rate{50, 200}, Write: Rate{10, 60}, Post: Rate{20, 60}, Frames: Rate{200, 1000},
		Hook: Rate{5, 60}, HooksFrom: Rate{20, 200}, Programs: Rate{50, 300},
	}
}

// limit is what holds now.
func (g *Gate) limit() *Limits { return g.limits.Load() }

// Retune replaces the rates and SocketsPerUser while the gate runs; the other
// limits are fixed when it opens. Zero fields get the value of DefaultLimits.
func (g *Gate) Retune(l Limits) {
	l = l.withDefaults()
	next := *g.limit()
	next.SocketsPerUser = l.SocketsPerUser
	next.Connect, next.Public, next.Auth = l.Connect, l.Public, l.Auth
	next.Query, next.Write, next.Post, next.Frames = l.Query, l.Write, l.Post, l.Frames
	g.limits.Store(&next)
}

func pick[T comparable](v *T, fallback T) {
	var zero T
	if *v == zero {
		*v = fallback
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	for _, p := range []struct {
		v *int
		d int
	}{
		{&l.HeaderBytes, d.HeaderBytes}, {&l.BodyBytes, d.BodyBytes}, {&l.FrameBytes, d.FrameBytes},
		{&l.UploadBytes, d.UploadBytes}, {&l.UploadFloor, d.UploadFloor}, {&l.Connections, d.Connections},
		{&l.ConnectionsPerAddress, d.ConnectionsPerAddress}, {&l.SocketsPerUser, d.SocketsPerUser},
		{&l.QueueFrames, d.QueueFrames}, {&l.QueueBytes, d.QueueBytes}, {&l.CallsInFlight, d.CallsInFlight},
		{&l.RingEvents, d.RingEvents}, {&l.RingBytes, d.RingBytes},
	} {
		pick(p.v, p.d)
	}
	for _, p := range []struct{ v, d *time.Duration }{
		{&l.ReadTimeout, &d.ReadTimeout}, {&l.WriteTimeout, &d.WriteTimeout}, {&l.IdleTimeout, &d.IdleTimeout},
		{&l.SocketWrite, &d.SocketWrite}, {&l.AuthTimeout, &d.AuthTimeout}, {&l.CallTimeout, &d.CallTimeout},
	} {
		pick(p.v, *p.d)
	}
	for _, p := range []struct{ v, d *Rate }{
		{&l.Connect, &d.Connect}, {&l.Public, &d.Public}, {&l.Auth, &d.Auth}, {&l.Query, &d.Query},
		{&l.Write, &d.Write}, {&l.Post, &d.Post}, {&l.Frames, &d.Frames}, {&l.Hook, &d.Hook}, {&l.HooksFrom, &d.HooksFrom}, {&l.Programs, &d.Programs},
	} {
		pick(p.v, *p.d)
	}
	return l
}

// StaticFile is one file of the web client or one page of the reference. Body
// is never changed.
type StaticFile struct {
	Body         []byte
	Type         string // Content-Type
	Encoding     string // Content-Encoding; empty = identity
	Language     string // Content-Language, when the choice depends on it
	ETag         string // with its quotes; empty = none
	CacheControl string // empty = no-cache
	Policy       string // Content-Security-Policy; empty = the one of every answer
}

// Options are what a Gate is made of. Service must be there; everything else
// may be left out.
type Options struct {
	Service *chat.Service
	Blobs   *blob.Store // uploads and downloads answer unavailable without it
	// Thumbnails makes small pictures; without it there are none.
	Thumbnails *thumbnail.Maker
	Limits     Limits
	Logger     *slog.Logger
	Now        func() time.Time

	// Meter names the figures; Operations and Faults keep what took long and what
	// went wrong. The gate makes its own where there are none.
	Meter      *meter.Registry
	Operations *meter.Operations
	Faults     *meter.Faults

	Version   string
	Heartbeat time.Duration // 25 s if zero

	// TLSConfig is needed for listeners of kind TLS. Only HTTP/1.1 is offered.
	TLSConfig *tls.Config

	// AllowedHosts tells whether a name (lower case, without port) is one of
	// the server's. Loopback and the address the connection came in on are
	// allowed without asking; every other Host is refused, so that a foreign
	// name that resolves to this server (DNS rebinding) gets nothing.
	AllowedHosts func(host string) bool

	// TrustedProxies are the networks of reverse proxies whose X-Forwarded-For
	// is believed. Their own connections are not counted per address.
	TrustedProxies []netip.Prefix

	// Static finds a file of the web client or the reference. The arguments are
	// copies of what the client sent.
	Static func(path, acceptLanguage, acceptEncoding string) (StaticFile, bool)

	// Mounts are parts of the address space that others answer.
	Mounts []Mount

	// Missing is the page for a person who opened an address where nothing is;
	// programs get JSON.
	Missing func(acceptLanguage string) []byte
}
