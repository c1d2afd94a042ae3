package gate

import "posthouse/appliance/wire"

// UploadDoc is the page of the reference about uploads and downloads, in
// Markdown. In one line:
//
//	curl -fsS https://chat.lan/api/uploads -H "Authorization: Bearer $TOKEN" -H 'Tus-Resumable: 1.0.0' -H "Upload-Length: $(stat -c %s report.pdf)" -H "Upload-Metadata: filename $(printf %s report.pdf | base64 -w0)" -H 'Content-Type: application/offset+octet-stream' --data-binary @report.pdf
func UploadDoc() wire.Text { return wire.Text{En: uploadDocEn, Zh: uploadDocZh} }

const uploadDocEn = `# Files

Files are uploaded with the open protocol [tus 1.0.0](https://tus.io/protocols/resumable-upload); every tus client
works. An upload that breaks goes on where it stopped, also days later and after a restart of the server.

In the examples, ` + "`$S`" + ` is the address of the server and ` + "`$A`" + ` is ` + "`Authorization: Bearer <token>`" + `.

## In one request

` + "```sh" + `
curl -fsS "$S/api/uploads" -H "$A" -H 'Tus-Resumable: 1.0.0' \
  -H "Upload-Length: $(stat -c %s report.pdf)" \
  -H "Upload-Metadata: filename $(printf %s report.pdf | base64 -w0)" \
  -H 'Content-Type: application/offset+octet-stream' --data-binary @report.pdf
` + "```" + `

The answer is ` + "`201`" + ` with ` + "`{\"file\":{\"id\":…}}`" + `; the id goes into ` + "`files`" + ` of ` + "`message.send`" + `. For files
of more than some hundred megabytes write ` + "`-T report.pdf -X POST`" + ` instead of ` + "`--data-binary`" + `: curl then
reads the file as it sends it.

## Resumable

` + "```sh" + `
# 1. Announce the file. The answer's Location is the address of the upload.
U=$(curl -fsS -o /dev/null -D - -X POST "$S/api/uploads" -H "$A" -H 'Tus-Resumable: 1.0.0' \
  -H "Upload-Length: $(stat -c %s film.mp4)" \
  -H "Upload-Metadata: filename $(printf %s film.mp4 | base64 -w0),filetype $(printf %s video/mp4 | base64 -w0)" \
  | tr -d '\r' | sed -n 's/^location: //Ip')
# 2. Ask how much has arrived. Begin here again after a break.
O=$(curl -fsS -I "$S$U" -H "$A" -H 'Tus-Resumable: 1.0.0' | tr -d '\r' | sed -n 's/^upload-offset: //Ip')
# 3. Send the rest.
tail -c +$((O+1)) film.mp4 | curl -fsS -D - -X PATCH "$S$U" -H "$A" -H 'Tus-Resumable: 1.0.0' \
  -H "Upload-Offset: $O" -H 'Content-Type: application/offset+octet-stream' -T -
# 4. The file it became.
curl -fsS "$S$U" -H "$A"
` + "```" + `

| Request | Answer |
|---|---|
| OPTIONS /api/uploads | 204: what is supported, Tus-Max-Size |
| POST /api/uploads | 201: Location, Upload-Expires, Upload-Offset; with all bytes also Posthouse-File |
| HEAD /api/uploads/<id> | 200: Upload-Offset, Upload-Length, Upload-Metadata, Upload-Expires; Posthouse-File when finished |
| GET /api/uploads/<id> | 200: {"offset", "size", "expires"}, and "file" when finished |
| PATCH /api/uploads/<id> | 204: Upload-Offset; Posthouse-File when that was the last byte |
| DELETE /api/uploads/<id> | 204: forgotten; a file that it became stays |

Keys of Upload-Metadata: filename, filetype, voice ("1"), duration_ms. The media type is decided by looking at the
content. X-HTTP-Method-Override: PATCH or DELETE works on a POST. Upload-Checksum takes sha256, sha1 and md5; a chunk
that does not match is dropped. Upload-Defer-Length: 1 leaves the length to a later PATCH.

| Status | Meaning |
|---|---|
| 404 | no such upload, expired (72 hours after its creation), or not yours |
| 408 | fewer than 4 KiB a second; what arrived is kept |
| 409 | Upload-Offset is not where the upload stands: ask with HEAD |
| 413 | larger than a file may be, than Upload-Length, or than your quota |
| 423 | another request is writing to it |
| 460 | Upload-Checksum does not match |
| 507 | the server's disk is full; what arrived is kept: go on later |

## Downloads

` + "`GET /files/<id>/<name>`" + ` gives the content to everybody who may read a message with it. Whatever is behind the id
may be written as the name. One range of bytes can be asked for (Range, If-Range); several get the whole file. The ETag
is the SHA-256 of the content. ` + "`?download=1`" + ` makes a browser save the file. Pictures, sound, video and plain text
are shown; everything else, HTML, SVG and PDF above all, is application/octet-stream and saved.

` + "`GET /files/<id>/thumbnail/<edge>`" + ` gives a picture in small; edge is 64, 160, 320, 640 or 1280 and bounds width and
height. 404 if the file is not a picture, 422 if it cannot be decoded.
`

const uploadDocZh = `# 文件

文件使用开放协议 [tus 1.0.0](https://tus.io/protocols/resumable-upload) 上传，任何 tus 客户端都可以使用。上传中断后可从断点
继续，隔几天或服务器重启之后也可以。

下例中 ` + "`$S`" + ` 为服务器地址，` + "`$A`" + ` 为 ` + "`Authorization: Bearer <令牌>`" + `。

## 一次请求完成

` + "```sh" + `
curl -fsS "$S/api/uploads" -H "$A" -H 'Tus-Resumable: 1.0.0' \
  -H "Upload-Length: $(stat -c %s report.pdf)" \
  -H "Upload-Metadata: filename $(printf %s report.pdf | base64 -w0)" \
  -H 'Content-Type: application/offset+octet-stream' --data-binary @report.pdf
` + "```" + `

应答为 ` + "`201`" + ` 与 ` + "`{\"file\":{\"id\":…}}`" + `；把该 id 填入 ` + "`message.send`" + ` 的 ` + "`files`" + `。超过几百兆字节的文件请用
` + "`-T report.pdf -X POST`" + ` 代替 ` + "`--data-binary`" + `，curl 会边读边发。

## 断点续传

` + "```sh" + `
# 1. 声明文件。应答的 Location 是此上传的地址。
U=$(curl -fsS -o /dev/null -D - -X POST "$S/api/uploads" -H "$A" -H 'Tus-Resumable: 1.0.0' \
  -H "Upload-Length: $(stat -c %s film.mp4)" \
  -H "Upload-Metadata: filename $(printf %s film.mp4 | base64 -w0),filetype $(printf %s video/mp4 | base64 -w0)" \
  | tr -d '\r' | sed -n 's/^location: //Ip')
# 2. 查询已收到多少。中断后从这里重新开始。
O=$(curl -fsS -I "$S$U" -H "$A" -H 'Tus-Resumable: 1.0.0' | tr -d '\r' | sed -n 's/^upload-offset: //Ip')
# 3. 发送其余部分。
tail -c +$((O+1)) film.mp4 | curl -fsS -D - -X PATCH "$S$U" -H "$A" -H 'Tus-Resumable: 1.0.0' \
  -H "Upload-Offset: $O" -H 'Content-Type: application/offset+octet-stream' -T -
# 4. 上传所成的文件。
curl -fsS "$S$U" -H "$A"
` + "```" + `

| 请求 | 应答 |
|---|---|
| OPTIONS /api/uploads | 204：支持的功能，Tus-Max-Size |
| POST /api/uploads | 201：Location、Upload-Expires、Upload-Offset；数据齐全时另有 Posthouse-File |
| HEAD /api/uploads/<id> | 200：Upload-Offset、Upload-Length、Upload-Metadata、Upload-Expires；完成后有 Posthouse-File |
| GET /api/uploads/<id> | 200：{"offset", "size", "expires"}，完成后有 "file" |
| PATCH /api/uploads/<id> | 204：Upload-Offset；收到最后一个字节时有 Posthouse-File |
| DELETE /api/uploads/<id> | 204：已移除；由它生成的文件保留 |

Upload-Metadata 的键：filename、filetype、voice（"1"）、duration_ms。媒体类型由服务器查看内容决定。POST 上可使用
X-HTTP-Method-Override: PATCH 或 DELETE。Upload-Checksum 支持 sha256、sha1、md5，不符的数据块会被丢弃。
Upload-Defer-Length: 1 表示长度由之后的 PATCH 给出。

| 状态码 | 含义 |
|---|---|
| 404 | 没有这个上传、已过期（创建 72 小时后）或不属于你 |
| 408 | 每秒不足 4 KiB；已收到的部分会保留 |
| 409 | Upload-Offset 与进度不符，请用 HEAD 查询 |
| 413 | 超过单个文件上限、Upload-Length 或你的配额 |
| 423 | 另一个请求正在写入 |
| 460 | 与 Upload-Checksum 不符 |
| 507 | 服务器磁盘已满；已收到的部分会保留，可稍后继续 |

## 下载

` + "`GET /files/<id>/<名称>`" + ` 向所有可以阅读其所在消息的人提供内容；名称可任意填写。可请求一段字节范围（Range、
If-Range），请求多段时返回整个文件。ETag 是内容的 SHA-256。` + "`?download=1`" + ` 让浏览器保存文件。图片、音频、视频和纯文本
可直接显示；其他一切（尤其是 HTML、SVG 和 PDF）以 application/octet-stream 提供并保存。

` + "`GET /files/<id>/thumbnail/<边长>`" + ` 返回缩略图；边长为 64、160、320、640 或 1280，同时限制宽和高。不是图片时返回 404，
无法解码时返回 422。
`
