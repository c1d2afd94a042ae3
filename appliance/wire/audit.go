package wire

import "posthouse/appliance/id"

type (
	AuditEntry struct {
		Position uint64 `json:"position" doc:"journal position, which names the entry|日志位置，即记录编号"`
		At       int64  `json:"at" doc:"when it happened, ms|发生时间（毫秒）"`
		Actor    id.ID  `json:"actor,omitzero" doc:"who did it; absent: the server itself or its command line|操作者；缺省为服务器自身或其命令行"`
		Name     string `json:"name,omitzero" doc:"name of the actor at that time|操作者当时的名称"`
		Role     string `json:"role,omitzero" doc:"role of the actor at that time; also operator and box|操作者当时的角色，另有 operator、box"`
		Address  string `json:"address,omitzero" doc:"where from|来源地址"`
		Action   string `json:"action" doc:"what was done, such as runbook.run|操作，例如 runbook.run"`
		Object   string `json:"object,omitzero" doc:"what it was done to|操作对象"`
		Detail   string `json:"detail,omitzero" doc:"with which values; never secrets|具体内容，不含机密"`
		Outcome  string `json:"outcome" doc:"done, refused, failed, or tried for a dry run|done 完成、refused 被拒、failed 失败、tried 预演"`
	}
	AuditListParams struct {
		Before  uint64 `json:"before,omitzero" doc:"only entries older than this position: next of the page before|早于此位置的记录，即上一页的 next"`
		Limit   int    `json:"limit,omitzero" doc:"1-200, default 200|1-200，默认 200"`
		Actor   id.ID  `json:"actor,omitzero" doc:"only by this account|仅此账号"`
		Action  string `json:"action,omitzero" doc:"only this action, or all that begin with it and a dot|仅此操作或以其加点开头的操作"`
		Outcome string `json:"outcome,omitzero" doc:"only with this outcome|仅此结果"`
		From    int64  `json:"from,omitzero" doc:"not before, ms|起始时间（毫秒，含）"`
		To      int64  `json:"to,omitzero" doc:"before, ms|结束时间（毫秒，不含）"`
		Text    string `json:"text,omitzero" doc:"part of name, action, object, detail or address|名称、操作、对象、内容或地址的一部分"`
	}
	AuditList struct {
		Entries []AuditEntry `json:"entries" doc:"newest first|新的在前"`
		Next    uint64       `json:"next,omitzero" doc:"there may be older ones: give it as before|可能还有更早的记录，作为 before 传入"`
	}
)

// Limits of the audit.
const (
	AuditPage    = 200
	MaxAuditWord = 64   // bytes of action, role and address
	MaxAuditText = 2000 // bytes of name, object and detail, each
)

// AuditOutcomes are what an entry of the audit can have come to.
func AuditOutcomes() []string { return []string{"done", "refused", "failed", "tried"} }

func auditTable() []Spec {
	return []Spec{
		row[AuditListParams, AuditList]("audit.list", Sees, Query, "Who did what to the server, newest first. An empty page with next set means: go on.", "谁对服务器做了什么，新的在前。页面为空但有 next 时请继续翻页。"),
	}
}
