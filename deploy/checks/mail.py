"""A mail server that keeps what it is given: enough of RFC 5321 for one sender."""

import re
import socketserver
import threading
import time


class MailServer:
    """Listens at an address that containers reach, and holds every message in memory."""

    def __init__(self, address, port):
        self.messages = []
        outer = self

        class Conversation(socketserver.StreamRequestHandler):
            def handle(self):
                outer.converse(self.rfile, self.wfile)

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = Server((address, port), Conversation)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def converse(self, lines, answer):
        def say(text):
            answer.write(text.encode() + b"\r\n")

        say("220 mail")
        to = None
        for line in lines:
            verb = line.strip().upper()
            if verb == b"DATA":
                say("354 go on")
                text = b"".join(iter(lines.readline, b".\r\n"))
                # Long lines are broken softly; codes and addresses never contain an equals sign.
                self.messages.append((to, text.replace(b"=\r\n", b"").decode()))
                say("250 kept")
            elif verb.startswith(b"RCPT TO:"):
                to = re.search(r"<(.*)>", line.decode()).group(1)
                say("250 ok")
            elif verb == b"QUIT":
                return say("221 bye")
            else:
                say("250 ok")

    def code(self, email, seen):
        """The code in the first message to `email` after the `seen` first ones."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            texts = [text for to, text in list(self.messages) if to == email]
            if len(texts) > seen:
                return re.search(r"code is: (\d+)", texts[seen]).group(1)
            time.sleep(0.05)
        raise SystemExit(f"no mail to {email} has come")

    def count(self, email):
        return sum(to == email for to, _ in list(self.messages))

    def close(self):
        self.server.shutdown()
        self.server.server_close()
