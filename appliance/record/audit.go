package record

import "posthouse/appliance/id"

// Audited says that somebody did, or tried to do, something that an auditor
// may ask about. It changes nothing else. It holds no secrets.
type Audited struct {
	At      int64  `cbor:"1,keyasint"`           // when it happened, Unix ms
	Actor   id.ID  `cbor:"2,keyasint,omitempty"` // account; 0 = the box itself or its command line
	Name    string `cbor:"3,keyasint,omitempty"` // of the actor at that time
	Role    string `cbor:"4,keyasint,omitempty"` // of the actor at that time; operator, box
	Address string `cbor:"5,keyasint,omitempty"` // where from, without port
	Action  string `cbor:"6,keyasint"`           // such as runbook.run
	Object  string `cbor:"7,keyasint,omitempty"` // what it was done to
	Detail  string `cbor:"8,keyasint,omitempty"` // with which values
	Outcome string `cbor:"9,keyasint"`           // done, refused, failed, tried
}

// Kind implements Body.
func (*Audited) Kind() Kind { return KindAudited }
