package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"posthouse/appliance/config"
)

// packagedConfig is where the packages put the configuration.
const packagedConfig = "/etc/posthouse/posthouse.toml"

// command builds the tree of subcommands.
func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:               "posthouse",
		Short:             a.say.of("Posthouse, a private chat server for your own hardware", "驿站：部署在自有硬件上的私有聊天服务器"),
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	f := root.PersistentFlags()
	f.StringVar(&a.flags.config, "config", "", a.say.of("configuration file (default "+packagedConfig+" if it exists)", "配置文件（默认 "+packagedConfig+"，若存在）"))
	f.StringVar(&a.flags.data, "data", "", a.say.of("data directory; sets server.data_dir", "数据目录，即 server.data_dir"))
	f.StringArrayVar(&a.flags.set, "set", nil, a.say.of("set one key, such as server.listen_local=127.0.0.1:8080; may be repeated", "设置一个配置项，可重复使用"))
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exit{exitUsage, err} })
	root.AddCommand(a.serveCommand(), a.setupCommand(), a.versionCommand())
	return root
}

// config reads the configuration that the flags name. With --data and no
// --config the defaults are taken, so that a machine without /etc/posthouse
// can run.
func (a *app) config() (config.Config, config.Sources, error) {
	over := map[string]string{}
	for _, kv := range a.flags.set {
		k, v, ok := strings.Cut(kv, "=")
		if !ok {
			return config.Config{}, nil, &exit{exitUsage, errorText(a.say, "--set takes section.key=value", "--set 的形式为 section.key=value")}
		}
		over[k] = v
	}
	if a.flags.data != "" {
		over["server.data_dir"] = a.flags.data
	}
	main := a.flags.config
	if main == "" && a.flags.data == "" {
		if _, err := os.Stat(packagedConfig); err == nil {
			main = packagedConfig
		}
	}
	return config.Load(config.Paths(main), os.Environ(), over)
}

type sentence string

func (s sentence) Error() string { return string(s) }

func errorText(w words, en, zh string) error { return sentence(w.of(en, zh)) }
