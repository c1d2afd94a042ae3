package migrate

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

type slackUser struct {
	ID       string `json:"id"`
	Team     string `json:"team_id"`
	Name     string `json:"name"`
	Deleted  bool   `json:"deleted"`
	RealName string `json:"real_name"`
	IsBot    bool   `json:"is_bot"`
	IsAdmin  bool   `json:"is_admin"`
	IsOwner  bool   `json:"is_owner"`
	Profile  struct {
		RealName    string `json:"real_name"`
		DisplayName string `json:"display_name"`
		Title       string `json:"title"`
		Phone       string `json:"phone"`
		Email       string `json:"email"`
		BotID       string `json:"bot_id"`
		Image       string `json:"image_original"`
	} `json:"profile"`
}

type slackChannel struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Created  int64    `json:"created"` // Unix seconds
	Creator  string   `json:"creator"`
	Archived bool     `json:"is_archived"`
	Members  []string `json:"members"`
	Topic    struct {
		Value string `json:"value"`
	} `json:"topic"`
	Purpose struct {
		Value string `json:"value"`
	} `json:"purpose"`
	Pins []struct {
		ID      string `json:"id"`
		Created int64  `json:"created"`
	} `json:"pins"`
	Properties struct {
		Canvas jsontext.Value   `json:"canvas"`
		Tabs   []jsontext.Value `json:"tabs"`
	} `json:"properties"`
}

// slack reads a Slack export.
type slack struct {
	*reader
	ar      *archive
	team    string
	prefix  string // folder in which the export lies, with a slash
	bots    map[string]string
	rooms   map[string]*Room            // by folder
	byID    map[string]*Room            // by id of the channel
	names   map[string]string           // of channels, by id
	pins    map[string]map[string]int64 // by channel and ts: Unix ms
	uploads map[string]string           // path of a file, by its id
	roots   map[string]struct{}         // first messages of threads: channel and ts
	wanted  map[string]int              // threads that replies name
	text    mrkdwn
}

// ReadSlack reads a Slack export: a zip with users.json, channels.json and a
// folder of daily files for each channel. tmp is where messages are put aside;
// empty is the system's place for that. progress may be nil.
func ReadSlack(ctx context.Context, file, tmp string, progress func(done, total int64)) (*Plan, error) {
	ar, err := openArchive(file)
	if err != nil {
		return nil, err
	}
	r, err := newReader(Slack, ar, tmp)
	if err != nil {
		ar.close()
		return nil, err
	}
	s := &slack{reader: r, ar: ar, bots: map[string]string{}, rooms: map[string]*Room{}, byID: map[string]*Room{}, names: map[string]string{},
		pins: map[string]map[string]int64{}, uploads: map[string]string{}, roots: map[string]struct{}{}, wanted: map[string]int{}}
	s.text = mrkdwn{emoji: r.emoji, own: func(n string) { r.lost.add(NotEmoji, ":"+n+":") }, channel: func(id string) string { return s.names[id] }}
	p, err := s.read(ctx, progress)
	if err != nil {
		r.plan.Close()
		return nil, err
	}
	return p, nil
}

func (s *slack) read(ctx context.Context, progress func(done, total int64)) (*Plan, error) {
	list := "users.json"
	dir, ok := s.ar.root(list)
	if !ok { // an export of a whole Enterprise Grid
		list = "org_users.json"
		dir, ok = s.ar.root(list)
	}
	if !ok {
		return nil, fmt.Errorf("no users.json in it: %w", ErrFormat)
	}
	if s.prefix = dir; dir != "" {
		s.prefix += "/"
	}
	if err := s.users(ctx, list); err != nil {
		return nil, err
	}
	for _, list := range []struct {
		file string
		kind Kind
	}{{"channels.json", Channel}, {"groups.json", Group}, {"mpims.json", Group}, {"dms.json", Direct}} {
		if err := s.channels(ctx, list.file, list.kind); err != nil {
			return nil, err
		}
	}
	if len(s.byID) == 0 {
		return nil, fmt.Errorf("no channels in it: %w", ErrFormat)
	}
	days := s.sort()
	for i, name := range days {
		if progress != nil {
			progress(int64(i), int64(len(days)))
		}
		if err := s.day(ctx, name); err != nil {
			return nil, err
		}
	}
	for at, n := range s.wanted {
		if _, ok := s.roots[at]; !ok {
			s.lost.addN(NotThreads, "", n)
		}
	}
	s.plan.Totals.Threads = len(s.roots)
	return s.done()
}

func (s *slack) bad(err error) { s.lost.add(NotDamaged, err.Error()) }

func (s *slack) users(ctx context.Context, file string) error {
	teams := map[string]int{}
	var list []slackUser
	err := s.ar.array(ctx, s.prefix+file, maxTop, s.bad, func(raw jsontext.Value) error {
		var u slackUser
		if err := json.Unmarshal(raw, &u, tolerant()); err != nil || u.ID == "" {
			s.lost.add(NotDamaged, file+": "+oneLine(string(raw[:min(len(raw), 300)]), 60))
			return nil
		}
		teams[u.Team]++
		list = append(list, u)
		return nil
	})
	if err != nil {
		return err
	}
	for t, n := range teams {
		if n > teams[s.team] || n == teams[s.team] && t < s.team {
			s.team = t
		}
	}
	for _, u := range list {
		if s.known[u.ID] {
			s.lost.add(NotTwice, file+": "+u.ID)
			continue
		}
		name := u.Profile.RealName
		for _, other := range []string{u.RealName, u.Profile.DisplayName, u.Name} {
			if name == "" {
				name = other
			}
		}
		bot := u.IsBot || u.ID == "USLACKBOT"
		login := u.Name
		if login == "" || Login(login, "") == "user" {
			login = u.Profile.Email
		}
		s.person(Person{ID: u.ID, Login: Login(login, u.ID), Name: Name(name, u.ID), Title: oneLine(u.Profile.Title, maxRunes),
			Email: email(u.Profile.Email), Phone: oneLine(u.Profile.Phone, 40), Bot: bot, Disabled: u.Deleted})
		if u.Profile.BotID != "" {
			s.bots[u.Profile.BotID] = u.ID
		}
		if u.IsAdmin || u.IsOwner {
			s.lost.add(NotRoles, name)
		}
		if u.Profile.Image != "" {
			s.lost.add(NotPictures, name)
		}
	}
	return nil
}

// email is an address, or nothing when it cannot be one.
func email(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if at := strings.IndexByte(s, '@'); at < 1 || at == len(s)-1 || len(s) > 254 || oneLine(s, 254) != s || strings.Contains(s, " ") {
		return ""
	}
	return s
}

func (s *slack) channels(ctx context.Context, file string, kind Kind) error {
	if s.ar.files[s.prefix+file] == nil {
		return nil // not part of every export
	}
	return s.ar.array(ctx, s.prefix+file, maxTop, s.bad, func(raw jsontext.Value) error {
		var c slackChannel
		if err := json.Unmarshal(raw, &c, tolerant()); err != nil || c.ID == "" {
			s.lost.add(NotDamaged, file+": "+oneLine(string(raw[:min(len(raw), 300)]), 60))
			return nil
		}
		if s.byID[c.ID] != nil {
			s.lost.add(NotTwice, file+": "+c.ID)
			return nil
		}
		s.channel(&c, kind, file == "mpims.json")
		return nil
	})
}

func (s *slack) channel(c *slackChannel, kind Kind, many bool) {
	topic := c.Topic.Value
	if topic == "" {
		topic = c.Purpose.Value
	} else if c.Purpose.Value != "" && c.Purpose.Value != topic {
		topic += " · " + c.Purpose.Value
	}
	r := &Room{Key: key(Slack, s.team, "room", c.ID), Kind: kind, Topic: oneLine(s.text.convert(topic), maxTopic), Created: c.Created * 1000,
		Creator: c.Creator, Archived: c.Archived, source: c.ID, authors: map[string]struct{}{}}
	r.Topic = plainMentions(r.Topic)
	for _, m := range c.Members {
		if !s.known[m] && (kind == Direct || many) && m != "" {
			s.author(m, "", false) // of another organisation: the room needs its people
		}
		if !s.known[m] {
			s.lost.add(NotMembership, m)
			continue
		}
		if !slices.Contains(r.Members, m) {
			r.Members = append(r.Members, m)
		}
	}
	folder := c.Name
	switch {
	case kind == Direct:
		folder = c.ID
		if len(r.Members) == 1 {
			r.Kind = Notes
		}
		if len(r.Members) == 0 || len(r.Members) > 2 {
			s.lost.add(NotMembership, c.ID)
			return
		}
	case many:
		r.Name = s.groupName(r.Members, c.Name)
	default:
		r.Name = Name(c.Name, c.ID)
		s.names[c.ID] = r.Name
	}
	if slices.Contains(r.Members, c.Creator) {
		r.Owners = []string{c.Creator}
	}
	for _, p := range c.Pins {
		if s.pins[c.ID] == nil {
			s.pins[c.ID] = map[string]int64{}
		}
		s.pins[c.ID][p.ID] = p.Created * 1000
	}
	if len(c.Properties.Canvas) > 0 && c.Properties.Canvas.Kind() == '{' {
		s.lost.add(NotCanvas, c.Name)
	}
	for _, t := range c.Properties.Tabs {
		if strings.Contains(string(t), `"bookmarks"`) {
			s.lost.add(NotBookmarks, c.Name)
		}
	}
	s.byID[c.ID] = r
	s.rooms[c.ID] = r
	if s.rooms[folder] == nil {
		s.rooms[folder] = r
	}
	s.plan.Rooms = append(s.plan.Rooms, r)
}

// plainMentions writes a topic's mentions without marks.
func plainMentions(s string) string { return strings.ReplaceAll(s, MarkMention, "") }

// groupName is what a group of people without a name is called.
func (s *slack) groupName(members []string, fallback string) string {
	var names []string
	for _, m := range members[:min(len(members), 8)] {
		names = append(names, s.called[m])
	}
	return Name(strings.Join(names, ", "), fallback)
}

// sort looks through the names of the archive: daily files to read, files
// that messages may carry, and what is not read.
func (s *slack) sort() (days []string) {
	for _, n := range s.ar.unsafe {
		s.lost.add(NotDamaged, n)
	}
	for _, n := range s.ar.twice {
		s.lost.add(NotTwice, n)
	}
	for _, n := range s.ar.names {
		at, ok := strings.CutPrefix(n, s.prefix)
		if !ok {
			s.lost.add(NotKnown, n)
			continue
		}
		parts := strings.Split(at, "/")
		base := path.Base(at)
		switch {
		case len(parts) == 3 && parts[0] == "__uploads":
			s.uploads[parts[1]] = n
		case len(parts) >= 3 && parts[len(parts)-2] == "attachments":
			if id, _, ok := strings.Cut(base, "-"); ok {
				s.uploads[id] = n
			}
		case len(parts) == 1:
			s.top(base)
		case len(parts) == 2 && strings.HasPrefix(parts[0], "FC:") || strings.HasPrefix(base, "canvas"):
			s.lost.add(NotCanvas, parts[0])
		case len(parts) == 2 && strings.HasSuffix(base, ".json"):
			if s.rooms[parts[0]] == nil {
				s.lost.add(NotRooms, at)
				continue
			}
			days = append(days, n)
		default:
			s.lost.add(NotKnown, at)
		}
	}
	return days
}

func (s *slack) top(base string) {
	switch base {
	case "users.json", "org_users.json", "channels.json", "groups.json", "dms.json", "mpims.json":
	case "integration_logs.json", "workflows.json":
		s.lost.add(NotWorkflows, base)
	case "canvases.json", "lists.json", "file_conversations.json":
		s.lost.add(NotCanvas, base)
	case "huddle_transcripts.json":
		s.lost.add(NotHuddles, base)
	case "bookmarks.json":
		s.lost.add(NotBookmarks, base)
	default:
		s.lost.add(NotKnown, base)
	}
}
