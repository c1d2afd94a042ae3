package notify

import (
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/sys/unix"
)

// pty gives a real pseudo terminal: its master and the name of its other end.
func pty(t *testing.T) (*os.File, string) {
	t.Helper()
	m, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	if err := unix.IoctlSetPointerInt(int(m.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(m.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	return m, "/dev/pts/" + strconv.Itoa(n)
}

// modem answers AT commands at a pty like a GSM modem: it echoes, asks for a
// PIN, prompts, and keeps what it sent.
type modem struct {
	pin    string
	locked bool
	echo   bool
	sent   []string
}

func (m *modem) run(f *os.File, done chan<- struct{}) {
	defer close(done)
	buf := make([]byte, 4096)
	var in string
	data := false
	say := func(s string) { _, _ = f.WriteString("\r\n" + s + "\r\n") }
	for {
		n, err := f.Read(buf)
		if err != nil {
			return
		}
		in += string(buf[:n])
		for {
			end := "\r"
			if data {
				end = "\x1a"
			}
			line, rest, found := strings.Cut(in, end)
			if !found {
				break
			}
			in = rest
			if m.echo {
				_, _ = f.WriteString(line + "\r")
			}
			if data {
				data = false
				m.sent = append(m.sent, line)
				say("+CMGS: " + strconv.Itoa(len(m.sent)))
				say("OK")
				continue
			}
			data = m.answer(f, line, say)
		}
	}
}

func (m *modem) answer(f *os.File, line string, say func(string)) bool {
	switch {
	case line == "ATE0":
		m.echo = false
		say("OK")
	case line == "AT+CPIN?" && m.locked:
		say("+CPIN: SIM PIN")
		say("OK")
	case line == "AT+CPIN?":
		say("+CPIN: READY")
		say("OK")
	case strings.HasPrefix(line, "AT+CPIN="):
		if m.locked = line != "AT+CPIN="+m.pin; m.locked {
			say("+CME ERROR: 16")
		} else {
			say("OK")
		}
	case strings.HasPrefix(line, "AT+CMGS="):
		_, _ = f.WriteString("\r\n> ")
		return true
	case line == "AT" || line == "AT+CMEE=1" || line == "AT+CMGF=0":
		say("OK")
	default:
		say("ERROR")
	}
	return false
}

// decode reads an SMS-SUBMIT as a telephone would: number, part, text.
func decode(t *testing.T, s string) (phone string, part, parts int, text string) {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil || b[0] != 0 || b[1]&0x03 != 1 {
		t.Fatalf("no SMS-SUBMIT: %s", s)
	}
	n := int(b[3])
	for i := range n {
		phone += strconv.Itoa(int(b[5+i/2] >> (4 * (i % 2)) & 0xF))
	}
	if b[4] == 0x91 {
		phone = "+" + phone
	}
	rest := b[5+(n+1)/2:]
	if rest[0] != 0 || rest[1] != 8 || int(rest[3]) != len(rest)-4 || rest[3] > 140 {
		t.Fatalf("coding or length: % x", rest[:4])
	}
	body := rest[4:]
	if b[1]&0x40 != 0 {
		parts, part, body = int(body[4]), int(body[5]), body[6:]
	}
	units := make([]uint16, len(body)/2)
	for i := range units {
		units[i] = uint16(body[2*i])<<8 | uint16(body[2*i+1])
	}
	return phone, part, parts, string(utf16.Decode(units))
}

func TestAModemSendsChinese(t *testing.T) {
	f, name := pty(t)
	m, done := &modem{pin: "4321", locked: true, echo: true}, make(chan struct{})
	go m.run(f, done)
	c := channel("modem", "zh", "device", name, "pin", "4321", "phones", "+8613800138000\n10086")
	msg := hot()
	msg.Title.ZH = strings.Repeat("处理器使用率过高😀", 12)
	answer, err := sender(nil).Send(t.Context(), c, msg)
	must(t, answer, err)
	if strings.Contains(answer, "4321") || !strings.Contains(answer, "+CMGS: 1") {
		t.Errorf("answer %q", answer)
	}
	_ = f.Close()
	<-done
	var whole [2]string
	for _, s := range m.sent {
		phone, _, parts, text := decode(t, s)
		if parts < 2 || parts > 3 {
			t.Errorf("%d parts", parts)
		}
		whole[map[string]int{"+8613800138000": 0, "10086": 1}[phone]] += text
	}
	want := msg.Short("zh", maxParts*67)
	if !strings.HasPrefix(want, whole[0]) || whole[0] != whole[1] || !strings.Contains(whole[0], "使用率过高😀处理器") {
		t.Errorf("arrived: %q\nwant %q", whole[0], want)
	}
}

func TestAModemThatRefusesOrIsSilent(t *testing.T) {
	f, name := pty(t)
	m, done := &modem{pin: "1111", locked: true}, make(chan struct{})
	go m.run(f, done)
	_, err := sender(nil).Send(t.Context(), channel("modem", "en", "device", name, "pin", "2222", "phones", "10086"), hot())
	if fail := failure(t, err); fail.Again || !strings.Contains(fail.Error(), "+CME ERROR: 16") || !strings.Contains(Why(err).ZH, "PIN 码错误") {
		t.Error(err)
	}
	_ = f.Close()
	<-done
	_, silent := pty(t)
	s := New(Options{Timeout: 300e6})
	if _, err := s.Send(t.Context(), channel("modem", "en", "device", silent, "phones", "10086"), hot()); !failure(t, err).Again {
		t.Error(err)
	}
}
