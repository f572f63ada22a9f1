//! Whatever bytes come: the standard error or a closed connection, bounded memory, and service for everybody else.

mod served;

use served::{Client, Server, Value, cores, error, frame, ok};

const MIB: u64 = 1024 * 1024;

fn two_cores() -> Server {
    Server::start(&["--cores", &cores(2)])
}

fn refused(text: &str) -> String {
    format!("-ERR Protocol error: {text}\r\n")
}

/// What ends a connection, and the last words that the client hears.
fn deadly() -> Vec<(Vec<u8>, String)> {
    let mut cases: Vec<(Vec<u8>, String)> = [
        ("*2147483648\r\n", "invalid multibulk length"),
        ("*99999999999999999999999\r\n", "invalid multibulk length"),
        ("*x\r\n", "invalid multibulk length"),
        ("*\0\r\n", "invalid multibulk length"),
        ("*1.5\r\n", "invalid multibulk length"),
        ("*1\r\n$-1\r\n", "invalid bulk length"),
        ("*1\r\n$-2147483648\r\n", "invalid bulk length"),
        ("*1\r\n$536870913\r\n", "invalid bulk length"),
        ("*1\r\n$99999999999999999999999\r\n", "invalid bulk length"),
        ("*1\r\n$x\r\n", "invalid bulk length"),
        ("*1\r\n$\0\r\n", "invalid bulk length"),
        ("*1\r\n:1\r\n", "expected '$', got ':'"),
        ("*2\r\n$4\r\nECHO\r\n+x\r\n", "expected '$', got '+'"),
        ("\"PING\r\n", "unbalanced quotes in request"),
        ("SET k 'v\r\n", "unbalanced quotes in request"),
        ("SET k \"v\"x\r\n", "unbalanced quotes in request"),
    ]
    .map(|(bytes, text)| (bytes.as_bytes().to_vec(), refused(text)))
    .into();
    cases.push((b"*1\r\n".repeat(1_000_000), refused("expected '$', got '*'")));
    cases.push((vec![b'x'; 100_000], refused("too big inline request")));
    cases.push(([&b"*"[..], &[b'1'; 100_000]].concat(), refused("too big mbulk count string")));
    cases.push(([&b"*1\r\n$"[..], &[b'1'; 100_000]].concat(), refused("too big bulk count string")));
    cases
}

#[test]
fn malformed_requests_end_their_connection_with_the_standard_error() {
    let server = two_cores();
    let mut other = server.client();
    for (bytes, expected) in deadly() {
        let mut client = server.client();
        client.try_send_raw(&bytes);
        let heard = client.read_to_end();
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(40)]).into_owned();
        assert_eq!(String::from_utf8_lossy(&heard), expected, "{shown:?}");
        assert_eq!(other.ask(&["PING"]), Value::Simple("PONG".to_owned()));
    }
}

#[test]
fn replies_before_a_malformed_request_come_before_its_error() {
    let server = two_cores();
    let keys: Vec<String> = (0..16).map(|number| format!("k{number}")).collect();
    let mut set: Vec<&[u8]> = vec![b"MSET"];
    keys.iter().for_each(|key| set.extend([key.as_bytes(), b"v"]));
    for (bytes, expected) in deadly().into_iter().filter(|(bytes, _)| bytes.len() < 100) {
        let mut client = server.client();
        let mut sent = Vec::new();
        let mut heard = String::new();
        for key in &keys {
            sent.extend(frame(&[b"SET", key.as_bytes(), b"v"]));
            heard += "+OK\r\n";
        }
        // A command over several cores holds the connection while it runs.
        sent.extend(frame(&set));
        heard += "+OK\r\n";
        sent.extend(frame(&[b"STRLEN", b"k1"]));
        heard += ":1\r\n";
        sent.extend(&bytes);
        sent.extend(frame(&[b"FLUSHALL"]));
        client.send_raw(&sent);
        assert_eq!(String::from_utf8_lossy(&client.read_to_end()), heard + &expected);
    }
    assert_eq!(server.client().ask(&["EXISTS", "k0"]), Value::Integer(1), "nothing runs behind an error");
}

#[test]
fn odd_requests_that_are_allowed_are_answered() {
    let server = two_cores();
    let mut client = server.client();
    for nothing in ["*0\r\n", "*-1\r\n", "*-2147483648\r\n", "\r\n", "\n", "   \r\n", "\0\r\n", "\0PING\r\n"]
    {
        client.send_raw(nothing.as_bytes());
        client.send_raw(b"PING\r\n");
        assert_eq!(client.read(), Value::Simple("PONG".to_owned()), "{nothing:?}");
    }
    for (wrong, word) in
        [(":1\r\n", ":1"), ("+OK\r\n", "+OK"), ("$5\r\n", "$5"), ("%1\r\n", "%1"), ("~1\r\n", "~1")]
    {
        client.send_raw(wrong.as_bytes());
        let expected = format!("ERR unknown command '{word}', with args beginning with: ");
        assert_eq!(client.read(), error(expected.trim_end()), "{wrong:?}");
    }
    assert_eq!(client.ask_bytes(&[b"SET", b"a\0b", b"\0\0\r\n\0"]), ok());
    assert_eq!(client.ask_bytes(&[b"GET", b"a\0b"]), Value::Bulk(b"\0\0\r\n\0".to_vec()));
    assert!(matches!(client.ask_bytes(&[b"\0"]), Value::Error(_)));
    assert!(matches!(client.ask_bytes(&[b""]), Value::Error(_)));
    assert!(matches!(client.ask_bytes(&[&[b'x'; 300_000]]), Value::Error(_)));
    let many = vec![&b"x"[..]; 100_000];
    assert!(matches!(client.ask_bytes(&many), Value::Error(_)));
    assert_eq!(client.ask(&["PING"]), Value::Simple("PONG".to_owned()));
}

/// A pipeline with its replies: keys of both cores, inline commands, a command over several cores.
fn pipeline() -> Vec<(Vec<u8>, &'static str)> {
    vec![
        (frame(&[b"SET", b"a", b"1"]), "+OK\r\n"),
        (b"INCR a\r\n".to_vec(), ":2\r\n"),
        (frame(&[b"MSET", b"b", b"x", b"c", b"y", b"d", b"z"]), "+OK\r\n"),
        (frame(&[b"MGET", b"b", b"c", b"d"]), "*3\r\n$1\r\nx\r\n$1\r\ny\r\n$1\r\nz\r\n"),
        (b"*0\r\n".to_vec(), ""),
        (frame(&[b"ECHO", b"\r\n*1\r\n"]), "$6\r\n\r\n*1\r\n\r\n"),
        (b"ECHO \"q \\x41\"\r\n".to_vec(), "$3\r\nq A\r\n"),
        (frame(&[b"GETDEL", b"a"]), "$1\r\n2\r\n"),
    ]
}

#[test]
fn a_pipeline_cut_anywhere_runs_what_was_complete() {
    let server = two_cores();
    let whole: Vec<u8> = pipeline().iter().flat_map(|(bytes, _)| bytes.clone()).collect();
    for cut in 0..=whole.len() {
        let (mut end, mut expected) = (0, String::new());
        for (bytes, reply) in pipeline() {
            end += bytes.len();
            if end <= cut {
                expected += reply;
            }
        }
        let mut client = server.client();
        client.send_raw(&whole[..cut]);
        client.finish_sending();
        assert_eq!(String::from_utf8_lossy(&client.read_to_end()), expected, "cut at {cut}");
        let mut silent = server.client();
        silent.send_raw(&whole[..cut]);
    }
}

#[test]
fn one_byte_at_a_time_is_the_same_as_all_at_once() {
    let server = two_cores();
    let mut client = server.client();
    for (bytes, _) in pipeline() {
        bytes.iter().for_each(|byte| client.send_raw(&[*byte]));
    }
    client.finish_sending();
    let expected: String = pipeline().into_iter().map(|(_, reply)| reply).collect();
    assert_eq!(String::from_utf8_lossy(&client.read_to_end()), expected);
}

#[test]
fn without_the_password_requests_are_small() {
    let server = Server::start(&["--cores", &cores(2), "--requirepass", "secret"]);
    for (bytes, text) in [
        ("*11\r\n", "unauthenticated multibulk length"),
        ("*2147483647\r\n", "unauthenticated multibulk length"),
        ("*1\r\n$16385\r\n", "unauthenticated bulk length"),
        ("*1\r\n$536870912\r\n", "unauthenticated bulk length"),
    ] {
        let mut client = server.client();
        client.send_raw(bytes.as_bytes());
        assert_eq!(String::from_utf8_lossy(&client.read_to_end()), refused(text));
    }
    let mut client = server.client();
    let longest = [b'x'; 16384];
    let largest: Vec<&[u8]> = [&b"SET"[..]].into_iter().chain([&longest[..]; 9]).collect();
    assert_eq!(client.ask_bytes(&largest), error("NOAUTH Authentication required."));
    // The limits go with the password, within one write too.
    let large = [b'v'; 20_000];
    let mut sent = frame(&[b"AUTH", b"secret"]);
    sent.extend(frame(&[b"SET", b"k", &large]));
    sent.extend(frame(&[b"GET", b"k"]));
    client.send_raw(&sent);
    assert_eq!((client.read(), client.read()), (ok(), ok()));
    assert_eq!(client.read(), Value::Bulk(large.to_vec()));
}

#[test]
fn announced_lengths_reserve_nothing() {
    let server = two_cores();
    server.client().ask(&["PING"]);
    let before = server.resident_bytes();
    let claims: Vec<Client> = (0..200)
        .map(|number| {
            let mut client = server.client();
            client.send_raw(match number % 3 {
                0 => b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\n",
                1 => b"*2147483647\r\n$3\r\nSET\r\n",
                _ => b"*1048576\r\n$536870912\r\nabc",
            });
            client
        })
        .collect();
    let mut other = server.client();
    for _ in 0..200 {
        assert_eq!(other.ask(&["PING"]), Value::Simple("PONG".to_owned()));
    }
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < 16 * MIB, "{grown} bytes for {} claims", claims.len());
}

#[test]
fn a_request_beyond_the_limit_of_a_query_is_refused() {
    let server = Server::start(&["--cores", &cores(2), "--client-query-buffer-limit", "1mb"]);
    let mut client = server.client();
    client.send_raw(b"*2147483647\r\n");
    while client.try_send_raw(&b"$0\r\n\r\n".repeat(1000)) {}
    let mut client = server.client();
    client.send_raw(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1048577\r\n");
    let heard = client.read_to_end();
    assert!(heard.is_empty() || heard == refused("too big request").into_bytes());
    assert_eq!(server.client().ask(&["EXISTS", "k"]), Value::Integer(0));
}

#[test]
fn thousands_of_hostile_connections_leave_no_memory_behind() {
    let server = two_cores();
    let cases: Vec<_> = deadly();
    let storm = |rounds: usize| {
        for _ in 0..rounds {
            for (bytes, _) in cases.iter().filter(|(bytes, _)| bytes.len() <= 200_000) {
                let mut client = server.client();
                client.try_send_raw(bytes);
                client.read_to_end();
                let mut silent = server.client();
                silent.try_send_raw(&bytes[..bytes.len() / 2]);
            }
        }
    };
    storm(5);
    let before = server.resident_bytes();
    storm(60);
    let grown = server.resident_bytes().saturating_sub(before);
    assert!(grown < 64 * MIB, "{grown} bytes");
    assert_eq!(server.client().ask(&["PING"]), Value::Simple("PONG".to_owned()));
}

#[test]
fn nothing_behind_quit_runs() {
    let server = two_cores();
    for quit in ["QUIT\r\nSET k v\r\n", "QUIT\r\n*x\r\n", "MSET a 1 b 2 c 3 d 4\r\nQUIT\r\nSET k v\r\n*x\r\n"]
    {
        let mut client = server.client();
        client.send_raw(quit.as_bytes());
        assert_eq!(
            client.read_to_end(),
            b"+OK\r\n".repeat(quit.matches("QUIT").count() + quit.matches("MSET").count())
        );
    }
    assert_eq!(server.client().ask(&["EXISTS", "k"]), Value::Integer(0));
}
