package config

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
)

const (
	maxFile   = 1 << 20  // bytes of a configuration file
	maxSecret = 64 << 10 // bytes of a file behind POSTHOUSE_..._FILE
	envPrefix = "POSTHOUSE_"
)

// Paths gives what Load reads for the main file: the file and the directory
// conf.d beside it. An empty main gives nothing.
func Paths(main string) []string {
	if main == "" {
		return nil
	}
	return []string{main, filepath.Join(filepath.Dir(main), "conf.d")}
}

// Load reads the configuration. Each of paths is a file, which must exist, or
// a directory, whose *.toml are read in the order of their names and which may
// be missing when it is called conf.d. env is os.Environ(). The keys of
// overrides are "section.key". The error is Errors: every problem at once. On
// an error the Config must not be used, except to report.
func Load(paths []string, env []string, overrides map[string]string) (Config, Sources, error) {
	l := loader{cfg: defaults(), src: Sources{}, keys: map[string]Key{}, secs: map[string]bool{}}
	for _, k := range Keys() {
		l.keys[k.Name] = k
		l.names = append(l.names, k.Name)
		l.src[k.Name] = Source{}
		section, _, _ := strings.Cut(k.Name, ".")
		l.secs[section] = true
	}
	for _, p := range paths {
		l.path(p)
	}
	l.environment(env)
	l.commandLine(overrides)
	l.cfg.resolve()
	l.cfg.validate(l.src, &l.problems)
	return l.cfg, l.src, l.problems.err()
}

type loader struct {
	problems
	cfg   Config
	src   Sources
	keys  map[string]Key
	names []string
	secs  map[string]bool
}

// put stores one value of one layer.
func (l *loader) put(name string, raw any, fromText bool, at Source) {
	if bad := l.keys[name].set(&l.cfg, raw, fromText); bad != nil {
		l.add(at, name, bad, nil)
		return
	}
	l.src[name] = at
}

func (l *loader) path(p string) {
	at := Source{Kind: FromFile, File: p}
	info, err := os.Stat(p)
	switch {
	case errors.Is(err, fs.ErrNotExist) && filepath.Base(p) == "conf.d":
		return
	case err != nil:
		l.add(at, "", say("read config: %v", "读取配置：%v", err), err)
		return
	case !info.IsDir():
		l.file(p)
		return
	}
	entries, err := os.ReadDir(p)
	if err != nil {
		l.add(at, "", say("read config directory: %v", "读取配置目录：%v", err), err)
		return
	}
	for _, e := range entries {
		if name := e.Name(); strings.HasSuffix(name, ".toml") && !strings.HasPrefix(name, ".") {
			l.file(filepath.Join(p, name))
		}
	}
}

func (l *loader) file(p string) {
	at := Source{Kind: FromFile, File: p}
	data, info, err := readLimited(p, maxFile)
	if err != nil {
		l.add(at, "", say("read config: %v", "读取配置：%v", err), err)
		return
	}
	if info.Mode().Perm()&0o002 != 0 {
		l.add(at, "", say("every user of this machine may change this file; run: chmod o-w %s",
			"本机任何用户都能修改此文件；请执行：chmod o-w %s", p), nil)
		return
	}
	if i := invalidUTF8(data); i >= 0 {
		at.Line, at.Column = lineColumn(data, i)
		l.add(at, "", say("the file is not UTF-8 text; save it as UTF-8", "文件不是 UTF-8 文本，请另存为 UTF-8"), nil)
		return
	}
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		at.Line, at.Column = 1, 1
		l.add(at, "", say("the file starts with a byte order mark; save it as UTF-8 without BOM", "文件以字节顺序标记开头，请另存为不带 BOM 的 UTF-8"), nil)
		return
	}
	var tree map[string]any
	if err := toml.Unmarshal(data, &tree); err != nil {
		var de *toml.DecodeError
		if errors.As(err, &de) {
			at.Line, at.Column = de.Position()
		}
		l.add(at, "", say("not valid TOML: %v", "TOML 语法错误：%v", strings.TrimPrefix(err.Error(), "toml: ")), err)
		return
	}
	l.tree(p, tree, locate(data))
}

// tree stores the values of one file, in any order; Errors sorts by line.
func (l *loader) tree(p string, tree map[string]any, where map[string]Source) {
	find := func(key string) Source {
		at := where[key]
		at.Kind, at.File = FromFile, p
		return at
	}
	for name, v := range tree {
		table, ok := v.(map[string]any)
		switch {
		case !l.secs[name]:
			l.unknown(find(name), name)
			continue
		case !ok:
			l.add(find(name), name, say("is a section: write [%s] on a line of its own", "是一个分节：请单独写一行 [%s]", name), nil)
			continue
		}
		for key, v := range table {
			full := name + "." + key
			if _, ok := l.keys[full]; !ok {
				l.unknown(find(full), full)
				continue
			}
			l.put(full, v, false, find(full))
		}
	}
}

// unknown complains about a key or section nobody reads.
func (l *loader) unknown(at Source, name string) {
	known := l.names
	if !strings.Contains(name, ".") {
		known = append(slices.Clip(known), slices.Sorted(maps.Keys(l.secs))...)
	}
	if s := suggest(name, known); s != "" {
		l.add(at, name, say("unknown key; did you mean %s?", "未知的配置项；是否想写 %s？", s), nil)
		return
	}
	l.add(at, name, say("unknown key", "未知的配置项"), nil)
}

func (l *loader) environment(env []string) {
	byEnv := map[string]string{}
	for _, k := range l.keys {
		byEnv[k.Env] = k.Name
	}
	seen := map[string]string{} // key → variable
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		section, _, _ := strings.Cut(strings.TrimPrefix(name, envPrefix), "_")
		if !strings.HasPrefix(name, envPrefix) || !l.secs[strings.ToLower(section)] {
			continue
		}
		at := Source{Kind: FromEnvironment, Name: name}
		key, ok := byEnv[name]
		if base, isFile := strings.CutSuffix(name, "_FILE"); !ok && isFile {
			if key, ok = byEnv[base]; ok {
				at.File = value
				data, _, err := readLimited(value, maxSecret)
				if err != nil {
					l.add(at, key, say("read the file of the variable: %v", "读取变量所指的文件：%v", err), err)
					continue
				}
				value = strings.TrimRight(string(data), "\r\n")
			}
		}
		if !ok {
			l.unknownEnv(at)
			continue
		}
		if other := seen[key]; other != "" && other != name {
			l.add(at, key, say("%s is set too; keep one of them", "%s 也设置了；请只保留一个", other), nil)
			continue
		}
		seen[key] = name
		l.put(key, value, true, at)
	}
}

func (l *loader) unknownEnv(at Source) {
	known := make([]string, 0, len(l.names))
	for _, n := range l.names {
		known = append(known, l.keys[n].Env)
	}
	if s := suggest(strings.TrimSuffix(at.Name, "_FILE"), known); s != "" {
		l.add(at, "", say("no key is called that; did you mean %s?", "没有这个配置项；是否想写 %s？", s), nil)
		return
	}
	l.add(at, "", say("no key is called that", "没有这个配置项"), nil)
}

func (l *loader) commandLine(overrides map[string]string) {
	names := make([]string, 0, len(overrides))
	for name := range overrides {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		at := Source{Kind: FromCommandLine, Name: name}
		if _, ok := l.keys[name]; !ok {
			l.unknown(at, name)
			continue
		}
		l.put(name, overrides[name], true, at)
	}
}

// readLimited reads a regular file or pipe of at most limit bytes.
func readLimited(p string, limit int64) ([]byte, fs.FileInfo, error) {
	f, err := os.Open(p)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = &fs.PathError{Op: "read", Path: p, Err: errors.New("the file is too large")}
	}
	return data, info, err
}

// invalidUTF8 is the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}
