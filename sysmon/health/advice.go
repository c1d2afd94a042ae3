package health

import (
	"context"
	"fmt"
	"math"
	"time"

	"posthouse/sysmon/words"
)

// Advice is what to add before the box becomes too small, with the figures
// that it rests on.
type Advice struct {
	ID     string // cpu, memory, disk, storage, connections, enough
	Status Status
	Text   words.Text
	Data   []Datum
}

// Datum is one figure of an advice.
type Datum struct {
	Name  words.Text
	Value string
	Expr  string
}

// The figures that advice rests on; all of the last 7 days.
const (
	adviseCPU     = `100 * quantile_over_time(0.95, (1 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m])))[7d:5m])`
	adviseCPUMean = `100 * avg_over_time((1 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m])))[7d:5m])`
	adviseCores   = `count(count by (cpu) (node_cpu_seconds_total))`
	adviseMemory  = `100 * quantile_over_time(0.95, (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)[7d:5m])`
	adviseTotal   = `max(node_memory_MemTotal_bytes)`
	adviseWriter  = `100 * quantile_over_time(0.95, max(im_storage_writer_saturation_ratio)[7d:5m])`
	adviseLatency = `1000 * quantile_over_time(0.95, (sum(rate(im_delivery_latency_seconds_sum[2m])) / (sum(rate(im_delivery_latency_seconds_count[2m])) > 0))[7d:5m])`
	advisePeak    = `max_over_time(sum(connections_active)[7d:5m])`
	adviseFiles   = `100 * max_over_time(max(process_open_fds / process_max_fds)[7d:5m])`
)

// capacityTarget is the load at which a machine still has room for a bad hour.
const capacityTarget = 70.0 // percent

// Advise says what to add: processors, memory, a faster or larger disk, or
// another box.
func (h *Health) Advise(ctx context.Context, at time.Time) ([]Advice, error) {
	v := map[string]float64{}
	for _, expr := range []string{adviseCPU, adviseCPUMean, adviseCores, adviseMemory, adviseTotal, adviseWriter, adviseLatency, advisePeak, adviseFiles} {
		n, err := h.one(ctx, expr, at)
		if err != nil {
			return nil, fmt.Errorf("advise: %w", err)
		}
		v[expr] = n
	}
	if h.opt.Cores > 0 {
		v[adviseCores] = h.opt.Cores
	}
	datum := func(en, zh, format, expr string) Datum {
		d := Datum{Name: words.Of(en, zh), Value: "–", Expr: expr}
		if !math.IsNaN(v[expr]) {
			d.Value = fmt.Sprintf(format, v[expr])
		}
		return d
	}
	cpu := []Datum{datum("processors in use, 95 % of the time below", "处理器使用率（95 分位）", "%.0f %%", adviseCPU),
		datum("mean", "平均", "%.0f %%", adviseCPUMean), datum("processors", "处理器数", "%.0f", adviseCores)}
	memory := []Datum{datum("memory in use, 95 % of the time below", "内存使用率（95 分位）", "%.0f %%", adviseMemory),
		{Name: words.Of("memory", "内存"), Value: gib(v[adviseTotal]), Expr: adviseTotal}}
	latency := datum("delivery, 95 % of the time below", "投递时延（95 分位）", "%.0f ms", adviseLatency)
	writer := datum("writer busy, 95 % of the time below", "写入占用（95 分位）", "%.0f %%", adviseWriter)
	var out []Advice
	if v[adviseCPU] > capacityTarget {
		need := max(1, math.Ceil(v[adviseCores]*v[adviseCPU]/capacityTarget-v[adviseCores]))
		cores := fmt.Sprintf("%.0f processors", need)
		if need == 1 {
			cores = "a processor"
		}
		out = append(out, Advice{"cpu", Warn, words.Of("Add "+cores+", or move people to another box: the processors are the bottleneck.",
			fmt.Sprintf("建议增加 %.0f 个处理器核心，或增加一台机器分担：处理器是瓶颈。", need)), append(cpu, latency)})
	}
	if v[adviseMemory] > 80 {
		need := max(1, math.Ceil(v[adviseTotal]*(v[adviseMemory]/capacityTarget-1)/(1<<30)))
		out = append(out, Advice{"memory", Warn, words.Of(fmt.Sprintf("Add %.0f GiB of memory.", need), fmt.Sprintf("建议增加 %.0f GiB 内存。", need)), memory})
	}
	if v[adviseWriter] > capacityTarget || v[adviseLatency] > 200 && !(v[adviseCPU] > capacityTarget) && v[adviseWriter] > 50 {
		out = append(out, Advice{"storage", Warn, words.Of("Put the data on a faster disk (SSD or NVMe with power-loss protection): writing is the bottleneck.",
			"建议把数据放到更快的磁盘（带掉电保护的 SSD 或 NVMe）：写入是瓶颈。"), []Datum{writer, latency}})
	}
	if v[adviseFiles] > 80 {
		out = append(out, Advice{"connections", Warn, words.Of("Raise LimitNOFILE of the service, or add a box: the open files come near the limit.",
			"建议提高服务的 LimitNOFILE 或增加一台机器：打开文件数接近上限。"), []Datum{datum("open files of the limit, at most", "打开文件占上限（峰值）", "%.0f %%", adviseFiles), datum("connections at most", "连接数峰值", "%.0f", advisePeak)}})
	}
	disks, err := h.Forecasts(ctx, at)
	if err != nil {
		return nil, err
	}
	for _, f := range disks {
		if f.Days < 90 {
			add := max(f.Week.PerDay, f.Month.PerDay)*365 - (f.Size - f.Used)
			out = append(out, Advice{"disk", Warn, words.Of(fmt.Sprintf("%s is full in %.0f days: add %s for a year.", f.Mount, f.Days, gib(add)),
				fmt.Sprintf("%s 将在 %.0f 天后写满：增加 %s 可用一年。", f.Mount, f.Days, gib(add))),
				[]Datum{{Name: words.Of("growth a day, 7 days", "每日增长（7 天）"), Value: gib(f.Week.PerDay)}, {Name: words.Of("growth a day, 30 days", "每日增长（30 天）"), Value: gib(f.Month.PerDay)},
					{Name: words.Of("free", "剩余"), Value: gib(f.Size - f.Used)}}})
		}
	}
	if len(out) > 0 {
		return out, nil
	}
	if math.IsNaN(v[adviseCPU]) && math.IsNaN(v[adviseMemory]) {
		return []Advice{{ID: "enough", Status: Unknown, Text: words.Of("There are not enough figures yet to advise.", "数据不足，暂无建议。")}}, nil
	}
	return []Advice{{ID: "enough", Status: Good, Text: words.Of("The machine is large enough for what it does.", "当前机器配置足够。"), Data: append(append(cpu, memory...), writer, latency)}}, nil
}

func gib(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	if math.Abs(v) < 1<<30 {
		return fmt.Sprintf("%.0f MiB", v/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", v/(1<<30))
}
