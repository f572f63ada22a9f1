//! Bytes come back as they were sent, in whatever pieces they arrive.

mod harness;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::channel;
use std::thread;

use harness::{Ask, Event, Manner, pattern, serve, serve_unix};
use whimbrel_net::{PeerAddress, ReactorOptions};

#[test]
fn chunks_of_every_size_come_back() {
    let server = serve(Manner::default(), ReactorOptions::default());
    let mut stream = server.connect();
    for length in [1, 2, 100, 16_383, 16_384, 16_385, 100_000] {
        let sent = pattern(length);
        stream.write_all(&sent).unwrap();
        let mut back = vec![0; length];
        stream.read_exact(&mut back).unwrap();
        assert!(back == sent, "{length} bytes");
    }
    let local = stream.local_addr().unwrap();
    let peer = server.expect(|event| if let Event::Opened(_, peer) = event { Some(peer) } else { None });
    assert_eq!(peer, PeerAddress::Tcp(local));
    let gauges = server.stop();
    assert_eq!(gauges.bytes_in, gauges.bytes_out);
}

#[test]
fn what_several_peers_have_sent_is_foreseen() {
    let mut server = serve(Manner::default(), ReactorOptions::default());
    let mut streams: Vec<_> = (0..3).map(|_| server.connect()).collect();
    for stream in &mut streams {
        stream.write_all(b"here").unwrap();
        stream.read_exact(&mut [0; 4]).unwrap();
    }
    let (end, until) = channel();
    server.ask(Ask::Wait(until));
    for (byte, stream) in (b'a'..).zip(&mut streams) {
        stream.write_all(&[byte; 9]).unwrap();
    }
    drop(end);
    for (byte, stream) in (b'a'..).zip(&mut streams) {
        let mut back = [0; 9];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(back, [byte; 9]);
    }
    let nine = |chunk: &Vec<u8>| chunk.len() == 9;
    let foreseen = |event| match event {
        Event::Foreseen(chunks) if chunks.iter().all(nine) => Some(chunks),
        _ => None,
    };
    let mut chunks = server.expect(foreseen);
    chunks.sort_unstable();
    assert_eq!(chunks, [vec![b'a'; 9], vec![b'b'; 9], vec![b'c'; 9]]);
}

#[test]
fn one_byte_at_a_time() {
    let server = serve(Manner::default(), ReactorOptions::default());
    let mut stream = server.connect();
    for byte in pattern(2_000) {
        stream.write_all(&[byte]).unwrap();
        let mut back = [0];
        stream.read_exact(&mut back).unwrap();
        assert_eq!(back, [byte]);
    }
}

#[test]
fn megabytes_both_ways_at_once() {
    let server = serve(Manner::default(), ReactorOptions::default());
    let sent = pattern(40 << 20);
    let stream = server.connect();
    let (mut reading, mut writing) = (stream.try_clone().unwrap(), stream);
    thread::scope(|scope| {
        scope.spawn(|| {
            writing.write_all(&sent).unwrap();
            writing.shutdown(Shutdown::Write).unwrap();
        });
        let mut back = Vec::new();
        reading.read_to_end(&mut back).unwrap();
        assert!(back == sent);
    });
}

#[test]
fn a_half_closed_peer_gets_everything() {
    let server = serve(Manner::default(), ReactorOptions::default());
    let mut stream = server.connect();
    let sent = pattern(3 << 20);
    let mut back = Vec::new();
    // Nothing is read before everything is sent: replies wait in the server.
    stream.write_all(&sent).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    stream.read_to_end(&mut back).unwrap();
    assert!(back == sent);
    let ended = server.expect(|event| if let Event::Ended(id) = event { Some(id) } else { None });
    let closed = server.expect(|event| if let Event::Closed(id) = event { Some(id) } else { None });
    assert_eq!(ended, closed);
}

#[test]
fn unix_sockets_too() {
    let path = std::env::temp_dir().join(format!("whimbrel-echo-{}.sock", std::process::id()));
    let server = serve_unix(&path);
    let mut stream = UnixStream::connect(&path).unwrap();
    let sent = pattern(1 << 20);
    thread::scope(|scope| {
        let mut writing = stream.try_clone().unwrap();
        let sent = &sent;
        scope.spawn(move || {
            writing.write_all(sent).unwrap();
            writing.shutdown(Shutdown::Write).unwrap();
        });
        let mut back = Vec::new();
        stream.read_to_end(&mut back).unwrap();
        assert!(back == *sent);
    });
    let peer = server.expect(|event| if let Event::Opened(_, peer) = event { Some(peer) } else { None });
    assert_eq!(peer, PeerAddress::Unix);
    drop(server);
    assert!(!path.exists());
}

#[test]
fn many_connections_at_once() {
    let server = serve(Manner::default(), ReactorOptions::default());
    let mut streams: Vec<_> = (0..200).map(|_| server.connect()).collect();
    for round in 0..20_u8 {
        for (place, stream) in streams.iter_mut().enumerate() {
            stream.write_all(&[round, place as u8, 3]).unwrap();
        }
        for (place, stream) in streams.iter_mut().enumerate() {
            let mut back = [0; 3];
            stream.read_exact(&mut back).unwrap();
            assert_eq!(back, [round, place as u8, 3]);
        }
    }
}

#[test]
fn a_request_costs_one_completion_and_a_quiet_send() {
    const REQUESTS: u64 = 500;
    let server = serve(Manner::default(), ReactorOptions::default());
    let mut stream = server.connect();
    for _ in 0..REQUESTS {
        stream.write_all(b"ping").unwrap();
        stream.read_exact(&mut [0; 4]).unwrap();
    }
    let gauges = server.stop();
    assert_eq!(gauges.sends, REQUESTS);
    assert_eq!(gauges.short_sends, 0);
    // One for each receive, and a few for the accept, the doorbell and the end.
    assert!(gauges.completions <= REQUESTS + 20, "{gauges:?}");
    assert!(gauges.enters <= REQUESTS + 20, "{gauges:?}");
}
