package alert

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/nflog"
	"github.com/prometheus/alertmanager/nflog/nflogpb"
	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// maxRepeat is the longest repeat interval: the notification log remembers
// twice as long.
const maxRepeat = 5 * 24 * time.Hour

// ledger is Alertmanager's notification log, written to the file with each
// entry. The original writes every 15 minutes, and ignores what it is told
// after the clock went back.
type ledger struct {
	db *db

	mu  sync.Mutex
	log *nflog.Log
}

func openLedger(d *db) (*ledger, error) {
	l := &ledger{db: d}
	return l, l.load(d.blob("engine", "nflog"))
}

func (l *ledger) load(snapshot []byte) error {
	log, err := nflog.New(nflog.Options{SnapshotReader: bytes.NewReader(snapshot), Retention: 2*maxRepeat + time.Hour, Metrics: prometheus.NewRegistry()})
	if err != nil {
		return fmt.Errorf("open the notification log: %w", err)
	}
	l.log = log
	return nil
}

// Log remembers that a receiver was told.
func (l *ledger) Log(r *nflogpb.Receiver, group string, firing, resolved []uint64, store *nflog.Store, expiry time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.heal(r, group); err != nil {
		return err
	}
	if err := l.log.Log(r, group, firing, resolved, store, expiry); err != nil {
		return fmt.Errorf("remember a notice: %w", err)
	}
	return l.save()
}

// heal brings entries that lie in the future back to now.
func (l *ledger) heal(r *nflogpb.Receiver, group string) error {
	now := time.Now()
	have, err := l.log.Query(nflog.QGroupKey(group), nflog.QReceiver(r))
	if err != nil || len(have) == 0 || !have[0].Timestamp.AsTime().After(now) {
		return nil // nothing there, or in order
	}
	raw, err := l.log.MarshalBinary()
	if err != nil {
		return fmt.Errorf("read the notification log: %w", err)
	}
	var out bytes.Buffer
	for in := bytes.NewReader(raw); ; {
		var e nflogpb.MeshEntry
		if err := protodelim.UnmarshalFrom(in, &e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("read the notification log: %w", err)
		}
		if late := e.Entry.Timestamp.AsTime().Sub(now); late > 0 {
			e.Entry.Timestamp = timestamppb.New(now)
			e.ExpiresAt = timestamppb.New(e.ExpiresAt.AsTime().Add(-late))
		}
		if _, err := protodelim.MarshalTo(&out, &e); err != nil {
			return fmt.Errorf("write the notification log: %w", err)
		}
	}
	return l.load(out.Bytes())
}

func (l *ledger) save() error {
	raw, err := l.log.MarshalBinary()
	if err != nil {
		return fmt.Errorf("read the notification log: %w", err)
	}
	return l.db.setBlob("engine", "nflog", append([]byte{}, raw...))
}

// Query asks what a receiver was told last.
func (l *ledger) Query(params ...nflog.QueryParam) ([]*nflogpb.Entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.log.Query(params...)
}

// sweep forgets what is too old to matter.
func (l *ledger) sweep() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n, err := l.log.GC(); err != nil || n == 0 {
		return err
	}
	return l.save()
}
