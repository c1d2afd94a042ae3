package reference

// proseZh is proseEn in Chinese.
const proseZh = `{{define "contents"}}<li><a href="#start">五分钟上手</a></li>
<li><a href="#transports">两种调用方式</a></li>
<li><a href="#login">登录</a></li>
<li><a href="#values">ID、键与时间</a></li>
<li><a href="#socket">WebSocket</a></li>
<li><a href="#sync">同步</a></li>
<li><a href="#sending">发送</a></li>
<li><a href="#delivery">确认、回执与已读</a></li>
<li><a href="#texts">文本与 @</a></li>
<li><a href="#files">文件</a></li>
<li><a href="#refusals">被拒绝时</a></li>
<li><a href="#rates">频率与大小</a></li>
<li><a href="#python">完整的 Python 客户端</a></li>{{end}}
<p>本页由服务器自身使用的方法表生成。仅凭此页即可用任何语言编写客户端。</p>

<h2 id="start">五分钟上手</h2>
<p>请替换地址、登录名与房间。多数服务器使用自签证书：下载一次，并与控制台显示的指纹核对。</p>
<pre tabindex="0"><code>BASE=https://chat.lan
curl -fsSko ca.pem "$BASE/ca.pem"; openssl x509 -in ca.pem -noout -fingerprint -sha256
export CURL_CA_BUNDLE=$PWD/ca.pem
curl -fsS "$BASE/api/session.login" -H 'Content-Type: application/json' \
  -d '{"login": "ann", "password": "…", "device_name": "我的脚本", "kind": "bot"}'
TOKEN=…    # 应答中的 "token"，只显示这一次
curl -fsS "$BASE/api/room.list" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{}'
curl -fsS "$BASE/api/message.send" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
  -d '{"room": "` + exampleID + `", "key": "'$(uuidgen)'", "text": "你好"}'</code></pre>

<h2 id="transports">两种调用方式</h2>
<p>每个方法接收一个 JSON 对象，返回一个 JSON 对象。有两种调用方式，结果相同。</p>
<h3>POST</h3>
<ul>
<li><code>POST /api/&lt;方法&gt;</code>，参数为请求体；没有参数时为 <code>{}</code>。成功时状态码为 200，响应体即结果；失败时状态码见<a href="#errors">错误</a>，响应体为 <a href="#type-ErrorBody">ErrorBody</a>。</li>
<li>必须带 <code>Content-Type: application/json</code>。GET 从不更改任何数据。</li>
<li><code>Host</code> 必须是服务器自己的名称或地址，否则返回 421。</li>
<li>程序不发送 <code>Origin</code>，有令牌即可；浏览器会发送，且必须是本服务器自己的来源。</li>
<li><code>Accept-Language: zh</code> 或 <code>en</code> 决定错误文字的语言。</li>
</ul>
<h3>WebSocket</h3>
<ul>
<li><code>GET /api/ws</code>，按 RFC 6455 升级（页面为 <code>https://</code> 时用 <code>wss://</code>）。接收事件必须使用它；除建立会话的方法外，其他方法也都可用它调用。</li>
<li>每个文本帧是一个 <a href="https://www.jsonrpc.org/specification">JSON-RPC 2.0</a> 对象。不支持批量、二进制帧与压缩。客户端发送的帧须加掩码，WebSocket 库都会这样做。</li>
<li>请求包含 <code>jsonrpc</code>（"2.0"）、<code>id</code>（客户端自定的字符串或数字，至多 {{n "MaxRequestID"}} 字节）、<code>method</code> 与 <code>params</code>（对象）。应答带相同的 <code>id</code>，以及 <code>result</code> 或 <code>error</code>。应答的顺序可能与请求不同。</li>
<li>没有 <code>id</code> 的请求是通知：会被执行，但从不应答，被拒绝时也不应答。</li>
<li>服务器以方法名 <code>event</code> 发送通知，见<a href="#socket">下文</a>。</li>
</ul>
<h3>JSON 的读取规则</h3>
<p>服务器从严：未知成员、重复成员、无效 UTF-8、孤立代理项、嵌套超过 {{n "MaxDepth"}} 层，一律拒绝。客户端从宽：结果与事件可能增加成员，也可能增加新的事件类型，不认识的请忽略。“必有”为“否”的成员，在为空、0 或 false 时不出现。</p>

<h2 id="login">登录</h2>
<ol>
<li><code>POST /api/session.login</code>，参数为 <code>login</code> 与 <code>password</code>：创建一个设备并返回其 <code>token</code>。请像密码一样保管。设备被吊销或登出、密码被修改、账号被停用，或到 <code>expires</code> 仍未使用时，令牌失效。</li>
<li>此后每个 POST 带 <code>Authorization: Bearer &lt;令牌&gt;</code>。服务器从不从地址中读取令牌。</li>
<li>WebSocket 握手时带同样的请求头。无法设置请求头的程序，须在 5 秒内以 <code>session.authenticate</code> 作为首帧发送令牌；首帧是其他内容会被拒绝并断开。</li>
</ol>
<p>浏览器页面以 <code>"cookie": true</code> 登录：令牌放入 HttpOnly cookie，仅对本服务器自己的页面有效。机器人由管理员用 <code>user.create</code>（<code>"bot": true</code>）创建账号，再用 <code>user.token</code> 创建令牌，无需密码。</p>
<p>各方法的权限见“谁可调用”。审计员能看到管理员所见的一切，但不能更改。房间内由房间角色决定：owner、moderator、member、reader。调用者无权知道的对象返回 <code>not_found</code>，而不是 <code>forbidden</code>。</p>

<h2 id="values">ID、键与时间</h2>
<ul>
<li><strong>ID</strong>：账号、房间、设备、部门、邀请或文件，13 个字符。<strong>MessageID</strong>：一条消息。两者都应视为不透明。空字符串表示没有。</li>
<li><strong>seq</strong> 是房间内条目的编号，从 1 起无间断。<strong>position</strong> 是服务器上一切变更的编号，一个客户端只会看到其中一部分。</li>
<li><strong>key</strong>：客户端在发送前为每条消息生成一次的 UUID（建议版本 7，RFC 9562），见<a href="#sending">发送</a>。</li>
<li>时间为 Unix 毫秒；位置与编号小于 2<sup>53</sup>。</li>
<li>较长的列表分页返回：<code>more</code> 为 true 时，用 <code>after</code> 或 <code>before</code> 继续请求。</li>
</ul>

<h2 id="socket">WebSocket</h2>
<p>一个连接最初的情形（→ 客户端，← 服务器）：</p>
<pre tabindex="0"><code>→ {"jsonrpc":"2.0","id":1,"method":"sync.start","params":{"since":4711}}
← {"jsonrpc":"2.0","id":1,"result":{"position":4713,"reset":false,"heartbeat_ms":25000, …}}
← {"jsonrpc":"2.0","method":"event","params":{"position":4712,"type":"message","data":{ … }}}
← {"jsonrpc":"2.0","method":"event","params":{"position":4713,"type":"read","data":{ … }}}
→ {"jsonrpc":"2.0","method":"sync.ack","params":{"position":4713}}
→ {"jsonrpc":"2.0","id":2,"method":"message.send","params":{"room":"` + exampleID + `","key":"` + exampleKey + `","text":"你好"}}
← {"jsonrpc":"2.0","id":2,"result":{"id":"` + exampleMessage + `","seq":88,"position":4714,"time":` + "1764000000000" + `}}
← {"jsonrpc":"2.0","method":"event","params":{"position":4714,"type":"message","data":{ … }}}
→ {"jsonrpc":"2.0","id":3,"method":"sync.ping","params":{}}
← {"jsonrpc":"2.0","id":3,"result":{"server_time":1764000025000,"position":4714}}</code></pre>
<ul>
<li><strong>心跳。</strong>每 <code>heartbeat_ms</code> 发送一次 <code>sync.ping</code>；任何其他帧也算活动。静默一个间隔后，他人会看到你处于“可疑”状态；不到两个间隔，服务器即断开。服务器也可能发送 WebSocket ping，库会自动应答。若两个间隔内没有收到任何内容，则连接已失效：请关闭并重连。</li>
<li><strong>自己的消息</strong>同样会作为事件返回，可能早于或晚于应答；可凭 <code>seq</code> 或 <code>key</code> 识别。</li>
<li><strong>drain</strong>：服务器即将停止。不要再发送新请求，等待未到的应答，关闭连接，并在 <code>reconnect_after_ms</code> 之后重连。</li>
<li><strong>reset</strong>：读取太慢，事件被跳过。请在同一连接上重新调用 <code>sync.start</code>。</li>
<li><strong>重连</strong>：首次等待 0.25 至 0.5 秒，之后每次加倍，最长半分钟，并加入随机量，避免所有客户端同时到来。</li>
<li>除 RFC 6455 规定的以外的<strong>关闭码</strong>：4401 未登录或已失效，4408 静默过久，4409 该账号连接过多，4429 帧过多。收到 4401 后不要再用同一令牌尝试。</li>
</ul>

<h2 id="sync">同步</h2>
<p>一个数字说明客户端的进度：最后处理完的事件的位置。</p>
<ol>
<li>首次以 <code>"since": 0</code> 调用 <code>sync.start</code>。应答中 <code>"reset": true</code>，包含你的全部房间及其最新序号（<code>head</code>），以及与之对应的 <code>position</code>。先显示房间；有人查看时再用 <code>room.history</code> 取消息。</li>
<li>此后按到达顺序处理事件，并保存最后一个的位置。</li>
<li>断开后以该位置调用 <code>sync.start</code>。若 <code>"reset": false</code>，其后与你有关的一切都会以事件送达。若 <code>"reset": true</code>，说明间隔太久：请丢弃本地数据，采用 <code>rooms</code> 与 <code>position</code>，并用 <code>room.history</code> 取回已知最后 <code>seq</code> 之后的消息。</li>
</ol>
<ul>
<li>多个事件可能带<strong>相同的位置</strong>，连接也可能恰好断在其间。不能确定是否收全时，请从前一个位置恢复。事件说明的是状态而不是差量，处理两次无妨；重复的消息可凭房间与 <code>seq</code> 识别。在收到该事件之后发出的心跳若已得到应答，即可确定已收全。</li>
<li>不要把 <code>sync.ping</code> 或未 reset 的 <code>sync.start</code> 返回的位置当作自己的位置：此前的事件可能仍在途中。</li>
<li>房间的消息按 <code>seq</code> 顺序到达。若有缺失，请以最后的序号为 <code>after</code> 调用 <code>room.history</code> 取回。这本不应发生，而发现它只需一次比较。</li>
<li><strong>没有位置</strong>的事件（输入、在线状态、回执、drain、reset）不保存，也不会重发。</li>
<li><code>joined</code>：调用 <code>room.get</code> 并加入该房间。<code>left</code>：移除该房间。</li>
<li>未读数不是累加的，而是推算的：最新消息的 <code>count</code> 减去已读位置处消息的 <code>count</code>。</li>
</ul>

<h2 id="sending">发送</h2>
<ul>
<li><code>message.send</code> 的应答表示消息<strong>已写入磁盘</strong>，断电也不会丢失。它并不表示有人已收到，见<a href="#delivery">送达</a>。</li>
<li>没有得到应答时（连接断开、超时、<code>unavailable</code>、<code>internal</code>），请<strong>用同一键再次发送</strong>，次数不限，程序重启之后也可以。若第一次其实已到达，应答相同并带 <code>"again": true</code>，不会重复存储。换一个键就是另一条消息。</li>
<li><code>rate_limited</code>：等待 <code>retry_after_ms</code>，再用同一键发送。其他拒绝都是最终结果。</li>
<li>若同一房间内的先后顺序重要，请等到前一条的应答后再发下一条。</li>
<li><code>room.create</code> 与 <code>message.forward</code> 的键作用相同。其他更改说明的都是目标状态（名称、已读位置、某个表情），重复执行无妨。</li>
<li>机器人可在 <code>foreign</code> 中携带自己的数据（至多 {{n "MaxForeign"}} 字节）；不认识其类型的客户端显示 <code>text</code>。</li>
</ul>

<h2 id="delivery">确认、回执与已读</h2>
<p>一条消息先<em>存储</em>，然后对每个成员的每台设备依次为<em>推送</em>、<em>确认</em>，最后由本人<em>已读</em>。</p>
<ul>
<li><strong>确认</strong>：以通知发送 <code>sync.ack</code>，位置为已收下的最新事件。一次确认涵盖其前的全部，每秒几次即可。不确认的设备视为未送达。</li>
<li><strong>回执</strong>：在私聊及不超过 {{n "LiveReceipts"}} 人的群组中，事件 <code>receipts</code> 说明各设备已推送与已确认到的 <code>seq</code>。对单条消息，作者可随时用 <code>message.journey</code> 查询。</li>
<li><strong>已读</strong>：以已看到的 <code>seq</code> 调用 <code>room.read</code>，不会后退。自己的已读位置以事件 <code>read</code> 发往自己的所有设备；他人的，在上述小房间内同样推送，在大房间请用 <code>message.readers</code> 查询。</li>
<li><strong>正在输入</strong>：<code>room.typing</code> 至多每 2 秒一次；他人的输入状态在 5 秒内有效。</li>
<li><strong>在线状态</strong>：<code>presence.watch</code> 指定要显示的人，至多 500 名，替换之前的列表；变化以事件送达。它属于当前连接，重连后须重新调用。</li>
</ul>

<h2 id="texts">文本与 @</h2>
<p>文本按原样存储。客户端显示一种小型 Markdown：<code>**粗体**</code>、<code>*斜体*</code>、<code>~~删除线~~</code>、<code>&#96;代码&#96;</code>、三个反引号的代码块、<code>&gt; 引用</code>、以 <code>-</code> 或 <code>1.</code> 开头的列表、<code>[文字](https://…)</code> 与裸地址。没有标题、表格、图片与 HTML：其余一切都须转义。<code>@登录名</code> 提及成员，<code>@all</code> 提及所有人；由服务器识别，消息中会列出被提及者，至多 {{n "MaxMentions"}} 人。</p>
<p>带 <code>change</code> 的条目是房间自身的一行（有人加入、改名等）。带 <code>recalled</code> 的已被撤回，没有文本。<code>edited</code> 之后，历史文本见 <code>message.revisions</code>。话题以其首条消息的 <code>seq</code> 命名：发送时带 <code>thread</code>，读取时用带 <code>thread</code> 的 <code>room.history</code>。</p>

<h2 id="files">文件</h2>
<p>上传采用 <a href="https://tus.io/protocols/resumable-upload">tus 1.0.0</a>，任何 tus 客户端都可使用。小文件可一次请求完成：</p>
<pre tabindex="0"><code>curl -fsS "$BASE/api/uploads" -H "Authorization: Bearer $TOKEN" -H 'Tus-Resumable: 1.0.0' \
  -H "Upload-Length: $(stat -c %s report.pdf)" \
  -H "Upload-Metadata: filename $(printf %s report.pdf | base64 -w0)" \
  -H 'Content-Type: application/offset+octet-stream' --data-binary @report.pdf</code></pre>
<p>应答为 201 与 <code>{"file": {"id": …}}</code>。把该 id 填入 <code>message.send</code> 的 <code>files</code>，每条消息至多 {{n "MaxFiles"}} 个。大文件可续传，72 小时内有效，服务器重启后也可继续：</p>
<pre tabindex="0"><code># 1. 声明文件。应答的 Location 是此上传的地址。
U=$(curl -fsS -o /dev/null -D - -X POST "$BASE/api/uploads" -H "Authorization: Bearer $TOKEN" -H 'Tus-Resumable: 1.0.0' \
  -H "Upload-Length: $(stat -c %s film.mp4)" \
  -H "Upload-Metadata: filename $(printf %s film.mp4 | base64 -w0),filetype $(printf %s video/mp4 | base64 -w0)" \
  | tr -d '\r' | sed -n 's/^location: //Ip')
# 2. 查询已收到多少。中断后从这里重新开始。
O=$(curl -fsS -I "$BASE$U" -H "Authorization: Bearer $TOKEN" -H 'Tus-Resumable: 1.0.0' | tr -d '\r' | sed -n 's/^upload-offset: //Ip')
# 3. 发送其余部分。收到最后一个字节时，应答头 Posthouse-File 给出文件 ID。
tail -c +$((O+1)) film.mp4 | curl -fsS -D - -X PATCH "$BASE$U" -H "Authorization: Bearer $TOKEN" -H 'Tus-Resumable: 1.0.0' \
  -H "Upload-Offset: $O" -H 'Content-Type: application/offset+octet-stream' -T -</code></pre>
<ul>
<li><code>Upload-Metadata</code> 由逗号分隔的“键 base64 值”组成：<code>filename</code>、<code>filetype</code>，语音消息另有 <code>voice</code>（1）与 <code>duration_ms</code>。媒体类型由服务器查看内容决定。</li>
<li>PATCH 可带 <code>Upload-Checksum: sha256 &lt;base64&gt;</code>，不符的数据会被丢弃（460）。409：请查询进度并从那里继续。423：另一个请求正在写入。413：过大，或配额已用完。507：磁盘已满，已收到的部分会保留。</li>
<li>对已完成的上传，HEAD 也返回 <code>Posthouse-File</code>；DELETE 放弃上传。</li>
<li>下载：带令牌 <code>GET /files/&lt;id&gt;/&lt;名称&gt;</code>，凡能阅读含该文件的消息的人都可以；名称任意。支持单个 <code>Range</code>；ETag 为 SHA-256。图片缩略图：<code>GET /files/&lt;id&gt;/thumbnail/&lt;边长&gt;</code>，边长为 64、160、320、640 或 1280 像素。</li>
</ul>
<pre tabindex="0"><code>curl -fsS -C - -o film.mp4 "$BASE/files/` + exampleID + `/film.mp4" -H "Authorization: Bearer $TOKEN"</code></pre>

<h2 id="refusals">被拒绝时</h2>
<p>程序应依据 <code>data.kind</code>，它不会改变。文字供人阅读，使用其语言。<code>data.trace</code> 用于在服务器日志中查找该请求，<code>data.field</code> 指出参数，<code>data.retry_after_ms</code> 说明多久后可重试（HTTP 另有以秒计的 <code>Retry-After</code>）。全部种类见<a href="#errors">错误</a>。</p>
<pre tabindex="0"><code>HTTP/1.1 404 Not Found
Content-Type: application/json

{"code": 1004, "message": "没有该房间", "data": {"kind": "not_found", "trace": "9f8e7d6c5b4a3f2e"}}

{"jsonrpc": "2.0", "id": 7, "error": {"code": 1004, "message": "没有该房间", "data": {"kind": "not_found", "trace": "9f8e7d6c5b4a3f2e"}}}</code></pre>

<h2 id="rates">频率与大小</h2>
<p>以下为出厂值，服务器的操作员可能更改过。各类别按账号计数，登录前按地址计数。</p>
<ul>
<li>query：每秒 50 次，瞬时 200 次。write：每秒 10 次，瞬时 60 次。post：每秒 20 次，瞬时 60 次。auth：每地址每分钟 20 次，每账号每分钟 5 次。未登录：每秒 5 次，瞬时 60 次。free：不计数。超出返回 <code>rate_limited</code>。</li>
<li>一个连接的全部帧：每秒 200 个，瞬时 1000 个，超出后服务器会放慢读取。一个连接至多 64 个调用未应答。</li>
<li>一帧：64 KiB。POST 请求体：1 MiB。一条消息：32 KiB 文本。一个文件：4 GiB；每人 20 GiB，每房间 100 GiB。服务器发送的内容可能比客户端的帧更大（例如一页历史）：请允许 16 MiB。</li>
<li>每账号 32 个连接，每地址 200 个。</li>
</ul>
<p>协议本身的限制见<a href="#limits">协议限制</a>。</p>

<h2 id="python">完整的 Python 客户端</h2>
<p>它回应以 "echo" 开头的消息；无论发生什么中断，都不会遗漏，也不会重复。需要 <code>pip install websockets</code>。</p>
<pre tabindex="0"><code>` + examplePython + `</code></pre>
`
