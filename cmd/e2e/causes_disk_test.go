package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"posthouse/sysmon/probe"
)

// fullStage is a server whose data lies on a disk that fills up, while people go
// on writing.
func fullStage() stage {
	return stage{name: "full", factor: 60, settings: []string{"watch.virtual_users=true"},
		prepare: func(b *box) {
			b.kernel.holds(b.dir, "size=260m")
			b.probes(probe.Definition{ID: "health", Name: "health", Kind: probe.HTTP, Shipped: true, Every: 10, Patience: 5})
			b.forgives("disk nearly full")
		},
		lines: []caused{
			{alert: "DatabaseInsertFailed", cause: writeInVain, mend: nothing, shows: []string{"errors kind=unavailable", "space " + "/"}},
			{alert: "HealthCheckFailed", cause: fillUp, mend: nothing, shows: []string{"space " + "/", "probes health"}},
			{alert: "StorageReadOnly", cause: nothing, mend: nothing, shows: []string{"space " + "/", "log disk nearly full"}},
			{alert: "HighErrorRate", cause: nothing, shows: []string{"failures message.send", "errors kind=unavailable"},
				mend: func(b *box) { b.undo("writers in vain"); must(b.t, os.Remove(films(b))) }},
		}}
}

// films are what fills the disk of the data.
func films(b *box) string { return filepath.Join(b.inside(b.dir), "films") }

func fillUp(b *box) { must(b.t, os.WriteFile(films(b), make([]byte, 140<<20), 0o600)) }

// writeInVain is people who write; as soon as the server has seen that its disk
// is full they are refused. It comes before the disk is full, for they need a
// room.
func writeInVain(b *box) {
	room := b.group("in vain", b.owner.user.ID)
	b.beats("writers in vain", func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_, _ = b.owner.HTTP.Send(ctx, room.ID, "is there room?") // the alert tells whether it was refused
	})
}

// slowStage is a server whose disk takes more than a second to make messages
// durable; when it is quick again, somebody tries passwords.
func slowStage() stage {
	return stage{name: "slow disk", factor: 20, inTurn: true, lines: []caused{
		{alert: "StorageWriterSaturated", cause: slowDisk, mend: nothing, shows: []string{"writer", "slow message.send"}},
		{alert: "StorageSlowOperations", cause: nothing, mend: nothing, shows: []string{"slow message.send"}},
		{alert: "SlowAPIResponse", where: map[string]string{"endpoint": "message.send"}, cause: nothing, shows: []string{"slowest message.send"},
			mend: func(b *box) { b.undo("disk"); b.undo("writers") }},
		{alert: "AuthFailuresBurst", cause: tryPasswords, mend: func(b *box) { b.undo("guessers") }, shows: []string{"logins result=refused"}},
	}}
}

// flushing is how long the slow disk takes.
const flushing = 1100 * time.Millisecond

// slowDisk delays each flush of the journal, and has people write over HTTP all
// the while.
func slowDisk(b *box) {
	segments, err := filepath.Glob(filepath.Join(b.dir, "journal", "*.seg"))
	must(b.t, err)
	last := segments[len(segments)-1]
	b.straced("disk", "-P", last, "-e", "trace=fdatasync", "-e", "inject=fdatasync:delay_exit="+strconv.FormatInt(flushing.Microseconds(), 10))
	room := b.group("slow", b.owner.user.ID)
	b.several("writers", 6, func(int) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := b.owner.HTTP.Send(ctx, room.ID, "is it slow?"); err != nil {
			b.t.Errorf("write while the disk is slow: %v", err)
		}
	})
}

// tryPasswords logs in with wrong passwords from a hundred addresses: the tries
// of one address would soon be held back.
func tryPasswords(b *box) {
	const addresses = 100
	tries := make([]int, 2)
	b.several("guessers", len(tries), func(i int) {
		tries[i]++
		from := &net.TCPAddr{IP: net.IPv4(127, 0, byte(2+i), byte(1+tries[i]%addresses))}
		one := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{LocalAddr: from}).DialContext}}
		body := fmt.Sprintf(`{"login":"bo","password":"secret %d","device_name":"guesser"}`, tries[i])
		res, err := one.Post(b.url()+"/api/session.login", "application/json", strings.NewReader(body))
		if err != nil {
			b.t.Errorf("try a password: %v", err)
			return
		}
		_ = res.Body.Close() // its status tells
		if res.StatusCode != http.StatusUnauthorized {
			b.t.Errorf("a wrong password is answered with %s", res.Status)
		}
	})
}
