package e2e

import (
	"slices"
	"strings"
	"testing"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// password is everybody's.
const password = "correct horse battery staple"

// office is a server with its people, made over the protocol.
type office struct {
	*server
	owner *person
}

// person is an account and a connected client of it.
type person struct {
	*client.Client
	t     *testing.T
	login string
	user  wire.User
	dev   id.ID
	site  string
}

// openOffice starts a server and makes its owner, ann.
func openOffice(t *testing.T, settings ...string) *office {
	t.Helper()
	return occupied(t, serve(t, settings...))
}

// occupied makes the owner of a server that was started for the first time.
func occupied(t *testing.T, s *server) *office {
	t.Helper()
	o := &office{server: s}
	c := s.client(t, client.Options{DeviceName: "ann's program"})
	session, err := c.HTTP.Setup(background(t), wire.SetupParams{Token: strings.TrimPrefix(s.setup, "/setup/"), Organisation: "E2E 测试",
		Login: "ann", Name: "安娜 Ann", Password: password, DeviceName: "ann's program"})
	if err != nil {
		t.Fatalf("set up: %v", err)
	}
	o.owner = &person{Client: c, t: t, login: "ann", user: session.User, dev: session.Device, site: o.url()}
	must(t, c.Connect(background(t)))
	return o
}

// client makes a client that is closed when the test ends.
func (s *server) client(t *testing.T, o client.Options) *client.Client {
	t.Helper()
	o.URL = s.url()
	c, err := client.Dial(background(t), o)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// account makes an account that nobody uses yet.
func (o *office) account(login, name string) wire.User {
	o.t.Helper()
	u, err := o.owner.CreateUser(background(o.t), wire.UserCreate{Login: login, Name: name, Password: password})
	if err != nil {
		o.t.Fatalf("make the account %s: %v", login, err)
	}
	return u
}

// hire makes an account and connects a client of it.
func (o *office) hire(login, name string, opt client.Options) *person {
	o.t.Helper()
	o.account(login, name)
	return o.device(login, opt)
}

// device logs an account in once more.
func (o *office) device(login string, opt client.Options) *person {
	o.t.Helper()
	c := o.client(o.t, opt)
	session, err := c.Login(background(o.t), login, password)
	if err != nil {
		o.t.Fatalf("log %s in: %v", login, err)
	}
	return &person{Client: c, t: o.t, login: login, user: session.User, dev: session.Device, site: o.url()}
}

// group makes a private room of the owner and others.
func (o *office) group(name string, members ...id.ID) wire.Room {
	o.t.Helper()
	r, err := o.owner.CreateRoom(background(o.t), wire.RoomCreate{Kind: wire.Group, Name: name, Members: members})
	if err != nil {
		o.t.Fatalf("make the room %s: %v", name, err)
	}
	return r
}

// direct is the room of two people.
func (p *person) direct(user id.ID) wire.Room {
	p.t.Helper()
	r, err := p.Direct(background(p.t), user)
	if err != nil {
		p.t.Fatalf("open a direct room: %v", err)
	}
	return r
}

// says sends a text, which is on disk afterwards.
func (p *person) says(room id.ID, text string) wire.Sent {
	p.t.Helper()
	sent, err := p.Send(background(p.t), room, text)
	if err != nil {
		p.t.Fatalf("%s says %q: %v", p.login, text, err)
	}
	return sent
}

// all reads a room from its beginning to its end.
func (p *person) all(room id.ID) []wire.Message {
	p.t.Helper()
	var out []wire.Message
	for after := uint64(0); ; {
		page, err := p.History(background(p.t), wire.HistoryParams{Room: room, After: after, FromStart: after == 0, Limit: 200})
		if err != nil {
			p.t.Fatalf("read the room: %v", err)
		}
		out = append(out, page.Messages...)
		if !page.More || len(page.Messages) == 0 {
			return out
		}
		after = page.Messages[len(page.Messages)-1].Seq
	}
}

// count is how many messages of a room have exactly this text.
func (p *person) count(room id.ID, text string) int {
	p.t.Helper()
	n := 0
	for _, m := range p.all(room) {
		if m.Text == text {
			n++
		}
	}
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// finds wants the texts of a room to be exactly these, in this order.
func (p *person) finds(room id.ID, want ...string) {
	p.t.Helper()
	var got []string
	for _, m := range p.all(room) {
		if m.Change == nil {
			got = append(got, m.Text)
		}
	}
	if !slices.Equal(got, want) {
		p.t.Errorf("the room holds %q, not %q", got, want)
	}
}
