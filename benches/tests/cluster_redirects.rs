//! A cluster's clients go to the owners of slots, and follow MOVED and ASK without an error.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod tiny_server;

use clap::Parser;
use tiny_server::{Behaviour, Place, TinyServer, reserve};
use whimbrel_bench::cluster::slot::slot_of;
use whimbrel_bench::load::options::LoadOptions;
use whimbrel_bench::load::plan::LoadError;
use whimbrel_bench::load::report::Report;
use whimbrel_bench::load::run::run;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    load: LoadOptions,
}

fn options(port: u16, arguments: &str) -> LoadOptions {
    let port = port.to_string();
    let words = ["load", "--cluster", "--port", &port].into_iter().chain(arguments.split_whitespace());
    CommandLine::parse_from(words).load
}

fn measured(port: u16, arguments: &str) -> Report {
    run(&options(port, arguments).plan(), &mut |_| {}).unwrap()
}

/// Two nodes that own half of the slots each, and refuse what is not theirs.
fn two_halves() -> (TinyServer, TinyServer) {
    let ((low, low_port), (high, high_port)) = (reserve(), reserve());
    let slots = vec![(0, 8191, low_port), (8192, 16_383, high_port)];
    let place = move |own: u16| {
        let half = move |slot| if slot < 8192 { low_port } else { high_port };
        move |slot: u16, _| if half(slot) == own { Place::Here } else { Place::Moved(half(slot)) }
    };
    let node = |listener, own| {
        let behaviour =
            Behaviour { placement: Some(Box::new(place(own))), slots: slots.clone(), ..Behaviour::default() };
        TinyServer::on(listener, behaviour)
    };
    (node(low, low_port), node(high, high_port))
}

#[test]
fn commands_go_straight_to_the_owner() {
    let (low, high) = two_halves();
    for arguments in ["-n 2000 -c 3 -P 4 -k 500 -w set", "-n 2000 -c 3 -P 4 -k 500 -w set --rate 20000"] {
        let report = measured(low.port, arguments);
        assert_eq!((report.operations, report.errors, report.redirects), (2000, 0, 0), "{report:?}");
    }
    assert_eq!(low.state.served() + high.state.served(), 4000);
    for (server, owned) in [(&low, 0..8192), (&high, 8192..16_384)] {
        let keys = server.state.keys.lock().unwrap();
        assert!(keys.len() > 150 && keys.keys().all(|key| owned.contains(&slot_of(key))));
    }
}

#[test]
fn a_fill_reaches_every_node() {
    let (low, high) = two_halves();
    let report = run(&options(low.port, "-k 700").fill_plan(), &mut |_| {}).unwrap();
    assert_eq!((report.operations, report.redirects), (700, 0));
    let held = |server: &TinyServer| server.state.keys.lock().unwrap().len();
    assert_eq!(held(&low) + held(&high), 700);
}

#[test]
fn slots_that_move_are_followed_to_a_node_that_was_unknown() {
    let ((old, old_port), (new, new_port)) = (reserve(), reserve());
    // After 500 commands the upper half of the slots is gone; CLUSTER SLOTS goes on telling the old story, so that
    // only redirections lead to the new node.
    let moved = move |slot: u16, number: u64| {
        if slot >= 8192 && number > 500 { Place::Moved(new_port) } else { Place::Here }
    };
    let slots = vec![(0, 16_383, old_port)];
    let old = TinyServer::on(
        old,
        Behaviour { placement: Some(Box::new(moved)), slots: slots.clone(), ..Behaviour::default() },
    );
    let new = TinyServer::on(
        new,
        Behaviour { slots, placement: Some(Box::new(|_, _| Place::Here)), ..Behaviour::default() },
    );
    for arguments in ["-n 4000 -c 5 -P 3 -k 300 -w set", "-n 4000 -c 5 -k 300 -w set --rate 20000"] {
        let report = measured(old.port, arguments);
        assert_eq!((report.operations, report.errors, report.lost), (4000, 0, 0), "{report:?}");
        assert!(report.redirects > 0, "{report:?}");
    }
    assert!(new.state.served() > 500);
}

#[test]
fn ask_is_followed_once_and_changes_no_map() {
    let ((source, source_port), (target, target_port)) = (reserve(), reserve());
    let slots = vec![(0, 16_383, source_port)];
    let asks = move |slot: u16, _| if slot < 4096 { Place::Ask(target_port) } else { Place::Here };
    let source = TinyServer::on(
        source,
        Behaviour { placement: Some(Box::new(asks)), slots: slots.clone(), ..Behaviour::default() },
    );
    // The target serves the slots only behind ASKING.
    let refuses = move |_, _| Place::Moved(source_port);
    let target = TinyServer::on(
        target,
        Behaviour { placement: Some(Box::new(refuses)), slots, ..Behaviour::default() },
    );
    let report = measured(source.port, "-n 1000 -c 4 -P 2 -k 400 -w set");
    assert_eq!((report.operations, report.errors), (1000, 0), "{report:?}");
    assert_eq!(report.redirects, target.state.served());
    assert_eq!(source.state.served(), 1000, "every command was first sent to the owner");
}

#[test]
fn a_cluster_without_slots_is_an_error() {
    let server = TinyServer::start(Behaviour::default());
    let outcome = run(&options(server.port, "-n 10").plan(), &mut |_| {});
    assert!(matches!(outcome, Err(LoadError::NoOwner(_))));
}
