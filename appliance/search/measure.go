package search

import (
	"errors"
	"os"

	"posthouse/appliance/meter"
	"posthouse/appliance/state"
)

// Measure names the figures of the index.
func (x *Index) Measure(r *meter.Registry) {
	r.Gauge(meter.Family{Name: "im_search_lag_records", Source: "search",
		Help:   meter.Say("Records that the index of messages has not come to yet.", "消息索引尚未处理的记录数。"),
		Normal: meter.Say("Near zero; counts down after a rebuild.", "接近零；重建后逐渐减少。"),
		Action: meter.Say("If it only grows, the index has stopped: the log tells why; rebuild it.", "只增不减说明索引已停止：原因见日志，请重建索引。")}, func() float64 {
		head, at := x.log.Position(), x.Status().Position
		return float64(head - min(head, at))
	})
	r.Gauge(meter.Family{Name: "im_search_segments", Source: "search",
		Help:   meter.Say("Segments of the index of messages.", "消息索引的段数。"),
		Normal: meter.Say("A few dozen at most.", "至多几十个。"), Action: meter.Say("None: they are merged by themselves.", "无需处理，会自动合并。")},
		func() float64 { return float64(x.Status().Segments) })
}

// FileBytes is the size of the file; 0 when it cannot be seen.
func (x *Index) FileBytes() int64 {
	info, err := os.Stat(x.path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// Inspect looks at every page of the file.
func (x *Index) Inspect() (state.FileSize, error) {
	x.mu.RLock()
	db := x.db
	x.mu.RUnlock()
	if db == nil {
		return state.FileSize{}, errors.New("the index of messages is being made anew")
	}
	return state.Inspect(db)
}
