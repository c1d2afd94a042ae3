package config

import (
	"net/netip"
	"time"
)

// Config is the whole configuration. Every field is documented by its tags;
// Describe prints them.
type Config struct {
	Server  Server  `toml:"server" doc:"Who this server is and where it listens." zh:"服务器是谁、在哪里监听。"`
	TLS     TLS     `toml:"tls" doc:"The certificate browsers see." zh:"浏览器看到的证书。"`
	Limits  Limits  `toml:"limits" doc:"What one person, one connection and one address may use. They keep one broken client from costing everybody else; raise them when honest people run into them." zh:"一个人、一个连接、一个地址最多能用多少。它们防止一个出错的客户端拖累所有人；正常使用碰到上限时再调高。"`
	Journal Journal `toml:"journal" doc:"The journal: the ordered record of every change." zh:"日志账本：每一次变更的有序记录。"`
	Session Session `toml:"session" doc:"Signing in and staying signed in." zh:"登录与保持登录。"`
	Files   Files   `toml:"files" doc:"Uploaded files." zh:"上传的文件。"`
	Hooks   Hooks   `toml:"hooks" doc:"Outgoing hooks and slash commands: what this server may call on behalf of its people." zh:"发送钩子与斜杠命令：服务器可以代用户访问什么。"`
	Console Console `toml:"console" doc:"The console: pages at /admin for owners, admins and auditors." zh:"控制台：/admin 下供所有者、管理员与审计员使用的页面。"`
	Watch   Watch   `toml:"watch" doc:"How the server watches itself and this machine: metrics, rules, alerts and probes." zh:"服务器如何监控自身和本机：指标、规则、告警与探测。"`
	Log     Log     `toml:"log" doc:"What the server writes about itself." zh:"服务器自身的运行日志。"`
}

// Server is the section [server].
type Server struct {
	HostName       string   `toml:"host_name" default:"" restart:"yes" doc:"The name people type into the browser, lower case, without a port. Empty: the name of this machine. Choose it before the first start: the local certificate authority is made for this name, and another name later means that every device has to trust a new one." zh:"大家在浏览器里输入的名字，小写，不带端口。留空则用本机的主机名。请在首次启动之前选定：本地证书颁发机构只为这个名字而建，以后改名意味着每台设备都要重新信任一次。"`
	Listen         []string `toml:"listen" default:":8443" restart:"yes" doc:"Addresses for https. \":8443\" is every address of the machine, IPv4 and IPv6 in one socket. Empty list: https is off and only listen_local serves." zh:"https 监听地址。“:8443”表示本机所有地址，IPv4 和 IPv6 共用一个套接字。空列表表示不开 https，只有 listen_local 提供服务。"`
	ListenLocal    string   `toml:"listen_local" default:"127.0.0.1:8065" restart:"yes" doc:"Address for plain http. Only a loopback address is accepted, because passwords and messages would cross the network readable. For a reverse proxy or a tunnel on the same machine. Empty: off." zh:"明文 http 监听地址。只接受回环地址，否则密码和消息会以明文经过网络。供同一台机器上的反向代理或隧道使用。留空则关闭。"`
	Socket         string   `toml:"socket" default:"" restart:"yes" doc:"Unix socket for the command line tool; at most 107 bytes long. Empty: posthouse.sock in data_dir." zh:"命令行工具使用的 Unix 套接字，路径最长 107 字节。留空则为 data_dir 下的 posthouse.sock。"`
	DataDir        string   `toml:"data_dir" default:"/var/lib/posthouse" restart:"yes" doc:"The directory everything durable lives in, on a local disk (not NFS or SMB). A relative path is taken from the working directory." zh:"所有需要持久保存的内容所在的目录，必须在本地磁盘上（不能是 NFS 或 SMB）。相对路径以当前工作目录为准。"`
	Organisation   string   `toml:"organisation" default:"" restart:"yes" doc:"The name of your organisation in the name of the local certificate authority. People see the name that was given at setup." zh:"写进本地证书颁发机构名称的单位名称。用户看到的是初始化时填写的名称。"`
	Language       string   `toml:"language" default:"auto" oneof:"zh,en,auto" restart:"yes" doc:"Language of pages for people who have not chosen one. auto: what their browser asks for." zh:"未自行选择语言的用户看到的页面语言。auto：按浏览器的请求决定。"`
	OfflinePages   bool     `toml:"offline_pages" default:"true" restart:"yes" doc:"Browsers keep the page of the chat, never messages or files, and open it without a connection. false: they throw away what they kept, which also mends a browser whose copy is damaged." zh:"浏览器会保存聊天页面（不含消息和文件），没有连接时也能打开。设为 false 时浏览器会丢弃已保存的页面，也可用来修复副本损坏的浏览器。"`
	TrustedProxies []string `toml:"trusted_proxies" default:"" restart:"yes" doc:"Addresses or networks (CIDR) of reverse proxies. Only what comes from them may say in X-Forwarded-For who the client is; anybody else who says so is not believed." zh:"反向代理的地址或网段（CIDR）。只有来自它们的请求才可以用 X-Forwarded-For 说明客户端是谁；其他来源的说法一律不信。"`
}

// Proxies are TrustedProxies as networks.
func (s Server) Proxies() []netip.Prefix { return prefixes(s.TrustedProxies) }

// prefixes reads addresses and networks; Load refuses what is neither.
func prefixes(list []string) []netip.Prefix {
	var out []netip.Prefix
	for _, text := range list {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, err := netip.ParseAddr(text)
			if err != nil {
				continue
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out
}

// TLS is the section [tls].
type TLS struct {
	Mode       string   `toml:"mode" default:"local-ca" oneof:"local-ca,files" restart:"yes" doc:"local-ca: Posthouse makes its own certificate authority, which can sign nothing but names and addresses of this network, and renews the certificate by itself. files: cert_file and key_file." zh:"local-ca：由驿站自建证书颁发机构（只能签发本网络的名字和地址），并自动续期。files：使用 cert_file 和 key_file。"`
	CertFile   string   `toml:"cert_file" default:"" restart:"yes" doc:"PEM file with the certificate, followed by its intermediates. A changed file is picked up within 30 seconds; a bad one is reported and the old one stays." zh:"PEM 证书文件，证书在前、中间证书在后。文件变更会在 30 秒内生效；新文件有问题则报错并继续使用旧证书。"`
	KeyFile    string   `toml:"key_file" default:"" restart:"yes" doc:"PEM file with the private key. It must not be readable by every user of the machine." zh:"PEM 私钥文件。不得让本机所有用户可读。"`
	ExtraNames []string `toml:"extra_names" default:"" restart:"yes" doc:"More names this server is reached by. With local-ca, a name outside the authority's names and zones needs a new authority." zh:"这台服务器的其他名字。使用 local-ca 时，超出颁发机构已有名字和区域的名字需要新建颁发机构。"`
	ExtraZones []string `toml:"extra_zones" default:"" restart:"yes" doc:"Private DNS zones in which the local authority may sign any name, for example \"lan\" or \"corp.example.com\". They leave room for a later host name and are fixed at the first start." zh:"允许本地颁发机构签发任意名字的私有 DNS 区域，例如“lan”或“corp.example.com”。它们为日后改名留余地，首次启动后不可更改。"`
	LeafDays   int      `toml:"leaf_days" default:"90" min:"2" max:"90" unit:"days" restart:"yes" doc:"How long a certificate of the local authority is valid. It is renewed after two thirds of that." zh:"本地颁发机构签发的证书有效多久。过了三分之二就自动续期。"`
}

// Limits is the section [limits]. Fields of type Bytes are bytes.
type Limits struct {
	FrameBytes            Bytes `toml:"frame_bytes" default:"64KiB" min:"4KiB" max:"16MiB" unit:"bytes" restart:"yes" doc:"Largest WebSocket frame a client may send. At least twice message_bytes, because text grows when it is written as JSON." zh:"客户端可发送的最大 WebSocket 帧。至少为 message_bytes 的两倍，因为文本写成 JSON 会变长。"`
	BodyBytes             Bytes `toml:"body_bytes" default:"1MiB" min:"64KiB" max:"64MiB" unit:"bytes" restart:"yes" doc:"Largest body of an HTTP request that is not an upload." zh:"非上传类 HTTP 请求的最大正文。"`
	UploadBytes           Bytes `toml:"upload_bytes" default:"4GiB" min:"64KiB" max:"1TiB" unit:"bytes" restart:"no" doc:"Largest single uploaded file." zh:"单个上传文件的最大体积。"`
	HeaderBytes           Bytes `toml:"header_bytes" default:"4KiB" min:"4KiB" max:"64KiB" unit:"bytes" restart:"yes" doc:"Largest header of an HTTP request; every open connection keeps a buffer of this size. Behind a single sign-on proxy that adds large cookies, raise it." zh:"HTTP 请求头的最大体积，每个打开的连接都占用这样大的缓冲区。前面有会添加大 Cookie 的单点登录代理时，请调高。"`
	Connections           int   `toml:"connections" default:"20000" min:"16" max:"1000000" restart:"yes" doc:"Open connections in total. Each takes a file descriptor: LimitNOFILE of the service must be higher." zh:"同时打开的连接总数。每个连接占用一个文件描述符：服务的 LimitNOFILE 必须更高。"`
	ConnectionsPerAddress int   `toml:"connections_per_address" default:"200" min:"4" max:"1000000" restart:"yes" doc:"Open connections from one client address. A person with several tabs takes about ten. When a whole office stands behind one NAT address, set it to ten times its people; behind a reverse proxy, list the proxy in server.trusted_proxies, or all its users count as one address." zh:"来自同一客户端地址的连接数。一个人开几个标签页大约占十个。如果整个办公室共用一个 NAT 地址，请设为人数的十倍；前面有反向代理时，请把代理写进 server.trusted_proxies，否则它的所有用户会算作同一地址。"`
	SocketsPerUser        int   `toml:"sockets_per_user" default:"32" min:"1" max:"1000" restart:"no" doc:"WebSockets one account may hold open: its browser tabs, phones and bots." zh:"一个账号可同时打开的 WebSocket 数：包括浏览器标签页、手机和机器人。"`
	MessagesPerSecond     int   `toml:"messages_per_second" default:"20" min:"1" max:"100000" unit:"per second" restart:"no" doc:"Messages one account may send, on average." zh:"一个账号平均每秒可发送的消息数。"`
	MessagesBurst         int   `toml:"messages_burst" default:"60" min:"1" max:"1000000" restart:"no" doc:"Messages one account may send at once after a pause." zh:"一个账号停顿之后可一次性发送的消息数。"`
	RequestsPerSecond     int   `toml:"requests_per_second" default:"50" min:"1" max:"100000" unit:"per second" restart:"no" doc:"Requests of every kind from one session, on average." zh:"一个会话平均每秒可发出的各类请求数。"`
	RequestsBurst         int   `toml:"requests_burst" default:"200" min:"1" max:"1000000" restart:"no" doc:"Requests from one session at once after a pause." zh:"一个会话停顿之后可一次性发出的请求数。"`
	MessageBytes          Bytes `toml:"message_bytes" default:"32KiB" min:"1KiB" max:"1MiB" unit:"bytes" restart:"no" doc:"Longest text of a message, in bytes of UTF-8; a Chinese character takes three." zh:"一条消息的最长文本，按 UTF-8 字节计；一个汉字占三个字节。"`
	MembersPerRoom        int   `toml:"members_per_room" default:"20000" min:"2" max:"1000000" restart:"no" doc:"Members of one room." zh:"一个房间的成员数。"`
	RoomsPerUser          int   `toml:"rooms_per_user" default:"5000" min:"1" max:"1000000" restart:"no" doc:"Rooms one account may be in." zh:"一个账号可加入的房间数。"`
	LoginsPerAccount      int   `toml:"logins_per_minute_account" default:"5" min:"1" max:"1000" unit:"per minute" restart:"no" doc:"Sign-in attempts for one account." zh:"同一账号每分钟的登录尝试次数。"`
	LoginsPerAddress      int   `toml:"logins_per_minute_address" default:"20" min:"1" max:"100000" unit:"per minute" restart:"no" doc:"Sign-in attempts from one client address. An office behind one NAT address signs in at nine o'clock all at once: raise it there." zh:"同一客户端地址每分钟的登录尝试次数。共用一个 NAT 地址的办公室会在早上九点集中登录，请相应调高。"`
	HistoryPage           int   `toml:"history_page" default:"200" min:"10" max:"1000" unit:"messages" restart:"no" doc:"Most messages in one page of history." zh:"历史记录一页最多包含的消息数。"`
	QueueFrames           int   `toml:"queue_frames" default:"256" min:"8" max:"65536" unit:"frames" restart:"yes" doc:"Frames that wait for one slow client. What does not fit is fetched by the client from its position later; nothing is lost." zh:"为一个较慢的客户端排队的帧数。放不下的部分由客户端稍后按位置补取，不会丢失。"`
	QueueBytes            Bytes `toml:"queue_bytes" default:"1MiB" min:"64KiB" max:"256MiB" unit:"bytes" restart:"yes" doc:"Bytes that wait for one slow client; at least frame_bytes." zh:"为一个较慢的客户端排队的字节数；至少为 frame_bytes。"`
	UserQuotaBytes        Bytes `toml:"user_quota_bytes" default:"20GiB" min:"0" max:"1PiB" unit:"bytes" restart:"no" doc:"Files of one account in total. 0: no quota." zh:"一个账号的文件总量。0 表示不限。"`
	RoomQuotaBytes        Bytes `toml:"room_quota_bytes" default:"100GiB" min:"0" max:"1PiB" unit:"bytes" restart:"no" doc:"Files of one room in total. 0: no quota." zh:"一个房间的文件总量。0 表示不限。"`
}

// Journal is the section [journal].
type Journal struct {
	SegmentBytes  Bytes         `toml:"segment_bytes" default:"64MiB" min:"1MiB" max:"4GiB" unit:"bytes" restart:"yes" doc:"A segment file is sealed at this size. Sealed segments are what a backup copies." zh:"账本分段文件达到这个大小就封存。备份复制的是已封存的分段。"`
	SegmentAge    time.Duration `toml:"segment_age" default:"1h" min:"1m" max:"168h" restart:"yes" doc:"A segment that holds records is sealed at this age, so that a quiet server is backed up too." zh:"有记录的分段达到这个时长就封存，使消息不多的服务器也能及时备份。"`
	RetentionDays int           `toml:"retention_days" default:"0" min:"0" max:"36500" unit:"days" restart:"no" doc:"Sealed segments older than this are deleted once a backup holds them; restoring to a moment before that is then only possible from the backup. Messages are not deleted by it. 0: keep for ever." zh:"早于这个天数、且备份中已有的封存分段会被删除；此后要恢复到更早的时刻只能依靠备份。它不会删除消息。0 表示永久保留。"`
	BatchWait     time.Duration `toml:"batch_wait" default:"0s" min:"0s" max:"1s" restart:"yes" doc:"How long a write waits for others to share its flush to disk. 0s is right on every disk measured, because writes that arrive during a flush already share the next one. A slow disk with many writers may gain from 2ms." zh:"一次写入等待其他写入合并落盘的时间。在测过的所有磁盘上 0s 都合适，因为落盘期间到达的写入本来就会合并到下一次。写入者很多的慢盘用 2ms 可能有好处。"`
}

// Session is the section [session].
type Session struct {
	BrowserDays     int           `toml:"browser_days" default:"30" min:"1" max:"3650" unit:"days" restart:"no" doc:"A browser stays signed in for this long after its last use." zh:"浏览器在最后一次使用之后保持登录的天数。"`
	AppDays         int           `toml:"app_days" default:"365" min:"1" max:"3650" unit:"days" restart:"no" doc:"An app or a bot stays signed in for this long after its last use." zh:"应用或机器人在最后一次使用之后保持登录的天数。"`
	Heartbeat       time.Duration `toml:"heartbeat" default:"25s" min:"1s" max:"10m" restart:"yes" doc:"Time between heartbeats on a WebSocket. A session that stays silent for twice this long is gone. Firewalls and proxies that drop idle connections want it shorter than their own time-out." zh:"WebSocket 心跳间隔。静默达到两倍间隔的会话视为已断开。会断开空闲连接的防火墙和代理要求它短于自身的超时。"`
	LoginWait       time.Duration `toml:"login_wait" default:"5s" min:"1s" max:"1m" restart:"yes" doc:"A new WebSocket has to say who it is within this time." zh:"新建的 WebSocket 必须在这段时间内表明身份。"`
	PasswordMin     int           `toml:"password_min" default:"10" min:"8" max:"128" unit:"characters" restart:"no" doc:"Shortest password that can be chosen." zh:"可设置的最短密码。"`
	SessionsPerUser int           `toml:"sessions_per_user" default:"50" min:"1" max:"10000" restart:"no" doc:"Devices one account may be signed in on; signing in on one more ends the one used longest ago." zh:"一个账号可登录的设备数；再多登录一台时，最久未使用的一台会被注销。"`
}

// Files is the section [files].
type Files struct {
	BinDays          int   `toml:"bin_days" default:"7" min:"0" max:"3650" unit:"days" restart:"no" doc:"A deleted file can be brought back for this long." zh:"已删除的文件在这段时间内可以找回。"`
	UnsentHours      int   `toml:"unsent_hours" default:"24" min:"1" max:"8760" unit:"hours" restart:"no" doc:"An upload that no message refers to is deleted after this time." zh:"没有被任何消息引用的上传文件在这段时间后删除。"`
	FreeReserveBytes Bytes `toml:"free_reserve_bytes" default:"2GiB" min:"64MiB" max:"1PiB" unit:"bytes" restart:"no" doc:"Uploads stop when less than this is free on the disk of data_dir, so that messages still fit." zh:"data_dir 所在磁盘的可用空间低于此值时停止接收上传，好让消息还存得下。"`
}

// Hooks is the section [hooks].
type Hooks struct {
	AllowedNetworks []string      `toml:"allowed_networks" default:"private" restart:"no" doc:"Networks (CIDR) and addresses that outgoing hooks and slash commands may call; judged when a connection is made, whatever the name said. \"private\" is the private networks of a LAN: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 and fc00::/7. For targets on the internet add theirs, or \"0.0.0.0/0\" and \"::/0\" for all: a moderator of a room can then send what is said in it anywhere. A program on this machine is reached only when its address is listed by itself, for example \"127.0.0.1\"; this server's own ports, link-local addresses and cloud metadata services never. Empty: nothing is called." zh:"发送钩子与斜杠命令可以访问的网段（CIDR）和地址；按实际建立连接的地址判断，与主机名无关。“private”表示局域网的私有网段：10.0.0.0/8、172.16.0.0/12、192.168.0.0/16 和 fc00::/7。目标在互联网上时请加上其网段，或用“0.0.0.0/0”和“::/0”表示全部：房间主持人便可把房间内容发往任何地方。本机上的程序只有在单独列出其地址（例如“127.0.0.1”）时才可访问；本服务器自身的端口、链路本地地址和云元数据服务始终禁止。留空则不访问任何地址。"`
	Makers          string        `toml:"makers" default:"admins" oneof:"admins,moderators" restart:"no" doc:"Who chooses the addresses that outgoing hooks and slash commands call. moderators: moderators and owners of rooms too; with them anybody who makes a room could try out the machines of your network." zh:"谁可以设定发送钩子与斜杠命令所访问的地址。moderators：房间主持人与房主也可以；那样任何能建房间的人都可以试探内网中的机器。"`
	CommandTimeout  time.Duration `toml:"command_timeout" default:"5s" min:"3s" max:"10s" restart:"yes" doc:"How long a slash command's program may take to answer." zh:"斜杠命令的程序最长应答时间。"`
}

// Console is the section [console].
type Console struct {
	Listen          []string `toml:"listen" default:"" restart:"yes" doc:"Addresses for https that serve the console alone, for example \"192.168.9.1:9443\" in a network for administration. /admin is then not served at server.listen any more. Empty: the console is at server.listen." zh:"只提供控制台的 https 监听地址，例如管理网中的“192.168.9.1:9443”。设置后 server.listen 不再提供 /admin。留空则控制台位于 server.listen。"`
	AllowedNetworks []string `toml:"allowed_networks" default:"" restart:"no" doc:"Addresses and networks (CIDR) that may open the console; for everybody else there is nothing at /admin. Empty: everybody may try to log in. Shut out yourself? Change the file and reload, or start with --set console.allowed_networks=; on the machine itself the socket of the command line always works (curl --unix-socket SOCKET http://console/admin)." zh:"可以打开控制台的地址与网段（CIDR），其他来源访问 /admin 时如同没有内容。留空则任何人都可以尝试登录。把自己挡在门外时，请修改文件后重新加载，或用 --set console.allowed_networks= 启动；在本机上命令行套接字始终可用（curl --unix-socket 套接字 http://console/admin）。"`
	StatusPage      bool     `toml:"status_page" default:"false" restart:"no" doc:"Show at /admin/status, to everybody whose address may open the console and without a login, whether the server is well and messages get through: no names, no figures. false: there is no such page." zh:"在 /admin/status 向所有可打开控制台地址的人（无需登录）显示服务器是否正常、消息能否送达，不含姓名和数字。false：没有此页面。"`
}

// Networks are AllowedNetworks.
func (c Console) Networks() []netip.Prefix { return prefixes(c.AllowedNetworks) }

// Watch is the section [watch].
type Watch struct {
	Enabled         bool          `toml:"enabled" default:"true" restart:"yes" doc:"Sample, keep and judge metrics, send alerts and probe. false: the chat alone; the console then shows no figures." zh:"采样、保存并判断指标，发送告警并进行探测。设为 false 时只运行聊天，控制台不再显示数据。"`
	VirtualUsers    bool          `toml:"virtual_users" default:"true" restart:"yes" doc:"Two virtual users talk to each other through the public address once a minute, as people would: what they cannot do, people cannot do either. They are left out of every figure and of the directory. false: nobody tries." zh:"两个虚拟用户每分钟像真人一样通过对外地址互相收发消息：他们做不到的，用户也做不到。他们不计入任何统计，也不出现在通讯录中。设为 false 时不进行此项检测。"`
	Interval        time.Duration `toml:"interval" default:"15s" min:"1s" max:"1m" restart:"yes" doc:"How often every metric is sampled and rules are evaluated." zh:"指标采样和规则计算的间隔。"`
	RawDays         int           `toml:"raw_days" default:"15" min:"1" max:"365" unit:"days" restart:"yes" doc:"How long samples are kept as they were taken; about 28 MB a day with 2,000 series." zh:"原始采样的保留天数；2,000 条序列每天约 28 MB。"`
	RollupDays      int           `toml:"rollup_days" default:"730" min:"1" max:"3650" unit:"days" restart:"yes" doc:"How long one value for every 5 minutes is kept after that." zh:"此后每 5 分钟一个值的汇总数据的保留天数。"`
	MaxSeries       int           `toml:"max_series" default:"20000" min:"2000" max:"1000000" restart:"yes" doc:"Most series that are kept at a time. New ones beyond it are left out, counted, and warned of." zh:"同时保留的序列上限。超出的新序列不予保存，但会计数并告警。"`
	MetricsNetworks []string      `toml:"metrics_networks" default:"127.0.0.0/8,::1/128" restart:"yes" doc:"Addresses and networks (CIDR) that may read /metrics, /federate and the query API without a token. Everybody else needs the token that posthouse metrics token prints. Those who may read see figures, never messages, and may ask 300 times at once and 50 times a second from one address: enough for Grafana and a scraper." zh:"无需令牌即可读取 /metrics、/federate 和查询接口的地址与网段（CIDR）。其他来源需要使用 posthouse metrics token 给出的令牌。可读取者只能看到数字，看不到消息；同一地址可一次请求 300 次、持续每秒 50 次，足够 Grafana 和采集程序使用。"`
	RemoteWriteURL  string        `toml:"remote_write_url" default:"" restart:"yes" doc:"Address of another Prometheus's remote write receiver that gets every sample too, for example \"https://HOST:9090/api/v1/write\". What it misses while it is away is sent later, up to three days of it. Empty: nothing leaves this machine." zh:"另一台 Prometheus 的 remote write 接收地址，每个采样也会发往那里，例如“https://主机:9090/api/v1/write”。接收端离线期间的采样（至多三天）会在恢复后补发。留空则不向外发送。"`
	RemoteWriteFile string        `toml:"remote_write_token_file" default:"" restart:"yes" doc:"File that holds the bearer token for remote_write_url, in one line. A changed file is read at once." zh:"保存 remote_write_url 所用 bearer 令牌的文件（一行），修改后立即生效。"`
	LinkMbit        int           `toml:"link_mbit" default:"0" min:"0" max:"1000000" unit:"megabits per second" restart:"yes" doc:"What the network link of this machine carries, where its card does not say (virtual machines). 0: what the card says." zh:"本机网络链路的带宽（网卡未报告时填写，例如虚拟机）。0 表示以网卡报告为准。"`
}

// Metrics are the networks of MetricsNetworks.
func (w Watch) Metrics() []netip.Prefix { return prefixes(w.MetricsNetworks) }

// Log is the section [log].
type Log struct {
	Level  string `toml:"level" default:"info" oneof:"debug,info,warn,error" restart:"no" doc:"Least important level that is written." zh:"写出的最低级别。"`
	Format string `toml:"format" default:"text" oneof:"text,json" restart:"yes" doc:"text for people, json for collectors." zh:"text 供人阅读，json 供采集程序读取。"`
}
