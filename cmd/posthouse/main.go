// Command posthouse is a private chat server for one organisation's own
// hardware, and the command line that looks after it.
//
// Every subcommand is a thin shell over the packages of the appliance. Exit
// codes: 0 done, 1 failed, 2 wrong usage, 70 the store failed and the server
// stopped to recover by replay, 75 try again later, 78 wrong configuration.
// Data goes to standard output, everything else to standard error.
//
// Subcommands that change or list things talk to the running server over its
// unix socket. When none runs they open the data directory themselves, under
// its lock, and carry out the same calls.
//
// Passwords come from a prompt, standard input or a file, never from the
// arguments, which every user of the machine can see. What cannot be undone
// asks on a terminal and wants --yes elsewhere. What people wrote (names,
// remarks) is escaped before it is printed, so that it cannot drive the
// terminal.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"posthouse/appliance/client"
	"posthouse/appliance/config"
	"posthouse/appliance/journal"
	"posthouse/appliance/state"
	"posthouse/appliance/thumbnail"
	"posthouse/appliance/wire"
)

// Exit codes, as sysexits.h names them where it has a name.
const (
	exitFailed = 1
	exitUsage  = 2
	exitStore  = 70
	exitTry    = 75
	exitConfig = 78
)

// exit carries an exit code with an error.
type exit struct {
	code int
	err  error
}

func (e *exit) Error() string { return e.err.Error() }
func (e *exit) Unwrap() error { return e.err }

func main() {
	if len(os.Args) > 1 && os.Args[1] == "thumbnail" {
		os.Exit(thumbnail.ChildMain(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	os.Exit(newApp(os.Environ(), os.Stdin, os.Stdout, os.Stderr).run(ctx, os.Args[1:]))
}

// app is what every subcommand gets. It runs one command line.
type app struct {
	say    words
	env    []string
	in     io.Reader
	out    io.Writer
	errOut io.Writer
	flags  struct {
		config string
		data   string
		set    []string
	}
	root  *cobra.Command
	ready func(*server) // called by serve when all doors are open; may be nil
}

func newApp(env []string, in io.Reader, out, errOut io.Writer) *app {
	a := &app{say: wordsOf(env), env: env, in: in, out: out, errOut: errOut}
	a.root = a.command()
	a.root.SetIn(in)
	a.root.SetOut(out)
	a.root.SetErr(errOut)
	return a
}

// run carries out one command line and answers with the exit code.
func (a *app) run(ctx context.Context, args []string) int {
	a.root.SetArgs(args)
	err := a.root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	for i, line := range strings.Split(a.say.err(err), "\n") {
		if i == 0 {
			line = "posthouse: " + line
		}
		fmt.Fprintln(a.errOut, clean(line))
	}
	return code(err)
}

// code is the exit code of an error.
func code(err error) int {
	var e *exit
	var refusal *wire.Error
	var bad *config.Error
	switch {
	case errors.As(err, &e):
		return e.code
	case errors.As(err, &bad):
		return exitConfig
	case errors.As(err, &refusal):
		if refusal.Kind == wire.Unavailable || refusal.Kind == wire.RateLimited {
			return exitTry
		}
	case errors.Is(err, state.ErrLocked), errors.Is(err, journal.ErrLocked), errors.Is(err, client.ErrLost), errors.Is(err, syscall.ECONNREFUSED):
		return exitTry
	}
	return exitFailed
}

// lookup is os.LookupEnv in the environment of the app.
func (a *app) lookup(name string) (string, bool) {
	for _, kv := range a.env {
		if v, ok := strings.CutPrefix(kv, name+"="); ok {
			return v, true
		}
	}
	return "", false
}
