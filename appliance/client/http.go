package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/wire"
)

// HTTP calls methods with POST, and uploads and downloads. It is safe for
// concurrent use. Methods that need a WebSocket are refused by the server.
type HTTP struct {
	API
	opt    Options
	target target
	host   *fasthttp.HostClient // answers read as a whole
	stream *fasthttp.HostClient // answers read bit by bit

	mu     sync.Mutex
	token  string
	conns  map[*tracked]struct{} // open ones; nil once closed
	ctx    context.Context       // of dialling; ends with Close
	cancel context.CancelFunc
	work   sync.WaitGroup // requests whose caller may have gone
}

// NewHTTP makes an HTTP client. It does not connect.
func NewHTTP(o Options) (*HTTP, error) {
	o = o.filled()
	t, err := o.target()
	if err != nil {
		return nil, err
	}
	h := &HTTP{opt: o, target: t, token: o.Token, conns: map[*tracked]struct{}{}}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.API = API{call: h.post}
	h.host, h.stream = h.newHost(false), h.newHost(true)
	return h, nil
}

func (h *HTTP) newHost(stream bool) *fasthttp.HostClient {
	c := &fasthttp.HostClient{
		Addr: h.target.addr, IsTLS: h.target.tls, TLSConfig: h.opt.TLS, Dial: h.dial,
		Name: "posthouse-client", MaxConns: 64, MaxConnWaitTimeout: h.opt.Timeout,
		ReadBufferSize: 16 << 10, MaxIdemponentCallAttempts: 1,
		MaxResponseBodySize: int(h.opt.MaxFrame), StreamResponseBody: stream,
		WriteTimeout: h.opt.Timeout, DisablePathNormalizing: true,
	}
	if stream {
		c.ReadTimeout = h.opt.Timeout // of each read, as long as bytes keep coming
		c.MaxResponseBodySize = 0
	}
	return c
}

// tracked is a connection that Close can end.
type tracked struct {
	net.Conn
	owner *HTTP
}

// Close closes it, once or more.
func (t *tracked) Close() error {
	t.owner.mu.Lock()
	delete(t.owner.conns, t)
	t.owner.mu.Unlock()
	return t.Conn.Close()
}

func (h *HTTP) dial(address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(h.ctx, h.opt.Timeout)
	defer cancel()
	c, err := h.opt.dial(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	t := &tracked{c, h}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conns == nil {
		_ = c.Close()
		return nil, ErrClosed
	}
	h.conns[t] = struct{}{}
	return t, nil
}

// Close ends requests under way and waits for them.
func (h *HTTP) Close() error {
	h.cancel()
	h.mu.Lock()
	conns := h.conns
	h.conns = nil
	h.mu.Unlock()
	for c := range conns {
		_ = c.Conn.Close()
	}
	h.work.Wait()
	h.host.CloseIdleConnections()
	h.stream.CloseIdleConnections()
	return nil
}

// Token is the device token in use; empty before Login.
func (h *HTTP) Token() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.token
}

// SetToken changes the device token of later requests.
func (h *HTTP) SetToken(token string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.token = token
}

// Login logs in and keeps the token of the new device.
func (h *HTTP) Login(ctx context.Context, login, password string) (wire.Session, error) {
	s, err := ask[wire.Session](ctx, h.API, "session.login", wire.LoginParams{
		Login: login, Password: password, DeviceName: h.opt.DeviceName, Kind: h.opt.Kind})
	if err == nil {
		h.SetToken(s.Token)
	}
	return s, err
}

// Setup makes the first owner with the token of the setup link and keeps the
// token of the new device.
func (h *HTTP) Setup(ctx context.Context, p wire.SetupParams) (wire.Session, error) {
	s, err := ask[wire.Session](ctx, h.API, "setup.complete", p)
	if err == nil {
		h.SetToken(s.Token)
	}
	return s, err
}

// Accept makes an account from an invitation and keeps the token of the new
// device.
func (h *HTTP) Accept(ctx context.Context, p wire.InviteAccept) (wire.Session, error) {
	s, err := ask[wire.Session](ctx, h.API, "invite.accept", p)
	if err == nil {
		h.SetToken(s.Token)
	}
	return s, err
}

func (h *HTTP) post(ctx context.Context, method string, params, result any) error {
	body, err := encode(params)
	if err != nil {
		return fmt.Errorf("encode the parameters of %s: %w", method, err)
	}
	answer, err := h.postRaw(ctx, method, body)
	if err != nil {
		return err
	}
	return decode(method, answer, result)
}

// postRaw gives the body of the answer.
func (h *HTTP) postRaw(ctx context.Context, method string, body []byte) ([]byte, error) {
	req, resp := h.request("POST", h.target.base+wire.PathAPI+method), &fasthttp.Response{}
	req.Header.SetContentType("application/json")
	req.SetBodyRaw(body)
	if err := h.do(ctx, h.host, req, resp); err != nil {
		return nil, fmt.Errorf("post %s: %w", method, err)
	}
	if resp.StatusCode() != fasthttp.StatusOK {
		return nil, refusal(resp.StatusCode(), resp.Body())
	}
	return resp.Body(), nil
}

// request begins a request with the headers that all have. Requests and
// answers are left to the garbage collector: a caller may give up while they
// are still in use.
func (h *HTTP) request(verb, uri string) *fasthttp.Request {
	req := &fasthttp.Request{}
	req.Header.SetMethod(verb)
	req.SetRequestURI(uri)
	if token := h.Token(); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if h.opt.Lang != "" {
		req.Header.Set("Accept-Language", h.opt.Lang)
	}
	return req
}

// do carries out a request until it is done, ctx ends or Options.Timeout has
// passed.
func (h *HTTP) do(ctx context.Context, c *fasthttp.HostClient, req *fasthttp.Request, resp *fasthttp.Response) error {
	deadline := time.Now().Add(h.opt.Timeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if ctx.Done() == nil {
		return h.outcome(ctx, c.DoDeadline(req, resp, deadline))
	}
	h.mu.Lock()
	if h.conns == nil {
		h.mu.Unlock()
		return ErrClosed
	}
	done := make(chan error, 1)
	h.work.Go(func() { done <- c.DoDeadline(req, resp, deadline) })
	h.mu.Unlock()
	select {
	case err := <-done:
		return h.outcome(ctx, err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *HTTP) outcome(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case h.ctx.Err() != nil:
		return ErrClosed
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, fasthttp.ErrTimeout):
		return context.DeadlineExceeded
	case errors.Is(err, fasthttp.ErrConnectionClosed):
		return ErrLost
	}
	return err
}

func encode(params any) ([]byte, error) {
	if params == nil {
		return []byte("{}"), nil
	}
	if raw, ok := params.(jsontext.Value); ok {
		return raw, nil
	}
	return json.Marshal(params)
}

// decode reads a result. Members that are not known are passed over: the
// server may be newer.
func decode(method string, answer []byte, result any) error {
	if result == nil {
		return nil
	}
	if raw, ok := result.(*jsontext.Value); ok {
		*raw = append((*raw)[:0], answer...)
		return nil
	}
	if err := json.Unmarshal(answer, result); err != nil {
		return fmt.Errorf("decode the result of %s: %w", method, err)
	}
	return nil
}

// refusal makes an error from the answer to a POST: its body is an ErrorBody.
func refusal(status int, body []byte) error {
	var b wire.ErrorBody
	if err := json.Unmarshal(body, &b); err == nil && b.Data.Kind != "" {
		return refused(&b)
	}
	for _, k := range wire.KindTable() {
		if k.Status == status && status != fasthttp.StatusBadRequest {
			return wire.Refusef(k.Kind, "status %d without an explanation", "状态码 %d，无说明", status)
		}
	}
	return fmt.Errorf("the server answered with status %d: %.200q", status, body)
}

// refused makes an error from what travelled. The sentence is in the caller's
// language, whichever that is.
func refused(b *wire.ErrorBody) *wire.Error {
	text := b.Message
	if b.Data.Kind == wire.Internal && b.Data.Trace != "" {
		text += " (trace " + b.Data.Trace + ")"
	}
	return &wire.Error{Kind: b.Data.Kind, Field: b.Data.Field, RetryAfter: b.Data.RetryAfterMS,
		Text: wire.Text{En: text, Zh: text}}
}
