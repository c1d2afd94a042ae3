package chat_test

import (
	"strconv"
	"testing"

	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

func TestOrganisationIsRenamed(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	d.must(ann, "organisation.rename", wire.OrganisationName{Name: "  第二工厂 "}, nil)
	var info wire.ServerInfo
	d.must(nobody(), "server.info", wire.Empty{}, &info)
	if info.Organisation != "第二工厂" {
		t.Errorf("the organisation is called %q", info.Organisation)
	}
	d.refused(wire.InvalidParams, ann, "organisation.rename", wire.OrganisationName{})
	d.refused(wire.Unauthenticated, nobody(), "organisation.rename", wire.OrganisationName{Name: "x"})
}

// A department moves together with what stands below it: the whole of it stays
// within the bound.
func TestDepartmentsStayShallow(t *testing.T) {
	d := openDesk(t)
	ann := d.owner()
	line := func(name string, n int) (first, last id.ID) {
		for i := range n {
			var got wire.DepartmentResult
			d.must(ann, "department.put", wire.DepartmentPut{Name: name + strconv.Itoa(i), Parent: last}, &got)
			if last = got.Department.ID; first == 0 {
				first = last
			}
		}
		return first, last
	}
	_, deep := line("a", 15)
	top, _ := line("b", 7)
	d.refused(wire.InvalidParams, ann, "department.put", wire.DepartmentPut{ID: top, Name: "b0", Parent: deep})
	short, _ := line("c", 6)
	d.must(ann, "department.put", wire.DepartmentPut{ID: short, Name: "c0", Parent: deep}, nil)
}
