package chat

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// importRows is how many lines one import takes: about ten seconds of hashing.
// Longer lists go in parts.
const importRows = 200

// importer reads one CSV file of accounts.
type importer struct {
	s      *Service
	c      *Call
	dry    bool
	col    map[string]int
	depts  map[string]id.ID // by path; zero = would be made
	seen   map[string]int   // login → line
	result wire.ImportResult
}

func importColumns() []string {
	return []string{"login", "name", "department", "title", "email", "phone", "role", "password"}
}

func (s *Service) userImport(c *Call, p *wire.ImportParams) (wire.ImportResult, error) {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(p.CSV, "\ufeff")))
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	im := &importer{s: s, c: c, dry: p.DryRun, col: map[string]int{}, depts: map[string]id.ID{}, seen: map[string]int{},
		result: wire.ImportResult{Rows: []wire.ImportRow{}, DryRun: p.DryRun}}
	head, err := r.Read()
	if err != nil {
		return im.result, wire.BadParam("csv", "begin with a line that names the columns: "+strings.Join(importColumns(), ","), "首行须为列名："+strings.Join(importColumns(), ","))
	}
	for i, name := range head {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(importColumns(), name) {
			return im.result, wire.BadParam("csv", "column "+name+" is unknown; known are "+strings.Join(importColumns(), ","), "未知列 "+name+"；可用列为 "+strings.Join(importColumns(), ","))
		}
		im.col[name] = i
	}
	if _, ok := im.col["login"]; !ok {
		return im.result, wire.BadParam("csv", "the column login is missing", "缺少 login 列")
	}
	im.paths()
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return im.result, nil
		}
		line := importLine(r, row, err)
		if len(im.result.Rows) >= importRows {
			return im.result, wire.Refusef(wire.TooLarge, "more than %d lines: import in parts", "超过 %d 行，请分批导入", importRows)
		}
		if err != nil {
			im.refuse(line, "", wire.Refusef(wire.InvalidParams, "not CSV: %v", "不是有效的 CSV：%v", err))
			continue
		}
		if cerr := c.Context.Err(); cerr != nil {
			return im.result, cerr
		}
		im.row(line, row)
	}
}

// importLine is the line of the file that a row, or an error, stands on.
func importLine(r *csv.Reader, row []string, err error) int {
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return bad.StartLine
	}
	if len(row) == 0 {
		return 0
	}
	line, _ := r.FieldPos(0)
	return line
}

func (im *importer) refuse(line int, login string, err error) {
	im.result.Errors++
	im.result.Rows = append(im.result.Rows, wire.ImportRow{Line: line, Login: login, Action: "error", Reason: refusal(im.c, err).Text.In(im.c.Lang)})
}

func (im *importer) field(row []string, name string) string {
	i, ok := im.col[name]
	if !ok || i >= len(row) {
		return ""
	}
	return strings.TrimSpace(row[i])
}

func (im *importer) row(line int, row []string) {
	login, err := state.CanonicalLogin(im.field(row, "login"))
	if err != nil {
		im.refuse(line, im.field(row, "login"), err)
		return
	}
	if was, twice := im.seen[login]; twice {
		im.refuse(line, login, wire.Refusef(wire.Conflict, "the login stands on line %d already", "第 %d 行已有此登录名", was))
		return
	}
	im.seen[login] = line
	dept, err := im.department(im.field(row, "department"))
	if err != nil {
		im.refuse(line, login, err)
		return
	}
	if old, ok := im.s.s.UserByLogin(login); ok {
		im.update(line, row, old, dept)
		return
	}
	im.create(line, row, login, dept)
}

func (im *importer) create(line int, row []string, login string, dept id.ID) {
	out := wire.ImportRow{Line: line, Login: login, Action: "create"}
	u := record.User{Login: login, Name: im.field(row, "name"), Title: im.field(row, "title"), Email: im.field(row, "email"),
		Phone: im.field(row, "phone"), Role: im.field(row, "role"), Department: dept}
	password := im.field(row, "password")
	if password == "" {
		password = newSecret()[:16]
		if !im.dry {
			out.Password = password
		}
	} else if err := im.s.checkPassword("password", password, login); err != nil {
		im.refuse(line, login, err)
		return
	}
	cmd := &state.OpenAccount{User: u}
	if im.dry {
		u.Department = 0
		if err := im.s.s.Probe(im.c.Actor.state(), &state.OpenAccount{User: u}, im.c.Now); err != nil {
			im.refuse(line, login, err)
			return
		}
	} else {
		var err error
		if cmd.PHC, err = im.s.hasher.hash(password); err == nil {
			_, err = im.s.submit(im.c, cmd)
		}
		if err != nil {
			im.refuse(line, login, err)
			return
		}
	}
	im.result.Created++
	im.result.Rows = append(im.result.Rows, out)
}

func (im *importer) update(line int, row []string, old wire.User, dept id.ID) {
	cmd := &state.UpdateUser{User: old.ID}
	changed := false
	text := func(name, was string) *string {
		v := im.field(row, name)
		if v == "" || v == was {
			return nil
		}
		changed = true
		return &v
	}
	cmd.Name, cmd.Title, cmd.Email, cmd.Phone = text("name", old.Name), text("title", old.Title), text("email", old.Email), text("phone", old.Phone)
	cmd.Role = text("role", string(old.Role))
	if path := im.field(row, "department"); path != "" && (dept != old.Department || dept == 0) {
		changed = true
		if dept != 0 {
			cmd.Department = &dept
		}
	}
	out := wire.ImportRow{Line: line, Login: old.Login, Action: "unchanged"}
	if changed {
		out.Action = "update"
		var err error
		if im.dry {
			err = im.s.s.Probe(im.c.Actor.state(), cmd, im.c.Now)
		} else {
			_, err = im.s.submit(im.c, cmd)
		}
		if err != nil {
			im.refuse(line, old.Login, err)
			return
		}
		im.result.Updated++
	}
	im.result.Rows = append(im.result.Rows, out)
}

// paths indexes the tree of departments by path.
func (im *importer) paths() {
	list := im.s.s.Departments()
	by := map[id.ID]wire.Department{}
	for _, d := range list {
		by[d.ID] = d
	}
	for _, d := range list {
		path := d.Name
		for at := by[d.Parent]; at.ID != 0; at = by[at.Parent] {
			path = at.Name + "/" + path
		}
		im.depts[path] = d.ID
	}
}

// department finds or makes the department of a path such as "厂部/一车间".
func (im *importer) department(path string) (id.ID, error) {
	if path == "" {
		return 0, nil
	}
	var parent id.ID
	at := ""
	for _, name := range strings.Split(path, "/") {
		name = strings.TrimSpace(name)
		if at != "" {
			at += "/"
		}
		at += name
		if known, ok := im.depts[at]; ok {
			parent = known
			continue
		}
		cmd := &state.PutDepartment{Department: record.Department{Parent: parent, Name: name}}
		if im.dry {
			// Its place does not exist yet: the name alone is tried, and that it
			// is taken at the top says nothing.
			err := im.s.s.Probe(im.c.Actor.state(), &state.PutDepartment{Department: record.Department{Name: name}}, im.c.Now)
			var refused *wire.Error
			if err != nil && !(errors.As(err, &refused) && refused.Kind == wire.Conflict) {
				return 0, err
			}
			im.depts[at], parent = 0, 0
		} else {
			r, err := im.s.submit(im.c, cmd)
			if err != nil {
				return 0, err
			}
			parent = r.Body.(*record.DepartmentPut).Department.ID
			im.depts[at] = parent
		}
		im.result.Departments++
	}
	return parent, nil
}
