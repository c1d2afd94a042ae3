// Package bundle makes webui/dist from the sources of the chat client with
// esbuild's Go API, so that nobody needs Node. The server does not import it:
// only the command webui/build and the tests do.
//
// Names of scripts and styles carry a hash of their content, so that a browser
// may keep them for ever. Every text file has a gzip twin made here, once.
package bundle

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/evanw/esbuild/pkg/api"

	"posthouse/webui/pages"
)

// Build makes the files of dist, by their path below it, from the webui
// directory given.
func Build(dir string) (map[string][]byte, error) {
	emoji, err := os.ReadFile(filepath.Join(dir, "static", "emoji.json"))
	if err != nil {
		return nil, fmt.Errorf("read the emoji: %w", err)
	}
	emojiName := hashed("emoji", ".json", emoji)
	script, err := build(filepath.Join(dir, "src", "main.ts"), true, map[string]string{"EMOJI_DATA": strconv.Quote("/assets/" + emojiName)})
	if err != nil {
		return nil, err
	}
	style, err := bundle(api.BuildOptions{
		EntryPoints: []string{filepath.Join(dir, "static", "app.css")}, Bundle: true,
		MinifyWhitespace: true, MinifySyntax: true, Charset: api.CharsetUTF8, Target: api.ES2022,
	})
	if err != nil {
		return nil, err
	}
	scriptName, styleName := hashed("app", ".js", script), hashed("app", ".css", style)
	files := map[string][]byte{"assets/" + scriptName: script, "assets/" + styleName: style, "assets/" + emojiName: emoji}
	for _, name := range append([]string{"icon.svg"}, IconNames()...) {
		if files["assets/"+name], err = os.ReadFile(filepath.Join(dir, "static", name)); err != nil {
			return nil, fmt.Errorf("read the icon: %w", err)
		}
	}
	if err := workers(dir, files, scriptName, styleName, emojiName); err != nil {
		return nil, err
	}
	if err := console(dir, files); err != nil {
		return nil, err
	}
	for _, lang := range []string{"en", "zh"} {
		v := pages.View{Lang: lang, Script: "/assets/" + scriptName, Style: "/assets/" + styleName}
		files["index."+lang+".html"] = pages.Render(pages.Shell(v))
		files["manifest."+lang+".webmanifest"] = manifest(lang)
	}
	for name, content := range maps.Clone(files) {
		if filepath.Ext(name) == ".png" {
			continue // is compressed
		}
		packed, err := compress(content)
		if err != nil {
			return nil, err
		}
		files[name+".gz"] = packed
	}
	return files, nil
}

// Script bundles one TypeScript file with what it imports: minified as an
// immediately invoked function for the page, or, for tests, readable and with
// its exports in the global object "module".
func Script(entry string, minify bool) ([]byte, error) { return build(entry, minify, nil) }

// build replaces the names given by JavaScript expressions: addresses that have
// a hash of what is not bundled in them.
func build(entry string, minify bool, names map[string]string) ([]byte, error) {
	opts := api.BuildOptions{
		EntryPoints: []string{entry}, Bundle: true, Format: api.FormatIIFE, Target: api.ES2022, Define: names,
		Charset: api.CharsetUTF8, LegalComments: api.LegalCommentsNone,
		MinifyWhitespace: minify, MinifySyntax: minify, MinifyIdentifiers: minify,
	}
	if minify {
		opts.Plugins = []api.Plugin{packWords()}
	} else {
		opts.GlobalName = "module"
		opts.Target = api.ES2017
	}
	return bundle(opts)
}

func bundle(opts api.BuildOptions) ([]byte, error) {
	opts.TsconfigRaw = `{"compilerOptions":{"strict":true,"useDefineForClassFields":true}}`
	r := api.Build(opts)
	if len(r.Errors) > 0 {
		return nil, errors.New(strings.Join(api.FormatMessages(r.Errors, api.FormatMessagesOptions{}), ""))
	}
	if len(r.OutputFiles) != 1 {
		return nil, fmt.Errorf("bundle %s: %d files came out", opts.EntryPoints[0], len(r.OutputFiles))
	}
	return r.OutputFiles[0].Contents, nil
}

func hashed(stem, ext string, content []byte) string {
	sum := sha256.Sum256(content)
	return stem + "." + hex.EncodeToString(sum[:6]) + ext
}

func compress(content []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
