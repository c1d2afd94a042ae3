package store

import (
	"io"
	"time"

	"posthouse/sysmon/expo"
	"posthouse/sysmon/words"
)

// metric is one of the store's own.
type metric struct {
	family expo.Family
	sample func(st Stats, put func(v float64, labels ...string))
}

func (m metric) write(w io.Writer, st Stats) {
	expo.Header(w, m.family)
	m.sample(st, func(v float64, labels ...string) { expo.Sample(w, m.family.Name, v, labels...) })
}

// Families describes the store's own metrics.
func (s *Store) Families() []expo.Family {
	var out []expo.Family
	for _, m := range metrics() {
		out = append(out, m.family)
	}
	return out
}

func family(name, kind, unit string, help, normal, action words.Text, labels ...string) expo.Family {
	return expo.Family{Labels: labels, Name: "posthouse_store_" + name, Type: kind, Unit: unit, Help: help, Normal: normal, Action: action, Source: "sysmon/store"}
}

func seconds(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1000
}

func metrics() []metric {
	of := words.Of
	return []metric{
		{family("taking_samples", "gauge", "", of("1 while samples are recorded, 0 while the disk is full or the database is being opened.", "正在记录样本时为 1；磁盘已满或正在打开数据库时为 0。"),
			of("1", "1"), of("Make room on the disk; recording begins again by itself.", "腾出磁盘空间，记录会自动恢复。")),
			func(st Stats, put func(float64, ...string)) {
				if st.Taking {
					put(1)
				} else {
					put(0)
				}
			}},
		{family("series", "gauge", "", of("Series with samples in the last hours.", "最近几小时内有样本的时间序列数。"),
			of("Far below the limit.", "远低于上限。"), of("Look for a label whose values never repeat.", "查找取值不断变化的标签。")),
			func(st Stats, put func(float64, ...string)) { put(float64(st.Series)) }},
		{family("series_limit", "gauge", "", of("Series that are let in at most.", "允许的最大序列数。"), of("Constant.", "恒定。"), of("Raise it in the configuration if every series is needed.", "若所有序列都需要，可在配置中调高。")),
			func(st Stats, put func(float64, ...string)) { put(float64(st.MaxSeries)) }},
		{family("series_refused_total", "counter", "", of("New series that were refused because of the limit.", "因超出上限而被拒绝的新序列数。"),
			of("0", "0"), of("Find the job that makes them on the page of the store, and take the label out.", "在存储页面上找到产生它们的任务，并去掉该标签。")),
			func(st Stats, put func(float64, ...string)) { put(float64(st.Refused)) }},
		{family("samples_total", "counter", "", of("Samples that were recorded.", "已记录的样本数。"), of("Series divided by the interval.", "约为序列数除以采样间隔。"), of("If it stands still, look at taking_samples.", "若停止增长，请查看 taking_samples。")),
			func(st Stats, put func(float64, ...string)) { put(float64(st.Samples)) }},
		{family("samples_refused_total", "counter", "", of("Samples that were refused, by reason.", "按原因统计的被拒绝样本数。"),
			of("0, but for some after the clock was set.", "0；校时之后可能有少量。"), of("out_of_order and out_of_bounds: set the clock. paused: make room on the disk.", "out_of_order 与 out_of_bounds：校准时钟。paused：腾出磁盘空间。"), "reason"),
			func(st Stats, put func(float64, ...string)) {
				put(float64(st.OutOfOrder), "reason", "out_of_order")
				put(float64(st.OutOfBounds), "reason", "out_of_bounds")
				put(float64(st.Paused), "reason", "paused")
			}},
		{family("bytes", "gauge", "bytes", of("Bytes on disk, by part.", "各部分占用的磁盘字节数。"), of("Under 1 GB each.", "每部分小于 1 GB。"), of("Fewer series, or a shorter retention.", "减少序列数或缩短保留时间。"), "part"),
			func(st Stats, put func(float64, ...string)) {
				put(float64(st.RawBytes), "part", "raw")
				put(float64(st.LogBytes), "part", "log")
				put(float64(st.RollBytes), "part", "rollup")
			}},
		{family("oldest_timestamp_seconds", "gauge", "seconds", of("Time of the oldest figure, by part; 0 if there is none.", "各部分最早数据的时间；没有数据时为 0。"), of("As old as the retention.", "与保留时间一致。"), of("If it is younger, see whether parts were set aside.", "若明显偏新，请检查是否有数据块被移开。"), "part"),
			func(st Stats, put func(float64, ...string)) {
				put(seconds(st.RawFrom), "part", "raw")
				put(seconds(st.RollFrom), "part", "rollup")
			}},
		{family("openings_total", "counter", "", of("Times the database was opened; the first one counts.", "数据库打开次数（含首次）。"), of("1", "1"), of("More: a write failed; look at the disk.", "大于 1：曾有写入失败，请检查磁盘。")),
			func(st Stats, put func(float64, ...string)) { put(float64(st.Reopened)) }},
		{family("damaged_parts_total", "counter", "", of("Blocks or logs that were damaged and set aside.", "已损坏并移开的数据块或日志数。"), of("0", "0"), of("Check the disk; the parts lie in the directory damaged.", "检查磁盘；损坏部分位于 damaged 目录。")),
			func(st Stats, put func(float64, ...string)) { put(float64(st.Damaged)) }},
		{family("clock_set_back_total", "counter", "", of("Times that samples of the future were set aside.", "将未来时间的样本移开的次数。"), of("0", "0"), of("Keep the clock with NTP.", "使用 NTP 同步时钟。")),
			func(st Stats, put func(float64, ...string)) { put(float64(st.Ahead)) }},
	}
}
