package notify

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Book keeps the channels in their file.
type Book struct {
	path string

	mu    sync.Mutex
	list  []Channel
	fresh bool // there was no file
}

type bookFile struct {
	Version  int       `json:"version"`
	Channels []Channel `json:"channels"`
}

// OpenBook reads dir/channels.json; a missing file has no channels. A file
// that cannot be understood is an error that names it, and stays as it is.
func OpenBook(dir string) (*Book, error) {
	b := &Book{path: filepath.Join(dir, "channels.json")}
	raw, err := os.ReadFile(b.path)
	if errors.Is(err, fs.ErrNotExist) {
		b.fresh = true
		return b, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read channels: %w", err)
	}
	var f bookFile
	if err := json.Unmarshal(raw, &f); err != nil {
		return nil, fmt.Errorf("read channels: %s: %w: mend it, or move it away to begin without channels", b.path, err)
	}
	if f.Version != 1 {
		return nil, fmt.Errorf("read channels: %s has version %d, this program knows 1", b.path, f.Version)
	}
	b.list = f.Channels
	return b, nil
}

// Fresh says that there was no file: nobody has made a channel yet.
func (b *Book) Fresh() bool { return b.fresh }

// List gives the channels in the order they were made, with secrets.
func (b *Book) List() []Channel {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]Channel(nil), b.list...)
}

// Find gives one channel, with secrets.
func (b *Book) Find(id string) (Channel, bool) {
	for _, c := range b.List() {
		if c.ID == id {
			return c, true
		}
	}
	return Channel{}, false
}

// Save adds a channel (ID empty) or replaces one; a masked secret stays as it
// was. It returns the channel as kept.
func (b *Book) Save(c Channel) (Channel, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	next := append([]Channel(nil), b.list...)
	if c.ID == "" {
		if len(next) >= maxChannels {
			return c, invalid("", "there are already %d channels: remove one", "已有 %d 个渠道，请先删除一个", maxChannels)
		}
		c = c.Merge(Channel{})
		c.ID = newID()
		next = append(next, c)
	} else {
		at := -1
		for i := range next {
			if next[i].ID == c.ID {
				at = i
			}
		}
		if at < 0 {
			return c, invalid("", "the channel is gone", "该渠道已不存在")
		}
		c = c.Merge(next[at])
		next[at] = c
	}
	if err := c.Check(); err != nil {
		return c, err
	}
	return c, b.write(next)
}

// newID is random: ids stand in the notification log, so that of a removed
// channel is not given to another.
func newID() string {
	b := make([]byte, 6)
	_, _ = rand.Read(b) // never fails
	return "c" + hex.EncodeToString(b)
}

// Remove forgets a channel.
func (b *Book) Remove(id string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var next []Channel
	for _, c := range b.list {
		if c.ID != id {
			next = append(next, c)
		}
	}
	return b.write(next)
}

func (b *Book) write(next []Channel) error {
	raw, err := json.MarshalIndent(bookFile{1, next}, "", " ")
	if err != nil {
		return fmt.Errorf("save channels: %w", err)
	}
	if err := Replace(b.path, raw); err != nil {
		return fmt.Errorf("save channels: %w", err)
	}
	b.list = next
	return nil
}

// Replace writes a file of mode 0600 so that after a crash it is the old one
// or the new one.
func Replace(path string, raw []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return fmt.Errorf("make a file beside it: %w", err)
	}
	_, err = f.Write(raw)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("replace %s: %w", filepath.Base(path), err)
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("open its directory: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
