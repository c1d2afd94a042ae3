package lancert

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strings"
)

// MobileConfig is an Apple configuration profile with the root, for iOS,
// iPadOS and macOS (application/x-apple-aspen-config). It is not signed, so
// the device says so and shows the name. After it is installed, iOS wants the
// root switched on under Settings > General > About > Certificate Trust
// Settings. Its identifiers come from the root, so that installing it twice
// replaces it.
func (a *Authority) MobileConfig(lang string) []byte {
	name := a.root.Subject.CommonName
	org := strings.Join(a.root.Subject.Organization, ", ")
	title := say("Certificate of %s", "%s 的证书", a.opts.HostName).Text(lang)
	text := say("Lets this device trust the chat server %s. It can vouch for nothing outside this network. SHA-256: %s",
		"让此设备信任聊天服务器 %s。它不能为本网络以外的任何网站作保。SHA-256：%s", a.opts.HostName, a.Fingerprint()).Text(lang)
	id := fmt.Sprintf("posthouse.ca.%x", sha256.Sum256(a.root.Raw))[:len("posthouse.ca.")+16]

	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>PayloadContent</key>
	<array>
		<dict>
			<key>PayloadCertificateFileName</key>
			<string>posthouse.crt</string>
			<key>PayloadContent</key>
			<data>` + base64.StdEncoding.EncodeToString(a.root.Raw) + `</data>
`)
	entry := func(indent, key, value string) {
		b.WriteString(indent + "<key>" + key + "</key>\n" + indent + "<string>")
		_ = xml.EscapeText(&b, []byte(value)) // a bytes.Buffer takes everything
		b.WriteString("</string>\n")
	}
	entry("\t\t\t", "PayloadDisplayName", name)
	entry("\t\t\t", "PayloadIdentifier", id+".root")
	entry("\t\t\t", "PayloadType", "com.apple.security.root")
	entry("\t\t\t", "PayloadUUID", uuid(a.root.Raw, "root"))
	b.WriteString("\t\t\t<key>PayloadVersion</key>\n\t\t\t<integer>1</integer>\n\t\t</dict>\n\t</array>\n")
	entry("\t", "PayloadDescription", text)
	entry("\t", "PayloadDisplayName", title)
	entry("\t", "PayloadIdentifier", id)
	entry("\t", "PayloadOrganization", org)
	b.WriteString("\t<key>PayloadRemovalDisallowed</key>\n\t<false/>\n")
	entry("\t", "PayloadType", "Configuration")
	entry("\t", "PayloadUUID", uuid(a.root.Raw, "profile"))
	b.WriteString("\t<key>PayloadVersion</key>\n\t<integer>1</integer>\n</dict>\n</plist>\n")
	return b.Bytes()
}

// uuid is a UUID (version 8, RFC 9562) made of a hash.
func uuid(der []byte, what string) string {
	h := sha256.Sum256(append([]byte(what+"\x00"), der...))
	h[6] = h[6]&0x0f | 0x80
	h[8] = h[8]&0x3f | 0x80
	return strings.ToUpper(fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16]))
}
