package chat

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"sync"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// newSecret is 256 random bits as text, for tokens and links.
func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// setupLink is the one-time way in of the first owner. It lives in memory: a
// restart makes a new one.
type setupLink struct {
	mu     sync.Mutex
	sum    [32]byte
	expire time.Time
}

// setupTime is how long a setup link works.
const setupTime = time.Hour

// SetupURL makes a setup link, or the empty text when there are accounts. An
// earlier link is worthless then.
func (s *Service) SetupURL() string {
	if s.s.Counts().Users > 0 {
		return ""
	}
	token := newSecret()
	s.setup.mu.Lock()
	s.setup.sum, s.setup.expire = sha256.Sum256([]byte(token)), s.opt.Now().Add(setupTime)
	s.setup.mu.Unlock()
	return s.opt.BaseURL() + "/#/setup/" + token
}

func (s *Service) setupOpen(token string) bool {
	sum := sha256.Sum256([]byte(token))
	s.setup.mu.Lock()
	defer s.setup.mu.Unlock()
	return subtle.ConstantTimeCompare(sum[:], s.setup.sum[:]) == 1 && s.opt.Now().Before(s.setup.expire)
}

// device makes the record of a new session and its token.
func (s *Service) device(c *Call, name, kind string, cookie bool) (record.Device, string, error) {
	switch {
	case cookie:
		kind = "browser"
	case kind == "":
		kind = "app"
	case kind != "browser" && kind != "app" && kind != "bot":
		return record.Device{}, "", wire.BadParam("kind", "browser, app or bot", "须为 browser、app 或 bot")
	}
	token := newSecret()
	sum := sha256.Sum256([]byte(token))
	idle := s.tuned.Load().appIdle
	if kind == "browser" {
		idle = s.tuned.Load().browserIdle
	}
	return record.Device{Name: name, Form: kind, Token: sum[:], Address: c.Address, Idle: idle.Milliseconds()}, token, nil
}

func (s *Service) loggedIn(user, device id.ID, token string, idle int64, now time.Time, cookie bool) (*LoggedIn, error) {
	u, ok := s.s.User(user)
	if !ok {
		return nil, state.WrongPassword()
	}
	return &LoggedIn{Session: wire.Session{User: u, Device: device, Token: token, Expires: now.UnixMilli() + idle}, Cookie: cookie,
		MaxAge: time.Duration(idle) * time.Millisecond}, nil
}

func (s *Service) setupComplete(c *Call, p *wire.SetupParams) (*LoggedIn, error) {
	if err := s.spend(s.addrs, c.Address, c.Now); err != nil {
		return nil, err
	}
	if s.s.Counts().Users > 0 || !s.setupOpen(p.Token) {
		return nil, wire.Refuse(wire.Expired, "this setup link is over: run posthouse setup on the box for a new one", "初始化链接已失效，请在服务器上运行 posthouse setup 获取新链接")
	}
	return s.open(c, &state.OpenAccount{Setup: true, Organisation: p.Organisation, User: record.User{Login: p.Login, Name: p.Name}}, p.Password, p.DeviceName, p.Cookie)
}

// open makes an account with a password and its first session.
func (s *Service) open(c *Call, cmd *state.OpenAccount, password, deviceName string, cookie bool) (*LoggedIn, error) {
	if _, err := state.CanonicalLogin(cmd.User.Login); err != nil {
		return nil, err
	}
	if err := s.checkPassword("password", password, cmd.User.Login); err != nil {
		return nil, err
	}
	var err error
	if cmd.PHC, err = s.hasher.hash(password); err != nil {
		return nil, err
	}
	d, token, err := s.device(c, deviceName, "", cookie)
	if err != nil {
		return nil, err
	}
	cmd.Device = &d
	r, err := s.submit(c, cmd)
	if err != nil {
		return nil, err
	}
	body := r.Body.(*record.AccountOpened)
	return s.loggedIn(body.User.ID, body.Device.ID, token, d.Idle, c.Now, cookie)
}

func (s *Service) spend(l *limiter, key string, now time.Time) error {
	wait := l.take(key, now)
	if wait == 0 {
		return nil
	}
	e := wire.Refusef(wire.RateLimited, "too many tries: wait %d seconds", "尝试过多，请等待 %d 秒", int(wait.Seconds())+1)
	e.RetryAfter = wait.Milliseconds() + 1
	return e
}

func (s *Service) login(c *Call, p *wire.LoginParams) (*LoggedIn, error) {
	if len(p.Password) > wire.MaxPassword {
		return nil, wire.BadParam("password", "8 to 256 bytes", "8 到 256 字节")
	}
	login, err := state.CanonicalLogin(p.Login)
	if err != nil {
		return nil, state.WrongPassword()
	}
	if err := s.spend(s.addrs, c.Address, c.Now); err != nil {
		return nil, err
	}
	tries, key := s.logins, login
	if pair := login + " " + c.Address; s.known.has(pair) {
		tries, key = s.known, pair
	}
	if err := s.spend(tries, key, c.Now); err != nil {
		return nil, err
	}
	d, token, err := s.device(c, p.DeviceName, p.Kind, p.Cookie)
	if err != nil {
		return nil, err
	}
	account, _ := s.s.Login(login)
	ok, err := s.hasher.matches(p.Password, account.PHC)
	if err != nil {
		return nil, err
	}
	if !ok {
		if account.User != 0 {
			s.failures.add(account.User, c.Now)
		}
		s.opt.Log.Info("login failed", "login", login, "address", c.Address, "trace", c.Trace)
		return nil, state.WrongPassword()
	}
	d.User = account.User
	r, err := s.submit(c, &state.AddDevice{Device: d, PHC: account.PHC})
	if err != nil {
		return nil, err
	}
	s.known.give(login+" "+c.Address, c.Now)
	s.logins.give(login, c.Now)
	s.addrs.give(c.Address, c.Now)
	tell := s.opt.Log.Info
	if s.s.IsProbe(account.User) { // every minute
		tell = s.opt.Log.Debug
	}
	tell("logged in", "user", account.User.String(), "address", c.Address, "trace", c.Trace)
	return s.loggedIn(account.User, r.Body.(*record.DevicePut).Device.ID, token, d.Idle, c.Now, p.Cookie)
}

func (s *Service) me(c *Call, _ *wire.Empty) (wire.Session, error) {
	u, ok := s.s.User(c.Actor.User)
	if !ok {
		return wire.Session{}, wire.Refuse(wire.Unauthenticated, "log in first", "请先登录")
	}
	in := wire.Session{User: u, Device: c.Actor.Device}
	if idle, ok := s.s.Idle(c.Actor.Device); ok {
		in.Expires = c.Now.UnixMilli() + idle
	}
	if s.opt.Console != nil && sees(c.Actor) {
		in.Console = s.opt.Console(c.Address)
	}
	return in, nil
}

// confirm checks the caller's own password and changes nothing. Tries count as
// those of a login.
func (s *Service) confirm(c *Call, p *wire.ConfirmParams) (wire.Done, error) {
	u, ok := s.s.User(c.Actor.User)
	if !ok {
		return wire.Done{}, wire.Refuse(wire.Unauthenticated, "log in first", "请先登录")
	}
	if len(p.Password) > wire.MaxPassword {
		return wire.Done{}, wire.BadParam("password", "8 to 256 bytes", "8 到 256 字节")
	}
	if err := s.spend(s.logins, u.Login, c.Now); err != nil {
		return wire.Done{}, err
	}
	ok, err := s.hasher.matches(p.Password, s.s.Password(u.ID))
	if err != nil {
		return wire.Done{}, err
	}
	if !ok {
		s.failures.add(u.ID, c.Now)
		s.opt.Log.Info("password not confirmed", "login", u.Login, "address", c.Address, "trace", c.Trace)
		return wire.Done{}, wire.Refuse(wire.Forbidden, "the password is wrong", "密码错误")
	}
	s.logins.give(u.Login, c.Now)
	return wire.Done{Position: s.Position()}, nil
}

func (s *Service) logout(c *Call, _ *wire.Empty) (wire.Done, error) {
	return s.done(c, &state.RemoveDevice{Device: c.Actor.Device})
}

func (s *Service) devices(c *Call, p *wire.UserOptional) (wire.DeviceList, error) {
	user := p.User
	if user == 0 {
		user = c.Actor.User
	}
	if user != c.Actor.User && !sees(c.Actor) {
		return wire.DeviceList{}, wire.Refuse(wire.Forbidden, "only auditors and above see other people's devices", "只有审计员及以上可查看他人设备")
	}
	list := s.s.Devices(user)
	for i := range list {
		list[i].Current = list[i].ID == c.Actor.Device
	}
	return wire.DeviceList{Devices: list}, nil
}

func (s *Service) revoke(c *Call, p *wire.DeviceParam) (wire.Done, error) {
	return s.done(c, &state.RemoveDevice{Device: p.Device})
}

func (s *Service) ownPassword(c *Call, p *wire.PasswordParams) (wire.Done, error) {
	u, ok := s.s.User(c.Actor.User)
	if !ok {
		return wire.Done{}, wire.Refuse(wire.Unauthenticated, "log in first", "请先登录")
	}
	if err := s.spend(s.logins, u.Login, c.Now); err != nil {
		return wire.Done{}, err
	}
	if len(p.Old) > wire.MaxPassword {
		return wire.Done{}, wire.BadParam("old", "8 to 256 bytes", "8 到 256 字节")
	}
	if err := s.checkPassword("new", p.New, u.Login); err != nil {
		return wire.Done{}, err
	}
	ok, err := s.hasher.matches(p.Old, s.s.Password(u.ID))
	if err != nil {
		return wire.Done{}, err
	}
	if !ok {
		return wire.Done{}, wire.Refuse(wire.Forbidden, "the old password is wrong", "原密码错误")
	}
	s.logins.give(u.Login, c.Now)
	phc, err := s.hasher.hash(p.New)
	if err != nil {
		return wire.Done{}, err
	}
	return s.done(c, &state.SetPassword{User: u.ID, Self: true, PHC: phc, Keep: c.Actor.Device})
}
