package lancert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"time"
)

const (
	rootYears = 10
	backdate  = time.Hour // clients' clocks may be behind
	maxCN     = 64        // X.520 upper bound of a common name
)

// identity is a key with the certificate for it.
type identity struct {
	key  crypto.Signer
	cert *x509.Certificate
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

func newSerial() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
	if err != nil {
		return nil, err
	}
	return n.Add(n, big.NewInt(1)), nil
}

// sign makes a certificate; with parent nil it signs itself.
func sign(template *x509.Certificate, parent *identity) (*identity, error) {
	key, err := newKey()
	if err != nil {
		return nil, fmt.Errorf("make key: %w", err)
	}
	if template.SerialNumber, err = newSerial(); err != nil {
		return nil, fmt.Errorf("make serial number: %w", err)
	}
	if template.IsCA {
		distinguish(template, key)
	}
	signer, issuer := crypto.Signer(key), template
	if parent != nil {
		signer, issuer = parent.key, parent.cert
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), signer)
	if err != nil {
		return nil, fmt.Errorf("sign certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("read back certificate: %w", err)
	}
	return &identity{key, cert}, nil
}

// distinguish ends the name of an authority with part of its key's hash:
// trust stores and verifiers confuse two authorities of one name.
func distinguish(template *x509.Certificate, key *ecdsa.PrivateKey) {
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return // P-256 keys marshal; the name is only less helpful
	}
	sum := sha256.Sum256(pub)
	tail := fmt.Sprintf(" %x", sum[:4])
	cn := []rune(template.Subject.CommonName)
	template.Subject.CommonName = string(cn[:min(len(cn), maxCN-len(tail))]) + tail
}

// authorityTemplate is what root and intermediate have in common.
func authorityTemplate(o Options, cn string, from, to time.Time) *x509.Certificate {
	t := &x509.Certificate{
		Subject:                     pkix.Name{CommonName: cn, Organization: []string{"Posthouse"}},
		NotBefore:                   from,
		NotAfter:                    to,
		IsCA:                        true,
		BasicConstraintsValid:       true,
		KeyUsage:                    x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		PermittedDNSDomainsCritical: true,
		PermittedDNSDomains:         o.zones(),
		PermittedIPRanges:           privateRanges(),
	}
	if org := []rune(o.Organisation); len(org) > 0 {
		t.Subject.Organization = []string{string(org[:min(len(org), maxCN)])}
	}
	return t
}

// newRoot makes the root.
func newRoot(o Options, now time.Time) (*identity, error) {
	from := now.Add(-backdate).Truncate(time.Second)
	t := authorityTemplate(o, "Posthouse CA "+o.HostName, from, from.AddDate(rootYears, 0, 0))
	t.MaxPathLen = 1
	return sign(t, nil)
}

// newIntermediate makes the intermediate, with the constraints and the life of
// its root.
func newIntermediate(o Options, root *identity) (*identity, error) {
	t := authorityTemplate(o, "Posthouse intermediate "+o.HostName, root.cert.NotBefore, root.cert.NotAfter)
	t.Subject.Organization = root.cert.Subject.Organization
	t.PermittedDNSDomains = root.cert.PermittedDNSDomains
	t.PermittedIPRanges = root.cert.PermittedIPRanges
	t.MaxPathLenZero = true
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	return sign(t, root)
}

// newLeaf makes a leaf that never outlives its authority and verifies it the
// way a client will.
func newLeaf(o Options, inter *identity, root *x509.Certificate, ips []net.IP, now time.Time) (*identity, error) {
	from := now.Add(-backdate).Truncate(time.Second)
	if from.Before(inter.cert.NotBefore) {
		from = inter.cert.NotBefore
	}
	to := from.Add(time.Duration(o.LeafDays) * 24 * time.Hour)
	if to.After(inter.cert.NotAfter) {
		to = inter.cert.NotAfter
	}
	t := &x509.Certificate{
		Subject:               pkix.Name{Organization: inter.cert.Subject.Organization},
		NotBefore:             from,
		NotAfter:              to,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:              o.signed(inter.cert),
		IPAddresses:           ips,
	}
	if len(o.HostName) <= maxCN {
		t.Subject.CommonName = o.HostName
	}
	leaf, err := sign(t, inter)
	if err != nil {
		return nil, err
	}
	roots, inters := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root)
	inters.AddCert(inter.cert)
	_, err = leaf.cert.Verify(x509.VerifyOptions{
		DNSName: o.HostName, Roots: roots, Intermediates: inters, CurrentTime: leaf.cert.NotBefore.Add(time.Second),
	})
	if err != nil {
		return nil, fmt.Errorf("verify new certificate: %w", err)
	}
	return leaf, nil
}
