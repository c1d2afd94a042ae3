package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"posthouse/admin"
	"posthouse/appliance/config"
	"posthouse/appliance/gate"
	"posthouse/appliance/lancert"
	"posthouse/sysmon"
	"posthouse/webui"
)

func (a *app) serveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: a.say.of("Run the server", "运行服务器"),
		Args:  a.takes(),
	}
	measured := measuredFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cfg, _, err := a.config()
		if err != nil {
			return err
		}
		return measured.around(cmd.Context(), func() error {
			return a.serve(cmd.Context(), cfg, cmd.OutOrStdout(), cmd.ErrOrStderr())
		})
	}
	return cmd
}

// drainTime is how long a stopping server waits for its clients to take what
// waits for them.
const drainTime = 8 * time.Second

// server is a box with its doors open.
type server struct {
	*box
	cfg          config.Config
	gate         *gate.Gate
	level        *slog.LevelVar
	reloads      atomic.Int64   // times the configuration was looked at again
	cert         lancert.Source // nil without https
	local        net.Listener
	lanMu        sync.Mutex // guards lans once the doors are open
	lans         []net.Listener
	sock         net.Listener
	consoles     []net.Listener // of the console alone
	console      *admin.Admin
	watch        *sysmon.Watch // nil: nothing is watched
	alertChanges atomic.Uint64 // in the lists of alerts
	figuresSent  sending       // answers of the query API on their way
	began        time.Time
	room         *operators                                    // of those who mind the box; nil when nothing watches it
	recent       *recentLog                                    // last lines of the log
	profiles     *profiles                                     // kept for who looks into a fault
	supporting   sync.Mutex                                    // one support bundle at a time
	reloadMu     sync.Mutex                                    // one reload at a time
	before       atomic.Pointer[config.Config]                 // as it was before the last reload; nil: there was none
	booted       config.Config                                 // as it was read at the start
	read         func() (config.Config, config.Sources, error) // what the next start would take
	file         string                                        // that is read; empty: there is none
	setting      sync.Mutex                                    // one change of setupFile at a time
	reloaded     atomic.Pointer[reloaded]                      // what came of the last reload; nil: there was none
	loops        sync.WaitGroup                                // keep and punctual
}

// serve is the wiring, in order: certificate, box, gate, listeners. It returns
// when ctx ends or the store fails.
func (a *app) serve(ctx context.Context, cfg config.Config, out, errOut io.Writer) error {
	recent := &recentLog{}
	log, level := logger(cfg, io.MultiWriter(errOut, recent))
	s := &server{cfg: cfg, booted: cfg, read: a.config, file: a.configFile(), level: level, began: time.Now(), recent: recent,
		profiles: &profiles{dir: filepath.Join(cfg.Server.DataDir, watchDir, "profiles")}}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	boss := newSupervisor(a.lookup, os.Getpid(), log)
	started := boss.starting(ctx)
	var err error
	if s.box, err = openBox(cfg, log, s.fillStatus); err != nil {
		started("")
		boss.end(err.Error())
		return fmt.Errorf("%s: %w", a.say.of("cannot start", "无法启动"), err)
	}
	err = s.open(ctx, log)
	if err == nil {
		started("serving " + baseURL(s.cfg))
		s.loops.Go(func() { boss.watch(ctx, s.cfg.Server.Socket) })
		s.hooks.Start()
		if err := s.noteStart(ctx, cfg); err != nil {
			log.Warn("what changed since the last start is not noted", "error", err)
		}
		s.loops.Go(func() { s.keep(ctx) })
		s.loops.Go(func() { s.punctual(ctx) })
		s.loops.Go(func() { s.stock(ctx) })
		if s.watch != nil {
			s.loops.Go(func() { s.room.follow(ctx) })
		}
		a.greet(out, s)
		if a.ready != nil {
			a.ready(s)
		}
		err = s.wait(ctx, s.read, log)
		stop()
		s.loops.Wait()
	} else {
		started("")
	}
	if err != nil {
		boss.end(err.Error())
	} else {
		boss.end("stopping")
	}
	return errors.Join(err, s.shut(log))
}

// open makes the gate and its listeners.
func (s *server) open(ctx context.Context, log *slog.Logger) error {
	var err error
	opt := gate.Options{Service: s.chat, Limits: gateLimits(s.cfg), Logger: log, Version: version(), Heartbeat: s.cfg.Session.Heartbeat,
		AllowedHosts: s.allowedHost, TrustedProxies: s.cfg.Server.Proxies(), Blobs: s.blobs, Thumbnails: s.thumbs,
		Meter: s.figures.meter, Operations: s.figures.ops, Faults: s.figures.faults}
	if len(s.cfg.Server.Listen) > 0 {
		if s.cert, err = openCertificate(s.cfg, log); err != nil {
			return err
		}
		opt.TLSConfig = s.cert.TLSConfig()
		go s.cert.Run(ctx)
	}
	opt.Static = static(s.cert, s.cfg.Server.Language, s.cfg.Server.OfflinePages)
	opt.Missing = func(lang string) []byte { return webui.ErrorPage(lang, 404, "", "") }
	opt.Mounts = s.mounts()
	if s.gate, err = gate.New(opt); err != nil {
		return err
	}
	s.measureCaches()
	if err := s.bind(); err != nil {
		return err
	}
	s.openWatch(log)
	s.console = admin.New(s.consoleOptions())
	for _, ln := range s.lans {
		go s.accept(ln, gate.TLS, log)
	}
	for _, ln := range s.consoles {
		go s.acceptWith(s.gate.ServeApart, ln, gate.TLS, log)
	}
	if s.local != nil {
		go s.accept(s.local, gate.LocalHTTP, log)
	}
	go s.accept(s.sock, gate.Unix, log)
	return nil
}

// mounts are the parts of the address space that are not the chat's own.
func (s *server) mounts() []gate.Mount {
	return append([]gate.Mount{s.consoleMount(), s.metricsMount(), s.foreignMount(), s.reportsMount()}, s.apiMounts()...)
}

// bind opens the listeners. Port 0 is any free one: from then on the
// configuration names the one that was found. Nobody is served yet.
func (s *server) bind() error {
	s.cfg.Server.Listen = slices.Clone(s.cfg.Server.Listen)
	for i, addr := range s.cfg.Server.Listen {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return fmt.Errorf("listen for https (server.listen): %w", err)
		}
		s.lans = append(s.lans, ln)
		s.cfg.Server.Listen[i] = bound(addr, ln)
	}
	var err error
	if addr := s.cfg.Server.ListenLocal; addr != "" {
		if s.local, err = net.Listen("tcp", addr); err != nil {
			return fmt.Errorf("listen for local http (server.listen_local): %w", err)
		}
		s.cfg.Server.ListenLocal = bound(addr, s.local)
	}
	if err := s.bindConsole(); err != nil {
		return err
	}
	s.box.cfg = s.cfg
	if s.sock, err = listenSocket(s.cfg.Server.Socket); err != nil {
		return fmt.Errorf("listen for the command line: %w", err)
	}
	return nil
}

// bound is a configured address with the port that was found for port 0.
func bound(addr string, ln net.Listener) string {
	if _, port, err := net.SplitHostPort(addr); err == nil && port == "0" {
		return ln.Addr().String()
	}
	return addr
}

// listenSocket replaces a socket that a killed server left behind: the lock on
// the data directory says that no other server is using it.
func listenSocket(path string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSocket != 0 {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	return ln, os.Chmod(path, 0o660)
}

func (s *server) accept(ln net.Listener, kind gate.ListenerKind, log *slog.Logger) {
	s.acceptWith(s.gate.Serve, ln, kind, log)
}

func (s *server) acceptWith(serve func(net.Listener, gate.ListenerKind) error, ln net.Listener, kind gate.ListenerKind, log *slog.Logger) {
	if err := serve(ln, kind); err != nil && !errors.Is(err, net.ErrClosed) {
		log.Error("listener ended", "address", ln.Addr().String(), "error", err)
	}
}

// wait serves until ctx ends or the store fails. SIGHUP reads the configuration
// with read and looks at the certificate again.
func (s *server) wait(ctx context.Context, read func() (config.Config, config.Sources, error), log *slog.Logger) error {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	for {
		select {
		case <-ctx.Done():
			log.Info("stopping")
			return nil
		case err := <-s.fatal:
			log.Error("the store failed; nothing acknowledged is lost, a restart recovers it", "error", err)
			return &exit{exitStore, err}
		case <-hup:
			if next, _, err := read(); err != nil {
				log.Error("reload configuration: everything stays as it was", "error", err)
				s.reloaded.Store(&reloaded{refused: err})
			} else {
				s.reload(next, log)
				if err := s.noteReload(ctx, next); err != nil {
					log.Warn("what the reload changed is not noted", "error", err)
				}
			}
			s.reloads.Add(1)
			if s.cert != nil {
				if err := s.cert.Reload(); err != nil {
					log.Error("reload certificate", "error", err)
				}
			}
		}
	}
}

// reloaded is what came of a reload.
type reloaded struct {
	waiting []string // keys that wait for the next start
	refused error    // the configuration is wrong, and the one before holds
}

// reload takes over the keys that may change while the server runs, and names
// those that wait for the next start.
func (s *server) reload(next config.Config, log *slog.Logger) {
	s.reloadMu.Lock()
	defer s.reloadMu.Unlock()
	was := s.live.Load()
	now, waiting := config.Changed(*was, next)
	if len(now) > 0 {
		s.before.Store(was)
	}
	_ = s.level.UnmarshalText([]byte(next.Log.Level)) // checked when it was read
	s.retune(next)
	s.gate.Retune(gateLimits(next))
	_, open := config.Changed(s.booted, next)
	s.reloaded.Store(&reloaded{waiting: open})
	log.Info("configuration reloaded", "changed", now, "after_restart", waiting)
}

// shut closes the doors before the box.
func (s *server) shut(log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	var err error
	if s.console != nil {
		s.console.Close()
	}
	if s.gate != nil {
		if s.seq.Failed() == nil {
			if derr := s.gate.Drain(ctx); derr != nil {
				log.Warn("drain", "error", derr)
			}
		}
		err = s.gate.Close()
	}
	s.lanMu.Lock()
	defer s.lanMu.Unlock()
	for _, ln := range append(append(s.lans, s.consoles...), s.local, s.sock) {
		if ln != nil {
			_ = ln.Close()
		}
	}
	if s.watch != nil {
		if werr := s.watch.Close(); werr != nil {
			log.Warn("end of watching", "error", werr)
		}
	}
	closing, done := context.WithTimeout(context.Background(), 30*time.Second)
	defer done()
	return errors.Join(err, s.close(closing))
}

func openCertificate(cfg config.Config, log *slog.Logger) (lancert.Source, error) {
	opt := lancert.Options{HostName: cfg.Server.HostName, ExtraNames: cfg.TLS.ExtraNames, ExtraZones: cfg.TLS.ExtraZones,
		Organisation: cfg.Server.Organisation, LeafDays: cfg.TLS.LeafDays, Log: log}
	if cfg.TLS.Mode == "files" {
		return lancert.Files(cfg.TLS.CertFile, cfg.TLS.KeyFile, opt)
	}
	return lancert.Open(filepath.Join(cfg.Server.DataDir, certDir), opt)
}

// allowedHost are the names this server answers to.
func (s *server) allowedHost(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	names := append([]string{s.cfg.Server.HostName, "localhost"}, s.cfg.TLS.ExtraNames...)
	if slices.ContainsFunc(names, func(n string) bool { return host == strings.ToLower(n) || host == strings.ToLower(n)+".local" }) {
		return true
	}
	return s.cert != nil && slices.Contains(s.cert.Status().Names, host)
}

// baseURL is where people open the chat.
func baseURL(cfg config.Config) string {
	if len(cfg.Server.Listen) == 0 {
		return localURL(cfg)
	}
	_, port, err := net.SplitHostPort(cfg.Server.Listen[0])
	if err != nil || port == "443" {
		return "https://" + cfg.Server.HostName
	}
	return "https://" + net.JoinHostPort(cfg.Server.HostName, port)
}

// addressURLs are where a device that does not know the host name opens the
// chat: the addresses that the certificate covers, where the first listener
// takes them all. At most three.
func addressURLs(listen, covered []string) []string {
	var out []string
	for _, text := range covered {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.IsLoopback() || len(listen) == 0 || len(out) == 3 {
			continue
		}
		host, port, err := net.SplitHostPort(listen[0])
		if err != nil || host != "" && host != "0.0.0.0" && host != "::" || host == "0.0.0.0" && !addr.Is4() {
			continue
		}
		switch {
		case port != "443":
			out = append(out, "https://"+net.JoinHostPort(text, port))
		case addr.Is4():
			out = append(out, "https://"+text)
		default:
			out = append(out, "https://["+text+"]")
		}
	}
	return out
}

func localURL(cfg config.Config) string {
	if cfg.Server.ListenLocal == "" {
		return ""
	}
	return "http://" + cfg.Server.ListenLocal
}

// greet tells where to go, and the way in of the first owner.
func (a *app) greet(out io.Writer, s *server) {
	fmt.Fprintln(out, a.say.of("Posthouse is running.", "驿站已启动。"))
	if s.cert != nil {
		fmt.Fprintf(out, "  %s %s\n", a.say.of("on the LAN:     ", "局域网地址：  "), baseURL(s.cfg))
		st := s.cert.Status()
		for _, u := range addressURLs(s.cfg.Server.Listen, st.Addresses) {
			fmt.Fprintf(out, "  %s %s\n", a.say.of("or by address:  ", "或直接用地址："), u)
		}
		if st.Source == "local-ca" {
			fmt.Fprintf(out, "  %s %s\n", a.say.of("CA fingerprint: ", "CA 指纹：     "), st.Fingerprint)
			fmt.Fprintf(out, "  %s %s%s\n", a.say.of("to trust it:    ", "信任证书：    "), baseURL(s.cfg)+"/ca.crt",
				a.say.of(" (browsers warn until a device does; Settings in the chat says how)", "（设备信任之前浏览器会警告，聊天的“设置”中有说明）"))
		}
	}
	fmt.Fprintf(out, "  %s %s\n", a.say.of("console:        ", "控制台：      "), s.consoleURL())
	if s.local != nil {
		fmt.Fprintf(out, "  %s %s\n", a.say.of("on this machine:", "本机地址：    "), localURL(s.cfg))
	}
	if link := s.chat.SetupURL(); link != "" {
		fmt.Fprintf(out, "\n%s\n  %s\n", a.say.of("Nobody has an account yet. Open this link within an hour; the first person through it becomes the owner:",
			"还没有任何账号。请在一小时内打开此链接，第一个打开的人成为所有者："), link)
		if s.local != nil && s.cert != nil {
			_, secret, _ := strings.Cut(link, "/#/")
			fmt.Fprintf(out, "  %s\n", localURL(s.cfg)+"/#/"+secret)
		}
	}
}

// logger writes to w; its level can be changed while it is used.
func logger(cfg config.Config, w io.Writer) (*slog.Logger, *slog.LevelVar) {
	level := new(slog.LevelVar)
	if err := level.UnmarshalText([]byte(cfg.Log.Level)); err != nil {
		level.Set(slog.LevelInfo)
	}
	opt := &slog.HandlerOptions{Level: level}
	if cfg.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, opt)), level
	}
	return slog.New(slog.NewTextHandler(w, opt)), level
}

func gateLimits(cfg config.Config) gate.Limits {
	l := cfg.Limits
	g := gate.DefaultLimits()
	g.HeaderBytes, g.BodyBytes, g.FrameBytes = int(l.HeaderBytes), int(l.BodyBytes), int(l.FrameBytes)
	g.Connections, g.ConnectionsPerAddress, g.SocketsPerUser = l.Connections, l.ConnectionsPerAddress, l.SocketsPerUser
	g.QueueFrames, g.QueueBytes = l.QueueFrames, int(l.QueueBytes)
	g.AuthTimeout = cfg.Session.LoginWait
	g.Post = gate.Rate{PerSecond: float64(l.MessagesPerSecond), Burst: float64(l.MessagesBurst)}
	g.Query = gate.Rate{PerSecond: float64(l.RequestsPerSecond), Burst: float64(l.RequestsBurst)}
	g.Frames = gate.Rate{PerSecond: max(g.Frames.PerSecond, 4*float64(l.RequestsPerSecond+l.MessagesPerSecond)), Burst: max(g.Frames.Burst, 4*float64(l.RequestsBurst+l.MessagesBurst))}
	g.Connect = gate.Rate{PerSecond: max(g.Connect.PerSecond, float64(l.ConnectionsPerAddress)/20), Burst: max(g.Connect.Burst, float64(l.ConnectionsPerAddress))}
	return g
}
