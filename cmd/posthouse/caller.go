package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	fastjson "github.com/go-json-experiment/json"
	"github.com/spf13/cobra"

	"posthouse/appliance/chat"
	"posthouse/appliance/client"
	"posthouse/appliance/config"
	"posthouse/appliance/wire"
)

// caller carries out methods as the operator of the box.
type caller interface {
	call(method string, params, result any) error
}

// with runs f against the running server, or against the data directory when
// no server runs. Either way the calls and their rules are the same.
func (a *app) with(cmd *cobra.Command, f func(caller) error) error {
	return a.reach(cmd.Context(), func(c caller, _ bool) error { return f(c) })
}

// reach is with for calls under a context of their own; f learns whether a
// server runs.
func (a *app) reach(ctx context.Context, f func(c caller, running bool) error) error {
	cfg, _, err := a.config()
	if err != nil {
		return err
	}
	if running(cfg) {
		h, err := client.NewHTTP(client.Options{UnixSocket: cfg.Server.Socket, Lang: a.say.lang(), Timeout: 10 * time.Minute})
		if err != nil {
			return err
		}
		defer h.Close()
		return f(online{ctx, h}, true)
	}
	return a.offline(ctx, cfg, func(b *box) error {
		return f(offline{ctx, b, a.say.lang()}, false)
	})
}

// running reports whether a server answers on the socket.
func running(cfg config.Config) bool {
	c, err := net.DialTimeout("unix", cfg.Server.Socket, time.Second)
	if err != nil {
		return false
	}
	return c.Close() == nil
}

// offline opens the data directory under its lock. A directory that does not
// exist is not made: a wrong --data would otherwise make an empty box.
func (a *app) offline(ctx context.Context, cfg config.Config, f func(*box) error) error {
	if _, err := os.Stat(cfg.Server.DataDir); errors.Is(err, os.ErrNotExist) {
		return a.noDirectory(cfg.Server.DataDir)
	}
	b, err := openBox(cfg, slog.New(slog.DiscardHandler), nil)
	if err != nil {
		return err
	}
	err = f(b)
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	return errors.Join(err, b.close(closing))
}

type online struct {
	ctx  context.Context
	http *client.HTTP
}

func (o online) call(method string, params, result any) error {
	return o.http.Call(o.ctx, method, params, result)
}

type offline struct {
	ctx  context.Context
	box  *box
	lang string
}

func (o offline) call(method string, params, result any) error {
	body, err := fastjson.Marshal(params)
	if err != nil {
		return fmt.Errorf("encode %s: %w", method, err)
	}
	type answer struct {
		result any
		err    *wire.Error
	}
	ch := make(chan answer, 1)
	c := &chat.Call{Context: o.ctx, Actor: chat.Actor{Operator: true}, Lang: o.lang, Trace: "cli", Address: "local", Now: time.Now()}
	o.box.chat.Do(c, method, body, func(r any, err *wire.Error) { ch <- answer{r, err} })
	got := <-ch
	if got.err != nil {
		return got.err
	}
	back, err := fastjson.Marshal(got.result)
	if err != nil {
		return fmt.Errorf("encode answer of %s: %w", method, err)
	}
	return fastjson.Unmarshal(back, result)
}
