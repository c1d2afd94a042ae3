package main

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"
)

// Names inside the data directory of what watches the box.
const (
	watchDir         = "watch"
	metricsTokenFile = "metrics.token" // below watchDir: one line, read by the operator alone
)

func (a *app) metricsCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "metrics", Short: a.say.of("Let another Prometheus or Grafana read the figures", "让其他 Prometheus 或 Grafana 读取数据")}
	token := &cobra.Command{
		Use:   "token",
		Short: a.say.of("Print the token for /metrics, /federate and the query API", "显示 /metrics、/federate 和查询接口的令牌"),
		Long: a.say.of("Print the token for /metrics, /federate and the query API; the first call makes it. Send it as \"Authorization: Bearer TOKEN\". Addresses in watch.metrics_networks need none.",
			"显示 /metrics、/federate 和查询接口的令牌；首次调用时生成。请求时写作“Authorization: Bearer 令牌”。watch.metrics_networks 中的地址无需令牌。"),
		Args: a.takes(),
	}
	fresh := token.Flags().Bool("new", false, a.say.of("make another one; the one before ends at once", "重新生成；旧令牌立即失效"))
	token.RunE = func(cmd *cobra.Command, _ []string) error {
		dir, err := a.dataDir(nil)
		if err != nil {
			return err
		}
		text, err := metricsToken(dir, *fresh)
		if err == nil {
			err = giveBack(dir)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", a.say.of("cannot keep the token", "无法保存令牌"), err)
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), text)
		return err
	}
	cmd.AddCommand(token)
	return cmd
}

// metricsToken reads the token, or makes it: 160 random bits in base 32.
func metricsToken(dataDir string, fresh bool) (string, error) {
	path := filepath.Join(dataDir, watchDir, metricsTokenFile)
	if !fresh {
		text, err := os.ReadFile(path)
		if err == nil && len(strings.TrimSpace(string(text))) >= 32 {
			return strings.TrimSpace(string(text)), nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	var b [20]byte
	_, _ = rand.Read(b[:]) // never fails
	text := strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
	return text, renameio.WriteFile(path, []byte(text+"\n"), 0o600)
}

// metricsDoor says who may read the figures: some networks, and whoever has the
// token. The token's file is looked at again when it has changed.
type metricsDoor struct {
	dataDir  string
	networks []netip.Prefix

	mu    sync.Mutex
	token string
	seen  time.Time // the file's time of change
}

// lets is safe for use by many goroutines. The answer takes the same time for
// every wrong token of one length.
func (d *metricsDoor) lets(from netip.Addr, authorization string) bool {
	for _, n := range d.networks {
		if n.Contains(from.Unmap()) {
			return true
		}
	}
	scheme, given, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "Bearer") || given == "" {
		return false
	}
	want := d.current()
	return want != "" && subtle.ConstantTimeCompare([]byte(given), []byte(want)) == 1
}

func (d *metricsDoor) current() string {
	path := filepath.Join(d.dataDir, watchDir, metricsTokenFile)
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !info.ModTime().Equal(d.seen) {
		text, err := os.ReadFile(path)
		if err != nil {
			return ""
		}
		d.token, d.seen = strings.TrimSpace(string(text)), info.ModTime()
	}
	return d.token
}
