//! P6: Whimbrel on two cores, by cluster clients and on the shared port, against Whimbrel on one.

use crate::scenario::cell::Reference;
use crate::scenario::measuring::{Bench, ScenarioError, measure_row};
use crate::scenario::peer::{Kind, Peer};
use crate::scenario::results::Verdict;
use crate::scenario::rows::two_cores;

const ONE_CORE: &str = "one core";
const ONE_CORE_BESIDE: &str = "one core beside the load";
const CLUSTER: &str = "two cores, cluster";
const SHARED_PORT: &str = "two cores, shared port";

/// Measures them and compares CPU time per operation. The second core shares its CPU with the load where there are but two, so
/// one core that does so is measured too: what sharing costs is no cost of a second core.
pub fn measure_two_cores(bench: &mut Bench<'_>, peers: &[Peer]) -> Result<(), ScenarioError> {
    let whimbrel = peers.iter().find(|p| p.kind == Kind::Whimbrel).ok_or(ScenarioError::Nothing)?;
    let row = two_cores();
    measure_row(bench, &row, &variants(whimbrel, &bench.options.server_cpus.0, &bench.client_cpus))?;
    bench.note(
        "the load shares a CPU with the second core: CPU time per operation counts here, not throughput"
            .into(),
    );
    for cell in &row.cells {
        let bounds = cell.targets.iter().filter(|t| t.against == Reference::First).map(|t| t.ratio_max);
        for (variant, value_max) in [CLUSTER, SHARED_PORT].into_iter().zip(bounds) {
            let cpu = |name: &str| bench.results.median(&cell.name, name).map(|s| s.cpu_ns_per_operation);
            let (one, beside, two) = (cpu(ONE_CORE), cpu(ONE_CORE_BESIDE), cpu(variant));
            let mean = one.zip(beside).map(|(one, beside)| (one + beside) / 2.0);
            let bases = [("CPU of one core", one), ("mean CPU of one core alone and beside the load", mean)];
            for (against, base) in bases {
                if let (Some(two), Some(base)) = (two, base) {
                    bench.results.verdicts.push(Verdict {
                        subject: format!("{}, {variant}", cell.name),
                        against: against.into(),
                        value: two / base,
                        value_max,
                    });
                }
            }
        }
    }
    Ok(())
}

fn variants(whimbrel: &Peer, server_cpus: &[usize], client_cpus: &[usize]) -> Vec<Peer> {
    let one: Vec<usize> = server_cpus.iter().copied().take(1).collect();
    let mut two = server_cpus.to_vec();
    two.extend(client_cpus.iter().copied().filter(|cpu| !server_cpus.contains(cpu)));
    two.truncate(2);
    let variant = |name: &str, cpus: &[usize], cluster: bool| {
        let mut peer = Peer { name: name.to_owned(), cpus: Some(cpus.to_vec()), cluster, ..whimbrel.clone() };
        if cluster {
            peer.command
                .extend(["--cluster-enabled", "yes", "--core-port-base", "{core_port}"].map(str::to_owned));
        }
        peer
    };
    let beside: Vec<usize> = two.iter().copied().skip(1).collect();
    vec![
        variant(ONE_CORE, &one, false),
        variant(ONE_CORE_BESIDE, if beside.is_empty() { &one } else { &beside }, false),
        variant(CLUSTER, &two, true),
        variant(SHARED_PORT, &two, false),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_second_core_is_the_clients() {
        let peers = variants(&Peer::whimbrel(Path::new("whimbrel")), &[0], &[1]);
        assert_eq!(peers[0].cpus, Some(vec![0]));
        assert_eq!(peers[1].cpus, Some(vec![1]));
        assert_eq!(peers[2].cpus, Some(vec![0, 1]));
        assert!(peers[2].cluster && peers[2].command.contains(&"--core-port-base".to_owned()));
        assert!(!peers[3].cluster && !peers[3].command.contains(&"--core-port-base".to_owned()));
    }
}
