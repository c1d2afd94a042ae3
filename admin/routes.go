package admin

import (
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"posthouse/sysmon/words"
)

// Need is the least role that a route takes.
type Need int

// The needs. Anyone is also who is not logged in.
const (
	Anyone  Need = iota
	Sees         // auditor, admin, owner
	Manages      // admin, owner
)

// Group is a part of the navigation.
type Group int

// The groups, in their order. Hidden routes are not in the navigation.
const (
	Hidden Group = iota
	Home
	Alerting
	Checking
	Reference
)

func (g Group) title() words.Text {
	switch g {
	case Alerting:
		return words.Of("Alerts", "告警")
	case Checking:
		return words.Of("Checks", "检查")
	case Reference:
		return words.Of("Look up", "查询")
	}
	return words.Text{}
}

// Route is one page or one action.
type Route struct {
	Method string // GET or POST
	Path   string // segments in braces are arguments: /admin/alerts/{id}
	Title  words.Text
	Group  Group
	Icon   string // of console's icons
	Badge  string // id of the live counter in the navigation
	Under  string // path of the page that is above this one, for the way here
	Need   Need
	Sudo   bool // the password is asked for again
	// Download answers with a file: the page that asked stays.
	Download bool
	// Personal POSTs concern the visitor's own browser alone: auditors may.
	Personal bool
	// Topics of the stream that the page follows, beside those of the frame.
	Topics []string
	// Query is the example of a query that shows the page full; for tests.
	Handle func(*Admin, *Request)
}

// Routes is the table of the console. Areas are listed in the order of the
// navigation.
func Routes() []Route {
	return slices.Concat(
		overviewRoutes(),
		setupRoutes(),
		boardRoutes(),
		alertRoutes(),
		silenceRoutes(),
		channelRoutes(),
		ruleRoutes(),
		probeRoutes(),
		machineRoutes(),
		mindingRoutes(),
		automaticRoutes(),
		peopleRoutes(),
		accountRoutes(),
		invitationRoutes(),
		insideRoutes(),
		queryRoutes(),
		findRoutes(),
		shellRoutes(),
	)
}

// shellRoutes are those of the frame.
func shellRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/admin/login", Title: words.Of("Log in", "登录"), Need: Anyone, Handle: (*Admin).loginPage},
		{Method: "POST", Path: "/admin/login", Title: words.Of("Log in", "登录"), Need: Anyone, Personal: true, Handle: (*Admin).login},
		{Method: "POST", Path: "/admin/logout", Need: Sees, Personal: true, Handle: (*Admin).logout},
		{Method: "GET", Path: "/admin/sudo", Title: sudoTitle(), Need: Sees, Handle: (*Admin).sudoPage},
		{Method: "POST", Path: "/admin/sudo", Title: sudoTitle(), Need: Sees, Personal: true, Handle: (*Admin).sudoCheck},
		{Method: "GET", Path: "/admin/status", Title: words.Of("Is the chat well?", "聊天是否正常？"), Need: Anyone, Handle: (*Admin).statusPage},
		{Method: "POST", Path: "/admin/look", Need: Anyone, Personal: true, Handle: (*Admin).chooseLook},
		{Method: "GET", Path: "/admin/help", Title: words.Of("Help", "帮助"), Need: Sees, Handle: (*Admin).help},
		{Method: "POST", Path: "/admin/support", Need: Manages, Sudo: true, Download: true, Handle: (*Admin).support},
		{Method: "GET", Path: "/admin/gallery", Title: words.Of("Components", "组件"), Under: "/admin/help", Need: Sees, Handle: (*Admin).gallery},
		{Method: "GET", Path: "/admin/data/gallery", Need: Sees, Handle: (*Admin).galleryData},
		{Method: "GET", Path: "/admin/events", Need: Sees, Handle: (*Admin).events},
	}
}

// find is the route of a request, and the arguments in its path.
func (a *Admin) find(method, path string) (*Route, map[string]string) {
	for i := range a.routes {
		r := &a.routes[i]
		if r.Method != method {
			continue
		}
		if args, ok := match(r.Path, path); ok {
			return r, args
		}
	}
	return nil, nil
}

// known reports whether a path has a route of any method.
func (a *Admin) known(path string) bool {
	return slices.ContainsFunc([]string{fasthttp.MethodGet, fasthttp.MethodPost}, func(m string) bool {
		r, _ := a.find(m, path)
		return r != nil
	})
}

// match compares a path with a pattern, segment by segment.
func match(pattern, path string) (map[string]string, bool) {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	args := map[string]string{}
	for i, w := range want {
		switch {
		case strings.HasPrefix(w, "{") && have[i] != "":
			args[strings.Trim(w, "{}")] = have[i]
		case w != have[i]:
			return nil, false
		}
	}
	return args, true
}
