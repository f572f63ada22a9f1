//! Bytes of a connection: no cut of them is read differently, and what is read is written back as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use whimbrel_migration::frame::Kind;
use whimbrel_migration::{Decoder, Frame, Greeting};

fuzz_target!(|input: &[u8]| {
    let Some((first, bytes)) = input.split_first() else { return };
    let mut whole = Decoder::default();
    whole.push(bytes);
    let mut pieces = Decoder::default();
    bytes.chunks(usize::from(*first).max(1)).for_each(|piece| pieces.push(piece));
    assert_eq!(whole.peek().map(|frame| frame.is_some()), pieces.peek().map(|frame| frame.is_some()));
    let _ = Greeting::default().receive(bytes);
    // Past the checksum, which no fuzzer guesses.
    let Some(kind) = Kind::of(*first) else { return };
    if let Ok(frame) = Frame::read(kind, bytes) {
        let mut again = Vec::new();
        frame.put_payload(&mut again);
        assert_eq!(Frame::read(kind, &again), Ok(frame));
    }
});
