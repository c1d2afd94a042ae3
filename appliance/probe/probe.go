package probe

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// Account is a virtual user.
type Account struct {
	Login    string `json:"login"`
	Password string `json:"password"`
}

// Options say what a round goes through.
type Options struct {
	URL       string      // of the public listener: https://host:port
	TLS       *tls.Config // certificates to trust; nil: those of the system
	Ann, Bob  Account
	Patience  time.Duration // of a whole round; 20 s when 0
	FileBytes int           // of the file; 4 KiB when 0

	// Dial opens a network connection, before TLS. Nil: net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Step is one step of a round that was begun.
type Step struct {
	Name string
	Took time.Duration
	Err  error
}

// Result is a round.
type Result struct {
	At       time.Time
	Steps    []Step
	EndToEnd time.Duration // from send to received; 0 when it did not come so far
	Total    time.Duration
	Expires  time.Time // the certificate that ends first in the chain shown; zero without https
}

// Err is the first error, with the name of its step; nil when the round went
// through.
func (r Result) Err() error {
	for _, s := range r.Steps {
		if s.Err != nil {
			return fmt.Errorf("%s: %w", s.Name, s.Err)
		}
	}
	return nil
}

// Failed is the name of the first step that failed; empty when none did.
func (r Result) Failed() string {
	for _, s := range r.Steps {
		if s.Err != nil {
			return s.Name
		}
	}
	return ""
}

// stale is the age at which a device of an earlier round is removed.
const stale = 10 * time.Minute

const deviceName = "probe"

// person is one of the two in a round.
type person struct {
	account Account
	client  *client.Client
	session wire.Session
	events  chan client.Event
}

type round struct {
	o       Options
	result  Result
	ann     person
	bob     person
	room    id.ID
	sent    wire.Sent
	text    string
	file    wire.File
	content []byte
}

// Run makes a round. It always returns a Result, with the error in it.
func Run(ctx context.Context, o Options) Result {
	if o.Patience <= 0 {
		o.Patience = 20 * time.Second
	}
	if o.FileBytes <= 0 {
		o.FileBytes = 4 << 10
	}
	r := &round{o: o, result: Result{At: time.Now()}, ann: person{account: o.Ann}, bob: person{account: o.Bob}}
	within, cancel := context.WithTimeout(ctx, o.Patience)
	defer cancel()
	r.steps(within)
	r.clean(ctx)
	r.result.Total = time.Since(r.result.At)
	return r.result
}

func (r *round) steps(ctx context.Context) {
	u, err := url.Parse(r.o.URL)
	if err != nil || u.Host == "" {
		r.step("connect", func() error { return fmt.Errorf("%q is not http(s)://host:port", r.o.URL) })
		return
	}
	var conn net.Conn
	if !r.step("connect", func() error { conn, err = r.dial(ctx, u); return err }) {
		return
	}
	defer func() { _ = conn.Close() }()
	if u.Scheme == "https" && !r.step("tls", func() error { return r.handshake(ctx, conn, u.Hostname()) }) {
		return
	}
	for _, s := range []struct {
		name string
		f    func(context.Context) error
	}{{"login", r.login}, {"socket", r.socket}, {"send", r.send}, {"receive", r.receive}, {"ack", r.acked}, {"history", r.history},
		{"upload", r.upload}, {"download", r.download}} {
		if !r.step(s.name, func() error { return s.f(ctx) }) {
			return
		}
	}
}

// step carries out a step and notes it.
func (r *round) step(name string, f func() error) bool {
	begun := time.Now()
	err := f()
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("no answer within %v: %w", time.Since(begun).Round(100*time.Millisecond), err)
	}
	r.result.Steps = append(r.result.Steps, Step{name, time.Since(begun), err})
	return err == nil
}

func (r *round) dial(ctx context.Context, u *url.URL) (net.Conn, error) {
	port := u.Port()
	if port == "" {
		port = map[bool]string{true: "443", false: "80"}[u.Scheme == "https"]
	}
	open := r.o.Dial
	if open == nil {
		open = new(net.Dialer).DialContext
	}
	return open(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
}

func (r *round) handshake(ctx context.Context, conn net.Conn, name string) error {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if r.o.TLS != nil {
		cfg = r.o.TLS.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = name
	}
	c := tls.Client(conn, cfg)
	if err := c.HandshakeContext(ctx); err != nil {
		return err
	}
	for _, cert := range c.ConnectionState().PeerCertificates {
		if r.result.Expires.IsZero() || cert.NotAfter.Before(r.result.Expires) {
			r.result.Expires = cert.NotAfter
		}
	}
	return nil
}

func (r *round) each(f func(p *person) error) error {
	for _, p := range []*person{&r.ann, &r.bob} {
		if err := f(p); err != nil {
			return err
		}
	}
	return nil
}

func (r *round) login(ctx context.Context) error {
	return r.each(func(p *person) error {
		p.events = make(chan client.Event, 256)
		var err error
		p.client, err = client.Dial(ctx, client.Options{URL: r.o.URL, TLS: r.o.TLS, Dial: r.o.Dial, DeviceName: deviceName, Kind: "bot", Ack: client.AckEach,
			Timeout: r.o.Patience, OnEvent: func(e client.Event) {
				select {
				case p.events <- e:
				default: // events of another round; what is waited for comes among the first
				}
			}})
		if err != nil {
			return err
		}
		p.session, err = p.client.HTTP.Login(ctx, p.account.Login, p.account.Password)
		return err
	})
}

func (r *round) socket(ctx context.Context) error {
	return r.each(func(p *person) error { return p.client.Connect(ctx) })
}

func (r *round) send(ctx context.Context) error {
	room, err := r.ann.client.Direct(ctx, r.bob.session.User.ID)
	if err != nil {
		return err
	}
	r.room, r.text = room.ID, "probe "+client.NewKey()
	drain(r.ann.events)
	begun := time.Now()
	r.sent, err = r.ann.client.Send(ctx, r.room, r.text)
	r.result.EndToEnd = -time.Since(begun) // receive adds what passes until then
	return err
}

// drain throws away what came before.
func drain(events chan client.Event) {
	for {
		select {
		case <-events:
		default:
			return
		}
	}
}

func (r *round) receive(ctx context.Context) error {
	begun := time.Now()
	taken := -r.result.EndToEnd
	r.result.EndToEnd = 0
	for {
		select {
		case e := <-r.bob.events:
			if m, ok := e.Message(); ok && m.Room == r.room && m.Seq == r.sent.Seq {
				if m.Text != r.text {
					return errors.New("the message arrived with another text")
				}
				r.result.EndToEnd = taken + time.Since(begun)
				return nil
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *round) acked(ctx context.Context) error {
	for {
		select {
		case e := <-r.ann.events:
			list, ok := e.Data.(*wire.ReceiptList)
			if !ok {
				continue
			}
			for _, x := range list.Receipts {
				if x.Room == r.room && x.User == r.bob.session.User.ID && x.Acked >= r.sent.Seq {
					return nil
				}
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (r *round) history(ctx context.Context) error {
	page, err := r.bob.client.History(ctx, wire.HistoryParams{Room: r.room, Limit: 10})
	if err != nil {
		return err
	}
	for _, m := range page.Messages {
		if m.Seq == r.sent.Seq && m.Text == r.text {
			_, err := r.bob.client.Read(ctx, r.room, r.sent.Seq)
			return err
		}
	}
	return errors.New("the message is not in the history")
}

func (r *round) upload(ctx context.Context) error {
	r.content = make([]byte, r.o.FileBytes)
	_, _ = rand.Read(r.content) // never fails
	var err error
	r.file, err = r.ann.client.HTTP.Upload(ctx, bytes.NewReader(r.content), "probe.bin", "application/octet-stream")
	return err
}

func (r *round) download(ctx context.Context) error {
	var got bytes.Buffer
	if _, err := r.ann.client.HTTP.Download(ctx, r.file, &got, 0); err != nil {
		return err
	}
	if !bytes.Equal(got.Bytes(), r.content) {
		return errors.New("the file came back with other content")
	}
	return nil
}

// clean removes what the round made, as far as it came. It has a time of
// its own, because a round that ran out of time is the one that must be cleaned.
func (r *round) clean(ctx context.Context) {
	if r.ann.client == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.o.Patience/2)
	defer cancel()
	r.step("clean", func() error {
		var errs []error
		if r.sent.Seq != 0 {
			_, err := r.ann.client.HTTP.Recall(ctx, id.Message{Room: r.room, Seq: r.sent.Seq})
			errs = append(errs, err)
		}
		if r.file.ID != 0 {
			errs = append(errs, r.ann.client.HTTP.Call(ctx, "file.discard", wire.FileParam{File: r.file.ID}, nil))
		}
		_ = r.each(func(p *person) error {
			if p.client == nil {
				return nil
			}
			if p.client.Token() != "" {
				errs = append(errs, r.forget(ctx, p), p.client.HTTP.Logout(ctx))
			}
			_ = p.client.Close() // it ends either way
			return nil
		})
		return errors.Join(errs...)
	})
}

// forget removes devices that earlier rounds left.
func (r *round) forget(ctx context.Context, p *person) error {
	devices, err := p.client.HTTP.Devices(ctx)
	if err != nil {
		return err
	}
	for _, d := range devices {
		if d.Name == deviceName && d.ID != p.session.Device && r.result.At.Sub(time.UnixMilli(d.Created)) > stale {
			if err := p.client.HTTP.Revoke(ctx, d.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// Words of a step for people, English and Chinese.
func Words(step string) (en, zh string) {
	switch step {
	case "connect":
		return "connect", "建立连接"
	case "tls":
		return "check the certificate", "校验证书"
	case "login":
		return "log in", "登录"
	case "socket":
		return "open the WebSocket", "打开 WebSocket"
	case "send":
		return "send", "发送"
	case "receive":
		return "receive", "接收"
	case "ack":
		return "acknowledge", "确认送达"
	case "history":
		return "read the history", "读取历史"
	case "upload":
		return "upload a file", "上传文件"
	case "download":
		return "read the file", "读取文件"
	case "clean":
		return "clean up", "清理"
	}
	step = strings.TrimSpace(step)
	return step, step
}
