package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/renameio/v2"

	"posthouse/appliance/blob"
	"posthouse/appliance/chat"
	"posthouse/appliance/config"
	"posthouse/appliance/id"
	"posthouse/appliance/journal"
	"posthouse/appliance/netguard"
	"posthouse/appliance/outhook"
	"posthouse/appliance/record"
	"posthouse/appliance/search"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/thumbnail"
	"posthouse/appliance/wire"
)

// Names inside the data directory.
const (
	journalDir = "journal"
	stateFile  = "state.db"
	hooksFile  = "hooks.db"
	baseFile   = "base.db" // state as it was when segments were last released
	filesDir   = "files"
	thumbsDir  = "thumbnails"
	searchFile = "search.db"
	certDir    = "tls"
)

// hardReserve is how many bytes of the data directory's volume must be free
// for messages to be taken. Uploads stop earlier, at files.free_reserve_bytes.
const hardReserve = 128 << 20

// box is everything durable and the service over it, without any listener.
// serve puts a gate before it, and the command line uses it alone when the
// daemon is down.
type box struct {
	cfg     config.Config                 // as at the start
	live    atomic.Pointer[config.Config] // with what a reload has changed since
	log     *slog.Logger
	journal *journal.Journal
	state   *state.State
	seq     *sequencer.Sequencer
	blobs   *blob.Store
	thumbs  *thumbnail.Maker
	search  *search.Index // nil for the command line, which leaves it as it is
	guard   *netguard.Guard
	hooks   *outhook.Engine
	chat    *chat.Service
	figures *figures
	held    atomic.Bool // a person has switched to read-only
	fatal   chan error  // receives the error after which nothing may be stored
}

func stateLimits(cfg config.Config) state.Limits {
	quota := func(b config.Bytes) int64 {
		if b == 0 {
			return math.MaxInt64 / 2
		}
		return int64(b)
	}
	return state.Limits{
		MessageBytes:   int(cfg.Limits.MessageBytes),
		MembersPerRoom: cfg.Limits.MembersPerRoom,
		RoomsPerUser:   cfg.Limits.RoomsPerUser,
		UserQuota:      quota(cfg.Limits.UserQuotaBytes),
		RoomQuota:      quota(cfg.Limits.RoomQuotaBytes),
		UploadBytes:    int64(cfg.Limits.UploadBytes),
		ModeratorsCall: cfg.Hooks.Makers == "moderators",
		Devices:        cfg.Session.SessionsPerUser,
		Bin:            time.Duration(cfg.Files.BinDays) * 24 * time.Hour,
		Unsent:         time.Duration(cfg.Files.UnsentHours) * time.Hour,
	}
}

// openBox opens a data directory, replays what the state file does not hold
// yet, and starts the sequencer. Only one process can hold a directory.
func openBox(cfg config.Config, log *slog.Logger, fill func(*wire.StatusResult)) (b *box, err error) {
	dir := cfg.Server.DataDir
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	b = &box{cfg: cfg, log: log, fatal: make(chan error, 1), figures: newFigures(log)}
	b.live.Store(&cfg)
	opened := b // a return with an error sets b to nil
	defer func() {
		if err != nil {
			opened.abandon()
		}
	}()
	if err := restoreBase(dir); err != nil {
		return nil, fmt.Errorf("begin from base snapshot: %w", err)
	}
	if b.state, err = state.Open(filepath.Join(dir, stateFile), state.Options{Limits: stateLimits(cfg)}); errors.Is(err, state.ErrLocked) {
		return nil, fmt.Errorf("%w: %s", err, holder(dir))
	} else if err != nil {
		return nil, err
	}
	if b.journal, err = journal.Open(filepath.Join(dir, journalDir), journal.Options{SegmentBytes: int64(cfg.Journal.SegmentBytes),
		SegmentAge: cfg.Journal.SegmentAge, Witness: b.state.Flushed()}); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	if b.blobs, err = blob.Open(filepath.Join(dir, filesDir), blob.Options{MaxUpload: int64(cfg.Limits.UploadBytes), FreeReserve: int64(cfg.Files.FreeReserveBytes)}); err != nil {
		return nil, fmt.Errorf("open files: %w", err)
	}
	exe, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find own program: %w", err)
	}
	if b.thumbs, err = thumbnail.NewMaker(filepath.Join(dir, thumbsDir), exe, []string{"thumbnail"}); err != nil {
		return nil, err
	}
	from, head, began := b.state.Flushed(), b.journal.Head(), time.Now()
	b.seq, err = sequencer.Start(b.journal, b.state, sequencer.Options{Wait: cfg.Journal.BatchWait, Log: log, Fatal: func(err error) { b.fatal <- err }})
	if err != nil {
		return nil, err
	}
	if head > from {
		log.Info("journal replayed", "from", from, "to", head, "took", time.Since(began).Round(time.Millisecond).String())
	}
	b.watchDisk()
	if fill != nil {
		if b.search, err = search.Open(filepath.Join(dir, searchFile), b.seq, b.state, search.Options{Log: log, Content: b.content}); err != nil {
			return nil, err
		}
	}
	opt := chatOptions(cfg)
	opt.BaseURL, opt.FillStatus, opt.Console = func() string { return baseURL(b.cfg) }, fill, b.consoleFor
	if err := b.openHooks(cfg); err != nil {
		return nil, err
	}
	opt.Version, opt.Log, opt.Search = version(), log, b.search
	opt.CheckURL, opt.Hooks, opt.Faults = b.guard.CheckURL, b.hooks, b.figures.faults
	b.chat = chat.New(b.seq, b.state, opt)
	b.measure()
	return b, nil
}

// holder names the process that has the data directory open, as the lock file
// of its journal says.
func holder(dir string) string {
	raw, err := os.ReadFile(filepath.Join(dir, journalDir, "LOCK"))
	pid := strings.TrimSpace(string(raw))
	if err != nil || pid == "" {
		return "it is not known which"
	}
	command, err := os.ReadFile(filepath.Join("/proc", filepath.Base(pid), "comm"))
	if err != nil {
		return "process " + pid
	}
	return "process " + pid + ", " + strings.TrimSpace(string(command))
}

// content opens what a document consists of for the index of messages.
func (b *box) content(sum [sha256.Size]byte) (search.Content, error) {
	c, err := b.blobs.OpenBlob(sum)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func chatOptions(cfg config.Config) chat.Options {
	return chat.Options{
		BrowserIdle:  time.Duration(cfg.Session.BrowserDays) * 24 * time.Hour,
		AppIdle:      time.Duration(cfg.Session.AppDays) * 24 * time.Hour,
		LoginsByUser: cfg.Limits.LoginsPerAccount, LoginsByAddr: cfg.Limits.LoginsPerAddress,
		PasswordMin: cfg.Session.PasswordMin, HistoryPage: cfg.Limits.HistoryPage,
	}
}

// retune takes over what a configuration may change while the box runs: the
// keys that say restart: no.
func (b *box) retune(cfg config.Config) {
	b.live.Store(&cfg)
	b.state.Retune(stateLimits(cfg))
	b.chat.Retune(chatOptions(cfg))
	b.blobs.Retune(int64(cfg.Limits.UploadBytes), int64(cfg.Files.FreeReserveBytes))
	if err := b.guard.Retune(cfg.Hooks.AllowedNetworks); err != nil {
		b.log.Error("hooks.allowed_networks stays as it was", "error", err) // config.Load refuses it before
	}
}

// hookTimeout is how long a request of an outgoing hook may take.
const hookTimeout = 10 * time.Second

// openHooks opens the engine of outgoing hooks, which serve starts.
func (b *box) openHooks(cfg config.Config) error {
	var err error
	b.guard, err = netguard.New(netguard.Options{Allowed: cfg.Hooks.AllowedNetworks, OwnPorts: func() []int { return ports(b.cfg) }})
	if err != nil {
		return fmt.Errorf("hooks.allowed_networks: %w", err)
	}
	b.hooks, err = outhook.Open(filepath.Join(cfg.Server.DataDir, hooksFile), outhook.Options{Journal: b.seq, State: b.state,
		Client: b.guard.Client(hookTimeout), CommandTimeout: cfg.Hooks.CommandTimeout, Log: b.log,
		Post: func(ctx context.Context, h *record.Hook, room id.ID, text string, key [16]byte) error {
			return chat.PostByHook(ctx, b.seq, h, room, text, key)
		}})
	return err
}

// ports are those that this server listens on.
func ports(cfg config.Config) []int {
	var out []int
	for _, a := range slices.Concat([]string{cfg.Server.ListenLocal}, cfg.Server.Listen, cfg.Console.Listen) {
		if _, port, err := net.SplitHostPort(a); err == nil {
			if n, err := strconv.Atoi(port); err == nil {
				out = append(out, n)
			}
		}
	}
	return out
}

// restoreBase makes a missing state file from the base snapshot, if there is
// one: a journal whose first segments were released cannot be replayed from
// nothing. What the snapshot does not hold yet is replayed as always.
func restoreBase(dir string) error {
	to := filepath.Join(dir, stateFile)
	if _, err := os.Lstat(to); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	src, err := os.Open(filepath.Join(dir, baseFile))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := renameio.NewPendingFile(to, renameio.WithPermissions(0o600))
	if err != nil {
		return err
	}
	defer dst.Cleanup()
	if _, err := io.Copy(dst, src); err != nil {
		return err
	}
	return dst.CloseAtomicallyReplace()
}

// watchDisk turns the box read-only while the volume is nearly full, and back.
func (b *box) watchDisk() {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(b.cfg.Server.DataDir, &fs); err != nil {
		b.log.Warn("cannot see free space", "error", err)
		return
	}
	free := int64(fs.Bavail) * fs.Bsize
	switch was := b.seq.ReadOnly(); {
	case free < hardReserve && was == nil:
		b.log.Error("disk nearly full: nothing can be stored", "free_bytes", free, "needed_bytes", int64(hardReserve))
		b.seq.SetReadOnly(wire.Refusef(wire.Unavailable,
			"the disk of the server is full: messages can be read, not sent; free space in %[1]s", "服务器磁盘已满：可以阅读，不能发送；请在 %[1]s 清理空间", b.cfg.Server.DataDir))
	case free > hardReserve+hardReserve/8 && was != nil && !b.held.Load():
		b.log.Info("disk has room again", "free_bytes", free)
		b.seq.SetReadOnly(nil)
	}
}

// hold begins or ends a read-only time that a person wants.
func (b *box) hold(on bool) {
	b.held.Store(on)
	if on {
		b.seq.SetReadOnly(wire.Refuse(wire.Unavailable, "an operator has stopped the taking of messages: they can be read, not sent", "管理员已暂停接收消息：可以阅读，不能发送"))
		return
	}
	b.seq.SetReadOnly(nil)
	b.watchDisk() // a full disk stays read-only
}

// keep runs the box's own housekeeping until ctx ends.
func (b *box) keep(ctx context.Context) {
	disk := time.NewTicker(2 * time.Second)
	defer disk.Stop()
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-disk.C:
			b.watchDisk()
		case now := <-hourly.C:
			// A wall clock that jumped would end every session and empty the
			// bin: such an hour is left out.
			passed, wall := now.Sub(last), now.Round(0).Sub(last.Round(0))
			last = now
			if (wall - passed).Abs() > time.Hour {
				b.log.Warn("the clock was set: housekeeping waits an hour", "by", (wall - passed).String())
				continue
			}
			if err := b.sweep(ctx, time.Now()); err != nil && ctx.Err() == nil {
				b.log.Error("housekeeping", "error", err)
			}
		}
	}
}

// punctual does what the clock asks for, every second, until ctx ends:
// reminders of notices and scheduled messages.
func (b *box) punctual(ctx context.Context) {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	told := ""
	for {
		why := ""
		if err := b.chat.Due(ctx, time.Now()); err != nil && ctx.Err() == nil {
			why = err.Error()
		}
		if why != told && why != "" {
			b.log.Warn("what is due waits", "error", why)
		}
		told = why
		select {
		case <-ctx.Done():
			return
		case <-second.C:
		}
	}
}

// orphanAge is how long content without a file may lie there: an upload that
// is being finished has its content before its record.
const orphanAge = time.Hour

// thumbsBytes bounds the cache of thumbnails.
const thumbsBytes = 1 << 30

// sweep ends unused sessions, forgets unreferenced files and expired uploads,
// moves content nobody refers to into the bin, empties the bin, and releases
// old journal segments.
func (b *box) sweep(ctx context.Context, now time.Time) error {
	content, err := b.chat.Sweep(ctx)
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	var orphans []blob.Digest
	if err := b.blobs.List(ctx, func(d blob.Digest, _ int64, at time.Time) error {
		if _, used := content[d]; !used && now.Sub(at) > orphanAge {
			orphans = append(orphans, d)
		}
		return nil
	}); err != nil {
		return fmt.Errorf("list content: %w", err)
	}
	for _, d := range orphans {
		binned, err := b.blobs.Clear(d, func() bool { return !b.chat.Refers(d) })
		if err != nil {
			return fmt.Errorf("bin content: %w", err)
		}
		if binned {
			if err := b.thumbs.Forget(d.String()); err != nil {
				return fmt.Errorf("forget thumbnails: %w", err)
			}
		}
	}
	if _, _, err := b.thumbs.Trim(thumbsBytes); err != nil {
		return fmt.Errorf("trim thumbnails: %w", err)
	}
	if _, _, err := b.blobs.Sweep(now); err != nil {
		return fmt.Errorf("sweep uploads: %w", err)
	}
	if _, _, err := b.blobs.Empty(now.AddDate(0, 0, -b.live.Load().Files.BinDays)); err != nil {
		return fmt.Errorf("empty bin: %w", err)
	}
	return b.release(now)
}

// release removes sealed segments older than journal.retention_days. A base
// snapshot of state that stands past them is made first, so that verify can
// still begin somewhere.
func (b *box) release(now time.Time) error {
	days := b.live.Load().Journal.RetentionDays
	if days == 0 {
		return nil
	}
	old := now.AddDate(0, 0, -days)
	flushed := b.state.Flushed()
	due := false
	for _, s := range b.journal.Segments() {
		due = due || s.Sealed && s.Last <= flushed && s.Created < old.UnixMilli()
	}
	if !due || b.seq.ReadOnly() != nil {
		return nil
	}
	at, err := b.state.Snapshot(filepath.Join(b.cfg.Server.DataDir, baseFile))
	if err != nil {
		return fmt.Errorf("make base snapshot: %w", err)
	}
	gone, err := b.journal.Release(at, old)
	if err != nil {
		return fmt.Errorf("release segments: %w", err)
	}
	for _, s := range gone {
		b.log.Info("journal segment released", "segment", s.Name, "last", s.Last)
	}
	return nil
}

// close stops the sequencer, flushes state and closes everything, in the
// reverse order of openBox.
func (b *box) close(ctx context.Context) error {
	var searching, hooks error
	if b.search != nil {
		searching = b.search.Close(ctx)
	}
	if b.hooks != nil {
		hooks = b.hooks.Close()
	}
	err := b.seq.Close(ctx)
	if err != nil || b.seq.Failed() != nil {
		b.state.Abandon()
	} else {
		err = errors.Join(err, b.state.Close())
	}
	b.thumbs.Close()
	return errors.Join(searching, hooks, err, b.journal.Close())
}

// abandon closes what openBox had opened before it met an error.
func (b *box) abandon() {
	if b.search != nil {
		_ = b.search.Close(context.Background())
	}
	if b.hooks != nil {
		_ = b.hooks.Close()
	}
	if b.seq != nil {
		_ = b.seq.Close(context.Background())
	}
	if b.thumbs != nil {
		b.thumbs.Close()
	}
	if b.journal != nil {
		_ = b.journal.Close()
	}
	if b.state != nil {
		b.state.Abandon()
	}
}
