package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// Client keeps a WebSocket to a server open. It is safe for concurrent use.
type Client struct {
	API
	HTTP *HTTP // for uploads, downloads, and calls while there is no connection

	opt    Options
	events chan Event
	types  map[wire.EventType]reflect.Type

	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu       sync.Mutex
	conn     *Conn         // the newest
	link     *link         // nil while there is no synchronised connection
	changed  chan struct{} // closed when something here changes; nil while nobody waits
	err      error         // why the client has given up
	started  bool          // the reader runs
	user     id.ID         // the account
	position uint64        // of the newest event
	since    uint64        // everything up to here has arrived
	stats    Stats

	reader stream // the reader's own
}

// Stats count what a Client has been through.
type Stats struct {
	Connects   uint64 // connections made
	Events     uint64 // events taken
	Duplicates uint64 // events that had been there before
	Gaps       uint64 // holes seen in a room
	Filled     uint64 // messages fetched, to fill them or after a reset
	Resyncs    uint64 // streams begun again because the consumer or the server fell behind
	Resets     uint64 // answers of sync.start that voided everything
	Dropped    uint64 // typing and the like, for which there was no room
}

// Dial makes a Client. With a token it connects and returns when the stream of
// events has begun, or with the reason why not; without one, Login does that.
func Dial(ctx context.Context, o Options) (*Client, error) {
	h, err := NewHTTP(o)
	if err != nil {
		return nil, err
	}
	c := &Client{HTTP: h, opt: h.opt, since: o.Since, position: o.Since, types: map[wire.EventType]reflect.Type{}}
	c.API = API{call: c.Call}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.reader.heads = map[id.ID]uint64{}
	if o.OnEvent == nil {
		c.events = make(chan Event, c.opt.Queue)
	}
	for _, e := range wire.Events() {
		c.types[e.Type] = e.Data
	}
	if o.Token == "" {
		return c, nil
	}
	if err := c.Connect(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// Login logs in over POST and connects.
func (c *Client) Login(ctx context.Context, login, password string) (wire.Session, error) {
	s, err := c.HTTP.Login(ctx, login, password)
	if err != nil {
		return s, err
	}
	return s, c.Connect(ctx)
}

// Connect begins the stream of events and waits until it runs. The first
// failure is the answer and the end of the Client; after a success it connects
// again by itself, until the token is refused.
func (c *Client) Connect(ctx context.Context) error {
	c.mu.Lock()
	if !c.started && c.err == nil {
		c.started = true
		c.done.Go(c.run)
	}
	c.mu.Unlock()
	return c.await(ctx, func() bool { return c.stats.Connects > 0 }) // it may have broken again by now
}

// Close ends the connection and waits for the reader and the writer. The
// channel of Events is closed.
func (c *Client) Close() error {
	c.mu.Lock()
	if c.err == nil {
		c.err = ErrClosed
	}
	if !c.started && c.events != nil {
		c.started = true // it never will
		close(c.events)
	}
	c.announce()
	c.cancel()
	conn := c.conn
	c.mu.Unlock()
	if conn != nil {
		_ = conn.Close() // may have ended long ago
	}
	err := c.HTTP.Close()
	c.done.Wait()
	return err
}

// Events gives the events in order. It is nil with Options.OnEvent. It may be
// read slowly: when the queue is full the Client leaves events with the server
// and fetches them by position afterwards.
func (c *Client) Events() <-chan Event { return c.events }

// Err says why the Client has given up: nil while it has not.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// User is the account of the token; zero before the first connection.
func (c *Client) User() id.ID {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.user
}

// Token is the device token in use.
func (c *Client) Token() string { return c.HTTP.Token() }

// Connected reports whether the stream of events runs now.
func (c *Client) Connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.link != nil
}

// Position is the journal position of the newest event that has arrived.
func (c *Client) Position() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.position
}

// Since is the position to keep for Options.Since of a later Client. It may be
// smaller than Position, because several events may share one.
func (c *Client) Since() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.since
}

// Stats counts what has happened so far.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// WaitConnected waits until the stream of events runs.
func (c *Client) WaitConnected(ctx context.Context) error {
	return c.await(ctx, func() bool { return c.link != nil })
}

// WaitPosition waits until an event of this position or a later one has
// arrived.
func (c *Client) WaitPosition(ctx context.Context, position uint64) error {
	return c.await(ctx, func() bool { return c.position >= position })
}

// await waits until a condition on the fields under the lock is true.
func (c *Client) await(ctx context.Context, is func() bool) error {
	for {
		c.mu.Lock()
		ok, err, changed := is(), c.err, c.watch()
		c.mu.Unlock()
		if ok && err == nil {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// watch gives a channel that the next announce closes; the lock is held.
func (c *Client) watch() <-chan struct{} {
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	return c.changed
}

// announce wakes those who wait; the lock is held.
func (c *Client) announce() {
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// Drop cuts the connection as a broken cable would; the Client connects again.
// It is for tests.
func (c *Client) Drop() {
	c.mu.Lock()
	conn := c.conn
	c.mu.Unlock()
	if conn != nil {
		_ = conn.Drop() // may have ended already
	}
}

// Ack confirms that everything up to a position has arrived; it is for
// AckNever.
func (c *Client) Ack(position uint64) {
	c.mu.Lock()
	l := c.link
	c.mu.Unlock()
	if l != nil {
		l.ack(position)
	}
}

// Call calls any method of the table: over the WebSocket, or with POST while
// there is none. Questions, and messages and rooms that carry a key, are asked
// again after a break or when the server is unavailable, and those that carry a
// key also when it takes no more so soon, until ctx ends; anything else fails
// with ErrLost when its answer is lost. Params nil means no parameters; result,
// a pointer, may be nil.
func (c *Client) Call(ctx context.Context, method string, params, result any) error {
	body, err := encode(params)
	if err != nil {
		return err
	}
	spec := specOf(method)
	once := keyed(method, body)
	again := once || spec.Class == wire.Query || spec.Class == wire.Free
	for wait := c.opt.Backoff; ; wait = min(2*wait, 16*c.opt.Backoff) {
		answer, err := c.once(ctx, spec, method, body)
		if err == nil {
			return decode(method, answer, result)
		}
		var e *wire.Error
		refused := errors.As(err, &e)
		if end := c.Err(); end != nil && !refused {
			return end
		}
		if !again || ctx.Err() != nil || (refused && e.Kind != wire.Unavailable && !(once && e.Kind == wire.RateLimited)) {
			return err
		}
		if refused && e.RetryAfter > 0 {
			wait = time.Duration(e.RetryAfter) * time.Millisecond
		}
		if c.wait(ctx, jitter(wait)) != nil {
			return err
		}
	}
}

// wait pauses, but without a connection not longer than until there is one.
func (c *Client) wait(ctx context.Context, d time.Duration) error {
	var changed <-chan struct{}
	c.mu.Lock()
	if c.link == nil {
		changed = c.watch()
	}
	c.mu.Unlock()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-changed:
	case <-ctx.Done():
		return ctx.Err()
	case <-c.ctx.Done():
		return ErrClosed
	}
	return nil
}

func (c *Client) once(ctx context.Context, spec wire.Spec, method string, body []byte) ([]byte, error) {
	c.mu.Lock()
	l, started, closed := c.link, c.started, c.err
	c.mu.Unlock()
	switch {
	case errors.Is(closed, ErrClosed):
		return nil, closed
	case l != nil:
		return l.ask(ctx, method, body)
	case !spec.Socket:
		return c.HTTP.postRaw(ctx, method, body)
	case !started:
		return nil, wire.Refuse(wire.Unauthenticated, "log in first", "请先登录")
	}
	if err := c.await(ctx, func() bool { return c.link != nil }); err != nil {
		return nil, err
	}
	return c.once(ctx, spec, method, body)
}

func specOf(method string) wire.Spec {
	for _, s := range wire.Table() {
		if s.Name == method {
			return s
		}
	}
	return wire.Spec{Name: method, Class: wire.Write}
}

// keyed reports whether a call may be made twice because it carries a key.
func keyed(method string, body []byte) bool {
	switch method {
	case "message.send", "message.forward", "room.create":
		var p struct {
			Key string `json:"key"`
		}
		return json.Unmarshal(body, &p) == nil && p.Key != ""
	}
	return false
}

// jitter spreads a pause over half to all of its length, so that a thousand
// clients do not come back in the same moment.
func jitter(d time.Duration) time.Duration {
	if d <= 1 {
		return d
	}
	return d/2 + rand.N(d/2)
}
