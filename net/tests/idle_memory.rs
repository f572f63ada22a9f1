//! Thousands of idle connections hold no buffers: the process stays far below the promised 2 KiB for each.

mod harness;

use std::io::{Read, Write};
use std::net::TcpStream;

use harness::{Manner, serve};
use whimbrel_net::{ReactorOptions, raise_nofile};

/// Each has both its ends in this process, whose descriptors are limited.
const CONNECTIONS: usize = 4_000;
const PROMISED_BYTES: usize = 2 << 10;

fn resident_bytes() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").expect("Linux has it");
    let pages = text.split(' ').nth(1).and_then(|field| field.parse::<usize>().ok());
    pages.expect("the second field counts pages") * 4096
}

fn ping(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).expect("the server reads");
    stream.read_exact(&mut vec![0; bytes.len()]).expect("the server answers");
}

#[test]
fn idle_connections_hold_no_buffers() {
    raise_nofile();
    let options = ReactorOptions { receive_buffers: 64, ..ReactorOptions::default() };
    let mut server = serve(Manner::default(), options);
    let mut first = server.connect();
    // Every provided buffer has been touched before the first look.
    for _ in 0..200 {
        ping(&mut first, &[b'x'; 20_000]);
    }
    let before = resident_bytes();
    let mut streams: Vec<_> = (0..CONNECTIONS).map(|_| server.connect()).collect();
    for stream in &mut streams {
        ping(stream, &[b'y'; 1_000]);
    }
    assert_eq!(server.gauges().connections as usize, CONNECTIONS + 1);
    let each = resident_bytes().saturating_sub(before) / CONNECTIONS;
    assert!(each <= PROMISED_BYTES, "{each} bytes for an idle connection");
}
