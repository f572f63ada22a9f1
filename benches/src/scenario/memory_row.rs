//! P5: what a key costs beyond its bytes, on a fresh server for each kind of keys.

use std::io::{self, Write};

use crate::scenario::cell::Dataset;
use crate::scenario::measuring::{Bench, ScenarioError};
use crate::scenario::peer::{Kind, Peer};
use crate::scenario::results::{MemoryResult, Results, Verdict};
use crate::scenario::rows::{MemoryTarget, memory_datasets};
use crate::traffic::workload::Protocol;

/// Fills every kind of keys into every server and notes the memory.
pub fn measure_memory(bench: &mut Bench<'_>, peers: &[Peer]) -> Result<(), ScenarioError> {
    let peers: Vec<&Peer> = peers.iter().filter(|p| p.kind != Kind::Floor).collect();
    if peers.is_empty() {
        return Err(ScenarioError::Nothing);
    }
    for (dataset, target) in memory_datasets() {
        let dataset = Dataset { keys: bench.options.keys(dataset.keys), ..dataset };
        for (index, peer) in peers.iter().enumerate() {
            if peer.protocol() != Protocol::Resp && dataset.fields > 0 {
                continue;
            }
            let server = bench.start(index, peer)?;
            bench.fill(&server, &dataset)?;
            if let Some(memory) = bench.results.memory.last().filter(|memory| memory.server == peer.name) {
                // Progress is a courtesy: a closed standard error does not stop the measurement.
                let _ = writeln!(
                    io::stderr(),
                    "{:<16} {:>8.1} bytes/key beyond {}",
                    memory.server,
                    memory.overhead_per_key(),
                    dataset.words()
                );
            }
        }
        let verdict = judge(&bench.results, &dataset, target);
        bench.results.verdicts.extend(verdict);
    }
    Ok(())
}

fn judge(results: &Results, dataset: &Dataset, target: MemoryTarget) -> Option<Verdict> {
    let of_kind = |kinds: &'static [Kind]| {
        results.memory.iter().filter(move |m| {
            let server = results.servers.iter().find(|s| s.name == m.server);
            m.dataset == *dataset && server.is_some_and(|s| kinds.contains(&s.kind))
        })
    };
    let whimbrel = of_kind(&[Kind::Whimbrel]).next()?.overhead_per_key();
    let (against, value, value_max) = match target {
        MemoryTarget::Bytes(bytes_max) => {
            ("bytes per key beyond key and value".to_owned(), whimbrel, bytes_max)
        }
        MemoryTarget::OfBestPeer(ratio_max) => {
            let best = of_kind(&[Kind::Resp, Kind::Memcached])
                .min_by(|a, b| a.overhead_per_key().total_cmp(&b.overhead_per_key()))?;
            let MemoryResult { server, .. } = best;
            (format!("overhead of the best peer ({server})"), whimbrel / best.overhead_per_key(), ratio_max)
        }
    };
    Some(Verdict { subject: dataset.words(), against, value, value_max })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::results::tests::example;

    #[test]
    fn memory_is_judged_by_bytes_or_by_the_best_peer() {
        let mut results = example();
        let dataset = results.memory[0].dataset.clone();
        assert!(judge(&results, &dataset, MemoryTarget::Bytes(16.0)).is_none(), "Whimbrel was not measured");
        let mine =
            MemoryResult { server: "whimbrel".into(), resident_bytes: 113_000, ..results.memory[0].clone() };
        results.memory.push(mine);
        let verdict = judge(&results, &dataset, MemoryTarget::OfBestPeer(0.7)).unwrap();
        assert_eq!((verdict.value, verdict.is_met()), (0.5, true));
        let verdict = judge(&results, &dataset, MemoryTarget::Bytes(16.0)).unwrap();
        assert_eq!((verdict.value, verdict.is_met()), (33.0, false));
    }
}
