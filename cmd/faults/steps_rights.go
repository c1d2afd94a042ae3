package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// rightsScenarios take rights away while somebody is using them.
func rightsScenarios() []scenario {
	end := func(how func(*steps, context.Context, *client.HTTP, wire.Session) error) func(*steps, context.Context) error {
		return func(s *steps, ctx context.Context) error { return s.openSocket(ctx, how) }
	}
	return []scenario{
		{"logging out closes the open socket within a second", end((*steps).logOut)},
		{"disabling an account closes its open socket within a second", end((*steps).disable)},
		{"a new password closes other open sockets within a second", end((*steps).newPassword)},
		{"revoking a device closes its open socket within a second", end((*steps).revoke)},
		{"an admin who is one no more loses the rights of the open socket", (*steps).demoted},
		{"a message on a closed socket reaches nobody else", (*steps).closedSocket},
		{"a room just left is closed in every way", (*steps).leftRoom},
		{"what may not be known looks like what is not there", (*steps).sameAnswer},
		{"an invitation works once", (*steps).inviteTwice},
	}
}

// openSocket logs in, opens a socket, ends the session in some way, and looks
// for the close and for the token.
func (s *steps) openSocket(ctx context.Context, how func(*steps, context.Context, *client.HTTP, wire.Session) error) error {
	h, me, err := s.member(ctx, fmt.Sprintf("socket%d", s.n.Add(1)), "")
	if err != nil {
		return err
	}
	defer h.Close()
	ws, err := s.socket(me.Token)
	if err != nil {
		return err
	}
	defer ws.Close()
	if err := how(s, ctx, h, me); err != nil {
		return err
	}
	began := time.Now()
	// A second is promised; the rest is for a busy machine.
	if code, _ := ws.end(10 * time.Second); code < 0 || time.Since(began) > 8*time.Second {
		return fmt.Errorf("the socket was not closed at once (%d after %v)", code, time.Since(began))
	}
	h.SetToken(me.Token)
	_, err = h.Me(ctx)
	return mustBe(wire.Unauthenticated, "the token afterwards", err)
}

// socket opens a socket that follows events.
func (s *steps) socket(token string) (*rawSocket, error) {
	c, err := dialFrom(s.address(), s.srv.addr)
	if err != nil {
		return nil, err
	}
	ws, resp, err := upgrade(c, s.srv.addr, "Authorization: Bearer "+token)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		err = errors.New("the socket was refused: " + resp.Status)
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return ws, ws.ask("sync.start", "{}")
}

// ask calls a method and waits for its answer, whichever it is.
func (s *rawSocket) ask(method, params string) error {
	_, err := s.answer(method, params)
	return err
}

func (s *rawSocket) answer(method, params string) (string, error) {
	if _, err := s.Write(frame(0x81, []byte(`{"jsonrpc":"2.0","id":"q","method":"`+method+`","params":`+params+`}`))); err != nil {
		return "", err
	}
	_ = s.SetReadDeadline(time.Now().Add(5 * time.Second)) // a closed connection shows at once
	for {
		b, code, err := s.read()
		if err != nil {
			return "", fmt.Errorf("%s: close code %d: %w", method, code, err)
		}
		if bytes.Contains(b, []byte(`"id":"q"`)) {
			return string(b), nil
		}
	}
}

func (s *steps) logOut(ctx context.Context, h *client.HTTP, _ wire.Session) error {
	return h.Logout(ctx)
}

func (s *steps) disable(ctx context.Context, _ *client.HTTP, me wire.Session) error {
	yes := true
	return s.owner.Call(ctx, "user.update", wire.UserUpdate{User: me.User.ID, Disabled: &yes}, nil)
}

func (s *steps) newPassword(ctx context.Context, _ *client.HTTP, me wire.Session) error {
	other, err := s.from("")
	if err != nil {
		return err
	}
	defer other.Close()
	if _, err := other.Login(ctx, me.User.Login, password); err != nil {
		return err
	}
	return other.Call(ctx, "account.password", wire.PasswordParams{Old: password, New: "another horse battery"}, nil)
}

func (s *steps) revoke(ctx context.Context, _ *client.HTTP, me wire.Session) error {
	return s.owner.Revoke(ctx, me.Device)
}

func (s *steps) demoted(ctx context.Context) error {
	h, me, err := s.member(ctx, "demoted", wire.Admin)
	if err != nil {
		return err
	}
	defer h.Close()
	ws, err := s.socket(me.Token)
	if err != nil {
		return err
	}
	defer ws.Close()
	if got, err := ws.answer("server.status", "{}"); err != nil || !strings.Contains(got, `"result"`) {
		return fmt.Errorf("an admin is refused: %s %w", got, err)
	}
	plain := wire.Member
	if err := s.owner.Call(ctx, "user.update", wire.UserUpdate{User: me.User.ID, Role: &plain}, nil); err != nil {
		return err
	}
	for until := time.Now().Add(8 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		got, err := ws.answer("server.status", "{}")
		if err != nil || strings.Contains(got, `"forbidden"`) {
			return nil // closed, or refused
		}
		if time.Now().After(until) {
			return fmt.Errorf("still answered after eight seconds: %.200s", got)
		}
	}
}

// closedSocket ends sockets and opens others at once, so that what the server
// reuses would show: a message for one must never arrive at another.
func (s *steps) closedSocket(ctx context.Context) error {
	h, me, err := s.member(ctx, "alone", "")
	if err != nil {
		return err
	}
	defer h.Close()
	o, other, err := s.member(ctx, "other", "")
	if err != nil {
		return err
	}
	defer o.Close()
	mine, err := room(ctx, h, "mine")
	if err != nil {
		return err
	}
	for i := range 12 {
		ws, err := s.socket(me.Token)
		if err != nil {
			return err
		}
		_ = ws.Close()
		var others []*rawSocket
		for range 6 {
			one, err := s.socket(other.Token)
			if err != nil {
				return err
			}
			others = append(others, one)
		}
		if _, err := h.Send(ctx, mine.ID, fmt.Sprintf("secret for alone %d", i)); err != nil {
			return err
		}
		for _, one := range others {
			if err := one.ask("sync.ping", "{}"); err != nil {
				return err
			}
			_, frames := one.end(10 * time.Millisecond)
			_ = one.Close()
			for _, f := range frames {
				if strings.Contains(f, "secret for alone") {
					return errors.New("somebody else's message arrived")
				}
			}
		}
	}
	return nil
}

func (s *steps) leftRoom(ctx context.Context) error {
	h, me, err := s.member(ctx, "leaver", "")
	if err != nil {
		return err
	}
	defer h.Close()
	den, err := room(ctx, s.owner, "den", me.User.ID)
	if err != nil {
		return err
	}
	file, err := s.owner.Upload(ctx, strings.NewReader("secret"), "secret.txt", "text/plain")
	if err != nil {
		return err
	}
	var sent wire.Sent
	if err := s.owner.Call(ctx, "message.send", wire.SendParams{Room: den.ID, Key: client.NewKey(), Text: "hello", Files: []id.ID{file.ID}}, &sent); err != nil {
		return err
	}
	if _, err := h.Download(ctx, file, io.Discard, 0); err != nil {
		return fmt.Errorf("a member reads the file: %w", err)
	}
	ws, err := s.socket(me.Token)
	if err != nil {
		return err
	}
	defer ws.Close()
	if err := h.Leave(ctx, den.ID); err != nil {
		return err
	}
	errs := []error{
		mustBe(wire.NotFound, "history", h.Call(ctx, "room.history", wire.HistoryParams{Room: den.ID}, nil)),
		mustBe(wire.NotFound, "get", h.Call(ctx, "message.get", wire.MessageParam{Message: sent.ID}, nil)),
		mustBe(wire.NotFound, "members", h.Call(ctx, "room.members", wire.MembersParams{Room: den.ID}, nil)),
		mustBe(wire.NotFound, "file.get", h.Call(ctx, "file.get", wire.FileParam{File: file.ID}, nil)),
		mustBe(wire.NotFound, "react", h.Call(ctx, "message.react", wire.ReactParams{Message: sent.ID, Emoji: "👍", On: true}, nil)),
		mustBe(wire.NotFound, "forward", h.Call(ctx, "message.send", wire.SendParams{Room: den.ID, Key: client.NewKey(), Text: "back"}, nil)),
	}
	if _, err := h.Download(ctx, file, io.Discard, 0); kindOf(err) != wire.NotFound {
		errs = append(errs, fmt.Errorf("the file can be read: %w", err))
	}
	if _, err := s.owner.Send(ctx, den.ID, "after the leaving"); err != nil {
		return err
	}
	_, frames := ws.end(300 * time.Millisecond)
	for _, f := range frames {
		if strings.Contains(f, "after the leaving") {
			errs = append(errs, errors.New("what was written afterwards arrived"))
		}
	}
	return errors.Join(errs...)
}

// sameAnswer compares the answers about something secret and about nothing.
func (s *steps) sameAnswer(ctx context.Context) error {
	h, _, err := s.member(ctx, "prober", "")
	if err != nil {
		return err
	}
	defer h.Close()
	den, err := room(ctx, s.owner, "hidden")
	if err != nil {
		return err
	}
	file, err := s.owner.Upload(ctx, strings.NewReader("hidden"), "hidden.txt", "text/plain")
	if err != nil {
		return err
	}
	none := id.ID(0x1234567890abcdef)
	for _, pair := range [][3]any{
		{"room.get", wire.RoomParam{Room: den.ID}, wire.RoomParam{Room: none}},
		{"room.history", wire.HistoryParams{Room: den.ID}, wire.HistoryParams{Room: none}},
		{"message.get", wire.MessageParam{Message: id.Message{Room: den.ID, Seq: 1}}, wire.MessageParam{Message: id.Message{Room: none, Seq: 1}}},
		{"file.get", wire.FileParam{File: file.ID}, wire.FileParam{File: none}},
	} {
		a, b := h.Call(ctx, pair[0].(string), pair[1], nil), h.Call(ctx, pair[0].(string), pair[2], nil)
		if a == nil || b == nil || a.Error() != b.Error() || kindOf(a) != wire.NotFound {
			return fmt.Errorf("%s: %v for what is hidden, %v for nothing", pair[0], a, b)
		}
	}
	return nil
}

func (s *steps) inviteTwice(ctx context.Context) error {
	var made wire.InviteResult
	if err := s.owner.Call(ctx, "invite.create", wire.InviteCreate{Hours: 1}, &made); err != nil {
		return err
	}
	u, err := url.Parse(made.Invite.URL)
	if err != nil {
		return err
	}
	code := u.Fragment[strings.LastIndex(u.Fragment, "/")+1:]
	for i, want := range []wire.Kind{"", wire.Expired} {
		h, err := s.from("")
		if err != nil {
			return err
		}
		_, err = h.Accept(ctx, wire.InviteAccept{Code: code, Login: fmt.Sprintf("guest%d", i), Name: "Guest", Password: password})
		_ = h.Close()
		if got := kindOf(err); got != want && (want == "" || got != wire.NotFound) {
			return fmt.Errorf("use %d of an invitation: %q", i+1, got)
		}
	}
	return nil
}

// fileNames uploads hostile names and contents, and looks at the headers they
// come back with.
func (s *steps) fileNames(ctx context.Context) error {
	h, me, err := s.member(ctx, "namer", "")
	if err != nil {
		return err
	}
	defer h.Close()
	page := "<html><script>alert(1)</script></html>"
	for name, content := range map[string]string{
		"../../etc/cron.d/x": page, `a\..\b`: page, "con": page, "x\u202egnp.exe": page, "line\nfeed": page, "quo\"te": page, "x.html": page, "x.xml": "<?xml version='1.0'?><?xml-stylesheet href='x'?><a/>",
		"x.pdf": "%PDF-1.4\n/JS (app.alert(1))", "x.svg": "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "x.png": string(pngHeader(1, 1)) + page, strings.Repeat("n", 4000): page,
	} {
		f, err := h.Upload(ctx, strings.NewReader(content), name, "text/html")
		if err != nil {
			if k := kindOf(err); k == wire.InvalidParams || k == wire.TooLarge {
				continue
			}
			return fmt.Errorf("%.20q: %w", name, err)
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.srv.url()+wire.PathFiles+f.ID.String()+"/whatever.html", nil)
		if err != nil {
			return err
		}
		req.Header.Set("Authorization", "Bearer "+me.Token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		_, _ = io.Copy(io.Discard, resp.Body) // only the headers count
		_ = resp.Body.Close()
		d, policy := resp.Header.Get("Content-Disposition"), resp.Header.Get("Content-Security-Policy")
		switch {
		case resp.StatusCode != http.StatusOK:
			return fmt.Errorf("%.20q: status %d", name, resp.StatusCode)
		case !strings.HasPrefix(d, "attachment") && name != "x.png" || strings.ContainsAny(d, "\r\n\u202e"):
			return fmt.Errorf("%.20q: Content-Disposition %q", name, d)
		case !strings.Contains(policy, "sandbox") || resp.Header.Get("X-Content-Type-Options") != "nosniff" || strings.Contains(resp.Header.Get("Content-Type"), "html"):
			return fmt.Errorf("%.20q: headers %v", name, resp.Header)
		case strings.ContainsAny(f.Name, "/\\\n\u202e") || len(f.Name) > 255:
			return fmt.Errorf("%.20q is kept as %q", name, f.Name)
		}
	}
	return nil
}

// pngHeader is the beginning of a picture of this size.
func pngHeader(width, height uint32) []byte {
	ihdr := binary.BigEndian.AppendUint32([]byte("IHDR"), width)
	ihdr = append(binary.BigEndian.AppendUint32(ihdr, height), 8, 6, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), ihdr...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(ihdr))
}

func (s *steps) hugePicture(ctx context.Context) error {
	h, me, err := s.member(ctx, "painter", "")
	if err != nil {
		return err
	}
	defer h.Close()
	before := s.srv.memory()
	f, err := h.Upload(ctx, bytes.NewReader(append(pngHeader(50000, 50000), make([]byte, 900)...)), "big.png", "image/png")
	if err != nil {
		return nil // refused is safe
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.srv.url()+wire.PathFiles+f.ID.String()+"/thumbnail/256", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+me.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode == http.StatusOK || s.srv.memory()-before > mostGrowth {
		return fmt.Errorf("status %d, %d MiB more", resp.StatusCode, (s.srv.memory()-before)>>20)
	}
	return nil
}

// finishTwice sends the last bytes of an upload again after the end.
func (s *steps) finishTwice(ctx context.Context) error {
	h, _, err := s.member(ctx, "twice", "")
	if err != nil {
		return err
	}
	defer h.Close()
	place := ""
	f, err := h.UploadFile(ctx, strings.NewReader("once"), client.Upload{Name: "once", Started: func(at string) { place = at }})
	if err != nil {
		return err
	}
	again, err := h.UploadFile(ctx, strings.NewReader("once"), client.Upload{Name: "once", Location: place})
	if err == nil && again.ID != f.ID {
		return fmt.Errorf("one upload became files %s and %s", f.ID, again.ID)
	}
	return nil
}

func (s *steps) secondProcess(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	began := time.Now()
	out, err := exec.CommandContext(ctx, s.srv.bin, "serve", "--data", s.srv.data, "--set", "server.listen=", "--set", "server.listen_local=127.0.0.1:0").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() <= 0 || !strings.Contains(string(out), "another posthouse process") {
		return fmt.Errorf("%w: %s", err, out)
	}
	if took := time.Since(began); took > 30*time.Second {
		return fmt.Errorf("refused only after %v", took)
	}
	return nil
}

func (s *steps) unknownKey(ctx context.Context) error {
	path := filepath.Join(s.dir, "bad.toml")
	if err := os.WriteFile(path, []byte("[server]\nhost_name = \"x\"\n\n[limits]\nframe_bites = 1\n"), 0o600); err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, s.srv.bin, "serve", "--config", path, "--data", filepath.Join(s.dir, "none")).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 78 || !strings.Contains(string(out), "frame_bites") || !strings.Contains(string(out), "5") {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}
