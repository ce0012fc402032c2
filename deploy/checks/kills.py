"""kill -9 of one process after the other, under load. Docker starts each again, as after any crash."""

import os
import signal
import time

from .journeys import SEVERAL
from .load import Load
from .site import SERVICES, say, until

STORES = ("keys-redis", "data-redis")
# A store may be away for so long, its start and the edge's next checks included.
RECOVERS_WITHIN_S = 20


def run(site):
    site.up(SEVERAL)
    with Load(site, f"kills-{int(time.time())}") as load:
        time.sleep(3)
        outcomes = [kill(site, load, name) for name in (*SERVICES, *STORES)]
        time.sleep(3)
    load.verify()
    for line in outcomes:
        say(line)
    say(f"kills: {load.done} requests, {len(load.failures)} failed, {len(load.losses)} lost")
    for loss in load.losses[:20]:
        say(f"  {loss}")
    if load.losses:
        raise SystemExit("what was acknowledged is lost")


def kill(site, load, name):
    """Kills the first container's process; what failed, and for how long."""
    container = site.containers(name)[0]
    process = site.inspect(container)["State"]["Pid"]
    before = time.monotonic()
    os.kill(process, signal.SIGKILL)
    # Until its memory is given back, a process that was killed still holds its connections.
    until(f"{name} is gone", 5, lambda: not os.path.exists(f"/proc/{process}"))
    after = time.monotonic()
    until(f"{name} runs again", 30, lambda: site.inspect(container)["State"]["Pid"] not in (0, process))
    site.settle()
    time.sleep(3)
    failed = [one for one in load.failures if one.ended >= before]
    allowed = after + (RECOVERS_WITHIN_S if name in STORES else 0)
    for one in failed:
        if one.began > allowed:
            late = one.began - after
            raise SystemExit(f"{name} was killed, and what began {late:.3f} s after its end failed: {one}")
    last = max((one.ended - before for one in failed), default=0)
    outcome = f"{name}: kill -9: {len(failed)} requests failed"
    return f"{outcome}, the last one {last:.2f} s after it" if failed else outcome
