package reference

// proseEn is the part of the page that a person wrote, in English. Each of its
// sections stands in proseZh under the same id; a test compares them.
const proseEn = `{{define "contents"}}<li><a href="#start">In five minutes</a></li>
<li><a href="#transports">Two ways to call</a></li>
<li><a href="#login">Logging in</a></li>
<li><a href="#values">IDs, keys, times</a></li>
<li><a href="#socket">The WebSocket</a></li>
<li><a href="#sync">Synchronising</a></li>
<li><a href="#sending">Sending</a></li>
<li><a href="#delivery">Acknowledgements, receipts, read marks</a></li>
<li><a href="#texts">Texts and mentions</a></li>
<li><a href="#files">Files</a></li>
<li><a href="#refusals">When something is refused</a></li>
<li><a href="#rates">Rates and sizes</a></li>
<li><a href="#python">A whole client in Python</a></li>{{end}}
<p>This page is made from the table that the server itself works with. With it alone one can write a client in any language.</p>

<h2 id="start">In five minutes</h2>
<p>Replace the address, login and room by your own. The certificate of most boxes is their own: fetch it once and compare its fingerprint with the one that the console shows.</p>
<pre tabindex="0"><code>BASE=https://chat.lan
curl -fsSko ca.pem "$BASE/ca.pem"; openssl x509 -in ca.pem -noout -fingerprint -sha256
export CURL_CA_BUNDLE=$PWD/ca.pem
curl -fsS "$BASE/api/session.login" -H 'Content-Type: application/json' \
  -d '{"login": "ann", "password": "…", "device_name": "my script", "kind": "bot"}'
TOKEN=…    # "token" of the answer; it is shown this once
curl -fsS "$BASE/api/room.list" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' -d '{}'
curl -fsS "$BASE/api/message.send" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' \
  -d '{"room": "` + exampleID + `", "key": "'$(uuidgen)'", "text": "hello"}'</code></pre>

<h2 id="transports">Two ways to call</h2>
<p>Every method takes one JSON object and gives one. There are two ways to call it; both give the same answer.</p>
<h3>POST</h3>
<ul>
<li><code>POST /api/&lt;method&gt;</code> with the parameters as the body, <code>{}</code> if there are none. The answer is status 200 with the result as the body, or the status of the <a href="#errors">error kind</a> with an <a href="#type-ErrorBody">ErrorBody</a>.</li>
<li><code>Content-Type: application/json</code> is demanded. Nothing is ever changed by a GET.</li>
<li>The <code>Host</code> must be a name or address of the server; otherwise the answer is 421.</li>
<li>A program sends no <code>Origin</code>; that is fine with a token. A browser does, and then it must be the server's own.</li>
<li><code>Accept-Language: zh</code> or <code>en</code> chooses the language of error texts.</li>
</ul>
<h3>WebSocket</h3>
<ul>
<li><code>GET /api/ws</code>, upgraded as in RFC 6455 (<code>wss://</code> where the page is <code>https://</code>). Needed for events; also for everything else except the methods that begin a session.</li>
<li>Each text frame is one <a href="https://www.jsonrpc.org/specification">JSON-RPC 2.0</a> object. There are no batches, binary frames or compression. Clients mask their frames, as every WebSocket library does.</li>
<li>A request carries <code>jsonrpc</code> ("2.0"), <code>id</code> (a string or number of at most {{n "MaxRequestID"}} bytes, chosen by the client), <code>method</code> and <code>params</code> (an object). The answer carries the same <code>id</code> and either <code>result</code> or <code>error</code>. Answers may come in another order than requests.</li>
<li>A request without <code>id</code> is a notification: it is carried out and never answered, not even when it is refused.</li>
<li>The server sends notifications of the method <code>event</code>: see <a href="#socket">below</a>.</li>
</ul>
<h3>How JSON is read</h3>
<p>The server reads strictly: a member that it does not know, a member given twice, invalid UTF-8, a lone surrogate, or nesting deeper than {{n "MaxDepth"}} is refused. Clients read generously: a result or event may gain members, and event types may be added; pass over what you do not know. A member whose "Always" says no is absent when it is empty, 0 or false.</p>

<h2 id="login">Logging in</h2>
<ol>
<li><code>POST /api/session.login</code> with <code>login</code> and <code>password</code> makes a device and gives its <code>token</code>. Keep it as you would a password. It ends when the device is revoked or logged out, the password is changed, the account is disabled, or when it was not used until <code>expires</code>.</li>
<li>Every later POST carries <code>Authorization: Bearer &lt;token&gt;</code>. Tokens are never read from an address.</li>
<li>A WebSocket carries the same header in its handshake. Where a program cannot set it, the first frame is <code>session.authenticate</code> with the token, within 5 seconds; any other first frame is refused and the connection closed.</li>
</ol>
<p>Pages in a browser log in with <code>"cookie": true</code>: the token then comes as an HttpOnly cookie that counts only for pages of the server itself. For a bot, an admin makes an account with <code>user.create</code> (<code>"bot": true</code>) and a token with <code>user.token</code>; a bot needs no password.</p>
<p>What a method demands stands under "Who". An auditor sees what an admin sees and changes nothing. In rooms the role in the room decides: owner, moderator, member, reader. What one may not know of is <code>not_found</code>, not <code>forbidden</code>.</p>

<h2 id="values">IDs, keys, times</h2>
<ul>
<li><strong>ID</strong>: an account, room, device, department, invitation or file; 13 characters. <strong>MessageID</strong>: a message. Treat both as opaque. The empty text stands for none.</li>
<li><strong>seq</strong> numbers the entries of one room from 1 without gaps. <strong>position</strong> numbers all that happens on the server; a client sees only some of them.</li>
<li><strong>key</strong>: a UUID made by the client before it sends, once per message (version 7, RFC 9562, is best). See <a href="#sending">sending</a>.</li>
<li>Times are Unix milliseconds, positions and numbers stay below 2<sup>53</sup>.</li>
<li>Lists that are long come in pages: ask again with <code>after</code> or <code>before</code> as long as <code>more</code> is true.</li>
</ul>

<h2 id="socket">The WebSocket</h2>
<p>The first minute of a connection (→ client, ← server):</p>
<pre tabindex="0"><code>→ {"jsonrpc":"2.0","id":1,"method":"sync.start","params":{"since":4711}}
← {"jsonrpc":"2.0","id":1,"result":{"position":4713,"reset":false,"heartbeat_ms":25000, …}}
← {"jsonrpc":"2.0","method":"event","params":{"position":4712,"type":"message","data":{ … }}}
← {"jsonrpc":"2.0","method":"event","params":{"position":4713,"type":"read","data":{ … }}}
→ {"jsonrpc":"2.0","method":"sync.ack","params":{"position":4713}}
→ {"jsonrpc":"2.0","id":2,"method":"message.send","params":{"room":"` + exampleID + `","key":"` + exampleKey + `","text":"hello"}}
← {"jsonrpc":"2.0","id":2,"result":{"id":"` + exampleMessage + `","seq":88,"position":4714,"time":` + "1764000000000" + `}}
← {"jsonrpc":"2.0","method":"event","params":{"position":4714,"type":"message","data":{ … }}}
→ {"jsonrpc":"2.0","id":3,"method":"sync.ping","params":{}}
← {"jsonrpc":"2.0","id":3,"result":{"server_time":1764000025000,"position":4714}}</code></pre>
<ul>
<li><strong>Heartbeats.</strong> Send <code>sync.ping</code> every <code>heartbeat_ms</code>; any other frame is a sign of life too. After one interval of silence others see you as <em>suspect</em>, before two have passed the server closes. It may send WebSocket pings; libraries answer them. When you hear nothing for two intervals, the connection is dead: close it and connect again.</li>
<li><strong>One's own messages</strong> come back as events like everybody's, before or after the answer; recognise them by <code>seq</code> or <code>key</code>.</li>
<li><strong>drain</strong>: the server is about to stop. Send nothing new, wait for answers that are due, close, and connect again after <code>reconnect_after_ms</code>.</li>
<li><strong>reset</strong>: you read too slowly and events were skipped. Call <code>sync.start</code> again, on the same connection.</li>
<li><strong>Connecting again</strong>: after 0.25 to 0.5 seconds at first, then twice as long each time up to half a minute, with chance in it, so that not everybody comes at once.</li>
<li><strong>Close codes</strong> beside those of RFC 6455: 4401 not logged in (any more), 4408 silent for too long, 4409 too many connections of the account, 4429 too many frames. After 4401 do not try the same token again.</li>
</ul>

<h2 id="sync">Synchronising</h2>
<p>One number tells how far a client is: the position of the last event that it has dealt with.</p>
<ol>
<li>The first time, call <code>sync.start</code> with <code>"since": 0</code>. The answer has <code>"reset": true</code>, all your rooms with their newest number (<code>head</code>), and the <code>position</code> at which that is true. Show the rooms; fetch messages with <code>room.history</code> when somebody looks.</li>
<li>From then on apply events as they come, in order, and keep the position of the last one.</li>
<li>After a break call <code>sync.start</code> with that position. With <code>"reset": false</code> everything since that concerns you follows as events. With <code>"reset": true</code> it was too long ago: drop what you have, take <code>rooms</code> and <code>position</code>, and fetch messages after the last <code>seq</code> you know with <code>room.history</code>.</li>
</ol>
<ul>
<li>Several events may carry <strong>the same position</strong>, and a connection may break between them. If you cannot be sure that you have them all, resume with the position before. Events tell a state, not a difference: applying one twice does no harm. A message that has come before is recognised by room and <code>seq</code>. You can be sure once a heartbeat that you sent after the event has been answered.</li>
<li>Do not take the position of <code>sync.ping</code>, or of a <code>sync.start</code> without reset, as your own: events up to it may still be on their way.</li>
<li>Messages of a room come in the order of <code>seq</code>. If one is missing, fetch it: <code>room.history</code> with <code>after</code> set to the last number you have. This should not happen, and costs one comparison to notice.</li>
<li>Events <strong>without a position</strong> (typing, presence, receipts, drain, reset) are not kept and never sent again.</li>
<li><code>joined</code>: ask <code>room.get</code> and add the room. <code>left</code>: forget it.</li>
<li>Unread messages are not counted up, but derived: <code>count</code> of the newest message less <code>count</code> of the message at the read mark.</li>
</ul>

<h2 id="sending">Sending</h2>
<ul>
<li>The answer of <code>message.send</code> means that the message <strong>is on disk</strong>. What is answered survives a loss of power. It does not mean that anybody has it: see <a href="#delivery">delivery</a>.</li>
<li>Without an answer (the connection broke, a time-out, <code>unavailable</code>, <code>internal</code>), <strong>send again with the same key</strong>, as often as you like, also after a restart of your program. If the first attempt had arrived, the answer is the same with <code>"again": true</code>, and nothing is stored twice. A new key is a new message.</li>
<li><code>rate_limited</code>: wait <code>retry_after_ms</code>, then send with the same key. All other refusals are final.</li>
<li>Wait for the answer of a message before sending the next one to the same room if their order matters.</li>
<li><code>room.create</code> and <code>message.forward</code> take a key in the same way. All other changes say what shall be (this name, this read mark, this reaction on): doing them twice does no harm.</li>
<li>A bot may put data of its own into <code>foreign</code> (up to {{n "MaxForeign"}} bytes); <code>text</code> then is what clients show that do not know its type.</li>
</ul>

<h2 id="delivery">Acknowledgements, receipts, read marks</h2>
<p>A message is <em>stored</em>, then for each device of each member <em>pushed</em>, then <em>acknowledged</em>, and then <em>read</em> by the person.</p>
<ul>
<li><strong>Acknowledge</strong>: send <code>sync.ack</code> as a notification with the position of the newest event you have taken in. One acknowledgement covers all before it; several a second are enough. Who does not acknowledge counts as not reached.</li>
<li><strong>Receipts</strong>: in direct rooms and groups of up to {{n "LiveReceipts"}} members the event <code>receipts</code> tells up to which <code>seq</code> devices were pushed to and have acknowledged. For one message, <code>message.journey</code> tells the same at any time, to its author.</li>
<li><strong>Read marks</strong>: <code>room.read</code> with the <code>seq</code> up to which a person has seen the room. It never goes back. One's own marks come as event <code>read</code> to all of one's devices; those of others in the same small rooms as receipts. In larger rooms ask <code>message.readers</code>.</li>
<li><strong>Typing</strong>: <code>room.typing</code> at most every 2 seconds; what others type is true for 5 seconds.</li>
<li><strong>Presence</strong>: <code>presence.watch</code> names the people you show, at most 500, in place of the earlier list; changes come as events. It belongs to the connection: repeat it after connecting again.</li>
</ul>

<h2 id="texts">Texts and mentions</h2>
<p>A text is stored as it was written. Clients show a small Markdown: <code>**bold**</code>, <code>*italic*</code>, <code>~~strike~~</code>, <code>&#96;code&#96;</code>, fences of three backticks, <code>&gt; quotes</code>, lists with <code>-</code> or <code>1.</code>, <code>[text](https://…)</code> and bare addresses. There are no headings, tables, pictures or HTML: escape everything else. <code>@login</code> mentions a member, <code>@all</code> everybody; the server finds them, and the message says who is mentioned, at most {{n "MaxMentions"}} people.</p>
<p>An entry with <code>change</code> is a line of the room itself (somebody joined, the name changed). One with <code>recalled</code> was taken back and has no text. After <code>edited</code> the earlier texts are at <code>message.revisions</code>. A thread is named by the <code>seq</code> of its first message: send with <code>thread</code>, read with <code>room.history</code> and <code>thread</code>.</p>

<h2 id="files">Files</h2>
<p>Uploads follow <a href="https://tus.io/protocols/resumable-upload">tus 1.0.0</a>; every tus client works. Small files in one request:</p>
<pre tabindex="0"><code>curl -fsS "$BASE/api/uploads" -H "Authorization: Bearer $TOKEN" -H 'Tus-Resumable: 1.0.0' \
  -H "Upload-Length: $(stat -c %s report.pdf)" \
  -H "Upload-Metadata: filename $(printf %s report.pdf | base64 -w0)" \
  -H 'Content-Type: application/offset+octet-stream' --data-binary @report.pdf</code></pre>
<p>The answer is 201 with <code>{"file": {"id": …}}</code>. The id goes into <code>files</code> of <code>message.send</code>, at most {{n "MaxFiles"}} in one message. Large ones, resumable for 72 hours, also after a restart of the server:</p>
<pre tabindex="0"><code># 1. Announce the file. Location of the answer is the address of the upload.
U=$(curl -fsS -o /dev/null -D - -X POST "$BASE/api/uploads" -H "Authorization: Bearer $TOKEN" -H 'Tus-Resumable: 1.0.0' \
  -H "Upload-Length: $(stat -c %s film.mp4)" \
  -H "Upload-Metadata: filename $(printf %s film.mp4 | base64 -w0),filetype $(printf %s video/mp4 | base64 -w0)" \
  | tr -d '\r' | sed -n 's/^location: //Ip')
# 2. Ask how much has arrived. After a break begin here.
O=$(curl -fsS -I "$BASE$U" -H "Authorization: Bearer $TOKEN" -H 'Tus-Resumable: 1.0.0' | tr -d '\r' | sed -n 's/^upload-offset: //Ip')
# 3. Send the rest. With the last byte the answer names the file in the header Posthouse-File.
tail -c +$((O+1)) film.mp4 | curl -fsS -D - -X PATCH "$BASE$U" -H "Authorization: Bearer $TOKEN" -H 'Tus-Resumable: 1.0.0' \
  -H "Upload-Offset: $O" -H 'Content-Type: application/offset+octet-stream' -T -</code></pre>
<ul>
<li><code>Upload-Metadata</code> holds pairs of a key and a value in base 64, separated by commas: <code>filename</code>, <code>filetype</code>, for a voice note <code>voice</code> (1) and <code>duration_ms</code>. The server decides the media type by looking at the content.</li>
<li><code>Upload-Checksum: sha256 &lt;base64&gt;</code> on a PATCH: bytes that do not match are dropped (460). 409: ask for the offset and go on from there. 423: another request is writing. 413: too large, or the quota is used up. 507: the disk is full; what arrived is kept.</li>
<li>HEAD of a finished upload also carries <code>Posthouse-File</code>; DELETE gives an upload up.</li>
<li>Download: <code>GET /files/&lt;id&gt;/&lt;name&gt;</code> with the token, for everybody who may read a message with the file. Any name does. One <code>Range</code> is served; the ETag is the SHA-256. Thumbnails of pictures: <code>GET /files/&lt;id&gt;/thumbnail/&lt;edge&gt;</code>, edge 64, 160, 320, 640 or 1280 pixels.</li>
</ul>
<pre tabindex="0"><code>curl -fsS -C - -o film.mp4 "$BASE/files/` + exampleID + `/film.mp4" -H "Authorization: Bearer $TOKEN"</code></pre>

<h2 id="refusals">When something is refused</h2>
<p>Programs go by <code>data.kind</code>; it never changes. The text is for people, in their language. <code>data.trace</code> finds the request in the server's log, <code>data.field</code> names the parameter, <code>data.retry_after_ms</code> says when to try again (over HTTP also <code>Retry-After</code>, in seconds). All kinds stand under <a href="#errors">errors</a>.</p>
<pre tabindex="0"><code>HTTP/1.1 404 Not Found
Content-Type: application/json

{"code": 1004, "message": "no such room", "data": {"kind": "not_found", "trace": "9f8e7d6c5b4a3f2e"}}

{"jsonrpc": "2.0", "id": 7, "error": {"code": 1004, "message": "no such room", "data": {"kind": "not_found", "trace": "9f8e7d6c5b4a3f2e"}}}</code></pre>

<h2 id="rates">Rates and sizes</h2>
<p>As shipped; the operator of a server may have changed them. A class counts per account, before the login per address.</p>
<ul>
<li>query: 50 a second, 200 at once. write: 10 a second, 60 at once. post: 20 a second, 60 at once. auth: 20 a minute per address, 5 a minute per account. Without a login: 5 a second, 60 at once. free: not counted. Beyond: <code>rate_limited</code>.</li>
<li>All frames of a connection: 200 a second, 1000 at once; beyond that it is read more slowly. 64 calls of a connection may be without an answer.</li>
<li>A frame: 64 KiB. The body of a POST: 1 MiB. A message: 32 KiB of text. A file: 4 GiB; per person 20 GiB, per room 100 GiB. What the server sends may be larger than a frame of yours (a page of history): allow 16 MiB.</li>
<li>32 connections per account, 200 per address.</li>
</ul>
<p>What belongs to the protocol itself stands under <a href="#limits">limits</a>.</p>

<h2 id="python">A whole client in Python</h2>
<p>It answers what begins with "echo", misses nothing and says nothing twice, whatever breaks. It needs <code>pip install websockets</code>.</p>
<pre tabindex="0"><code>` + examplePython + `</code></pre>
`
