package doctor

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"posthouse/appliance/lancert"
)

// lookAtCertificate looks at what browsers are shown, without renewing it.
func (d *diagnosis) lookAtCertificate() {
	if len(d.box.Config.Server.Listen) == 0 {
		return // there is no https
	}
	looked := d.say.of("certificate", "证书")
	st, err := d.readCertificate()
	var bad *lancert.Error
	switch {
	case errors.Is(err, fs.ErrNotExist) && !errors.As(err, &bad):
		d.well("certificate", looked, d.say.of("the server makes its authority at the first start", "服务器首次启动时自建颁发机构"))
		return
	case errors.Is(err, fs.ErrPermission):
		d.odd("certificate", looked, d.say.of("this account may not read it", "当前账号无权读取"), d.say.of("run it as root: sudo posthouse doctor", "请以 root 运行：sudo posthouse doctor"))
		return
	case err != nil:
		d.bad("certificate", looked, d.say.err(err), d.say.of("the server does not start before that is done", "处理之前服务器无法启动"))
		return
	}
	wrong := Count(d.list, Bad)
	if st.LastError != nil {
		d.bad("certificate", looked, st.LastError.Text(d.say.lang), d.say.of("renew the file tls.cert_file; the server takes it within 30 seconds", "请更新 tls.cert_file 指定的文件，服务器会在 30 秒内启用"))
	}
	for _, w := range st.Warnings {
		if st.LastError == nil {
			d.odd("certificate", looked, w.Text(d.say.lang), d.say.of("people on such devices or addresses are warned by their browser", "使用这些设备或地址的人会看到浏览器警告"))
		}
	}
	d.lookAtKeyFiles(looked)
	if Count(d.list, Bad) > wrong {
		return
	}
	found := strings.Join(append(slices.Clone(st.Names), st.Addresses...), " ")
	switch {
	case st.NotAfter.IsZero():
		found = d.say.of("made at the next start", "下次启动时签发")
	case st.Source == "local-ca" && time.Now().After(st.NotAfter) && d.runs:
		d.bad("certificate", looked, d.say.of("it ended on ", "已过期：")+minute(st.NotAfter), d.restart())
		return
	default:
		found = d.say.ofN("until %s for %s", "有效至 %s，名字：%s", minute(st.NotAfter), found)
	}
	d.well("certificate", looked, found)
}

// readCertificate reads the certificate as the server would, and changes nothing.
func (d *diagnosis) readCertificate() (lancert.Status, error) {
	opt := lancert.Options{HostName: d.box.Config.Server.HostName, ExtraNames: d.box.Config.TLS.ExtraNames, ExtraZones: d.box.Config.TLS.ExtraZones,
		Organisation: d.box.Config.Server.Organisation, LeafDays: d.box.Config.TLS.LeafDays}
	if d.box.Config.TLS.Mode != "files" {
		return lancert.Look(d.box.CertDir, opt)
	}
	p, err := lancert.Files(d.box.Config.TLS.CertFile, d.box.Config.TLS.KeyFile, opt)
	if err != nil {
		return lancert.Status{}, err
	}
	return p.Status(), nil
}

// lookAtKeyFiles looks whether the server's account may read a certificate
// from files.
func (d *diagnosis) lookAtKeyFiles(looked string) {
	if d.box.Config.TLS.Mode != "files" {
		return
	}
	for _, file := range []string{d.box.Config.TLS.CertFile, d.box.Config.TLS.KeyFile} {
		if at := d.who.unreadable(file); at != "" {
			d.bad("certificate", looked, d.say.ofN("%s, who runs the server, may not read %s", "运行服务器的 %s 无法读取 %s", d.who.name, at),
				d.say.ofN("chgrp %[1]s %[2]s && chmod 640 %[2]s; directories above it: chmod o+x", "chgrp %[1]s %[2]s && chmod 640 %[2]s；其上级目录：chmod o+x", d.who.name, file))
		}
	}
}
