//! The request parser: bytes in pieces give the same commands and the same error as in one piece.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whimbrel_engine::resp::{Batch, Limits, Parser, ProtocolError, Stop};

type Commands = (Vec<Vec<Vec<u8>>>, Option<ProtocolError>);

fn parse(bytes: &[u8], cuts: &[usize], limits: &Limits) -> Commands {
    let (mut parser, mut batch, mut commands) = (Parser::new(), Batch::default(), Vec::new());
    let mut dropped = 0;
    for cut in cuts.iter().copied().chain([bytes.len()]) {
        loop {
            let buffer = bytes[dropped..cut].to_vec();
            let filled = batch.fill(&mut parser, &buffer, limits, 4);
            for index in 0..batch.len() {
                commands.push(batch.arguments(&buffer, index).iter().map(<[u8]>::to_vec).collect());
            }
            batch.clear();
            dropped += filled.consumed;
            assert!(parser.memory_bytes() <= 16 * bytes.len() + 1024, "memory follows the bytes that came");
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

// The first bytes say whether a password was given and where the pieces end; the rest is the stream.
fuzz_target!(|input: &[u8]| {
    let Some((head, bytes)) = input.split_at_checked(5) else { return };
    let limits = Limits::default();
    let limits = if head[0] & 1 == 0 { limits } else { limits.unauthenticated() };
    let mut cuts: Vec<usize> = head[1..].iter().map(|cut| *cut as usize * bytes.len() / 255).collect();
    cuts.sort_unstable();
    let whole = parse(bytes, &[], &limits);
    assert_eq!(parse(bytes, &cuts, &limits), whole);
    if bytes.len() < 512 {
        let every: Vec<usize> = (0..bytes.len()).collect();
        assert_eq!(parse(bytes, &every, &limits), whole);
    }
});
