package e2e

import (
	"testing"

	"posthouse/appliance/client"
)

// pending is a JavaScript expression: messages of the outbox with a text.
func pending(text string) string {
	return `[...document.querySelectorAll(".message.pending .text")].filter((e) => e.innerText.trim() === ` + quoted(text) + `)`
}

// A browser without a network keeps what is written and sends it later, and
// gets what was said meanwhile.
func TestOutboxWithoutNetwork(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo Lin", client.Options{})
	room := bo.direct(o.owner.user.ID)
	bo.says(room.ID, "before")
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.enters("Bo Lin")
	ann.sees("before")

	ann.network(false)
	ann.broken()
	ann.finds(".light", "Offline: no network")
	ann.says("离线时写的")
	ann.says("a second one")
	ann.until("both waiting", pending("离线时写的")+`.length === 1 && `+pending("a second one")+`.length === 1`)
	ann.finds(".pending .status", "Waiting for the connection")
	ann.finds(".banner", "What you write is kept on this device")
	bo.says(room.ID, "missed 1")
	bo.says(room.ID, "missed 2")

	ann.network(true)
	ann.online()
	for _, text := range []string{"missed 1", "missed 2", "离线时写的", "a second one"} {
		ann.sees(text)
	}
	ann.until("an empty outbox", `!document.querySelector(".pending") && !Object.keys(localStorage).some((k) => k.startsWith("posthouse.outbox."))`)
	bo.finds(room.ID, "before", "missed 1", "missed 2", "离线时写的", "a second one")
}

// A server that is killed and comes back: the light tells, the outbox survives
// a reload of the page, and nothing is there twice.
func TestOutboxOverKilledServer(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo Lin", client.Options{})
	room := bo.direct(o.owner.user.ID)
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.enters("Bo Lin")
	ann.says("stored")
	ann.sees("stored")

	ann.expects(refusedConnections)
	o.kill()
	ann.broken()
	ann.says("写在服务器停机时")
	ann.until("the message waiting", pending("写在服务器停机时")+`.length === 1`)
	o.start()
	ann.sees("写在服务器停机时")
	ann.online()

	// Once more, and the page is gone before anything could be sent.
	ann.network(false)
	ann.broken()
	ann.says("kept over a reload")
	ann.writes("half a draft")
	here := ask[string](ann, `location.href`)
	ann.open("about:blank")
	ann.network(true)
	ann.open(here)
	ann.sees("kept over a reload")
	ann.until("the draft", `document.querySelector(".composer textarea").value === "half a draft"`)
	must(t, bo.WaitConnected(background(t)))
	bo.finds(room.ID, "stored", "写在服务器停机时", "kept over a reload")
}

// A network that swallows the answer: the message is stored, the browser does
// not know, sends it again with the same key, and it is there once.
func TestOutboxLostAnswer(t *testing.T) {
	t.Parallel()
	o := openOffice(t, "session.heartbeat=1s")
	bo := o.hire("bo", "Bo Lin", client.Options{})
	room := bo.direct(o.owner.user.ID)
	wire := cable(t, o.localAddr)
	ann := shared.tab(t, "ann", "http://"+wire.addr())
	ann.logsIn("ann")
	ann.enters("Bo Lin")
	ann.expects(refusedConnections)
	wire.swallowAnswers()
	ann.says("said once")
	await(t, func() string { return "the message to be stored" }, func() bool { return bo.count(room.ID, "said once") == 1 })
	ann.until("it still in the outbox", pending("said once")+`.length === 1`)
	ann.broken() // no network tells: the heartbeat is not answered
	wire.mend()
	ann.sees("said once")
	ann.until("an empty outbox", `!document.querySelector(".pending")`)
	bo.finds(room.ID, "said once")
}

// Two tabs of one browser share an outbox: nothing of either is lost, nothing is
// sent twice, and one sends what the other left behind.
func TestOutboxOfTwoTabs(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo Lin", client.Options{})
	room := bo.direct(o.owner.user.ID)
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.enters("Bo Lin")
	second := ann.beside(shared)
	second.open(ask[string](ann, `location.href`))
	second.online()
	ann.network(false)
	second.network(false)
	ann.broken()
	second.broken()
	ann.says("from the first")
	second.says("from the second")
	for _, p := range []*tab{ann, second} {
		p.until("both waiting", pending("from the first")+`.length === 1 && `+pending("from the second")+`.length === 1`)
	}
	ann.network(true)
	second.network(true)
	for _, p := range []*tab{ann, second} {
		p.sees("from the first")
		p.sees("from the second")
		p.until("an empty outbox", `!document.querySelector(".pending") && !Object.keys(localStorage).some((k) => k.startsWith("posthouse.outbox."))`)
	}
	bo.finds(room.ID, "from the first", "from the second")

	// The first writes without a network and is closed.
	ann.network(false)
	ann.broken()
	ann.says("left behind")
	second.until("it waiting", pending("left behind")+`.length === 1`)
	ann.open("about:blank")
	second.sees("left behind")
	bo.finds(room.ID, "from the first", "from the second", "left behind")
}

// A storage that is full is told of, and what is written goes out all the same.
func TestOutboxFullStorage(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	bo := o.hire("bo", "Bo Lin", client.Options{})
	room := bo.direct(o.owner.user.ID)
	ann := shared.tab(t, "ann", o.url())
	ann.logsIn("ann")
	ann.enters("Bo Lin")
	ann.run(`for (let n = 1 << 20; n >= 1; n >>= 1) for (let i = 0; ; i++) try { localStorage.setItem("fill" + n + "." + i, "x".repeat(n)) } catch { break }`)
	ann.network(false)
	ann.broken()
	ann.says("没有地方保存")
	ann.finds(".pending .status", "storage is full")
	ann.network(true)
	ann.sees("没有地方保存")
	bo.finds(room.ID, "没有地方保存")
}
