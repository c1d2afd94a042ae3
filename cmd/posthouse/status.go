package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"posthouse/appliance/wire"
	texts "posthouse/sysmon/words"
)

// boxStatus is the JSON of status.
type boxStatus struct {
	Running bool `json:"running"`
	wire.StatusResult
}

func (a *app) statusCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: a.say.of("Print how the server is; exit code 1 when none runs", "查看服务器状态；未运行时退出码为 1"),
		Args:  a.takes(),
	}
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		return a.reach(cmd.Context(), func(c caller, running bool) error {
			s := boxStatus{Running: running}
			if err := c.call("server.status", wire.Empty{}, &s.StatusResult); err != nil {
				return err
			}
			if !running {
				s.Uptime = 0
			}
			if *asJSON {
				if err := writeJSON(a.out, s); err != nil {
					return err
				}
			} else {
				a.writeStatus(s)
			}
			if !running {
				return errorText(a.say, "no server is running; the figures are those of the data directory", "服务器未运行；以上为数据目录中的数据")
			}
			return nil
		})
	}
	return cmd
}

func (a *app) writeStatus(s boxStatus) {
	state := a.say.of("running", "运行中")
	switch {
	case !s.Running:
		state = a.say.of("stopped", "已停止")
	case s.ReadOnly != "":
		state = a.say.of("read-only: ", "只读：") + s.ReadOnly
	}
	list := [][2]string{{a.say.of("server", "服务器"), state}, {a.say.of("version", "版本"), s.Version}}
	if s.Running {
		list = append(list, [2]string{a.say.of("up for", "已运行"), (time.Duration(s.Uptime) * time.Millisecond).Round(time.Second).String()},
			[2]string{a.say.of("addresses", "访问地址"), strings.Join(s.Addresses, "  ")},
			[2]string{a.say.of("CA fingerprint", "CA 指纹"), s.Certificate})
		if s.CertExpires != 0 {
			list = append(list, [2]string{a.say.of("certificate until", "证书有效至"), when(s.CertExpires)})
		}
		list = append(list, [2]string{a.say.of("online", "在线"), a.say.ofN("%d people, %d connections", "%d 人，%d 个连接", s.Online, s.Sessions)})
	}
	list = append(list,
		[2]string{a.say.of("accounts", "账号"), fmt.Sprint(s.Users)}, [2]string{a.say.of("rooms", "房间"), fmt.Sprint(s.Rooms)},
		[2]string{a.say.of("messages", "消息"), fmt.Sprint(s.Messages)},
		[2]string{a.say.of("files", "文件"), fmt.Sprintf("%d (%s)", s.Files, texts.Bytes(s.FileBytes))},
		[2]string{a.say.of("journal", "日志账本"), a.say.ofN("position %d, state file at %d", "位置 %d，状态文件 %d", s.Position, s.Flushed)})
	switch {
	case s.SearchProblem != "":
		list = append(list, [2]string{a.say.of("search", "搜索"), a.say.of("stopped: ", "已停止：") + s.SearchProblem})
	case s.SearchBuilding != 0:
		list = append(list, [2]string{a.say.of("search", "搜索"), a.say.ofN("index is being made, %d %%", "正在建立索引，%d%%", s.SearchBuilding)})
	case s.Running:
		list = append(list, [2]string{a.say.of("search", "搜索"), a.say.ofN("position %d, %d behind", "位置 %d，落后 %d", s.Search, s.Position-min(s.Search, s.Position))})
	}
	a.facts(list)
}
