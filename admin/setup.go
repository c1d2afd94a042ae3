package admin

import (
	"context"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/wire"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// The parts of the wizard of the first run, in their order. A part without a
// first step on this server is left out; the last one, finish, has none anywhere.
const (
	PartName        = "name"
	PartHost        = "host"
	PartCertificate = "certificate"
	PartNotices     = "notices"
	PartPeople      = "people"
	partFinish      = "finish"
)

const setupPath = "/admin/setup"

// PartMark is what somebody said of a part.
type PartMark string

// The marks. MarkOpen takes the others back.
const (
	MarkDone    PartMark = "done"
	MarkSkipped PartMark = "skipped"
	MarkOpen    PartMark = "open"
)

// Setup is what the wizard of the first run knows of the server, and what keeps
// its marks. Steps nil: there is no wizard; the others go with it.
type Setup struct {
	// Steps are the first steps, put away or not.
	Steps func(ctx context.Context) []FirstStep
	// Mark keeps what somebody said of a part, by login.
	Mark func(part string, mark PartMark, by string) error
	// Configured compares the configuration in force with what the next start
	// would take.
	Configured func() Configured
	// Names may take as long as a name takes to resolve.
	Names       func(ctx context.Context) Names
	Certificate func() Certificate
	// Consider tells what another host name would mean.
	Consider func(name string) Considered
	// Chat is the origin of the chat; empty: this one.
	Chat func() string
}

// Configured is the configuration as it is and as it would be.
type Configured struct {
	File     string     // that the server reads; empty: it runs without one
	Service  bool       // it is the one of the package, which systemd starts
	Mistake  words.Text // why the next start would fail; empty: it would not
	Settings map[string]Setting
}

// Setting is one key; values are written as in the file.
type Setting struct {
	Key       string
	Now, Next string
	Source    words.Text // of Next
	Default   bool       // Next is the default
	Fixed     bool       // Next comes from the environment or the command line, which the file does not change
}

// Names are what the server is called, and what the box itself makes of it.
type Names struct {
	Host      string
	URL       string // where people open the chat
	HTTPS     bool
	Names     []string // that it answers to, the host name first
	Addresses []string // URLs by address that its certificate covers
	Own       []string // addresses of the machine, without loopback
	Resolved  []string // what the host name leads to, as the box sees it
	Here      bool     // one of them is this machine's
	Loopback  bool     // one of them leads nowhere but to whoever asks
	Elsewhere bool     // one of them is another machine's
}

// Certificate is what browsers are shown.
type Certificate struct {
	Source      string // local-ca, files, or empty: https is off
	Host        string
	Covers      bool // the certificate is one for Host
	Fingerprint string
	Issuer      string
	Names       []string
	Addresses   []string
	Zones       []string // what the authority may sign
	Until       time.Time
	RootUntil   time.Time
	Warnings    []words.Text
}

// Considered is what another host name would mean.
type Considered struct {
	Name      string
	Bad       words.Text // it is none; empty: it is
	Anew      bool       // the authority may not sign it: a new one is needed
	Directory string     // of the authority that would have to go
	Missing   bool       // the certificate that was brought is not one for it
}

func setupRoutes() []Route {
	title := words.Of("Setting up", "初始设置")
	return []Route{
		{Method: "GET", Path: setupPath, Title: title, Need: Sees, Handle: (*Admin).setupOpen},
		{Method: "GET", Path: setupPath + "/{part}", Title: title, Need: Sees, Handle: (*Admin).setupPart},
		{Method: "POST", Path: setupPath + "/{part}", Title: title, Need: Manages, Handle: (*Admin).setupDo},
		{Method: "POST", Path: setupPath + "/" + PartPeople + "/invitation", Title: title, Under: setupPath, Need: Manages, Sudo: true, Handle: (*Admin).setupInvite},
	}
}

func partTitle(part string) words.Text {
	switch part {
	case PartName:
		return words.Of("Language and name", "语言与名称")
	case PartHost:
		return words.Of("The name people type", "大家输入的名字")
	case PartCertificate:
		return words.Of("The certificate", "证书")
	case PartNotices:
		return words.Of("Whom to tell", "通知谁")
	case PartPeople:
		return words.Of("The first people", "首批成员")
	}
	return words.Of("Finish", "完成")
}

// progress is how far the set-up is.
type progress struct {
	parts   []string
	state   map[string]console.SetupState
	missing map[string][]FirstStep // what is not done of each part
}

// setupProgress asks the first steps; ok is false where there is no wizard, and
// then the answer is given.
func (a *Admin) setupProgress(r *Request) (progress, bool) {
	if a.o.Setup.Steps == nil {
		r.without()
		return progress{}, false
	}
	p := progress{state: map[string]console.SetupState{}, missing: map[string][]FirstStep{}}
	steps := a.o.Setup.Steps(r.ctx)
	for _, part := range []string{PartName, PartHost, PartCertificate, PartNotices, PartPeople} {
		known, skipped := false, true
		for _, s := range steps {
			if s.Part != part {
				continue
			}
			known = true
			if !s.Done {
				p.missing[part] = append(p.missing[part], s)
				skipped = skipped && s.Skipped
			}
		}
		switch {
		case !known:
			continue
		case len(p.missing[part]) == 0:
			p.state[part] = console.SetupDone
		case skipped:
			p.state[part] = console.SetupSkipped
		}
		p.parts = append(p.parts, part)
	}
	p.parts = append(p.parts, partFinish)
	if p.open() == partFinish {
		p.state[partFinish] = console.SetupDone
	}
	return p, true
}

// open is the first part that is neither done nor passed over, or finish.
func (p progress) open() string {
	for _, part := range p.parts {
		if p.state[part] == console.SetupOpen {
			return part
		}
	}
	return partFinish
}

// after is the part that follows one: the next that is open, or else the next.
func (p progress) after(part string) string {
	i := slices.Index(p.parts, part)
	for _, next := range p.parts[i+1:] {
		if p.state[next] == console.SetupOpen && next != partFinish {
			return next
		}
	}
	if p.open() != partFinish && p.open() != part {
		return p.open()
	}
	return p.parts[min(i+1, len(p.parts)-1)]
}

// setupOpen goes on where the set-up is.
func (a *Admin) setupOpen(r *Request) {
	if p, ok := a.setupProgress(r); ok {
		a.showPart(r, p, p.open(), setupAnswer{}, r.Page)
	}
}

func (a *Admin) setupPart(r *Request) {
	p, ok := a.setupProgress(r)
	switch {
	case !ok:
	case !slices.Contains(p.parts, r.Arg("part")):
		r.Trouble(fasthttp.StatusNotFound, words.Of("The set-up has no such part.", "初始设置没有这一步。"))
	default:
		a.showPart(r, p, r.Arg("part"), setupAnswer{}, r.Page)
	}
}

// setupAnswer is what came of a form, where its page is shown again.
type setupAnswer struct {
	form    *console.Form
	channel *console.ChannelEdit // being made
	tested  *console.SetupTest
	invite  *wire.Invite // just made; its link is shown this once
}

// showPart draws the wizard with one of its parts.
func (a *Admin) showPart(r *Request, p progress, part string, ans setupAnswer, answer func(func(console.View) templ.Component)) {
	body, err := a.partBody(r, p, part, ans)
	if err != nil {
		r.Error(err)
		return
	}
	answer(func(v console.View) templ.Component {
		w := console.Setup{Part: part, Title: v.In(partTitle(part)), State: p.state[part], Next: setupPath + "/" + p.after(part), Confirmed: slices.Contains(said(), part)}
		for _, id := range p.parts {
			w.Parts = append(w.Parts, console.SetupPart{ID: id, Title: v.In(partTitle(id)), Href: setupPath + "/" + id, State: p.state[id]})
		}
		if i := slices.Index(p.parts, part); i > 0 {
			w.Back = setupPath + "/" + p.parts[i-1]
		}
		return console.SetupPage(v, w, body(v))
	})
}

// said are the parts that are done when somebody says so; of the others the box
// knows by itself.
func said() []string { return []string{PartName, PartHost, PartCertificate} }

// partBody is what is inside a part.
func (a *Admin) partBody(r *Request, p progress, part string, ans setupAnswer) (func(console.View) templ.Component, error) {
	switch part {
	case PartName:
		return a.nameBody(ans), nil
	case PartHost:
		return a.hostBody(r), nil
	case PartCertificate:
		return a.certificateBody(r), nil
	case PartNotices:
		return a.noticesBody(r, ans)
	case PartPeople:
		return a.peopleBody(r, ans)
	}
	return func(v console.View) templ.Component {
		f := console.SetupFinish{}
		for _, id := range p.parts {
			for _, s := range p.missing[id] {
				f.Open = append(f.Open, console.FirstStep{ID: s.ID, Title: v.In(s.Title), Why: v.In(s.Why), Href: setupPath + "/" + id, Skipped: s.Skipped})
			}
		}
		return console.SetupFinishPage(v, f)
	}, nil
}

func (a *Admin) nameBody(ans setupAnswer) func(console.View) templ.Component {
	f := console.Form{Values: map[string]string{"organisation": a.o.Organisation()}}
	if ans.form != nil {
		f = *ans.form
	}
	return func(v console.View) templ.Component {
		return console.SetupNamePage(v, console.SetupName{Form: f, Language: a.setting(v, "server.language", `"zh"`)})
	}
}

// setting is a key of the configuration as a page shows it; example is a value to
// write.
func (a *Admin) setting(v console.View, key, example string) console.SetupSetting {
	c := a.o.Setup.Configured()
	s := c.Settings[key]
	section, name, _ := strings.Cut(key, ".")
	return console.SetupSetting{Key: key, Now: s.Now, Next: s.Next, Source: v.In(s.Source), Default: s.Default, Fixed: s.Fixed, File: c.File, Service: c.Service, Mistake: v.In(c.Mistake),
		Value: strings.Trim(example, `"`), Lines: "[" + section + "]\n" + name + " = " + example, Flag: "--set " + key + "=" + strings.Trim(example, `"`)}
}

func (a *Admin) hostBody(r *Request) func(console.View) templ.Component {
	n, c := a.o.Setup.Names(r.ctx), a.o.Setup.Certificate()
	came := string(r.ctx.Host())
	if host, _, err := net.SplitHostPort(came); err == nil {
		came = host
	}
	came = strings.Trim(came, "[]")
	h := console.SetupHost{Host: n.Host, URL: n.URL, Came: came, ByName: strings.EqualFold(strings.TrimSuffix(came, "."), n.Host), Names: n.Names, Addresses: n.Addresses, Own: n.Own,
		Resolved: n.Resolved, Here: n.Here, Loopback: n.Loopback, Elsewhere: n.Elsewhere, HTTPS: n.HTTPS, LocalCA: c.Source == "local-ca", Covers: c.Covers, Zones: c.Zones}
	if name := strings.TrimSpace(r.Query("name")); name != "" && len(name) <= maxHostName {
		found := a.o.Setup.Consider(name)
		h.Considered = &console.SetupConsidered{Name: found.Name, Anew: found.Anew, Directory: found.Directory, Missing: found.Missing, Same: found.Name == n.Host}
		return func(v console.View) templ.Component {
			h.Considered.Bad = v.In(found.Bad)
			h.Setting = a.setting(v, "server.host_name", `"`+found.Name+`"`)
			return console.SetupHostPage(v, h)
		}
	}
	return func(v console.View) templ.Component {
		h.Setting = a.setting(v, "server.host_name", `"`+n.Host+`"`)
		return console.SetupHostPage(v, h)
	}
}

// maxHostName is the longest name the DNS knows.
const maxHostName = 253

func (a *Admin) certificateBody(r *Request) func(console.View) templ.Component {
	c := a.o.Setup.Certificate()
	secure := r.Secure
	return func(v console.View) templ.Component {
		s := console.SetupCertificate{Source: c.Source, Host: c.Host, Covers: c.Covers, Fingerprint: c.Fingerprint, Issuer: c.Issuer, Names: c.Names, Addresses: c.Addresses, Zones: c.Zones,
			Until: c.Until, RootUntil: c.RootUntil, Secure: secure, Chat: a.o.Setup.Chat()}
		for _, t := range c.Warnings {
			s.Warnings = append(s.Warnings, v.In(t))
		}
		return console.SetupCertificatePage(v, s)
	}
}

// peopleBody asks for the invitations that can still be used.
func (a *Admin) peopleBody(r *Request, ans setupAnswer) (func(console.View) templ.Component, error) {
	result, err := r.Call("invite.list", wire.Empty{})
	list, ok := result.(wire.InviteList)
	if err != nil || !ok {
		return nil, err
	}
	p := console.SetupPeople{Form: console.Form{Values: map[string]string{"hours": "72", "uses": "1"}}}
	if ans.form != nil {
		p.Form = *ans.form
	}
	for _, i := range list.Invites {
		p.Open = append(p.Open, console.Invitation{ID: i.ID.String(), Left: i.Uses, Until: time.UnixMilli(i.Expires), Note: i.Note})
	}
	if i := ans.invite; i != nil {
		p.Made = &console.Invitation{ID: i.ID.String(), URL: i.URL, QR: i.QR}
	}
	return func(v console.View) templ.Component { return console.SetupPeoplePage(v, p) }, nil
}
