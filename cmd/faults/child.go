package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
)

// child is the program as its own child: it serves one kind of task, one JSON
// value a line, until its input ends.
func child(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	if len(args) == 0 {
		return 2
	}
	var err error
	switch args[0] {
	case "workload":
		err = childWorkload(ctx, args[1:])
	case "recover":
		err = serveTasks(ctx, in, out, recoverTask)
	case "flip":
		err = serveTasks(ctx, in, out, flipTask)
	case "hash":
		err = serveTasks(ctx, in, out, hashTask)
	case "audit":
		err = serveTasks(ctx, in, out, auditTask)
	default:
		err = fmt.Errorf("no such child: %q", args[0])
	}
	if err != nil {
		fmt.Fprintln(errOut, err)
		return 1
	}
	return 0
}

func serveTasks[T, A any](ctx context.Context, in io.Reader, out io.Writer, do func(context.Context, T) A) error {
	dec, enc := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var task T
		if err := dec.Decode(&task); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := enc.Encode(do(ctx, task)); err != nil {
			return err
		}
	}
}

// worker is a child that does tasks one after the other.
type worker struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	err tailBuffer
}

// tailBuffer keeps the first kilobytes of what a child says when it dies.
type tailBuffer struct {
	mu sync.Mutex
	b  []byte
}

func (t *tailBuffer) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if room := 64<<10 - len(t.b); room > 0 {
		t.b = append(t.b, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

func (t *tailBuffer) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}

func startWorker(ctx context.Context, env []string, args ...string) (*worker, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &worker{cmd: exec.CommandContext(ctx, exe, append([]string{"child"}, args...)...)}
	w.cmd.Env = append(append(os.Environ(), "GOTRACEBACK=single"), env...)
	w.cmd.Stderr = &w.err
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.out = bufio.NewReaderSize(out, 64<<10)
	return w, w.cmd.Start()
}

// do gives a task to the child. An error means that the child is dead, and
// says how it died.
func (w *worker) do(task, answer any) error {
	b, err := json.Marshal(task)
	if err != nil {
		return err
	}
	if _, err = w.in.Write(append(b, '\n')); err == nil {
		if b, err = w.out.ReadBytes('\n'); err == nil {
			return json.Unmarshal(b, answer)
		}
	}
	_ = w.in.Close()
	_ = w.cmd.Wait() // its state is what is told
	return fmt.Errorf("the process died: %s", w.reason())
}

func (w *worker) reason() string {
	text := w.err.String()
	if m := regexp.MustCompile(`(?m)^(panic: .*|fatal error: .*|unexpected fault.*|runtime: .*)$`).FindString(text); m != "" {
		return m
	}
	if first, _, _ := strings.Cut(text, "\n"); first != "" {
		return first
	}
	return w.cmd.ProcessState.String()
}

func (w *worker) stop() {
	_ = w.in.Close()
	_ = w.cmd.Wait()
}

// spread gives tasks to a few workers and hands each answer, with the error of
// a worker that died, to take, which is called from several goroutines.
func spread[T, A any](r *run, workers int, mode string, tasks <-chan T, take func(T, A, error)) {
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			var w *worker
			for task := range tasks {
				if w == nil {
					var err error
					if w, err = startWorker(r.ctx, nil, mode); err != nil {
						r.violation("start a child: %v", err)
						for range tasks { // let the giver finish
						}
						return
					}
				}
				var answer A
				err := w.do(task, &answer)
				if err != nil {
					w = nil
				}
				take(task, answer, err)
			}
			if w != nil {
				w.stop()
			}
		})
	}
	wg.Wait()
}
