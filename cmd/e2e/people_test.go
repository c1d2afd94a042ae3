package e2e

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// uploads puts a file on the server and sends it to a room.
func (p *person) uploads(room id.ID, name string, content []byte) wire.File {
	p.t.Helper()
	f, err := p.HTTP.Upload(background(p.t), bytes.NewReader(content), name, "")
	if err != nil {
		p.t.Fatalf("upload %s: %v", name, err)
	}
	if _, err := p.SendMessage(background(p.t), wire.SendParams{Room: room, Text: name, Files: []id.ID{f.ID}}); err != nil {
		p.t.Fatalf("send %s: %v", name, err)
	}
	return f
}

// downloads reads the content of a file.
func (p *person) downloads(f wire.File) []byte {
	p.t.Helper()
	var b bytes.Buffer
	if _, err := p.HTTP.Download(background(p.t), f, &b, 0); err != nil {
		p.t.Fatalf("download %s: %v", f.Name, err)
	}
	return b.Bytes()
}

// thrownOut waits until the client has been told that its session is over.
func (p *person) thrownOut(began time.Time) {
	p.t.Helper()
	await(p.t, func() string { return p.login + " to be thrown out" }, func() bool { return kindOf(p.Err()) == wire.Unauthenticated })
	p.t.Logf("the client of %s gave up after %s", p.login, time.Since(began).Round(time.Millisecond))
}

// mayNothing wants every way in to be shut.
func (p *person) mayNothing(f wire.File) {
	p.t.Helper()
	bare, err := client.NewHTTP(client.Options{URL: p.site, Token: p.Token()})
	must(p.t, err)
	defer bare.Close()
	if _, err := bare.Me(background(p.t)); kindOf(err) != wire.Unauthenticated {
		p.t.Errorf("a call of somebody who was thrown out: %v", err)
	}
	if _, err := bare.Download(background(p.t), f, &bytes.Buffer{}, 0); kindOf(err) != wire.Unauthenticated {
		p.t.Errorf("a download of somebody who was thrown out: %v", err)
	}
	if _, err := bare.Upload(background(p.t), bytes.NewReader([]byte("x")), "x", ""); kindOf(err) != wire.Unauthenticated {
		p.t.Errorf("an upload of somebody who was thrown out: %v", err)
	}
	_, err = client.DialConn(background(p.t), client.Options{URL: p.site, Token: p.Token()})
	if kindOf(err) != wire.Unauthenticated {
		p.t.Errorf("a connection of somebody who was thrown out: %v", err)
	}
}

// tap is a bare WebSocket that only listens.
type tap struct {
	t     *testing.T
	ended chan time.Time
}

// tapped opens one more WebSocket with the token of somebody's device.
func (o *office) tapped(p *person) *tap {
	o.t.Helper()
	conn, err := client.DialConn(background(o.t), client.Options{URL: o.url(), Token: p.Token()})
	if err != nil {
		o.t.Fatalf("open a WebSocket: %v", err)
	}
	o.t.Cleanup(func() { _ = conn.Close() })
	must(o.t, conn.Write([]byte(`{"jsonrpc":"2.0","id":1,"method":"sync.start","params":{"since":0}}`)))
	s, started := &tap{t: o.t, ended: make(chan time.Time, 1)}, make(chan struct{}, 1)
	go func() {
		_ = conn.Read(func([]byte) error { // the end is what is waited for
			select {
			case started <- struct{}{}:
			default:
			}
			return nil
		})
		s.ended <- time.Now()
	}()
	select {
	case <-started:
	case <-s.ended:
		o.t.Fatal("the WebSocket ended before sync.start was answered")
	case <-time.After(patience):
		o.t.Fatal("sync.start was not answered")
	}
	return s
}

// ends wants the WebSocket to have been closed soon after a moment.
func (s *tap) ends(began time.Time) {
	s.t.Helper()
	select {
	case at := <-s.ended:
		s.t.Logf("a socket ended after %s", at.Sub(began).Round(time.Millisecond))
		if at.Sub(began) > soon {
			s.t.Errorf("a socket ended only after %s", at.Sub(began))
		}
	case <-time.After(patience):
		s.t.Errorf("a socket of somebody who was thrown out stays open")
	}
}

func kindOf(err error) wire.Kind {
	var e *wire.Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

func idOf(t *testing.T, text string) id.ID {
	t.Helper()
	v, err := id.Parse(text)
	must(t, err)
	return v
}

// bytesOf makes content that repeats nowhere.
func bytesOf(n int) []byte {
	b := make([]byte, n)
	state := uint64(n)*2654435761 + 1
	for i := range b {
		state = state*6364136223846793005 + 1442695040888963407
		b[i] = byte(state >> 56)
	}
	return b
}

// bigFile writes a file of so many bytes.
func bigFile(t *testing.T, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "big.bin")
	must(t, os.WriteFile(path, bytesOf(n), 0o600))
	return path
}
