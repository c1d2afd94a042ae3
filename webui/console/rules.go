package console

import (
	"net/url"
	"strconv"
	"time"
)

// RuleRow is one rule in the list of them.
type RuleRow struct {
	ID       string
	Name     string
	About    string // what it says when it fires
	State    string // inactive, pending, firing, no_data, error, disabled, unknown
	Word     string // the same in the reader's language
	Level    Level  // of the state
	Severity Level  // Neutral: none, or a foreign one
	Since    time.Time
	Reason   string
	Group    string
	Origin   string // where it comes from
	Expr     string
	Alerts   int // that are active
}

// Href is the page of the rule.
func (r RuleRow) Href() string { return "/admin/rules/rule?" + url.Values{"id": {r.ID}}.Encode() }

// RuleProblem is a file that is refused.
type RuleProblem struct{ Text string }

// RuleAlert is an active alert of a rule.
type RuleAlert struct {
	Word    string
	Level   Level
	Summary string
	Labels  string
	Value   string
	Since   time.Time
}

// RuleSpan is a stretch of the state timeline; From and To are parts of its
// width, 0 to 1000.
type RuleSpan struct {
	State, Word string
	Labels      string
	X, Width    float64
	From, To    time.Time
}

func (s RuleSpan) x() string     { return strconv.FormatFloat(s.X, 'f', 1, 64) }
func (s RuleSpan) width() string { return strconv.FormatFloat(max(s.Width, 2), 'f', 1, 64) }

// DiffLine is a line of a comparison; Sign is a space, - or +.
type DiffLine struct {
	Sign string
	Text string
}

func (l DiffLine) class() string {
	switch l.Sign {
	case "-":
		return "diff-out"
	case "+":
		return "diff-in"
	}
	return "diff-same"
}

// RuleChange is an entry of a rule's history.
type RuleChange struct {
	Number string
	At     time.Time
	Who    string
	Action string
	Note   string
	Diff   []DiffLine
}

// RuleView is the page of one rule.
type RuleView struct {
	Row         RuleRow
	Description string
	YAML        string
	Data        string // address of the chart's data; empty: nothing to draw
	For, Every  string
	At          time.Time
	Took        string
	Threshold   string
	Runbook     string
	Alerts      []RuleAlert
	Spans       []RuleSpan
	From, To    time.Time // of the timeline
	Changed     []DiffLine
	History     []RuleChange
	Disabled    bool
	Own         bool // made here: can be deleted
	Alerting    bool
	Confirms    []Confirmation
	Refused     string
}

// RuleEdit is the form of a rule.
type RuleEdit struct {
	ID       string // empty: a new one
	Name     string
	Form     Form
	Preview  *RulePreview
	Unsaved  []DiffLine
	Metrics  []string
	Shipped  bool
	Original string
}

// RulePreview is what a rule would have done.
type RulePreview struct {
	Sentence string
	Level    Level
	Data     string // address of the chart's data
	Periods  []RulePeriod
	More     int // periods that are not listed
	Exact    string
}

// RulePeriod is a time in which it would have fired.
type RulePeriod struct {
	From, To time.Time
	Open     bool
	Labels   string
	Value    string
}

// RuleFile is one of the operator's rule files.
type RuleFile struct {
	Name   string
	Text   string
	Form   Form
	Others []string

	Remove  *Confirmation // nil: it cannot be removed here
	History []RuleChange  // of all files, the latest first
}

// inPath escapes a part of a path.
func inPath(s string) string { return url.PathEscape(s) }

// query escapes a value of a query.
func query(s string) string { return url.QueryEscape(s) }
