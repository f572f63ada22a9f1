"""What redis-py's RedisCluster sees while slots move: nothing. Arguments: host and port of a node, and what
its keys begin with. A line on standard input ends the writing, after which everything is read back and a summary is printed."""

import select
import sys
import time

from redis.cluster import RedisCluster

KEYS = 400
FIELDS = 200


def connected(host, port):
    for attempt in range(100):
        try:
            return RedisCluster(host=host, port=port, decode_responses=True)
        except Exception:
            if attempt == 99:
                raise
            time.sleep(0.1)


def is_told_to_stop():
    return bool(select.select([sys.stdin], [], [], 0)[0])


def main(host, port, prefix):
    client = connected(host, port)
    # The tag lies in slot 5061, which moves.
    large = f"{prefix}:hash:{{bar}}"
    strings, counters, fields, longest, rounds = {}, {}, {}, 0.0, 0
    print("writing", flush=True)
    while not is_told_to_stop():
        rounds += 1
        for number in range(KEYS):
            begun = time.monotonic()
            key = f"{prefix}:{number}"
            value = f"{rounds}." * 64
            assert client.set(key, value) is True
            strings[key] = value
            counter = f"{prefix}:counter:{number % 50}"
            counters[counter] = counters.get(counter, 0) + 1
            assert client.incr(counter) == counters[counter], f"{counter} lost or doubled a write"
            field = f"f{number % FIELDS}"
            client.hset(large, field, value)
            fields[field] = value
            assert client.get(key) == value, f"{key} is not what was written just now"
            longest = max(longest, time.monotonic() - begun)
            if number % 50 == 0:
                pipeline = client.pipeline()
                for other in range(20):
                    pipeline.set(f"{prefix}:pipeline:{other}", rounds)
                assert pipeline.execute() == [True] * 20
    for key, value in strings.items():
        assert client.get(key) == value, key
    for key, value in counters.items():
        assert client.get(key) == str(value), key
    assert client.hgetall(large) == fields
    # Another client that starts now finds everything at once.
    fresh = connected(host, port)
    for key, value in strings.items():
        assert fresh.get(key) == value, key
    print(f"{rounds} rounds of {KEYS}, longest four commands {longest * 1e3:.1f} ms", flush=True)


main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
