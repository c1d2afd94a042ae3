package admin

import (
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/valyala/fasthttp"

	"posthouse/appliance/wire"
	"posthouse/sysmon/notify"
	"posthouse/sysmon/words"
	"posthouse/webui/console"
)

// setupDo carries out a form of the wizard. Field do says which: done, skipped
// and open mark the part; rename, test and save belong to one part each.
func (a *Admin) setupDo(r *Request) {
	p, ok := a.setupProgress(r)
	if !ok {
		return
	}
	part, do := r.Arg("part"), r.Form("do")
	switch {
	case !slices.Contains(p.parts, part):
		r.Trouble(fasthttp.StatusNotFound, words.Of("The set-up has no such part.", "初始设置没有这一步。"))
	case do == string(MarkSkipped) && part != partFinish, do == string(MarkOpen) && part != partFinish, do == string(MarkDone) && slices.Contains(said(), part):
		a.markPart(r, part, PartMark(do))
	case do == "rename" && part == PartName:
		a.setupRename(r, p)
	case do == "test" && part == PartNotices, do == "save" && part == PartNotices:
		a.setupChannel(r, p)
	default:
		r.Trouble(fasthttp.StatusUnprocessableEntity, words.Of("The set-up does not know what to do with this form. Nothing was changed.", "初始设置无法处理此表单，没有任何更改。"))
	}
}

// markPart keeps what the visitor says of a part, and goes on.
func (a *Admin) markPart(r *Request, part string, mark PartMark) {
	if !a.keepMark(r, part, mark) {
		return
	}
	if mark == MarkOpen {
		r.Go(setupPath + "/" + part)
		return
	}
	a.goOn(r, part, words.Text{})
}

// keepMark reports whether it worked; if not, the answer is given.
func (a *Admin) keepMark(r *Request, part string, mark PartMark) bool {
	if err := a.o.Setup.Mark(part, mark, r.Visitor.Login); err != nil {
		r.Fault(err)
		return false
	}
	a.note(r, "setup."+string(mark), part, "", "done")
	return true
}

// goOn goes to the part that follows one, as things are now.
func (a *Admin) goOn(r *Request, part string, told words.Text) {
	p, ok := a.setupProgress(r)
	switch {
	case !ok:
	case p.open() == partFinish:
		r.Done(setupPath+"/"+partFinish, told)
	default:
		r.Done(setupPath+"/"+p.after(part), told)
	}
}

// setupRename keeps the name of the organisation; the method writes the audit
// itself.
func (a *Admin) setupRename(r *Request, p progress) {
	if name := strings.TrimSpace(r.Form("organisation")); name != a.o.Organisation() {
		if _, err := r.Call("organisation.rename", wire.OrganisationName{Name: name}); err != nil {
			a.setupRefused(r, p, PartName, "organisation", err)
			return
		}
	}
	if a.keepMark(r, PartName, MarkDone) {
		a.goOn(r, PartName, words.Of("Saved.", "已保存。"))
	}
}

// setupRefused shows a form again with what a method did not like of it.
func (a *Admin) setupRefused(r *Request, p progress, part, field string, err error) {
	f := r.Filled()
	if !r.refusedIn(&f, err, field) {
		r.Error(err)
		return
	}
	a.showPart(r, p, part, setupAnswer{form: &f}, r.Invalid)
}

// setupInvite makes an invitation, which is a key that is handed out: the
// password is asked for, as on the page of invitations.
func (a *Admin) setupInvite(r *Request) {
	p, ok := a.setupProgress(r)
	if !ok {
		return
	}
	f := r.Filled()
	made, err := r.newInvitation(&f)
	switch {
	case err != nil:
		r.Error(err)
	case made == nil:
		a.showPart(r, p, PartPeople, setupAnswer{form: &f}, r.Invalid)
	default:
		if p, ok = a.setupProgress(r); ok { // the part is done now
			a.showPart(r, p, PartPeople, setupAnswer{invite: made}, r.Page)
		}
	}
}

// noticesBody lists the channels; with the parameter kind it is the form of a
// new one.
func (a *Admin) noticesBody(r *Request, ans setupAnswer) (func(console.View) templ.Component, error) {
	m := a.o.Alerts.Manager
	kind := r.Query("kind")
	return func(v console.View) templ.Component {
		n := console.SetupNotices{Tested: ans.tested, Edit: ans.channel}
		if k, known := notify.KindOf(kind); known && n.Edit == nil && !v.ReadOnly {
			edit := channelEdit(v, notify.Channel{Kind: k.Name, Lang: v.Lang}, k, console.Form{}, nil)
			n.Edit = &edit
		}
		n.Rows = channelRows(v, m.Channels())
		for _, k := range notify.Kinds() {
			n.Kinds = append(n.Kinds, console.Option{Value: k.Name, Title: v.In(k.Title)})
		}
		return console.SetupNoticesPage(v, n)
	}, nil
}

// setupChannel tests a channel or keeps one. A test of a channel that is there
// carries its id alone.
func (a *Admin) setupChannel(r *Request, p progress) {
	m := a.manager(r)
	if m == nil {
		return
	}
	c, kept := r.posted(), r.Form("kind") == ""
	if kept {
		i := slices.IndexFunc(m.Channels(), func(x notify.Channel) bool { return x.ID == r.Form("id") })
		if i < 0 || r.Form("do") != "test" {
			r.Trouble(fasthttp.StatusNotFound, words.Of("The channel is gone.", "该渠道已不存在。"))
			return
		}
		c = m.Channels()[i]
	}
	k, ok := notify.KindOf(c.Kind)
	if !ok {
		r.Trouble(fasthttp.StatusNotFound, words.Of("There is no such kind of channel.", "没有这种渠道。"))
		return
	}
	f := r.Filled()
	if r.Form("do") == "save" {
		if _, err := m.SaveChannel(c); err != nil {
			if r.mistake(&f, err, settingNames(k)) {
				edit := channelEdit(r.View(r.Route.Title), c, k, f, nil)
				a.showPart(r, p, PartNotices, setupAnswer{channel: &edit}, r.Invalid)
			}
			return
		}
		a.did(r, "channel.save", c.Name, c.Kind)
		r.Done(setupPath+"/"+PartNotices, words.Of("Saved.", "已保存。"))
		return
	}
	o := a.testChannel(r, m, c)
	ans := setupAnswer{}
	if kept {
		ans.tested = &console.SetupTest{ID: c.ID, Answer: o.answer, Failed: o.why(r.View(r.Route.Title))}
	} else {
		edit := channelEdit(r.View(r.Route.Title), c, k, f, &o)
		ans.channel = &edit
	}
	if p, ok = a.setupProgress(r); ok { // the test may have been what was missing
		a.showPart(r, p, PartNotices, ans, func(body func(console.View) templ.Component) { r.Page(body) })
	}
}
