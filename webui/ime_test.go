package webui

import "testing"

// TestEnterAndInputMethods goes through the orders in which browsers tell of an
// Enter that ends a composition. None of them may send.
func TestEnterAndInputMethods(t *testing.T) {
	runScript(t, "ime.ts", `
const press = (o) => Object.assign({key: "Enter", shiftKey: false, ctrlKey: false, altKey: false, metaKey: false, isComposing: false, keyCode: 13, timeStamp: 10000}, o);
same("Enter", module.sends(press({}), false, -1), true);
same("Shift+Enter", module.sends(press({shiftKey: true}), false, -1), false);
same("Ctrl+Enter", module.sends(press({ctrlKey: true}), false, -1), false);
same("a letter", module.sends(press({key: "a", keyCode: 65}), false, -1), false);
same("Chrome, Firefox: keydown within the composition", module.sends(press({isComposing: true}), true, -1), false);
same("keydown goes to the input method", module.sends(press({keyCode: 229}), false, -1), false);
same("our own flag", module.sends(press({}), true, -1), false);
same("Safari: compositionend just before keydown", module.sends(press({timeStamp: 10000}), false, 9999), false);
same("Safari: same moment", module.sends(press({timeStamp: 10000}), false, 10000), false);
same("the next Enter", module.sends(press({timeStamp: 10000}), false, 9000), true);
`)
}
