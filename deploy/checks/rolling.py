"""Replacing every replica under load, restarting them where they are, and giving the edge another certificate."""

import subprocess
import time

from .journeys import SEVERAL
from .load import Load
from .site import GATEWAY_PORT, SERVICES, run as command, say, until
from .slow import Slow


def run(site):
    site.up(SEVERAL)
    under_load(site, "deploy/roll", lambda: command("./roll", cwd=site.deploy, env=site.environment()))
    under_load(site, "docker restart, one by one", lambda: restart_each(site))
    under_load(site, "another certificate for the edge", lambda: another_certificate(site))


def under_load(site, what, work):
    load = Load(site, f"load-{int(time.time())}")
    with load, Slow(load.workers[0]) as slow:
        began = time.monotonic()
        time.sleep(3)
        work()
        time.sleep(3)
        took = time.monotonic() - began
    load.verify()
    say(f"{what}: {load.done} requests in {took:.0f} s, {len(load.failures)} failed, {len(load.losses)} lost")
    for failure in load.failures[:20]:
        say(f"  after {failure.began - began:.2f} s, for {failure.ended - failure.began:.2f} s: {failure.what}: {failure.why}")
    for loss in load.losses[:20]:
        say(f"  {loss}")
    say(f"{what}: {slow.done} slow uploads and downloads, {len(slow.failures)} failed")
    for failure in slow.failures[:20]:
        say(f"  {failure}")
    if load.failures or load.losses or slow.failures:
        raise SystemExit(f"{what}: requests failed")


def restart_each(site):
    for service in SERVICES:
        for container in site.containers(service):
            command("docker", "restart", "--time", "120", container)
            site.settle()


def another_certificate(site):
    """As README.md says: in place, and by SIGHUP. The new one is made of the old one's key, so that clients know it."""
    place = site.deploy / "secrets/edge_certificate.pem"
    before = served(site)
    renew = ["openssl", "x509", "-in", place, "-signkey", place, "-days", "7", "-set_serial", str(time.time_ns())]
    renewed = subprocess.run(renew, capture_output=True, check=True, text=True).stdout
    text = place.read_text()
    # The load trusts both.
    with site.authority.open("a") as authority:
        authority.write(renewed)
    place.chmod(0o644)
    place.write_text(renewed + text[text.index("-----BEGIN PRIVATE KEY"):])
    place.chmod(0o444)
    for edge in site.containers("edge"):
        command("docker", "kill", "--signal", "HUP", edge)
    until("the edge shows the new certificate", 30, lambda: served(site) != before)


def served(site):
    """The certificate that the edge shows."""
    line = ["openssl", "s_client", "-connect", f"localhost:{GATEWAY_PORT}", "-servername", "localhost"]
    return subprocess.run(line, input="", capture_output=True, text=True).stdout.partition("END CERTIFICATE")[0]
