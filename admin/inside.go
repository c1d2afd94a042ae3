package admin

import (
	"time"

	"posthouse/appliance/meter"
	"posthouse/appliance/wire"
	"posthouse/sysmon/words"
)

// Inside is what the server tells of its own inside, and what may be done to
// it. Func values that are nil leave their page empty.
type Inside struct {
	Sessions   func() []Session
	Session    func(connection uint64) (Session, bool)
	Disconnect func(connection uint64) bool

	UnderWay func() []meter.Operation // longer than a tenth of a second
	Slow     func() []meter.Operation // the latest first
	Cancel   func(id uint64) (op meter.Operation, found, cancelled bool)
	Faults   func() []meter.Fault
	// Who is the login of an account's id as operations tell it; the text itself
	// when it is none.
	Who func(user string) string

	Storage func() Storage
	Look    func() // begins to look at every page of the databases
	Compact func() // begins to compact the state file

	Metrics func() []Metric
}

// Session is a connection with the names that belong to it.
type Session struct {
	wire.SessionInfo
	Name, Login string
	DeviceName  string
	Kind        string
}

// Storage is what lies on the disk.
type Storage struct {
	Databases []Database
	Journal   int64
	Segments  int
	Records   uint64
	Durable   words.Text
	ReadOnly  words.Text // why nothing can be stored; empty: it can
	Work      words.Text // what is being done now
	Result    words.Text // of the last compaction
	Failed    bool
}

// Database is one database file; Buckets and the share that is free are of the
// last look at every page.
type Database struct {
	Name    string
	Bytes   int64
	Free    float64 // share of its pages; below 0: nobody has looked
	Looked  time.Time
	Buckets []Bucket
}

// Bucket is a part of a database.
type Bucket struct {
	Name  string
	Keys  int
	Bytes int64
}

// Metric is one entry of the dictionary.
type Metric struct {
	Name, Alias, Type, Unit, Source string
	Labels                          []string
	Help, Normal, Action            words.Text
}

func insideRoutes() []Route {
	return []Route{
		{Method: "GET", Path: "/admin/sessions", Title: words.Of("Sessions", "会话"), Group: Reference, Icon: "plug", Need: Sees, Handle: (*Admin).sessionsPage},
		{Method: "GET", Path: "/admin/sessions/{connection}", Title: words.Of("Session", "会话"), Under: "/admin/sessions", Need: Sees, Handle: (*Admin).sessionPage},
		{Method: "POST", Path: "/admin/sessions/{connection}/disconnect", Title: words.Of("Session", "会话"), Need: Manages, Handle: (*Admin).disconnect},
		{Method: "POST", Path: "/admin/sessions/{connection}/logout", Title: words.Of("Session", "会话"), Need: Manages, Handle: (*Admin).endSession},
		{Method: "GET", Path: "/admin/operations", Title: words.Of("Operations", "操作"), Group: Reference, Icon: "gauge", Need: Sees, Handle: (*Admin).operationsPage},
		{Method: "POST", Path: "/admin/operations/cancel", Need: Manages, Handle: (*Admin).cancelOperation},
		{Method: "GET", Path: "/admin/storage", Title: words.Of("Storage", "存储"), Group: Reference, Icon: "disk", Need: Sees, Handle: (*Admin).storagePage},
		{Method: "POST", Path: "/admin/storage/look", Need: Manages, Handle: (*Admin).lookAtStorage},
		{Method: "POST", Path: "/admin/storage/compact", Title: words.Of("Storage", "存储"), Need: Manages, Handle: (*Admin).compact},
		{Method: "GET", Path: "/admin/metrics", Title: words.Of("Metrics", "指标"), Group: Reference, Icon: "list", Need: Sees, Handle: (*Admin).metricsPage},
	}
}
