//! INFO counts what happened: the fields that exporters graph and alert on move when what they are about happens.

mod served;

use served::{Client, Server, cores, error, eventually, ok};

/// A number of INFO; with `part`, that one of a field such as `db0:keys=1,expires=0`.
fn number(client: &mut Client, field: &str, part: &str) -> f64 {
    let text = client.ask(&["INFO", "everything"]).text();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let value = line.unwrap_or_else(|| panic!("{field} is not there"));
    let value = value.split(',').find_map(|word| word.strip_prefix(part)).unwrap_or(value);
    value.trim_start_matches('=').parse().unwrap_or_else(|_| panic!("{field}: {value}"))
}

#[test]
fn fields_tell_what_happened() {
    let server = Server::start(&["--cores", &cores(2), "--requirepass", "pw"]);
    let mut client = server.client();
    assert_eq!(
        client.ask(&["AUTH", "no"]),
        error("WRONGPASS invalid username-password pair or user is disabled.")
    );
    assert_eq!(client.ask(&["AUTH", "pw"]), ok());
    for key in 0..200 {
        client.ask(&["SET", &format!("k{key}"), "v"]);
        client.ask(&["SET", &format!("e{key}"), "v", "PX", "20"]);
    }
    client.ask(&["SET", "long", "v", "EX", "1000"]);
    client.ask(&["HSET", "h", "f", "v"]);
    client.ask(&["HEXPIRE", "h", "1000", "FIELDS", "1", "f"]);
    client.ask(&["GET", "k1"]);
    client.ask(&["GET", "nothing"]);
    eventually("all that was to expire is gone", || {
        number(&mut client, "expired_keys", "") == 200.0 && number(&mut client, "db0", "keys=") == 202.0
    });
    let mut of = |field: &str, part: &str| number(&mut client, field, part);
    assert_eq!((of("db0", "expires="), of("db0", "subexpiry=")), (1.0, 1.0));
    assert!((900_000.0..=1_000_000.0).contains(&of("db0", "avg_ttl=")));
    assert_eq!((of("keyspace_hits", ""), of("keyspace_misses", "")), (1.0, 1.0));
    assert_eq!(of("acl_access_denied_auth", ""), 1.0);
    assert!(of("rdb_changes_since_last_save", "") >= 402.0);
    assert!(of("eventloop_duration_sum", "") > 0.0 && of("eventloop_duration_cmd_sum", "") > 0.0);
    assert!(of("total_net_input_bytes", "") > 10_000.0 && of("total_net_output_bytes", "") > 2_000.0);
    assert!(of("allocator_active", "") <= of("allocator_resident", ""));
    assert!(client.ask(&["CLIENT", "LIST"]).text().contains(" tot-net-in="));
    let own = client.ask(&["CLIENT", "INFO"]).text();
    let count = |name: &str| own.split(name).nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    assert!(count("tot-net-in=") > Some(10_000_u64) && count("tot-net-out=") > Some(2_000), "{own}");
    assert_eq!(client.ask(&["FLUSHALL"]), ok());
    eventually("slots are freed in the background", || number(&mut client, "lazyfreed_objects", "") > 100.0);
}

#[test]
fn more_data_than_fits_is_told() {
    let server = Server::start(&["--cores", &cores(1), "--maxmemory", "1mb"]);
    let mut client = server.client();
    let value = "v".repeat(1000);
    let refused = (0..5000).find(|key| client.ask(&["SET", &key.to_string(), &value]) != ok());
    assert!(refused.is_some_and(|key| key > 500), "{refused:?}");
    client.ask(&["CONFIG", "SET", "maxmemory", "500kb"]);
    eventually("it is told for how long", || number(&mut client, "current_eviction_exceeded_time", "") > 0.0);
    assert!(number(&mut client, "total_eviction_exceeded_time", "") > 0.0);
    assert_eq!(client.ask(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]), ok());
    eventually("keys go", || number(&mut client, "evicted_keys", "") > 100.0);
    eventually("it is over", || number(&mut client, "current_eviction_exceeded_time", "") == 0.0);
    let used = number(&mut client, "used_memory", "") - number(&mut client, "mem_not_counted_for_evict", "");
    assert!(used <= 512_000.0, "{used}");
}
