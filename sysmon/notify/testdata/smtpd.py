"""A mail server for tests: python3 smtpd.py MODE CERT KEY, MODE one of none,
starttls, tls, auth (starttls and login). Prints its port, then each message
as one line of JSON."""
import asyncio, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    async def handle_DATA(self, server, session, envelope):
        print(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "data": envelope.content.decode(),
                          "tls": server.transport.get_extra_info("sslcontext") is not None, "login": (session.auth_data or b"").decode()}), flush=True)
        return "250 2.0.0 taken as 4711"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"


def check(server, session, envelope, mechanism, data):
    ok = data.login == b"ops" and data.password == b"s3cret-word"
    return AuthResult(success=ok, handled=False, auth_data=data.login)


async def main():
    mode, cert, key = sys.argv[1:4]
    ctx = None
    if mode != "none":
        ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ctx.load_cert_chain(cert, key)
    def make():
        return SMTP(Handler(), hostname="mail.test", tls_context=ctx if mode in ("starttls", "auth") else None,
                    require_starttls=mode in ("starttls", "auth"), authenticator=check if mode == "auth" else None,
                    auth_required=mode == "auth", enable_SMTPUTF8=True, decode_data=False)
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0, ssl=ctx if mode == "tls" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
