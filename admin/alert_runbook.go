package admin

import (
	"context"
	"io"

	"github.com/a-h/templ"

	"posthouse/sysmon/alert"
	"posthouse/webui/console"
)

// withRunbook puts evidence and steps into an alert's page.
func (a *Admin) withRunbook(r *Request, v console.View, x alert.Active, page templ.Component) templ.Component {
	part := a.RunbookPart(r, v, x.Fingerprint)
	if part == nil {
		return page
	}
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return page.Render(templ.WithChildren(ctx, part), w)
	})
}
