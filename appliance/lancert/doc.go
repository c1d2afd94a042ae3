// Package lancert owns the certificate that browsers see: a certificate
// authority of the server's own, which can sign for nothing but this network,
// or a certificate the administrator brings (Files). Both are a Source.
//
// # The local authority
//
// Open makes it at the first start: a root (ECDSA P-256, ten years) that signs
// one intermediate, which signs the leaf. Root and intermediate both carry
// critical name constraints, because some old clients ignore them on a root:
//
//	DNS  the host name, <its first label>.local, localhost, the extra names
//	     and the extra zones, each with everything below it
//	IP   RFC 1918, 127.0.0.0/8, 169.254.0.0/16, fc00::/7, fe80::/10, ::1
//
// Whoever steals the keys can therefore not impersonate a site on the
// internet. The constraints cannot be widened: a host name outside them needs
// a new authority, and every device has to trust it anew. A host name within
// them needs none; its <first label>.local is then left out of the leaf, unless
// it is permitted too.
//
// The leaf names the host names and the addresses of the machine (except IPv6
// link-local ones, which browsers cannot open and which come and go with every
// container). It is made anew after two thirds of its life, when a name
// changes, and when the machine has an address it lacks; an address that went
// away leaves it at the next renewal. It is backdated by one hour.
//
// # Clocks
//
// Clients judge dates by their own clocks, so a wrong clock on the server must
// not destroy a good leaf. A clock before the root was made is known to be
// wrong: the leaf at hand is kept and Status reports it. A clock that stands
// after the root was made but before the leaf's NotBefore makes a new leaf:
// the leaf was made while the clock was ahead. A clock before 2026 makes no
// new authority, because that would be expired on every other machine.
//
// # Files
//
//	root.crt          PEM certificate of the root; what devices trust
//	root.key          PKCS 8 PEM, 0600; may be exported and deleted
//	intermediate.pem  PKCS 8 key and certificate in one file, 0600
//	leaf.pem          PKCS 8 key, leaf and intermediate in one file, 0600
//
// in a directory of mode 0700. A key and its certificate share a file so that
// a crash cannot separate them; root.key is written before root.crt, and
// without root.crt and intermediate.pem there is no authority yet. A damaged
// leaf is made anew. Anything else damaged or missing stops Open: a new
// authority is never made silently.
//
// # Promises
//
// What is served is replaced as a whole and only after it was verified;
// handshakes never wait. A failed renewal or a broken replacement keeps what
// was there, is reported by Status and tried again. When the disk is full, a
// renewed leaf is served from memory.
//
// # Goroutines
//
// None of its own. The caller runs Source.Run, which returns when its context
// ends.
package lancert
