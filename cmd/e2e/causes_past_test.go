package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
	"posthouse/sysmon/store"
)

// pastStage is a server that was lively for four weeks, of which each is ten
// minutes long. Today people stay away, nobody writes or joins, and the screens in
// the hall open connection after connection.
func pastStage() stage {
	const factor = 7 * 24 * 6 // ten minutes a week
	return stage{name: "past", factor: factor,
		settings: []string{"limits.connections_per_address=1000", "limits.messages_per_second=200", "limits.messages_burst=400"},
		prepare:  func(b *box) { b.remembers(4*7*24*time.Hour/factor, 24*time.Hour/factor) },
		lines: []caused{
			{alert: "LowActiveUsers", cause: (*box).keepsAway, mend: (*box).comeBack, shows: []string{"connections when=now"}},
			{alert: "ConnectionsUnusual", cause: crowdsIn, mend: func(b *box) { b.undo("screens") }, shows: []string{"connections when=now", "sessions screen0"}},
			{alert: "MessagesFew", cause: nothing, mend: writeAgain, shows: []string{"messages when=now"}},
			{alert: "RegistrationsFew", cause: nothing, mend: joinAgain, shows: []string{"actions"}},
		}}
}

// remembers writes the past of this server, a sample a second: 25 people online
// with 18 or 32 connections, who send 12 messages a second, and eight new ones
// a day.
func (b *box) remembers(long, day time.Duration) {
	b.t.Helper()
	s, err := store.Open(filepath.Join(b.dir, "watch"), store.Options{})
	must(b.t, err)
	const joined = 8.0 // a day
	series := []struct {
		labels labels.Labels
		value  func(second int) float64
	}{
		{ofChat("im_active_users_total"), func(int) float64 { return 25 }},
		{ofChat("connections_active"), func(second int) float64 { return 18 + 14*float64(second%2) }},
		{ofChat("im_messages_sent_total"), func(second int) float64 { return 12 * float64(second) }},
		{ofChat("im_registrations_total"), func(second int) float64 { return joined * float64(second) / day.Seconds() }},
		{labels.FromStrings(model.MetricNameLabel, "instance:im_registrations:increase1d", "instance", hostName), func(int) float64 { return joined }},
	}
	begin, seconds := time.Now().Add(-long), int(long.Seconds())
	for second := range seconds {
		a := s.Appender(context.Background())
		for _, x := range series {
			_, err := a.Append(0, x.labels, begin.Add(time.Duration(second)*time.Second).UnixMilli(), x.value(second))
			must(b.t, err)
		}
		must(b.t, a.Commit())
	}
	must(b.t, s.Close())
}

// ofChat are the labels that a figure of the chat is stored with.
func ofChat(name string) labels.Labels {
	return labels.FromStrings(model.MetricNameLabel, name, "instance", hostName, "job", "posthouse")
}

// staff is how many people stay away.
const staff = 12

func staffLogin(i int) string { return fmt.Sprintf("staff%d", i) }

// keepsAway makes accounts of people who do not log in.
func (b *box) keepsAway() {
	for i := range staff {
		b.account(staffLogin(i), fmt.Sprintf("Staff %d", i))
	}
}

// comeBack logs them in.
func (b *box) comeBack() {
	for i := range staff {
		b.device(staffLogin(i), client.Options{})
	}
}

// crowdsIn opens 20 connections of each of four screens.
func crowdsIn(b *box) {
	var open []*client.Client
	b.later("screens", func() { drop(open) })
	for i := range 4 {
		login := fmt.Sprintf("screen%d", i)
		token := b.hire(login, fmt.Sprintf("Screen %d", i), client.Options{}).Token()
		more, err := b.connects(token, 20)
		open = append(open, more...)
		must(b.t, err)
	}
}

// writeAgain has the owner send up to 20 messages a second.
func writeAgain(b *box) {
	b.writes("messages", b.group("back to work", b.owner.user.ID).ID, 4)
}

// joinAgain makes an account every ten seconds.
func joinAgain(b *box) {
	turn := 0
	b.beats("registrations", func() {
		if turn++; turn%50 != 1 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		login := fmt.Sprintf("new%d", turn)
		if _, err := b.owner.CreateUser(ctx, wire.UserCreate{Login: login, Name: login, Password: password}); err != nil {
			b.t.Errorf("make the account %s: %v", login, err)
		}
	})
}
