"""coffer-all in one container: mail in its mailbox, data in its volume, no rights and nothing to write to beside it."""

import re
import subprocess
import time

from .people import ByCurl
from .site import answers, run as command, say, until

NAME, VOLUME = "coffer-check-all", "coffer-check-all"
PORTS = {3000: 23000, 4000: 24000, 8000: 28000}
KMS, GATEWAY = f"http://127.0.0.1:{PORTS[3000]}", f"http://127.0.0.1:{PORTS[8000]}"


def run(site):
    remove()
    try:
        began = time.monotonic()
        start(site)
        until("it serves", 90, lambda: answers(f"{GATEWAY}/openapi.json"))
        say(f"coffer-all serves {time.monotonic() - began:.1f} s after `docker run`")
        has_no_rights()
        person = Person(site)
        person.join()
        person.expect(200, "POST", "/store", {"key": "k", "value": "kept"})
        command("docker", "rm", "--force", NAME)
        start(site)
        until("it serves again", 90, lambda: answers(f"{GATEWAY}/openapi.json"))
        assert person.expect(200, "GET", "/retrieve/k")["value"] == "kept"
        until("it is healthy", 90, lambda: state("{{.State.Health.Status}}") == "healthy")
        say("coffer-all: mailbox, key-value journey, another container on the same volume")
    finally:
        remove()


def start(site):
    publish = [word for inner, outer in PORTS.items() for word in ("-p", f"127.0.0.1:{outer}:{inner}")]
    limits = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges:true"]
    command("docker", "run", "-d", "--name", NAME, *limits, *publish, "-v", f"{VOLUME}:/var/lib/coffer", site.image("all"))


def state(form):
    return command("docker", "inspect", "--format", form, NAME)


def has_no_rights():
    with open(f"/proc/{state('{{.State.Pid}}')}/status") as status:
        fields = dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)
    assert set(fields["Uid"].split()) == {"65532"}, fields["Uid"]
    assert int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == 0, fields["CapEff"]
    assert fields["NoNewPrivs"] == "1"


def remove():
    subprocess.run(["docker", "rm", "--force", NAME], capture_output=True)
    subprocess.run(["docker", "volume", "rm", VOLUME], capture_output=True)


class Person:
    """Somebody at the gateway, who reads his mail in the container."""

    def __init__(self, site):
        self.curl = ByCurl(site, "ann")

    def expect(self, status, method, path, body=None, base=GATEWAY):
        return self.curl.expect(status, method, f"{base}{path}", body)

    def code(self, seen):
        inside = ("docker", "exec", NAME, "coffer-all", "--data-dir", "/var/lib/coffer", "mailbox", "--to", self.curl.email)
        codes = lambda: re.findall(r"code is: (\d+)", command(*inside))
        return until("mail has come", 60, lambda: codes() if len(codes()) > seen else None)[seen]

    def join(self):
        wish = {"email": self.curl.email, "password": self.curl.password}
        for seen, (ask, prove) in enumerate((("register", "verify_register"), ("login", "verify_login"))):
            self.expect(200, "POST", f"/{ask}", wish, KMS)
            proof = {"email": self.curl.email, "otp": self.code(seen)}
            answer = self.expect(200, "POST", f"/{prove}", proof, KMS)
        self.curl.sid = answer["sid"]
