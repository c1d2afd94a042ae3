package chat

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"posthouse/appliance/wire"
)

// HashCost is the cost of argon2id. Zero means 19,456 KiB, 2 passes, 1 lane:
// the minimum of the OWASP password storage cheat sheet, 40 to 60 ms on the
// reference box.
type HashCost struct {
	KiB    uint32
	Passes uint32
}

type hasher struct {
	params *argon2id.Params
	slots  chan struct{} // two at a time
	line   chan struct{} // fifty waiting
	dummy  string
}

func newHasher(c HashCost) *hasher {
	if c.KiB == 0 {
		c = HashCost{19456, 2}
	}
	h := &hasher{params: &argon2id.Params{Memory: c.KiB, Iterations: c.Passes, Parallelism: 1, SaltLength: 16, KeyLength: 32},
		slots: make(chan struct{}, 2), line: make(chan struct{}, 52)}
	h.dummy, _ = argon2id.CreateHash("nobody", h.params)
	return h
}

func busy() *wire.Error {
	e := wire.Refuse(wire.RateLimited, "too many logins at the moment: try again in a few seconds", "登录请求过多，请几秒后重试")
	e.RetryAfter = 3000
	return e
}

func (h *hasher) enter() (leave func(), err error) {
	select {
	case h.line <- struct{}{}:
	default:
		return nil, busy()
	}
	h.slots <- struct{}{}
	return func() { <-h.slots; <-h.line }, nil
}

func (h *hasher) hash(password string) (string, error) {
	leave, err := h.enter()
	if err != nil {
		return "", err
	}
	defer leave()
	return argon2id.CreateHash(password, h.params)
}

// matches costs the same when there is no account (phc empty).
func (h *hasher) matches(password, phc string) (bool, error) {
	leave, err := h.enter()
	if err != nil {
		return false, err
	}
	defer leave()
	known := phc != ""
	if !known {
		phc = h.dummy
	}
	ok, err := argon2id.ComparePasswordAndHash(password, phc)
	return ok && known && err == nil, nil
}

// checkPassword refuses what is too short, too long or everybody's first try.
func (s *Service) checkPassword(field, password, login string) error {
	n, least := len(password), s.tuned.Load().passwordMin
	low := strings.ToLower(password)
	switch {
	case n < least || n > wire.MaxPassword || !utf8.ValidString(password) || strings.ContainsRune(password, 0):
		return &wire.Error{Kind: wire.InvalidParams, Field: field, Text: wire.Refusef(wire.InvalidParams,
			"a password has %d to %d bytes", "密码须为 %d 到 %d 字节", least, wire.MaxPassword).Text}
	case low == strings.ToLower(login) || strings.Trim(low, low[:1]) == "" || slices.Contains(strings.Fields(commonPasswords), low):
		return wire.BadParam(field, "too easy to guess", "太容易被猜到")
	}
	return nil
}

// commonPasswords are those of eight or more characters that lead every list
// of leaked passwords.
const commonPasswords = `12345678 123456789 1234567890 password password1 password123 passw0rd p@ssw0rd p@ssword qwertyuiop qwerty123 1q2w3e4r
1qaz2wsx 1qazxsw2 q1w2e3r4 asdfghjkl zxcvbnm123 iloveyou sunshine princess football baseball superman trustno1 letmein123 welcome1 welcome123
admin123 administrator abcd1234 abc12345 a1234567 a12345678 aa123456 woaini1314 5201314520 woaini520 11223344 12344321 87654321 88888888 66666666
changeme123 posthouse posthouse123 test1234 user1234 root1234 qwer1234 asdf1234 zxcvbnm1 1234qwer 147258369 987654321 123123123 123321123`
