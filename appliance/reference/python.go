package reference

// examplePython is the client that the page shows, as HTML. To run it:
// see TestWriteTheClientOfThePage.
const examplePython = `import json, ssl, sys, time, urllib.request, uuid
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import connect

BASE, LOGIN, PASSWORD = sys.argv[1:4]            # https://chat.lan echo '…'
TLS = ssl.create_default_context(cafile=sys.argv[4]) if len(sys.argv) &gt; 4 else None

def post(method, params, token=""):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = "Bearer " + token
    request = urllib.request.Request(BASE + "/api/" + method, json.dumps(params).encode(), headers)
    with urllib.request.urlopen(request, context=TLS, timeout=30) as answer:
        return json.load(answer)

token = post("session.login", {"login": LOGIN, "password": PASSWORD, "kind": "bot"})["token"]
me = post("session.me", {}, token)["user"]["id"]
since, heads = 0, {}                             # keep both in a file to go on later

def answer(message):
    if message["sender"] != me and message.get("text", "").startswith("echo "):
        # The key depends on the message alone: answering it again changes nothing.
        key = str(uuid.uuid5(uuid.NAMESPACE_OID, message["id"]))
        post("message.send", {"room": message["room"], "key": key, "text": message["text"][5:]}, token)

def fetch(room, upto):                           # what is missing in a room
    while heads[room] &lt; upto:
        page = post("room.history", {"room": room, "after": heads[room], "from_start": heads[room] == 0}, token)
        for message in page["messages"]:
            answer(message)
            heads[room] = message["seq"]
        if not page["messages"]:
            break

def started(result):
    global since
    if result["reset"]:
        since = result["position"]
        for room in result.get("rooms", []):
            if room["id"] in heads:
                fetch(room["id"], room["head"])
            heads[room["id"]] = room["head"]

def event(position, kind, data):
    global since
    if kind == "message":
        room, seq = data["room"], data["seq"]
        if seq &gt; heads.get(room, seq - 1) + 1:
            fetch(room, seq - 1)
        if seq &gt; heads.get(room, seq - 1):
            answer(data)
            heads[room] = seq
    elif kind == "left":
        heads.pop(data["room"], None)
    if position:
        since = position - 1                     # others of this position may follow

def talk(ws):
    def send(method, params, number=None):
        frame = {"jsonrpc": "2.0", "method": method, "params": params}
        ws.send(json.dumps(frame if number is None else {**frame, "id": number}))
    send("sync.start", {"since": since}, 1)
    beat, heard, asked = 25, time.monotonic(), time.monotonic()
    while True:
        now = time.monotonic()
        if now - heard &gt; 2 * beat:
            return 0                             # the server is gone
        if now - asked &gt;= beat:
            send("sync.ping", {}, 2)
            asked = now
        try:
            frame = json.loads(ws.recv(timeout=max(0, asked + beat - now)))
        except TimeoutError:
            continue
        heard = time.monotonic()
        if "error" in frame:
            sys.exit(frame["error"]["message"])
        if frame.get("id") == 1:
            beat = frame["result"]["heartbeat_ms"] / 1000
            started(frame["result"])
        elif frame.get("method") == "event":
            params = frame["params"]
            if params["type"] == "drain":
                return params["data"]["reconnect_after_ms"] / 1000
            if params["type"] == "reset":
                send("sync.start", {"since": since}, 1)
                continue
            event(params.get("position", 0), params["type"], params["data"])
            if "position" in params:
                send("sync.ack", {"position": params["position"]})

pause = 0.25
while True:
    try:
        with connect(BASE.replace("http", "ws", 1) + "/api/ws", ssl=TLS, max_size=16 &lt;&lt; 20,
                     additional_headers={"Authorization": "Bearer " + token}) as ws:
            pause = 0.25
            time.sleep(talk(ws))
    except InvalidStatus as refused:
        if refused.response.status_code == 401:
            sys.exit("log in again")
    except (OSError, WebSocketException) as broken:
        print("connecting again:", broken, file=sys.stderr)
    time.sleep(pause * (0.5 + uuid.uuid4().int % 1000 / 2000))
    pause = min(2 * pause, 30)
`
