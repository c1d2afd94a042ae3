package lancert

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"posthouse/appliance/disk"
)

const (
	rootCert  = "root.crt"
	rootKey   = "root.key"
	interFile = "intermediate.pem"
	leafFile  = "leaf.pem"

	maxPEM = 1 << 20 // bytes of any file this package reads
)

// store is the directory of an authority.
type store struct {
	fs  disk.FS
	dir string
}

func (s store) path(name string) string { return filepath.Join(s.dir, name) }

func (s store) exists(name string) (bool, error) {
	_, err := s.fs.Stat(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// readSecret reads a file with a private key and refuses one that others may
// read.
func (s store) readSecret(name string) ([]byte, error) {
	info, err := s.fs.Stat(s.path(name))
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		p := s.path(name)
		return nil, fail(say("other users of this machine may use the private key in %s; if nobody has copied it, run: chmod 600 %s",
			"本机其他用户可以使用 %s 中的私钥；如果没有人复制过它，请执行：chmod 600 %s", p, p), nil)
	}
	return disk.ReadFile(s.fs, s.path(name), maxPEM)
}

// readIdentity reads a file made by identityPEM.
func (s store) readIdentity(name string) (*identity, []*x509.Certificate, error) {
	data, err := s.readSecret(name)
	if err != nil {
		return nil, nil, err
	}
	key, err := parseKey(data)
	if err != nil {
		return nil, nil, err
	}
	certs, err := parseCerts(data)
	if err != nil {
		return nil, nil, err
	}
	if len(certs) == 0 || !sameKey(certs[0].PublicKey, key.Public()) {
		return nil, nil, errors.New("the key does not belong to the certificate")
	}
	return &identity{key, certs[0]}, certs, nil
}

// writeIdentity writes key and certificates into one file.
func (s store) writeIdentity(name string, id *identity, rest ...*x509.Certificate) error {
	data, err := keyPEM(id.key)
	if err != nil {
		return err
	}
	for _, c := range append([]*x509.Certificate{id.cert}, rest...) {
		data = append(data, certPEM(c)...)
	}
	return disk.WriteFile(s.fs, s.path(name), data, 0o600)
}

func certPEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func keyPEM(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// parseCerts reads every certificate of a PEM file, in order.
func parseCerts(data []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("read certificate %d: %w", len(out)+1, err)
		}
		out = append(out, c)
	}
	return out, nil
}

// errEncrypted marks a key that needs a passphrase.
type errEncrypted struct{}

func (errEncrypted) Error() string { return "the private key is encrypted with a passphrase" }

// parseKey reads the first private key of a PEM file: PKCS 8, PKCS 1 or SEC 1.
func parseKey(data []byte) (crypto.Signer, error) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
			return nil, errEncrypted{}
		}
		var key any
		var err error
		switch block.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		case "RSA PRIVATE KEY":
			key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(block.Bytes)
		default:
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read private key: %w", err)
		}
		if signer, ok := key.(crypto.Signer); ok {
			return signer, nil
		}
		return nil, fmt.Errorf("read private key: type %T cannot sign", key)
	}
	return nil, errors.New("there is no PEM private key in the file")
}

// sameKey compares public keys by their encoding.
func sameKey(a, b crypto.PublicKey) bool {
	x, errA := x509.MarshalPKIXPublicKey(a)
	y, errB := x509.MarshalPKIXPublicKey(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}
