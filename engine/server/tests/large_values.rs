//! Strings of many megabytes: whole, in ranges, appended to, between small commands, in time that grows with their size.

mod served;

use std::time::{Duration, Instant};

use served::{Client, Server, Value, bulk, cores, frame, ok};

const MIB: usize = 1024 * 1024;

/// Bytes that differ from place to place.
fn value(bytes: usize) -> Vec<u8> {
    let block: Vec<u8> = (0..MIB as u64).map(|at| (at.wrapping_mul(0x9E37_79B9) >> 13) as u8).collect();
    block.iter().copied().cycle().take(bytes).collect()
}

fn same(reply: Value, expected: &[u8]) {
    // Not `assert_eq`: nobody wants to read what differs.
    assert!(matches!(reply, Value::Bulk(bytes) if bytes == expected), "the reply is the value");
}

#[test]
fn large_strings_make_the_round_trip() {
    for count in [1, 2] {
        let server = Server::start(&["--cores", &cores(count)]);
        let mut client = server.client();
        for bytes in [MIB, 64 * MIB] {
            let value = value(bytes);
            for key in [&b"k1"[..], b"k2"] {
                assert_eq!(client.ask_bytes(&[b"SET", key, &value]), ok());
                assert_eq!(client.ask_bytes(&[b"STRLEN", key]), Value::Integer(bytes as i64));
                same(client.ask_bytes(&[b"GET", key]), &value);
                assert_eq!(
                    client.ask_bytes(&[b"APPEND", key, &value[..1000]]),
                    Value::Integer(bytes as i64 + 1000)
                );
                let tail = [&value[bytes - 10..], &value[..1000]].concat();
                same(client.ask_bytes(&[b"GETRANGE", key, b"-1010", b"-1"]), &tail);
                let middle = (bytes / 2).to_string();
                let set = client.ask_bytes(&[b"SETRANGE", key, middle.as_bytes(), b"<here>"]);
                assert_eq!(set, Value::Integer(bytes as i64 + 1000));
                let last = (bytes / 2 + 5).to_string();
                same(client.ask_bytes(&[b"GETRANGE", key, middle.as_bytes(), last.as_bytes()]), b"<here>");
                let first = (bytes / 2 - 1).to_string();
                same(client.ask_bytes(&[b"GETRANGE", key, b"0", first.as_bytes()]), &value[..bytes / 2]);
                assert_eq!(client.ask_bytes(&[b"DEL", key]), Value::Integer(1));
            }
        }
    }
}

#[test]
fn large_values_keep_their_place_among_small_commands() {
    let large = value(8 * MIB);
    for count in [1, 2] {
        let server = Server::start(&["--cores", &cores(count)]);
        let mut client = server.client();
        let mut sent = Vec::new();
        for number in 0..6 {
            let key = format!("k{number}");
            sent.extend(frame(&[b"INCR", b"n"]));
            sent.extend(frame(&[b"SET", key.as_bytes(), &large[number..]]));
            sent.extend(frame(&[b"STRLEN", key.as_bytes()]));
            sent.extend(frame(&[b"GET", key.as_bytes()]));
            sent.extend(frame(&[b"GET", b"n"]));
        }
        sent.extend(frame(&[b"MGET", b"k0", b"n", b"k5"]));
        let mut writer = client.socket().try_clone().expect("a descriptor more");
        let sender = std::thread::spawn(move || {
            std::io::Write::write_all(&mut writer, &sent).expect("the server reads")
        });
        for number in 0..6 {
            assert_eq!(client.read(), Value::Integer(number as i64 + 1));
            assert_eq!(client.read(), ok());
            assert_eq!(client.read(), Value::Integer((large.len() - number) as i64));
            same(client.read(), &large[number..]);
            assert_eq!(client.read(), bulk(&(number + 1).to_string()));
        }
        let [first, middle, last] = &client.read().array()[..] else { panic!("three values") };
        same(first.clone(), &large);
        assert_eq!(*middle, bulk("6"));
        same(last.clone(), &large[5..]);
        sender.join().expect("it sends");
    }
}

fn time_of_a_set(client: &mut Client, value: &[u8]) -> Duration {
    const CHUNK: usize = 16 * 1024;
    let sent = frame(&[b"SET", b"large", value]);
    let begun = Instant::now();
    sent.chunks(CHUNK).for_each(|chunk| client.send_raw(chunk));
    assert_eq!(client.read(), ok());
    begun.elapsed()
}

#[test]
fn time_grows_with_the_size_and_no_faster() {
    let server = Server::start(&["--cores", &cores(1)]);
    let mut client = server.client();
    let value = value(128 * MIB);
    let mut best = |bytes: usize| (0..3).map(|_| time_of_a_set(&mut client, &value[..bytes])).min();
    let (eighth, whole) = (best(16 * MIB).expect("three times"), best(128 * MIB).expect("three times"));
    // Eight times the bytes; work that is quadratic would take 64 times as long.
    assert!(whole < eighth * 32 + Duration::from_millis(200), "16 MiB take {eighth:?}, 128 MiB {whole:?}");
    assert_eq!(client.ask(&["STRLEN", "large"]), Value::Integer(128 * MIB as i64));
    same(client.ask(&["GET", "large"]), &value);
    assert_eq!(client.ask(&["DEL", "large"]), Value::Integer(1));
}
