package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"posthouse/appliance/id"
	"posthouse/appliance/journal"
	"posthouse/appliance/record"
	texts "posthouse/sysmon/words"
)

func (a *app) journalCommand() *cobra.Command {
	return a.group("journal", "Look at the journal, check and repair it", "查看、检查、修复日志账本",
		a.journalList(), a.journalCat(), a.journalCheck(), a.journalRepair())
}

// journalOf finds the journal that an argument means: that of a data
// directory, a journal directory itself, or the configured one. data is empty
// when only the journal is known.
func (a *app) journalOf(args []string) (dir, data string, err error) {
	if data, err = a.dataDir(args); err != nil {
		return "", "", err
	}
	dir = filepath.Join(data, journalDir)
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return dir, data, nil
	}
	if abs, err := filepath.Abs(data); err == nil && filepath.Base(abs) == journalDir {
		return abs, filepath.Dir(abs), nil
	}
	if found, _ := filepath.Glob(filepath.Join(data, "*.seg")); len(found) > 0 {
		return data, "", nil
	}
	return "", "", errorText(a.say, "there is no journal in "+data, data+" 中没有日志账本")
}

// damageInfo is damage in the JSON of the journal's commands and of verify.
type damageInfo struct {
	File     string `json:"file"`
	Offset   int64  `json:"offset"`
	Position uint64 `json:"position"`
	Reason   string `json:"reason"`
}

func damageList(list []*journal.DamageError) []damageInfo {
	out := []damageInfo{}
	for _, d := range list {
		out = append(out, damageInfo{d.File, d.Offset, d.Position, d.Reason})
	}
	return out
}

// segmentRow is a segment in the JSON of journal ls.
type segmentRow struct {
	Name     string `json:"name"`
	First    uint64 `json:"first"`
	Last     uint64 `json:"last"`
	Bytes    int64  `json:"bytes"`
	Sealed   bool   `json:"sealed"`
	Created  int64  `json:"created"`
	SealedAt int64  `json:"sealed_at,omitempty"`
	SHA256   string `json:"sha256,omitempty"`
}

func (a *app) journalList() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ls [DIR]",
		Short: a.say.of("List the segment files", "列出分段文件"),
		Args:  a.takes("[DIR]"),
	}
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		dir, _, err := a.journalOf(args)
		if err != nil {
			return err
		}
		infos, err := journal.Inspect(dir, nil)
		var damage *journal.DamageError
		if err != nil && !errors.As(err, &damage) {
			return err
		}
		list := []segmentRow{}
		t := table{head: []string{a.say.of("FILE", "文件"), a.say.of("FIRST", "首位置"), a.say.of("LAST", "末位置"), a.say.of("SIZE", "大小"), a.say.of("CREATED", "创建时间"), a.say.of("STATE", "状态")}, right: []int{1, 2, 3}}
		for _, s := range infos {
			list = append(list, segmentRow{s.Name, s.First, s.Last, s.Bytes, s.Sealed, s.Created, s.SealedAt, s.ChainHash})
			state := a.say.of("open", "写入中")
			if s.Sealed {
				state = a.say.of("sealed ", "封存于 ") + when(s.SealedAt)
			}
			t.add(s.Name, fmt.Sprint(s.First), fmt.Sprint(s.Last), texts.Bytes(s.Bytes), when(s.Created), state)
		}
		if *asJSON {
			found := []damageInfo{}
			if damage != nil {
				found = damageList([]*journal.DamageError{damage})
			}
			return errors.Join(writeJSON(a.out, struct {
				Dir      string       `json:"dir"`
				Segments []segmentRow `json:"segments"`
				Damage   []damageInfo `json:"damage"`
			}{dir, list, found}), err)
		}
		return errors.Join(t.write(a.out), err)
	}
	return cmd
}

func (a *app) journalCat() *cobra.Command {
	var from, to uint64
	var texts bool
	cmd := &cobra.Command{
		Use:   "cat [DIR]",
		Short: a.say.of("Print records, one a line; secrets never, what people wrote only with --text", "逐行打印记录；不含密钥，消息内容仅在 --text 时显示"),
		Args:  a.takes("[DIR]"),
	}
	cmd.Flags().Uint64Var(&from, "from", 0, a.say.of("first `POSITION`", "起始位置 `POSITION`"))
	cmd.Flags().Uint64Var(&to, "to", 0, a.say.of("last `POSITION`", "结束位置 `POSITION`"))
	cmd.Flags().BoolVar(&texts, "text", false, a.say.of("print what people wrote, too", "同时显示消息内容"))
	asJSON := cmd.Flags().Bool("json", false, a.say.of("print one JSON object a line", "每行输出一个 JSON 对象"))
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		dir, _, err := a.journalOf(args)
		if err != nil {
			return err
		}
		j, err := journal.Open(dir, journal.Options{ReadOnly: true})
		if err != nil {
			return err
		}
		defer j.Close() // read only: nothing can be lost
		rd, err := j.ReadFrom(max(from, j.First()))
		if err != nil {
			return err
		}
		defer rd.Close()
		codec := record.NewCodec()
		for cmd.Context().Err() == nil {
			raw, err := rd.Next()
			if errors.Is(err, io.EOF) || err == nil && to > 0 && raw.Pos > to {
				return nil
			}
			if err != nil {
				return err
			}
			r, err := codec.Decode(raw.Pos, raw.Kind, raw.Payload)
			if err != nil {
				return err
			}
			line, err := recordLine(r, texts, *asJSON)
			if err != nil {
				return err
			}
			if _, err := io.WriteString(a.out, line+"\n"); err != nil {
				return err
			}
		}
		return cmd.Context().Err()
	}
	return cmd
}

func recordLine(r record.Record, texts, asJSON bool) (string, error) {
	kind := reflect.TypeOf(r.Body).Elem().Name()
	body, err := json.Marshal(plain(reflect.ValueOf(r.Body).Elem(), texts))
	if err != nil {
		return "", fmt.Errorf("print record %d: %w", r.Pos, err)
	}
	if !asJSON {
		return fmt.Sprintf("%d  %s  %s  %s  %s", r.Pos, time.UnixMilli(r.Time).Format("2006-01-02 15:04:05.000"), orDash(r.User), snake(kind), harmless(string(body))), nil
	}
	line, err := json.Marshal(struct {
		Position uint64          `json:"position"`
		Time     int64           `json:"time"`
		User     id.ID           `json:"user,omitzero"`
		Device   id.ID           `json:"device,omitzero"`
		Kind     string          `json:"kind"`
		Body     json.RawMessage `json:"body"`
	}{r.Pos, r.Time, r.User, r.Device, snake(kind), body})
	return harmless(string(line)), err
}

func orDash(i id.ID) string {
	if i == 0 {
		return "-"
	}
	return i.String()
}

// plain turns a record into maps with names as the protocol writes them.
// Password hashes, and hashes of tokens and links, are never shown; what
// people wrote is a number of bytes unless texts is true.
func plain(v reflect.Value, texts bool) any {
	if i, ok := v.Interface().(id.ID); ok {
		return i
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return plain(v.Elem(), texts)
	case reflect.Struct:
		out := map[string]any{}
		for i := range v.NumField() {
			name, f := v.Type().Field(i).Name, v.Field(i)
			switch {
			case f.IsZero():
			case name == "PHC" || name == "Token" || name == "Code":
				out[snake(name)] = "(hidden)"
			case !texts && (name == "Text" || name == "Payload" || name == "Value"):
				out[snake(name)] = fmt.Sprintf("(%d bytes)", f.Len())
			default:
				out[snake(name)] = plain(f, texts)
			}
		}
		return out
	case reflect.Slice:
		if b, ok := v.Interface().([]byte); ok {
			if json.Valid(b) {
				return json.RawMessage(b)
			}
			return hex.EncodeToString(b)
		}
		out := make([]any, v.Len())
		for i := range out {
			out[i] = plain(v.Index(i), texts)
		}
		return out
	}
	return v.Interface()
}

// snake writes MessageSent as message_sent and SHA256 as sha256.
func snake(s string) string {
	var b strings.Builder
	for i, r := range s {
		if unicode.IsUpper(r) && i > 0 && unicode.IsLower(rune(s[i-1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// journalReport is the JSON of journal check, and a part of that of verify.
type journalReport struct {
	Dir      string       `json:"dir"`
	Whole    bool         `json:"whole"`
	Segments int          `json:"segments"`
	Records  uint64       `json:"records"`
	Bytes    int64        `json:"bytes"`
	First    uint64       `json:"first"`
	Head     uint64       `json:"head"`
	Torn     int64        `json:"torn_bytes"` // of a write that a crash cut off; not damage
	Damage   []damageInfo `json:"damage"`
}

func (a *app) journalCheck() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check [DIR]",
		Short: a.say.of("Read every byte of the journal and verify it; the server may run", "逐字节校验日志账本；服务器可保持运行"),
		Args:  a.takes("[DIR]"),
	}
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		dir, _, err := a.journalOf(args)
		if err != nil {
			return err
		}
		show := a.progress(a.say.of("checking the journal", "校验日志账本"))
		rep, err := journal.Check(cmd.Context(), dir, journal.Options{}, func(done, total int64) { show.at(done, total, texts.Bytes[int64]) })
		show.end()
		var damage *journal.DamageError
		if err != nil && !errors.As(err, &damage) {
			return err
		}
		if *asJSON {
			return errors.Join(writeJSON(a.out, reportOf(dir, rep)), err)
		}
		a.writeReport(reportOf(dir, rep))
		return err
	}
	return cmd
}

func reportOf(dir string, r journal.Report) journalReport {
	return journalReport{dir, len(r.Damage) == 0, r.Segments, r.Records, r.Bytes, r.First, r.Head, r.TornBytes, damageList(r.Damage)}
}

func (a *app) writeReport(r journalReport) {
	verdict := a.paint(a.out, "32", a.say.of("whole", "完好"))
	if !r.Whole {
		verdict = a.paint(a.out, "31", a.say.of("DAMAGED", "已损坏"))
	}
	fmt.Fprintln(a.out, a.say.of("journal", "日志账本")+": "+verdict)
	list := [][2]string{{a.say.of("directory", "目录"), r.Dir}, {a.say.of("segments", "分段"), fmt.Sprint(r.Segments)},
		{a.say.of("records", "记录"), a.say.ofN("%d (positions %d to %d), %s", "%d（位置 %d 到 %d），%s", r.Records, r.First, r.Head, texts.Bytes(r.Bytes))}}
	if r.Torn > 0 {
		list = append(list, [2]string{a.say.of("torn tail", "残尾"), a.say.ofN("%d bytes of a write that a crash cut off; the next start removes them", "%d 字节，为崩溃时未写完的内容，下次启动会清除", r.Torn)})
	}
	for _, d := range r.Damage {
		list = append(list, [2]string{a.say.of("damage", "损坏"), a.say.ofN("position %d: %s offset %d: %s", "位置 %d：%s 偏移 %d：%s", d.Position, d.File, d.Offset, d.Reason)})
	}
	a.facts(list)
}
