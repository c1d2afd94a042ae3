package thumbnail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	children = 2
	// limitsMemory is how long ErrLimits is remembered: a busy machine may have
	// been the reason.
	limitsMemory = time.Hour
)

// Maker makes thumbnails, at most two at a time, and keeps them.
type Maker struct {
	dir   string
	exe   string
	args  []string
	lim   limits
	slots chan struct{}
	stop  context.CancelFunc
	ctx   context.Context
	work  sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	flights map[string]*flight
}

// flight is one thumbnail in the making. waiters needs Maker.mu; path, kind and
// err may be read once done is closed.
type flight struct {
	done       chan struct{}
	cancel     context.CancelFunc
	waiters    int
	path, kind string
	err        error
}

// NewMaker makes a Maker that keeps thumbnails in dir, which it makes when it
// is not there, and runs exe with args as Make does.
func NewMaker(dir, exe string, args []string) (*Maker, error) {
	m := &Maker{
		dir: dir, exe: exe, args: slices.Clone(args), lim: defaultLimits(),
		slots:   make(chan struct{}, children),
		flights: make(map[string]*flight),
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make thumbnail directory: %w", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("list thumbnail directory: %w", err)
	}
	for _, e := range left {
		if strings.HasSuffix(e.Name(), ".tmp") {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
	m.ctx, m.stop = context.WithCancel(context.Background())
	return m, nil
}

// Steps are the edges that thumbnails are made with. There are few, so that a
// client that asks for every edge there is cannot fill the disk.
func Steps() []int { return []int{64, 160, 320, 640, 1280} }

// Step is the edge that a thumbnail asked for with edge is made with: the next
// of Steps, or the largest.
func Step(edge int) int {
	steps := Steps()
	for _, step := range steps {
		if step >= edge {
			return step
		}
	}
	return steps[len(steps)-1]
}

// Get gives the file with the thumbnail of a content and its media type,
// "image/jpeg" or "image/png". d is the content's SHA-256 in 64 lower case hex
// digits; the thumbnail's edge is Step(edge). open is called when the thumbnail
// has to be made, from another goroutine and at most once for all who wait for
// the same one. The file may be gone by the time it is opened, if the cache was
// trimmed: call again. What cannot be made is remembered and not tried again.
// Errors: ErrKey, ErrClosed, those of Make, open's, ctx's.
func (m *Maker) Get(ctx context.Context, d string, edge int, open func() (io.ReadCloser, error)) (path string, contentType string, err error) {
	if !validKey(d) || edge < 1 {
		return "", "", fmt.Errorf("get thumbnail: %w", ErrKey)
	}
	edge = Step(edge)
	path = m.path(d, edge)
	if kind := kindOf(path); kind != "" {
		return path, kind, nil
	}
	if err := m.refused(d); err != nil {
		return "", "", fmt.Errorf("get thumbnail: %w", err)
	}
	f, err := m.join(path, d, edge, open)
	if err != nil {
		return "", "", fmt.Errorf("get thumbnail: %w", err)
	}
	select {
	case <-f.done:
		err = f.err
	case <-ctx.Done():
		err = ctx.Err()
	}
	m.leave(path, f)
	if err != nil {
		return "", "", fmt.Errorf("get thumbnail: %w", err)
	}
	return f.path, f.kind, nil
}

// join finds or starts the flight for path.
func (m *Maker) join(path, d string, edge int, open func() (io.ReadCloser, error)) (*flight, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, ErrClosed
	}
	if f := m.flights[path]; f != nil {
		f.waiters++
		return f, nil
	}
	ctx, cancel := context.WithCancel(m.ctx)
	f := &flight{done: make(chan struct{}), cancel: cancel, waiters: 1, path: path}
	m.flights[path] = f
	m.work.Go(func() {
		defer cancel()
		f.kind, f.err = m.fly(ctx, path, d, edge, open)
		m.mu.Lock()
		m.forget(path, f)
		m.mu.Unlock()
		close(f.done)
	})
	return f, nil
}

// leave ends the work when nobody waits for it any more. The next Get must not
// join what is being given up.
func (m *Maker) leave(path string, f *flight) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.waiters--; f.waiters == 0 {
		f.cancel()
		m.forget(path, f)
	}
}

// forget needs m.mu.
func (m *Maker) forget(path string, f *flight) {
	if m.flights[path] == f {
		delete(m.flights, path)
	}
}

func (m *Maker) fly(ctx context.Context, path, d string, edge int, open func() (io.ReadCloser, error)) (string, error) {
	select {
	case m.slots <- struct{}{}:
		defer func() { <-m.slots }()
	case <-ctx.Done():
		return "", m.ended(ctx)
	}
	if kind := kindOf(path); kind != "" {
		return kind, nil
	}
	src, err := open()
	if err != nil {
		return "", fmt.Errorf("open picture: %w", err)
	}
	defer src.Close()
	thumb, _, _, err := makeLimited(ctx, m.exe, m.args, src, edge, m.lim)
	if ctx.Err() != nil {
		return "", m.ended(ctx)
	}
	if err != nil {
		if word := lasting(err); word != "" {
			_ = m.write(m.refusalPath(d), []byte(word)) // costs another try
		}
		return "", err
	}
	if err := m.write(path, thumb); err != nil {
		return "", fmt.Errorf("keep thumbnail: %w", err)
	}
	return kindOf(path), nil
}

func (m *Maker) ended(ctx context.Context) error {
	if m.ctx.Err() != nil {
		return ErrClosed
	}
	return ctx.Err()
}

// write makes a file appear whole.
func (m *Maker) write(path string, data []byte) error {
	f, err := os.CreateTemp(m.dir, "*.tmp")
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(m.dir, 0o700); err == nil {
			f, err = os.CreateTemp(m.dir, "*.tmp")
		}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

func (m *Maker) path(d string, step int) string {
	return filepath.Join(m.dir, fmt.Sprintf("%s-%d", d, step))
}

func (m *Maker) refusalPath(d string) string { return filepath.Join(m.dir, d+".no") }

// refused gives the error with which the content was refused before.
func (m *Maker) refused(d string) error {
	b, err := os.ReadFile(m.refusalPath(d))
	if err != nil {
		return nil
	}
	err = remembered(string(b))
	if errors.Is(err, ErrLimits) {
		if st, serr := os.Stat(m.refusalPath(d)); serr != nil || time.Since(st.ModTime()) > limitsMemory {
			return nil
		}
	}
	return err
}

// Forget removes what is kept of a content: call it when the content is removed
// for good. Errors: ErrKey, or the disk's.
func (m *Maker) Forget(d string) error {
	if !validKey(d) {
		return fmt.Errorf("forget thumbnails: %w", ErrKey)
	}
	names := []string{m.refusalPath(d)}
	for _, step := range Steps() {
		names = append(names, m.path(d, step))
	}
	var errs []error
	for _, name := range names {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("forget thumbnails: %w", err)
	}
	return nil
}

// Trim removes the oldest thumbnails until at most maxBytes are kept, and says
// how many it removed and how many bytes that were.
func (m *Maker) Trim(maxBytes int64) (n int, bytes int64, err error) {
	entries, err := os.ReadDir(m.dir)
	if err != nil {
		return 0, 0, fmt.Errorf("trim thumbnails: %w", err)
	}
	var files []fs.FileInfo
	total := int64(0)
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || strings.HasSuffix(e.Name(), ".tmp") {
			continue
		}
		files = append(files, info)
		total += info.Size()
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	var errs []error
	for _, info := range files {
		if total-bytes <= maxBytes {
			break
		}
		if err := os.Remove(filepath.Join(m.dir, info.Name())); err != nil {
			errs = append(errs, fmt.Errorf("trim thumbnails: %w", err))
			continue
		}
		n++
		bytes += info.Size()
	}
	return n, bytes, errors.Join(errs...)
}

// Close ends all work and waits for it. Get answers ErrClosed from then on,
// except from the cache.
func (m *Maker) Close() {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.stop()
	m.work.Wait()
}

func validKey(d string) bool {
	return len(d) == 64 && strings.Trim(d, "0123456789abcdef") == ""
}

// kindOf is the media type of a kept thumbnail, "" when there is none.
func kindOf(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	magic := make([]byte, 12)
	n, _ := io.ReadFull(f, magic)
	switch sniff(magic[:n]) {
	case "jpeg":
		return "image/jpeg"
	case "png":
		return "image/png"
	}
	return ""
}
