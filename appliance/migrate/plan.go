package migrate

import (
	"errors"
	"io"
	"maps"
	"slices"
	"strconv"

	"github.com/google/uuid"
)

// Key says where something came from: a UUID of version 5 over the names of
// the other system, the same in every export of it.
type Key [16]byte

// String is the key as a UUID.
func (k Key) String() string { return uuid.UUID(k).String() }

// namespace is the UUID under which keys are derived.
const namespace = "9a3c2f5e-1d0b-5c64-8f57-6c6f2b7e4d11"

func key(parts ...string) Key {
	var b []byte
	for _, p := range parts {
		b = append(append(b, p...), 0)
	}
	return Key(uuid.NewSHA1(uuid.MustParse(namespace), b))
}

// Person is a person or program of the other system.
type Person struct {
	ID       string // as messages name them
	Login    string // made fit for a login; not yet unique
	Name     string
	Title    string
	Email    string
	Phone    string
	Bot      bool
	Disabled bool
	Created  int64 // Unix ms; 0 = not known
	Found    bool  // only messages name them, the list of people does not
}

// Kind is the shape of a room.
type Kind string

// The kinds of rooms, called as in this system.
const (
	Channel Kind = "channel"
	Group   Kind = "group"
	Direct  Kind = "direct"
	Notes   Kind = "notes"
)

// Room is a room of the other system.
type Room struct {
	Key      Key
	Kind     Kind
	Name     string // empty for Direct and Notes
	Topic    string
	Created  int64 // Unix ms; 0 = not known
	Creator  string
	Archived bool
	Members  []string // of Direct the two, of Notes the one
	Owners   []string // those of Members who look after it
	Messages int
	First    int64 // time of the oldest message, Unix ms
	Last     int64 // of the newest

	source  string // id in the other system
	authors map[string]struct{}
	index   []place
	files   bool
}

// Authors are those who wrote in the room, sorted.
func (r *Room) Authors() []string { return slices.Sorted(maps.Keys(r.authors)) }

// HasFiles reports whether the archive holds files of the room's messages.
func (r *Room) HasFiles() bool { return r.files }

// Entry is a message. In Text a mention of a person is MarkMention, the
// person's ID and MarkMention again.
type Entry struct {
	Key       Key        `json:"k"`
	Author    string     `json:"a"`
	At        int64      `json:"t"` // Unix ms
	Text      string     `json:"x,omitempty"`
	Thread    *Key       `json:"r,omitempty"` // the thread's first message
	EditedAt  int64      `json:"e,omitempty"` // Unix ms
	PinnedAt  int64      `json:"p,omitempty"` // Unix ms
	Reactions []Reaction `json:"m,omitempty"`
	Files     []File     `json:"f,omitempty"`
}

// MarkMention stands before and after a person's ID in a text. Texts have no
// other NUL.
const MarkMention = "\x00"

// Reaction is an emoji and who put it there.
type Reaction struct {
	Emoji  string   `json:"e"`
	People []string `json:"p"`
}

// File is an attachment. Path is empty when the archive does not hold it.
type File struct {
	Key  Key    `json:"k"`
	Name string `json:"n"`
	Size int64  `json:"s"` // bytes; of a missing one as the export says
	Type string `json:"y,omitempty"`
	Path string `json:"f,omitempty"`
}

// What does not come over, or not as it was.
const (
	NotJoins      = "joins"       // lines that somebody joined or left
	NotSystem     = "system"      // other lines that the system wrote
	NotDeleted    = "deleted"     // places of deleted messages
	NotHuddles    = "huddles"     // voice huddles and calls
	NotCanvas     = "canvas"      // canvases, lists
	NotWorkflows  = "workflows"   // workflows and integrations
	NotEmoji      = "emoji"       // an organisation's own emoji: stay as :name:
	NotBlocks     = "blocks"      // layout of app messages: their text comes
	NotPreviews   = "previews"    // previews of links
	NotFiles      = "files"       // files that the archive does not hold: a line names them
	NotBookmarks  = "bookmarks"   // bookmarks of channels
	NotPlaybooks  = "playbooks"   // playbook runs and boards
	NotPictures   = "pictures"    // people's pictures
	NotRoles      = "roles"       // owners and admins of the system: all become members
	NotPersonal   = "personal"    // saved messages, favourites, notification settings
	NotThreads    = "threads"     // replies whose first message is missing: come without the thread
	NotAuthors    = "authors"     // authors missing from the list of people: come as disabled accounts
	NotRooms      = "rooms"       // messages of rooms that are not listed
	NotDamaged    = "damaged"     // entries that cannot be read
	NotTwice      = "twice"       // entries that are there twice
	NotKnown      = "unknown"     // entries of unknown kinds
	NotReactions  = "reactions"   // reactions past what a message can have
	NotTeams      = "teams"       // teams and permission schemes
	NotPins       = "pins"        // pins past what a room can have
	NotMembership = "memberships" // memberships of people or rooms that are not there
)

// Loss is one kind of thing that does not come over.
type Loss struct {
	What     string   `json:"what"`
	Count    int      `json:"count"`
	Examples []string `json:"examples,omitempty"` // at most five
}

// Totals is what an archive holds.
type Totals struct {
	Messages  int   `json:"messages"`
	Threads   int   `json:"threads"`
	Replies   int   `json:"replies"`
	Reactions int   `json:"reactions"`
	Edited    int   `json:"edited"`
	Pinned    int   `json:"pinned"`
	Files     int   `json:"files"`
	Bytes     int64 `json:"file_bytes"`
	Missing   int   `json:"files_missing"`
	First     int64 `json:"first,omitempty"` // time of the oldest message, Unix ms
	Last      int64 `json:"last,omitempty"`
}

// Plan is an archive that was read: neutral and complete. Close it. It is not
// safe for concurrent use.
type Plan struct {
	System string // slack or mattermost
	People []Person
	Rooms  []*Room // the one whose newest message is oldest first
	Totals Totals
	Losses []Loss

	archive *archive
	spool   *spool
}

// The systems that are known.
const (
	Slack      = "slack"
	Mattermost = "mattermost"
)

// ErrFormat says that a file is not an export of the system named.
var ErrFormat = errors.New("not an export")

// Close removes what reading has put aside.
func (p *Plan) Close() error { return errors.Join(p.spool.close(), p.archive.close()) }

// Each calls yield with the messages of a room, oldest first, until it returns
// an error.
func (p *Plan) Each(r *Room, yield func(*Entry) error) error {
	var e Entry
	ties := map[Key][]string{} // texts of the same moment, by key
	var at int64
	for _, pl := range r.index {
		e = Entry{}
		if err := p.spool.read(pl, &e); err != nil {
			return err
		}
		if e.At != at {
			clear(ties)
			at = e.At
		}
		if p.System == Mattermost { // which tells messages apart by author and time alone
			first := e.Key
			if n := slices.Index(ties[first], e.Text); n > 0 {
				e.Key = key(first.String(), strconv.Itoa(n))
			} else if n < 0 {
				if n := len(ties[first]); n > 0 {
					e.Key = key(first.String(), strconv.Itoa(n))
				}
				ties[first] = append(ties[first], e.Text)
			}
		}
		if err := yield(&e); err != nil {
			return err
		}
	}
	return nil
}

// Open opens an attachment of the archive. It gives at most as many bytes as
// the archive says the file has.
func (p *Plan) Open(f File) (io.ReadCloser, error) { return p.archive.open(f.Path) }

// losses collects what does not come over.
type losses struct {
	of map[string]*Loss
}

func (l *losses) add(what, example string) { l.addN(what, example, 1) }

func (l *losses) addN(what, example string, n int) {
	if l.of == nil {
		l.of = map[string]*Loss{}
	}
	x := l.of[what]
	if x == nil {
		x = &Loss{What: what}
		l.of[what] = x
	}
	x.Count += n
	if example = oneLine(example, 80); example != "" && len(x.Examples) < 5 && !slices.Contains(x.Examples, example) {
		x.Examples = append(x.Examples, example)
	}
}

func (l *losses) list() []Loss {
	var out []Loss
	for _, what := range slices.Sorted(maps.Keys(l.of)) {
		out = append(out, *l.of[what])
	}
	return out
}

// Part is the key of a further part of what has the key k.
func (k Key) Part(n int) Key { return key(k.String(), "part", strconv.Itoa(n)) }
