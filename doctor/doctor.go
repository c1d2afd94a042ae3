// Package doctor owns the question why a Posthouse does not start, or why
// browsers do not reach it: what is looked at on the way from the configuration
// to a browser on the LAN, what was found of each thing, and what to do.
//
// It promises to change nothing. Listeners that it opens to see whether a port
// is free are closed at once, and only opened while no server runs; the lock of
// the data directory is read, never tried; nothing is written, and what is
// flushed to see how long that takes lies on the disk already. It works with a
// server that runs, that is stopped or that hangs, and with a configuration
// that is wrong. What the caller's account may not see is a finding, not an
// error.
//
// Every step has a time it may take: 3 seconds over the network (a second for
// an answer by multicast), 5 for a program of the system. Programs of the
// system (systemctl, ufw, firewall-cmd, nft, iptables) are only asked to print.
//
// A Finding is an element of the JSON of the command; the names in it are kept.
// Its texts are in one language, that of Options.
//
// Goroutines end before Look and FromLAN return.
package doctor

import (
	"context"
	"errors"
	"strings"
	"time"

	"posthouse/appliance/config"
)

// States of a Finding.
const (
	Well = "well"
	Odd  = "odd" // works, or may work: somebody should know
	Bad  = "bad" // the server does not start, or browsers do not reach it
)

// Finding is what was found of one thing.
type Finding struct {
	Check  string `json:"check"`  // configuration, data, space, disk, server, unit, port, certificate, name, listener, firewall, clock, descriptors; from elsewhere also address, connect, tls, health, socket
	State  string `json:"state"`  // Well, Odd or Bad
	Looked string `json:"looked"` // at what
	Found  string `json:"found"`
	Do     string `json:"do,omitempty"` // set when the state is Odd or Bad
}

// Count is how many findings have a state.
func Count(list []Finding, state string) int {
	n := 0
	for _, f := range list {
		if f.State == state {
			n++
		}
	}
	return n
}

// Options say to whom findings are told.
type Options struct {
	Lang string        // zh, or else English
	Path string        // directories of programs, separated by colons, searched before those of the system
	Tell func(Finding) // called with each finding as it is made; may be nil
}

// Box is a Posthouse on this machine, as its configuration describes it.
type Box struct {
	Config      config.Config
	Problem     error  // of reading the configuration; of config.Errors each is told. nil: none
	File        string // of the configuration; empty: the defaults
	Service     bool   // File is what posthouse.service runs with
	Flags       string // that a start needs to find the same box, each with a blank behind it
	LockFile    string // whoever has the data directory open has locked it
	CertDir     string // of the box's own authority
	Authorities string // certificates (PEM) that a device has to trust to reach the box; empty: those of its system
	Reserve     int64  // bytes that must be free for messages to be taken
	Exit        Exit
}

// Exit are exit codes of the server.
type Exit struct {
	Config int // the configuration is wrong
	Try    int // another process has the data directory
	Store  int // the disk failed
}

// diagnosis is one look, under way.
type diagnosis struct {
	say  speech
	path string
	tell func(Finding) // may be nil
	list []Finding

	box  Box
	unit *unitInfo // nil: systemd does not know this server
	pid  int       // of the running server; 0: none, or not known
	runs bool      // it answers on its socket
	who  account   // that the server runs as
}

func newDiagnosis(o Options) *diagnosis {
	return &diagnosis{say: speech{o.Lang}, path: o.Path, tell: o.Tell}
}

func (d *diagnosis) note(check, state, looked, found, do string) {
	f := Finding{check, state, looked, found, do}
	d.list = append(d.list, f)
	if d.tell != nil {
		d.tell(f)
	}
}

func (d *diagnosis) well(check, looked, found string)    { d.note(check, Well, looked, found, "") }
func (d *diagnosis) odd(check, looked, found, do string) { d.note(check, Odd, looked, found, do) }
func (d *diagnosis) bad(check, looked, found, do string) { d.note(check, Bad, looked, found, do) }

// Look looks at this machine, in the order in which a start and a browser meet
// things.
func Look(ctx context.Context, b Box, o Options) []Finding {
	d := newDiagnosis(o)
	d.box = b
	d.lookAtBox(ctx)
	return d.list
}

func (d *diagnosis) lookAtBox(ctx context.Context) {
	if d.box.Service {
		d.unit = d.findUnit(ctx)
	}
	broken := d.lookAtConfig()
	if !broken["*"] {
		d.findServer()
		d.who = d.account()
		if !broken["server.data_dir"] {
			d.lookAtData()
			d.lookAtDisk()
		}
		d.lookAtServer()
	}
	d.lookAtUnit()
	if len(broken) == 0 {
		d.lookAtPorts(ctx)
		d.lookAtCertificate()
		d.lookAtName(ctx)
		d.lookAtListeners(ctx)
		d.lookAtFirewall(ctx)
	}
	d.lookAtClock(time.Now())
	if len(broken) == 0 {
		d.lookAtDescriptors()
	}
}

// lookAtConfig tells what is wrong with the configuration and answers with the
// keys that are; "*" is there when a file could not be read at all, so that
// nothing in d.box.Config can be believed.
func (d *diagnosis) lookAtConfig() map[string]bool {
	looked := d.say.of("configuration", "配置")
	name := d.box.File
	if name == "" {
		name = d.say.of("the defaults", "默认配置")
	}
	err := d.box.Problem
	if err == nil {
		d.well("configuration", looked, name)
		return nil
	}
	broken := map[string]bool{}
	var list config.Errors
	if !errors.As(err, &list) {
		d.bad("configuration", looked, d.say.err(err), d.say.of("call the command as its help says", "请按帮助中的说明执行"))
		return map[string]bool{"*": true}
	}
	for _, e := range list {
		key := e.Key
		if key == "" || e.Source.Kind == config.FromFile && !strings.Contains(key, ".") {
			key = "*"
		}
		broken[key] = true
		do := d.say.of("correct it, then: posthouse config test "+name, "请改正后执行：posthouse config test "+name)
		if e.Kind != config.FromFile {
			do = d.say.of("correct it; posthouse config describe explains every key", "请改正；posthouse config describe 说明每个配置项")
		}
		d.bad("configuration", looked, e.Text(d.say.lang), do)
	}
	return broken
}
