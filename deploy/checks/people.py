"""Somebody with an account, by curl and by the command line."""

import json
import os
import secrets
import subprocess
import time

from .site import DATA_PORT, GATEWAY_PORT, KMS_PORT, PROJECT, run, say

GATEWAY = f"https://localhost:{GATEWAY_PORT}"
KMS = f"https://localhost:{KMS_PORT}"
DATA = f"https://localhost:{DATA_PORT}"
CODE_IS_MAILED = 8
NOT_FOUND = 5
UNAVAILABLE = 7
# On a machine that has much else to do, a store may be late, and its services say 503: they are asked again.
PATIENCE = 10
PAUSE_S = 2


class ByCurl:
    """Uses the published ports of the edge, as any HTTP client would."""

    def __init__(self, site, name):
        self.site, self.email, self.password, self.sid = site, f"{name}@example.com", f"the phrase of {name}", None

    def call(self, method, url, body=None, headers=()):
        """Status, and the body as JSON."""
        line = ["curl", "-sS", "--max-time", "100", "--cacert", self.site.authority, "-X", method, url]
        line += ["-w", "\n%{http_code}"]
        if self.sid:
            headers = (f"sid: {self.sid}", f"Authorization: Bearer {self.sid}", *headers)
        for header in headers:
            line += ["-H", header]
        if body is not None:
            line += ["-H", "content-type: application/json", "--data-binary", "@-"]
        text = run(*line, input=json.dumps(body) if body is not None else "")
        answer, status = text.rsplit("\n", 1)
        return int(status), json.loads(answer) if answer else None

    def expect(self, status, method, url, body=None, headers=()):
        for _ in range(PATIENCE):
            found, answer = self.call(method, url, body, headers)
            if found != 503:
                break
            say(f"  busy: {method} {url}: {answer}")
            time.sleep(PAUSE_S)
        if found != status:
            raise SystemExit(f"{method} {url}: {found} instead of {status}: {answer}")
        return answer

    def join(self):
        """Registers and logs in, each by a code from the mail."""
        wish = {"email": self.email, "password": self.password}
        for ask, prove in (("register", "verify_register"), ("login", "verify_login")):
            seen = self.site.mail.count(self.email)
            self.expect(200, "POST", f"{KMS}/{ask}", wish)
            code = self.site.mail.code(self.email, seen)
            answer = self.expect(200, "POST", f"{KMS}/{prove}", {"email": self.email, "otp": code})
        self.sid = answer["sid"]
        return self


class ByCommandLine:
    """Runs `coffer` from its image, beside the edge and by its name there."""

    def __init__(self, site, name):
        self.site, self.email, self.password = site, f"{name}@example.com", f"the phrase of {name}\n"
        self.user_key = secrets.token_hex(16)
        self.home = site.folder / name
        self.home.mkdir()
        # The user in the image is not one of this machine.
        self.home.chmod(0o777)

    def coffer(self, *arguments, given="", expected=0):
        """Runs one command; its standard output."""
        line = ["docker", "run", "--rm", "-i", "--network", f"{PROJECT}_front"]
        line += ["--read-only", "--cap-drop", "ALL"]
        line += ["-v", f"{self.home}:/home/nonroot", "-v", f"{self.site.authority}:/authority.pem:ro"]
        servers = {"KMS": 8444, "DATA": 8445, "GATEWAY": 8443}
        for name, port in servers.items():
            line += ["-e", f"COFFER_{name}_URL=https://edge:{port}"]
        # Named only: its value is no argument.
        line += ["-e", "COFFER_USER_KEY"]
        environment = {**os.environ, "COFFER_USER_KEY": self.user_key}
        line += ["-e", "SSL_CERT_FILE=/authority.pem", "-e", "HOME=/home/nonroot", self.site.image("cli")]
        for _ in range(PATIENCE):
            done = subprocess.run([*line, *arguments], input=given.encode(), capture_output=True, env=environment)
            if done.returncode != UNAVAILABLE:
                break
            say(f"  busy: coffer {' '.join(arguments)}: {done.stderr.decode()}")
            time.sleep(PAUSE_S)
        if done.returncode != expected:
            raise SystemExit(f"coffer {' '.join(arguments)}: status {done.returncode}\n{done.stderr.decode()}")
        return done.stdout

    def join(self):
        for command in ("register", "login"):
            seen = self.site.mail.count(self.email)
            arguments = (command, self.email, "--password-file", "-")
            self.coffer(*arguments, given=self.password, expected=CODE_IS_MAILED)
            self.coffer(command, self.email, "--code", self.site.mail.code(self.email, seen))
        return self

    def write(self, name, content):
        path = self.home / name
        path.write_bytes(content)
        os.chmod(path, 0o644)
