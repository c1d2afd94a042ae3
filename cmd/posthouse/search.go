package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"posthouse/appliance/client"
	"posthouse/appliance/search"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

func (a *app) searchCommand() *cobra.Command {
	return a.group("search", "Look after the index of messages", "维护消息索引", a.searchRebuild())
}

func (a *app) searchRebuild() *cobra.Command {
	return &cobra.Command{
		Use:   "rebuild",
		Short: a.say.of("Throw the index away and make it anew; nothing but time is lost", "丢弃并重建索引，只需时间，不丢数据"),
		Args:  a.takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, _, err := a.config()
			if err != nil {
				return err
			}
			if running(cfg) {
				h, err := client.NewHTTP(client.Options{UnixSocket: cfg.Server.Socket, Lang: a.say.lang()})
				if err != nil {
					return err
				}
				defer h.Close()
				if err := h.Call(cmd.Context(), "search.rebuild", wire.Empty{}, nil); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), a.say.of("The index is being made anew; posthouse status tells how far it is.", "正在重建索引，可用 posthouse status 查看进度。"))
				return nil
			}
			dir, err := a.dataDir(nil)
			if err != nil {
				return err
			}
			s, err := state.Open(filepath.Join(dir, stateFile), state.Options{}) // the lock of the directory
			if err != nil {
				return err
			}
			defer s.Abandon()
			if err := search.Remove(filepath.Join(dir, searchFile)); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), a.say.of("The index is gone; the next start makes it anew.", "索引已删除，下次启动时重建。"))
			return nil
		},
	}
}
