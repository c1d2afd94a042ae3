package admin

import (
	"math"
	"net/url"

	"github.com/a-h/templ"
	"github.com/valyala/fasthttp"

	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// look is what was chosen in this browser.
type look struct {
	Lang  string // zh, en, or empty: as asked for
	Theme string // light, dark, or empty: as the system has it
	Keys  string // off, or empty: single keys are shortcuts
}

const lookCookie = "posthouse-look"

func readLook(ctx *fasthttp.RequestCtx) look {
	q, err := url.ParseQuery(string(ctx.Request.Header.Cookie(lookCookie)))
	if err != nil {
		return look{}
	}
	return look{Lang: oneOf(q.Get("lang"), "zh", "en"), Theme: oneOf(q.Get("theme"), "light", "dark"), Keys: oneOf(q.Get("keys"), "off")}
}

func oneOf(text string, allowed ...string) string {
	for _, a := range allowed {
		if text == a {
			return text
		}
	}
	return ""
}

func (a *Admin) help(r *Request) {
	r.Page(func(v console.View) templ.Component {
		return console.HelpPage(v, console.About{Version: a.o.Version, Build: build(), Support: a.o.Support != nil})
	})
}

// gallery shows every component with invented data.
func (a *Admin) gallery(r *Request) {
	r.Page(func(v console.View) templ.Component { return console.GalleryPage(v) })
}

// galleryData is an hour of invented figures, with all that a chart can show.
func (a *Admin) galleryData(r *Request) {
	const from, step = 1_795_248_000, 60
	var at []int
	one, two := []any{}, []any{}
	for i := range 61 {
		at = append(at, from+i*step)
		one = append(one, 0.5+0.45*math.Sin(float64(i)/9))
		two = append(two, 0.3+0.1*math.Cos(float64(i)/5))
		if i > 30 && i < 36 {
			two[i] = nil
		}
	}
	tongue := r.Tongue()
	r.JSON(map[string]any{"from": from, "to": from + 60*step, "step": step, "times": at,
		"series":     []any{map[string]any{"label": "chat", "values": one}, map[string]any{"label": "nas", "values": two}},
		"thresholds": []any{map[string]any{"value": 0.9, "label": "HighCPUUsage", "severity": "serious"}},
		"periods":    []any{map[string]any{"from": from + 9*step, "to": from + 19*step, "label": "HighCPUUsage", "severity": "serious"}},
		"marks":      []any{map[string]any{"at": from + 45*step, "kind": "backup", "label": words.Of("Backup finished", "备份完成").In(tongue)}}})
}

// chooseLook keeps what was chosen for a year, and goes back to the page.
func (a *Admin) chooseLook(r *Request) {
	next := r.look
	if v := r.Form("lang"); v != "" {
		next.Lang = oneOf(v, "zh", "en")
	}
	if v := r.Form("theme"); v != "" {
		next.Theme = oneOf(v, "light", "dark")
	}
	if v := r.Form("keys"); v != "" {
		next.Keys = oneOf(v, "off")
	}
	q := url.Values{}
	for name, v := range map[string]string{"lang": next.Lang, "theme": next.Theme, "keys": next.Keys} {
		if v != "" {
			q.Set(name, v)
		}
	}
	r.cookie(lookCookie, q.Encode(), 365*86400, false)
	r.Done(r.Form("to"), words.Text{})
}
