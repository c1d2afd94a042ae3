package search_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"posthouse/appliance/id"
	"posthouse/appliance/search"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

func TestFindsWhatIsShown(t *testing.T) {
	o := openOffice(t, search.Options{})
	ann, bo := o.person("ann", "Ann Lee"), o.person("bo", "薄熙")
	room := o.room(ann, "floor", bo)
	a := o.send(ann, room, "明天上午九点在三号车间开会，请大家準時參加。")
	b := o.send(bo, room, "The **report** is _ready_: see [手册](https://wiki.example/manual) and `make test`")
	c := o.send(ann, room, "- first item\n- second item\n\n```sh\nrm -rf build\n```")
	d := o.send(ann, room, "", o.file(ann, "生产计划 Q3.xlsx"))
	e := o.send(ann, room, "@bo A级 是 的 好的，ＯＫ")
	for _, closed := range []bool{false, true} {
		if closed {
			o.closeIndex()
			o.openIndex()
		}
		o.finds(ann, "车间", a)
		o.finds(ann, "三號車間", a)
		o.finds(ann, "准时参加。", a)
		o.finds(ann, "report is ready", b)
		o.finds(ann, "REPORT", b)
		o.finds(ann, "ready report", b)
		o.finds(ann, `"ready report"`)
		o.finds(ann, `"report is"`, b)
		o.finds(ann, "or", b)
		o.finds(ann, "st", c, b)
		o.finds(ann, "**report**")
		o.finds(ann, "wiki.example/man", b)
		o.finds(ann, "手册 and", b)
		o.finds(ann, "first item second", c)
		o.finds(ann, "- first", c)
		o.finds(ann, "-rf build", c)
		o.finds(ann, "item", c)
		o.finds(ann, "计划 q3", d)
		o.finds(ann, "xlsx", d)
		o.finds(ann, "是 的 好", e)
		o.finds(ann, "A级", e)
		o.finds(ann, "ok", e)
		o.finds(ann, "@bo", e)
		o.finds(ann, "@薄熙 A", e)
		o.finds(ann, "nothing like that")
		o.findsWith(search.Query{User: ann, Text: "ma", Sender: bo}, b)
		o.findsWith(search.Query{User: ann, Text: "计划", Files: true}, d)
		o.findsWith(search.Query{User: ann, Text: "车间", Files: true})
		o.findsWith(search.Query{User: ann, Text: "te", Room: room}, c, b)
		o.findsWith(search.Query{User: ann, Text: "te", Room: 12345})
	}
}

func TestQueriesThatAreRefused(t *testing.T) {
	o := openOffice(t, search.Options{})
	ann := o.person("ann", "Ann")
	for text, kind := range map[string]wire.Kind{"": wire.InvalidParams, " ": wire.InvalidParams, "a": wire.InvalidParams, "好": wire.InvalidParams,
		"\u200b\u200b": wire.InvalidParams, strings.Repeat("长", 201): wire.TooLarge, strings.Repeat("x", 1<<20): wire.TooLarge} {
		_, err := o.x.Search(context.Background(), search.Query{User: ann, Text: text, Limit: 5})
		var e *wire.Error
		if !errors.As(err, &e) || e.Kind != kind || e.Text.Zh == "" {
			t.Errorf("%.20q: %v, want %s", text, err, kind)
		}
	}
}

func TestEditedAndRecalledTextIsGone(t *testing.T) {
	for name, docs := range map[string]int{"in memory": 1000, "in the file": 1} {
		t.Run(name, func(t *testing.T) {
			o := openOffice(t, search.Options{FlushDocs: docs})
			ann := o.person("ann", "Ann")
			room := o.room(ann, "r")
			var list []id.Message
			for _, text := range []string{"first secret words", "密码是一二三", "another line", "last secret"} {
				list = append(list, o.send(ann, room, text))
			}
			o.finds(ann, "secret", list[3], list[0])
			o.do(ann, &state.EditMessage{Message: list[0], Text: "nothing to see 已更正"})
			o.finds(ann, "secret", list[3])
			o.finds(ann, "更正", list[0])
			o.do(ann, &state.RecallMessage{Message: list[1]})
			o.finds(ann, "密码")
			o.closeIndex() // Check reads every posting
			for _, text := range []string{"first secret words", "密码是一二三"} {
				if n := search.CountPostings(t, o.path(), text, "nothing to see 已更正 another line last secret"); n > 0 {
					t.Errorf("%d postings of %q are left", n, text)
				}
			}
			o.openIndex()
			o.finds(ann, "更正", list[0])
			o.finds(ann, "secret", list[3])
		})
	}
}

func TestOnlyMembersFind(t *testing.T) {
	o := openOffice(t, search.Options{})
	ann, bo := o.person("ann", "Ann"), o.person("bo", "Bo")
	secret, open := o.room(ann, "secret"), o.room(ann, "open", bo)
	a := o.send(ann, secret, "salary list")
	b := o.send(ann, open, "salary day")
	o.finds(ann, "salary", b, a)
	o.finds(bo, "salary", b)
	o.findsWith(search.Query{User: bo, Text: "salary", Room: secret})
	o.do(ann, &state.AddMembers{Room: secret, Users: []id.ID{bo}})
	o.finds(bo, "salary", b, a)
	o.do(ann, &state.RemoveMembers{Room: secret, Users: []id.ID{bo}})
	o.finds(bo, "salary", b)
	o.finds(0, "salary")
}

func TestMentionsAreFoundByTheNameTheyShow(t *testing.T) {
	for name, docs := range map[string]int{"in memory": 1000, "in the file": 2} {
		t.Run(name, func(t *testing.T) {
			o := openOffice(t, search.Options{FlushDocs: docs})
			ann, bo := o.person("ann", "Ann"), o.person("bo", "薄熙")
			room := o.room(ann, "r", bo)
			a := o.send(ann, room, "@bo 请看")
			o.send(ann, room, "nobody")
			o.send(ann, room, "nobody either")
			o.finds(ann, "@薄熙 请", a)
			other := "王小明"
			o.do(bo, &state.UpdateUser{User: bo, Self: true, Name: &other})
			o.finds(ann, "@王小明 请", a)
			o.finds(ann, "薄熙")
			o.finds(ann, "@bo", a)
			b := o.send(ann, room, "@cy is not here yet")
			o.person("cy", "Cyril")
			o.finds(ann, "cyril", b)
		})
	}
}
