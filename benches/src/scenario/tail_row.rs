//! P9: the tail at half load while keys expire, are evicted and are walked, against the same load without.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use crate::load::plan::Pace;
use crate::scenario::cell::{Cell, Dataset};
use crate::scenario::measuring::{Bench, ScenarioError, progress};
use crate::scenario::peer::{Kind, Peer};
use crate::scenario::results::Verdict;
use crate::scenario::rows::CLIENTS;
use crate::scenario::sample::Sample;
use crate::scenario::server::Server;
use crate::traffic::arrivals::Process;
use crate::traffic::workload::WeightedCommand;
use crate::wire::control::Control;
use crate::wire::value::Value;

/// Whimbrel's p99.9 with background work over the same without.
const RATIO_MAX: f64 = 1.3;
/// Keys of the row.
const KEYS: u64 = 1_000_000;
/// Share of the server's capacity that the load takes.
const LOAD: f64 = 0.5;
/// Time to live of keys that are not to expire while it is measured, and of those that are.
const TTL_LONG: &str = "1000";
const TTL_SHORT: &str = "2";
/// Rest between two walks.
const WALK_INTERVAL: Duration = Duration::from_millis(100);

type Figure = fn(&Sample) -> Option<f64>;

/// Measures every server in both states.
pub fn measure_tail(bench: &mut Bench<'_>, peers: &[Peer]) -> Result<(), ScenarioError> {
    let peers: Vec<&Peer> = peers.iter().filter(|p| matches!(p.kind, Kind::Whimbrel | Kind::Resp)).collect();
    if peers.is_empty() {
        return Err(ScenarioError::Nothing);
    }
    let dataset = Dataset { ttl_seconds: Some(1000), ..Dataset::strings(bench.options.keys(KEYS), 64) };
    for repeat in 0..bench.options.repeats() {
        for (index, peer) in peers.iter().enumerate() {
            let server = bench.start(index, peer)?;
            bench.fill(&server, &dataset)?;
            measure_both_states(bench, &server, &dataset, repeat)?;
        }
    }
    judge(bench, &peers);
    Ok(())
}

fn measure_both_states(
    bench: &mut Bench<'_>,
    server: &Server,
    dataset: &Dataset,
    repeat: usize,
) -> Result<(), ScenarioError> {
    bench.measure(server, dataset, &cell("capacity", TTL_LONG, Pace::Closed), repeat)?;
    let capacity = bench.results.median("capacity", &server.peer.name).copied().unwrap_or_default();
    // CPU time tells the capacity also where the client is the limit of a closed loop.
    let rate = LOAD * 1e9 / capacity.cpu_ns_per_operation.max(1.0);
    let pace = Pace::Open { rate, process: Process::Poisson };
    let calm = bench.measure(server, dataset, &cell("calm", TTL_LONG, pace), repeat)?;
    progress(repeat, "calm", &server.peer.name, &calm);

    let mut control = server.control().map_err(ScenarioError::Server)?;
    limit_memory(bench, server, &mut control).map_err(ScenarioError::Server)?;
    let walk = bench.options.walk_command.clone().unwrap_or_else(|| "BGSAVE".to_owned());
    let (over, walks) = (AtomicBool::new(false), AtomicU64::new(0));
    let busy = thread::scope(|scope| {
        let refusal = scope.spawn(|| walk_until(&over, &walks, &mut control, &walk));
        let busy = bench.measure(server, dataset, &cell("busy", TTL_SHORT, pace), repeat);
        over.store(true, Ordering::Relaxed);
        if let Ok(Some(reason)) = refusal.join() {
            bench.note(format!("{}: `{walk}` was refused: {reason}", server.peer.name));
        }
        busy
    })?;
    progress(repeat, "busy", &server.peer.name, &busy);
    note_background(bench, server, walks.into_inner());
    Ok(())
}

/// Reads, writes of keys that live for `ttl`, and new keys, which need room.
fn cell(name: &str, ttl: &str, pace: Pace) -> Cell {
    let command = |weight: u32, text: String| WeightedCommand {
        weight,
        arguments: text.split(' ').map(str::to_owned).collect(),
    };
    Cell {
        name: name.to_owned(),
        commands: vec![
            command(70, "GET __key__".into()),
            command(15, format!("SET __key__ __data__ EX {ttl}")),
            command(15, "SET new:__rand__ __data__".into()),
        ],
        pipeline: 1,
        clients: CLIENTS,
        pace,
        is_watched: matches!(pace, Pace::Open { .. }),
        targets: Vec::new(),
    }
}

/// Share of the memory in use that is taken away: what expires makes room for some of the new keys, and must not for all.
const MEMORY_LESS: f64 = 0.02;

/// From here on new keys evict others.
fn limit_memory(bench: &mut Bench<'_>, server: &Server, control: &mut Control) -> std::io::Result<()> {
    let Some(used) = server.memory()?.1 else {
        bench.note(format!("{}: no eviction, INFO has no used_memory", server.peer.name));
        return Ok(());
    };
    let limit = used - (used as f64 * MEMORY_LESS) as u64;
    for (name, value) in [("maxmemory-policy", "allkeys-lru".to_owned()), ("maxmemory", limit.to_string())] {
        if let Value::Error(reason) = control.ask(&["CONFIG", "SET", name, &value])? {
            bench.note(format!("{}: CONFIG SET {name} was refused: {reason}", server.peer.name));
        }
    }
    Ok(())
}

/// Has the server walk its keys again and again. Returns why it did not.
fn walk_until(over: &AtomicBool, walks: &AtomicU64, control: &mut Control, command: &str) -> Option<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let mut refusal = None;
    while !over.load(Ordering::Relaxed) {
        match control.ask(&words) {
            Ok(Value::Error(reason)) if reason.contains("in progress") => {}
            Ok(Value::Error(reason)) => refusal = Some(reason),
            Ok(_) => {
                walks.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => return Some(error.to_string()),
        }
        thread::sleep(WALK_INTERVAL);
    }
    refusal
}

fn note_background(bench: &mut Bench<'_>, server: &Server, walks: u64) {
    let asked = server.control().and_then(|mut control| control.ask(&["INFO", "stats"]));
    let Ok(reply) = asked else { return };
    let info = reply.text().unwrap_or_default();
    let count = |name: &str| {
        info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or("?").trim()
    };
    let (expired, evicted) = (count("expired_keys"), count("evicted_keys"));
    bench.note(format!(
        "{}: {expired} keys expired, {evicted} were evicted, {walks} walks were started",
        server.peer.name
    ));
}

fn judge(bench: &mut Bench<'_>, peers: &[&Peer]) {
    for peer in peers.iter().filter(|p| p.kind == Kind::Whimbrel) {
        let tails: [(&str, Figure); 2] =
            [("", |sample| Some(sample.p999_us)), (" while the machine ran", |sample| sample.p999_ran_us)];
        for (condition, figure) in tails {
            let tail = |cell: &str| figure(bench.results.median(cell, &peer.name)?);
            if let (Some(calm), Some(busy)) = (tail("calm"), tail("busy")) {
                bench.results.verdicts.push(Verdict {
                    subject: format!("p99.9 at half load{condition}"),
                    against: "the same without expiry, eviction and walk".into(),
                    value: busy / calm,
                    value_max: RATIO_MAX,
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_states_send_the_same_but_for_the_time_to_live() {
        let words = |cell: &Cell| {
            let commands: Vec<String> = cell.commands.iter().map(|c| c.arguments.join(" ")).collect();
            commands.join("; ")
        };
        let (calm, busy) = (cell("calm", TTL_LONG, Pace::Closed), cell("busy", TTL_SHORT, Pace::Closed));
        assert_eq!(words(&calm).replace("EX 1000", "EX 2"), words(&busy));
    }
}
