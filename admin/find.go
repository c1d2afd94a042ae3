package admin

import (
	"context"
	"net/url"

	"posthouse/sysmon/words"
)

// Found is something the palette goes to.
type Found struct {
	Title words.Text
	About words.Text
	Group words.Text // Rule, Alert, Action …
	Href  string
}

// foundRow is a Found in one language, as the palette reads it.
type foundRow struct {
	Title string `json:"title"`
	About string `json:"about,omitempty"`
	Group string `json:"group"`
	Href  string `json:"href"`
}

func findRoutes() []Route {
	return []Route{{Method: "GET", Path: "/admin/find", Title: words.Of("Find", "查找"), Need: Sees, Handle: (*Admin).answerPalette}}
}

// answerPalette answers the palette: people, and what Options.Find knows.
func (a *Admin) answerPalette(r *Request) {
	q, lang := r.Query("q"), r.Tongue()
	out := []foundRow{}
	if a.o.Find != nil {
		for _, f := range a.o.Find(r.ctx, q) {
			out = append(out, foundRow{f.Title.In(lang), f.About.In(lang), f.Group.In(lang), f.Href})
		}
	}
	people, err := r.everybody(q)
	if err != nil {
		r.Error(err)
		return
	}
	for i, u := range people {
		if i == 8 {
			break
		}
		out = append(out, foundRow{u.Name, u.Login, words.Of("Person", "人员").In(lang), "/admin/people?q=" + url.QueryEscape(u.Login)})
	}
	r.JSON(out)
}

// Finder finds rules, alerts, actions and the like for the palette.
type Finder func(ctx context.Context, query string) []Found
