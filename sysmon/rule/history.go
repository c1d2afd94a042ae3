package rule

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"posthouse/sysmon/words"
)

// Version is one change of one file of the directory. It is never altered.
type Version struct {
	Number int       `json:"number"` // from 1, without gaps while none is thrown away
	At     time.Time `json:"at"`
	Who    string    `json:"who"`
	Action string    `json:"action"` // save, create, disable, enable, restore, delete, revert
	File   string    `json:"file"`   // below the directory
	Rule   string    `json:"rule"`   // id, empty for a file as a whole
	Note   string    `json:"note,omitempty"`
	Before *string   `json:"before"` // text of the file; null: it was not there
	After  *string   `json:"after"`  // null: it is removed
}

// keptVersions is how many changes are remembered.
const keptVersions = 1000

// History lists changes, the latest first: of one rule, or all with id empty.
func (m *Manager) History(id string) ([]Version, error) {
	numbers, err := m.versions()
	if err != nil {
		return nil, err
	}
	var out []Version
	for i := len(numbers) - 1; i >= 0; i-- {
		v, err := m.Version(numbers[i])
		if err != nil {
			m.o.Logger.Warn("history of rules: entry left out", "err", err)
			continue
		}
		if id == "" || v.Rule == id {
			out = append(out, v)
		}
	}
	return out, nil
}

// Version reads one change.
func (m *Manager) Version(number int) (Version, error) {
	text, err := os.ReadFile(filepath.Join(m.dir, historyDir, versionFile(number)))
	if err != nil {
		return Version{}, fmt.Errorf("read history of rules: %w", err)
	}
	var v Version
	if err := json.Unmarshal(text, &v); err != nil {
		return Version{}, fmt.Errorf("read history of rules: %s: %w", versionFile(number), err)
	}
	return v, nil
}

func versionFile(number int) string { return fmt.Sprintf("%08d.json", number) }

// versions lists the numbers at hand in order.
func (m *Manager) versions() ([]int, error) {
	entries, err := os.ReadDir(filepath.Join(m.dir, historyDir))
	if err != nil {
		return nil, fmt.Errorf("list history of rules: %w", err)
	}
	var out []int
	for _, e := range entries {
		var n int
		if _, err := fmt.Sscanf(e.Name(), "%08d.json", &n); err == nil && e.Name() == versionFile(n) {
			out = append(out, n)
		}
	}
	sort.Ints(out)
	return out, nil
}

// write makes one change durable: first the history, then the file. A crash in
// between leaves an entry whose change did not happen.
func (m *Manager) write(v Version) error {
	numbers, err := m.versions()
	if err != nil {
		return err
	}
	v.Number = 1
	if len(numbers) > 0 {
		v.Number = numbers[len(numbers)-1] + 1
	}
	v.At = m.o.Now().UTC()
	path := filepath.Join(m.dir, filepath.FromSlash(v.File))
	if v.Before, err = readIfThere(path); err != nil {
		return err
	}
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("write history of rules: %w", err)
	}
	if err := writeFile(filepath.Join(m.dir, historyDir, versionFile(v.Number)), append(text, '\n')); err != nil {
		return fmt.Errorf("write history of rules: %w", err)
	}
	for i := 0; i < len(numbers)+1-keptVersions; i++ {
		if err := os.Remove(filepath.Join(m.dir, historyDir, versionFile(numbers[i]))); err != nil {
			m.o.Logger.Warn("history of rules: old entry not removed", "err", err)
		}
	}
	if v.After == nil {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove rule file: %w", err)
		}
		return syncDir(filepath.Dir(path))
	}
	if err := writeFile(path, []byte(*v.After)); err != nil {
		return fmt.Errorf("write rule file: %w", err)
	}
	return nil
}

func readIfThere(path string) (*string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read rule file: %w", err)
	}
	s := string(text)
	return &s, nil
}

// writeFile replaces a file as a whole and durably, 0600.
func writeFile(path string, text []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if _, err = f.Write(text); err != nil {
		return errors.Join(err, f.Close())
	}
	if err = f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Revert puts a file back as it was before a change. What it would be is
// checked as any change is.
func (m *Manager) Revert(number int, who string) error {
	m.edit.Lock()
	defer m.edit.Unlock()
	v, err := m.Version(number)
	if err != nil {
		return &Refused{Text: words.Of("this change is not in the history (any more)", "历史中没有（或已不再保留）这次修改")}
	}
	if v.Before != nil {
		if problems := checkFile(v.File, []byte(*v.Before)); problems != nil {
			return &Refused{Problems: problems, Text: words.Of("what was there before is no valid rule file", "之前的内容不是有效的规则文件")}
		}
	}
	return m.commit(Version{Who: who, Action: "revert", File: v.File, Rule: v.Rule, Note: fmt.Sprintf("%d", number), After: v.Before})
}

// commit writes a checked change and takes it up. The caller holds the lock of
// changes.
func (m *Manager) commit(v Version) error {
	if err := m.write(v); err != nil {
		return err
	}
	return m.reload()
}

// checkFile checks the text of a file of the directory, a rule file or a
// change to one rule.
func checkFile(name string, text []byte) []Problem {
	if strings.HasPrefix(name, changedDir+"/") {
		if _, problem := parseChange(name, text); problem != nil {
			return []Problem{*problem}
		}
		return nil
	}
	_, problems := parse(name, text)
	return problems
}

// Line is one line of a comparison: Sign is ' ', '-' or '+'.
type Line struct {
	Sign byte
	Text string
}

// Diff compares two texts line by line.
func Diff(before, after string) []Line {
	a, b := lines(before), lines(after)
	if len(a)*len(b) > 4_000_000 { // large files: replaced as a whole
		var out []Line
		for _, l := range a {
			out = append(out, Line{'-', l})
		}
		for _, l := range b {
			out = append(out, Line{'+', l})
		}
		return out
	}
	longest := make([][]int, len(a)+1)
	for i := range longest {
		longest[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				longest[i][j] = longest[i+1][j+1] + 1
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
	}
	var out []Line
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			out = append(out, Line{' ', a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && longest[i+1][j] >= longest[i][j+1]:
			out = append(out, Line{'-', a[i]})
			i++
		default:
			out = append(out, Line{'+', b[j]})
			j++
		}
	}
	return out
}

func lines(text string) []string {
	text = strings.TrimSuffix(text, "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}
