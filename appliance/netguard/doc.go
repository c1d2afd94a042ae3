// Package netguard owns which machines this server may call on behalf of the
// people who use it: the addresses of outgoing hooks and slash commands are
// given by people, and must not lead into the box itself or into what only the
// box can reach.
//
// It judges the address that a connection is about to be made to, after names
// were resolved, each time (net.Dialer.Control). What a name says, how an
// address is written (octal, decimal, IPv4 in IPv6), and what it resolved to a
// moment ago therefore make no difference.
//
// The rules, first that fits:
//
//	never    unspecified, multicast, broadcast and reserved addresses;
//	         link-local ones (169.254.169.254 tells cloud credentials) and the
//	         other known metadata services; addresses that carry an IPv4 address
//	         to a translator (64:ff9b::/96, 2002::/16, 2001::/32, ::/96)
//	never    a port that this server listens on, on an address of this box
//	listed   loopback: only by a network inside 127.0.0.0/8 or ::1
//	listed   an address of this box: only by itself (/32, /128)
//	listed   everything else: by any network that holds it
//
// Private networks are in the default list, because the machines of a LAN are
// what hooks are for; the internet is not, because a moderator of a room could
// send what is said there away. Listing 0.0.0.0/0 and ::/0 opens it and still
// neither loopback nor the box.
//
// A client of it follows no redirect, uses no proxy, asks for no compression,
// speaks HTTP/1.1, verifies certificates, and keeps no connection.
//
// It runs no goroutines but those of net/http for a request.
package netguard
