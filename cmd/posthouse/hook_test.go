package main

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
)

func TestBotsAndHooksFromTheCommandLine(t *testing.T) {
	d := newDesk(t)
	addr := d.serve()
	ctx := context.Background()
	d.run("correct horse battery", "user", "add", "ann", "--role", "owner").exits(0)
	ann, err := client.NewHTTP(client.Options{URL: "http://" + addr})
	if err != nil {
		t.Fatal(err)
	}
	defer ann.Close()
	if _, err := ann.Login(ctx, "ann", "correct horse battery"); err != nil {
		t.Fatal(err)
	}
	room, err := ann.CreateRoom(ctx, wire.RoomCreate{Kind: wire.Group, Name: "机房"})
	if err != nil {
		t.Fatal(err)
	}

	token := strings.TrimSpace(d.do("bot", "add", "Build bot", "--room", "机房").tells("build-bot", "this once").out)
	bot, err := client.NewHTTP(client.Options{URL: "http://" + addr, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	defer bot.Close()
	if _, err := bot.Send(ctx, room.ID, "from the bot"); err != nil {
		t.Fatal(err)
	}
	d.do("bot", "add", "值班助手", "--json").keys("user", "rooms", "token")
	d.run("", "bot", "add", "x", "--room", "nowhere").exits(1).tells("there is no room")

	v := d.do("hook", "add", "告警", "--room", "机房", "--sign", "--format", "dingtalk", "--json").json()
	hook := v["hook"].(map[string]any)["id"].(string)
	d.do("hook", "add", "plain", "--room", "机房").tells("this once").prints("/hooks/", "/robot/send?access_token=")
	res, err := http.Post(v["dingtalk_url"].(string), "application/json", strings.NewReader(`{"msgtype":"text","text":{"content":"x"}}`))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	d.do("hook", "list").prints("告警", "incoming", "signature").never(v["secret"].(string))
	d.do("hook", "list", "--room", "机房", "--json").keys("hooks", "manage")
	d.run("", "hook", "add", "out", "--kind", "outgoing", "--room", "机房", "--url", "http://127.0.0.1:1/").exits(1).tells("hooks.allowed_networks")
	d.do("hook", "add", "out", "--kind", "outgoing", "--room", "机房", "--url", "http://10.0.0.9/chat").prints("secret", "SEC")
	d.do("hook", "add", "weather", "--kind", "command", "--command", "weather", "--url", "http://10.0.0.9/w")
	d.run("", "hook", "remove", hook).exits(2).tells("--yes")
	d.do("hook", "remove", hook, "--yes").tells("removed")
	d.do("hook", "list").never("告警")
	d.run("", "hook", "remove", "zz", "--yes").exits(2).tells("is no ID")
	if code := d.stop(); code != 0 {
		t.Fatal(code)
	}
	d.do("hook", "list").prints("weather")
	d.do("verify").prints("equal to the replay", "all hold")
}
