package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"posthouse/appliance/config"
)

func (a *app) configCommand() *cobra.Command {
	return a.group("config", "Look at the configuration", "查看配置", a.configDescribe(), a.configShow(), a.configTest())
}

func (a *app) configDescribe() *cobra.Command {
	return &cobra.Command{
		Use:   "describe",
		Short: a.say.of("Print an example file with every key explained", "打印带说明的示例配置文件"),
		Args:  a.takes(),
		RunE: func(_ *cobra.Command, _ []string) error {
			_, err := a.out.Write(config.Describe(a.say.lang()))
			return err
		},
	}
}

// configRow is a key in the JSON of config show.
type configRow struct {
	Key     string `json:"key"`
	Value   string `json:"value"` // as TOML writes it
	Default bool   `json:"default"`
	Restart bool   `json:"restart"` // a change waits for the next start
	Source  string `json:"source"`  // default, file, environment or command_line
	Place   string `json:"place"`   // file:line:column, variable or flag
}

func (a *app) configShow() *cobra.Command {
	var changed bool
	cmd := &cobra.Command{
		Use:   "show",
		Short: a.say.of("Print every key, its value and where that comes from", "打印每个配置项的值及其来源"),
		Args:  a.takes(),
	}
	cmd.Flags().BoolVar(&changed, "changed", false, a.say.of("only what is not the default", "仅显示非默认值"))
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(_ *cobra.Command, _ []string) error {
		cfg, src, err := a.config()
		if err != nil {
			return err
		}
		list := []configRow{}
		t := table{head: []string{a.say.of("KEY", "配置项"), a.say.of("VALUE", "值"), a.say.of("FROM", "来源")}}
		for _, r := range config.Show(cfg, src) {
			if changed && r.Default {
				continue
			}
			row := configRow{Key: r.Key, Value: r.Value, Default: r.Default, Restart: r.Restart, Source: sourceName(r.Source.Kind)}
			if r.Source.Kind != config.FromDefault {
				row.Place = place(r.Source)
			}
			list = append(list, row)
			t.add(r.Key, r.Value, r.Source.Text(a.say.lang()))
		}
		if *asJSON {
			return writeJSON(a.out, struct {
				Keys []configRow `json:"keys"`
			}{list})
		}
		return t.write(a.out)
	}
	return cmd
}

func sourceName(k config.Kind) string {
	switch k {
	case config.FromFile:
		return "file"
	case config.FromEnvironment:
		return "environment"
	case config.FromCommandLine:
		return "command_line"
	}
	return "default"
}

func place(s config.Source) string {
	if s.Kind == config.FromFile {
		return s.Text("en")
	}
	return s.Name
}

// configProblem is a problem in the JSON of config test.
type configProblem struct {
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Key     string `json:"key,omitempty"`
	Problem string `json:"problem"`
}

func (a *app) configTest() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "test [FILE]",
		Short: a.say.of("Check the configuration; exit code 78 when it is wrong", "检查配置；有错误时退出码为 78"),
		Args:  a.takes("[FILE]"),
	}
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			a.flags.config = args[0]
		}
		_, _, err := a.config()
		var list config.Errors
		if err != nil && !errors.As(err, &list) {
			return err
		}
		if *asJSON {
			found := []configProblem{}
			for _, e := range list {
				found = append(found, configProblem{e.File, e.Line, e.Column, e.Key, a.say.of(e.English, e.Chinese)})
			}
			if werr := writeJSON(a.out, struct {
				OK       bool            `json:"ok"`
				Problems []configProblem `json:"problems"`
			}{err == nil, found}); werr != nil {
				return werr
			}
		}
		if err == nil && !*asJSON {
			name := a.configFile()
			if name == "" {
				name = a.say.of("the defaults", "默认配置")
			}
			fmt.Fprintln(a.errOut, clean(a.say.ofN("%s: fine", "%s：正确", name)))
		}
		return err
	}
	return cmd
}
