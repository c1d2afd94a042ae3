package outhook

import (
	"os"

	"posthouse/appliance/meter"
	"posthouse/appliance/state"
)

// Measure names the figures of the hooks.
func (e *Engine) Measure(r *meter.Registry) {
	r.Gauge(meter.Family{Name: "im_hook_queue", Source: "outhook",
		Help:   meter.Say("Deliveries of outgoing hooks that wait.", "等待投递的发送钩子请求数。"),
		Normal: meter.Say("Near zero.", "接近零。"),
		Action: meter.Say("If it grows, the other program does not answer: see the hook in its room's settings.", "持续增长说明对端程序无响应：请在房间设置中查看该钩子。")},
		func() float64 {
			e.mu.Lock()
			defer e.mu.Unlock()
			n := 0
			for _, v := range e.waiting {
				n += v
			}
			return float64(n)
		})
	r.Gauge(meter.Family{Name: "im_hook_dead_letters", Source: "outhook",
		Help:   meter.Say("Deliveries of outgoing hooks that were given up and are kept.", "已放弃但仍保留的发送钩子请求数。"),
		Normal: meter.Say("Zero.", "零。"),
		Action: meter.Say("Repair the other program, then try them again or discard them.", "修复对端程序后重试或丢弃。")},
		func() float64 {
			e.mu.Lock()
			defer e.mu.Unlock()
			n := 0
			for _, v := range e.dead {
				n += v
			}
			return float64(n)
		})
	r.CounterFuncs(meter.Family{Name: "im_hook_deliveries_total", Labels: []string{"result"}, Source: "outhook",
		Help:   meter.Say("Posts of incoming hooks and deliveries of outgoing ones, by result: passed or refused.", "接收与发送钩子的请求数，按结果：passed 或 refused。"),
		Normal: meter.Say("Few refused.", "被拒绝的很少。"),
		Action: meter.Say("The hook's page tells why the last one was refused.", "钩子页面显示最近一次被拒绝的原因。")},
		func(yield func(v float64, values ...string)) {
			passed, refused := e.counts.total()
			yield(float64(passed), "passed")
			yield(float64(refused), "refused")
		})
}

func (c *Counts) total() (passed, refused uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.of {
		passed, refused = passed+s.Delivered, refused+s.Refused
	}
	return passed, refused
}

// FileBytes is the size of the file; 0 when it cannot be seen.
func (e *Engine) FileBytes() int64 {
	info, err := os.Stat(e.db.Path())
	if err != nil {
		return 0
	}
	return info.Size()
}

// Inspect looks at every page of the file.
func (e *Engine) Inspect() (state.FileSize, error) { return state.Inspect(e.db) }
