package console

import "fmt"

// LevelWord is a level in the reader's language.
func (v View) LevelWord(l Level) string { return v.levelWord(l) }

func (v View) levelWord(l Level) string {
	switch l {
	case Good:
		return v.Say("OK", "正常")
	case Info:
		return v.Say("Note", "提示")
	case Warning:
		return v.Say("Warning", "警告")
	case Serious:
		return v.Say("Serious", "严重")
	case Critical:
		return v.Say("Critical", "紧急")
	}
	return v.Say("Unknown", "未知")
}

func failing(checks []Check) []Check {
	var out []Check
	for _, c := range checks {
		if c.Level != Good && c.Level != Info && c.Level != Neutral {
			out = append(out, c)
		}
	}
	return out
}

// worst is the gravest level; checks come gravest first.
func worst(checks []Check) Level {
	if bad := failing(checks); len(bad) > 0 {
		return bad[0].Level
	}
	if len(checks) == 0 {
		return Neutral
	}
	return Good
}

func (v View) statusSentence(checks []Check) string {
	bad, unknown := len(failing(checks)), 0
	for _, c := range checks {
		if c.Level == Neutral {
			unknown++
		}
	}
	known := len(checks) - unknown
	switch {
	case len(checks) == 0:
		return v.Say("No checks have run yet.", "尚未运行任何检查。")
	case bad == 0 && unknown > 0:
		have := "have"
		if unknown == 1 {
			have = "has"
		}
		return v.Say(fmt.Sprintf("%d checks pass, %d %s no data yet.", known, unknown, have), fmt.Sprintf("%d 项检查通过，%d 项尚无数据。", known, unknown))
	case bad == 0:
		return v.Say(fmt.Sprintf("All %d checks pass.", len(checks)), fmt.Sprintf("全部 %d 项检查通过。", len(checks)))
	}
	return v.Say(fmt.Sprintf("%d of %d checks need attention.", bad, len(checks)), fmt.Sprintf("%d 项检查中有 %d 项需要处理。", len(checks), bad))
}

func failedLevel(n int) Level {
	if n == 0 {
		return Neutral
	}
	return Warning
}

func stepsDone(steps []FirstStep) int {
	n := 0
	for _, s := range steps {
		if s.Done {
			n++
		}
	}
	return n
}
