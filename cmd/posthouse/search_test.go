package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"posthouse/appliance/client"
	"posthouse/appliance/id"
	"posthouse/appliance/wire"
)

func TestSearchRebuild(t *testing.T) {
	d := newDesk(t)
	d.serve()
	file := filepath.Join(d.data, searchFile)
	if _, err := os.Stat(file); err != nil {
		t.Fatal(err)
	}
	d.do("status").prints("search")
	d.do("search", "rebuild").prints("anew")
	d.stop()
	d.do("search", "rebuild").prints("next start")
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the index is still there: %v", err)
	}
	d.serve()
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

// A document that is uploaded is found by its words, by those in its room.
func TestSearchFindsDocuments(t *testing.T) {
	d := newDesk(t)
	addr := d.serve()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	d.run("correct horse ann\n", "user", "add", "ann", "--role", "owner", "--password-file", "-").exits(0)
	d.run("correct horse bo\n", "user", "add", "bo", "--password-file", "-").exits(0)
	login := func(name string) *client.HTTP {
		t.Helper()
		h, err := client.NewHTTP(client.Options{URL: "http://" + addr})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = h.Close() })
		if _, err := h.Login(ctx, name, "correct horse "+name); err != nil {
			t.Fatal(err)
		}
		return h
	}
	ann, bo := login("ann"), login("bo")
	call := func(h *client.HTTP, method string, params, result any) {
		t.Helper()
		if err := h.Call(ctx, method, params, result); err != nil {
			t.Fatal(err)
		}
	}
	find := func(h *client.HTTP, want int) wire.SearchHit {
		t.Helper()
		var found wire.SearchResult
		for { // the index follows a moment behind
			call(h, "search.messages", wire.SearchParams{Query: "維護手冊"}, &found)
			if len(found.Hits) == want {
				return append(found.Hits, wire.SearchHit{})[0]
			}
			if ctx.Err() != nil {
				t.Fatalf("found %+v", found)
			}
		}
	}
	manual, err := os.Open("../../appliance/doctext/testdata/manual.docx")
	if err != nil {
		t.Fatal(err)
	}
	defer manual.Close()
	file, err := ann.Upload(ctx, manual, "泵.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document")
	if err != nil {
		t.Fatal(err)
	}
	var room wire.RoomResult
	call(ann, "room.create", wire.RoomCreate{Kind: wire.Group, Name: "车间"}, &room)
	var sent wire.Sent
	call(ann, "message.send", wire.SendParams{Room: room.Room.ID, Key: uuid.NewString(), Files: []id.ID{file.ID}}, &sent)
	hit := find(ann, 1)
	if hit.Message.ID != sent.ID || hit.File != file.ID || !strings.HasPrefix(hit.Snippet.Text, "泵.docx: 设备维护手册 Replace the cooling pump") {
		t.Errorf("%+v", hit)
	}
	find(bo, 0)
	d.stop()
	d.do("search", "rebuild")
	addr = d.serve()
	ann = login("ann")
	find(ann, 1)
	call(ann, "message.recall", wire.MessageParam{Message: sent.ID}, nil)
	find(ann, 0)
}
