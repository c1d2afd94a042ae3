package admin

import (
	"runtime"
	"runtime/debug"

	"github.com/valyala/fasthttp"

	"posthouse/sysmon/words"
)

// build tells what the program was built by, from and when.
func build() string {
	text := runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return text
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.time" || s.Key == "vcs.revision" {
			text += ", " + s.Value
		}
	}
	return text
}

// support gives a support bundle to take along.
func (a *Admin) support(r *Request) {
	if a.o.Support == nil {
		r.Trouble(fasthttp.StatusNotFound, words.Of("This server makes no support bundle.", "本服务器不提供支持包。"))
		return
	}
	body, err := a.o.Support(r.ctx)
	if err != nil {
		a.note(r, "support.bundle", "", "", "failed")
		r.Fault(err)
		return
	}
	a.note(r, "support.bundle", "", "", "done")
	r.ctx.SetContentType("application/zip")
	r.ctx.Response.Header.Set("Content-Disposition", `attachment; filename="posthouse-support-`+a.o.Now().UTC().Format("20060102T150405Z")+`.zip"`)
	r.ctx.Response.SetBodyRaw(body)
}
