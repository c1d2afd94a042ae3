package admin

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"posthouse/webui/console"
)

// List reads from the address what the reader wants to see of a list. sort is
// the column it begins with; a name with a minus before it is largest first.
func (r *Request) List(sort string) console.List {
	l := console.List{Path: string(r.ctx.Path()), Query: r.Queries(), Search: strings.TrimSpace(r.Query("q")), Page: 1, Size: 50}
	l.Sort, l.Down = strings.TrimPrefix(sort, "-"), strings.HasPrefix(sort, "-")
	if key := r.Query("sort"); key != "" {
		l.Sort, l.Down = key, r.Query("dir") == "desc"
	}
	if n, err := strconv.Atoi(r.Query("page")); err == nil && n > 0 && n < 1_000_000 {
		l.Page = n
	}
	if n, err := strconv.Atoi(r.Query("size")); err == nil && slices.Contains(console.Sizes(), n) {
		l.Size = n
	}
	return l
}

// Pick gives the rows of the page: those that match, in the order asked for.
// matches compares a row with the search, in lower case; orders are the columns
// that can be sorted. With format=csv in the address all rows are given.
func Pick[T any](l *console.List, rows []T, matches func(row T, search string) bool, orders map[string]func(a, b T) int) []T {
	if search := strings.ToLower(l.Search); search != "" {
		rows = slices.DeleteFunc(slices.Clone(rows), func(row T) bool { return !matches(row, search) })
	}
	if order, ok := orders[l.Sort]; ok {
		rows = slices.Clone(rows)
		slices.SortStableFunc(rows, func(a, b T) int {
			if l.Down {
				return order(b, a)
			}
			return order(a, b)
		})
	}
	l.Total = len(rows)
	if l.Query.Get("format") == "csv" {
		return rows
	}
	l.Page = min(l.Page, l.Pages())
	return rows[l.From():l.To()]
}

// Holds reports whether one of the texts contains the search, which is in
// lower case.
func Holds(search string, texts ...string) bool {
	return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(strings.ToLower(t), search) })
}

// WantsCSV reports whether the list is asked for as CSV.
func (r *Request) WantsCSV() bool { return r.Query("format") == "csv" }

// CSV answers with a file in UTF-8 with a byte order mark, which spreadsheets
// want. A text that a spreadsheet would take for a formula gets an apostrophe.
func (r *Request) CSV(name string, header []string, rows [][]string) {
	var b bytes.Buffer
	b.WriteString("\uFEFF")
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	for _, row := range append([][]string{header}, rows...) {
		safe := make([]string, len(row))
		for i, cell := range row {
			safe[i] = tame(cell)
		}
		_ = w.Write(safe) // memory
	}
	w.Flush()
	r.ctx.SetContentType("text/csv; charset=utf-8")
	r.ctx.Response.Header.Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	r.ctx.SetStatusCode(fasthttp.StatusOK)
	r.ctx.Response.SetBodyRaw(b.Bytes())
}

func tame(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return cell
	}
	if _, err := strconv.ParseFloat(cell, 64); err == nil {
		return cell
	}
	return "'" + cell
}
