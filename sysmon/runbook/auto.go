package runbook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/google/renameio/v2"

	"posthouse/sysmon/words"
)

// Permission lets an action run by itself when an alert opens.
type Permission struct {
	Alert   string      `json:"alert"`
	Action  string      `json:"action"`
	On      bool        `json:"on"`
	PerHour int         `json:"per_hour"` // 1 … 12
	Runs    []time.Time `json:"runs,omitempty"`
	Fails   int         `json:"fails,omitempty"`  // in a row
	Broken  words.Text  `json:"broken,omitzero"`  // why the breaker opened; empty: it is closed
	Opened  []time.Time `json:"opened,omitempty"` // times the alert came back within an hour after the action
}

// Bounds of automatic actions.
const (
	autoPerHour = 12 // of all permissions together
	autoSettle  = 5 * time.Minute
	autoBack    = 3 // times an alert may come back within an hour
	autoFails   = 2
)

func (b *Books) readAuto() error {
	raw, err := os.ReadFile(filepath.Join(b.dir, autoFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(raw, &b.auto)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w; remove it to begin without automatic actions", filepath.Join(b.dir, autoFile), err)
	}
	for _, p := range b.auto {
		if n := len(p.Runs); n > 0 && p.Runs[n-1].Add(autoSettle).After(b.quiet) {
			b.quiet = p.Runs[n-1].Add(autoSettle)
		}
	}
	return nil
}

// saveAuto writes the permissions; the caller holds the lock.
func (b *Books) saveAuto() error {
	raw, err := json.MarshalIndent(b.auto, "", "  ")
	if err == nil {
		err = renameio.WriteFile(filepath.Join(b.dir, autoFile), append(raw, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep automatic actions: %w", err)
	}
	return nil
}

// Permissions are the allow-list of automatic actions.
func (b *Books) Permissions() []Permission {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.auto)
}

// Allow puts a permission into the allow-list, changes it, or (on false) takes
// it out. Allowing one again closes its breaker. The error is a *Refusal for
// an action that may not run by itself.
func (b *Books) Allow(ctx context.Context, who Person, alert, action string, on bool, perHour int) error {
	a, ok := b.action(action)
	e := AuditEntry{Who: who, Action: "runbook.auto", Object: alert + " " + action, Detail: fmt.Sprintf("on=%v per_hour=%d", on, perHour), Outcome: "refused"}
	var refused *Refusal
	switch {
	case who.Role != "owner" && who.Role != "admin":
		refused = refuse("only an admin or owner may do that", "只有管理员或所有者可以这样做")
	case !ok || !a.Auto || len(a.Asks) > 0:
		refused = refuse("this action is not one that may run by itself", "此操作不允许自动执行")
	case !slices.ContainsFunc(All(), func(r Runbook) bool { return r.Alert == alert }):
		refused = refuse("there is no such alert", "没有这个告警")
	case perHour < 1 || perHour > autoPerHour:
		refused = refuse("1 to 12 times an hour", "每小时 1 到 12 次")
	}
	if refused != nil {
		b.opt.Audit(ctx, e)
		return refused
	}
	b.mu.Lock()
	i := slices.IndexFunc(b.auto, func(p Permission) bool { return p.Alert == alert && p.Action == action })
	switch {
	case !on && i >= 0:
		b.auto = slices.Delete(slices.Clone(b.auto), i, i+1)
	case on && i >= 0:
		p := &b.auto[i]
		p.On, p.PerHour, p.Broken, p.Fails, p.Opened = true, perHour, words.Text{}, 0, nil
	case on:
		b.auto = append(b.auto, Permission{Alert: alert, Action: action, On: true, PerHour: perHour})
	}
	err := b.saveAuto()
	b.mu.Unlock()
	if e.Outcome = "done"; err != nil {
		e.Outcome = "failed"
	}
	b.opt.Audit(ctx, e)
	return err
}

// AutoRun is one run of an action by itself, and its case.
type AutoRun struct {
	Case string
	Act
}

// AutoRuns are the last runs of an action by itself for an alert, the newest
// first, as far as their cases are kept.
func (b *Books) AutoRuns(alert, action string, most int) []AutoRun {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []AutoRun
	for _, id := range slices.Backward(b.order) {
		c := b.cases[id]
		if c.Alert.Name != alert {
			continue
		}
		for _, act := range slices.Backward(c.Acts) {
			if act.Auto && act.Action == action && len(out) < most {
				out = append(out, AutoRun{id, act})
			}
		}
	}
	return out
}

func lastHour(list []time.Time, now time.Time) []time.Time {
	return slices.DeleteFunc(slices.Clone(list), func(t time.Time) bool { return now.Sub(t) >= time.Hour || t.After(now) })
}

// automatic runs at most one action of the allow-list for a case that has just
// opened.
func (b *Books) automatic(ctx context.Context, id string) {
	c, err := b.Case(id)
	if err != nil {
		return
	}
	a, broken, ok := b.choose(c)
	if broken != (words.Text{}) {
		b.opt.Post(ctx, broken)
	}
	if !ok {
		return
	}
	act, err := b.run(ctx, c, "auto", a, nil, Request{Case: id, Who: Person{Name: "Posthouse", Role: "box"}}, true)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.within--
	b.quiet = b.opt.Now().Add(autoSettle)
	for i := range b.auto {
		p := &b.auto[i]
		if p.Alert != c.Alert.Name || p.Action != a.ID {
			continue
		}
		if err == nil && !act.Failed {
			p.Fails = 0
		} else if p.Fails++; p.Fails >= autoFails {
			p.Broken = words.Of("it failed twice in a row", "连续两次失败")
		}
	}
	if err := b.saveAuto(); err != nil {
		b.opt.Log.Error("automatic action", "error", err)
	}
}

// choose takes the first permission that holds. broken is a text for the room
// when a breaker opened just now.
func (b *Books) choose(c Case) (a Action, broken words.Text, ok bool) {
	now := b.opt.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	all := 0
	for _, p := range b.auto {
		all += len(lastHour(p.Runs, now))
	}
	for i := range b.auto {
		p := &b.auto[i]
		if p.Alert != c.Alert.Name || !p.On || p.Broken != (words.Text{}) {
			continue
		}
		if p.Runs = lastHour(p.Runs, now); len(p.Runs) > 0 {
			p.Opened = append(lastHour(p.Opened, now), now)
		}
		if len(p.Opened) >= autoBack {
			p.Broken = words.Of("the alert came back three times within an hour: the action does not help", "一小时内告警三次复发：此操作没有效果")
			broken = words.Of(fmt.Sprintf("⛔ automatic action %s for %s is switched off: %s", p.Action, p.Alert, p.Broken.EN),
				fmt.Sprintf("⛔ %[2]s 的自动操作 %[1]s 已停用：%[3]s", p.Action, p.Alert, p.Broken.ZH))
			continue
		}
		act, can := b.action(p.Action)
		if ok || !can || len(p.Runs) >= p.PerHour || all >= autoPerHour || b.within > 0 || now.Before(b.quiet) || now.Sub(b.ran[p.Action]) < act.Rest {
			continue
		}
		p.Runs = append(p.Runs, now)
		a, ok = act, true
		b.within++
	}
	if err := b.saveAuto(); err != nil {
		b.opt.Log.Error("automatic action", "error", err)
		if ok {
			b.within--
		}
		return a, broken, false // what is not counted durably does not run
	}
	return a, broken, ok
}
