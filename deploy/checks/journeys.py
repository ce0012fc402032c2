"""Files, keys and configurations through the edge, at one replica each and at several."""

import json
import os
import secrets

from . import envelope
from .people import DATA, GATEWAY, KMS, NOT_FOUND, ByCommandLine, ByCurl
from .site import run as command, say

SEVERAL = {"kms": 2, "data": 3, "gateway": 2}


def run(site):
    journey(site, "one")
    site.up(SEVERAL)
    for service, count in SEVERAL.items():
        assert len(site.containers(service)) == count, service
    journey(site, "several")
    nothing_internal_is_published(site)


def journey(site, name):
    ann, ben = ByCurl(site, f"ann-{name}").join(), ByCommandLine(site, f"ben-{name}").join()
    files_by_curl(site, ann)
    files_by_command_line(ben, ann.email)
    shared = ann.expect(200, "GET", f"{DATA}/download?file_name=from-ben.bin")
    assert shared["encrypted_data"], "what was shared with ann arrives"
    files_as_streams(ben, ByCommandLine(site, f"cat-{name}").join())
    keys(ann, ben)
    configurations(ann, ben)
    say(f"journeys at {name} of each: files, keys and configurations, by curl and by the command line")


def files_by_curl(site, ann):
    content = os.urandom(300_000)
    key = ann.expect(200, "POST", f"{KMS}/get_public_key", {"file_name": "a.bin"})["kms_public_key"]
    ann.expect(200, "POST", f"{DATA}/upload", envelope.seal("a.bin", key, content, site.folder))
    downloaded = ann.expect(200, "GET", f"{DATA}/download?file_name=a.bin")
    private = ann.expect(200, "POST", f"{KMS}/get_private_key", {"file_name": "a.bin"})["kms_private_key"]
    assert envelope.opened(downloaded, private, site.folder) == content, "the same bytes come back"


def files_by_command_line(ben, friend):
    content = os.urandom(3_000_000)
    ben.write("from-ben.bin", content)
    # Ann reads it with curl, as the original clients do.
    ben.coffer("put", "--classic", "from-ben.bin")
    assert ben.coffer("get", "from-ben.bin", "-") == content, "the same bytes come back"
    ben.coffer("share", "from-ben.bin", friend)


def files_as_streams(ben, cat):
    for size in (20_000_000, 0, 300_000):
        content = os.urandom(size)
        ben.write("streamed.bin", content)
        ben.coffer("put", "streamed.bin")
        assert ben.coffer("get", "streamed.bin", "-") == content, "each version replaces the one before"
    cat.coffer("get", "streamed.bin", "-", expected=NOT_FOUND)
    ben.coffer("share", "streamed.bin", cat.email)
    assert cat.coffer("get", "streamed.bin", "-") == content, "whom it is shared with gets the same bytes"


def keys(ann, ben):
    value = {"answer": 42, "text": "grüße"}
    ann.expect(200, "POST", f"{GATEWAY}/store", {"key": "a/b", "value": value})
    assert ann.expect(200, "GET", f"{GATEWAY}/retrieve/a%2Fb")["value"] == value
    ben.coffer("kv", "put", "token", "-", given="s3cret")
    assert ben.coffer("kv", "get", "token") == b"s3cret"
    ben.coffer("kv", "share", "token", "--with", ann.email)
    ben.coffer("kv", "rm", "token")


def configurations(ann, ben):
    user_key = (f"x-user-key: {secrets.token_hex(16)}",)
    made = {"key": "db", "value": {"host": "db.internal"}, "category": "prod"}
    ann.expect(201, "POST", f"{GATEWAY}/configs", made, user_key)
    assert ann.expect(200, "GET", f"{GATEWAY}/configs/db", headers=user_key)["value"] == made["value"]
    ann.expect(404, "GET", f"{GATEWAY}/configs/db", headers=("x-user-key: another-user-key",))
    value = {"max": 20}
    ben.coffer("config", "set", "pool", json.dumps(value), "--type", "json", "--env", "staging")
    ben.coffer("config", "promote", "pool", "--from", "staging", "--to", "production")
    assert json.loads(ben.coffer("config", "get", "pool", "--env", "production")) == value
    same = (f"x-user-key: {ben.user_key}",)
    assert ann.expect(200, "GET", f"{GATEWAY}/api/v1/configs/value?key=pool&environment=production", headers=same) == value
    ben.coffer("config", "get", "pool", "--env", "elsewhere", expected=NOT_FOUND)


def nothing_internal_is_published(site):
    published = command("docker", "ps", "--format", "{{.Names}} {{.Ports}}", "--filter", f"name={site.line()[-1]}")
    for line in published.splitlines():
        name, _, ports = line.partition(" ")
        assert "edge" in name or "->" not in ports, f"{name} publishes {ports}"
