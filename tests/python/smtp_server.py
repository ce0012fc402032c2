"""A real SMTP server for tests: STARTTLS or implicit TLS, AUTH LOGIN and PLAIN required.

usage: smtp_server.py PORT starttls|tls CERT KEY USER PASSWORD OUTBOX

Every message becomes OUTBOX/NNNNNN.json with `to`, `subject` and `text`. While OUTBOX/refuse exists,
messages are refused with 451, as an overloaded server does; while OUTBOX/reject exists, recipients are
refused with 550 and repeated, as many servers do. Prints "ready" when it accepts connections.
"""

import asyncio
import email
import email.policy
import hmac
import json
import os
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult


class Outbox:
    def __init__(self, directory):
        self.directory = directory
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if os.path.exists(os.path.join(self.directory, "reject")):
            return f"550 5.1.1 <{address}>: there is no {address} here"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server, session, envelope):
        if os.path.exists(os.path.join(self.directory, "refuse")):
            return "451 4.3.2 try again later"
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        body = message.get_body(preferencelist=("plain",))
        record = {
            "to": envelope.rcpt_tos[0],
            "subject": str(message["subject"]),
            "text": body.get_content().replace("\r\n", "\n") if body else "",
        }
        self.count += 1
        path = os.path.join(self.directory, f"{self.count:06}.json")
        with open(path + ".part", "w", encoding="utf-8") as file:
            json.dump(record, file)
        os.rename(path + ".part", path)
        return "250 2.0.0 accepted"


def main():
    port, mode, certificate, key, user, password, directory = sys.argv[1:]

    def authenticate(server, session, envelope, mechanism, data):
        right = hmac.compare_digest(data.login, user.encode()) and hmac.compare_digest(
            data.password, password.encode()
        )
        return AuthResult(success=right, handled=False)

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    options = {
        "authenticator": authenticate,
        "auth_required": True,
        "auth_require_tls": mode == "starttls",
    }
    if mode == "starttls":
        options.update(tls_context=context, require_starttls=True)

    class Server(Controller):
        def factory(self):
            return SMTP(self.handler, **self.SMTP_kwargs)

    controller = Server(
        Outbox(directory),
        hostname="127.0.0.1",
        port=int(port),
        ssl_context=context if mode == "tls" else None,
        **options,
    )
    controller.start()
    print("ready", flush=True)
    asyncio.new_event_loop().run_forever()


main()
