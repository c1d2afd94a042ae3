package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"posthouse/appliance/bench"
)

// childOfBench makes this test binary the program: bench starts itself.
const childOfBench = "HOUSE_BENCH_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childOfBench) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// Every scenario runs, tiny, to its end, tells figures that can be, and leaves
// nothing behind.
func TestBenchScenarios(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	t.Setenv(childOfBench, "1")
	for _, s := range bench.Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			d := newDesk(t)
			got := d.run("", "bench", s.Name, "--json", "--scale", "0.01", "--seconds", "1", "--rounds", "1", "--messages", "2000")
			if got.code != 0 {
				t.Fatalf("exit %d: %s", got.code, got.err)
			}
			var answer struct {
				Reports []struct {
					Scenario string
					Rows     []bench.Row
				}
			}
			if err := json.Unmarshal([]byte(got.out), &answer); err != nil || len(answer.Reports) != 1 || answer.Reports[0].Scenario != s.Name {
				t.Fatalf("%v: %s", err, got.out)
			}
			for _, row := range answer.Reports[0].Rows {
				if counted := row.Unit == "1/s" || row.Unit == "ms" || row.Unit == "s"; counted && row.Value <= 0 && row.Name != "short_rate" { // 0: no rate was short on a busy machine
					t.Errorf("%s is %v %s", row.Name, row.Value, row.Unit)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(d.data, "posthouse-bench-*")); len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestBenchEndsWhenItIsTold(t *testing.T) {
	t.Setenv(childOfBench, "1")
	d := newDesk(t)
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if got := d.runIn(ctx, "", "bench", "room", "--scale", "0.01", "--seconds", "60"); got.code == 0 {
		t.Errorf("a run that was told to stop says it is done: %s", got.out)
	}
	if left, _ := os.ReadDir(d.data); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestBenchRefusesWhatItDoesNotKnow(t *testing.T) {
	d := newDesk(t)
	for _, args := range [][]string{{"bench", "nothing"}, {"bench", "--seconds", "0"}, {"bench", "--messages", "5"}} {
		if got := d.run("", args...); got.code != exitUsage {
			t.Errorf("%s: exit %d, %s", strings.Join(args, " "), got.code, got.err)
		}
	}
}

func TestBenchFigures(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 5: "5", .1234: "0.123", 12.345: "12.3", 123.4: "123", 1234567.8: "1,234,568", 999: "999", 1000: "1,000"} {
		if got := figure(v); got != want {
			t.Errorf("%v: %s, not %s", v, got, want)
		}
	}
}
