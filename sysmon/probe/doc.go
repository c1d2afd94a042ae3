// Package probe owns active checks: their definitions, when they run, what came
// of them, uptime, and the reports of probes that run on other machines. It asks
// services as a client would (HTTP, TCP, DNS, TLS, SMTP, LDAP); the check "chat" is a function
// that is handed in.
//
// # Kinds
//
//	http  GET of target (http:// or https://); status 200-399, or the one given; the body must hold expect, if given
//	tcp   a connection to target (host:port)
//	dns   target is looked up at server (host or host:port; empty: the system's); expect must be among the addresses, if given
//	tls   a handshake with target (host:port), chain and name verified; fails when the certificate ends within days
//	smtp  greeting, EHLO, STARTTLS if asked for, NOOP, QUIT at target (host:port)
//	ldap  bind (user and secret, or anonymous) and a read of base at target (ldap:// or ldaps://), STARTTLS if asked for
//	chat  the round of the virtual users
//
// # Choices
//
//   - A check of a service of this box (own) goes to the box's listener and trusts the
//     box's own authority. "chat", "health" and "certificate" are shipped; they can be switched off and
//     given another interval, not removed.
//   - At most 100 definitions, every 10 s to a day, patience 1 s to 30 s, never longer than the
//     interval. Eight run at a time, and a check never beside itself. The first run of each comes within
//     ten seconds, spread, so that they do not all ask at once.
//   - Uptime is the share of minutes with a good result among those with a result. Minutes
//     in which nothing watched (the box was off) count neither way; Uptime.Known says how many there were.
//   - When several results fall into a minute, the worst is kept.
//
// # Files, below Options.Dir (watch)
//
// probes.json, 0600: {"version":1,"probes":[Definition…]}, written whole and renamed. Holds secrets of LDAP binds.
//
// probes/ID.ring, 0600: the results of a definition for 31 days, one slot a minute. Slot N, at byte 8·N, is for the
// minutes M (minutes since 1970) with M mod 44640 = N:
//
//	0  uint32  M, little endian; another number: the slot is from an earlier month, nothing is known
//	4  uint16  duration in milliseconds, 65535: that or more
//	6  uint8   1 good, 2 failed
//	7  uint8   sum of bytes 0–6; a slot with another sum counts as empty
//
// probes/ID.json, 0600: what is shown beside: last error and when, the last 50 changes of state.
//
// agents.json, 0600: {"version":1,"agents":[Agent…]}: who may report, with SHA-256 of each token. The file is read again
// when it changed, so that a command can add one while the server runs.
//
// agents.json.heard, 0600: {"NAME":ms}, when each reported last, written at most once a minute: after a restart one
// that stays away is missed all the same.
//
// # The protocol of reports
//
// POST /probe/report with "Authorization: Bearer TOKEN" and a Report as JSON, 256 KiB and 500 rounds at most. Answer 200
// with an Answer: rounds up to Answer.Until (the agent's clock) are taken and need not be sent again; 401 for an unknown or revoked token, 400 for what is no report,
// 413 for too much. The times of rounds are of the agent's clock and are corrected by what Report.Now differs.
//
// # Server sick, or network sick
//
// A subnet is judged by its newest round and by the own chat check:
//
//	well      the newest round went through
//	slow      it did, but took longer than Slow from end to end
//	server    it failed, and the own chat check fails too
//	network   it failed, and the own chat check is well: what lies between is sick
//	silent    nothing came for three intervals while the box itself is well: no way from there to here, or the agent is off
//	waiting   never reported
//
// # Goroutines
//
// Run is one loop, with one goroutine for each check under way. Run waits for them.
package probe
