package main

import (
	"errors"
	"fmt"
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
		Use:                        "posthouse",
		Short:                      a.say.of("Posthouse, a private chat server for your own hardware", "驿站：部署在自有硬件上的私有聊天服务器"),
		SilenceErrors:              true,
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
		FParseErrWhitelist:         cobra.FParseErrWhitelist{UnknownFlags: true},
		Args:                       a.unknownVerb,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		CompletionOptions:          cobra.CompletionOptions{HiddenDefaultCmd: true},
	}
	f := root.PersistentFlags()
	f.StringVar(&a.flags.config, "config", "", a.say.of("configuration `FILE` (default "+packagedConfig+" if it exists)", "配置文件 `FILE`（默认 "+packagedConfig+"，若存在）"))
	f.StringVar(&a.flags.data, "data", "", a.say.of("data directory `DIR`; sets server.data_dir", "数据目录 `DIR`，即 server.data_dir"))
	f.StringArrayVar(&a.flags.set, "set", nil, a.say.of("set one `KEY=VALUE`, such as server.listen_local=127.0.0.1:8080; may be repeated", "设置一个配置项 `KEY=VALUE`，可重复使用"))
	root.AddCommand(a.serveCommand(), a.setupCommand(), a.statusCommand(), a.metricsCommand(), a.doctorCommand(), a.probeCommand(), a.alertsCommand(), a.userCommand(), a.roomCommand(), a.inviteCommand(), a.botCommand(), a.hookCommand(), a.importCommand(),
		a.configCommand(), a.verifyCommand(), a.journalCommand(), a.searchCommand(), a.benchCommand(), a.supportCommand(), a.versionCommand())
	a.speak(root)
	return root
}

// config reads the configuration that the flags name. With --data and no
// --config the defaults are taken, so that a machine without /etc/posthouse
// can run. Errors carry their exit code.
func (a *app) config() (config.Config, config.Sources, error) {
	over := map[string]string{}
	for _, kv := range a.flags.set {
		k, v, ok := strings.Cut(kv, "=")
		if !ok {
			return config.Config{}, nil, a.wrongUse("--set takes section.key=value", "--set 的形式为 section.key=value")
		}
		over[k] = v
	}
	if a.flags.data != "" {
		over["server.data_dir"] = a.flags.data
	}
	cfg, src, err := config.Load(config.Paths(a.configFile()), a.env, over)
	if err != nil {
		return cfg, src, &exit{exitConfig, err}
	}
	return cfg, src, nil
}

// configFile is the file that config reads; empty = none.
func (a *app) configFile() string {
	if a.flags.config == "" && a.flags.data == "" {
		if _, err := os.Stat(packagedConfig); err == nil {
			return packagedConfig
		}
	}
	return a.flags.config
}

// dataDir is the data directory that an argument names, or the configured one.
// It must be there.
func (a *app) dataDir(args []string) (string, error) {
	dir := ""
	if len(args) > 0 {
		dir = args[0]
	} else {
		cfg, _, err := a.config()
		if err != nil {
			return "", err
		}
		dir = cfg.Server.DataDir
	}
	if info, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return "", a.noDirectory(dir)
	} else if err != nil {
		return "", fmt.Errorf("look at data directory: %w", err)
	} else if !info.IsDir() {
		return "", errorText(a.say, dir+" is not a directory", dir+" 不是目录")
	}
	return dir, nil
}

func (a *app) noDirectory(dir string) error {
	return errorText(a.say, "there is no data directory "+dir+"; name it with --data, or start the server once",
		"没有数据目录 "+dir+"；请用 --data 指定，或先启动一次服务器")
}

func jsonFlag(cmd *cobra.Command, a *app) *bool {
	return cmd.Flags().Bool("json", false, a.say.of("print JSON", "输出 JSON"))
}

func yesFlag(cmd *cobra.Command, a *app) *bool {
	return cmd.Flags().BoolP("yes", "y", false, a.say.of("do not ask", "不再询问"))
}

type sentence string

func (s sentence) Error() string { return string(s) }

func errorText(w words, en, zh string) error { return sentence(w.of(en, zh)) }
