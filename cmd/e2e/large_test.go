package e2e

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// fill sends n messages over several WebSockets, each with many under way.
func (o *office) fill(room id.ID, n int) {
	o.t.Helper()
	const sockets = 4
	var all sync.WaitGroup
	for i := range sockets {
		conn, err := client.DialConn(background(o.t), client.Options{URL: o.url(), Token: o.owner.Token()})
		if err != nil {
			o.t.Fatalf("open a WebSocket: %v", err)
		}
		all.Go(func() {
			defer conn.Close()
			if err := pour(conn, room, i*n/sockets, (i+1)*n/sockets); err != nil {
				o.t.Errorf("fill the room: %v", err)
			}
		})
	}
	all.Wait()
	if o.t.Failed() {
		o.t.FailNow()
	}
}

// pour sends the messages from..to over one WebSocket and waits until all have
// been acknowledged.
func pour(conn *client.Conn, room id.ID, from, to int) error {
	slots, gone := make(chan struct{}, 48), make(chan struct{})
	finished := errors.New("all were acknowledged")
	var err error
	go func() {
		defer close(gone)
		left := to - from
		err = conn.Read(func(frame []byte) error {
			var f struct {
				Error *wire.ErrorBody `json:"error"`
			}
			if err := json.Unmarshal(frame, &f); err != nil {
				return err
			}
			if f.Error != nil {
				return errors.New(f.Error.Message)
			}
			<-slots
			if left--; left == 0 {
				return finished
			}
			return nil
		})
	}()
	for i := from; i < to; i++ {
		select {
		case slots <- struct{}{}:
		case <-gone:
			return err
		}
		frame := fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"message.send","params":{"room":%q,"key":%q,"text":"message %d 消息"}}`, i, room, client.NewKey(), i)
		if err := conn.Write([]byte(frame)); err != nil {
			return err
		}
	}
	<-gone
	if errors.Is(err, finished) {
		return nil
	}
	return err
}

// A room of 100,000 messages opens at its newest page and scrolls back, and
// the page never holds more than a bounded part of it. Whoever was away for all
// of that begins anew, with a list of rooms that is right.
func TestLargeRoom(t *testing.T) {
	t.Parallel()
	const messages = 100_000
	const most = 12_000 // elements of the page; 300 entries are in it at once
	o := openOffice(t, "limits.messages_per_second=100000", "limits.messages_burst=1000000",
		"limits.requests_per_second=100000", "limits.requests_burst=1000000")
	bo := o.hire("bo", "Bo Lin", client.Options{})
	room := o.group("大房间 large", bo.user.ID)
	await(t, func() string { return "bo to be in the room" }, func() bool { return bo.Position() >= room.Position })
	since, token := bo.Since(), bo.Token()
	must(t, bo.Close())
	must(t, o.owner.Close()) // its events would be as many again
	began := time.Now()
	o.fill(room.ID, messages)
	t.Logf("%d messages stored in %s", messages, time.Since(began).Round(time.Millisecond))

	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	began = time.Now()
	ann.click("a.room-link", "大房间")
	newest := fmt.Sprintf(`document.querySelector('[data-seq="%d"]')?.getBoundingClientRect().bottom <= innerHeight`, messages+1)
	ann.until("the newest message", newest)
	t.Logf("the room was open after %s", time.Since(began).Round(time.Millisecond))
	nodes := func() int { return ask[int](ann, `document.querySelectorAll("*").length`) }
	highest := nodes()
	oldest := func() int { return ask[int](ann, `Number(document.querySelector("[data-seq]").dataset.seq)`) }
	for at := oldest(); at > messages-1000; at = oldest() {
		ann.run(`document.querySelector(".scroller").scrollTop = 0`)
		ann.until("an older page", fmt.Sprintf(`Number(document.querySelector("[data-seq]").dataset.seq) < %d`, at))
		highest = max(highest, nodes())
	}
	ann.until("no hole", `[...document.querySelectorAll("[data-seq]")].every((e, i, all) => i === 0 || Number(e.dataset.seq) === Number(all[i - 1].dataset.seq) + 1)`)
	t.Logf("at most %d elements in the page, the oldest entry in it is %d", highest, oldest())
	if highest > most {
		t.Errorf("the page had %d elements", highest)
	}
	ann.shot("old")
	ann.click("button", "Jump to the newest")
	ann.until("the newest message again", newest)
	ann.says("and one more")
	ann.sees("and one more")

	b := newBook()
	o.client(t, client.Options{Token: token, Since: since, OnEvent: b.note})
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.resets != 1 || len(b.rooms) != 1 {
		t.Fatalf("somebody who was away for long is told to begin anew %d times, with %d rooms", b.resets, len(b.rooms))
	}
	r := b.rooms[0]
	if r.ID != room.ID || r.Head != messages+2 || r.Unread != messages+1 || r.Last == nil || r.Last.Text != "and one more" {
		t.Errorf("the list of rooms says %+v", r)
	}
}
