"""A bounded load on the published ports, that remembers what was acknowledged.

Each worker keeps one connection to each port, as clients do, and has keys, files and configurations of its own, so it
knows what it must read. A request fails when it has no answer or an answer of 5xx; every other unexpected answer is a
loss, and worse.
"""

import base64
import http.client
import json
import ssl
import threading
import time
from dataclasses import dataclass, field

from . import envelope
from .people import DATA, KMS, ByCurl
from .site import DATA_PORT, GATEWAY_PORT, KMS_PORT

WORKERS = 6
# Of each worker: about 60 requests a second in all.
PAUSE_S = 0.1
TIMEOUT_S = 30


@dataclass(frozen=True)
class Failure:
    """A request without a good answer, with the moments of its beginning and its end."""

    what: str
    why: str
    began: float
    ended: float


@dataclass
class Worker:
    """One client: what it last wrote, and what of that was acknowledged."""

    name: str
    sid: str
    file: dict
    context: ssl.SSLContext
    # By kind of thing: numbers that were acknowledged, and numbers that may or may not have been written.
    acknowledged: dict = field(default_factory=lambda: {"key": 0, "file": 0, "configuration": 0})
    attempted: dict = field(default_factory=lambda: {"key": 0, "file": 0, "configuration": 0})
    connections: dict = field(default_factory=dict)
    failures: list = field(default_factory=list)
    losses: list = field(default_factory=list)
    done: int = 0

    def call(self, method, port, path, body=None, headers=None):
        """Status and JSON; None if it failed, which is noted."""
        began = time.monotonic()
        connection = self.connections.get(port)
        if not connection:
            connection = http.client.HTTPSConnection("localhost", port, timeout=TIMEOUT_S, context=self.context)
        sent = {"sid": self.sid, "Authorization": f"Bearer {self.sid}", **(headers or {})}
        if body is not None:
            sent["content-type"] = "application/json"
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, sent)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            self.connections.pop(port, None)
            return self.fail(f"{method} {port}{path}", repr(error), began)
        self.connections[port] = connection
        self.done += 1
        if answer.status >= 500:
            return self.fail(f"{method} {port}{path}", f"{answer.status} {text[:200]}", began)
        return answer.status, json.loads(text) if text else None

    def fail(self, what, why, began):
        self.failures.append(Failure(f"{self.name}: {what}", why, began, time.monotonic()))

    def write(self, kind, call, good=(200, 201)):
        """Writes the next number of a kind."""
        number = self.attempted[kind] + 1
        self.attempted[kind] = number
        answer = call(number)
        if answer and answer[0] in good:
            self.acknowledged[kind] = number
        elif answer:
            self.losses.append(f"{self.name}: {kind} {number}: {answer}")

    def check(self, kind, answer, number):
        """A number that was read lies between what was acknowledged and what was attempted."""
        if not answer:
            return
        low, high = self.acknowledged[kind], self.attempted[kind]
        found = number(answer[1]) if answer[0] == 200 else None
        if found is None and low == 0 and answer[0] == 404:
            return
        if found is None or not low <= found <= high:
            self.losses.append(f"{self.name}: {kind}: {found} instead of {low} to {high}: {answer[0]}")

    def write_all(self):
        mine = {"x-user-key": f"the user key of {self.name}"}
        key = {"key": self.name}
        self.write("key", lambda n: self.call("POST", GATEWAY_PORT, "/store", {**key, "value": n}))
        self.write("file", lambda n: self.call("POST", DATA_PORT, "/upload", self.envelope(n)))
        if self.acknowledged["configuration"]:
            put = lambda n: self.call("PUT", GATEWAY_PORT, f"/configs/{self.name}", {"value": n}, mine)
        else:
            put = lambda n: self.call("POST", GATEWAY_PORT, "/configs", {**key, "value": n}, mine)
        # A first one whose answer was lost exists already.
        self.write("configuration", put, good=(200, 201, 400))

    def envelope(self, n):
        """A file of its own for each number: none is replaced. Its content is the number."""
        return {**self.file, "file_name": f"{self.name}-{n}", "encrypted_data": number(n)}

    def read_all(self):
        mine = {"x-user-key": f"the user key of {self.name}"}
        value = lambda body: body["value"]
        self.check("key", self.call("GET", GATEWAY_PORT, f"/retrieve/{self.name}"), value)
        last = f"/download?file_name={self.name}-{self.acknowledged['file']}"
        self.check("file", self.call("GET", DATA_PORT, last), number_of)
        self.check("configuration", self.call("GET", GATEWAY_PORT, f"/configs/{self.name}", headers=mine), value)
        # Straight to the KMS: it reads a session, a grant and a private key.
        answer = self.call("POST", KMS_PORT, "/get_private_key", {"file_name": self.name})
        if answer and answer[0] != 200:
            self.losses.append(f"{self.name}: private key: {answer}")


def number(n):
    """A number as the bytes of an envelope, in base64: the services look at neither."""
    return envelope.encoded(n.to_bytes(16, "big"))


def number_of(body):
    return int.from_bytes(base64.b64decode(body["encrypted_data"]), "big")


class Load:
    """Workers that run from `with` to its end."""

    def __init__(self, site, name):
        person = ByCurl(site, name).join()
        context = ssl.create_default_context(cafile=str(site.authority))
        self.workers = [self.worker(site, person, f"{name}-{i}", context) for i in range(WORKERS)]
        self.stopping = threading.Event()

    @staticmethod
    def worker(site, person, name, context):
        key = person.expect(200, "POST", f"{KMS}/get_public_key", {"file_name": name})["kms_public_key"]
        worker = Worker(name, person.sid, envelope.seal(name, key, b"", site.folder), context)
        # The KMS hands out a private key once its file is there.
        for file in (worker.file, worker.envelope(0)):
            person.expect(200, "POST", f"{DATA}/upload", file)
        return worker

    def __enter__(self):
        self.threads = [threading.Thread(target=self.work, args=(worker,)) for worker in self.workers]
        for thread in self.threads:
            thread.start()
        return self

    def work(self, worker):
        while not self.stopping.wait(PAUSE_S):
            worker.write_all()
            worker.read_all()

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def verify(self):
        """Once more everything that was acknowledged, when nothing is being changed any more."""
        for worker in self.workers:
            failed = len(worker.failures)
            worker.read_all()
            if len(worker.failures) > failed:
                worker.losses.append(f"{worker.name}: {worker.failures[-1]}")

    @property
    def failures(self):
        return sorted((one for worker in self.workers for one in worker.failures), key=lambda one: one.began)

    @property
    def losses(self):
        return [loss for worker in self.workers for loss in worker.losses]

    @property
    def done(self):
        return sum(worker.done for worker in self.workers)
