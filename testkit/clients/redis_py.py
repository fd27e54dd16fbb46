# SPDX-License-Identifier: Apache-2.0

"""redis-py against Cairn: python3 redis_py.py HOST PORT [CA USER PASSWORD], as docs/guide/clients.md has it.

What testkit's OtherLibrariesTest asks is a word a line on standard input; the answers are JSON, a line each.
"""

import json
import logging
import re
import sys
import threading
import traceback

from redis import Redis
from redis.cluster import RedisCluster
from redis.exceptions import NoPermissionError

NAME = "redis-py"
KEYS = 24  # enough for keys of every partition
TIMEOUT_SECONDS = 4  # more than a node takes to give up

host, port = sys.argv[1], int(sys.argv[2])
ca, user, password = sys.argv[3:] or (None, None, None)
# It logs each MOVED that it follows as an error.
logging.getLogger("redis").setLevel(logging.CRITICAL)


def secured(secret):
    """What says how to connect: over TLS as a user, or in the clear as nobody."""
    return {"ssl": True, "ssl_ca_certs": ca, "username": user, "password": secret} if ca else {}


def open_one(secret=password):
    return Redis(host=host, port=port, socket_timeout=TIMEOUT_SECONDS, decode_responses=True, **secured(secret))


class Cluster(RedisCluster):
    """redis-py 4.3 copies itself, lock and all, to look for the others when its first node is gone."""

    def __deepcopy__(self, memo):
        return self


def open_cluster(secret=password):
    return Cluster(
        host=host,
        port=port,
        socket_timeout=TIMEOUT_SECONDS,
        reinitialize_steps=1,
        decode_responses=True,
        **secured(secret),
    )


one = open_one()
cluster = open_cluster()


class Work(threading.Thread):
    """Sets and gets all keys until told to stop; counts rounds without an error, and errors by kind."""

    def __init__(self, client, prefix):
        super().__init__(daemon=True)
        self.client = client
        self.prefix = prefix
        self.rounds = 0
        self.errors = {}
        self.unsure = {}  # by key: values whose write may yet take effect
        self.finished = threading.Event()
        self.start()

    def run(self):
        round_ = 0
        while not self.finished.is_set():
            done = [self.set_and_get(self.prefix + str(i), f"value{round_}") for i in range(KEYS)]
            self.rounds += all(done)
            round_ += 1

    def set_and_get(self, key, value):
        acknowledged = False
        try:
            self.client.set(key, value)
            acknowledged = True
            found = self.client.get(key)
            if found != value and found not in self.unsure.get(key, ()):
                raise AssertionError(f"WRONG VALUE: {key} holds {found}, {value} was written")
            return True
        except Exception as error:
            if not acknowledged:
                self.unsure.setdefault(key, set()).add(value)
            kind = re.sub(r"\d+", "N", f"{type(error).__name__}: {error}")
            self.errors[kind] = self.errors.get(kind, 0) + 1
            return False


def check_expiry(client):
    client.set("short", "lived", ex=100)
    assert 90 <= client.ttl("short") <= 100
    assert client.persist("short")
    assert client.ttl("short") == -1


def check_scan(client):
    scanned = list(client.scan_iter(match="key*", count=5))
    assert sorted(scanned) == sorted(f"key{i}" for i in range(KEYS)), scanned


def check_pipeline(pipeline):
    for i in range(KEYS):
        pipeline.set(f"key{i}", f"value{i}")
        pipeline.get(f"key{i}")
    answers = pipeline.execute()
    assert answers[1::2] == [f"value{i}" for i in range(KEYS)], answers


def check_transaction():
    """On the client port: this version has none in cluster mode."""
    one.set("{user7}visits", 1)

    def visit(pipeline):
        visits = int(pipeline.get("{user7}visits"))
        if visits == 1:  # somebody else comes in between: the first try is for nothing
            one.set("{user7}visits", 7)
        pipeline.multi()
        pipeline.set("{user7}visits", visits + 1)
        pipeline.set("{user7}name", "ada")

    assert one.transaction(visit, "{user7}visits") == [True, True]
    assert one.mget("{user7}visits", "{user7}name") == ["8", "ada"]
    assert one.delete("{user7}visits", "{user7}name") == 2


def client_port():
    check_pipeline(one.pipeline(transaction=False))
    check_transaction()
    check_expiry(one)
    assert one.dbsize() == KEYS + 1
    check_scan(one)


def cluster_mode():
    check_pipeline(cluster.pipeline())
    check_expiry(cluster)
    assert cluster.dbsize(target_nodes=RedisCluster.PRIMARIES) == KEYS + 1
    check_scan(cluster)


def requests(count):
    for i in range(int(count) // 2):
        key = NAME + str(i % KEYS)
        cluster.set(key, f"value{i}")
        assert cluster.get(key) == f"value{i}"


def met(attempt):
    """What an attempt fails with. The library takes NOPERM off, and names its own error after it."""
    try:
        attempt()
        return "nothing"
    except NoPermissionError as error:
        return f"NOPERM {error}"
    except Exception:
        return traceback.format_exc()


def reading(key):
    return [met(lambda: one.get(key)), met(lambda: cluster.get(key))]


def coming_with(secret):
    return [met(lambda: open_one(secret).ping()), met(lambda: open_cluster(secret).get("key"))]


works = []


def begin():
    works[:] = [Work(open_one(), NAME + ":port"), Work(open_cluster(), NAME + ":cluster")]


def rounds():
    return min(work.rounds for work in works)


def finish():
    errors = {}
    for work in works:
        work.finished.set()
    for work in works:
        work.join()
        for kind, count in work.errors.items():
            errors[kind] = errors.get(kind, 0) + count
    return errors


STEPS = {
    "client-port": client_port,
    "cluster-mode": cluster_mode,
    "requests": requests,
    "reading": reading,
    "coming-with": coming_with,
    "begin": begin,
    "rounds": rounds,
    "finish": finish,
}


def answer(value):
    print(json.dumps(value), flush=True)


answer({"ok": "connected"})
for line in sys.stdin:
    step, *arguments = line.split()
    try:
        answer({"ok": STEPS[step](*arguments)})
    except Exception:
        answer({"error": traceback.format_exc()})
