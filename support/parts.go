package support

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"time"

	"posthouse/appliance/meter"
	"posthouse/appliance/wire"
	"posthouse/sysmon/alert"
	"posthouse/sysmon/checklist"
	"posthouse/sysmon/health"
	"posthouse/sysmon/host"
	"posthouse/sysmon/rule"
)

// sheet is a CSV file.
func sheet(head []string, rows [][]string) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(head)    // a buffer takes everything
	_ = w.WriteAll(rows) // the same
	return b.Bytes()
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'g', 8, 64) }

// known is text when it is one of a fixed list.
func known(text string, list ...string) string {
	if text == "" || slices.Contains(list, text) {
		return text
	}
	return "other"
}

// Version is the program and how it was built.
func Version(version string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "version %s\ngo %s\n%s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if slices.Contains([]string{"vcs.revision", "vcs.time", "vcs.modified", "CGO_ENABLED", "-trimpath"}, s.Key) {
				fmt.Fprintf(&b, "%s %s\n", s.Key, s.Value)
			}
		}
	}
	return b.Bytes()
}

// Machine is this machine.
func Machine(f host.Facts) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "system %s\nkernel %s\narchitecture %s\nvirtual %s\nprocessor %s\ncores %d\nmemory_bytes %d\nboot %s\nopen_files %d\n",
		f.System, f.Kernel, f.Architecture, f.Virtual, f.Processor, f.Cores, f.Memory, stamp(f.Boot), f.OpenFiles)
	fmt.Fprintf(&b, "group_memory_limit_bytes %d\ngroup_memory_bytes %d\ngroup_cores %g\naddresses %d\n", f.Limits.MemoryLimit, f.Limits.MemoryUsage, f.Limits.Cores, len(f.Addresses))
	return b.Bytes()
}

// Runtime is this process; began is when its server started, zero without one.
func Runtime(began time.Time) []byte {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	var b bytes.Buffer
	fmt.Fprintf(&b, "began %s\ngoroutines %d\ngomaxprocs %d\nheap_alloc_bytes %d\nheap_inuse_bytes %d\nheap_objects %d\nsys_bytes %d\nstack_bytes %d\ncollections %d\npause_total_ns %d\n",
		stamp(began), runtime.NumGoroutine(), runtime.GOMAXPROCS(0), m.HeapAlloc, m.HeapInuse, m.HeapObjects, m.Sys, m.StackSys, m.NumGC, m.PauseTotalNs)
	return b.Bytes()
}

// Profile is a profile of the runtime as text: functions and counts. Labels,
// which are texts, are left out.
func Profile(name string) []byte {
	var b, out bytes.Buffer
	_ = pprof.Lookup(name).WriteTo(&b, 1) // a buffer takes everything
	for line := range bytes.Lines(b.Bytes()) {
		if !bytes.HasPrefix(line, []byte("# labels:")) {
			out.Write(line)
		}
	}
	return out.Bytes()
}

// Status is positions and counts.
func Status(s wire.StatusResult) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "uptime_ms %d\nposition %d\nflushed %d\nusers %d\nrooms %d\nmessages %d\nfiles %d\nfile_bytes %d\nsessions %d\nonline %d\nsearch %d\nsearch_building %d\nsearch_stopped %v\nread_only %v\ncertificate_expires_ms %d\n",
		s.Uptime, s.Position, s.Flushed, s.Users, s.Rooms, s.Messages, s.Files, s.FileBytes, s.Sessions, s.Online, s.Search, s.SearchBuilding, s.SearchProblem != "", s.ReadOnly != "", s.CertExpires)
	return b.Bytes()
}

// Files are the sizes of the store's own files, which are named, and of the
// segments in the journal's directory, all below dir. It opens none of them.
func Files(dir, journal string, names ...string) []byte {
	var rows [][]string
	add := func(name string, info fs.FileInfo) {
		rows = append(rows, []string{name, strconv.FormatInt(info.Size(), 10), info.Mode().String(), stamp(info.ModTime())})
	}
	for _, name := range names {
		if info, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			add(name, info)
		} else {
			rows = append(rows, []string{name, "missing", "", ""})
		}
	}
	segment := regexp.MustCompile(`^[0-9]+\.[a-z]+$`)
	list, err := os.ReadDir(filepath.Join(dir, journal))
	if err != nil {
		rows = append(rows, []string{journal, "cannot be read", "", ""})
	}
	for _, e := range list {
		if info, err := e.Info(); err == nil && segment.MatchString(e.Name()) {
			add(journal+"/"+e.Name(), info)
		}
	}
	return sheet([]string{"file", "bytes", "mode", "changed"}, rows)
}

// Database is a file of the store and its parts.
type Database struct {
	Name    string
	Bytes   int64
	Buckets []Bucket
}

// Bucket is a part of a database.
type Bucket struct {
	Name  string
	Keys  int
	Bytes int64
}

// Storage are databases and their parts.
func Storage(list []Database) []byte {
	var rows [][]string
	for _, d := range list {
		rows = append(rows, []string{d.Name, "", "", strconv.FormatInt(d.Bytes, 10)})
		for _, x := range d.Buckets {
			rows = append(rows, []string{d.Name, x.Name, strconv.Itoa(x.Keys), strconv.FormatInt(x.Bytes, 10)})
		}
	}
	return sheet([]string{"database", "bucket", "keys", "bytes"}, rows)
}

// Health is the score with its terms, and how each check stands.
func Health(r health.Report) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "at %s\nscore %s\nstatus %s\nbounded %v\n", stamp(r.At), decimal(r.Score), r.Status, r.Bound.EN != "")
	for _, t := range r.Terms {
		fmt.Fprintf(&b, "term %s value %s %s points %s of %s\n", t.ID, decimal(t.Value), t.Unit, decimal(t.Points), decimal(t.Most))
	}
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "check %s %s\n", c.ID, c.Status)
	}
	return b.Bytes()
}

// Rules are the shipped rules and how they stand, with the names of their
// alerts; of the operator's own only how many there are.
func Rules(list []rule.Rule) (body []byte, names []string) {
	var rows [][]string
	others := 0
	for _, r := range list {
		if !r.Shipped {
			others++
			continue
		}
		names = append(names, r.Original.Name())
		rows = append(rows, []string{r.ID, string(r.State), strconv.FormatBool(r.Changed), stamp(r.Since), strconv.Itoa(len(r.Alerts)), r.Took.String()})
	}
	rows = append(rows, []string{"the operator's own", "", "", "", strconv.Itoa(others), ""})
	return sheet([]string{"rule", "state", "changed", "since", "alerts", "took"}, rows), names
}

// Alerts are alerts with what happened to each, without their labels.
// Rules of the operator's own are called other.
func Alerts(list []alert.Episode, rules []string) []byte {
	var rows [][]string
	for _, e := range list {
		row := []string{known(e.Name(), rules...), known(e.Severity(), alert.Severities()...), stamp(e.Start), stamp(e.End), stamp(e.FirstTold), stamp(e.AckAt), strconv.Itoa(e.Level)}
		var did []string
		for _, x := range e.Events {
			kind := known(x.Kind, alert.Fired, alert.Ended, alert.Told, alert.NotTold, alert.Withheld, alert.Acknowledged, alert.Unacked, alert.Assigned, alert.Commented, alert.Raised, alert.Silenced, alert.Action)
			did = append(did, kind+"@"+stamp(x.At))
		}
		rows = append(rows, append(row, strings.Join(did, " ")))
	}
	return sheet([]string{"alert", "severity", "start", "end", "told", "acknowledged", "escalated", "events"}, rows)
}

// Lists are the last checklists.
func Lists(l *checklist.Lists) []byte {
	var rows [][]string
	for _, p := range checklist.Periods() {
		r, err := l.Last(p)
		if err != nil {
			rows = append(rows, []string{string(p), "", "", "not run", ""})
			continue
		}
		for _, i := range r.Items {
			rows = append(rows, []string{string(p), stamp(r.At), i.ID, string(i.Status), i.Name.EN})
		}
	}
	return sheet([]string{"checklist", "at", "check", "status", "name"}, rows)
}

// Operations are those under way and slow ones.
func Operations(under, slow []meter.Operation) []byte {
	var rows [][]string
	for i, list := range [][]meter.Operation{under, slow} {
		for _, o := range list {
			rows = append(rows, []string{[]string{"under way", "slow"}[i], o.Kind, o.Name, o.Trace, stamp(o.Began), o.Took.String(), strconv.FormatBool(o.Cancelled)})
		}
	}
	return sheet([]string{"list", "kind", "name", "trace", "began", "took", "cancelled"}, rows)
}

// Faults are the groups of faults with their stacks. Their texts may
// name what somebody wrote, so they stay here; the trace finds them in the log.
func Faults(list []meter.Fault) []byte {
	var b bytes.Buffer
	for _, f := range list {
		fmt.Fprintf(&b, "where %s\npanic %v\ncount %d\nfirst %s\nlast %s\ntrace %s\n%s\n\n", f.Where, f.Panic, f.Count, stamp(f.First), stamp(f.Last), f.Trace, f.Stack)
	}
	if b.Len() == 0 {
		b.WriteString("none\n")
	}
	return b.Bytes()
}

// Log are the warnings and errors of the log: time, level and message.
// Messages are constants of the program; the values beside them stay here.
func Log(lines []string) []byte {
	var b bytes.Buffer
	for _, line := range lines {
		at, level, msg := logParts(line)
		if level == "WARN" || level == "ERROR" {
			fmt.Fprintf(&b, "%s %s %s\n", at, level, msg)
		}
	}
	if b.Len() == 0 {
		b.WriteString("none\n")
	}
	return b.Bytes()
}

// logParts reads a line as slog writes it in either format.
func logParts(line string) (at, level, msg string) {
	if strings.HasPrefix(line, "{") {
		var v struct {
			Time  string `json:"time"`
			Level string `json:"level"`
			Msg   string `json:"msg"`
		}
		if json.Unmarshal([]byte(line), &v) != nil {
			return "", "", ""
		}
		return v.Time, v.Level, v.Msg
	}
	head := regexp.MustCompile(`^time=(\S+) level=(\S+) msg=`).FindStringSubmatch(line)
	if head == nil {
		return "", "", ""
	}
	rest := line[len(head[0]):]
	if quoted, err := strconv.QuotedPrefix(rest); err == nil {
		msg, _ = strconv.Unquote(quoted) // QuotedPrefix found it whole
	} else {
		msg, _, _ = strings.Cut(rest, " ")
	}
	return head[1], head[2], msg
}

const auditsTold = 2000

// Audit are the kinds, times and outcomes of the last 2,000 entries.
func Audit(read func(wire.AuditListParams) (wire.AuditList, error)) ([]byte, error) {
	kind := regexp.MustCompile(`^[a-z_]+(\.[a-z_]+)*$`)
	var rows [][]string
	var p wire.AuditListParams
	for len(rows) < auditsTold {
		list, err := read(p)
		if err != nil {
			return nil, err
		}
		for _, e := range list.Entries {
			action := e.Action
			if !kind.MatchString(action) {
				action = "other"
			}
			rows = append(rows, []string{stamp(time.UnixMilli(e.At)), action, known(e.Outcome, "done", "refused", "failed", "tried")})
		}
		if p.Before = list.Next; p.Before == 0 {
			break
		}
	}
	return sheet([]string{"at", "action", "outcome"}, rows), nil
}

// The main figures of a bundle: so long, and a point every so often.
const (
	metricsSpan = 6 * time.Hour
	metricsStep = time.Minute
)

// metricsTold are expressions without labels, so that no label's value,
// which may be somebody's word, comes along.
func metricsTold() [][2]string {
	p95 := func(name string) string {
		return "histogram_quantile(0.95, sum by (le) (rate(" + name + "_bucket[5m])))"
	}
	return [][2]string{
		{"health_score", "min(posthouse_health_score)"},
		{"cpu_share", `1 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m]))`},
		{"load1", "max(node_load1)"},
		{"memory_available_bytes", "min(node_memory_MemAvailable_bytes)"},
		{"swap_free_bytes", "min(node_memory_SwapFree_bytes)"},
		{"filesystem_available_share", "min(node_filesystem_avail_bytes / (node_filesystem_size_bytes > 0))"},
		{"disk_busy_share", "max(rate(node_disk_io_time_seconds_total[5m]))"},
		{"network_received_bytes_per_second", "sum(rate(node_network_receive_bytes_total[5m]))"},
		{"network_sent_bytes_per_second", "sum(rate(node_network_transmit_bytes_total[5m]))"},
		{"process_cpu_seconds_per_second", "max(rate(process_cpu_seconds_total[5m]))"},
		{"process_memory_bytes", "max(process_resident_memory_bytes)"},
		{"process_open_files", "max(process_open_fds)"},
		{"goroutines", "max(go_goroutines)"},
		{"connections", "sum(connections_active)"},
		{"people_online", "sum(im_active_users_total)"},
		{"messages_per_second", "sum(rate(im_messages_sent_total[5m]))"},
		{"deliveries_per_second", "sum(rate(im_deliveries_total[5m]))"},
		{"acknowledged_per_second", "sum(rate(im_delivery_acks_total[5m]))"},
		{"delivery_p95_seconds", p95("im_delivery_latency_seconds")},
		{"process_p95_seconds", p95("im_message_process_duration_seconds")},
		{"fsync_p95_seconds", p95("im_journal_fsync_duration_seconds")},
		{"round_trip_p95_seconds", p95("im_session_rtt_seconds")},
		{"errors_per_second", "sum(rate(im_errors_total[5m]))"},
		{"panics", "sum(panics_total)"},
		{"write_queue", "sum(im_storage_write_queue)"},
		{"writer_busy_share", "max(im_storage_writer_saturation_ratio)"},
		{"slow_operations_per_second", "sum(rate(im_slow_operations_total[5m]))"},
		{"series", "max(posthouse_store_series)"},
	}
}

// Metrics are the main figures of the 6 hours before a time: one line a minute,
// one column a figure.
func Metrics(ctx context.Context, s health.Source, until time.Time) ([]byte, error) {
	until = until.Truncate(metricsStep)
	from := until.Add(-metricsSpan)
	rows := make([][]string, metricsSpan/metricsStep+1)
	for i := range rows {
		rows[i] = []string{stamp(from.Add(time.Duration(i) * metricsStep))}
	}
	head := []string{"at"}
	for _, f := range metricsTold() {
		head = append(head, f[0])
		series, err := s.Range(ctx, f[1], from, until, metricsStep)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", f[0], err)
		}
		at := map[int64]float64{}
		for _, one := range series {
			for _, p := range one.Points {
				at[p.At.Unix()] = p.Value
			}
		}
		for i := range rows {
			text := ""
			if v, ok := at[from.Add(time.Duration(i)*metricsStep).Unix()]; ok && !math.IsNaN(v) {
				text = decimal(v)
			}
			rows[i] = append(rows[i], text)
		}
	}
	return sheet(head, rows), nil
}
