package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"strconv"
)

// workers makes the service workers: the one that keeps this version of the
// page, and the one that makes browsers forget it.
func workers(dir string, files map[string][]byte, script, style, emoji string) error {
	type kept struct {
		Version string   `json:"version"` // of what is kept
		Script  string   `json:"script"`
		Files   []string `json:"files"`
	}
	k := kept{Script: "/assets/" + script, Files: []string{"/assets/" + script, "/assets/" + style, "/assets/" + emoji, "/assets/icon.svg", "/assets/icon-192.png"}}
	sum := sha256.New()
	for _, name := range k.Files {
		sum.Write(files[name[1:]])
	}
	k.Version = hex.EncodeToString(sum.Sum(nil)[:6])
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	if files["sw.js"], err = build(filepath.Join(dir, "src", "sw.ts"), true, map[string]string{"KEPT": strconv.Quote(string(text))}); err != nil {
		return err
	}
	files["sw.off.js"], err = build(filepath.Join(dir, "src", "sw_off.ts"), true, nil)
	return err
}

// manifest describes the page as an app, in one language.
func manifest(lang string) []byte {
	type icon struct {
		Src     string `json:"src"`
		Sizes   string `json:"sizes"`
		Type    string `json:"type"`
		Purpose string `json:"purpose"`
	}
	tag, name, about := "en", "Posthouse", "Chat on your own network"
	if lang == "zh" {
		tag, name, about = "zh-CN", "驿站", "自己网络里的聊天"
	}
	text, err := json.MarshalIndent(struct {
		ID              string `json:"id"`
		Name            string `json:"name"`
		ShortName       string `json:"short_name"`
		Description     string `json:"description"`
		Lang            string `json:"lang"`
		StartURL        string `json:"start_url"`
		Scope           string `json:"scope"`
		Display         string `json:"display"`
		BackgroundColor string `json:"background_color"`
		ThemeColor      string `json:"theme_color"`
		Icons           []icon `json:"icons"`
	}{"/", name, name, about, tag, "/", "/", "standalone", "#f4f6f5", "#0b6b5d", []icon{
		{"/assets/icon-192.png", "192x192", "image/png", "any"},
		{"/assets/icon-512.png", "512x512", "image/png", "any"},
		{"/assets/icon-maskable-192.png", "192x192", "image/png", "maskable"},
		{"/assets/icon-maskable-512.png", "512x512", "image/png", "maskable"},
		{"/assets/icon.svg", "any", "image/svg+xml", "any"},
	}}, "", "  ")
	if err != nil { // strings always can
		return nil
	}
	return append(text, '\n')
}
