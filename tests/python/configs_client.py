"""Everything that the published client of the configuration contract does, by that client itself, unchanged.

usage: configs_client.py GATEWAY

Knows the three generations of it apart by their version: 1 knows keys alone, 2 has environments as an attribute, 3
identifies by key and environment. Ends with an error at the first thing that is not as the client's own documents say.
"""

import sys
from importlib.metadata import version

import opensecureconf_client as published
from opensecureconf_client import OpenSecureConfClient

GATEWAY = sys.argv[1]
GENERATION = int(version("opensecureconf-client").split(".")[0])
# What addresses a configuration, beside its key.
PLACE = ("production",) if GENERATION == 3 else ()


def expect(condition, *said):
    if not condition:
        raise AssertionError(said)


def refused(error, call, *arguments):
    try:
        answer = call(*arguments)
    except error as caught:
        # A subclass would be another error.
        expect(type(caught) is error, type(caught), caught)
        return
    raise AssertionError(("not refused", call, arguments, answer))


def create(client, key, value, category=None):
    if GENERATION == 3:
        return client.create(key, value, "production", category)
    return client.create(key, value, category)


def update(client, key, value, category=None):
    return client.update(key, *PLACE, value, category)


def single(client, other):
    info = client.get_service_info()
    expect(info["service"] == "OpenSecureConf API" and info["version"] and info["features"] and info["endpoints"], info)
    database = {"host": "localhost", "port": 5432, "ratio": 0.5, "tags": ["a", None, True], "name": "Jürgen 報"}
    made = create(client, "database", database, "config")
    expect(made["key"] == "database" and made["value"] == database and made["category"] == "config", made)
    expect(isinstance(made["id"], int), made)
    refused(published.ConfigurationExistsError, create, client, "database", {"host": "other"})
    read = client.read("database", *PLACE)
    expect({name: read[name] for name in ("id", "key", "value", "category")} ==
           {name: made[name] for name in ("id", "key", "value", "category")}, read)
    changed = update(client, "database", {"host": "db.example.com"})
    expect(changed["value"] == {"host": "db.example.com"} and changed["category"] == "config", changed)
    expect(changed["id"] == made["id"], changed)
    expect(update(client, "database", {"a": 1}, "other")["category"] == "other")
    create(client, "plain", {"a": {}})
    expect([one["key"] for one in client.list_all()] == ["database", "plain"], client.list_all())
    expect([one["key"] for one in client.list_all(category="other")] == ["database"])
    # Another user key sees nothing, and may use the same names.
    expect(other.list_all() == [], other.list_all())
    refused(published.ConfigurationNotFoundError, other.read, "database", *PLACE)
    refused(published.ConfigurationNotFoundError, other.delete, "database", *PLACE)
    create(other, "database", {"whose": "other"})
    expect(client.read("database", *PLACE)["value"] == {"a": 1})
    gone = client.delete("database", *PLACE)
    expect(gone == {"message": "Configuration 'database' deleted successfully"}, gone)
    for call in (client.read, client.delete):
        refused(published.ConfigurationNotFoundError, call, "database", *PLACE)
    refused(published.ConfigurationNotFoundError, update, client, "database", {"a": 1})
    expect(other.read("database", *PLACE)["value"] == {"whose": "other"})
    again = create(client, "database", {"a": 2})
    expect(again["id"] > changed["id"], "a number is never used again", again)
    client.delete("plain", *PLACE)
    create(client, "a/b", {"a": 1})
    expect(client.read("a/b", *PLACE)["key"] == "a/b")
    client.delete("a/b", *PLACE)


def enhanced(client):
    expect(client.ping())
    expect(client.get_cluster_status()["enabled"] is False)
    expect(client.get_cluster_health()["status"] == "healthy")
    expect(client.exists("database", *PLACE) and not client.exists("never", *PLACE))
    expect(client.get_or_default("never", *PLACE, {"a": 1})["value"] == {"a": 1})
    expect(client.count() == 1)
    if GENERATION == 2:
        items = [{"key": f"bulk{at}", "value": {"at": at}, "category": "bulk"} for at in range(5)]
        names = [one["key"] for one in items]
    else:
        items = [{"key": f"bulk{at}", "value": value, "environment": "staging", "category": "bulk"}
                 for at, value in enumerate([{"a": 1}, "text", 7, True, [1, "b", None]])]
        names = [{"key": one["key"], "environment": one["environment"]} for one in items]
    made = client.bulk_create(items)
    expect([one["value"] for one in made] == [one["value"] for one in items], made)
    expect(len(client.bulk_create(items, ignore_errors=True)) == 0)
    refused(published.OpenSecureConfError, client.bulk_create, items)
    read = client.bulk_read(names)
    expect([one["value"] for one in read] == [one["value"] for one in items], read)
    missing = "never" if GENERATION == 2 else {"key": "never", "environment": "staging"}
    expect(len(client.bulk_read([missing, *names], ignore_errors=True)) == 5)
    refused(published.ConfigurationNotFoundError, client.bulk_read, [missing])
    expect(client.list_categories() == ["bulk"], client.list_categories())
    expect(client.count("bulk") == 5)
    outcome = client.bulk_delete([*names, missing], ignore_errors=True)
    expect(len(outcome["deleted"]) == 5 and len(outcome["failed"]) == 1, outcome)
    expect(client.count() == 1)


def environments(client):
    for environment, value in (("production", "p"), ("staging", "s")):
        made = client.create("token", value, environment, "auth")
        expect(made["environment"] == environment and made["created_at"] and made["updated_at"], made)
    refused(published.ConfigurationExistsError, client.create, "token", "x", "staging")
    expect(client.read("token", "staging")["value"] == "s")
    expect(client.update("token", "staging", [1, 2])["value"] == [1, 2])
    expect(client.read("token", "production")["value"] == "p")
    expect(client.list_environments() == ["production", "staging"], client.list_environments())
    expect(client.count(environment="staging") == 1)
    refused(published.ConfigurationNotFoundError, client.read, "token", "test")
    client.delete("token", "staging")
    refused(published.ConfigurationNotFoundError, client.read, "token", "staging")
    client.delete("token", "production")


def attributes(client):
    made = client.create("token", "s", "auth", "staging")
    expect(made["environment"] == "staging", made)
    expect(client.read("token")["environment"] == "staging")
    moved = client.update("token", "t", environment="production")
    expect(moved["environment"] == "production" and moved["category"] == "auth", moved)
    expect(client.list_all(environment="staging") == [])
    expect(client.update("token", "u")["environment"] == "production")
    client.delete("token")


def main():
    retry = {} if GENERATION == 1 else {"enable_retry": False}
    with OpenSecureConfClient(GATEWAY, "the key of ann", **retry) as client:
        with OpenSecureConfClient(GATEWAY, "the key of bob", **retry) as other:
            single(client, other)
        if GENERATION >= 2:
            enhanced(client)
        if GENERATION == 3:
            environments(client)
        if GENERATION == 2 and hasattr(client, "list_environments"):
            attributes(client)
    short = OpenSecureConfClient(GATEWAY, "the key of ann", **retry)
    short._session.headers["x-user-key"] = "short"
    refused(published.AuthenticationError, short.list_all)
    print(version("opensecureconf-client"))


main()
