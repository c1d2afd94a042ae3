package admin

import (
	"github.com/a-h/templ"

	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

func (a *Admin) storageView(v console.View, refused string) console.Storage {
	if a.o.Inside.Storage == nil {
		return console.Storage{Refused: refused}
	}
	s := a.o.Inside.Storage()
	out := console.Storage{Journal: s.Journal, Segments: s.Segments, Records: s.Records, Durable: v.In(s.Durable), ReadOnly: v.In(s.ReadOnly),
		Work: v.In(s.Work), Result: v.In(s.Result), Failed: s.Failed, Refused: refused, Trend: "/admin/boards/storage"}
	for _, d := range s.Databases {
		c := console.Database{Name: d.Name, Bytes: d.Bytes, Free: d.Free, Looked: d.Looked}
		for _, b := range d.Buckets {
			c.Buckets = append(c.Buckets, console.Bucket(b))
		}
		out.Databases = append(out.Databases, c)
	}
	return out
}

func (a *Admin) storagePage(r *Request) {
	r.Page(func(v console.View) templ.Component { return console.StoragePage(v, a.storageView(v, "")) })
}

// lookAtStorage begins to look at every page of the databases.
func (a *Admin) lookAtStorage(r *Request) {
	if a.o.Inside.Look != nil {
		a.o.Inside.Look()
		a.note(r, "storage.look", "", "", "done")
	}
	r.Done("/admin/storage", words.Of("The files are being looked at: open the page again in a moment.", "正在检查文件，请稍后重新打开此页面。"))
}

// compact begins to compact the state file.
func (a *Admin) compact(r *Request) {
	if !r.Typed(console.CompactObject()) {
		r.Invalid(func(v console.View) templ.Component {
			return console.StoragePage(v, a.storageView(v, v.Say("What was typed is not the name of the file. Nothing was done.", "输入的文件名不符，未作任何更改。")))
		})
		return
	}
	if a.o.Inside.Compact != nil {
		a.o.Inside.Compact()
		a.note(r, "storage.compact", console.CompactObject(), "", "done")
	}
	r.Done("/admin/storage", words.Of("The state file is being compacted; messages flow meanwhile.", "正在压缩状态文件，期间消息照常收发。"))
}
