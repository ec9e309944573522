"""A real SMTP server for the tests: says its port, then each letter that it took, as JSON lines.

Ends when its standard input does. `--refuse WHO` answers 550 to that recipient, `--later WHO`
answers 451 to it once, `--tls CERT KEY` demands STARTTLS, `--login USER PASSWORD` a sign-in.
"""

import argparse
import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

parser = argparse.ArgumentParser()
parser.add_argument("--port", type=int, default=0)
parser.add_argument("--refuse", default="")
parser.add_argument("--later", default="")
parser.add_argument("--tls", nargs=2)
parser.add_argument("--login", nargs=2)
args = parser.parse_args()


def say(line):
    print(json.dumps(line), flush=True)


class Handler:
    put_off = False

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address == args.refuse:
            return "550 5.1.1 there is nobody of that name"
        if address == args.later and not Handler.put_off:
            Handler.put_off = True
            return "451 4.7.1 come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        say({
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "content": envelope.content.decode("ascii"),
            "is_encrypted": session.ssl is not None,
            "is_signed_in": bool(session.authenticated),
        })
        return "250 OK"


def check(server, session, envelope, mechanism, login):
    user, password = (it.decode() for it in (login.login, login.password))
    return AuthResult(success=[user, password] == args.login, handled=False)


def spoken_to(loop):
    options = {}
    if args.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*args.tls)
        options = {"tls_context": context, "require_starttls": True}
    if args.login:
        options |= {"authenticator": check, "auth_required": True,
                    "auth_require_tls": bool(args.tls)}
    return SMTP(Handler(), hostname="mail.example", loop=loop, **options)


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: spoken_to(loop), "127.0.0.1", args.port)
    say({"port": server.sockets[0].getsockname()[1]})
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


asyncio.run(main())
