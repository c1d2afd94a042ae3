package hook

import (
	"fmt"
	"strings"
)

const mostCommits = 8

type gitUser struct {
	Name     str `json:"name"`
	Username str `json:"username"`
	Login    str `json:"login"` // GitHub, Gitea
	Full     str `json:"full_name"`
}

type gitCommit struct {
	ID      str     `json:"id"`
	Message str     `json:"message"`
	URL     str     `json:"url"`
	Author  gitUser `json:"author"`
}

type gitlabPayload struct {
	Kind     str         `json:"object_kind"`
	Event    str         `json:"event_name"`
	Ref      str         `json:"ref"`
	Before   str         `json:"before"`
	After    str         `json:"after"`
	UserName str         `json:"user_name"`
	User     gitUser     `json:"user"`
	Commits  []gitCommit `json:"commits"`
	Total    int         `json:"total_commits_count"`
	Project  struct {
		Path str `json:"path_with_namespace"`
		Name str `json:"name"`
		URL  str `json:"web_url"`
	} `json:"project"`
	ProjectName str `json:"project_name"` // jobs
	Repository  struct {
		Home str `json:"homepage"`
	} `json:"repository"`
	Object struct {
		ID       str     `json:"id"`
		IID      str     `json:"iid"`
		Title    str     `json:"title"`
		Action   str     `json:"action"`
		State    str     `json:"state"`
		URL      str     `json:"url"`
		Note     str     `json:"note"`
		On       str     `json:"noteable_type"`
		Source   str     `json:"source_branch"`
		Target   str     `json:"target_branch"`
		Text     str     `json:"description"`
		Ref      str     `json:"ref"`
		Status   str     `json:"status"`
		Duration float64 `json:"duration"`
	} `json:"object_attributes"`
	MergeRequest struct {
		IID   str `json:"iid"`
		Title str `json:"title"`
	} `json:"merge_request"`
	Issue struct {
		IID   str `json:"iid"`
		Title str `json:"title"`
	} `json:"issue"`
	Commit struct {
		ID      str `json:"id"`
		Message str `json:"message"`
		URL     str `json:"url"`
	} `json:"commit"`
	Builds []struct {
		Name   str `json:"name"`
		Stage  str `json:"stage"`
		Status str `json:"status"`
	} `json:"builds"`
	BuildID     str     `json:"build_id"`
	BuildName   str     `json:"build_name"`
	BuildStage  str     `json:"build_stage"`
	BuildStatus str     `json:"build_status"`
	BuildTime   float64 `json:"build_duration"`
	BuildWhy    str     `json:"build_failure_reason"`
}

// gitlab reads what GitLab sends.
func (t *translator) gitlab() (Message, error) {
	var p gitlabPayload
	if err := t.decode(&p); err != nil {
		return Message{}, err
	}
	o := &p.Object
	m := Message{Raw: string(p.Kind + "\n" + p.Project.Path + "\n" + o.Title + "\n" + o.Note + "\n" + o.Ref + p.Ref)}
	switch p.Kind {
	case "push", "tag_push":
		m.Text = t.push(pushed{who: firstText(p.UserName, p.User.Name), repo: t.repo(&p), ref: string(p.Ref), created: zeros(p.Before), deleted: zeros(p.After),
			commits: p.Commits, total: p.Total, home: firstText(p.Project.URL, p.Repository.Home)})
	case "issue", "work_item":
		m.Text = t.item(&p, t.say("issue", "议题"), "#")
	case "merge_request":
		m.Text = t.item(&p, t.say("merge request", "合并请求"), "!")
		if o.Source != "" {
			m.Text += "\n" + code(string(o.Source)) + " → " + code(string(o.Target))
		}
	case "note":
		m.Text = t.note(&p)
	case "pipeline":
		m.Text = t.pipeline(&p)
	case "build", "job":
		m.Text = t.job(&p)
	case "":
		return m, errShape
	default:
		m.Text = join(" ", t.repo(&p)+":", field(strings.ReplaceAll(string(p.Kind), "_", " ")), field(string(o.Action)),
			link(string(o.Title), string(o.URL)), t.say("by", "操作者"), t.who(&p))
	}
	return m, nil
}

func zeros(s str) bool { return s != "" && strings.Trim(string(s), "0") == "" }

func (t *translator) repo(p *gitlabPayload) string {
	return bold(link(firstText(p.Project.Path, p.Project.Name, p.ProjectName), firstText(p.Project.URL, p.Repository.Home)))
}

func (t *translator) who(p *gitlabPayload) string {
	return field(firstText(p.User.Name, p.UserName, p.User.Username))
}

// pushed is a push of any of the forges.
type pushed struct {
	who, repo, ref, home string
	created, deleted     bool
	commits              []gitCommit
	total                int
}

func (t *translator) push(p pushed) string {
	kind, name := t.say("branch", "分支"), strings.TrimPrefix(p.ref, "refs/heads/")
	if tag, ok := strings.CutPrefix(p.ref, "refs/tags/"); ok {
		kind, name = t.say("tag", "标签"), tag
	}
	total := max(p.total, len(p.commits))
	what := fmt.Sprintf(t.say("pushed %d commits to", "推送了 %d 个提交到"), total)
	switch {
	case p.deleted:
		what = t.say("deleted", "删除了")
	case p.created && total == 0:
		what = t.say("created", "新建了")
	case total == 1:
		what = t.say("pushed 1 commit to", "推送了 1 个提交到")
	}
	lines := []string{join(" ", p.repo+":", field(p.who), what, kind, code(name))}
	for _, c := range lastOf(p.commits, mostCommits) {
		title, _, _ := strings.Cut(strings.TrimSpace(string(c.Message)), "\n")
		lines = append(lines, "- "+join(" ", link(sha(string(c.ID)), string(c.URL)), field(title), "· "+field(firstText(c.Author.Name, c.Author.Username))))
	}
	if more := total - min(len(p.commits), mostCommits); more > 0 && len(p.commits) > 0 {
		lines = append(lines, fmt.Sprintf(t.say("… and %d more", "……另有 %d 个"), more))
	}
	return strings.Join(lines, "\n")
}

func lastOf[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }

// item is an issue or a merge request that somebody did something to.
func (t *translator) item(p *gitlabPayload, what, sign string) string {
	o := &p.Object
	done, known := map[str]string{
		"open": t.say("opened", "新建了"), "close": t.say("closed", "关闭了"), "reopen": t.say("reopened", "重新打开了"),
		"update": t.say("updated", "更新了"), "merge": t.say("merged", "合并了"), "approved": t.say("approved", "批准了"),
		"unapproved": t.say("unapproved", "撤销批准了"), "approval": t.say("approved", "批准了"), "unapproval": t.say("unapproved", "撤销批准了"),
	}[o.Action]
	if !known {
		done = field(firstText(o.Action, o.State))
	}
	head := join(" ", t.repo(p)+":", t.who(p), done, what, link(sign+string(o.IID)+" "+string(o.Title), string(o.URL)))
	if text := strings.TrimSpace(string(o.Text)); text != "" && o.Action == "open" {
		head += "\n" + quote(escape(short(text, 500)))
	}
	return head
}

// quote puts safe text into a quote.
func quote(s string) string { return "> " + strings.ReplaceAll(s, "\n", "\n> ") }

func (t *translator) note(p *gitlabPayload) string {
	o := &p.Object
	on := ""
	switch o.On {
	case "MergeRequest":
		on = t.say("merge request ", "合并请求 ") + link("!"+string(p.MergeRequest.IID+" "+p.MergeRequest.Title), string(o.URL))
	case "Issue":
		on = t.say("issue ", "议题 ") + link("#"+string(p.Issue.IID+" "+p.Issue.Title), string(o.URL))
	case "Commit":
		on = t.say("commit ", "提交 ") + link(sha(string(p.Commit.ID)), string(o.URL))
	default:
		on = link(firstText(o.On, "note"), string(o.URL))
	}
	return join(" ", t.repo(p)+":", t.who(p), t.say("commented on", "评论了"), on) + "\n" + quote(escape(short(strings.TrimSpace(string(o.Note)), 1000)))
}

// ended tells how a pipeline or job ended; empty while it has not.
func (t *translator) ended(status string) string {
	switch status {
	case "success":
		return "🟢 " + t.say("passed", "通过")
	case "failed":
		return "🔴 " + t.say("failed", "失败")
	case "canceled", "cancelled":
		return "⚪ " + t.say("cancelled", "已取消")
	}
	return ""
}

func (t *translator) pipeline(p *gitlabPayload) string {
	o := &p.Object
	end := t.ended(string(o.Status))
	if end == "" {
		return ""
	}
	target := string(o.URL)
	if target == "" && p.Project.URL != "" {
		target = strings.TrimRight(string(p.Project.URL), "/") + "/-/pipelines/" + string(o.ID)
	}
	head := join(" ", t.repo(p)+":", t.say("pipeline", "流水线"), link("#"+string(o.ID), target), bold(end), code(string(o.Ref)), t.seconds(o.Duration), "· "+t.who(p))
	title, _, _ := strings.Cut(strings.TrimSpace(string(p.Commit.Message)), "\n")
	lines := []string{head, join(" ", link(sha(string(p.Commit.ID)), string(p.Commit.URL)), field(title))}
	var failed []string
	for _, b := range p.Builds {
		if b.Status == "failed" && len(failed) < mostItems {
			failed = append(failed, code(string(b.Stage+" / "+b.Name)))
		}
	}
	if len(failed) > 0 {
		lines = append(lines, t.say("failed: ", "失败：")+strings.Join(failed, " "))
	}
	return join("\n", lines...)
}

func (t *translator) job(p *gitlabPayload) string {
	end := t.ended(string(p.BuildStatus))
	if end == "" {
		return ""
	}
	target := ""
	if home := firstText(p.Project.URL, p.Repository.Home); home != "" {
		target = strings.TrimRight(home, "/") + "/-/jobs/" + string(p.BuildID)
	}
	why := ""
	if p.BuildStatus == "failed" && p.BuildWhy != "unknown_failure" {
		why = field(strings.ReplaceAll(string(p.BuildWhy), "_", " "))
	}
	return join(" ", t.repo(p)+":", t.say("job", "任务"), link(string(p.BuildStage+" / "+p.BuildName), target), bold(end), code(string(p.Ref)),
		t.seconds(p.BuildTime), why, "· "+t.who(p))
}

func (t *translator) seconds(s float64) string {
	if s <= 0 || s > 1e7 {
		return ""
	}
	return fmt.Sprintf(t.say("in %.0f s", "用时 %.0f 秒"), s)
}
