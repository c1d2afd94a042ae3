package gate

import (
	"github.com/valyala/fasthttp"

	"posthouse/appliance/chat"
	"posthouse/appliance/wire"
)

func (g *Gate) serveUpload(ctx *fasthttp.RequestCtx, actor chat.Actor) {
	g.refuse(ctx, wire.Refuse(wire.NotFound, "nothing is here", "此处没有内容"))
}

func (g *Gate) serveDownload(ctx *fasthttp.RequestCtx, actor chat.Actor) {
	g.refuse(ctx, wire.Refuse(wire.NotFound, "nothing is here", "此处没有内容"))
}
