package lancert

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"posthouse/appliance/disk"
)

// checkEvery is how often Run looks for changed files, new addresses and a due
// renewal. A poll, because inotify misses bind mounts and symbolic links.
const checkEvery = 30 * time.Second

// Source is where the server's certificate comes from: *Authority or *Pair.
type Source interface {
	// TLSConfig is a new configuration for the listener that always serves
	// the current certificate. The caller may change it.
	TLSConfig() *tls.Config
	// GetCertificate is the current certificate, whatever the client asks for.
	GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
	// Refresh does what is due at now: it may touch the disk. An error means
	// that the certificate of before is still served; it is an *Error.
	Refresh(now time.Time) error
	// Reload is Refresh for SIGHUP: files are read again even if they look
	// unchanged.
	Reload() error
	// Run calls Refresh now and then until ctx ends.
	Run(ctx context.Context)
	// Status is for people and for alerts.
	Status() Status
}

// Options are what both sources need.
type Options struct {
	HostName     string   // the name people type; required
	ExtraNames   []string // more names of this server
	ExtraZones   []string // authority only: DNS zones it may sign in, fixed when it is made
	Organisation string   // authority only: part of its name, fixed when it is made; may be empty
	LeafDays     int      // authority only: life of a leaf in days, 2 to 90; 0 is 90

	Addresses func() []net.IP  // authority only; nil: those of the interfaces
	Now       func() time.Time // nil: time.Now
	FS        disk.FS          // nil: disk.OS
	Log       *slog.Logger     // nil: nothing is logged
}

func (o Options) withDefaults() Options {
	o.HostName = canonical(o.HostName)
	if o.LeafDays == 0 {
		o.LeafDays = 90
	}
	if o.Addresses == nil {
		o.Addresses = interfaceAddresses
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.FS == nil {
		o.FS = disk.OS{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Message is one sentence in both languages.
type Message struct {
	English string `json:"en"`
	Chinese string `json:"zh"`
}

// Text is the sentence in lang ("zh…" or English).
func (m Message) Text(lang string) string {
	if strings.HasPrefix(strings.ToLower(lang), "zh") {
		return m.Chinese
	}
	return m.English
}

func say(en, zh string, args ...any) Message {
	return Message{fmt.Sprintf(en, args...), fmt.Sprintf(zh, args...)}
}

// Error is a problem a person has to solve. NewAuthority marks the one that
// only a new authority solves.
type Error struct {
	Message
	NewAuthority bool
	Err          error // the cause, if any; Message contains it
}

// Error is the English sentence.
func (e *Error) Error() string { return e.English }

// Unwrap gives the cause, if any.
func (e *Error) Unwrap() error { return e.Err }

func fail(m Message, err error) *Error { return &Error{Message: m, Err: err} }

// Status says what is served and what is wrong with it.
type Status struct {
	Source      string    `json:"source"` // "local-ca" or "files"
	Names       []string  `json:"names"`
	Addresses   []string  `json:"addresses"`
	LeftOut     []string  `json:"left_out,omitempty"` // addresses of the machine the authority may not sign
	Zones       []string  `json:"zones,omitempty"`    // authority only: DNS names it may sign, each with everything below it
	NotBefore   time.Time `json:"not_before"`
	NotAfter    time.Time `json:"not_after"`
	RenewAt     time.Time `json:"renew_at,omitzero"` // authority only
	Issuer      string    `json:"issuer"`
	Fingerprint string    `json:"fingerprint"` // SHA-256 of the root (local-ca) or of the leaf (files)
	RootExpires time.Time `json:"root_expires,omitzero"`
	RootKey     bool      `json:"root_key"` // the root's private key is still on this server
	Warnings    []Message `json:"warnings,omitempty"`
	LastError   *Message  `json:"last_error,omitempty"` // of the last Refresh or Reload
	LastErrorAt time.Time `json:"last_error_at,omitzero"`
}

// describeLeaf fills in what the leaf itself says.
func (s *Status) describeLeaf(leaf *x509.Certificate) {
	s.Names = append([]string(nil), leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		s.Addresses = append(s.Addresses, ip.String())
	}
	s.NotBefore, s.NotAfter = leaf.NotBefore, leaf.NotAfter
	s.Issuer = leaf.Issuer.String()
}

// fingerprint is the form browsers show: upper-case hex with colons.
func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	var b bytes.Buffer
	for i, c := range sum {
		if i > 0 {
			b.WriteByte(':')
		}
		fmt.Fprintf(&b, "%02X", c)
	}
	return b.String()
}

// tlsConfig is what every https listener of Posthouse uses. Go's choice of
// cipher suites and curves is kept: it is forward secret and is updated with
// the tool chain.
func tlsConfig(get func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: get,
		NextProtos:     []string{"http/1.1"},
	}
}

// run is the loop of both sources.
func run(ctx context.Context, s Source, now func() time.Time) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_ = s.Refresh(now()) // kept in Status and logged
		}
	}
}

// verdict remembers the outcome of the last Refresh and logs it once.
type verdict struct {
	err *Error
	at  time.Time
}

func (v *verdict) set(err *Error, now time.Time, log *slog.Logger) {
	switch {
	case err != nil && (v.err == nil || v.err.English != err.English):
		log.Error("certificate", "error", err.English)
	case err == nil && v.err != nil:
		log.Info("certificate", "recovered_from", v.err.English)
	}
	v.err, v.at = err, now
}

func (v *verdict) fill(s *Status) {
	if v.err != nil {
		m := v.err.Message
		s.LastError, s.LastErrorAt = &m, v.at
	}
}

// asError keeps a nil *Error from becoming a non-nil error.
func asError(e *Error) error {
	if e == nil {
		return nil
	}
	return e
}
