package migrate

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type mmLine struct {
	Type          string           `json:"type"`
	Version       int              `json:"version"`
	Team          *mmTeam          `json:"team"`
	Channel       *mmChannel       `json:"channel"`
	User          *mmUser          `json:"user"`
	Bot           *mmBot           `json:"bot"`
	Post          *mmPost          `json:"post"`
	DirectChannel *mmDirectChannel `json:"direct_channel"`
	DirectPost    *mmPost          `json:"direct_post"`
	Emoji         *struct {
		Name string `json:"name"`
	} `json:"emoji"`
}

type mmTeam struct {
	Name    string `json:"name"`
	Display string `json:"display_name"`
}

type mmChannel struct {
	Team    string `json:"team"`
	Name    string `json:"name"`
	Display string `json:"display_name"`
	Type    string `json:"type"` // O open, P private
	Header  string `json:"header"`
	Purpose string `json:"purpose"`
	Deleted int64  `json:"deleted_at"`
}

type mmUser struct {
	Username string `json:"username"`
	Email    string `json:"email"`
	Nickname string `json:"nickname"`
	First    string `json:"first_name"`
	Last     string `json:"last_name"`
	Position string `json:"position"`
	Roles    string `json:"roles"`
	Deleted  int64  `json:"delete_at"`
	Picture  string `json:"profile_image"`
	Teams    []struct {
		Name     string `json:"name"`
		Channels []struct {
			Name     string `json:"name"`
			Roles    string `json:"roles"`
			Favorite bool   `json:"favorite"`
		} `json:"channels"`
	} `json:"teams"`
}

type mmBot struct {
	Username string `json:"username"`
	Display  string `json:"display_name"`
	Deleted  int64  `json:"delete_at"`
}

type mmDirectChannel struct {
	Members      []string `json:"members"`
	Participants []struct {
		Username string `json:"username"`
	} `json:"participants"`
	FavoritedBy []string `json:"favorited_by"`
	Header      string   `json:"header"`
}

// mattermost reads a Mattermost bulk export.
type mattermost struct {
	*reader
	ar       *archive
	prefix   string // folder in which the export lies, with a slash
	rooms    map[string]*Room
	teams    map[string]string   // names that people see
	listed   map[string]bool     // rooms that have a line of their own
	reactors map[string]struct{} // people who reacted
	members  map[string]map[string]bool
	lines    int
}

// ReadMattermost reads a Mattermost bulk export: JSON lines, or a zip of them
// with attachments under data/. tmp is where messages are put aside; empty is
// the system's place for that. progress, in bytes, may be nil.
func ReadMattermost(ctx context.Context, file, tmp string, progress func(done, total int64)) (*Plan, error) {
	ar, err := openArchive(file)
	if err != nil {
		return nil, err
	}
	r, err := newReader(Mattermost, ar, tmp)
	if err != nil {
		ar.close()
		return nil, err
	}
	m := &mattermost{reader: r, ar: ar, rooms: map[string]*Room{}, teams: map[string]string{}, listed: map[string]bool{},
		reactors: map[string]struct{}{}, members: map[string]map[string]bool{}}
	p, err := m.read(ctx, progress)
	if err != nil {
		r.plan.Close()
		return nil, err
	}
	return p, nil
}

// source finds the lines and their size.
func (m *mattermost) source() (io.Reader, io.Closer, int64, error) {
	if m.ar.plain != nil {
		info, err := m.ar.plain.Stat()
		if err != nil {
			return nil, nil, 0, fmt.Errorf("look at the export: %w", err)
		}
		return &bounded{r: m.ar.plain, file: maxText, all: &m.ar.left}, io.NopCloser(nil), info.Size(), nil
	}
	best := ""
	for _, n := range m.ar.names {
		if strings.HasSuffix(n, ".jsonl") && (best == "" || strings.Count(n, "/") < strings.Count(best, "/")) {
			best = n
		}
	}
	if best == "" {
		return nil, nil, 0, fmt.Errorf("no .jsonl file in it: %w", ErrFormat)
	}
	if dir := path.Dir(best); dir != "." {
		m.prefix = dir + "/"
	}
	for _, n := range m.ar.unsafe {
		m.lost.add(NotDamaged, n)
	}
	for _, n := range m.ar.twice {
		m.lost.add(NotTwice, n)
	}
	r, c, err := m.ar.bounded(best, maxText)
	return r, c, m.ar.size(best), err
}

func (m *mattermost) read(ctx context.Context, progress func(done, total int64)) (*Plan, error) {
	src, closer, size, err := m.source()
	if err != nil {
		return nil, err
	}
	defer closer.Close()
	in := bufio.NewReaderSize(src, 1<<20)
	var done int64
	for n := 1; ; n++ {
		if n%256 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if progress != nil {
				progress(done, size)
			}
		}
		raw, took, err := readLine(in)
		done += took
		if len(raw) > 0 {
			if lerr := m.line(n, raw); lerr != nil {
				return nil, lerr
			}
		} else if took > maxValue {
			m.lost.add(NotDamaged, fmt.Sprintf("line %d: %d bytes", n, took))
		}
		if m.lines == 0 && n > 100 {
			return nil, fmt.Errorf("its first hundred lines are none of an export: %w", ErrFormat)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			m.lost.add(NotDamaged, fmt.Sprintf("line %d: %v", n, err))
			break
		}
	}
	if m.lines == 0 {
		return nil, fmt.Errorf("no line of it is one of an export: %w", ErrFormat)
	}
	m.complete()
	return m.done()
}

// readLine reads one line. One that is longer than maxValue is passed over:
// nothing is given but the bytes it took.
func readLine(in *bufio.Reader) (line []byte, took int64, err error) {
	for {
		part, err := in.ReadSlice('\n')
		took += int64(len(part))
		if took <= maxValue {
			line = append(line, part...)
		} else {
			line = nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, took, err
		}
	}
}

func (m *mattermost) line(n int, raw []byte) error {
	if strings.TrimSpace(string(raw[:min(len(raw), 64)])) == "" {
		return nil
	}
	var l mmLine
	if err := json.Unmarshal(raw, &l, tolerant()); err != nil {
		m.lost.add(NotDamaged, fmt.Sprintf("line %d: %v", n, err))
		return nil
	}
	m.lines++
	switch {
	case l.Type == "version":
		if l.Version > 1 {
			return fmt.Errorf("version %d of the format is not known: %w", l.Version, ErrFormat)
		}
	case l.Type == "info":
	case l.Type == "role" || l.Type == "scheme":
		m.lost.add(NotTeams, l.Type)
	case l.Type == "team" && l.Team != nil:
		m.teams[l.Team.Name] = l.Team.Display
		m.lost.add(NotTeams, l.Team.Display)
	case l.Type == "channel" && l.Channel != nil:
		m.channel(l.Channel)
	case l.Type == "user" && l.User != nil:
		m.user(l.User)
	case l.Type == "bot" && l.Bot != nil:
		m.person(Person{ID: l.Bot.Username, Login: Login(l.Bot.Username, "bot"), Name: Name(l.Bot.Display, l.Bot.Username), Bot: true, Disabled: l.Bot.Deleted > 0})
	case l.Type == "direct_channel" && l.DirectChannel != nil:
		m.directChannel(l.DirectChannel)
	case l.Type == "post" && l.Post != nil:
		return m.post(m.room(l.Post.Team, l.Post.Channel), l.Post)
	case l.Type == "direct_post" && l.DirectPost != nil:
		r := m.direct(l.DirectPost.Members)
		if r == nil {
			m.lost.add(NotMembership, fmt.Sprintf("line %d: direct_post", n))
			return nil
		}
		return m.post(r, l.DirectPost)
	case l.Type == "emoji" && l.Emoji != nil:
		m.lost.add(NotEmoji, ":"+l.Emoji.Name+":")
	default:
		m.lines--
		m.lost.add(NotKnown, l.Type)
	}
	return nil
}

// room finds the room of a channel, which may be listed later.
func (m *mattermost) room(team, name string) *Room {
	source := team + "/" + name
	r := m.rooms[source]
	if r == nil {
		r = &Room{Key: key(Mattermost, "room", source), Kind: Group, Name: Name(name, "room"), source: source, authors: map[string]struct{}{}}
		m.rooms[source] = r
		m.plan.Rooms = append(m.plan.Rooms, r)
	}
	return r
}

func (m *mattermost) channel(c *mmChannel) {
	r := m.room(c.Team, c.Name)
	if m.listed[r.source] {
		m.lost.add(NotTwice, r.source)
		return
	}
	m.listed[r.source] = true
	if c.Type == "O" {
		r.Kind = Channel
	}
	r.Name, r.Archived = Name(c.Display, c.Name), c.Deleted > 0
	r.Topic = c.Header
	if c.Purpose != "" && c.Purpose != c.Header {
		r.Topic = strings.TrimPrefix(r.Topic+" · "+c.Purpose, " · ")
	}
	r.Topic = oneLine(noNUL(r.Topic), maxTopic)
}

func (m *mattermost) user(u *mmUser) {
	if u.Username == "" || m.known[u.Username] {
		m.lost.add(NotTwice, "user "+u.Username)
		return
	}
	name := u.Nickname
	if name == "" {
		name = strings.TrimSpace(u.First + " " + u.Last)
	}
	m.person(Person{ID: u.Username, Login: Login(u.Username, u.Email), Name: Name(name, u.Username), Title: oneLine(u.Position, maxRunes),
		Email: email(u.Email), Disabled: u.Deleted > 0})
	for _, role := range []string{"system_admin", "system_guest", "system_manager"} {
		if slices.Contains(strings.Fields(u.Roles), role) {
			m.lost.add(NotRoles, u.Username+": "+role)
		}
	}
	if u.Picture != "" {
		m.lost.add(NotPictures, u.Username)
	}
	for _, t := range u.Teams {
		for _, c := range t.Channels {
			r := m.room(t.Name, c.Name)
			m.join(r, u.Username)
			if slices.Contains(strings.Fields(c.Roles), "channel_admin") {
				r.Owners = append(r.Owners, u.Username)
			}
			if c.Favorite {
				m.lost.add(NotPersonal, u.Username)
			}
		}
	}
}

func (m *mattermost) join(r *Room, user string) {
	of := m.members[r.source]
	if of == nil {
		of = map[string]bool{}
		m.members[r.source] = of
	}
	if !of[user] {
		of[user] = true
		r.Members = append(r.Members, user)
	}
}

// direct finds the room of some people: of one notes, of two a direct room, of
// more a group. Mattermost allows eight.
func (m *mattermost) direct(members []string) *Room {
	list := slices.Compact(slices.Sorted(slices.Values(members)))
	if len(list) == 0 || len(list) > 64 || slices.Contains(list, "") {
		return nil
	}
	source := "direct/" + strings.Join(list, ",")
	r := m.rooms[source]
	if r == nil {
		r = &Room{Key: key(Mattermost, "room", source), Kind: Group, source: source, Members: list, authors: map[string]struct{}{}}
		switch len(list) {
		case 1:
			r.Kind = Notes
		case 2:
			r.Kind = Direct
		}
		m.rooms[source], m.listed[source] = r, true
		m.plan.Rooms = append(m.plan.Rooms, r)
	}
	return r
}

func (m *mattermost) directChannel(c *mmDirectChannel) {
	for _, p := range c.Participants {
		c.Members = append(c.Members, p.Username)
	}
	r := m.direct(c.Members)
	if r == nil {
		m.lost.add(NotMembership, "direct_channel")
		return
	}
	r.Topic = oneLine(noNUL(c.Header), maxTopic)
	for _, u := range c.FavoritedBy {
		m.lost.add(NotPersonal, u)
	}
}

// complete does what needs the whole export: people that only messages know,
// names of groups, names that several teams use.
func (m *mattermost) complete() {
	for _, r := range m.plan.Rooms {
		for _, a := range r.Authors() {
			m.author(a, "", false)
		}
		if !m.listed[r.source] {
			m.lost.add(NotRooms, r.source)
		}
		if r.Kind == Direct || r.Kind == Notes {
			for _, p := range r.Members {
				m.author(p, "", false) // the room needs its people
			}
			continue
		}
		r.Members = slices.DeleteFunc(r.Members, func(p string) bool { return !m.known[p] })
		if r.Name == "" {
			var names []string
			for _, p := range r.Members[:min(len(r.Members), 8)] {
				names = append(names, m.called[p])
			}
			r.Name = Name(strings.Join(names, ", "), r.source)
		}
	}
	for p := range m.reactors {
		if !m.known[p] {
			m.lost.add(NotReactions, p)
		}
	}
	of := map[string][]*Room{}
	for _, r := range m.plan.Rooms {
		if r.Name != "" && !strings.HasPrefix(r.source, "direct/") {
			of[strings.ToLower(r.Name)] = append(of[strings.ToLower(r.Name)], r)
		}
	}
	for _, list := range of {
		if len(list) < 2 {
			continue
		}
		for _, r := range list {
			team, _, _ := strings.Cut(r.source, "/")
			if d := m.teams[team]; d != "" {
				team = d
			}
			r.Name = Name(oneLine(r.Name, 60)+" ("+oneLine(team, 30)+")", r.source)
		}
	}
}

// props are what programs put beside a message.
type mmProps struct {
	Attachments []slackAttachment `json:"attachments"`
	Override    string            `json:"override_username"`
}

func readProps(raw jsontext.Value) (p mmProps) {
	if len(raw) > 0 && raw.Kind() == '{' {
		_ = json.Unmarshal(raw, &p, tolerant()) // what fits of it
	}
	return p
}
