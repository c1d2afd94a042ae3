// Benchweb measures the web chat in headless Chromium against the real program,
// over https: how long the first load takes and how large it is, and how long
// what a person does takes to be seen, in a room of 100,000 messages and with
// 5,000 rooms in the list. make bench-web runs it.
//
// It starts the posthouse binary named by -binary on free ports of the loopback
// interface with a directory of its own, makes accounts through appliance/client,
// stops it to write rooms and messages through appliance/sequencer, starts it
// again, and drives Chromium with real input over the DevTools protocol. Everything is
// removed at the end.
//
// Interactions are what the browser itself measures (Event Timing: from the
// input until the next frame is presented; steps of 8 ms, and what is below
// 16 ms counts as 8). Frames are the pauses between animation frames while
// something moves; the row in which nothing happens tells what the machine
// itself costs. Times of loads and jumps end with the frame after the one in
// which what was waited for stood in the page.
//
// Each row has a goal. For a time it holds for the 98th percentile, which is
// the largest value when there are fewer than fifty. The program ends with
// status 1 when a row misses its goal by more than -margin, which leaves room
// for a machine that does other things. It is no test.
//
// It runs one goroutine that reads what the server prints, besides those of the
// client and of the sequencer.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"text/tabwriter"
)

type options struct {
	binary   string
	chromium string
	messages int
	rooms    int
	margin   float64
}

func main() {
	var o options
	flag.StringVar(&o.binary, "binary", "./posthouse", "the program under test")
	flag.StringVar(&o.chromium, "chromium", "chromium", "the browser")
	flag.IntVar(&o.messages, "messages", 100_000, "messages in the large room")
	flag.IntVar(&o.rooms, "rooms", 5_000, "rooms of the account with many")
	flag.Float64Var(&o.margin, "margin", 2, "a goal is missed when it is exceeded this many times")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "benchweb:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func run(ctx context.Context, o options) (err error) {
	s, err := startServer(ctx, o)
	if s != nil {
		defer func() { err = errors.Join(err, s.remove()) }()
	}
	if err != nil {
		return err
	}
	f, err := fill(ctx, s, o)
	if err != nil {
		return err
	}
	b, err := startBrowser(ctx, s, o)
	if err != nil {
		return err
	}
	defer b.stop()
	rows, err := scenes(b, f)
	if err != nil {
		return err
	}
	print(os.Stdout, rows)
	return judge(rows, o.margin)
}

// row is a line of the table. values are in unit.
type row struct {
	name   string
	unit   string // ms, kB
	goal   float64
	values []float64
}

// percentile is the smallest value that p of all do not exceed.
func (r row) percentile(p float64) float64 {
	if len(r.values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(r.values))
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}

func print(to io.Writer, rows []row) {
	w := tabwriter.NewWriter(to, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tn\tp50\tp98\tmax\tgoal\t\t")
	for _, r := range rows {
		verdict := ""
		if r.percentile(.98) > r.goal {
			verdict = "missed"
		}
		fmt.Fprintf(w, "%s\t%d\t%.0f\t%.0f\t%.0f\t%.0f\t%s\t%s\n", r.name, len(r.values), r.percentile(.5), r.percentile(.98), r.percentile(1), r.goal, r.unit, verdict)
	}
	_ = w.Flush() // to a terminal or pipe: there is nobody to tell
}

func judge(rows []row, margin float64) error {
	var missed []error
	for _, r := range rows {
		if len(r.values) == 0 || r.percentile(.98) > r.goal*margin {
			missed = append(missed, fmt.Errorf("%s: %.0f %s, the goal is %.0f", r.name, r.percentile(.98), r.unit, r.goal))
		}
	}
	return errors.Join(missed...)
}
