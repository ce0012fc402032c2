"""Sizes of the images, and the time from the start of a container to the first answer that it is ready."""

from datetime import datetime, timezone
from statistics import median

from .site import INTERNAL_PORTS, SERVICES, answers, run as command, say, until

BASE = "gcr.io/distroless/cc-debian12:nonroot"
STARTS = 5
BYTES_MAX = 60_000_000
READY_WITHIN_S = 1.0


def run(site):
    base = size(BASE)
    say(f"base {BASE}: {base / 1e6:.1f} MB")
    for target in (*SERVICES, "all", "cli"):
        own = size(site.image(target)) - base
        say(f"coffer-{target}: {own / 1e6:.1f} MB beyond its base")
        if own > BYTES_MAX:
            raise SystemExit(f"coffer-{target} is too large")
    for service in SERVICES:
        container = site.containers(service)[0]
        times = [start(site, service, container) for _ in range(STARTS)]
        say(f"{service}: ready {median(times):.2f} s after its start (median of {STARTS}; {min(times):.2f} to {max(times):.2f})")
        if median(times) > READY_WITHIN_S:
            raise SystemExit(f"{service} starts too slowly")


def size(image):
    return int(command("docker", "image", "inspect", "--format", "{{.Size}}", image))


def start(site, service, container):
    command("docker", "stop", container)
    command("docker", "start", container)
    url = f"http://{site.address(container)}:{INTERNAL_PORTS[service]}/readyz"
    until(f"{service} is ready", 30, lambda: answers(url))
    ready = datetime.now(timezone.utc)
    started = site.inspect(container)["State"]["StartedAt"]
    # Nanoseconds, of which Python takes six digits.
    began = datetime.fromisoformat(started[:26] + "+00:00")
    site.settle()
    return (ready - began).total_seconds()
