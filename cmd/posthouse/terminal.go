package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// terminal is the file behind a stream that is a terminal.
func terminal(stream any) (*os.File, bool) {
	f, ok := stream.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// conversation is the terminal on which questions can be asked: it is read
// from standard input, and standard error shows the question.
func (a *app) conversation() (*os.File, bool) {
	f, ok := terminal(a.in)
	_, shows := terminal(a.errOut)
	return f, ok && shows
}

// coloured reports whether a stream may get escape sequences.
func (a *app) coloured(stream io.Writer) bool {
	_, ok := terminal(stream)
	if v, set := a.lookup("NO_COLOR"); set && v != "" {
		return false
	}
	kind, _ := a.lookup("TERM")
	return ok && kind != "dumb"
}

// paint colours a word where that is wanted: "32" is green, "31" red.
func (a *app) paint(w io.Writer, colour, s string) string {
	if !a.coloured(w) {
		return s
	}
	return "\x1b[" + colour + "m" + s + "\x1b[0m"
}

type answer struct {
	text string
	err  error
}

// await waits for a person. When ctx ends first the reader is left behind: it
// ends with the process.
func await(ctx context.Context, read func() (string, error)) (string, error) {
	ch := make(chan answer, 1)
	go func() {
		text, err := read()
		ch <- answer{text, err}
	}()
	select {
	case got := <-ch:
		return got.text, got.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// askSecret reads a line from the terminal without showing it.
func (a *app) askSecret(ctx context.Context, f *os.File, prompt string) (string, error) {
	fd := int(f.Fd())
	was, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("read terminal: %w", err)
	}
	fmt.Fprint(a.errOut, prompt)
	defer fmt.Fprintln(a.errOut)
	text, err := await(ctx, func() (string, error) {
		b, err := term.ReadPassword(fd)
		return string(b), err
	})
	if ctx.Err() != nil {
		_ = term.Restore(fd, was) // the shell must not stay mute; nothing else can be done
	}
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	return text, nil
}

// maxSecret is how many bytes of a password source are read.
const maxSecret = 4096

// password reads a new password: from file ("-" is standard input), by asking
// twice on a terminal, or else from standard input. It is one line.
func (a *app) password(ctx context.Context, file string) (string, error) {
	if f, ok := a.conversation(); ok && file == "" {
		first, err := a.askSecret(ctx, f, a.say.of("New password: ", "新密码："))
		if err != nil {
			return "", err
		}
		again, err := a.askSecret(ctx, f, a.say.of("Once more: ", "再输一次："))
		if err != nil {
			return "", err
		}
		if first != again {
			return "", errorText(a.say, "the two passwords differ; nothing was changed", "两次输入不一致，未作任何更改")
		}
		return a.oneLine(first)
	}
	src := a.in
	if file != "" && file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", fmt.Errorf("read password: %w", err)
		}
		defer f.Close()
		src = f
	}
	b, err := io.ReadAll(io.LimitReader(src, maxSecret))
	if err != nil {
		return "", fmt.Errorf("read password: %w", err)
	}
	return a.oneLine(string(bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))))
}

func (a *app) oneLine(s string) (string, error) {
	if s == "" {
		return "", a.wrongUse("no password: give it on standard input, with --password-file, or on a terminal", "没有密码：请从标准输入、--password-file 或终端给出")
	}
	if strings.ContainsAny(s, "\r\n\x00") {
		return "", a.wrongUse("the password must be a single line", "密码必须是单独一行")
	}
	return s, nil
}

// confirm asks before something that cannot be undone. what says what is lost.
// Without a terminal only --yes goes on.
func (a *app) confirm(ctx context.Context, yes bool, what string) error {
	fmt.Fprintln(a.errOut, what)
	if yes {
		return nil
	}
	f, ok := a.conversation()
	if !ok {
		return a.wrongUse("add --yes to do this where nobody can be asked; nothing was changed", "此处无法询问，请加 --yes；未作任何更改")
	}
	fmt.Fprint(a.errOut, a.say.of("Go on? Type yes: ", "继续请输入 yes："))
	text, err := await(ctx, func() (string, error) { return readLine(f) })
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "yes", "y", "是", "继续":
		return nil
	}
	return errorText(a.say, "not confirmed; nothing was changed", "未确认，未作任何更改")
}

// readLine reads byte by byte, so that what follows stays for the next reader.
func readLine(r io.Reader) (string, error) {
	var line []byte
	b := make([]byte, 1)
	for len(line) < maxSecret {
		n, err := r.Read(b)
		if n == 1 && b[0] == '\n' {
			return string(line), nil
		}
		line = append(line, b[:n]...)
		if err != nil {
			return string(line), err
		}
	}
	return string(line), nil
}

// progress shows on a terminal how far long work is; elsewhere it is silent.
type progress struct {
	w     io.Writer // nil = silent
	what  string
	shown int // columns on the line
	next  time.Time
}

func (a *app) progress(what string) *progress {
	p := &progress{what: what}
	if _, ok := terminal(a.errOut); ok {
		p.w = a.errOut
	}
	return p
}

// at shows done of total, ten times a second at most.
func (p *progress) at(done, total int64, unit func(int64) string) {
	if p.w == nil || total <= 0 || time.Now().Before(p.next) {
		return
	}
	p.next = time.Now().Add(100 * time.Millisecond)
	line := fmt.Sprintf("%s %3d %%  %s / %s", p.what, done*100/total, unit(done), unit(total))
	pad := max(0, p.shown-columns(line))
	p.shown = columns(line)
	fmt.Fprint(p.w, "\r"+line+strings.Repeat(" ", pad))
}

// end takes the line away.
func (p *progress) end() {
	if p.w != nil && p.shown > 0 {
		fmt.Fprint(p.w, "\r"+strings.Repeat(" ", p.shown)+"\r")
		p.shown = 0
	}
}

func count(n int64) string { return fmt.Sprint(n) }
