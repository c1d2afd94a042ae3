package chat

import (
	"context"
	"sync"
	"time"

	"posthouse/appliance/id"
	"posthouse/appliance/search"
	"posthouse/appliance/wire"
)

// Searches at once: of one account, and of all.
const (
	searchesOfOne = 2
	searchesOfAll = 4
)

// searchWait is how long a search waits for the index to know of everything
// that was answered before.
const searchWait = 100 * time.Millisecond

// searches bounds how many run at once.
type searches struct {
	places chan struct{}
	mu     sync.Mutex
	of     map[id.ID]int
}

func newSearches() *searches {
	return &searches{places: make(chan struct{}, searchesOfAll), of: map[id.ID]int{}}
}

// begin waits for a place. end gives it back.
func (l *searches) begin(ctx context.Context, user id.ID) (end func(), err error) {
	l.mu.Lock()
	if l.of[user] >= searchesOfOne {
		l.mu.Unlock()
		e := wire.Refuse(wire.RateLimited, "two searches of yours are under way already", "你已有两个搜索正在进行")
		e.RetryAfter = 100
		return nil, e
	}
	l.of[user]++
	l.mu.Unlock()
	leave := func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.of[user]--; l.of[user] == 0 {
			delete(l.of, user)
		}
	}
	select {
	case l.places <- struct{}{}:
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
	return func() { <-l.places; leave() }, nil
}

func noSearch() error {
	return wire.Refuse(wire.Unavailable, "search is not running here", "此处未运行搜索")
}

func (s *Service) searchMessages(c *Call, p *wire.SearchParams) (wire.SearchResult, error) {
	out := wire.SearchResult{Hits: []wire.SearchHit{}}
	if s.opt.Search == nil {
		return out, noSearch()
	}
	if p.Room != 0 && !s.s.IsMember(p.Room, c.Actor.User) {
		return out, noRoom()
	}
	end, err := s.finding.begin(c.Context, c.Actor.User)
	if err != nil {
		return out, err
	}
	defer end()
	if s.opt.Search.Status().Building == 0 {
		// What was sent a moment ago is nearly always there already.
		ctx, cancel := context.WithTimeout(c.Context, searchWait)
		_ = s.opt.Search.Reached(ctx, s.q.Position())
		cancel()
	}
	a, err := s.opt.Search.Search(c.Context, search.Query{User: c.Actor.User, Text: p.Query, Room: p.Room, Sender: p.Sender, Files: p.Files,
		After: p.After, Before: p.Before, Page: p.Page, Limit: limit(p.Limit, 20, wire.SearchPage)})
	for _, h := range a.Hits {
		out.Hits = append(out.Hits, wire.SearchHit{Message: h.Message, Snippet: h.Snippet, File: h.File})
	}
	out.Next, out.Position, out.Building = a.Next, a.Position, a.Building
	return out, err
}

func (s *Service) searchRebuild(_ *Call, _ *wire.Empty) (wire.Done, error) {
	if s.opt.Search == nil {
		return wire.Done{}, noSearch()
	}
	s.opt.Search.Rebuild()
	return wire.Done{}, nil
}

func (s *Service) searchNames(c *Call, p *wire.NamesParams) (wire.NamesResult, error) {
	if err := nameQuery(p.Query); err != nil {
		return wire.NamesResult{}, err
	}
	return s.s.Named(p.Query, c.Actor.User, limit(p.Limit, 10, wire.NamesPage)), nil
}

// maxNameQuery is the longest query for a name, in bytes.
const maxNameQuery = 400

func nameQuery(q string) error {
	if len(q) > maxNameQuery {
		return wire.Refusef(wire.TooLarge, "a query for a name has at most %d bytes", "名称搜索词最多 %d 字节", maxNameQuery)
	}
	return nil
}
