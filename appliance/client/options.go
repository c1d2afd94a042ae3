package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"posthouse/appliance/wire"
)

// Errors of the client itself.
var (
	// ErrClosed says that Close was called.
	ErrClosed = errors.New("client is closed")
	// ErrLost says that the connection ended before the answer came: whether
	// the call was carried out is unknown.
	ErrLost = errors.New("connection lost before the answer")
)

// Ack is when a Client confirms that events have arrived.
type Ack int

// Ways to confirm.
const (
	AckTogether Ack = iota // the newest position, at most once per AckDelay
	AckEach                // every event that carries a position
	AckNever               // a device that is mute, or calls Client.Ack itself
)

// Options say how to reach a server. The zero value of a field is its default.
type Options struct {
	URL        string      // https://host:port or http://…; with UnixSocket it may be empty
	Token      string      // device token; empty: Login first
	TLS        *tls.Config // certificates to trust; nil: those of the system
	UnixSocket string      // path of a unix socket to dial instead of the host
	Lang       string      // language of error texts: zh or en (default)
	DeviceName string      // what Login calls this device
	Kind       string      // what Login says this device is: app (default), bot or browser

	// Dial opens a network connection, before TLS. Nil: net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	Timeout  time.Duration // of connecting and of one POST; default 30 s
	MaxFrame int64         // bytes of a frame or answer that is taken; default 16 MiB

	// The rest concerns Client alone.

	Since    uint64        // resume after this position: what Client.Since told
	OnEvent  func(Event)   // called by the reader, in order; must neither block nor Call
	Queue    int           // events that Client.Events holds; default 1024
	Ack      Ack           // when to confirm
	AckDelay time.Duration // default 50 ms
	Backoff  time.Duration // first pause before connecting again, doubled up to 64-fold, with jitter; default 250 ms
}

func (o Options) filled() Options {
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.MaxFrame <= 0 {
		o.MaxFrame = 16 << 20
	}
	if o.Queue <= 0 {
		o.Queue = 1024
	}
	if o.AckDelay <= 0 {
		o.AckDelay = 50 * time.Millisecond
	}
	if o.Backoff <= 0 {
		o.Backoff = 250 * time.Millisecond
	}
	return o
}

// target is a server as the transports need it.
type target struct {
	base   string // http://host:port, no slash at the end
	socket string // ws://host:port/api/ws
	addr   string // host:port
	tls    bool
}

func (o Options) target() (target, error) {
	raw := o.URL
	if raw == "" && o.UnixSocket != "" {
		raw = "http://localhost"
	}
	u, err := url.Parse(raw)
	if err != nil {
		return target{}, fmt.Errorf("read the server's address: %w", err)
	}
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return target{}, fmt.Errorf("read the server's address: %q is not http(s)://host[:port]", raw)
	}
	t := target{tls: u.Scheme == "https", addr: u.Host}
	if u.Port() == "" {
		port := "80"
		if t.tls {
			port = "443"
		}
		t.addr = net.JoinHostPort(u.Hostname(), port)
	}
	t.base = u.Scheme + "://" + u.Host + strings.TrimRight(u.EscapedPath(), "/")
	t.socket = "ws" + strings.TrimPrefix(t.base, "http") + wire.PathSocket
	return t, nil
}

// dial opens a network connection, before TLS.
func (o Options) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if o.UnixSocket != "" {
		network, address = "unix", o.UnixSocket
	}
	if o.Dial != nil {
		return o.Dial(ctx, network, address)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// NewKey makes the key of a message or room: a UUID of version 7 (RFC 9562).
func NewKey() string { return uuid.Must(uuid.NewV7()).String() }
