package host

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"posthouse/sysmon/expo"
)

// takeSelf is the own process and its Go runtime.
func (h *Host) takeSelf(_ context.Context, p *page) error {
	p.one("posthouse_build_info", 1, "goversion", runtime.Version(), "version", h.o.Version)
	h.writeMarker(p)
	takeRuntime(p)
	var ru unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &ru); err != nil {
		return fmt.Errorf("read own CPU time: %w", err)
	}
	p.one("process_cpu_seconds_total", seconds(ru.Utime)+seconds(ru.Stime))
	p.one("process_major_page_faults_total", float64(ru.Majflt))
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return fmt.Errorf("read own memory: %w", err)
	}
	if f := strings.Fields(string(raw)); len(f) > 1 {
		virtual, err1 := strconv.ParseFloat(f[0], 64)
		resident, err2 := strconv.ParseFloat(f[1], 64)
		if err1 == nil && err2 == nil {
			p.one("process_virtual_memory_bytes", virtual*float64(os.Getpagesize()))
			p.one("process_resident_memory_bytes", resident*float64(os.Getpagesize()))
		}
	}
	started, err := startTime()
	if err != nil {
		return err
	}
	p.one("process_start_time_seconds", started)
	open, limit, err := descriptors()
	if err != nil {
		return err
	}
	p.one("process_open_fds", float64(open))
	p.one("process_max_fds", float64(limit))
	return nil
}

func seconds(t unix.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }

// descriptors counts the open ones. Since Linux 6.2 the size of the directory
// is their number, which spares reading ten thousand names.
func descriptors() (open int, limit uint64, err error) {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		return 0, 0, fmt.Errorf("read limit of descriptors: %w", err)
	}
	st, err := os.Stat("/proc/self/fd")
	if err != nil {
		return 0, 0, fmt.Errorf("count descriptors: %w", err)
	}
	if st.Size() > 0 {
		return int(st.Size()), lim.Cur, nil
	}
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0, 0, fmt.Errorf("count descriptors: %w", err)
	}
	return len(names), lim.Cur, nil
}

// startTime is the own start in seconds since the epoch.
func startTime() (float64, error) {
	own, err := readProcStat("/proc/self/stat")
	if err != nil {
		return 0, err
	}
	boot, err := bootTime("/proc")
	return boot + float64(own.started)/100, err
}

// takeRuntime writes what Prometheus's own Go client would, without stopping
// the program.
func takeRuntime(p *page) {
	names := []string{"/memory/classes/heap/objects:bytes", "/memory/classes/heap/unused:bytes", "/memory/classes/heap/released:bytes", "/memory/classes/heap/free:bytes",
		"/memory/classes/heap/stacks:bytes", "/memory/classes/total:bytes", "/gc/heap/allocs:bytes", "/gc/heap/allocs:objects", "/gc/heap/frees:objects",
		"/gc/heap/objects:objects", "/gc/heap/goal:bytes"}
	s := make([]metrics.Sample, len(names))
	for i, n := range names {
		s[i].Name = n
	}
	metrics.Read(s)
	v := make([]float64, len(s))
	for i := range s {
		if s[i].Value.Kind() == metrics.KindUint64 {
			v[i] = float64(s[i].Value.Uint64())
		}
	}
	p.one("go_info", 1, "version", runtime.Version())
	p.one("go_goroutines", float64(runtime.NumGoroutine()))
	p.one("go_memstats_alloc_bytes", v[0])
	p.one("go_memstats_heap_alloc_bytes", v[0])
	p.one("go_memstats_heap_inuse_bytes", v[0]+v[1])
	p.one("go_memstats_heap_idle_bytes", v[2]+v[3])
	p.one("go_memstats_heap_released_bytes", v[2])
	p.one("go_memstats_heap_sys_bytes", v[0]+v[1]+v[2]+v[3])
	p.one("go_memstats_heap_objects", v[9])
	p.one("go_memstats_stack_inuse_bytes", v[4])
	p.one("go_memstats_sys_bytes", v[5])
	p.one("go_memstats_next_gc_bytes", v[10])
	p.one("go_memstats_alloc_bytes_total", v[6])
	p.one("go_memstats_mallocs_total", v[7])
	p.one("go_memstats_frees_total", v[8])
	gc := debug.GCStats{PauseQuantiles: make([]time.Duration, 5)}
	debug.ReadGCStats(&gc)
	if !gc.LastGC.IsZero() && gc.NumGC > 0 {
		p.one("go_memstats_last_gc_time_seconds", float64(gc.LastGC.UnixNano())/1e9)
	}
	p.head("go_gc_duration_seconds")
	for i, q := range []string{"0", "0.25", "0.5", "0.75", "1"} {
		p.put(gc.PauseQuantiles[i].Seconds(), "quantile", q)
	}
	expo.Sample(&p.buf, "go_gc_duration_seconds_sum", gc.PauseTotal.Seconds())
	expo.Sample(&p.buf, "go_gc_duration_seconds_count", float64(gc.NumGC))
}
