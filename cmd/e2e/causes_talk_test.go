package e2e

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
)

// talkStage is a server whose clients behave badly: they vanish, confirm late or
// never, and ask without end. Its machine has hardly any memory,
// of which a full cache takes much.
func talkStage() stage {
	return stage{name: "talk", factor: 60,
		prepare: func(b *box) { b.kernel.shows("/proc/meminfo", memInfo(8, 75)) },
		lines: []caused{
			{alert: "ConnectionsDropped", cause: flap, mend: func(b *box) { b.undo("switch") }, shows: []string{"connections when=now", "tcp"}},
			{alert: "HighDeliveryLatency", cause: confirmLate, mend: nothing, shows: []string{"delivery q=50", "arrival"}},
			{alert: "MessageDeliveryDelayed", cause: nothing, mend: func(b *box) { b.undo("talk to cy") }, shows: []string{"delivery q=95"}},
			{alert: "LowArrivalRate", cause: confirmNever, mend: func(b *box) { b.undo("talk to di") }, shows: []string{"arrival"}},
			{alert: "CacheMemoryHigh", cause: fillCache, mend: shows("/proc/meminfo", memInfo(16<<10, 60)), shows: []string{"caches cache=events"}},
			{alert: "HighAPILoad", cause: askWithoutEnd, mend: func(b *box) { b.undo("asker") }, shows: []string{"requests /health/live"}},
		}}
}

// flap opens a dozen connections and drops them again, as a broken switch does.
func flap(b *box) {
	token := b.device("bo", client.Options{}).Token()
	var open []*client.Client
	turn := 0
	b.beats("switch", func() {
		if turn++; turn%20 == 1 {
			var err error
			if open, err = b.connects(token, 12); err != nil {
				b.t.Errorf("connect once more: %v", err)
			}
		}
		if turn%20 == 11 {
			drop(open)
			open = nil
		}
	})
	stop := b.bin["switch"]
	b.later("switch", func() { stop(); drop(open) })
}

// lateness is how late a slow telephone confirms.
const lateness = 8 * time.Second

// confirmLate is somebody whose telephone takes its time.
func confirmLate(b *box) {
	var phone atomic.Pointer[client.Client]
	cy := b.hire("cy", "Cy", client.Options{Ack: client.AckNever, OnEvent: func(e client.Event) {
		if e.Type != wire.EventMessage {
			return
		}
		time.AfterFunc(lateness, func() {
			if c := phone.Load(); c != nil {
				c.Ack(e.Position)
			}
		})
	}})
	phone.Store(cy.Client)
	b.writes("talk to cy", b.group("room of cy", cy.user.ID).ID, 1)
}

// confirmNever is somebody whose telephone takes messages and says nothing.
func confirmNever(b *box) {
	di := b.hire("di", "Di", client.Options{Ack: client.AckNever, OnEvent: func(client.Event) {}})
	b.writes("talk to di", b.group("room of di", di.user.ID).ID, 1)
}

// fillCache writes more than a third of the machine's memory into the recent
// events.
func fillCache(b *box) {
	room := b.group("long texts", b.owner.user.ID)
	for i := range 150 {
		b.owner.says(room.ID, fmt.Sprint(i, strings.Repeat(" and so on", 2500)))
	}
}

// askWithoutEnd sends some 2,500 requests a second.
func askWithoutEnd(b *box) {
	const together = 500
	batch := bytes.Repeat([]byte("GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"), together)
	b.beats("asker", func() {
		if err := floods(b.localAddr, batch, together); err != nil {
			b.t.Errorf("ask without end: %v", err)
		}
	})
}

// floods writes requests to one connection and reads as many answers.
func floods(address string, batch []byte, together int) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(batch); err != nil {
		return err
	}
	answers := bufio.NewReader(conn)
	for range together {
		res, err := http.ReadResponse(answers, nil)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, res.Body)
		if err = errors.Join(err, res.Body.Close()); err != nil {
			return err
		}
	}
	return nil
}
