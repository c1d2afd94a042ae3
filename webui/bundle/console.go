package bundle

import (
	"path/filepath"

	"github.com/evanw/esbuild/pkg/api"
)

// console adds the script and the style sheet of the operator's console. They
// are bundles of their own: who chats never loads them.
func console(dir string, files map[string][]byte) error {
	script, err := bundle(api.BuildOptions{
		EntryPoints: []string{filepath.Join(dir, "src", "console", "main.ts")}, Bundle: true, Format: api.FormatIIFE, Target: api.ES2022,
		Charset: api.CharsetUTF8, LegalComments: api.LegalCommentsNone, MinifyWhitespace: true, MinifySyntax: true, MinifyIdentifiers: true,
	})
	if err != nil {
		return err
	}
	style, err := bundle(api.BuildOptions{
		EntryPoints: []string{filepath.Join(dir, "static", "console", "console.css")}, Bundle: true,
		MinifyWhitespace: true, MinifySyntax: true, Charset: api.CharsetUTF8, Target: api.ES2022,
	})
	if err != nil {
		return err
	}
	files["assets/"+hashed("console", ".js", script)] = script
	files["assets/"+hashed("console", ".css", style)] = style
	return nil
}
