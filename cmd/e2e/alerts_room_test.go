package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

// hurry makes a stopped server tell of alerts within a second: the plan as it
// was written at the start, with short waits.
func (o *office) hurry() {
	o.t.Helper()
	o.replan(func(p map[string]any) { p["group_wait"], p["group_interval"] = "100ms", "500ms" })
}

// replan stops the server, changes its plan of alerting in the file, and starts
// it again.
func (o *office) replan(change func(map[string]any)) {
	o.t.Helper()
	o.stop()
	path := filepath.Join(o.dir, "watch", "alerting.json")
	raw, err := os.ReadFile(path)
	must(o.t, err)
	plan := map[string]any{}
	must(o.t, json.Unmarshal(raw, &plan))
	change(plan)
	raw, err = json.Marshal(plan)
	must(o.t, err)
	must(o.t, os.WriteFile(path, raw, 0o600))
	o.start()
	must(o.t, o.owner.WaitConnected(background(o.t)))
}

// operatorsRoom waits for the room that the box makes with its first card.
func (p *person) operatorsRoom() id.ID {
	p.t.Helper()
	var found id.ID
	await(p.t, func() string { return "the operators' room" }, func() bool {
		var list wire.RoomList
		must(p.t, p.Call(background(p.t), "room.list", wire.Empty{}, &list))
		for _, r := range list.Rooms {
			if strings.HasPrefix(r.Name, "Operators' room") {
				found = r.ID
			}
		}
		return found != 0
	})
	return found
}

// card waits for a message of the box that holds a text.
func (p *person) card(room id.ID, text string) wire.Message {
	p.t.Helper()
	var found wire.Message
	await(p.t, func() string { return "a card with " + text }, func() bool {
		for _, m := range p.all(room) {
			if strings.Contains(m.Text, text) {
				found = m
				return true
			}
		}
		return false
	})
	return found
}

func (p *person) reacts(m wire.Message, emoji string) error {
	return p.Call(background(p.t), "message.react", wire.ReactParams{Message: id.Message{Room: m.Room, Seq: m.Seq}, Emoji: emoji, On: true}, nil)
}

// audited are who did something in the audit, and what became of it.
func (p *person) audited(action string) []string {
	p.t.Helper()
	var list wire.AuditList
	must(p.t, p.Call(background(p.t), "audit.list", wire.AuditListParams{Action: action}, &list))
	var out []string
	for _, e := range list.Entries {
		out = append(out, e.Name+" "+e.Outcome)
	}
	return out
}

// An alert of a server that nobody has set up comes as a card into the
// operators' room, where owners and admins are. They acknowledge it there; a
// member cannot. Its end, results of runbooks and checklists come there too.
func TestAlertsInTheOperatorsRoom(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	people := map[string]*person{}
	for login, role := range map[string]wire.Role{"adam": wire.Admin, "aude": wire.Auditor, "mo": wire.Member} {
		_, err := o.owner.CreateUser(background(t), wire.UserCreate{Login: login, Name: strings.ToUpper(login), Password: password, Role: role})
		must(t, err)
	}
	o.hurry()
	for _, login := range []string{"adam", "mo"} {
		people[login] = o.device(login, client.Options{})
		must(t, people[login].Connect(background(t)))
	}
	adam, mo := people["adam"], people["mo"]

	p := shared.tab(t, "ann", o.url())
	p.size(360, 800)
	p.logsIn("ann")
	o.alarm("RaidDegraded", "critical", "a disk is gone @all <b>x</b> [y](https://evil.example/)")
	room := o.owner.operatorsRoom()
	var members wire.MemberList
	must(t, o.owner.Call(background(t), "room.members", wire.MembersParams{Room: room}, &members))
	var ids []id.ID
	for _, m := range members.Members {
		ids = append(ids, m.User)
	}
	var who wire.UserList
	must(t, o.owner.Call(background(t), "directory.get", wire.UsersParam{Users: ids}, &who))
	var logins []string
	for _, u := range who.Users {
		logins = append(logins, u.Login)
	}
	slices.Sort(logins)
	if strings.Join(logins, " ") != "adam ann posthouse" {
		t.Errorf("in the operators' room are %v", logins)
	}
	if m := o.owner.card(room, "a disk is gone"); m.MentionAll || strings.Contains(m.Text, "](https://evil") {
		t.Errorf("the text of an alert became markup: %s", m.Text)
	}

	p.enters("Operators' room")
	p.finds(".message .text", "a disk is gone")
	p.click(".alert-buttons button", "Acknowledge")
	p.misses(".alert-buttons button", "")
	p.finds(".message .text", "is on it")
	p.size(1100, 800)
	p.open("/admin/alerts")
	p.finds(".alert-card .badge.good", "acknowledged by ann")
	p.click(".alert-card h3 a", "")
	p.finds("#timeline li", "acknowledged")
	p.finds("#timeline li", "ann")
	p.open("/admin/alerts/history")
	p.until("who acknowledged in the history", `[...document.querySelectorAll("tbody tr")].some((r) => r.innerText.includes("a disk is gone") && r.innerText.includes("ann"))`)

	// A member who was brought in acknowledges nothing, and is told so.
	o.alarm("FanStopped", "serious", "the fan stands still")
	fan := o.owner.card(room, "the fan stands still")
	must(t, adam.Call(background(t), "room.add", wire.MembersChange{Room: room, Users: []id.ID{mo.user.ID}}, nil))
	must(t, mo.reacts(fan, "✅"))
	o.owner.card(room, "only owners and admins")
	if got := o.owner.audited("alert.ack"); !slices.Equal(got, []string{"MO refused", "安娜 Ann done"}) {
		t.Errorf("the audit of acknowledgements: %q", got)
	}
	p.open("/admin/alerts")
	p.until("the alert of the fan as it was", `[...document.querySelectorAll(".alert-card")].some((c) => c.innerText.includes("the fan stands still") && c.querySelector("button[id^=back]"))`)

	// An answer in words does it too.
	answer := wire.SendParams{Room: room, Text: "收到", ReplyTo: fan.Seq, Key: "01890a5d-ac96-774b-bcce-b302099a8057"}
	must(t, adam.Call(background(t), "message.send", answer, nil))
	o.owner.card(room, "ADAM is on it")
	p.finds(".alert-card .badge.good", "acknowledged by adam")

	// What is acknowledged on the console is said in the room, and so is an end.
	o.alarm("PsuFailed", "warning", "one power supply is off")
	o.owner.card(room, "one power supply is off")
	p.open("/admin/alerts")
	p.click(".alert-card button.primary", "")
	o.owner.card(room, "is on it: PsuFailed")
	o.calm("RaidDegraded", "critical")
	o.owner.card(room, "Resolved")
	p.open("/admin/checklists")
	p.click(`form[action="/admin/checklists/daily/run"] button`, "")
	o.owner.card(room, "Daily")
}
