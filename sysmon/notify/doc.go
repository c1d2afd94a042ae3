// Package notify owns how a notice leaves the box: the channels, their
// settings, and the form each other side wants.
//
// # Promises
//
//   - Send delivers one Message through one Channel and says what the other side answered. An
//     error tells whether another try can help (Failure.Again).
//   - Every message carries host, value, threshold, since, link and runbook of each alert, in
//     the language of the channel. What does not fit (WeCom takes 4096 bytes, SMS a few parts)
//     is cut at a whole character, never the link.
//   - A request ends after Options.Timeout, follows no redirect, and of an answer 16 KiB are read. A
//     secret (Field.Secret) is in no error, no answer and no log: where the other side or a
//     library repeats one it becomes "••••".
//   - Texts of alerts are data: nothing in them becomes a header of a mail, a command of a modem,
//     or a mention of everyone in a chat.
//
// # File
//
// watch/channels.json, mode 0600, replaced as a whole (write, fsync, rename):
//
//	{"version":1,"channels":[{"id":"c1","name":"ops mail","kind":"email","lang":"zh",
//	  "off":false,"quiet_resolved":false,"per_hour":60,"set":{"host":"…","password":"…"}}]}
//
// Secrets stand in it in the clear, because the other side wants them in the clear; Masked is
// what a page may show, and Merge takes a masked form back without losing them.
//
// # Formats
//
//	email          RFC 5322, text/plain UTF-8 in base64; Message-ID per message, References per alert group
//	dingtalk       POST ?access_token=…&timestamp=<ms>&sign=<urlencoded base64 HMAC-SHA256(secret, ts "\n" secret)>, markdown
//	wecom          POST ?key=…, markdown, at most 4096 bytes
//	feishu         POST, interactive card; timestamp (s), sign = base64 HMAC-SHA256(key ts "\n" secret, nothing)
//	sms-aliyun     GET, SendSms 2017-05-25, signature version 1.0 (HMAC-SHA1 over the sorted query)
//	sms            any HTTP gateway: method, URL, header and body with {phone}, {text}, {timestamp}
//	modem          GSM 07.05 PDU mode, UCS2, parts joined by a header of six bytes
//	pagerduty      Events API v2: one event an alert, dedup_key = fingerprint; trigger, acknowledge, resolve
//	webhook        JSON of Message; X-Posthouse-Signature: t=<unix s>,v1=<hex HMAC-SHA256(secret, t "." body)>
//	am-webhook     the body an Alertmanager sends to a webhook, version 4
//	alertmanager   POST /api/v2/alerts of an Alertmanager
//	room           Options.Room: a room of the chat on this box; Markdown, links of alerts that fire end with #ack
//
// # Choices
//
// A mail server without TLS is talked to in the clear only when the channel says so, and then
// never with a password. A robot that answers 200 with an error code inside has refused. The
// signature of a robot is made anew for each try, since the vendors refuse one older than an hour.
//
// It runs no goroutines; a Sender may be used by many at once. A modem is used by one at a time.
package notify
