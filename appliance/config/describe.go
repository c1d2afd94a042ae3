package config

import (
	"reflect"
	"slices"
	"strings"
	"unicode"
)

const lineWidth = 78 // columns; a Chinese character takes two

// Describe writes the example file in lang ("zh…" or English): every key with
// its documentation, commented out with its default, so that a later version
// may change a default. "# " starts a remark, "#" directly before a key starts
// a value.
func Describe(lang string) []byte {
	var b strings.Builder
	if chinese(lang) {
		remark(&b, "驿站（Posthouse）的配置。以“#”紧接名称开头的行是默认值；去掉“#”即可修改。")
		remark(&b, "同目录下 conf.d/*.toml 中的值优先于本文件；环境变量 POSTHOUSE_分节_名称（或以 _FILE 结尾、指向存放值的文件）优先于两者；命令行优先于一切。")
		remark(&b, "检查：posthouse config test。查看每个值的来源：posthouse config show。")
		remark(&b, "大小：65536、\"64KiB\"、\"20GiB\"。时长：\"25s\"、\"10m\"、\"1h30m\"。")
	} else {
		remark(&b, "The configuration of Posthouse. Lines that start with \"#\" directly before a name show the default; remove the \"#\" to change it.")
		remark(&b, "Values in conf.d/*.toml beside this file win over it; the environment, POSTHOUSE_SECTION_KEY (or the same with _FILE, naming a file that holds the value), wins over both; the command line wins over everything.")
		remark(&b, "To check: posthouse config test. Where each value comes from: posthouse config show.")
		remark(&b, "Sizes: 65536, \"64KiB\", \"20GiB\". Durations: \"25s\", \"10m\", \"1h30m\".")
	}
	def := defaults()
	for _, s := range sections() {
		b.WriteString("\n[" + s.name + "]\n")
		remark(&b, pick(lang, s.en, s.zh))
		for _, k := range s.keys {
			b.WriteString("\n")
			remark(&b, pick(lang, k.English, k.Chinese))
			if facts := k.facts(lang); facts != "" {
				remark(&b, facts)
			}
			_, name, _ := strings.Cut(k.Name, ".")
			b.WriteString("#" + name + " = " + literal(k.field(&def).Interface()) + "\n")
		}
	}
	return []byte(b.String())
}

// facts is the line of unit, bounds and reload behind the documentation.
func (k Key) facts(lang string) string {
	zh := chinese(lang)
	var parts []string
	if k.Unit != "" {
		parts = append(parts, pick(lang, "Unit: "+k.Unit+".", "单位："+unitName(k.Unit)+"。"))
	}
	if len(k.OneOf) > 0 {
		parts = append(parts, pick(lang, "One of: "+strings.Join(k.OneOf, ", ")+".", "可选值："+strings.Join(k.OneOf, "、")+"。"))
	}
	if k.Min != "" {
		parts = append(parts, pick(lang, "From "+k.Min+" to "+k.Max+".", "范围："+k.Min+" 到 "+k.Max+"。"))
	}
	if !k.Restart {
		parts = append(parts, pick(lang, "Changed by a reload.", "重新加载即可生效。"))
	}
	if zh {
		return strings.Join(parts, "")
	}
	return strings.Join(parts, " ")
}

func unitName(unit string) string {
	switch unit {
	case "bytes":
		return "字节"
	case "days":
		return "天"
	case "hours":
		return "小时"
	case "megabits per second":
		return "兆比特每秒"
	case "per second":
		return "每秒"
	case "per minute":
		return "每分钟"
	case "messages":
		return "条消息"
	case "frames":
		return "帧"
	case "characters":
		return "个字符"
	}
	return unit
}

func pick(lang, en, zh string) string {
	if chinese(lang) {
		return zh
	}
	return en
}

// remark writes a paragraph as comment lines of at most lineWidth columns.
func remark(b *strings.Builder, s string) {
	for _, line := range wrap(s, lineWidth-2) {
		b.WriteString("# " + line + "\n")
	}
}

// wrap breaks at spaces and between Chinese characters, never before closing
// punctuation.
func wrap(s string, width int) []string {
	var lines []string
	var line, word strings.Builder
	lineW, wordW := 0, 0
	flush := func() {
		if lineW+wordW > width && lineW > 0 {
			lines = append(lines, strings.TrimRight(line.String(), " "))
			line.Reset()
			lineW = 0
		}
		line.WriteString(word.String())
		lineW += wordW
		word.Reset()
		wordW = 0
	}
	runes := []rune(s)
	for i, r := range runes {
		word.WriteRune(r)
		wordW += runeWidth(r)
		if i+1 == len(runes) {
			break
		}
		next := runes[i+1]
		if r == ' ' || next != ' ' && (runeWidth(r) == 2 || runeWidth(next) == 2) && !closing(next) && !opening(r) {
			flush()
		}
	}
	flush()
	return append(lines, strings.TrimRight(line.String(), " "))
}

func closing(r rune) bool { return strings.ContainsRune("，。；：、）”？！%", r) }
func opening(r rune) bool { return strings.ContainsRune("（“", r) }

func runeWidth(r rune) int {
	if unicode.In(r, unicode.Han) || strings.ContainsRune("，。；：、（）“”？！", r) {
		return 2
	}
	return 1
}

// Row is one line of "posthouse config show".
type Row struct {
	Key     string // "section.key"
	Value   string // as TOML writes it
	Default bool   // Value is the default
	Restart bool   // a change takes effect at the next start only
	Source  Source
}

// Show lists every key with its value and where it comes from, in the order of
// the file. Nothing in it is secret.
func Show(cfg Config, src Sources) []Row {
	def := defaults()
	def.resolve()
	var out []Row
	for _, k := range Keys() {
		v := k.field(&cfg).Interface()
		out = append(out, Row{
			Key: k.Name, Value: literal(v), Restart: k.Restart, Source: src[k.Name],
			Default: reflect.DeepEqual(v, k.field(&def).Interface()),
		})
	}
	return out
}

// Changed compares two configurations for a reload: the keys whose new value
// may be applied at once, and those that wait for the next start.
func Changed(old, new Config) (reload, restart []string) {
	for _, k := range Keys() {
		if reflect.DeepEqual(k.field(&old).Interface(), k.field(&new).Interface()) {
			continue
		}
		if k.Restart {
			restart = append(restart, k.Name)
		} else {
			reload = append(reload, k.Name)
		}
	}
	return slices.Clip(reload), slices.Clip(restart)
}
