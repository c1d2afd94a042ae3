package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// group is a noun whose subcommands are verbs.
func (a *app) group(name, en, zh string, verbs ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use:                        name,
		Short:                      a.say.of(en, zh),
		SuggestionsMinimumDistance: 2,
		// Flags of a misspelt verb must not hide that it is misspelt.
		FParseErrWhitelist: cobra.FParseErrWhitelist{UnknownFlags: true},
		Args:               a.unknownVerb,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprint(cmd.ErrOrStderr(), a.usage(cmd))
			return a.wrongUse("say what to do: "+verbNames(verbs), "请指明操作："+verbNames(verbs))
		},
	}
	cmd.AddCommand(verbs...)
	return cmd
}

func verbNames(verbs []*cobra.Command) string {
	var names []string
	for _, v := range verbs {
		names = append(names, v.Name())
	}
	return strings.Join(names, ", ")
}

// unknownVerb refuses what is no subcommand and says which one may be meant.
func (a *app) unknownVerb(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	en := fmt.Sprintf("there is no command %q", cmd.CommandPath()+" "+args[0])
	zh := fmt.Sprintf("没有命令 %q", cmd.CommandPath()+" "+args[0])
	near := cmd.SuggestionsFor(args[0])
	if len(near) == 0 {
		return a.wrongUse(en+"; see "+cmd.CommandPath()+" --help", zh+"；请看 "+cmd.CommandPath()+" --help")
	}
	return a.wrongUse(en+"; did you mean "+strings.Join(near, " / ")+"?", zh+"；是否想写 "+strings.Join(near, " / ")+"？")
}

func (a *app) wrongUse(en, zh string) error { return &exit{exitUsage, errorText(a.say, en, zh)} }

// takes checks arguments against their names; one in brackets may be left out.
func (a *app) takes(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > len(names) {
			extra := fmt.Sprintf("%q", args[len(names)])
			return a.wrongUse("one argument too many: "+extra+"; usage: "+a.useLine(cmd), "多余的参数："+extra+"；用法："+a.useLine(cmd))
		}
		for i, name := range names {
			if i >= len(args) && !strings.HasPrefix(name, "[") || i < len(args) && args[i] == "" {
				return a.wrongUse(name+" is missing; usage: "+a.useLine(cmd), "缺少 "+name+"；用法："+a.useLine(cmd))
			}
		}
		return nil
	}
}

// useLine is how a command is called.
func (a *app) useLine(cmd *cobra.Command) string {
	if line, ok := strings.CutSuffix(cmd.UseLine(), "[flags]"); ok {
		return line + a.say.of("[flags]", "[参数]")
	}
	return cmd.UseLine()
}

// flagError tells what is wrong with a flag in the reader's language.
func (a *app) flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var missing *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	help := cmd.CommandPath() + " --help"
	switch {
	case errors.As(err, &unknown):
		name := "--" + unknown.GetSpecifiedName()
		if unknown.GetSpecifiedShortnames() != "" {
			name = "-" + unknown.GetSpecifiedName()
		}
		return a.wrongUse("there is no flag "+name+"; see "+help, "没有参数 "+name+"；请看 "+help)
	case errors.As(err, &missing):
		name := missing.GetSpecifiedName()
		return a.wrongUse("--"+name+" wants a value", "--"+name+" 需要一个值")
	case errors.As(err, &invalid):
		name, v := invalid.GetFlag().Name, fmt.Sprintf("%q", invalid.GetValue())
		return a.wrongUse("--"+name+" cannot be "+v, "--"+name+" 不能是 "+v)
	}
	return &exit{exitUsage, err}
}

// speak gives a tree of commands its help in the reader's language. cobra's
// own words are English.
func (a *app) speak(root *cobra.Command) {
	root.SetFlagErrorFunc(a.flagError)
	root.SetUsageFunc(func(c *cobra.Command) error {
		_, err := fmt.Fprint(c.OutOrStderr(), a.usage(c))
		return err
	})
	root.SetHelpFunc(func(c *cobra.Command, _ []string) {
		text := c.Long
		if text == "" {
			text = c.Short
		}
		fmt.Fprint(c.OutOrStdout(), text+"\n\n"+a.usage(c))
	})
	root.PersistentFlags().BoolP("help", "h", false, a.say.of("print what a command does", "显示命令说明"))
	root.SetHelpCommand(&cobra.Command{
		Use:   "help [COMMAND]…",
		Short: a.say.of("Print what a command does", "显示命令说明"),
		RunE: func(_ *cobra.Command, args []string) error {
			c, rest, err := root.Find(args)
			if err != nil {
				return &exit{exitUsage, err}
			}
			if len(rest) > 0 {
				return a.unknownVerb(c, rest)
			}
			return c.Help()
		},
	})
}

// usage is the second half of a command's help.
func (a *app) usage(c *cobra.Command) string {
	var b strings.Builder
	b.WriteString(a.say.of("Usage:", "用法：") + "\n")
	if c.HasAvailableSubCommands() {
		if c.LocalNonPersistentFlags().HasAvailableFlags() { // it does something by itself, too
			b.WriteString("  " + a.useLine(c) + "\n")
		}
		b.WriteString("  " + c.CommandPath() + a.say.of(" COMMAND", " 命令") + "\n\n" + a.say.of("Commands:", "命令：") + "\n")
		wide := 0
		for _, s := range c.Commands() {
			wide = max(wide, len(s.Name()))
		}
		for _, s := range c.Commands() {
			if s.IsAvailableCommand() {
				fmt.Fprintf(&b, "  %-*s  %s\n", wide, s.Name(), s.Short)
			}
		}
	} else {
		b.WriteString("  " + a.useLine(c) + "\n")
	}
	if c.HasExample() {
		b.WriteString("\n" + a.say.of("Examples:", "示例：") + "\n" + c.Example + "\n")
	}
	for _, part := range []struct {
		title string
		flags *pflag.FlagSet
	}{{a.say.of("Flags:", "参数："), c.LocalNonPersistentFlags()}, {a.say.of("Flags of every command:", "通用参数："), c.Root().PersistentFlags()}} {
		if part.flags.HasAvailableFlags() {
			b.WriteString("\n" + part.title + "\n" + a.flagUsages(part.flags))
		}
	}
	if c.HasAvailableSubCommands() {
		line := c.CommandPath()
		b.WriteString("\n" + a.say.of("More about a command: "+line+" COMMAND --help", "查看命令说明："+line+" 命令 --help") + "\n")
	}
	return b.String()
}

func (a *app) flagUsages(f *pflag.FlagSet) string {
	text := strings.TrimRight(f.FlagUsages(), " \n") + "\n"
	if a.say.zh {
		lines := strings.Split(text, "\n")
		for i, l := range lines {
			if before, def, ok := strings.Cut(l, " (default "); ok {
				lines[i] = before + "（默认 " + strings.TrimSuffix(def, ")") + "）"
			}
		}
		text = strings.Join(lines, "\n")
	}
	return text
}

// completes offers fixed values to the shell's completion.
func completes(cmd *cobra.Command, flag string, values ...string) {
	// The error is that the flag does not exist, or has a completion already.
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(slices.Clone(values), cobra.ShellCompDirectiveNoFileComp))
}
