package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"time"

	fastjson "github.com/go-json-experiment/json"
	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"posthouse/appliance/blob"
	"posthouse/appliance/chat"
	"posthouse/appliance/client"
	"posthouse/appliance/config"
	"posthouse/appliance/filename"
	"posthouse/appliance/gate"
	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/wire"
)

// caller carries out methods as the operator of the box.
type caller interface {
	call(method string, params, result any) error
	// bring stores a file for an account, under a name made by an import.
	bring(r io.ReadSeeker, u client.Upload) (id.ID, error)
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

// nobodyThere says why a server that is needed could not be asked.
func (a *app) nobodyThere(cfg config.Config) error {
	if _, err := os.Stat(cfg.Server.Socket); errors.Is(err, fs.ErrPermission) || err == nil && unix.Access(cfg.Server.Socket, unix.W_OK) != nil {
		return errorText(a.say, "this account may not ask the server at "+cfg.Server.Socket+": run the command with sudo, or as the server's account", "当前账号无权访问服务器的套接字 "+cfg.Server.Socket+"：请使用 sudo，或以服务器的账号运行")
	}
	return errorText(a.say, "no server is running at "+cfg.Server.Socket+": start it, or name the one that runs with --data or --config", "服务器未运行（"+cfg.Server.Socket+"）：请启动它，或用 --data、--config 指定正在运行的服务器")
}

// offline opens the data directory under its lock. A directory that does not
// exist is not made: a wrong --data would otherwise make an empty box.
func (a *app) offline(ctx context.Context, cfg config.Config, f func(*box) error) error {
	if _, err := os.Stat(cfg.Server.DataDir); errors.Is(err, os.ErrNotExist) {
		return a.noDirectory(cfg.Server.DataDir)
	}
	b, err := openBox(cfg, slog.New(slog.DiscardHandler), nil)
	if err == nil {
		err = f(b)
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
		defer cancel()
		err = errors.Join(err, b.close(closing))
	}
	return errors.Join(err, giveBack(cfg.Server.DataDir))
}

type online struct {
	ctx  context.Context
	http *client.HTTP
}

func (o online) call(method string, params, result any) error {
	return o.http.Call(o.ctx, method, params, result)
}

func (o online) bring(r io.ReadSeeker, u client.Upload) (id.ID, error) {
	f, err := o.http.UploadFile(o.ctx, r, u)
	return f.ID, err
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

func (o offline) bring(r io.ReadSeeker, u client.Upload) (id.ID, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return 0, fmt.Errorf("read %s: %w", u.Name, err)
	}
	digest, n, err := o.box.blobs.Put(o.ctx, r)
	if errors.Is(err, blob.ErrNoSpace) {
		return 0, wire.Refuse(wire.Unavailable, "the disk of the server is full: make room and run the same command again", "服务器磁盘已满：请清理空间后再次运行同一命令")
	}
	if err != nil {
		return 0, fmt.Errorf("store %s: %w", u.Name, err)
	}
	f := record.File{Name: filename.Sanitize(u.Name), Size: n, SHA256: digest[:], Owner: u.Owner, Created: time.Now().UnixMilli(), Upload: wire.ImportUpload(u.Import)}
	if err := gate.Inspect(o.box.blobs, &f, u.Type); err != nil {
		return 0, fmt.Errorf("look at %s: %w", u.Name, err)
	}
	stored, refused := o.box.chat.StoreFile(o.ctx, chat.Actor{Operator: true}, f)
	if refused != nil {
		return 0, refused
	}
	return stored.ID, nil
}
