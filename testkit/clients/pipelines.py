# SPDX-License-Identifier: Apache-2.0

"""redis-py's pipelines of all string and key commands: python3 pipelines.py REDIS_PORT CAIRN_PORT.

Each command is called between writes, all in one pipeline without a transaction; what the library returns for
redis-server and for a node must be equal. Prints what differs and ends with 1, or the number of calls and 0.
"""

import sys

from redis import Redis

ROUNDS = 20
A, B, C = "{u}a", "{u}b", "{u}c"
AT = 4102444800

CALLS = [
    ("get", A), ("getex", A), ("getex", A, {"ex": 100000}), ("getex", A, {"persist": True}), ("getdel", A),
    ("getset", A, "9"), ("set", A, "9", {"nx": True}), ("set", A, "9", {"get": True, "px": 99999999}),
    ("set", A, "9", {"keepttl": True, "xx": True}), ("setnx", A, "9"), ("setex", A, 100000, "9"),
    ("psetex", A, 99999999, "9"), ("mget", [A, B, C]), ("mset", {A: "1", C: "2"}), ("msetnx", {C: "1"}),
    ("append", A, "x"), ("strlen", A), ("getrange", A, 0, -1), ("substr", A, 0, -1), ("setrange", A, 3, "x"),
    ("incr", A), ("decr", A), ("incrby", A, 5), ("decrby", A, 5), ("incrbyfloat", A, 0.5),
    ("execute_command", "LCS", A, B), ("setbit", A, 7, 1), ("getbit", A, 7), ("bitcount", A), ("bitpos", A, 1),
    ("bitop", "XOR", C, A, B), ("execute_command", "BITFIELD", A, "GET", "u8", 0),
    ("execute_command", "BITFIELD", A, "INCRBY", "u8", 0, 1), ("execute_command", "BITFIELD_RO", A, "GET", "u8", 0),
    ("delete", A, C), ("unlink", A), ("exists", A, B, A), ("touch", A, B), ("type", A), ("rename", A, C),
    ("renamenx", A, C), ("copy", A, C), ("object", "ENCODING", A), ("object", "REFCOUNT", C), ("persist", A),
    ("expire", A, 100000), ("pexpire", A, 99999999), ("expireat", A, AT), ("pexpireat", A, AT * 1000), ("ttl", A),
    ("pttl", A), ("execute_command", "EXPIRETIME", A), ("execute_command", "PEXPIRETIME", A), ("dbsize",),
    ("keys", "*"), ("memory_usage", A), ("object", "IDLETIME", A), ("randomkey",), ("execute_command", "GET"),
    ("execute_command", "SET", A, "1", "NX", "XX"), ("execute_command", "GETEX", A, "EX", "0"),
]  # fmt: skip

# How a server keeps a value, and which key it picks, is its own; that there is one is not.
OF_ITS_OWN = {"memory_usage", "randomkey", "object"}
TIMES = {"ttl": 2, "pttl": 2000}


def call(pipeline, name, *arguments):
    options = arguments[-1] if arguments and isinstance(arguments[-1], dict) and name not in ("mset", "msetnx") else {}
    getattr(pipeline, name)(*(arguments[:-1] if options else arguments), **options)


def fill(pipeline, calls):
    """What each place of the results stands for."""
    names = []
    for each in calls:
        for write in (("set", A, "5"), ("mset", {A: "6", B: "xyz"}), ("delete", A, B, C)):
            call(pipeline, *write)
            names.append(write)
            call(pipeline, *each)
            names.append(each)
    return names


def alike(name, expected, actual):
    if isinstance(expected, Exception):
        return isinstance(actual, Exception) and str(expected) == str(actual)
    if name == "keys":
        return sorted(expected) == sorted(actual)
    if name in OF_ITS_OWN:
        return (expected is None) == (actual is None)
    if name in TIMES and expected >= 0:
        return abs(expected - actual) <= TIMES[name]
    return expected == actual


def main():
    redis, node = (Redis(port=int(port), socket_timeout=30).pipeline(transaction=False) for port in sys.argv[1:3])
    different = calls = 0
    for _ in range(ROUNDS):
        names = fill(redis, CALLS)
        fill(node, CALLS)
        results = zip(names, redis.execute(raise_on_error=False), node.execute(raise_on_error=False))
        for place, (name, expected, actual) in enumerate(results):
            calls += 1
            if not alike(name[0], expected, actual):
                different += 1
                print(f"{place}: {name} redis {expected!r} cairn {actual!r}")
    print(f"{calls} calls")
    sys.exit(1 if different else 0)


main()
