package webui

import (
	"testing"

	"github.com/dop251/goja"

	"posthouse/webui/bundle"
)

// scriptHelpers are what the scripts of the tests say. The first failed check
// ends a script with its message.
const scriptHelpers = `
function same(what, got, want) {
  const g = JSON.stringify(got), w = JSON.stringify(want);
  if (g !== w) throw new Error(what + ": got " + g + ", want " + w);
}
`

// runScript bundles one module of src, which the script finds as "module", and
// runs the script. Promises are settled between its parts.
func runScript(t *testing.T, source string, parts ...string) {
	t.Helper()
	code, err := bundle.Script("src/"+source, false)
	if err != nil {
		t.Fatal(err)
	}
	vm := goja.New()
	for _, part := range append([]string{string(code), scriptHelpers}, parts...) {
		if _, err := vm.RunString(part); err != nil {
			t.Fatal(err)
		}
	}
}
