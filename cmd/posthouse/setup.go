package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"posthouse/appliance/wire"
)

func (a *app) setupCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "setup",
		Short: a.say.of("Print a new one-time setup link of the running server", "打印正在运行的服务器的一次性初始化链接"),
		Args:  a.takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, func(c caller) error {
				var link wire.SetupLink
				if err := c.call("setup.link", wire.Empty{}, &link); err != nil {
					return err
				}
				if link.URL == "" {
					return errorText(a.say, "setup is done: there are accounts already; a lost password is set with: posthouse user passwd LOGIN",
						"初始化已完成；忘记密码可用 posthouse user passwd LOGIN 重置")
				}
				fmt.Fprintln(cmd.OutOrStdout(), link.URL)
				return nil
			})
		},
	}
}

func (a *app) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: a.say.of("Print the version", "打印版本"),
		Args:  a.takes(),
	}
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		v := struct {
			Version string `json:"version"`
			Go      string `json:"go"`
			System  string `json:"system"`
		}{version(), runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
		if *asJSON {
			return writeJSON(cmd.OutOrStdout(), v)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "posthouse %s (%s, %s)\n", v.Version, v.Go, v.System)
		return nil
	}
	return cmd
}
