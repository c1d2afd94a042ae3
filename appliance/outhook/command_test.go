package outhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

func TestNobodyTakesEveryPlaceOfCommands(t *testing.T) {
	o := openOffice(t)
	answer := make(chan struct{})
	slow := newTarget(t, func(http.ResponseWriter, *http.Request) { <-answer })
	quick := newTarget(t, says("here"))
	stuck := o.hook(slow.URL, func(h *record.Hook) { h.Form, h.Word = "command", "slow" })
	well := o.hook(quick.URL, func(h *record.Hook) { h.Form, h.Word = "command", "quick" })
	done := make(chan error, callsOfHook)
	for i := range callsOfHook {
		go func() {
			_, err := o.e.Run(context.Background(), &stuck, o.room, id.ID(100+i/callsOfOne), "", fmt.Sprint("k", i))
			done <- err
		}()
	}
	o.until("all of them wait", func() bool { return len(slow.seen()) == callsOfHook })
	run := func(h *record.Hook, user id.ID) error {
		_, err := o.e.Run(context.Background(), h, o.room, user, "", "k")
		return err
	}
	var refused *wire.Error
	if err := run(&stuck, o.ann); !errors.As(err, &refused) || refused.Kind != wire.Unavailable {
		t.Errorf("a hook with %d calls under way is called again: %v", callsOfHook, err)
	}
	if err := run(&well, 100); !errors.As(err, &refused) || refused.Kind != wire.Unavailable {
		t.Errorf("somebody with %d commands under way has one more: %v", callsOfOne, err)
	}
	if err := run(&well, o.ann); err != nil {
		t.Errorf("another command of somebody else: %v", err)
	}
	close(answer)
	for range callsOfHook {
		must(t, <-done)
	}
	if err := run(&well, 100); err != nil {
		t.Errorf("when the others have ended: %v", err)
	}
}

func TestACommandIsCalled(t *testing.T) {
	o := openOffice(t)
	x := newTarget(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"text":"sunny","response_type":"in_channel"}`)
	})
	h := o.hook(x.URL, func(h *record.Hook) { h.Form, h.Word = "command", "weather" })
	a, err := o.e.Run(context.Background(), &h, o.room, o.ann, "杭州 today", "k1")
	if err != nil || a.Text != "sunny" || !a.Room {
		t.Fatalf("%+v %v", a, err)
	}
	if b := x.seen()[0]; b.Event != "command" || b.Command != "weather" || b.Text != "杭州 today" || b.Sender.Login != "ann" || b.Delivery != "k1" {
		t.Errorf("%+v", b)
	}
	x.set(says("only you"))
	if a, err := o.e.Run(context.Background(), &h, o.room, o.ann, "", "k2"); err != nil || a.Room {
		t.Errorf("%+v %v", a, err)
	}
	x.set(status(404))
	var refused *wire.Error
	if _, err := o.e.Run(context.Background(), &h, o.room, o.ann, "", "k3"); !errors.As(err, &refused) || !strings.Contains(refused.Text.Zh, "404") {
		t.Errorf("%v", err)
	}
	nowhere := o.hook("http://no.such.host.invalid/", func(h *record.Hook) { h.Form, h.Word = "command", "nowhere" })
	if _, err := o.e.Run(context.Background(), &nowhere, o.room, o.ann, "", "k5"); !errors.As(err, &refused) || strings.Contains(refused.Text.En, ":53") {
		t.Errorf("a name that leads nowhere: %v", err)
	}
	must(t, o.e.Close())
	if _, err := o.e.Run(context.Background(), &h, o.room, o.ann, "", "k4"); !errors.As(err, &refused) || refused.Kind != wire.Unavailable {
		t.Errorf("%v", err)
	}
}
