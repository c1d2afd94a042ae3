// Echo is a bot that says again what people say to it: an example of how to use
// posthouse/appliance/client. Make an account for it (user.create with
// bot) and a token (user.token), add it to a room, and run it:
//
//	POSTHOUSE_URL=https://chat.lan POSTHOUSE_TOKEN=… go run .
package main

import (
	"context"
	"log"
	"os"

	"posthouse/appliance/client"
	"posthouse/appliance/wire"
)

func main() {
	ctx := context.Background()
	bot, err := client.Dial(ctx, client.Options{URL: os.Getenv("POSTHOUSE_URL"), Token: os.Getenv("POSTHOUSE_TOKEN")})
	if err != nil {
		log.Fatal(err)
	}
	for e := range bot.Events() {
		if m, ok := e.Message(); ok && m.Sender != bot.User() && m.Text != "" {
			if _, err := bot.SendMessage(ctx, wire.SendParams{Room: m.Room, Text: m.Text, ReplyTo: m.Seq}); err != nil {
				log.Print(err)
			}
		}
	}
	log.Fatal(bot.Err())
}
