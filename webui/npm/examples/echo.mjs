// A bot that says again what people say to it.
// POSTHOUSE_URL=https://chat.lan POSTHOUSE_TOKEN=… node echo.mjs
import { connect } from "posthouse-client";
import WebSocket from "ws";

const { POSTHOUSE_URL: url, POSTHOUSE_TOKEN: token } = process.env;
const bot = await connect({ url, token, WebSocket });
bot.on("message", (m) => {
  if (m.sender !== bot.user.id && m.text) bot.send(m.room, m.text, { reply_to: m.seq });
});
