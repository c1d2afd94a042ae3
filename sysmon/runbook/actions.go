package runbook

import (
	"time"

	"posthouse/sysmon/words"
)

// Action is one row of the catalogue.
type Action struct {
	ID      string
	Title   words.Text
	Does    words.Text // what it changes, and what it does not
	Role    string     // admin, owner: who may at least
	Rest    time.Duration
	Confirm string   // what must be typed; empty: nothing
	Asks    []string // arguments that a person chooses
	Auto    bool     // harmless enough for the allow-list
}

// Actions is the catalogue.
func Actions() []Action {
	return append(ownActions(), boxActions()...)
}

// ownActions look at, or relieve, the program itself.
func ownActions() []Action {
	return []Action{
		{ID: "free_memory", Title: words.Of("Return memory to the system", "归还空闲内存"), Role: "admin", Rest: 5 * time.Minute, Auto: true,
			Does: words.Of("Collects garbage and gives unused pages back. Nobody is disconnected; for some milliseconds everything is slower.", "执行垃圾回收并归还未用内存页；不断开任何连接，几毫秒内略慢。")},
		{ID: "heap_profile", Title: words.Of("Keep a profile of the memory", "保存内存剖析"), Role: "admin", Rest: 30 * time.Second, Auto: true,
			Does: words.Of("Writes a heap profile beside the figures. It changes nothing.", "写出堆剖析文件，不改变任何状态。")},
		{ID: "cpu_profile", Title: words.Of("Keep a profile of the processors (10 s)", "保存处理器剖析（10 秒）"), Role: "admin", Rest: 30 * time.Second, Auto: true,
			Does: words.Of("Samples for ten seconds what the program computes. It costs about 1 % meanwhile.", "采样 10 秒程序的计算，期间约占 1 % 处理器。")},
		{ID: "goroutines", Title: words.Of("Keep a list of goroutines", "保存协程清单"), Role: "admin", Rest: 30 * time.Second, Auto: true,
			Does: words.Of("Writes what every goroutine waits for. It changes nothing.", "写出所有协程的等待位置，不改变任何状态。")},
		{ID: "trim_thumbnails", Title: words.Of("Empty the cache of thumbnails", "清空缩略图缓存"), Role: "admin", Rest: time.Minute, Auto: true,
			Does: words.Of("Removes thumbnails; they are made again when somebody looks. No file of anybody is touched.", "删除缩略图，需要时重新生成；不影响任何文件。")},
		{ID: "housekeeping", Title: words.Of("Run the housekeeping now", "立即执行清理"), Role: "admin", Rest: time.Minute, Auto: true,
			Does: words.Of("Ends unused sessions, forgets expired uploads, moves unreferenced content into the bin, empties what is old in it, and releases old journal segments. It runs hourly anyway.", "结束闲置会话，清除过期上传，把无引用内容移入回收站并清空过期部分，释放旧日志段；平时每小时自动执行。")},
		{ID: "flush_state", Title: words.Of("Write the state to its file now", "立即落盘状态"), Role: "admin", Rest: 10 * time.Second, Auto: true,
			Does: words.Of("Writes what waits for the state file. Messages are durable already; a restart becomes faster.", "写入等待中的状态；消息早已落盘，仅使重启更快。")},
		{ID: "compact_state", Title: words.Of("Compact the state file", "压缩状态文件"), Role: "admin", Rest: 10 * time.Minute, Confirm: "compact",
			Does: words.Of("Writes the file anew without its free pages. Messages flow meanwhile; it needs room for a second copy.", "重写文件并去除空闲页；期间消息照常，需要容纳第二份副本的空间。")},
		{ID: "rebuild_search", Title: words.Of("Build the index of messages anew", "重建消息索引"), Role: "admin", Rest: 10 * time.Minute, Confirm: "rebuild",
			Does: words.Of("Searches find less until it is done: about a minute a million messages.", "完成前搜索结果不全，每百万条消息约一分钟。")},
		{ID: "debug_log", Title: words.Of("Log in detail for ten minutes", "详细日志 10 分钟"), Role: "admin", Rest: time.Minute,
			Does: words.Of("Sets the log level to debug and back after ten minutes.", "日志级别改为 debug，10 分钟后恢复。")},
		{ID: "revert_config", Title: words.Of("Go back to the configuration before the last reload", "恢复上次重新加载前的配置"), Role: "admin", Rest: 10 * time.Second, Confirm: "revert",
			Does: words.Of("Takes back the values that a reload changed, until the next reload or restart. The file stays: mend it too.", "撤回最近一次重新加载的改动，直到下次加载或重启；文件不变，请一并修正。")},
	}
}

// boxActions act on what is around the program: connections, doors, people.
func boxActions() []Action {
	return []Action{
		{ID: "read_only_on", Title: words.Of("Stop taking messages (read-only)", "停止接收消息（只读）"), Role: "owner", Rest: 5 * time.Second, Confirm: "read-only",
			Does: words.Of("Nobody can send or upload; reading, logging in and taking back go on. Use it to protect a failing disk.", "任何人不能发送或上传；阅读、登录、撤回仍可用。用于保护故障磁盘。")},
		{ID: "read_only_off", Title: words.Of("Take messages again", "恢复接收消息"), Role: "admin", Rest: 5 * time.Second,
			Does: words.Of("Ends a read-only time that a person began. A full disk stays read-only until it has room.", "结束人工设置的只读；磁盘已满时仍保持只读。")},
		{ID: "renew_certificate", Title: words.Of("Renew the certificate, or read its files again", "更新证书或重新读取证书文件"), Role: "admin", Rest: 30 * time.Second, Auto: true,
			Does: words.Of("Makes a new certificate when one is due, or reads the configured files again. Connections stay.", "到期时签发新证书，或重新读取所配置的文件；连接不受影响。")},
		{ID: "restart_listener", Title: words.Of("Open the listeners anew", "重新打开监听端口"), Role: "admin", Rest: time.Minute, Confirm: "restart", Auto: true,
			Does: words.Of("Closes the public listeners and opens them again. Open connections stay; new ones wait a moment.", "关闭公共监听端口并重新打开；已有连接保留，新连接稍候。")},
		{ID: "cancel_operation", Title: words.Of("Give up an operation", "取消操作"), Role: "admin", Rest: time.Second, Asks: []string{"operation"},
			Does: words.Of("Ends one operation that runs; its caller gets an error and may try again. Writes of messages cannot be given up.", "结束一个正在进行的操作，调用者收到错误后可重试；消息写入不可取消。")},
		{ID: "end_session", Title: words.Of("Log a device out", "强制设备下线"), Role: "admin", Rest: time.Second, Asks: []string{"device"},
			Does: words.Of("Ends one session: its connections close within a second and the person logs in again.", "结束一个会话，其连接一秒内断开，需要重新登录。")},
		{ID: "disable_account", Title: words.Of("Disable an account", "停用账号"), Role: "admin", Rest: time.Second, Asks: []string{"login"}, Confirm: "disable",
			Does: words.Of("Ends all sessions of an account, bots included, until it is enabled again. Nothing is deleted.", "结束该账号（含机器人）的全部会话，直到重新启用；不删除任何内容。")},
		{ID: "probe_now", Title: words.Of("Let the virtual users try now", "立即运行探测"), Role: "admin", Rest: 10 * time.Second, Auto: true,
			Does: words.Of("Logs in, sends, receives and reads over the public listener, and shows which step fails. It changes no business figure.", "通过公共端口登录、发送、接收、读取，并指出失败的步骤；不计入业务数据。")},
		{ID: "test_channels", Title: words.Of("Send a test by every channel", "通过所有渠道发送测试"), Role: "admin", Rest: time.Minute,
			Does: words.Of("Sends one test notice by each channel and shows what each answered.", "向每个渠道发送一条测试通知并显示回应。")},
		{ID: "retry_hooks", Title: words.Of("Deliver what hooks gave up on again", "重新投递失败的钩子事件"), Role: "admin", Rest: time.Minute,
			Does: words.Of("Puts dead letters of outgoing hooks back into their queues.", "把发送钩子的死信放回队列。")},
		{ID: "acknowledge", Title: words.Of("Acknowledge the alert", "确认告警"), Role: "admin",
			Does: words.Of("Says that somebody is on it: it does not escalate.", "表示已有人处理，不再升级。")},
		{ID: "silence", Title: words.Of("Silence the alert for two hours", "静默告警两小时"), Role: "admin", Rest: 10 * time.Second,
			Does: words.Of("Nobody is told for two hours; it is still evaluated and shown.", "两小时内不再通知；仍继续评估与显示。")},
	}
}
