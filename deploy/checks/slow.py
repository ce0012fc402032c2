"""Uploads and downloads that take longer than a replica needs to notice that it should stop.

They go over connections of their own at the speed of a home's line, so that each replica is stopped while some are under
way. A stop waits for them, and what was written for a slow reader must leave before the network of the container goes.
"""

import base64
import http.client
import json
import os
import threading
import time

from .site import DATA_PORT

CONTENT_BYTES = 12_000_000
PIECE_BYTES = 32 * 1024
# About 0.7 MB/s up and down: twenty seconds and more for each.
PAUSE_S = 0.045
# Longer than the edge and the services wait.
TIMEOUT_S = 150
EACH = 2


class Slow:
    """Uploaders and downloaders that run from `with` to its end."""

    def __init__(self, worker):
        self.worker = worker
        self.failures, self.done = [], 0
        self.stopping, self.lock = threading.Event(), threading.Lock()
        self.content = base64.b64encode(os.urandom(CONTENT_BYTES)).decode()
        self.upload(f"{worker.name}-slow", 0)

    def __enter__(self):
        work = [self.uploads, self.downloads] * EACH
        self.threads = [threading.Thread(target=one, args=(number,)) for number, one in enumerate(work)]
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def uploads(self, number):
        count = 0
        while not self.stopping.is_set():
            count += 1
            self.tried("slow upload", lambda: self.upload(f"{self.worker.name}-slow-{number}-{count}", PAUSE_S))

    def downloads(self, _):
        while not self.stopping.is_set():
            self.tried("slow download", self.download)

    def tried(self, what, call):
        began = time.monotonic()
        try:
            call()
        except (OSError, http.client.HTTPException, ValueError) as error:
            with self.lock:
                self.failures.append(f"{what}: after {time.monotonic() - began:.1f} s: {error!r}")
            # Not at once again, if nothing is there.
            time.sleep(1)
        else:
            with self.lock:
                self.done += 1

    def connection(self):
        return http.client.HTTPSConnection("localhost", DATA_PORT, timeout=TIMEOUT_S, context=self.worker.context)

    def upload(self, name, pause):
        body = json.dumps({**self.worker.file, "file_name": name, "encrypted_data": self.content}).encode()

        def pieces():
            for at in range(0, len(body), PIECE_BYTES):
                yield body[at : at + PIECE_BYTES]
                time.sleep(pause)

        headers = {"sid": self.worker.sid, "content-type": "application/json", "content-length": str(len(body))}
        connection = self.connection()
        try:
            connection.request("POST", "/upload", pieces(), headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status not in (200, 201):
            raise ValueError(f"{answer.status} {text[:200]}")

    def download(self):
        connection = self.connection()
        try:
            name = f"{self.worker.name}-slow"
            connection.request("GET", f"/download?file_name={name}", headers={"sid": self.worker.sid})
            answer = connection.getresponse()
            pieces = []
            while piece := answer.read(PIECE_BYTES):
                pieces.append(piece)
                time.sleep(PAUSE_S)
        finally:
            connection.close()
        text = b"".join(pieces)
        if answer.status != 200 or json.loads(text)["encrypted_data"] != self.content:
            raise ValueError(f"{answer.status}, {len(text)} bytes")
