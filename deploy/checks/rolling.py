"""Replacing every replica under load, and restarting them where they are."""

import time

from .journeys import SEVERAL
from .load import Load
from .site import SERVICES, run as command, say
from .slow import Slow


def run(site):
    site.up(SEVERAL)
    under_load(site, "deploy/roll", lambda: command("./roll", cwd=site.deploy, env=site.environment()))
    under_load(site, "docker restart, one by one", lambda: restart_each(site))


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
