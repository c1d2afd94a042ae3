package webui

import "testing"

// connectionScript is a world without time: timers run when the script says so.
const connectionScript = `
const world = () => {
  const w = {time: 0, timers: [], sockets: [], events: [], links: [], acks: 0, position: 0, up: true, readies: 0, losts: 0};
  w.env = {
    now: () => w.time, random: () => 0.5, network: () => w.up,
    after: (ms, f) => { const x = {at: w.time + ms, f}; w.timers.push(x); return x; },
    cancel: (x) => { w.timers = w.timers.filter((y) => y !== x); },
    dial: () => { const s = {sent: [], closed: false, send: (t) => s.sent.push(JSON.parse(t)), close: () => { s.closed = true; }}; w.sockets.push(s); return s; },
  };
  w.hooks = {
    link: (l) => w.links.push(l.state), since: () => w.position, position: () => w.position,
    started: (s) => { w.started = s; }, event: (e) => { w.events.push(e.type); if (e.position) w.position = e.position; },
    ready: () => w.readies++, lost: () => w.losts++,
  };
  w.c = new module.Connection(w.env, w.hooks);
  w.s = () => w.sockets[w.sockets.length - 1];
  w.last = () => w.s().sent[w.s().sent.length - 1];
  w.say = (o) => w.s().onmessage({data: JSON.stringify(Object.assign({jsonrpc: "2.0"}, o))});
  w.event = (type, position, data) => w.say({method: "event", params: {type, position, data: data ?? {}}});
  w.answer = (result) => w.say({id: w.last().id, result});
  w.pass = (ms) => {
    const end = w.time + ms;
    for (;;) {
      const due = w.timers.filter((x) => x.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      w.time = due.at;
      w.env.cancel(due);
      due.f();
    }
    w.time = end;
  };
  return w;
};
const start = {position: 7, reset: false, heartbeat_ms: 10000, server_time: 0};
`

func TestConnectionKeepsItselfAlive(t *testing.T) {
	runScript(t, "connection.ts", connectionScript, `
var w = world();
w.position = 7;
w.c.start();
w.s().onopen();
same("begins with the last position", [w.last().method, w.last().params], ["sync.start", {since: 7}]);
w.event("message", 8);
same("events wait for the answer", w.events, []);
w.answer(start);
`, `
same("then they come", [w.events, w.c.link.state, w.readies], [["message"], "online", 1]);
w.event("message", 9);
w.event("message", 10);
w.pass(200);
same("one acknowledgement for many", w.s().sent.filter((x) => x.method === "sync.ack").map((x) => x.params.position), [10]);
w.pass(10000);
same("a beat", w.last().method, "sync.ping");
w.answer({server_time: 1, position: 10});
`, `
w.pass(10000);
same("the next beat", w.s().sent.filter((x) => x.method === "sync.ping").length, 2);
var lost = "";
w.c.call("room.list", {}).catch((e) => { lost = e.kind; });
w.pass(9999);
same("still waiting", w.c.link.state, "online");
w.pass(1);
`, `
same("a silent server is a dead one", [w.c.link.state, w.sockets[0].closed, lost, w.losts], ["waiting", true, "network", 1]);
w.pass(1000);
same("tries again", w.sockets.length, 2);
w.s().onopen();
same("where it was", w.last().params.since, 10);
w.answer(start);
`, `
w.event("drain", undefined, {reconnect_after_ms: 4000});
w.s().onclose();
same("the server said when", w.c.link, {state: "waiting", until: w.time + 5200});
w.c.now();
same("now", w.c.link.state, "connecting");
w.s().onclose();
w.up = false;
w.pass(60000);
same("no network: no attempts", [w.c.link.state, w.sockets.length], ["offline", 3]);
w.up = true;
w.c.now();
w.s().onopen();
w.answer(start);
`, `
w.event("reset", undefined, {reason: "slow"});
same("starts again on the same connection", [w.last().method, w.sockets.length], ["sync.start", 4]);
w.answer(start);
`, `
w.c.stop();
same("stopped", [w.s().closed, w.timers.length, w.c.link.state], [true, 0, "stopped"]);
`)
}

func TestConnectionBacksOff(t *testing.T) {
	runScript(t, "connection.ts", connectionScript, `
same("grows", [0, 1, 2, 3].map((n) => module.backoff(n, 0)), [250, 500, 1000, 2000]);
same("with chance", module.backoff(3, 0.999) > 3900, true);
same("to a limit", [module.backoff(50, 0), module.backoff(50, 0.999999) <= 30000], [15000, true]);
const w = world();
w.c.start();
for (let i = 0; i < 5; i++) { w.s().onclose(); w.pass(w.c.link.until - w.time); }
same("dials each time once", w.sockets.length, 6);
w.pass(20000);
same("a socket that never opens is given up", [w.c.link.state, w.sockets[5].closed], ["waiting", true]);
`)
}

func TestConnectionDoubtsSilence(t *testing.T) {
	runScript(t, "connection.ts", connectionScript, `
var w = world();
var beats = () => w.s().sent.filter((x) => x.method === "sync.ping").length;
w.c.start();
w.s().onopen();
w.answer(Object.assign({}, start, {heartbeat_ms: 25000}));
`, `
w.c.call("room.read", {room: "r", seq: 1}).catch(() => {});
w.pass(10);
w.event("message", 8);
w.pass(5000);
same("who is heard is there", beats(), 0);
w.c.call("room.read", {room: "r", seq: 2}).catch(() => {});
w.pass(4100);
same("silence is asked about", [beats(), w.c.link.state], [1, "online"]);
w.pass(4100);
`, `
same("and no answer is a dead line", w.c.link.state, "waiting");
`)
}
