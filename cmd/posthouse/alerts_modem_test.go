package main

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	"golang.org/x/sys/unix"

	"posthouse/sysmon/alert"
)

// modem answers AT commands at the far end of a serial line.
type modem struct {
	line *os.File

	mu     sync.Mutex
	says   string   // instead of OK; "silence": nothing
	texts  []string // what was sent
	phones []string // as they stand in the PDU
}

// newModem gives a modem and the device that it is at.
func newModem(t *testing.T) (*modem, string) {
	t.Helper()
	line, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetPointerInt(int(line.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(line.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	device := "/dev/pts/" + strconv.Itoa(n)
	held, err := os.OpenFile(device, os.O_RDWR|unix.O_NOCTTY, 0) // else reading ends while nobody has it open
	if err != nil {
		t.Fatal(err)
	}
	m := &modem{line: line, says: "OK"}
	go m.run() // ends when the test closes the line
	t.Cleanup(func() { _ = line.Close(); _ = held.Close() })
	return m, device
}

func (m *modem) run() {
	var in []byte
	buf := make([]byte, 1024)
	for {
		n, err := m.line.Read(buf)
		if err != nil {
			return
		}
		in = append(in, buf[:n]...)
		for {
			i := strings.IndexAny(string(in), "\r\x1a")
			if i < 0 {
				break
			}
			m.hears(string(in[:i]), in[i] == 0x1a)
			in = in[i+1:]
		}
	}
}

func (m *modem) hears(line string, data bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	answer := "\r\n" + m.says + "\r\n"
	switch {
	case m.says == "silence":
		return
	case data:
		m.takes(line)
		answer = fmt.Sprintf("\r\n+CMGS: %d\r\n\r\nOK\r\n", len(m.texts))
	case m.says == "OK" && line == "AT+CPIN?":
		answer = "\r\n+CPIN: SIM PIN\r\n\r\nOK\r\n"
	case m.says == "OK" && strings.HasPrefix(line, "AT+CMGS="):
		answer = "\r\n> "
	}
	_, _ = m.line.WriteString(answer)
}

// takes reads an SMS-SUBMIT: service centre, first octet, reference, length of
// the number, its kind, the number, three octets, length, and the text in UCS-2
// after a header, if the first octet says so.
func (m *modem) takes(line string) {
	b, err := hex.DecodeString(line)
	if err != nil || len(b) < 10 {
		m.texts = append(m.texts, "not a PDU: "+line)
		return
	}
	digits := (int(b[3]) + 1) / 2
	m.phones = append(m.phones, hex.EncodeToString(b[5:5+digits]))
	data := b[5+digits+4:]
	if b[1]&0x40 != 0 {
		data = data[1+int(data[0]):]
	}
	var units []uint16
	for i := 0; i+1 < len(data); i += 2 {
		units = append(units, uint16(data[i])<<8|uint16(data[i+1]))
	}
	m.texts = append(m.texts, string(utf16.Decode(units)))
}

func (m *modem) turns(says string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.says = says
}

// sent is what it sent, and to whom.
func (m *modem) sent() (texts, phones string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.texts, ""), strings.Join(m.phones, " ")
}

// An SMS channel with a modem at a serial line, made in the console: the test
// shows what the modem says, good or bad, and an alert arrives as a text.
func TestAlertsGoOutByASerialModem(t *testing.T) {
	d := newDesk(t)
	d.serve()
	c := d.socket()
	gsm, device := newModem(t)
	form := url.Values{"kind": {"modem"}, "name": {"duty phone"}, "lang": {"zh"}, "per_hour": {"60"}, "set-device": {device}, "set-baud": {"115200"}, "set-pin": {"4711"}, "set-phones": {"+8613800138000"}}
	submit := func(test string) string {
		t.Helper()
		form.Set("test", test)
		res, err := c.PostForm("http://localhost/admin/channels/edit", form)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s %v", res.Status, err)
		}
		return string(raw)
	}
	answers := func(parts ...string) {
		t.Helper()
		page := submit("on")
		_, page, _ = strings.Cut(page, `id="test-answer"`)
		for _, part := range parts {
			if !strings.Contains(page, part) {
				t.Errorf("the test does not say %q: %.600s", part, page)
			}
		}
		if strings.Contains(page, "AT+CPIN=4711") {
			t.Error("the PIN is shown")
		}
	}
	answers("+CMGS: 1 OK", "AT+CPIN=••••")
	if text, phones := gsm.sent(); !strings.Contains(text, "duty phone") || !strings.HasPrefix(phones, "683108108300f0") {
		t.Errorf("the modem sent %q to %s", text, phones)
	}
	gsm.turns("ERROR")
	answers("the modem refused AT")
	gsm.turns("+CME ERROR: 10")
	answers("the modem refused AT", "+CME ERROR: 10")
	gsm.turns("silence")
	answers("the modem does not answer")
	form.Set("set-device", "/dev/no-such-line")
	answers("the modem /dev/no-such-line cannot be opened: there is no such file")

	gsm.turns("OK")
	form.Set("set-device", device)
	submit("")
	m := d.server.watch.Alerts
	p := m.Plan()
	p.Wait = alert.Span(10 * time.Millisecond)
	for _, ch := range m.Channels() {
		if ch.Kind == "modem" {
			p.Routes = map[string][]string{"serious": {ch.ID}}
		}
	}
	if err := m.SetPlan(p); err != nil {
		t.Fatal(err)
	}
	d.rings("HighDiskUsage", "nas")
	d.until("the alert as a text", func() bool { text, _ := gsm.sent(); return strings.Contains(text, "HighDiskUsage 触发") })
	d.until("the timeline says so", func() bool {
		_, events := d.timeline("HighDiskUsage")
		for _, e := range events {
			if e.Kind == alert.Told && e.Object == "duty phone" {
				return true
			}
		}
		return false
	})
}
