//! Connections wait while the process has no descriptors left. In a file of its own: it takes all that its process may have.

mod harness;

use std::io::{Read, Write};
use std::time::Duration;

use harness::{Manner, serve};
use whimbrel_net::ReactorOptions;

#[test]
fn connections_wait_while_descriptors_have_run_out() {
    let options =
        ReactorOptions { accept_retry_delay: Duration::from_millis(5), ..ReactorOptions::default() };
    let mut server = serve(Manner::default(), options);
    let mut early = server.connect();
    early.write_all(b"x").unwrap();
    early.read_exact(&mut [0]).unwrap();

    let mut late = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let mut hoard = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        hoard.push(file);
    }
    late.connect(&server.address.into()).unwrap();
    let mut gauges = server.gauges();
    while gauges.accept_no_descriptors < 3 {
        std::thread::yield_now();
        gauges = server.gauges();
    }
    // Those who are in are served, and the core does not spin.
    early.write_all(b"y").unwrap();
    early.read_exact(&mut [0]).unwrap();
    drop(hoard);
    late.write_all(b"z").unwrap();
    late.set_read_timeout(Some(harness::PATIENCE)).unwrap();
    late.read_exact(&mut [0]).unwrap();
}
