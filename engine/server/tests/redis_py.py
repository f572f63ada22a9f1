"""What redis-py must be able to do with Whimbrel. Arguments: the shared port, or `cluster` and the port of a node."""

import sys
import time

import redis
from redis.cluster import RedisCluster


def strings(client):
    assert client.set("s", "v") is True
    assert client.get("s") == "v"
    assert client.set("s", "w", nx=True) is None
    assert client.set("s", "w", get=True) == "v"
    assert client.set("s", "x", ex=100) is True and 0 < client.ttl("s") <= 100
    assert client.getex("s", persist=True) == "x" and client.ttl("s") == -1
    assert client.append("s", "yz") == 3 and client.strlen("s") == 3
    assert client.getrange("s", 1, -1) == "yz" and client.setrange("s", 0, "a") == 3
    assert client.incr("n") == 1 and client.incrby("n", 10) == 11 and client.decr("n") == 10
    assert abs(client.incrbyfloat("n", 0.5) - 10.5) < 1e-9
    assert client.getdel("n") == "10.5" and client.get("n") is None
    try:
        client.incr("s")
        raise AssertionError("no number")
    except redis.ResponseError as error:
        assert str(error) == "value is not an integer or out of range", error
    for number in range(50):
        client.set(f"m:{number}", number)
    assert client.exists(*[f"m:{number}" for number in range(50)]) == 50
    assert client.delete(*[f"m:{number}" for number in range(50)]) == 50


def hashes(client):
    client.delete("h")
    assert client.hset("h", mapping={"a": 1, "b": 2, "c": 3}) == 3
    assert client.hgetall("h") == {"a": "1", "b": "2", "c": "3"}
    assert client.hmget("h", "a", "x") == ["1", None]
    assert client.hincrby("h", "a", 5) == 6 and client.hlen("h") == 3
    assert sorted(client.hkeys("h")) == ["a", "b", "c"] and client.hexists("h", "b")
    assert client.hexpire("h", 100, "a", "x") == [1, -2]
    assert 0 < client.httl("h", "a")[0] <= 100 and client.httl("h", "b") == [-1]
    assert client.hpersist("h", "a") == [1]
    assert client.hpexpire("h", 1, "b") == [1]
    while client.hexists("h", "b"):
        time.sleep(0.001)
    assert client.hgetall("h") == {"a": "6", "c": "3"}
    assert client.hdel("h", "c") == 1
    client.hset("big", mapping={f"f{number}": number for number in range(1000)})
    assert dict(client.hscan_iter("big", count=50)) == {f"f{number}": str(number) for number in range(1000)}
    assert len(set(client.hrandfield("big", 10))) == 10
    client.delete("big", "h")


def keys(client):
    names = {f"scan:{number}" for number in range(500)}
    with client.pipeline(transaction=False) as pipe:
        for name in names:
            pipe.set(name, "v")
        assert pipe.execute() == [True] * 500
    assert set(client.scan_iter(match="scan:*", count=37)) == names
    with client.pipeline(transaction=False) as pipe:
        for name in sorted(names):
            pipe.get(name)
            pipe.type(name)
            pipe.expire(name, 100)
        assert pipe.execute() == ["v", "string", True] * 500
    assert client.delete(*names) == 500


def one_keyspace(port, protocol):
    client = redis.Redis(port=port, decode_responses=True, protocol=protocol, client_name="tester")
    assert client.ping() is True and client.echo("x") == "x"
    strings(client)
    hashes(client)
    keys(client)
    assert client.mset({"a": 1, "b": 2, "c": 3}) is True
    assert client.mget("a", "b", "missing", "c") == ["1", "2", None, "3"]
    assert client.rename("a", "z") is True and client.get("z") == "1"
    assert client.copy("z", "copied") and client.randomkey() is not None
    assert client.dbsize() == len(client.keys())
    assert client.restore("restored", 0, redis.Redis(port=port).dump("b")) in (True, "OK", b"OK")
    assert client.get("restored") == "2"
    assert client.object("encoding", "b") == "int"
    info = client.info()
    assert info["redis_mode"] == "standalone" and info["connected_clients"] >= 1, info
    assert client.config_get("maxmemory")["maxmemory"] == "0"
    me = client.client_info()
    assert me["name"] == "tester" and me["lib-name"].startswith("redis-py") and int(me["resp"]) == protocol, me
    assert any(other["id"] == str(me["id"]) for other in client.client_list())
    assert client.command_count() > 50 and "get" in client.command()
    binary = redis.Redis(port=port, protocol=protocol)
    assert binary.set(b"\x00\xff", b"\r\n\x00") and binary.get(b"\x00\xff") == b"\r\n\x00"
    large = b"x" * (8 * 1024 * 1024)
    assert binary.set("large", large) and binary.get("large") == large
    try:
        client.execute_command("NO-SUCH-COMMAND", "x")
        raise AssertionError("an unknown command is refused")
    except redis.ResponseError as error:
        assert str(error).startswith("unknown command"), error
    binary.delete(*binary.keys())
    assert client.dbsize() == 0


def cluster(port, protocol):
    client = RedisCluster(host="127.0.0.1", port=port, decode_responses=True, protocol=protocol)
    assert len(client.get_primaries()) == 2, client.get_nodes()
    strings(client)
    hashes(client)
    keys(client)
    assert client.mset_nonatomic({f"k{number}": number for number in range(100)}) == [True] * len(
        {client.keyslot(f"k{number}") for number in range(100)}
    )
    assert client.mget_nonatomic([f"k{number}" for number in range(100)]) == [str(number) for number in range(100)]
    assert client.mset({"{t}1": "x", "{t}2": "y"}) is True and client.mget("{t}1", "{t}2") == ["x", "y"]
    for slot in range(0, 16384, 100):
        assert client.get_node_from_key(f"k{slot}") is not None
        client.set(f"slot:{slot}", slot)
        assert client.get(f"slot:{slot}") == str(slot)
    by_node = client.dbsize(target_nodes=RedisCluster.PRIMARIES)
    sizes = by_node.values() if isinstance(by_node, dict) else [by_node]
    assert sum(sizes) == 100 + 2 + 164 + 1, by_node
    info = client.cluster_info(target_nodes=RedisCluster.RANDOM)
    assert info["cluster_state"] == "ok" and info["cluster_slots_assigned"] == "16384", info
    assert len(client.cluster_nodes()) == 2
    client.delete(*[f"slot:{slot}" for slot in range(0, 16384, 100)])


if sys.argv[1] == "cluster":
    for version in (2, 3):
        cluster(int(sys.argv[2]), version)
        for other in RedisCluster(host="127.0.0.1", port=int(sys.argv[2])).get_primaries():
            redis.Redis(host=other.host, port=other.port).flushall()
else:
    for version in (2, 3):
        one_keyspace(int(sys.argv[1]), version)
