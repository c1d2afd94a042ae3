package config

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// parse reads the text form of a value: the environment, the command line and
// the default tags.
func (k Key) parse(s string) (any, *text) {
	switch k.Type {
	case "string":
		return s, nil
	case "list":
		out := []string{}
		for part := range strings.SplitSeq(s, ",") {
			if part = strings.TrimSpace(part); part != "" {
				out = append(out, part)
			}
		}
		return out, nil
	case "integer":
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil {
			return nil, k.wrong(strconv.Quote(s))
		}
		return n, nil
	case "boolean":
		b, err := strconv.ParseBool(strings.TrimSpace(s))
		if err != nil {
			return nil, k.wrong(strconv.Quote(s))
		}
		return b, nil
	case "duration":
		d, err := time.ParseDuration(strings.TrimSpace(s))
		if err != nil {
			return nil, k.wrong(strconv.Quote(s))
		}
		return d, nil
	}
	b, err := ParseBytes(s)
	if err != nil {
		return nil, k.wrong(strconv.Quote(s))
	}
	return b, nil
}

// convert reads a value as TOML decodes it.
func (k Key) convert(raw any) (any, *text) {
	switch v := raw.(type) {
	case string:
		if k.Type == "string" || k.Type == "size" || k.Type == "duration" {
			return k.parse(v)
		}
		return nil, k.wrong(strconv.Quote(v))
	case int64:
		switch {
		case k.Type == "integer" && int64(int(v)) == v:
			return int(v), nil
		case k.Type == "size" && v >= 0:
			return Bytes(v), nil
		}
		return nil, k.wrong(strconv.FormatInt(v, 10))
	case bool:
		if k.Type == "boolean" {
			return v, nil
		}
		return nil, k.wrong(strconv.FormatBool(v))
	case []any:
		if k.Type != "list" {
			break
		}
		out := []string{}
		for _, e := range v {
			s, ok := e.(string)
			if !ok {
				return nil, say("every entry of the list must be a string in quotes", "列表中的每一项都必须是带引号的字符串")
			}
			if s = strings.TrimSpace(s); s == "" {
				return nil, say("the list has an empty entry", "列表中有空项")
			}
			out = append(out, s)
		}
		return out, nil
	}
	return nil, k.wrong(kindOf(raw))
}

// wrong says what was expected instead of got.
func (k Key) wrong(got string) *text {
	switch k.Type {
	case "string":
		return say("expected a string in quotes, got %s", "应为带引号的字符串，得到的是 %s", got)
	case "list":
		return say("expected a list of strings such as [\"a\", \"b\"], got %s", "应为字符串列表，例如 [\"a\", \"b\"]，得到的是 %s", got)
	case "integer":
		return say("expected a whole number without quotes, got %s", "应为不带引号的整数，得到的是 %s", got)
	case "boolean":
		return say("expected true or false, got %s", "应为 true 或 false，得到的是 %s", got)
	case "duration":
		return say("expected a duration with a unit such as \"25s\", \"10m\" or \"1h30m\", got %s", "应为带单位的时长，例如 \"25s\"、\"10m\"、\"1h30m\"，得到的是 %s", got)
	}
	return say("expected a size such as 65536, \"64KiB\" or \"20GiB\", got %s", "应为大小，例如 65536、\"64KiB\"、\"20GiB\"，得到的是 %s", got)
}

func kindOf(raw any) string {
	switch raw := raw.(type) {
	case map[string]any:
		return "{…}"
	case []any:
		return "[…]"
	case float64:
		return strconv.FormatFloat(raw, 'g', -1, 64)
	}
	return "date/time"
}

// check compares with the min, max and oneof tags.
func (k Key) check(v any) *text {
	switch v := v.(type) {
	case string:
		if len(k.OneOf) > 0 && !slices.Contains(k.OneOf, v) {
			all := strings.Join(k.OneOf, ", ")
			if s := suggest(v, k.OneOf); s != "" {
				return say("%q is not one of %s; did you mean %q?", "%q 不在 %s 之中；是否想写 %q？", v, all, s)
			}
			return say("%q is not one of %s", "%q 不在 %s 之中", v, all)
		}
		if i := strings.IndexFunc(v, isControl); i >= 0 {
			return say("control characters and line ends are not allowed", "不允许控制字符和换行")
		}
	case []string:
		for _, s := range v {
			if strings.IndexFunc(s, isControl) >= 0 {
				return say("control characters and line ends are not allowed", "不允许控制字符和换行")
			}
		}
	case int:
		return k.bounds(int64(v), func(s string) int64 { n, _ := strconv.ParseInt(s, 10, 64); return n })
	case Bytes:
		return k.bounds(int64(v), func(s string) int64 { n, _ := ParseBytes(s); return int64(n) })
	case time.Duration:
		return k.bounds(int64(v), func(s string) int64 { d, _ := time.ParseDuration(s); return int64(d) })
	}
	return nil
}

func (k Key) bounds(v int64, read func(string) int64) *text {
	if k.Min != "" && v < read(k.Min) {
		return say("is smaller than %s; allowed: %s to %s", "小于 %s；允许范围：%s 到 %s", k.Min, k.Min, k.Max)
	}
	if k.Max != "" && v > read(k.Max) {
		return say("is larger than %s; allowed: %s to %s", "大于 %s；允许范围：%s 到 %s", k.Max, k.Min, k.Max)
	}
	return nil
}

func isControl(r rune) bool { return r < 0x20 || r == 0x7f || r == 0x2028 || r == 0x2029 }

// literal writes a value as TOML reads it.
func literal(v any) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case []string:
		parts := make([]string, len(v))
		for i, s := range v {
			parts[i] = quote(s)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	case time.Duration:
		return quote(duration(v))
	case Bytes:
		if s := v.String(); strings.HasSuffix(s, "B") {
			return quote(s)
		}
		return v.String()
	}
	return ""
}

// quote writes a TOML basic string; check has kept control characters out.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// duration is time.Duration.String without the zeros at its end: "24h", not
// "24h0m0s".
func duration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
