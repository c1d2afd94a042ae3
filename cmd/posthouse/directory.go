package main

import (
	"fmt"
	"slices"
	"strings"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// accounts lists every account that user.list finds, page by page.
func accounts(c caller, query string, department id.ID) ([]wire.User, error) {
	all := []wire.User{}
	p := wire.DirectoryParams{Query: query, Department: department, Limit: 500}
	for {
		var page wire.UserList
		if err := c.call("user.list", p, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Users...)
		if !page.More || len(page.Users) == 0 {
			return all, nil
		}
		p.After = page.Users[len(page.Users)-1].ID
	}
}

// account finds the account that a login or an ID names.
func (a *app) account(c caller, name string) (wire.User, error) {
	if uid, err := id.Parse(name); err == nil {
		var list wire.UserList
		if err := c.call("directory.get", wire.UsersParam{Users: []id.ID{uid}}, &list); err != nil {
			return wire.User{}, err
		}
		if len(list.Users) == 1 {
			return list.Users[0], nil
		}
	}
	login := strings.ToLower(strings.TrimPrefix(name, "@"))
	list, err := accounts(c, login, 0)
	if err != nil {
		return wire.User{}, err
	}
	for _, u := range list {
		if u.Login == login {
			return u, nil
		}
	}
	en, zh := fmt.Sprintf("there is no account %q", name), fmt.Sprintf("没有账号 %q", name)
	if len(list) > 0 {
		en, zh = en+"; did you mean "+list[0].Login+"?", zh+"；是否想写 "+list[0].Login+"？"
	}
	return wire.User{}, errorText(a.say, en, zh)
}

// tree is the departments by path ("厂部/一车间") and the paths by ID.
type tree struct {
	byPath map[string]id.ID
	paths  map[id.ID]string
}

func departments(c caller) (tree, error) {
	var list wire.DepartmentList
	if err := c.call("department.list", wire.Empty{}, &list); err != nil {
		return tree{}, err
	}
	by := map[id.ID]wire.Department{}
	for _, d := range list.Departments {
		by[d.ID] = d
	}
	t := tree{map[string]id.ID{}, map[id.ID]string{}}
	for _, d := range list.Departments {
		path := d.Name
		for at, ok := by[d.Parent]; ok && at.ID != 0; at, ok = by[at.Parent] {
			path = at.Name + "/" + path
		}
		t.byPath[path], t.paths[d.ID] = d.ID, path
	}
	return t, nil
}

// department finds a department by its path; the empty path is none.
func (a *app) department(c caller, path string) (id.ID, error) {
	if path == "" {
		return 0, nil
	}
	t, err := departments(c)
	if err != nil {
		return 0, err
	}
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	if d, ok := t.byPath[strings.Join(parts, "/")]; ok {
		return d, nil
	}
	var known []string
	for p := range t.byPath {
		known = append(known, p)
	}
	slices.Sort(known)
	list := strings.Join(known[:min(len(known), 10)], ", ")
	if list == "" {
		list = a.say.of("none", "无")
	}
	return 0, errorText(a.say, fmt.Sprintf("there is no department %q; there are: %s", path, list), fmt.Sprintf("没有部门 %q；现有：%s", path, list))
}
