package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
)

// asked is the only value that an expression has on the running server; there
// is false while it has none.
func (d *desk) asked(addr, expr string) (v float64, there bool) {
	d.t.Helper()
	res, err := http.Get("http://" + addr + "/api/v1/query?query=" + url.QueryEscape(expr))
	if err != nil {
		d.t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Error string
		Data  struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Error != "" {
		d.t.Fatal(expr, err, answer.Error)
	}
	if len(answer.Data.Result) != 1 {
		return 0, false
	}
	text, _ := answer.Data.Result[0].Value[1].(string)
	v, err = strconv.ParseFloat(text, 64)
	return v, err == nil
}

// A device that is connected and never acknowledges makes the share of messages
// that arrive fall within a minute, as PromQL tells it; one that goes away
// before it has acknowledged does not.
func TestAMuteDeviceLowersTheShareThatArrives(t *testing.T) {
	d := newDesk(t)
	addr := d.serveWith("--set", "watch.interval=1s", "--set", "session.heartbeat=5s")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	ann, bo, room := d.office(ctx, addr)
	const share = `sum(rate(im_delivery_acks_total[1m])) / sum(rate(im_deliveries_total[1m]))`
	send := func(n int, to ...*client.Client) {
		t.Helper()
		var last wire.Sent
		for range n {
			var err error
			if last, err = ann.Send(ctx, room, "hello"); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range append(to, bo) {
			if err := c.WaitPosition(ctx, last.Position); err != nil {
				t.Fatal(err)
			}
		}
	}
	until := func(what string, done func() bool) {
		t.Helper()
		for tick := time.NewTicker(300 * time.Millisecond); !done(); <-tick.C {
			if ctx.Err() != nil {
				t.Fatalf("never %s:\n%s", what, d.text(addr, "/federate?match[]=im_deliveries_total&match[]=im_delivery_acks_total&match[]=im_deliveries_left_total"))
			}
		}
	}
	join := func() *client.Client {
		t.Helper()
		c, err := client.Dial(ctx, client.Options{URL: "http://" + addr, Token: bo.Token(), Ack: client.AckNever})
		if err == nil {
			err = c.Connect(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		send(1, c) // the first may be caught up with, which is no delivery; those after it are live
		return c
	}
	gone := join()
	send(20, gone)
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	until("left", func() bool {
		_, sampled := d.asked(addr, "im_deliveries_total > 0")
		return sampled && d.figure(addr, "im_deliveries_left_total") >= 20
	})
	send(20)
	until("all arrive", func() bool { v, there := d.asked(addr, share); return there && v == 1 })
	mute := join()
	began := time.Now()
	send(40, mute)
	until("half of them missing", func() bool { v, there := d.asked(addr, share); return there && v < .99 })
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %v to see it", took)
	}
	const sent = 20 + 20 + 40 + 2 // and what each device that joined was greeted with
	until("all counted", func() bool {
		return d.figure(addr, "im_deliveries_total") >= sent-1+40 && d.figure(addr, "im_delivery_acks_total") >= sent-1
	})
	acks, all, left := d.figure(addr, "im_delivery_acks_total"), d.figure(addr, "im_deliveries_total"), d.figure(addr, "im_deliveries_left_total")
	if acks < sent-1 || acks > sent || all > sent+41 || left > 21 || mute.Stats().Connects != 1 {
		t.Errorf("%v acknowledged of %v, %v left, %d connections of the mute device", acks, all, left, mute.Stats().Connects)
	}
}
