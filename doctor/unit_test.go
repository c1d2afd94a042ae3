package doctor

import (
	"strings"
	"testing"
)

// The exit code of the server tells what its unit ended with.
func TestAFailedServiceSaysWhy(t *testing.T) {
	d := newDiagnosis(Options{})
	d.box.Exit = Exit{Config: 78, Try: 75, Store: 70}
	d.unit = parseUnit("LoadState=loaded\nActiveState=failed\nSubState=failed\nResult=exit-code\nExecMainStatus=78\nUser=posthouse\n")
	d.lookAtUnit()
	if len(d.list) != 1 || d.list[0].State != Bad || !strings.Contains(d.list[0].Do, "configuration is wrong") {
		t.Errorf("%+v", d.list)
	}
}
