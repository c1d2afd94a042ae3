package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"syscall"

	"posthouse/appliance/client"
	"posthouse/appliance/config"
	"posthouse/appliance/journal"
	"posthouse/appliance/lancert"
	"posthouse/appliance/sequencer"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// words speaks one of the two languages of the product.
type words struct{ zh bool }

// wordsOf chooses the language as programs do: LC_ALL, LC_MESSAGES, LANG.
func wordsOf(env []string) words {
	for _, name := range []string{"LC_ALL=", "LC_MESSAGES=", "LANG="} {
		for _, e := range env {
			if v, ok := strings.CutPrefix(e, name); ok && v != "" {
				return words{strings.HasPrefix(strings.ToLower(v), "zh")}
			}
		}
	}
	return words{}
}

func (w words) lang() string {
	if w.zh {
		return "zh"
	}
	return "en"
}

// of chooses a sentence.
func (w words) of(en, zh string) string {
	if w.zh {
		return zh
	}
	return en
}

// ofN is of with the same arguments put into both sentences.
func (w words) ofN(en, zh string, args ...any) string { return fmt.Sprintf(w.of(en, zh), args...) }

// err tells an error in the reader's language where it has one.
func (w words) err(err error) string {
	var refusal *wire.Error
	var cert *lancert.Error
	var damage *journal.DamageError
	switch {
	case errors.As(err, &refusal):
		return refusal.Text.In(w.lang())
	case errors.As(err, &cert):
		return w.of(cert.English, cert.Chinese)
	case errors.As(err, &damage):
		return w.damage(damage)
	case errors.Is(err, context.Canceled):
		return w.of("interrupted", "已中断")
	case errors.Is(err, state.ErrLocked), errors.Is(err, journal.ErrLocked):
		return w.of("another posthouse process is using the data directory; try again, or stop it first ("+err.Error()+")",
			"另一个 posthouse 进程正在使用数据目录；请稍后重试，或先停止它（"+err.Error()+"）")
	case errors.Is(err, sequencer.ErrAhead):
		return w.of(err.Error(), "状态文件比日志账本新：账本缺少记录；请从备份恢复，或运行 posthouse verify 查看（"+err.Error()+"）")
	case errors.Is(err, state.ErrDamaged):
		return w.of(err.Error(), "状态文件已损坏：把它移走后重新启动，将由日志账本重建（"+err.Error()+"）")
	case errors.Is(err, client.ErrLost), errors.Is(err, context.DeadlineExceeded):
		return w.of("the server did not answer to the end; whether the change was made is unknown: look before you try again",
			"服务器没有答复完毕，更改是否完成未知；请先查看再重试")
	case errors.Is(err, syscall.EADDRINUSE):
		return w.of(err.Error()+"; stop what holds the port (posthouse doctor tells what that is), or choose another port in the configuration or with --set",
			"端口已被占用："+err.Error()+"；请停止占用它的程序（posthouse doctor 会指出），或在配置文件中或用 --set 换一个端口")
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return w.of(err.Error()+"; name an address that this machine has, or a port alone, such as :8443",
			"本机没有该地址："+err.Error()+"；请填写本机的地址，或只写端口，如 :8443")
	case errors.Is(err, fs.ErrPermission):
		return w.of(err.Error()+"; this account may not: run it as root or as the account that the server runs under; posthouse doctor says more",
			"当前账号没有权限："+err.Error()+"；请以 root 或运行服务器的账号执行；posthouse doctor 可提供更多信息")
	}
	return config.Text(err, w.lang())
}

// damage says where the journal is damaged and what to do about it.
func (w words) damage(d *journal.DamageError) string {
	return w.ofN("journal damaged at position %[1]d: %[2]s offset %[3]d: %[4]s; nothing was changed; restore from a backup, or cut the journal there with: posthouse journal repair %[5]s",
		"日志账本在位置 %[1]d 处损坏：%[2]s 偏移 %[3]d：%[4]s；未作任何更改；请从备份恢复，或在该处截断：posthouse journal repair %[5]s",
		d.Position, d.File, d.Offset, d.Reason, filepath.Dir(d.File))
}
