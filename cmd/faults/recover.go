package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"

	"posthouse/appliance/blob"
	"posthouse/appliance/disk/disktest"
	"posthouse/appliance/id"
	"posthouse/appliance/record"
	"posthouse/appliance/state"
	"posthouse/appliance/wire"
)

// recoverOrder names a data directory as a crash has left it, and what had
// been promised by then.
type recoverOrder struct {
	Dir   string
	Acks  string // file with all acks
	Ops   int    // those with Op up to this were given; -1 = all
	Keep  disktest.Keep
	Deep  bool // rebuild and compare too
	Alone bool // there is no state file
}

type recoverAnswer struct {
	Bad  []string
	Head uint64
	Torn bool
}

func (a *recoverAnswer) bad(format string, args ...any) {
	if len(a.Bad) < 5 {
		a.Bad = append(a.Bad, fmt.Sprintf(format, args...))
	}
}

// recoverTask opens what a crash has left, looks for everything acknowledged,
// goes on working, stops, and opens once more.
func recoverTask(ctx context.Context, t recoverOrder) (a recoverAnswer) {
	acks, err := loadAcks(t)
	if err != nil {
		a.bad("read acks: %v", err)
		return a
	}
	return recovery(ctx, t, acks)
}

func recovery(ctx context.Context, t recoverOrder, acks []ack) (a recoverAnswer) {
	if err := os.MkdirAll(t.Dir, 0o700); err != nil {
		a.bad("%v", err)
		return a
	}
	o, err := openOffice(t.Dir, officeOptions{segment: workSegment})
	if err != nil {
		a.bad("open: %v", err)
		return a
	}
	a.Head, a.Torn = o.j.Head(), o.j.Recovery().TornBytes > 0
	a.kept(o, t.Dir, acks)
	a.goOn(o, t.Dir)
	if t.Deep && len(a.Bad) == 0 {
		a.Bad = append(a.Bad, auditTask(ctx, auditOrder{Dir: t.Dir, Scratch: t.Dir + ".scratch"}).Bad...)
	}
	return a
}

func loadAcks(t recoverOrder) (acks []ack, err error) {
	b, err := os.ReadFile(t.Acks)
	if err == nil {
		err = json.Unmarshal(b, &acks)
	}
	for i := range acks {
		if t.Ops >= 0 && acks[i].Op > t.Ops {
			return acks[:i], err // they are in the order of Op
		}
	}
	return acks, err
}

// kept looks for everything that was acknowledged.
func (a *recoverAnswer) kept(o *office, dir string, acks []ack) {
	sums, err := recordSums(o)
	if err != nil {
		a.bad("read the journal: %v", err)
	}
	uploads := map[string]*ack{}
	for i := range acks {
		k := &acks[i]
		switch {
		case k.Upload != "":
			uploads[k.Upload] = k
		case k.Digest != "":
			b, _ := hex.DecodeString(k.Digest)
			if err := o.b.Verify(blob.Digest(b)); err != nil {
				a.bad("acknowledged content %.8s: %v", k.Digest, err)
			}
		default:
			a.record(o, k, sums)
		}
	}
	for _, k := range uploads {
		a.upload(o, dir, k)
	}
}

// upload looks for the bytes of an upload under way.
func (a *recoverAnswer) upload(o *office, dir string, k *ack) {
	got, err := o.b.Upload(k.Upload)
	if err != nil || got.Offset < k.Offset && !got.Finished {
		a.bad("upload %.8s: %d bytes were acknowledged, %d are there: %v", k.Upload, k.Offset, got.Offset, err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "files", "staging", k.Upload+".part"))
	if errors.Is(err, fs.ErrNotExist) { // finished, or it would be damaged
		return
	}
	if err != nil || int64(len(b)) < k.Offset {
		a.bad("upload %.8s: %d bytes were acknowledged, the file has %d: %v", k.Upload, k.Offset, len(b), err)
		return
	}
	if sum := sha256.Sum256(b[:k.Offset]); fmt.Sprintf("%x", sum[:12]) != k.Sum {
		a.bad("upload %.8s: the %d acknowledged bytes are not those that were sent", k.Upload, k.Offset)
	}
}

func (a *recoverAnswer) record(o *office, k *ack, sums map[uint64]string) {
	sum, there := sums[k.Pos]
	switch {
	case k.Pos == 0:
		a.bad("LOST: a change was acknowledged without a position")
	case k.Pos > o.j.Head():
		a.bad("LOST: position %d was acknowledged, the journal ends at %d", k.Pos, o.j.Head())
	case k.Pos < o.j.First(): // released; state has it
	case !there || k.Sum != "" && sum != k.Sum:
		a.bad("CHANGED: record %d is not the one that was acknowledged", k.Pos)
	}
	if k.Seq == 0 {
		return
	}
	if _, ok, err := o.s.Message(id.Message{Room: k.Room, Seq: k.Seq}); err != nil || !ok {
		a.bad("LOST: message %d of room %s was acknowledged: %v", k.Seq, k.Room, err)
	}
}

// recordSums reads all records of the journal.
func recordSums(o *office) (map[uint64]string, error) {
	sums := map[uint64]string{}
	rd, err := o.j.ReadFrom(o.j.First())
	if err != nil {
		return nil, err
	}
	defer rd.Close()
	for {
		r, err := rd.Next()
		if errors.Is(err, io.EOF) {
			return sums, nil
		}
		if err != nil {
			return sums, err
		}
		sums[r.Pos] = payloadSum(r.Kind, r.Payload)
	}
}

// goOn works a little, stops in order, checks, and finds the work again.
func (a *recoverAnswer) goOn(o *office, dir string) {
	var last ack
	l := &life{o: o, rng: rand.New(rand.NewPCG(1, 2)), acked: func(k ack) { last = k }}
	if err := l.resume(); err != nil {
		a.bad("work after the recovery: %v", err)
	}
	head := o.j.Head()
	if err := o.s.Flush(); err != nil {
		a.bad("%v", err)
	} else if err := o.s.Check(); err != nil {
		a.bad("%v", err)
	}
	if err := o.close(); err != nil {
		a.bad("close: %v", err)
	}
	again, err := openOffice(dir, officeOptions{segment: workSegment})
	if err != nil {
		a.bad("open once more: %v", err)
		return
	}
	if again.j.Head() != head || again.s.Applied() != head {
		a.bad("after one more start the journal ends at %d and state at %d, not at %d", again.j.Head(), again.s.Applied(), head)
	}
	a.kept(again, dir, []ack{last})
	if err := again.close(); err != nil {
		a.bad("close once more: %v", err)
	}
}

// resume makes an account and a room, whoever there is already, and writes.
func (l *life) resume() error {
	c := &state.OpenAccount{User: record.User{Login: "afterwards", Name: "Afterwards"}, PHC: "none"}
	if l.o.s.Counts().Users == 0 {
		c.Setup, c.Organisation = true, "Office"
	}
	r, err := l.do(0, c)
	if err != nil {
		return err
	}
	me := r.Record.Body.(*record.AccountOpened).User.ID
	room, err := l.do(me, &state.CreateRoom{Form: wire.Group, Name: "afterwards"})
	if err != nil {
		return err
	}
	l.people = []id.ID{me}
	_, err = l.do(me, &state.SendMessage{Room: room.Room, Key: newKey(), Text: "afterwards"})
	if err != nil {
		return err
	}
	return l.upload(1000)
}
