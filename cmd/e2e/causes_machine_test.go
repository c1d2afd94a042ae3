package e2e

import (
	"bytes"
	endian "encoding/binary"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// machineStage is a machine that is overworked. Its processors really are, by
// processes of the lowest priority, and its disks really are full. Memory that
// runs out, swapping, heat and a broken network card would take the other tests
// along, the load is an average of five minutes, and the clock belongs to
// everybody: of those the kernel's files, or its answer, are others.
func machineStage() stage {
	m := &machine{}
	return stage{name: "machine", factor: 60, prepare: m.build, lines: []caused{
		{alert: "HighCPUUsage", cause: m.burn, mend: nothing, shows: []string{"cpu", "top"}},
		{alert: "CriticalCPUUsage", cause: nothing, mend: m.rest},
		{alert: "HighMemoryUsage", cause: shows("/proc/meminfo", memInfo(16<<10, 6)), mend: shows("/proc/meminfo", memInfo(16<<10, 60)), shows: []string{"memory node_memory_MemAvailable_bytes", "heap"}},
		{alert: "HighDiskUsage", where: map[string]string{"mountpoint": "/full"}, cause: fill("full"), mend: empty("full"), shows: []string{"space /full", "files"}},
		{alert: "InodesLow", where: map[string]string{"mountpoint": "/littered"}, cause: litter("littered"), mend: empty("littered"), shows: []string{"inodes /littered"}},
		{alert: "SwapActivity", cause: func(*box) { m.pages.Store(400) }, mend: func(*box) { m.pages.Store(0) }, shows: []string{"swap direction=in", "swap direction=out"}},
		{alert: "HighLoad", cause: shows("/proc/loadavg", loaded(2.6)), mend: shows("/proc/loadavg", loaded(0.1)), shows: []string{"load node_load5"}},
		{alert: "HighTemperature", cause: heat(92), mend: heat(41), shows: []string{"sensors coretemp"}},
		{alert: "HighBandwidthUsage", where: map[string]string{"device": "lan0", "direction": "in"},
			cause: func(*box) { m.bytes.Store(11_900_000) }, mend: func(*box) { m.bytes.Store(10_000) }, shows: []string{"network device=lan0, direction=in"}},
		{alert: "NetworkErrors", where: map[string]string{"device": "lan1"},
			cause: func(*box) { m.errors.Store(40) }, mend: func(*box) { m.errors.Store(0) }, shows: []string{"faults device=lan1, fault=not sent"}},
		{alert: "ClockSkew", cause: skew, mend: func(b *box) { b.undo("skew") }, shows: []string{"clock node_timex_offset_seconds"}},
	}}
}

func nothing(*box) {}

func shows(path, text string) func(*box) {
	return func(b *box) { b.kernel.shows(path, text) }
}

// machine is what the kernel's files say that count.
type machine struct {
	pages, bytes, errors atomic.Int64 // a second: read back from swap, received by lan0, broken at lan1
	quiet                atomic.Bool  // the load of other tests is left out
}

func (m *machine) build(b *box) {
	k := b.kernel
	k.shows("/proc/meminfo", memInfo(16<<10, 60))
	k.shows("/proc/loadavg", loaded(0.1))
	k.showsTree("/sys/class", map[string]string{"net/lan0/speed": "100\n", "net/lan0/operstate": "up\n", "net/lan1/operstate": "up\n",
		"hwmon/hwmon0/name": "coretemp\n", "hwmon/hwmon0/temp1_input": "41000\n"})
	k.showsNetwork()
	k.disk("full", "size=32m")
	k.disk("littered", "size=32m,nr_inodes=200")
	stat := &cpuTimes{t: b.t}
	k.shows("/proc/stat", stat.now(false))
	b.beats("processors", func() { k.shows("/proc/stat", stat.now(m.quiet.Load())) })
	var pages, received, broken float64
	last := time.Now()
	count := func() {
		passed := time.Since(last).Seconds()
		last = last.Add(time.Duration(passed * float64(time.Second)))
		pages += passed * float64(m.pages.Load())
		received += passed * float64(m.bytes.Load())
		broken += passed * float64(m.errors.Load())
		k.shows("/proc/vmstat", fmt.Sprintf("nr_free_pages 100000\npswpin %.0f\npswpout 0\npgmajfault 100\noom_kill 0\n", pages))
		if err := k.showsCards(cards(received, 1000*time.Since(b.begun).Seconds(), broken)); err != nil {
			b.t.Errorf("change what the cards carried: %v", err)
		}
	}
	count()
	b.beats("counters", count)
}

// memInfo is a machine with this many MiB and this many percent of it available.
func memInfo(mib, percent int) string {
	total := mib << 10 // kB
	available := total / 100 * percent
	return fmt.Sprintf("MemTotal: %d kB\nMemFree: %d kB\nMemAvailable: %d kB\nBuffers: %d kB\nCached: %d kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n",
		total, available/2, available, available/100, available/10)
}

// loaded is a load of so much a core.
func loaded(core float64) string {
	l := core * float64(runtime.NumCPU())
	return fmt.Sprintf("%.2f %.2f %.2f 3/400 12345\n", l, l, l)
}

// cardsHead is how the kernel's list of network cards begins.
const cardsHead = "Inter-|   Receive                                                |  Transmit\n" +
	" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"

// cards are two network cards: lan0 carries much, lan1 loses packets.
func cards(received, packets, broken float64) string {
	return cardsHead + fmt.Sprintf("  lan0: %.0f %.0f 0 0 0 0 0 0 1000 100 0 0 0 0 0 0\n  lan1: %.0f %.0f %.0f 0 0 0 0 0 1000 100 0 0 0 0 0 0\n",
		received, received/1400, 500*packets, packets, broken)
}

func heat(celsius int) func(*box) {
	return func(b *box) {
		must(b.t, os.WriteFile(filepath.Join(b.kernel.tree("/sys/class"), "hwmon/hwmon0/temp1_input"), []byte(strconv.Itoa(celsius*1000)+"\n"), 0o644))
	}
}

// burn keeps every core busy, whenever nobody else wants it.
func (m *machine) burn(b *box) {
	for range runtime.NumCPU() {
		cmd := exec.Command("nice", "-n", "19", "sh", "-c", "while :; do :; done")
		must(b.t, cmd.Start())
		b.later(fmt.Sprint("burner ", cmd.Process.Pid), func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) // it ends by being killed
	}
}

// rest ends the burning. Other tests may keep this machine as busy for as long
// as they please: from now on their time is left out, as it is for a container.
func (m *machine) rest(b *box) {
	for name, end := range b.bin {
		if strings.HasPrefix(name, "burner ") {
			end()
		}
	}
	m.quiet.Store(true)
}

// cpuTimes makes /proc/stat: the machine's own, or, from the first time it is
// asked for quiet ones, with the rest of the time as idle.
type cpuTimes struct {
	t     *testing.T
	quiet map[string][]int64 // lines of the processors when they became quiet
}

func (c *cpuTimes) now(quiet bool) string {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		c.t.Error(err)
	}
	if !quiet {
		return string(raw)
	}
	first := c.quiet == nil
	if first {
		c.quiet = map[string][]int64{}
	}
	var out bytes.Buffer
	for text := range strings.Lines(string(raw)) {
		f := strings.Fields(text)
		if !strings.HasPrefix(f[0], "cpu") {
			out.WriteString(text)
			continue
		}
		var times []int64
		for _, s := range f[1:] {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil {
				c.t.Error(err)
			}
			times = append(times, n)
		}
		if first {
			c.quiet[f[0]] = times
		}
		then := append([]int64(nil), c.quiet[f[0]]...)
		for i, n := range times[:8] { // guests are counted among the users too
			then[3] += n - c.quiet[f[0]][i]
		}
		fmt.Fprintln(&out, f[0], strings.Trim(fmt.Sprint(then), "[]"))
	}
	return out.String()
}

// fill writes a disk of the server 90 % full.
func fill(disk string) func(*box) {
	return func(b *box) {
		must(b.t, os.WriteFile(filepath.Join(b.inside(b.kernel.dir), disk, "big"), make([]byte, 29<<20), 0o600))
	}
}

// litter makes so many files that hardly any more can be made.
func litter(disk string) func(*box) {
	return func(b *box) {
		for i := range 190 {
			must(b.t, os.WriteFile(filepath.Join(b.inside(b.kernel.dir), disk, strconv.Itoa(i)), nil, 0o600))
		}
	}
}

func empty(disk string) func(*box) {
	return func(b *box) {
		files, err := filepath.Glob(filepath.Join(b.inside(b.kernel.dir), disk, "*"))
		must(b.t, err)
		for _, f := range files {
			must(b.t, os.Remove(f))
		}
	}
}

// skew lets the kernel answer that the clock is half a second off, which is the
// most that it says.
func skew(b *box) {
	answer := endian.LittleEndian.AppendUint64(make([]byte, 8), 500_000) // µs
	b.straced("skew", "-e", "trace=adjtimex", "-e", "inject=adjtimex:poke_exit=@arg1="+hex.EncodeToString(answer))
}
