package wire

import "posthouse/appliance/id"

// Limits of hooks.
const (
	MaxHookWords      = 20   // keywords or trigger words of a hook
	MaxHooksPerRoom   = 100  // commands of every room count as one room's
	MaxHooks          = 2000 // in all
	MaxHooksPerPerson = 100  // made by somebody who is no admin
)

// HookEvents are what an outgoing hook can be told of.
func HookEvents() []string { return []string{"message", "edited", "recalled", "members"} }

// Hook is a door for another program, as those see it who look after it;
// others see neither addresses nor counters.
type Hook struct {
	ID          id.ID    `json:"id" doc:"hook|钩子"`
	Kind        string   `json:"kind" doc:"incoming, outgoing or command|incoming（接收）、outgoing（发送）或 command（斜杠命令）"`
	Room        id.ID    `json:"room,omitzero" doc:"room; none: a command of every room|房间；缺省为所有房间的命令"`
	Bot         id.ID    `json:"bot" doc:"account that its messages are sent by|发送消息的机器人账号"`
	Name        string   `json:"name" doc:"name, also of its bot|名称，也是机器人的名称"`
	Description string   `json:"description,omitzero" doc:"what it is for|说明"`
	Format      string   `json:"format,omitzero" doc:"incoming: the only format it takes; absent: found out for each payload|接收格式，缺省为自动识别"`
	Keywords    []string `json:"keywords,omitzero" doc:"incoming: a payload needs one of them|关键词，须含其一"`
	Usernames   bool     `json:"usernames,omitzero" doc:"incoming: a payload may name its sender|允许载荷自定显示名"`
	Signed      bool     `json:"signed,omitzero" doc:"incoming: a request must prove that it knows the secret|须验签"`
	Language    string   `json:"language,omitzero" doc:"zh or en: of the words it adds|所加文字的语言"`
	URL         string   `json:"url,omitzero" doc:"outgoing, command: where requests go|请求地址"`
	Events      []string `json:"events,omitzero" doc:"outgoing: message, edited, recalled, members|事件"`
	Words       []string `json:"words,omitzero" doc:"outgoing: only messages that begin with one of them|触发词"`
	Command     string   `json:"command,omitzero" doc:"command: the word after the slash|命令词"`
	Hint        string   `json:"hint,omitzero" doc:"command: its arguments, for people|参数提示"`
	Disabled    bool     `json:"disabled,omitzero" doc:"nothing passes|已停用"`
	CreatedBy   id.ID    `json:"created_by,omitzero" doc:"account|创建者"`
	Created     int64    `json:"created" doc:"time, ms|创建时间（毫秒）"`
	LastUsed    int64    `json:"last_used,omitzero" doc:"last request, ms|最近使用（毫秒）"`
	Delivered   uint64   `json:"delivered,omitzero" doc:"messages or requests that passed|成功数"`
	Refused     uint64   `json:"refused,omitzero" doc:"requests refused, or tries that failed|拒绝或失败数"`
	LastError   string   `json:"last_error,omitzero" doc:"why the last of them|最近一次原因"`
	LastErrorAt int64    `json:"last_error_at,omitzero" doc:"when, ms|时间（毫秒）"`
	Pending     int      `json:"pending,omitzero" doc:"outgoing: deliveries that wait|待投递数"`
	Dead        int      `json:"dead,omitzero" doc:"outgoing: deliveries given up|死信数"`
}

type (
	HookCreate struct {
		Kind        string   `json:"kind" doc:"incoming, outgoing or command|incoming、outgoing 或 command"`
		Room        id.ID    `json:"room,omitzero" doc:"room; a command without one is for all rooms (admins)|房间；命令缺省为所有房间（限管理员）"`
		Name        string   `json:"name" doc:"1-100 characters|1-100 个字符"`
		Description string   `json:"description,omitzero" doc:"what it is for|说明"`
		Format      string   `json:"format,omitzero" doc:"incoming: dingtalk, slack, mattermost, grafana, alertmanager, gitlab, jenkins, github or plain; absent: found out|接收格式，缺省自动识别"`
		Sign        bool     `json:"sign,omitzero" doc:"incoming: make a secret that requests must prove|生成验签密钥"`
		Secret      string   `json:"secret,omitzero" doc:"incoming: a secret of one's own, up to 256 bytes, such as the one a script has already|自带密钥"`
		Keywords    []string `json:"keywords,omitzero" doc:"incoming: at most 20|关键词，最多 20 个"`
		Usernames   bool     `json:"usernames,omitzero" doc:"incoming: a payload may name its sender|允许自定显示名"`
		Language    string   `json:"language,omitzero" doc:"zh or en; default the caller's|zh 或 en，默认为调用者语言"`
		URL         string   `json:"url,omitzero" doc:"outgoing, command: http or https address|请求地址"`
		Events      []string `json:"events,omitzero" doc:"outgoing: message, edited, recalled, members; default message|事件，默认 message"`
		Words       []string `json:"words,omitzero" doc:"outgoing: trigger words, at most 20|触发词，最多 20 个"`
		Command     string   `json:"command,omitzero" doc:"command: the word after the slash|命令词"`
		Hint        string   `json:"hint,omitzero" doc:"command: its arguments, for people|参数提示"`
	}
	HookUpdate struct {
		Hook        id.ID     `json:"hook" doc:"hook|钩子"`
		Name        *string   `json:"name,omitzero" doc:"name|名称"`
		Description *string   `json:"description,omitzero" doc:"what it is for|说明"`
		Format      *string   `json:"format,omitzero" doc:"as in hook.create; empty: found out|接收格式"`
		Keywords    *[]string `json:"keywords,omitzero" doc:"as in hook.create|关键词"`
		Usernames   *bool     `json:"usernames,omitzero" doc:"as in hook.create|允许自定显示名"`
		Secret      *string   `json:"secret,omitzero" doc:"incoming: another secret; empty: requests need none|密钥，空值取消验签"`
		Language    *string   `json:"language,omitzero" doc:"zh or en|语言"`
		URL         *string   `json:"url,omitzero" doc:"address|地址"`
		Events      *[]string `json:"events,omitzero" doc:"as in hook.create|事件"`
		Words       *[]string `json:"words,omitzero" doc:"as in hook.create|触发词"`
		Command     *string   `json:"command,omitzero" doc:"the word after the slash|命令词"`
		Hint        *string   `json:"hint,omitzero" doc:"arguments|参数提示"`
		Disabled    *bool     `json:"disabled,omitzero" doc:"true: nothing passes|true 停用"`
	}
	HookResult struct {
		Hook     Hook   `json:"hook" doc:"hook|钩子"`
		URL      string `json:"url,omitzero" doc:"incoming: address that other programs post to; shown once|投递地址，只显示一次"`
		DingTalk string `json:"dingtalk_url,omitzero" doc:"incoming: the same in the form of DingTalk robots; shown once|钉钉机器人形式的地址，只显示一次"`
		Secret   string `json:"secret,omitzero" doc:"secret of signatures; shown once|签名密钥，只显示一次"`
		Position uint64 `json:"position" doc:"journal position|日志位置"`
	}
	HookParam struct {
		Hook id.ID `json:"hook" doc:"hook|钩子"`
	}
	HookListParams struct {
		Room id.ID `json:"room,omitzero" doc:"only those of this room; absent: of all rooms whose hooks the caller looks after|仅此房间；缺省为可管理的所有房间"`
	}
	HookList struct {
		Hooks  []Hook `json:"hooks" doc:"hooks by name|按名称排序的钩子"`
		Manage bool   `json:"manage" doc:"the caller may make and change hooks here|调用者可管理"`
	}
	HookRotate struct {
		Hook id.ID  `json:"hook" doc:"hook|钩子"`
		What string `json:"what,omitzero" doc:"token (of an incoming hook's address) or secret; default token for incoming, else secret|token 或 secret"`
	}
)

// Command is a slash command that the composer can offer.
type Command struct {
	Command     string `json:"command" doc:"the word after the slash|命令词"`
	Hint        string `json:"hint,omitzero" doc:"its arguments|参数提示"`
	Description string `json:"description,omitzero" doc:"what it does, in the caller's language|说明"`
	Builtin     bool   `json:"builtin,omitzero" doc:"the client itself does it, with the methods of this table|由客户端自身完成"`
	Hook        id.ID  `json:"hook,omitzero" doc:"the hook that does it|对应的钩子"`
}

// Builtin is a command that clients do themselves.
type Builtin struct {
	Command, Hint string
	Doc           Text
}

// BuiltinCommands are the words that no hook may take.
func BuiltinCommands() []Builtin {
	return []Builtin{
		{"help", "", Text{"Shows the commands of this room", "显示此房间的命令"}},
		{"invite", "@login", Text{"Adds people to the room", "邀请成员加入房间"}},
		{"join", "name", Text{"Opens a channel", "加入频道"}},
		{"leave", "", Text{"Leaves the room", "离开房间"}},
		{"topic", "text", Text{"Changes the room's topic", "修改房间主题"}},
		{"rename", "name", Text{"Renames the room", "修改房间名称"}},
		{"mute", "", Text{"Mutes the room or ends that", "房间静音或取消"}},
		{"search", "words", Text{"Searches this room", "在此房间搜索"}},
		{"shrug", "text", Text{"Sends the text with ¯\\_(ツ)_/¯", "附上 ¯\\_(ツ)_/¯ 发送"}},
	}
}

type (
	CommandList struct {
		Commands []Command `json:"commands" doc:"commands by name|按名称排序的命令"`
	}
	CommandRun struct {
		Room id.ID  `json:"room" doc:"room it is used in|所在房间"`
		Text string `json:"text" doc:"/word and arguments|/命令词 参数"`
		Key  string `json:"key" doc:"client key, as in message.send: the answer that goes to the room is sent once|客户端键，回答只发送一次"`
	}
	CommandAnswer struct {
		Text       string     `json:"text,omitzero" doc:"what the command answered, in the Markdown subset|回答"`
		Visibility string     `json:"visibility" doc:"room: sent to the room; me: only the caller sees it, and it is kept nowhere|room 发到房间；me 仅自己可见且不保存"`
		Bot        id.ID      `json:"bot" doc:"who answers|回答者"`
		Message    id.Message `json:"message,omitzero" doc:"the message sent to the room|发到房间的消息"`
		Position   uint64     `json:"position,omitzero" doc:"its journal position|日志位置"`
	}
	DeadLetter struct {
		ID       string `json:"id" doc:"delivery|投递"`
		Hook     id.ID  `json:"hook" doc:"hook|钩子"`
		Event    string `json:"event" doc:"message, edited, recalled or members|事件"`
		Room     id.ID  `json:"room" doc:"room|房间"`
		Seq      uint64 `json:"seq" doc:"entry of the room|房间内序号"`
		Queued   int64  `json:"queued" doc:"when it happened, ms|发生时间（毫秒）"`
		GaveUp   int64  `json:"gave_up" doc:"when it was given up, ms|放弃时间（毫秒）"`
		Attempts int    `json:"attempts" doc:"how often it was tried|尝试次数"`
		Error    string `json:"error" doc:"why the last try failed|最后一次失败的原因"`
	}
	DeadList struct {
		Dead []DeadLetter `json:"dead" doc:"deliveries that were given up, oldest first, at most 200|死信，旧的在前，至多 200 条"`
		More bool         `json:"more,omitzero" doc:"there are more|还有更多"`
	}
	DeadParams struct {
		Hook       id.ID    `json:"hook" doc:"hook|钩子"`
		Deliveries []string `json:"deliveries,omitzero" doc:"which, at most 200; absent: all of them|指定投递，缺省为全部"`
	}
	DeadResult struct {
		Count int `json:"count" doc:"how many|数量"`
	}
)
