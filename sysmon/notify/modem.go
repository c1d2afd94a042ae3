package notify

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"

	"go.bug.st/serial"

	"posthouse/sysmon/words"
)

// maxParts is how many parts of an SMS a message may take through a modem.
const maxParts = 3

// bySerial sends a text to each number through a modem in PDU mode (GSM 07.05,
// 3GPP TS 27.005 and 23.040).
func (s *Sender) bySerial(ctx context.Context, c *Channel, m *Message) (string, error) {
	s.modem.Lock()
	defer s.modem.Unlock()
	baud, err := strconv.Atoi(c.get("baud"))
	if err != nil {
		return "", refused("", "the baud rate is no number", "波特率不是数字")
	}
	port, err := serial.Open(c.get("device"), &serial.Mode{BaudRate: baud})
	if err != nil {
		return "", broken(err, "the modem "+c.get("device")+" cannot be opened", "无法打开调制解调器 "+c.get("device"))
	}
	t := &terminal{ctx: ctx, port: port}
	defer func() { _ = port.Close() }()
	if err := port.SetReadTimeout(200 * time.Millisecond); err != nil {
		return "", broken(err, "the modem cannot be set up", "无法设置调制解调器")
	}
	if err := t.prepare(c.get("pin")); err != nil {
		return t.log(), err
	}
	for _, phone := range c.list("phones") {
		for _, p := range pdus(phone, m.Short(c.Lang, maxParts*67), byte(s.o.Now().UnixNano())) {
			if err := t.submit(p); err != nil {
				return t.log(), err
			}
		}
	}
	return t.log(), nil
}

// terminal talks to a modem and remembers what it said.
type terminal struct {
	ctx  context.Context
	port serial.Port
	in   []byte
	said []string
}

func (t *terminal) log() string { return strings.Join(t.said, "\n") }

func (t *terminal) prepare(pin string) error {
	for _, cmd := range []string{"AT", "ATE0", "AT+CMEE=1"} {
		if _, err := t.ask(cmd); err != nil {
			return err
		}
	}
	state, err := t.ask("AT+CPIN?")
	if err != nil {
		return err
	}
	switch {
	case strings.Contains(state, "SIM PIN") && pin == "":
		return refused(state, "the SIM card wants a PIN: enter it", "SIM 卡需要 PIN 码：请填写")
	case strings.Contains(state, "SIM PIN"):
		if strings.Trim(pin, "0123456789") != "" {
			return refused("", "a PIN has digits only", "PIN 码只能是数字")
		}
		if _, err := t.ask("AT+CPIN=" + pin); err != nil {
			return err
		}
	case strings.Contains(state, "SIM PUK"):
		return refused(state, "the SIM card is blocked and wants its PUK", "SIM 卡已锁定，需要 PUK 码")
	}
	_, err = t.ask("AT+CMGF=0")
	return err
}

// ask sends a command and waits for its final result.
func (t *terminal) ask(cmd string) (string, error) {
	if _, err := t.port.Write([]byte(cmd + "\r")); err != nil {
		return "", broken(err, "the modem takes nothing", "调制解调器不接收数据")
	}
	shown := cmd
	if strings.HasPrefix(cmd, "AT+CPIN=") {
		shown = "AT+CPIN=••••"
	}
	return t.result(shown)
}

func (t *terminal) result(shown string) (string, error) {
	var lines []string
	for {
		l, err := t.line()
		if err != nil {
			return "", err
		}
		if l == "" || strings.HasPrefix(l, "AT") { // an echo, before ATE0
			continue
		}
		lines = append(lines, l)
		if l == "OK" || l == "ERROR" || strings.HasPrefix(l, "+CME ERROR") || strings.HasPrefix(l, "+CMS ERROR") {
			answer := strings.Join(lines, " ")
			t.said = append(t.said, shown+" → "+answer)
			if l != "OK" {
				hint, known := modemHint(l)
				return answer, hinted(refused(answer, "the modem refused %s", "调制解调器拒绝了 %s", shown), hint, known)
			}
			return answer, nil
		}
	}
}

func (t *terminal) more() error {
	if err := t.ctx.Err(); err != nil {
		return &Failure{Again: true, Why: words.Of("the modem does not answer", "调制解调器没有应答")}
	}
	buf := make([]byte, 256)
	n, err := t.port.Read(buf)
	if err != nil {
		return broken(err, "the modem gives nothing", "无法从调制解调器读取")
	}
	if t.in = append(t.in, buf[:n]...); len(t.in) > maxAnswer {
		return refused("", "the modem talks without end", "调制解调器不停输出")
	}
	return nil
}

func (t *terminal) line() (string, error) {
	for {
		if i := bytes.IndexByte(t.in, '\n'); i >= 0 {
			l := strings.TrimSpace(string(t.in[:i]))
			t.in = t.in[i+1:]
			return l, nil
		}
		if err := t.more(); err != nil {
			return "", err
		}
	}
}

func (t *terminal) submit(p pdu) error {
	cmd := fmt.Sprintf("AT+CMGS=%d", p.octets)
	if _, err := t.port.Write([]byte(cmd + "\r")); err != nil {
		return broken(err, "the modem takes nothing", "调制解调器不接收数据")
	}
	for !bytes.Contains(t.in, []byte("> ")) {
		if bytes.Contains(t.in, []byte("ERROR")) {
			_, err := t.result(cmd)
			return err
		}
		if err := t.more(); err != nil {
			return err
		}
	}
	t.in = nil
	if _, err := t.port.Write([]byte(p.hex + "\x1a")); err != nil {
		return broken(err, "the modem takes nothing", "调制解调器不接收数据")
	}
	_, err := t.result(cmd)
	return err
}

// pdu is one SMS-SUBMIT: its octets without the service centre's, and all of
// it in hex.
type pdu struct {
	octets int
	hex    string
}

// pdus encodes a text in UCS2: 70 characters in one part, or 67 in each of
// several that carry a reference number. A character beyond the basic plane is
// not divided.
func pdus(phone, text string, ref byte) []pdu {
	units := utf16.Encode([]rune(text))
	if len(units) <= 70 {
		return []pdu{submitPDU(phone, nil, units)}
	}
	var parts [][]uint16
	for len(units) > 0 && len(parts) < maxParts {
		n := min(67, len(units))
		if n < len(units) && utf16.IsSurrogate(rune(units[n-1])) && units[n-1] < 0xDC00 {
			n--
		}
		parts, units = append(parts, units[:n]), units[n:]
	}
	out := make([]pdu, len(parts))
	for i, p := range parts {
		out[i] = submitPDU(phone, []byte{5, 0, 3, ref, byte(len(parts)), byte(i + 1)}, p)
	}
	return out
}

// submitPDU: 00 (service centre from the SIM), first octet, reference 00,
// address, protocol 00, coding 08, validity AA (4 days), length, data.
func submitPDU(phone string, header []byte, units []uint16) pdu {
	first := byte(0x11) // SUBMIT, relative validity
	if header != nil {
		first |= 0x40
	}
	kind, digits := byte(0x81), phone
	if d, ok := strings.CutPrefix(phone, "+"); ok {
		kind, digits = 0x91, d
	}
	b := []byte{first, 0, byte(len(digits)), kind}
	for i := 0; i < len(digits); i += 2 {
		hi := byte(0xF)
		if i+1 < len(digits) {
			hi = digits[i+1] - '0'
		}
		b = append(b, hi<<4|(digits[i]-'0')) // in Go | and - bind alike
	}
	b = append(b, 0, 8, 0xAA, byte(len(header)+2*len(units)))
	b = append(b, header...)
	for _, u := range units {
		b = append(b, byte(u>>8), byte(u))
	}
	return pdu{octets: len(b), hex: "00" + strings.ToUpper(hex.EncodeToString(b))}
}
