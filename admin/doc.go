// Package admin owns the operator's console: which pages there are, who may
// open them, what they do, and the stream that keeps them live. The pages
// themselves are drawn by webui/console; what they show comes through the func
// values in Options, so that this package opens nothing and measures nothing.
//
// One table of routes (routes.go, put together from the areas), one file per
// page. A page of a new area: a file with a func xRoutes() []Route, a line in
// Routes, a .templ file in webui/console, and what it needs to know as a field
// of Options.
//
// What it promises:
//
//   - Roles: owners, admins and auditors come in. A POST needs an admin unless
//     its route says Personal, which is for what concerns the visitor's own
//     browser alone. Members, and anybody for whom there is no such page, get
//     the same answer.
//   - What changes something carries the token of its page (field csrf or
//     header X-CSRF-Token); the door has checked that it came from a page of this
//     server before.
//   - Dangerous routes (Sudo) want the password again when it was last given
//     more than SudoTime ago. That is kept in memory, by device: a restart forgets it.
//     The page that asks carries the form that waits (its fields are hidden ones of
//     the page, nothing is kept here) and sends it to where it was going, with the
//     password. Sudo has what changes roles and passwords, what hands out keys
//     (invitations, tokens of probes), and what shows what is in memory.
//   - Nothing is offered that the visitor may not do; who may change which account
//     is decided by the chat's methods, whose refusals come back in the form.
//   - Every address is a whole page; with the header HX-Request it is the part
//     that the script puts in (Vary says so). A form with mistakes comes back with
//     status 422, its values and what is wrong.
//   - Lists keep search, order, filter and page in the address.
//
// The stream, GET /admin/events?topics=a+b: text/event-stream. Each event has
// the name of its topic, an id "<start of the server>.<number>", and one JSON value or
// one piece of HTML as data. A Live topic is a state: a new stream gets it at once, and
// again whenever it has changed; with Last-Event-ID only what changed since.
// A comment and the event beat every 15 s keep the connection open and tell the
// page that it is. The event bye ends it: data login (the session is over), full (too many streams of this
// person: 8), drain (the server stops). A reader with 64 events waiting is dropped,
// and comes back with its id.
//
// The wizard of the first run, /admin/setup, asks the list of first steps that
// the overview shows. A part is done when its steps are; what the box cannot find
// out (that a name is right, that devices trust the certificate) is done when
// somebody says so, and only that and what was passed over is kept.
//
// Cookies, both readable by no other site: posthouse-look ("lang=zh&theme=dark&keys=off")
// and posthouse-said (what was just done, shown once).
//
// Goroutines: the hub's loop, which asks the Live topics once a second while
// somebody looks, and one writer for each stream. All end in Close.
package admin
