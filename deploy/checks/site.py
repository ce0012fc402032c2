"""An installation of its own to try things on."""

import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from .mail import MailServer

DEPLOY = Path(__file__).resolve().parent.parent
PROJECT = "coffer-check"
GATEWAY_PORT, KMS_PORT, DATA_PORT, MAIL_PORT = 18443, 13000, 14000, 12525
TOOL_PORTS = {"COFFER_PGADMIN_PORT": 18081, "COFFER_REDIS_COMMANDER_PORT": 18082, "COFFER_MAIL_PORT": 18083}
SUBNET, HOST_ADDRESS = "10.213.65.0/24", "10.213.65.1"
SERVICES = ("kms", "data", "gateway")
INTERNAL_PORTS = {"kms": 3001, "data": 4001, "gateway": 8001}


def say(text):
    print(text, flush=True)


def run(*command, **options):
    """Runs a command to its end; its output as text. Fails with what it said."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def until(what, seconds, probe):
    """Polls until `probe` gives something; says what was waited for in vain."""
    deadline = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() > deadline:
            raise SystemExit(f"waited {seconds} s in vain: {what}")
        time.sleep(0.02)


def compose_command():
    modern = subprocess.run(["docker", "compose", "version"], capture_output=True)
    return ["docker", "compose"] if modern.returncode == 0 else ["docker-compose"]


class Site:
    """A copy of deploy/ with its own settings, started with one replica of each service."""

    def __init__(self, version):
        self.version = version
        self.compose = compose_command()
        self.folder = Path(tempfile.mkdtemp(prefix="coffer-check-"))
        self.deploy = self.folder / "deploy"
        self.mail = None

    def __enter__(self):
        ignored = shutil.ignore_patterns("secrets", ".env", "__pycache__")
        shutil.copytree(DEPLOY, self.deploy, ignore=ignored)
        self.deploy.joinpath(".env").write_text(self.settings())
        run("./make-secrets", "localhost", cwd=self.deploy)
        certificate = self.deploy.joinpath("secrets/edge_certificate.pem").read_text()
        self.authority = self.folder / "authority.pem"
        self.authority.write_text(certificate[: certificate.index("-----BEGIN PRIVATE KEY")])
        try:
            self.start()
        except BaseException as error:
            self.__exit__(type(error), error, None)
            raise
        return self

    def say_what_was_logged(self):
        for container in self.all():
            done = subprocess.run(["docker", "logs", "--tail", "400", container], capture_output=True, text=True)
            lines = (done.stdout + done.stderr).splitlines()
            telling = [line for line in lines if any(word in line for word in ("WARN", "ERROR", "ALERT", "coffer-"))]
            say(f"-- {self.inspect(container)['Name']}\n" + "\n".join(telling[-15:]))

    def remove(self):
        """What there is of this project; a busy engine may need to be asked again."""
        for _ in range(3):
            line = [*self.line(), "down", "--volumes", "--timeout", "5", "--remove-orphans"]
            done = subprocess.run(line, cwd=self.deploy, capture_output=True, text=True)
            if done.returncode == 0:
                return
        say(f"not all could be removed:\n{done.stderr}")

    def __exit__(self, kind, *_):
        if kind:
            self.say_what_was_logged()
        self.remove()
        if self.mail:
            self.mail.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def settings(self):
        changed = {
            "SMTP_SERVER": HOST_ADDRESS,
            "SMTP_PORT": MAIL_PORT,
            "SMTP_TLS": "none",
            "COFFER_HTTPS_PORT": GATEWAY_PORT,
            "COFFER_KMS_PORT": KMS_PORT,
            "COFFER_DATA_PORT": DATA_PORT,
            "COFFER_SUBNET": SUBNET,
            **TOOL_PORTS,
        }
        if self.version:
            changed["COFFER_VERSION"] = self.version
        lines = DEPLOY.joinpath(".env.example").read_text().splitlines()
        names = [line.split("=", 1)[0] for line in lines]
        return "".join(
            f"{name}={changed[name]}\n" if name in changed else f"{line}\n" for name, line in zip(names, lines)
        )

    def start(self):
        if not self.version:
            self.build()
        self.remove()
        # The engine gives an address space back a moment after its network is gone.
        time.sleep(5)
        began = time.monotonic()
        self.up({})
        self.mail = MailServer(HOST_ADDRESS, MAIL_PORT)
        say(f"compose is healthy after {time.monotonic() - began:.1f} s")

    def build(self):
        """Builds all images; the folder above the copy has no sources, so this happens in the real one."""
        for target in (*SERVICES, "all", "cli"):
            began = time.monotonic()
            tag = f"coffer-{target}:0.1.0"
            run("docker", "build", "--target", target, "--tag", tag, "-f", "deploy/Dockerfile", ".", cwd=DEPLOY.parent)
            say(f"built {tag} in {time.monotonic() - began:.0f} s")

    def image(self, target):
        return f"coffer-{target}:{self.version or '0.1.0'}"

    def line(self):
        return [*self.compose, "--project-name", PROJECT]

    def up(self, replicas):
        """Starts what is missing with these numbers of replicas, and waits until all are healthy and ready."""
        scale = [word for name, count in replicas.items() for word in ("--scale", f"{name}={count}")]
        run(*self.line(), "up", "--detach", "--no-build", "--no-recreate", *scale, cwd=self.deploy)
        self.settle()

    def settle(self):
        """Waits until everything is healthy and the edge has taken in every replica that is ready."""
        until("all containers are healthy", 120, lambda: all(self.health(one) == "healthy" for one in self.all()))
        for service in SERVICES:
            for container in self.containers(service):
                until(f"{service} is ready", 60, lambda: self.is_ready(service, container))
        # The edge asks the name server every second, and each replica twice a second.
        time.sleep(3)

    def containers(self, service):
        return run(*self.line(), "ps", "-q", service, cwd=self.deploy).split()

    def all(self):
        return run(*self.line(), "ps", "-q", cwd=self.deploy).split()

    def inspect(self, container):
        return json.loads(run("docker", "inspect", container))[0]

    def health(self, container):
        return self.inspect(container)["State"].get("Health", {}).get("Status")

    def address(self, container):
        return self.inspect(container)["NetworkSettings"]["Networks"][f"{PROJECT}_front"]["IPAddress"]

    def is_ready(self, service, container):
        return answers(f"http://{self.address(container)}:{INTERNAL_PORTS[service]}/readyz")

    def environment(self):
        return {**os.environ, "COMPOSE_PROJECT_NAME": PROJECT}


def answers(url):
    try:
        return urllib.request.urlopen(url, timeout=2).status == 200
    except OSError:
        return False
