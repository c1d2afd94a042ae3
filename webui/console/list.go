package console

import (
	"net/url"
	"strconv"
)

// List is what a reader wants to see of a list. All of it stands in the
// address, so that it can be shared and the back button works: q, sort, dir,
// page, size, and the page's own filters.
type List struct {
	Path  string // of the page, without its query
	Query url.Values

	Search string
	Sort   string // key of a column; empty: as it comes
	Down   bool   // largest first
	Page   int    // from 1
	Size   int    // rows of a page
	Total  int    // rows there are, after filtering
}

// Sizes are the page sizes to choose from.
func Sizes() []int { return []int{25, 50, 100, 500} }

// From and To are the rows of the page, as positions in a slice of Total rows.
func (l List) From() int { return min((l.Page-1)*l.Size, l.Total) }

// To is one past the last row of the page.
func (l List) To() int { return min(l.From()+l.Size, l.Total) }

// Pages is how many pages there are, at least 1.
func (l List) Pages() int { return max(1, (l.Total+l.Size-1)/l.Size) }

// with is the address of the list with some parameters changed; empty values
// take theirs out. Changing anything but the page begins at the first.
func (l List) with(pairs ...string) string {
	q := url.Values{}
	for name, values := range l.Query {
		if name != "page" {
			q[name] = values
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		} else {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return l.Path
	}
	return l.Path + "?" + q.Encode()
}

// CSV is the address of the whole list as CSV.
func (l List) CSV() string { return l.with("format", "csv") }

func (l List) page(n int) string { return l.with("page", strconv.Itoa(n)) }

// Column is a column of a table.
type Column struct {
	Key     string // of sorting; empty: cannot be sorted
	Title   string
	Numeric bool
}

// sorting is the address that sorts by a column, or turns the order.
func (l List) sorting(c Column) string {
	if l.Sort == c.Key && !l.Down {
		return l.with("sort", c.Key, "dir", "desc")
	}
	return l.with("sort", c.Key, "dir", "")
}

func (l List) order(c Column) string {
	switch {
	case c.Key == "" || l.Sort != c.Key:
		return "none"
	case l.Down:
		return "descending"
	}
	return "ascending"
}

// Filter is a choice above a list, by a parameter of the address.
type Filter struct {
	Name    string
	Label   string
	Options []Option // the first is: all
}

func (l List) chosen(name string) string { return l.Query.Get(name) }

// hidden are the parameters that a search keeps: those that are no field of it.
func (l List) hidden(filters []Filter) map[string]string {
	out := map[string]string{}
	for name := range l.Query {
		out[name] = l.Query.Get(name)
	}
	for _, f := range filters {
		delete(out, f.Name)
	}
	for _, name := range []string{"q", "page", "size", "format"} {
		delete(out, name)
	}
	return out
}
