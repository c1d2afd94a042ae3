package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

const (
	importLines = 100       // lines of a CSV file that go to the server at a time
	importBytes = 256 << 10 // and no more bytes than these, unless one line is longer
)

func (a *app) userImport() *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use:   "import FILE.csv",
		Short: a.say.of("Make and update accounts and departments from CSV", "从 CSV 导入账号与部门"),
		Long: a.say.of(`Make and update accounts and departments from a UTF-8 CSV file (- is standard input). Its first line names the
columns: login,name,department,title,email,phone,role,password; only login must be there. A department is a
path such as Works/Office and is made if needed. A new account without a password gets one, which is printed
once. Ctrl-C ends after the lines under way; importing the same file again goes on.`,
			`从 UTF-8 CSV 文件（- 为标准输入）新建和更新账号与部门。首行为列名：login,name,department,title,email,phone,role,password，
仅 login 必需。部门写作路径，如 厂部/一车间，没有则新建。未给密码的新账号会生成密码，只打印一次。
按 Ctrl-C 会在当前一批处理完后停止；再次导入同一文件即可继续。`),
		Args: a.takes("FILE.csv"),
	}
	cmd.Flags().BoolVar(&dry, "dry-run", false, a.say.of("only tell what would happen", "只预演，不更改"))
	asJSON := jsonFlag(cmd, a)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		raw, err := a.readCSV(args[0])
		if err != nil {
			return err
		}
		parts := splitCSV(raw, a.say)
		// A call under way is not given up: the passwords it made up would be lost.
		return a.reach(context.WithoutCancel(cmd.Context()), func(c caller, _ bool) error {
			im := importing{app: a, c: c, dry: dry, sum: wire.ImportResult{Rows: []wire.ImportRow{}, DryRun: dry}}
			err := im.run(cmd.Context(), parts)
			if werr := im.write(*asJSON); werr != nil {
				return errors.Join(werr, err)
			}
			if err == nil && im.sum.Errors > 0 {
				err = errorText(a.say, fmt.Sprintf("%d lines were refused; the others were done", im.sum.Errors), fmt.Sprintf("%d 行被拒绝，其余已处理", im.sum.Errors))
			}
			return err
		})
	}
	return cmd
}

func (a *app) readCSV(name string) ([]byte, error) {
	var raw []byte
	var err error
	if name == "-" {
		raw, err = io.ReadAll(a.in)
	} else {
		raw, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, fmt.Errorf("read CSV: %w", err)
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
	if !utf8.Valid(raw) {
		return nil, errorText(a.say, name+" is not UTF-8; in a spreadsheet save it as \"CSV UTF-8\"", name+" 不是 UTF-8 编码；请在表格软件中另存为“CSV UTF-8”")
	}
	return raw, nil
}

// part is a piece of a CSV file that is a CSV file itself.
type part struct {
	csv   string
	shift int // what to add to its line numbers to get those of the whole file
	lines int
	twice []wire.ImportRow // lines left out because their login came before
}

// splitCSV cuts a CSV file into parts, each with the header. The server finds
// a login that comes twice in one part; across parts it is found here.
func splitCSV(raw []byte, say words) []part {
	r := csv.NewReader(bytes.NewReader(raw))
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	names, _ := r.Read()
	head := raw[:r.InputOffset()]
	login := -1
	for i, name := range names {
		if strings.EqualFold(strings.TrimSpace(name), "login") {
			login = i
		}
	}
	var parts []part
	var body []byte
	seen := map[string]int{} // login → line, of parts that are cut
	fresh := map[string]int{}
	cur := part{}
	line := bytes.Count(head, []byte("\n")) + 1
	start := line
	flush := func() {
		cur.csv, cur.shift = string(head)+string(body), start-bytes.Count(head, []byte("\n"))-1
		parts = append(parts, cur)
		cur, body, start = part{}, nil, line
		for k, v := range fresh {
			seen[k] = v
		}
		clear(fresh)
	}
	for {
		from := r.InputOffset()
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		piece := raw[from:r.InputOffset()]
		if err == nil && login >= 0 && login < len(row) {
			if name, cerr := state.CanonicalLogin(strings.TrimSpace(row[login])); cerr == nil {
				at, _ := r.FieldPos(0)
				if was, twice := seen[name]; twice {
					cur.twice = append(cur.twice, wire.ImportRow{Line: at, Login: name, Action: "error",
						Reason: say.ofN("the login stands on line %d already", "第 %d 行已有此登录名", was)})
					piece = bytes.Repeat([]byte("\n"), bytes.Count(piece, []byte("\n")))
				} else if _, ok := fresh[name]; !ok {
					fresh[name] = at
				}
			}
		}
		body = append(body, piece...)
		line += bytes.Count(piece, []byte("\n"))
		if cur.lines++; cur.lines >= importLines || len(body) >= importBytes {
			flush()
		}
	}
	if cur.lines > 0 || len(parts) == 0 {
		flush()
	}
	return parts
}

// importing is one run of user import.
type importing struct {
	*app
	c   caller
	dry bool
	sum wire.ImportResult
}

// run sends part after part until ctx ends.
func (im *importing) run(ctx context.Context, parts []part) error {
	var done, total int64
	for _, p := range parts {
		total += int64(p.lines)
	}
	show := im.progress(im.say.of("importing", "导入中"))
	defer show.end()
	for _, p := range parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		show.at(done, total, count)
		var r wire.ImportResult
		if err := im.c.call("user.import", wire.ImportParams{CSV: p.csv, DryRun: im.dry}, &r); err != nil {
			return err
		}
		for i := range r.Rows {
			r.Rows[i].Line += p.shift
		}
		im.sum.Rows = append(append(im.sum.Rows, r.Rows...), p.twice...)
		im.sum.Created += r.Created
		im.sum.Updated += r.Updated
		im.sum.Errors += r.Errors + len(p.twice)
		im.sum.Departments += r.Departments
		done += int64(p.lines)
	}
	if im.dry {
		// Nothing was made, so each part has counted the same departments.
		known, err := departments(im.c)
		if err != nil {
			return err
		}
		im.sum.Departments = newDepartments(parts, known)
	}
	return nil
}

// newDepartments counts the departments that an import would make.
func newDepartments(parts []part, known tree) int {
	made := map[string]bool{}
	for _, p := range parts {
		r := csv.NewReader(strings.NewReader(p.csv))
		r.FieldsPerRecord = -1
		r.TrimLeadingSpace = true
		col := -1
		for row, err := r.Read(); !errors.Is(err, io.EOF); row, err = r.Read() {
			if col < 0 {
				if col = slices.IndexFunc(row, func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), "department") }); col < 0 {
					break
				}
				continue
			}
			if err != nil || col >= len(row) || strings.TrimSpace(row[col]) == "" {
				continue
			}
			path := ""
			for i, name := range strings.Split(row[col], "/") {
				if i > 0 {
					path += "/"
				}
				path += strings.TrimSpace(name)
				if _, ok := known.byPath[path]; !ok {
					made[path] = true
				}
			}
		}
	}
	return len(made)
}

// write prints what was done, also when the run ended early: the passwords
// stand nowhere else.
func (im *importing) write(asJSON bool) error {
	if asJSON {
		return writeJSON(im.out, im.sum)
	}
	t := table{head: []string{im.say.of("LINE", "行"), im.say.of("LOGIN", "登录名"), im.say.of("ACTION", "动作"), im.say.of("PASSWORD", "密码"), im.say.of("REASON", "原因")}, right: []int{0}}
	for _, r := range im.sum.Rows {
		t.add(fmt.Sprint(r.Line), r.Login, im.action(r.Action), r.Password, r.Reason)
	}
	if err := t.write(im.out); err != nil {
		return err
	}
	en, zh := "created %d, updated %d, errors %d", "新建 %d，更新 %d，错误 %d"
	if im.dry {
		en, zh = "nothing was changed; would be created %d, updated %d, errors %d", "未作任何更改；将新建 %d，更新 %d，错误 %d"
	}
	fmt.Fprintln(im.errOut, im.say.ofN(en, zh, im.sum.Created, im.sum.Updated, im.sum.Errors))
	return nil
}

func (im *importing) action(s string) string {
	if !im.say.zh {
		return s
	}
	switch s {
	case "create":
		return "新建"
	case "update":
		return "更新"
	case "unchanged":
		return "不变"
	case "error":
		return "错误"
	}
	return s
}
