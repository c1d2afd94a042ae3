package hook

import (
	"net/url"
	"strings"
)

const mostItems = 20 // entries of a list in a payload that are shown

func (t *translator) dingtalk() (Message, error) {
	var p dingPayload
	if err := t.decode(&p); err != nil {
		return Message{}, err
	}
	m := Message{}
	switch p.Type {
	case "text":
		m.Raw = string(p.Text.Content)
		m.Text = t.dingAt(clean(m.Raw), &p, paragraphs)
	case "markdown":
		m.Raw = string(p.Markdown.Title + "\n" + p.Markdown.Text)
		m.Text = t.dingAt(first(p.Markdown.Text, p.Markdown.Title), &p, rewriteDing)
	case "link":
		m.Raw = string(p.Link.Title + "\n" + p.Link.Text)
		title := bold(link(string(p.Link.Title), dingURL(p.Link.URL)))
		m.Text = join("\n", title, t.dingAt(string(p.Link.Text), &p, paragraphs))
	case "actionCard":
		c := p.Card
		m.Raw = string(c.Title + "\n" + c.Text)
		buttons := []string{}
		if c.SingleURL != "" {
			buttons = append(buttons, link(string(c.SingleTitle), dingURL(c.SingleURL)))
		}
		for _, b := range firstOf(c.Buttons, mostItems) {
			buttons = append(buttons, link(string(b.Title), dingURL(b.URL)))
		}
		m.Text = t.dingAt(first(c.Text, c.Title), &p, rewriteDing)
		m.Text = join("\n\n", m.Text, strings.Join(buttons, " · "))
	case "feedCard":
		var lines []string
		for _, l := range firstOf(p.Feed.Links, mostItems) {
			m.Raw += string(l.Title) + "\n"
			lines = append(lines, "- "+link(string(l.Title), dingURL(l.URL)))
		}
		m.Text = strings.Join(lines, "\n")
	default:
		return m, errShape
	}
	if strings.TrimSpace(m.Text) == "" {
		return m, errEmpty
	}
	return m, nil
}

type dingPayload struct {
	Type str `json:"msgtype"`
	Text struct {
		Content str `json:"content"`
	} `json:"text"`
	Markdown struct {
		Title str `json:"title"`
		Text  str `json:"text"`
	} `json:"markdown"`
	Link struct {
		Title str `json:"title"`
		Text  str `json:"text"`
		URL   str `json:"messageUrl"`
	} `json:"link"`
	Card struct {
		Title       str          `json:"title"`
		Text        str          `json:"text"`
		SingleTitle str          `json:"singleTitle"`
		SingleURL   str          `json:"singleURL"`
		Buttons     []dingButton `json:"btns"`
	} `json:"actionCard"`
	Feed struct {
		Links []struct {
			Title str `json:"title"`
			URL   str `json:"messageURL"`
		} `json:"links"`
	} `json:"feedCard"`
	At struct {
		Mobiles []str `json:"atMobiles"`
		Users   []str `json:"atUserIds"`
		All     any   `json:"isAtAll"`
	} `json:"at"`
}

type dingButton struct {
	Title str `json:"title"`
	URL   str `json:"actionURL"`
}

// rewriteDing is fromMarkdown for a text with marks of mentions.
func rewriteDing(s string) string { return rewrite(widen(s)) }

// dingAt puts the mentions of the at field into a text: where the text holds
// @number, else at its end. Who is not known stays as written.
func (t *translator) dingAt(text string, p *dingPayload, render func(string) string) string {
	text = clean(text)
	var end []string
	call := func(kind, value string) {
		login, ok := t.o.Person(kind, value)
		switch at := "@" + value; {
		case value == "" || !ok:
		case strings.Contains(text, at):
			text = strings.ReplaceAll(text, at, mention(login))
		default:
			end = append(end, mention(login))
		}
	}
	for _, v := range firstOf(p.At.Mobiles, 100) {
		call("mobile", string(v))
	}
	for _, v := range firstOf(p.At.Users, 100) {
		call("login", string(v))
	}
	if p.At.All == true || p.At.All == "true" {
		if strings.Contains(text, "@所有人") {
			text = strings.Replace(text, "@所有人", mention("all"), 1)
		} else {
			end = append(end, mention("all"))
		}
	}
	return join("\n", keepMarks(text, render), strings.Join(end, " "))
}

// keepMarks renders a text that holds marks of mentions: they are letters that
// cleaning would drop, so they wait as letters that it keeps.
func keepMarks(text string, render func(string) string) string {
	const open, shut = "\uE010", "\uE011"
	text = strings.NewReplacer(open, "", shut, "").Replace(text)
	text = strings.NewReplacer(string(markOpen), open, string(markClose), shut).Replace(text)
	return strings.NewReplacer(open, string(markOpen), shut, string(markClose)).Replace(render(text))
}

// dingURL takes an address out of the dingtalk:// link that wraps it.
func dingURL(s str) string {
	u, err := url.Parse(strings.TrimSpace(string(s)))
	if err == nil && strings.EqualFold(u.Scheme, "dingtalk") {
		if to := u.Query().Get("url"); to != "" {
			return to
		}
	}
	return string(s)
}

func firstOf[T any](list []T, n int) []T { return list[:min(len(list), n)] }

// first is the first of two that holds something.
func first(a, b str) string {
	if strings.TrimSpace(string(a)) != "" {
		return string(a)
	}
	return string(b)
}

// join joins what is not empty.
func join(sep string, parts ...string) string {
	var out []string
	for _, p := range parts {
		if strings.TrimSpace(p) != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, sep)
}
