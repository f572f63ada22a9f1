//! Behaviour at the limits: slow readers, a receive that pauses, no provided buffers, pinned megabytes.

mod harness;

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::thread;
use std::time::Duration;

use harness::{Ask, Bulk, Event, Manner, pattern, serve};
use whimbrel_net::{MinWait, ReactorOptions};

#[test]
fn a_slow_reader_pauses_its_own_input_and_gets_everything() {
    let pending_max = 1 << 20;
    let manner = Manner { pending_max: Some(pending_max), ..Manner::default() };
    let options = ReactorOptions::default();
    let server = serve(manner, options);
    let sent = pattern(32 << 20);
    let stream = server.connect();
    let (mut reading, mut writing) = (stream.try_clone().unwrap(), stream);
    thread::scope(|scope| {
        scope.spawn(|| {
            writing.write_all(&sent).unwrap();
            writing.shutdown(Shutdown::Write).unwrap();
        });
        // Reading starts only when the server has paused.
        let paused_at = server.expect(|event| if let Event::PausedAt(at) = event { Some(at) } else { None });
        let chunk = options.receive_buffer_bytes as usize;
        assert!(paused_at > pending_max && paused_at <= pending_max + chunk, "{paused_at}");
        let mut back = Vec::new();
        reading.read_to_end(&mut back).unwrap();
        assert!(back == sent);
    });
    let drained = server.expect(|event| if let Event::Drained(_, at) = event { Some(at) } else { None });
    assert!(drained <= options.output_resume_bytes, "{drained}");
}

#[test]
fn paused_connections_hold_their_peer_back_and_lose_nothing() {
    for is_bulk in [false, true] {
        let mut server = serve(Manner { is_bulk, ..Manner::default() }, ReactorOptions::default());
        let mut stream = server.connect();
        let mut echoed = [0; 3];
        stream.write_all(b"abc").unwrap();
        stream.read_exact(&mut echoed).unwrap();
        server.ask(Ask::Pause);
        let before = server.gauges().bytes_out;
        stream.set_nonblocking(true).unwrap();
        let sent = pattern(64 << 20);
        let mut at = 0;
        while at < sent.len() {
            match stream.write(&sent[at..]) {
                Ok(length) => at += length,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    break;
                }
            }
        }
        assert!(at < sent.len(), "the socket fills up");
        assert_eq!(server.gauges().bytes_out, before, "paused connections are not served");
        stream.set_nonblocking(false).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        server.ask(Ask::Resume);
        let mut back = Vec::new();
        stream.read_to_end(&mut back).unwrap();
        assert!(back == sent[..at]);
        server.expect(|event| matches!(event, Event::Ended(_)).then_some(()));
    }
}

#[test]
fn pausing_and_resuming_at_any_time_loses_nothing() {
    for is_bulk in [false, true] {
        let mut server = serve(Manner { is_bulk, ..Manner::default() }, ReactorOptions::default());
        let sent = pattern(8 << 20);
        let stream = server.connect();
        let (mut reading, mut writing) = (stream.try_clone().unwrap(), stream);
        thread::scope(|scope| {
            scope.spawn(|| {
                writing.write_all(&sent).unwrap();
                writing.shutdown(Shutdown::Write).unwrap();
            });
            let reader = scope.spawn(move || {
                let mut back = Vec::new();
                reading.read_to_end(&mut back).unwrap();
                back
            });
            for _ in 0..300 {
                server.ask(Ask::Pause);
                server.ask(Ask::Resume);
                server.gauges();
            }
            assert!(reader.join().unwrap() == sent);
        });
    }
}

#[test]
fn a_core_sleeps_when_its_clients_have_nothing_more_to_ask() {
    // So long a wait that any rate of requests is dense.
    let min_wait = Some(MinWait { completions: 64, microseconds: 2_000 });
    let mut server = serve(Manner::default(), ReactorOptions { min_wait, ..ReactorOptions::default() });
    let mut streams: Vec<_> = (0..8).map(|_| server.connect()).collect();
    for _ in 0..200 {
        streams.iter_mut().for_each(|stream| stream.write_all(b"ask").unwrap());
        streams.iter_mut().for_each(|stream| stream.read_exact(&mut [0; 3]).unwrap());
    }
    // The silence after which nobody is waited for.
    thread::sleep(Duration::from_millis(100));
    let before = server.gauges().enters;
    thread::sleep(Duration::from_millis(200));
    let after = server.gauges().enters;
    assert!(after - before < 20, "{} system calls of a core that has nothing to do", after - before);
}

#[test]
fn what_comes_in_bulk_is_one_chunk_a_turn() {
    let options =
        ReactorOptions { receive_buffer_bytes: 512, bulk_buffer_bytes: 4096, ..ReactorOptions::default() };
    let mut server = serve(Manner { is_bulk: true, ..Manner::default() }, options);
    let sent = pattern(8 << 20);
    let stream = server.connect();
    let (mut reading, mut writing) = (stream.try_clone().unwrap(), stream);
    let mut back = vec![0; sent.len()];
    thread::scope(|scope| {
        scope.spawn(|| writing.write_all(&sent).unwrap());
        reading.read_exact(&mut back).unwrap();
    });
    assert!(back == sent);
    server.ask(Ask::Bulk);
    let bulk = server.expect(|event| if let Event::Bulk(bulk) = event { Some(bulk) } else { None });
    assert_eq!(bulk, Bulk { largest: 4096, chunks_a_turn: 1 });
}

#[test]
fn connections_share_the_last_provided_buffers() {
    let options = ReactorOptions {
        receive_buffers: 2,
        receive_buffer_bytes: 512,
        bulk_buffers: 2,
        bulk_buffer_bytes: 512,
        ..ReactorOptions::default()
    };
    for is_bulk in [false, true] {
        let server = serve(Manner { is_bulk, ..Manner::default() }, options);
        let sent = pattern(1 << 20);
        thread::scope(|scope| {
            for _ in 0..8 {
                let stream = server.connect();
                let (mut reading, mut writing) = (stream.try_clone().unwrap(), stream);
                let sent = &sent;
                scope.spawn(move || {
                    writing.write_all(sent).unwrap();
                    writing.shutdown(Shutdown::Write).unwrap();
                });
                scope.spawn(move || {
                    let mut back = Vec::new();
                    reading.read_to_end(&mut back).unwrap();
                    assert!(back == *sent);
                });
            }
        });
        assert!(server.stop().buffer_exhaustions > 0);
    }
}

#[test]
fn a_tiny_ring_only_costs_more_system_calls() {
    let options = ReactorOptions { submissions: 2, completions: 4, ..ReactorOptions::default() };
    let server = serve(Manner::default(), options);
    let mut streams: Vec<_> = (0..100).map(|_| server.connect()).collect();
    for round in 0..20_u8 {
        for stream in &mut streams {
            stream.write_all(&[round; 9]).unwrap();
        }
        for stream in &mut streams {
            let mut back = [0; 9];
            stream.read_exact(&mut back).unwrap();
            assert_eq!(back, [round; 9]);
        }
    }
}

#[test]
fn pinned_megabytes_keep_their_place_among_other_output() {
    let pinned_bytes = 2 << 20;
    let server = serve(Manner { pinned_bytes, ..Manner::default() }, ReactorOptions::default());
    let mut stream = server.connect();
    let sent = b"appbpc".repeat(4);
    stream.write_all(&sent).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut back = Vec::new();
    stream.read_to_end(&mut back).unwrap();
    let mut at = 0;
    for byte in sent {
        let (length, expected) = if byte == b'p' { (pinned_bytes, b'P') } else { (1, byte) };
        assert!(back[at..at + length].iter().all(|found| *found == expected), "at {at}");
        at += length;
    }
    assert_eq!(at, back.len());
}

#[test]
fn a_reset_in_the_middle_of_pinned_bytes_frees_them() {
    let server = serve(Manner { pinned_bytes: 8 << 20, ..Manner::default() }, ReactorOptions::default());
    for _ in 0..5 {
        let mut stream = server.connect();
        stream.write_all(b"ppp").unwrap();
        stream.read_exact(&mut [0; 1000]).unwrap();
        // Closing with unread input resets.
        drop(stream);
        server.expect(|event| matches!(event, Event::Closed(_)).then_some(()));
    }
}
