//! The parser against hostile and ordinary bytes, in whole and in pieces.

use proptest::prelude::*;

use super::*;

type Command = Vec<Vec<u8>>;

/// Everything that comes out of `bytes` when they arrive in chunks that end at `cuts`.
fn parse(bytes: &[u8], cuts: &[usize], limits: &Limits) -> (Vec<Command>, Option<ProtocolError>) {
    let (mut parser, mut batch, mut commands) = (Parser::new(), Batch::default(), Vec::new());
    let mut dropped = 0;
    for cut in cuts.iter().copied().chain([bytes.len()]) {
        loop {
            // A copy, so that ranges into bytes of an earlier call cannot go unnoticed.
            let buffer = bytes[dropped..cut].to_vec();
            let filled = batch.fill(&mut parser, &buffer, limits, 3);
            for index in 0..batch.len() {
                commands.push(batch.arguments(&buffer, index).iter().map(<[u8]>::to_vec).collect());
            }
            batch.clear();
            dropped += filled.consumed;
            match filled.stop {
                Stop::Full => {}
                Stop::Incomplete { needed } => {
                    assert!(needed > 0);
                    break;
                }
                Stop::Error(error) => return (commands, Some(error)),
            }
        }
    }
    (commands, None)
}

fn whole(bytes: &[u8]) -> (Vec<Command>, Option<ProtocolError>) {
    parse(bytes, &[], &Limits::default())
}

fn words(bytes: &[u8]) -> String {
    let (commands, error) = whole(bytes);
    let mut shown: Vec<String> = commands
        .iter()
        .map(|command| {
            let words: Vec<_> = command.iter().map(|word| String::from_utf8_lossy(word)).collect();
            words.join(" ")
        })
        .collect();
    shown.extend(error.map(|error| error.to_string().replace("ERR Protocol error: ", "! ")));
    shown.join("|")
}

#[test]
fn requests_are_understood_as_in_redis() {
    let cases: &[(&str, &str)] = &[
        ("*1\r\n$4\r\nPING\r\n", "PING"),
        ("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n*1\r\n$4\r\nPING\r\n", "GET k|PING"),
        ("*3\r\n$3\r\nSET\r\n$0\r\n\r\n$12\r\nhello\r\nworld\r\n", "SET  hello\r\nworld"),
        ("*0\r\n*-1\r\n*-7\r\n\r\n\n*1\r\n$4\r\nPING\r\n", "PING"),
        ("PING\r\nget 'a b'\n  \r\n", "PING|get a b"),
        ("*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPONGyy", "PING|PONG"),
        ("*1\rx$4\rxPING\r\n", "PING"),
        ("*x\r\n", "! invalid multibulk length"),
        ("*\r\n", "! invalid multibulk length"),
        ("*+1\r\n", "! invalid multibulk length"),
        ("*01\r\n", "! invalid multibulk length"),
        ("*2147483648\r\n", "! invalid multibulk length"),
        ("*99999999999999999999999\r\n", "! invalid multibulk length"),
        ("*2147483647\r\n", ""),
        ("*1\r\nPING\r\n", "! expected '$', got 'P'"),
        ("*1\r\n\r\n", "! expected '$', got '\r'"),
        ("*1\r\n$-1\r\n", "! invalid bulk length"),
        ("*1\r\n$\r\n", "! invalid bulk length"),
        ("*1\r\n$4x\r\n", "! invalid bulk length"),
        ("*1\r\n$04\r\nPING\r\n", "! invalid bulk length"),
        ("*1\r\n$536870913\r\n", "! invalid bulk length"),
        ("*1\r\n$536870912\r\n", ""),
        ("PING\r\nget \"a\r\n", "PING|! unbalanced quotes in request"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(words(bytes.as_bytes()), *expected, "{bytes:?}");
    }
}

#[test]
fn endless_lines_are_refused() {
    for (start, text) in [
        ("", "too big inline request"),
        ("*", "too big mbulk count string"),
        ("*1\r\n$", "too big bulk count string"),
    ] {
        let fits = format!("{start}{}", "1".repeat(LINE_BYTES_MAX - start.len() % 4));
        assert_eq!(whole(fits.as_bytes()).1, None);
        let too_long = format!("{fits}1111");
        let error = whole(too_long.as_bytes()).1.expect("too long");
        assert_eq!(error.to_string(), format!("ERR Protocol error: {text}"));
    }
}

#[test]
fn clients_without_password_send_little() {
    let limits = Limits::default().unauthenticated();
    let parse = |text: &str| parse(text.as_bytes(), &[], &limits).1;
    assert_eq!(parse("*10\r\n"), None);
    assert_eq!(parse("*11\r\n"), Some(ProtocolError::UnauthenticatedMultibulkLength));
    assert_eq!(parse("*2\r\n$16384\r\n"), None);
    assert_eq!(parse("*2\r\n$16385\r\n"), Some(ProtocolError::UnauthenticatedBulkLength));
    let (mut parser, mut batch) = (Parser::new(), Batch::default());
    let filled = batch.fill(&mut parser, b"PING\r\nPING\r\n", &limits, 100);
    assert_eq!((batch.len(), filled.consumed, filled.stop), (1, 6, Stop::Full));
}

#[test]
fn a_whole_command_has_a_limit() {
    let limits = Limits::new(1 << 20, 1 << 20);
    let (_, error) = parse(b"*2\r\n$1\r\nx\r\n$1048571\r\n", &[], &limits);
    assert_eq!(error, Some(ProtocolError::TooBigRequest));
}

#[test]
fn what_a_bulk_needs_is_known_at_once() {
    let (mut parser, mut batch) = (Parser::new(), Batch::default());
    let filled = batch.fill(&mut parser, b"*2\r\n$3\r\nGET\r\n$500000\r\nabc", &Limits::default(), 1);
    assert_eq!(filled, Filled { consumed: 0, stop: Stop::Incomplete { needed: 499_999 } });
}

#[test]
fn a_claimed_count_allocates_nothing() {
    let (mut parser, mut batch) = (Parser::new(), Batch::default());
    batch.fill(&mut parser, b"*2147483647\r\n$1\r\na\r\n", &Limits::default(), 1);
    assert!(parser.is_inside_frame() && parser.memory_bytes() < 1024);
}

/// Work is counted in bytes looked at: a parser that began again at each chunk would not end in our lifetime.
#[test]
fn a_million_arguments_may_arrive_byte_by_byte() {
    const COUNT: usize = 1_000_000;
    let mut bytes = format!("*{COUNT}\r\n").into_bytes();
    (0..COUNT).for_each(|_| bytes.extend_from_slice(b"$1\r\nx\r\n"));
    let (mut parser, mut batch) = (Parser::new(), Batch::default());
    for len in 0..bytes.len() {
        let progress = parser.next(&bytes[..len], 0, &Limits::default(), &mut batch);
        assert!(matches!(progress, Progress::Incomplete { .. }));
    }
    let progress = parser.next(&bytes, 0, &Limits::default(), &mut batch);
    assert_eq!(progress, Progress::Command { consumed: bytes.len() });
    let arguments = batch.arguments(&bytes, 0);
    assert_eq!(arguments.len(), COUNT);
    assert!(arguments.iter().all(|argument| argument == b"x"));
    assert!(parser.memory_bytes() <= PENDING_KEPT_MAX * size_of::<ArgumentRange>());
}

#[test]
fn every_split_gives_the_same_commands() {
    let long = "y".repeat(1234);
    let stream = format!(
        "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$12\r\nhello\r\nworld\r\nPING 'a b'\r\n*0\r\n\r\n*1\r\n$4\r\nPING\r\n\
         *12\r\n{}*2\r\n$3\r\nGET\r\n$100\r\n{}\r\n*2\r\n$3\r\nGET\r\n$1234\r\n{long}\r\n",
        "$1\r\na\r\n".repeat(12),
        "x".repeat(100)
    );
    let expected = whole(stream.as_bytes());
    assert_eq!(expected.0.len(), 6);
    for cut in 0..stream.len() {
        assert_eq!(parse(stream.as_bytes(), &[cut], &Limits::default()), expected, "cut at {cut}");
    }
    let all: Vec<usize> = (0..stream.len()).collect();
    assert_eq!(parse(stream.as_bytes(), &all, &Limits::default()), expected);
}

/// Bytes that come close to the protocol.
fn near_protocol() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"*1\r\n".to_vec()),
        Just(b"*2\r\n".to_vec()),
        Just(b"*11\r\n$1\r\nx\r\n".to_vec()),
        Just(b"$3\r\nGET\r\n".to_vec()),
        Just(b"$10\r\n0123456789\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"PING\n".to_vec()),
        Just(b"'a \\' b' \"\\x00\"\r\n".to_vec()),
        (any::<i32>(), "[$*]").prop_map(|(number, kind)| format!("{kind}{number}\r\n").into_bytes()),
        prop::collection::vec(any::<u8>(), 0..6),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn arbitrary_bytes_in_arbitrary_pieces(
        bytes in near_protocol(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        is_authenticated in any::<bool>(),
    ) {
        let limits = Limits::default();
        let limits = if is_authenticated { limits } else { limits.unauthenticated() };
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
        cuts.sort_unstable();
        prop_assert_eq!(parse(&bytes, &cuts, &limits), parse(&bytes, &[], &limits));
    }

    #[test]
    fn commands_come_out_as_they_went_in(
        commands in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(any::<u8>(), 0..1200), 1..14), 1..6),
    ) {
        let mut bytes = Vec::new();
        for command in &commands {
            bytes.extend_from_slice(format!("*{}\r\n", command.len()).as_bytes());
            for argument in command {
                bytes.extend_from_slice(format!("${}\r\n", argument.len()).as_bytes());
                bytes.extend_from_slice(argument);
                bytes.extend_from_slice(b"\r\n");
            }
        }
        prop_assert_eq!(whole(&bytes), (commands, None));
    }
}
