"""A real SMTP server (aiosmtpd) whose mailboxes behave in different ways.

server.py SECURITY CERT KEY USER PASSWORD   SECURITY: none, starttls or tls

Prints its port, then one line of JSON for everything that happens: a letter
that arrived {"to": [...], "raw": "..."} or a silence that began {"silent": true}.
A line of standard input is echoed as {"echo": "..."}, after everything that
happened before it.
"""

import asyncio
import base64
import json
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

security, cert, key, user, password = sys.argv[1:]


def say(thing):
    print(json.dumps(thing), flush=True)


class Mailboxes:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("dead@"):
            return "550 5.1.1 no such mailbox"
        if address.startswith("busy@"):
            return "451 4.3.2 come back later"
        if address.startswith("silent@"):
            say({"silent": True})
            await asyncio.sleep(3600)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        raw = base64.b64encode(envelope.original_content).decode()
        say({"to": envelope.rcpt_tos, "raw": raw, "tls": session.ssl is not None or security == "tls",
             "user": session.auth_data.decode() if session.auth_data else ""})
        if any(to.startswith("lost@") for to in envelope.rcpt_tos):
            server.transport.abort()
        return "250 2.0.0 queued as 42"


def authenticate(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and data.login.decode() == user and data.password.decode() == password
    return AuthResult(success=right, handled=False, auth_data=data.login if right else None)


async def main():
    context = None
    if security != "none":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)

    def session():
        return SMTP(
            Mailboxes(),
            enable_SMTPUTF8=True,
            require_starttls=security == "starttls",
            tls_context=context if security == "starttls" else None,
            authenticator=authenticate if user else None,
            auth_required=bool(user),
            auth_require_tls=security == "starttls",
            ident="test relay",
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(session, "127.0.0.1", 0, ssl=context if security == "tls" else None)
    say({"port": server.sockets[0].getsockname()[1]})
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        say({"echo": line.strip()})
    os._exit(0)  # the test process is gone, and we are not needed


asyncio.run(main())
