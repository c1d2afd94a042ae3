"""A client that knows nothing but the reference: the standard library for
HTTP, and the package websockets. Usage: client.py URL LOGIN PASSWORD ROOM."""

import asyncio
import base64
import hashlib
import json
import sys
import urllib.parse
import urllib.request
import uuid

import websockets

url, login, password, room = sys.argv[1:5]


def post(method, params, token=None):
    request = urllib.request.Request(f"{url}/api/{method}", json.dumps(params).encode(), {"Content-Type": "application/json"})
    if token:
        request.add_header("Authorization", "Bearer " + token)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def tus(verb, address, token, headers, body=b""):
    headers = {"Tus-Resumable": "1.0.0", "Authorization": "Bearer " + token, **headers}
    request = urllib.request.Request(address, body, headers, method=verb)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status, answer.headers, answer.read()


class Connection:
    """JSON-RPC 2.0 over one WebSocket: answers by id, events in a queue."""

    def __init__(self, socket):
        self.socket, self.next, self.waiting, self.events = socket, 0, {}, asyncio.Queue()
        self.reader = asyncio.create_task(self.read())

    async def read(self):
        async for text in self.socket:
            frame = json.loads(text)
            assert frame["jsonrpc"] == "2.0", frame
            if frame.get("method") == "event":
                await self.events.put(frame["params"])
            else:
                self.waiting.pop(frame["id"]).set_result(frame)

    async def call(self, method, params):
        self.next += 1
        answer = self.waiting[self.next] = asyncio.get_running_loop().create_future()
        await self.socket.send(json.dumps({"jsonrpc": "2.0", "id": self.next, "method": method, "params": params}))
        frame = await asyncio.wait_for(answer, 60)
        if "error" in frame:
            raise RuntimeError(frame["error"])
        return frame["result"]

    async def notify(self, method, params):
        await self.socket.send(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))

    async def event(self, kind):
        while True:
            e = await asyncio.wait_for(self.events.get(), 60)
            if e["type"] == kind:
                return e


def connect(token):
    return websockets.connect(url.replace("http", "ws", 1) + "/api/ws", extra_headers={"Authorization": "Bearer " + token})


async def main():
    sessions = [post("session.login", {"login": login, "password": password, "device_name": f"python {n}", "kind": "bot"}) for n in (1, 2)]
    async with connect(sessions[0]["token"]) as s1, connect(sessions[1]["token"]) as s2:
        writer, reader = Connection(s1), Connection(s2)
        assert (await writer.call("sync.start", {"since": 0}))["user"]["login"] == login
        start = await reader.call("sync.start", {"since": 0})
        assert start["reset"] and room in [r["id"] for r in start["rooms"]], start

        key, text = str(uuid.uuid4()), "来自 Python 的 **问候**"
        sent = await writer.call("message.send", {"room": room, "key": key, "text": text})
        again = await writer.call("message.send", {"room": room, "key": key, "text": text})
        assert again["again"] and again["seq"] == sent["seq"], (sent, again)

        e = await reader.event("message")
        assert (e["data"]["text"], e["data"]["key"], e["position"]) == (text, key, sent["position"]), e
        await reader.notify("sync.ack", {"position": e["position"]})
        page = await reader.call("room.history", {"room": room, "limit": 10})
        assert [m["text"] for m in page["messages"] if m["seq"] == sent["seq"]] == [text], page

        try:
            await writer.call("message.send", {"room": room, "key": "not a uuid", "text": "x"})
            raise AssertionError("a key that is no UUID was taken")
        except RuntimeError as refusal:
            assert refusal.args[0]["data"]["kind"] == "invalid_params", refusal

        # A file in two pieces, the second after asking where it stands.
        token, content = sessions[0]["token"], bytes(range(256)) * 1000
        name = base64.b64encode("报告.bin".encode()).decode()
        status, headers, _ = tus("POST", url + "/api/uploads", token, {"Upload-Length": str(len(content)), "Upload-Metadata": "filename " + name})
        assert status == 201, status
        where = urllib.parse.urljoin(url + "/api/uploads", headers["Location"])
        piece = {"Content-Type": "application/offset+octet-stream"}
        status, headers, _ = tus("PATCH", where, token, {**piece, "Upload-Offset": "0"}, content[:100_000])
        assert (status, headers["Upload-Offset"]) == (204, "100000"), (status, headers)
        _, headers, _ = tus("HEAD", where, token, {})
        offset = int(headers["Upload-Offset"])
        status, headers, _ = tus("PATCH", where, token, {**piece, "Upload-Offset": str(offset)}, content[offset:])
        file = headers["Posthouse-File"]
        await writer.call("message.send", {"room": room, "key": str(uuid.uuid4()), "files": [file]})
        e = await reader.event("message")
        assert e["data"]["files"][0]["name"] == "报告.bin", e
        assert e["data"]["files"][0]["sha256"] == hashlib.sha256(content).hexdigest(), e
        request = urllib.request.Request(f"{url}/files/{file}/x", headers={"Authorization": "Bearer " + sessions[1]["token"]})
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.read() == content
        print("seq", sent["seq"], "file", file)


asyncio.run(main())
