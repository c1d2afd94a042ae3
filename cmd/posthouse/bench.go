package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"posthouse/appliance/bench"
	"posthouse/appliance/wire"
)

// benchFlags are those of bench.
type benchFlags struct {
	json, quick     bool
	seconds, rounds int
	messages        int
	scale           float64
	window          int
	profile         string
}

// What a run takes if nothing is said, and with --quick.
const (
	benchSeconds, benchRounds, benchMessages = 8, 3, 5_000_000
	quickSeconds, quickRounds, quickMessages = 2, 1, 200_000
	quickScale                               = 0.25
)

// benchAnswer is the output of bench --json.
type benchAnswer struct {
	Version string          `json:"version"`
	CPUs    int             `json:"cpus"`
	Reports []*bench.Report `json:"reports"`
}

func (a *app) benchCommand() *cobra.Command {
	var names []string
	for _, s := range bench.Scenarios() {
		names = append(names, s.Name)
	}
	f := new(benchFlags)
	cmd := &cobra.Command{
		Use:   "bench [SCENARIO]…",
		Short: a.say.of("Measure this machine with a server of its own", "用一个临时服务器测量本机性能"),
		Long: a.say.of("Measure what a server does on this machine. It starts servers of its own on loopback with data in a temporary\n"+
			"directory, loads them, compares them with a raw relay of frames, and removes everything. A server that runs\n"+
			"already is not touched, but both slow each other down. --data names the directory to work in.\n\nScenarios: ",
			"测量服务器在本机上的表现：在回环地址上启动临时服务器，数据放在临时目录，施加负载，与裸转发对比，最后全部删除。\n"+
				"不影响已在运行的服务器，但两者会互相拖慢。--data 指定工作目录。\n\n场景：") + strings.Join(names, ", "),
		Args: func(_ *cobra.Command, args []string) error {
			_, err := a.scenarios(args)
			return err
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&f.json, "json", false, a.say.of("print JSON", "输出 JSON"))
	fl.BoolVar(&f.quick, "quick", false, a.say.of("small and short: a quarter of the clients, one run of 2 seconds, 200,000 messages", "缩小规模：四分之一客户端、单轮 2 秒、20 万条消息"))
	fl.IntVar(&f.seconds, "seconds", benchSeconds, a.say.of("length of one measured run, `N` seconds", "单轮测量时长 `N` 秒"))
	fl.IntVar(&f.rounds, "rounds", benchRounds, a.say.of("runs of each side, `N`; the median counts", "每方测量 `N` 轮，取中位数"))
	fl.IntVar(&f.messages, "messages", benchMessages, a.say.of("messages of scenario start, `N`", "start 场景的消息数 `N`"))
	fl.Float64Var(&f.scale, "scale", 1, "")
	fl.IntVar(&f.window, "window", 0, "")
	fl.StringVar(&f.profile, "cpuprofile", "", "")
	for _, name := range []string{"scale", "window", "cpuprofile"} {
		fl.Lookup(name).Hidden = true
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if f.seconds < 1 || f.rounds < 1 || f.messages < 1000 || f.scale <= 0 {
			return a.wrongUse("--seconds and --rounds are at least 1, --messages at least 1000", "--seconds 与 --rounds 至少为 1，--messages 至少为 1000")
		}
		return a.bench(cmd, f, args)
	}
	cmd.AddCommand(&cobra.Command{
		Use: "relay", Hidden: true, Args: a.takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return bench.ServeRelay(cmd.Context(), cmd.OutOrStdout()) },
	})
	return cmd
}

// scenarios finds the named ones; no names are all.
func (a *app) scenarios(names []string) ([]bench.Scenario, error) {
	all := bench.Scenarios()
	if len(names) == 0 {
		return all, nil
	}
	var list []bench.Scenario
	var known []string
	for _, s := range all {
		known = append(known, s.Name)
	}
	for _, name := range names {
		at := len(list)
		for _, s := range all {
			if s.Name == name {
				list = append(list, s)
			}
		}
		if len(list) == at {
			return nil, a.wrongUse(fmt.Sprintf("there is no scenario %q; there are: %s", name, strings.Join(known, ", ")),
				fmt.Sprintf("没有场景 %q；可用的有：%s", name, strings.Join(known, ", ")))
		}
	}
	return list, nil
}

func (a *app) bench(cmd *cobra.Command, f *benchFlags, names []string) error {
	list, err := a.scenarios(names)
	if err != nil {
		return err
	}
	exe, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find own program: %w", err)
	}
	if f.quick {
		quick(cmd, f)
	}
	answer := benchAnswer{Version: version(), CPUs: runtime.NumCPU()}
	for _, s := range list {
		report, err := a.scenario(cmd, s, f, exe)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		answer.Reports = append(answer.Reports, report)
		if !f.json {
			if err := a.tellReport(cmd.OutOrStdout(), report); err != nil {
				return err
			}
		}
	}
	if f.json {
		return writeJSON(cmd.OutOrStdout(), answer)
	}
	return nil
}

// quick makes small what no flag named.
func quick(cmd *cobra.Command, f *benchFlags) {
	changed := cmd.Flags().Changed
	if !changed("seconds") {
		f.seconds = quickSeconds
	}
	if !changed("rounds") {
		f.rounds = quickRounds
	}
	if !changed("messages") {
		f.messages = quickMessages
	}
	if !changed("scale") {
		f.scale = quickScale
	}
}

// scenario runs one in a directory of its own, which is removed.
func (a *app) scenario(cmd *cobra.Command, s bench.Scenario, f *benchFlags, exe string) (r *bench.Report, err error) {
	dir, err := os.MkdirTemp(a.flags.data, "posthouse-bench-")
	if err != nil {
		return nil, fmt.Errorf("make directory: %w", err)
	}
	defer os.RemoveAll(dir)
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	setup := &bench.Setup{Executable: exe, Serve: []string{"serve", "--measured"}, Relay: []string{"bench", "relay"}, Dir: dir,
		Seconds: f.seconds, Rounds: f.rounds, Scale: f.scale, Messages: f.messages, CPUProfile: f.profile, Window: f.window,
		Progress: func(t wire.Text) { fmt.Fprintln(cmd.ErrOrStderr(), t.In(a.say.lang())) }}
	return s.Run(cmd.Context(), setup)
}

// tellReport prints a scenario as a table.
func (a *app) tellReport(w io.Writer, r *bench.Report) error {
	fmt.Fprintf(w, "\n%s: %s (%s)\n", r.Scenario, r.Title.In(a.say.lang()), time.Duration(r.Took*float64(time.Second)).Round(time.Second))
	t := table{head: []string{"", a.say.of("measured", "测得"), "", a.say.of("target", "目标"), ""}, right: []int{1}}
	for _, row := range r.Rows {
		target, met := "", ""
		if row.Target != nil {
			sign := "≤ "
			if row.Target.AtLeast {
				sign = "≥ "
			}
			target, met = sign+figure(row.Target.Value), a.say.of("missed", "未达标")
			if row.Target.Met {
				met = a.say.of("met", "达标")
			}
		}
		t.add(row.Text.In(a.say.lang()), figure(row.Value), row.Unit, target, met)
	}
	return t.write(w)
}

// figure writes a number with three digits or, from a hundred on, whole.
func figure(v float64) string {
	if v >= 100 || v == float64(int64(v)) {
		s := strconv.FormatInt(int64(v+0.5), 10)
		for at := len(s) - 3; at > 0; at -= 3 {
			s = s[:at] + "," + s[at:]
		}
		return s
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}
