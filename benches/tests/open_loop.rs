//! An open loop keeps its rate, and a server that stalls cannot hide it from the latencies.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tiny_server;

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::Parser;
use tiny_server::{Behaviour, TinyServer};
use whimbrel_bench::load::options::LoadOptions;
use whimbrel_bench::load::plan::{Plan, Waiting};
use whimbrel_bench::load::report::Report;
use whimbrel_bench::load::run::{run, run_until};

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    load: LoadOptions,
}

fn measured(port: u16, arguments: &str) -> Report {
    let port = port.to_string();
    let words = ["load", "--port", &port].into_iter().chain(arguments.split_whitespace());
    run(&CommandLine::parse_from(words).load.plan(), &mut |_| {}).unwrap()
}

#[test]
fn every_kind_of_arrivals_keeps_the_rate() {
    let server = TinyServer::start(Behaviour::default());
    for (arrivals, tolerance) in
        [("fixed", 0.2), ("poisson", 0.3), ("bursts --burst-on-ms 1 --burst-off-ms 1", 0.7)]
    {
        let report = measured(
            server.port,
            &format!("--rate 2000 --arrivals {arrivals} -c 4 -k 10 --warm-up 0.1 -s 0.5 -w ping"),
        );
        let off = (report.throughput / 2000.0 - 1.0).abs();
        assert!(off < tolerance && report.lost == 0, "{arrivals}: {report:?}");
    }
}

#[test]
fn a_stall_counts_for_every_command_that_was_due() {
    let stall = Duration::from_millis(200);
    let server = TinyServer::start(Behaviour { stall: Some((300, stall)), ..Behaviour::default() });
    let report = measured(server.port, "--rate 1000 --arrivals fixed -c 1 --warm-up 0 -s 1 -w ping");
    // A fifth of the commands were due while the server slept; half of them waited for more than 100 ms.
    assert!(report.latency.max_us > 195_000.0, "{report:?}");
    assert!(report.latency.p90_us > 60_000.0, "{report:?}");
    assert!(report.latency.p50_us < 60_000.0, "{report:?}");
    assert!((800.0..1200.0).contains(&report.throughput), "{report:?}");
}

#[test]
fn a_sleeping_loop_keeps_the_rate_and_stops_when_it_is_told() {
    let server = TinyServer::start(Behaviour::default());
    let port = server.port.to_string();
    let words =
        ["load", "--port", &port, "--rate", "2000", "-c", "4", "--warm-up", "0", "-s", "600", "-w", "ping"];
    let plan = Plan { waiting: Waiting::Sleep, ..CommandLine::parse_from(words).load.plan() };
    let stop = AtomicBool::new(false);
    let report = thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(500));
            stop.store(true, Ordering::Relaxed);
        });
        run_until(&plan, &stop, &mut |_| {}).unwrap()
    });
    assert!(report.seconds < 60.0 && report.lost == 0, "{report:?}");
    assert!((report.throughput / 2000.0 - 1.0).abs() < 0.3, "{report:?}");
}
