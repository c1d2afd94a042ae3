package hook

import "strings"

type githubPayload struct {
	Ref        str         `json:"ref"`
	RefType    str         `json:"ref_type"`
	Created    bool        `json:"created"`
	Deleted    bool        `json:"deleted"`
	Action     str         `json:"action"`
	Commits    []gitCommit `json:"commits"`
	Total      int         `json:"total_commits"`
	Pusher     gitUser     `json:"pusher"`
	Sender     gitUser     `json:"sender"`
	Repository struct {
		Name str `json:"full_name"`
		URL  str `json:"html_url"`
	} `json:"repository"`
	PullRequest githubItem `json:"pull_request"`
	Issue       githubItem `json:"issue"`
	Release     githubItem `json:"release"`
	Comment     struct {
		Body str `json:"body"`
		URL  str `json:"html_url"`
	} `json:"comment"`
	Run struct {
		Name       str `json:"name"`
		Branch     str `json:"head_branch"`
		Conclusion str `json:"conclusion"`
		URL        str `json:"html_url"`
	} `json:"workflow_run"`
}

type githubItem struct {
	Number str  `json:"number"`
	Title  str  `json:"title"`
	Name   str  `json:"name"`
	Tag    str  `json:"tag_name"`
	URL    str  `json:"html_url"`
	Merged bool `json:"merged"`
}

// github reads what GitHub, Gitea and Gogs send.
func (t *translator) github() (Message, error) {
	var p githubPayload
	if err := t.decode(&p); err != nil {
		return Message{}, err
	}
	event := ""
	for _, h := range []string{"X-Gitea-Event", "X-Gogs-Event", "X-GitHub-Event"} {
		if t.r.Header != nil && event == "" {
			event = t.r.Header(h)
		}
	}
	if p.Repository.Name == "" && event != "ping" {
		return Message{}, errShape
	}
	m := Message{Raw: event + "\n" + string(p.Repository.Name+"\n"+p.Issue.Title+p.PullRequest.Title+"\n"+p.Comment.Body)}
	repo := bold(link(string(p.Repository.Name), string(p.Repository.URL)))
	who := field(firstText(p.Sender.Full, p.Sender.Login, p.Pusher.Name, p.Pusher.Login))
	switch {
	case event == "push":
		m.Text = t.push(pushed{who: firstText(p.Pusher.Full, p.Pusher.Name, p.Pusher.Login, p.Sender.Login), repo: repo, ref: string(p.Ref),
			created: p.Created, deleted: p.Deleted, commits: p.Commits, total: p.Total})
	case event == "ping":
		m.Text = join(" ", repo, t.say("is connected", "已连接"))
	case event == "create" || event == "delete":
		m.Text = join(" ", repo+":", who, map[string]string{"create": t.say("created", "新建了"), "delete": t.say("deleted", "删除了")}[event],
			field(string(p.RefType)), code(string(p.Ref)))
	case p.Comment.Body != "":
		on := p.Issue
		if on.Number == "" {
			on = p.PullRequest
		}
		m.Text = join(" ", repo+":", who, t.say("commented on", "评论了"), link("#"+string(on.Number+" "+on.Title), string(p.Comment.URL))) +
			"\n" + quote(escape(short(strings.TrimSpace(string(p.Comment.Body)), 1000)))
	case p.PullRequest.Number != "":
		action := p.Action
		if p.PullRequest.Merged && action == "closed" {
			action = "merged"
		}
		m.Text = join(" ", repo+":", who, field(string(action)), t.say("pull request", "合并请求"), link("#"+string(p.PullRequest.Number+" "+p.PullRequest.Title), string(p.PullRequest.URL)))
	case p.Issue.Number != "":
		m.Text = join(" ", repo+":", who, field(string(p.Action)), t.say("issue", "议题"), link("#"+string(p.Issue.Number+" "+p.Issue.Title), string(p.Issue.URL)))
	case p.Release.URL != "":
		m.Text = join(" ", repo+":", who, field(string(p.Action)), t.say("release", "版本"), link(firstText(p.Release.Name, p.Release.Tag), string(p.Release.URL)))
	case p.Run.Name != "":
		if p.Action == "completed" {
			m.Text = join(" ", repo+":", link(string(p.Run.Name), string(p.Run.URL)), bold(field(string(p.Run.Conclusion))), code(string(p.Run.Branch)))
		}
	default:
		m.Text = join(" ", repo+":", who, field(strings.ReplaceAll(event, "_", " ")), field(string(p.Action)))
	}
	return m, nil
}
