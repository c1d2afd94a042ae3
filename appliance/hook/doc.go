// Package hook owns what foreign webhooks say: it turns the payload that
// another program posts into one readable message in the Markdown of package
// markup, and it checks the proof of a shared secret that came with it. It is
// pure: no I/O, no clock, no state, no goroutines.
//
// # What is understood
//
//	dingtalk      robots: text, markdown, link, actionCard, feedCard; at
//	slack         text, attachments, blocks in Slack's mrkdwn; JSON or a form
//	mattermost    the same shape, the text is Markdown
//	grafana       unified alerting
//	alertmanager  webhook of version 4
//	gitlab        push, tag, issue, merge request, note, pipeline, job, others by name
//	jenkins       notification plugin
//	github        push, pull request, issues, others by name; Gitea and Gogs too
//	plain         {"text": "…"} or a body of text/plain, shown as it is
//
// A hook that is not pinned to one takes what the headers say (X-Gitlab-Event,
// X-GitHub-Event, X-Gitea-Event, X-Gogs-Event), then what the shape says. A
// shape like {"text": …} alone is Slack's.
//
// # Promises
//
//   - What a payload calls text is text: it makes no mark, link, list, quote or
//     mention. Where markup would see one, a zero width space (U+200B) stands
//     between its characters and a backtick becomes an apostrophe. Controls
//     and characters that turn the direction of writing are dropped.
//   - What a format calls Markdown keeps its marks, but no mention in it calls
//     anybody. @all comes only from the field or the form of the format that
//     says so (isAtAll, <!channel>), a mention of a person likewise.
//   - A link is what the format calls one, and a bare address in a text that a
//     program wrote for people; http and https only. A target that is not one
//     is shown as text.
//   - The result is valid UTF-8 of at most Options.Max bytes; what is longer
//     ends with a note.
//   - Time and memory grow linearly with the payload.
//
// # Choices
//
// A pipeline or job of GitLab is told when it has ended, not when it waits or
// runs. In Slack's text *one star* is bold, in Mattermost's italic; an unpinned
// hook reads Slack's. Both accept <url|text> and [text](url). DingTalk's title
// of a markdown or actionCard is what its list shows, and is left out unless
// there is no text. Pictures become links. dingtalk:// links that wrap an
// address become that address.
package hook
