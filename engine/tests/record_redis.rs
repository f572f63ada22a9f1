//! A Redis server restores what is written here, and what it dumps is read here.
//!
//! Needs a server: `REDIS_SERVER=/path/to/redis-server cargo nextest run --run-ignored only record`; without the variable,
//! `redis-server` from the path. Field expiry is shown with servers that have it, Redis 7.4 and later.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use whimbrel_engine::record::crc64::crc64;
use whimbrel_engine::record::{Decoded, Encoder, EncoderOptions, FieldExpiryForm, Limits, decode};

const LATER_MS: u64 = 4_000_000_000_000;

struct Server {
    process: Child,
    folder: PathBuf,
    stream: BufReader<UnixStream>,
}

#[derive(Debug, PartialEq)]
enum Reply {
    Text(Vec<u8>),
    Number(i64),
    Null,
    Array(Vec<Reply>),
    Error(String),
}

impl Server {
    fn start() -> Self {
        let program = std::env::var("REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned());
        let folder = std::env::temp_dir().join(format!("whimbrel-record-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("the folder for the socket");
        let socket = folder.join("redis.sock");
        let process = Command::new(program)
            .args(["--port", "0", "--save", "", "--sanitize-dump-payload", "yes", "--unixsocket"])
            .arg(&socket)
            .current_dir(&folder)
            .stdout(Stdio::null())
            .spawn()
            .expect("a redis-server that starts");
        let deadline = Instant::now() + Duration::from_secs(10);
        let stream = loop {
            match UnixStream::connect(&socket) {
                Ok(stream) => break stream,
                Err(error) => assert!(Instant::now() < deadline, "no server after 10 s: {error}"),
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        Self { process, folder, stream: BufReader::new(stream) }
    }

    fn call(&mut self, arguments: &[&[u8]]) -> Reply {
        let mut request = format!("*{}\r\n", arguments.len()).into_bytes();
        for argument in arguments {
            request.extend(format!("${}\r\n", argument.len()).into_bytes());
            request.extend_from_slice(argument);
            request.extend(b"\r\n");
        }
        self.stream.get_mut().write_all(&request).expect("the server reads");
        self.reply()
    }

    fn reply(&mut self) -> Reply {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("the server answers");
        let (kind, rest) = line.trim_end().split_at(1);
        let number = || rest.parse::<i64>().expect("a number");
        match kind {
            "+" => Reply::Text(rest.into()),
            "-" => Reply::Error(rest.into()),
            ":" => Reply::Number(number()),
            "*" => Reply::Array((0..number()).map(|_| self.reply()).collect()),
            "$" if number() < 0 => Reply::Null,
            "$" => {
                let mut text = vec![0; usize::try_from(number()).expect("a size") + 2];
                self.stream.read_exact(&mut text).expect("the server answers");
                text.truncate(text.len() - 2);
                Reply::Text(text)
            }
            _ => panic!("not a reply: {line:?}"),
        }
    }

    fn ok(&mut self, arguments: &[&[u8]]) {
        let reply = self.call(arguments);
        assert!(!matches!(reply, Reply::Error(_)), "{reply:?}");
    }

    fn dump(&mut self) -> Vec<u8> {
        match self.call(&[b"DUMP", b"key"]) {
            Reply::Text(payload) => payload,
            other => panic!("DUMP gave {other:?}"),
        }
    }

    fn restore(&mut self, payload: &[u8]) -> Reply {
        self.call(&[b"RESTORE", b"key", b"0", payload, b"REPLACE"])
    }

    fn has(&mut self, command: &[u8]) -> bool {
        matches!(self.call(&[b"COMMAND", b"INFO", command]), Reply::Array(rows) if matches!(rows[0], Reply::Array(_)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        std::fs::remove_dir_all(&self.folder).ok();
    }
}

fn encoder(compression: bool) -> Encoder {
    Encoder::new(EncoderOptions { compression, field_expiry: FieldExpiryForm::Redis })
}

fn texts() -> Vec<Vec<u8>> {
    let mut texts: Vec<Vec<u8>> = [
        "",
        "0",
        "-0",
        "00",
        "+1",
        "1 ",
        "-1",
        "127",
        "128",
        "-128",
        "-129",
        "32767",
        "32768",
        "-32768",
        "-32769",
        "2147483647",
        "2147483648",
        "-2147483648",
        "-2147483649",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "12345678901",
        "3.5",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec();
    for size in [1, 2, 19, 20, 21, 22, 33, 63, 64, 65, 264, 265, 1000, 16_383, 16_384, 70_000, 3_000_000] {
        texts.push(vec![b'a'; size]);
        texts.push((0..size).map(|at| (at % 251) as u8).collect());
        let mut state = 7_u32;
        texts.push(std::iter::repeat_with(|| noise(&mut state)).take(size).collect());
        texts.push(std::iter::repeat_with(|| noise(&mut state) % 3 + b'x').take(size).collect());
    }
    texts
}

fn noise(state: &mut u32) -> u8 {
    *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    (*state >> 24) as u8
}

type Fields = BTreeMap<Vec<u8>, (Vec<u8>, Option<u64>)>;

fn decoded_hash(payload: &[u8]) -> Fields {
    let Ok(Decoded::Hash(hash)) = decode(payload, &Limits::default()) else { panic!("a hash: {payload:?}") };
    let pairs =
        hash.fields().map(|field| (field.name.into_owned(), (field.value.into_owned(), field.expires_at_ms)));
    pairs.collect()
}

fn hashes() -> Vec<Fields> {
    let plain = |count: usize, value: &dyn Fn(usize) -> Vec<u8>| -> Fields {
        (0..count).map(|number| (format!("field:{number}").into_bytes(), (value(number), None))).collect()
    };
    let texts = texts();
    vec![
        plain(1, &|_| b"v".to_vec()),
        plain(100, &|number| number.to_string().into_bytes()),
        plain(100, &|number| ((number as i64) << (number / 2)).to_string().into_bytes()),
        plain(60, &|number| vec![b'v'; number]),
        plain(texts.len(), &|number| texts[number].clone()),
        plain(20_000, &|number| format!("value {number}").into_bytes()),
        texts.iter().map(|text| (text.clone(), (text.clone(), None))).collect(),
    ]
}

fn set_hash(server: &mut Server, fields: &Fields) {
    server.ok(&[b"DEL", b"key"]);
    for (name, (value, _)) in fields {
        server.ok(&[b"HSET", b"key", name, value]);
    }
    for (name, (_, expires_at_ms)) in fields {
        if let Some(ms) = expires_at_ms {
            let ms = ms.to_string();
            server.ok(&[b"HPEXPIREAT", b"key", ms.as_bytes(), b"FIELDS", b"1", name]);
        }
    }
}

fn sealed(fields: &Fields, compression: bool) -> Vec<u8> {
    let mut payload = Vec::new();
    let earliest = fields.values().filter_map(|(_, ms)| *ms).min();
    let rows = fields.iter().map(|(name, (value, ms))| (&name[..], &value[..], *ms));
    encoder(compression).hash_payload(&mut payload, rows, earliest);
    payload
}

fn check_hash(server: &mut Server, fields: &Fields) {
    for compression in [false, true] {
        assert_eq!(server.restore(&sealed(fields, compression)), Reply::Text(b"OK".to_vec()));
        assert_eq!(server.call(&[b"HLEN", b"key"]), Reply::Number(fields.len() as i64));
        for (name, (value, expires_at_ms)) in fields {
            assert_eq!(server.call(&[b"HGET", b"key", name]), Reply::Text(value.clone()));
            if let Some(ms) = expires_at_ms {
                let reply = server.call(&[b"HPEXPIRETIME", b"key", b"FIELDS", b"1", name]);
                assert_eq!(reply, Reply::Array(vec![Reply::Number(*ms as i64)]));
            }
        }
        assert_eq!(&decoded_hash(&server.dump()), fields);
    }
    set_hash(server, fields);
    assert_eq!(&decoded_hash(&server.dump()), fields);
}

#[test]
#[ignore = "needs a redis-server"]
fn strings_go_both_ways() {
    let mut server = Server::start();
    for text in texts() {
        server.ok(&[b"SET", b"key", &text]);
        let payload = server.dump();
        assert_eq!(decode(&payload, &Limits::default()), Ok(Decoded::String(text.clone().into())));
        for compression in [false, true] {
            let mut payload = Vec::new();
            encoder(compression).string_payload(&mut payload, &text);
            assert_eq!(server.restore(&payload), Reply::Text(b"OK".to_vec()));
            assert_eq!(server.call(&[b"GET", b"key"]), Reply::Text(text.clone()));
        }
    }
}

#[test]
#[ignore = "needs a redis-server"]
fn hashes_go_both_ways() {
    let mut server = Server::start();
    for entries in ["0", "512"] {
        server.ok(&[b"CONFIG", b"SET", b"hash-max-listpack-entries", entries.as_bytes()]);
        for fields in hashes() {
            check_hash(&mut server, &fields);
        }
    }
}

/// What no server writes any more, but every server reads.
#[test]
#[ignore = "needs a redis-server"]
fn old_packed_hashes_mean_the_same_there() {
    const ZIPLIST: &[u8] = b"\x36\x00\x00\x00\x30\x00\x00\x00\x0a\x00\x00\x01a\x03\xf1\x02\x01b\x03\xfd\x02\xc0\x00\x80\x04\xfe\x80\
        \x03\xf0\xff\xff\x7f\x05\xd0\x00\x00\x00\x80\x06\xe0\xff\xff\xff\xff\xff\xff\xff\x7f\x0a\x03xyz\xff";
    const ZIPMAP: &[u8] = b"\x02\x01a\x01\0b\x02bc\x02\x01xy_\xff";
    let mut server = Server::start();
    for (kind, blob) in [(13, ZIPLIST), (9, ZIPMAP)] {
        let mut payload = [&[kind, blob.len() as u8], blob, &9_u16.to_le_bytes()].concat();
        payload.extend(crc64(0, &payload).to_le_bytes());
        let fields = decoded_hash(&payload);
        assert_eq!(server.restore(&payload), Reply::Text(b"OK".to_vec()), "type {kind}");
        assert_eq!(decoded_hash(&server.dump()), fields);
    }
}

#[test]
#[ignore = "needs a redis-server"]
fn expiring_fields_go_both_ways() {
    let mut server = Server::start();
    let mut fields = Fields::new();
    for number in 0..40_u64 {
        let expires_at_ms = (number % 3 != 0).then_some(LATER_MS + (number << number));
        let expires_at_ms = expires_at_ms.filter(|ms| *ms < 1 << 48);
        fields
            .insert(format!("field:{number}").into_bytes(), (number.to_string().into_bytes(), expires_at_ms));
    }
    if !server.has(b"HPEXPIREAT") {
        assert!(matches!(server.restore(&sealed(&fields, true)), Reply::Error(_)));
        return;
    }
    for entries in ["0", "512"] {
        server.ok(&[b"CONFIG", b"SET", b"hash-max-listpack-entries", entries.as_bytes()]);
        check_hash(&mut server, &fields);
    }
}
