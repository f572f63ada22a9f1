//! Accept storms: everybody is served or refused, and whoever is refused hears why.

mod harness;

use std::io::{Read, Write};

use harness::{Event, Manner, serve};
use whimbrel_net::{ReactorOptions, raise_nofile};

#[test]
fn a_storm_of_a_thousand_is_served_or_refused() {
    raise_nofile();
    let manner = Manner { connections_max: Some(600), ..Manner::default() };
    let server = serve(manner, ReactorOptions { accepts_per_turn_max: 16, ..ReactorOptions::default() });
    let mut streams: Vec<_> = (0..1000).map(|_| server.connect()).collect();
    let (mut served, mut refused) = (0, 0);
    for stream in &mut streams {
        let _ = stream.write_all(b"x");
        let mut first = [0; 1];
        stream.read_exact(&mut first).unwrap();
        if &first == b"x" {
            served += 1;
        } else {
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).unwrap();
            assert_eq!(rest, b"ERR max number of clients reached\r\n");
            refused += 1;
        }
    }
    assert_eq!((served, refused), (600, 400));
    let gauges = server.stop();
    assert_eq!((gauges.accepted, gauges.refused), (1000, 400));
}

#[test]
fn a_full_table_refuses_without_a_word() {
    let mut server =
        serve(Manner::default(), ReactorOptions { connections_max: 4, ..ReactorOptions::default() });
    let mut streams: Vec<_> = (0..6).map(|_| server.connect()).collect();
    for (place, stream) in streams.iter_mut().enumerate() {
        let _ = stream.write_all(b"x");
        assert_eq!(stream.read(&mut [0]).is_ok_and(|length| length == 1), place < 4);
    }
    assert_eq!(server.gauges().refused, 2);
    streams.clear();
    for _ in 0..4 {
        server.expect(|event| matches!(event, Event::Closed(_)).then_some(()));
    }
    let mut again = server.connect();
    again.write_all(b"x").unwrap();
    again.read_exact(&mut [0]).unwrap();
}
