package admin

import (
	"strings"

	"posthouse/sysmon/runbook"
	"posthouse/sysmon/words"
)

// Deed is what an action of the audit is called in words. One that is not
// known, as from a later version, is called by its name.
func Deed(action string) words.Text {
	if id, ok := strings.CutPrefix(action, "runbook."); ok {
		for _, a := range runbook.Actions() {
			if a.ID == id {
				return a.Title
			}
		}
	}
	if t, ok := deeds()[action]; ok {
		return t
	}
	return words.Of(action, action)
}

func deeds() map[string]words.Text {
	return map[string]words.Text{
		"alert.ack":           words.Of("Alert acknowledged", "确认告警"),
		"alert.assign":        words.Of("Alert assigned", "指派告警"),
		"alert.comment":       words.Of("Comment on an alert", "备注告警"),
		"alert.silence":       words.Of("Alert silenced", "静默告警"),
		"alert.unack":         words.Of("Acknowledgement taken back", "撤销确认告警"),
		"alerts.plan":         words.Of("Changed who is told of alerts", "修改告警通知计划"),
		"channel.remove":      words.Of("Channel removed", "删除通知渠道"),
		"channel.save":        words.Of("Channel saved", "保存通知渠道"),
		"channel.test":        words.Of("Channel tested", "测试通知渠道"),
		"checklist.run":       words.Of("Checklist run", "运行检查清单"),
		"config.changed":      words.Of("Configuration changed", "修改配置"),
		"console.steps":       words.Of("First steps put away", "收起初始步骤"),
		"department.put":      words.Of("Department saved", "保存部门"),
		"department.remove":   words.Of("Department removed", "删除部门"),
		"health.weights":      words.Of("Weights of the health score changed", "修改健康分权重"),
		"hook.create":         words.Of("Hook made", "新建钩子"),
		"hook.remove":         words.Of("Hook removed", "删除钩子"),
		"hook.rotate":         words.Of("Hook got a new secret", "更换钩子密钥"),
		"hook.update":         words.Of("Hook changed", "修改钩子"),
		"invite.create":       words.Of("Invitation made", "新建邀请"),
		"invite.revoke":       words.Of("Invitation revoked", "撤销邀请"),
		"operation.cancel":    words.Of("Operation given up", "取消操作"),
		"organisation.rename": words.Of("Organisation renamed", "修改组织名称"),
		"quiet.add":           words.Of("Quiet hours added", "新增免打扰时段"),
		"quiet.remove":        words.Of("Quiet hours removed", "删除免打扰时段"),
		"rule.file":           words.Of("File of rules saved", "保存规则文件"),
		"rule.file_removed":   words.Of("File of rules removed", "删除规则文件"),
		"rule.created":        words.Of("Rule made", "新建规则"),
		"rule.deleted":        words.Of("Rule removed", "删除规则"),
		"rule.disabled":       words.Of("Rule switched off", "停用规则"),
		"rule.enabled":        words.Of("Rule switched on", "启用规则"),
		"rule.restored":       words.Of("Rule as it was shipped", "规则恢复出厂设置"),
		"rule.reverted":       words.Of("Change of a rule taken back", "撤销规则修改"),
		"rule.saved":          words.Of("Rule saved", "保存规则"),
		"runbook.auto":        words.Of("Automatic action changed", "修改自动处理"),
		"runbook.collect":     words.Of("Evidence collected again", "重新收集证据"),
		"server.started":      words.Of("Server started", "服务器启动"),
		"server.upgraded":     words.Of("Another version started", "版本变更"),
		"session.disconnect":  words.Of("Connection cut", "断开连接"),
		"session.revoke":      words.Of("Login ended", "结束登录"),
		"setup.done":          words.Of("Part of the set-up done", "初始设置完成一步"),
		"setup.open":          words.Of("Part of the set-up opened again", "重新打开初始设置步骤"),
		"setup.skipped":       words.Of("Part of the set-up passed over", "跳过初始设置步骤"),
		"setup.link":          words.Of("Set-up link made", "生成初始化链接"),
		"silence.add":         words.Of("Alerts silenced", "新增静默"),
		"silence.end":         words.Of("Silence ended", "结束静默"),
		"storage.compact":     words.Of("State file compacted", "压缩状态文件"),
		"storage.look":        words.Of("Storage looked through", "检查存储"),
		"support.bundle":      words.Of("Support bundle made", "生成支持包"),
		"user.create":         words.Of("Account made", "新建账号"),
		"user.import":         words.Of("Accounts imported", "导入账号"),
		"user.password":       words.Of("Password set", "重置密码"),
		"user.token":          words.Of("Token of a program made", "生成程序令牌"),
		"user.update":         words.Of("Account changed", "修改账号"),
	}
}
