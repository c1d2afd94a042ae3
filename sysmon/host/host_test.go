package host

import (
	"bytes"
	"fmt"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// sample is what a scrape sees: figures by name and labels.
type sample map[string]float64

func take(t testing.TB, h *Host) sample {
	t.Helper()
	var b bytes.Buffer
	h.Write(&b)
	return parse(t, b.String())
}

func parse(t testing.TB, text string) sample {
	t.Helper()
	s := sample{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		i := strings.LastIndexByte(line, ' ')
		v, err := strconv.ParseFloat(line[i+1:], 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if _, twice := s[line[:i]]; twice {
			t.Errorf("%s is there twice", line[:i])
		}
		s[line[:i]] = v
	}
	return s
}

func (s sample) get(t testing.TB, name string) float64 {
	t.Helper()
	v, ok := s[name]
	if !ok {
		t.Fatalf("%s is missing", name)
	}
	return v
}

func command(t *testing.T, name string, args ...string) [][]string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Env = append(os.Environ(), "LC_ALL=C")
	raw, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var out [][]string
	for line := range strings.Lines(string(raw)) {
		out = append(out, strings.Fields(line))
	}
	return out
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestMemoryIsWhatFreeSays(t *testing.T) {
	s := take(t, New(Options{}))
	said := command(t, "free", "-b")[1] // Mem: total used free shared buff/cache available
	total, available := number(t, said[1]), number(t, said[6])
	if got := s.get(t, "node_memory_MemTotal_bytes"); got != total {
		t.Errorf("total %v, free says %v", got, total)
	}
	if got := s.get(t, "node_memory_MemAvailable_bytes"); math.Abs(got-available) > total/100 {
		t.Errorf("available %v, free says %v", got, available)
	}
}

func TestSpaceIsWhatDfSays(t *testing.T) {
	dir := t.TempDir()
	h := New(Options{DataDir: dir})
	s := take(t, h)
	mounts, err := h.Mounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	marked := 0
	for _, m := range mounts {
		if !m.HoldsData {
			continue
		}
		marked++
		labels := fmt.Sprintf(`{device=%q,fstype=%q,mountpoint=%q}`, m.Device, m.Type, m.Path)
		said := command(t, "df", "-B1", "--output=size,avail,itotal,iavail", dir)[1]
		for i, name := range []string{"size_bytes", "avail_bytes", "files", "files_free"} {
			want := number(t, said[i])
			if got := s.get(t, "node_filesystem_"+name+labels); math.Abs(got-want) > want/100 {
				t.Errorf("%s: %v, df says %v", name, got, want)
			}
		}
		if got := s.get(t, fmt.Sprintf(`posthouse_data_disk_info{device=%q,disk=%q,mountpoint=%q}`, m.Device, m.Disk, m.Path)); got != 1 {
			t.Errorf("the mount of the data is not marked: %v", got)
		}
		if m.Disk != "" {
			s.get(t, fmt.Sprintf(`node_disk_io_time_seconds_total{device=%q}`, m.Disk))
		}
	}
	if marked != 1 {
		t.Errorf("%d mounts hold the data: %+v", marked, mounts)
	}
	for name := range s {
		if strings.HasPrefix(name, "node_filesystem_") && regexp.MustCompile(`mountpoint="/(proc|sys|dev)[/"]`).MatchString(name) {
			t.Errorf("%s is no filesystem that holds files", name)
		}
	}
}

// busy is the share of all cores that was not idle between two samples.
func busy(t *testing.T, a, b sample) float64 {
	var idle, all float64
	for name, v := range b {
		if !strings.HasPrefix(name, "node_cpu_seconds_total") {
			continue
		}
		d := v - a.get(t, name)
		all += d
		if strings.Contains(name, `mode="idle"`) || strings.Contains(name, `mode="iowait"`) {
			idle += d
		}
	}
	return 100 * (1 - idle/all)
}

// TestABurnIsSeen compares with the first line of /proc/stat, which top uses.
func TestABurnIsSeen(t *testing.T) {
	h := New(Options{})
	kernel := func() (idle, all float64) {
		raw, err := os.ReadFile("/proc/stat")
		if err != nil {
			t.Fatal(err)
		}
		f := strings.Fields(strings.SplitN(string(raw), "\n", 2)[0])
		for i, v := range f[1:9] {
			all += number(t, v)
			if i == 3 || i == 4 {
				idle += number(t, v)
			}
		}
		return idle, all
	}
	idle1, all1 := kernel()
	a := take(t, h)
	own := a.get(t, "process_cpu_seconds_total")
	for start := burnt(t); burnt(t) < start+time.Second; { //nolint:revive // the burn, of a second however busy the machine is
	}
	b := take(t, h)
	idle2, all2 := kernel()
	want, got := 100*(1-(idle2-idle1)/(all2-all1)), busy(t, a, b)
	if math.Abs(want-got) > 5 {
		t.Errorf("busy %.1f %%, the kernel says %.1f %%", got, want)
	}
	if seen := b.get(t, "process_cpu_seconds_total") - own; seen < 0.9 {
		t.Errorf("the program burnt a second of CPU, and %.2f are seen", seen)
	}
}

// burnt is the CPU time of this process.
func burnt(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestPromtoolAccepts lints as node_exporter itself does, whose names for
// memory and netstat promtool does not like.
func TestPromtoolAccepts(t *testing.T) {
	h := New(Options{DataDir: t.TempDir(), Version: "1.2.3"})
	if err := h.Start(); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	h.Write(&b)
	for line := range strings.Lines(b.String()) {
		if name, ok := strings.CutPrefix(line, "# HELP "); ok && len(strings.Fields(name)) < 2 {
			t.Errorf("a family is not described: %s", line)
		}
	}
	c := exec.Command("promtool", "check", "metrics")
	c.Stdin = bytes.NewReader(b.Bytes())
	out, err := c.CombinedOutput()
	if len(out) == 0 && err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if !regexp.MustCompile(`^node_(memory|netstat)_`).MatchString(line) {
			t.Errorf("promtool: %s", line)
		}
	}
}

func TestLabelsAreThoseDescribed(t *testing.T) {
	described := map[string][]string{}
	for _, f := range New(Options{}).Families() {
		described[f.Name] = f.Labels
	}
	for series := range take(t, New(Options{DataDir: t.TempDir(), Version: "1"})) {
		name, rest, _ := strings.Cut(series, "{")
		var labels []string
		for _, m := range regexp.MustCompile(`([a-z_]+)="(?:[^"\\]|\\.)*"`).FindAllStringSubmatch(rest, -1) {
			labels = append(labels, m[1])
		}
		name = strings.TrimSuffix(strings.TrimSuffix(name, "_count"), "_sum")
		if want, ok := described[name]; !ok || !slices.Equal(labels, want) && len(labels) > 0 {
			t.Errorf("%s has the labels %v, described are %v", name, labels, want)
		}
	}
}

func TestEveryFamilyIsDescribedInBothLanguages(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range New(Options{}).Families() {
		for _, w := range []string{f.Help.EN, f.Help.ZH, f.Normal.EN, f.Normal.ZH, f.Action.EN, f.Action.ZH, f.Source, f.Type} {
			if w == "" {
				t.Errorf("%s: a text is missing", f.Name)
			}
		}
		if seen[f.Name] {
			t.Errorf("%s is described twice", f.Name)
		}
		seen[f.Name] = true
	}
}

func TestNetworkCountsATransfer(t *testing.T) {
	h := New(Options{})
	a := take(t, h)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const size = 20 << 20
	go func() {
		c, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			_, _ = c.Write(make([]byte, size))
			_ = c.Close()
		}
	}()
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var got int
	for buf := make([]byte, 1<<16); ; {
		n, err := c.Read(buf)
		got += n
		if err != nil {
			break
		}
	}
	b := take(t, h)
	seen := b.get(t, `node_network_receive_bytes_total{device="lo"}`) - a.get(t, `node_network_receive_bytes_total{device="lo"}`)
	if got != size || seen < size {
		t.Errorf("%d of %d bytes arrived, the card saw %.0f", got, size, seen)
	}
	if b.get(t, `node_network_receive_packets_total{device="lo"}`) <= a.get(t, `node_network_receive_packets_total{device="lo"}`) {
		t.Error("no packets are seen")
	}
}

func TestTCPStates(t *testing.T) {
	before, err := tcpByNetlink()
	if err != nil {
		t.Fatal(err)
	}
	const many = 60
	for range many {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	const listen = 10
	after, err := tcpByNetlink()
	if err != nil {
		t.Fatal(err)
	}
	if d := after[listen] - before[listen]; d < many-20 || d > many+20 {
		t.Errorf("%d more listen by netlink, want about %d", d, many)
	}
	file, err := New(Options{}).tcpByFile()
	if err != nil {
		t.Fatal(err)
	}
	if d := file[listen] - after[listen]; d < -20 || d > 20 {
		t.Errorf("%d listen by file, %d by netlink", file[listen], after[listen])
	}
	if n := take(t, New(Options{})).get(t, `node_tcp_connection_states{state="listen"}`); n < many {
		t.Errorf("%v listen", n)
	}
}

func TestOwnProcess(t *testing.T) {
	h := New(Options{Version: "1.2.3"})
	a := take(t, h)
	var files []*os.File
	for range 50 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files = append(files, f)
	}
	b := take(t, h)
	if d := b.get(t, "process_open_fds") - a.get(t, "process_open_fds"); d < 40 || d > 60 {
		t.Errorf("%v more descriptors are open, want about %d", d, len(files))
	}
	st, err := os.Stat("/proc/self")
	if err != nil {
		t.Fatal(err)
	}
	if started := b.get(t, "process_start_time_seconds"); math.Abs(started-float64(st.ModTime().Unix())) > 300 || started > float64(time.Now().Unix()+1) {
		t.Errorf("started at %v", started)
	}
	if b.get(t, "go_goroutines") < 2 || b.get(t, "process_resident_memory_bytes") < 1<<20 || b.get(t, "go_memstats_heap_alloc_bytes") < 1000 {
		t.Errorf("the own process is too small: %v", b)
	}
	found := false
	for name := range b {
		found = found || strings.HasPrefix(name, "posthouse_build_info{") && strings.Contains(name, `version="1.2.3"`)
	}
	if !found {
		t.Error("the build is not told")
	}
}

func write(t *testing.T, root string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestControlGroups(t *testing.T) {
	two := t.TempDir()
	write(t, two, map[string]string{
		"proc/self/cgroup": "0::/system.slice/posthouse.service\n",
		"sys/fs/cgroup/system.slice/posthouse.service/memory.max":     "max\n",
		"sys/fs/cgroup/system.slice/posthouse.service/memory.current": "1048576\n",
		"sys/fs/cgroup/system.slice/posthouse.service/cpu.max":        "150000 100000\n",
		"sys/fs/cgroup/system.slice/memory.max":                       "536870912\n",
		"sys/fs/cgroup/system.slice/cpu.max":                          "max 100000\n",
	})
	one := t.TempDir()
	write(t, one, map[string]string{
		"proc/self/cgroup": "4:memory:/a\n2:cpu,cpuacct:/a\n1:name=systemd:/\n",
		"sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9223372036854771712\n",
		"sys/fs/cgroup/memory/a/memory.usage_in_bytes": "4096\n",
		"sys/fs/cgroup/memory/memory.limit_in_bytes":   "268435456\n",
		"sys/fs/cgroup/cpu/a/cpu.cfs_quota_us":         "50000\n",
		"sys/fs/cgroup/cpu/a/cpu.cfs_period_us":        "100000\n",
		"sys/fs/cgroup/cpu/cpu.cfs_quota_us":           "-1\n",
		"sys/fs/cgroup/cpu/cpu.cfs_period_us":          "100000\n",
	})
	for _, c := range []struct {
		root string
		want Limits
	}{{two, Limits{MemoryLimit: 512 << 20, MemoryUsage: 1 << 20, Cores: 1.5}}, {one, Limits{MemoryLimit: 256 << 20, MemoryUsage: 4096, Cores: 0.5}}} {
		h := New(Options{proc: filepath.Join(c.root, "proc"), sys: filepath.Join(c.root, "sys"), etc: c.root})
		if got, err := h.cgroup(); err != nil || got != c.want {
			t.Errorf("%+v, %v, want %+v", got, err, c.want)
		}
	}
}

func TestSensors(t *testing.T) {
	root := t.TempDir()
	write(t, root, map[string]string{
		"sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_input": "48000\n",
		"sys/devices/platform/coretemp.0/hwmon/hwmon0/temp1_crit":  "100000\n",
		"sys/devices/platform/coretemp.0/hwmon/hwmon0/name":        "coretemp\n",
		"sys/bus/platform/uevent":                                  "",
		"sys/class/thermal/thermal_zone0/type":                     "x86_pkg_temp\n",
		"sys/class/thermal/thermal_zone0/temp":                     "47500\n",
		"sys/class/hwmon/.keep":                                    "",
	})
	link := func(to, at string) {
		if err := os.Symlink(filepath.Join(root, to), filepath.Join(root, at)); err != nil {
			t.Fatal(err)
		}
	}
	link("sys/bus/platform", "sys/devices/platform/coretemp.0/subsystem")
	link("sys/devices/platform/coretemp.0", "sys/devices/platform/coretemp.0/hwmon/hwmon0/device")
	link("sys/devices/platform/coretemp.0/hwmon/hwmon0", "sys/class/hwmon/hwmon0")
	h := New(Options{proc: "/proc", sys: filepath.Join(root, "sys"), etc: "/etc"})
	s := take(t, h)
	if got := s.get(t, `node_hwmon_temp_celsius{chip="platform_coretemp_0",sensor="temp1"}`); got != 48 {
		t.Errorf("%v degrees", got)
	}
	if got := s.get(t, `node_thermal_zone_temp{type="x86_pkg_temp",zone="0"}`); got != 47.5 {
		t.Errorf("%v degrees", got)
	}
}

func TestAnUncleanEndIsToldForAnHour(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	o := Options{DataDir: dir, Now: func() time.Time { return now }}
	run := func() *Host {
		h := New(o)
		if err := h.Start(); err != nil {
			t.Fatal(err)
		}
		return h
	}
	first := run()
	if take(t, first).get(t, "posthouse_unclean_shutdown") != 0 {
		t.Error("the first start is told as unclean")
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	second := run() // and is not stopped
	if take(t, second).get(t, "posthouse_unclean_shutdown") != 0 {
		t.Error("a clean end is told as unclean")
	}
	now = now.Add(10 * time.Minute)
	seen := now
	take(t, second)
	third := run()
	s := take(t, third)
	if s.get(t, "posthouse_unclean_shutdown") != 1 || s.get(t, "posthouse_unclean_shutdown_last_seen_timestamp_seconds") != float64(seen.Unix()) {
		t.Error("the unclean end is not told")
	}
	now = now.Add(61 * time.Minute)
	if take(t, third).get(t, "posthouse_unclean_shutdown") != 0 {
		t.Error("the unclean end is told after an hour")
	}
}

func TestAClockThatIsSetIsSeen(t *testing.T) {
	var c clockSteps
	start := time.Now()
	for _, at := range []struct {
		wall, mono, want time.Duration
	}{{0, 0, 0}, {15 * time.Second, 15 * time.Second, 0}, {time.Hour + 30*time.Second, 30 * time.Second, time.Hour}, {45 * time.Second, 45 * time.Second, -time.Hour}} {
		if d := c.step(start.Add(at.wall), at.mono); d != at.want {
			t.Errorf("the clock stepped %v, want %v", d, at.want)
		}
	}
	if d := take(t, New(Options{})).get(t, "posthouse_clock_step_seconds"); d != 0 {
		t.Errorf("the first sample tells a step of %v s", d)
	}
}

func TestGatewayAndNameServers(t *testing.T) {
	root := t.TempDir()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			buf[2] |= 0x80 // an answer
			buf[3] |= 5    // that refuses
			_, _ = server.WriteTo(buf[:n], from)
		}
	}()
	if err := askDNS(t.Context(), server.LocalAddr().String(), 20*time.Second); err != nil {
		t.Errorf("a server that refuses is there: %v", err)
	}
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if err := askDNS(t.Context(), silent.LocalAddr().String(), 200*time.Millisecond); err == nil {
		t.Error("a silent server is told as there")
	}
	write(t, root, map[string]string{
		"net/route": "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\nlo\t00000000\t0100007F\t0003\t0\t0\t0\t00000000\n",
		"net/arp":   "IP address HW type Flags HW address Mask Device\n",
	})
	h := New(Options{proc: root, sys: "/sys", etc: root})
	addr, card, err := h.gateway()
	if err != nil || addr.String() != "127.0.0.1" || card != "lo" {
		t.Fatalf("%v %v %v", addr, card, err)
	}
	if !h.answers(t.Context(), addr) { // nothing listens on port 53 here, or something does: both are answers
		t.Error("this machine does not answer itself")
	}
	write(t, root, map[string]string{"net/arp": "IP address HW type Flags HW address Mask Device\n127.0.0.1 0x1 0x0 00:00:00:00:00:00 * lo\n"})
	if _, valid := h.neighbour(addr); valid {
		t.Error("a neighbour that did not answer counts as there")
	}
}

// BenchmarkSample tells the CPU time of a sample, which is what the budget is of.
func BenchmarkSample(b *testing.B) {
	h := New(Options{DataDir: b.TempDir()})
	take(b, h)
	cpu := func() float64 {
		var ru unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &ru); err != nil {
			b.Fatal(err)
		}
		return seconds(ru.Utime) + seconds(ru.Stime)
	}
	begun := cpu()
	for b.Loop() {
		h.Write(discard{})
	}
	b.ReportMetric((cpu()-begun)*1000/float64(b.N), "cpu-ms/op")
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
