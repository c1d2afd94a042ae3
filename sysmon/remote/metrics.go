package remote

import (
	"io"
	"sync/atomic"

	"posthouse/sysmon/expo"
	"posthouse/sysmon/words"
)

// meters count.
type meters struct {
	stored, refused      atomic.Uint64 // samples
	ok, unwanted, failed atomic.Uint64 // requests
	givenUp              atomic.Uint64 // ms
}

// Families describe what Write writes.
func (w *Writer) Families() []expo.Family {
	of := words.Of
	look := of("The log says what the receiver answers; look at it and at the way there.", "日志写明了接收端的应答；请检查接收端及网络。")
	return []expo.Family{
		{Name: "posthouse_remote_write_samples_total", Type: "counter", Source: "sysmon/remote", Labels: []string{"result"}, Help: of("Samples sent to the remote write receiver, by what became of them.", "发往 remote write 接收端的采样数，按结果区分。"),
			Normal: of("stored grows, refused stands still.", "stored 增长，refused 不变。"), Action: of("refused: the receiver has newer samples of these series, or a limit; see its log.", "refused：接收端已有更新的采样或达到上限，请查看其日志。")},
		{Name: "posthouse_remote_write_requests_total", Type: "counter", Source: "sysmon/remote", Labels: []string{"result"}, Help: of("Requests to the remote write receiver, by result.", "对 remote write 接收端的请求数，按结果区分。"),
			Normal: of("ok grows.", "ok 增长。"), Action: look},
		{Name: "posthouse_remote_write_behind_seconds", Type: "gauge", Unit: "seconds", Source: "sysmon/remote", Help: of("How old the newest sample is that the remote write receiver has.", "remote write 接收端已有的最新采样距今多久。"),
			Normal: of("Up to two intervals.", "不超过两个采样间隔。"), Action: look},
		{Name: "posthouse_remote_write_given_up_seconds_total", Type: "counter", Unit: "seconds", Source: "sysmon/remote", Help: of("Time of which no samples were sent, for the receiver was away for too long.", "因接收端离线过久而放弃发送的时长。"),
			Normal: of("0", "0"), Action: of("The samples are still here; ask this box for them.", "这些采样仍保存在本机，可在此查询。")},
	}
}

// Write is an expo.Source.
func (w *Writer) Write(to io.Writer) {
	f := w.Families()
	m := &w.meters
	expo.Header(to, f[0])
	expo.Sample(to, f[0].Name, float64(m.stored.Load()), "result", "stored")
	expo.Sample(to, f[0].Name, float64(m.refused.Load()), "result", "refused")
	expo.Header(to, f[1])
	expo.Sample(to, f[1].Name, float64(m.ok.Load()), "result", "ok")
	expo.Sample(to, f[1].Name, float64(m.unwanted.Load()), "result", "refused")
	expo.Sample(to, f[1].Name, float64(m.failed.Load()), "result", "failed")
	expo.Header(to, f[2])
	expo.Sample(to, f[2].Name, float64(w.behind())/1000)
	expo.Header(to, f[3])
	expo.Sample(to, f[3].Name, float64(m.givenUp.Load())/1000)
}
