package runbook

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"posthouse/sysmon/words"
)

// Deed is what an action does. Dry says exactly what Run would do now, and
// changes nothing.
type Deed struct {
	Dry func(ctx context.Context, t Target) (words.Text, error)
	Run func(ctx context.Context, t Target) (words.Text, error)
}

// Target is what an action is run on.
type Target struct {
	Alert Alert
	Args  map[string]string
	Who   Person
}

// Refusal is why an action was not run, in both languages.
type Refusal struct{ Text words.Text }

// Error implements error, in English.
func (r *Refusal) Error() string { return r.Text.EN }

func refuse(en, zh string) *Refusal { return &Refusal{words.Of(en, zh)} }

// Offer is a step as it can be used now by somebody.
type Offer struct {
	Step
	Action  Action
	Rests   time.Duration // of the cool-down left; 0: it can be run
	Refused words.Text    // why this person may not run it; empty: may
	Last    *Act          // last time it was run in this case
}

// Offers are the steps of a case for a person, in order. Steps whose action
// this program cannot do are left out.
func (b *Books) Offers(id string, who Person) ([]Offer, error) {
	c, err := b.Case(id)
	if err != nil {
		return nil, err
	}
	var out []Offer
	for _, s := range b.For(c.Alert).Steps {
		o := Offer{Step: s}
		if s.Action != "" {
			a, ok := b.action(s.Action)
			if !ok {
				continue
			}
			o.Action, o.Rests = a, b.rests(a)
			if err := a.allows(who); err != nil {
				o.Refused = err.Text
			}
		}
		for i := range c.Acts {
			if c.Acts[i].Step == s.ID {
				o.Last = &c.Acts[i]
			}
		}
		out = append(out, o)
	}
	return out, nil
}

// action finds an action that this program can do.
func (b *Books) action(id string) (Action, bool) {
	if b.opt.Deeds[id].Run == nil {
		return Action{}, false
	}
	for _, a := range Actions() {
		if a.ID == id {
			return a, true
		}
	}
	return Action{}, false
}

// Can are the actions that this program can do.
func (b *Books) Can() []Action {
	var out []Action
	for _, a := range Actions() {
		if _, ok := b.action(a.ID); ok {
			out = append(out, a)
		}
	}
	return out
}

func (b *Books) rests(a Action) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(0, a.Rest-b.opt.Now().Sub(b.ran[a.ID]))
}

func (a Action) allows(who Person) *Refusal {
	switch {
	case who.Role == "box" && a.Auto, who.Role == "owner", who.Role == "admin" && a.Role != "owner":
		return nil
	case a.Role == "owner":
		return refuse("only an owner may do that", "只有所有者可以这样做")
	}
	return refuse("only an admin or owner may do that", "只有管理员或所有者可以这样做")
}

// Request is a person's wish to try or run a step.
type Request struct {
	Case    string
	Step    string
	Args    map[string]string // what the step leaves open
	Confirm string            // what was typed
	Dry     bool
	Who     Person
}

// Do tries (Dry) or runs a step. The error is a *Refusal when it was not
// allowed; an action that failed is no error: Act.Failed tells it.
func (b *Books) Do(ctx context.Context, r Request) (Act, error) {
	c, err := b.Case(r.Case)
	if err != nil {
		return Act{}, err
	}
	steps := b.For(c.Alert).Steps
	i := slices.IndexFunc(steps, func(s Step) bool { return s.ID == r.Step })
	if i < 0 || steps[i].Action == "" {
		return Act{}, refuse("there is no such step", "没有这个步骤")
	}
	a, ok := b.action(steps[i].Action)
	if !ok {
		return Act{}, refuse("this server cannot do that", "本服务器不支持此操作")
	}
	args := map[string]string{}
	for k, v := range r.Args {
		if len(args) < 16 && len(k) <= 64 && len(v) <= 512 && slices.Contains(a.Asks, k) {
			args[k] = v
		}
	}
	for k, v := range steps[i].Args {
		args[k] = v
	}
	return b.run(ctx, c, steps[i].ID, a, args, r, false)
}

// actWait bounds one action.
const actWait = 2 * time.Minute

func (b *Books) run(ctx context.Context, c Case, step string, a Action, args map[string]string, r Request, auto bool) (Act, error) {
	if err := b.begin(a, r); err != nil {
		b.opt.Audit(ctx, AuditEntry{Who: r.Who, Action: "runbook." + a.ID, Object: c.Alert.Name, Detail: err.Text.EN, Outcome: "refused"})
		return Act{}, err
	}
	if !r.Dry {
		defer b.end(a)
	}
	act := Act{At: b.opt.Now(), Step: step, Action: a.ID, Args: args, Who: r.Who, Dry: r.Dry, Auto: auto}
	// An action that began goes on when its caller leaves.
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), actWait)
	defer cancel()
	deed, began := b.opt.Deeds[a.ID], time.Now()
	do := deed.Run
	if r.Dry {
		do = deed.Dry
	}
	var err error
	if act.Result, err = do(work, Target{Alert: c.Alert, Args: args, Who: r.Who}); err != nil {
		act.Failed = true
		if t, ok := err.(*Refusal); ok {
			act.Result = t.Text
		} else {
			act.Result = words.Of("failed: "+err.Error(), "失败："+err.Error())
		}
	}
	act.Took = time.Since(began)
	b.mu.Lock()
	if !r.Dry {
		b.ran[a.ID] = act.At
	}
	if now := b.cases[c.ID]; now != nil {
		if now.Acts = append(now.Acts, act); len(now.Acts) > 200 {
			now.Acts = now.Acts[len(now.Acts)-200:]
		}
		b.save(now)
	}
	b.mu.Unlock()
	b.tell(work, c, a, act)
	return act, nil
}

// begin takes the action for this run, or says why not.
func (b *Books) begin(a Action, r Request) *Refusal {
	if err := a.allows(r.Who); err != nil {
		return err
	}
	for _, k := range a.Asks {
		if !r.Dry && strings.TrimSpace(r.Args[k]) == "" && r.Who.Role != "box" {
			return refuse("choose what to do it to: "+k, "请先选择操作对象："+k)
		}
	}
	if !r.Dry && a.Confirm != "" && r.Confirm != a.Confirm && r.Who.Role != "box" {
		return refuse("type "+a.Confirm+" to confirm", "请输入 "+a.Confirm+" 以确认")
	}
	if r.Dry {
		return nil
	}
	if left := b.rests(a); left > 0 {
		left = max(time.Second, left.Round(time.Second))
		return refuse(fmt.Sprintf("it was run a moment ago: wait %s", left), fmt.Sprintf("刚刚执行过，请等待 %s", left))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.busy[a.ID] {
		return refuse("it is running now", "正在执行中")
	}
	b.busy[a.ID] = true
	return nil
}

func (b *Books) end(a Action) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.busy, a.ID)
}

// tell writes the audit and, of what was really run, the timeline and the room.
func (b *Books) tell(ctx context.Context, c Case, a Action, act Act) {
	outcome := "done"
	switch {
	case act.Failed:
		outcome = "failed"
	case act.Dry:
		outcome = "tried"
	}
	var detail []string
	for k, v := range act.Args {
		detail = append(detail, k+"="+v)
	}
	sort.Strings(detail)
	b.opt.Audit(ctx, AuditEntry{Who: act.Who, Action: "runbook." + a.ID, Object: c.Alert.Name, Outcome: outcome,
		Detail: strings.TrimSpace(strings.Join(detail, " ") + " " + act.Result.EN)})
	if act.Dry {
		return
	}
	who := words.Of(act.Who.Name, act.Who.Name)
	if act.Auto {
		who = words.Of("automatically", "自动")
	}
	text := words.Of(fmt.Sprintf("%s: %s", a.Title.EN, act.Result.EN), fmt.Sprintf("%s：%s", a.Title.ZH, act.Result.ZH))
	b.opt.Note(ctx, c.Alert, who, text)
	b.opt.Post(ctx, words.Of(fmt.Sprintf("🔧 %s · %s (%s)", c.Alert.Name, text.EN, who.EN), fmt.Sprintf("🔧 %s · %s（%s）", c.Alert.Name, text.ZH, who.ZH)))
}
