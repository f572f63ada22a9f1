//! Connections end cleanly: after their last output, at once, by the peer's reset, and when the reactor stops.

mod harness;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use harness::{Ask, Event, Manner, pattern, serve};
use socket2::SockRef;
use whimbrel_net::ReactorOptions;

fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).expect("the socket is open");
    drop(stream);
}

#[test]
fn a_close_delivers_everything_although_the_peer_still_sends() {
    let manner = Manner { obeys: true, last_bytes: 3_000_000, ..Manner::default() };
    let server = serve(manner, ReactorOptions::default());
    for trailing in [0, 1, 100_000] {
        let mut stream = server.connect();
        let mut sent = b"QUIT\n".to_vec();
        sent.extend(std::iter::repeat_n(b'x', trailing));
        stream.write_all(&sent).unwrap();
        let mut back = vec![0; 3_000_003];
        stream.read_exact(&mut back).unwrap();
        assert!(back.ends_with(b"qBYE"));
        // Nothing is promised about how the connection ends, only that nothing follows.
        assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
        server.expect(|event| matches!(event, Event::Closed(_)).then_some(()));
    }
    drop(server);
}

#[test]
fn an_abort_is_seen_at_once() {
    let manner = Manner { obeys: true, last_bytes: 3_000_000, ..Manner::default() };
    let server = serve(manner, ReactorOptions::default());
    let mut stream = server.connect();
    stream.write_all(b"ABORT\n").unwrap();
    let error = stream.read(&mut [0; 64]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    server.expect(|event| matches!(event, Event::Closed(_)).then_some(()));
}

#[test]
fn a_reset_by_the_peer_closes_whatever_was_going_on() {
    let mut server = serve(Manner::default(), ReactorOptions::default());
    // Idle, with replies unread, and with replies that fill every buffer on the way.
    for length in [0, 1_000, 32 << 20] {
        let mut stream = server.connect();
        server.expect(|event| matches!(event, Event::Opened(..)).then_some(()));
        stream.set_nonblocking(true).unwrap();
        let sent = pattern(length);
        let mut at = 0;
        while at < length {
            match stream.write(&sent[at..]) {
                Ok(written) => at += written,
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock);
                    break;
                }
            }
        }
        reset(stream);
        server.expect(|event| matches!(event, Event::Closed(_)).then_some(()));
    }
    assert_eq!(server.gauges().connections, 0);
}

#[test]
fn a_peer_that_never_reads_its_last_output_is_dropped() {
    let manner = Manner { obeys: true, last_bytes: 64 << 20, ..Manner::default() };
    let options = ReactorOptions { close_flush_max: Duration::from_millis(50), ..ReactorOptions::default() };
    let mut server = serve(manner, options);
    let mut stream = server.connect();
    SockRef::from(&stream).set_recv_buffer_size(4096).unwrap();
    // The answer does not fit into the small window and the send buffer.
    stream.write_all(b"QUIT\n").unwrap();
    server.expect(|event| matches!(event, Event::Closed(_)).then_some(()));
    assert_eq!(server.gauges().lingering, 0);
    drop(stream);
}

#[test]
fn a_peer_that_neither_reads_nor_closes_lingers_for_a_bounded_time() {
    let manner = Manner { obeys: true, last_bytes: 3_000_000, ..Manner::default() };
    let options = ReactorOptions {
        linger_max: Duration::from_millis(20),
        close_flush_max: Duration::from_millis(500),
        ..ReactorOptions::default()
    };
    let mut server = serve(manner, options);
    let mut streams: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(b"QUIT\n").unwrap();
            stream
        })
        .collect();
    for (place, stream) in streams.iter_mut().enumerate() {
        let mut back = vec![0; 3_000_003];
        // Half of them read everything, the others nothing; all stay open until the server is rid of them.
        if place % 2 == 0 {
            let _ = stream.read_exact(&mut back);
        }
    }
    while server.gauges().connections > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn a_stop_flushes_and_tells_every_connection() {
    let mut server = serve(Manner::default(), ReactorOptions::default());
    let mut streams: Vec<_> = (0..50).map(|_| server.connect()).collect();
    for stream in &mut streams {
        stream.write_all(b"hello").unwrap();
    }
    for stream in &mut streams {
        let mut back = [0; 5];
        stream.read_exact(&mut back).unwrap();
    }
    server.ask(Ask::Open);
    let open =
        server.expect(|event| if let Event::OpenConnections(open) = event { Some(open) } else { None });
    assert_eq!(open, 50);
    let address = server.address;
    // The harness asserts that `closed` was called for all.
    server.stop();
    for stream in &mut streams {
        assert!(matches!(stream.read(&mut [0]), Ok(0)));
    }
    assert!(TcpStream::connect(address).is_err(), "the listener is closed");
}

#[test]
fn a_stop_does_not_wait_for_those_who_never_read() {
    let options = ReactorOptions { stop_grace: Duration::from_millis(50), ..ReactorOptions::default() };
    let server = serve(Manner::default(), options);
    let mut stream = server.connect();
    stream.set_nonblocking(true).unwrap();
    let chunk = pattern(1 << 20);
    let mut written = 0;
    while written < 64 << 20 {
        match stream.write(&chunk) {
            Ok(length) => written += length,
            Err(_) => break,
        }
    }
    let gauges = server.stop();
    assert!(gauges.bytes_out <= gauges.bytes_in);
}

#[test]
fn stale_ids_do_nothing() {
    let mut server = serve(Manner::default(), ReactorOptions::default());
    for _ in 0..3 {
        drop(server.connect());
        server.expect(|event| matches!(event, Event::Closed(_)).then_some(()));
    }
    // The place is in use again, by a connection that must not hear what is said to those before it.
    let mut stream = server.connect();
    stream.write_all(b"a").unwrap();
    let mut back = [0; 1];
    stream.read_exact(&mut back).unwrap();
    server.ask(Ask::Stale);
    assert!(server.expect(|event| if let Event::StaleIgnored(ignored) = event {
        Some(ignored)
    } else {
        None
    }));
    stream.write_all(b"b").unwrap();
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"b");
}

#[test]
fn output_and_closes_that_a_close_causes_go_out_at_once() {
    let mut server = serve(Manner::default(), ReactorOptions::default());
    let mut streams = Vec::new();
    for _ in 0..2 {
        streams.push(server.connect());
        server.expect(|event| matches!(event, Event::Opened(..)).then_some(()));
    }
    // With no receive running, the close itself completes nothing that would wake the core.
    server.ask(Ask::Pause);
    server.gauges();
    server.gauges();
    server.ask(Ask::Farewell);
    let mut back = Vec::new();
    streams[0].read_to_end(&mut back).unwrap();
    assert_eq!(back, b"12");
    assert!(matches!(streams[1].read(&mut [0]), Ok(0)));
}

#[test]
fn a_close_behind_a_send_that_waits_is_bounded_too() {
    let options = ReactorOptions { close_flush_max: Duration::from_millis(50), ..ReactorOptions::default() };
    let server = serve(Manner::default(), options);
    let mut stream = server.connect();
    // Echoed but never read: most of it waits in the server when the input ends.
    stream.write_all(&pattern(64 << 20)).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    server.expect(|event| matches!(event, Event::Ended(_)).then_some(()));
    server.expect(|event| matches!(event, Event::Closed(_)).then_some(()));
    assert!(stream.read_to_end(&mut Vec::new()).is_err(), "it was reset");
    assert!(server.stop().short_sends > 0);
}
