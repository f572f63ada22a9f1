//! A closed loop sends what it was asked to send, no more and no less, and reports what came back.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tiny_server;

use std::collections::HashSet;

use clap::Parser;
use tiny_server::{Behaviour, TinyServer};
use whimbrel_bench::load::options::{LoadOptions, check};
use whimbrel_bench::load::plan::LoadError;
use whimbrel_bench::load::run::{Edge, run};

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    load: LoadOptions,
}

fn options(port: u16, arguments: &str) -> LoadOptions {
    let port = port.to_string();
    let words = ["load", "--port", &port].into_iter().chain(arguments.split_whitespace());
    let options = CommandLine::parse_from(words).load;
    check(&options).unwrap();
    options
}

#[test]
fn requests_are_counted_exactly() {
    let server = TinyServer::start(Behaviour::default());
    for (threads, clients, pipeline) in [(1, 1, 1), (1, 7, 3), (3, 10, 16)] {
        let before = server.state.served();
        let arguments = format!("-n 1000 -c {clients} -P {pipeline} --threads {threads} -k 50 -w ping");
        let mut edges = Vec::new();
        let report = run(&options(server.port, &arguments).plan(), &mut |edge| edges.push(edge)).unwrap();
        assert_eq!((report.operations, report.errors, report.lost), (1000, 0, 0));
        assert_eq!(server.state.served() - before, 1000);
        assert_eq!(edges, [Edge::Start, Edge::End]);
    }
}

#[test]
fn a_fill_writes_every_key_once() {
    let server = TinyServer::start(Behaviour::default());
    let report = run(&options(server.port, "-k 1001 --threads 2").fill_plan(), &mut |_| {}).unwrap();
    assert_eq!((report.operations, server.state.served()), (1001, 1001));
    let keys: HashSet<Vec<u8>> = server.state.keys.lock().unwrap().keys().cloned().collect();
    let wanted: HashSet<Vec<u8>> = (0..1001).map(|n| format!("key:{n:012}").into_bytes()).collect();
    assert!(keys == wanted);
}

#[test]
fn a_timed_run_reports_rate_latency_nulls_and_errors() {
    let server = TinyServer::start(Behaviour::default());
    let timed = "-s 0.3 --warm-up 0.1 -c 4 -k 100";
    let report = run(&options(server.port, timed).plan(), &mut |_| {}).unwrap();
    assert!(report.operations > 0 && report.nulls >= report.operations, "{report:?}");
    assert!(report.latency.p50_us > 0.0 && report.latency.p50_us <= report.latency.max_us, "{report:?}");
    assert!((0.29..2.0).contains(&report.seconds), "{report:?}");

    let mixed = format!("{timed} --command NOPE --command 3:PING");
    let report = run(&options(server.port, "-n 1000 --command NOPE").plan(), &mut |_| {}).unwrap();
    assert_eq!((report.operations, report.errors), (1000, 1000));
    assert_eq!(report.first_error.as_deref(), Some("ERR unknown command"));
    let report = run(&options(server.port, &mixed).plan(), &mut |_| {}).unwrap();
    assert!(report.errors > 0 && report.operations > 0, "{report:?}");
}

#[test]
fn passwords_are_sent() {
    let server = TinyServer::start(Behaviour { password: Some("pw"), ..Behaviour::default() });
    let report = run(&options(server.port, "-n 10 -c 2 --password pw").plan(), &mut |_| {}).unwrap();
    assert_eq!((report.operations, report.errors), (10, 0));
    let refused = run(&options(server.port, "-n 10 -c 2 --password no").plan(), &mut |_| {});
    assert!(matches!(refused, Err(LoadError::Connect(..))));
}

#[test]
fn unix_sockets_work() {
    let path = std::env::temp_dir().join(format!("whimbrel-bench-{}.sock", std::process::id()));
    let state = TinyServer::on_unix(&path, Behaviour::default());
    let arguments = format!("-n 100 -c 3 -w set --unix {}", path.display());
    let report = run(&options(0, &arguments).plan(), &mut |_| {}).unwrap();
    assert_eq!((report.operations, state.served()), (100, 100));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn nobody_listening_is_an_error() {
    let (listener, port) = tiny_server::reserve();
    drop(listener);
    let outcome = run(&options(port, "-n 1 -c 1").plan(), &mut |_| {});
    assert!(matches!(outcome, Err(LoadError::Connect(..))));
}
