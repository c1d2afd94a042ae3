package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/storage"

	"posthouse/appliance/id"
)

// Goals, in ms and kB.
const (
	goalLoad  = 1000
	goalBytes = 150
	goalNext  = 100 // interaction to next paint
	goalFrame = 50  // a longer pause is seen as a stutter
	goalShown = 500 // from a jump until its target stands there, over the network
)

func scenes(b *browser, f *filled) ([]row, error) {
	var rows []row
	for _, scene := range []struct {
		login string
		play  func(*tab, *filled) []row
	}{{"few", largeRoom}, {"many", manyRooms}} {
		t, err := b.tab(scene.login)
		if err == nil {
			rows = append(rows, scene.play(t, f)...)
		}
		err = errors.Join(err, t.err)
		t.stop()
		if err != nil {
			return rows, fmt.Errorf("as %s: %w", scene.login, err)
		}
	}
	return rows, nil
}

// loads opens the page with an empty cache.
func loads(t *tab, account string) []row {
	drawn := row{name: "first load until the rooms are drawn, " + account, unit: "ms", goal: goalLoad}
	bytes := row{name: "page, script and style over the network", unit: "kB", goal: goalBytes}
	sent := row{name: "frames of the WebSocket until then", unit: "kB", goal: 8000}
	for range 8 {
		t.open("/api/reference")
		t.wait(`document.readyState === "complete"`)
		// Nor may the service worker of the last time answer.
		command(t, storage.ClearDataForOrigin, storage.ClearDataForOriginParams{Origin: ask[string](t, `location.origin`), StorageTypes: "service_workers,cache_storage"})
		command(t, network.ClearBrowserCache, cdp.Empty{})
		t.open("/")
		t.wait(`window.bench?.drawn > 0`)
		drawn.values = append(drawn.values, ask[float64](t, `bench.drawn`))
		bytes.values = append(bytes.values, ask[float64](t, `[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].filter((e) => !e.name.includes("/api/")).reduce((n, e) => n + e.transferSize, 0) / 1000`))
		sent.values = append(sent.values, ask[float64](t, `bench.socket / 1000`))
	}
	return []row{drawn, bytes, sent}
}

func next(name string) row { return row{name: name, unit: "ms", goal: goalNext} }
func frame(name string) row {
	return row{name: name + ", pause between frames", unit: "ms", goal: goalFrame}
}

// largeRoom is the account with the room of many messages.
func largeRoom(t *tab, f *filled) []row {
	rows := loads(t, "20 rooms")
	large, small := `[...document.querySelectorAll("a.room-link")].find((a) => a.innerText.includes("large"))`, `document.querySelectorAll("a.room-link")[1]`
	newest := fmt.Sprintf(`document.querySelector('.entries [data-seq="%d"]')`, f.messages+1)
	t.wait(large)

	switching, shown := next("switch rooms"), row{name: "until the large room is shown", unit: "ms", goal: goalShown}
	for range 10 {
		switching.values = append(switching.values, t.interaction(func() { t.click(small) }))
		t.wait(`!` + newest)
		switching.values = append(switching.values, t.interaction(func() { t.click(large); shown.values = append(shown.values, t.shown(newest)) }))
	}

	rest := frame("nothing happens")
	rest.values = t.moving(func() { t.run(`new Promise((r) => setTimeout(r, 3000))`) })

	typing := next("type in the composer")
	t.click(`document.querySelector(".composer textarea")`)
	for _, letter := range "the quick brown fox jumps over the lazy dog and then rests" {
		typing.values = append(typing.values, t.interaction(func() { t.key(string(letter)) }))
	}

	scrolling := frame("scroll up 20 pages")
	oldest := `Number(document.querySelector(".entries [data-seq]").dataset.seq)`
	scrolling.values = t.moving(func() {
		for range 20 {
			at := ask[int](t, oldest)
			for turn := 0; t.err == nil && ask[int](t, oldest) == at && turn < 200; turn++ {
				t.wheel(".scroller", -700)
			}
		}
	})

	jump, jumping := row{name: "jump to the oldest message until it is shown", unit: "ms", goal: goalShown}, frame("jump to the oldest message")
	for range 10 {
		jumping.values = append(jumping.values, t.moving(func() {
			t.run(fmt.Sprintf(`location.hash = "#/room/%s/m/2"`, f.large))
			jump.values = append(jump.values, t.shown(`document.querySelector('.entries [data-seq="2"]')`))
		})...)
		t.run(`document.querySelector(".jump").click()`)
		t.shown(newest)
		t.run(fmt.Sprintf(`location.hash = "#/room/%s"`, f.large))
	}

	opening := next("open the list of members")
	for range 10 {
		opening.values = append(opening.values, t.interaction(func() {
			t.click(`document.querySelector('[aria-label="Room details and members"]')`)
			t.shown(`document.querySelector("aside .person")`)
		}))
		t.run(fmt.Sprintf(`location.hash = "#/room/%s"`, f.large))
		t.wait(`!document.querySelector("aside .person")`)
	}
	return append(rows, switching, shown, rest, typing, scrolling, jump, jumping, opening)
}

// manyRooms is the account with many rooms.
func manyRooms(t *tab, f *filled) []row {
	rows := loads(t, fmt.Sprintf("%d rooms", len(f.many)))
	scrolling := frame("scroll the list of rooms")
	scrolling.values = t.moving(func() {
		for i := range 120 {
			t.wheel(".rooms", map[bool]float64{true: 900, false: -900}[i < 60])
		}
	})

	switching := next("switch rooms among many")
	for i := range 20 {
		t.click(fmt.Sprintf(`document.querySelectorAll("a.room-link")[%d]`, i%8))
		switching.values = append(switching.values, t.interaction(func() { t.click(fmt.Sprintf(`document.querySelectorAll("a.room-link")[%d]`, (i+3)%8)) }))
		t.shown(`document.querySelector(".entries [data-seq]")`)
	}

	filtering := next("filter the rooms, each letter")
	for i := range 5 {
		t.click(`document.querySelector(".side input[type=search]")`)
		for _, letter := range fmt.Sprintf("room %d12", i) {
			filtering.values = append(filtering.values, t.interaction(func() { t.key(string(letter)) }))
		}
		t.run(`{ const e = document.querySelector(".side input[type=search]"); e.value = ""; e.dispatchEvent(new Event("input")) }`)
	}

	arriving, late := frame("a message arrives in any room"), row{name: "until the room stands at the top", unit: "ms", goal: goalShown}
	t.run(`document.querySelector(".rooms").scrollTop = 0`)
	arriving.values = t.moving(func() {
		for i := range 40 {
			room := f.many[(i*997+13)%len(f.many)]
			if err := say(f, room, i); err != nil {
				t.err = errors.Join(t.err, err)
				return
			}
			late.values = append(late.values, t.shown(fmt.Sprintf(`document.querySelector(".rooms a.room-link").href.endsWith(%q)`, room.String())))
		}
	})
	return append(rows, scrolling, switching, filtering, arriving, late)
}

func say(f *filled, room id.ID, i int) error {
	_, err := f.boss.HTTP.Send(context.Background(), room, fmt.Sprintf("news %d", i))
	return err
}
