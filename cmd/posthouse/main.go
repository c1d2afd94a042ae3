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
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"posthouse/appliance/config"
	"posthouse/appliance/thumbnail"
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
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// app is what every subcommand gets.
type app struct {
	say   words
	flags struct {
		config string
		data   string
		set    []string
		json   bool
	}
	root *cobra.Command
}

func run(ctx context.Context, args []string, in *os.File, out, errOut *os.File) int {
	a := &app{say: wordsOf(os.Environ())}
	a.root = a.command()
	a.root.SetArgs(args)
	a.root.SetIn(in)
	a.root.SetOut(out)
	a.root.SetErr(errOut)
	err := a.root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(errOut, "posthouse: "+a.say.err(err))
	var e *exit
	if errors.As(err, &e) {
		return e.code
	}
	var bad *config.Error
	if errors.As(err, &bad) {
		return exitConfig
	}
	return exitFailed
}
